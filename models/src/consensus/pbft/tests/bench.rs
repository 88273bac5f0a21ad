//! One replica under the hand: what it is told, and what it says.

use crate::consensus::pbft::PbftReplica;
use crate::consensus::pbft::change::{NewView, Prepared, ViewChange};
use crate::consensus::pbft::config::PbftOptions;
use crate::consensus::pbft::message::{
    Ballot, Body, CHECKPOINT, COMMIT, Message, PREPARE, Proposal,
};
use crate::consensus::{BlockLimits, MempoolLimits, Replica, ReplicaConfig, byzantine_quorum};
use crate::ledger::{Snapshot, WorldState, testing};
use consim_core::chain::vote_statement;
use consim_core::{
    Batch, Certificate, ChainId, Committed, Context, Delivery, Digest, Disk, Effect, Effects,
    Event, Keyring, NodeId, Payload, Probe, Process as _, Signature, Span, State as _, Time,
    TimerKey, Tx, Write, WriteToken,
};
use std::sync::Arc;

pub(super) const CHAIN: ChainId = ChainId(1);

pub(super) struct Bench {
    pub(super) replica: PbftReplica,
    pub(super) keys: Keyring,
    pub(super) effects: Effects,
    pub(super) disk: Disk,
    pub(super) now: Time,
    /// Entries of the host's state.
    pub(super) entries: usize,
    me: u32,
    n: u32,
    /// Asked for and not yet durable.
    writes: Vec<(WriteToken, Vec<Write>)>,
    /// What was said since the last look.
    said: Vec<String>,
    /// What was sent since the last look.
    pub(super) sent: Vec<Arc<dyn Payload>>,
}

pub(super) fn config(me: u32, n: u32, keys: &Keyring) -> ReplicaConfig {
    ReplicaConfig {
        chain: CHAIN,
        me: NodeId(me),
        members: (0..n).map(NodeId).collect(),
        everybody: (0..n).map(NodeId).collect(),
        peers: None,
        administrator: None,
        quorum: byzantine_quorum(n as usize),
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
        checkpoint: 4,
        keep: None,
        renewed: Vec::new(),
    }
}

impl Bench {
    /// Replica `me` of `n`, started.
    pub(super) fn new(me: u32, n: u32) -> Self {
        Self::with(me, n, |_| {})
    }
    pub(super) fn with(me: u32, n: u32, change: impl FnOnce(&mut ReplicaConfig)) -> Self {
        let keys = Keyring::generate(n + 2, 1).0;
        let mut config = config(me, n, &keys);
        change(&mut config);
        let options = PbftOptions {
            watermark: 16,
            pipeline: 4,
            tentative: false,
        };
        let mut bench = Self {
            replica: PbftReplica::new(config, options),
            keys,
            effects: Effects::default(),
            disk: Disk::default(),
            now: Time::ZERO,
            entries: 1,
            me,
            n,
            writes: Vec::new(),
            said: Vec::new(),
            sent: Vec::new(),
        };
        bench.handle(Event::Start);
        bench.look();
        bench
    }
    /// Its process dies and comes back with what the disk kept.
    pub(super) fn restart(&mut self) {
        let options = PbftOptions {
            watermark: 16,
            pipeline: 4,
            tentative: false,
        };
        self.replica = PbftReplica::new(config(self.me, self.n, &self.keys), options);
        self.writes.clear();
        let disk = std::mem::take(&mut self.disk);
        self.handle(Event::Recover(&disk));
        self.disk = disk;
    }

    // ---- telling -------------------------------------------------------------------------------

