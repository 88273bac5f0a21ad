#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::ledger::WorldState;
use crate::node::membership::Refusal;
use crate::sharing::ids::{RecordId, RequestId};
use crate::sharing::scope::{Scope, Use};
use crate::sharing::testing::{CHAIN, OUTSIDER, SUPERVISION, members};
use consim_core::{Digest, Keyring, OpId, TxId};

const ANN: Pseudonym = Pseudonym([1; 32]);
const BOB: Pseudonym = Pseudonym([2; 32]);
const LATER: i64 = 10_000;

/// The contract on a state, without a chain around it.
struct Rig {
    now: i64,
    machine: SharingMachine,
    state: WorldState,
    keys: Vec<consim_core::SecretKey>,
    number: u64,
    height: u64,
}

impl Rig {
    fn new() -> Self {
        let supervision: Arc<[NodeId]> = [SUPERVISION].into();
        let machine = SharingMachine::new(members(), supervision);
        let mut state = WorldState::new();
        machine.genesis(&mut state);
        Self {
            now: 0,
            machine,
            state,
            keys: Keyring::generate(OUTSIDER.0 + 1, 1).1,
            number: 0,
            height: 1,
        }
    }
    fn body(&mut self, origin: u32, body: Arc<[u8]>) -> Result<(), Reason> {
        self.number += 1;
        let id = TxId {
            origin: NodeId(origin),
            number: self.number,
        };
        let key = &self.keys[origin as usize];
        let tx = Tx::new(id, CHAIN, OpId(self.number), body, key);
        let at = ApplyAt {
            height: self.height,
            time_ns: self.now,
        };
        let before = self.state.root();
        match self.machine.apply(&mut self.state, &tx, at) {
            Receipt::Applied => Ok(()),
            Receipt::Refused(word) => {
                assert_eq!(self.state.root(), before, "a refused command left a trace");
                Err(Reason::of_word(word).unwrap())
            }
            Receipt::Duplicate => panic!("the contract knows no repeats"),
        }
    }
    fn run(&mut self, origin: u32, command: &Command) -> Result<(), Reason> {
        self.body(origin, command.body())
    }
    /// May institution `requester` read what belongs to `patient`, at block time `now`?
    fn ruling(&self, patient: Pseudonym, requester: u32, now: i64) -> Result<Reason, Reason> {
        let state: &dyn State = &self.state;
        let wanted = Use {
            requester: NodeId(requester),
            reader: crate::sharing::Reader::default(),
            purpose: Purpose::Treatment,
            of: None,
        };
        crate::sharing::state::consented(state, &patient, &wanted, now)
    }
}

fn register(record: u64, patient: Pseudonym) -> Command {
    Command::Register {
        record: RecordId(record),
        pseudonym: patient,
        digest: Digest::of(&record.to_be_bytes()),
        size: 8,
        address: format!("here/{record}").into(),
        kind: crate::sharing::ResourceType::Unstated,
    }
}
fn request(request: u64, patient: Pseudonym, requester: u32) -> Command {
    Command::Request {
        request: RequestId(request),
        pseudonym: patient,
        requester: NodeId(requester),
        purpose: Purpose::Treatment,
    }
}
fn decide(request: u64, permit: bool, expires_ns: i64) -> Command {
    Command::Decide {
        request: RequestId(request),
        permit,
        expires_ns,
        scope: Scope::default(),
    }
}
fn grant(pseudonym: Pseudonym, grantee: Grantee) -> Command {
    Command::Grant {
        pseudonym,
        grantee,
        expires_ns: LATER,
        scope: Scope::default(),
    }
}
fn to(node: u32) -> Grantee {
    Grantee::Institution(NodeId(node))
}

