//! Tests of the language, of plans and of runs. One executable, so that it is linked once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::format_collect
)]

#[path = "../support/mod.rs"]
mod support;

mod bugs;
mod cells;
mod certificates;
mod chains;
mod changes;
mod claims;
mod consents;
mod diagnostics;
mod entry;
mod experiments;
mod explore;
mod faults;
mod fidelity;
mod floors;
mod gossip;
mod heal;
mod insiders;
mod json_schema;
mod language;
mod leaders;
mod light;
mod limits;
mod load;
mod marks;
mod mutations;
mod network;
mod outcome;
mod pairs;
mod reference;
mod relays;
mod sites;
mod study;
mod together;
mod trust;
