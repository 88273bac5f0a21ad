//! What goes to each peer: one routine each (`gossipDataRoutine` and `gossipVotesRoutine` of CometBFT's
//! `internal/consensus/reactor.go`).

use super::super::message::{Ballot, Body, NIL, Stamp};
use super::super::replica::{GOSSIP_TIMER, TendermintReplica};
use super::super::rounds::Phase;
use super::wire::{Cast, Commit, Has};
use super::{Assembly, BUFFER, Gossip, Heard, Kept, SLOTS};
use crate::consensus::members::Members;
use crate::consensus::mempool;
use consim_core::{Context, Payload, Span, mix};
use std::cmp::Ordering;
use std::sync::Arc;

impl TendermintReplica {
    // ---- when ------------------------------------------------------------------------------------

    /// Wakes at the next turn of a routine, if any may find something to send, or has something to flush.
    pub(in super::super) fn arm_gossip(&mut self, cx: &mut Context<'_>) {
        let Some(gossip) = &mut self.gossip else {
            return;
        };
        let waits = gossip.fresh > 0 || gossip.peers.iter().any(|peer| peer.due.is_some());
        if waits && !gossip.armed {
            gossip.armed = true;
            let slot = gossip.slot();
            let since = cx.now().nanos().wrapping_sub(gossip.offset) % slot;
            cx.set_timer(GOSSIP_TIMER, Span::from_nanos(slot - since));
        }
    }

    /// A turn of some routines; and what waited for long enough is flushed.
    pub(in super::super) fn on_gossip_timer(&mut self, cx: &mut Context<'_>) {
        let Some(mut gossip) = self.gossip.take() else {
            return;
        };
        gossip.armed = false;
        let turn = cx.now().nanos().wrapping_sub(gossip.offset) / gossip.slot();
        let fresh = gossip.fresh > 0;
        gossip.fresh = gossip.fresh.saturating_sub(1);
        for at in 0..gossip.peers.len() {
            gossip.flush_if_due(cx, self, at);
            if fresh && gossip.consensus && at as u64 % SLOTS == turn % SLOTS {
                self.serve_peer(cx, &mut gossip, at);
            }
        }
        self.gossip = Some(gossip);
    }

    // ---- what ------------------------------------------------------------------------------------

    /// Sends a peer what it lacks.
    fn serve_peer(&self, cx: &mut Context<'_>, gossip: &mut Gossip, at: usize) {
        if let Some(has) = self.what_is_new(gossip, at) {
            gossip.put(cx, self, at, self.message(Body::Has(Box::new(has))));
        }
        let Some(peer) = gossip.peers.get(at) else {
            return;
        };
        let (height, round) = (peer.height, peer.round);
        match height.cmp(&self.height()) {
            Ordering::Equal => {
                let blocks = std::mem::take(&mut gossip.blocks);
                if let Some(block) = blocks.iter().find(|block| block.header.round == round) {
                    self.send_block(cx, gossip, at, block, true);
                }
                gossip.blocks = blocks;
                let all = std::mem::take(&mut gossip.heard);
                for round in self.rounds_for(round) {
                    for heard in all.iter().filter(|heard| heard.round == round) {
                        self.send_votes(cx, gossip, at, (round, heard.phase), &heard.ballots);
                    }
                }
                gossip.heard = all;
            }
            Ordering::Less => {
                let all = std::mem::take(&mut gossip.kept);
                if let Some(kept) = all.iter().find(|kept| kept.height == height) {
                    self.help_on(cx, gossip, at, kept);
                }
                gossip.kept = all;
            }
            Ordering::Greater => {}
        }
    }

    /// The rounds whose votes help a peer in this one on: its own, and if that is forgotten here, those that
    /// show the way to this replica's.
    fn rounds_for(&self, round: u64) -> [u64; 2] {
        let oldest = self.rounds.lowest();
        if round < oldest {
            [self.round.saturating_sub(1), self.round]
        } else {
            [round, u64::MAX]
        }
    }

    /// The header, unless the peer has it or gets it otherwise, and the parts that it lacks. Each node begins
    /// with another one, so that a peer gets different ones of different nodes (CometBFT picks them at random).
    fn send_block(
        &self,
        cx: &mut Context<'_>,
        gossip: &mut Gossip,
        at: usize,
        block: &Assembly,
        header: bool,
    ) {
        let Some(peer) = gossip.peers.get_mut(at) else {
            return;
        };
        let first = mix(u64::from(cx.node().0), u64::from(peer.node.0)) as usize;
        if header && !std::mem::replace(&mut peer.header, true) {
            gossip.put(cx, self, at, Arc::clone(&block.message));
        }
        let total = block.total();
        for i in 0..total {
            let index = (first % total + i) % total;
            if let Some(part) = block.part(index)
                && let Some(peer) = gossip.peers.get_mut(at)
                && peer.parts.insert(index)
            {
                gossip.put(cx, self, at, Arc::clone(part));
            }
        }
    }

