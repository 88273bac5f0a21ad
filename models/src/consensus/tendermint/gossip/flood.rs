//! What goes from each to each peer, but the one that it came from: transactions (CometBFT's mempool reactor,
//! `mempool/reactor.go`), and votes for checkpoints, which CometBFT does not have.

use super::super::message::{Ballot, Body};
use super::super::replica::TendermintReplica;
use crate::consensus::mempool::MAX_FORWARD;
use crate::consensus::sync::Syncs as _;
use consim_core::{Context, Payload, Tx, Work};
use std::sync::Arc;

impl TendermintReplica {
    /// Do transactions go from peer to peer?
    pub(in super::super) fn floods(&self) -> bool {
        self.gossip.as_ref().is_some_and(|gossip| gossip.txs)
    }

    /// Transactions for all peers but one.
    pub(in super::super) fn flood(
        &mut self,
        cx: &mut Context<'_>,
        txs: &[Arc<Tx>],
        but: Option<usize>,
    ) {
        let Some(mut gossip) = self.gossip.take() else {
            return;
        };
        let bytes: usize = txs.iter().map(|tx| tx.encoded_len()).sum();
        for at in 0..gossip.peers.len() {
            if let Some(peer) = gossip.peers.get_mut(at)
                && Some(peer.index) != but
            {
                peer.txs.extend(txs.iter().cloned());
                peer.bytes += bytes;
                gossip.written(cx, self, at);
            }
        }
        self.gossip = Some(gossip);
    }

    /// Upon FORWARD of a peer: takes in those that are new and signed by their origin, and passes them on. Each
    /// is hashed, to know whether it is new (the cache of CometBFT's mempool).
    pub(in super::super) fn on_flooded(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        txs: &[Arc<Tx>],
    ) {
        if txs.len() > MAX_FORWARD {
            return;
        }
        let mut new = Vec::new();
        let mut known = 0;
        for tx in txs {
            if self.mempool.holds(tx.id()) || self.mempool.ordered(tx.id()) {
                known += tx.encoded_len();
            } else if self.group.intake().is_sound(cx, &self.mempool, tx)
                && self.admit(cx, tx, false)
            {
                new.push(Arc::clone(tx));
            }
        }
        cx.work(Work::hash(known));
        if !new.is_empty() {
            self.flood(cx, &new, Some(from));
            self.try_propose(cx);
        }
    }

    /// Upon a vote for a checkpoint that a peer says or passes on: counts it, and passes it on if it is new.
    pub(in super::super) fn on_flooded_checkpoint(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        ballot: &Ballot,
        payload: &Arc<dyn Payload>,
    ) {
        let key = ballot.signature.key;
        let Some(signer) = self.group.index_of_key(key) else {
            return;
        };
        let voted = |replica: &Self| {
            let tally = replica.past.votes.find(ballot.sequence);
            tally.is_some_and(|tally| tally.voted(key))
        };
        if signer == self.group.me || voted(self) {
            return;
        }
        self.on_checkpoint(cx, signer, ballot);
        if voted(self) {
            self.pass_on(cx, Some(from), payload);
        }
    }

    /// A message for all peers but one.
    pub(in super::super) fn pass_on(
        &mut self,
        cx: &mut Context<'_>,
        but: Option<usize>,
        payload: &Arc<dyn Payload>,
    ) {
        let Some(gossip) = &self.gossip else {
            return;
        };
        for peer in &gossip.peers {
            if Some(peer.index) != but {
                cx.send(peer.node, Arc::clone(payload));
            }
        }
    }

    /// Says something of its own to all peers, or to all members where there is no gossip.
    pub(in super::super) fn tell_peers(&self, cx: &mut Context<'_>, body: Body) {
        match self.gossip.as_ref().filter(|gossip| gossip.consensus) {
            None => self.multicast(cx, body),
            Some(gossip) => {
                let message = self.message(body);
                for peer in &gossip.peers {
                    cx.send(peer.node, Arc::clone(&message));
                }
            }
        }
    }
}
