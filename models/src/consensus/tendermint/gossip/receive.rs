//! What comes from a peer, and how a block comes together.

use super::super::journal::{Said, What};
use super::super::marks;
use super::super::message::{Ballot, Body, Message, PRECOMMIT, Proposal, Stamp};
use super::super::replica::TendermintReplica;
use super::super::rounds::{Phase, Round};
use super::parts::{Assembly, Cut, MAX_PARTS};
use super::wire::{Cast, Commit, Has, Header};
use super::{Gossip, Part};
use consim_core::{Batch, Committed, Context, Digest, Payload, Work};
use std::sync::Arc;

impl TendermintReplica {
    /// Do votes and proposals go from peer to peer?
    pub(in super::super) fn gossips(&self) -> bool {
        self.gossip.as_ref().is_some_and(|gossip| gossip.consensus)
    }
    fn spread(&mut self) -> Option<&mut Gossip> {
        self.gossip.as_deref_mut().filter(|gossip| gossip.consensus)
    }

    // ---- its own ---------------------------------------------------------------------------------

    /// A vote is verified, or the own one said: peers may lack it.
    pub(in super::super) fn heard(&mut self, phase: Phase, voter: usize, ballot: &Ballot) {
        if let Some(gossip) = self.spread() {
            gossip.hear(phase, voter, ballot);
        }
    }

    /// Something of the own is on disk, and counted.
    pub(in super::super) fn spread_own(&mut self, cx: &mut Context<'_>, said: &Said, phase: Phase) {
        if said.what == What::Proposal {
            return self.cut_up(cx, &said.message);
        }
        let ballot = Ballot {
            view: said.round,
            sequence: said.height,
            digest: said.digest,
            signature: said.signature,
        };
        self.heard(phase, self.group.me, &ballot);
    }

    /// The own PROPOSAL is on disk: it is cut into parts.
    pub(in super::super) fn cut_up(&mut self, cx: &mut Context<'_>, said: &Arc<dyn Payload>) {
        let said = said.as_any().downcast_ref::<Message>();
        let Some(Body::Proposal {
            proposal,
            valid,
            times,
        }) = said.map(|said| &said.body)
        else {
            return;
        };
        let proofs = (valid.as_ref(), times.as_ref());
        let (chain, height) = (self.group.chain, self.height());
        let key = Arc::clone(&self.group.key);
        let Some(gossip) = self.spread() else {
            return;
        };
        let cut = Cut::of(&proposal.batch, gossip.terms.part);
        cx.work(Work::hash(proposal.batch.encoded_len()));
        cx.work(Work::sign(1));
        let of = (cut.parts.len() as u32, cut.root);
        let header = Arc::new(Header::sign(chain, proposal, proofs, of, &key));
        let message = self.message(Body::Header(Arc::clone(&header)));
        let mut block = Assembly::new(&header, &message);
        for part in &cut.parts {
            let message = self.part(height, header.round, part);
            block.add(part, &message);
        }
        block.batch = Some(Arc::clone(&proposal.batch));
        if let Some(gossip) = self.spread() {
            gossip
                .blocks
                .retain(|block| block.header.round != header.round);
            gossip.blocks.push(block);
            gossip.news();
        }
    }

    fn part(&self, height: u64, round: u64, part: &Arc<Part>) -> Arc<dyn Payload> {
        let part = Arc::clone(part);
        self.message(Body::Part {
            height,
            round,
            part,
        })
    }

    // ---- others' ---------------------------------------------------------------------------------

    /// Upon HAS: where a peer is, and what it has.
    pub(in super::super) fn on_has(&mut self, cx: &mut Context<'_>, from: usize, has: &Has) {
        let height = self.height();
        let Some(peer) = self.spread().and_then(|gossip| gossip.peer(from)) else {
            return;
        };
        peer.says(has, height);
        if has.ask {
            peer.tell_again();
        }
        if let Some(gossip) = self.spread() {
            gossip.news();
        }
        self.is_ahead(from, has.height);
        if has.ask && self.past.peers.may_serve(from) {
            self.tell_all_that_it_has(cx, Some(from), false);
        }
    }

