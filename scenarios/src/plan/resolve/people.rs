//! Institutions: where they are, what they run on.

use super::light::LIGHT_CLIENT;
use super::network::Table;
use super::sites::Lodged;
use super::{MAX_NODES, Planner};
use crate::plan::Institution;
use crate::profiles::PROFILES;
use crate::schema::shape::suggestion;
use crate::schema::{
    At, Authority, HardwareKeys, LeafKind, Organisation, Profiled, RegionRule, Schemes, Tier,
};
use crate::tree::Place;
use consim_core::rng::below;
use consim_core::values::{Name, Value};
use consim_kernel::config::Hardware;
use consim_models::node::release::Release;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A machine and the ranges of its clock.
#[derive(Clone)]
struct Machine {
    hardware: Arc<Hardware>,
    memory: u64,
    /// `sign`, `verify`, `verify_batched`.
    schemes: Arc<[Schemes; 3]>,
    offset: (i64, i64),
    drift: (i64, i64),
}

/// An institution whose place and machine are known.
struct Settled<'a> {
    name: String,
    group: &'a str,
    number: u32,
    tier: Tier,
    region: usize,
    machine: (&'a str, &'a Machine),
    authority: &'a Authority,
    release: Release,
    visits: Option<u64>,
    access: Option<u64>,
    site: Lodged<'a>,
}

/// The tier of a group: given, or its name's.
fn tier_of(name: &At<Name>, organisation: &Organisation) -> Tier {
    let given = organisation.tier.as_ref().map(|at| at.value);
    given.unwrap_or_else(|| Tier::parse(&name.value.0).unwrap_or(Tier::Other))
}

