#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;

fn keys() -> (Keyring, Vec<SecretKey>) {
    Keyring::generate(4, 9)
}

#[test]
fn a_signature_is_its_keys_over_its_digest() {
    let (ring, secrets) = keys();
    let digest = Digest::of(b"statement");
    for (i, secret) in (0..).zip(&secrets) {
        assert_eq!(secret.id(), KeyId(i));
        let signature = secret.sign(&digest);
        assert_eq!(signature.key, KeyId(i));
        assert!(ring.verify(&digest, &signature));
        assert_eq!(secret.sign(&digest), signature, "deterministic");
    }
}

#[test]
fn forgeries_are_refused() {
    let (ring, secrets) = keys();
    let digest = Digest::of(b"statement");
    let genuine = secrets[1].sign(&digest);
    // Over another statement, be it one bit away.
    for bit in 0..256 {
        let mut other = digest;
        other.0[bit / 8] ^= 1 << (bit % 8);
        assert!(!ring.verify(&other, &genuine), "bit {bit}");
    }
    // In another's name, and of nobody.
    for key in [0, 2, 3, 4, u32::MAX] {
        let key = KeyId(key);
        assert!(!ring.verify(&digest, &Signature { key, ..genuine }));
    }
    // With other bits.
    for bit in 0..64 {
        let tag = genuine.tag ^ 1 << bit;
        assert!(!ring.verify(&digest, &Signature { tag, ..genuine }));
    }
    // Of the same number in another run.
    let (_, others) = Keyring::generate(4, 10);
    assert!(!ring.verify(&digest, &others[1].sign(&digest)));
}

#[test]
fn a_stolen_key_signs_like_its_owner() {
    let (ring, secrets) = keys();
    let digest = Digest::of(b"statement");
    let stolen = ring.steal(KeyId(2)).unwrap();
    assert_eq!(stolen.sign(&digest), secrets[2].sign(&digest));
    assert!(ring.steal(KeyId(4)).is_none());
}

#[test]
fn signatures_take_the_bytes_of_ed25519_and_survive_the_codec() {
    let (ring, secrets) = keys();
    let digest = Digest::of(b"statement");
    let signature = secrets[3].sign(&digest);
    let mut bytes = Vec::new();
    signature.encode(&mut Encoder::new(&mut bytes));
    assert_eq!(bytes.len(), 68);
    assert_eq!(bytes.len(), signature.encoded_len());
    let decode = |bytes: &[u8]| Signature::decode(&mut Decoder::new(bytes));
    let decoded = decode(&bytes).unwrap();
    assert!(ring.verify(&digest, &decoded));
    assert_eq!(decoded, signature);
    for n in 0..bytes.len() {
        assert_eq!(decode(&bytes[..n]), Err(CodecError::Truncated));
    }
    // One signature has one encoding.
    for at in 12..bytes.len() {
        let mut padded = bytes.clone();
        padded[at] = 1;
        let invalid = CodecError::Invalid("signature padding");
        assert_eq!(decode(&padded), Err(invalid));
    }
}

#[test]
fn a_node_signs_with_the_key_of_its_number() {
    assert_eq!(KeyId::from(NodeId(7)), KeyId(7));
}

#[test]
fn a_signature_takes_the_bytes_of_its_scheme() {
    for size in [8, 48, 65, 96, 255] {
        let (ring, secrets) = Keyring::sized(4, 9, size);
        let digest = Digest::of(b"statement");
        let signature = secrets[3].sign(&digest);
        let mut bytes = Vec::new();
        signature.encode(&mut Encoder::new(&mut bytes));
        assert_eq!(bytes.len(), 4 + usize::from(size));
        assert_eq!(signature.encoded_len(), bytes.len());
        let decoded = Signature::decode(&mut Decoder::new(&bytes)).unwrap();
        assert_eq!(decoded, signature);
        assert!(ring.verify(&digest, &decoded));
        // The same key of another scheme is another key.
        assert!(!Keyring::generate(4, 9).0.verify(&digest, &decoded));
    }
    // One length has one encoding, and none is shorter than a tag.
    for size in [1, 7, 64] {
        let bytes = [&[size, 0, 0, 3], [0; 255].as_slice()].concat();
        let invalid = CodecError::Invalid("signature length");
        assert_eq!(Signature::decode(&mut Decoder::new(&bytes)), Err(invalid));
    }
}

#[test]
fn signers_take_valid_signatures_once_and_give_them_back_in_order() {
    let (ring, secrets) = Keyring::generate(300, 9);
    let (statement, other) = (Digest::of(b"statement"), Digest::of(b"other"));
    let mut signers = Signers::default();
    for order in [[3, 299, 64, 65, 0], [299, 200, 100, 63, 1]] {
        signers.begin(statement);
        assert!(signers.is_empty());
        for i in order {
            assert!(!signers.add(&ring, &secrets[i].sign(&other)));
            assert!(!signers.contains(KeyId(i as u32)));
            assert!(signers.add(&ring, &secrets[i].sign(&statement)));
            assert!(signers.contains(KeyId(i as u32)));
            assert!(!signers.add(&ring, &secrets[i].sign(&statement)), "twice");
        }
        let mut sorted = order;
        sorted.sort_unstable();
        let plain: SignatureSet = sorted
            .iter()
            .map(|&i| secrets[i].sign(&statement))
            .collect();
        let kept = signers.signatures(&ring);
        assert_eq!(kept, plain);
        assert_eq!((kept.len(), signers.len()), (5, 5));
        let keys: Vec<KeyId> = sorted.iter().map(|&i| KeyId(i as u32)).collect();
        for set in [&kept, &plain] {
            assert_eq!(set.valid(&ring, &statement).collect::<Vec<_>>(), keys);
            assert_eq!(set.valid(&ring, &other).count(), 0);
            let (strange, _) = Keyring::generate(300, 10);
            assert_eq!(set.valid(&strange, &statement).count(), 0);
        }
    }
}

