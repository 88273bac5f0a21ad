//! `relays`.

use super::decode::At;
use super::lists::{Targets, Turns};
use super::macros::record;
use consim_core::values::{Count, Name};

record! {
    /// Relays between chains: they carry packets with headers that members attest, and proofs of what these commit to.
    pub struct Relays {
        /// The chains that they join, two at least.
        join: Turns,
        /// The chain through which all others are joined; without it each is joined with each.
        through: Option<At<Name>>,
        /// The institutions that run them, in turn; the members of `through`, else of the first chain, if left out.
        run_by: Option<Targets>,
        /// How many there are. On each way one acts first, and the others on what it leaves.
        count: At<Count> = "2",
    }
    main "join";
    later "proof" "every" "batch";
}
