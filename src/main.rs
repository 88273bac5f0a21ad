//! consim: a deterministic simulator and testbed of a health-care consortium blockchain.

fn main() {}
