#![allow(clippy::unwrap_used)]

use super::*;

fn query() -> Query {
    Query {
        op: OpId(7 << 32 | 1),
        record: RecordId(5).within(3),
        pseudonym: Pseudonym([4; 32]),
        requester: NodeId(2),
        purpose: Purpose::Treatment,
        reader: Reader {
            person: 3,
            ..Reader::default()
        },
        granted: true,
    }
}

#[test]
fn a_record_says_in_which_network_it_is() {
    let record = RecordId((9 << 48) + 12);
    assert_eq!(record.network(), ChainId(0));
    assert_eq!(record.within(0), record);
    let other = record.within(200);
    assert_eq!(other.network(), ChainId(200));
    assert_eq!(other.within(0), record);
}

#[test]
fn what_a_packet_says_is_read_again() {
    let answer = |verdict| Crossing::Answer {
        op: OpId(1),
        record: RecordId(2),
        requester: NodeId(3),
        verdict,
    };
    let digest = Digest([1; 32]);
    for crossing in [
        Crossing::Query(query()),
        answer(Verdict::Apart { digest }),
        answer(Verdict::Refused(Reason::NotOpen)),
        answer(Verdict::Inside {
            digest,
            sealed: [1, 2, 3].into(),
        }),
    ] {
        let body = crossing.body();
        assert_eq!(Crossing::decode(&body), Ok(crossing));
        for cut in 0..body.len() {
            assert!(Crossing::decode(&body[..cut]).is_err());
        }
    }
}

#[test]
fn labels_are_drawn_in_their_shares() {
    let labels = Labels {
        shares: [100_000_000, 600_000_000, 250_000_000],
        draws: 1,
    };
    let mut counts = [0u32; 4];
    for record in 0..10_000 {
        let label = labels.of(RecordId(record));
        counts[Label::ALL.iter().position(|l| *l == label).unwrap()] += 1;
    }
    for (count, share) in counts.into_iter().zip([1_000, 6_000, 2_500, 500]) {
        assert!(count.abs_diff(share) < 200, "{counts:?}");
    }
    let all = Labels {
        shares: [1_000_000_000, 0, 0],
        draws: 1,
    };
    assert!((0..1_000).all(|r| all.of(RecordId(r)) == Label::Open));
}
