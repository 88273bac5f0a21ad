#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use crate::consensus::Replica;
use crate::ledger::testing::{batch, committed};
use crate::ledger::{ExecutionCache, Snapshot};
use crate::node::membership::Refusal;
use crate::node::{CertificateGate, FullNode, NodeConfig};
use crate::sharing::command::Command;
use crate::sharing::ids::Reason;
use crate::sharing::message::{Answer, Message};
use crate::sharing::service::REFUSAL_PERIOD;
use crate::sharing::testing::{
    Bench, CHAIN, OUTSIDER, START_NS, STRANGER, desk_of, grant, op_of, options, read, register,
};
use crate::sharing::{Honest, PseudonymKey, ServiceConfig, SharingMachine, SharingService};
use consim_core::{
    Context, Delivery, Effect, Effects, Event, NodeId, Payload, Probe, Process, Receipt, Span,
    Streams, Time, Tx,
};
use std::sync::Arc;

/// The refusals on the chain: of whom, and why.
fn refusals(bench: &Bench) -> Vec<(NodeId, Refusal)> {
    let chain = bench.chain();
    let entry = |(_, command, receipt): &(NodeId, Command, Receipt)| match command {
        Command::Refusal { subject, reason } if *receipt == Receipt::Applied => {
            Some((*subject, *reason))
        }
        _ => None,
    };
    chain.iter().filter_map(entry).collect()
}

#[test]
fn desks_with_a_trusted_certificate_are_served_and_others_refused_and_audited() {
    let mut bench = Bench::new();
    for (desk, record) in [(desk_of(0), 1), (OUTSIDER, 2)] {
        let answer = bench.asked(desk, 1, register(record, "ann", b"body"));
        assert_eq!(answer, Answer::Done, "{desk}");
    }
    assert_eq!(refusals(&bench), []);

    let answer = bench.asked(STRANGER, 1, register(3, "ann", b"body"));
    assert_eq!(answer, Answer::Refused(Reason::Unauthenticated));
    bench.block();
    assert_eq!(refusals(&bench), [(STRANGER, Refusal::UnknownAuthority)]);
    assert_eq!(bench.servers[0].service.originals(), 2);
}

#[test]
fn a_certificate_must_be_whole_and_the_senders_own() {
    let mut bench = Bench::new();
    let own = bench.certificate(OUTSIDER);
    let cases: [(&[u8], Refusal); 4] = [
        (&[], Refusal::NoCertificate),
        (&own[1..], Refusal::Malformed),
        (&[7; 400], Refusal::Malformed),
        (&bench.certificate(desk_of(1)), Refusal::WrongSubject),
    ];
    for (number, (certificate, why)) in (1..).zip(cases) {
        let message = Message::Ask {
            op: op_of(OUTSIDER, number),
            certificate: certificate.into(),
            ask: read(1),
        };
        bench.tell(OUTSIDER, NodeId(0), message);
        let refused = [Answer::Refused(Reason::Unauthenticated)];
        assert_eq!(bench.answers(OUTSIDER, number), refused, "{why}");
        let said = |(_, _, probe): &&(_, _, Probe)| !matches!(probe, Probe::Reached(_));
        let (_, node, probe) = bench.probes.iter().rev().find(said).unwrap();
        let Probe::Unauthenticated { subject, reason } = probe else {
            panic!("{why}: {probe:?}");
        };
        assert_eq!(
            (*node, *subject, *reason),
            (NodeId(0), OUTSIDER, why.words())
        );
        // Each in a period of its own, so that each is audited.
        bench.run(REFUSAL_PERIOD);
    }
    let audited: Vec<Refusal> = refusals(&bench).into_iter().map(|(_, why)| why).collect();
    assert_eq!(audited, cases.map(|(_, why)| why));
}

#[test]
fn an_operation_is_its_desks_own() {
    let mut bench = Bench::new();
    let message = Message::Ask {
        op: op_of(desk_of(0), 9),
        certificate: bench.certificate(OUTSIDER),
        ask: read(1),
    };
    bench.tell(OUTSIDER, NodeId(0), message);
    let last = bench.sent.last().unwrap();
    let Message::Reply { answer, .. } = last.message() else {
        panic!("{last:?}");
    };
    assert_eq!(*answer, Answer::Refused(Reason::NotAllowed));
}

/// Orders what is submitted at once.
struct AtOnce {
    sequence: u64,
}

