//! One replica, step by step: what it says upon what.

use super::bench::Bench;
use crate::consensus::pbft::message::{Body, Status};
use consim_core::{Span, Work};

type Step<'a> = (
    &'static str,
    Box<dyn Fn(&mut Bench) + 'a>,
    &'static [&'static str],
);

fn play(bench: &mut Bench, steps: &[Step<'_>]) {
    for (desc, input, expected) in steps {
        input(bench);
        assert_eq!(bench.look(), *expected, "{desc}");
    }
}
fn step<'a>(
    desc: &'static str,
    input: impl Fn(&mut Bench) + 'a,
    expected: &'static [&'static str],
) -> Step<'a> {
    (desc, Box::new(input), expected)
}

#[test]
fn a_backup_in_the_normal_case() {
    let mut bench = Bench::new(1, 4);
    let batch = bench.batch(0, &[1, 2]);
    let d = batch.digest();
    play(
        &mut bench,
        &[
            step(
                "4.2: PRE-PREPARE is accepted; nothing is said before it is on disk",
                |b| b.receive(0, b.proposal(0, 1, &batch)),
                &[],
            ),
            step(
                "4.2: PREPARE is multicast",
                Bench::sync,
                &["all: prepare 0/1"],
            ),
            step(
                "the pre-prepare counts as the primary's, the own prepare counts",
                |b| b.receive(2, b.prepare(2, 0, 1, d)),
                &[],
            ),
            step(
                "4.2: prepared with a quorum of 3; COMMIT is multicast once it is on disk",
                Bench::sync,
                &["all: commit 0/1"],
            ),
            step(
                "a prepare beyond the quorum changes nothing",
                |b| b.receive(3, b.prepare(3, 0, 1, d)),
                &[],
            ),
            step("a commit", |b| b.receive(3, b.commit(3, 0, 1, d)), &[]),
            step(
                "4.2: committed-local with three commits, the own one among them",
                |b| b.receive(0, b.commit(0, 0, 1, d)),
                &["deliver 1"],
            ),
            step(
                "a late commit changes nothing",
                |b| b.receive(2, b.commit(2, 0, 1, d)),
                &[],
            ),
        ],
    );
    assert!(
        bench.disk.log(0).is_empty(),
        "the log is written after the fact"
    );
    bench.order(2, &bench.batch(0, &[3]));
    assert_eq!(bench.disk.log(0).len(), 2);
}

#[test]
fn the_primary_in_the_normal_case() {
    let mut bench = Bench::new(0, 4);
    let txs = [bench.tx(0, 1), bench.tx(0, 2)];
    play(
        &mut bench,
        &[
            step(
                "two transactions of one handler wait for its end",
                |b| assert!(txs.iter().all(|tx| b.submit(tx.clone()))),
                &[],
            ),
            step(
                "they are one batch; it is on disk before it is said",
                |b| b.timer(3),
                &[],
            ),
            step(
                "4.2: PRE-PREPARE is multicast",
                Bench::sync,
                &["all: pre-prepare 0/1"],
            ),
        ],
    );
    let proposed = bench.replica.window.get(1).unwrap().batch.clone().unwrap();
    assert_eq!(proposed.txs().len(), 2);
    let d = proposed.digest();
    play(
        &mut bench,
        &[
            step("a prepare", |b| b.receive(1, b.prepare(1, 0, 1, d)), &[]),
            step(
                "the second prepare",
                |b| b.receive(2, b.prepare(2, 0, 1, d)),
                &[],
            ),
            step("prepared: COMMIT", Bench::sync, &["all: commit 0/1"]),
            step("a commit", |b| b.receive(1, b.commit(1, 0, 1, d)), &[]),
            step(
                "committed",
                |b| b.receive(2, b.commit(2, 0, 1, d)),
                &["deliver 1"],
            ),
        ],
    );
    assert_eq!(bench.replica.mempool.len(), 0);
}

#[test]
fn commits_that_come_first_are_counted() {
    let mut bench = Bench::new(1, 4);
    let batch = bench.batch(0, &[1]);
    let d = batch.digest();
    for by in [0, 2, 3] {
        bench.receive(by, bench.commit(by, 0, 1, d));
    }
    assert_eq!(bench.look(), [""; 0]);
    bench.receive(0, bench.proposal(0, 1, &batch));
    assert_eq!(bench.look(), ["deliver 1"]);
}

#[test]
fn batches_are_executed_in_order() {
    let mut bench = Bench::new(1, 4);
    let (one, two) = (bench.batch(0, &[1]), bench.batch(0, &[2]));
    bench.order(2, &two);
    assert_eq!(bench.look_for(&["deliver"]), [""; 0]);
    bench.order(1, &one);
    assert_eq!(bench.look_for(&["deliver"]), ["deliver 1", "deliver 2"]);
}

