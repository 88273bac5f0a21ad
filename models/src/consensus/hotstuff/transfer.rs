//! State transfer: a replica that is far behind takes the state at a proven checkpoint over in place of what led to it. Nobody is believed: the head
//! is what the proof's digest covers, and each part is what the root in the head commits to.

use super::config::{MAX_BLOCK_BYTES, MAX_REPLAYED, MAX_WANTED};
use super::journal::{Record, TAKEN};
use super::marks;
use super::message::{Body, Head, StateParts};
use super::replica::HotStuffReplica;
use super::tree::Root;
use crate::ledger::Snapshot;
use crate::ledger::WorldState;
use crate::ledger::state::parts::{Added, Assembly, Prefix};
use consim_core::{Certificate, Context, Delivery, Probe, Work, Write};
use std::sync::Arc;

/// The transfer under way, if there is one.
#[derive(Debug, Default)]
pub(super) struct Transfer {
    under_way: Option<UnderWay>,
    /// What came of a transfer that a newer checkpoint overtook: most of it is in that one too.
    former: Option<WorldState>,
    /// Somebody who is ahead had no batches for this replica.
    no_blocks: bool,
}

#[derive(Debug)]
struct UnderWay {
    proof: Arc<Certificate>,
    /// The head and what is here of the state, once the head is here.
    state: Option<(Arc<Head>, Assembly)>,
}

impl Transfer {
    pub(super) fn blocks_are_gone(&mut self) {
        self.no_blocks = true;
    }
}

impl HotStuffReplica {
    /// Is it so far behind a proven checkpoint that batches do not help, or are there none?
    pub(super) fn wants_state(&self) -> bool {
        let proven = self.checkpoints.proven();
        proven > self.executed.saturating_add(MAX_REPLAYED)
            || (self.transfer.no_blocks && proven > self.executed)
    }

    /// Asks the next member that claims to be there for the state at the proven checkpoint.
    pub(super) fn seek_state(&mut self, cx: &mut Context<'_>) {
        let Some(proof) = self.checkpoints.ahead().cloned() else {
            return;
        };
        let sequence = proof.view;
        let Some(peer) = self.catch_up.ahead(sequence.saturating_sub(1)) else {
            return;
        };
        let same = |u: &&UnderWay| u.proof.view == sequence;
        let state = self.transfer.under_way.as_ref().filter(same);
        let state = state.and_then(|u| u.state.as_ref());
        let wanted = state.map_or_else(Vec::new, |(_, a)| a.wanted(MAX_WANTED));
        if state.is_none() {
            cx.reached(&marks::STATE_SOUGHT);
            let fresh = UnderWay { proof, state: None };
            let overtaken = self.transfer.under_way.replace(fresh);
            let former = overtaken.and_then(|u| u.state);
            if let Some((_, assembly)) = former {
                self.transfer.former = Some(assembly.partial());
            }
        }
        self.catch_up.ask(peer);
        self.send(cx, peer, Body::FetchState { sequence, wanted });
    }

