//! Certificates and double signing.

use super::History;
use crate::testing::{CHAIN, World, committed, s};
use consim_core::{
    Certificate, ChainId, Committed, Digest, KeyId, NodeId, Payload, Probe, Signature, Verdict,
    Vote,
};
use std::sync::Arc;

// ---- certificate -------------------------------------------------------------------------------

#[test]
fn certificate_holds_for_a_quorum_of_validators() {
    let mut h = History::of("certificate");
    let block = h.world.block(vec![]);
    h.all(s(1), &committed(&block)).passes();
    assert_eq!(h.finding().evaluated, 4);
}

/// What the check says of a commit at sequence 1 whose certificate is changed.
fn certificate(change: impl FnOnce(&World, &mut Certificate)) -> Result<(), String> {
    let mut h = History::of("certificate");
    let honest = h.world.committed(1, vec![h.world.tx(0, 1)]);
    let mut certificate = honest.certificate.clone();
    change(&h.world, &mut certificate);
    let changed = Committed {
        chain: CHAIN,
        sequence: 1,
        batch: Arc::clone(&honest.batch),
        certificate,
    };
    h.probe(s(1), 2, &Probe::Committed(Arc::new(changed)));
    if h.finding().verdict == Verdict::Pass {
        return Ok(());
    }
    let said = h.violation();
    let defect = said.strip_prefix("alliance, sequence 1: the commit of c ");
    Err(defect.unwrap_or_else(|| panic!("{said}")).to_owned())
}

/// Edits the signatures of a certificate.
fn edit(c: &mut Certificate, how: impl FnOnce(&mut Vec<Signature>)) {
    let mut signatures = c.signatures.iter().collect();
    how(&mut signatures);
    c.signatures = signatures.into();
}

fn signed_by(valid: usize, of: usize) -> Result<(), String> {
    Err(format!(
        "carries valid signatures of {valid} distinct validators (of {of} signatures), 3 are needed"
    ))
}

#[test]
fn certificate_fails_without_a_quorum_of_distinct_valid_signatures() {
    let (w, d) = (World::new(4), Digest::of(b"other"));
    assert_eq!(
        certificate(|_, c| edit(c, |list| list.truncate(2))),
        signed_by(2, 2)
    );
    // The same signer three times over.
    let repeat = |c: &mut Certificate| edit(c, |list| *list = vec![list[0]; 3]);
    assert_eq!(certificate(|_, c| repeat(c)), signed_by(1, 3));
    // A signature over something else, and one in another's name.
    let stray: Signature = w.signatures(1, 1, &d)[0];
    let first = |c: &mut Certificate| edit(c, |list| list[0] = stray);
    assert_eq!(certificate(|_, c| first(c)), signed_by(2, 3));
    let forge = |c: &mut Certificate| edit(c, |list| list[2].key = KeyId(3));
    assert_eq!(certificate(|_, c| forge(c)), signed_by(2, 3));
    // The order of the signatures does not matter, nor does one too many.
    assert_eq!(certificate(|_, c| edit(c, |list| list.reverse())), Ok(()));
    let more = |w: &World, c: &mut Certificate| {
        c.signatures = w.signatures(4, 1, &c.digest).into();
    };
    assert_eq!(certificate(more), Ok(()));
    // The vote's view is part of what is signed.
    assert_eq!(certificate(|_, c| c.view = 1), signed_by(0, 3));
    assert_eq!(certificate(|_, c| c.kind = 1), signed_by(0, 3));
}

#[test]
fn certificate_fails_for_another_batch_or_sequence_number() {
    let said = certificate(|w, c| {
        c.digest = Digest::ZERO;
        c.signatures = w.signatures(3, 1, &Digest::ZERO).into();
    });
    assert!(
        said.unwrap_err()
            .starts_with("carries a certificate for batch 00000000, not ")
    );
    let said = certificate(|w, c| {
        c.sequence = 2;
        c.signatures = w.signatures(3, 2, &c.digest).into();
    });
    assert_eq!(said, Err("carries a certificate for sequence 2".into()));
}

#[test]
fn certificate_does_not_count_signatures_of_who_is_no_validator() {
    let mut h = History::of("certificate");
    // Five keys, of which the chain knows four.
    let world = World::new(5);
    let mut honest = Arc::try_unwrap(world.committed(1, vec![])).unwrap();
    let mut signatures = world.signatures(5, 1, &honest.batch.digest());
    signatures.drain(..2);
    honest.certificate.signatures = signatures.into();
    let keys = world.keys.clone();
    let mut subjects = super::subjects(&h.world, &[]);
    subjects.keys = keys.into();
    h.check = super::build(&Arc::new(subjects), &["certificate".into()], &[]).remove(0);
    h.probe(s(1), 2, &Probe::Committed(Arc::new(honest)));
    assert!(
        h.violation()
            .contains("of 2 distinct validators (of 3 signatures)")
    );
}

