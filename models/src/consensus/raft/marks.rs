//! Marks of Raft: what searches must have met in it.

use consim_core::marks;

marks! {
    PRE_VOTE_REFUSED = "pre-vote-refused": "Somebody would have stood for election, and who was asked hears its leader.";
    DISRUPTION_IGNORED = "disruption-ignored": "A candidate asked for a vote while its voter hears a leader, and got no answer.";
    VOTE_REFUSED_TO_SHORT_LOG = "vote-refused-to-short-log": "A candidate got no vote, since its log lacks entries.";
    LED_WITH_UNCOMMITTED = "led-with-uncommitted": "A leader was elected with entries of earlier terms that it did not know to be committed.";
    OLD_LEADER_TOLD = "old-leader-told": "A leader of an earlier term learned that there is a later one.";
    QUORUM_LOST = "leader-lost-quorum": "A leader stepped down, since it heard no majority.";
    PLACE_GIVEN = "place-given": "A leader gave its place to another member.";
    SENT_AGAIN = "entries-sent-again": "Entries were not answered in time and sent again.";
    LOGS_PARTED = "logs-parted": "A follower's log did not agree with the leader's, which went back.";
    OLD_TERM_WAITS = "old-term-waits": "A majority held an entry of an earlier term, which is no reason to commit it.";
    APPEND_OVER_COMMITTED = "append-over-committed": "Somebody sent an entry in place of a committed one.";
    SUFFIX_REPLACED = "suffix-replaced": "A follower dropped entries that its leader does not have.";
    COMPARED_ANEW = "compared-anew": "A follower came back, and its leader took it to hold what it is not sure of.";
    MEMPOOL_FULL = "raft-mempool-full": "A transaction was turned away for want of room.";
    FORWARDED_ON = "raft-forwarded-on": "A replica that does not lead was taken for the leader.";
    SENT_TO_ALL = "raft-sent-to-all": "A transaction waited for too long and was sent to everybody.";
    READ_BEFORE_NO_OP = "read-before-no-op": "A read came to a leader that had not committed an entry of its term yet.";
    READ_UNDER_LEASE = "read-under-lease": "A leader answered a read under its lease.";
    SNAPSHOT_SENT = "snapshot-sent": "A leader sent a snapshot to a member that is too far behind.";
    JOINT_COMMITTED = "joint-committed": "A joint configuration was committed.";
    REMOVED_LEADER = "leader-removed": "A leader committed the configuration that it is not in.";
    NEWCOMER_BEHIND = "newcomer-behind": "New members took longer than an election timeout to catch up, and another round began.";
    NEWCOMER_CAUGHT_UP = "newcomer-caught-up": "New members held the log, and their change began.";
    LEFT = "member-left": "A member learned that it is one no longer.";
    REMINDED = "left-member-reminded": "A node that had missed that it left would have stood for election, and was told.";
    CAME_BACK_SILENT = "raft-came-back-silent": "A replica came back and must not vote, as its disk may have forgotten what it promised.";
    SILENCE_OVER = "raft-silence-over": "A replica whose disk forgot may vote again.";
    TORN_END_CUT = "torn-end-cut": "A replica came back from a log with a torn end and cut it off.";
    LOG_CUT_AT_DAMAGE = "raft-log-cut-at-damage": "A replica came back from a log with a damaged record and cut it off there.";
    CAME_BACK_FROM_TAKEN_STATE = "raft-came-back-from-taken-state": "A replica came back from a state that it had taken over.";
    SCRUB_REPAIRED_LOG = "raft-scrub-repaired-log": "A damaged record of the log was found by the scrub and written again.";
}
