//! What must hold of reads of a store, judged online.

mod linearizable;
mod monotonic;
mod values;

pub use linearizable::LinearizableReads;
pub use monotonic::MonotonicReads;
