#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::node::message::Message;
use consim_core::Payload as _;

const NOON: i64 = 1_000;

struct World {
    keys: Keyring,
    shared: Authority,
    own: Authority,
    stranger: Authority,
    roots: TrustRoots,
}

/// The shared authority, organisation 5's own one, and one that the chain does not trust.
fn world() -> World {
    let (keys, mut secrets) = Keyring::generate(13, 3);
    let mut authority = || Authority::new(secrets.pop().unwrap());
    let (shared, own, stranger) = (authority(), authority(), authority());
    let mut roots = TrustRoots::new();
    roots.trust_shared(shared.id());
    roots.trust_own(own.id(), 5);
    World {
        keys,
        shared,
        own,
        stranger,
        roots,
    }
}

fn peer(subject: u32, organisation: u32) -> Identity {
    Identity {
        subject: NodeId(subject),
        organisation,
        role: Role::Peer,
        not_before_ns: NOON - 10,
        not_after_ns: NOON + 10,
    }
}

#[test]
fn a_valid_certificate_authenticates_its_subject_for_its_time() {
    let mut w = world();
    let shared = w.shared.issue(peer(1, 2));
    let own = w.own.issue(peer(2, 5));
    let check = |c: &IdentityCertificate, subject, now| {
        w.roots.authenticate(c, NodeId(subject), now, &w.keys)
    };
    assert_eq!(check(&shared, 1, NOON), Ok(()));
    assert_eq!(check(&own, 2, NOON), Ok(()));
    assert_eq!(
        (check(&own, 2, NOON - 10), check(&own, 2, NOON + 10)),
        (Ok(()), Ok(()))
    );
    assert_eq!(check(&shared, 2, NOON), Err(Refusal::WrongSubject));
    assert_eq!(check(&shared, 1, NOON - 11), Err(Refusal::NotYetValid));
    assert_eq!(check(&shared, 1, NOON + 11), Err(Refusal::Expired));
}

#[test]
fn other_authorities_and_changed_certificates_are_refused() {
    let mut w = world();
    let check = |w: &World, c: &IdentityCertificate| {
        w.roots.authenticate(c, c.identity.subject, NOON, &w.keys)
    };
    let strange = w.stranger.issue(peer(1, 2));
    assert_eq!(check(&w, &strange), Err(Refusal::UnknownAuthority));
    let foreign = w.own.issue(peer(1, 2));
    assert_eq!(check(&w, &foreign), Err(Refusal::ForeignOrganisation));
    let relabelled = IdentityCertificate {
        authority: w.shared.id(),
        ..strange
    };
    assert_eq!(check(&w, &relabelled), Err(Refusal::BadSignature));

    let genuine = w.shared.issue(peer(1, 2));
    let forge = |edit: fn(&mut IdentityCertificate)| {
        let mut forged = genuine;
        edit(&mut forged);
        forged
    };
    for forged in [
        forge(|c| c.identity.subject = NodeId(2)),
        forge(|c| c.identity.organisation = 5),
        forge(|c| c.identity.role = Role::Client),
        forge(|c| c.identity.not_before_ns -= 1),
        forge(|c| c.identity.not_after_ns += 1),
        forge(|c| c.serial += 1),
    ] {
        assert_eq!(check(&w, &forged), Err(Refusal::BadSignature));
    }
}

#[test]
fn a_revoked_certificate_is_refused_and_its_successor_is_not() {
    let mut w = world();
    let (first, second) = (w.shared.issue(peer(1, 2)), w.shared.issue(peer(1, 2)));
    w.roots.revoke_from(&first, i64::MIN);
    assert_eq!(
        w.roots.authenticate(&first, NodeId(1), NOON, &w.keys),
        Err(Refusal::Revoked)
    );
    assert_eq!(
        w.roots.authenticate(&second, NodeId(1), NOON, &w.keys),
        Ok(())
    );
}

#[test]
fn certificates_and_messages_survive_the_codec_and_malformed_bytes_do_not() {
    let mut w = world();
    let certificate = w.shared.issue(Identity {
        role: Role::Client,
        not_before_ns: -5,
        ..peer(1, 2)
    });
    let bytes = certificate.to_bytes();
    assert_eq!(bytes.len(), certificate.encoded_len());
    assert_eq!(
        IdentityCertificate::from_bytes(&bytes).unwrap(),
        certificate
    );
    let longer = [bytes.as_slice(), &[0]].concat();
    for malformed in [&bytes[1..], &longer] {
        assert_eq!(
            IdentityCertificate::from_bytes(malformed),
            Err(Refusal::Malformed)
        );
    }
    for message in [Message::Hello(certificate), Message::Identify] {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        assert_eq!(bytes.len(), message.encoded_len());
        assert_eq!(Message::decode(&bytes).unwrap(), message);
        for cut in 0..bytes.len() {
            assert!(Message::decode(&bytes[..cut]).is_err());
        }
        for at in 0..bytes.len() {
            for bit in 0..8 {
                // Any other bytes are an error or another message.
                let mut other = bytes.clone();
                other[at] ^= 1 << bit;
                assert!(
                    Message::decode(&other).map_or(true, |m| m != message),
                    "byte {at}"
                );
            }
        }
        bytes.push(0);
        assert_eq!(Message::decode(&bytes), Err(CodecError::Trailing(1)));
    }
    assert_eq!(Message::decode(&[1, 2, 99]), Err(CodecError::Tag(99)));
}

