//! One replica under the hand: what it is told, and what it says.

use super::super::TendermintReplica;
use super::super::config::{BlockTime, Synchrony, TendermintOptions};
use super::super::gossip::Cut;
use super::super::message::{
    Ballot, Body, Commit, Header, Message, NIL, PRECOMMIT, PREVOTE, Polka, Proposal, Stamp, Status,
    Times,
};
use crate::consensus::{BlockLimits, MempoolLimits, Replica, ReplicaConfig, byzantine_quorum};
use crate::ledger::{Snapshot, WorldState, testing};
use consim_core::{
    Batch, Certificate, ChainId, Context, Delivery, Digest, Disk, Effect, Effects, Event, Keyring,
    NodeId, Payload, Probe, Process as _, Span, Time, TimerKey, Tx, Write, WriteToken,
};
use std::sync::Arc;

pub(super) const CHAIN: ChainId = ChainId(1);

/// Members of the group.
const N: u32 = 4;

/// The timers that steps name.
pub(super) const PROPOSE: u64 = 1;
pub(super) const PREVOTES: u64 = 2;
pub(super) const PRECOMMITS: u64 = 3;
pub(super) const FORWARD: u64 = 5;

pub(super) struct Bench {
    pub(super) replica: TendermintReplica,
    keys: Keyring,
    effects: Effects,
    disk: Disk,
    me: u32,
    options: TendermintOptions,
    /// What its wall clock says.
    pub(super) wall_ns: i64,
    /// Asked for and not yet durable.
    writes: Vec<(WriteToken, Vec<Write>)>,
    /// What was said since the last look.
    said: Vec<String>,
    /// What was sent since the last look.
    pub(super) sent: Vec<Arc<dyn Payload>>,
}

fn replica(me: u32, keys: &Keyring, options: TendermintOptions) -> TendermintReplica {
    let config = ReplicaConfig {
        chain: CHAIN,
        me: NodeId(me),
        members: (0..N).map(NodeId).collect(),
        everybody: (0..N).map(NodeId).collect(),
        peers: None,
        administrator: None,
        quorum: byzantine_quorum(N as usize),
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
    TendermintReplica::new(config, options)
}

/// A value, or nil.
fn name(digest: Digest) -> &'static str {
    if digest == NIL { "nil" } else { "value" }
}

fn words(payload: &dyn Payload) -> Option<String> {
    let message: &Message = payload.as_any().downcast_ref().unwrap();
    Some(match &message.body {
        Body::Proposal {
            proposal, valid, ..
        } => {
            let valid = valid.as_ref().map_or("new".into(), |v| v.view.to_string());
            format!("proposal {} {valid}", proposal.view)
        }
        Body::Prevote(b) => format!("prevote {} {}", b.view, name(b.digest)),
        Body::Precommit(b, _) => format!("precommit {} {}", b.view, name(b.digest)),
        Body::Polka(polka) => format!("polka {}", polka.proof.view),
        Body::Votes(votes) => format!("{} votes", votes.len()),
        Body::FetchTime { height } => format!("fetch-time {height}"),
        Body::Time { height, .. } => format!("time {height}"),
        _ => return None,
    })
}