    /// Upon FETCH-STATE: sends the head, or as many of the parts as one message may hold. One that
    /// does not keep this checkpoint any more says which one it has.
    pub(super) fn on_fetch_state(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        sequence: u64,
        wanted: &[Prefix],
    ) {
        if wanted.len() > MAX_WANTED || !self.catch_up.may_serve(from) {
            return;
        }
        let kept = self.checkpoints.kept(sequence);
        let mut room = MAX_BLOCK_BYTES;
        let mut parts = Vec::new();
        for prefix in wanted {
            let Some(part) = kept.and_then(|k| k.state.part(prefix, room / 2)) else {
                continue;
            };
            let bytes = prefix.encoded_len() + part.encoded_len();
            if bytes > room && !parts.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes);
            parts.push((prefix.clone(), part));
        }
        let head = kept.filter(|_| wanted.is_empty());
        let body = Body::State(StateParts {
            sequence,
            executed: self.executed,
            proof: self.checkpoints.proof.clone(),
            head: head.map(|k| Arc::clone(&k.head)),
            parts,
        });
        self.send(cx, from, body);
    }

    /// Upon STATE that was asked for: verifies and keeps it. A member that sends something else
    /// than the proof covers, or nothing, is not asked again before it makes a new claim.
    pub(super) fn on_state(&mut self, cx: &mut Context<'_>, from: usize, answer: &StateParts) {
        if answer.parts.len() > MAX_WANTED || !self.catch_up.answered_by(from) {
            return;
        }
        let taken = self.take_parts(cx, answer);
        if taken.is_none() {
            cx.emit(Probe::StateRefused {
                chain: self.group.chain,
                from: self.group.node(from),
            });
        }
        let proven = self.checkpoints.proven();
        if let Some(proof) = &answer.proof {
            self.on_proof(cx, proof);
        }
        // One that has gone on to a later checkpoint is asked for that.
        let newer = self.checkpoints.proven() > proven;
        let useful = taken.is_some_and(|useful| useful || newer);
        let claim = if useful { answer.executed } else { 0 };
        self.catch_up.set_claim(from, claim);
        self.try_install(cx);
        self.seek(cx);
    }

    /// Takes what is good: whether there was anything, or `None` if something was wrong.
    fn take_parts(&mut self, cx: &mut Context<'_>, answer: &StateParts) -> Option<bool> {
        let own = self.checkpoints.latest().map(|kept| kept.state.clone());
        let own = self.transfer.former.clone().or(own);
        let Some(under_way) = &mut self.transfer.under_way else {
            return Some(false);
        };
        if answer.sequence != under_way.proof.view {
            return Some(false);
        }
        let mut useful = false;
        if let (None, Some(head)) = (&under_way.state, &answer.head) {
            cx.work(Work::hash(head.encoded_len()));
            if head.digest() != under_way.proof.digest {
                return None;
            }
            let own = own.unwrap_or_default();
            let assembly = Assembly::new(head.state.root, &own);
            under_way.state = Some((Arc::clone(head), assembly));
            useful = true;
        }
        let Some((_, assembly)) = &mut under_way.state else {
            return Some(useful);
        };
        for (prefix, part) in &answer.parts {
            match assembly.add(prefix, part) {
                Added::Good(bytes) => {
                    cx.work(Work::hash(bytes));
                    useful = true;
                }
                Added::Unasked => {}
                Added::Wrong(bytes) => {
                    cx.work(Work::hash(bytes));
                    return None;
                }
            }
        }
        Some(useful)
    }

    /// Once every part is here, the state stands for all that led to it: it goes to disk and up.
    fn try_install(&mut self, cx: &mut Context<'_>) {
        let complete = |u: &UnderWay| u.state.as_ref().is_some_and(|(_, a)| a.is_complete());
        let Some(UnderWay {
            proof,
            state: Some((head, assembly)),
        }) = self.transfer.under_way.take_if(|u| complete(u))
        else {
            return;
        };
        let sequence = proof.view;
        let Some(state) = assembly.finish().filter(|_| sequence > self.executed) else {
            return;
        };
        self.transfer.no_blocks = false;
        self.transfer.former = None;
        self.executed = sequence;
        self.log.restart(sequence);
        self.mempool.restore(&state);
        let snapshot = Arc::new(Snapshot {
            header: head.state.header.clone(),
            state,
        });
        let root = Root {
            sequence,
            view: head.link.view,
            id: head.link.id(),
        };
        let record = Record::Taken {
            chain: self.group.chain,
            sequence,
            head,
            state: Arc::clone(&snapshot),
        };
        self.journal.write(Write::cell(TAKEN, 0, Arc::new(record)));
        cx.emit(Probe::StateTaken {
            chain: self.group.chain,
            sequence,
            fetched: assembly.fetched(),
        });
        cx.deliver(Delivery::State {
            sequence,
            state: snapshot,
            replayed: false,
        });
        self.make_stable(cx, proof);
        self.recent.clear();
        self.stand_on(cx, root);
        self.complete(cx);
    }
}
