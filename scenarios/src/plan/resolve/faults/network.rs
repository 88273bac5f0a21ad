//! Faults of the network.

use super::super::Planner;
use super::kinds::{Plan, spans};
use crate::schema::shape::suggestion;
use crate::schema::{
    Astray, At, Clog, Corrupt, CutShape, Damage, Direction, Duplicate, Eclipse, Filter, Filtered,
    Flap, Flood, Flooded, Hijack, Lossy, Partition, Release, Reorder, Slow, Swizzle, Throttle,
    UnstableNetwork, Words,
};
use consim_core::Span;
use consim_core::values::{Count, Name, Value};
use consim_kernel::config::{self as kernel, FaultKind, Target};
use consim_models::MESSAGE_KINDS;

/// The largest message of a flood.
const MAX_FLOODED: u64 = 64_000_000;

impl Plan for Slow {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        let lines = planner.fault_lines(name, self.lines())?;
        let add = self.add.distribution(planner.cx);
        Some(FaultKind::Delay(kernel::Delay { lines, add }))
    }
}

impl Plan for Lossy {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Loss(kernel::Loss {
            lines: planner.fault_lines(name, self.lines())?,
            rate_ppb: self.rate.value.0,
            burst: self.burst.as_ref().map(|burst| kernel::Burst {
                good_to_bad_ppb: burst.good_to_bad.value.0,
                bad_to_good_ppb: burst.bad_to_good.value.0,
                loss_in_bad_ppb: burst.loss_in_bad.value.0,
            }),
        }))
    }
}

impl Plan for Duplicate {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Duplicate(kernel::Duplicate {
            lines: planner.fault_lines(name, self.lines())?,
            rate_ppb: self.rate.value.0,
        }))
    }
}

impl Plan for Reorder {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Reorder(kernel::Reorder {
            lines: planner.fault_lines(name, self.lines())?,
            rate_ppb: self.rate.value.0,
        }))
    }
}

impl Plan for Corrupt {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Corrupt(kernel::Corrupt {
            lines: planner.fault_lines(name, self.lines())?,
            rate_ppb: self.rate.value.0,
            truncate: self.how.value == Damage::Truncate,
        }))
    }
}

impl Plan for Clog {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Clog(kernel::Clog {
            lines: planner.fault_lines(name, self.lines())?,
            paced: self.release.value == Release::Paced,
        }))
    }
}

impl Plan for Swizzle {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Swizzle(kernel::Swizzle {
            target: planner.target(&self.target)?,
            stagger: spans(&self.stagger),
        }))
    }
}

impl Plan for Partition {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let target = planner.target(&self.target)?;
        let direction = match self.direction.value {
            Direction::Both => kernel::Direction::Both,
            Direction::In => kernel::Direction::In,
            Direction::Out => kernel::Direction::Out,
        };
        let shape = match self.shape.value {
            CutShape::Cut => kernel::Shape::Cut,
            CutShape::IsolateEach => kernel::Shape::IsolateEach,
            CutShape::Halves => kernel::Shape::Halves,
            CutShape::Ring => kernel::Shape::Ring,
            CutShape::Bridge => kernel::Shape::Bridge,
            CutShape::Random => kernel::Shape::Random,
        };
        let count = match &target {
            Target::Nodes(nodes) => nodes.len(),
            Target::LeaderOf(_) | Target::LeadersOf(_) => 1,
        };
        let place = self.target.place.clone();
        if count == planner.institutions.len() && shape == kernel::Shape::Cut {
            planner.cx.error(
                "E308",
                &place,
                "a partition cuts some off from the rest; these are all",
                "name one side of the cut, or give it another shape, for example halves",
            );
            return None;
        }
        if count < shape.least() && !planner.doubt {
            let word = self.shape.value.word();
            planner.cx.error(
                "E308",
                &place,
                format!(
                    "`{word}` tells at least {} apart; these are {count}",
                    shape.least()
                ),
                "name more, or leave the shape out",
            );
            return None;
        }
        let one_way = direction != kernel::Direction::Both;
        if one_way && matches!(shape, kernel::Shape::Ring) {
            let place = self.direction.place.clone();
            planner.cx.error(
                "E211",
                &place,
                "on a ring nobody is inside, so no direction is in or out",
                "direction: both, or another shape",
            );
            return None;
        }
        Some(FaultKind::Partition(kernel::Partition {
            target,
            direction,
            shape,
            change: None,
        }))
    }
}

impl Plan for Flap {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Flap(kernel::Flap {
            target: planner.target(&self.target)?,
            up: spans(&self.up),
            down: spans(&self.down),
        }))
    }
}

