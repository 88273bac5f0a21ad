#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::SecretKey;
use proptest::prelude::*;

const CHAIN: ChainId = ChainId(3);

fn tx(key: &SecretKey, number: u64, body: &[u8]) -> Tx {
    let origin = NodeId(key.id().0);
    let id = TxId { origin, number };
    Tx::new(id, CHAIN, OpId(number + 100), body.into(), key)
}

fn batch(keys: &[SecretKey]) -> Batch {
    let txs: Arc<[Arc<Tx>]> = (1..4)
        .map(|n| Arc::new(tx(&keys[n as usize % 2], n, &[n as u8; 5])))
        .collect();
    Batch::new(NodeId(1), -7, txs, Digest::of(b"root"))
}

/// A certificate of these signers over the batch.
fn certificate(keys: &[SecretKey], signers: &[usize], digest: Digest) -> Certificate {
    let statement = vote_statement(CHAIN, 2, 5, 9, &digest);
    Certificate {
        kind: 2,
        view: 5,
        sequence: 9,
        digest,
        signatures: signers.iter().map(|&i| keys[i].sign(&statement)).collect(),
        links: Arc::default(),
    }
}

fn encoded(encode: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    encode(&mut Encoder::new(&mut out));
    out
}

#[test]
fn a_transaction_verifies_only_as_its_origin_signed_it() {
    let (ring, keys) = Keyring::generate(4, 1);
    let honest = tx(&keys[1], 7, b"body");
    assert!(honest.verify(&ring));
    let id = honest.id();
    let forged = Tx::new(id, CHAIN, honest.op(), Arc::clone(honest.body()), &keys[2]);
    assert!(!forged.verify(&ring), "by another key");
    assert_eq!(
        forged.digest(),
        honest.digest(),
        "the signature is not in it"
    );
    // Every field is under the signature.
    let others = [
        tx(&keys[1], 8, b"body"),
        tx(&keys[1], 7, b"bodY"),
        Tx::new(id, ChainId(4), honest.op(), b"body"[..].into(), &keys[1]),
        Tx::new(id, CHAIN, OpId(1), b"body"[..].into(), &keys[1]),
    ];
    for other in others {
        assert_ne!(other.digest(), honest.digest());
    }
}

proptest! {
    #[test]
    fn a_damaged_transaction_is_an_error_or_does_not_verify(at in any::<prop::sample::Index>(), bits in 1u8..) {
        let (ring, keys) = Keyring::generate(2, 1);
        let honest = tx(&keys[1], 7, b"the body of a transaction");
        let mut bytes = encoded(|e| honest.encode(e));
        prop_assert_eq!(bytes.len(), honest.encoded_len());
        prop_assert_eq!(&Tx::decode(&mut Decoder::new(&bytes)).unwrap(), &honest);
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
        if let Ok(other) = Tx::decode(&mut Decoder::new(&bytes)) {
            prop_assert!(!other.verify(&ring));
        }
    }
}

#[test]
fn batches_and_certificates_survive_the_codec_with_their_lengths() {
    let (_, keys) = Keyring::generate(4, 1);
    let batch = batch(&keys);
    let bytes = encoded(|e| batch.encode(e));
    assert_eq!(bytes.len(), batch.encoded_len());
    let decoded = Batch::decode(&mut Decoder::new(&bytes)).unwrap();
    assert_eq!(decoded.digest(), batch.digest());
    assert_eq!((decoded.proposer(), decoded.time_ns()), (NodeId(1), -7));
    assert_eq!(
        (decoded.txs(), decoded.tx_root()),
        (batch.txs(), batch.tx_root())
    );
    for n in 0..bytes.len() {
        assert!(Batch::decode(&mut Decoder::new(&bytes[..n])).is_err());
    }

    let committed = Committed {
        chain: CHAIN,
        sequence: 9,
        certificate: certificate(&keys, &[0, 1, 2], batch.digest()),
        batch: Arc::new(batch),
    };
    let bytes = encoded(|e| committed.encode(e));
    assert_eq!(bytes.len(), committed.encoded_len());
    let decoded = Committed::decode(&mut Decoder::new(&bytes)).unwrap();
    assert_eq!(decoded.certificate, committed.certificate);
    assert_eq!((decoded.chain, decoded.sequence), (CHAIN, 9));
}

#[test]
fn a_batchs_digest_covers_proposer_time_size_and_root() {
    let (_, keys) = Keyring::generate(4, 1);
    let one = batch(&keys);
    let txs = || Arc::clone(one.txs());
    let root = one.tx_root();
    let digest = |proposer, time, txs, root| Batch::new(proposer, time, txs, root).digest();
    assert_eq!(digest(NodeId(1), -7, txs(), root), one.digest());
    for other in [
        digest(NodeId(2), -7, txs(), root),
        digest(NodeId(1), -8, txs(), root),
        digest(NodeId(1), -7, [].into(), root),
        digest(NodeId(1), -7, txs(), Digest::ZERO),
    ] {
        assert_ne!(other, one.digest());
    }
}

#[test]
fn a_batch_is_checked_once() {
    let (_, keys) = Keyring::generate(4, 1);
    let batch = batch(&keys);
    let mut calls = 0;
    for _ in 0..3 {
        assert!(batch.valid_or(|_| {
            calls += 1;
            true
        }));
    }
    assert!(batch.valid_or(|_| panic!("remembered")));
    assert_eq!(calls, 1);
}

