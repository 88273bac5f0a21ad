//! The full node.
