#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use proptest::prelude::*;

/// One of every field.
#[derive(Clone, PartialEq, Debug)]
struct Fields {
    a: u8,
    b: u16,
    c: u32,
    d: u64,
    digest: [u8; 32],
    bytes: Vec<u8>,
    list: Vec<u16>,
    raw: [u8; 5],
}

fn encode(fields: &Fields) -> Vec<u8> {
    let mut out = Vec::new();
    let mut e = Encoder::message(&mut out, 9, 4);
    e.u8(fields.a)
        .u16(fields.b)
        .u32(fields.c)
        .u64(fields.d)
        .digest(&Digest(fields.digest))
        .bytes(&fields.bytes)
        .list(fields.list.len());
    for item in &fields.list {
        e.u16(*item);
    }
    e.raw(&fields.raw);
    out
}

fn decode(bytes: &[u8]) -> Result<Fields, CodecError> {
    let (mut d, kind) = Decoder::message(bytes, 9)?;
    if kind != 4 {
        return Err(CodecError::Tag(kind));
    }
    let fields = Fields {
        a: d.u8()?,
        b: d.u16()?,
        c: d.u32()?,
        d: d.u64()?,
        digest: d.digest()?.0,
        bytes: d.bytes(100)?.to_vec(),
        list: (0..d.list(50, 2)?)
            .map(|_| d.u16())
            .collect::<Result<_, _>>()?,
        raw: d.array()?,
    };
    d.end()?;
    Ok(fields)
}

fn fields() -> impl Strategy<Value = Fields> {
    let numbers = any::<(u8, u16, u32, u64, [u8; 32], [u8; 5])>();
    let bytes = proptest::collection::vec(any::<u8>(), 0..=100);
    let list = proptest::collection::vec(any::<u16>(), 0..=50);
    (numbers, bytes, list).prop_map(|((a, b, c, d, digest, raw), bytes, list)| Fields {
        a,
        b,
        c,
        d,
        digest,
        bytes,
        list,
        raw,
    })
}

proptest! {
    #[test]
    fn fields_come_back(fields in fields()) {
        prop_assert_eq!(decode(&encode(&fields)), Ok(fields));
    }

    #[test]
    fn every_truncation_and_every_surplus_is_an_error(fields in fields(), more in 1usize..4) {
        let bytes = encode(&fields);
        for n in 0..bytes.len() {
            prop_assert_eq!(decode(&bytes[..n]), Err(CodecError::Truncated), "at {}", n);
        }
        let longer = [&bytes[..], &vec![0; more]].concat();
        prop_assert_eq!(decode(&longer), Err(CodecError::Trailing(more)));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let framed = [&[VERSION, 9, 4][..], &bytes].concat();
        for bytes in [bytes, framed] {
            if let Ok(fields) = decode(&bytes) {
                prop_assert_eq!(encode(&fields), bytes);
            }
        }
    }
}

#[test]
fn numbers_are_big_endian_and_strings_have_their_length_before_them() {
    let mut out = Vec::new();
    Encoder::message(&mut out, 2, 3)
        .u16(0x0102)
        .u32(0x0304_0506)
        .bytes(b"ab")
        .list(7);
    assert_eq!(
        out,
        [
            1, 2, 3, 1, 2, 3, 4, 5, 6, 0, 0, 0, 2, b'a', b'b', 0, 0, 0, 7
        ]
    );
}

#[test]
fn the_head_of_a_message_is_checked() {
    let kind = |bytes: &[u8]| Decoder::message(bytes, 9).map(|(d, kind)| (d.remaining(), kind));
    assert_eq!(kind(&[VERSION, 9, 4, 0, 0]), Ok((2, 4)));
    assert_eq!(kind(&[VERSION + 1, 9, 4]), Err(CodecError::Version(2)));
    assert_eq!(kind(&[VERSION, 8, 4]), Err(CodecError::Tag(8)));
    assert_eq!(kind(&[VERSION, 9]), Err(CodecError::Truncated));
    assert_eq!(kind(&[]), Err(CodecError::Truncated));
}

#[test]
fn lengths_are_checked_before_anything_is_read_or_allocated() {
    let length = |n: usize| (n as u32).to_be_bytes();
    let bytes = |n: usize, limit: usize| {
        let input = [&length(n)[..], b"abc"].concat();
        Decoder::new(&input).bytes(limit).map(<[u8]>::to_vec)
    };
    assert_eq!(bytes(3, 3), Ok(b"abc".to_vec()));
    assert_eq!(bytes(3, 2), Err(CodecError::TooLong(3)));
    assert_eq!(bytes(4, 4), Err(CodecError::Truncated));
    // The codec's own limit holds whatever the caller's is.
    assert_eq!(bytes(MAX_FIELD, usize::MAX), Err(CodecError::Truncated));
    let over = MAX_FIELD + 1;
    assert_eq!(bytes(over, usize::MAX), Err(CodecError::TooLong(over)));

    let list = |n: usize, limit: usize, item: usize| {
        let input = [&length(n)[..], &[0; 12]].concat();
        Decoder::new(&input).list(limit, item)
    };
    assert_eq!(list(3, 3, 4), Ok(3));
    assert_eq!(list(4, 3, 1), Err(CodecError::TooLong(4)));
    assert_eq!(list(4, 4, 4), Err(CodecError::Truncated));
    assert_eq!(list(12, 100, 0), Ok(12), "an item takes a byte at least");
    assert_eq!(list(13, 100, 0), Err(CodecError::Truncated));
    assert_eq!(list(MAX_ITEMS, usize::MAX, 1), Err(CodecError::Truncated));
    let over = MAX_ITEMS + 1;
    assert_eq!(list(over, usize::MAX, 1), Err(CodecError::TooLong(over)));
    assert_eq!(list(2, 100, usize::MAX), Err(CodecError::Truncated));
}

#[test]
fn errors_say_what_is_wrong() {
    let table = [
        (CodecError::Truncated, "the input ends inside a field"),
        (CodecError::Version(7), "version 7 is not 1"),
        (CodecError::Tag(8), "unknown tag 8"),
        (CodecError::TooLong(9), "length 9 is over its limit"),
        (CodecError::Trailing(2), "2 bytes after the message"),
        (CodecError::Invalid("seal"), "invalid seal"),
    ];
    for (error, words) in table {
        assert_eq!(error.to_string(), words);
    }
}
