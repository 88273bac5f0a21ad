//! Data sharing.

pub mod config;
pub mod records;
