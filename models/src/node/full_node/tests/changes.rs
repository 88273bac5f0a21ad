//! Changes of the members: who may ask for them, and where they go.

use super::*;
use crate::consensus::{Changing, MemberChange};

/// A replica that says what it is told to.
struct Says {
    leads: NodeId,
    member: bool,
    /// What it answers, the last again and again.
    answers: Vec<Changing>,
    log: Log,
}

impl Process for Says {
    fn handle(&mut self, _: &mut Context<'_>, _: Event<'_>) {}
}

impl Replica for Says {
    fn submit(&mut self, _: &mut Context<'_>, _: Arc<Tx>) -> bool {
        self.log.lock().unwrap().push("submitted".into());
        true
    }
    fn executed(&mut self, _: &mut Context<'_>, _: u64, _: &dyn Fn() -> Snapshot) {}
    fn known_leader(&self) -> Option<(u64, NodeId)> {
        Some((1, self.leads))
    }
    fn change_members(
        &mut self,
        _: &mut Context<'_>,
        change: &MemberChange,
        _: &Arc<Tx>,
    ) -> Changing {
        self.log
            .lock()
            .unwrap()
            .push(format!("change {}", change.number));
        if self.answers.len() > 1 {
            return self.answers.remove(0);
        }
        self.answers[0]
    }
    fn is_member(&self) -> bool {
        self.member
    }
    fn waiting(&self) -> usize {
        0
    }
}

fn rig(world: &World, answers: &[Changing], member: bool) -> Rig {
    let mut rig = Rig::member(world, 1);
    let config = NodeConfig {
        node: NodeId(1),
        chain: CHAIN,
        members: (0..MEMBERS).map(NodeId).collect(),
        key: Arc::new(world.keys.steal(NodeId(1).into()).unwrap()),
        keys: world.keys.clone(),
        machine: Arc::clone(&world.machine),
        executions: ExecutionCache::off(),
        genesis: Arc::clone(&world.genesis),
        certificate: world.genesis.certificates[1],
        release: None,
    };
    let replica = Says {
        leads: NodeId(2),
        member,
        answers: answers.to_vec(),
        log: Arc::clone(&rig.log),
    };
    let log = Arc::clone(&rig.log);
    rig.node = FullNode::new(config, Box::new(replica), Box::new(Scribe { log }));
    rig.handle(Event::Start);
    rig.take();
    rig
}

fn signed(world: &World, chain: ChainId, by: NodeId) -> Message {
    let key = world.keys.steal(by.into()).unwrap();
    let change = MemberChange {
        number: 1,
        add: vec![NodeId(3)],
        remove: Vec::new(),
        renew: Vec::new(),
    };
    Message::Change(Arc::new(change.signed(chain, &key)))
}

#[test]
fn only_the_administrator_changes_the_members() {
    let world = world();
    let mut rig = rig(&world, &[Changing::UnderWay], true);
    // A member, and the administrator of another chain.
    rig.message(2, signed(&world, CHAIN, NodeId(2)));
    assert_eq!(rig.refusals(), [(NodeId(2), "not the administrator")]);
    rig.message(7, signed(&world, ChainId(9), ADMINISTRATOR));
    assert!(rig.refusals().is_empty());
    // Its words, with somebody else's signature.
    let Message::Change(true_one) = signed(&world, CHAIN, ADMINISTRATOR) else {
        panic!("a change");
    };
    let key = world.keys.steal(NodeId(3).into()).unwrap();
    let (id, body) = (true_one.id(), Arc::clone(true_one.body()));
    let forged = Tx::new(id, CHAIN, OpId(OpId::OWN), body, &key);
    rig.message(7, Message::Change(Arc::new(forged)));
    assert_eq!(rig.refusals(), [(ADMINISTRATOR, "not the administrator")]);
    let log = rig.take();
    assert!(
        log.iter().all(|line| line.starts_with("refused")),
        "{log:?}"
    );
    rig.message(7, signed(&world, CHAIN, ADMINISTRATOR));
    assert_eq!(rig.sent(), [(Some(ADMINISTRATOR), "changing")]);
    assert!(rig.take().contains(&"change 1".to_owned()));
}

#[test]
fn a_change_goes_to_the_leader_once() {
    let world = world();
    let mut rig = rig(&world, &[Changing::Elsewhere], true);
    rig.message(7, signed(&world, CHAIN, ADMINISTRATOR));
    assert_eq!(rig.sent(), [(Some(NodeId(2)), "change")]);
    // From a member it goes no further.
    rig.message(3, signed(&world, CHAIN, ADMINISTRATOR));
    assert_eq!(rig.sent(), [(Some(ADMINISTRATOR), "changing")]);
}

#[test]
fn the_administrator_is_told_when_it_is_in_force() {
    let world = world();
    let answers = [Changing::UnderWay, Changing::UnderWay, Changing::Done];
    let mut rig = rig(&world, &answers, true);
    let told = |rig: &Rig| -> Vec<Changing> {
        let sent = rig.effects.list.iter().filter_map(|effect| match effect {
            Effect::Send { payload, .. } => match payload.as_any().downcast_ref() {
                Some(Message::Changing { state, .. }) => Some(*state),
                _ => None,
            },
            _ => None,
        });
        sent.collect()
    };
    rig.message(7, signed(&world, CHAIN, ADMINISTRATOR));
    assert_eq!(told(&rig), [Changing::UnderWay]);
    rig.handle(Event::Timer(LATE));
    assert_eq!(told(&rig), [Changing::Done]);
    rig.handle(Event::Timer(LATE));
    assert_eq!(told(&rig), []);
}

#[test]
fn one_that_is_no_member_takes_nothing_in() {
    let mut world = world();
    let certificate = world.shared.issue(identity(8, Role::Client));
    let key = world.keys.steal(NodeId(8).into()).unwrap();
    let request = || Message::Request(tx(CHAIN, &key, 1, &[5, 7]));
    for member in [true, false] {
        let mut rig = rig(&world, &[Changing::Elsewhere], member);
        rig.message(8, Message::Hello(certificate));
        rig.take();
        rig.message(8, request());
        assert_eq!(rig.take() == ["submitted"], member);
        let query = Message::Query {
            number: 1,
            key: [5].into(),
        };
        rig.message(8, query);
        assert_eq!(rig.sent().len(), usize::from(member));
    }
}
