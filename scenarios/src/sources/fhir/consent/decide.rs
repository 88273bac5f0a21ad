//! What one FHIR R4 Consent decides on one use of one record, with every dimension that it has: the
//! model of a run knows fewer (see [`super`]), so what a run imports is never more than this permits.
//!
//! The standard leaves open what a root provision without `type` is, and its own examples use it in
//! three ways. They are told apart like this:
//!
//! | policy | the root provision | is |
//! | --- | --- | --- |
//! | OPTOUT | names recipients or purposes | what is permitted all the same (`grantor`, `Emergency`, `pkb`) |
//! | OPTOUT | names custodians or a period alone | how far the opting out reaches (`Out`) |
//! | OPTIN | has `permit` or holds permissions | the frame in which alone something is permitted (`signature`, `smartonfhir`) |
//! | OPTIN | names anything but a period | what is denied all the same (`notAuthor`, `notThem`, `notThis`, and `notOrg`, which says so) |
//! | OPTIN | has a period alone | the time that the data are from: withheld or made available, as the text of the Consent says (`notTime`, `basic`); withheld if it says neither |
//!
//! An inner provision without `type` denies. One that narrows nothing of what surrounds it speaks of
//! what lies outside of that, and takes nothing away inside (`Emergency`, `pkb`).

use super::super::date::moment;
use super::super::json::{Defect, Reading, codes, field, list, text, text_at};
use serde_json::Value;

const ACT: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";
const SCOPES: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
/// The deepest nesting of provisions that is looked into (assumed: the examples nest once).
const MAX_DEPTH: usize = 16;
/// Roles of actors (v3-ParticipationType): who receives, who keeps, who wrote.
const RECEIVES: [&str; 3] = ["PRCP", "IRCP", "RECIP"];
const KEEPS: &str = "CST";
const WROTE: &str = "AUT";
/// Words of a text that withholds, and of one that makes available.
const WITHHOLDS: [&str; 3] = ["withhold", "withdraw", "restrict"];
const AVAILS: [&str; 3] = ["authorize", "authorise", "available"];

/// A use of a record: references as they stand in resources, codes of HL7.
#[derive(Clone, Debug, Default)]
pub struct Question<'a> {
    /// When, nanoseconds after the Unix epoch.
    pub at_ns: i64,
    /// What for (v3-ActReason, `TREAT`).
    pub purpose: &'a str,
    /// What is done (consentaction, `access`).
    pub action: &'a str,
    /// Who receives the record: a person, and the organisation for which they act.
    pub recipients: &'a [&'a str],
    /// Who keeps it.
    pub custodian: &'a str,
    /// Who wrote it: a person, and an organisation.
    pub authors: &'a [&'a str],
    /// Its resource type or media type.
    pub class: &'a str,
    /// Codes of what it says.
    pub codes: &'a [&'a str],
    /// Its security labels.
    pub labels: &'a [&'a str],
    /// The record itself, and what it is related to.
    pub data: &'a [&'a str],
    /// When it was recorded, nanoseconds after the Unix epoch, if that is known.
    pub recorded_ns: Option<i64>,
}

/// What a Consent says of a use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// It may be.
    Permit,
    /// It may not be.
    Deny,
    /// It says nothing: it is not in force, or is about something else.
    Silent,
}

/// Decides; what cannot be read is told with its path.
pub fn decide(consent: &Value, question: &Question<'_>) -> Result<Decision, String> {
    weigh(consent, question).map_err(|defect| format!("{}: {}", defect.path, defect.reason))
}

