//! Blocks of others: what is verified of them, and where they go (EIP-225, "Specification").

use super::block::Block;
use super::config::{MAX_AHEAD, MAX_FUTURE, MAX_ORPHANS};
use super::marks;
use super::message::Body;
use super::replica::{CliqueReplica, FUTURE_TIMER};
use super::seeded;
use super::tree::{Change, Leaf};
use crate::consensus::batches::Judge;
use consim_core::{
    Certificate, Committed, Context, Delivery, Digest, NodeId, Probe, Span, TxId, Work, Write,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The log of what is final.
pub(super) const LOG: u8 = 0;
/// What stands beside it: the seals.
pub(super) const SEALS: u8 = 1;
/// The table of the blocks that are not final.
pub(super) const BLOCKS: u8 = 2;
/// The table whose cell 0 says that what this replica sealed is on this disk.
pub(super) const STARTED: u8 = 3;

/// Blocks that cannot be looked at yet.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Those whose parent is not here, by their id, with whoever sent them.
    orphans: BTreeMap<Digest, (NodeId, Arc<Block>)>,
    /// Those whose time has not come.
    future: BTreeMap<(i64, Digest), (NodeId, Arc<Block>)>,
}

impl Waiting {
    pub(super) fn orphans(&self) -> usize {
        self.orphans.len()
    }
    /// What a block that is not here would bring on, and who has it.
    pub(super) fn lacks(&self) -> Option<(NodeId, Digest)> {
        let missing = |block: &Block| !self.orphans.contains_key(&block.parent);
        self.orphans
            .values()
            .find(|(_, block)| missing(block))
            .map(|(from, block)| (*from, block.parent))
    }
    fn adopt(&mut self, from: NodeId, block: &Arc<Block>) -> bool {
        let (most, all) = MAX_ORPHANS;
        let of = self.orphans.iter().filter(|(_, (by, _))| *by == from);
        if of.clone().count() >= most {
            // Its oldest may never find a parent.
            let lowest = of.min_by_key(|(id, (_, block))| (block.height, **id));
            if let Some(id) = lowest.map(|(id, _)| *id) {
                self.orphans.remove(&id);
            }
        } else if self.orphans.len() >= all {
            return false;
        }
        self.orphans.insert(block.id(), (from, Arc::clone(block)));
        true
    }
    /// Those that follow this one.
    fn children(&mut self, parent: &Digest) -> Vec<(NodeId, Arc<Block>)> {
        let ids = self.orphans.iter();
        let ids = ids.filter(|(_, (_, block))| block.parent == *parent);
        let ids: Vec<Digest> = ids.map(|(id, _)| *id).collect();
        ids.iter()
            .filter_map(|id| self.orphans.remove(id))
            .collect()
    }
    fn drop_below(&mut self, height: u64) {
        self.orphans.retain(|_, (_, block)| block.height > height);
        self.future.retain(|_, (_, block)| block.height > height);
    }
}

/// What became of a block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Taken {
    /// It is in the tree now.
    New,
    /// It was there, or is final.
    Known,
    /// Its parent is not here.
    Orphan,
    /// Its time has not come.
    Early,
    /// It is on a branch that leaves the chain below what is final here.
    Foreign,
    /// It is not what an honest signer seals, or there is no room.
    Refused,
}

