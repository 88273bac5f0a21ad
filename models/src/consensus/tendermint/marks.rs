//! Marks of Tendermint: what searches must have met in it.

use consim_core::marks;

marks! {
    PREVOTED_NIL_LATE = "prevoted-nil-for-want-of-proposal": "A replica prevoted nil, since no proposal came in time.";
    PRECOMMITTED_NIL_LATE = "precommitted-nil-for-want-of-polka": "A replica precommitted nil, since no value got 2f+1 prevotes in time.";
    PRECOMMITTED_NIL = "precommitted-nil-with-quorum": "A replica precommitted nil, since 2f+1 members prevoted it.";
    ROUND_IN_VAIN = "round-in-vain": "A replica went to the next round after 2f+1 precommits that decided nothing.";
    ROUNDS_IN_VAIN = "three-rounds-in-vain": "A replica entered the fourth round of a height.";
    ROUND_SKIPPED = "round-skipped": "A replica went to a higher round, since f+1 members are in it.";
    LOCK_HELD = "tendermint-lock-held": "A replica prevoted nil, since it is locked on another value.";
    UNLOCKED = "unlocked-by-later-polka": "A replica prevoted another value than it is locked on, since that has 2f+1 prevotes of a later round.";
    LOCKED_AGAIN = "locked-again": "A replica that was locked is locked in a later round.";
    VALID_PROPOSED = "valid-value-proposed": "A proposer put forward the valid value of an earlier round.";
    VALID_PREVOTED = "valid-value-prevoted": "A replica prevoted a value that has 2f+1 prevotes of an earlier round.";
    VALID_LATE = "valid-after-precommit": "A replica that had precommitted learned that a value has 2f+1 prevotes.";
    POLKA_TOLD = "polka-told": "A replica told others of 2f+1 prevotes that did not lead to a decision.";
    POLKA_TAKEN = "polka-taken": "A replica learned from another member that a value has 2f+1 prevotes.";
    POLKA_REFUSED = "polka-refused": "A replica refused a valid value, since its prevotes or its body are wrong.";
    DECIDED_IN_FORMER_ROUND = "decided-in-former-round": "A replica decided by precommits of an earlier round than its own.";
    DECIDED_UNLOCKED = "decided-without-polka": "A replica decided on 2f+1 precommits without having heard 2f+1 prevotes.";
    SECOND_PROPOSAL = "tendermint-second-proposal-seen": "A replica saw a second, different proposal in one round.";
    PROPOSAL_REFUSED = "tendermint-proposal-refused": "A replica refused a proposal.";
    OF_LATER_HEIGHT = "tendermint-message-of-later-height": "A message of a height still to come was kept until it was due.";
    SAID_LATE = "tendermint-vote-said-late": "A vote was on disk only when its round or its height was over.";
    BLOCKS_GONE = "tendermint-blocks-gone": "A member that is ahead had no batches, as it took a state over itself.";
    BLOCKS_REFUSED = "tendermint-blocks-refused": "A decided batch from a peer was refused on the way of catching up.";
    FETCH_UNANSWERED = "tendermint-fetch-unanswered": "A member that was asked for batches or a state did not answer in time.";
    CHECKPOINT_AHEAD = "tendermint-checkpoint-ahead": "A proof came of a checkpoint that the replica had not reached.";
    CHECKPOINT_TOLD_AGAIN = "tendermint-checkpoint-told-again": "A checkpoint was not stable a tick later and was told again.";
    STATE_SOUGHT = "tendermint-state-sought": "A replica fell so far behind that it asked for a state.";
    SILENCE_OVER = "tendermint-silence-over": "A replica whose disk forgot its votes is allowed to vote again.";
    CAME_BACK_SILENT = "tendermint-came-back-silent": "A replica came back and must not vote, as its disk may have forgotten what it signed.";
    CAME_BACK_VOTED = "tendermint-came-back-voted": "A replica came back with votes for what is not decided and said them again.";
    CAME_BACK_LOCKED = "tendermint-came-back-locked": "A replica came back with a lock on what is not decided.";
    PROPOSER_CAME_BACK = "tendermint-proposer-came-back": "A proposer came back with a proposal of its own that is not decided and said it again.";
    LOG_CUT_AT_DAMAGE = "tendermint-log-cut-at-damage": "A replica came back from a log with a damaged record and cut it off there.";
    CAME_BACK_FROM_TAKEN_STATE = "tendermint-came-back-from-taken-state": "A replica came back from a state that it had taken over in an earlier life.";
    SCRUB_REPAIRED = "tendermint-scrub-repaired": "A damaged record was found by the scrub and written again.";
    MEMPOOL_FULL = "tendermint-mempool-full": "A transaction was turned away for want of room.";
    MEMBERS_CHANGED = "tendermint-members-changed": "A block with a change of the members was decided.";
    LINKS_TAKEN = "tendermint-links-taken": "A replica that is behind was shown who decides, and why.";
    LINKS_REFUSED = "tendermint-links-refused": "A replica was shown a change of the members that is not proven.";
    TIMES_ASKED_FOR = "tendermint-times-asked-for": "A proposer lacked times of the height before and asked for them.";
    TIME_REFUSED = "tendermint-block-time-refused": "A replica refused a new value, since its time is not the one that it has to be.";
    NOT_TIMELY = "tendermint-not-timely": "A replica prevoted nil, since the time of the value is too far from its clock.";
    WAITED_FOR_CLOCK = "tendermint-waited-for-clock": "A proposer waited until its clock was past the time of the block before.";
    PUT_TOGETHER = "block-put-together": "A block came in parts and is whole.";
    PART_REFUSED = "part-refused": "A part of a block is not the one that it is said to be.";
    COMMIT_TAKEN = "commit-taken": "A peer that is ahead showed the precommits that decided a height.";
    HEIGHT_HELD = "height-held-after-decision": "A replica waited after a decision before it began the next height.";
    STATE_TOO_NEW = "tendermint-state-too-new": "A state came with changes of the members that were not shown yet.";
}
