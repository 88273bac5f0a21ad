#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod changes;
mod clients;
mod notices;

use super::*;
use crate::ledger::Snapshot;
use crate::ledger::testing::{Sums, batch, committed, tx};
use crate::node::membership::{Authority, Identity, Role, TrustRoots};
use consim_core::{Committed, Digest, Effect, Effects, Receipt, Time, TimerKey, Write, WriteToken};
use std::any::Any;
use std::sync::Mutex;

const CHAIN: ChainId = ChainId(1);
const MEMBERS: u32 = 4;
const WALL: i64 = 1_000;
/// Whose word changes the members.
const ADMINISTRATOR: NodeId = NodeId(7);
const LATE: TimerKey = TimerKey(7);
const HOLD: TimerKey = TimerKey(8);

/// A message of the fake protocol: this batch is ordered next.
#[derive(Debug)]
struct Ordered(Arc<Committed>);
/// A message of the fake service: submit `body` as transaction `number`; `served` says whether
/// clients may send it.
#[derive(Debug)]
struct Please {
    number: u64,
    body: Vec<u8>,
    served: bool,
    certificate: Option<IdentityCertificate>,
}

macro_rules! payload {
    ($type:ty, $word:literal) => {
        impl Payload for $type {
            fn kind(&self) -> &'static str {
                $word
            }
            fn encode(&self, _: &mut Vec<u8>) {}
            fn encoded_len(&self) -> usize {
                0
            }
            fn as_any(&self) -> &dyn Any {
                self
            }
        }
    };
}
payload!(Ordered, "ordered");
payload!(Please, "please");

type Log = Arc<Mutex<Vec<String>>>;

/// Orders what is submitted at once, each transaction in a batch of its own behind a null batch,
/// and keeps the order on disk.
struct AtOnce {
    sequence: u64,
    late: Option<Arc<Committed>>,
    /// Are two more decided than it knows?
    hold: bool,
    log: Log,
}

impl AtOnce {
    fn order(&mut self, cx: &mut Context<'_>, committed: Arc<Committed>) {
        self.sequence = committed.sequence;
        cx.persist(
            WriteToken(1),
            vec![Write::append(0, Arc::new(Ordered(Arc::clone(&committed))))],
        );
        cx.deliver(Delivery::Ordered {
            committed,
            replayed: false,
        });
    }
}

/// A message of the fakes, which say by its number whose it is.
fn fake(bytes: &[u8], family: u8) -> Result<Arc<dyn Payload>, CodecError> {
    let (_, number) = consim_core::Decoder::message(bytes, family)?;
    Ok(Arc::new(Please {
        number: u64::from(number),
        body: vec![family],
        served: false,
        certificate: None,
    }))
}

impl Process for AtOnce {
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        fake(bytes, 100)
    }
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Recover(disk) => {
                for entry in disk.log(0) {
                    let Ordered(ordered) = entry.as_any().downcast_ref().unwrap();
                    self.sequence = ordered.sequence;
                    cx.deliver(Delivery::Ordered {
                        committed: Arc::clone(ordered),
                        replayed: true,
                    });
                }
            }
            Event::Message { payload, .. } => {
                let Ordered(ordered) = payload.as_any().downcast_ref().unwrap();
                self.order(cx, Arc::clone(ordered));
            }
            Event::Timer(HOLD) => self.hold = !self.hold,
            // What it reads from its disk late.
            Event::Timer(LATE) => {
                let committed = self.late.take().unwrap();
                cx.deliver(Delivery::Ordered {
                    committed,
                    replayed: true,
                });
            }
            Event::Timer(_) | Event::Persisted(_) | Event::Scrubbed(_) => {
                self.log.lock().unwrap().push("replica's".into());
            }
            _ => {}
        }
    }
}

