//! Changes of the members, and of whom they believe: when each was asked for, in force and done.

use crate::outcome::ChangeOutcome;
use consim_core::{ChainId, NodeId, Probe, Time};

/// A change of the plan, for its figures.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ChangeSubject {
    /// The chain.
    pub chain: ChainId,
    /// Its number on that chain, from 1.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// The word of its kind.
    pub kind: &'static str,
    /// Who.
    pub nodes: Vec<String>,
    /// Of one that takes certificates back.
    pub revokes: Option<RevocationSubject>,
}

/// Whose certificates are taken back, and who may have stolen them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RevocationSubject {
    /// The machines of those whose certificates they are.
    pub bearers: Vec<NodeId>,
    /// Windows of attacks by somebody who has what is theirs.
    pub thefts: Vec<String>,
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
    /// When the last node took in what is to be known of it.
    known: Option<Time>,
    /// When a thief was first at work with what is revoked.
    stolen: Option<Time>,
    /// How many messages of the bearers of what is revoked were refused for that.
    turned_away: u64,
}

/// Why a message of theirs is refused.
const REVOKED: &str = "revoked";

impl Changes {
    pub(super) fn new(subjects: &[ChangeSubject]) -> Self {
        let seen = |subject: &ChangeSubject| Seen {
            subject: subject.clone(),
            asked: None,
            in_force: None,
            done: None,
            known: None,
            stolen: None,
            turned_away: 0,
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
            Probe::Noticed { chain, change } => {
                // One that comes back later learns it again.
                if let Some(seen) = self.of(*chain, *change).filter(|seen| seen.done.is_none()) {
                    seen.in_force.get_or_insert(at);
                    seen.known = Some(at);
                }
            }
            Probe::Unauthenticated { subject, reason } if *reason == REVOKED => {
                for seen in &mut self.list {
                    let revokes = seen.subject.revokes.as_ref();
                    if seen.in_force.is_some()
                        && revokes.is_some_and(|r| r.bearers.contains(subject))
                    {
                        seen.turned_away += 1;
                    }
                }
            }
            _ => {}
        }
    }

    /// A window opens: of a thief, if it is one of an attack by somebody who has what a change revokes.
    pub(super) fn window(&mut self, at: Time, id: &str) {
        for seen in &mut self.list {
            let revokes = seen.subject.revokes.as_ref();
            if revokes.is_some_and(|r| r.thefts.iter().any(|theft| theft == id)) {
                seen.stolen.get_or_insert(at);
            }
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
            if seen.subject.revokes.is_some() && seen.asked.is_some() {
                out.push((name, "turned_away", seen.turned_away as f64));
            }
            if let Some(known) = seen.known {
                out.push((name, "known_at", ms(known)));
                // A theft that comes later is none of what was revoked.
                let stolen = seen.stolen.filter(|stolen| *stolen <= known);
                out.extend(stolen.map(|at| (name, "exposed", (known - at).seconds() * 1e3)));
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
            revokes: None,
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
    #[test]
    fn what_is_stolen_is_exposed_until_the_last_node_knows_that_it_is_revoked() {
        let revokes = RevocationSubject {
            bearers: vec![NodeId(3), NodeId(7)],
            thefts: vec!["copies".into()],
        };
        let subject = ChangeSubject {
            chain: ChainId(0),
            number: 1,
            name: "lost".into(),
            kind: "revoke-certificate",
            nodes: vec!["d".into()],
            revokes: Some(revokes),
        };
        let mut changes = Changes::new(&[subject]);
        let chain = ChainId(0);
        let at = |ms: u64| Time::ZERO + Span::from_millis(ms);
        let refused = |subject, reason| Probe::Unauthenticated { subject, reason };
        changes.window(at(400), "another");
        changes.window(at(500), "copies");
        changes.window(at(800), "copies");
        changes.probe(at(900), &refused(NodeId(3), REVOKED));
        let told = |done| Probe::Change {
            chain,
            number: 1,
            done,
        };
        let noticed = Probe::Noticed { chain, change: 1 };
        changes.probe(at(1_000), &told(false));
        changes.probe(at(1_100), &noticed);
        changes.probe(at(1_150), &refused(NodeId(7), REVOKED));
        changes.probe(at(1_160), &refused(NodeId(7), "expired"));
        changes.probe(at(1_170), &refused(NodeId(4), REVOKED));
        changes.probe(at(1_300), &noticed);
        changes.probe(at(1_400), &told(true));
        // One that has forgotten it.
        changes.probe(at(2_000), &noticed);
        let values = [
            ("lost", "asked_at", 1_000.0),
            ("lost", "in_force_at", 1_100.0),
            ("lost", "done_at", 1_400.0),
            ("lost", "took", 400.0),
            ("lost", "turned_away", 1.0),
            ("lost", "known_at", 1_300.0),
            ("lost", "exposed", 800.0),
        ];
        assert_eq!(changes.values(), values);
    }
}
