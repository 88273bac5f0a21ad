//! Mistakes of operators (O1, O2, O5, O6, O7): nodes are restarted with a wrong setting, and with the
//! right one at the end. What the setting is, who makes the processes knows; what it did, who
//! watches the run.

use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Time};

/// Nodes run with a wrong setting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operator {
    /// Who.
    pub target: Target,
    /// What is wrong.
    pub mistake: Mistake,
}

macro_rules! mistakes {
    ($( $(#[doc = $help:literal])+ $name:ident = $word:literal $code:literal $unit:literal, )*) => {
        /// What is wrong.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Mistake {
            $( $(#[doc = $help])+ $name, )*
        }

        impl Mistake {
            fn word(self) -> &'static str {
                match self { $( Self::$name => $word, )* }
            }
            fn code(self) -> &'static str {
                match self { $( Self::$name => $code, )* }
            }
            fn unit(self) -> &'static str {
                match self { $( Self::$name => $unit, )* }
            }
        }
    };
}

mistakes! {
    /// It takes fewer or more votes for a quorum.
    WrongQuorum = "wrong-quorum" "O1" "blocks with fewer votes than the protocol needs",
    /// It signs with the key of another node.
    DuplicateKey = "duplicate-key" "O2" "messages signed with another's key",
    /// It belongs to another chain.
    WrongGenesis = "wrong-genesis" "O5" "messages of another chain",
    /// Its timers are too short.
    ShortTimeouts = "short-timeouts" "O6" "views entered",
    /// Its certificate is over.
    ExpiredCertificate = "expired-certificate" "O7" "messages refused",
}

impl Kind for Operator {
    const WORD: &'static str = "";
    const CODE: &'static str = "";
    const UNIT: &'static str = "";
    const RESTARTS: bool = true;
    type Open = Mistaken;

    fn word(&self) -> &'static str {
        self.mistake.word()
    }
    fn code(&self) -> &'static str {
        self.mistake.code()
    }
    fn unit(&self) -> &'static str {
        self.mistake.unit()
    }
    fn open(&self, cx: &mut Cx<'_>) -> Mistaken {
        let nodes = cx.hit(&self.target);
        for &node in &nodes {
            cx.act(Act::Configure { node, wrong: true });
            cx.act(Act::Bounce(node));
        }
        Mistaken { nodes }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// Nodes with a wrong setting.
pub(crate) struct Mistaken {
    nodes: Vec<NodeId>,
}

impl Window for Mistaken {
    fn close(&mut self, cx: &mut Cx<'_>) -> Option<Time> {
        for &node in &self.nodes {
            cx.act(Act::Configure { node, wrong: false });
            cx.act(Act::Bounce(node));
        }
        None
    }
}
