#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::sharing::arbitrary::{config, damage, purpose, reader, round_trip, scope};
use proptest::prelude::*;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn scopes_and_readers_come_back_and_damage_is_noticed(
        scope in scope(),
        need in (purpose(), reader()),
        damage in damage(),
    ) {
        // It stands at the end of something, and nothing is written of the usual one.
        let encode = |scope: &Scope| {
            let mut out = Vec::new();
            let mut e = Encoder::new(&mut out);
            e.u8(0);
            scope.encode(&mut e);
            out
        };
        prop_assert_eq!(encode(&scope).len(), 1 + scope.encoded_len());
        let whole = |bytes: &[u8]| {
            let mut d = Decoder::new(bytes);
            match d.u8()? {
                0 => {}
                tag => return Err(CodecError::Tag(tag)),
            }
            let scope = Scope::decode(&mut d)?;
            d.end().map(|()| scope)
        };
        round_trip(&scope, encode, whole, &damage);
        let encode = |(purpose, reader): &(Purpose, Reader)| {
            let mut out = Vec::new();
            reader.encode(*purpose, &mut Encoder::new(&mut out));
            out
        };
        prop_assert_eq!(encode(&need).len(), need.1.encoded_len());
        let whole = |bytes: &[u8]| {
            let mut d = Decoder::new(bytes);
            let need = Reader::decode(&mut d)?;
            d.end().map(|()| need)
        };
        round_trip(&need, encode, whole, &damage);
    }

    #[test]
    fn any_bytes_have_a_type(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = ResourceType::of_json(&bytes);
    }
}

#[test]
fn the_type_of_a_document_is_that_of_its_outermost_object() {
    use ResourceType as T;
    for (text, kind) in [
        (r#"{"resourceType":"Condition","id":"7"}"#, T::Condition),
        (r#"{"id":"7", "resourceType" : "CarePlan"}"#, T::CarePlan),
        (
            r#"{"contained":[{"resourceType":"Observation"}],"resourceType":"Procedure"}"#,
            T::Procedure,
        ),
        (
            r#"{"note":"\"resourceType\":\"Condition\"","resourceType":"Encounter"}"#,
            T::Encounter,
        ),
        (r#"{"note":"resourceType","text":"Condition"}"#, T::Other),
        (r#"{"a":1,"resourceType":"Questionnaire"}"#, T::Other),
        (r#"{"resourceType":{"x":"Condition"}}"#, T::Other),
        ("body", T::Other),
        ("\"resourceType\":\"Condition\"", T::Other),
        ("{\"resourceType\":\"Cond", T::Other),
    ] {
        assert_eq!(T::of_json(text.as_bytes()), kind, "{text}");
    }
}

#[test]
fn words_and_codes_lead_back() {
    for kind in ResourceType::ALL {
        assert_eq!(ResourceType::of_code(kind.code()), Ok(*kind));
        assert_eq!(ResourceType::of_word(kind.word()), Some(*kind));
        assert!(kind.code() < 32, "a bit of a scope");
    }
    for role in Role::ALL {
        assert_eq!(Role::of_code(role.code()), Ok(*role));
        assert_eq!(Role::of_word(role.word()), Some(*role));
    }
    for purpose in Purpose::ALL {
        assert_eq!(Purpose::of_code(purpose.code()), Ok(*purpose));
    }
    let scope = Scope::default();
    assert_eq!(scope.types(), []);
    assert_eq!(scope.purposes(), [Purpose::Treatment, Purpose::Emergency]);
    let some = scope.of_types(&[ResourceType::CarePlan]);
    assert_eq!(some.types(), [ResourceType::CarePlan]);
}