#[test]
fn a_record_is_registered_once_by_whoever_keeps_it() {
    let mut rig = Rig::new();
    assert_eq!(rig.run(1, &register(7, ANN)), Ok(()));
    let state: &dyn State = &rig.state;
    let entry = state.record(RecordId(7)).unwrap();
    assert_eq!((entry.provider, entry.pseudonym), (NodeId(1), ANN));
    assert_eq!(entry.digest, Digest::of(&7u64.to_be_bytes()));
    assert_eq!((entry.size, &*entry.address), (8, "here/7"));
    for origin in [1, 2] {
        let again = rig.run(origin, &register(7, BOB));
        assert_eq!(again, Err(Reason::RegisteredTwice));
    }
}

#[test]
fn only_members_command() {
    let mut rig = Rig::new();
    let refused = rig.run(OUTSIDER.0, &grant(ANN, Grantee::Everyone));
    assert_eq!(refused, Err(Reason::NotAllowed));
    assert_eq!(rig.body(0, [1, 99].into()), Err(Reason::Malformed));
    assert_eq!(rig.body(0, [].into()), Err(Reason::Malformed));
}

#[test]
fn a_request_is_answered_once_and_by_its_entry_alone() {
    let mut rig = Rig::new();
    assert_eq!(
        rig.run(0, &decide(5, true, LATER)),
        Err(Reason::NoOpenRequest)
    );
    assert_eq!(rig.run(0, &request(5, ANN, 0)), Ok(()));
    assert_eq!(rig.run(0, &request(5, BOB, 0)), Err(Reason::RequestedTwice));
    assert_eq!(rig.ruling(ANN, 0, 0), Err(Reason::NoGrant));
    // Not even the requester's rival, nor the patient's other hospital, may answer for the patient.
    assert_eq!(rig.run(1, &decide(5, true, LATER)), Err(Reason::NotAllowed));
    assert_eq!(rig.run(0, &decide(5, true, LATER)), Ok(()));
    assert_eq!(rig.ruling(ANN, 0, LATER - 1), Ok(Reason::Granted));
    assert_eq!(rig.ruling(ANN, 0, LATER), Err(Reason::Expired));
    assert_eq!(rig.ruling(ANN, 1, 0), Err(Reason::NoGrant));
    assert_eq!(rig.run(0, &decide(5, false, 0)), Err(Reason::NoOpenRequest));
    assert_eq!(rig.ruling(ANN, 0, 0), Ok(Reason::Granted));

    assert_eq!(rig.run(0, &request(6, ANN, 0)), Ok(()));
    assert_eq!(rig.run(0, &decide(6, false, LATER)), Ok(()));
    assert_eq!(rig.ruling(ANN, 0, 0), Err(Reason::Denied));
}

#[test]
fn a_member_requests_for_itself_and_for_outsiders() {
    let mut rig = Rig::new();
    assert_eq!(rig.run(0, &request(1, ANN, 1)), Err(Reason::NotAllowed));
    assert_eq!(rig.run(0, &request(1, ANN, OUTSIDER.0)), Ok(()));
    assert_eq!(rig.run(0, &decide(1, true, LATER)), Ok(()));
    assert_eq!(rig.ruling(ANN, OUTSIDER.0, 0), Ok(Reason::Granted));
    let urgent = Command::Request {
        request: RequestId(2),
        pseudonym: ANN,
        requester: NodeId(0),
        purpose: Purpose::Emergency,
    };
    assert_eq!(rig.run(0, &urgent), Err(Reason::NoRequestNeeded));
}

