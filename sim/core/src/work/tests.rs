#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn every_kind_of_work_is_counted_by_itself_and_added() {
    let kinds = [
        Work::sign(1),
        Work::verify(2),
        Work::verify_batched(3),
        Work::hash(4),
        Work::encrypt(5),
        Work::execute(6),
        Work::parse(7),
        Work::read(8),
        Work::fixed(Span::from_nanos(9)),
        Work::parallel(Span::from_nanos(10)),
        Work::requests(11),
        Work::store(12),
    ];
    let expected = Work {
        sign: 1,
        verify: 2,
        verify_batched: 3,
        hash_bytes: 4,
        encrypt_bytes: 5,
        execute: 6,
        parse_bytes: 7,
        store_bytes: 12,
        read_bytes: 8,
        fixed_ns: 9,
        parallel_ns: 10,
        requests: 11,
    };
    let mut sum = Work::NONE;
    for kind in kinds {
        sum.add(kind);
    }
    assert_eq!(sum, expected);
    sum.add(expected);
    let twice = Work {
        sign: 2,
        verify: 4,
        verify_batched: 6,
        hash_bytes: 8,
        encrypt_bytes: 10,
        execute: 12,
        parse_bytes: 14,
        store_bytes: 24,
        read_bytes: 16,
        fixed_ns: 18,
        parallel_ns: 20,
        requests: 22,
    };
    assert_eq!(sum, twice);
    assert_eq!(Work::NONE, Work::default());
}