    fn within(&mut self, call: impl FnOnce(&mut PbftReplica, &mut Context<'_>)) {
        self.effects.clear();
        let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
        let mut cx = Context::new(
            self.now,
            1_000,
            NodeId(self.me),
            &mut self.effects,
            &mut rng,
            &mut slot,
        );
        call(&mut self.replica, &mut cx);
        // The host executes what is delivered; the state is the batch's digest here.
        while let Some(delivery) = cx.take_delivery() {
            let (word, sequence, state) = match &delivery {
                Delivery::Ordered {
                    committed,
                    replayed,
                } => {
                    let word = if *replayed { "replay" } else { "deliver" };
                    let state = snapshot(committed.batch.digest(), self.entries);
                    (word, committed.sequence, state)
                }
                Delivery::Tentative { sequence, .. } => {
                    self.said.push(format!("tentative {sequence}"));
                    continue;
                }
                Delivery::State {
                    sequence,
                    state,
                    replayed,
                } => {
                    let word = if *replayed { "restore" } else { "install" };
                    let state: &Snapshot = state.as_any().downcast_ref().unwrap();
                    (word, *sequence, state.clone())
                }
            };
            self.said.push(format!("{word} {sequence}"));
            self.replica.executed(&mut cx, sequence, &|| state.clone());
        }
        self.note();
    }
    fn note(&mut self) {
        for probe in &self.effects.probes {
            match probe {
                Probe::View { view, .. } => self.said.push(format!("view {view}")),
                Probe::ViewTimeout { view, .. } => self.said.push(format!("give up {view}")),
                Probe::StableCheckpoint { sequence, .. } => {
                    self.said.push(format!("stable {sequence}"));
                }
                Probe::CaughtUp { blocks, .. } => self.said.push(format!("caught up {blocks}")),
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
            self.sent.push(Arc::clone(payload));
            self.said.push(format!("{to}: {}", words(&**payload)));
        }
    }
    pub(super) fn handle(&mut self, event: Event<'_>) {
        self.within(|replica, cx| replica.handle(cx, event));
    }
    pub(super) fn submit(&mut self, tx: Arc<Tx>) -> bool {
        let mut taken = false;
        self.within(|replica, cx| taken = replica.submit(cx, tx));
        taken
    }
    /// Member `from` sends `body`.
    pub(super) fn receive(&mut self, from: u32, body: Body) {
        let payload: Arc<dyn Payload> = Arc::new(Message { chain: CHAIN, body });
        self.handle(Event::Message {
            from: NodeId(from),
            payload: &payload,
        });
    }
    /// The host executed `sequence`, whatever was delivered.
    pub(super) fn tell_executed(&mut self, sequence: u64) {
        self.within(|replica, cx| {
            replica.executed(cx, sequence, &|| snapshot(Digest::ZERO, 1));
        });
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
    /// What it said of these kinds since the last look.
    pub(super) fn look_for(&mut self, words: &[&str]) -> Vec<String> {
        let mut said = self.look();
        said.retain(|line| words.iter().any(|word| line.contains(word)));
        said
    }

    // ---- what others can say ---------------------------------------------------------------------

    pub(super) fn ballot(
        &self,
        by: u32,
        kind: u8,
        view: u64,
        sequence: u64,
        digest: Digest,
    ) -> Ballot {
        let key = self.keys.steal(NodeId(by).into()).unwrap();
        Ballot::sign(CHAIN, kind, view, sequence, digest, &key)
    }
    pub(super) fn tx(&self, by: u32, number: u64) -> Arc<Tx> {
        let key = self.keys.steal(NodeId(by).into()).unwrap();
        testing::tx(CHAIN, &key, number, &[by as u8, number as u8])
    }
    /// A batch of member `by` with the transactions `numbers` of node 9's place, member 3.
    pub(super) fn batch(&self, by: u32, numbers: &[u64]) -> Arc<Batch> {
        let txs = numbers.iter().map(|&number| self.tx(3, number)).collect();
        testing::batch(NodeId(by), 1_000, txs)
    }
    pub(super) fn proposal(&self, view: u64, sequence: u64, batch: &Arc<Batch>) -> Body {
        let primary = (view % u64::from(self.n)) as u32;
        Body::PrePrepare(Arc::new(Proposal::new(
            view,
            sequence,
            Arc::clone(batch),
            self.ballot(primary, PREPARE, view, sequence, batch.digest())
                .signature,
        )))
    }
    pub(super) fn prepare(&self, by: u32, view: u64, sequence: u64, digest: Digest) -> Body {
        Body::Prepare(self.ballot(by, PREPARE, view, sequence, digest))
    }
    pub(super) fn commit(&self, by: u32, view: u64, sequence: u64, digest: Digest) -> Body {
        Body::Commit(self.ballot(by, COMMIT, view, sequence, digest))
    }
    pub(super) fn checkpoint(&self, by: u32, sequence: u64, state: Digest) -> Body {
        Body::Checkpoint(self.ballot(by, CHECKPOINT, 0, sequence, state))
    }
    pub(super) fn certificate(
        &self,
        kind: u8,
        view: u64,
        sequence: u64,
        digest: Digest,
        by: &[u32],
    ) -> Certificate {
        let signatures = by
            .iter()
            .map(|&i| self.ballot(i, kind, view, sequence, digest).signature)
            .collect();
        Certificate {
            kind,
            view,
            sequence,
            digest,
            signatures,
            links: Arc::default(),
        }
    }
    pub(super) fn prepared(&self, view: u64, sequence: u64, digest: Digest) -> Arc<Prepared> {
        let quorum: Vec<u32> = (0..byzantine_quorum(self.n as usize) as u32).collect();
        Arc::new(Prepared(
            self.certificate(PREPARE, view, sequence, digest, &quorum),
        ))
    }
    pub(super) fn committed(
        &self,
        sequence: u64,
        batch: &Arc<Batch>,
        by: &[u32],
    ) -> Arc<Committed> {
        Arc::new(Committed {
            chain: CHAIN,
            sequence,
            batch: Arc::clone(batch),
            certificate: self.certificate(COMMIT, 0, sequence, batch.digest(), by),
        })
    }
    pub(super) fn view_change(
        &self,
        by: u32,
        view: u64,
        prepared: Vec<Arc<Prepared>>,
    ) -> Arc<ViewChange> {
        let key = self.keys.steal(NodeId(by).into()).unwrap();
        Arc::new(ViewChange::sign(CHAIN, view, None, prepared, &key))
    }
    /// A new view, signed by `by`, of these view changes, that puts `digests` forward from
    /// sequence number 1 on.
    pub(super) fn new_view(
        &self,
        by: u32,
        view: u64,
        changes: &[Arc<ViewChange>],
        digests: &[Digest],
    ) -> Arc<NewView> {
        let key = self.keys.steal(NodeId(by).into()).unwrap();
        let proposals = digests
            .iter()
            .zip(1..)
            .map(|(&digest, s)| (digest, self.ballot(by, PREPARE, view, s, digest).signature))
            .collect();
        let named = changes.iter().map(|c| (c.signature().key, c.digest()));
        Arc::new(NewView::sign(
            CHAIN,
            view,
            0,
            named.collect(),
            proposals,
            &key,
        ))
    }
    /// Member `from` sends a new view and, as this replica asks for them, its view changes.
    pub(super) fn receive_new_view(
        &mut self,
        from: u32,
        new_view: Arc<NewView>,
        changes: &[Arc<ViewChange>],
    ) {
        self.receive(from, Body::NewView(new_view));
        for change in changes {
            self.receive(from, Body::ViewChange(Arc::clone(change)));
        }
        self.sync();
    }
    /// It enters `view`, which its primary `by` opens on view changes with nothing in them.
    pub(super) fn enter(&mut self, by: u32, view: u64) {
        let changes: Vec<_> = (0..3).map(|i| self.view_change(i, view, vec![])).collect();
        let new_view = self.new_view(by, view, &changes, &[]);
        self.receive_new_view(by, new_view, &changes);
    }
    /// What this replica votes for at a checkpoint that it took.
    pub(super) fn own_state(&self, sequence: u64) -> Digest {
        self.replica.checkpoints.own_state(sequence).unwrap()
    }
    /// The null batch.
    pub(super) fn null(&self) -> Digest {
        self.replica.null.digest()
    }
    pub(super) fn forged(&self) -> Signature {
        let statement = vote_statement(CHAIN, 99, 0, 0, &Digest::ZERO);
        self.keys.steal(NodeId(1).into()).unwrap().sign(&statement)
    }
    /// Sequence number `sequence` is ordered and executed in view 0.
    pub(super) fn order(&mut self, sequence: u64, batch: &Arc<Batch>) {
        let digest = batch.digest();
        let me = self.me;
        assert_ne!(me, 0, "of a backup");
        self.receive(0, self.proposal(0, sequence, batch));
        self.sync();
        for by in (1..self.n).filter(|&i| i != me) {
            self.receive(by, self.prepare(by, 0, sequence, digest));
            self.sync();
        }
        for by in (0..self.n).filter(|&i| i != me) {
            self.receive(by, self.commit(by, 0, sequence, digest));
            self.sync();
        }
    }
}

/// A ledger's state that is known by `digest`, of so many entries of a kilobyte. All but one of
/// them are the same in each.
pub(super) fn snapshot(digest: Digest, entries: usize) -> Snapshot {
    let mut state = WorldState::new();
    for entry in 1..entries {
        state.put(&entry.to_be_bytes(), &[7; 1_000]);
    }
    state.put(b"digest", &digest.0);
    let header = None;
    Snapshot { header, state }
}

/// A message in words: kind, view, sequence number.
fn words(payload: &dyn Payload) -> String {
    let kind = payload.kind();
    let message: &Message = payload.as_any().downcast_ref().unwrap();
    match &message.body {
        Body::PrePrepare(p) => format!("{kind} {}/{}", p.view, p.sequence),
        Body::Prepare(b) | Body::Commit(b) => format!("{kind} {}/{}", b.view, b.sequence),
        Body::Checkpoint(b) => format!("{kind} {}", b.sequence),
        Body::Suspect { view } | Body::FetchChange { view, .. } => format!("{kind} {view}"),
        Body::ViewChange(c) => format!("{kind} {} ({})", c.view(), c.prepared().len()),
        Body::NewView(v) => format!("{kind} {} ({})", v.view(), v.proposals().len()),
        Body::Forward { txs, to_all } => format!("{kind} {} {to_all}", txs.len()),
        Body::Status(s) => format!("{kind} {}/{}", s.view, s.executed),
        Body::FetchBlocks { from } => format!("{kind} {from}"),
        Body::Blocks(b) => format!("{kind} {}", b.blocks.len()),
        Body::FetchBatch { sequence, .. } | Body::Batch { sequence, .. } => {
            format!("{kind} {sequence}")
        }
        Body::FetchState { sequence, wanted } => format!("{kind} {sequence} ({})", wanted.len()),
        Body::State(s) => format!("{kind} {} ({})", s.sequence, s.parts.len()),
    }
}
