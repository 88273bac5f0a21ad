//! Clusters in which messages go from peer to peer.

use super::super::gossip::Terms;
use super::super::message::{Body, Header};
use super::super::{BlockTime, Synchrony, TendermintOptions, seeded};
use super::bench::Bench;
use super::lies::with_options;
use super::{cluster, gossiped, quick};
use crate::adversary::Conduct;
use crate::consensus::pbft::tests::cluster::{Cluster, crash, cut, ms, nodes};
use consim_core::{Distribution, NodeId, Verdict};
use std::sync::Arc;

/// Who holds connections with whom: those beside it in a ring.
fn ring(n: u32) -> Vec<Arc<[NodeId]>> {
    (0..n)
        .map(|i| {
            let mut peers = vec![NodeId((i + 1) % n), NodeId((i + n - 1) % n)];
            peers.sort_unstable();
            peers.dedup();
            peers.into()
        })
        .collect()
}

fn in_a_ring(n: u32, seed: u64, options: TendermintOptions) -> Cluster {
    let mut cluster = cluster(n, seed, options);
    cluster.peers = ring(n);
    cluster
}

#[test]
fn all_is_ordered_once_in_a_ring() {
    for options in [gossiped(), quick()] {
        for n in [4, 5, 7, 10] {
            let what = format!("{options:?} n={n}");
            let mut cluster = in_a_ring(n, 3, options);
            cluster.timeout = ms(4_000);
            let outcome = cluster.run();
            outcome.assert_good(&what);
            outcome.assert_ordered_once(&what);
            assert_eq!(outcome.seen.timeouts, 0, "{what}");
        }
    }
}

#[test]
fn a_member_that_was_away_is_shown_what_it_missed() {
    for options in [gossiped(), quick()] {
        for fault in [crash(nodes(&[3]), 10, 14), cut(nodes(&[3]), 10, 14)] {
            let outcome = in_a_ring(5, 3, options).fault(fault).run();
            outcome.assert_good("away");
        }
    }
}

#[test]
fn a_wait_after_each_decision_spaces_blocks() {
    let options = TendermintOptions {
        commit: ms(2_000),
        ..gossiped()
    };
    let outcome = cluster(4, 3, options).run();
    outcome.assert_good("wait");
    let heights = outcome.seen.heights[&NodeId(1)];
    assert!((10..=30).contains(&heights), "{heights}");
}

/// A relay on quick lines between members on slow ones: its parts come first.
fn swaps() -> Cluster {
    let mut options = quick();
    options.gossip = Some(Terms {
        part: 200,
        ..options.gossip.unwrap_or_default()
    });
    let mut cluster = with_options(4, 3, &[0], &Conduct::SwapParts, options);
    cluster.slow_but = Some((0, ms(200)));
    cluster.link.delay = Distribution::Constant(ms(1));
    cluster
}

#[test]
fn swapped_parts_are_refused() {
    let outcome = swaps().run();
    let violations = outcome.violations();
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(outcome.seen.heights[&NodeId(1)] > 20);
}

#[test]
fn swapped_parts_stall_who_does_not_compare_indices() {
    consim_core::seeded::with(Some(&seeded::PART_INDEX_NOT_CHECKED), || {
        let outcome = swaps().run();
        assert_eq!(outcome.verdict("liveness"), Verdict::Fail);
    });
}

/// A replica that hears of a block in parts.
fn hears() -> Bench {
    Bench::with_options(
        0,
        TendermintOptions {
            time: BlockTime::Proposer(Synchrony::default()),
            ..quick()
        },
    )
}

#[test]
fn a_block_in_parts_and_three_precommits_are_a_decision() {
    let mut bench = hears();
    let batch = bench.batch(1, 1);
    let (header, mut parts) = bench.cut(0, &batch);
    // Parts without a header are not kept.
    let early = bench.cut(0, &batch).1.remove(0);
    bench.receive(2, early);
    bench.receive(2, Body::Header(Arc::clone(&header)));
    parts.reverse();
    for part in parts {
        bench.receive(3, part);
    }
    for by in [1, 2, 3] {
        let vote = bench.precommit(by, 0, batch.digest());
        // Another one passes it on.
        bench.receive(2, vote);
    }
    bench.sync();
    assert!(bench.look().contains(&"deliver 1".to_owned()));
}

#[test]
fn a_commit_decides_once_its_block_is_here_and_not_without_a_quorum() {
    for (by, decides) in [
        (&[1, 2, 3][..], true),
        (&[1, 2], false),
        (&[1, 1, 1], false),
    ] {
        let mut bench = hears();
        let batch = bench.batch(2, 1);
        let (header, parts) = bench.cut(1, &batch);
        let commit = bench.commit(by, 1, &header);
        bench.receive(2, commit);
        for part in parts {
            bench.receive(3, part);
        }
        bench.sync();
        let delivered = bench.look().contains(&"deliver 1".to_owned());
        assert_eq!(delivered, decides, "{by:?}");
    }
}

#[test]
fn a_header_that_its_proposer_did_not_sign_is_refused() {
    let mut bench = hears();
    // Of round 1, whose proposer is another one.
    let batch = bench.batch(2, 1);
    let (other, _) = bench.cut(1, &batch);
    let (_, parts) = bench.cut(0, &batch);
    let forged = Header {
        round: 0,
        height: other.height,
        digest: other.digest,
        total: other.total,
        root: other.root,
        valid: None,
        times: None,
        signature: other.signature,
        prevote: other.prevote,
        whole: None,
    };
    bench.receive(2, Body::Header(Arc::new(forged)));
    for part in parts {
        bench.receive(2, part);
    }
    for by in [1, 2, 3] {
        let vote = bench.precommit(by, 0, batch.digest());
        bench.receive(by, vote);
    }
    bench.sync();
    assert!(!bench.look().contains(&"deliver 1".to_owned()));
}
