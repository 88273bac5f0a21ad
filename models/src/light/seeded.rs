//! Seeded bugs of light clients (docs/seeded-bugs.md).

use consim_core::SeededBug;
pub(super) use consim_core::seeded::on;

/// The bugs of this folder.
pub const BUGS: &[&SeededBug] = &[
    &VALIDATORS_NOT_PROVEN,
    &TRUST_LEVEL_NOT_CHECKED,
    &TRUSTING_PERIOD_NOT_CHECKED,
];

/// What notices that a light client follows what nobody decided.
const FORKED: &[&str] = &["light-client-safety"];

/// M15, of those who join.
pub(super) const VALIDATORS_NOT_PROVEN: SeededBug = SeededBug {
    name: "validators-not-proven",
    code: "M15",
    says: "A light client believes the full node that shows it a decision who decides: whoever names itself the administrator is believed.",
    source: "CometBFT, ASA-2024-009 (GHSA-g5xx-c4hv-9ccc): validator sets of light blocks that are not what was signed",
    killers: FORKED,
};

/// None.
pub(super) const TRUST_LEVEL_NOT_CHECKED: SeededBug = SeededBug {
    name: "trust-level-not-checked",
    code: "",
    says: "A light client skips to members that their own quorum vouches for, whoever of those that it trusts signed.",
    source: "CometBFT, spec/light-client/verification: ValidAndVerified without the trust threshold",
    killers: FORKED,
};

/// None.
pub(super) const TRUSTING_PERIOD_NOT_CHECKED: SeededBug = SeededBug {
    name: "trusting-period-not-checked",
    code: "",
    says: "A light client goes on from what it trusted long ago.",
    source: "CometBFT, spec/light-client/verification: isWithinTrustedPeriod",
    killers: FORKED,
};
