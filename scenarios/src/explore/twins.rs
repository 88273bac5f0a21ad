//! Twins (Bano, Sonnino, Chursin et al., OPODIS 2021): a member and its copy with the same key, in
//! all ways of dividing the others between the two, round after round.
//!
//! In each round every other member hears the member, or the copy, or both; those who hear one of
//! them hear nothing of those who hear the other. Scenarios are numbered: all of one round, all of
//! two, all of three, then longer ones at random. The member and its copy are alike, so of two
//! scenarios that change them for each other in every round only one is counted.

use super::case::Case;
use super::world::World;
use consim_core::mix;
use consim_core::rng::below;
use std::fmt::Write as _;

/// The sizes of groups.
const MEMBERS: [u8; 2] = [4, 5];
/// Rounds of which all scenarios are taken.
const WHOLE: u32 = 3;
/// The most rounds.
const MOST: u32 = 10;
/// Length of a round, milliseconds: twice the first timer.
const ROUND_MS: u32 = 1_000;
/// When the first round begins, milliseconds.
const FROM_MS: u32 = 2_000;
/// What follows the last round, milliseconds.
const AFTER_MS: u32 = 3_000;

/// A member's side in a round.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Both,
    Member,
    Copy,
}

/// A scenario of twins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Twins {
    members: u8,
    /// Who has a copy, from 0.
    twin: u8,
    /// Round after round, the sides of the others, in their order.
    rounds: Vec<Vec<Side>>,
}

/// Ways to divide `others` in one round.
fn ways(others: u8) -> u64 {
    3u64.pow(u32::from(others))
}

/// Scenarios of `rounds` rounds with `others`: those that are their own mirror (everybody always
/// hears both), and one of each other pair.
fn whole(others: u8, rounds: u32) -> u64 {
    ways(others).pow(rounds).div_ceil(2)
}

/// A knob of a protocol whose twins are worth more than one setting of it: 0 if the others' are not.
fn knob(protocol: &str, draw: u64) -> u8 {
    if ["hotstuff", "bft-smart", "tendermint", "qbft"].contains(&protocol) {
        (draw % 3) as u8
    } else {
        0
    }
}

impl Twins {
    /// Scenarios of which none is left out.
    pub fn enumerated() -> u64 {
        let sizes = MEMBERS.iter();
        let of_size = |n: &u8| -> u64 {
            let rounds = (1..=WHOLE).map(|rounds| whole(n - 1, rounds));
            u64::from(*n) * rounds.sum::<u64>()
        };
        sizes.map(of_size).sum()
    }

    /// The scenario of this number; `key` draws those that are not enumerated.
    pub fn numbered(number: u64, key: u64) -> Self {
        let mut rest = number;
        for rounds in 1..=WHOLE {
            for members in MEMBERS {
                let each = whole(members - 1, rounds);
                let all = each * u64::from(members);
                if rest < all {
                    let twin = (rest / each) as u8;
                    return Self::of(members, twin, rounds, rest % each);
                }
                rest -= all;
            }
        }
        let draw = |i: u64, n: u64| below(mix(mix(key, number), i), n);
        let members = MEMBERS[draw(0, MEMBERS.len() as u64) as usize % MEMBERS.len()];
        let rounds = WHOLE + 1 + draw(1, u64::from(MOST - WHOLE)) as u32;
        let twin = draw(2, u64::from(members)) as u8;
        let sides =
            |round: u64| (0..u64::from(members) - 1).map(move |i| side(draw(round * 8 + i, 3)));
        Self {
            members,
            twin,
            rounds: (1..=u64::from(rounds))
                .map(|round| sides(round).collect())
                .collect(),
        }
    }

    /// The `number`th of those whose mirrors come later: digits of base three, the first round in
    /// front. Everybody on both sides is zero, and a mirror changes ones for twos, so the smaller of
    /// the two begins with a one.
    fn of(members: u8, twin: u8, rounds: u32, number: u64) -> Self {
        let others = u32::from(members) - 1;
        let digits = rounds * others;
        let mut left = first_with_a_one(number, digits);
        let mut sides: Vec<Side> = Vec::new();
        for place in (0..digits).rev() {
            let unit = 3u64.pow(place);
            sides.push(side(left / unit));
            left %= unit;
        }
        Self {
            members,
            twin,
            rounds: sides
                .chunks(others as usize)
                .map(<[Side]>::to_vec)
                .collect(),
        }
    }

