//! Marks of QBFT and IBFT 2.0: what searches must have met in them.

use consim_core::marks;

marks! {
    ROUND_EXPIRED = "round-timer-expired": "A round took too long, and the replica went to the next.";
    ROUNDS_IN_VAIN = "four-rounds-in-vain": "A replica entered the fifth round of a height.";
    JUMPED = "jumped-to-higher-round": "A replica went to a higher round, since f+1 members are in it.";
    LED_TO_HIGHER_ROUND = "led-to-higher-round": "A replica went to a higher round, since a justified proposal of that came.";
    PREPARED_PROPOSED = "prepared-block-proposed": "A proposer put forward what was prepared in an earlier round.";
    PREPARED_AGAIN = "prepared-block-prepared-again": "A replica prepared what was prepared in an earlier round.";
    CHANGE_REFUSED = "round-change-refused": "A replica refused a ROUND-CHANGE that is not in order.";
    SECOND_PROPOSAL = "qbft-second-proposal-seen": "A replica saw a second, different proposal in one round.";
    PROPOSAL_REFUSED = "qbft-proposal-refused": "A replica refused a proposal.";
    TIME_REFUSED = "block-time-refused": "A replica refused a block whose time is too early or too late.";
    EMPTY_PROPOSED = "empty-block-proposed": "A proposer put an empty block forward, since nothing came for long.";
    DECIDED_IN_FORMER_ROUND = "qbft-decided-in-former-round": "A replica decided by commits of an earlier round than its own.";
    DECIDED_UNPREPARED = "decided-without-prepares": "A replica decided on a quorum of commits without having heard a quorum of prepares.";
    OF_LATER_HEIGHT = "qbft-message-of-later-height": "A message of a height still to come was kept until it was due.";
    SAID_LATE = "qbft-vote-said-late": "A vote was on disk only when its round or its height was over.";
    BLOCKS_GONE = "qbft-blocks-gone": "A member that is ahead had no batches, as it took a state over itself.";
    BLOCKS_REFUSED = "qbft-blocks-refused": "A decided batch from a peer was refused on the way of catching up.";
    FETCH_UNANSWERED = "qbft-fetch-unanswered": "A member that was asked for batches or a state did not answer in time.";
    CHECKPOINT_AHEAD = "qbft-checkpoint-ahead": "A proof came of a checkpoint that the replica had not reached.";
    CHECKPOINT_TOLD_AGAIN = "qbft-checkpoint-told-again": "A checkpoint was not stable a tick later and was told again.";
    STATE_SOUGHT = "qbft-state-sought": "A replica fell so far behind that it asked for a state.";
    SILENCE_OVER = "qbft-silence-over": "A replica whose disk forgot its votes is allowed to vote again.";
    CAME_BACK_SILENT = "qbft-came-back-silent": "A replica came back and must not vote, as its disk may have forgotten what it signed.";
    CAME_BACK_VOTED = "qbft-came-back-voted": "A replica came back with votes for what is not decided and said them again.";
    CAME_BACK_PREPARED = "qbft-came-back-prepared": "A replica came back with prepares for what is not decided.";
    PROPOSER_CAME_BACK = "qbft-proposer-came-back": "A proposer came back with a proposal of its own that is not decided and said it again.";
    LOG_CUT_AT_DAMAGE = "qbft-log-cut-at-damage": "A replica came back from a log with a damaged record and cut it off there.";
    CAME_BACK_FROM_TAKEN_STATE = "qbft-came-back-from-taken-state": "A replica came back from a state that it had taken over in an earlier life.";
    SCRUB_REPAIRED = "qbft-scrub-repaired": "A damaged record was found by the scrub and written again.";
    MEMPOOL_FULL = "qbft-mempool-full": "A transaction was turned away for want of room.";
    MEMBERS_CHANGED = "qbft-members-changed": "A block with a change of the members was decided.";
    LINKS_TAKEN = "qbft-links-taken": "A replica that is behind was shown who decides, and why.";
    LINKS_REFUSED = "qbft-links-refused": "A replica was shown a change of the members that is not proven.";
    STATE_TOO_NEW = "qbft-state-too-new": "A state came with changes of the members that were not shown yet.";
}
