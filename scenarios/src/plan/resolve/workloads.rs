//! Workloads: how much, where, when, and what recorded data they replay.

use super::Planner;
use crate::data::{self, Where};
use crate::plan::{
    EntryPlan, InputPlan, Load as LoadPlan, ReplaySpacing, ServicePlan, WorkloadKind as Kind,
    WorkloadPlan,
};
use crate::profiles;
use crate::schema::shape::suggestion;
use crate::schema::{
    At, CohortKeys, EntryPoint, RecordSize, Samples, SourceRef, Spacing, Tier, Transactions,
    Visits, WaitFor, Workload, WorkloadCommon, WorkloadKind,
};
use crate::sources::{self, Limits, SourceError};
use crate::tree::{Place, Value as Tree};
use consim_core::values::{Instant, Name, Share, Value};
use consim_core::{Span, Time};
use consim_models::custody::MovementOptions;
use consim_models::device_samples::{MAX_BATCH, SampleOptions};
use consim_models::key_value::command::COMMAND_HEAD;
use consim_models::key_value::{MAX_VALUE, TransactionOptions};
use consim_models::sharing::config::{ConsentOptions, VisitOptions};
use consim_models::sharing::workload::PANEL;
use consim_models::workload::Together;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Weights of a day are parts per million of its mean.
const MILLION: u64 = 1_000_000;
/// The most patients (assumed: nobody has more).
const MAX_PEOPLE: u64 = 10_000_000_000;
/// The most devices of an institution (assumed).
const MAX_DEVICES: u64 = 10_000;
/// The most workloads of a plan: their numbers are 16 bits wide.
pub const MAX_WORKLOADS: usize = 1_000;

type Resolved = (BTreeMap<String, WorkloadPlan>, Vec<InputPlan>);

