//! Sites: which institutions share a place, a rack, a feed of power, an up-link.

use super::Planner;
use super::network::Table;
use crate::plan::SitePlan;
use crate::schema::shape::suggestion;
use crate::schema::{Organisation, RegionRule};
use crate::tree::Place;
use consim_core::values::Word;
use std::collections::{BTreeMap, BTreeSet};

/// A site of the scenario, while it is filled.
pub(super) struct Site {
    pub(super) plan: SitePlan,
    /// Index of the table, where the site says it.
    region: Option<usize>,
    place: Place,
}

/// The site that an institution is put into, and where that is said.
pub(super) type Lodged<'s> = Option<&'s (String, Place)>;

impl Planner<'_> {
    /// The sites that the scenario declares, empty yet.
    pub(super) fn declared_sites(&mut self, table: &Table) -> Option<()> {
        let scenario = self.scenario;
        let mut whole = Some(());
        for (name, site) in &scenario.network.sites {
            let region = match &site.region {
                None => None,
                Some(at) => match self.region(&at.value, &at.place, table) {
                    None => {
                        whole = None;
                        continue;
                    }
                    found => found,
                },
            };
            let plan = SitePlan {
                rack: site.rack.as_ref().map(|at| at.value.0.clone()),
                power: site.power.as_ref().map(|at| at.value.0.clone()),
                uplink: site.uplink.value.0,
                members: Vec::new(),
            };
            let place = name.place.clone();
            let site = Site {
                plan,
                region,
                place,
            };
            self.sites.insert(name.value.0.clone(), site);
        }
        whole
    }

    /// The site of the institution `number` of a group, from 0: they take turns.
    pub(super) fn lodging(organisation: &Organisation, number: usize) -> Lodged<'_> {
        let sites = &organisation.site.as_ref()?.list;
        sites.get(number % sites.len().max(1))
    }

    /// The region of an institution: that of its site, if the site says one.
    pub(super) fn region_in(
        &mut self,
        who: &str,
        region: usize,
        rule: &RegionRule,
        lodged: Lodged<'_>,
        table: &Table,
    ) -> Option<usize> {
        let Some((word, place)) = lodged else {
            return Some(region);
        };
        let Some(site) = self.sites.get(word) else {
            if !self.cx.is_broken(word) {
                let help = self.nearest_site(word);
                let text = format!("no site is called `{word}`");
                self.cx.error("E301", place, text, help);
            }
            return None;
        };
        let own = match (site.region, rule) {
            (None, _) => return Some(region),
            // What is spread is spread over the sites.
            (Some(own), RegionRule::Spread) => return Some(own),
            (Some(own), _) if own == region => return Some(own),
            (Some(own), _) => own,
        };
        let name = |region: usize| table.names.get(region).map_or("?", String::as_str);
        let text = format!(
            "site `{word}` is in {}, and `{who}` in {}",
            name(own),
            name(region)
        );
        let help = format!("region: {}, or leave `region` out here", name(own));
        self.cx.error("E511", place, text, help);
        None
    }

    /// What is said of all sites once everybody has a place.
    pub(super) fn lodged(&mut self, table: &Table) -> Option<()> {
        let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, institution) in self.institutions.iter().enumerate() {
            if let Some(site) = &institution.site {
                members.entry(site.clone()).or_default().push(index);
            }
        }
        let mut whole = Some(());
        for name in self.sites.keys().cloned().collect::<Vec<_>>() {
            let inside = members.remove(&name).unwrap_or_default();
            if self.lodges(&name, &inside, table).is_none() {
                whole = None;
            }
            if let Some(site) = self.sites.get_mut(&name) {
                site.plan.members = inside;
            }
        }
        whole
    }

    fn lodges(&mut self, name: &str, inside: &[usize], table: &Table) -> Option<()> {
        let place = self.sites.get(name)?.place.clone();
        if self.by_name.contains_key(name) || self.groups.contains_key(name) {
            let text = format!("`{name}` is a group or an institution, and now a site too");
            let help =
                format!("an institution is a site by its own name; call this one e.g. {name}-site");
            self.cx.error("E305", &place, text, help);
            return None;
        }
        if inside.is_empty() {
            if self.doubt {
                return None;
            }
            let text = format!("nobody is in site `{name}`");
            let help =
                format!("organisations: {{ NAME: {{ site: {name} }} }}, or leave the site out");
            self.cx.error("E307", &place, text, help);
            return None;
        }
        let region = |&i: &usize| self.institutions.get(i).map(|x| x.region);
        let regions: BTreeSet<usize> = inside.iter().filter_map(region).collect();
        let names: Vec<&str> = regions
            .iter()
            .filter_map(|&region| table.names.get(region).map(String::as_str))
            .collect();
        if let [first, second, ..] = names.as_slice() {
            let text = format!("site `{name}` would be in {first} and in {second}");
            let help = format!("region: {first} here, or a site for each region");
            self.cx.error("E511", &place, text, help);
            return None;
        }
        let shown = self.ranges(inside).join(", ");
        self.derived(&["network", "sites", name, "institutions"], shown, &place);
        Some(())
    }

    fn nearest_site(&self, word: &str) -> String {
        let known: Vec<&str> = self.sites.keys().map(String::as_str).collect();
        if known.is_empty() {
            return format!("network: {{ sites: {{ {word}: {{}} }} }}");
        }
        suggestion(word, &known)
    }

    /// `site NAME`: those of a site; an institution that is in none is one of its own.
    pub(super) fn of_site(&mut self, word: &Word, place: &Place) -> Option<Vec<usize>> {
        let name = word.text.as_str();
        if let Some(site) = self.sites.get(name) {
            return Some(site.plan.members.clone());
        }
        let own = self.by_name.get(name).copied();
        let inside = own.and_then(|i| self.institutions.get(i)?.site.clone());
        let (text, help) = match (own, inside) {
            (Some(own), None) => return Some(vec![own]),
            (Some(_), Some(site)) => (
                format!("`{name}` is in site `{site}`, and no site of its own"),
                format!("site {site} for all that is there, or {name} alone"),
            ),
            (None, _) if self.is_doubtful(name) => return None,
            (None, _) => {
                let mut help = self.nearest_site(name);
                if self.sites.is_empty() {
                    help = format!(
                        "an institution is a site by its own name; others stand under {help}"
                    );
                }
                (format!("no site is called `{name}`"), help)
            }
        };
        let place = place.part(Some(word.at.clone()));
        self.cx.error("E301", &place, text, help);
        None
    }

    /// `rack NAME`, `power NAME`: those of all sites that share it.
    pub(super) fn who_share(
        &mut self,
        what: &str,
        word: &Word,
        place: &Place,
    ) -> Option<Vec<usize>> {
        let shared = |site: &Site| match what {
            "rack" => site.plan.rack.clone(),
            _ => site.plan.power.clone(),
        };
        let mut nodes: Vec<usize> = self
            .sites
            .values()
            .filter(|site| shared(site).as_ref() == Some(&word.text))
            .flat_map(|site| site.plan.members.iter().copied())
            .collect();
        if nodes.is_empty() {
            let known: BTreeSet<String> = self.sites.values().filter_map(shared).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let help = if known.is_empty() {
                format!(
                    "network: {{ sites: {{ NAME: {{ {what}: {} }} }} }}",
                    word.text
                )
            } else {
                suggestion(&word.text, &known)
            };
            let text = match what {
                "rack" => format!("no rack is called `{}`", word.text),
                _ => format!("no feed of power is called `{}`", word.text),
            };
            let place = place.part(Some(word.at.clone()));
            self.cx.error("E301", &place, text, help);
            return None;
        }
        nodes.sort_unstable();
        Some(nodes)
    }
}
