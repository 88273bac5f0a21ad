//! Nodes with several servers: the effects of a handler wait in a release entry until its work is
//! done, since a short one that began later may be done first and then has the network card first.

use super::Kernel;
use crate::queue::Item;
use consim_core::{Effect, Observer, Time};

impl<O: Observer> Kernel<O> {
    /// Keeps the effects of a handler until `finish`.
    #[cold]
    pub(super) fn put_off(&mut self, i: usize, finish: Time, effects: &mut Vec<Effect>) {
        let Some(node) = self.nodes.get_mut(i).filter(|_| !effects.is_empty()) else {
            return;
        };
        let counter = node.handled;
        node.handled += 1;
        node.releases
            .insert((finish, counter), std::mem::take(effects));
        let node = i as u32;
        self.queue.push(finish, Item::Release { node, counter });
    }

    /// Lets out the effects whose work is done by now, in the order of their finish.
    #[cold]
    pub(super) fn release_due(&mut self, i: usize) {
        let now = self.now;
        while let Some(node) = self.nodes.get_mut(i)
            && let Some(first) = node.releases.first_entry()
            && first.key().0 <= now
        {
            let ((finish, _), effects) = first.remove_entry();
            for effect in effects {
                self.carry_out(i, finish, effect);
            }
        }
    }
}
