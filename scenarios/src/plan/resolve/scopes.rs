//! Scopes of consents: what patients grant, and who reads.

use super::{Planner, Told};
use crate::plan::ServicePlan;
use crate::schema::shape::suggestion;
use crate::schema::{At, DelegationKeys, GrantedTo as To, ReaderKeys, ScopeKeys, Words};
use consim_core::values::Share;
use consim_models::sharing::config::{DelegationOptions, GrantScope, GrantedTo, ReaderOptions};
use consim_models::sharing::{Purpose, ResourceType, Role};

/// The most people of a role at an institution: they are numbered in 16 bits.
const MAX_PEOPLE: u64 = u16::MAX as u64;
/// Shares are parts of this.
const BILLION: u64 = 1_000_000_000;

/// The words of the language for the types of FHIR: `medication-request`.
fn word_of(kind: ResourceType) -> String {
    let mut out = String::new();
    for letter in kind.word().chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

impl Planner<'_> {
    /// What words of a list stand for; each mistake is told.
    fn meant<T: Copy>(
        &mut self,
        words: Option<&Words>,
        noun: &str,
        all: &[(String, T)],
    ) -> Option<Vec<T>> {
        let mut out = Vec::new();
        let mut whole = true;
        let known: Vec<&str> = all.iter().map(|(word, _)| word.as_str()).collect();
        for (word, place) in words.iter().flat_map(|words| &words.list) {
            if let Some((_, one)) = all.iter().find(|(known, _)| known == word) {
                out.push(*one);
            } else {
                let message = format!("no {noun} is called `{word}`");
                self.cx
                    .error("E202", place, message, suggestion(word, &known));
                whole = false;
            }
        }
        whole.then_some(out)
    }

    /// Types of resources. One that the chain does not state is none.
    pub(super) fn types(&mut self, words: Option<&Words>) -> Option<Vec<ResourceType>> {
        let stated = |kind: &&ResourceType| **kind != ResourceType::Unstated;
        let all = ResourceType::ALL.iter().filter(stated);
        let all: Vec<_> = all.map(|&kind| (word_of(kind), kind)).collect();
        self.meant(words, "type of resource", &all)
    }

    /// May delegates and guardians speak as often as a workload says?
    pub(super) fn powers(
        &mut self,
        delegate: &At<Share>,
        guardian: &At<Share>,
        service: &ServicePlan,
    ) -> bool {
        let shares = [delegate, guardian];
        let Some(first) = shares.iter().find(|at| at.value.0 > 0) else {
            return true;
        };
        let place = first.place.clone();
        if let ServicePlan::DataSharing { options, .. } = service
            && options.delegation.is_none()
        {
            let text = "nobody may speak for a patient";
            let help =
                "services: { NAME: { data-sharing: { consent: { delegation: { for: 1y } } } } }";
            self.cx.error("E504", &place, text, help);
            return false;
        }
        let all = shares.iter().map(|at| u64::from(at.value.0)).sum::<u64>();
        if all > BILLION {
            let text = "delegates and guardians are more than all of it";
            self.cx.error("E107", &place, text, "at most 100% together");
            return false;
        }
        true
    }

    /// What delegates may do.
    pub(super) fn delegation(
        &mut self,
        keys: Option<&DelegationKeys>,
    ) -> Result<Option<DelegationOptions>, Told> {
        let Some(keys) = keys else {
            return Ok(None);
        };
        let types = self.types(keys.types.as_ref());
        let purposes = self.purposes(keys.purposes.as_ref());
        if keys.r#for.value.is_zero() {
            let place = keys.r#for.place.clone();
            self.cx
                .error("E107", &place, "a delegation of no time", "for: 1y");
            return Err(Told);
        }
        let bounds = GrantScope {
            types: types.ok_or(Told)?,
            purposes: purposes.ok_or(Told)?,
            ..GrantScope::default()
        };
        Ok(Some(DelegationOptions {
            period: keys.r#for.value,
            bounds,
        }))
    }

    fn purposes(&mut self, words: Option<&Words>) -> Option<Vec<Purpose>> {
        let all = Purpose::ALL.iter();
        let all: Vec<_> = all.map(|&p| (p.word().to_owned(), p)).collect();
        self.meant(words, "purpose", &all)
    }

    /// What patients grant.
    pub(super) fn scopes<'s>(
        &mut self,
        scopes: impl Iterator<Item = &'s ScopeKeys>,
    ) -> Option<Vec<GrantScope>> {
        let mut out = Vec::new();
        let mut whole = true;
        for keys in scopes {
            let types = self.types(keys.types.as_ref());
            let purposes = self.purposes(keys.purposes.as_ref());
            let (Some(types), Some(purposes)) = (types, purposes) else {
                whole = false;
                continue;
            };
            out.push(GrantScope {
                types,
                purposes,
                to: match keys.to.value {
                    To::Institution => GrantedTo::Institution,
                    To::Role => GrantedTo::Role,
                    To::Person => GrantedTo::Person,
                },
                after: keys.after.value,
                period: keys.r#for.as_ref().map(|at| at.value),
            });
        }
        whole.then_some(out)
    }

    /// Who reads, for what.
    pub(super) fn readers(
        &mut self,
        keys: &ReaderKeys,
        types: Option<&Words>,
    ) -> Option<ReaderOptions> {
        let each = keys.each.value.0;
        if !(1..=MAX_PEOPLE).contains(&each) {
            let place = keys.each.place.clone();
            let text = format!("{each} people of a role");
            self.cx
                .error("E107", &place, text, format!("1 to {MAX_PEOPLE}"));
            return None;
        }
        let roles = Role::ALL.iter();
        let roles: Vec<_> = roles.map(|&r| (r.word().to_owned(), r)).collect();
        let roles = self.meant(keys.roles.as_ref(), "role of a reader", &roles);
        let purposes = self.purposes(keys.purposes.as_ref());
        if purposes.iter().flatten().any(|p| *p == Purpose::Emergency)
            && let Some((_, place)) = keys.purposes.iter().flat_map(|words| &words.list).next()
        {
            let place = place.clone();
            let text = "emergencies are a share of the visits";
            self.cx.error("E504", &place, text, "emergency: 1%");
            return None;
        }
        Some(ReaderOptions {
            roles: roles?,
            people: each as u16,
            purposes: purposes?,
            types: self.types(types)?,
        })
    }
}
