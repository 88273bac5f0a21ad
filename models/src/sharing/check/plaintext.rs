//! `no-plaintext-on-chain` (A11).

use crate::sharing::message::{Ask, Message};
use consim_core::{Block, Check, Finding, NodeId, Observer, Payload, Probe, Severity, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Bytes of a record that are looked for together: shorter pieces occur by chance.
const WINDOW: usize = 16;
/// A patient's identifier that is shorter may be part of anything.
const SHORTEST: usize = 6;
/// Of the pieces of a record one in so many is looked for, chosen by what they hold: whoever copies
/// more than a few of these lengths copies one of them.
const ONE_IN: u64 = 8;
/// The most pieces that are remembered, the latest ones (assumed: those of some thousand records;
/// what reaches the chain does so soon).
const MAX_PIECES: usize = 1 << 18;

/// Bits of the filter that pieces are looked for in first: sixteen for each of them.
const FILTER_BITS: u64 = 16 * MAX_PIECES as u64;

/// Bits by hash, set for all pieces there were: nearly all parts of a transaction are none, and seen to be none by
/// a look at one word.
#[derive(Debug, Default)]
struct Filter(Vec<u64>);

impl Filter {
    fn place(hash: u64) -> (usize, u64) {
        let bit = hash % FILTER_BITS;
        ((bit / 64) as usize, 1 << (bit % 64))
    }
    fn add(&mut self, hash: u64) {
        if self.0.is_empty() {
            self.0 = vec![0; (FILTER_BITS / 64) as usize];
        }
        let (word, bit) = Self::place(hash);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }
    fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = Self::place(hash);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// What users handed to their servers, that is the identifiers of patients and their records, is in
/// no transaction of the chain. The pieces are compared by their hashes.
#[derive(Debug, Default)]
pub struct NoPlaintextOnChain {
    height: u64,
    /// The hashes of what is secret, by its length.
    pieces: BTreeMap<usize, BTreeSet<u64>>,
    /// The same, oldest first.
    order: VecDeque<(usize, u64)>,
    filter: Filter,
    /// Identifiers of patients are as long as pieces of records, of which only those that are chosen are looked for.
    patients_too: bool,
    finding: Finding,
}

impl NoPlaintextOnChain {
    /// A check that knows no secret.
    pub fn new() -> Self {
        Self::default()
    }

    fn learn(&mut self, length: usize, hash: u64) {
        if !self.pieces.entry(length).or_default().insert(hash) {
            return;
        }
        self.filter.add(hash);
        self.order.push_back((length, hash));
        if self.order.len() > MAX_PIECES
            && let Some((length, hash)) = self.order.pop_front()
            && let Some(pieces) = self.pieces.get_mut(&length)
        {
            pieces.remove(&hash);
        }
    }

    fn patient(&mut self, patient: &str) {
        let bytes = patient.as_bytes();
        self.patients_too |= bytes.len() == WINDOW;
        if bytes.len() >= SHORTEST {
            windows(bytes, bytes.len(), |_, hash| self.learn(bytes.len(), hash));
        }
    }

    fn record(&mut self, body: &[u8]) {
        windows(body, WINDOW, |_, hash| {
            if chosen(hash) {
                self.learn(WINDOW, hash);
            }
        });
    }

    fn asked(&mut self, ask: &Ask) {
        match ask {
            Ask::Register { patient, body, .. } => {
                self.patient(patient);
                self.record(body);
            }
            Ask::Request { patient, .. }
            | Ask::Grant { patient, .. }
            | Ask::Deny { patient, .. }
            | Ask::Revoke { patient, .. }
            | Ask::Query { patient, .. } => self.patient(patient),
            Ask::Appoint { patient, by, .. } | Ask::Dismiss { patient, by } => {
                self.patient(patient);
                self.patient(by);
            }
            Ask::Spoken { by, ask } => {
                self.patient(by);
                self.asked(ask);
            }
            Ask::Decide { .. } | Ask::Read { .. } | Ask::Sweep => {}
        }
    }

    fn scan(&mut self, block: &Block) {
        if block.header.height <= self.height {
            return;
        }
        self.height = block.header.height;
        if self.order.is_empty() {
            return;
        }
        for tx in block.committed.batch.txs().iter() {
            let mut found = None;
            for (&length, pieces) in &self.pieces {
                windows(tx.body(), length, |at, hash| {
                    let looked_for = length != WINDOW || self.patients_too || chosen(hash);
                    if looked_for && self.filter.may_have(hash) && pieces.contains(&hash) {
                        found.get_or_insert((at, length));
                    }
                });
            }
            self.finding.judge(found.is_none(), || {
                let (at, length) = found.unwrap_or_default();
                format!(
                    "block {}: {length} bytes of the transaction of operation {:x}, from byte {at} on, are plaintext of a patient",
                    self.height,
                    tx.op().0
                )
            });
        }
    }
}

/// Is this one of the pieces that are looked for?
fn chosen(hash: u64) -> bool {
    (hash >> 32).is_multiple_of(ONE_IN)
}

/// Hands on each part of `length` bytes by its start and its hash: a polynomial over a 64-bit word
/// (R. Karp and M. Rabin, IBM Journal of Research and Development 31(2), 1987), mixed.
fn windows(bytes: &[u8], length: usize, mut take: impl FnMut(usize, u64)) {
    const BASE: u64 = 0x9e37_79b9_7f4a_7c15;
    if length == 0 || bytes.len() < length {
        return;
    }
    let leaves = (1..length).fold(1u64, |power, _| power.wrapping_mul(BASE));
    let mut hash = 0u64;
    for (i, &byte) in bytes.iter().enumerate() {
        if let Some(old) = i.checked_sub(length).and_then(|old| bytes.get(old)) {
            hash = hash.wrapping_sub((u64::from(*old) + 1).wrapping_mul(leaves));
        }
        hash = hash.wrapping_mul(BASE).wrapping_add(u64::from(byte) + 1);
        if let Some(start) = (i + 1).checked_sub(length) {
            take(start, consim_core::mix(hash, length as u64));
        }
    }
}

impl Observer for NoPlaintextOnChain {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.scan(block);
        }
    }

    fn sent(&mut self, _at: Time, _from: NodeId, payload: &dyn Payload, _receivers: usize) {
        if let Some(Message::Ask { ask, .. }) = payload.as_any().downcast_ref() {
            self.asked(ask);
        }
    }
}

impl Check for NoPlaintextOnChain {
    fn name(&self) -> &'static str {
        "no-plaintext-on-chain"
    }
    fn code(&self) -> &'static str {
        "A11"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "No transaction on the chain holds the identifier of a patient or a piece of a record."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
}
