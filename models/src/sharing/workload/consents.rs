//! Changes of standing consents, and readings of the audit trail.

use super::patient;
use crate::sharing::config::ConsentOptions;
use crate::sharing::ids::Grantee;
use crate::sharing::request::{Change, Request, Wish};
use crate::workload::pace::Arrivals;
use crate::workload::{BILLION, Common, Place, Terms, draw};
use consim_core::{Arrival, Workload};
use rand_chacha::ChaCha12Rng;
use std::collections::VecDeque;
use std::sync::Arc;

/// The most standing grants that are remembered for revocation; the oldest are forgotten.
const MAX_GIVEN: usize = 4_096;
/// Of this many acts about powers to speak one appoints somebody, and of as many as the next number
/// says one of the others dismisses (assumed).
const SPEAKS: u64 = 4;
const DISMISSED: u64 = 10;
/// One grant in this many is to everybody (assumed).
const TO_EVERYONE: u64 = 10;

/// Patients who grant, deny and revoke without being asked. The options are the weights of the
/// three (if all are zero, nobody comes); a revocation takes back a grant given earlier in the run, and while there is none the
/// patient grants.
pub struct ConsentWorkload {
    arrivals: Arrivals,
    places: Vec<Place>,
    terms: Terms,
    options: ConsentOptions,
    given: VecDeque<(usize, Arc<str>, Grantee)>,
    /// Who speaks for whom, and where the patient is at home.
    powers: VecDeque<(usize, Arc<str>, Arc<str>)>,
    rng: ChaCha12Rng,
}

impl ConsentWorkload {
    /// A workload with its own random stream.
    pub fn new(common: &Common, options: ConsentOptions, rng: ChaCha12Rng) -> Self {
        Self {
            arrivals: common.arrivals(),
            places: common.places.clone(),
            terms: common.terms,
            options,
            given: VecDeque::new(),
            powers: VecDeque::new(),
            rng,
        }
    }

    fn grantee(&mut self, home: usize) -> Grantee {
        let others = (self.places.len() as u64).saturating_sub(1);
        if others == 0 || draw(&mut self.rng, TO_EVERYONE) == 0 {
            return Grantee::Everyone;
        }
        let other = draw(&mut self.rng, others) as usize;
        let place = self
            .places
            .get(if other < home { other } else { other + 1 });
        place.map_or(Grantee::Everyone, |place| {
            Grantee::Institution(place.server)
        })
    }

    /// Somebody is appointed to speak for a patient, speaks, or is dismissed; nothing where nobody may.
    fn power(&mut self, home: usize) -> Option<(usize, Wish)> {
        let [delegate, guardian] = [self.options.delegate, self.options.guardian].map(u64::from);
        if delegate + guardian == 0 || draw(&mut self.rng, BILLION) >= delegate + guardian {
            return None;
        }
        if !self.powers.is_empty() && draw(&mut self.rng, SPEAKS) > 0 {
            let which = draw(&mut self.rng, self.powers.len() as u64) as usize;
            if draw(&mut self.rng, DISMISSED) == 0 {
                let (home, patient, by) = self.powers.swap_remove_back(which)?;
                return Some((home, Wish::Dismiss { patient, by }));
            }
            let (home, patient, by) = self.powers.get(which)?.clone();
            let grantee = self.grantee(home);
            let change = if draw(&mut self.rng, 3) == 0 {
                Change::Revoke
            } else {
                Change::Grant(None)
            };
            let wish = Wish::Spoken {
                by,
                patient,
                grantee,
                change,
            };
            return Some((home, wish));
        }
        let place = *self.places.get(home)?;
        let panel = self.options.panel.max(2);
        let number = draw(&mut self.rng, panel);
        let other = (number + 1 + draw(&mut self.rng, panel - 1)) % panel;
        let guardian = draw(&mut self.rng, delegate + guardian) >= delegate;
        let (patient, by) = (patient(place, number), patient(place, other));
        if self.powers.len() == MAX_GIVEN {
            self.powers.pop_front();
        }
        self.powers
            .push_back((home, Arc::clone(&patient), Arc::clone(&by)));
        let wish = Wish::Appoint {
            patient,
            by,
            guardian,
        };
        Some((home, wish))
    }

    fn wish(&mut self, home: usize) -> Option<(usize, Wish)> {
        if let Some(wish) = self.power(home) {
            return Some(wish);
        }
        let ConsentOptions {
            grant,
            deny,
            revoke,
            ..
        } = self.options;
        let [grant, deny, revoke] = [grant, deny, revoke].map(u64::from);
        if grant + deny + revoke == 0 {
            return None;
        }
        let mark = draw(&mut self.rng, grant + deny + revoke);
        if mark >= grant + deny && !self.given.is_empty() {
            let which = draw(&mut self.rng, self.given.len() as u64) as usize;
            if let Some((home, patient, grantee)) = self.given.swap_remove_back(which) {
                let change = Change::Revoke;
                return Some((
                    home,
                    Wish::Consent {
                        patient,
                        grantee,
                        change,
                    },
                ));
            }
        }
        let number = draw(&mut self.rng, self.options.panel.max(1));
        let patient = patient(*self.places.get(home)?, number);
        let grantee = self.grantee(home);
        let change = if (grant..grant + deny).contains(&mark) {
            Change::Deny
        } else {
            Change::Grant(None)
        };
        if change != Change::Deny {
            if self.given.len() == MAX_GIVEN {
                self.given.pop_front();
            }
            self.given.push_back((home, Arc::clone(&patient), grantee));
        }
        Some((
            home,
            Wish::Consent {
                patient,
                grantee,
                change,
            },
        ))
    }
}

impl Workload for ConsentWorkload {
    fn next(&mut self) -> Option<Arrival> {
        let (at, home) = self.arrivals.next(&mut self.rng)?;
        let (home, wish) = self.wish(home)?;
        let node = self.places.get(home)?.desk;
        Some(Arrival {
            at,
            node,
            count: 1,
            request: Arc::new(Request {
                terms: self.terms,
                wish,
            }),
        })
    }
}

/// Supervision reads the audit trail; its places are supervision's alone.
pub struct AuditWorkload {
    arrivals: Arrivals,
    places: Vec<Place>,
    terms: Terms,
    rng: ChaCha12Rng,
}

impl AuditWorkload {
    /// A workload with its own random stream.
    pub fn new(common: &Common, rng: ChaCha12Rng) -> Self {
        Self {
            arrivals: common.arrivals(),
            places: common.places.clone(),
            terms: common.terms,
            rng,
        }
    }
}

impl Workload for AuditWorkload {
    fn next(&mut self) -> Option<Arrival> {
        let (at, place) = self.arrivals.next(&mut self.rng)?;
        let node = self.places.get(place)?.desk;
        Some(Arrival {
            at,
            node,
            count: 1,
            request: Arc::new(Request {
                terms: self.terms,
                wish: Wish::Sweep,
            }),
        })
    }
}

#[cfg(test)]
mod tests;