impl Planner<'_> {
    pub(super) fn workloads(
        &mut self,
        services: Option<&BTreeMap<String, ServicePlan>>,
    ) -> Option<Resolved> {
        let scenario = self.scenario;
        if scenario.workloads.is_empty() {
            if self.doubt {
                return None;
            }
            let place = scenario.consim.place.clone();
            self.cx.error(
                "E210",
                &place,
                "there are no workloads",
                "workloads: { outpatients: { visits: data-sharing } }",
            );
            return None;
        }
        if scenario.workloads.len() > MAX_WORKLOADS {
            let place = scenario.consim.place.clone();
            let n = scenario.workloads.len();
            self.cx.error(
                "E107",
                &place,
                format!("{n} workloads"),
                format!("at most {MAX_WORKLOADS}"),
            );
            return None;
        }
        let mut out = BTreeMap::new();
        let mut inputs = Vec::new();
        let mut whole = true;
        for (name, workload) in &scenario.workloads {
            match self.workload(name, workload, services, &mut inputs) {
                Some(plan) => {
                    out.insert(name.value.0.clone(), plan);
                }
                None => whole = false,
            }
        }
        whole.then_some((out, inputs))
    }

    fn workload(
        &mut self,
        name: &At<Name>,
        workload: &Workload,
        services: Option<&BTreeMap<String, ServicePlan>>,
        inputs: &mut Vec<InputPlan>,
    ) -> Option<WorkloadPlan> {
        let common = &workload.common;
        let at = match &workload.kind {
            WorkloadKind::Visits(k) => &k.service,
            WorkloadKind::Consents(k) => &k.service,
            WorkloadKind::Audits(k) => &k.service,
            WorkloadKind::Transactions(k) => &k.service,
            WorkloadKind::Movements(k) => &k.service,
            WorkloadKind::Samples(k) => &k.service,
        };
        let service = self.service_of(at, services);
        let (kind, recorded) = match service {
            Some((_, service)) => self.kind(&workload.kind, service, inputs),
            None => (None, false),
        };
        let (kind, service) = self.fits(at, kind, service);
        let places = match &common.from {
            Some(from) => self.nodes(from),
            None => Some(self.usual_places(&workload.kind, service.as_deref(), services)),
        };
        let window = self.window(common.at.as_ref(), common.r#for.as_ref());
        let load = places.zip(window);
        let load =
            load.and_then(|(places, window)| self.load(name, workload, &places, window, recorded));
        let day = self.day(name, common.day.as_deref(), &workload.kind);
        let (from, to) = window?;
        let retries = common.retry.times.value.0;
        if retries > 1_000 || common.retry.after.value.is_zero() {
            let place = common.retry.times.place.clone();
            self.cx.error(
                "E107",
                &place,
                "users do not repeat that often",
                "after: 2s, times: 3",
            );
        }
        let entry = self.entry(common, &workload.kind, service.as_deref(), services);
        let (day_name, day) = day?;
        let (load, course) = load?;
        self.cohort(&workload.kind)?;
        let mut kind = kind?;
        if let (Kind::Transactions(options), WorkloadKind::Transactions(keys)) =
            (&mut kind, &workload.kind)
        {
            let window = to.since(from);
            options.cohort = keys.cohort.as_ref().map(|cohort| Together {
                span: cohort.span.value,
                individual: individual(cohort, &load, window),
            });
        }
        let plan = WorkloadPlan {
            kind,
            service: service?,
            load,
            course,
            day_name,
            day,
            entry: entry?,
            from,
            to,
            deadline: common.deadline.as_ref().map(|at| at.value),
            retry_after: common.retry.after.value,
            retry_times: retries as u32,
        };
        self.note_day(name, &plan);
        Some(plan)
    }

    /// Cohorts are of users who only write.
    fn cohort(&mut self, kind: &WorkloadKind) -> Option<()> {
        let WorkloadKind::Transactions(options) = kind else {
            return Some(());
        };
        let Some(cohort) = &options.cohort else {
            return Some(());
        };
        let (text, hint) = if cohort.span.value.is_zero() {
            ("a cohort of no time", "cohort: 1ms")
        } else if options.read_share.value.0 > 0 {
            (
                "cohorts and reads: each read has its own answer",
                "read_share: 0%, or no cohort",
            )
        } else {
            return Some(());
        };
        let place = cohort.span.place.clone();
        self.cx.error("E504", &place, text, hint);
        None
    }

    /// Where the operations of a workload enter its chain.
    fn entry(
        &mut self,
        common: &WorkloadCommon,
        kind: &WorkloadKind,
        service: Option<&str>,
        services: Option<&BTreeMap<String, ServicePlan>>,
    ) -> Option<EntryPlan> {
        let chain = service.and_then(|name| services?.get(name));
        let chain = chain.map_or("", ServicePlan::chain).to_owned();
        let entry = match &common.entry {
            EntryPoint::Nearest(_) => return Some(EntryPlan::Nearest),
            EntryPoint::Leader(_) => EntryPlan::Leader,
            EntryPoint::All(_) => EntryPlan::All,
            EntryPoint::RoundRobin(_) => EntryPlan::RoundRobin,
            EntryPoint::Fixed(at) => {
                let members = self.chains.get(&chain).map(|c| c.members.clone());
                let nodes = self.nodes(at)?;
                let stranger = nodes
                    .iter()
                    .find(|i| members.as_ref().is_some_and(|m| !m.contains(i)));
                if let Some(stranger) = stranger {
                    let name = self.institutions.get(*stranger);
                    let name = name.map_or("?", |i| i.name.as_str()).to_owned();
                    let text = format!("{name} is no member of {chain}");
                    self.cx
                        .error("E308", &at.place, text, "entry: { fixed: members }");
                    return None;
                }
                EntryPlan::Fixed(nodes)
            }
        };
        let place = self.entry_place(common);
        if !matches!(kind, WorkloadKind::Transactions(_)) {
            self.cx
                .later(&place, "entry of other workloads than transactions");
            return None;
        }
        let scenario = self.scenario;
        let clients = scenario.chains.iter().find(|(n, _)| n.value.0 == chain);
        let one = clients.is_none_or(|(_, c)| self.wait_for(c) == WaitFor::One);
        if entry == EntryPlan::All && one {
            self.cx.error(
                "E504",
                &place,
                "all members, and one of them is believed",
                "each would order the operation as its own; clients: { wait_for: f+1 }",
            );
            return None;
        }
        Some(entry)
    }

    /// Where the entry of a workload is written.
    fn entry_place(&self, common: &WorkloadCommon) -> Place {
        let at = common.retry.after.place.clone();
        let leaves = self.cx.leaves.iter().rev();
        let mut written = leaves.filter(|leaf| {
            leaf.path.last().is_some_and(|key| key == "entry")
                || leaf
                    .path
                    .iter()
                    .rev()
                    .nth(1)
                    .is_some_and(|key| key == "entry")
        });
        written.next().map_or(at, |leaf| leaf.place.clone())
    }

    /// The service of a workload, by its own name or by that of its chain.
    fn service_of<'s>(
        &mut self,
        at: &At<Name>,
        services: Option<&'s BTreeMap<String, ServicePlan>>,
    ) -> Option<(&'s str, &'s ServicePlan)> {
        let services = services?;
        let word = &at.value.0;
        let found = services.get_key_value(word).or_else(|| {
            let mut on_chain = services.iter().filter(|(_, s)| s.is_on(word));
            on_chain.next().filter(|_| on_chain.next().is_none())
        });
        if let Some((name, service)) = found {
            return Some((name, service));
        }
        if self.cx.is_broken(word) {
            return None;
        }
        let known: Vec<&str> = services.keys().map(String::as_str).collect();
        let place = at.place.clone();
        self.cx.error(
            "E301",
            &place,
            format!("no service is called `{word}`"),
            suggestion(word, &known),
        );
        None
    }

    /// A workload asks a service of its own kind.
    fn fits(
        &mut self,
        at: &At<Name>,
        kind: Option<Kind>,
        service: Option<(&str, &ServicePlan)>,
    ) -> (Option<Kind>, Option<String>) {
        if let (Some(kind), Some((name, service))) = (&kind, service)
            && kind.asks() != service.kind()
        {
            let place = at.place.clone();
            self.cx.error(
                "E508",
                &place,
                format!("`{name}` is a service of {}", service.kind()),
                format!("this workload asks a service of {}", kind.asks()),
            );
            return (None, None);
        }
        (kind, service.map(|(name, _)| name.to_owned()))
    }

    /// The options of a workload, and whether it has recorded visits.
    fn kind(
        &mut self,
        kind: &WorkloadKind,
        service: &ServicePlan,
        inputs: &mut Vec<InputPlan>,
    ) -> (Option<Kind>, bool) {
        match kind {
            WorkloadKind::Visits(visits) => self.visits(visits, inputs),
            WorkloadKind::Consents(consents) => {
                let [grant, deny, revoke] =
                    [&consents.grant, &consents.deny, &consents.revoke].map(|at| at.value.0);
                let sum = u64::from(grant) + u64::from(deny) + u64::from(revoke);
                if sum == 0 {
                    let place = consents.grant.place.clone();
                    self.cx.error(
                        "E506",
                        &place,
                        "nobody grants, denies or revokes",
                        "grant: 50%",
                    );
                    return (None, false);
                }
                let Some(panel) = self.panel() else {
                    return (None, false);
                };
                let (delegate, guardian) = (&consents.delegate, &consents.guardian);
                if !self.powers(delegate, guardian, service) {
                    return (None, false);
                }
                let options = ConsentOptions {
                    delegate: delegate.value.0,
                    guardian: guardian.value.0,
                    grant,
                    deny,
                    revoke,
                    panel,
                };
                (Some(Kind::Consents(options)), false)
            }
            WorkloadKind::Audits(_) => (Some(Kind::Audits), false),
            WorkloadKind::Transactions(options) => (self.transactions(options, service), false),
            WorkloadKind::Movements(movements) => {
                let options = MovementOptions {
                    conflicts: movements.conflicts.value.0,
                    queries: movements.queries.value.0,
                };
                (Some(Kind::Movements(options)), false)
            }
            WorkloadKind::Samples(options) => (self.samples(options), false),
        }
    }

    fn transactions(&mut self, keys: &Transactions, service: &ServicePlan) -> Option<Kind> {
        let (least, most) = (COMMAND_HEAD as u64, MAX_VALUE as u64);
        let size = keys.size.value.0;
        if !(least..=most).contains(&size) {
            let place = keys.size.place.clone();
            self.cx.error(
                "E107",
                &place,
                "a command of that size",
                format!("{least}B to {most}B"),
            );
            return None;
        }
        let (keys_of, skew) = match service {
            ServicePlan::KeyValue { keys, skew, .. } => (*keys, *skew),
            // Refused afterwards, with its place.
            _ => (1, 0),
        };
        Some(Kind::Transactions(TransactionOptions {
            size: (size - least) as u32,
            read_share: keys.read_share.value.0,
            keys: keys_of,
            skew,
            // Known once the load is.
            cohort: None,
        }))
    }

    /// How many patients each institution has.
    fn panel(&mut self) -> Option<u64> {
        let population = self.scenario.populations.first();
        let Some(people) = population.and_then(|(_, p)| p.people.as_ref()) else {
            return Some(PANEL);
        };
        if !(1..=MAX_PEOPLE).contains(&people.value.0) {
            let place = people.place.clone();
            let text = format!("{} patients", people.value.0);
            let help = format!("1 to {MAX_PEOPLE}");
            self.cx.error("E107", &place, text, help);
            return None;
        }
        let caring = self.institutions.iter().take(self.people_count());
        let caring = caring.filter(|i| i.tier != Tier::Regulator.word()).count() as u64;
        Some(people.value.0.div_ceil(caring.max(1)))
    }

    fn samples(&mut self, samples: &Samples) -> Option<Kind> {
        for (at, most) in [
            (&samples.devices, MAX_DEVICES),
            (&samples.batch, MAX_BATCH as u64),
        ] {
            if !(1..=most).contains(&at.value.0) {
                let place = at.place.clone();
                let text = format!("{} of them", at.value.0);
                self.cx.error("E107", &place, text, format!("1 to {most}"));
                return None;
            }
        }
        Some(Kind::Samples(SampleOptions {
            devices: samples.devices.value.0 as u32,
            batch: samples.batch.value.0 as u16,
            read_share: samples.read_share.value.0,
            odd: samples.odd.value.0,
        }))
    }

    fn visits(&mut self, visits: &Visits, inputs: &mut Vec<InputPlan>) -> (Option<Kind>, bool) {
        let (median, p99) = match &visits.size {
            RecordSize::Constant(at) => (at, at),
            RecordSize::LogNormal(l) => (&l.median, &l.p99),
        };
        let limit = consim_models::sharing::message::MAX_BODY as u64;
        if p99.value.0 > limit || median.value > p99.value || median.value.0 == 0 {
            let place = p99.place.clone();
            self.cx.error(
                "E107",
                &place,
                "a record of that size",
                format!("1B to {limit}B, the median first"),
            );
            return (None, false);
        }
        for at in [&visits.reads_per_write, &visits.resources] {
            if at.value.0 > 10_000 {
                let place = at.place.clone();
                self.cx
                    .error("E107", &place, "too many for one visit", "at most 10000");
                return (None, false);
            }
        }
        let Some(panel) = self.panel() else {
            return (None, false);
        };
        let source = match &visits.source {
            Some(source) => match self.source(source) {
                Some(read) => Some((read, source)),
                None => return (None, true),
            },
            None => None,
        };
        let spacing = match source.as_ref().map(|(_, s)| s.spacing.value) {
            Some(Spacing::Scaled) => ReplaySpacing::Scaled,
            _ => ReplaySpacing::Ranked,
        };
        let recorded = source.is_some();
        let records = source.map(|((input, records), _)| {
            inputs.push(input);
            records
        });
        let Some(readers) = self.readers(&visits.readers, visits.types.as_ref()) else {
            return (None, recorded);
        };
        let options = VisitOptions {
            readers,
            reads_per_write: visits.reads_per_write.value.0 as u32,
            resources: visits.resources.value.0 as u32,
            elsewhere: visits.elsewhere.value.0,
            emergency: visits.emergency.value.0,
            size_median: median.value.0 as u32,
            size_p99: p99.value.0 as u32,
            records,
            panel,
        };
        (Some(Kind::Visits(options, spacing)), recorded)
    }

    /// Reads recorded data. The digest of the plan holds the hash of what was read.
    fn source(
        &mut self,
        source: &SourceRef,
    ) -> Option<(InputPlan, Arc<consim_models::sharing::records::RecordSet>)> {
        let at = &source.path;
        let place = at.place.clone();
        let Some((form, path)) = at.value.split_once(':') else {
            self.cx.error(
                "E106",
                &place,
                format!("`{}` is no source", at.value),
                "fhir:FOLDER",
            );
            return None;
        };
        let limits = Limits::default();
        let read = match form {
            "fhir" => match data::locate(self.cx, at, path)? {
                Where::BuiltIn(set) => sources::fhir::built_in(set, &limits),
                Where::Disk(full) => sources::fhir::read(&full, &limits),
            },
            "dataset" => {
                let set = data::named(self.cx, at, path, "dataset:".len())?;
                sources::fhir::built_in(set, &limits)
            }
            "epcis" | "wfdb" | "csv" => {
                self.cx.later(&place, &format!("{form}:"));
                return None;
            }
            _ => {
                let text = format!("no source is called `{form}`");
                let help = suggestion(form, &["fhir", "dataset"]);
                self.cx.error("E202", &place, text, help);
                return None;
            }
        };
        match read {
            Ok(read) => {
                if let Some(leaf) = self.cx.leaves.get_mut(at.leaf) {
                    leaf.digest = Some(read.digest.clone());
                }
                let input = InputPlan {
                    path: at.value.clone(),
                    digest: read.digest,
                    taken: read.taken,
                    skipped: read.skipped,
                    notes: read.notes,
                };
                Some((input, Arc::new(read.records)))
            }
            Err(error) => {
                let help = match &error {
                    SourceError::Missing {
                        near: Some(near), ..
                    } => format!(
                        "paths are relative to this file; did you mean {} ({} files)?",
                        near.name, near.files
                    ),
                    SourceError::Empty { notes, .. } => notes
                        .first()
                        .map_or_else(|| "a folder of FHIR R4 resources".to_owned(), String::clone),
                    _ => "paths are relative to this file".to_owned(),
                };
                self.cx.error("E603", &place, error.to_string(), help);
                None
            }
        }
    }

    /// Supervision for audits, everybody for synthetic models, every health-care institution for the
    /// rest.
    fn usual_places(
        &self,
        kind: &WorkloadKind,
        service: Option<&str>,
        services: Option<&BTreeMap<String, ServicePlan>>,
    ) -> Vec<usize> {
        // Of several chains, the people of the service's own ask it.
        let service = services.zip(service).and_then(|(all, name)| all.get(name));
        let on = service.filter(|_| self.chains.len() > 1);
        let asks = |i: usize| {
            let tier = self.institutions.get(i).map_or("", |x| x.tier.as_str());
            let supervision = tier == Tier::Regulator.word();
            match kind {
                WorkloadKind::Transactions(_)
                | WorkloadKind::Movements(_)
                | WorkloadKind::Samples(_) => true,
                WorkloadKind::Audits(_) => supervision,
                WorkloadKind::Visits(_) | WorkloadKind::Consents(_) => !supervision,
            }
        };
        let here = |i: usize| {
            on.is_none_or(|service| {
                let mut chains = service.chains().into_iter();
                chains.any(|chain| {
                    let chain = self.chains.get(chain);
                    chain.is_some_and(|chain| chain.members.contains(&i))
                })
            })
        };
        let all = 0..self.people_count();
        all.filter(|&i| here(i) && asks(i)).collect()
    }

    /// What institutions of a tier see where no load is given.
    pub(super) fn usual_rates(
        &self,
        workload: &Workload,
        places: &[usize],
    ) -> BTreeMap<usize, u64> {
        let per_day = |i: usize| {
            let institution = self.institutions.get(i);
            let tier = institution.and_then(|x| Tier::parse(&x.tier).ok());
            let listed = institution.and_then(|x| x.visits_per_day);
            let visits = listed.unwrap_or_else(|| tier.map_or(0, visits_per_day));
            match workload.kind {
                WorkloadKind::Visits(_) => visits,
                // One visit in ten (assumed, as in the library's scenarios).
                WorkloadKind::Consents(_) => visits / 10,
                // Hourly (assumed).
                WorkloadKind::Audits(_) => 24,
                // Ten a second in all (assumed), whoever asks.
                WorkloadKind::Transactions(_)
                | WorkloadKind::Movements(_)
                | WorkloadKind::Samples(_) => 10 * 86_400 / places.len().max(1) as u64,
            }
        };
        places
            .iter()
            .map(|&i| (i, per_day(i).saturating_mul(1_000_000_000) / 86_400))
            .collect()
    }

    /// The profile of the day: weights of its hours, parts per million of their mean.
    fn day(
        &mut self,
        name: &At<Name>,
        at: Option<&At<String>>,
        kind: &WorkloadKind,
    ) -> Option<(String, [u32; 24])> {
        let fallback = match kind {
            WorkloadKind::Audits(_)
            | WorkloadKind::Transactions(_)
            | WorkloadKind::Movements(_)
            | WorkloadKind::Samples(_) => "flat",
            WorkloadKind::Visits(_) | WorkloadKind::Consents(_) => "outpatient",
        };
        let word = at.map_or(fallback, |at| at.value.as_str()).to_owned();
        let place = at.map_or_else(|| name.place.clone(), |at| at.place.clone());
        if let Some(leaf) = at.and_then(|at| self.cx.leaves.get_mut(at.leaf)) {
            leaf.default = word == fallback;
        }
        if at.is_none() {
            let key = name.value.0.clone();
            self.cx.below(&["workloads", &key, "day"], &place, |cx| {
                let leaf = cx.leaf(crate::schema::LeafKind::Value, word.clone(), &place);
                if let Some(leaf) = cx.leaves.get_mut(leaf) {
                    leaf.origin = Some("default".into());
                    leaf.default = true;
                }
            });
        }
        if let Some(at) = at {
            profiles::note_file(self.cx, at);
        }
        let profile = profiles::load(self.cx, "day", &word, Some(&place))?;
        let hours = profile.get("hours");
        let shares: Option<Vec<u32>> = match hours.map(|h| &h.value) {
            Some(Tree::List(items)) => items
                .iter()
                .map(|item| Share::parse(item.scalar()?).ok().map(|share| share.0))
                .collect(),
            _ => None,
        };
        let sum: u64 = shares.iter().flatten().map(|&s| u64::from(s)).sum();
        let weights: Option<[u32; 24]> = shares.and_then(|shares| {
            let weights: Vec<u32> = shares
                .iter()
                .map(|&s| (u64::from(s) * 24 * MILLION / sum.max(1)) as u32)
                .collect();
            weights.try_into().ok()
        });
        let Some(weights) = weights.filter(|_| sum > 0) else {
            self.cx.error(
                "E106",
                &place,
                format!("`{word}` is no day"),
                "a profile of a day has `hours`, a list of 24 shares",
            );
            return None;
        };
        // A file of one's own counts by what it holds.
        if word.starts_with("file:")
            && let Some(leaf) = at.and_then(|at| self.cx.leaves.get_mut(at.leaf))
        {
            leaf.digest = Some(format!("{weights:?}"));
        }
        Some((word, weights))
    }

    fn window(
        &mut self,
        at: Option<&At<Instant>>,
        length: Option<&At<Span>>,
    ) -> Option<(Time, Time)> {
        let end = Time::ZERO + self.duration;
        let from = match at {
            Some(at) => self.instant(&at.value, &at.place)?,
            None => Time::ZERO,
        };
        if let Some(at) = at.filter(|_| from >= end) {
            let place = at.place.clone();
            let duration = self.duration;
            self.cx.error(
                "E402",
                &place,
                format!("the run is over at {duration}"),
                "move the workload, or lengthen the run",
            );
            return None;
        }
        let to = length.map_or(end, |span| (from + span.value).min(end));
        Some((from, to))
    }

    /// How much really comes, and a note where the day leaves the window nearly empty.
    fn note_day(&mut self, name: &At<Name>, plan: &WorkloadPlan) {
        let LoadPlan::Rates { rates, .. } = &plan.load else {
            return;
        };
        let total: u64 = rates.values().sum();
        let hour = |at: Time| {
            let local = self
                .start_ns
                .saturating_add(i64::from(self.scenario.start.value.zone_s) * 1_000_000_000);
            let seconds = local.div_euclid(1_000_000_000).rem_euclid(86_400) as u64;
            ((seconds + at.nanos() / 1_000_000_000) / 3_600 % 24) as usize
        };
        let mut hours = 0;
        let mut weight = 0u64;
        let mut peak = (0u32, 0usize);
        let mut at = plan.from;
        while at < plan.to && hours < 24 * 7 {
            let w = plan.day.get(hour(at)).copied().unwrap_or(0);
            weight += u64::from(w);
            hours += 1;
            if w > peak.0 {
                peak = (w, hour(at));
            }
            at += Span::from_secs(3_600);
        }
        let mean = total as f64 / 1e9 * (weight as f64 / f64::from(hours.max(1)) / 1e6);
        let start = plan.day.get(hour(plan.from)).copied().unwrap_or(0);
        let rate = |w: u32| per_second(total as f64 / 1e9 * f64::from(w) / 1e6);
        let text = format!(
            "{} in the window, {} at its start, {} at {:02}:00",
            per_second(mean),
            rate(start),
            rate(peak.0),
            peak.1
        );
        let key = name.value.0.clone();
        self.derived(&["workloads", &key, "rate"], text, &name.place.clone());
        if mean * 5.0 < total as f64 / 1e9 && total > 0 {
            self.notes.push(format!(
                "workloads.{key}: the day `{}` leaves the window nearly empty, {} of the mean rate",
                plan.day_name,
                Share((mean * 1e18 / total as f64) as u32 / 10_000_000 * 10_000_000).text()
            ));
        }
    }
}

