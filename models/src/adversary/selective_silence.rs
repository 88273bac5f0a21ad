//! B4, `selective-silence`: a node that some never hear (selective omission).

use super::traitor::{Behaviour, Out, Says, To};
use consim_core::{NodeId, Payload};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Withholds everything from some.
pub(super) struct SelectiveSilence {
    victims: BTreeSet<NodeId>,
}

impl SelectiveSilence {
    pub(super) fn new(to: &[NodeId]) -> Self {
        Self {
            victims: to.iter().copied().collect(),
        }
    }
}

impl Behaviour for SelectiveSilence {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let me = out.node();
        let withheld = to.each(me).filter(|n| self.victims.contains(n)).count();
        if withheld == 0 {
            return Says::AsItIs;
        }
        out.count(withheld as u64);
        for other in to.each(me).filter(|n| !self.victims.contains(n)) {
            out.send(other, Arc::clone(payload));
        }
        Says::Nothing
    }
}
