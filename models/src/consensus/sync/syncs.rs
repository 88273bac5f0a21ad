//! How replicas of a chain of one block after the other catch up with each other, take checkpoints and come
//! back from their disks, whatever they agree by.

use super::past::{
    MAX_OPEN_CHECKPOINTS, MAX_REPLAYED, MemberMarks, Past, Profile, Record, Site, Word, record,
};
use super::seeded;
use super::{Blocks, Kept, MAX_BLOCKS, MAX_WANTED, Silent, StateParts, serve};
use crate::consensus::mempool::Mempool;
use crate::consensus::roster::{MAX_LINKS, Roster};
use crate::consensus::{Ballot, Changing, CheckpointHead as _, MemberChange, Replica, StateHead};
use crate::ledger::state::parts::Prefix;
use crate::ledger::{Snapshot, seeded as ledger};
use consim_core::chain::vote_statement;
use consim_core::{
    Batch, Certificate, Committed, Context, Delivery, Digest, Disk, Holds, Payload, Probe, Tx,
    Work, Write,
};
use std::any::Any;
use std::sync::Arc;

/// A replica that decides one batch after the other and has the [`Past`] of it. What stands here is the same
/// for all such protocols; what is required is their own.
pub(in crate::consensus) trait Syncs: Sized {
    /// What the protocol is here.
    const PROFILE: Profile;