#[test]
fn work_is_charged_for_what_is_done() {
    let mut bench = Bench::new(1, 4);
    let batch = bench.batch(0, &[1, 2]);
    let d = batch.digest();
    bench.receive(0, bench.proposal(0, 1, &batch));
    let Work {
        sign,
        verify,
        verify_batched,
        hash_bytes,
        ..
    } = bench.effects.work;
    assert_eq!(
        (sign, verify, verify_batched),
        (1, 1, 2),
        "own prepare, primary's vote, two transactions"
    );
    assert!(hash_bytes as usize > batch.encoded_len());
    bench.sync();
    bench.receive(2, bench.prepare(2, 0, 1, d));
    assert_eq!(
        (bench.effects.work.verify, bench.effects.work.sign),
        (1, 1),
        "a prepare; the own commit"
    );
    bench.receive(3, bench.prepare(3, 0, 1, d));
    assert_eq!(bench.effects.work, Work::NONE, "beyond the quorum");
    // What waits in the mempool was verified when it came.
    let tx = bench.tx(3, 7);
    bench.receive(
        3,
        Body::Forward {
            txs: vec![tx],
            to_all: true,
        },
    );
    assert_eq!(bench.effects.work.verify_batched, 1);
    bench.receive(0, bench.proposal(0, 2, &bench.batch(0, &[7])));
    assert_eq!(
        (bench.effects.work.verify, bench.effects.work.verify_batched),
        (1, 0)
    );
}

#[test]
fn blocks_wait_for_their_bounds() {
    let wait = |ms| {
        Bench::with(0, 4, |config| {
            config.block.transactions = 3;
            config.block.bytes = 300;
            config.block.wait = Span::from_millis(ms);
        })
    };
    let mut bench = wait(50);
    bench.submit(bench.tx(0, 1));
    bench.timer(3);
    bench.sync();
    assert_eq!(
        bench.look(),
        [""; 0],
        "one transaction, and no time has passed"
    );
    bench.now += Span::from_millis(50);
    bench.timer(2);
    bench.sync();
    assert_eq!(bench.look(), ["all: pre-prepare 0/1"], "the wait is over");
    for number in 2..5 {
        bench.submit(bench.tx(0, number));
    }
    bench.timer(3);
    bench.sync();
    assert_eq!(
        bench.look(),
        ["all: pre-prepare 0/2"],
        "three transactions, or 300 bytes"
    );
    let sizes: Vec<usize> = (1..3)
        .map(|s| {
            bench
                .replica
                .window
                .get(s)
                .unwrap()
                .batch
                .as_ref()
                .unwrap()
                .txs()
                .len()
        })
        .collect();
    // A transaction of two bytes takes 96 bytes: three are below the bound of bytes.
    assert_eq!((sizes, bench.tx(0, 9).encoded_len()), (vec![1, 3], 96));
    let mut bench = Bench::with(0, 4, |config| {
        config.block.bytes = 200;
        config.block.wait = Span::from_secs(1);
    });
    for number in 1..4 {
        bench.submit(bench.tx(0, number));
    }
    bench.timer(3);
    bench.sync();
    let first = bench
        .replica
        .window
        .get(1)
        .unwrap()
        .batch
        .as_ref()
        .unwrap()
        .txs()
        .len();
    assert_eq!(first, 2, "as many as 200 bytes hold");
}

#[test]
fn the_pipeline_and_the_watermarks_bound_what_is_in_flight() {
    let mut bench = Bench::with(0, 4, |config| config.block.transactions = 1);
    for number in 1..9 {
        bench.submit(bench.tx(0, number));
    }
    bench.timer(3);
    bench.sync();
    let said = bench.look();
    assert_eq!(said.len(), 4, "a pipeline of four: {said:?}");
    // Backups accept only between the watermarks: (0, 16].
    let mut bench = Bench::new(1, 4);
    let batch = bench.batch(0, &[1]);
    for (sequence, accepted) in [
        (0, false),
        (1, true),
        (16, true),
        (17, false),
        (u64::MAX, false),
    ] {
        bench.receive(0, bench.proposal(0, sequence, &batch));
        bench.sync();
        assert_eq!(
            !bench.look().is_empty(),
            accepted,
            "sequence number {sequence}"
        );
    }
}