fn weigh(consent: &Value, question: &Question<'_>) -> Reading<Decision> {
    let scopes = field(consent, "scope", |scope| codes(scope, SCOPES))?.unwrap_or_default();
    let privacy = scopes.is_empty() || scopes.contains(&"patient-privacy");
    if text_at(consent, "status") != Some("active") || !privacy {
        return Ok(Decision::Silent);
    }
    let policies = field(consent, "policyRule", |rule| codes(rule, ACT))?.unwrap_or_default();
    let has = |codes: [&str; 2]| policies.iter().any(|policy| codes.contains(policy));
    let (opted_in, opted_out) = (has(["OPTIN", "OPTINR"]), has(["OPTOUT", "OPTOUTE"]));
    let root = field(consent, "provision", |value| Rule::read(value, 0))?;
    let Some(root) = root else {
        return Ok(match (opted_in, opted_out) {
            (_, true) => Decision::Deny,
            (true, false) => Decision::Permit,
            (false, false) => Decision::Silent,
        });
    };
    let permits = |holds: bool| {
        if holds {
            Decision::Permit
        } else {
            Decision::Deny
        }
    };
    if opted_out {
        let excepts =
            root.permits == Some(true) || !root.to.is_empty() || !root.purposes.is_empty();
        if excepts {
            return Ok(permits(
                root.covers(question) && !root.denied_inside(question),
            ));
        }
        if !root.covers(question) {
            return Ok(Decision::Silent);
        }
        return Ok(permits(root.permitted_inside(question)));
    }
    if root.permits == Some(true) || root.holds_permissions() {
        let inside = !root.holds_permissions() || root.permitted_inside(question);
        let holds = root.covers(question) && inside && !root.denied_inside(question);
        return Ok(permits(holds));
    }
    if opted_in && root.permits.is_none() && root.is_bare() {
        return Ok(match (root.period, question.recorded_ns) {
            (None, _) => permits(!root.denied_inside(question)),
            (Some(_), None) => Decision::Deny,
            (Some(period), Some(recorded)) => {
                let from_it = within(period, recorded);
                match says(consent) {
                    Some(true) if from_it => Decision::Permit,
                    Some(true) => Decision::Silent,
                    Some(false) => permits(!from_it),
                    None => Decision::Deny,
                }
            }
        });
    }
    let denied = root.covers(question);
    Ok(match (denied, opted_in) {
        (true, _) => permits(root.permitted_inside(question)),
        (false, true) => Decision::Permit,
        (false, false) => Decision::Silent,
    })
}

/// Does the text of a Consent make available, or withhold? Nothing if it says neither.
fn says(consent: &Value) -> Option<bool> {
    let text = consent.get("text").and_then(|text| text_at(text, "div"));
    let text = text?.to_lowercase();
    let any = |words: [&str; 3]| words.iter().any(|word| text.contains(word));
    match (any(WITHHOLDS), any(AVAILS)) {
        (true, _) => Some(false),
        (false, true) => Some(true),
        (false, false) => None,
    }
}

/// From the first instant on, and before the last.
type Period = (i64, i64);

fn within((from, to): Period, at_ns: i64) -> bool {
    from <= at_ns && at_ns < to
}

/// A provision; what is empty limits nothing.
#[derive(Debug, Default)]
struct Rule<'v> {
    permits: Option<bool>,
    period: Option<Period>,
    to: Vec<&'v str>,
    kept_by: Vec<&'v str>,
    written_by: Vec<&'v str>,
    /// Somebody in another role: what it limits is not known.
    others: bool,
    purposes: Vec<&'v str>,
    actions: Vec<&'v str>,
    classes: Vec<&'v str>,
    codes: Vec<&'v str>,
    labels: Vec<&'v str>,
    data: Vec<&'v str>,
    inner: Vec<Rule<'v>>,
}

