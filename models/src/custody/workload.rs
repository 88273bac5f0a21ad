//! Who moves which unit, when. What is done follows what should have come of what was done before;
//! if that failed, it is refused.

use super::command::{Command, Deed};
use crate::orders::Request;
use crate::workload::pace::Arrivals;
use crate::workload::{Common, Place, Terms, draw, happens, pick};
use consim_core::{Arrival, NodeId, Span, Time, Workload};
use rand_chacha::ChaCha12Rng;
use std::collections::VecDeque;
use std::sync::Arc;

/// Options of the movements.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MovementOptions {
    /// Share of attempts at what must not be, parts per 10^9.
    pub conflicts: u32,
    /// Share of looking units up and counting them, parts per 10^9.
    pub queries: u32,
}

/// Units move on after this at the earliest (assumed: longer than a block takes).
const REST: Span = Span::from_secs(2);
/// Units that are remembered of each kind: what is older is left alone.
const REMEMBERED: usize = 256;
/// One query in so many counts all units; the others look one up.
const COUNT_ONE_IN: u64 = 4;
/// Of what an institution can do with a unit, percent: hand it over, dispense it, and decommission it
/// for the rest (assumed).
const HAND_OVER: u64 = 60;
const DISPENSE: u64 = 30;
/// Where there is something to hand on, so often something new comes (assumed), percent.
const COMMISSION: u64 = 30;

/// A unit with the place where it should be, and since when.
#[derive(Clone, Copy, Debug)]
struct Known {
    unit: u64,
    place: usize,
    since: Time,
}

/// Units are commissioned, move from hand to hand, and end, at rates.
pub struct MovementWorkload {
    arrivals: Arrivals,
    places: Vec<Place>,
    terms: Terms,
    options: MovementOptions,
    units: u64,
    /// Held, the longest first.
    held: VecDeque<Known>,
    /// Handed over to a place.
    on_the_way: VecDeque<Known>,
    /// By a place that handed them on, which does not have them any more.
    handed_on: VecDeque<Known>,
    /// Dispensed or decommissioned by a place.
    ended: VecDeque<Known>,
    /// Comes at the same instant as what came last.
    also: VecDeque<Arrival>,
    rng: ChaCha12Rng,
}

/// Takes the first that fits out.
fn take(from: &mut VecDeque<Known>, fits: impl Fn(&Known) -> bool) -> Option<Known> {
    let at = from.iter().position(fits)?;
    from.remove(at)
}

fn remember(list: &mut VecDeque<Known>, known: Known) {
    if list.len() == REMEMBERED {
        list.pop_front();
    }
    list.push_back(known);
}

impl MovementWorkload {
    /// A workload with its own random stream.
    pub fn new(common: &Common, options: MovementOptions, rng: ChaCha12Rng) -> Self {
        Self {
            arrivals: common.arrivals(),
            places: common.places.clone(),
            terms: common.terms,
            options,
            units: 0,
            held: VecDeque::new(),
            on_the_way: VecDeque::new(),
            handed_on: VecDeque::new(),
            ended: VecDeque::new(),
            also: VecDeque::new(),
            rng,
        }
    }

    fn percent(&mut self, percent: u64) -> bool {
        draw(&mut self.rng, 100) < percent
    }
    /// How an institution is known on the chain.
    fn server(&self, place: usize) -> NodeId {
        self.places.get(place).map_or(NodeId(0), |p| p.server)
    }
    /// Another place than this one, if there is one.
    fn other(&mut self, than: usize) -> Option<usize> {
        let n = self.places.len();
        if n < 2 {
            return None;
        }
        let step = draw(&mut self.rng, n as u64 - 1) as usize;
        Some((than + 1 + step) % n)
    }
    fn arrival(&self, at: Time, place: usize, wish: Command) -> Option<Arrival> {
        Some(Arrival {
            at,
            node: self.places.get(place)?.desk,
            count: 1,
            request: Arc::new(Request {
                terms: self.terms,
                wish,
            }),
        })
    }
    /// This happens at the same instant, too.
    fn also(&mut self, at: Time, place: usize, unit: u64, deed: Deed) {
        let wish = Command::Unit { unit, deed };
        self.also.extend(self.arrival(at, place, wish));
    }
    fn hand_over(&self, to: usize) -> Deed {
        Deed::HandOver {
            to: self.server(to),
        }
    }

    fn commission(&mut self, at: Time, place: usize) -> (u64, Deed) {
        self.units += 1;
        let unit = self.units;
        let since = at;
        remember(&mut self.held, Known { unit, place, since });
        (unit, Deed::Commission)
    }