#[test]
fn a_certificate_needs_a_quorum_of_distinct_members_who_signed_this() {
    let (ring, keys) = Keyring::generate(6, 1);
    let digest = Digest::of(b"batch");
    let members: Vec<NodeId> = (0..4).map(NodeId).collect();
    let verify = |c: &Certificate| c.verify(CHAIN, &members, 3, &ring);
    let good = certificate(&keys, &[0, 1, 3], digest);
    assert!(verify(&good));
    for (desc, signers) in [
        ("too few", &[0, 1][..]),
        ("one twice", &[0, 1, 1]),
        ("not ascending", &[1, 0, 3]),
        ("a stranger", &[0, 1, 5]),
        ("a quorum and a stranger", &[0, 1, 2, 5]),
    ] {
        assert!(!verify(&certificate(&keys, signers, digest)), "{desc}");
    }
    let edits: [fn(&mut Certificate); 4] = [
        |c| c.kind += 1,
        |c| c.view += 1,
        |c| c.sequence += 1,
        |c| c.digest = Digest::ZERO,
    ];
    for edit in edits {
        let mut other = good.clone();
        edit(&mut other);
        assert!(!verify(&other), "{other:?}");
    }
    assert!(
        !good.verify(ChainId(4), &members, 3, &ring),
        "another chain"
    );
    assert_eq!(good.encoded_len(), encoded(|e| good.encode(e)).len());
}

#[test]
fn the_limits_of_lists_hold() {
    let (_, keys) = Keyring::generate(4, 1);
    let long = MAX_SIGNATURES + 1;
    let mut bytes = encoded(|e| certificate(&keys, &[0], Digest::ZERO).encode(e));
    bytes[49..53].copy_from_slice(&(long as u32).to_be_bytes());
    let decoded = Certificate::decode(&mut Decoder::new(&bytes));
    assert_eq!(decoded, Err(CodecError::TooLong(long)));
    let long = MAX_BATCH_TXS + 1;
    let mut bytes = encoded(|e| batch(&keys).encode(e));
    bytes[44..48].copy_from_slice(&(long as u32).to_be_bytes());
    let decoded = Batch::decode(&mut Decoder::new(&bytes)).map(|b| b.digest());
    assert_eq!(decoded, Err(CodecError::TooLong(long)));
}

#[test]
fn a_blocks_id_covers_its_whole_header() {
    let header = Header {
        chain: CHAIN,
        height: 1,
        sequence: 2,
        parent: Digest::of(b"parent"),
        batch: Digest::of(b"batch"),
        tx_root: Digest::of(b"txs"),
        state_root: Digest::of(b"state"),
        time_ns: 3,
        tx_count: 4,
    };
    let edits: [fn(&mut Header); 9] = [
        |h| h.chain = ChainId(9),
        |h| h.height += 1,
        |h| h.sequence += 1,
        |h| h.parent = Digest::ZERO,
        |h| h.batch = Digest::ZERO,
        |h| h.tx_root = Digest::ZERO,
        |h| h.state_root = Digest::ZERO,
        |h| h.time_ns += 1,
        |h| h.tx_count += 1,
    ];
    for (i, edit) in edits.into_iter().enumerate() {
        let mut other = header.clone();
        edit(&mut other);
        assert_ne!(other.id(), header.id(), "field {i}");
    }
}

#[test]
fn a_header_comes_back_as_it_was() {
    let header = Header {
        chain: ChainId(3),
        height: 4,
        sequence: 5,
        parent: Digest::of(b"parent"),
        batch: Digest::of(b"batch"),
        tx_root: Digest::of(b"transactions"),
        state_root: Digest::of(b"state"),
        time_ns: -6,
        tx_count: 7,
    };
    let wire = header.encode();
    assert_eq!(wire.len(), Header::ENCODED);
    assert_eq!(Header::decode(&mut Decoder::new(&wire)), Ok(header));
    assert!(Header::decode(&mut Decoder::new(&wire[..wire.len() - 1])).is_err());
    let mut other = wire;
    other[0] ^= 1;
    assert!(Header::decode(&mut Decoder::new(&other)).is_err());
}

proptest! {
    /// One that stands for many is read as it was written, is as long as they are, and nothing of it can
    /// be changed.
    #[test]
    fn a_cohort_is_read_as_it_was_written(count in 2u32..40, at in any::<prop::sample::Index>(), bits in 1u8..) {
        let (ring, keys) = Keyring::generate(2, 1);
        let one = tx(&keys[1], 7, &[3; 64]);
        let cohort = Cohort::of(count, 64);
        let (id, body) = (one.id(), Arc::from(&b"writes"[..]));
        let many = Tx::of_cohort(id, CHAIN, one.op(), body, cohort, &keys[1]);
        let mut bytes = encoded(|e| many.encode(e));
        prop_assert_eq!(bytes.len(), many.encoded_len());
        prop_assert_eq!(bytes.len(), count as usize * one.encoded_len());
        prop_assert_eq!(&Tx::decode(&mut Decoder::new(&bytes)).unwrap(), &many);
        prop_assert!(many.verify(&ring));
        let at = at.index(bytes.len());
        bytes[at] ^= bits;
        let mut d = Decoder::new(&bytes);
        let other = Tx::decode(&mut d);
        prop_assert!(other.is_err() || d.end().is_err() || !other.unwrap().verify(&ring));
    }
}
