//! Options of the data-sharing service and of the workloads that use it.

use super::ids::Purpose;
use super::records::RecordSet;
use super::scope::{Reader, ResourceType, Role, Scope, Who};
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
    /// Within this supervision must have read of each emergency access, if it must.
    pub review_within: Option<Span>,
    /// What patients' grants comprise: each bears one of these, by lot; everything if there are none.
    pub scopes: Vec<GrantScope>,
    /// By which state of the chain a provider decides.
    pub freshness: Freshness,
    /// Is a permit judged once more where its audit entry is executed?
    pub recheck: bool,
    /// What a revocation does to copies of records that were read.
    pub revocation: Revocation,
    /// What delegates may do, if patients may appoint any.
    pub delegation: Option<DelegationOptions>,
}

/// What a revocation does to the copies that an institution keeps of what it has read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Revocation {
    /// Nothing: it is read no more, and what was read stays.
    #[default]
    Flag,
    /// Providers encrypt the patient's originals anew; who has the old key reads the copies all the same.
    KeyRotation,
    /// Copies are encrypted under keys that providers keep, and destroy.
    CryptoShred,
    /// The institution deletes its copies when it has applied the block.
    OffChainDelete,
}

/// What delegates and guardians may do.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DelegationOptions {
    /// How long a delegate speaks for a patient, and how long it takes until a minor comes of age.
    pub period: Span,
    /// What a delegate may grant; everything that patients may if there is nothing.
    pub bounds: GrantScope,
}

/// By which state of the chain a provider decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Freshness {
    /// Its own, as far as it has applied blocks.
    #[default]
    Local,
    /// The same, if its last block is no older than this; else it decides nothing.
    Lease(Span),
    /// That in which the read itself is executed: it is a transaction.
    Ordered,
}

/// What the contract is told of the service's options.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rules {
    /// May an emergency read without a grant?
    pub emergency: bool,
    /// Is a permit judged once more where its audit entry is executed?
    pub recheck: bool,
}

impl SharingOptions {
    /// What of them the contract knows.
    pub fn rules(&self) -> Rules {
        Rules {
            emergency: self.emergency,
            recheck: self.recheck,
        }
    }
    /// How old the state of a decision may be, if there is a bound.
    pub fn lease(&self) -> Option<Span> {
        match self.freshness {
            Freshness::Lease(lease) => Some(lease),
            Freshness::Local | Freshness::Ordered => None,
        }
    }
}

impl SharingOptions {
    /// Does the chain state the types of records? Only where consents depend on them: it tells
    /// everybody what a patient is ill with.
    pub fn states_types(&self) -> bool {
        self.scopes.iter().any(|scope| !scope.types.is_empty())
    }
}

/// What a patient grants.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct GrantScope {
    /// Records of these types; of all if there are none.
    pub types: Vec<ResourceType>,
    /// For these purposes; for treatment and emergencies if there are none.
    pub purposes: Vec<Purpose>,
    /// For whom of those who ask.
    pub to: GrantedTo,
    /// How long after it is given it begins.
    pub after: Span,
    /// How long it holds, if not as long as the service's grants do.
    pub period: Option<Span>,
}

/// For whom a grant is, of the institution that asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum GrantedTo {
    /// For everybody there.
    #[default]
    Institution,
    /// For those of the role of who asks.
    Role,
    /// For who asks alone.
    Person,
}

impl GrantScope {
    /// The scope of a grant that is given at `now_ns` to an institution where `reader` asks. How long
    /// it holds counts from its beginning.
    pub fn given(&self, reader: Reader, now_ns: i64) -> Scope {
        let mut scope = Scope::default();
        if !self.types.is_empty() {
            scope = scope.of_types(&self.types);
        }
        if !self.purposes.is_empty() {
            scope = scope.for_purposes(&self.purposes);
        }
        scope.who = match self.to {
            GrantedTo::Institution => Who::Anybody,
            GrantedTo::Role => Who::Role(reader.role),
            GrantedTo::Person => Who::Person(reader),
        };
        if !self.after.is_zero() {
            scope.from_ns = now_ns.saturating_add_unsigned(self.after.nanos());
        }
        scope
    }
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
    /// Who reads and what is read.
    pub readers: ReaderOptions,
}

/// Who reads in `visits`, for what, and of which types the records are: one of each, by lot. The
/// first doctor for treatment, and observations, where nothing else is said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReaderOptions {
    /// What they are.
    pub roles: Vec<Role>,
    /// How many of each role there are at an institution; one if it is zero.
    pub people: u16,
    /// What they read for.
    pub purposes: Vec<Purpose>,
    /// The types of what they write.
    pub types: Vec<ResourceType>,
}

/// `consents` workloads: weights of grants, denials and revocations, and the shares of what is no word
/// of a patient themself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsentOptions {
    /// Share of the operations by which patients appoint delegates, or these speak.
    pub delegate: Ppb,
    /// The same of guardians.
    pub guardian: Ppb,
    /// Standing grants given without a request.
    pub grant: Ppb,
    /// Denials given without a request.
    pub deny: Ppb,
    /// Revocations of a standing grant.
    pub revoke: Ppb,
    /// Patients of each institution's own; at least one.
    pub panel: u64,
}
