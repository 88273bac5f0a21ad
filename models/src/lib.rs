//! What runs on a node: consensus protocols, ledger, the full node, domain models. A model sees
//! only `consim-core`: no kernel, no host, no YAML.

/// The words of all kinds of messages, by family, as filters name them.
pub const MESSAGE_KINDS: &[&[&str]] = &[
    consensus::pbft::message::KINDS,
    consensus::raft::message::KINDS,
    consensus::hotstuff::message::KINDS,
    consensus::bft_smart::message::KINDS,
    consensus::tendermint::message::KINDS,
    consensus::qbft::message::KINDS,
    consensus::clique::message::KINDS,
    light::message::KINDS,
    node::message::KINDS,
    relay::message::KINDS,
    sharing::message::KINDS,
    orders::message::KINDS,
];

pub mod adversary;
pub mod consensus;
pub mod custody;
pub mod device_samples;
pub mod key_value;
pub mod ledger;
pub mod light;
pub mod node;
pub mod orders;
pub mod relay;
pub mod sharing;
pub mod workload;
