//! Reads that miss nothing. A block is final at a replica once so many follow it, and these are of as many
//! signers, of whom each had it on its best branch. So a read asks so many others that one of these, or its
//! sealer, is among them, for the last block with transactions that they know of; what they know is more than
//! what is final anywhere.

use super::config::MAX_READS;
use super::message::Body;
use super::replica::CliqueReplica;
use consim_core::{Context, NodeId};
use std::collections::{BTreeMap, BTreeSet};

/// A read that waits for answers.
#[derive(Debug, Default)]
struct Open {
    /// Its number at the host.
    read: u64,
    answered: BTreeSet<NodeId>,
    height: u64,
}

/// Reads of this node.
#[derive(Debug, Default)]
pub(super) struct Reads {
    number: u64,
    open: BTreeMap<u64, Open>,
    /// Answered: number of the read, and the height to wait for.
    ready: Vec<(u64, u64)>,
}

impl Reads {
    pub(super) fn take(&mut self) -> Vec<(u64, u64)> {
        std::mem::take(&mut self.ready)
    }
}

impl CliqueReplica {
    /// Signers that have to answer a read, this one among them.
    fn enough(&self) -> usize {
        let n = self.signers().len();
        let majority = self.group.majority(n);
        let depth = usize::try_from(self.group.depth(n)).unwrap_or(usize::MAX);
        let knew = depth.saturating_add(1).min(majority);
        (n + 1).saturating_sub(knew).max(1)
    }

    /// A read comes at this node.
    pub(super) fn begin_read(&mut self, cx: &mut Context<'_>, read: u64) -> Option<u64> {
        let height = self.last_filled_on_branch();
        let voice = self.silent.is_none() && self.signers().contains(self.group.me);
        if voice && self.enough() <= 1 {
            return Some(height);
        }
        self.reads.number += 1;
        let number = self.reads.number;
        let own = voice.then_some(self.group.me);
        let open = Open {
            read,
            answered: own.into_iter().collect(),
            height,
        };
        self.reads.open.insert(number, open);
        if self.reads.open.len() > MAX_READS {
            self.reads.open.pop_first();
        }
        self.multicast(cx, Body::ReadAsk { number });
        None
    }

    /// Upon READ-ASK: one that may have forgotten what it knew has no voice.
    pub(super) fn on_read_ask(&mut self, cx: &mut Context<'_>, from: NodeId, number: u64) {
        if self.silent.is_none() {
            let height = self.last_filled_on_branch();
            self.send(cx, from, Body::ReadAt { number, height });
        }
    }

    /// Upon READ-AT: counts it.
    pub(super) fn on_read_at(&mut self, from: NodeId, number: u64, height: u64) {
        if !self.signers().contains(from) {
            return;
        }
        let enough = self.enough();
        let Some(open) = self.reads.open.get_mut(&number) else {
            return;
        };
        open.answered.insert(from);
        open.height = open.height.max(height);
        if open.answered.len() >= enough
            && let Some(open) = self.reads.open.remove(&number)
        {
            self.reads.ready.push((open.read, open.height));
        }
    }
}
