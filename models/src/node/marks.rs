//! Marks of nodes, their clients, and servers with what they wait for.

use consim_core::marks;

marks! {
    MEMBER_SAID_OTHERWISE = "member-said-otherwise": "A member told a client something else than it had told it before.";
    MEMBERS_DISAGREED = "members-disagreed-to-client": "Enough members told a client the same while another told it something else.";
    CLIENT_FOLLOWED_LEADER = "client-followed-leader": "A client learned of another leader from the reply that it believed.";
    CLIENT_ASKED_ALL = "client-asked-all": "A client had no answer in time and asked all members.";
    CLIENT_GAVE_UP = "client-gave-up": "A client that waits for several members gave up.";
    REQUEST_ANSWERED_AGAIN = "duplicate-request-answered": "A request came again after its execution and was answered from what was executed.";
    REQUEST_BLOCK_GONE = "duplicate-request-without-block": "A request came again after its execution at a member that does not have the block.";
    READ_WAITED = "read-waited": "A read had to wait for what may have been decided before it came.";
    CHANGE_REFUSED = "member-change-refused": "Somebody who is not the chain's administrator asked for a change of its members.";
    NOTICE_REFUSED = "notice-refused": "Somebody who is not the chain's registrar said whom to believe.";
    NOTICE_REPEATED = "notice-repeated": "The registrar sent a notice again, as its receiver had not said that it took it in.";
    NOT_MEMBER = "asked-at-no-member": "Somebody asked at a node that is no member of the chain, or none yet.";
    STRANGER_ASKED = "stranger-asked-to-identify": "A node that showed no certificate yet was asked for it.";
    OPERATION_RESUBMITTED = "operation-resubmitted": "A server brought a transaction to consensus again, as it took too long.";
    OPERATION_BLOCK_GONE = "operation-in-unseen-block": "A server waits for what was executed in a block that it never saw.";
    OPERATION_FOUND = "operation-answered-again": "A question came again after its execution, and the server answered it from the chain.";
    OPERATION_REPEATED = "operation-repeated": "A desk had no answer in time and asked its server again.";
    OPERATION_GIVEN_UP = "operation-given-up": "A desk gave an operation up.";
    ANSWER_LATE = "answer-after-end": "An answer came to a desk for what it had given up or knew already.";
}