impl CliqueReplica {
    /// What this replica judges batches by.
    fn judge(&self) -> Judge<'_> {
        Judge {
            chain: self.group.chain,
            keys: &self.group.keys,
            limits: &self.group.block,
            mempool: &self.mempool,
        }
    }

    /// Is it the final block of its height?
    pub(super) fn is_final(&self, height: u64, id: &Digest) -> bool {
        let place = height.checked_sub(1).and_then(|h| usize::try_from(h).ok());
        let block = place.and_then(|place| self.chain.get(place));
        block.is_some_and(|block| block.id() == *id)
    }

    /// Upon BLOCK: takes it in; the one before is asked for if it is not here.
    pub(super) fn on_block(&mut self, cx: &mut Context<'_>, from: NodeId, block: &Arc<Block>) {
        match self.offer(cx, from, block) {
            Taken::Orphan => {
                cx.reached(&marks::PARENT_SOUGHT);
                self.fetch(cx, from, block.parent);
            }
            Taken::Foreign => cx.reached(&marks::FORK_BELOW_FINAL),
            Taken::New => self.went_on(cx),
            Taken::Known | Taken::Early | Taken::Refused => {}
        }
    }

    /// Looks at a block and takes it in if it is good; then those that waited for it.
    pub(super) fn offer(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        block: &Arc<Block>,
    ) -> Taken {
        let taken = self.offer_one(cx, from, block);
        let mut next = vec![block.id()];
        while taken == Taken::New
            && let Some(id) = next.pop()
        {
            for (from, child) in self.waiting.children(&id) {
                if self.offer_one(cx, from, &child) == Taken::New {
                    next.push(child.id());
                }
            }
        }
        taken
    }

    fn offer_one(&mut self, cx: &mut Context<'_>, from: NodeId, block: &Arc<Block>) -> Taken {
        let id = block.id();
        if self.tree.get(&id).is_some() || self.is_final(block.height, &id) {
            return Taken::Known;
        }
        let root = self.tree.root();
        if block.height <= root.height {
            return Taken::Known;
        }
        let Some(parent) = self.tree.get(&block.parent) else {
            if block.height == root.height + 1 {
                return Taken::Foreign;
            }
            return if self.waiting.adopt(from, block) {
                Taken::Orphan
            } else {
                Taken::Refused
            };
        };
        // A clock that is ahead does not carry the others' along.
        let ahead = block.time_ns().saturating_sub(cx.wall_ns());
        if let Ok(ahead) = u64::try_from(ahead)
            && ahead > 0
        {
            return self.early(cx, from, block, Span::from_nanos(ahead));
        }
        let parent = parent.clone();
        if !self.tree.has_room(block) || !self.is_sound(cx, &parent, block) {
            cx.reached(&marks::BLOCK_REFUSED);
            return Taken::Refused;
        }
        self.take_in(cx, block, true);
        Taken::New
    }

    /// Keeps a block until its time has come.
    fn early(
        &mut self,
        cx: &mut Context<'_>,
        from: NodeId,
        block: &Arc<Block>,
        ahead: Span,
    ) -> Taken {
        if ahead > MAX_AHEAD || self.waiting.future.len() >= MAX_FUTURE {
            cx.reached(&marks::BLOCK_FROM_FUTURE);
            return Taken::Refused;
        }
        let key = (block.time_ns(), block.id());
        self.waiting.future.insert(key, (from, Arc::clone(block)));
        self.wait_for_future(cx);
        Taken::Early
    }

    fn wait_for_future(&self, cx: &mut Context<'_>) {
        if let Some((&(time, _), _)) = self.waiting.future.first_key_value() {
            let after = time.saturating_sub(cx.wall_ns());
            let after = Span::from_nanos(u64::try_from(after).unwrap_or(0));
            cx.set_timer(FUTURE_TIMER, after);
        }
    }

    /// Looks at what came early.
    pub(super) fn on_future_timer(&mut self, cx: &mut Context<'_>) {
        let now = cx.wall_ns();
        while let Some(entry) = self.waiting.future.first_entry()
            && entry.key().0 <= now
        {
            cx.reached(&marks::EARLY_BLOCK_TAKEN);
            let (from, block) = entry.remove();
            self.on_block(cx, from, &block);
        }
        self.wait_for_future(cx);
    }

    /// Is it what an honest signer may seal upon `parent`?
    fn is_sound(&self, cx: &mut Context<'_>, parent: &Leaf, block: &Block) -> bool {
        let (group, signers, sealer) = (&self.group, &parent.signers, block.sealer());
        let period = i64::try_from(group.options.period.nanos()).unwrap_or(i64::MAX);
        let difficulty = signers.difficulty(block.height, sealer);
        let txs = block.batch.txs();
        let bytes: u64 = txs.iter().map(|tx| tx.encoded_len() as u64).sum();
        let shape = block.height == parent.height + 1
            && (block.difficulty == difficulty
                || (seeded::on(&seeded::DIFFICULTY_NOT_CHECKED)
                    && block.difficulty == super::block::IN_TURN))
            && signers.contains(sealer)
            && !signers.is_recent(sealer)
            && block.batch.proposer() == sealer
            && block.time_ns() >= parent.time_ns.saturating_add(period)
            && !(block.ballot.is_some() && block.height.is_multiple_of(group.options.epoch))
            && txs.len() <= group.block.transactions as usize
            && bytes <= group.block.bytes;
        if !shape {
            return false;
        }
        cx.work(Work::verify(1));
        let over = super::block::statement(group.chain, &block.parent, block.height, &block.id());
        if !group.keys.verify(&over, &block.signature) && !seeded::on(&seeded::SEAL_NOT_CHECKED) {
            return false;
        }
        let ids: BTreeSet<TxId> = txs.iter().map(|tx| tx.id()).collect();
        txs.iter().all(|tx| !self.mempool.ordered(tx.id()))
            && !self.tree.has_any(&parent.id, &ids)
            && self.judge().verifies(cx, &block.batch)
    }

    /// Puts a sound block into the tree, and follows the best branch.
    pub(super) fn take_in(&mut self, cx: &mut Context<'_>, block: &Arc<Block>, keep: bool) {
        let Some(parent) = self.tree.get(&block.parent) else {
            return;
        };
        let signers = parent.signers.after(&self.group, block, false);
        let leaf = parent.child(block, signers);
        if keep && !self.foreign {
            self.keep_block(block);
        }
        if let Some(change) = self.tree.insert(leaf) {
            self.on_head(cx, &change);
        }
    }

    /// The best branch is another one, or longer: transactions of what was left wait again.
    pub(super) fn on_head(&mut self, cx: &mut Context<'_>, change: &Change) {
        if !change.undone.is_empty() {
            cx.reached(&marks::REORGANISED);
            if change.undone.len() > 1 {
                cx.reached(&marks::REORGANISED_DEEP);
            }
            self.tell_left(cx, change.undone.len());
        }
        for block in &change.undone {
            self.mempool.release(block.batch.txs());
        }
        for block in &change.done {
            self.mempool.propose(block.batch.txs());
        }
        if change.done.iter().any(|block| block.ballot.is_some())
            || change.undone.iter().any(|block| block.ballot.is_some())
        {
            self.meet();
        }
        self.settle(cx);
    }

    /// Hands up what enough blocks follow.
    fn settle(&mut self, cx: &mut Context<'_>) {
        loop {
            let depth = self.group.depth(self.tree.root().signers.len());
            let (root, head) = (self.final_height(), self.tree.head());
            if head.height - root <= depth {
                return;
            }
            let path = self.tree.path(&head.id);
            let Some(first) = path.first() else {
                return;
            };
            let first = Arc::clone(first);
            self.deliver(cx, &first);
        }
    }

    fn deliver(&mut self, cx: &mut Context<'_>, block: &Arc<Block>) {
        let committed = committed(self.group.chain, block);
        if !self.foreign {
            let logged: Arc<Committed> = Arc::clone(&committed);
            self.journal.write(Write::append(LOG, logged));
            let seal = Arc::new(super::block::Seal(Arc::clone(block)));
            self.journal.write(Write::append(SEALS, seal));
            let above = super::sealing::block_key(block.height + 1, 0);
            self.journal.write(Write::erase_below(BLOCKS, above));
        }
        let before = Arc::clone(&self.tree.root().signers);
        self.make_final(block);
        self.waiting.drop_below(block.height);
        if before.list != self.tree.root().signers.list {
            self.tell_signers(cx);
        }
        if self.last_filled == block.height {
            self.tell_turn(cx);
        }
        cx.emit(Probe::Committed(Arc::clone(&committed)));
        cx.deliver(Delivery::Ordered {
            committed,
            replayed: false,
        });
    }

    /// The first block of the best branch is final.
    pub(super) fn make_final(&mut self, block: &Arc<Block>) {
        self.tree.settle(block);
        self.mempool.executed(block.batch.txs());
        self.chain.push(Arc::clone(block));
        if !block.batch.txs().is_empty() {
            self.last_filled = block.height;
            let signers = &self.tree.root().signers;
            let next = block.height + 1;
            // In the steady state the next block is the one after those that have to follow this one.
            let seals = next.saturating_add(self.group.depth(signers.len()));
            self.turn = (next, signers.in_turn(seals));
        }
    }

    /// Something came of a block: what follows from that.
    pub(super) fn went_on(&mut self, cx: &mut Context<'_>) {
        self.end_silence(cx);
        if self.waiting.orphans() > 0 {
            self.seek_parent(cx);
        }
    }

    fn seek_parent(&mut self, cx: &mut Context<'_>) {
        if let Some((from, id)) = self.waiting.lacks() {
            self.fetch(cx, from, id);
        }
    }

    /// The answer to a read may not be older than this.
    pub(super) fn last_filled_on_branch(&self) -> u64 {
        let path = self.tree.path(&self.tree.head().id);
        let filled = path.iter().rev().find(|b| !b.batch.txs().is_empty());
        filled.map_or(self.last_filled, |block| block.height)
    }
}

