#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::command::{Shown, leaf};
use super::machine::{NO_SAMPLES, NOT_ALLOWED, THERE, TOO_MANY_GAPS, WRONG_ROOT};
use super::probe::SampleProbe;
use super::ranges::MAX_RANGES;
use super::*;
use crate::ledger::merkle;
use crate::orders::testing::{Chain, both_ways, common};
use crate::orders::{Coded as _, Request, Wish as _};
use consim_core::{Decoder, Digest, Encoder, NodeId, Receipt, Streams, Workload};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const DEVICE: u64 = 7;

fn chain() -> Chain {
    let members = [NodeId(0), NodeId(1), NodeId(2)];
    Chain::new(Arc::new(SamplesMachine::new(members.into())), checks())
}
fn batch(first: u64, samples: &[u64]) -> Batch {
    let mut batch = Batch {
        device: DEVICE,
        first,
        root: Digest::of(&[]),
        samples: samples.into(),
    };
    batch.root = merkle::root(&batch.leaves());
    batch
}
fn acknowledged(batch: &Batch, missing: u64, height: u64) -> consim_core::Probe {
    let (batch, missing) = (batch.clone(), Some(missing));
    SampleProbe::Acknowledged {
        batch,
        missing,
        height,
    }
    .probe()
}
fn shown(batch: &Batch, place: usize) -> Shown {
    Shown {
        value: batch.samples[place],
        root: batch.root,
        proof: merkle::prove(&batch.leaves(), place).unwrap(),
    }
}
fn was_read(sequence: u64, shown: Option<Shown>, height: u64) -> consim_core::Probe {
    SampleProbe::Read {
        device: DEVICE,
        sequence,
        shown,
        height,
    }
    .probe()
}

proptest! {
    #[test]
    fn messages_are_read_as_they_were_written(device in any::<u64>(), first in any::<u64>(), samples in prop::collection::vec(any::<u64>(), 0..20)) {
        let mut sent = batch(first, &samples);
        sent.device = device;
        both_ways(&Command::Anchor(sent.clone()), &Said::Anchored { missing: first });
        both_ways(&Command::Read { device, sequence: first }, &Said::Nothing);
        both_ways(&Command::Gaps { device }, &Said::Missing(Ranges(vec![(0, 2), (5, 9)])));
        if !samples.is_empty() {
            both_ways(&Command::Gaps { device }, &Said::Sample(shown(&sent, samples.len() - 1)));
        }
    }

    #[test]
    fn malformed_bytes_are_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        let _ = Message::decode(&bytes);
        let _ = Request::<Wish>::decode(&bytes);
    }

    /// Ranges say what a set of numbers says.
    #[test]
    fn ranges_are_sets(adds in prop::collection::vec((0u64..60, 0u64..9), 0..20), from in 0u64..60, n in 0u64..9) {
        let mut ranges = Ranges::default();
        let mut set = BTreeSet::new();
        for (first, count) in adds {
            ranges.add(first, first + count);
            set.extend(first..first + count);
        }
        prop_assert_eq!(ranges.touch(from, from + n), (from..from + n).any(|i| set.contains(&i)));
        let end = set.last().map_or(0, |last| last + 1);
        prop_assert_eq!(ranges.end(), end);
        let gaps: Vec<u64> = ranges.gaps().0.iter().flat_map(|&(a, b)| a..b).collect();
        let missing: Vec<u64> = (0..end).filter(|i| !set.contains(i)).collect();
        prop_assert_eq!(gaps, missing);
        let before = (0..from).rev().take_while(|i| !set.contains(i)).count() as u64;
        prop_assert_eq!(ranges.missing_before(from), before);
        let mut wire = Vec::new();
        ranges.encode(&mut Encoder::new(&mut wire));
        prop_assert_eq!(Ranges::decode(&mut Decoder::new(&wire)), Ok(ranges));
    }

    /// Whatever comes, the machine keeps to what the checks ask, which know it not.
    #[test]
    fn the_machine_keeps_its_own_rules(batches in prop::collection::vec((0u64..40, 0u64..6, any::<bool>()), 0..30)) {
        let mut chain = chain();
        for (first, n, sound) in batches {
            let samples: Vec<u64> = (0..n).map(|i| first * 100 + i).collect();
            let mut sent = batch(first, &samples);
            if !sound {
                sent.root = Digest::of(&[]);
            }
            chain.block(&[(0, Command::Anchor(sent))]);
        }
        prop_assert_eq!(chain.verdicts().0, Vec::<&str>::new());
    }
}

#[test]
fn batches_are_taken_once_whole_and_under_their_root() {
    use Receipt::{Applied, Refused};
    let mut chain = chain();
    let mut step = |who: u32, batch: Batch, expected: Receipt| {
        let text = format!("{batch:?}");
        assert_eq!(
            chain.block(&[(who, Command::Anchor(batch))]),
            [expected],
            "{text}"
        );
    };
    step(3, batch(0, &[1]), Refused(NOT_ALLOWED));
    step(0, batch(0, &[]), Refused(NO_SAMPLES));
    step(0, batch(u64::MAX, &[1, 2]), Refused(NO_SAMPLES));
    for root in [Digest::of(&[]), batch(0, &[1, 3]).root] {
        let sent = Batch {
            root,
            ..batch(0, &[1, 2])
        };
        step(0, sent, Refused(WRONG_ROOT));
    }
    step(0, batch(10, &[1, 2, 3]), Applied);
    for (first, samples) in [
        (10, &[1u64, 2, 3][..]),
        (12, &[3, 4]),
        (8, &[1, 2, 3]),
        (11, &[9]),
    ] {
        step(1, batch(first, samples), Refused(THERE));
    }
    step(1, batch(8, &[1, 2]), Applied);
    step(2, batch(13, &[4]), Applied);
    let far = (0..MAX_RANGES as u64 - 1).map(|i| 100 + 2 * i);
    for first in far {
        step(0, batch(first, &[5]), Applied);
    }
    step(0, batch(10_000, &[5]), Refused(TOO_MANY_GAPS));
    step(0, batch(0, &[5]), Refused(TOO_MANY_GAPS));
    step(0, batch(14, &[5]), Applied);
    let ranges = command::ranges_key(DEVICE);
    let there: Ranges =
        crate::orders::message::read(chain.state().get(&ranges).as_deref()).unwrap();
    assert_eq!(there.0[0], (8, 15));
    assert_eq!(chain.verdicts().0, Vec::<&str>::new());
}

