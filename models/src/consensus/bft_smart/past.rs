//! What is decided: checkpoints, catching up and coming back, as `../sync/` has it for all protocols of one
//! decision after the other. DSN 2014, section 3.3: durability.

use super::config::FORGOTTEN;
use super::journal::{FORMER, LOG, PROOF, REGENCY, STABLE, STARTED, TAKEN, WRITTEN};
use super::marks;
use super::message::{ACCEPT, Body, CHECKPOINT};
use super::replica::BftSmartReplica;
use crate::consensus::mempool::Mempool;
use crate::consensus::roster::Roster;
use crate::consensus::sync::{Marks, MemberMarks, Past, Profile, Site, Syncs, Tables, Word};
use consim_core::{Batch, Committed, Context, Write};
use std::sync::Arc;

impl Syncs for BftSmartReplica {
    const PROFILE: Profile = Profile {
        marks: Marks {
            blocks_gone: &marks::BLOCKS_GONE,
            blocks_refused: &marks::BLOCKS_REFUSED,
            unanswered: &marks::FETCH_UNANSWERED,
            checkpoint_ahead: &marks::CHECKPOINT_AHEAD,
            told_again: &marks::CHECKPOINT_TOLD_AGAIN,
            state_sought: &marks::STATE_SOUGHT,
            silence_over: &marks::SILENCE_OVER,
            came_back_silent: &marks::CAME_BACK_SILENT,
            came_back_from_state: &marks::CAME_BACK_FROM_TAKEN_STATE,
            log_cut: &marks::LOG_CUT_AT_DAMAGE,
            scrubbed: &marks::SCRUB_REPAIRED,
            members: Some(MemberMarks {
                changed: &marks::MEMBERS_CHANGED,
                links_taken: &marks::LINKS_TAKEN,
                links_refused: &marks::LINKS_REFUSED,
                state_too_new: &marks::STATE_TOO_NEW,
            }),
        },
        tables: Tables {
            log: LOG,
            stable: STABLE,
            taken: TAKEN,
            started: STARTED,
            promises: &[REGENCY, WRITTEN, PROOF, FORMER],
        },
        decides: ACCEPT,
        checkpoint: CHECKPOINT,
        forgotten: FORGOTTEN,
    };

    fn site(&self) -> Site<'_> {
        self.group.site()
    }
    fn past(&self) -> &Past {
        &self.past
    }
    fn parts(&mut self) -> (Site<'_>, &mut Past) {
        (self.group.site(), &mut self.past)
    }
    fn roster(&mut self) -> &mut Roster {
        &mut self.group.seat.roster
    }
    fn mempool(&mut self) -> &mut Mempool {
        &mut self.mempool
    }
    fn write(&mut self, write: Write) {
        self.journal.write(write);
    }
    fn tell(&self, cx: &mut Context<'_>, to: Option<usize>, word: Word) {
        let body = match word {
            Word::Question => self.question(),
            Word::Checkpoint(ballot) => Body::Checkpoint(ballot),
            Word::FetchBlocks(from) => Body::FetchBlocks { from },
            Word::Blocks(blocks) => Body::Blocks(blocks),
            Word::FetchState(sequence, wanted) => Body::FetchState { sequence, wanted },
            Word::State(parts) => Body::State(parts),
            Word::Links(links) => Body::Links(links),
        };
        match to {
            Some(to) => self.send(cx, to, body),
            None => self.multicast(cx, body),
        }
    }
    fn verifies(&self, cx: &mut Context<'_>, batch: &Batch) -> bool {
        self.judge().verifies(cx, batch)
    }
    fn hand_up(&mut self, cx: &mut Context<'_>, committed: Arc<Committed>) {
        self.deliver(cx, committed);
    }
    fn leave(&mut self, _: &mut Context<'_>, _: u64) {
        self.current.begin();
    }
    fn go_on(&mut self, cx: &mut Context<'_>) {
        self.went_on(cx);
    }
    fn look_at_silence(&mut self, cx: &mut Context<'_>) {
        self.end_silence(cx);
    }
}
