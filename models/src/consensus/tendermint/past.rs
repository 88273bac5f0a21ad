//! What is decided: checkpoints, catching up and coming back, as `../sync/` has it for all protocols of one
//! decision after the other. arXiv 1807.04938 leaves it to the application.

use super::config::FORGOTTEN;
use super::journal::{BODY, LOG, PROPOSAL, STABLE, STARTED, TAKEN, VALID, VOTES};
use super::marks;
use super::message::{Body, CHECKPOINT, PRECOMMIT};
use super::replica::TendermintReplica;
use crate::consensus::mempool::Mempool;
use crate::consensus::roster::Roster;
use crate::consensus::sync::{Marks, MemberMarks, Past, Profile, Site, Syncs, Tables, Word};
use consim_core::{Batch, Committed, Context, Write};
use std::sync::Arc;

impl Syncs for TendermintReplica {
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
            promises: &[VOTES, PROPOSAL, VALID, BODY],
        },
        decides: PRECOMMIT,
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
            None if matches!(body, Body::Checkpoint(_)) => self.tell_peers(cx, body),
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
    fn leave(&mut self, cx: &mut Context<'_>, sequence: u64) {
        self.failed = self.failed.saturating_add(self.round);
        self.leave_height(cx, sequence);
        self.own = None;
    }
    fn go_on(&mut self, cx: &mut Context<'_>) {
        self.went_on(cx);
    }
    fn look_at_silence(&mut self, cx: &mut Context<'_>) {
        self.end_silence(cx);
    }
    fn replays(&mut self, committed: &Committed) {
        self.failed = self.failed.saturating_add(committed.certificate.view);
    }
}
