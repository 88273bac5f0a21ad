//! Marks of ordered operations.

use consim_core::marks;

marks! {
    REFUSED_AT_GATE = "order-refused-at-gate": "A server refused an operation of a client whose certificate does not hold.";
    REPEATED_WHILE_OPEN = "repeated-while-open": "An operation came to its server again before it was executed.";
}
