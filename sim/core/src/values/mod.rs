//! Value types of scenarios, and the one parser of their texts. No YAML here.

mod limit;

pub use limit::{Expectation, Limit};
