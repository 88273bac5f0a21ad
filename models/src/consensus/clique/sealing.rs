//! When a signer seals, and what (EIP-225, "Authorizing a block" and "Authorization strategies").

use super::block::{Ballot, Block, Draft};
use super::marks;
use super::receive::BLOCKS;
use super::replica::{CliqueReplica, SEAL_TIMER};
use super::seeded;
use crate::consensus::batches::form;
use crate::consensus::mempool::Ready;
use consim_core::rng::below;
use consim_core::{Context, Digest, Probe, Span, Time, Work, Write};
use rand_chacha::rand_core::Rng as _;
use std::sync::Arc;

/// The next block of this replica.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What it follows.
    head: Digest,
    /// From when on it may be sealed by whoever is in turn; `None`: nothing asks for it yet.
    open: Option<Time>,
    /// How much later it may be sealed here.
    wiggle: Option<Span>,
}

impl CliqueReplica {
    /// Does a block wait for those that have to follow it, or a voice to be given?
    fn matters(&self) -> bool {
        let open = self.tree.path(&self.tree.head().id);
        open.iter().any(|block| block.matters()) || self.ballot().is_some()
    }

    /// May this replica seal the next block of the best branch, as far as signers go?
    fn may_seal(&self) -> bool {
        let (me, head) = (self.group.me, self.tree.head());
        self.silent.is_none() && head.signers.contains(me) && !head.signers.is_recent(me)
    }

    /// Seals the next block if it is time, or waits for that.
    pub(super) fn try_seal(&mut self, cx: &mut Context<'_>) {
        if !self.may_seal() {
            return;
        }
        let (id, height, time) = {
            let head = self.tree.head();
            (head.id, head.height + 1, head.time_ns)
        };
        if self.plan.head != id {
            self.plan = Plan {
                head: id,
                ..Plan::default()
            };
        }
        let now = cx.now();
        // There are no empty blocks, but for those that have to follow others.
        let ready = if self.matters() {
            Ready::Now
        } else {
            self.mempool.ready(now, &self.group.block)
        };
        match ready {
            Ready::Never => {
                self.plan.open = None;
                return;
            }
            Ready::At(at) => {
                self.plan.open = None;
                cx.set_timer(SEAL_TIMER, at - now);
                return;
            }
            Ready::Now => {}
        }
        // The time stamp is this clock's, and a period above that of the block before.
        let period = i64::try_from(self.group.options.period.nanos()).unwrap_or(i64::MAX);
        let early = time.saturating_add(period).saturating_sub(cx.wall_ns());
        let early = Span::from_nanos(u64::try_from(early).unwrap_or(0));
        let open = match self.plan.open {
            Some(open) if early.is_zero() || open > now => open,
            _ => now + early,
        };
        self.plan.open = Some(open);
        let in_turn = self.signers().in_turn(height) == self.group.me;
        let wiggle = if in_turn { Span::ZERO } else { self.wiggle(cx) };
        let due = open + wiggle;
        if due > now {
            cx.set_timer(SEAL_TIMER, due - now);
        } else if early.is_zero() {
            self.seal(cx, in_turn);
        } else {
            cx.set_timer(SEAL_TIMER, early);
        }
    }

    /// How long it waits out of turn, so that not all seal at one time.
    fn wiggle(&mut self, cx: &mut Context<'_>) -> Span {
        if let Some(wiggle) = self.plan.wiggle {
            return wiggle;
        }
        let majority = self.group.majority(self.signers().len());
        let longest = self.group.options.longest_wiggle(majority).nanos();
        let wiggle = Span::from_nanos(below(cx.rng().next_u64(), longest.max(1)));
        self.plan.wiggle = Some(wiggle);
        wiggle
    }

    /// The voice that the next block gives, if there is a change to bring about.
    pub(super) fn ballot(&self) -> Option<Ballot> {
        let change = self.proposed.as_ref()?;
        let head = self.tree.head();
        let height = head.height + 1;
        if height.is_multiple_of(self.group.options.epoch) {
            return None;
        }
        let ballot = |node, authorize| Ballot {
            node,
            authorize,
            change: change.number,
        };
        let adds = change.add.iter().map(|&node| ballot(node, true));
        let removes = change.remove.iter().map(|&node| ballot(node, false));
        let me = self.group.me;
        adds.chain(removes)
            .find(|b| head.signers.may_vote(b) && !head.signers.has_voted(me, b))
    }

    fn seal(&mut self, cx: &mut Context<'_>, in_turn: bool) {
        let (parent, height) = (self.tree.head().id, self.tree.head().height + 1);
        let me = self.group.me;
        let mut difficulty = self.signers().difficulty(height, me);
        if seeded::on(&seeded::DIFFICULTY_NOT_CHECKED) {
            // Whoever is not held to it takes what wins.
            difficulty = super::block::IN_TURN;
        }
        let ballot = self.ballot();
        let txs = self.mempool.take(&self.group.block);
        let batch = form(cx, me, txs);
        cx.work(Work::sign(1));
        let draft = Draft {
            parent,
            height,
            difficulty,
            ballot,
            batch,
        };
        let block = Arc::new(draft.seal(self.group.chain, &self.group.key));
        if !in_turn {
            cx.reached(&marks::SEALED_OUT_OF_TURN);
        }
        if block.batch.txs().is_empty() {
            cx.reached(&marks::EMPTY_SEALED);
        }
        cx.emit(Probe::Proposed {
            chain: self.group.chain,
            sequence: height,
            txs: block.batch.txs().len() as u32,
        });
        let keep = !seeded::on(&seeded::SEALED_FORGOTTEN);
        self.take_in(cx, &block, keep);
        // Nobody hears of it before it is on disk, so that it is not forgotten that this one was sealed.
        self.unsaid.insert(block.id());
        self.journal.then(block);
        for block in self.journal.at_once() {
            self.unsaid.remove(&block.id());
            self.multicast(cx, super::message::Body::Block(block));
        }
    }

    /// Writes a block that is not final to disk.
    pub(super) fn keep_block(&mut self, block: &Arc<Block>) {
        self.place += 1;
        let key = block_key(block.height, self.place);
        let kept: Arc<Block> = Arc::clone(block);
        self.journal.write(Write::cell(BLOCKS, key, kept));
    }
}

/// Blocks of one height stand side by side, so that those of lower heights are erased together.
pub(super) fn block_key(height: u64, place: u64) -> u64 {
    /// More blocks of one height than any tree holds.
    const WIDTH: u64 = 1 << 24;
    height.saturating_mul(WIDTH).saturating_add(place % WIDTH)
}