impl Planner<'_> {
    /// Fills institutions and groups.
    pub(super) fn people(&mut self, table: &Table) -> Option<()> {
        let scenario = self.scenario;
        if scenario.organisations.is_empty() {
            if self.doubt {
                return None;
            }
            let place = scenario.consim.place.clone();
            self.cx.error(
                "E210",
                &place,
                "there are no organisations",
                "organisations: { hospital: { tier: tertiary, count: 4 } }",
            );
            return None;
        }
        let total: u64 = scenario
            .organisations
            .iter()
            .map(|(_, o)| o.count.value.0)
            .fold(0, u64::saturating_add);
        if total > MAX_NODES as u64 {
            let place = scenario
                .organisations
                .first()
                .map(|(n, _)| n.place.clone())?;
            self.cx.error(
                "E107",
                &place,
                format!("{total} institutions"),
                format!("at most {MAX_NODES}"),
            );
            return None;
        }
        let mut machines = self.declared_machines();
        let mut whole = self.declared_sites(table).is_some();
        let mut rosters = Vec::new();
        for (name, organisation) in &scenario.organisations {
            whole &= match &organisation.from {
                None => self.group(name, organisation, table, &mut machines),
                Some(_) => self.listed(name, organisation, table, &mut machines, &mut rosters),
            }
            .is_some();
        }
        if self.institutions.len() > MAX_NODES && total <= MAX_NODES as u64 {
            let place = scenario.consim.place.clone();
            let n = self.institutions.len();
            let help = format!("at most {MAX_NODES}");
            self.cx
                .error("E107", &place, format!("{n} institutions"), help);
            return None;
        }
        self.unused_machines(&machines);
        whole &= self.names_differ(&rosters);
        whole = whole && self.lodged(table).is_some();
        whole.then_some(())
    }

    /// The machines that the scenario describes.
    fn declared_machines(&mut self) -> BTreeMap<String, Option<Machine>> {
        let scenario = self.scenario;
        let mut machines = BTreeMap::new();
        for (name, profiled) in &scenario.hardware {
            if profiled.profile.is_none() {
                let place = name.place.clone();
                self.cx.error(
                    "E210",
                    &place,
                    "`profile` is missing here",
                    "profile: hospital-server, and beside it what differs",
                );
                machines.insert(name.value.0.clone(), None);
                continue;
            }
            let machine = self.machine(profiled);
            machines.insert(name.value.0.clone(), machine);
        }
        machines
    }

    fn unused_machines(&mut self, machines: &BTreeMap<String, Option<Machine>>) {
        let used: BTreeSet<&str> = self
            .institutions
            .iter()
            .map(|i| i.hardware_name.as_str())
            .collect();
        for (name, _) in &self.scenario.hardware {
            if machines.contains_key(&name.value.0) && !used.contains(name.value.0.as_str()) {
                self.notes
                    .push(format!("no organisation uses hardware.{}", name.value.0));
            }
        }
    }

    fn machine(&mut self, profiled: &Profiled<HardwareKeys>) -> Option<Machine> {
        let keys = profiled.resolve(self.cx, "hospital-server")?;
        let fsync = keys.disk.fsync.distribution(self.cx);
        for (at, what) in [(&keys.cores, "cores")] {
            if at.value.0 == 0 || at.value.0 > u64::from(u16::MAX) {
                let place = at.place.clone();
                self.cx.error(
                    "E107",
                    &place,
                    format!("{} {what}", at.value.0),
                    "at least 1",
                );
                return None;
            }
        }
        if keys.speed.value.0 == 0 {
            let place = keys.speed.place.clone();
            self.cx.error(
                "E107",
                &place,
                "a machine that never gets anything done",
                "1x",
            );
            return None;
        }
        let per_kib = keys.per_byte.value.times(1024);
        Some(Machine {
            hardware: Arc::new(Hardware {
                cores: keys.cores.value.0 as u32,
                speed_permille: keys.speed.value.0,
                // Signing is added when the chains and their schemes are known.
                hash_per_kib: keys.hash.value,
                encrypt_per_kib: keys.encrypt.value,
                execute: keys.execute.value,
                per_message: keys.per_message.value,
                per_kib,
                per_request: keys.per_request.value,
                per_message_sent: keys.per_message_sent.value,
                per_kib_sent: keys.per_kib_sent.value,
                per_kib_stored: keys.per_kib_stored.value,
                nic_in: keys.nic.r#in.value.0,
                nic_out: keys.nic.out.value.0,
                disk_write: keys.disk.write.value.0,
                disk_read: keys.disk.read.value.0,
                fsync,
                group_commit: keys.disk.group_commit.value.0,
                disk_size: keys.disk.size.as_ref().map_or(0, |at| at.value.0),
                disk_sector: keys.disk.sector.as_ref().map_or(0, |at| at.value.0),
                ..Hardware::default()
            }),
            memory: keys.memory.value.0,
            schemes: Arc::new([
                keys.sign.clone(),
                keys.verify.clone(),
                keys.verify_batched.clone(),
            ]),
            offset: (keys.clock.offset.low.0, keys.clock.offset.high.0),
            drift: (keys.clock.drift.low.0, keys.clock.drift.high.0),
        })
    }

    /// The machine of a group: declared, or a profile by its name.
    fn machine_of(
        &mut self,
        hardware: Option<&At<String>>,
        tier: Tier,
        machines: &mut BTreeMap<String, Option<Machine>>,
    ) -> Option<(String, Machine)> {
        let word = hardware.map_or(tier.hardware(), |at| at.value.as_str());
        if let Some(machine) = machines.get(word) {
            return Some((word.to_owned(), machine.clone()?));
        }
        if self.cx.is_broken(word) {
            return None;
        }
        let entry = PROFILES
            .iter()
            .find(|p| p.folder == "hardware" && p.name == word);
        let Some(entry) = entry else {
            let place = hardware?.place.clone();
            let declared: Vec<String> = machines.keys().cloned().collect();
            crate::profiles::unknown(self.cx, "hardware", word, &place, &declared);
            return None;
        };
        let place =
            hardware.map_or_else(|| self.scenario.consim.place.clone(), |at| at.place.clone());
        self.cx.below(&["hardware", entry.name], &place, |cx| {
            cx.leaf(LeafKind::Head, String::new(), &place)
        });
        let profiled = Profiled::named(self.cx, &["hardware", entry.name], entry.name)?;
        let machine = self.machine(&profiled);
        machines.insert(word.to_owned(), machine.clone());
        Some((word.to_owned(), machine?))
    }

    fn group(
        &mut self,
        name: &At<Name>,
        organisation: &Organisation,
        table: &Table,
        machines: &mut BTreeMap<String, Option<Machine>>,
    ) -> Option<()> {
        let group = name.value.0.clone();
        let tier = tier_of(name, organisation);
        self.roles(organisation)?;
        let count = organisation.count.value.0 as usize;
        if count == 0 {
            let place = organisation.count.place.clone();
            self.cx.error(
                "E107",
                &place,
                "a group of no institutions",
                "leave the group out",
            );
            return None;
        }
        let regions = self.places(name, organisation, count, table)?;
        let (hardware_name, machine) =
            self.machine_of(organisation.hardware.as_ref(), tier, machines)?;
        let mut whole = Some(());
        for (number, region) in (1u32..).zip(regions) {
            let name = format!("{group}-{number}");
            let site = Self::lodging(organisation, number as usize - 1);
            let rule = &organisation.region;
            let Some(region) = self.region_in(&name, region, rule, site, table) else {
                whole = None;
                break;
            };
            self.settle(Settled {
                name,
                group: &group,
                number,
                tier,
                region,
                machine: (&hardware_name, &machine),
                authority: &organisation.authority,
                release: organisation.version.value.0,
                visits: None,
                access: None,
                site,
            });
        }
        self.note_places(name, table);
        whole
    }

    /// A group whose institutions stand in a file.
    fn listed(
        &mut self,
        name: &At<Name>,
        organisation: &Organisation,
        table: &Table,
        machines: &mut BTreeMap<String, Option<Machine>>,
        rosters: &mut Vec<(String, Place)>,
    ) -> Option<()> {
        self.roles(organisation)?;
        let rows = self.roster(name, organisation, table)?;
        let mut whole = Some(());
        for (number, row) in (1u32..).zip(rows) {
            let tier = row.tier.unwrap_or_else(|| tier_of(name, organisation));
            let hardware = row.hardware.as_ref().or(organisation.hardware.as_ref());
            let Some((hardware_name, machine)) = self.machine_of(hardware, tier, machines) else {
                whole = None;
                continue;
            };
            rosters.push(row.name.clone());
            let site = Self::lodging(organisation, number as usize - 1);
            // A line of the file says where the institution is.
            let rule = &RegionRule::RoundRobin;
            let Some(region) = self.region_in(&row.name.0, row.region, rule, site, table) else {
                whole = None;
                break;
            };
            self.settle(Settled {
                name: row.name.0,
                group: &name.value.0,
                number,
                tier,
                region,
                machine: (&hardware_name, &machine),
                authority: &organisation.authority,
                release: organisation.version.value.0,
                visits: row.visits,
                access: row.access,
                site,
            });
        }
        self.note_places(name, table);
        whole
    }

    fn settle(&mut self, settled: Settled<'_>) {
        let (hardware_name, machine) = settled.machine;
        self.schemes
            .insert(hardware_name.to_owned(), Arc::clone(&machine.schemes));
        let node = &settled.name;
        let clock = |what: &str, (low, high): (i64, i64)| {
            let path = format!("hardware.{hardware_name}.clock.{what}/{node}");
            let width = (high - low).unsigned_abs().saturating_add(1);
            low.saturating_add_unsigned(below(self.bits(&path, 0), width))
        };
        // An access line that is slower than the machine's card is what its traffic goes through.
        let hardware = match settled.access {
            None => Arc::clone(&machine.hardware),
            Some(rate) => Arc::new(Hardware {
                nic_in: machine.hardware.nic_in.min(rate),
                nic_out: machine.hardware.nic_out.min(rate),
                ..(*machine.hardware).clone()
            }),
        };
        let institution = Institution {
            clock_offset_ns: clock("offset", machine.offset),
            clock_drift_ppb: clock("drift", machine.drift),
            name: settled.name,
            group: settled.group.to_owned(),
            number: settled.number,
            tier: settled.tier.word().to_owned(),
            region: settled.region,
            hardware,
            hardware_name: hardware_name.to_owned(),
            memory: machine.memory,
            visits_per_day: settled.visits,
            own_authority: matches!(settled.authority, Authority::Own(_)),
            release: settled.release,
            site: settled.site.map(|(name, _)| name.clone()),
        };
        let index = self.institutions.len();
        let group = institution.group.clone();
        self.by_name
            .entry(institution.name.clone())
            .or_insert(index);
        self.institutions.push(institution);
        self.groups.entry(group).or_default().push(index);
    }

    fn note_places(&mut self, name: &At<Name>, table: &Table) {
        let group = name.value.0.as_str();
        let places = self.region_list(group, table);
        let place = name.place.clone();
        self.derived(&["organisations", group, "regions"], places, &place);
    }

    /// Names out of files stand beside those of groups, chains and all other institutions.
    fn names_differ(&mut self, rosters: &[(String, Place)]) -> bool {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for institution in &self.institutions {
            *counts.entry(&institution.name).or_default() += 1;
        }
        let scenario = self.scenario;
        let named = scenario.organisations.iter().map(|(n, _)| n);
        for name in named.chain(scenario.chains.iter().map(|(n, _)| n)) {
            *counts.entry(&name.value.0).or_default() += 1;
        }
        let twice: Vec<&(String, Place)> = rosters
            .iter()
            .filter(|(name, _)| counts.get(name.as_str()).is_some_and(|n| *n > 1))
            .collect();
        for (name, place) in &twice {
            self.cx.error(
                "E305",
                place,
                format!("`{name}` is already the name of an institution, a group or a chain"),
                "selectors could not tell them apart; another name",
            );
        }
        twice.is_empty()
    }

    /// The roles of a group; only those that this version tells apart.
    fn roles(&mut self, organisation: &Organisation) -> Option<()> {
        const KNOWN: [&str; 3] = ["validator", "client", LIGHT_CLIENT];
        const LATER: [&str; 4] = ["observer", "orderer", "endorser", "relay"];
        let Some(roles) = &organisation.roles else {
            return Some(());
        };
        let mut whole = Some(());
        let is = |word: &str| roles.list.iter().find(|(role, _)| role == word);
        if let (Some(_), Some((_, place))) = (is(LIGHT_CLIENT), is("validator")) {
            self.cx.error(
                "E504",
                place,
                "a light client executes nothing, and decides nothing",
                "a group of its own for light clients",
            );
            whole = None;
        }
        for (role, place) in &roles.list {
            if LATER.contains(&role.as_str()) {
                self.cx.later(place, role);
                whole = None;
            } else if !KNOWN.contains(&role.as_str()) {
                let all: Vec<&str> = KNOWN.iter().chain(&LATER).copied().collect();
                self.cx.error(
                    "E202",
                    place,
                    format!("no role is called `{role}`"),
                    suggestion(role, &all),
                );
                whole = None;
            }
        }
        whole
    }

    /// The region of each institution of a group.
    fn places(
        &mut self,
        name: &At<Name>,
        organisation: &Organisation,
        count: usize,
        table: &Table,
    ) -> Option<Vec<usize>> {
        let regions = table.names.len();
        let path = format!("organisations.{}.region", name.value.0);
        Some(match &organisation.region {
            RegionRule::Spread => (0..count).map(|i| i * regions / count.max(1)).collect(),
            RegionRule::RoundRobin => (0..count).map(|i| i % regions).collect(),
            RegionRule::Random => (0..count)
                .map(|i| below(self.bits(&path, i as u64), regions as u64) as usize)
                .collect(),
            RegionRule::OneEach => {
                if count != regions {
                    let place = organisation.count.place.clone();
                    self.cx.error(
                        "E302",
                        &place,
                        format!("one-each makes an institution in each of {regions} regions, not {count}"),
                        format!("count: {regions}"),
                    );
                    return None;
                }
                (0..count).collect()
            }
            RegionRule::Named(list) => {
                let mut places = Vec::new();
                for (region, place) in list {
                    places.push(self.region(region, place, table)?);
                }
                (0..count)
                    .filter_map(|i| places.get(i % places.len()).copied())
                    .collect()
            }
        })
    }

    /// The index of a region.
    pub(super) fn region(
        &mut self,
        word: &str,
        place: &crate::tree::Place,
        table: &Table,
    ) -> Option<usize> {
        let found = table.names.iter().position(|name| name == word);
        if found.is_none() {
            let known: Vec<&str> = table.names.iter().map(String::as_str).collect();
            self.cx.error(
                "E301",
                place,
                format!("no region is called `{word}` in {}", table.name),
                suggestion(word, &known),
            );
        }
        found
    }

    /// `guangzhou (1), shenzhen (2)`.
    fn region_list(&self, group: &str, table: &Table) -> String {
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for &i in self.groups.get(group).into_iter().flatten() {
            if let Some(institution) = self.institutions.get(i) {
                *counts.entry(institution.region).or_default() += 1;
            }
        }
        let words: Vec<String> = counts
            .iter()
            .filter_map(|(&region, &n)| {
                let name = table.names.get(region)?;
                Some(if n == 1 {
                    name.clone()
                } else {
                    format!("{name} ({n})")
                })
            })
            .collect();
        words.join(", ")
    }
}