#[test]
fn only_a_grant_can_be_revoked() {
    let revoke = |grantee| Command::Revoke {
        pseudonym: ANN,
        grantee,
    };
    let deny = |grantee| Command::Deny {
        pseudonym: ANN,
        grantee,
    };
    let nothing = Err(Reason::NothingToRevoke);
    let mut rig = Rig::new();
    assert_eq!(rig.run(0, &revoke(to(1))), nothing);
    assert_eq!(rig.run(0, &revoke(Grantee::Everyone)), nothing);
    rig.run(0, &grant(BOB, Grantee::Everyone)).unwrap();
    assert_eq!(rig.run(0, &revoke(to(1))), nothing, "another patient's");

    rig.run(0, &grant(ANN, to(1))).unwrap();
    assert_eq!(rig.run(2, &revoke(to(1))), Ok(()), "from any hospital");
    assert_eq!(rig.ruling(ANN, 1, 0), Err(Reason::Revoked));
    assert_eq!(rig.run(0, &revoke(to(1))), nothing, "twice");

    // One institution is left out of a grant to everybody.
    rig.run(0, &grant(ANN, Grantee::Everyone)).unwrap();
    assert_eq!(rig.ruling(ANN, 1, 0), Err(Reason::Revoked));
    assert_eq!(rig.run(0, &revoke(to(2))), Ok(()));
    assert_eq!(rig.ruling(ANN, 2, 0), Err(Reason::Revoked));
    assert_eq!(rig.ruling(ANN, 0, 0), Ok(Reason::Granted));
    rig.run(0, &deny(to(0))).unwrap();
    assert_eq!(rig.run(0, &revoke(to(0))), nothing, "denied already");
    assert_eq!(rig.run(0, &revoke(Grantee::Everyone)), Ok(()));
    assert_eq!(rig.ruling(ANN, 3, 0), Err(Reason::Revoked));
    // A new grant ends a withdrawal and a denial.
    for node in [0, 1] {
        rig.run(0, &grant(ANN, to(node))).unwrap();
        assert_eq!(rig.ruling(ANN, node, 0), Ok(Reason::Granted));
    }
}

#[test]
fn an_audit_entry_is_the_providers_about_its_record_and_the_past() {
    let mut rig = Rig::new();
    rig.height = 4;
    rig.run(1, &register(7, ANN)).unwrap();
    let access = |record, height| {
        Command::Access(Access {
            record: RecordId(record),
            requester: NodeId(2),
            purpose: Purpose::Treatment,
            reader: crate::sharing::Reader::default(),
            permit: false,
            reason: Reason::NoGrant,
            height,
        })
    };
    assert_eq!(rig.run(1, &access(7, 3)), Ok(()));
    assert_eq!(rig.run(2, &access(7, 3)), Err(Reason::NotAllowed));
    assert_eq!(rig.run(1, &access(8, 3)), Err(Reason::UnknownRecord));
    assert_eq!(rig.run(1, &access(7, 4)), Err(Reason::FutureHeight));
    let refusal = Command::Refusal {
        subject: OUTSIDER,
        reason: Refusal::Expired,
    };
    assert_eq!(rig.run(2, &refusal), Ok(()));
}

#[test]
fn supervision_reads_without_gaps_and_nobody_else_does() {
    let read = |from, to| Command::AuditRead {
        from,
        to,
        entries: 0,
    };
    let mut rig = Rig::new();
    rig.height = 10;
    assert_eq!(rig.run(1, &read(1, 5)), Err(Reason::NotAllowed));
    let supervision = SUPERVISION.0;
    assert_eq!(rig.run(supervision, &read(2, 5)), Err(Reason::AuditGap));
    assert_eq!(
        rig.run(supervision, &read(1, 10)),
        Err(Reason::FutureHeight)
    );
    assert_eq!(rig.run(supervision, &read(1, 0)), Err(Reason::AuditGap));
    assert_eq!(rig.run(supervision, &read(1, 5)), Ok(()));
    for (from, to) in [(1, 5), (5, 7), (7, 9)] {
        let refused = rig.run(supervision, &read(from, to));
        assert_eq!(refused, Err(Reason::AuditGap), "{from}..{to}");
    }
    assert_eq!(rig.run(supervision, &read(6, 9)), Ok(()));
    let state: &dyn State = &rig.state;
    assert_eq!(state.swept(SUPERVISION), 9);
}

fn appoint(by: Pseudonym, until_ns: i64, guardian: bool, bounds: Scope) -> Command {
    Command::Appoint {
        pseudonym: ANN,
        by,
        until_ns,
        guardian,
        bounds,
    }
}
fn spoken(by: Pseudonym, word: Command) -> Command {
    Command::Spoken {
        by,
        word: Arc::new(word),
    }
}
fn revoke_of(node: u32) -> Command {
    Command::Revoke {
        pseudonym: ANN,
        grantee: to(node),
    }
}

