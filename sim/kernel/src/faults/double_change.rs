//! `double-change` (O4): two changes are asked for at a time. Who asks is told so before the run, and who watches the
//! run sees whether the one was under way when the other was asked for.

use super::target::Target;
use super::window::{Cx, Kind, Window};

/// A change is asked for while another one is under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DoubleChange {
    /// The name of the first.
    pub first: String,
    /// The name of the second.
    pub second: String,
}

impl Kind for DoubleChange {
    const WORD: &'static str = "double-change";
    const CODE: &'static str = "O4";
    const UNIT: &'static str = "changes asked for while the other was under way";
    type Open = Asked;

    fn open(&self, _: &mut Cx<'_>) -> Asked {
        Asked
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        Vec::new()
    }
}

/// Nothing of it is the kernel's.
#[derive(Debug)]
pub(crate) struct Asked;

impl Window for Asked {}
