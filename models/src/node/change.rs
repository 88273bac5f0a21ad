//! Changes of the members that the chain's administrator asks for, in transactions that it signs.

use super::full_node::NodeHost;
use super::marks;
use super::membership::Refusal;
use super::message::Message;
use crate::consensus::{Changing, MemberChange};
use consim_core::{ChainId, Context, NodeId, Probe, Tx, Work};
use std::sync::Arc;

/// A change that is under way here, and who wants to know.
#[derive(Debug)]
pub(super) struct Asked {
    administrator: NodeId,
    change: MemberChange,
    signed: Arc<Tx>,
}

impl NodeHost {
    /// Upon CHANGE: hands it to consensus if the chain's administrator signed it; one that has to begin
    /// elsewhere goes to whoever leads, unless it has come from a member already.
    pub(super) fn change_asked(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        signed: &Arc<Tx>,
    ) -> Result<(), Refusal> {
        if signed.chain() != self.config.chain {
            return Ok(());
        }
        cx.work(Work::verify(1));
        let administrator = self.config.genesis.roots.administrator();
        let change = MemberChange::of_tx(signed, administrator);
        let Some(change) = change.filter(|_| signed.verify(&self.config.keys)) else {
            cx.reached(&marks::CHANGE_REFUSED);
            return Err(Refusal::NotAdministrator);
        };
        let state = self.replica.change_members(cx, &change, signed);
        if state == Changing::Elsewhere
            && !self.config.members.contains(&from)
            && let Some((_, leader)) = self.replica.known_leader()
            && leader != self.config.node
        {
            cx.send(leader, Arc::new(Message::Change(Arc::clone(signed))));
            return Ok(());
        }
        let asked = Asked {
            administrator: signed.id().origin,
            change,
            signed: Arc::clone(signed),
        };
        Self::answer_change(cx, &asked, state);
        if state == Changing::UnderWay {
            self.change = Some(asked);
        }
        Ok(())
    }

    /// A change that was under way may be in force by now.
    pub(super) fn settle_change(&mut self, cx: &mut Context<'_>) {
        let Some(asked) = &self.change else {
            return;
        };
        let state = self
            .replica
            .change_members(cx, &asked.change, &asked.signed);
        if state != Changing::UnderWay {
            Self::answer_change(cx, asked, state);
            self.change = None;
        }
    }

    fn answer_change(cx: &mut Context<'_>, asked: &Asked, state: Changing) {
        let number = asked.change.number;
        cx.send(
            asked.administrator,
            Arc::new(Message::Changing { number, state }),
        );
    }
}

/// The administrator asked, or knows that it is done.
pub(super) fn tell(cx: &mut Context<'_>, chain: ChainId, number: u64, done: bool) {
    cx.emit(Probe::Change {
        chain,
        number,
        done,
    });
}