    /// Votes that the peer is not known to have. Its own vote a member sends alone.
    fn send_votes(
        &self,
        cx: &mut Context<'_>,
        gossip: &mut Gossip,
        at: usize,
        (round, phase): (u64, Phase),
        ballots: &[(usize, Ballot)],
    ) {
        let Some(peer) = gossip.peers.get_mut(at) else {
            return;
        };
        let own = peer.index;
        let known = peer.known(round, phase);
        let new = ballots.get(known.sent..).unwrap_or_default();
        known.sent = ballots.len();
        let mut others: Vec<Cast> = Vec::new();
        let mut mine = None;
        for &(voter, ballot) in new {
            if voter == own || !known.voters.insert(voter) {
                continue;
            }
            if voter == self.group.me {
                mine = Some(ballot);
            } else {
                others.push((phase.kind(), ballot));
            }
        }
        if let Some(ballot) = mine {
            let stamp = match phase {
                Phase::Precommit => self.stamp_known(ballot.sequence, ballot.signature.key),
                Phase::Prevote => None,
            };
            let stamp = stamp.filter(|_| ballot.digest != NIL);
            gossip.put(cx, self, at, self.message(phase.body(ballot, stamp)));
        }
        self.send_stamps(cx, gossip, at, phase, &others);
        match *others {
            [] => {}
            [(_, ballot)] => gossip.put(cx, self, at, self.message(phase.body(ballot, None))),
            _ => gossip.put(cx, self, at, self.message(Body::Votes(others))),
        }
    }

    /// The times that go with precommits that are passed on, where they count.
    fn send_stamps(
        &self,
        cx: &mut Context<'_>,
        gossip: &mut Gossip,
        at: usize,
        phase: Phase,
        votes: &[Cast],
    ) {
        let Some((_, first)) = votes.iter().find(|(_, ballot)| ballot.digest != NIL) else {
            return;
        };
        let (height, digest) = (first.sequence, first.digest);
        let of = |(_, ballot): &Cast| {
            let known = self.stamp_known(height, ballot.signature.key);
            known.filter(|_| ballot.digest == digest)
        };
        let stamps: Vec<Stamp> = match phase {
            Phase::Precommit => votes.iter().filter_map(of).collect(),
            Phase::Prevote => Vec::new(),
        };
        if !stamps.is_empty() {
            let stamps = Body::Stamps {
                height,
                digest,
                stamps,
            };
            gossip.put(cx, self, at, self.message(stamps));
        }
    }

    /// A peer is in a height that is decided here. If it is the last one it may lack a few precommits; else it
    /// gets all of them at once.
    fn help_on(&self, cx: &mut Context<'_>, gossip: &mut Gossip, at: usize, kept: &Kept) {
        let Some(peer) = gossip.peers.get_mut(at) else {
            return;
        };
        let (height, block) = (kept.height, &kept.block);
        let here = peer.round == kept.round && block.header.round == kept.round;
        if height + 1 == self.height() && here && !peer.stuck && peer.commit < height {
            self.send_block(cx, gossip, at, block, true);
            let votes = (kept.round, Phase::Precommit);
            return self.send_votes(cx, gossip, at, votes, &kept.ballots);
        }
        if peer.commit < height {
            peer.commit = height;
            if !here {
                // Parts that it has may be those of another header.
                peer.parts = Members::default();
            }
            let commit = Body::Commit(Box::new(Commit {
                certificate: Arc::clone(&kept.certificate),
                header: Arc::clone(&block.header),
            }));
            gossip.put(cx, self, at, self.message(commit));
        }
        self.send_block(cx, gossip, at, block, false);
    }

    // ---- what is here ----------------------------------------------------------------------------

    /// What a peer was not told yet: where this replica is, and whose votes came. What the peer is known to
    /// have itself it need not be told.
    fn what_is_new(&self, gossip: &mut Gossip, at: usize) -> Option<Has> {
        let here = (self.height(), self.round, self.step as u8);
        let full = gossip
            .block(self.round)
            .filter(|block| block.batch.is_some());
        let full = full.filter(|_| self.has_polka()).map(Assembly::total);
        let Gossip { heard, peers, .. } = gossip;
        let peer = peers.get_mut(at)?;
        let moved = peer.told != here;
        if (peer.told.0, peer.told.1) != (here.0, here.1) {
            peer.told_parts = false;
        }
        peer.told = here;
        let mut votes = Vec::new();
        if peer.height == here.0 {
            for Heard {
                round,
                phase,
                ballots,
            } in heard
            {
                let enough = self.has_enough(*round, *phase);
                let known = peer.known(*round, *phase);
                let new = ballots.get(known.told..).unwrap_or_default();
                known.told = ballots.len();
                if known.told_enough {
                    continue;
                }
                let mut voters = Members::default();
                if enough {
                    known.told_enough = true;
                    (0..self.group.len()).for_each(|i| {
                        voters.insert(i);
                    });
                } else {
                    for &(voter, _) in new {
                        if !known.voters.contains(voter) {
                            voters.insert(voter);
                        }
                    }
                }
                if voters.len() > 0 && votes.len() < super::MAX_SETS {
                    votes.push((*round, phase.kind(), voters.words()));
                }
            }
        }
        let parts = full.filter(|_| !peer.told_parts).map(all_of);
        peer.told_parts |= parts.is_some();
        (moved || !votes.is_empty() || parts.is_some()).then_some(Has {
            height: here.0,
            round: here.1,
            step: here.2,
            whole: false,
            ask: false,
            parts,
            votes,
        })
    }

