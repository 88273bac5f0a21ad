#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What the behaviours of this protocol alone make of single messages.

use super::super::collect::{Collect, StopData};
use super::super::message::{Body, Message, WRITE};
use super::speech;
use crate::adversary::{Conduct, Traitor};
use crate::consensus::conducts::bench::{self, CHAIN, Said, World};
use consim_core::{Digest, Evidence};
use std::sync::Arc;

fn say(traitor: &mut Traitor, body: Body) -> Said {
    bench::say(traitor, &(Arc::new(Message { chain: CHAIN, body }) as _))
}

#[test]
fn who_forgets_its_write_proofs_brings_none() {
    let world = World::new(speech());
    let digest = Digest::of(b"x");
    let proof = Arc::new(world.certificate(WRITE, digest));
    let collect = Collect::sign(CHAIN, 1, None, Some(proof), &world.secrets[0]);
    let data = StopData {
        collect: Arc::new(collect),
        decided: None,
        locked: Some(Arc::new(world.batch())),
    };
    let mut traitor = world.traitor(&Conduct::ForgetLock);
    let (said, times) = say(&mut traitor, Body::StopData(Arc::new(data)));
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
