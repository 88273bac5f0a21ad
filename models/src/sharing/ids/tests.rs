#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use std::collections::BTreeSet;

fn hex(bytes: &[u8]) -> String {
    Digest(bytes.try_into().unwrap()).hex()
}

#[test]
fn hmac_is_that_of_rfc_4231() {
    // Test cases 1 and 2 of RFC 4231 with their keys padded with zeros to 32 bytes, which RFC 2104
    // makes the same key.
    let key = |bytes: &[u8]| {
        let mut key = [0; 32];
        key[..bytes.len()].copy_from_slice(bytes);
        key
    };
    assert_eq!(
        hex(&hmac(&key(&[0x0b; 20]), &[b"Hi ", b"There"])),
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    );
    assert_eq!(
        hex(&hmac(&key(b"Jefe"), &[b"what do ya want for nothing?"])),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn pseudonyms_depend_on_the_key_and_on_both_ids() {
    let key = PseudonymKey::of_seed(1);
    let pseudonym = key.pseudonym("ann", "M-1");
    assert_eq!(key.pseudonym("ann", "M-1"), pseudonym);
    let others = [
        key.pseudonym("ann", "M-2"),
        key.pseudonym("bob", "M-1"),
        key.pseudonym("annM", "-1"),
        PseudonymKey::of_seed(2).pseudonym("ann", "M-1"),
    ];
    for other in others {
        assert_ne!(other, pseudonym);
    }
    assert_eq!(format!("{key:?}"), "PseudonymKey", "the key stays secret");
}

#[test]
fn reasons_have_a_code_and_a_word_each() {
    let codes: BTreeSet<u8> = Reason::ALL.iter().map(|r| r.code()).collect();
    let words: BTreeSet<&str> = Reason::ALL.iter().map(|r| r.word()).collect();
    assert_eq!(
        (codes.len(), words.len()),
        (Reason::ALL.len(), Reason::ALL.len())
    );
    for &reason in Reason::ALL {
        assert_eq!(Reason::of_code(reason.code()), Ok(reason));
        assert_eq!(Reason::of_word(reason.word()), Some(reason));
    }
    assert_eq!(Reason::of_code(200), Err(CodecError::Tag(200)));
    assert_eq!(Reason::of_word("because"), None);
}

#[test]
fn grantees_have_one_encoding() {
    let decode = |bytes: &[u8]| Grantee::decode(&mut Decoder::new(bytes));
    assert_eq!(decode(&[0, 0, 0, 0, 0]), Ok(Grantee::Everyone));
    assert_eq!(
        decode(&[1, 0, 0, 0, 7]),
        Ok(Grantee::Institution(NodeId(7)))
    );
    assert_eq!(
        decode(&[0, 0, 0, 0, 7]),
        Err(CodecError::Invalid("grantee"))
    );
    assert_eq!(decode(&[2, 0, 0, 0, 0]), Err(CodecError::Tag(2)));
}
