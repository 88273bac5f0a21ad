#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::arbitrary::{
    config, damage, digest, grantee, kind, node, pseudonym, record, round_trip, scope, text,
};
use crate::sharing::scope::{Reader, Role, Who};
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
        (kind, scope) in (kind(), scope()),
        (requester, entry, open) in (node(), node(), any::<bool>()),
        (expires, word) in (any::<i64>(), 0..3),
        damage in damage(),
    ) {
        let record = RecordEntry { provider, pseudonym, digest, size, address, kind };
        round_trip(&record, RecordEntry::encode, decoded(RecordEntry::decode), &damage);
        let request = RequestEntry { pseudonym, requester, entry, open };
        round_trip(&request, RequestEntry::encode, decoded(RequestEntry::decode), &damage);
        let word = [Word::Grant(expires, scope), Word::Denial, Word::Withdrawal][word as usize];
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

fn until(end_ns: i64) -> Word {
    Word::Grant(end_ns, Scope::default())
}
/// The first doctor of an institution, for treatment.
fn by(requester: NodeId) -> Use {
    Use {
        requester,
        reader: Reader::default(),
        purpose: Purpose::Treatment,
        of: Some(ResourceType::Unstated),
    }
}

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
    let valid = Some(until(NOW + 1));
    let over = Some(until(NOW));
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
        assert_eq!(
            consented(&state, &PATIENT, &by(ASKER), NOW),
            ruled,
            "{desc}"
        );
    }
    let other = words(valid, None);
    let asked = consented(&other, &PATIENT, &by(NodeId(3)), NOW);
    assert_eq!(asked, Err(Reason::NoGrant), "another institution");
    let asked = consented(&other, &Pseudonym([2; 32]), &by(ASKER), NOW);
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
        kind: ResourceType::Unstated,
    };
    let (treat, urgent) = (Purpose::Treatment, Purpose::Emergency);
    let valid = Some(until(NOW + 1));
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
        let wanted = Use {
            purpose,
            ..by(requester)
        };
        let got = ruling(&state, &record, &wanted, allowed, NOW);
        assert_eq!(got, ruled, "{desc}");
    }
}

/// One dimension of the scope after the other, each from both sides.
#[test]
fn every_dimension_of_the_scope_is_honoured() {
    let whole = Scope::default();
    let observations = whole.of_types(&[ResourceType::Observation, ResourceType::Condition]);
    let research = whole.for_purposes(&[Purpose::Research]);
    let nurse = Reader {
        role: Role::Nurse,
        person: 4,
    };
    let other_nurse = Reader { person: 5, ..nurse };
    let role = whole.for_whom(Who::Role(Role::Nurse));
    let person = whole.for_whom(Who::Person(nurse));
    let of = |kind| Use {
        of: Some(kind),
        ..by(ASKER)
    };
    let purpose = |purpose| Use {
        purpose,
        ..by(ASKER)
    };
    let reader = |reader| Use {
        reader,
        ..by(ASKER)
    };
    let outside = Err(Reason::OutOfScope);
    let yes = Ok(Reason::Granted);
    let table = [
        ("a type", observations, of(ResourceType::Observation), yes),
        ("another", observations, of(ResourceType::Condition), yes),
        (
            "none of them",
            observations,
            of(ResourceType::Procedure),
            outside,
        ),
        (
            "no type stated",
            observations,
            of(ResourceType::Unstated),
            outside,
        ),
        ("any type", whole, of(ResourceType::Procedure), yes),
        ("treatment", whole, purpose(Purpose::Treatment), yes),
        ("urgent", whole, purpose(Purpose::Emergency), yes),
        ("payment", whole, purpose(Purpose::Payment), outside),
        ("operations", whole, purpose(Purpose::Operations), outside),
        ("research", whole, purpose(Purpose::Research), outside),
        ("for research", research, purpose(Purpose::Research), yes),
        (
            "not to treat",
            research,
            purpose(Purpose::Treatment),
            outside,
        ),
        ("anybody", whole, reader(nurse), yes),
        ("of the role", role, reader(nurse), yes),
        ("another of it", role, reader(other_nurse), yes),
        ("another role", role, by(ASKER), outside),
        ("the person", person, reader(nurse), yes),
        ("another person", person, reader(other_nurse), outside),
        ("a doctor", person, by(ASKER), outside),
        (
            "another institution",
            person,
            Use {
                requester: NodeId(3),
                ..reader(nurse)
            },
            Err(Reason::NoGrant),
        ),
    ];
    for (desc, scope, wanted, ruled) in table {
        let state = words(Some(Word::Grant(NOW + 1, scope)), None);
        assert_eq!(consented(&state, &PATIENT, &wanted, NOW), ruled, "{desc}");
    }
    // What the word to the institution does not comprise, that to everybody may.
    let state = words(Some(Word::Grant(NOW + 1, research)), Some(until(NOW + 1)));
    assert_eq!(consented(&state, &PATIENT, &by(ASKER), NOW), yes);
    let state = words(Some(Word::Grant(NOW + 1, research)), Some(Word::Denial));
    assert_eq!(
        consented(&state, &PATIENT, &by(ASKER), NOW),
        Err(Reason::Denied)
    );
}

/// A grant holds in a block of its first instant, and no more in one of its last.
#[test]
fn a_grant_begins_and_ends_at_the_time_of_a_block() {
    let scope = Scope::default().from(NOW - 10);
    let state = words(Some(Word::Grant(NOW, scope)), None);
    for (at, ruled) in [
        (NOW - 11, Err(Reason::NotYet)),
        (NOW - 10, Ok(Reason::Granted)),
        (NOW - 9, Ok(Reason::Granted)),
        (NOW - 1, Ok(Reason::Granted)),
        (NOW, Err(Reason::Expired)),
        (NOW + 1, Err(Reason::Expired)),
    ] {
        assert_eq!(consented(&state, &PATIENT, &by(ASKER), at), ruled, "{at}");
    }
}
