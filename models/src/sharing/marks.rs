//! Marks of data sharing.

use consim_core::marks;

marks! {
    READ_IN_EMERGENCY = "emergency-read": "A record was released in an emergency, without the patient's word.";
    READ_AFTER_REVOKE = "read-refused-after-revoke": "A read was refused, since the patient had taken the grant back.";
    READ_AFTER_DENIAL = "read-refused-after-denial": "A read was refused, since the patient had said no.";
    READ_WITHOUT_GRANT = "read-refused-without-grant": "A read was refused, since no word of the patient allows it.";
    READ_OUT_OF_SCOPE = "read-refused-out-of-scope": "A read was refused, since the patient's grant does not comprise it.";
    READ_AFTER_EXPIRY = "read-refused-after-expiry": "A read was refused, since the patient's grant had run out.";
    READ_STALE = "read-refused-stale": "A read was refused, since the last block of the provider was older than the lease.";
    READ_ORDERED = "read-decided-in-order": "A read was decided where it was ordered.";
    PERMIT_TURNED_DOWN = "permit-turned-down": "What a provider permitted was turned down where its audit entry was executed.";
    SPOKEN_FOR = "patient-spoken-for": "A delegate or guardian spoke for a patient, and it took effect.";
    POWER_OVER = "power-to-speak-refused": "Whoever spoke for a patient was refused, since the power had ended or never comprised it.";
    COPIES_DELETED = "copies-deleted": "An institution deleted its copies, since a consent was taken back.";
    KEYS_SHREDDED = "keys-shredded": "A provider destroyed the keys of copies, since a consent was taken back.";
    REVOKE_RACED_READ = "revoke-raced-read": "A consent was taken back after the decision on a read and before its record went out.";
    PROVIDER_BEHIND = "provider-behind-asker": "A provider had not executed what the asker had seen, and waited for it.";
    READ_FORWARDED = "read-forwarded": "A read was forwarded to the server that keeps the record.";
    ORIGINAL_FOUND = "original-found-on-disk": "A record was registered whose original was on the disk already, as a crash came in between.";
    REGISTERED_TWICE = "registered-twice": "A record was refused, since it is registered or under way.";
    REFUSAL_AUDITED = "refusal-audited": "A refusal of somebody unauthenticated went into the audit trail.";
    ASKED_ANEW = "asked-anew": "A desk asked for a record again, since the answer stood in a block that its server never had.";
    PATIENT_REFUSED = "patient-refused": "A patient was asked for consent and said no.";
    ORIGINAL_MISSING = "original-missing": "A provider decided for a read and had lost the record.";
    SCRUB_REPAIRED_ORIGINAL = "scrub-repaired-original": "A damaged original was found by the scrub and written again.";
    SHARING_REFUSED_AT_GATE = "sharing-refused-at-gate": "A server refused a desk whose certificate does not hold.";
}
