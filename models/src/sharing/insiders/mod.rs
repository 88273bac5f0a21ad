//! Insiders: people of an institution who misuse what they may do there.
//!
//! Honest code knows nothing of them. An administrator has the machine in hand and changes what lies
//! in its store ([`Administrator`], around the service); a clinician has a place at the desk and asks
//! for more than care needs ([`Clinician`], around the desk).

mod administrator;
mod clinician;
#[cfg(test)]
mod tests;

pub use administrator::Administrator;
pub use clinician::Clinician;

use crate::adversary::Windows;
use consim_core::{Span, Time};

/// What an insider does. The words are those of the scenario language.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deed {
    /// `edit-record` (H1): an administrator changes originals in the institution's own store.
    EditRecord,
    /// `exfiltrate` (H8): a clinician reads again what the institution may read, for no care.
    Exfiltrate,
    /// `purpose-creep` (H5): a clinician says that it is an emergency, and reads what was refused.
    PurposeCreep,
    /// `stale-consent` (H3): a clinician reads again and again what patients had once granted, also
    /// after they took it back.
    StaleConsent,
    /// `revoke-race` (H4): the same, to slip in between the decision and the block.
    RevokeRace,
}

impl Deed {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::EditRecord => "edit-record",
            Self::Exfiltrate => "exfiltrate",
            Self::PurposeCreep => "purpose-creep",
            Self::StaleConsent => "stale-consent",
            Self::RevokeRace => "revoke-race",
        }
    }
    /// Does the clinician ask for the same record again and again?
    const fn repeats(self) -> bool {
        matches!(self, Self::StaleConsent | Self::RevokeRace)
    }
    /// What is counted as its effect.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::EditRecord => "originals changed",
            Self::Exfiltrate | Self::PurposeCreep | Self::StaleConsent | Self::RevokeRace => {
                "records copied"
            }
        }
    }
}

/// When an insider acts, and what its draws are keyed by.
#[derive(Clone, Debug)]
pub struct Insider {
    /// The attack's number in the run.
    pub attack: u16,
    /// What it does.
    pub deed: Deed,
    /// When.
    pub windows: Windows,
    /// From one deed to the next; the first is at the opening of a window.
    pub every: Span,
    /// What its draws are keyed by.
    pub draws: u64,
}

impl Insider {
    /// How long it waits from `now` until it acts again.
    fn wait(&self, now: Time) -> Option<Span> {
        let every = self.every.nanos().max(1);
        let next = |&(from, to): &(Time, Time)| {
            if now < from {
                return Some(from);
            }
            let done = (now - from).nanos() / every + 1;
            let next = from + Span::from_nanos(done.saturating_mul(every));
            (next < to).then_some(next)
        };
        let next = self.windows.iter().filter_map(next).min()?;
        Some(next - now)
    }
    /// Is it time to act? A clock that drifts may have been late.
    fn acts(&self, now: Time) -> bool {
        let mut windows = self.windows.iter();
        windows.any(|&(from, to)| from <= now && now < to)
    }
}
