//! The full node.

pub mod service;