#[test]
fn a_set_of_a_group_of_64_needs_no_allocation() {
    let (ring, secrets) = Keyring::generate(64, 9);
    let mut signers = Signers::default();
    signers.begin(Digest::ZERO);
    for secret in &secrets {
        signers.add(&ring, &secret.sign(&Digest::ZERO));
    }
    assert_eq!(signers.len(), 64);
    assert!(size_of::<SignatureSet>() <= 96);
}

/// A keyring of 70 whose certificates are aggregates of keys 3 to 66, and the secrets.
fn aggregating(size: u8) -> (Keyring, Vec<SecretKey>) {
    let (ring, secrets) = Keyring::sized(70, 9, size);
    (ring.with_aggregates(KeyId(3), KeyId(66)), secrets)
}

fn encoded(set: &SignatureSet) -> Vec<u8> {
    let mut bytes = Vec::new();
    set.encode(&mut Encoder::new(&mut bytes));
    assert_eq!(bytes.len(), 4 + set.encoded_len());
    bytes
}

#[test]
fn an_aggregate_is_one_signature_and_a_bit_for_each_member() {
    let (ring, secrets) = aggregating(96);
    let statement = Digest::of(b"s");
    for count in [1usize, 3, 43, 64] {
        let mut signers = Signers::default();
        signers.begin(statement);
        for key in &secrets[3..3 + count] {
            assert!(signers.add(&ring, &key.sign(&statement)));
        }
        let made = signers.signatures(&ring);
        assert_eq!(made.encoded_len(), 4 + 96 + 8, "{count}");
        let bytes = encoded(&made);
        let mut d = Decoder::new(&bytes);
        let read = SignatureSet::decode(&mut d).unwrap();
        d.end().unwrap();
        assert_eq!(read, made);
        assert_eq!(made, read);
        assert_eq!(encoded(&read), bytes);
        assert_eq!(read.len(), count);
        let keys = |set: &SignatureSet| set.valid(&ring, &statement).collect::<Vec<_>>();
        assert_eq!(keys(&read), keys(&made));
        assert_eq!(keys(&read).len(), count);
        // Parts of a sum are not signatures of anything.
        assert!(read.iter().all(|part| !ring.verify(&statement, &part)));
        assert!(made.iter().all(|part| ring.verify(&statement, &part)));
        assert_eq!(read.valid(&ring, &Digest::of(b"t")).count(), 0);
        for cut in 0..bytes.len() {
            assert!(SignatureSet::decode(&mut Decoder::new(&bytes[..cut])).is_err());
        }
    }
}

#[test]
fn an_aggregate_is_of_those_that_signed_and_nobody_else() {
    let (ring, secrets) = aggregating(96);
    let statement = Digest::of(b"s");
    let parts: Vec<Signature> = secrets[3..8].iter().map(|k| k.sign(&statement)).collect();
    let all = |sum: &Aggregate| sum.verify(&ring, std::iter::repeat(statement));
    let good = Aggregate::of(&ring, parts.iter().copied()).unwrap();
    assert!(all(&good));
    assert_eq!((good.len(), good.is_empty()), (5, false));
    assert_eq!(good.signers().next(), Some(KeyId(3)));
    // One signs twice, in the place of another.
    let twice = [parts[0], parts[0], parts[1]];
    assert!(!all(&Aggregate::of(&ring, twice).unwrap()));
    // One signed something else.
    let other = secrets[9].sign(&Digest::of(b"t"));
    let mixed = Aggregate::of(&ring, [parts[0], other]).unwrap();
    assert!(!all(&mixed));
    assert!(mixed.verify(&ring, [statement, Digest::of(b"t")]));
    assert!(!mixed.verify(&ring, [statement]));
    // Who stands outside cannot be named.
    let outside = secrets[68].sign(&statement);
    assert_eq!(Aggregate::of(&ring, [parts[0], outside]).unwrap().len(), 1);
    // Every bit counts.
    let mut bytes = Vec::new();
    good.encode(&mut Encoder::new(&mut bytes));
    for bit in 0..bytes.len() * 8 {
        let mut wrong = bytes.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        let read = Aggregate::decode(&mut Decoder::new(&wrong));
        assert!(!matches!(read, Ok(Some(sum)) if all(&sum)), "bit {bit}");
    }
    // Where certificates are vectors there is none.
    assert_eq!(Aggregate::of(&Keyring::sized(4, 9, 96).0, parts), None);
}
