//! Marks of PBFT: what searches must have met in it.

use consim_core::marks;

marks! {
    VIEW_SKIPPED = "view-skipped": "A replica left for a view above the next one, since f+1 members asked for higher ones.";
    LEFT_WITH_CERTIFICATE = "left-with-certificate": "A replica left its view with a prepared certificate in its view change.";
    LEFT_WITH_LOCK = "left-with-lock": "A replica left its view with a prepared certificate for what it had not executed.";
    LOCK_CARRIED = "lock-carried-over-two-views": "A certificate that was not executed went along through two view changes or more.";
    VIEWS_IN_VAIN = "three-view-changes-in-vain": "A replica left its view for the fourth time without anything executed in between.";
    LEFT_DURING_TRANSFER = "left-during-state-transfer": "A replica left its view while it took a state over.";
    LEFT_TO_LEAD = "left-to-lead": "A replica left for the view that it is to lead.";
    VIEW_CHANGE_REFUSED = "view-change-refused": "A view change was refused, since a certificate or a signature in it is wrong.";
    VIEW_CHANGE_PASSED_ON = "view-change-passed-on": "A view change that another signed was passed on to somebody who lacked it.";
    HELP_BOUNDED = "help-bounded": "A member that lags behind was not helped again before the next tick.";
    NEW_VIEW_REFUSED = "new-view-refused": "A new view was refused, since it is not what its view changes call for or is not signed rightly.";
    NEW_VIEW_PASSED_ON = "new-view-passed-on": "A replica missed the new view of the primary and got it of another member.";
    NEW_VIEW_INCOMPLETE = "new-view-incomplete": "A new view came before view changes that it names.";
    PUT_FORWARD_AGAIN = "put-forward-again": "A new primary put forward again what was prepared before it.";
    GAP_FILLED = "gap-filled": "A new primary filled a gap between prepared batches with the null batch.";
    LOCKS_OF_TWO_VIEWS = "locks-of-two-views": "View changes brought certificates of different views for one sequence number.";
    LOCKS_ON_TWO_BATCHES = "locks-on-two-batches": "View changes brought certificates of different batches for one sequence number.";
    BODY_FETCHED = "body-fetched": "A replica got the body of what a new view puts forward from another member.";
    BLOCKS_GONE = "blocks-gone": "A member that is ahead had no batches, as it took a state over itself.";
    BLOCKS_REFUSED = "blocks-refused": "A committed batch from a peer was refused on the way of catching up.";
    FETCH_UNANSWERED = "fetch-unanswered": "A member that was asked for batches or a state did not answer in time.";
    ANSWER_UNASKED = "answer-unasked": "Batches came from a member that was not, or not any more, asked for them.";
    CHECKPOINT_PROVEN_BEFORE = "checkpoint-proven-before": "A replica came to a checkpoint that the others had proven before.";
    CHECKPOINT_AHEAD = "checkpoint-ahead": "A proof came of a checkpoint that the replica had not reached.";
    CHECKPOINT_WHILE_LEAVING = "checkpoint-during-view-change": "A checkpoint became stable at a replica between two views.";
    CHECKPOINT_TOLD_AGAIN = "checkpoint-told-again": "A checkpoint was not stable a tick later and was told again.";
    SILENCE_OVER = "silence-over": "A replica whose disk forgot its votes is allowed to vote again.";
    FOLLOWED_IN_SILENCE = "followed-in-silence": "A replica that must not vote took a proposal in.";
    LOG_BELOW_CHECKPOINT = "log-below-checkpoint": "A replica came back with a log that ends below its stable checkpoint.";
    CAME_BACK_SILENT = "came-back-silent": "A replica came back and must not vote, as its disk may have forgotten what it signed.";
    VOTES_SAID_AGAIN = "votes-said-again": "A replica came back and said votes of its view again.";
    CAME_BACK_BETWEEN_VIEWS = "came-back-between-views": "A replica came back in the midst of a view change.";
    TAKEN_STATE_DAMAGED = "taken-state-damaged": "A replica came back and could not read the state that it had taken over.";
    LOG_CUT_AT_DAMAGE = "log-cut-at-damage": "A replica came back from a log with a damaged record and cut it off there.";
    SCRUB_REPAIRED_CERTIFICATE = "scrub-repaired-certificate": "A damaged certificate was found by the scrub and written again.";
    SCRUB_REPAIRED_LOG = "scrub-repaired-log": "A damaged record of the log was found by the scrub and written again.";
    CAME_BACK_FROM_TAKEN_STATE = "came-back-from-taken-state": "A replica came back from a state that it had taken over in an earlier life.";
    PRIMARY_CAME_BACK = "primary-came-back-with-proposal": "A primary came back with a proposal of its own that is not executed.";
    CAME_BACK_PREPARED = "came-back-prepared": "A replica came back with a certificate of its view for what it had not executed.";
    STATE_SOUGHT = "state-sought": "A replica fell behind the window and asked for a state.";
    TRANSFER_OVERTAKEN = "state-transfer-overtaken": "A newer checkpoint overtook the transfer of a state.";
    WINDOW_FULL = "window-full": "A primary had to wait for a checkpoint before it might put more forward.";
    SECOND_PROPOSAL = "second-proposal-seen": "A backup saw a second, different proposal for one number in one view.";
    PROPOSAL_OVER_EXECUTED = "proposal-over-executed": "A proposal came for a number at which another batch is executed.";
    PROPOSAL_REFUSED = "proposal-refused": "A backup refused a proposal of the primary.";
    COMMITTED_UNPREPARED = "committed-before-prepared": "A replica committed on a quorum of commits without having prepared.";
    COMMITTED_OUT_OF_ORDER = "committed-out-of-order": "A batch was committed before one below it.";
    VOTE_OVERTAKEN = "vote-overtaken": "A vote was on disk only when its view was over, and was not said.";
    MEMPOOL_FULL = "mempool-full": "A transaction was turned away for want of room.";
    CHARGE_TAKEN = "charge-taken": "A replica took charge of a transaction that somebody else had sent to everybody.";
    SENT_TO_ALL = "sent-to-all": "A transaction waited for too long and was sent to everybody.";
    FORWARDED_ON = "forwarded-on": "A replica that does not lead was taken for the primary and forwarded a transaction.";
    OLDEST_OVERTAKEN = "oldest-overtaken": "A primary let so many transactions overtake the oldest that its time is not prolonged.";
}