#[test]
fn a_delegate_speaks_within_bounds_until_the_delegation_ends() {
    let care = Scope::default();
    let research = care.for_purposes(&[Purpose::Research]);
    let granted = |scope| Command::Grant {
        pseudonym: ANN,
        grantee: to(1),
        expires_ns: LATER,
        scope,
    };
    let mut rig = Rig::new();
    let no = Err(Reason::NoPower);
    assert_eq!(
        rig.run(0, &spoken(BOB, granted(care))),
        no,
        "appointed by nobody"
    );
    rig.run(0, &appoint(BOB, 100, false, care)).unwrap();
    assert_eq!(rig.run(0, &spoken(ANN, granted(care))), no, "somebody else");
    assert_eq!(
        rig.run(0, &spoken(BOB, granted(research))),
        no,
        "out of bounds"
    );
    rig.now = 99;
    assert_eq!(rig.run(2, &spoken(BOB, granted(care))), Ok(()));
    // It ends with the delegation, and Ann may take it back as well as Bob.
    assert_eq!(rig.ruling(ANN, 1, 99), Ok(Reason::Granted));
    assert_eq!(rig.ruling(ANN, 1, 100), Err(Reason::Expired));
    assert_eq!(rig.run(0, &spoken(BOB, revoke_of(1))), Ok(()));
    assert_eq!(rig.ruling(ANN, 1, 99), Err(Reason::Revoked));
    rig.run(0, &spoken(BOB, granted(care))).unwrap();
    rig.run(0, &revoke_of(1)).unwrap();
    for now in [100, 101] {
        rig.now = now;
        for word in [granted(care), revoke_of(1)] {
            assert_eq!(rig.run(0, &spoken(BOB, word)), no, "at {now}");
        }
    }
}

#[test]
fn a_delegate_who_is_dismissed_speaks_no_more() {
    let dismiss = Command::Dismiss {
        pseudonym: ANN,
        by: BOB,
    };
    let mut rig = Rig::new();
    assert_eq!(rig.run(0, &dismiss), Err(Reason::NoPower));
    rig.run(0, &appoint(BOB, 100, false, Scope::default()))
        .unwrap();
    rig.run(0, &dismiss).unwrap();
    assert_eq!(
        rig.run(0, &spoken(BOB, grant(ANN, to(1)))),
        Err(Reason::NoPower)
    );
    assert_eq!(rig.run(0, &dismiss), Err(Reason::NoPower), "twice");
}

#[test]
fn a_guardian_speaks_until_the_minor_comes_of_age() {
    let all = Scope::default();
    let mut rig = Rig::new();
    rig.run(0, &appoint(BOB, 100, true, all)).unwrap();
    rig.run(0, &request(5, ANN, 0)).unwrap();
    rig.now = 99;
    let minor = Err(Reason::Minor);
    // The minor neither grants, nor answers, nor appoints somebody else.
    assert_eq!(rig.run(0, &grant(ANN, to(1))), minor);
    assert_eq!(rig.run(0, &decide(5, true, LATER)), minor);
    assert_eq!(rig.run(0, &appoint(BOB, 200, false, all)), minor);
    assert_eq!(rig.run(0, &spoken(BOB, decide(5, true, LATER))), Ok(()));
    assert_eq!(rig.run(0, &spoken(BOB, grant(ANN, to(1)))), Ok(()));
    for node in [0, 1] {
        assert_eq!(rig.ruling(ANN, node, 99), Ok(Reason::Granted));
        assert_eq!(rig.ruling(ANN, node, 100), Err(Reason::Expired), "of age");
    }
    rig.now = 100;
    let no = Err(Reason::NoPower);
    assert_eq!(rig.run(0, &spoken(BOB, grant(ANN, to(1)))), no);
    assert_eq!(rig.run(0, &spoken(BOB, revoke_of(1))), no);
    assert_eq!(rig.run(0, &grant(ANN, to(1))), Ok(()));
    assert_eq!(rig.ruling(ANN, 1, 100), Ok(Reason::Granted));
}
