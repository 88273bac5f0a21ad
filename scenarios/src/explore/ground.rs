//! Where things happen: a drawn consortium, or a scenario of the user's.

use crate::load::LoadOptions;
use crate::plan::{Plan, ServicePlan};
use consim_models::consensus::{self, ProtocolEntry};
use std::path::Path;

/// A scenario in which something is to happen.
#[derive(Clone, Debug)]
pub struct Ground {
    /// The scenario without it, and without its seed.
    pub head: String,
    /// The names of the chain's members.
    pub members: Vec<String>,
    /// A selector of all of them.
    pub everybody: String,
    /// The chain's name.
    pub chain: String,
    /// Its protocol.
    pub protocol: &'static ProtocolEntry,
    /// How many members traitors and damage may take.
    pub faulty: usize,
    /// From when things happen, milliseconds.
    pub from_ms: u64,
    /// Until when.
    pub to_ms: u64,
    /// May members stay broken for good? Where a server asks others, or each view has another leader, whose
    /// absence costs a timeout each time, nobody can say when users have to have their answers.
    pub may_stay_broken: bool,
    /// Do its members change?
    pub changes: bool,
    /// The name of a light client of the chain, if it has any.
    pub light: Option<String>,
    /// Is there a service that shares records?
    pub shares_records: bool,
    /// What the names of its windows begin with.
    pub prefix: &'static str,
}

impl Ground {
    /// A scenario of the user's, to which things are added that happen in its first two thirds.
    /// Where it has adversaries of its own, no others are drawn.
    pub fn of_file(file: &Path) -> Result<Self, String> {
        let loaded = crate::load(file, &LoadOptions::default());
        let plan = loaded.map_err(|found| found.render())?.plan;
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        Self::of_plan(&plan, &name)
    }

    fn of_plan(plan: &Plan, file: &str) -> Result<Self, String> {
        let mut chains = plan.chains.iter();
        let (Some((chain, only)), None) = (chains.next(), chains.next()) else {
            return Err("a search takes scenarios with one chain".into());
        };
        let members = only
            .members
            .iter()
            .filter_map(|&i| plan.institutions.get(i));
        let members: Vec<String> = members.map(|member| member.name.clone()).collect();
        let protocol = consensus::entry(&only.protocol)
            .ok_or_else(|| format!("no protocol is called {}", only.protocol))?;
        let millis = |nanos: u64| nanos / 1_000_000;
        let from = millis(plan.warmup.nanos());
        Ok(Self {
            head: format!("consim: 1\nbase: {}\n", crate::tree::quoted(file)),
            everybody: chain.clone(),
            faulty: if plan.adversaries.is_empty() {
                only.f
            } else {
                0
            },
            from_ms: from,
            to_ms: (millis(plan.duration.nanos()) * 2 / 3).max(from + 2_000),
            chain: chain.clone(),
            protocol,
            may_stay_broken: false,
            changes: !only.changes.is_empty(),
            shares_records: plan
                .services
                .values()
                .any(|service| matches!(service, ServicePlan::DataSharing { .. })),
            light: only.light.as_ref().and_then(|light| {
                let first = light.clients.first().copied();
                Some(plan.institutions.get(first?)?.name.clone())
            }),
            prefix: "drawn-",
            members,
        })
    }

    /// A selector of `members`, by their places.
    pub(super) fn names(&self, mut members: Vec<usize>) -> String {
        members.sort_unstable();
        let names: Vec<&str> = members
            .iter()
            .filter_map(|&member| self.members.get(member).map(String::as_str))
            .collect();
        match names.as_slice() {
            [only] => (*only).to_owned(),
            many => format!("[{}]", many.join(", ")),
        }
    }
}
