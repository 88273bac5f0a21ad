//! Changes of the members: when each was asked for, in force and done.

use crate::outcome::ChangeOutcome;
use consim_core::{ChainId, Probe, Time};

/// A change of the plan, for its figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeSubject {
    /// The chain.
    pub chain: ChainId,
    /// Its number on that chain, from 1.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// `join` or `leave`.
    pub kind: &'static str,
    /// Who.
    pub nodes: Vec<String>,
}

/// What became of each change.
#[derive(Debug, Default)]
pub(super) struct Changes {
    list: Vec<Seen>,
}

#[derive(Debug)]
struct Seen {
    subject: ChangeSubject,
    asked: Option<Time>,
    in_force: Option<Time>,
    done: Option<Time>,
}

impl Changes {
    pub(super) fn new(subjects: &[ChangeSubject]) -> Self {
        let seen = |subject: &ChangeSubject| Seen {
            subject: subject.clone(),
            asked: None,
            in_force: None,
            done: None,
        };
        Self {
            list: subjects.iter().map(seen).collect(),
        }
    }

    fn of(&mut self, chain: ChainId, number: u64) -> Option<&mut Seen> {
        let is = |seen: &&mut Seen| (seen.subject.chain, seen.subject.number) == (chain, number);
        self.list.iter_mut().find(is)
    }

    /// The first word of each counts.
    pub(super) fn probe(&mut self, at: Time, probe: &Probe) {
        match probe {
            Probe::Change {
                chain,
                number,
                done,
            } => {
                if let Some(seen) = self.of(*chain, *number) {
                    let when = if *done {
                        &mut seen.done
                    } else {
                        &mut seen.asked
                    };
                    when.get_or_insert(at);
                }
            }
            Probe::Configured(configured) if !configured.joint => {
                if let Some(seen) = self.of(configured.chain, configured.change) {
                    seen.in_force.get_or_insert(at);
                }
            }
            _ => {}
        }
    }

    /// Name, metric word and value of each that is known.
    pub(super) fn values(&self) -> Vec<(&str, &'static str, f64)> {
        let mut out = Vec::new();
        for seen in &self.list {
            let name = seen.subject.name.as_str();
            let ms = |at: Time| (at - Time::ZERO).seconds() * 1e3;
            for (word, at) in [
                ("asked_at", seen.asked),
                ("in_force_at", seen.in_force),
                ("done_at", seen.done),
            ] {
                out.extend(at.map(|at| (name, word, ms(at))));
            }
            if let (Some(asked), Some(done)) = (seen.asked, seen.done) {
                out.push((name, "took", (done - asked).seconds() * 1e3));
            }
        }
        out
    }

    pub(super) fn outcomes(&self) -> Vec<ChangeOutcome> {
        let outcome = |seen: &Seen| {
            let seconds = |at: Option<Time>| at.map(Time::seconds);
            ChangeOutcome {
                id: seen.subject.name.clone(),
                kind: seen.subject.kind.to_owned(),
                nodes: seen.subject.nodes.clone(),
                asked_s: seconds(seen.asked),
                in_force_s: seconds(seen.in_force),
                done_s: seconds(seen.done),
            }
        };
        self.list.iter().map(outcome).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use consim_core::{Configured, Span};
    use std::sync::Arc;

    #[test]
    fn a_change_takes_from_asking_to_the_word_that_it_is_done() {
        let subject = ChangeSubject {
            chain: ChainId(0),
            number: 1,
            name: "newcomer".into(),
            kind: "join",
            nodes: vec!["e".into()],
        };
        let mut changes = Changes::new(&[subject]);
        let chain = ChainId(0);
        let at = |ms: u64| Time::ZERO + Span::from_millis(ms);
        let configured = |joint| {
            Probe::Configured(Arc::new(Configured {
                chain,
                change: 1,
                joint,
                handed_over_at: None,
                groups: Vec::new(),
                renewed: Arc::default(),
            }))
        };
        let told = |number, done| Probe::Change {
            chain,
            number,
            done,
        };
        changes.probe(at(1_000), &told(1, false));
        changes.probe(at(1_200), &configured(true));
        assert_eq!(changes.values(), [("newcomer", "asked_at", 1_000.0)]);
        changes.probe(at(1_500), &configured(false));
        // The others learn of it later, and nobody knows a second change.
        changes.probe(at(1_600), &configured(false));
        changes.probe(at(1_700), &told(1, true));
        changes.probe(at(1_800), &told(2, true));
        let values = [
            ("newcomer", "asked_at", 1_000.0),
            ("newcomer", "in_force_at", 1_500.0),
            ("newcomer", "done_at", 1_700.0),
            ("newcomer", "took", 700.0),
        ];
        assert_eq!(changes.values(), values);
        let outcome = changes.outcomes();
        assert_eq!(outcome[0].in_force_s, Some(1.5));
        assert_eq!(outcome[0].nodes, ["e"]);
    }
}
