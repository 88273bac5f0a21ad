//! Marks of samples.

use consim_core::marks;

marks! {
    BATCH_AGAIN = "batch-came-again": "A batch came with a sample that was there.";
    ROOT_REFUSED = "batch-root-refused": "A batch was refused, since its root is not that of its samples.";
    GAP_SEEN = "gap-seen": "A batch came after samples that were missing.";
    GAP_CLOSED = "gap-closed-late": "A batch came before samples of its device that were there.";
    MISSING_READ = "missing-sample-read": "A sample was read that had not come, before one that had.";
}
