//! Marks of Clique: what searches must have met in it.

use consim_core::marks;

marks! {
    SEALED_OUT_OF_TURN = "sealed-out-of-turn": "A signer sealed a block out of turn.";
    EMPTY_SEALED = "clique-empty-block": "A signer sealed an empty block, for others to be final.";
    REORGANISED = "clique-reorganised": "A replica left its branch for a better one.";
    REORGANISED_DEEP = "clique-reorganised-deep": "A replica left two blocks or more for a better branch.";
    FORK_BELOW_FINAL = "clique-fork-below-final": "A replica saw a branch that leaves the chain below what is final at it.";
    BLOCK_REFUSED = "clique-block-refused": "A replica refused a block.";
    BLOCK_FROM_FUTURE = "clique-block-from-future": "A replica refused a block whose time stamp is too far ahead.";
    EARLY_BLOCK_TAKEN = "clique-early-block-taken": "A replica looked at a block once its time had come.";
    PARENT_SOUGHT = "clique-parent-sought": "A block came whose parent was not here, and was asked for.";
    BRANCH_REFUSED = "clique-branch-refused": "A block from a peer was refused on the way of catching up.";
    FETCH_UNANSWERED = "clique-fetch-unanswered": "Who was asked for a branch did not answer in time.";
    CHANGE_CARRIED = "clique-change-carried": "A change of the signers has the voices of a majority, and is final.";
    CAME_BACK_SILENT = "clique-came-back-silent": "A replica came back and must not seal, as its disk may have forgotten what it sealed.";
    CAME_BACK_WITH_OWN = "clique-came-back-with-own": "A replica came back with a block of its own that is not final.";
    SILENCE_OVER = "clique-silence-over": "A replica whose disk forgot may seal again.";
    LOG_CUT_AT_DAMAGE = "clique-log-cut-at-damage": "A replica came back from a log with a damaged record and cut it off there.";
    SCRUB_REPAIRED = "clique-scrub-repaired": "A damaged record was found by the scrub and written again.";
    OTHER_GENESIS = "clique-other-genesis": "A replica came back with another genesis than its disk is of.";
    MEMPOOL_FULL = "clique-mempool-full": "A transaction was turned away for want of room.";
}