    /// Somebody looks something up.
    fn query(&mut self) -> Command {
        if draw(&mut self.rng, COUNT_ONE_IN) == 0 {
            return Command::Count;
        }
        // One that was touched lately, and now and then one that never was.
        let back = draw(&mut self.rng, 64).min(self.units);
        Command::Unit {
            unit: self.units + 1 - back,
            deed: Deed::Trace,
        }
    }

    /// What an institution does that keeps to the rules.
    fn honest(&mut self, at: Time, place: usize) -> (u64, Deed) {
        let ready = |k: &Known| k.place == place && at.since(k.since) >= REST;
        if let Some(Known { unit, .. }) = take(&mut self.on_the_way, ready) {
            let since = at;
            remember(&mut self.held, Known { unit, place, since });
            return (unit, Deed::Accept);
        }
        if self.percent(COMMISSION) {
            return self.commission(at, place);
        }
        let Some(known) = take(&mut self.held, ready) else {
            return self.commission(at, place);
        };
        let since = at;
        let known = Known { since, ..known };
        let what = draw(&mut self.rng, 100);
        if what < HAND_OVER
            && let Some(to) = self.other(place)
        {
            remember(&mut self.on_the_way, Known { place: to, ..known });
            remember(&mut self.handed_on, known);
            return (known.unit, self.hand_over(to));
        }
        remember(&mut self.ended, known);
        let deed = if what < HAND_OVER + DISPENSE {
            Deed::Dispense
        } else {
            Deed::Decommission
        };
        (known.unit, deed)
    }

    /// What must not come through, if there is something to try it with.
    fn conflict(&mut self, at: Time, place: usize) -> Option<(usize, u64, Deed)> {
        match draw(&mut self.rng, 6) {
            // The holder hands one unit over to two at once.
            0 => {
                let (one, two) = (self.other(place)?, self.other(place)?);
                let known = take(&mut self.held, |k| k.place == place)?;
                remember(
                    &mut self.on_the_way,
                    Known {
                        place: one,
                        since: at,
                        ..known
                    },
                );
                let deed = self.hand_over(two);
                self.also(at, place, known.unit, deed);
                Some((place, known.unit, self.hand_over(one)))
            }
            // Whoever held it before hands it over once more, at the same time as its holder.
            1 => {
                let before = *self.handed_on.back()?;
                let to = self.other(before.place)?;
                let deed = self.hand_over(to);
                let holder = take(&mut self.held, |k| k.unit == before.unit);
                if let Some(holder) = holder
                    && let Some(next) = self.other(holder.place)
                {
                    let since = at;
                    remember(
                        &mut self.on_the_way,
                        Known {
                            place: next,
                            since,
                            ..holder
                        },
                    );
                    let rightly = self.hand_over(next);
                    self.also(at, holder.place, holder.unit, rightly);
                }
                Some((before.place, before.unit, deed))
            }
            // Two commission the same serial.
            2 => {
                let (unit, deed) = self.commission(at, place);
                let other = self.other(place).unwrap_or(place);
                self.also(at, other, unit, deed);
                Some((place, unit, deed))
            }
            // What ended is sold again, by whoever sold it or by somebody else.
            3 => {
                let list: Vec<Known> = self.ended.iter().copied().collect();
                let known = pick(&mut self.rng, &list)?;
                let other = self.other(known.place);
                let seller = if self.percent(70) {
                    known.place
                } else {
                    other.unwrap_or(place)
                };
                let deed = if self.percent(60) {
                    Deed::Dispense
                } else {
                    Deed::Commission
                };
                Some((seller, known.unit, deed))
            }
            // Somebody takes what is not theirs.
            4 => {
                let known = *self.held.back()?;
                let thief = self.other(known.place)?;
                Some((thief, known.unit, Deed::Accept))
            }
            // A hand-over is taken back just when it is accepted.
            _ => {
                let going = take(&mut self.on_the_way, |_| true)?;
                let from = self.handed_on.iter().rev().find(|k| k.unit == going.unit);
                let from = from.map(|k| k.place)?;
                self.also(at, going.place, going.unit, Deed::Accept);
                Some((from, going.unit, Deed::Withdraw))
            }
        }
    }
}

impl Workload for MovementWorkload {
    fn next(&mut self) -> Option<Arrival> {
        if let Some(also) = self.also.pop_front() {
            return Some(also);
        }
        let (at, place) = self.arrivals.next(&mut self.rng)?;
        if happens(&mut self.rng, self.options.queries) {
            let wish = self.query();
            return self.arrival(at, place, wish);
        }
        let conflict = if happens(&mut self.rng, self.options.conflicts) {
            self.conflict(at, place)
        } else {
            None
        };
        let (place, unit, deed) = conflict.unwrap_or_else(|| {
            let (unit, deed) = self.honest(at, place);
            (place, unit, deed)
        });
        self.arrival(at, place, Command::Unit { unit, deed })
    }
}
