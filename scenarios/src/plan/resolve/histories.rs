//! Attacks on what a chain looks like from outside, or later: histories that never were, headers, clones of who seals.

use super::Planner;
use crate::plan::AttackPlanKind;
use crate::schema::{At, Attack, FakeHeaderKeys, FakeWord};
use crate::tree::Place;
use consim_core::values::Name;
use consim_models::adversary::HeaderLie;
use consim_models::consensus::{self, PROTOCOLS};

impl Planner<'_> {
    /// Are there changes of members in this scenario, in a protocol in which those who lack one are shown it?
    pub(super) fn shows_members(&mut self, place: &Place) -> bool {
        let shows = |protocol: &str| {
            consensus::entry(protocol).is_some_and(|p| p.byzantine && p.changes_members)
        };
        let able = self.chains.values().any(|chain| shows(chain.protocol));
        if able && !self.scenario.changes.is_empty() {
            return true;
        }
        let list = PROTOCOLS.iter().filter(|p| shows(p.name)).map(|p| p.name);
        let help = format!(
            "changes: {{ NAME: {{ at: 20s, join: NODE }} }} and consensus: {}",
            list.collect::<Vec<_>>().join(" or ")
        );
        let message = "nobody is shown changes of the members here";
        self.cx.error("E503", place, message, help);
        false
    }

    /// What is shown to light clients, if there are any.
    pub(super) fn fake_header(
        &mut self,
        name: &At<Name>,
        keys: &FakeHeaderKeys,
    ) -> Option<HeaderLie> {
        if self.light_clients().is_empty() {
            if !self.doubt {
                let message = "nobody is shown headers here";
                let help = "organisations: { clinic: { roles: [light-client] } }";
                self.cx.error("E503", &name.place, message, help);
            }
            return None;
        }
        let administrator = keys.administrator.value.0;
        let lie = match keys.lie.value {
            FakeWord::Lunatic => HeaderLie::Lunatic,
            FakeWord::Past => HeaderLie::Past,
            FakeWord::Phantom => HeaderLie::Phantom { administrator },
        };
        if administrator && keys.lie.value != FakeWord::Phantom {
            let place = keys.administrator.place.clone();
            let message = "nothing is done with the administrator's key";
            self.cx.error("E504", &place, message, "lie: phantom");
            return None;
        }
        let changes = matches!(lie, HeaderLie::Phantom { .. } | HeaderLie::Past);
        if changes && !self.shows_members(&keys.lie.place) {
            return None;
        }
        Some(lie)
    }

    /// `clone-authority`: twins, of those who seal by turns.
    pub(super) fn clones(
        &mut self,
        name: &At<Name>,
        attack: &Attack,
        chain: Option<&At<Name>>,
    ) -> Option<AttackPlanKind> {
        let chain = self.attacked(name, chain)?;
        let protocol = self.chains.get(&chain)?.protocol;
        if protocol != "clique" {
            let message = format!("nobody seals {chain} by turns: it runs {protocol}");
            let help = "twins, which has the same two machines in any protocol";
            self.cx.error("E505", &name.place, message, help);
            return None;
        }
        self.part_once(attack)?;
        Some(AttackPlanKind::Twins {
            copies: 1,
            rounds: Vec::new(),
        })
    }

    /// Copies of a node cannot be joined again.
    pub(super) fn part_once(&mut self, attack: &Attack) -> Option<()> {
        let Some(every) = &attack.common.every else {
            return Some(());
        };
        let place = every.place.clone();
        self.cx.error(
            "E504",
            &place,
            "twins part once: what they signed apart cannot be joined again",
            "a second adversary with a second attack",
        );
        None
    }
}
