//! Byzantine behaviour that forges HotStuff's messages, one file each. No other file of the protocol
//! knows of these.

use crate::adversary::{Behaviour, Conduct, Means, Words};

/// The kinds of messages that attacks name.
pub(super) const WORDS: Words = Words {
    votes: &["vote"],
    proposals: &["proposal"],
    ordering: &["proposal", "vote", "timeout", "checkpoint"],
};

/// The behaviours of this folder, by their words.
pub(super) const CONDUCTS: &[&str] = &[];

/// Makes a behaviour of this folder.
pub(super) fn build(_conduct: &Conduct, _means: &Means) -> Option<Box<dyn Behaviour>> {
    None
}
