//! Typed records that a data source hands to the model: visits with their resources, and consents.

use std::sync::Arc;

/// Everything that a source holds, in the order in which it is replayed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordSet {
    /// Encounters (or single resources without one) with what was recorded, by ascending time.
    pub visits: Vec<RecordedVisit>,
    /// Consents, by ascending time.
    pub consents: Vec<RecordedConsent>,
    /// How many patients the visits have.
    pub patients: u32,
    /// Patients of the visits that no consent speaks for; they decide by the default policy.
    pub patients_without_consent: u32,
}

/// One encounter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedVisit {
    /// The patient's id in the source.
    pub patient: Arc<str>,
    /// When, nanoseconds after the Unix epoch; visits without a time follow those before them in the file order.
    pub at_ns: i64,
    /// The organisation in the source, if it says.
    pub provider: Option<Arc<str>>,
    /// Was it an emergency?
    pub emergency: bool,
    /// What was recorded.
    pub resources: Vec<RecordedResource>,
}

/// One resource, in the bytes that are stored, hashed, encrypted and sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedResource {
    /// Its type (`Observation`).
    pub kind: Arc<str>,
    /// Its id in the source.
    pub id: Arc<str>,
    /// Its compact JSON.
    pub body: Arc<[u8]>,
}

/// What a patient said once and for all, as far as the model understands it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedConsent {
    /// The patient's id in the source.
    pub patient: Arc<str>,
    /// When it was given, or began to hold if that is later, nanoseconds after the Unix epoch. Of
    /// unknown time a permission is the oldest word (`i64::MIN`), a denial the last (`i64::MAX`).
    pub at_ns: i64,
    /// Permit or deny.
    pub permit: bool,
    /// To (or against) whom: an organisation of the source; `None` is everybody.
    pub organisation: Option<Arc<str>>,
    /// From when to when a permission holds, if it ends, nanoseconds after the Unix epoch. A denial
    /// holds always.
    pub period: Option<(i64, i64)>,
}