#[test]
fn each_check_notices_what_it_is_for() {
    let one = batch(2, &[10, 11, 12]);
    let altered = batch(2, &[10, 11, 13]);
    let others = Shown {
        proof: merkle::prove(&one.leaves(), 1).unwrap(),
        ..shown(&one, 0)
    };
    let missing = |ranges: &[(u64, u64)]| {
        SampleProbe::Missing {
            device: DEVICE,
            ranges: Ranges(ranges.to_vec()),
            height: 1,
        }
        .probe()
    };
    let unrooted = Batch {
        root: Digest::of(&[]),
        ..one.clone()
    };
    let cases: Vec<(consim_core::Probe, &[&str])> = vec![
        (acknowledged(&one, 2, 1), &[]),
        (acknowledged(&one, 0, 1), &["gaps-reported"]),
        (acknowledged(&altered, 2, 1), &["samples-kept"]),
        (acknowledged(&batch(7, &[1]), 2, 1), &["samples-kept"]),
        (acknowledged(&unrooted, 2, 1), &["sample-proofs"]),
        // Before it is there.
        (acknowledged(&one, 2, 0), &["samples-kept"]),
        (was_read(3, Some(shown(&one, 1)), 1), &[]),
        (was_read(1, None, 1), &[]),
        (was_read(3, None, 0), &[]),
        (was_read(3, None, 1), &["samples-kept"]),
        (was_read(2, Some(others), 1), &["sample-proofs"]),
        (
            was_read(4, Some(shown(&altered, 2)), 1),
            &["samples-kept", "sample-proofs"],
        ),
        (
            was_read(1, Some(shown(&one, 0)), 1),
            &["samples-kept", "sample-proofs"],
        ),
        (missing(&[(0, 2)]), &[]),
        (missing(&[]), &["gaps-reported"]),
        (missing(&[(0, 1)]), &["gaps-reported"]),
    ];
    for (probe, expected) in cases {
        let mut chain = chain();
        chain.block(&[(0, Command::Anchor(one.clone()))]);
        chain.see(&probe);
        assert_eq!(chain.verdicts().0, expected, "{probe:?}");
    }
    assert!(shown(&one, 1).proof.verify(&leaf(DEVICE, 3, 11), &one.root));
}

/// Takes everything for right.
struct Gullible;
impl consim_core::StateMachine for Gullible {
    fn name(&self) -> &'static str {
        "gullible"
    }
    fn genesis(&self, _: &mut dyn consim_core::State) {}
    fn apply(
        &self,
        _: &mut dyn consim_core::State,
        _: &consim_core::Tx,
        _: consim_core::machine::ApplyAt,
    ) -> Receipt {
        Receipt::Applied
    }
}

#[test]
fn a_sample_that_is_taken_twice_is_noticed() {
    for (again, fails) in [(batch(3, &[4]), false), (batch(2, &[3, 4]), true)] {
        let mut chain = Chain::new(Arc::new(Gullible), checks());
        chain.block(&[(0, Command::Anchor(batch(0, &[1, 2, 3])))]);
        chain.block(&[(1, Command::Anchor(again))]);
        let expected = if fails { vec!["samples-once"] } else { vec![] };
        assert_eq!(chain.verdicts().0, expected);
    }
}

#[test]
fn sound_devices_are_never_refused_and_odd_ones_often() {
    let run = |odd| {
        let options = SampleOptions {
            devices: 3,
            batch: 4,
            read_share: 300_000_000,
            odd,
        };
        let rng = Streams::new(4).stream("samples");
        let mut workload = SampleWorkload::new(&common(), options, rng);
        let mut chain = chain();
        let mut names: BTreeMap<&str, u64> = BTreeMap::new();
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for _ in 0..3_000 {
            let arrival = workload.next().unwrap();
            let request: &Request<Wish> = arrival.request.as_any().downcast_ref().unwrap();
            let mut wire = Vec::new();
            request.wish.encode(&mut Encoder::new(&mut wire));
            assert_eq!(wire.len(), request.wish.encoded_len());
            assert_eq!(Wish::decode(&mut Decoder::new(&wire)), Ok(request.wish));
            *names.entry(request.wish.name()).or_default() += 1;
            let command = request.wish.command(consim_core::OpId(1));
            let receipts = chain.block(&[(arrival.node.0 - 10, command)]);
            if let [Receipt::Refused(reason)] = receipts[..] {
                *reasons.entry(reason).or_default() += 1;
            }
        }
        assert_eq!(chain.verdicts().0, Vec::<&str>::new());
        (names, reasons)
    };
    let (names, reasons) = run(0);
    assert!(reasons.is_empty(), "{reasons:?}");
    let reads = (names["read-sample"] + names["ask-gaps"]) as f64 / 3_000.0;
    assert!((reads - 0.3).abs() < 0.03, "{names:?}");
    let (_, reasons) = run(300_000_000);
    assert!(
        reasons[THERE] > 50 && reasons[WRONG_ROOT] > 50,
        "{reasons:?}"
    );
}
