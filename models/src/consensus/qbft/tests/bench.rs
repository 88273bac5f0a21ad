//! One replica under the hand: what it is told, and what it says.

use super::super::QbftReplica;
use super::super::change::{Change, Justification, RoundChange, hash_in_round};
use super::super::config::{QbftOptions, Variant, quorum};
use super::super::message::{Ballot, Body, COMMIT, Message, PREPARE, Proposal, Status};
use crate::consensus::{BlockLimits, MempoolLimits, Replica, ReplicaConfig};
use crate::ledger::{Snapshot, WorldState, testing};
use consim_core::{
    Batch, Certificate, ChainId, Context, Delivery, Digest, Disk, Effect, Effects, Event, Keyring,
    NodeId, Payload, Probe, Process as _, Span, Time, TimerKey, Tx, Write, WriteToken,
};
use std::sync::Arc;

const CHAIN: ChainId = ChainId(1);

/// Members of the group.
const N: u32 = 4;

/// The timers that steps name.
pub(super) const ROUND: u64 = 1;
pub(super) const FORWARD: u64 = 3;

pub(super) struct Bench {
    pub(super) replica: QbftReplica,
    keys: Keyring,
    effects: Effects,
    disk: Disk,
    me: u32,
    options: QbftOptions,
    /// Asked for and not yet durable.
    writes: Vec<(WriteToken, Vec<Write>)>,
    /// What was said since the last look.
    said: Vec<String>,
    /// What was sent since the last look.
    pub(super) sent: Vec<Arc<dyn Payload>>,
}

fn replica(me: u32, keys: &Keyring, options: QbftOptions) -> QbftReplica {
    let config = ReplicaConfig {
        chain: CHAIN,
        me: NodeId(me),
        members: (0..N).map(NodeId).collect(),
        everybody: (0..N).map(NodeId).collect(),
        peers: None,
        administrator: None,
        quorum: quorum(N as usize),
        key: Arc::new(keys.steal(NodeId(me).into()).unwrap()),
        keys: keys.clone(),
        block: BlockLimits {
            transactions: 10,
            bytes: 10_000,
            wait: Span::ZERO,
        },
        mempool: MempoolLimits {
            transactions: 20,
            bytes: 100_000,
        },
        timeout: Span::from_millis(1_000),
        checkpoint: 100,
        keep: None,
        renewed: Vec::new(),
    };
    QbftReplica::new(config, options)
}

fn words(payload: &dyn Payload) -> Option<String> {
    let message: &Message = payload.as_any().downcast_ref().unwrap();
    let prepared = |prepared: Option<(u64, Digest)>| {
        prepared.map_or("free".into(), |(round, _)| format!("prepared {round}"))
    };
    Some(match &message.body {
        Body::Proposal {
            proposal,
            justification,
        } => {
            let why = justification.as_ref().map_or("new".into(), |j| {
                prepared(j.highest().and_then(|change| change.prepared))
            });
            format!("proposal {} {why}", proposal.view)
        }
        Body::Prepare(b) => format!("prepare {}", b.view),
        Body::Commit(b) => format!("commit {}", b.view),
        Body::RoundChange(c) => {
            format!("change {} {}", c.change.round, prepared(c.change.prepared))
        }
        _ => return None,
    })
}

impl Bench {
    /// Replica `me` of four, started.
    pub(super) fn new(me: u32) -> Self {
        Self::of(me, Variant::Qbft)
    }
    /// The same, of this variant.
    pub(super) fn of(me: u32, variant: Variant) -> Self {
        let options = QbftOptions {
            period: Span::ZERO,
            ..QbftOptions::of(variant)
        };
        Self::with(me, options)
    }
    /// The same, with these options.
    pub(super) fn with(me: u32, options: QbftOptions) -> Self {
        let keys = Keyring::generate(N + 2, 1).0;
        let mut bench = Self {
            replica: replica(me, &keys, options),
            options,
            keys,
            effects: Effects::default(),
            disk: Disk::default(),
            me,
            writes: Vec::new(),
            said: Vec::new(),
            sent: Vec::new(),
        };
        bench.handle(Event::Start);
        bench.sync();
        bench.look();
        bench
    }
    /// Its process dies and comes back with what the disk kept.
    pub(super) fn restart(&mut self) {
        self.replica = replica(self.me, &self.keys, self.options);
        self.writes.clear();
        let disk = std::mem::take(&mut self.disk);
        self.handle(Event::Recover(&disk));
        self.disk = disk;
    }