impl Bench {
    /// Replica `me` of four, started.
    pub(super) fn new(me: u32) -> Self {
        let time = BlockTime::Proposer(Synchrony::default());
        Self::with(me, time)
    }
    /// The same, under this rule for the times of blocks.
    pub(super) fn with(me: u32, time: BlockTime) -> Self {
        Self::with_options(
            me,
            TendermintOptions {
                time,
                ..TendermintOptions::default()
            },
        )
    }
    /// With these options.
    pub(super) fn with_options(me: u32, options: TendermintOptions) -> Self {
        let keys = Keyring::generate(N + 2, 1).0;
        let mut bench = Self {
            replica: replica(me, &keys, options),
            keys,
            options,
            wall_ns: 1_000,
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

    fn within(&mut self, call: impl FnOnce(&mut TendermintReplica, &mut Context<'_>)) {
        self.effects.clear();
        let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
        let me = NodeId(self.me);
        let now = Time::ZERO;
        let wall_ns = self.wall_ns;
        let mut cx = Context::new(now, wall_ns, me, &mut self.effects, &mut rng, &mut slot);
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
    /// The same at this time.
    pub(super) fn batch_at(&self, by: u32, number: u64, time_ns: i64) -> Arc<Batch> {
        testing::batch(NodeId(by), time_ns, vec![self.tx(number)])
    }
    fn stamp(&self, by: u32, height: u64, digest: Digest, time_ns: i64) -> Stamp {
        let key = self.keys.steal(NodeId(by).into()).unwrap();
        Stamp::sign(CHAIN, height, &digest, time_ns, &key)
    }
    /// The time of a member for a height.
    pub(super) fn time(&self, by: u32, height: u64, digest: Digest, time_ns: i64) -> Body {
        let stamp = self.stamp(by, height, digest, time_ns);
        Body::Time {
            height,
            digest,
            stamp,
        }
    }
    /// The same time, of all these.
    pub(super) fn times(
        &self,
        by: &[u32],
        height: u64,
        digest: Digest,
        time_ns: i64,
    ) -> Arc<Times> {
        let of = |&by: &u32| self.stamp(by, height, digest, time_ns);
        Arc::new(Times::new(height, digest, by.iter().map(of).collect()))
    }
    pub(super) fn timed_precommit(
        &self,
        by: u32,
        round: u64,
        digest: Digest,
        time_ns: i64,
    ) -> Body {
        let stamp = self.stamp(by, 1, digest, time_ns);
        Body::Precommit(self.ballot(by, PRECOMMIT, round, digest), Some(stamp))
    }
    /// A proposal of a new value with what proves its time.
    pub(super) fn proposal_with(
        &self,
        round: u64,
        batch: &Arc<Batch>,
        times: Option<Arc<Times>>,
    ) -> Body {
        match self.proposal(round, batch, None) {
            Body::Proposal {
                proposal, valid, ..
            } => Body::Proposal {
                proposal,
                valid,
                times,
            },
            other => other,
        }
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
        valid: Option<Arc<Certificate>>,
    ) -> Body {
        let by = ((1 + round) % u64::from(N)) as u32;
        let signature = self.ballot(by, PREVOTE, round, batch.digest()).signature;
        Body::Proposal {
            proposal: Arc::new(Proposal::new(round, 1, Arc::clone(batch), signature)),
            valid,
            times: None,
        }
    }
    pub(super) fn prevote(&self, by: u32, round: u64, digest: Digest) -> Body {
        Body::Prevote(self.ballot(by, PREVOTE, round, digest))
    }
    pub(super) fn precommit(&self, by: u32, round: u64, digest: Digest) -> Body {
        Body::Precommit(self.ballot(by, PRECOMMIT, round, digest), None)
    }
    /// Prevotes of these members in one round.
    pub(super) fn prevotes(&self, by: &[u32], round: u64, digest: Digest) -> Arc<Certificate> {
        let of = |&i: &u32| self.ballot(i, PREVOTE, round, digest).signature;
        Arc::new(Certificate {
            kind: PREVOTE,
            view: round,
            sequence: 1,
            digest,
            signatures: by.iter().map(of).collect(),
            links: Arc::default(),
        })
    }
    pub(super) fn polka(&self, by: &[u32], round: u64, batch: &Arc<Batch>) -> Body {
        Body::Polka(Arc::new(Polka {
            proof: self.prevotes(by, round, batch.digest()),
            batch: Arc::clone(batch),
        }))
    }
    /// Votes that a member passes on.
    pub(super) fn votes(&self, by: &[u32], kind: u8, round: u64, digest: Digest) -> Body {
        let ballots = by
            .iter()
            .map(|&i| (kind, self.ballot(i, kind, round, digest)));
        Body::Votes(ballots.collect())
    }
    /// A block in parts: what its proposer signs of it, and the parts.
    pub(super) fn cut(&self, round: u64, batch: &Arc<Batch>) -> (Arc<Header>, Vec<Body>) {
        let by = ((1 + round) % u64::from(N)) as u32;
        let vote = self.ballot(by, PREVOTE, round, batch.digest());
        let whole = Arc::new(Proposal::new(round, 1, Arc::clone(batch), vote.signature));
        let cut = Cut::of(batch, 40);
        let key = self.keys.steal(NodeId(by).into()).unwrap();
        let of = (cut.parts.len() as u32, cut.root);
        let header = Arc::new(Header::sign(CHAIN, &whole, (None, None), of, &key));
        let parts = cut.parts.iter().map(|part| Body::Part {
            height: 1,
            round,
            part: Arc::clone(part),
        });
        (header, parts.collect())
    }
    /// What a peer that is ahead shows of height 1: precommits of these members.
    pub(super) fn commit(&self, by: &[u32], round: u64, header: &Arc<Header>) -> Body {
        let of = |&i: &u32| self.ballot(i, PRECOMMIT, round, header.digest).signature;
        Body::Commit(Box::new(Commit {
            certificate: Arc::new(Certificate {
                kind: PRECOMMIT,
                view: round,
                sequence: 1,
                digest: header.digest,
                signatures: by.iter().map(of).collect(),
                links: Arc::default(),
            }),
            header: Arc::clone(header),
        }))
    }
    /// A member asks, in this round of height 1.
    pub(super) fn question(round: u64) -> Body {
        Body::Status(Status {
            executed: 0,
            round,
            valid: None,
            stable: 0,
            change: 0,
            ask: true,
            proof: None,
            decided: None,
        })
    }
}
