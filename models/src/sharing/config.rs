//! Options of the data-sharing service and of the workloads that use it.

use super::records::RecordSet;
use consim_core::{Distribution, Span};
use std::sync::Arc;

/// A share in parts per billion.
pub type Ppb = u32;

/// `services.NAME.data-sharing`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharingOptions {
    /// Ask the patient at each request, or honour a standing grant until it expires.
    pub ask_each_request: bool,
    /// How long a grant holds.
    pub grant_expires: Span,
    /// Share of requests that patients grant when no consent of theirs speaks (the default policy).
    pub grant_share: Ppb,
    /// How long patients take to answer.
    pub answer_in: Distribution,
    /// May an emergency read without a grant (audited as such)?
    pub emergency: bool,
}

/// `visits` workloads.
#[derive(Clone, PartialEq, Debug)]
pub struct VisitOptions {
    /// Reads for each record written.
    pub reads_per_write: u32,
    /// Records written per visit.
    pub resources: u32,
    /// Share of reads that want another institution's records.
    pub elsewhere: Ppb,
    /// Share of visits that are emergencies; with `records` it comes on top of the recorded ones.
    pub emergency: Ppb,
    /// Size of a synthetic record, bytes: log-normal by median and 99th percentile.
    pub size_median: u32,
    /// See `size_median`.
    pub size_p99: u32,
    /// Recorded visits to replay instead of synthetic ones.
    pub records: Option<Arc<RecordSet>>,
    /// Synthetic patients of each institution's own; at least one.
    pub panel: u64,
}

/// `consents` workloads: shares of the operations, adding up to at most 100 %.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsentOptions {
    /// Standing grants given without a request.
    pub grant: Ppb,
    /// Denials given without a request.
    pub deny: Ppb,
    /// Revocations of a standing grant.
    pub revoke: Ppb,
    /// Patients of each institution's own; at least one.
    pub panel: u64,
}
