//! What runs on a node: consensus protocols, ledger, the full node, domain models. A model sees
//! only `consim-core`: no kernel, no host, no YAML.

pub mod consensus;
pub mod key_value;
pub mod ledger;
pub mod node;
pub mod sharing;
pub mod workload;