    // ---- telling -------------------------------------------------------------------------------

    fn within(&mut self, call: impl FnOnce(&mut QbftReplica, &mut Context<'_>)) {
        self.effects.clear();
        let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
        let me = NodeId(self.me);
        let now = Time::ZERO;
        let mut cx = Context::new(now, 1_000, me, &mut self.effects, &mut rng, &mut slot);
        call(&mut self.replica, &mut cx);
        while let Some(delivery) = cx.take_delivery() {
            if let Delivery::Ordered {
                committed,
                replayed,
            } = &delivery
            {
                let word = if *replayed { "replay" } else { "deliver" };
                self.said.push(format!("{word} {}", committed.sequence));
                let state = || Snapshot {
                    header: None,
                    state: WorldState::default(),
                };
                self.replica.executed(&mut cx, committed.sequence, &state);
            }
        }
        for probe in &self.effects.probes {
            match probe {
                Probe::View { view, .. } => self.said.push(format!("view {view}")),
                Probe::ViewTimeout { view, .. } => self.said.push(format!("give up {view}")),
                _ => {}
            }
        }
        for effect in &self.effects.list {
            let (to, payload) = match effect {
                Effect::Persist { token, writes } => {
                    self.writes.push((*token, writes.clone()));
                    continue;
                }
                Effect::Send { to, payload } => (to.0.to_string(), payload),
                Effect::Multicast { payload, .. } => ("all".into(), payload),
                _ => continue,
            };
            if let Some(words) = words(&**payload) {
                self.sent.push(Arc::clone(payload));
                self.said.push(format!("{to}: {words}"));
            }
        }
    }
    pub(super) fn handle(&mut self, event: Event<'_>) {
        self.within(|replica, cx| replica.handle(cx, event));
    }
    /// A transaction is submitted here.
    pub(super) fn submit(&mut self, number: u64) {
        let tx = self.tx(number);
        self.within(|replica, cx| assert!(replica.submit(cx, tx)));
    }
    /// Member `from` sends `body`.
    pub(super) fn receive(&mut self, from: u32, body: Body) {
        let payload: Arc<dyn Payload> = Arc::new(Message { chain: CHAIN, body });
        let from = NodeId(from);
        let payload = &payload;
        self.handle(Event::Message { from, payload });
    }
    /// Each of these members sends what `body` makes.
    pub(super) fn receive_all(&mut self, from: &[u32], body: impl Fn(&Self, u32) -> Body) {
        for &member in from {
            let body = body(self, member);
            self.receive(member, body);
        }
    }
    pub(super) fn timer(&mut self, key: u64) {
        self.handle(Event::Timer(TimerKey(key)));
    }
    /// The writes that were asked for become durable, and what follows from that.
    pub(super) fn sync(&mut self) {
        while let Some((token, writes)) = self.writes.pop() {
            assert!(self.writes.is_empty(), "one write at a time");
            for write in writes {
                self.disk.apply(write);
            }
            self.handle(Event::Persisted(token));
        }
    }
    /// What it said since the last look.
    pub(super) fn look(&mut self) -> Vec<String> {
        self.sent.clear();
        std::mem::take(&mut self.said)
    }
    /// What it says once all is on disk.
    pub(super) fn says(&mut self) -> Vec<String> {
        assert_eq!(self.look(), [""; 0], "nothing before it is on disk");
        self.sync();
        self.look()
    }

    // ---- what others can say ---------------------------------------------------------------------

    pub(super) fn tx(&self, number: u64) -> Arc<Tx> {
        let key = self.keys.steal(NodeId(3).into()).unwrap();
        testing::tx(CHAIN, &key, number, &[number as u8])
    }
    pub(super) fn batch(&self, by: u32, number: u64) -> Arc<Batch> {
        testing::batch(NodeId(by), 1_000, vec![self.tx(number)])
    }
    fn ballot(&self, by: u32, kind: u8, round: u64, digest: Digest) -> Ballot {
        let key = self.keys.steal(NodeId(by).into()).unwrap();
        Ballot::sign(CHAIN, kind, round, 1, digest, &key)
    }
    /// The proposal of the proposer of this round of height 1.
    pub(super) fn proposal(
        &self,
        round: u64,
        batch: &Arc<Batch>,
        justification: Option<Justification>,
    ) -> Body {
        let by = ((1 + round) % u64::from(N)) as u32;
        let signature = self.ballot(by, PREPARE, round, batch.digest()).signature;
        Body::Proposal {
            proposal: Arc::new(Proposal::new(round, 1, Arc::clone(batch), signature)),
            justification: justification.map(Arc::new),
        }
    }
    pub(super) fn prepare(&self, by: u32, round: u64, digest: Digest) -> Body {
        Body::Prepare(self.ballot(by, PREPARE, round, digest))
    }
    pub(super) fn commit(&self, by: u32, round: u64, digest: Digest) -> Body {
        Body::Commit(self.ballot(by, COMMIT, round, digest))
    }
    /// Prepares of these members in one round.
    pub(super) fn prepares(&self, by: &[u32], round: u64, digest: Digest) -> Arc<Certificate> {
        let of = |&i: &u32| self.ballot(i, PREPARE, round, digest).signature;
        Arc::new(Certificate {
            kind: PREPARE,
            view: round,
            sequence: 1,
            digest,
            signatures: by.iter().map(of).collect(),
            links: Arc::default(),
        })
    }
    /// A member goes to this round and saw nothing prepared, or what these prepares show.
    pub(super) fn change(
        &self,
        by: u32,
        round: u64,
        prepared: Option<&Arc<Certificate>>,
    ) -> Arc<Change> {
        let key = self.keys.steal(NodeId(by).into()).unwrap();
        let of = prepared.map(|proof| (proof.view, hash_in_round(&proof.digest, proof.view)));
        let inside = prepared.filter(|_| self.options.variant == Variant::Ibft);
        let inside = inside.map(Arc::clone);
        Arc::new(Change::sign(CHAIN, (1, round), of, inside, &key))
    }
    /// The same as a message, with the block.
    pub(super) fn round_change(
        &self,
        by: u32,
        round: u64,
        prepared: Option<(&Arc<Certificate>, &Arc<Batch>)>,
    ) -> Body {
        let proof = prepared.map(|(proof, _)| proof);
        Body::RoundChange(Arc::new(RoundChange {
            change: self.change(by, round, proof),
            proof: proof
                .filter(|_| self.options.variant == Variant::Qbft)
                .cloned(),
            batch: prepared.map(|(_, batch)| Arc::clone(batch)),
        }))
    }
    /// ROUND-CHANGEs for this round, each of a member and what it saw prepared; with these prepares beside them.
    pub(super) fn justification(
        &self,
        round: u64,
        of: &[(u32, Option<&Arc<Certificate>>)],
        proof: Option<&Arc<Certificate>>,
    ) -> Justification {
        let changes = of.iter().map(|&(by, seen)| self.change(by, round, seen));
        Justification {
            changes: changes.collect(),
            proof: proof
                .filter(|_| self.options.variant == Variant::Qbft)
                .cloned(),
        }
    }
    /// A member asks, in this round of height 1.
    pub(super) fn question(round: u64) -> Body {
        Body::Status(Status {
            executed: 0,
            round,
            stable: 0,
            change: 0,
            ask: true,
            proof: None,
            decided: None,
        })
    }
}
