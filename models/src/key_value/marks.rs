//! Marks of the key-value store.

use consim_core::marks;

marks! {
    REFUSED_AT_GATE = "store-refused-at-gate": "A server of the store refused a client whose certificate does not hold.";
    REPEATED_WHILE_OPEN = "repeated-while-open": "An operation of the store came again before it was executed.";
    NOTHING_READ = "nothing-read": "A key was read that nobody had written.";
}