impl<'v> Rule<'v> {
    fn read(value: &'v Value, depth: usize) -> Reading<Self> {
        if depth > MAX_DEPTH {
            return Err(Defect::new(format!(
                "provisions in more than {MAX_DEPTH} others"
            )));
        }
        let code = |coding: &'v Value| -> Reading<&'v str> {
            Ok(field(coding, "code", text)?.unwrap_or_default())
        };
        let coded = |name: &'static str| list(value, name, code);
        let concepts = |name: &'static str, system: &'static str| -> Reading<Vec<&'v str>> {
            let all = list(value, name, |concept| codes(concept, system))?;
            Ok(all.into_iter().flatten().collect())
        };
        let mut rule = Rule {
            permits: field(value, "type", |kind| match text(kind)? {
                "permit" => Ok(true),
                "deny" => Ok(false),
                _ => Err(Defect::new("neither permit nor deny")),
            })?,
            period: field(value, "period", period)?,
            purposes: coded("purpose")?,
            actions: concepts("action", ACTION)?,
            classes: coded("class")?,
            labels: coded("securityLabel")?,
            codes: list(value, "code", |concept| list(concept, "coding", code))?
                .into_iter()
                .flatten()
                .collect(),
            data: list(value, "data", reference)?,
            inner: list(value, "provision", |inner| Self::read(inner, depth + 1))?,
            ..Self::default()
        };
        let actors = list(value, "actor", |actor| {
            let roles = field(actor, "role", |role| list(role, "coding", code))?;
            Ok((roles.unwrap_or_default(), reference(actor)?))
        })?;
        for (roles, who) in actors {
            if roles.iter().any(|role| RECEIVES.contains(role)) {
                rule.to.push(who);
            } else if roles.contains(&KEEPS) {
                rule.kept_by.push(who);
            } else if roles.contains(&WROTE) {
                rule.written_by.push(who);
            } else {
                rule.others = true;
            }
        }
        Ok(rule)
    }

    /// Does it limit nothing but the time?
    fn is_bare(&self) -> bool {
        let lists = [
            &self.to,
            &self.kept_by,
            &self.written_by,
            &self.purposes,
            &self.actions,
            &self.classes,
            &self.codes,
            &self.labels,
            &self.data,
        ];
        !self.others && lists.iter().all(|list| list.is_empty())
    }

    /// Is the use one that it speaks of? What it says of actors in other roles is taken for wider if
    /// it denies and for nothing if it permits.
    fn covers(&self, q: &Question<'_>) -> bool {
        let any = |limits: &[&str], of: &[&str]| {
            limits.is_empty() || of.iter().any(|one| limits.contains(one))
        };
        let known = !self.others || self.permits != Some(true);
        known
            && self.period.is_none_or(|period| within(period, q.at_ns))
            && any(&self.to, q.recipients)
            && any(&self.kept_by, &[q.custodian])
            && any(&self.written_by, q.authors)
            && any(&self.purposes, &[q.purpose])
            && any(&self.actions, &[q.action])
            && any(&self.classes, &[q.class])
            && any(&self.codes, q.codes)
            && any(&self.labels, q.labels)
            && any(&self.data, q.data)
    }

    fn holds_permissions(&self) -> bool {
        self.inner.iter().any(|inner| inner.permits == Some(true))
    }

    /// Does an inner rule permit the use?
    fn permitted_inside(&self, q: &Question<'_>) -> bool {
        let permits = |inner: &&Self| inner.permits == Some(true) && inner.covers(q);
        self.inner
            .iter()
            .filter(permits)
            .any(|inner| !inner.denied_inside(q))
    }

    /// Does an inner rule that narrows this one deny the use?
    fn denied_inside(&self, q: &Question<'_>) -> bool {
        let denies = |inner: &&Self| inner.permits != Some(true) && inner.covers(q);
        self.inner
            .iter()
            .filter(denies)
            .any(|inner| inner.narrows(self) && !inner.permitted_inside(q))
    }

    /// Does it limit anything that the rule around it does not limit to the same?
    fn narrows(&self, outer: &Self) -> bool {
        let less = |own: &[&str], all: &[&str]| {
            !own.is_empty() && (all.is_empty() || all.iter().any(|one| !own.contains(one)))
                || own.iter().any(|one| !all.contains(one))
        };
        less(&self.to, &outer.to)
            || less(&self.kept_by, &outer.kept_by)
            || less(&self.written_by, &outer.written_by)
            || less(&self.purposes, &outer.purposes)
            || less(&self.actions, &outer.actions)
            || less(&self.classes, &outer.classes)
            || less(&self.codes, &outer.codes)
            || less(&self.labels, &outer.labels)
            || less(&self.data, &outer.data)
            || self.period.is_some() && self.period != outer.period
            || self.others
    }
}

/// Where a reference leads, as it stands there.
fn reference(holder: &Value) -> Reading<&str> {
    let target = field(holder, "reference", |value| {
        Ok(field(value, "reference", text)?.unwrap_or_default())
    })?;
    Ok(target.unwrap_or_default())
}

fn period(value: &Value) -> Reading<Period> {
    let time = |name| {
        field(value, name, |value| {
            moment(text(value)?).map_err(|reason| Defect::new(format!("no time of FHIR: {reason}")))
        })
    };
    let (start, end) = (time("start")?, time("end")?);
    Ok((
        start.map_or(i64::MIN, |start| start.first_ns),
        end.map_or(i64::MAX, |end| end.after_ns),
    ))
}

#[cfg(test)]
mod tests;
