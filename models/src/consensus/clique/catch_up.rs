//! Who is ahead, and the way of blocks to those that lack them: `eth` of Ethereum's nodes in brief.

use super::block::Block;
use super::config::{IDLE_TICKS, MAX_FOLLOWERS, MAX_SERVED};
use super::marks;
use super::message::{Body, MAX_BLOCKS, Status};
use super::receive::Taken;
use super::replica::{CliqueReplica, TICK};
use consim_core::{Context, Digest, NodeId, Probe, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A question for blocks that is under way.
#[derive(Clone, Copy, Debug)]
struct Question {
    to: NodeId,
    id: Digest,
    /// The first height that was asked for.
    first: u64,
    at: Time,
    /// Has a tick passed since?
    old: bool,
}

/// What is known of the others' progress.
#[derive(Debug, Default)]
pub(super) struct CatchUp {
    /// What each says of itself. It may lie: what it sends is verified, and what it does not make good is void.
    claims: BTreeMap<NodeId, Status>,
    question: Option<Question>,
    /// Answers with blocks that each got since the last tick.
    served: BTreeMap<NodeId, u16>,
    /// Whom to ask next.
    turn: NodeId,
    ticks: u32,
    /// The head at the last tick.
    last: Digest,
    /// It came back, or is new, and nobody has answered yet.
    pub(super) asking: bool,
}

impl CatchUp {
    /// May it be sent what it asks for?
    pub(super) fn may_serve(&mut self, node: NodeId) -> bool {
        let served = self.served.entry(node).or_default();
        *served = served.saturating_add(1);
        *served <= MAX_SERVED
    }
}

impl CliqueReplica {
    // ---- status ----------------------------------------------------------------------------------

    fn status(&self, ask: bool) -> Body {
        let head = self.tree.head();
        Body::Status(Status {
            head: head.id,
            height: head.height,
            total: head.total,
            ask,
        })
    }

    /// Is this block here?
    pub(super) fn knows(&self, height: u64, id: &Digest) -> bool {
        self.tree.get(id).is_some() || self.is_final(height, id)
    }

    /// Upon STATUS: answers it; asks for a branch that is no lighter than the own one.
    pub(super) fn on_status(&mut self, cx: &mut Context<'_>, from: NodeId, status: &Status) {
        self.follow(from);
        self.catch_up.asking = false;
        if self.catch_up.claims.len() < MAX_FOLLOWERS || self.catch_up.claims.contains_key(&from) {
            self.catch_up.claims.insert(from, *status);
        }
        if status.ask {
            let answer = self.status(false);
            self.send(cx, from, answer);
        }
        self.estimate(cx, from, status);
        self.seek(cx);
    }

    /// After a restart, or as a newcomer: everybody is asked.
    pub(super) fn ask_everybody(&mut self, cx: &mut Context<'_>) {
        self.catch_up.asking = true;
        self.multicast(cx, self.status(true));
    }

    // ---- blocks ----------------------------------------------------------------------------------

    /// Asks somebody whose head is not here, and may be better, for what leads there.
    pub(super) fn seek(&mut self, cx: &mut Context<'_>) {
        if self.catch_up.question.is_some() {
            return;
        }
        let (total, root) = (self.tree.head().total, self.final_height());
        let wanted = |(_, claim): &(&NodeId, &Status)| {
            claim.total >= total && claim.height > root && !self.knows(claim.height, &claim.head)
        };
        let claims = &self.catch_up.claims;
        let after = claims
            .iter()
            .filter(|(node, _)| **node > self.catch_up.turn);
        let next = after.chain(claims.iter()).find(wanted);
        if let Some((&node, claim)) = next {
            let id = claim.head;
            self.catch_up.turn = node;
            self.fetch(cx, node, id);
        }
    }

    /// Asks for the branch that ends in this block, from what is final here on.
    pub(super) fn fetch(&mut self, cx: &mut Context<'_>, to: NodeId, id: Digest) {
        // A question, or its answer, may be lost; whoever sends more has what is missing.
        let (now, patience) = (cx.now(), self.group.step());
        let open = self.catch_up.question;
        if open.is_none_or(|question| now - question.at >= patience) {
            let first = self.final_height() + 1;
            self.ask_for(cx, to, id, first);
        }
    }

    fn ask_for(&mut self, cx: &mut Context<'_>, to: NodeId, id: Digest, first: u64) {
        self.catch_up.question = Some(Question {
            to,
            id,
            first,
            at: cx.now(),
            old: false,
        });
        self.send(cx, to, Body::Fetch { from: first, id });
    }

    /// Upon BRANCH, as it was asked for: takes the blocks in, and asks for more where there is more.
    pub(super) fn on_branch(&mut self, cx: &mut Context<'_>, from: NodeId, blocks: &[Arc<Block>]) {
        let asked = self
            .catch_up
            .question
            .filter(|question| question.to == from);
        let Some(question) = asked.filter(|_| blocks.len() <= MAX_BLOCKS) else {
            return;
        };
        self.catch_up.question = None;
        let (mut fetched, mut sound) = (0, !blocks.is_empty());
        for block in blocks {
            match self.offer(cx, from, block) {
                Taken::New => fetched += 1,
                Taken::Known => {}
                taken => {
                    sound = false;
                    if taken == Taken::Foreign {
                        cx.reached(&marks::FORK_BELOW_FINAL);
                    } else if taken == Taken::Refused {
                        cx.reached(&marks::BRANCH_REFUSED);
                    }
                    break;
                }
            }
        }
        if fetched > 0 {
            cx.emit(Probe::CaughtUp {
                chain: self.group.chain,
                blocks: fetched,
            });
        }
        let last = blocks.last().filter(|_| sound);
        let more = last
            .filter(|last| last.height >= question.first && self.tree.get(&question.id).is_none());
        match more {
            Some(last) if last.id() != question.id => {
                // It goes on where this answer ended, until the sender has no more.
                let full = blocks.len() > 1 || fetched > 0;
                if full && !self.is_final(last.height, &question.id) {
                    let next = last.height + 1;
                    self.ask_for(cx, from, question.id, next);
                }
            }
            _ => {}
        }
        if self.catch_up.question.is_none() && (fetched == 0 || !sound) {
            // What it says of itself it did not make good.
            self.catch_up.claims.remove(&from);
        }
        self.went_on(cx);
        self.seek(cx);
    }

    // ---- the tick --------------------------------------------------------------------------------

    /// Looks for what may have been lost since the last tick.
    pub(super) fn on_tick(&mut self, cx: &mut Context<'_>) {
        cx.set_timer(TICK, self.group.tick());
        let head = self.tree.head().id;
        let catch_up = &mut self.catch_up;
        catch_up.ticks = catch_up.ticks.wrapping_add(1);
        catch_up.served.clear();
        let quiet = std::mem::replace(&mut catch_up.last, head) == head;
        let overdue = catch_up.question.take_if(|question| question.old);
        if let Some(question) = overdue {
            cx.reached(&marks::FETCH_UNANSWERED);
            catch_up.claims.remove(&question.to);
        }
        if let Some(question) = &mut catch_up.question {
            question.old = true;
        }
        let (ticks, asking) = (catch_up.ticks, catch_up.asking);
        let waits = !self.mempool.is_empty() || self.waits();
        if asking || self.silent.is_some() || (quiet && waits) {
            self.multicast(cx, self.status(true));
        } else if quiet && ticks.is_multiple_of(IDLE_TICKS) {
            // One after the other, so that a replica that was cut off while all was quiet learns what it missed.
            let n = (self.audience.len() as u32).max(1);
            let at = (ticks / IDLE_TICKS).wrapping_add(self.group.me.0) % n;
            if let Some(&node) = self.audience.get(at as usize) {
                self.send(cx, node, self.status(true));
            }
        }
        self.repeat_proposal(cx);
        self.went_on(cx);
        self.seek(cx);
        self.resend_due(cx);
    }

    /// Does a block wait for those that have to follow it?
    fn waits(&self) -> bool {
        let path = self.tree.path(&self.tree.head().id);
        self.waiting.orphans() > 0
            || self.proposed.is_some()
            || path.iter().any(|block| block.matters())
    }
}