impl Plan for Filter {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        let lines = planner.fault_lines(name, self.lines())?;
        let kinds = match &self.kinds {
            Some(words) => kinds_of_messages(planner, words)?,
            None => Vec::new(),
        };
        let which = match &self.drop {
            Some(words) => kernel::Which::Numbers(numbers(planner, words)?),
            None => kernel::Which::Share(self.share.value.0),
        };
        Some(FaultKind::Filter(kernel::Filter {
            lines,
            kinds,
            hold: self.r#do.value == Filtered::Hold,
            which,
        }))
    }
}

/// Kinds of messages that there are.
fn kinds_of_messages(planner: &mut Planner<'_>, words: &Words) -> Option<Vec<String>> {
    let mut whole = true;
    for (word, place) in &words.list {
        if !MESSAGE_KINDS
            .iter()
            .any(|kinds| kinds.contains(&word.as_str()))
        {
            let all = MESSAGE_KINDS.concat();
            let message = format!("no kind of message is called `{word}`");
            planner
                .cx
                .error("E202", place, message, suggestion(word, &all));
            whole = false;
        }
    }
    whole.then(|| words.list.iter().map(|(word, _)| word.clone()).collect())
}

fn numbers(planner: &mut Planner<'_>, words: &Words) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    for (word, place) in &words.list {
        match Count::parse(word) {
            Ok(Count(number)) if number > 0 => numbers.push(number),
            Ok(_) => {
                let message = "messages are counted from 1";
                planner.cx.error("E107", place, message, "1 is the first");
                return None;
            }
            Err(error) => {
                planner.cx.value_error(place, error);
                return None;
            }
        }
    }
    Some(numbers)
}

impl Plan for Throttle {
    fn plan(&self, planner: &mut Planner<'_>, name: &At<Name>) -> Option<FaultKind> {
        if self.rate.value.0 == 0 {
            let place = self.rate.place.clone();
            planner.cx.error(
                "E107",
                &place,
                "a line that carries nothing",
                "partition cuts a line; clog holds what comes",
            );
            return None;
        }
        Some(FaultKind::Throttle(kernel::Throttle {
            lines: planner.fault_lines(name, self.lines())?,
            rate: self.rate.value.0,
            queue: self.queue.as_ref().map_or(0, |at| at.value.0),
        }))
    }
}

impl Plan for Eclipse {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::Eclipse(kernel::Eclipse {
            target: planner.target(&self.target)?,
            peers: planner.target(&self.peers)?,
            slots_ppb: self.slots.value.0,
        }))
    }
}

impl Plan for Hijack {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let intercept = self.how.value == Astray::Intercept;
        Some(FaultKind::Hijack(kernel::Hijack {
            target: planner.target(&self.target)?,
            intercept: intercept.then_some(self.extra.value),
            noticed_after: self.noticed_after.value,
        }))
    }
}

impl Plan for Flood {
    fn plan(&self, planner: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        let usual = match self.what.value {
            Flooded::Junk => 1_000,
            Flooded::Oversized => 1_000_000,
            Flooded::Transactions | Flooded::ViewChanges => 512,
        };
        let size = self.size.as_ref().map_or(usual, |at| at.value.0);
        if let Some(at) = self
            .size
            .as_ref()
            .filter(|_| size == 0 || size > MAX_FLOODED)
        {
            let place = at.place.clone();
            let help = format!("at most {MAX_FLOODED}B");
            planner.cx.error("E107", &place, "no such message", help);
            return None;
        }
        if self.rate.value.0 == 0 {
            let place = self.rate.place.clone();
            planner
                .cx
                .error("E107", &place, "a flood of nothing", "for example 1000/s");
            return None;
        }
        let target = planner.servers(&self.target, "be flooded")?;
        let size = size as u32;
        let what = match self.what.value {
            Flooded::Junk | Flooded::Oversized => kernel::Flooded::Junk(size),
            Flooded::Transactions => kernel::Flooded::Transactions(size),
            Flooded::ViewChanges => kernel::Flooded::ViewChanges,
        };
        let from = if what == kernel::Flooded::ViewChanges {
            planner.servers(&self.from, "vote")?
        } else {
            planner.target(&self.from)?
        };
        let Target::Nodes(senders) = from else {
            let place = self.from.place.clone();
            planner.cx.error(
                "E306",
                &place,
                "who leads is known only when the run comes to it",
                "name the senders",
            );
            return None;
        };
        let every = (u128::from(Span::from_secs(1).nanos()) * 1_000_000_000)
            / u128::from(self.rate.value.0);
        Some(FaultKind::Flood(kernel::Flood {
            target,
            senders,
            what,
            every: Span::from_nanos(u64::try_from(every).unwrap_or(u64::MAX)),
        }))
    }
}

impl Plan for UnstableNetwork {
    fn plan(&self, _: &mut Planner<'_>, _: &At<Name>) -> Option<FaultKind> {
        Some(FaultKind::UnstableNetwork(kernel::UnstableNetwork {
            max: self.max.value,
            delta: self.delta.value,
        }))
    }
}
