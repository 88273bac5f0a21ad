//! What a report tells about data sharing.

use super::edges::Edges;
use crate::sharing::ids::Reason;
use crate::sharing::network::Label;
use crate::sharing::probe::SharingProbe;
use consim_core::{NodeId, Observer, Probe, Time};
use std::collections::BTreeMap;

/// Counts of a run.
#[derive(Debug, Default)]
pub struct Summary {
    own: u64,
    granted: u64,
    emergencies: u64,
    denials: BTreeMap<&'static str, u64>,
    answers: [[u64; 2]; 2],
    standing: BTreeMap<&'static str, u64>,
    unauthenticated: u64,
    unaudited: u64,
    received: u64,
    mismatches: u64,
    sweeps: u64,
    swept: u64,
    unproven: u64,
    edges: Edges,
    /// Queries of other networks, by label and answer.
    queried: BTreeMap<(Label, bool), u64>,
    /// Records of other networks, over the chains and point to point.
    crossed: [u64; 2],
}

impl Summary {
    /// Nothing counted yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn domain(&mut self, probe: &SharingProbe) {
        match *probe {
            SharingProbe::Decided {
                provider, access, ..
            } => match access.reason {
                reason if !access.permit => *self.denials.entry(reason.word()).or_default() += 1,
                _ if provider == access.requester => self.own += 1,
                Reason::Emergency => self.emergencies += 1,
                _ => self.granted += 1,
            },
            SharingProbe::Answered { permit, recorded } => {
                if let Some(count) = self
                    .answers
                    .get_mut(usize::from(recorded))
                    .and_then(|row| row.get_mut(usize::from(permit)))
                {
                    *count += 1;
                }
            }
            SharingProbe::Consented(word) => *self.standing.entry(word).or_default() += 1,
            SharingProbe::Received { accepted, .. } => {
                self.received += 1;
                self.mismatches += u64::from(!accepted);
            }
            SharingProbe::AuditSwept { tally, .. } => {
                self.sweeps += 1;
                self.swept += tally.entries();
                self.unproven += tally.unproven;
            }
            SharingProbe::Unaudited { .. } => self.unaudited += 1,
            SharingProbe::Queried { label, permit } => {
                *self.queried.entry((label, permit)).or_default() += 1;
            }
            SharingProbe::Crossed { apart, accepted } => {
                self.mismatches += u64::from(!accepted);
                if let Some(count) = self.crossed.get_mut(usize::from(apart)) {
                    *count += u64::from(accepted);
                }
            }
            SharingProbe::Released { .. }
            | SharingProbe::Deleted { .. }
            | SharingProbe::Shredded { .. }
            | SharingProbe::Edited { .. }
            | SharingProbe::Pried { .. }
            | SharingProbe::Copied { .. } => {}
        }
    }

    /// Words of metrics with their values: queries of other networks by label, and how their records came.
    pub fn metrics(&self) -> Vec<(String, f64)> {
        let crossed = ["answered_inside", "answered_apart"].into_iter();
        let crossed = crossed.zip(self.crossed);
        let mut out: Vec<(String, f64)> = crossed
            .map(|(word, count)| (word.to_owned(), count as f64))
            .collect();
        for label in Label::ALL {
            let of = |permit| self.queried.get(&(label, permit)).copied().unwrap_or(0);
            let word = label.word().replace('-', "_");
            out.push((format!("queries_{word}"), (of(true) + of(false)) as f64));
        }
        let refused = self.queried.iter().filter(|((_, permit), _)| !permit);
        let refused: u64 = refused.map(|(_, count)| count).sum();
        out.push(("queries_refused".to_owned(), refused as f64));
        out
    }

    /// Label and value, in the order of a report.
    pub fn rows(&self) -> Vec<(String, String)> {
        let [
            [refused_default, granted_default],
            [refused_recorded, granted_recorded],
        ] = self.answers;
        let standing = |word| self.standing.get(word).copied().unwrap_or(0);
        let first = [
            ("reads of own records permitted", self.own),
            ("reads elsewhere permitted by a grant", self.granted),
            (
                "reads elsewhere permitted in an emergency",
                self.emergencies,
            ),
        ];
        let mut out: Vec<(String, String)> = Vec::new();
        let mut push = |label: &str, value: u64| out.push((label.to_owned(), value.to_string()));
        for (label, value) in first {
            push(label, value);
        }
        for (word, count) in &self.denials {
            push(&format!("reads refused: {word}"), *count);
        }
        for (label, value) in [
            ("requests granted by a recorded consent", granted_recorded),
            ("requests refused by a recorded consent", refused_recorded),
            ("requests granted by the default policy", granted_default),
            ("requests refused by the default policy", refused_default),
            ("standing grants", standing("grant")),
            ("standing denials", standing("deny")),
            ("revocations", standing("revoke")),
            ("refusals of the unauthenticated", self.unauthenticated),
            ("refusals not audited: too many at once", self.unaudited),
            ("records received", self.received),
            (
                "records received that were not what was registered",
                self.mismatches,
            ),
            ("audit readings", self.sweeps),
            ("audit entries read", self.swept),
            ("audit entries without proof", self.unproven),
        ] {
            push(label, value);
        }
        for (label, word) in [
            ("delegates and guardians appointed", "appoint"),
            ("delegates dismissed", "dismiss"),
        ] {
            if standing(word) > 0 {
                push(label, standing(word));
            }
        }
        for ((label, permit), count) in &self.queried {
            let did = if *permit { "permitted" } else { "refused" };
            let label = label.word();
            let label = format!("queries of other networks for {label} records {did}");
            push(&label, *count);
        }
        if !self.queried.is_empty() || self.crossed != [0, 0] {
            let [inside, apart] = self.crossed;
            push("records of other networks received over the chains", inside);
            push("records of other networks received point to point", apart);
        }
        if self.edges.met() > 0 {
            push(
                "consents that ended exactly at a block's time",
                self.edges.met(),
            );
        }
        out
    }
}

impl Observer for Summary {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        match probe {
            Probe::Unauthenticated { .. } => self.unauthenticated += 1,
            Probe::Applied(block) => self.edges.applied(block),
            _ => {}
        }
        if let Some(domain) = SharingProbe::of(probe) {
            self.domain(domain);
        }
    }
}

#[cfg(test)]
mod tests;
