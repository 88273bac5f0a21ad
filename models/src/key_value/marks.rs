//! Marks of the key-value store.

use consim_core::marks;

marks! {
    NOTHING_READ = "nothing-read": "A key was read that nobody had written.";
}