    /// A peer is in this height. If it is more than one ahead, it may be asked for blocks; one, it sends what this
    /// replica lacks.
    fn is_ahead(&mut self, from: usize, height: u64) {
        if height > self.height().saturating_add(1) {
            self.past.peers.claim(from, height - 1);
        }
    }

    /// Upon votes that a peer says or passes on: it has them.
    pub(in super::super) fn on_gossiped(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        votes: &[Cast],
    ) {
        if let Some((_, first)) = votes.first() {
            self.is_ahead(from, first.sequence);
        }
        for (kind, ballot) in votes {
            let voter = self.group.index_of_key(ballot.signature.key);
            if let (Some(phase), Some(voter)) = (Phase::of(*kind), voter)
                && let Some(peer) = self.spread().and_then(|gossip| gossip.peer(from))
                && peer.height == ballot.sequence
            {
                peer.known(ballot.view, phase).voters.insert(voter);
            }
        }
        self.on_votes(cx, votes);
    }

    /// Upon times that go with precommits: each is kept, if there is none of that member. They are verified when
    /// they are needed.
    pub(in super::super) fn on_stamps(&mut self, height: u64, digest: Digest, stamps: &[Stamp]) {
        for stamp in stamps {
            self.take_passed_on(height, digest, *stamp);
        }
    }

    /// Is it signed by the proposer of its round, as is the PREVOTE in it?
    fn is_signed(&self, cx: &mut Context<'_>, header: &Header) -> bool {
        let (group, chain) = (&self.group, self.group.chain);
        let key = group.key_of(group.proposer(header.height, header.round));
        cx.work(Work::verify(2));
        header.signature.key == key
            && header.prevote.key == key
            && (1..=MAX_PARTS).contains(&(header.total as usize))
            && group
                .keys
                .verify(&header.statement(chain), &header.signature)
            && group
                .keys
                .verify(&header.prevote_statement(chain), &header.prevote)
    }

    /// Upon HEADER: the first of a round that its proposer signed is what parts belong to.
    pub(in super::super) fn on_header(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        header: &Arc<Header>,
        payload: &Arc<dyn Payload>,
    ) {
        let (round, height) = (header.round, header.height);
        self.is_ahead(from, height);
        let here = height == self.height() && self.rounds.get(round).is_some();
        let Some(gossip) = self.spread() else {
            return;
        };
        if let Some(peer) = gossip.peer(from)
            && peer.is_at(height, round)
        {
            peer.header = true;
        }
        if let Some(known) = gossip.block(round) {
            if known.header.id() != header.id() {
                cx.reached(&marks::SECOND_PROPOSAL);
            }
            return;
        }
        if !here {
            return;
        }
        if !self.is_signed(cx, header) {
            return cx.reached(&marks::PROPOSAL_REFUSED);
        }
        self.await_parts(cx, header, payload);
    }

    /// From now on parts of this block are kept. Those that are here of an earlier round need not come again.
    fn await_parts(
        &mut self,
        cx: &mut Context<'_>,
        header: &Arc<Header>,
        payload: &Arc<dyn Payload>,
    ) {
        let Some(gossip) = self.spread() else {
            return;
        };
        let mut block = Assembly::new(header, payload);
        let same = |known: &&Assembly| {
            let known = &known.header;
            (known.root, known.total) == (header.root, header.total)
        };
        let known = gossip.blocks.iter().find(same);
        let known: Vec<Arc<Part>> = known.map_or(Vec::new(), |b| b.pieces().cloned().collect());
        gossip
            .blocks
            .retain(|block| block.header.round != header.round);
        gossip.news();
        for part in &known {
            let message = self.part(header.height, header.round, part);
            block.add(part, &message);
        }
        let full = block.is_full();
        if let Some(gossip) = self.spread() {
            gossip.blocks.push(block);
        }
        if full {
            self.put_together(cx, header.round);
        }
    }

