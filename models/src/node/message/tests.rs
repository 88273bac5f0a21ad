#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use super::*;
use crate::consensus::MemberChange;
use crate::node::membership::{Authority, Identity, Role};
use crate::node::notice::Notice;
use consim_core::{ChainId, KeyId, Keyring, OpId};

fn messages() -> Vec<Message> {
    let mut keys = Keyring::generate(3, 1).1;
    let identity = Identity {
        subject: NodeId(1),
        organisation: 2,
        role: Role::Client,
        not_before_ns: -3,
        not_after_ns: 4,
    };
    let certificate = Authority::new(keys.pop().unwrap()).issue(identity);
    let id = TxId {
        origin: NodeId(1),
        number: 77,
    };
    let tx = Tx::new(id, ChainId(3), OpId(9), [1, 2, 3].into(), &keys[1]);
    let reply = |tentative, outcome| {
        Message::Reply(Reply {
            id,
            view: 5,
            leader: NodeId(2),
            tentative,
            outcome,
        })
    };
    let change = MemberChange {
        number: 3,
        add: vec![NodeId(4), NodeId(5)],
        remove: vec![NodeId(0)],
        renew: Vec::new(),
    };
    let mut notice = Notice::new(3, 5);
    notice.revoked = vec![(KeyId(1), 7), (KeyId(0), 9)];
    notice.trusted = Some(KeyId(1));
    notice.withdrawn = Some(KeyId(0));
    notice.certificate = Some(certificate);
    let shown = |value| Message::Shown(Shown { number: 8, value });
    vec![
        Message::Hello(certificate),
        Message::Identify,
        Message::Release(Release(-2)),
        Message::Request(Arc::new(tx.clone())),
        Message::Shared(Arc::new(tx)),
        Message::WhoLeads,
        Message::Leads {
            view: 6,
            leader: NodeId(1),
        },
        reply(true, Outcome::Applied),
        reply(false, Outcome::Refused),
        Message::Query {
            number: 8,
            key: [4, 5].into(),
        },
        shown(None),
        shown(Some([].into())),
        shown(Some([6].into())),
        Message::Change(Arc::new(change.signed(ChainId(3), &keys[0]))),
        Message::Changing {
            number: 3,
            state: Changing::Waits,
        },
        Message::Notices([].into()),
        Message::Notices(
            [Notice::new(3, 4), notice]
                .map(|n| n.signed(ChainId(3), &keys[0]))
                .into(),
        ),
        Message::Taken(4),
        Message::WhichNotices,
    ]
}

#[test]
fn every_message_comes_back_as_it_was_and_nothing_else_does() {
    for message in messages() {
        let mut wire = Vec::new();
        message.encode(&mut wire);
        assert_eq!(wire.len(), message.encoded_len(), "{}", message.kind());
        assert_eq!(Message::decode(&wire), Ok(message.clone()));
        for end in 0..wire.len() {
            assert!(
                Message::decode(&wire[..end]).is_err(),
                "{} {end}",
                message.kind()
            );
        }
        wire.push(0);
        assert_eq!(Message::decode(&wire), Err(CodecError::Trailing(1)));
    }
    assert_eq!(Message::decode(&[1, FAMILY, 99]), Err(CodecError::Tag(99)));
    // A flag is 0 or 1.
    let mut wire = Vec::new();
    messages()[7].encode(&mut wire);
    *wire.last_mut().unwrap() = 2;
    assert_eq!(Message::decode(&wire), Err(CodecError::Tag(2)));
}