    /// Where it stands in its group.
    fn site(&self) -> Site<'_>;
    /// What it has behind it.
    fn past(&self) -> &Past;
    /// Both of these, to be changed.
    fn parts(&mut self) -> (Site<'_>, &mut Past);
    /// Who decides when.
    fn roster(&mut self) -> &mut Roster;
    /// What waits to be decided.
    fn mempool(&mut self) -> &mut Mempool;
    /// Writes with the next fsync.
    fn write(&mut self, write: Write);
    /// Says this to a member, or to all.
    fn tell(&self, cx: &mut Context<'_>, to: Option<usize>, word: Word);
    /// Verifies a batch that a quorum decided.
    fn verifies(&self, cx: &mut Context<'_>, batch: &Batch) -> bool;
    /// Hands up the next decided batch and writes it to the log; nothing of it is under way any more.
    fn hand_up(&mut self, cx: &mut Context<'_>, committed: Arc<Committed>);
    /// All up to here is decided, and a state stands for it: nothing of it is under way any more.
    fn leave(&mut self, cx: &mut Context<'_>, sequence: u64);
    /// Something was decided, by what others sent: what comes next.
    fn go_on(&mut self, cx: &mut Context<'_>);
    /// Looks at whether a silent replica may vote again ([`Self::silence_is_over`]).
    fn look_at_silence(&mut self, cx: &mut Context<'_>);
    /// A batch of the own log is handed up again.
    fn replays(&mut self, _committed: &Committed) {}

    // ---- checkpoints -----------------------------------------------------------------------------

    /// The last stable checkpoint.
    fn stable(&self) -> u64 {
        self.past().stable()
    }

    /// The node executed `sequence`. Every so many a checkpoint is taken and told.
    fn on_executed(&mut self, cx: &mut Context<'_>, sequence: u64, state: &dyn Fn() -> Snapshot) {
        let (site, past) = self.parts();
        let stable = past.stable();
        if !sequence.is_multiple_of(site.interval) || sequence < stable {
            return;
        }
        let Snapshot { header, state } = state();
        let root = state.root();
        let head = Arc::new(StateHead { header, root });
        cx.work(Work::hash(head.encoded_len()));
        let digest = past.checkpoints.keep(Kept {
            sequence,
            head,
            state,
        });
        if sequence <= stable {
            return past.checkpoints.drop_below(stable);
        }
        if sequence <= past.replayed {
            return;
        }
        self.tell_checkpoint(cx, sequence, digest);
        if let Some((_, ahead)) = self.past().checkpoints.ahead().cloned() {
            self.adopt(cx, ahead);
        }
        self.try_stable(cx, sequence);
    }

    /// Says to which state the batches up to here led.
    fn tell_checkpoint(&mut self, cx: &mut Context<'_>, sequence: u64, state: Digest) {
        let site = self.site().at(sequence);
        if !site.era.votes(site.me) {
            return;
        }
        cx.work(Work::sign(1));
        let kind = Self::PROFILE.checkpoint;
        let ballot = Ballot::sign(site.chain, kind, 0, sequence, state, site.key);
        self.tell(cx, None, Word::Checkpoint(ballot));
        let (site, past) = self.parts();
        let site = site.at(sequence);
        let statement = vote_statement(site.chain, kind, 0, sequence, &state);
        if let Some(tally) = past.votes.get(sequence) {
            tally.settle(&site, &state, statement);
            tally.add(&site, &state, &ballot.signature);
        }
    }

    /// Upon CHECKPOINT: counts it; with a quorum the checkpoint is stable.
    fn on_checkpoint(&mut self, cx: &mut Context<'_>, from: usize, ballot: &Ballot) {
        let sequence = ballot.sequence;
        let (site, past) = self.parts();
        past.peers.claim(from, sequence);
        let open = site.interval.saturating_mul(MAX_OPEN_CHECKPOINTS);
        let stable = past.stable();
        let highest = past.executed.max(stable).saturating_add(open);
        if !sequence.is_multiple_of(site.interval) || sequence <= stable || sequence > highest {
            return;
        }
        let site = site.at(sequence);
        let key = site.key_of(from);
        if !site.era.votes(from) {
            return;
        }
        let Some(tally) = past.votes.get(sequence) else {
            return;
        };
        if tally.count() >= site.era.quorum || tally.voted(key) {
            return;
        }
        cx.work(Work::verify(1));
        let kind = Self::PROFILE.checkpoint;
        let hash = |state: &Digest| vote_statement(site.chain, kind, 0, sequence, state);
        if tally.vote(&site, key, &ballot.digest, &ballot.signature, hash) {
            self.try_stable(cx, sequence);
        }
    }

    /// With a quorum of the same votes a checkpoint is stable.
    fn try_stable(&mut self, cx: &mut Context<'_>, sequence: u64) {
        let (site, tally) = (self.site().at(sequence), self.past().votes.find(sequence));
        let kind = Self::PROFILE.checkpoint;
        let proof = tally.and_then(|t| t.certificate(&site, kind, 0, sequence));
        // Votes that came before a change was known may be of others than of those who decide there.
        let holds = |proof: &Certificate| !site.roster.may_change() || site.holds(proof);
        if let Some(proof) = proof.filter(holds) {
            self.adopt(cx, Arc::new(proof));
        }
    }

    /// Upon a proof of a stable checkpoint from a peer: verifies and adopts it.
    fn on_proof(&mut self, cx: &mut Context<'_>, proof: &Arc<Certificate>) {
        let past = self.past();
        if proof.sequence <= past.stable().max(past.checkpoints.proven()) {
            return;
        }
        cx.work(Work::verify_batched(proof.signatures.len() as u32));
        if self.is_checkpoint(proof) {
            self.adopt(cx, Arc::clone(proof));
        }
    }

    /// Does it prove a stable checkpoint?
    fn is_checkpoint(&self, proof: &Certificate) -> bool {
        let site = self.site();
        proof.kind == Self::PROFILE.checkpoint
            && proof.view == 0
            && proof.sequence > 0
            && proof.sequence.is_multiple_of(site.interval)
            && site.holds(proof)
    }

    /// A checkpoint is proven stable: it becomes this replica's if it has executed so far and come to the
    /// same state; a replica that has not is behind and catches up.
    fn adopt(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
        let sequence = proof.sequence;
        let (_, past) = self.parts();
        if sequence <= past.stable() {
            return;
        }
        if past.checkpoints.own_state(sequence) == Some(proof.digest) {
            self.make_stable(cx, proof);
        } else if sequence > past.executed && sequence > past.checkpoints.proven() {
            cx.reached(Self::PROFILE.marks.checkpoint_ahead);
            past.checkpoints.set_ahead(sequence, proof);
            self.seek(cx);
        }
    }

    /// Votes up to the checkpoint are of no use any more.
    fn make_stable(&mut self, cx: &mut Context<'_>, proof: Arc<Certificate>) {
        let sequence = proof.sequence;
        // The log reaches that far: it was written before, and writes keep their order.
        self.keep_stable(&proof);
        let (site, past) = self.parts();
        past.checkpoints.drop_below(sequence);
        past.votes.drop_below(sequence);
        past.checkpoints.proof = Some(proof);
        cx.emit(Probe::StableCheckpoint {
            chain: site.chain,
            sequence,
        });
    }

    /// Writes the proof of the stable checkpoint down.
    fn keep_stable(&mut self, proof: &Arc<Certificate>) {
        let record = Arc::new(Record::Stable(Arc::clone(proof)));
        self.write(Write::cell(Self::PROFILE.tables.stable, 0, record));
    }

    /// Tells checkpoints again that were taken before the last tick and are not stable yet.
    fn retell_checkpoints(&mut self, cx: &mut Context<'_>) {
        if let Some((sequence, state)) = self.parts().1.checkpoints.overdue() {
            cx.reached(Self::PROFILE.marks.told_again);
            self.tell_checkpoint(cx, sequence, state);
            self.try_stable(cx, sequence);
        }
    }

    // ---- who decides -----------------------------------------------------------------------------

    /// A block is decided: if it holds a change of the members, others decide from the next one on.
    fn note_change(&mut self, cx: &mut Context<'_>, committed: &Arc<Committed>) {
        if self.roster().decided(committed) {
            if let Some(MemberMarks { changed, .. }) = Self::PROFILE.marks.members {
                cx.reached(changed);
            }
            let told = self.site().roster.told();
            cx.emit(Probe::Configured(Arc::new(told)));
        }
    }

    /// A member knows of changes up to this one: it is shown the later ones.
    fn show_links(&mut self, cx: &mut Context<'_>, to: usize, known: u64) {
        let (site, past) = self.parts();
        if known >= site.roster.latest().change || !past.peers.may_serve(to) {
            return;
        }
        let links = site.roster.links(known);
        self.tell(cx, Some(to), Word::Links(links));
    }

    /// Upon blocks with changes of the members, one after the other: who decides after each is proven by the
    /// certificate of those who decided before, and the change by the administrator's signature.
    fn on_links(&mut self, cx: &mut Context<'_>, links: &[Arc<Committed>]) {
        let Some(marks) = Self::PROFILE.marks.members else {
            return;
        };
        if links.len() > MAX_LINKS {
            return;
        }
        for link in links {
            if link.sequence < self.site().roster.latest().from {
                continue;
            }
            let next = self.site().roster.is_next(link);
            let believes = seeded::on(&seeded::LINKS_NOT_CHECKED);
            if !next || !(believes || self.verify_committed(cx, link)) {
                return cx.reached(marks.links_refused);
            }
            cx.reached(marks.links_taken);
            self.note_change(cx, link);
        }
        self.try_install(cx);
        self.seek(cx);
    }

    /// The administrator asks for a change, which goes the way of any transaction if it is the next one: what has
    /// become of it.
    fn change_by_transaction(
        &mut self,
        cx: &mut Context<'_>,
        change: &MemberChange,
        signed: &Arc<Tx>,
    ) -> Changing
    where
        Self: Replica,
    {
        let known = self.asked_to_change(change);
        known.unwrap_or_else(|| {
            if self.submit(cx, Arc::clone(signed)) {
                Changing::UnderWay
            } else {
                Changing::Waits
            }
        })
    }

    /// The administrator asks for a change: what has become of it. If it is the next one it goes the way of any
    /// transaction; `None` says so.
    fn asked_to_change(&mut self, change: &MemberChange) -> Option<Changing> {
        let (site, past) = self.parts();
        let known = site.roster.asked(change, past.executed);
        if known.is_some() {
            return known;
        }
        let administrator = site.roster.administrator()?;
        let id = MemberChange::id(administrator, change.number);
        let me = site.me;
        if !site.era.votes(me) {
            return Some(Changing::Elsewhere);
        }
        let mempool = self.mempool();
        if mempool.ordered(id) {
            // It was ordered before its turn, and is void.
            return Some(Changing::Impossible);
        }
        mempool.holds(id).then_some(Changing::UnderWay)
    }

    // ---- transfer of decided batches -------------------------------------------------------------

    /// Asks a member that claims to be ahead for what comes next, unless one was asked already.
    fn seek(&mut self, cx: &mut Context<'_>) {
        let (_, past) = self.parts();
        if past.peers.asking() {
            return;
        }
        // So far behind a proven checkpoint that batches do not help, or there are none.
        let proven = past.checkpoints.proven();
        if past
            .transfer
            .is_called_for(proven, past.executed, MAX_REPLAYED)
        {
            return self.seek_state(cx);
        }
        let Some(peer) = past.peers.ahead(past.executed) else {
            return;
        };
        past.peers.ask(peer);
        let from = past.executed + 1;
        self.tell(cx, Some(peer), Word::FetchBlocks(from));
    }

    /// Messages of what is still to come show who is ahead. The one after this may be due to the order of
    /// messages; f+1 that are in one further still have left this replica behind.
    fn seek_if_left_behind(&mut self, cx: &mut Context<'_>) {
        let past = self.past();
        let ahead = past.executed.saturating_add(2);
        if past.peers.as_far(ahead) > self.site().era.faults {
            self.seek(cx);
        }
    }

    /// Upon FETCH-BLOCKS: sends decided batches in order, within bounds.
    fn on_fetch_blocks(&mut self, cx: &mut Context<'_>, from: usize, first: u64) {
        let (site, past) = self.parts();
        if !past.peers.may_serve(from) {
            return;
        }
        let blocks = serve(cx, &past.log, site.chain, site.node(from), first);
        let word = Word::Blocks(Blocks {
            blocks,
            executed: past.executed,
            proof: past.checkpoints.proof.clone(),
        });
        self.tell(cx, Some(from), word);
    }

    /// Upon BLOCKS that were asked for: verifies each and executes it. A member that sends something
    /// invalid, or nothing, is not asked again before it makes a new claim.
    fn on_blocks(&mut self, cx: &mut Context<'_>, from: usize, answer: &Blocks) {
        let (_, past) = self.parts();
        if answer.blocks.len() > MAX_BLOCKS || !past.peers.answered_by(from) {
            return;
        }
        if answer.blocks.is_empty() && answer.executed > past.executed {
            // It took a state over itself and has nothing that led there.
            cx.reached(Self::PROFILE.marks.blocks_gone);
            past.transfer.blocks_are_gone();
        }
        let before = past.executed;
        let mut sound = true;
        for committed in &answer.blocks {
            let executed = self.past().executed;
            if committed.sequence <= executed {
                continue;
            }
            if committed.sequence != executed + 1 || !self.verify_committed(cx, committed) {
                cx.reached(Self::PROFILE.marks.blocks_refused);
                sound = false;
                break;
            }
            self.hand_up(cx, Arc::clone(committed));
        }
        let fetched = self.past().executed - before;
        let claim = if sound && fetched > 0 {
            answer.executed
        } else {
            0
        };
        self.parts().1.peers.set_claim(from, claim);
        if let Some(proof) = &answer.proof {
            self.on_proof(cx, proof);
        }
        if fetched > 0 {
            cx.emit(Probe::CaughtUp {
                chain: self.site().chain,
                blocks: fetched,
            });
            self.go_on(cx);
        }
        self.seek(cx);
    }

    /// Is it decided by a quorum, and is its body genuine? The digest does not cover the signatures of
    /// transactions, so that these are verified too.
    fn verify_committed(&self, cx: &mut Context<'_>, committed: &Committed) -> bool {
        let site = self.site();
        let certificate = &committed.certificate;
        cx.work(Work::verify_batched(certificate.signatures.len() as u32));
        committed.chain == site.chain
            && certificate.kind == Self::PROFILE.decides
            && certificate.sequence == committed.sequence
            && certificate.digest == committed.batch.digest()
            && site.holds(certificate)
            && self.verifies(cx, &committed.batch)
    }

    /// Looks for what may have been missed since the last tick. `kept`: messages of what is to come are here
    /// from so many that a correct member is among them.
    fn compare_notes(&mut self, cx: &mut Context<'_>, kept: bool) {
        let (site, past) = self.parts();
        let (me, tick) = (site.me, past.peers.tick(past.executed));
        if tick.unanswered {
            cx.reached(Self::PROFILE.marks.unanswered);
        }
        let behind = kept || past.checkpoints.proven() > past.executed;
        if tick.asking || (tick.quiet && behind) {
            self.tell(cx, None, Word::Question);
        } else if tick.idle {
            let peer = past.peers.to_compare(me);
            self.tell(cx, Some(peer), Word::Question);
        }
        if tick.quiet {
            self.seek(cx);
        }
    }

    /// After a restart: everybody is asked.
    fn ask_everybody(&mut self, cx: &mut Context<'_>) {
        self.parts().1.peers.restarted();
        self.tell(cx, None, Word::Question);
    }

    // ---- transfer of states ----------------------------------------------------------------------

    /// Asks the next member that claims to be there for the state at the proven checkpoint.
    fn seek_state(&mut self, cx: &mut Context<'_>) {
        let (_, past) = self.parts();
        // A state that is here waits for links, for which each quiet tick asks.
        if past.transfer.waits(past.executed) {
            return;
        }
        let Some((sequence, proof)) = past.checkpoints.ahead() else {
            return;
        };
        let sequence = *sequence;
        let Some(peer) = past.peers.ahead(sequence.saturating_sub(1)) else {
            return;
        };
        let wish = past.transfer.wish(sequence, proof);
        if wish.wanted.is_empty() {
            cx.reached(Self::PROFILE.marks.state_sought);
        }
        past.peers.ask(peer);
        self.tell(cx, Some(peer), Word::FetchState(sequence, wish.wanted));
    }

    /// Upon FETCH-STATE: sends the head, or as many of the parts as one message may hold.
    fn on_fetch_state(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        sequence: u64,
        wanted: &[Prefix],
    ) {
        let (_, past) = self.parts();
        if wanted.len() > MAX_WANTED || !past.peers.may_serve(from) {
            return;
        }
        let kept = past.checkpoints.kept(sequence);
        let proof = past.checkpoints.proof.clone();
        let parts = StateParts::of(kept, sequence, wanted, past.executed, proof);
        self.tell(cx, Some(from), Word::State(parts));
    }

    /// Upon STATE that was asked for: verifies and keeps it. A member that sends something else than the
    /// proof covers, or nothing, is not asked again before it makes a new claim.
    fn on_state(&mut self, cx: &mut Context<'_>, from: usize, answer: &StateParts<StateHead>) {
        let (site, past) = self.parts();
        if answer.parts.len() > MAX_WANTED || !past.peers.answered_by(from) {
            return;
        }
        let own = past.checkpoints.latest().map(|kept| kept.state.clone());
        let taken = past.transfer.take(cx, answer, own, false);
        if taken.is_none() {
            cx.emit(Probe::StateRefused {
                chain: site.chain,
                from: site.node(from),
            });
        }
        let proven = past.checkpoints.proven();
        if let Some(proof) = &answer.proof {
            self.on_proof(cx, proof);
        }
        // One that has gone on to a later checkpoint is asked for that.
        let (_, past) = self.parts();
        let newer = past.checkpoints.proven() > proven;
        let useful = taken.is_some_and(|useful| useful || newer);
        let claim = if useful { answer.executed } else { 0 };
        past.peers.set_claim(from, claim);
        self.try_install(cx);
        self.seek(cx);
    }

    /// Once every part is here, the state stands for all that led to it: it goes to disk and up.
    fn try_install(&mut self, cx: &mut Context<'_>) {
        let (site, past) = self.parts();
        let Some(taken) = past.transfer.finish(past.executed) else {
            return;
        };
        if !site.roster.knows_all_of(&taken.state.state, taken.sequence) {
            // Who decides after it is not known yet: they have to be shown first. Until then it is kept.
            if let Some(marks) = Self::PROFILE.marks.members {
                cx.reached(marks.state_too_new);
            }
            past.transfer.wait_with(taken);
            return self.tell(cx, None, Word::Question);
        }
        let (chain, sequence, links) = (site.chain, taken.sequence, site.roster.all_links());
        self.leave(cx, sequence);
        let (_, past) = self.parts();
        past.restart(sequence, Some(Arc::clone(&taken.proof)), &taken.state);
        self.mempool().restore(&taken.state.state);
        let record = Record::Taken {
            chain,
            sequence,
            proof: Some(Arc::clone(&taken.proof)),
            head: taken.head,
            state: Arc::clone(&taken.state),
            links,
        };
        self.write(Write::cell(Self::PROFILE.tables.taken, 0, Arc::new(record)));
        cx.emit(Probe::StateTaken {
            chain,
            sequence,
            fetched: taken.fetched,
        });
        cx.deliver(Delivery::State {
            sequence,
            state: taken.state,
            replayed: false,
        });
        self.make_stable(cx, taken.proof);
        self.go_on(cx);
    }

    // ---- silence ---------------------------------------------------------------------------------

    /// From now on a disk without this mark is one that was wiped.
    fn mark_started(&mut self) {
        let mark = Arc::new(Record::Started);
        self.write(Write::cell(Self::PROFILE.tables.started, 0, mark));
    }

    /// A silent replica hears where the group is: a member has executed so far, and this shows it. What is
    /// not proven does not count.
    fn estimate(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        executed: u64,
        shown: Option<&Arc<Certificate>>,
    ) {
        let past = self.past();
        let Some(silent) = past.silent.as_ref().filter(|s| !s.known) else {
            return;
        };
        let known = executed <= past.executed.max(silent.shown);
        if !known && !self.is_decided(cx, executed, shown) {
            return;
        }
        let (site, past) = self.parts();
        let own = past.executed;
        if let Some(silent) = &mut past.silent {
            if site.era.votes(from) {
                silent.answered.insert(from);
            }
            silent.shown = silent.shown.max(executed).max(own);
            let others = silent.answered.len() + usize::from(site.era.votes(site.me));
            silent.known = others + site.era.faults >= site.era.members.len();
        }
        self.look_at_silence(cx);
    }

    /// Is it shown that so many are decided?
    fn is_decided(
        &self,
        cx: &mut Context<'_>,
        executed: u64,
        shown: Option<&Arc<Certificate>>,
    ) -> bool {
        shown.is_some_and(|proof| {
            cx.work(Work::verify_batched(proof.signatures.len() as u32));
            let decides = proof.kind == Self::PROFILE.decides && self.site().holds(proof);
            proof.sequence == executed && (decides || self.is_checkpoint(proof))
        })
    }

    /// Is all decided that a silent replica may have voted for?
    fn silence_is_over(&self) -> bool {
        let past = self.past();
        let forgotten = Self::PROFILE.forgotten;
        let over = |s: &Silent| s.known && s.shown.saturating_add(forgotten) <= past.executed;
        past.silent.as_ref().is_some_and(over)
    }

    /// A silent replica votes again.
    fn speak_again(&mut self, cx: &mut Context<'_>) {
        cx.reached(Self::PROFILE.marks.silence_over);
        self.parts().1.silent = None;
        self.emit_abstains(cx);
        self.mark_started();
    }

    /// Tells whether it is silent.
    fn emit_abstains(&self, cx: &mut Context<'_>) {
        cx.emit(Probe::Abstains {
            chain: self.site().chain,
            abstains: self.past().silent.is_some(),
        });
    }

    // ---- coming back -----------------------------------------------------------------------------

    /// Takes over what the disk kept of what is decided: executes the log again, from the state that was
    /// taken over if there is one. A replica whose disk may have forgotten what it signed is silent from now
    /// on.
    fn recover_past(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let tables = Self::PROFILE.tables;
        let records = disk.damaged();
        let forgotten = self.clear_damage(cx, disk) || disk.restored();
        let started = disk.cell(tables.started, 0).is_some();
        if forgotten || !started {
            self.parts().1.silent = Some(Silent::default());
        }
        self.replay_log(cx, disk);
        if let Some(Record::Stable(proof)) = disk.cell(tables.stable, 0).and_then(record) {
            let (_, past) = self.parts();
            if proof.sequence <= past.executed {
                past.checkpoints.proof = Some(Arc::clone(proof));
            } else {
                past.checkpoints
                    .set_ahead(proof.sequence, Arc::clone(proof));
            }
        }
        if forgotten && started {
            // Whoever comes back before the silence is over must not take this disk for whole.
            self.write(Write::erase_below(tables.started, u64::MAX));
        }
        if records > 0 || forgotten {
            cx.emit(Probe::DamageFound { records, forgotten });
        }
        if self.past().silent.is_some() {
            cx.reached(Self::PROFILE.marks.came_back_silent);
            self.emit_abstains(cx);
        }
    }

    /// Cuts off what cannot be read of the log, to be fetched again. Returns whether a promise may be
    /// forgotten: a record of a vote, or of what votes are counted from, is damaged.
    fn clear_damage(&mut self, cx: &mut Context<'_>, disk: &Disk) -> bool {
        let tables = Self::PROFILE.tables;
        if disk.any_damaged(tables.taken) {
            // Without the state that it goes on from, the log is of no use.
            self.write(Write::erase_below(tables.taken, u64::MAX));
            self.write(Write::cut(tables.log, 0));
        } else if let Some(from) = disk.first_damaged(tables.log) {
            cx.reached(Self::PROFILE.marks.log_cut);
            self.write(Write::cut(tables.log, from));
        }
        let own = [tables.stable, tables.taken, tables.started];
        let mut promises = own.iter().chain(tables.promises);
        promises.any(|&table| disk.any_damaged(table))
    }

    /// Executes the log again.
    fn replay_log(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let tables = Self::PROFILE.tables;
        if let Some(Record::Taken {
            sequence,
            proof,
            state,
            links,
            ..
        }) = disk.cell(tables.taken, 0).and_then(record)
        {
            cx.reached(Self::PROFILE.marks.came_back_from_state);
            for link in links {
                self.roster().decided(link);
            }
            let (_, past) = self.parts();
            past.restart(*sequence, proof.clone(), state);
            self.mempool().restore(&state.state);
            cx.deliver(Delivery::State {
                sequence: *sequence,
                state: Arc::clone(state) as _,
                replayed: true,
            });
        }
        for value in disk.log(tables.log) {
            let value: Arc<dyn Any + Send + Sync> = Arc::<dyn Payload>::clone(value);
            let Ok(committed) = value.downcast::<Committed>() else {
                continue;
            };
            let (_, past) = self.parts();
            if committed.sequence != past.executed + 1 {
                continue;
            }
            past.executed = committed.sequence;
            past.log.push(Arc::clone(&committed));
            past.decided = Some(Arc::new(committed.certificate.clone()));
            if !ledger::on(&ledger::TABLE_OF_EXECUTED_NOT_PERSISTED) {
                self.mempool().executed(committed.batch.txs());
            }
            self.roster().decided(&committed);
            self.replays(&committed);
            cx.deliver(Delivery::Ordered {
                committed,
                replayed: true,
            });
        }
        let (_, past) = self.parts();
        past.replayed = past.executed;
    }

    // ---- damage while up -------------------------------------------------------------------------

    /// The host found damage while this replica is up: what is decided, and in memory, is written again. The
    /// protocol does so with its votes.
    fn scrub_past(&mut self, cx: &mut Context<'_>, disk: &Disk) {
        let tables = Self::PROFILE.tables;
        let records = disk.damaged();
        let forgotten = false;
        cx.emit(Probe::DamageFound { records, forgotten });
        cx.reached(Self::PROFILE.marks.scrubbed);
        if disk.any_damaged(tables.started) && self.past().silent.is_none() {
            self.mark_started();
        }
        if disk.any_damaged(tables.stable)
            && let Some(proof) = self.past().checkpoints.proof.clone()
        {
            self.keep_stable(&proof);
        }
        self.write_chain_again(disk);
    }

    /// Writes what is damaged of the log and of the state before it again.
    fn write_chain_again(&mut self, disk: &Disk) {
        let tables = Self::PROFILE.tables;
        let mut from = disk.first_damaged(tables.log);
        if disk.any_damaged(tables.taken) {
            // What this replica executed itself it need not prove to itself, but to others.
            let past = self.past();
            let Some(kept) = past.checkpoints.latest() else {
                return;
            };
            let proof = past.checkpoints.proof.clone();
            let record = Record::Taken {
                chain: self.site().chain,
                sequence: kept.sequence,
                proof: proof.filter(|proof| proof.sequence == kept.sequence),
                head: Arc::clone(&kept.head),
                state: Arc::new(kept.snapshot()),
                links: self.site().roster.all_links(),
            };
            self.write(Write::cell(tables.taken, 0, Arc::new(record)));
            from = Some(0);
        }
        let Some(from) = from else {
            return;
        };
        self.write(Write::cut(tables.log, from));
        let whole = disk.log(tables.log).iter().take(from).rev();
        let last = whole.filter_map(|entry| match entry.holds()? {
            Holds::Block(_, sequence) => Some(sequence),
            Holds::UpTo(..) => None,
        });
        let last = last.max().unwrap_or(0).max(self.past().log.base());
        let rest: Vec<Arc<Committed>> = self.past().log.from(last + 1).cloned().collect();
        for committed in rest {
            self.write(Write::append(tables.log, committed));
        }
    }
}
