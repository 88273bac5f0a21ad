//! `adversaries`.

use super::decode::At;
use super::faults::For;
use super::lists::Targets;
use super::macros::record;

record! {
    /// A budget; attacks spend it.
    pub struct Adversary {
        /// The nodes that it controls.
        nodes: Targets = "none",
        /// Total time that its attacks may last.
        r#for: At<For> = "rest",
    }
    later "keys" "links" "roles" "devices" "codes" "power";
}
