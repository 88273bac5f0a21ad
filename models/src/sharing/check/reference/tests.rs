#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::ledger::testing::{batch, committed};
use crate::ledger::{ExecutionCache, Ledger, LedgerConfig, WorldState};
use crate::sharing::SharingMachine;
use crate::sharing::arbitrary::{config, kind, purpose, reader, scope};
use crate::sharing::state::{Lookup, consented};
use crate::sharing::testing::{CHAIN, OUTSIDER, SUPERVISION, members};
use consim_core::{ChainId, Keyring, OpId, SecretKey, State, Tx, TxId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use std::sync::Arc;

/// Two patients, two records, three requests, three askers: few enough to collide all the time.
fn pseudonym() -> impl Strategy<Value = Pseudonym> {
    (1u8..3).prop_map(|i| Pseudonym([i; 32]))
}
fn asker() -> impl Strategy<Value = NodeId> {
    select(vec![NodeId(0), NodeId(1), OUTSIDER])
}
fn grantee() -> impl Strategy<Value = Grantee> {
    prop_oneof![
        Just(Grantee::Everyone),
        asker().prop_map(Grantee::Institution)
    ]
}
fn request() -> impl Strategy<Value = RequestId> {
    (1u64..4).prop_map(RequestId)
}
/// Block times run from 0 to about 100.
fn expiry() -> impl Strategy<Value = i64> {
    -1i64..120
}

/// A command, or a word that somebody speaks for the patient.
fn command() -> impl Strategy<Value = Command> {
    let plain = plain().boxed();
    let spoken = (pseudonym(), plain.clone()).prop_map(|(by, word)| match word {
        Command::Grant { .. }
        | Command::Deny { .. }
        | Command::Revoke { .. }
        | Command::Decide { .. } => Command::Spoken {
            by,
            word: Arc::new(word),
        },
        other => other,
    });
    prop_oneof![2 => plain, 1 => spoken]
}

fn plain() -> impl Strategy<Value = Command> {
    let purpose = prop_oneof![9 => Just(Purpose::Treatment), 1 => Just(Purpose::Emergency)];
    prop_oneof![
        1 => (1u64..3, pseudonym()).prop_map(|(record, pseudonym)| Command::Register {
            record: RecordId(record),
            pseudonym,
            digest: Digest::ZERO,
            size: 0,
            address: "".into(),
            kind: crate::sharing::ResourceType::Unstated,
        }),
        3 => (request(), pseudonym(), asker(), purpose).prop_map(
            |(request, pseudonym, requester, purpose)| Command::Request {
                request,
                pseudonym,
                requester,
                purpose,
            }
        ),
        3 => (request(), any::<bool>(), expiry(), scope()).prop_map(|(request, permit, expires_ns, scope)| {
            Command::Decide {
                request,
                permit,
                expires_ns,
                scope,
            }
        }),
        3 => (pseudonym(), grantee(), expiry(), scope()).prop_map(|(pseudonym, grantee, expires_ns, scope)| {
            Command::Grant {
                pseudonym,
                grantee,
                expires_ns,
                scope,
            }
        }),
        2 => (pseudonym(), pseudonym(), expiry(), any::<bool>(), scope()).prop_map(
            |(pseudonym, by, until_ns, guardian, bounds)| Command::Appoint {
                pseudonym,
                by,
                until_ns,
                guardian,
                bounds,
            }
        ),
        1 => (pseudonym(), pseudonym())
            .prop_map(|(pseudonym, by)| Command::Dismiss { pseudonym, by }),
        1 => (pseudonym(), grantee())
            .prop_map(|(pseudonym, grantee)| Command::Deny { pseudonym, grantee }),
        3 => (pseudonym(), grantee())
            .prop_map(|(pseudonym, grantee)| Command::Revoke { pseudonym, grantee }),
    ]
}

/// How a transaction comes to the chain.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// As it should.
    Straight,
    /// And once more in the same block.
    Twice,
    /// Signed by somebody else.
    Forged,
    /// For another chain.
    Astray,
}

/// A block: the time since the one before, and its commands with their origins.
type Plan = (i64, Vec<(u32, Command, Way)>);

fn plan() -> impl Strategy<Value = Vec<Plan>> {
    let way = prop_oneof![
        12 => Just(Way::Straight),
        1 => Just(Way::Twice),
        1 => Just(Way::Forged),
        1 => Just(Way::Astray),
    ];
    let origin = prop_oneof![9 => 0u32..2, 1 => Just(OUTSIDER.0)];
    let tx = (origin, command(), way);
    vec((0i64..10, vec(tx, 1..5)), 1..12)
}