    /// Upon PART of a block whose header is here: keeps it, if it is proven to be the one that it says.
    pub(in super::super) fn on_part(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        (height, round): (u64, u64),
        part: &Arc<Part>,
        payload: &Arc<dyn Payload>,
    ) {
        let here = height == self.height();
        let Some(gossip) = self.spread() else {
            return;
        };
        let index = part.index as usize;
        if let Some(peer) = gossip.peer(from).filter(|_| index < MAX_PARTS)
            && peer.is_at(height, round)
        {
            peer.parts.insert(index);
        }
        let block = gossip.blocks.iter_mut().find(|b| b.header.round == round);
        let Some(block) = block.filter(|block| here && !block.has(index)) else {
            return;
        };
        cx.work(Work::hash(part.bytes.len()));
        if !part.belongs_to(&block.header) {
            return cx.reached(&marks::PART_REFUSED);
        }
        block.add(part, payload);
        let full = block.is_full();
        gossip.news();
        if full {
            self.put_together(cx, round);
        }
    }

    /// All parts are here: the block is read.
    fn put_together(&mut self, cx: &mut Context<'_>, round: u64) {
        let Some(gossip) = self.spread() else {
            return;
        };
        let Some(block) = gossip.blocks.iter_mut().find(|b| b.header.round == round) else {
            return;
        };
        let header = Arc::clone(&block.header);
        let batch = block.read();
        let batch = batch.filter(|batch| batch.digest() == header.digest);
        block.batch.clone_from(&batch);
        let shown = gossip.commit.as_ref().map(|commit| commit.digest);
        let Some(batch) = batch else {
            // Not what its proposer says; of a commit, another peer's may be.
            cx.reached(&marks::PROPOSAL_REFUSED);
            if shown == Some(header.digest) {
                gossip.commit = None;
                gossip.blocks.retain(|block| block.header.round != round);
            }
            if let Some(known) = self.rounds.get_mut(round) {
                known.refused = true;
            }
            return self.refuse(cx, round);
        };
        if shown == Some(header.digest) {
            return self.decide_as_shown(cx, batch);
        }
        if self.rounds.get(round).is_none() {
            return;
        }
        cx.reached(&marks::PUT_TOGETHER);
        let proposer = self.group.proposer(header.height, round);
        let height = header.height;
        let proposal = Proposal::new(round, height, batch, header.prevote);
        let proposal = Arc::new(proposal);
        let message = self.message(Body::Proposal {
            proposal: Arc::clone(&proposal),
            valid: header.valid.clone(),
            times: header.times.clone(),
        });
        let proofs = (header.valid.as_ref(), header.times.as_ref());
        self.take_proposal(cx, proposer, &proposal, proofs, &message);
    }

    // ---- decisions -------------------------------------------------------------------------------

    /// Upon COMMIT: the height under way is decided, and its block comes in parts, if it is not here.
    pub(in super::super) fn on_commit(&mut self, cx: &mut Context<'_>, commit: &Commit) {
        let Commit {
            certificate,
            header,
        } = commit;
        let height = self.height();
        let Some(gossip) = self.spread() else {
            return;
        };
        if certificate.sequence != height || header.height != height || gossip.commit.is_some() {
            return;
        }
        cx.work(Work::verify_batched(certificate.signatures.len() as u32));
        let sound = certificate.kind == PRECOMMIT
            && certificate.digest == header.digest
            && self.group.site().holds(certificate)
            && self.is_signed(cx, header);
        if !sound {
            return;
        }
        cx.reached(&marks::COMMIT_TAKEN);
        let of = |round: &Round| round.batch.clone().filter(|b| b.digest() == header.digest);
        let whole = self.rounds.iter().find_map(of);
        let Some(gossip) = self.spread() else {
            return;
        };
        gossip.commit = Some(Arc::clone(certificate));
        let known = gossip.block(header.round).map(|block| block.header.root);
        if let Some(batch) = whole {
            self.decide_as_shown(cx, batch);
        } else if known != Some(header.root) {
            let message = self.message(Body::Header(Arc::clone(header)));
            self.await_parts(cx, header, &message);
        }
    }

    /// The block of a decision that a peer showed is here.
    fn decide_as_shown(&mut self, cx: &mut Context<'_>, batch: Arc<Batch>) {
        let Some(certificate) = self.spread().and_then(|gossip| gossip.commit.take()) else {
            return;
        };
        if !self.judge().verifies(cx, &batch) {
            return;
        }
        let committed = Arc::new(Committed {
            chain: self.group.chain,
            sequence: certificate.sequence,
            batch,
            certificate: (*certificate).clone(),
        });
        self.deliver(cx, committed);
        self.went_on(cx);
    }
}