/// A rate with two figures.
fn per_second(rate: f64) -> String {
    if rate >= 1.0 || rate == 0.0 {
        return format!("{rate:.1}/s");
    }
    if rate >= 0.01 {
        return format!("{rate:.2}/s");
    }
    format!("{:.1}/h", rate * 3_600.0)
}

/// Visits a day of an institution. Tertiary: 2.6 billion visits to 3,855 hospitals a year;
/// primary and county: the mean Chinese hospital, 4.26 billion / 38,355 / 365; township: 1.31
/// billion / 33,753 / 365; village: 1.40 billion / 581,964 / 365 (health bulletin 2023). The rest
/// is assumed to lie between these.
fn visits_per_day(tier: Tier) -> u64 {
    match tier {
        Tier::Tertiary => 2_000,
        Tier::Secondary => 400,
        Tier::Primary | Tier::County => 304,
        Tier::Community => 230,
        Tier::Township => 106,
        Tier::Station => 40,
        Tier::Village => 7,
        _ => 0,
    }
}

/// Of operations in cohorts this share travels alone if nothing else is said, parts per billion, and no fewer than
/// this many (both as the language has them).
const INDIVIDUAL: u64 = 10_000_000;
const INDIVIDUALS: u64 = 100_000;

/// The share of a load that travels alone, parts per billion.
fn individual(cohort: &CohortKeys, load: &crate::plan::Load, window: Span) -> u32 {
    if let Some(given) = &cohort.individual {
        return given.value.0;
    }
    let crate::plan::Load::Rates { rates, .. } = load else {
        return INDIVIDUAL as u32;
    };
    // Events per 10^9 s, times nanoseconds.
    let (billion, rate) = (1_000_000_000u128, rates.values().sum::<u64>());
    let all = u128::from(rate) * u128::from(window.nanos()) / billion / billion;
    let enough = u128::from(INDIVIDUALS) * billion / all.max(1);
    enough.clamp(u128::from(INDIVIDUAL), billion) as u32
}