/// The transactions of a block.
fn txs(keys: &[SecretKey], number: &mut u64, plan: &[(u32, Command, Way)]) -> Vec<Arc<Tx>> {
    let mut txs = Vec::new();
    for (origin, command, way) in plan {
        *number += 1;
        let id = TxId {
            origin: NodeId(*origin),
            number: *number,
        };
        let own = &keys[*origin as usize];
        let (chain, key) = match way {
            Way::Straight | Way::Twice => (CHAIN, own),
            Way::Forged => (CHAIN, &keys[2]),
            Way::Astray => (ChainId(CHAIN.0 + 1), own),
        };
        let tx = Arc::new(Tx::new(id, chain, OpId(*number), command.body(), key));
        if matches!(way, Way::Twice) {
            txs.push(Arc::clone(&tx));
        }
        txs.push(tx);
    }
    txs
}

/// The states of the contract after each block, and the reference that took the same blocks.
fn execute(plan: &[Plan]) -> (Vec<(i64, WorldState)>, Reference) {
    let (keys, secrets) = Keyring::generate(OUTSIDER.0 + 1, 1);
    let mut ledger = Ledger::new(LedgerConfig {
        chain: CHAIN,
        machine: Arc::new(SharingMachine::new(members(), [SUPERVISION].into())),
        keys,
        executions: ExecutionCache::off(),
    });
    let mut reference = Reference::new(&members());
    let (mut states, mut now, mut number) = (Vec::new(), 0, 0);
    for (sequence, (gap, commands)) in (1..).zip(plan) {
        now += gap;
        let txs = txs(&secrets, &mut number, commands);
        let ordered = committed(CHAIN, sequence, batch(NodeId(0), now, txs));
        let block = ledger.execute(&ordered).unwrap().block;
        assert!(reference.take(&block));
        assert!(!reference.take(&block), "a block counts once");
        states.push((block.header.time_ns, ledger.state().clone()));
    }
    (states, reference)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..config() })]

    /// The contract's rule and the reference share no code, and rule alike at every height.
    #[test]
    fn contract_and_reference_rule_alike_at_every_height(
        plan in plan(),
        (reader, purpose, of) in (reader(), purpose(), kind()),
    ) {
        let (states, reference) = execute(&plan);
        prop_assert_eq!(reference.height(), states.len() as u64);
        for (height, (time, state)) in (1..).zip(&states) {
            let state: &dyn State = state;
            for patient in 1..3 {
                let patient = Pseudonym([patient; 32]);
                for asker in [NodeId(0), NodeId(1), NodeId(3), OUTSIDER] {
                    let wanted = Use { requester: asker, reader, purpose, of: Some(of) };
                    prop_assert_eq!(
                        consented(state, &patient, &wanted, *time).is_ok(),
                        reference.consented(patient, &wanted, height),
                        "{} of {} at height {}", asker, patient, height
                    );
                }
            }
            for record in [RecordId(1), RecordId(2)] {
                let kept = state.record(record).map(|r| (r.provider, r.pseudonym));
                let known = reference.record(record, height).map(|r| (r.provider, r.pseudonym));
                prop_assert_eq!(kept, known);
            }
        }
    }
}

#[test]
fn nothing_is_consented_where_there_is_no_block() {
    let ann = Pseudonym([1; 32]);
    let grant = Command::Grant {
        pseudonym: ann,
        grantee: Grantee::Everyone,
        expires_ns: 1_000,
        scope: crate::sharing::Scope::default(),
    };
    let wanted = Use {
        requester: NodeId(1),
        reader: crate::sharing::Reader::default(),
        purpose: Purpose::Treatment,
        of: None,
    };
    let (_, reference) = execute(&[(5, vec![(0, grant, Way::Straight)])]);
    assert!(reference.consented(ann, &wanted, 1));
    assert!(!reference.consented(ann, &wanted, 0));
    assert!(!reference.consented(ann, &wanted, 2));
}

#[test]
fn a_gap_in_the_heights_is_not_taken() {
    let deny = Command::Deny {
        pseudonym: Pseudonym([1; 32]),
        grantee: Grantee::Everyone,
    };
    let plan: Vec<Plan> = (0..2)
        .map(|_| (1, vec![(0, deny.clone(), Way::Straight)]))
        .collect();
    let (keys, secrets) = Keyring::generate(9, 1);
    let mut ledger = Ledger::new(LedgerConfig {
        chain: CHAIN,
        machine: Arc::new(SharingMachine::new(members(), [SUPERVISION].into())),
        keys,
        executions: ExecutionCache::off(),
    });
    let mut number = 0;
    let mut blocks = Vec::new();
    for (sequence, (_, commands)) in (1..).zip(&plan) {
        let txs = txs(&secrets, &mut number, commands);
        let ordered = committed(CHAIN, sequence, batch(NodeId(0), 1, txs));
        blocks.push(ledger.execute(&ordered).unwrap().block);
    }
    let mut reference = Reference::new(&members());
    assert!(!reference.take(&blocks[1]));
    assert!(reference.take(&blocks[0]));
    assert!(reference.take(&blocks[1]));
}
