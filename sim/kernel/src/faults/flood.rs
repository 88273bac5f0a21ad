//! `flood` (N15): machines send what nobody asked for. It goes over the network like everything else
//! and costs lines, network cards and processors what everything else does.

use super::target::Target;
use super::window::{Act, Cx, Kind, Window};
use consim_core::{NodeId, Span};

/// Machines flood nodes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Flood {
    /// Who is flooded, one after the other.
    pub target: Target,
    /// The machines that do it, one after the other.
    pub senders: Vec<NodeId>,
    /// With what.
    pub what: Flooded,
    /// From one message to the next, of all of them.
    pub every: Span,
}

/// With what nodes are flooded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flooded {
    /// Bytes that are no message, so many; their receivers refuse them.
    Junk(u32),
    /// Requests of clients, to be ordered.
    Transactions(u32),
    /// Votes for another view that no member signed.
    ViewChanges,
}

impl Kind for Flood {
    const WORD: &'static str = "flood";
    const CODE: &'static str = "N15";
    const UNIT: &'static str = "messages sent";
    type Open = Flooding;

    fn unit(&self) -> &'static str {
        match self.what {
            Flooded::Junk(_) => "messages refused by their receivers",
            Flooded::Transactions(_) | Flooded::ViewChanges => Self::UNIT,
        }
    }
    fn open(&self, cx: &mut Cx<'_>) -> Flooding {
        let nodes = cx.hit(&self.target);
        cx.wake(cx.now, 0);
        Flooding {
            nodes,
            flood: self.clone(),
            sent: 0,
        }
    }
    fn targets(&mut self) -> Vec<&mut Target> {
        vec![&mut self.target]
    }
}

/// A flood.
pub(crate) struct Flooding {
    nodes: Vec<NodeId>,
    flood: Flood,
    sent: u64,
}

impl Window for Flooding {
    fn woken(&mut self, _: u32, cx: &mut Cx<'_>) {
        let turn = |list: &[NodeId], number: u64| {
            let place = number % (list.len() as u64).max(1);
            list.get(place as usize).copied()
        };
        // Who sends moves on when every target had one.
        let round = self.sent / (self.nodes.len() as u64).max(1);
        let (to, from) = (
            turn(&self.nodes, self.sent),
            turn(&self.flood.senders, round),
        );
        if let (Some(to), Some(from)) = (to, from) {
            cx.act(Act::Flood {
                from,
                to,
                what: self.flood.what,
                number: self.sent,
            });
        }
        self.sent += 1;
        let next = cx.now + self.flood.every.max(Span::from_nanos(1));
        if next < cx.to {
            cx.wake(next, 0);
        }
    }
}