#[test]
fn the_registry_knows_the_genesis_and_whoever_presents_a_certificate() {
    let mut w = world();
    let certificates = vec![
        w.shared.issue(peer(0, 1)),
        w.shared.issue(Identity {
            not_after_ns: NOON - 1,
            ..peer(1, 1)
        }),
        w.stranger.issue(peer(2, 1)),
    ];
    let genesis = Arc::new(Genesis {
        roots: w.roots.clone(),
        certificates,
    });
    let mut registry = Registry::new(w.keys.clone(), genesis);
    assert_eq!(registry.peer(NodeId(0), NOON), Err(Refusal::NoCertificate));
    assert_eq!(registry.open(), 3);
    assert_eq!(registry.peer(NodeId(0), NOON), Ok(()));
    assert_eq!(registry.peer(NodeId(0), NOON + 11), Err(Refusal::Expired));
    assert_eq!(registry.peer(NodeId(1), NOON), Err(Refusal::Expired));
    assert_eq!(registry.peer(NodeId(2), NOON), Err(Refusal::NoCertificate));

    let renewed = w.shared.issue(peer(1, 1));
    assert!(!registry.verified(NodeId(1), &renewed));
    assert_eq!(registry.present(NodeId(1), &renewed, NOON), Ok(()));
    assert!(registry.verified(NodeId(1), &renewed));
    assert_eq!(registry.peer(NodeId(1), NOON), Ok(()));
    assert_eq!(
        registry.present(NodeId(1), &renewed, NOON + 11),
        Err(Refusal::Expired)
    );

    let client = w.shared.issue(Identity {
        role: Role::Client,
        ..peer(7, 1)
    });
    assert_eq!(registry.present(NodeId(7), &client, NOON), Ok(()));
    assert_eq!(registry.peer(NodeId(7), NOON), Err(Refusal::WrongRole));
}

#[test]
fn a_certificate_is_good_until_it_is_revoked_and_a_new_authority_from_when_it_is_known() {
    let mut w = world();
    let (old, new) = (w.shared.issue(peer(1, 7)), w.stranger.issue(peer(1, 7)));
    w.roots.revoke_from(&old, NOON);
    w.roots.trust_own_from(w.stranger.id(), 7, NOON + 5);
    let genesis = Arc::new(Genesis {
        roots: w.roots.clone(),
        certificates: vec![old],
    });
    let mut registry = Registry::new(w.keys.clone(), genesis);
    registry.open();
    assert_eq!(registry.peer(NodeId(1), NOON - 1), Ok(()));
    assert_eq!(registry.peer(NodeId(1), NOON), Err(Refusal::Revoked));
    assert_eq!(registry.bearer(NodeId(1), NOON), Err(Refusal::Revoked));
    let early = registry.present(NodeId(1), &new, NOON + 4);
    assert_eq!(early, Err(Refusal::UnknownAuthority));
    registry.forget(NodeId(1));
    let after = registry.peer(NodeId(1), NOON - 1);
    assert_eq!(after, Err(Refusal::NoCertificate));
    assert_eq!(registry.present(NodeId(1), &new, NOON + 5), Ok(()));
    assert_eq!(registry.peer(NodeId(1), NOON + 5), Ok(()));
}

#[test]
fn releases_understand_each_other_up_to_one_step() {
    let mut w = world();
    let certificates = vec![w.shared.issue(peer(0, 1)), w.shared.issue(peer(1, 1))];
    let genesis = Arc::new(Genesis {
        roots: w.roots.clone(),
        certificates,
    });
    let registry = || Registry::new(w.keys.clone(), Arc::clone(&genesis));
    let mut alone = registry();
    alone.open();
    assert_eq!(alone.peer(NodeId(1), NOON), Ok(()), "nobody asks");
    let mut new = registry().running(Some(Release(1)));
    new.open();
    let ask = |registry: &Registry| registry.peer(NodeId(1), NOON);
    assert_eq!(ask(&new), Err(Refusal::NoCertificate), "not told yet");
    for (told, is) in [(0, true), (1, true), (2, true), (3, false), (-1, false)] {
        assert!(new.tells(NodeId(1), Release(told)));
        assert!(!new.tells(NodeId(1), Release(told)), "known");
        let expected = if is {
            Ok(())
        } else {
            Err(Refusal::VersionSkew)
        };
        assert_eq!(ask(&new), expected, "{told}");
    }
    assert!(!new.tells(NodeId(9), Release(0)), "a stranger");
    let words = [Release(0), Release(2), Release(-1)].map(|r| r.to_string());
    assert_eq!(words, ["current", "current+2", "current-1"]);
}

#[test]
fn a_huge_node_number_does_not_make_the_registry_grow() {
    let mut w = world();
    let mut registry = Registry::new(
        w.keys.clone(),
        Arc::new(Genesis {
            roots: w.roots.clone(),
            ..Genesis::default()
        }),
    );
    let far = w.shared.issue(peer(u32::MAX, 1));
    assert_eq!(registry.present(NodeId(u32::MAX), &far, NOON), Ok(()));
    assert_eq!(
        registry.peer(NodeId(u32::MAX), NOON),
        Err(Refusal::NoCertificate)
    );
    assert!(registry.known.is_empty());
    let last = w.shared.issue(peer(MAX_NODES as u32 - 1, 1));
    registry
        .present(last.identity.subject, &last, NOON)
        .unwrap();
    assert_eq!(registry.peer(last.identity.subject, NOON), Ok(()));
}

#[test]
fn every_refusal_has_its_code_and_its_words() {
    for (code, refusal) in (0..).zip(Refusal::ALL) {
        assert_eq!(refusal.code(), code);
        assert_eq!(Refusal::of_code(code), Ok(refusal));
        let same = Refusal::ALL.iter().filter(|r| r.words() == refusal.words());
        assert_eq!(same.count(), 1, "{refusal}");
    }
    let code = Refusal::ALL.len() as u8;
    assert_eq!(Refusal::of_code(code), Err(CodecError::Tag(code)));
}
