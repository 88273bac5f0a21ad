//! `wipe` (O13): an operator deletes the data of nodes and starts them again, as in a report on Besu
//! (hyperledger/besu issue 8307) on more of them than the chain bears.

use super::crash::Lose;
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
        for node in cx.hit(&self.target) {
            cx.act(Act::Stop(node, Lose::Nothing));
            cx.act(Act::Wipe { node, counts: true });
            cx.act(Act::Up(node));
        }
        Replaced
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}