impl Process for AtOnce {
    fn handle(&mut self, _: &mut Context<'_>, _: Event<'_>) {}
}
impl Replica for AtOnce {
    fn submit(&mut self, cx: &mut Context<'_>, tx: Arc<Tx>) -> bool {
        self.sequence += 1;
        let batch = batch(cx.node(), cx.wall_ns(), vec![tx]);
        cx.deliver(Delivery::Ordered {
            committed: committed(CHAIN, self.sequence, batch),
            replayed: false,
        });
        true
    }
    fn executed(&mut self, _: &mut Context<'_>, _: u64, _: &dyn Fn() -> Snapshot) {}
    fn waiting(&self) -> usize {
        0
    }
}

/// A full node, the only member of its chain, with the service on it.
struct Node {
    node: FullNode,
    effects: Effects,
}

impl Node {
    fn new(bench: &Bench) -> Self {
        let members: Arc<[NodeId]> = [NodeId(0)].into();
        let replica = Box::new(AtOnce { sequence: 0 });
        let service = SharingService::new(ServiceConfig {
            options: options(),
            pseudonyms: PseudonymKey::of_seed(1),
            name: "h0".into(),
            desk: desk_of(0),
            members: Arc::clone(&members),
            supervision: false,
            gate: Box::new(CertificateGate),
            policy: Box::new(Honest),
        });
        let certificate = bench.certificates[0];
        let config = NodeConfig {
            node: NodeId(0),
            chain: CHAIN,
            machine: Arc::new(SharingMachine::new(Arc::clone(&members), [].into())),
            members,
            key: Arc::clone(&bench.secrets[0]),
            keys: bench.keys.clone(),
            executions: ExecutionCache::off(),
            genesis: Arc::clone(&bench.genesis),
            certificate,
            release: None,
        };
        let mut node = Self {
            node: FullNode::new(config, replica, Box::new(service)),
            effects: Effects::default(),
        };
        node.handle(Event::Start);
        node
    }
    fn handle(&mut self, event: Event<'_>) {
        let mut rng = || Streams::new(1).stream("node");
        let now = Time::ZERO + Span::from_secs(1);
        let wall = START_NS + now.nanos() as i64;
        let (mut slot, node) = (None, NodeId(0));
        let effects = &mut self.effects;
        let mut cx = Context::new(now, wall, node, effects, &mut rng, &mut slot);
        self.node.handle(&mut cx, event);
    }
    /// What the node sends to `from` when it gets `message` from there.
    fn told(&mut self, from: NodeId, message: Message) -> Vec<Arc<dyn Payload>> {
        self.effects.clear();
        let payload: Arc<dyn Payload> = Arc::new(message);
        self.handle(Event::Message {
            from,
            payload: &payload,
        });
        let sends = self.effects.list.drain(..);
        sends
            .filter_map(|effect| match effect {
                Effect::Send { to, payload } if to == from => Some(payload),
                _ => None,
            })
            .collect()
    }
    fn commands(&self) -> Vec<Command> {
        let ledger = self.node.ledger();
        (1..=ledger.height())
            .filter_map(|h| ledger.block(h))
            .flat_map(|block| block.committed.batch.txs().iter())
            .map(|tx| Command::decode(tx.body()).unwrap())
            .collect()
    }
}

#[test]
fn a_full_node_lets_desks_through_to_the_gate_and_nobody_else() {
    let bench = Bench::new();
    let mut node = Node::new(&bench);
    let ask = |desk: NodeId| Message::Ask {
        op: op_of(desk, 1),
        certificate: bench.certificate(desk),
        ask: grant("ann", 1),
    };
    let answer = |sent: &[Arc<dyn Payload>]| {
        let last = sent.last()?.as_any().downcast_ref()?;
        match last {
            Message::Reply { answer, .. } => Some(answer.clone()),
            _ => None,
        }
    };
    let sent = node.told(desk_of(0), ask(desk_of(0)));
    assert_eq!(answer(&sent), Some(Answer::Done));
    let sent = node.told(STRANGER, ask(STRANGER));
    let refused = Answer::Refused(Reason::Unauthenticated);
    assert_eq!(answer(&sent), Some(refused));
    // A desk does not fetch: the node drops that before the service sees it.
    let fetch = Message::Fetch {
        op: op_of(OUTSIDER, 1),
        record: crate::sharing::RecordId(7),
        requester: OUTSIDER,
        purpose: crate::sharing::Purpose::Treatment,
        reader: crate::sharing::Reader::default(),
        after: 0,
    };
    let sent = node.told(OUTSIDER, fetch);
    assert!(answer(&sent).is_none());
    assert_eq!(sent.len(), 1, "it is asked who it is");
    let words: Vec<_> = node.commands().iter().map(Command::word).collect();
    assert_eq!(words, ["grant", "refusal", "refusal"]);
    let refusals: Vec<_> = node.commands()[1..].to_vec();
    let refusal = |subject, reason| Command::Refusal { subject, reason };
    assert_eq!(
        refusals,
        [
            refusal(STRANGER, Refusal::UnknownAuthority),
            refusal(OUTSIDER, Refusal::NoCertificate)
        ]
    );
}
