//! Marks of HotStuff: what searches must have met in it.

use consim_core::marks;

marks! {
    LOCK_HELD = "lock-held": "A replica did not vote for a proposal below its lock.";
    SECOND_PROPOSAL = "second-proposal-in-view": "A replica saw a second, different proposal of one view.";
    PROPOSAL_REFUSED = "hotstuff-proposal-refused": "A replica refused a proposal of the leader.";
    PARENT_MISSING = "parent-missing": "A proposal came before the one that it builds on.";
    CHAIN_FETCHED = "chain-fetched": "A replica got proposals that it missed from another member.";
    CHAIN_REFUSED = "chain-refused": "A proposal that was asked for is not what it should be.";
    VOTES_FROM_TIMEOUTS = "certificate-from-timeouts": "The votes in timeouts made a certificate that the leader of the next view never told.";
    TIMEOUT_JOINED = "timeout-joined": "A replica gave a view up, since f+1 members did.";
    TIMEOUT_REFUSED = "timeout-refused": "A timeout was refused, since a signature or a certificate in it is wrong.";
    VIEW_CERTIFIED_FAILED = "view-certified-failed": "A quorum of timeouts ended a view.";
    VIEW_JUMPED = "view-jumped": "A replica went on over several views by a certificate of others.";
    VIEWS_FAILED_IN_ROW = "three-views-failed-in-row": "Three views in a row failed before anything was committed.";
    COMMITTED_OVER_GAP = "committed-with-ancestors": "A commit brought proposals along whose own views were followed by failed ones.";
    BRANCH_ABANDONED = "branch-abandoned": "A commit left a proposal behind that does not lead to it.";
    CERTIFICATE_AHEAD = "certificate-ahead": "A certificate came for a proposal that the replica does not have.";
    BLOCKS_REFUSED = "hotstuff-blocks-refused": "A committed batch from a peer was refused on the way of catching up.";
    BLOCKS_GONE = "hotstuff-blocks-gone": "A member that is ahead had no batches, as it took a state over itself.";
    FETCH_UNANSWERED = "hotstuff-fetch-unanswered": "A member that was asked did not answer in time.";
    CHECKPOINT_AHEAD = "hotstuff-checkpoint-ahead": "A proof came of a checkpoint that the replica had not reached.";
    STATE_SOUGHT = "hotstuff-state-sought": "A replica fell so far behind that it asked for a state.";
    SILENCE_OVER = "hotstuff-silence-over": "A replica whose disk forgot its votes is allowed to vote again.";
    CAME_BACK_SILENT = "hotstuff-came-back-silent": "A replica came back and must not vote, as its disk may have forgotten what it signed.";
    CAME_BACK_VOTED = "came-back-voted": "A replica came back with a vote in its view and said it again.";
    CAME_BACK_TIMED_OUT = "came-back-timed-out": "A replica came back in a view that it had given up.";
    LEADER_CAME_BACK = "leader-came-back-with-proposal": "A leader came back with a proposal of its own and said it again.";
    LOG_CUT_AT_DAMAGE = "hotstuff-log-cut-at-damage": "A replica came back from a log with a damaged record and cut it off there.";
    CAME_BACK_FROM_TAKEN_STATE = "hotstuff-came-back-from-taken-state": "A replica came back from a state that it had taken over in an earlier life.";
    SCRUB_REPAIRED = "hotstuff-scrub-repaired": "A damaged record was found by the scrub and written again.";
    REPUTATION_UNKNOWN = "reputation-unknown": "A replica knows too little of what was committed to say who leads.";
    MEMPOOL_FULL = "hotstuff-mempool-full": "A transaction was turned away for want of room.";
    SENT_TO_ALL = "hotstuff-sent-to-all": "A transaction waited for too long and was sent to everybody.";
    OLDEST_OVERTAKEN = "hotstuff-oldest-overtaken": "A leader let so many transactions overtake the oldest that its time is not prolonged.";
    PAYLOAD_MISSING = "payload-missing": "A proposal came before what it names by digest.";
    PAYLOAD_FETCHED = "payload-fetched": "A replica got payload that a proposal names from another member.";
    BATCH_REFUSED = "mempool-batch-refused": "A batch, or what was said of one, was refused.";
    CAME_BACK_WITH_BATCHES = "came-back-with-batches": "A replica came back with batches on its disk that were not ordered.";
    BATCH_CERTIFIED = "mempool-batch-certified": "A quorum acknowledged a batch, as a certificate shows.";
    DUMMIES_PROPOSED = "dummies-proposed": "A leader put an empty batch forward to commit what is in flight.";
}
