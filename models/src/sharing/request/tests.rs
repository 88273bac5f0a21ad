#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::arbitrary::{config, damage, request, round_trip};
use proptest::prelude::*;

fn encoded(request: &Request) -> Vec<u8> {
    let mut out = Vec::new();
    request.encode(&mut out);
    out
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn requests_come_back_and_damage_is_noticed(request in request(), damage in damage()) {
        prop_assert_eq!(request.encoded_len(), encoded(&request).len());
        round_trip(&request, encoded, Request::decode, &damage);
    }

    #[test]
    fn no_bytes_make_a_request_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(request) = Request::decode(&bytes) {
            prop_assert_eq!(encoded(&request), bytes);
        }
    }

    #[test]
    fn a_synthetic_record_is_json_of_its_size(key in any::<u64>(), size in 0u32..3_000) {
        let kind = ResourceType::Observation;
        let body = Body::Synthetic { key, size, kind };
        let bytes = body.bytes();
        prop_assert_eq!(bytes.len(), size.max(MIN_SYNTHETIC) as usize);
        let text = std::str::from_utf8(&bytes).unwrap();
        let head = format!("{{\"resourceType\":\"Observation\",\"id\":\"{key:016x}\",\"valueString\":\"");
        let value = text.strip_prefix(&head).unwrap().strip_suffix("\"}").unwrap();
        prop_assert!(value.bytes().all(|b| b.is_ascii_alphanumeric()));
        prop_assert_eq!(&bytes, &body.bytes());
    }
}

#[test]
fn a_list_that_is_too_long_is_refused_before_it_is_read() {
    let visit = Request {
        terms: crate::sharing::testing::terms(),
        wish: Wish::Visit(Visit {
            patient: "".into(),
            emergency: false,
            resources: Vec::new(),
            own: Vec::new(),
            elsewhere: Vec::new(),
            answer: None,
            purpose: USUAL.0,
            reader: USUAL.1,
        }),
    };
    let mut bytes = encoded(&visit);
    let at = Terms::ENCODED + 1 + 4 + 2;
    let n = MAX_RECORDS + 1;
    bytes[at..at + 4].copy_from_slice(&(n as u32).to_be_bytes());
    assert_eq!(Request::decode(&bytes), Err(CodecError::TooLong(n)));
    bytes[at..at + 4].copy_from_slice(&9u32.to_be_bytes());
    assert_eq!(Request::decode(&bytes), Err(CodecError::Truncated));
}
