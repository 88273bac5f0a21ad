//! What travels and what is kept reads as it was written.

use super::*;
use consim_core::{Decoder, Evidence, Payload};

fn messages(world: &World) -> Vec<Message> {
    let change = world.change(1, &[7], &[0]);
    let link = world.block(QUORUM, 3, vec![world.tx(0, 1), Arc::clone(&change)]);
    let plain = Arc::new(world.proof(vec![link], &[1, 2, 3, 4, 5], 5));
    let skip = world.skip(QUORUM, 8, 5, &[(change, 4)]);
    let skipping = Arc::new(LightProof {
        skip: Some(skip),
        ..world.proof(Vec::new(), QUORUM, 9)
    });
    let wish = Wish {
        sequence: 5,
        trusted: 3,
        change: 1,
        skipping: true,
    };
    let number = 4;
    let bodies = [
        Body::Fetch { number, wish },
        Body::Proof {
            number,
            proof: Arc::clone(&plain),
        },
        Body::Proof {
            number,
            proof: Arc::clone(&skipping),
        },
        Body::Absent { number },
        Body::Conflict {
            one: plain,
            other: skipping,
        },
    ];
    bodies.map(|body| Message { chain: CHAIN, body }).into()
}

#[test]
fn messages_read_as_they_were_written() {
    let world = World::new();
    for message in messages(&world) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        assert_eq!(bytes.len(), message.encoded_len(), "{message:?}");
        let read = Message::decode(&bytes).unwrap();
        let mut again = Vec::new();
        read.encode(&mut again);
        assert_eq!(again, bytes);
        assert!(message::KINDS.contains(&message.kind()));
        for cut in 0..bytes.len() {
            assert!(Message::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        bytes.push(0);
        assert!(Message::decode(&bytes).is_err());
    }
}

#[test]
fn trust_reads_as_it_was_written() {
    let world = World::new();
    let link = world.block(QUORUM, 3, vec![world.change(1, &[7], &[0])]);
    let proof = world.proof(vec![link], &[1, 2, 3, 4, 5], 5);
    let trusted = world.verify(&World::genesis(), &proof).unwrap();
    let mut bytes = Vec::new();
    trusted.encode(&mut bytes);
    assert_eq!(bytes.len(), trusted.encoded_len());
    let mut d = Decoder::new(&bytes);
    assert_eq!(Trusted::decode(&mut d).unwrap(), trusted);
    assert_eq!(d.remaining(), 0);
}

#[test]
fn the_votes_of_certificates_are_evidence() {
    let world = World::new();
    let counts = messages(&world).into_iter().map(|message| {
        let mut count = 0;
        message.evidence(&mut |evidence| {
            let Evidence::Vote(vote) = evidence else {
                panic!("votes alone");
            };
            assert!(vote.is_genuine(&world.keys));
            count += 1;
        });
        count
    });
    assert_eq!(counts.collect::<Vec<_>>(), [0, 10, 10, 0, 20]);
}
