//! What a node does with notices of whom to believe.

use super::*;
use crate::node::notice::Notice;
use crate::node::noticing::{ASK, Noticing};

fn noticing(fetch: Option<(Span, Span)>) -> Noticing {
    Noticing {
        registrar: ADMINISTRATOR,
        retry: Span::from_secs(1),
        fetch,
    }
}

fn rig(world: &World, fetch: Option<(Span, Span)>) -> Rig {
    let mut rig = Rig::new(
        world,
        1,
        world.genesis.certificates[1],
        ExecutionCache::off(),
    );
    rig.node = rig.node.noticing(noticing(fetch));
    rig.handle(Event::Start);
    rig
}

fn notices(world: &World, list: &[&Notice], by: NodeId) -> Message {
    let key = world.keys.steal(by.into()).unwrap();
    let signed = list.iter().map(|notice| notice.signed(CHAIN, &key));
    Message::Notices(signed.collect())
}

/// How long its timer was set to by the last event.
fn waits(rig: &Rig) -> Option<Span> {
    let mut timers = rig.effects.list.iter().filter_map(|effect| match effect {
        Effect::SetTimer { key, after } if *key == ASK => Some(*after),
        _ => None,
    });
    timers.next_back()
}

#[test]
fn one_whose_certificate_is_revoked_is_refused_from_the_notice_on() {
    let world = world();
    let mut rig = rig(&world, None);
    assert!(rig.sent().contains(&(Some(ADMINISTRATOR), "which-notices")));
    let two = world.genesis.certificates[2];
    let mut notice = Notice::new(1, 1);
    notice.revoked = vec![(two.authority, two.serial)];
    // Nobody else may say so.
    rig.message(2, notices(&world, &[&notice], NodeId(3)));
    assert_eq!(rig.refusals(), [(NodeId(2), "not the administrator")]);
    assert_eq!(rig.node.host.registry.peer(NodeId(2), WALL), Ok(()));
    rig.message(ADMINISTRATOR.0, notices(&world, &[&notice], ADMINISTRATOR));
    assert_eq!(rig.sent(), [(Some(ADMINISTRATOR), "taken")]);
    let peer = |rig: &Rig, n| rig.node.host.registry.peer(NodeId(n), WALL);
    assert_eq!(peer(&rig, 2), Err(Refusal::Revoked));
    assert_eq!(peer(&rig, 3), Ok(()));
    rig.message(2, Message::Hello(two));
    assert_eq!(rig.refusals(), [(NodeId(2), "revoked")]);
    // The same again is only answered.
    rig.message(ADMINISTRATOR.0, notices(&world, &[&notice], ADMINISTRATOR));
    assert_eq!(rig.sent(), [(Some(ADMINISTRATOR), "taken")]);
    assert!(rig.effects.probes.is_empty());
}

#[test]
fn both_authorities_are_believed_until_the_old_one_is_withdrawn() {
    let mut world = world();
    let mut rig = rig(&world, None);
    let new = world.stranger.id();
    let [own, other] = [1, 2].map(|n| world.stranger.issue(identity(n, Role::Peer)));
    let old = world.genesis.certificates[2];
    let said = |world: &World, edit: &dyn Fn(&mut Notice), number| {
        let mut notice = Notice::new(1, number);
        edit(&mut notice);
        notices(world, &[&notice], ADMINISTRATOR)
    };
    rig.message(2, Message::Hello(other));
    assert_eq!(rig.refusals(), [(NodeId(2), "unknown authority")]);
    rig.message(2, Message::Hello(old));
    rig.message(7, said(&world, &|n| n.trusted = Some(new), 1));
    let peer = |rig: &Rig, n| rig.node.host.registry.peer(NodeId(n), WALL);
    assert_eq!(peer(&rig, 2), Ok(()));
    rig.message(2, Message::Hello(other));
    assert_eq!((peer(&rig, 2), peer(&rig, 3)), (Ok(()), Ok(())));
    // Its own new certificate is shown to all, and to who asks.
    rig.message(7, said(&world, &|n| n.certificate = Some(own), 2));
    assert!(rig.sent().contains(&(None, "hello")), "{:?}", rig.sent());
    assert_eq!(rig.node.host.config.certificate, own);
    // A certificate of somebody else is not shown.
    rig.message(7, said(&world, &|n| n.certificate = Some(other), 3));
    assert_eq!(rig.node.host.config.certificate, own);
    rig.message(7, said(&world, &|n| n.withdrawn = Some(old.authority), 4));
    assert_eq!(
        (peer(&rig, 2), peer(&rig, 3)),
        (Ok(()), Err(Refusal::NoCertificate))
    );
    rig.message(3, Message::Hello(world.genesis.certificates[3]));
    assert_eq!(rig.refusals(), [(NodeId(3), "unknown authority")]);
    // Users keep theirs.
    let user = world.shared.issue(identity(8, Role::Client));
    rig.message(8, Message::Hello(user));
    assert!(rig.refusals().is_empty());
}

#[test]
fn the_registrar_is_asked_until_it_answers_and_then_each_period() {
    let world = world();
    let nothing = || notices(&world, &[], ADMINISTRATOR);
    let mut rig = rig(&world, None);
    assert_eq!(waits(&rig), Some(Span::from_secs(1)));
    rig.handle(Event::Timer(ASK));
    assert_eq!(waits(&rig), Some(Span::from_secs(1)));
    rig.message(ADMINISTRATOR.0, nothing());
    assert_eq!(waits(&rig), None);
    let (first, every) = (Span::from_secs(20), Span::from_secs(60));
    let mut rig = self::rig(&world, Some((first, every)));
    rig.message(2, nothing());
    assert_eq!(waits(&rig), None, "another's answer");
    rig.message(ADMINISTRATOR.0, nothing());
    assert_eq!(waits(&rig), Some(first));
    rig.handle(Event::Timer(ASK));
    assert_eq!(rig.sent(), [(Some(ADMINISTRATOR), "which-notices")]);
}