    /// Is there a quorum of prevotes for what is put forward in the round under way?
    fn has_polka(&self) -> bool {
        self.rounds.get(self.round).is_some_and(|round| round.polka)
    }
    /// Are no more of these votes needed?
    fn has_enough(&self, round: u64, phase: Phase) -> bool {
        let tally = self.rounds.get(round).map(|round| round.tally(phase));
        tally.is_some_and(|tally| tally.count() >= self.group.quorum())
    }

    /// All that is here, of what a peer in the same height and round may have.
    fn all_that_it_has(&self, gossip: &Gossip, ask: bool) -> Has {
        let block = gossip.block(self.round);
        let parts = block.map(|block| {
            let mut parts = Members::default();
            for index in (0..block.total()).filter(|&index| block.has(index)) {
                parts.insert(index);
            }
            parts.words()
        });
        let votes = gossip.heard.iter().rev().take(super::MAX_SETS);
        let votes = votes.map(|heard| {
            let mut voters = Members::default();
            if self.has_enough(heard.round, heard.phase) {
                return (heard.round, heard.phase.kind(), all_of(self.group.len()));
            }
            for &(voter, _) in &heard.ballots {
                voters.insert(voter);
            }
            (heard.round, heard.phase.kind(), voters.words())
        });
        Has {
            height: self.height(),
            round: self.round,
            step: self.step as u8,
            whole: true,
            ask,
            parts,
            votes: votes.collect(),
        }
    }

    /// Tells a peer, or all, what is here, whatever they were told before.
    pub(in super::super) fn tell_all_that_it_has(
        &mut self,
        cx: &mut Context<'_>,
        to: Option<usize>,
        ask: bool,
    ) {
        let Some(mut gossip) = self.gossip.take_if(|gossip| gossip.consensus) else {
            return;
        };
        let has = self.message(Body::Has(Box::new(self.all_that_it_has(&gossip, ask))));
        for at in 0..gossip.peers.len() {
            let wanted = |peer: &super::Peer| to.is_none_or(|to| to == peer.index);
            if gossip.peers.get(at).is_some_and(wanted) {
                gossip.put(cx, self, at, Arc::clone(&has));
            }
        }
        gossip.news();
        self.gossip = Some(gossip);
    }
}

/// The set of all of so many.
fn all_of(n: usize) -> Vec<u64> {
    let mut all = Members::default();
    (0..n).for_each(|i| {
        all.insert(i);
    });
    all.words()
}

impl Gossip {
    /// From one turn of routines to the next.
    fn slot(&self) -> u64 {
        (self.terms.sleep.nanos() / SLOTS).max(1)
    }
    /// Writes a message to a connection.
    pub(super) fn put(
        &mut self,
        cx: &mut Context<'_>,
        replica: &TendermintReplica,
        at: usize,
        message: Arc<dyn Payload>,
    ) {
        if let Some(peer) = self.peers.get_mut(at) {
            peer.bytes += message.encoded_len();
            peer.out.push(message);
            self.written(cx, replica, at);
        }
    }
    /// Something was written to a connection: it goes out now if the buffer is full, else in a while.
    pub(super) fn written(&mut self, cx: &mut Context<'_>, replica: &TendermintReplica, at: usize) {
        let flush = self.terms.flush;
        if let Some(peer) = self.peers.get_mut(at) {
            if peer.bytes >= BUFFER || flush.is_zero() {
                self.flush(cx, replica, at);
            } else if peer.due.is_none() {
                peer.due = Some(cx.now() + flush);
            }
        }
    }
    fn flush_if_due(&mut self, cx: &mut Context<'_>, replica: &TendermintReplica, at: usize) {
        let peer = self.peers.get(at);
        if peer.is_some_and(|peer| peer.due.is_some_and(|due| due <= cx.now())) {
            self.flush(cx, replica, at);
        }
    }
    fn flush(&mut self, cx: &mut Context<'_>, replica: &TendermintReplica, at: usize) {
        let Some(peer) = self.peers.get_mut(at) else {
            return;
        };
        (peer.due, peer.bytes) = (None, 0);
        for message in peer.out.drain(..) {
            cx.send(peer.node, message);
        }
        for txs in mempool::parts(std::mem::take(&mut peer.txs)) {
            let to_all = true;
            cx.send(peer.node, replica.message(Body::Forward { txs, to_all }));
        }
    }
}
