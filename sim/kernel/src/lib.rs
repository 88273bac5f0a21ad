//! The discrete-event kernel: queue, virtual network, costs, faults, run digest.

pub mod config;