impl Replica for AtOnce {
    fn submit(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool {
        if tx.body().len() > 2 {
            return false;
        }
        for txs in [vec![], vec![tx]] {
            let next = self.sequence + 1;
            self.order(
                cx,
                committed(CHAIN, next, batch(cx.node(), cx.wall_ns(), txs)),
            );
        }
        true
    }
    fn executed(&mut self, _: &mut Context<'_>, sequence: u64, state: &dyn Fn() -> Snapshot) {
        self.log
            .lock()
            .unwrap()
            .push(format!("executed {sequence} {}", state().head()));
    }
    fn leader(&self) -> (u64, NodeId) {
        (6, NodeId(2))
    }
    fn decided_by_now(&self) -> u64 {
        self.sequence + 2 * u64::from(self.hold)
    }
    fn waiting(&self) -> usize {
        3
    }
    fn owns(&self, payload: &dyn Payload) -> bool {
        payload.as_any().is::<Ordered>()
    }
}

/// Writes down what it is told.
struct Scribe {
    log: Log,
}

impl Scribe {
    fn note(&self, text: String) {
        self.log.lock().unwrap().push(text);
    }
}

impl Service for Scribe {
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        fake(bytes, 101)
    }
    fn start(&mut self, _: &mut Context<'_>, host: &mut dyn Host, disk: Option<&Disk>) {
        self.note(format!("start at {} {}", host.height(), disk.is_some()));
    }
    fn message(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        payload: &Arc<dyn Payload>,
    ) {
        let please: &Please = payload.as_any().downcast_ref().unwrap();
        if let Some(certificate) = &please.certificate
            && let Err(reason) = host.authenticate(cx, from, certificate)
        {
            return self.note(format!("no service for {from}: {reason}"));
        }
        let id = host.submit(
            cx,
            OpId(please.number),
            please.number,
            please.body.clone().into(),
        );
        self.note(format!("submitted {:?}", id.map(|id| id.number)));
    }
    fn applied(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, block: &Arc<Block>) {
        assert_eq!(host.block(host.height()).unwrap().id, block.id);
        assert_eq!(host.head_time_ns(), block.header.time_ns);
        self.note(format!("applied {}", block.header.height));
        // The first transaction calls for a second one.
        if host.height() == 1 && host.node() == NodeId(0) {
            host.submit(cx, OpId(99), 99, [8, 1].into());
        }
    }
    fn timer(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: TimerKey) {
        self.note("service's".into());
    }
    fn persisted(&mut self, _: &mut Context<'_>, _: &mut dyn Host, _: WriteToken) {
        self.note("service's".into());
    }
    fn serves(&self, payload: &dyn Payload) -> bool {
        payload
            .as_any()
            .downcast_ref()
            .is_some_and(|p: &Please| p.served)
    }
    fn refused(&mut self, _: &mut Context<'_>, _: &mut dyn Host, subject: NodeId, reason: Refusal) {
        self.note(format!("refused {subject}: {reason}"));
    }
}

/// Four members, a shared authority, and an authority that nobody trusts.
struct World {
    keys: Keyring,
    shared: Authority,
    stranger: Authority,
    genesis: Arc<Genesis>,
    machine: Arc<dyn StateMachine>,
}

fn identity(subject: u32, role: Role) -> Identity {
    Identity {
        subject: NodeId(subject),
        organisation: subject,
        role,
        not_before_ns: 0,
        not_after_ns: 2 * WALL,
    }
}

fn world() -> World {
    let (keys, mut secrets) = Keyring::generate(12, 3);
    let mut shared = Authority::new(secrets.pop().unwrap());
    let stranger = Authority::new(secrets.pop().unwrap());
    let mut roots = TrustRoots::new();
    roots.trust_shared(shared.id());
    roots.administered_by(ADMINISTRATOR.into());
    let certificates = (0..MEMBERS)
        .map(|i| shared.issue(identity(i, Role::Peer)))
        .collect();
    World {
        keys,
        shared,
        stranger,
        genesis: Arc::new(Genesis {
            roots,
            certificates,
        }),
        machine: Arc::new(Sums { step: 1 }),
    }
}

struct Rig {
    node: FullNode,
    id: NodeId,
    log: Log,
    effects: Effects,
}