/// What the node gets of a block. The seal is not a quorum's: it proves who sealed the block, no more.
pub(super) fn committed(chain: consim_core::ChainId, block: &Block) -> Arc<Committed> {
    Arc::new(Committed {
        chain,
        sequence: block.height,
        batch: Arc::clone(&block.batch),
        certificate: Certificate {
            kind: super::block::SEAL,
            view: 0,
            sequence: block.height,
            digest: block.batch.digest(),
            signatures: vec![block.signature].into(),
            links: Arc::default(),
        },
    })
}

impl CliqueReplica {
    /// Sends no more than a message of blocks may hold of the branch that ends in `id`, or of the best one.
    pub(super) fn on_fetch(&mut self, cx: &mut Context<'_>, to: NodeId, first: u64, id: &Digest) {
        self.follow(to);
        if !self.catch_up.may_serve(to) {
            return;
        }
        let above = if self.tree.get(id).is_some() {
            self.tree.path(id)
        } else {
            self.tree.path(&self.tree.head().id)
        };
        let skip = usize::try_from(first.saturating_sub(1)).unwrap_or(usize::MAX);
        let below = self.chain.iter().skip(skip);
        let all = below.chain(above.iter().filter(|block| block.height >= first));
        let all = all.take_while(|block| !self.unsaid.contains(&block.id()));
        let mut blocks = Vec::new();
        let mut bytes = 0;
        for block in all.take(super::message::MAX_BLOCKS) {
            bytes += block.encoded_len();
            if bytes > super::message::MAX_BLOCK_BYTES && !blocks.is_empty() {
                break;
            }
            blocks.push(Arc::clone(block));
        }
        self.send(cx, to, Body::Branch { blocks });
    }
}
