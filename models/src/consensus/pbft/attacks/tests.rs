#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What the behaviours of this protocol alone make of single messages.

use super::super::change::{Prepared, ViewChange};
use super::super::message::{Body, Message, PREPARE};
use super::speech;
use crate::adversary::{Conduct, Traitor};
use crate::consensus::conducts::bench::{self, CHAIN, Said, World};
use consim_core::{Digest, Evidence};
use std::sync::Arc;

fn say(traitor: &mut Traitor, body: Body) -> Said {
    bench::say(traitor, &(Arc::new(Message { chain: CHAIN, body }) as _))
}

#[test]
fn who_forgets_its_locks_leaves_without_them() {
    let world = World::new(speech());
    let digest = Digest::of(b"x");
    let prepared = Arc::new(Prepared(world.certificate(PREPARE, digest)));
    let change = ViewChange::sign(CHAIN, 1, None, vec![prepared], &world.secrets[0]);
    let mut traitor = world.traitor(&Conduct::ForgetLock);
    let (said, times) = say(&mut traitor, Body::ViewChange(Arc::new(change)));
    assert_eq!(times, 1);
    let mut left = 0;
    said[0].1.evidence(&mut |evidence| {
        if let Evidence::Leaving(leaving) = evidence {
            assert!(leaving.signed.is_genuine(&world.keys));
            assert!(leaving.bound.is_empty());
            left += 1;
        }
    });
    assert_eq!(left, 1);
}
