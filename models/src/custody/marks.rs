//! Marks of custody.

use consim_core::marks;

marks! {
    COMMISSIONED_TWICE = "commissioned-twice": "A serial was to be commissioned a second time.";
    ENDED_AGAIN = "acted-on-after-its-end": "Something was to happen to a unit that had been dispensed or decommissioned.";
    HANDED_OVER_BY_OTHER = "handed-over-by-another": "Somebody was to hand a unit over who did not hold it.";
    HANDED_OVER_TWICE = "handed-over-twice": "A unit was to be handed over that was on its way to somebody.";
    TAKEN_UNASKED = "taken-unasked": "A unit was to be accepted that nobody had handed over, or no longer.";
    TRACED_ON_ITS_WAY = "traced-on-its-way": "A unit was looked up between its hand-over and its acceptance.";
}
