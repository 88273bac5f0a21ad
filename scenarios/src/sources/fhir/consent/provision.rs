//! Provisions of a Consent, read.

use super::super::date::moment;
use super::super::json::{Defect, Reading, codes, field, list, text};
use super::super::reference::{Names, Party, Reference};
use super::rules::MAX_RULES;
use serde_json::Value;

/// Code systems of HL7: reasons (purposes) and actions.
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";
const ACTION: &str = "http://terminology.hl7.org/CodeSystem/consentaction";

/// Actors who receive records (v3-ParticipationType, contractsignertypecodes, v3-RoleCode).
const RECIPIENTS: [&str; 6] = ["PRCP", "IRCP", "RECIP", "PRIRECIP", "GRANTEE", "DELEGATEE"];
/// Actors who neither receive records nor limit them: those who consent.
const CONSENTERS: [&str; 2] = ["GRANTOR", "CONSENTER"];
/// The purpose of the model's reads, and its siblings (v3-ActReason, PurposeOfUse).
const TREATMENT: &str = "TREAT";
const OTHER_PURPOSES: [&str; 6] = ["HMARKT", "HOPERAT", "HPAYMT", "HRESCH", "PATRQT", "PUBHLTH"];
/// Actions that include reading ("correct" is "access and correct").
const READING: [&str; 3] = ["access", "disclose", "correct"];
/// Elements that limit a provision to some of the records.
const LIMITS: [&str; 6] = [
    "securityLabel",
    "class",
    "code",
    "dataPeriod",
    "data",
    "modifierExtension",
];

/// What surrounds the rules.
pub(super) struct Given<'a> {
    /// When the Consent was given, if it says.
    pub(super) at_ns: Option<i64>,
    pub(super) document: usize,
    pub(super) names: &'a Names,
}

/// Is there something in a field?
pub(super) fn is_there(object: &Value, name: &str) -> bool {
    match object.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Array(all)) => !all.is_empty(),
        Some(_) => true,
    }
}

/// A provision, read.
#[derive(Debug)]
pub(super) struct Provision {
    pub(super) path: String,
    pub(super) permits: Option<bool>,
    pub(super) start_ns: Option<i64>,
    pub(super) end_ns: Option<i64>,
    /// What limits it to some of the records or of the reads.
    pub(super) limits: Vec<&'static str>,
    /// It is about other purposes than treatment only.
    pub(super) beside_treatment: bool,
    /// Who receives records by it; `None` is everybody.
    pub(super) recipients: Option<Vec<Party>>,
    pub(super) nested: Vec<Provision>,
}

impl Provision {
    pub(super) fn read(value: &Value, path: String, given: &Given<'_>) -> Reading<Self> {
        let place = path.clone();
        let at_path = |defect: Defect| defect.below(&place);
        let nested = list(value, "provision", Ok).map_err(at_path)?;
        let nested = nested.into_iter().enumerate();
        let nested =
            nested.map(|(i, one)| Self::read(one, format!("{path}.provision[{i}]"), given));
        let nested = nested.collect::<Reading<_>>()?;
        Self::own(value, path, nested, given).map_err(at_path)
    }

    /// Reads all but what is nested.
    fn own(value: &Value, path: String, nested: Vec<Self>, given: &Given<'_>) -> Reading<Self> {
        let permits = field(value, "type", |kind| match text(kind)? {
            "permit" => Ok(true),
            "deny" => Ok(false),
            _ => Err(Defect::new("neither permit nor deny")),
        })?;
        let mut limits: Vec<&'static str> = Vec::new();
        limits.extend(LIMITS.iter().filter(|name| is_there(value, name)));
        let purposes = list(value, "purpose", |coding| {
            let system = field(coding, "system", text)?;
            let code = field(coding, "code", text)?.unwrap_or_default();
            Ok(if system.is_none_or(|system| system == REASON) {
                code
            } else {
                ""
            })
        })?;
        if !purposes.is_empty() && !purposes.contains(&TREATMENT) {
            limits.push("purpose");
        }
        let actions = all_codes(value, "action", ACTION)?;
        if is_there(value, "action") && !actions.iter().any(|code| READING.contains(code)) {
            limits.push("action");
        }
        let actors = list(value, "actor", |actor| Actor::read(actor, given))?;
        let mut recipients = Vec::new();
        for actor in actors {
            match actor {
                Actor::Recipient(party) => recipients.push(party),
                Actor::Limit => limits.push("actor"),
                Actor::Consenter => {}
            }
        }
        if recipients.len() > MAX_RULES {
            let reason = format!("more than {MAX_RULES} recipients");
            return Err(Defect::new(reason).below(".actor"));
        }
        let time = |period: &Value, name| {
            field(period, name, |value| {
                moment(text(value)?)
                    .map_err(|reason| Defect::new(format!("no time of FHIR: {reason}")))
            })
        };
        let period = field(value, "period", |period| {
            Ok((time(period, "start")?, time(period, "end")?))
        })?;
        let (start, end) = period.unwrap_or_default();
        Ok(Self {
            path,
            permits,
            start_ns: start.map(|start| start.first_ns),
            end_ns: end.map(|end| end.after_ns).filter(|&end| end < i64::MAX),
            limits,
            beside_treatment: !purposes.is_empty()
                && purposes.iter().all(|code| OTHER_PURPOSES.contains(code)),
            recipients: (!recipients.is_empty()).then_some(recipients),
            nested,
        })
    }

    pub(super) fn holds_permissions(&self) -> bool {
        self.nested.iter().any(|inner| inner.permits == Some(true))
    }
}

/// What an actor is to a provision.
enum Actor {
    /// Receives records.
    Recipient(Party),
    /// Limits the rule to some records (the custodian's, the author's), or is not understood.
    Limit,
    /// Neither.
    Consenter,
}

impl Actor {
    fn read(actor: &Value, given: &Given<'_>) -> Reading<Self> {
        let roles = field(actor, "role", |role| {
            list(role, "coding", |coding| field(coding, "code", text))
        })?;
        let mut roles = roles.into_iter().flatten().flatten().peekable();
        let unnamed = roles.peek().is_none();
        let roles: Vec<&str> = roles.collect();
        if !unnamed && roles.iter().all(|role| CONSENTERS.contains(role)) {
            return Ok(Self::Consenter);
        }
        if !roles.iter().any(|role| RECIPIENTS.contains(role)) {
            return Ok(Self::Limit);
        }
        let reference = field(actor, "reference", |value| Reference::read(value, actor))?;
        Ok(Self::Recipient(
            reference.map_or(Party::Other, |reference| {
                given.names.party(given.document, &reference)
            }),
        ))
    }
}

/// The codes of all concepts in a list of a Consent.
fn all_codes<'v>(object: &'v Value, name: &str, system: &str) -> Reading<Vec<&'v str>> {
    let all = list(object, name, |concept| codes(concept, system))?;
    Ok(all.into_iter().flatten().collect())
}
