//! The replicated log in memory (section 5.3): entries above the last snapshot, and some below it.

use super::membership::Configuration;
use consim_core::{Batch, Certificate, ChainId, CodecError, Committed, Decoder, Encoder};
use std::collections::VecDeque;
use std::sync::Arc;

/// The vote kind in the certificate of an entry, which holds no signatures: the term is all there is.
pub const ENTRY: u8 = 16;

/// An entry. A batch without transactions is a leader's no-op, or goes with a configuration.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Index, term (the view of its certificate) and batch: what is handed up once it is committed.
    pub ordered: Arc<Committed>,
    /// The configuration that holds from here on.
    pub members: Option<Arc<Configuration>>,
}

impl Entry {
    pub(super) fn new(
        chain: ChainId,
        term: u64,
        index: u64,
        batch: Arc<Batch>,
        members: Option<Arc<Configuration>>,
    ) -> Self {
        let certificate = Certificate {
            kind: ENTRY,
            view: term,
            sequence: index,
            digest: batch.digest(),
            signatures: Vec::new().into(),
            links: std::sync::Arc::default(),
        };
        let ordered = Arc::new(Committed {
            chain,
            sequence: index,
            batch,
            certificate,
        });
        Self { ordered, members }
    }
    /// Its index.
    pub fn index(&self) -> u64 {
        self.ordered.sequence
    }
    /// The term of the leader that made it.
    pub fn term(&self) -> u64 {
        self.ordered.certificate.view
    }
    /// The encoded length.
    pub fn encoded_len(&self) -> usize {
        let members = self.members.as_ref().map_or(0, |m| m.encoded_len());
        self.ordered.encoded_len() + 1 + members
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        self.ordered.encode(e);
        e.u8(u8::from(self.members.is_some()));
        if let Some(members) = &self.members {
            members.encode(e);
        }
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let ordered = Arc::new(Committed::decode(d)?);
        let members = d
            .boolean()?
            .then(|| Configuration::decode(d).map(Arc::new))
            .transpose()?;
        Ok(Self { ordered, members })
    }
}

/// The log: entries without a gap above a base, of which index and term are known.
#[derive(Debug, Default)]
pub(super) struct RaftLog {
    base: u64,
    base_term: u64,
    entries: VecDeque<Entry>,
}

impl RaftLog {
    /// Everything up to here is in a snapshot, or in nothing.
    pub(super) fn base(&self) -> u64 {
        self.base
    }
    pub(super) fn last(&self) -> u64 {
        self.base + self.entries.len() as u64
    }
    pub(super) fn last_term(&self) -> u64 {
        self.entries.back().map_or(self.base_term, Entry::term)
    }
    fn place(&self, index: u64) -> Option<usize> {
        let above = index.checked_sub(self.base)?.checked_sub(1)?;
        usize::try_from(above).ok()
    }
    pub(super) fn get(&self, index: u64) -> Option<&Entry> {
        self.entries.get(self.place(index)?)
    }
    /// The term of the entry at `index`, if that is known.
    pub(super) fn term(&self, index: u64) -> Option<u64> {
        if index == self.base {
            return Some(self.base_term);
        }
        self.get(index).map(Entry::term)
    }
    /// All from `index` on; none if that is not in it.
    pub(super) fn from(&self, index: u64) -> impl Iterator<Item = &Entry> {
        let start = self.place(index).unwrap_or(usize::MAX);
        self.entries.iter().skip(start)
    }
    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }
    /// Drops everything from `index` on.
    pub(super) fn truncate(&mut self, index: u64) {
        if let Some(place) = self.place(index) {
            self.entries.truncate(place);
        }
    }
    /// Drops everything up to `index`.
    pub(super) fn compact(&mut self, index: u64) {
        while self.base < index
            && let Some(entry) = self.entries.pop_front()
        {
            self.base = entry.index();
            self.base_term = entry.term();
        }
    }
    /// It goes on above a snapshot.
    pub(super) fn restart(&mut self, index: u64, term: u64) {
        self.base = index;
        self.base_term = term;
        self.entries.clear();
    }
    /// The first index of the run of entries of the term of `index`.
    pub(super) fn first_of_term(&self, index: u64) -> u64 {
        let term = self.term(index);
        let mut first = index;
        while first > self.base + 1 && self.term(first - 1) == term {
            first -= 1;
        }
        first
    }
    /// The last index with `term`, at or below `from`.
    pub(super) fn last_of_term(&self, term: u64, from: u64) -> Option<u64> {
        let mut index = from.min(self.last());
        while index >= self.base {
            match self.term(index) {
                Some(here) if here == term => return Some(index),
                Some(here) if here > term && index > 0 => index -= 1,
                _ => return None,
            }
        }
        None
    }
    /// Is a log that ends with this entry at least as up to date (section 5.4.1)?
    pub(super) fn is_up_to_date(&self, last: u64, last_term: u64) -> bool {
        (last_term, last) >= (self.last_term(), self.last())
    }
}
