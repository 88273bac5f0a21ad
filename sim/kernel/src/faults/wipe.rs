//! `wipe` (O13): an operator deletes the data of nodes and starts them again, as in a report on Besu
//! (hyperledger/besu issue 8307) on more of them than the chain bears.

use super::old_backup::Replaced;
use super::target::Target;
use super::window::{Act, Cx, Kind};

/// The disks of nodes are wiped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wipe {
    /// Who.
    pub target: Target,
}

impl Kind for Wipe {
    const WORD: &'static str = "wipe";
    const CODE: &'static str = "O13";
    const UNIT: &'static str = "bytes wiped";
    const RESTARTS: bool = true;
    const DISKS: bool = true;
    type Open = Replaced;

    fn open(&self, cx: &mut Cx<'_>) -> Replaced {
        Replaced::new(cx, &self.target, |node| Act::Wipe { node, counts: true })
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}
