#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::arbitrary::{
    config, damage, digest, grantee, node, pseudonym, record, round_trip, text,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn decoded<T>(decode: impl Fn(&[u8]) -> Option<T>) -> impl Fn(&[u8]) -> Result<T, CodecError> {
    move |bytes| decode(bytes).ok_or(CodecError::Truncated)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn entries_come_back_and_damage_is_noticed(
        (provider, pseudonym, digest, size, address) in (node(), pseudonym(), digest(), any::<u32>(), text()),
        (requester, entry, open) in (node(), node(), any::<bool>()),
        (expires, word) in (any::<i64>(), 0..3),
        damage in damage(),
    ) {
        let record = RecordEntry { provider, pseudonym, digest, size, address };
        round_trip(&record, RecordEntry::encode, decoded(RecordEntry::decode), &damage);
        let request = RequestEntry { pseudonym, requester, entry, open };
        round_trip(&request, RequestEntry::encode, decoded(RequestEntry::decode), &damage);
        let word = [Word::Grant(expires), Word::Denial, Word::Withdrawal][word as usize];
        round_trip(&word, |w| w.encode(), decoded(Word::decode), &damage);
    }

    #[test]
    fn keys_are_distinct(
        (a, b) in (any::<u64>(), any::<u64>()),
        (p, q) in (pseudonym(), pseudonym()),
        (g, h) in (grantee(), grantee()),
        (n, m) in (node(), node()),
        r in record(),
    ) {
        let keys = |number: u64, p: &Pseudonym, g, n| {
            [record_key(RecordId(number)), request_key(RequestId(number)), consent_key(p, g), sweep_key(n)]
        };
        let one = keys(a, &p, g, n);
        let other = keys(b, &q, h, m);
        let same = [a == b, a == b, (p, g) == (q, h), n == m];
        for (i, x) in one.iter().enumerate() {
            for (j, y) in other.iter().enumerate() {
                prop_assert_eq!(x == y, i == j && same[i]);
            }
        }
        prop_assert_eq!(record_key(r).len(), 9);
    }
}

/// A state of consents alone.
#[derive(Default)]
struct Words(BTreeMap<Vec<u8>, Vec<u8>>);

impl Lookup for Words {
    fn value(&self, key: &[u8]) -> Option<Arc<[u8]>> {
        self.0.get(key).map(|value| value.as_slice().into())
    }
}

const PATIENT: Pseudonym = Pseudonym([1; 32]);
const ASKER: NodeId = NodeId(2);
const NOW: i64 = 1_000;

fn words(own: Option<Word>, everyone: Option<Word>) -> Words {
    let mut words = Words::default();
    let entries = [
        (Grantee::Institution(ASKER), own),
        (Grantee::Everyone, everyone),
    ];
    for (grantee, word) in entries {
        if let Some(word) = word {
            words
                .0
                .insert(consent_key(&PATIENT, grantee), word.encode());
        }
    }
    words
}

#[test]
fn the_word_to_the_institution_goes_before_the_word_to_everybody() {
    let valid = Some(Word::Grant(NOW + 1));
    let over = Some(Word::Grant(NOW));
    let (denied, withdrawn) = (Some(Word::Denial), Some(Word::Withdrawal));
    let table = [
        ("nothing said", None, None, Err(Reason::NoGrant)),
        ("granted", valid, None, Ok(Reason::Granted)),
        ("granted to all", None, valid, Ok(Reason::Granted)),
        ("denied to all", None, denied, Err(Reason::Denied)),
        ("revoked from all", None, withdrawn, Err(Reason::Revoked)),
        ("own yes, all no", valid, denied, Ok(Reason::Granted)),
        (
            "own yes, all revoked",
            valid,
            withdrawn,
            Ok(Reason::Granted),
        ),
        ("own no, all yes", denied, valid, Err(Reason::Denied)),
        (
            "own revoked, all yes",
            withdrawn,
            valid,
            Err(Reason::Revoked),
        ),
        (
            "run out at its very instant",
            over,
            None,
            Err(Reason::Expired),
        ),
        ("own run out, all yes", over, valid, Ok(Reason::Granted)),
        ("own run out, all no", over, denied, Err(Reason::Denied)),
        ("both run out", over, over, Err(Reason::Expired)),
        ("all run out", None, over, Err(Reason::Expired)),
    ];
    for (desc, own, everyone, ruled) in table {
        let state = words(own, everyone);
        assert_eq!(consented(&state, &PATIENT, ASKER, NOW), ruled, "{desc}");
    }
    let other = words(valid, None);
    let asked = consented(&other, &PATIENT, NodeId(3), NOW);
    assert_eq!(asked, Err(Reason::NoGrant), "another institution");
    let asked = consented(&other, &Pseudonym([2; 32]), ASKER, NOW);
    assert_eq!(asked, Err(Reason::NoGrant), "another patient");
}

#[test]
fn own_records_and_emergencies_need_no_grant() {
    let record = RecordEntry {
        provider: NodeId(9),
        pseudonym: PATIENT,
        digest: Digest::ZERO,
        size: 1,
        address: "".into(),
    };
    let (treat, urgent) = (Purpose::Treatment, Purpose::Emergency);
    let valid = Some(Word::Grant(NOW + 1));
    let table = [
        ("own", NodeId(9), treat, None, false, Ok(Reason::Own)),
        (
            "own, urgent",
            NodeId(9),
            urgent,
            None,
            false,
            Ok(Reason::Own),
        ),
        ("no grant", ASKER, treat, None, true, Err(Reason::NoGrant)),
        ("granted", ASKER, treat, valid, true, Ok(Reason::Granted)),
        ("urgent", ASKER, urgent, None, true, Ok(Reason::Emergency)),
        (
            "urgent and granted",
            ASKER,
            urgent,
            valid,
            false,
            Ok(Reason::Granted),
        ),
        (
            "urgent, denied",
            ASKER,
            urgent,
            Some(Word::Denial),
            true,
            Ok(Reason::Emergency),
        ),
        (
            "urgent, not allowed",
            ASKER,
            urgent,
            None,
            false,
            Err(Reason::NoEmergency),
        ),
    ];
    for (desc, requester, purpose, own, allowed, ruled) in table {
        let state = words(own, None);
        let got = ruling(&state, &record, requester, purpose, allowed, NOW);
        assert_eq!(got, ruled, "{desc}");
    }
}
