//! What a new view has to put forward.

use super::History;
use crate::testing::{CHAIN, World, s};
use consim_core::{
    Digest, Handover, KeyId, Leaving, NodeId, Opening, Payload, Probe, Promise, SignedVote,
    Verdict, Vote,
};
use std::any::Any;
use std::sync::Arc;

/// A message that says this about the way between views.
#[derive(Debug)]
struct Says(Handover);
impl Payload for Says {
    fn kind(&self) -> &'static str {
        "says"
    }
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn encoded_len(&self) -> usize {
        0
    }
    fn handover(&self) -> Option<Handover> {
        Some(self.0.clone())
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Prepared at a sequence number, in a view: a value.
type Prepared<'a> = (u64, u64, &'a [u8]);

/// Member `signer` leaves for view 3.
fn leaving(world: &World, signer: usize, low: u64, prepared: &[Prepared<'_>]) -> Leaving {
    let key = &world.secrets[signer];
    let digest = Digest::of(format!("{signer} {low} {prepared:?}").as_bytes());
    let statement = consim_core::chain::vote_statement(CHAIN, 4, 3, 0, &digest);
    let bound = prepared.iter().map(|&(s, v, d)| (s, v, Digest::of(d)));
    Leaving {
        signed: SignedVote {
            chain: CHAIN,
            vote: Vote {
                key: key.id(),
                kind: 4,
                view: 3,
                sequence: 0,
                digest,
            },
            promise: Promise::Once,
            signature: key.sign(&statement),
        },
        low,
        alone: None,
        bound: bound.collect(),
    }
}

/// Three members leave view 2; what member 0 opens after that puts these values forward above `low`.
fn opened(low: u64, values: &[&[u8]], edit: impl FnOnce(&mut Opening)) -> History {
    let mut h = History::of("carry-over");
    let leavings = [
        leaving(&h.world, 0, 16, &[(17, 1, b"old"), (18, 2, b"b")]),
        leaving(&h.world, 1, 16, &[(17, 2, b"new")]),
        leaving(&h.world, 2, 8, &[(9, 0, b"settled")]),
    ];
    for (from, leaving) in (0..).zip(&leavings) {
        let said = Says(Handover::Leaves(leaving.clone()));
        h.check.sent(s(1), NodeId(from), &said, 3);
    }
    let names = leavings
        .iter()
        .map(|l| (l.signed.vote.key, l.signed.vote.digest));
    let mut opening = Opening {
        chain: CHAIN,
        view: 3,
        change: 0,
        low,
        changes: names.collect(),
        proposals: values.iter().map(|v| Digest::of(v)).collect(),
    };
    edit(&mut opening);
    let said = Says(Handover::Opens(opening));
    for from in [0, 1] {
        // It is passed on, and judged once.
        h.check.sent(s(2), NodeId(from), &said, 3);
    }
    h
}

#[test]
fn carry_over_holds_if_what_was_prepared_last_is_put_forward_above_the_checkpoint() {
    opened(16, &[b"new", b"b"], |_| {}).passes();
    opened(16, &[b"new", b"b", b"more"], |_| {}).passes();
}

#[test]
fn carry_over_fails_if_it_is_not() {
    let fails = |h: History, said: &str| {
        let violation = h.violation();
        assert!(violation.contains(said), "{violation}");
    };
    fails(opened(16, &[], |_| {}), "puts nothing forward at 17");
    fails(opened(16, &[b"new"], |_| {}), "puts nothing forward at 18");
    fails(
        opened(16, &[b"old", b"b"], |_| {}),
        "was prepared in view 2",
    );
    fails(opened(16, &[b"null", b"b"], |_| {}), "forward at 17");
    fails(
        opened(8, &[b"settled"], |_| {}),
        "begins above 8, the latest stable checkpoint is 16",
    );
    let twice = |opening: &mut Opening| {
        let first = opening.changes[0];
        opening.changes = Arc::new([first, first, opening.changes[1]]);
    };
    fails(
        opened(16, &[b"new", b"b"], twice),
        "2 members, 3 are needed",
    );
}

#[test]
fn carry_over_does_not_judge_what_it_did_not_hear_or_a_traitor_says() {
    let unheard = |opening: &mut Opening| {
        let (_, digest) = opening.changes[2];
        opening.changes = Arc::new([opening.changes[0], opening.changes[1], (KeyId(3), digest)]);
    };
    opened(16, &[], unheard).unknown();
    let mut h = History::with("carry-over", &[0]);
    let said = Says(Handover::Opens(Opening {
        chain: CHAIN,
        view: 3,
        change: 0,
        low: 0,
        changes: Arc::new([]),
        proposals: Arc::new([]),
    }));
    h.check.sent(s(2), NodeId(0), &said, 3);
    h.unknown();
    h.check.sent(s(2), NodeId(1), &said, 3);
    assert_eq!(h.finding().verdict, Verdict::Fail);
}

#[test]
fn nobody_goes_back_to_an_earlier_view_but_by_a_restart() {
    let view = |view| Probe::View {
        chain: CHAIN,
        view,
        leader: NodeId(0),
    };
    let mut h = History::of("carry-over");
    h.all(s(0), &view(0)).all(s(1), &view(2)).passes();
    assert_eq!(h.finding().evaluated, 8);
    // Another life may begin further back, and what is said twice is no step back.
    h.up(s(2), 1, false).up(s(3), 1, true);
    h.probe(s(3), 1, &view(1)).probe(s(4), 2, &view(2)).passes();
    h.probe(s(5), 1, &view(0));
    assert!(h.violation().ends_with("b went back from view 1 to 0"));
}
