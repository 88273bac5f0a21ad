#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::arbitrary::{command, config, damage, round_trip};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn commands_come_back_and_damage_is_noticed(command in command(), damage in damage()) {
        round_trip(&command, |c| c.body().to_vec(), Command::decode, &damage);
    }

    #[test]
    fn no_bytes_make_a_command_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(command) = Command::decode(&bytes) {
            prop_assert_eq!(command.body().to_vec(), bytes);
        }
    }
}

#[test]
fn the_limits_of_a_command_hold() {
    let register = |length: usize| Command::Register {
        record: RecordId(1),
        pseudonym: Pseudonym([2; 32]),
        digest: Digest::ZERO,
        size: 3,
        address: "a".repeat(length).into(),
        kind: crate::sharing::ResourceType::Unstated,
    };
    let decoded = |length| Command::decode(&register(length).body());
    assert_eq!(decoded(MAX_ADDRESS), Ok(register(MAX_ADDRESS)));
    assert_eq!(
        decoded(MAX_ADDRESS + 1),
        Err(CodecError::TooLong(MAX_ADDRESS + 1))
    );
}

#[test]
fn wrong_versions_tags_and_values_are_named() {
    let refusal = Command::Refusal {
        subject: NodeId(4),
        reason: Refusal::Expired,
    };
    let body = refusal.body();
    let with = |at: usize, byte: u8| {
        let mut bytes = body.to_vec();
        bytes[at] = byte;
        Command::decode(&bytes)
    };
    assert_eq!(with(0, 9), Err(CodecError::Version(9)));
    assert_eq!(with(1, 200), Err(CodecError::Tag(200)));
    assert_eq!(with(6, 99), Err(CodecError::Tag(99)));
    let mut decide = Command::Decide {
        request: RequestId(1),
        permit: true,
        expires_ns: -1,
        scope: crate::sharing::Scope::default(),
    }
    .body()
    .to_vec();
    decide[10] = 2;
    assert_eq!(
        Command::decode(&decide),
        Err(CodecError::Invalid("truth value"))
    );
}
