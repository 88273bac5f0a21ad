//! The services of a run: each hears what its own chain's nodes say, and is judged by checks of its own; those of
//! one kind on several chains report as one.

use super::super::Hooks;
use super::super::chains::Hosted;
use super::super::layout::Layout;
use super::{Domain, Summary};
use crate::plan::Plan;
use consim_check::metrics::Scope;
use consim_core::{
    Check, Disk, Finding, Heal, NodeId, Observer, Payload, Probe, Severity, Time, Verdict,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the services of all chains bring.
pub(in super::super) struct Services {
    /// By the chain's number.
    pub(in super::super) domains: Vec<Box<dyn Domain>>,
    pub(in super::super) checks: Vec<Box<dyn Check>>,
    pub(in super::super) summaries: Summaries,
}

impl Services {
    /// Those of a plan.
    pub(in super::super) fn of(
        plan: &Plan,
        layout: &Arc<Layout>,
        chains: &[Hosted<'_>],
        hooks: &Hooks,
    ) -> Self {
        let mut domains = Vec::new();
        let mut summaries = Vec::new();
        let mut checks: Vec<Vec<(usize, Box<dyn Check>)>> = Vec::new();
        for chain in chains {
            let (domain, judges, summary) = chain.domain(plan, layout, hooks);
            domains.push(domain);
            let several = chain.service.chains().len() > 1;
            let called = if several {
                format!("{} on {}", chain.called, chain.name)
            } else {
                chain.called.to_owned()
            };
            let of = several.then(|| chain.called.to_owned());
            summaries.push(Called {
                name: called,
                of,
                summary,
            });
            for check in judges {
                let name = check.name();
                let same = |of: &&mut Vec<(usize, Box<dyn Check>)>| {
                    of.first().is_some_and(|(_, check)| check.name() == name)
                };
                let judge = (chain.number(), check);
                match checks.iter_mut().find(same) {
                    Some(of) => of.push(judge),
                    None => checks.push(vec![judge]),
                }
            }
        }
        let alone = chains.len() == 1;
        let join = |of: Vec<(usize, Box<dyn Check>)>| -> Option<Box<dyn Check>> {
            if alone {
                return of.into_iter().next().map(|(_, check)| check);
            }
            let layout = Arc::clone(layout);
            Some(Box::new(Each { of, layout }))
        };
        Self {
            domains,
            checks: checks.into_iter().filter_map(join).collect(),
            summaries: Summaries(summaries),
        }
    }
}

/// The summaries of all services, with the services' names.
pub(in super::super) struct Summaries(Vec<Called>);

/// The summary of a service on one chain.
struct Called {
    /// The service's; of one on several chains with the chain's.
    name: String,
    /// The name of a service on several chains.
    of: Option<String>,
    summary: Box<dyn Summary>,
}

impl Summaries {
    /// A node with which this chain has to do says something; `None`: there is one chain.
    pub(in super::super) fn probe(
        &mut self,
        chain: Option<usize>,
        at: Time,
        node: NodeId,
        probe: &Probe,
    ) {
        if let Some(of) = self.0.get_mut(chain.unwrap_or_default()) {
            of.summary.probe(at, node, probe);
        }
    }
    /// What each row counts, and how many; of several services with their names.
    pub(in super::super) fn rows(&self) -> Vec<(String, String)> {
        if let [alone] = self.0.as_slice() {
            return alone.summary.rows();
        }
        let rows = self.0.iter().flat_map(|Called { name, summary, .. }| {
            let rows = summary.rows().into_iter();
            rows.map(move |(what, many)| (format!("{name}: {what}"), many))
        });
        rows.collect()
    }
    /// Figures of an attack, by its number.
    pub(in super::super) fn attack(&self, number: u16) -> BTreeMap<String, f64> {
        let all = self.0.iter();
        all.flat_map(|of| of.summary.attack(number)).collect()
    }
    /// The services' own figures, by path. What those on several chains count is added up.
    pub(in super::super) fn metrics(&self) -> BTreeMap<String, f64> {
        let mut out: BTreeMap<String, f64> = BTreeMap::new();
        for Called { name, of, summary } in &self.0 {
            match of {
                None => {
                    let figures = summary.metrics().into_iter();
                    out.extend(figures.map(|(word, x)| (Scope::Service.path(name, word), x)));
                }
                Some(of) => {
                    for (word, count) in summary.crossings() {
                        let path = Scope::Service.path(of, &word);
                        *out.entry(path).or_default() += count;
                    }
                }
            }
        }
        out
    }
}

/// One check of each of several services, each of which hears its own chain's nodes alone.
struct Each {
    /// With the number of the chain; at least one.
    of: Vec<(usize, Box<dyn Check>)>,
    layout: Arc<Layout>,
}

impl Each {
    fn at(&mut self, node: NodeId) -> impl Iterator<Item = &mut Box<dyn Check>> {
        let chain = self.layout.chain_of(node);
        let of = self.of.iter_mut().filter(move |(on, _)| *on == chain);
        of.map(|(_, check)| check)
    }
    fn all(&mut self) -> impl Iterator<Item = &mut Box<dyn Check>> {
        self.of.iter_mut().map(|(_, check)| check)
    }
    fn first<T>(&self, of: impl Fn(&dyn Check) -> T, none: T) -> T {
        self.of.first().map_or(none, |(_, check)| of(&**check))
    }
}

impl Observer for Each {
    fn probe(&mut self, at: Time, node: NodeId, probe: &Probe) {
        self.at(node).for_each(|check| check.probe(at, node, probe));
    }
    fn sent(&mut self, at: Time, from: NodeId, payload: &dyn Payload, receivers: usize) {
        self.at(from)
            .for_each(|check| check.sent(at, from, payload, receivers));
    }
    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.at(node).for_each(|check| check.node_up(at, node, up));
    }
    fn stands_still(&mut self, at: Time, node: NodeId, until: Time) {
        self.at(node)
            .for_each(|check| check.stands_still(at, node, until));
    }
    fn fault(&mut self, at: Time, id: &str, open: bool) {
        self.all().for_each(|check| check.fault(at, id, open));
    }
    fn healed(&mut self, at: Time, heal: &Heal) {
        self.all().for_each(|check| check.healed(at, heal));
    }
    fn stored(&mut self, at: Time, node: NodeId, disk: &Disk) {
        self.at(node).for_each(|check| check.stored(at, node, disk));
    }
    fn end(&mut self, at: Time) {
        self.all().for_each(|check| check.end(at));
    }
}

impl Check for Each {
    fn name(&self) -> &'static str {
        self.first(|check| check.name(), "")
    }
    fn code(&self) -> &'static str {
        self.first(|check| check.code(), "")
    }
    fn severity(&self) -> Severity {
        self.first(|check| check.severity(), Severity::Safety)
    }
    fn says(&self) -> &'static str {
        self.first(|check| check.says(), "")
    }
    /// Violated if one of them is; it passes if none is and at least one has judged something and none has a reason
    /// not to.
    fn finding(&self) -> Finding {
        let mut joined = Finding::new();
        for (_, check) in &self.of {
            let finding = check.finding();
            joined.evaluated += finding.evaluated;
            joined.left_out += finding.left_out;
            joined.violated += finding.violated;
            let room = |list: &Vec<String>| Finding::MAX_VIOLATIONS.saturating_sub(list.len());
            let violations = room(&joined.violations);
            joined
                .violations
                .extend(finding.violations.into_iter().take(violations));
            let reasons = room(&joined.reasons);
            joined
                .reasons
                .extend(finding.reasons.into_iter().take(reasons));
        }
        joined.verdict = match (joined.violated, joined.evaluated) {
            (1.., _) => Verdict::Fail,
            (0, 1..) if joined.reasons.is_empty() => Verdict::Pass,
            _ => Verdict::Unknown,
        };
        joined
    }
    fn violated(&self) -> bool {
        self.of.iter().any(|(_, check)| check.violated())
    }
    fn traces(&self) -> bool {
        self.of.iter().any(|(_, check)| check.traces())
    }
    fn guilty(&self) -> Vec<NodeId> {
        let all = self.of.iter().flat_map(|(_, check)| check.guilty());
        all.collect()
    }
    fn hears_sends(&self) -> bool {
        self.of.iter().any(|(_, check)| check.hears_sends())
    }
}
