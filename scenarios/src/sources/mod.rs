//! Readers of recorded data.

pub mod fhir;
