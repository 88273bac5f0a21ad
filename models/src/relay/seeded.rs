//! Seeded bugs around relays (docs/seeded-bugs.md).

use consim_core::SeededBug;
pub(super) use consim_core::seeded::on;

/// The bugs of this folder.
pub const BUGS: &[&SeededBug] = &[
    &PROOF_NOT_CHECKED,
    &NUMBER_NOT_REMEMBERED,
    &TIMEOUT_BY_AN_OLD_HEADER,
    &OUTBOX_SHOWN_FROM_ITS_END,
];

/// What notices that a packet was received which was not sent, or twice.
const ONCE: &[&str] = &["packets-once"];

/// None.
pub(super) const OUTBOX_SHOWN_FROM_ITS_END: SeededBug = SeededBug {
    name: "outbox-shown-from-its-end",
    code: "",
    says: "A server shows relays the last packet of an outbox alone: what stands before it when it is brought is forgotten.",
    source: "Our own; a relay that follows events and does not look for what it missed",
    killers: &["packets-delivered", "client-progress"],
};

/// None.
pub(super) const PROOF_NOT_CHECKED: SeededBug = SeededBug {
    name: "packet-proof-not-checked",
    code: "",
    says: "A chain takes the packets that a relay brings as they are, and does not look into the state that the header commits to.",
    source: "BNB Chain, October 2022: forged inclusion proofs of the cross-chain bridge",
    // What is forged of a query may be the patient's word.
    killers: &["packets-once", "labels-kept"],
};

/// None.
pub(super) const NUMBER_NOT_REMEMBERED: SeededBug = SeededBug {
    name: "packet-number-not-remembered",
    code: "",
    says: "A chain does not remember which packets it has received.",
    source: "ICS-04, recvPacket: the receipt of an unordered channel",
    killers: ONCE,
};

/// None.
pub(super) const TIMEOUT_BY_AN_OLD_HEADER: SeededBug = SeededBug {
    name: "timeout-by-an-old-header",
    code: "",
    says: "A packet counts as late as soon as it was not received, whatever the time of the header that shows it.",
    source: "ICS-04, timeoutPacket: the height of the proof is to be past the timeout",
    killers: ONCE,
};