#[test]
fn certificate_fails_for_an_unknown_chain() {
    let mut h = History::of("certificate");
    let honest = h.world.committed(1, vec![]);
    let stray = Committed {
        chain: consim_core::ChainId(7),
        sequence: 1,
        batch: Arc::clone(&honest.batch),
        certificate: honest.certificate.clone(),
    };
    h.probe(s(1), 0, &Probe::Committed(Arc::new(stray)));
    assert_eq!(
        h.violation(),
        "chain 7, sequence 1: the commit of a is of an unknown chain"
    );
}

// ---- no double signing -------------------------------------------------------------------------

#[derive(Debug)]
struct Votes(ChainId, Vec<Vote>);
impl Payload for Votes {
    fn kind(&self) -> &'static str {
        "votes"
    }
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn encoded_len(&self) -> usize {
        0
    }
    fn votes(&self, each: &mut dyn FnMut(ChainId, Vote)) {
        self.1.iter().for_each(|&vote| each(self.0, vote));
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

fn vote(key: u32, kind: u8, view: u64, sequence: u64, digest: &[u8]) -> Vote {
    Vote {
        key: KeyId(key),
        kind,
        view,
        sequence,
        digest: Digest::of(digest),
    }
}

fn send(h: &mut History, from: u32, votes: Vec<Vote>) {
    send_on(h, ChainId(0), from, votes);
}

fn send_on(h: &mut History, chain: ChainId, from: u32, votes: Vec<Vote>) {
    h.check.sent(s(1), NodeId(from), &Votes(chain, votes), 3);
}

#[test]
fn a_key_may_sign_another_value_on_another_chain() {
    let mut h = History::of("no-double-signing");
    send_on(&mut h, ChainId(0), 1, vec![vote(1, 2, 3, 4, b"x")]);
    send_on(&mut h, ChainId(9), 1, vec![vote(1, 2, 3, 4, b"y")]);
    h.passes();
    send_on(&mut h, ChainId(9), 1, vec![vote(1, 2, 3, 4, b"x")]);
    assert!(h.violation().starts_with("b signed"), "{}", h.violation());
}

#[test]
fn no_double_signing_holds_for_one_value_per_kind_view_and_sequence() {
    let mut h = History::of("no-double-signing");
    send(&mut h, 0, vec![]);
    h.unknown();
    for key in 0..4 {
        send(&mut h, key, vec![vote(key, 1, 0, 1, b"x")]);
    }
    // Again after a restart, in another kind, view and sequence; and passed on by another node.
    send(&mut h, 0, vec![vote(0, 1, 0, 1, b"x")]);
    send(
        &mut h,
        0,
        vec![vote(0, 2, 0, 1, b"y"), vote(0, 1, 1, 1, b"y")],
    );
    send(&mut h, 0, vec![vote(0, 1, 0, 2, b"y")]);
    send(&mut h, 1, vec![vote(0, 1, 0, 2, b"y")]);
    h.passes();
    assert_eq!(h.finding().evaluated, 9);
}

#[test]
fn no_double_signing_fails_across_a_restart_and_whoever_passes_it_on() {
    let mut h = History::of("no-double-signing");
    send(&mut h, 0, vec![vote(0, 1, 3, 9, b"x")]);
    h.up(s(2), 0, false).up(s(3), 0, true);
    send(&mut h, 2, vec![vote(0, 1, 3, 9, b"y")]);
    assert_eq!(
        h.violation(),
        format!(
            "a signed {} and {} (kind 1, view 3, sequence 9)",
            Digest::of(b"x"),
            Digest::of(b"y")
        )
    );
}

#[test]
fn no_double_signing_does_not_judge_corrupt_keys_and_senders() {
    let mut h = History::with("no-double-signing", &[3]);
    // A corrupt key may sign what it likes, and a corrupt sender may claim what it likes.
    for digest in [b"x", b"y"] {
        send(&mut h, 0, vec![vote(3, 1, 0, 1, digest)]);
        send(&mut h, 3, vec![vote(0, 1, 0, 1, digest)]);
    }
    // A key that is no node's is nobody's.
    send(&mut h, 0, vec![vote(77, 1, 0, 1, b"x")]);
    h.unknown();
}

#[test]
fn no_double_signing_remembers_a_window_whatever_the_order() {
    let mut h = History::of("no-double-signing");
    // Far more than the window, mostly ascending, with stragglers.
    for sequence in 1..=5_000_u64 {
        send(&mut h, 0, vec![vote(0, 1, 0, sequence, b"x")]);
        if sequence > 20 && sequence % 3 == 0 {
            send(&mut h, 0, vec![vote(0, 1, 1, sequence - 20, b"z")]);
        }
    }
    h.passes();
    // What is long past is forgotten, which is no violation; what is recent is not.
    send(&mut h, 0, vec![vote(0, 1, 0, 1, b"y")]);
    h.passes();
    send(&mut h, 0, vec![vote(0, 1, 0, 4_700, b"y")]);
    assert!(h.violation().ends_with("(kind 1, view 0, sequence 4700)"));
    // A straggler too.
    let mut h = History::of("no-double-signing");
    for sequence in [10, 12, 11] {
        send(&mut h, 0, vec![vote(0, 1, 0, sequence, b"x")]);
    }
    send(&mut h, 0, vec![vote(0, 1, 0, 11, b"y")]);
    assert!(h.violation().ends_with("(kind 1, view 0, sequence 11)"));
}