#[test]
fn a_checkpoint_becomes_stable_and_the_past_is_forgotten() {
    let mut bench = Bench::new(1, 4);
    for sequence in 1..=4 {
        bench.order(sequence, &bench.batch(0, &[sequence]));
    }
    assert_eq!(
        bench.look_for(&["checkpoint", "stable"]),
        ["all: checkpoint 4"]
    );
    let state = bench.own_state(4);
    assert_eq!(bench.disk.table(3).count(), 4);
    bench.receive(2, bench.checkpoint(2, 4, state));
    bench.receive(3, bench.checkpoint(3, 4, consim_core::Digest::ZERO));
    assert_eq!(bench.look(), [""; 0], "another state is no support");
    bench.receive(0, bench.checkpoint(0, 4, state));
    bench.sync();
    assert_eq!(bench.look(), ["stable 4"]);
    assert_eq!(
        (
            bench.replica.window.low(),
            bench.disk.table(3).count(),
            bench.disk.table(4).count()
        ),
        (4, 0, 0)
    );
    assert_eq!(bench.disk.log(0).len(), 4);
}

#[test]
fn a_view_change_at_a_backup_and_at_the_next_primary() {
    // The next primary, n = 4: one batch is prepared here, another only at member 3.
    let mut bench = Bench::new(1, 4);
    let (one, two) = (bench.batch(0, &[1]), bench.batch(0, &[2]));
    let (d1, d2) = (one.digest(), two.digest());
    bench.receive(0, bench.proposal(0, 1, &one));
    bench.sync();
    bench.receive(2, bench.prepare(2, 0, 1, d1));
    bench.sync();
    assert_eq!(bench.look(), ["all: prepare 0/1", "all: commit 0/1"]);
    bench.now += Span::from_secs(1);
    play(
        &mut bench,
        &[
            step(
                "Zyzzyva 4.3: upon its timer a replica suspects the primary, and stays",
                |b| b.timer(1),
                &["all: suspect 0", "all: status 0/0"],
            ),
            step(
                "it still commits",
                |b| b.receive(3, b.commit(3, 0, 1, d1)),
                &[],
            ),
            step(
                "f+1 suspects: it leaves the view",
                |b| b.receive(2, Body::Suspect { view: 0 }),
                &["give up 0"],
            ),
            step(
                "4.4: VIEW-CHANGE with what is prepared, once it is on disk",
                Bench::sync,
                &["all: view-change 1 (1)"],
            ),
            step(
                "votes of the view that it left are ignored",
                |b| b.receive(0, b.commit(0, 0, 1, d1)),
                &[],
            ),
            step(
                "a view change",
                |b| b.receive(2, Body::ViewChange(b.view_change(2, 1, vec![]))),
                &[],
            ),
            step(
                "a quorum: the primary opens the view, once it is on disk",
                |b| {
                    b.receive(
                        3,
                        Body::ViewChange(b.view_change(3, 1, vec![b.prepared(0, 3, d2)])),
                    );
                },
                &[],
            ),
            step(
                "4.4: NEW-VIEW puts forward 1, nothing at 2, and 3, whose body it asks for",
                Bench::sync,
                &["view 1", "all: new-view 1 (3)", "3: fetch-batch 3"],
            ),
            step(
                "the others prepare what it put forward",
                |b| {
                    b.receive(2, b.prepare(2, 1, 1, d1));
                    b.receive(3, b.prepare(3, 1, 1, d1));
                    b.sync();
                },
                &["all: commit 1/1"],
            ),
            step(
                "the body comes",
                |b| {
                    b.receive(
                        3,
                        Body::Batch {
                            sequence: 3,
                            batch: two.clone(),
                        },
                    );
                },
                &[],
            ),
        ],
    );
    let window = &bench.replica.window;
    let batches: Vec<_> = (1..4)
        .map(|s| window.get(s).unwrap().batch.clone().unwrap().digest())
        .collect();
    assert_eq!(batches, [d1, bench.null(), d2]);
    // A backup: it accepts the same new view and prepares what it has the body of.
    let mut backup = Bench::new(2, 4);
    let changes = vec![
        bench.view_change(1, 1, vec![bench.prepared(0, 1, d1)]),
        bench.view_change(2, 1, vec![]),
        bench.view_change(3, 1, vec![bench.prepared(0, 3, d2)]),
    ];
    backup.receive(0, bench.proposal(0, 1, &one));
    backup.sync();
    backup.look();
    let new_view = bench.new_view(1, 1, &changes, &[d1, bench.null(), d2]);
    backup.receive_new_view(1, new_view, &changes);
    assert_eq!(
        backup.look(),
        [
            "1: fetch-change 1",
            "1: fetch-change 1",
            "1: fetch-change 1",
            "view 1",
            "3: fetch-batch 3",
            "all: prepare 1/1",
            "all: prepare 1/2"
        ]
    );
}