    /// The scenario, as a user would write it.
    pub fn text(&self, seed: u64, protocol: &str) -> String {
        let world = World {
            members: self.members,
            timeout: 1,
            rate: 1,
            pipeline: knob(protocol, seed),
            checkpoint: knob(protocol, seed / 3),
            ..Case::calm(0).world
        };
        let ground = world.ground(protocol);
        let length = FROM_MS + ROUND_MS * self.rounds.len() as u32 + AFTER_MS;
        let mut out = world.head(ground.protocol, u64::from(length));
        let _ = writeln!(out, "seed: {seed}");
        let name = |i: u8| ground.names(vec![usize::from(i)]);
        let twin = name(self.twin);
        let others: Vec<u8> = (0..self.members).filter(|i| *i != self.twin).collect();
        let of_side = |sides: &[Side], side: Side| {
            let at = others.iter().zip(sides).filter(|(_, s)| **s == side);
            let places: Vec<usize> = at.map(|(i, _)| usize::from(*i)).collect();
            if places.is_empty() {
                "none".into()
            } else {
                ground.names(places)
            }
        };
        let (mut rounds, mut cuts) = (Vec::new(), String::new());
        for (number, sides) in (0u32..).zip(&self.rounds) {
            let (one, two) = (of_side(sides, Side::Member), of_side(sides, Side::Copy));
            if one != "none" && two != "none" {
                let at = FROM_MS + ROUND_MS * number;
                let _ = writeln!(
                    cuts,
                    "  cut-{}: {{ at: {at}ms, for: {ROUND_MS}ms, filter: {{ between: [{one}, {two}] }} }}",
                    number + 1
                );
            }
            rounds.push(format!("{{ split: [{one}, {two}] }}"));
        }
        let _ = write!(
            out,
            "adversaries: {{ traitor: {{ nodes: {twin} }} }}
attacks:
  twins: {{ at: 2s, for: rest, twins: {{ rounds: [{}] }} }}
",
            rounds.join(", ")
        );
        if !cuts.is_empty() {
            let _ = write!(out, "faults:\n{cuts}");
        }
        out
    }
}

fn side(digit: u64) -> Side {
    match digit % 3 {
        0 => Side::Both,
        1 => Side::Member,
        _ => Side::Copy,
    }
}

/// The `number`th value of so many digits of base three that is zero or whose first digit that is
/// not zero is a one, in their order: 0; 1; 10, 11, 12; 100...
fn first_with_a_one(number: u64, digits: u32) -> u64 {
    let Some(mut rest) = number.checked_sub(1) else {
        return 0;
    };
    for place in 0..digits {
        let unit = 3u64.pow(place);
        if rest < unit {
            return unit + rest;
        }
        rest -= unit;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_way_is_there_once_and_no_mirror_of_it() {
        let mut seen = BTreeSet::new();
        let all: u64 = MEMBERS
            .iter()
            .map(|n| u64::from(*n) * whole(n - 1, 1))
            .sum();
        assert_eq!(all, 4 * 14 + 5 * 41);
        for number in 0..all {
            let twins = Twins::numbered(number, 7);
            assert_eq!(twins.rounds.len(), 1);
            let code = |mirror: bool| -> Vec<u8> {
                let sides = twins.rounds.iter().flatten();
                let digit = |side: &Side| match (side, mirror) {
                    (Side::Both, _) => 0,
                    (Side::Member, false) | (Side::Copy, true) => 1,
                    _ => 2,
                };
                sides
                    .map(digit)
                    .chain([twins.members, twins.twin])
                    .collect()
            };
            assert!(seen.insert(code(false)), "{twins:?} twice");
            assert!(
                code(false) == code(true) || !seen.contains(&code(true)),
                "{twins:?}"
            );
        }
        // Two rounds follow, and after the last of three longer ones are drawn.
        assert_eq!(Twins::numbered(all, 7).rounds.len(), 2);
        assert_eq!(Twins::numbered(Twins::enumerated() - 1, 7).rounds.len(), 3);
        let drawn: Vec<Twins> = (0..20)
            .map(|i| Twins::numbered(Twins::enumerated() + i, 7))
            .collect();
        assert!(drawn.iter().all(|t| (4..=10).contains(&t.rounds.len())));
        assert!(drawn.iter().any(|t| t.rounds.len() > 7));
    }
}
