#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

#[test]
fn digests_are_those_of_fips_180_4() {
    assert_eq!(
        Digest::of(b"abc").hex(),
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    assert_eq!(
        Digest::of(b"").hex(),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}

#[test]
fn parts_are_hashed_as_one() {
    let whole = Digest::of(b"abcdef");
    assert_eq!(Digest::of_parts(&[b"abc", b"", b"def"]), whole);
    assert_eq!(Digest::of_parts(&[b"ab", b"cdef"]), whole);
    assert_ne!(Digest::of_parts(&[b"def", b"abc"]), whole);
}

#[test]
fn a_digest_is_shown_by_its_first_digits() {
    let digest = Digest::of(b"abc");
    assert_eq!(digest.prefix(), 0xba78_16bf_8f01_cfea);
    assert_eq!(digest.to_string(), "ba7816bf");
    assert_eq!(format!("{digest:?}"), "ba7816bf");
    assert_eq!(Digest::ZERO.to_string(), "00000000");
    assert_eq!(Digest::default(), Digest::ZERO);
}
