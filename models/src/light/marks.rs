//! Marks of light clients.

use consim_core::marks;

marks! {
    CAME_BACK_TRUSTING = "light-came-back-trusting": "A light client came back with what it had trusted before.";
    PRIMARY_REPLACED = "light-primary-replaced": "A light client took another full node for its primary.";
    NO_WITNESS = "light-no-witness": "No witness of a light client said the same as its primary in time.";
    WITNESS_BEHIND = "light-witness-behind": "A witness of a light client did not have what its primary showed.";
    SKIPPED = "light-skipped": "A light client skipped over changes of the members.";
    SKIP_REFUSED = "light-skip-refused": "A light client asked for all changes of the members, as it could not skip them.";
}
