//! Marks of BFT-SMaRt: what searches must have met in it.

use consim_core::marks;

marks! {
    REQUEST_FORWARDED = "request-forwarded-to-leader": "Requests timed out for the first time and were forwarded to the leader.";
    STOP_SAID = "stop-said": "Requests timed out for the second time, and a replica asked for the next regency.";
    STOP_JOINED = "stop-joined": "A replica asked for a regency, since f+1 members did.";
    STOP_BROUGHT_REQUESTS = "stop-brought-requests": "A STOP brought requests that the receiver did not know.";
    REGENCY_SKIPPED = "regency-skipped": "A replica went to a regency above the next one.";
    REGENCIES_IN_VAIN = "three-regencies-in-vain": "A replica went to another regency for the fourth time without anything decided in between.";
    STOPPED_WITH_PROOF = "stopped-with-write-proof": "A replica brought a write proof into a regency.";
    PROOF_CARRIED = "write-proof-carried": "A write proof went along through two regencies or more.";
    STOP_DATA_REFUSED = "stop-data-refused": "STOP-DATA was refused, since a proof, a body or a signature in it is wrong.";
    SYNC_REFUSED = "sync-refused": "A SYNC was refused, since it is not what its collects call for or is not signed rightly.";
    SYNC_PASSED_ON = "sync-passed-on": "A replica got the SYNC of a regency from another member than its leader.";
    SYNC_BOUND = "sync-bound": "A regency began with a value that its consensus was bound to.";
    SYNC_UNBOUND = "sync-unbound": "A regency began unbound.";
    PROOFS_OF_TWO_REGENCIES = "write-proofs-of-two-regencies": "Collects brought write proofs of different regencies for one consensus.";
    PROOFS_OF_TWO_BATCHES = "write-proofs-of-two-batches": "Collects brought write proofs of different batches for one consensus.";
    DECIDED_BY_SYNC = "decided-by-sync": "A replica learned a decision that it missed from a SYNC.";
    BEHIND_SYNC = "behind-sync": "A regency began above what a replica had decided.";
    BOUND_TAKEN_LATE = "bound-value-proposed-again": "The value that a regency is bound to was taken up by a replica that had to catch up first.";
    SECOND_PROPOSAL = "second-propose-seen": "A replica saw a second, different PROPOSE for one consensus in one regency.";
    PROPOSAL_REFUSED = "bft-smart-proposal-refused": "A replica refused a proposal of the leader.";
    DECIDED_WITHOUT_PROOF = "decided-before-write-proof": "A replica decided on a quorum of ACCEPT without a write proof of its own.";
    OUT_OF_CONTEXT = "message-out-of-context": "A message of a consensus still to come was kept until it was due.";
    VOTE_OVERTAKEN = "bft-smart-vote-overtaken": "A vote was on disk only when its regency or its consensus was over, and was not said.";
    BLOCKS_GONE = "bft-smart-blocks-gone": "A member that is ahead had no batches, as it took a state over itself.";
    BLOCKS_REFUSED = "bft-smart-blocks-refused": "A decided batch from a peer was refused on the way of catching up.";
    FETCH_UNANSWERED = "bft-smart-fetch-unanswered": "A member that was asked for batches or a state did not answer in time.";
    CHECKPOINT_AHEAD = "bft-smart-checkpoint-ahead": "A proof came of a checkpoint that the replica had not reached.";
    CHECKPOINT_TOLD_AGAIN = "bft-smart-checkpoint-told-again": "A checkpoint was not stable a tick later and was told again.";
    STATE_SOUGHT = "bft-smart-state-sought": "A replica fell so far behind that it asked for a state.";
    SILENCE_OVER = "bft-smart-silence-over": "A replica whose disk forgot its votes is allowed to vote again.";
    CAME_BACK_SILENT = "bft-smart-came-back-silent": "A replica came back and must not vote, as its disk may have forgotten what it signed.";
    CAME_BACK_WRITTEN = "came-back-written": "A replica came back with a WRITE for what is not decided and said it again.";
    CAME_BACK_PROVED = "came-back-with-write-proof": "A replica came back with a write proof for what is not decided.";
    CAME_BACK_STOPPED = "came-back-between-regencies": "A replica came back while it waited for a regency to begin.";
    LEADER_CAME_BACK = "bft-smart-leader-came-back": "A leader came back with a proposal of its own that is not decided and said it again.";
    LOG_CUT_AT_DAMAGE = "bft-smart-log-cut-at-damage": "A replica came back from a log with a damaged record and cut it off there.";
    CAME_BACK_FROM_TAKEN_STATE = "bft-smart-came-back-from-taken-state": "A replica came back from a state that it had taken over in an earlier life.";
    SCRUB_REPAIRED = "bft-smart-scrub-repaired": "A damaged record was found by the scrub and written again.";
    MEMPOOL_FULL = "bft-smart-mempool-full": "A transaction was turned away for want of room.";
    MEMBERS_CHANGED = "bft-smart-members-changed": "A block with a change of the members was decided.";
    LINKS_TAKEN = "bft-smart-links-taken": "A replica that is behind was shown who decides, and why.";
    LINKS_REFUSED = "bft-smart-links-refused": "A replica was shown a change of the members that is not proven.";
    STATE_TOO_NEW = "bft-smart-state-too-new": "A state came with changes of the members that were not shown yet.";
    STOP_OF_FORMER_MEMBERS = "stop-of-former-members": "A STOP came for a regency of members who have handed the chain over.";
    REGENCY_OF_LATER_MEMBERS = "regency-of-later-members": "A replica heard of a regency of members whom it does not know yet.";
    OLDEST_OVERTAKEN = "bft-smart-oldest-overtaken": "A leader let so many transactions overtake the oldest that its time is not prolonged.";
}