#[test]
fn the_timer_doubles_until_there_is_progress() {
    let mut bench = Bench::new(3, 4);
    let mut patience = Vec::new();
    for view in 0..4 {
        bench.receive(1, Body::Suspect { view });
        bench.receive(2, Body::Suspect { view });
        bench.sync();
        patience.push(bench.replica.patience().nanos() / 1_000_000_000);
    }
    assert_eq!(patience, [1, 2, 4, 8]);
    for view in 4..20 {
        bench.receive(1, Body::Suspect { view });
        bench.receive(2, Body::Suspect { view });
        bench.sync();
    }
    assert_eq!(bench.replica.patience(), Span::from_secs(64), "MAX_BACKOFF");
    // No armed timer tells: it waits in steps.
    assert_eq!(
        consim_core::Process::longest_wait(&bench.replica),
        Span::from_secs(64)
    );
    bench.enter(1, 21);
    let batch = bench.batch(1, &[1]);
    bench.receive(1, bench.proposal(21, 1, &batch));
    bench.sync();
    for by in [0, 2] {
        bench.receive(by, bench.prepare(by, 21, 1, batch.digest()));
        bench.receive(by, bench.commit(by, 21, 1, batch.digest()));
        bench.sync();
    }
    assert_eq!(bench.look().last().unwrap(), "deliver 1");
    assert_eq!(bench.replica.patience(), Span::from_secs(1));
}

#[test]
fn f_plus_1_view_changes_pull_along_into_the_lowest_of_their_views() {
    let mut bench = Bench::new(6, 7);
    for (by, view) in [(1, 5), (2, 9)] {
        bench.receive(by, Body::ViewChange(bench.view_change(by, view, vec![])));
    }
    assert_eq!(bench.look(), [""; 0], "two may both be faulty");
    bench.receive(3, Body::ViewChange(bench.view_change(3, 7, vec![])));
    bench.sync();
    assert_eq!(bench.look(), ["give up 0", "all: view-change 5 (0)"]);
}

#[test]
fn a_restarted_replica_says_again_what_it_signed_and_nothing_else() {
    let mut bench = Bench::new(1, 4);
    bench.order(1, &bench.batch(0, &[1]));
    let two = bench.batch(0, &[2]);
    bench.receive(0, bench.proposal(0, 2, &two));
    bench.sync();
    bench.receive(2, bench.prepare(2, 0, 2, two.digest()));
    bench.sync();
    let three = bench.batch(0, &[3]);
    bench.receive(0, bench.proposal(0, 3, &three));
    bench.sync();
    bench.look();
    bench.restart();
    assert_eq!(
        bench.look(),
        [
            "replay 1",
            "view 0",
            "all: status 0/1",
            "all: prepare 0/2",
            "all: commit 0/2",
            "all: prepare 0/3",
        ]
    );
    // The primary, or somebody in its name, now puts another batch forward at these places.
    for sequence in [2, 3] {
        bench.receive(0, bench.proposal(0, sequence, &bench.batch(0, &[9])));
        bench.sync();
    }
    assert_eq!(bench.look(), [""; 0]);
    // It goes on where it stood.
    for by in [0, 3] {
        bench.receive(by, bench.commit(by, 0, 2, two.digest()));
    }
    assert_eq!(bench.look_for(&["deliver"]), ["deliver 2"]);
}

#[test]
fn a_replica_that_restarts_in_a_view_change_stays_in_it() {
    let mut bench = Bench::new(2, 4);
    for by in [0, 3] {
        bench.receive(by, Body::Suspect { view: 0 });
    }
    bench.sync();
    assert_eq!(bench.look(), ["give up 0", "all: view-change 1 (0)"]);
    bench.restart();
    assert_eq!(bench.look(), ["all: status 1/0", "all: view-change 1 (0)"]);
    bench.receive(0, bench.proposal(0, 1, &bench.batch(0, &[1])));
    bench.sync();
    assert_eq!(
        bench.look(),
        [""; 0],
        "it does not take part in view 0 again"
    );
    // In a view that was opened it comes back with the new view.
    bench.enter(1, 1);
    bench.look();
    bench.restart();
    assert_eq!(bench.look(), ["view 1", "all: status 1/0"]);
}

#[test]
fn a_peer_in_an_older_view_is_helped() {
    let mut bench = Bench::new(2, 4);
    bench.enter(1, 1);
    bench.look();
    let status = Status {
        view: 0,
        active: true,
        executed: 0,
        stable: 0,
        ask: true,
        holds: vec![],
        proof: None,
    };
    bench.receive(3, Body::Status(status));
    assert_eq!(bench.look(), ["3: status 1/0", "3: new-view 1 (0)"]);
    bench.receive(3, Body::ViewChange(bench.view_change(3, 1, vec![])));
    assert_eq!(bench.look(), ["3: new-view 1 (0)"]);
    bench.receive(3, Body::Suspect { view: 0 });
    bench.receive(3, Body::Suspect { view: 0 });
    assert_eq!(bench.look(), ["3: new-view 1 (0)"; 2]);
    bench.receive(3, Body::Suspect { view: 0 });
    assert_eq!(bench.look(), [""; 0], "MAX_HELP between two ticks");
}
