#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::arbitrary::{config, damage, message, round_trip};
use proptest::prelude::*;

fn encoded(message: &Message) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out);
    out
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn messages_come_back_and_damage_is_noticed(message in message(), damage in damage()) {
        prop_assert_eq!(message.encoded_len(), encoded(&message).len());
        round_trip(&message, encoded, Message::decode, &damage);
    }

    #[test]
    fn no_bytes_make_a_message_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = vec![1, FAMILY];
        framed.extend(bytes);
        for bytes in [&framed[..], &framed[2..]] {
            if let Ok(message) = Message::decode(bytes) {
                prop_assert_eq!(encoded(&message), bytes);
            }
        }
    }
}

fn record(body: &[u8]) -> Message {
    Message::Release {
        op: OpId(5),
        answer: Answer::Record(Sealed::seal(OpId(5), body.into())),
    }
}

#[test]
fn a_sealed_record_travels_as_ciphertext_with_nonce_and_tag() {
    let body = b"systolic 141 mmHg, diastolic 92 mmHg";
    let bytes = encoded(&record(body));
    assert_eq!(bytes.len(), 3 + 8 + 1 + 4 + body.len() + SEAL_BYTES);
    for window in body.windows(8) {
        assert!(!bytes.windows(8).any(|part| part == window));
    }
    let Ok(Message::Release {
        answer: Answer::Record(sealed),
        ..
    }) = Message::decode(&bytes)
    else {
        panic!("not a record");
    };
    assert_eq!(**sealed.open(), *body);
    assert_eq!((sealed.len(), sealed.is_empty()), (body.len() + 28, false));
}

#[test]
fn the_limits_of_a_message_hold() {
    let ask = |certificate: usize, patient: usize| {
        encoded(&Message::Ask {
            op: OpId(1),
            certificate: vec![0; certificate].into(),
            ask: Ask::Request {
                patient: "p".repeat(patient).into(),
                purpose: USUAL.0,
                reader: USUAL.1,
            },
        })
    };
    assert!(Message::decode(&ask(MAX_CERTIFICATE, MAX_PATIENT)).is_ok());
    let too_long = |n: usize| Err(CodecError::TooLong(n));
    assert_eq!(
        Message::decode(&ask(MAX_CERTIFICATE + 1, 1)),
        too_long(MAX_CERTIFICATE + 1)
    );
    assert_eq!(
        Message::decode(&ask(1, MAX_PATIENT + 1)),
        too_long(MAX_PATIENT + 1)
    );
    // The length alone is refused; no body of that length is needed, or allocated.
    let mut long = encoded(&record(b""));
    long[12..16].copy_from_slice(&((MAX_BODY + SEAL_BYTES + 1) as u32).to_be_bytes());
    assert_eq!(Message::decode(&long), too_long(MAX_BODY + SEAL_BYTES + 1));
    let mut short = encoded(&record(b""));
    short[12..16].copy_from_slice(&27u32.to_be_bytes());
    assert_eq!(Message::decode(&short), Err(CodecError::Truncated));
}

#[test]
fn a_tally_counts_every_kind_of_entry() {
    let tally = Tally {
        height: 100,
        permits: 1,
        denials: 20,
        emergencies: 300,
        refusals: 4_000,
        unproven: 50_000,
    };
    assert_eq!(tally.entries(), 4_321);
}