impl Rig {
    fn new(
        world: &World,
        id: u32,
        certificate: IdentityCertificate,
        executions: ExecutionCache,
    ) -> Self {
        Self::made(world, id, certificate, executions, None)
    }
    fn running(
        world: &World,
        id: u32,
        certificate: IdentityCertificate,
        release: Option<Release>,
    ) -> Self {
        Self::made(world, id, certificate, ExecutionCache::off(), release)
    }
    fn made(
        world: &World,
        id: u32,
        certificate: IdentityCertificate,
        executions: ExecutionCache,
        release: Option<Release>,
    ) -> Self {
        let log = Log::default();
        let config = NodeConfig {
            node: NodeId(id),
            chain: CHAIN,
            members: (0..MEMBERS).map(NodeId).collect(),
            key: Arc::new(world.keys.steal(NodeId(id).into()).unwrap()),
            keys: world.keys.clone(),
            machine: Arc::clone(&world.machine),
            executions,
            genesis: Arc::clone(&world.genesis),
            certificate,
            release,
        };
        let replica = AtOnce {
            sequence: 0,
            late: Some(committed(
                CHAIN,
                1,
                batch(
                    NodeId(2),
                    1,
                    vec![tx(
                        CHAIN,
                        &world.keys.steal(NodeId(2).into()).unwrap(),
                        1,
                        &[1, 1],
                    )],
                ),
            )),
            hold: false,
            log: Arc::clone(&log),
        };
        let service = Scribe {
            log: Arc::clone(&log),
        };
        let node = FullNode::new(config, Box::new(replica), Box::new(service));
        Self {
            node,
            id: NodeId(id),
            log,
            effects: Effects::default(),
        }
    }
    fn member(world: &World, id: u32) -> Self {
        let mut rig = Self::new(
            world,
            id,
            world.genesis.certificates[id as usize],
            ExecutionCache::off(),
        );
        rig.handle(Event::Start);
        rig.take();
        rig
    }
    fn handle(&mut self, event: Event<'_>) {
        self.effects.clear();
        let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
        let mut cx = Context::new(
            Time::ZERO,
            WALL,
            self.id,
            &mut self.effects,
            &mut rng,
            &mut slot,
        );
        self.node.handle(&mut cx, event);
        assert!(
            self.effects.delivered.is_empty(),
            "the node takes all deliveries"
        );
    }
    fn message(&mut self, from: u32, payload: impl Payload) {
        let payload: Arc<dyn Payload> = Arc::new(payload);
        self.handle(Event::Message {
            from: NodeId(from),
            payload: &payload,
        });
    }
    fn please(&mut self, from: u32, number: u64, body: &[u8]) {
        self.message(
            from,
            Please {
                number,
                body: body.into(),
                served: false,
                certificate: None,
            },
        );
    }
    /// What was written down since the last call.
    fn take(&mut self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
    fn disk(&self, disk: &mut Disk) {
        for effect in &self.effects.list {
            if let Effect::Persist { writes, .. } = effect {
                for write in writes {
                    disk.apply(write.clone());
                }
            }
        }
    }
    fn sent(&self) -> Vec<(Option<NodeId>, &'static str)> {
        self.effects
            .list
            .iter()
            .filter_map(|effect| match effect {
                Effect::Send { to, payload } => Some((Some(*to), payload.kind())),
                Effect::Multicast { payload, .. } => Some((None, payload.kind())),
                _ => None,
            })
            .collect()
    }
    fn refusals(&self) -> Vec<(NodeId, &'static str)> {
        self.effects
            .probes
            .iter()
            .filter_map(|probe| match probe {
                Probe::Unauthenticated { subject, reason } => Some((*subject, *reason)),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn what_the_service_submits_is_ordered_executed_and_told() {
    let mut rig = Rig::member(&world(), 0);
    rig.please(1, 7, &[5, 4]);
    let (one, two) = (
        rig.node.ledger().block(1).unwrap().id,
        rig.node.ledger().head_id(),
    );
    let expected = [
        "submitted Some(7)".to_owned(),
        format!("executed 1 {}", Digest::ZERO),
        format!("executed 2 {one}"),
        "applied 1".to_owned(),
        format!("executed 3 {one}"),
        format!("executed 4 {two}"),
        "applied 2".to_owned(),
    ];
    assert_eq!(rig.take(), expected);
    let kinds: Vec<bool> = rig
        .effects
        .probes
        .iter()
        .map(|p| matches!(p, Probe::Applied(_)))
        .collect();
    assert_eq!(kinds, [true, false, true, false]);
    assert!(matches!(
        rig.effects.probes[1],
        Probe::Waiting {
            txs: 3,
            chain: CHAIN
        }
    ));
    let work = rig.effects.work;
    assert_eq!((work.sign, work.execute, work.verify_batched), (2, 2, 2));
    assert!(work.hash_bytes > 500);
    assert_eq!(
        rig.node.ledger().block(1).unwrap().receipts,
        [Receipt::Applied]
    );
}

#[test]
fn a_transaction_that_was_executed_is_not_submitted_again() {
    let mut rig = Rig::member(&world(), 1);
    rig.please(2, 7, &[5, 4]);
    assert_eq!(rig.node.ledger().height(), 1);
    rig.please(2, 7, &[5, 4]);
    assert_eq!(rig.take().last().unwrap(), "submitted Some(7)");
    assert_eq!((rig.node.ledger().height(), rig.effects.work.sign), (1, 0));
    // Ordered a second time by a peer, it comes to nothing.
    let again = Arc::clone(&rig.node.ledger().block(1).unwrap().committed.batch);
    rig.message(2, Ordered(committed(CHAIN, 3, again)));
    assert_eq!(
        rig.node.ledger().head().unwrap().receipts,
        [Receipt::Duplicate]
    );
    rig.please(2, 8, &[5, 4, 3]);
    assert_eq!(rig.take().last().unwrap(), "submitted None");
}

#[test]
fn a_recovered_node_has_the_same_head_and_answers_nobody_twice() {
    let world = world();
    let mut rig = Rig::member(&world, 0);
    let mut disk = Disk::default();
    for number in 1..6 {
        rig.please(1, number, &[3, number as u8]);
        rig.disk(&mut disk);
    }
    let (height, head) = (rig.node.ledger().height(), rig.node.ledger().head_id());
    assert_eq!(height, 6);
    let mut back = Rig::new(
        &world,
        0,
        world.genesis.certificates[0],
        ExecutionCache::off(),
    );
    back.handle(Event::Recover(&disk));
    assert_eq!(
        (back.node.ledger().height(), back.node.ledger().head_id()),
        (height, head)
    );
    assert_eq!(
        back.node.ledger().state().root(),
        rig.node.ledger().state().root()
    );
    let [
        Probe::Recovered {
            chain: CHAIN,
            height: 6,
            head: found,
        },
    ] = back.effects.probes[..]
    else {
        panic!("{:?}", back.effects.probes);
    };
    assert_eq!(found, head);
    assert_eq!(back.effects.work.execute, 6);
    let told = back.take();
    assert_eq!(
        told.iter()
            .filter(|line| line.starts_with("applied"))
            .count(),
        0
    );
    assert_eq!(told.last().unwrap(), "start at 6 true");
    back.please(1, 9, &[3, 1]);
    assert_eq!(back.node.ledger().height(), 7);
}

#[test]
fn a_replayed_block_is_told_to_nobody_however_late_it_comes() {
    let mut rig = Rig::member(&world(), 1);
    rig.handle(Event::Timer(LATE));
    assert_eq!(rig.node.ledger().height(), 1);
    assert!(rig.effects.probes.is_empty());
    assert!(rig.take().iter().all(|line| line.starts_with("executed")));
}

#[test]
fn an_empty_disk_recovers_to_nothing() {
    let world = world();
    let mut rig = Rig::new(
        &world,
        0,
        world.genesis.certificates[0],
        ExecutionCache::off(),
    );
    rig.handle(Event::Recover(&Disk::default()));
    assert!(matches!(
        rig.effects.probes[..],
        [Probe::Recovered {
            height: 0,
            head: Digest::ZERO,
            ..
        }]
    ));
}

#[test]
fn nodes_that_share_executions_and_nodes_that_do_not_have_the_same_blocks() {
    let world = world();
    let shared = ExecutionCache::shared(&world.machine);
    let [mut a, mut b, mut c] =
        [(1, &shared), (2, &shared), (3, &ExecutionCache::off())].map(|(id, cache)| {
            Rig::new(
                &world,
                id,
                world.genesis.certificates[id as usize],
                cache.clone(),
            )
        });
    for rig in [&mut a, &mut b, &mut c] {
        rig.handle(Event::Start);
    }
    let key = world.keys.steal(NodeId(0).into()).unwrap();
    for sequence in 1..20 {
        let txs = vec![tx(CHAIN, &key, sequence, &[1, sequence as u8])];
        let ordered = committed(
            CHAIN,
            sequence,
            batch(NodeId(0), sequence.cast_signed(), txs),
        );
        for rig in [&mut a, &mut b, &mut c] {
            rig.message(0, Ordered(Arc::clone(&ordered)));
            assert_eq!(rig.node.ledger().height(), sequence);
        }
        let [a, b, c] =
            [&a, &b, &c].map(|rig| (rig.node.ledger().head().unwrap(), rig.effects.work));
        assert_eq!((a.0.id, a.1), (b.0.id, b.1));
        assert_eq!((a.0.id, a.1), (c.0.id, c.1));
        assert!(Arc::ptr_eq(a.0, b.0) && !Arc::ptr_eq(a.0, c.0));
    }
}

#[test]
fn timers_and_writes_reach_whom_they_belong_to() {
    let mut rig = Rig::member(&world(), 0);
    for (event, owner) in [
        (Event::Timer(TimerKey(TIMER_LIMIT - 1)), "replica's"),
        (Event::Timer(TimerKey(TIMER_LIMIT)), "service's"),
        (Event::Persisted(WriteToken(TOKEN_LIMIT - 1)), "replica's"),
        (Event::Persisted(WriteToken(TOKEN_LIMIT)), "service's"),
    ] {
        rig.handle(event);
        assert_eq!(rig.take(), [owner]);
    }
}

#[test]
fn a_stranger_is_refused_and_a_node_with_a_certificate_is_not() {
    let mut world = world();
    let mut rig = Rig::member(&world, 0);
    let key = world.keys.steal(NodeId(9).into()).unwrap();
    let ordered = || {
        Ordered(committed(
            CHAIN,
            1,
            batch(NodeId(9), 1, vec![tx(CHAIN, &key, 1, &[1, 1])]),
        ))
    };

    rig.message(9, ordered());
    rig.please(9, 1, &[1, 1]);
    assert_eq!(rig.node.ledger().height(), 0);
    assert_eq!(
        rig.take(),
        [
            "refused node 9: no certificate",
            "refused node 9: no certificate"
        ]
    );
    assert_eq!(rig.refusals(), [(NodeId(9), "no certificate")]);
    assert_eq!(rig.sent(), [(Some(NodeId(9)), "identify")]);

    rig.message(
        9,
        Message::Hello(world.stranger.issue(identity(9, Role::Peer))),
    );
    assert_eq!(rig.refusals(), [(NodeId(9), "unknown authority")]);
    assert_eq!(rig.take(), ["refused node 9: unknown authority"]);
    rig.message(9, Message::Hello(world.genesis.certificates[1]));
    assert_eq!(rig.refusals(), [(NodeId(9), "wrong subject")]);
    rig.message(9, ordered());
    assert_eq!(rig.node.ledger().height(), 0);

    let good = world.shared.issue(identity(9, Role::Peer));
    rig.message(9, Message::Hello(good));
    assert_eq!((rig.refusals().len(), rig.effects.work.verify), (0, 1));
    rig.message(9, Message::Hello(good));
    assert_eq!(rig.effects.work.verify, 0, "known already");
    rig.message(9, ordered());
    assert!(rig.node.ledger().height() > 0);
    assert_eq!(rig.refusals().len(), 0);
}

#[test]
fn a_member_whose_certificate_is_over_is_refused() {
    let mut world = world();
    let over = world.shared.issue(Identity {
        not_after_ns: WALL - 1,
        ..identity(3, Role::Peer)
    });
    let mut genesis = (*world.genesis).clone();
    genesis.certificates[3] = over;
    world.genesis = Arc::new(genesis);
    let mut rig = Rig::member(&world, 0);
    rig.please(3, 1, &[1, 1]);
    assert_eq!(rig.refusals(), [(NodeId(3), "expired")]);
    // It may have a new one whose greeting was lost.
    let sent = rig.sent();
    assert!(sent.contains(&(Some(NodeId(3)), "identify")), "{sent:?}");
    rig.message(
        3,
        Message::Hello(world.shared.issue(identity(3, Role::Peer))),
    );
    rig.please(3, 1, &[1, 1]);
    assert!(rig.refusals().is_empty() && rig.node.ledger().height() > 0);
}

#[test]
fn a_client_is_served_on_its_certificate_and_is_no_peer() {
    let mut world = world();
    let mut rig = Rig::member(&world, 1);
    let certificate = world.shared.issue(identity(9, Role::Client));
    let ask = |number, served, certificate| Please {
        number,
        body: vec![1, 1],
        served,
        certificate,
    };
    rig.message(9, ask(1, true, Some(certificate)));
    assert_eq!(
        (rig.effects.work.verify, rig.node.ledger().height()),
        (1, 1)
    );
    rig.message(9, ask(2, true, Some(certificate)));
    assert_eq!(
        (rig.effects.work.verify, rig.node.ledger().height()),
        (0, 2)
    );
    rig.message(9, ask(3, false, Some(certificate)));
    assert_eq!(
        (rig.refusals(), rig.node.ledger().height()),
        (vec![(NodeId(9), "not a peer")], 2)
    );
    rig.take();
    rig.message(8, ask(3, true, Some(certificate)));
    assert_eq!(rig.refusals(), [(NodeId(8), "wrong subject")]);
    assert_eq!(rig.take(), ["no service for node 8: wrong subject"]);
    let strange = world.stranger.issue(identity(8, Role::Client));
    rig.message(8, ask(3, true, Some(strange)));
    assert_eq!(rig.take(), ["no service for node 8: unknown authority"]);
    assert_eq!(rig.node.ledger().height(), 2);
}

#[test]
fn only_a_node_whose_certificate_is_not_in_the_genesis_greets() {
    let mut world = world();
    let mut member = Rig::member(&world, 2);
    assert_eq!(member.sent(), []);
    let certificate = world.shared.issue(identity(9, Role::Peer));
    let mut newcomer = Rig::new(&world, 9, certificate, ExecutionCache::off());
    newcomer.handle(Event::Start);
    assert_eq!(newcomer.sent(), [(None, "hello")]);
    // A member that lost the greeting asks; nobody else is answered.
    newcomer.message(2, Message::Identify);
    assert_eq!(newcomer.sent(), [(Some(NodeId(2)), "hello")]);
    newcomer.message(7, Message::Identify);
    assert_eq!(newcomer.sent(), []);
    member.message(9, Message::Hello(certificate));
    assert!(member.refusals().is_empty());
}

#[test]
fn a_node_reads_the_messages_of_all_its_parts_and_no_others() {
    let world = world();
    let rig = Rig::member(&world, 2);
    let mut bytes = Vec::new();
    Message::Identify.encode(&mut bytes);
    let own = rig.node.decode(&bytes).unwrap();
    assert_eq!(own.as_any().downcast_ref(), Some(&Message::Identify));
    for family in [100, 101] {
        let read = rig
            .node
            .decode(&[consim_core::codec::VERSION, family, 7])
            .unwrap();
        let read: &Please = read.as_any().downcast_ref().unwrap();
        assert_eq!(
            (read.body.as_slice(), read.number),
            ([family].as_slice(), 7)
        );
    }
    for strange in [&[][..], &[1, 102, 0], &[2, 100, 0], &bytes[..2]] {
        assert!(rig.node.decode(strange).is_err(), "{strange:?}");
    }
}

#[test]
fn members_of_several_releases_tell_each_other_and_do_not_understand_two_steps() {
    let world = world();
    let certificate = world.genesis.certificates[2];
    let mut rig = Rig::running(&world, 2, certificate, Some(Release(0)));
    rig.handle(Event::Start);
    assert_eq!(rig.sent(), [(None, "release"), (None, "identify")]);
    // Who has not told its release is asked.
    rig.please(1, 1, &[1, 1]);
    assert_eq!(rig.sent(), [(Some(NodeId(1)), "identify")]);
    rig.message(1, Message::Release(Release(2)));
    assert_eq!(rig.sent(), [(Some(NodeId(1)), "release")]);
    rig.message(1, Message::Release(Release(2)));
    assert_eq!(rig.sent(), [], "it is known");
    rig.take();
    rig.please(1, 1, &[1, 1]);
    assert_eq!(rig.refusals(), [(NodeId(1), "version skew")]);
    let asked = [(Some(NodeId(1)), "identify")];
    assert_eq!(rig.sent(), asked, "it may run another by now");
    rig.message(1, Message::Release(Release(1)));
    rig.please(1, 1, &[1, 1]);
    assert!(rig.refusals().is_empty() && rig.node.ledger().height() > 0);
}

#[test]
fn who_introduces_itself_with_a_bad_certificate_is_known_no_more() {
    let mut world = world();
    let bad = world.stranger.issue(identity(3, Role::Peer));
    let mut rig = Rig::member(&world, 0);
    rig.message(3, Message::Hello(bad));
    assert_eq!(rig.refusals(), [(NodeId(3), "unknown authority")]);
    rig.please(3, 1, &[1, 1]);
    assert_eq!(rig.refusals(), [(NodeId(3), "no certificate")]);
    let good = world.shared.issue(identity(3, Role::Peer));
    rig.message(3, Message::Hello(good));
    rig.please(3, 1, &[1, 1]);
    assert!(rig.refusals().is_empty() && rig.node.ledger().height() > 0);
}
