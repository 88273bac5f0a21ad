//! Hidden decisions: one member alone learns that something is decided and tells nobody; who takes part in
//! the next attempt has to find out all the same. Locks, proofs of locks and what a leader collects from
//! others are there for this, and it takes several losses at once, which faults drawn one by one hardly
//! ever bring together. Like the drops and mutations of single rounds in ByzzFuzz (Winter, Buse, de Graaf et
//! al., OOPSLA 2023), these scenarios are drawn from the phases of a protocol.
//!
//! The `knower` alone receives the deciding votes, and is mute; the `blind` sees no proposal, and so is not
//! bound; a third may be bound to something older; then the others lose their memories, or the blind lies.
//! A second form is [`Form::Behind`]: attempts fail while a member is away, which is needed once it is back. A third is
//! [`Form::Rough`]: so much of every phase is lost for a while that members are bound in different attempts and let go
//! again, beside one of the adversary's, so that someone is asked who is guilty. In a fourth, [`Form::Shown`], a member
//! or a light client cannot but hear who shows it what was never decided (`hidden/shown.rs`, `hidden/followed.rs`). Raft and Clique have forms of their own (`hidden/raft.rs`, `hidden/clique.rs`).

mod clique;
mod followed;
mod raft;
mod shown;

use super::case::Case;
use super::ground::Ground;
use super::world::{World, pick};
use consim_core::mix;
use consim_core::rng::below;
use consim_models::consensus::ProtocolEntry;
use shown::Shown;
use std::fmt::Write as _;

/// Kinds of messages by what they do, as lists of a scenario.
struct Phases {
    protocol: &'static str,
    /// What is to be voted on.
    proposal: &'static str,
    /// The votes that bind their senders; none where a member collects votes and passes their certificate on.
    first: Option<&'static str>,
    /// The votes that decide, as above.
    decide: Option<&'static str>,
    /// By which one that knows tells others.
    tells: &'static str,
    /// By which members tell each other what they lack.
    helps: &'static str,
    /// How one of the adversary's may make others forget what they are bound to.
    lies: &'static [&'static str],
}

const FORGED: &str = "mutate: { field: certificate, by: 1 }";
const FORGETS: &str = "forget-lock: ledger";

const PHASES: &[Phases] = &[
    Phases {
        protocol: "pbft",
        proposal: "pre-prepare",
        first: Some("prepare"),
        decide: Some("commit"),
        tells: "commit, checkpoint, status, blocks, batch, state",
        helps: "status, blocks, batch",
        lies: &[FORGED, FORGETS],
    },
    Phases {
        protocol: "bft-smart",
        proposal: "propose",
        first: Some("write"),
        decide: Some("accept"),
        tells: "accept, checkpoint, status, blocks, state",
        helps: "status, blocks",
        lies: &[FORGED],
    },
    Phases {
        protocol: "tendermint",
        proposal: "proposal",
        first: Some("prevote"),
        decide: Some("precommit"),
        tells: "precommit, votes, polka, status, blocks",
        helps: "votes, polka",
        lies: &[FORGED, FORGETS],
    },
    Phases {
        protocol: "qbft",
        proposal: "proposal",
        first: Some("prepare"),
        decide: Some("commit"),
        tells: "commit, status, blocks, state",
        helps: "status, blocks",
        lies: &[FORGED, FORGETS],
    },
    Phases {
        protocol: "ibft",
        proposal: "proposal",
        first: Some("prepare"),
        decide: Some("commit"),
        tells: "commit, status, blocks, state",
        helps: "status, blocks",
        lies: &[FORGED, FORGETS],
    },
    Phases {
        protocol: "hotstuff",
        proposal: "proposal",
        first: None,
        decide: None,
        tells: "proposal, timeout, status, chain, blocks",
        helps: "status, chain, blocks",
        lies: &[FORGETS],
    },
];

/// What else happens to the others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Twist {
    #[default]
    Nothing,
    /// They go down and come back with what is on their disks.
    Power,
    /// One of them is the adversary's.
    Lie,
    /// Before, one of them was bound to something else and is cut off until the knower is.
    Older,
}

const TWISTS: &[Twist] = &[
    Twist::Lie,
    Twist::Nothing,
    Twist::Power,
    Twist::Older,
    Twist::Lie,
    Twist::Power,
];

/// How much of it happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Form {
    /// A decision that one member alone knows of.
    Hidden(Twist),
    /// Nothing is proposed while a member is away; then it is back, and another goes for good.
    Behind,
    /// Proposals and votes get lost, and what helps those who lack them.
    Rough,
    /// A member is shown what was never decided.
    Shown(Shown),
}

/// A scenario of a hidden decision.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is drawn by itself")]
pub struct Hidden {
    world: World,
    form: Form,
    /// Places of members: who knows, who is blind, a third, a fourth.
    roles: [usize; 4],
    /// When it begins, milliseconds.
    at: u64,
    /// Lengths, milliseconds: nobody else hears the deciding votes; the knower is mute; the blind sees no
    /// proposals; how long after the beginning the twist comes.
    unheard: u64,
    mute: u64,
    unseen: u64,
    after: u64,
    /// Is the knower mute in all it sends, or only in what tells of decisions?
    cut: bool,
    /// Are only one member's proposals kept from the blind?
    from_one: bool,
    /// Sees the blind the proposals after all; does nobody tell it of votes?
    sees: bool,
    untold: bool,
    /// Which lie, and is it the third's instead of the blind's?
    lie: u8,
    third_lies: bool,
}

/// When everything is over at the latest, milliseconds: what follows is judged.
const CALM_MS: u64 = 38_000;
/// Virtual length, milliseconds.
const LENGTH_MS: u64 = 62_000;

impl Hidden {
    /// Can it happen to a chain of this protocol?
    pub fn suits(protocol: &ProtocolEntry) -> bool {
        phases(protocol.name).is_some() || ["raft", "clique"].contains(&protocol.name)
    }

    /// The scenario drawn by `key`.
    pub fn drawn(key: u64) -> Self {
        let draw = |number: u64, n: u64| below(mix(key, number), n);
        let members = if draw(0, 4) > 0 { 4 } else { 5 + draw(1, 3) };
        // A leader that stays is the first of the members.
        let knower = if draw(2, 3) == 0 { 0 } else { draw(3, members) };
        let mut others: Vec<u64> = (0..members).filter(|place| *place != knower).collect();
        let blind = others.swap_remove(draw(4, members - 1) as usize % others.len());
        let third = others.swap_remove(draw(18, members - 2) as usize % others.len());
        let fourth = others.first().copied().unwrap_or(third);
        let form = draw(5, 6);
        let twist = pick(TWISTS, draw(6, TWISTS.len() as u64) as u8);
        let tenths = |number: u64, from: u64, to: u64| (from + draw(number, to - from)) * 100;
        Self {
            world: World {
                members: members as u8,
                rate: 1 + draw(7, 2) as u8,
                timeout: draw(8, 3) as u8,
                pipeline: draw(9, 3) as u8,
                checkpoint: draw(10, 2) as u8,
                ..Case::calm(0).world
            },
            form: match form {
                0 => Form::Behind,
                1 => Form::Rough,
                _ => Shown::ALL
                    .get(draw(23, 10) as usize)
                    .map_or(Form::Hidden(twist), |shown| Form::Shown(*shown)),
            },
            roles: [knower, blind, third, fourth].map(|place| place as usize),
            at: tenths(11, 40, 120),
            unheard: tenths(12, 30, 140),
            mute: tenths(13, 60, 240),
            unseen: tenths(14, 10, 60),
            after: tenths(15, 2, 40),
            cut: draw(16, 3) == 0,
            from_one: draw(17, 2) == 0,
            sees: draw(19, 3) == 0,
            untold: draw(20, 2) == 0,
            lie: draw(21, 6) as u8,
            third_lies: draw(22, 2) == 0,
        }
    }

    /// The scenario, as a user would write it.
    pub fn text(&self, seed: u64, protocol: &str) -> String {
        if protocol == "raft" {
            return self.of_raft(seed);
        }
        if protocol == "clique" {
            return self.of_clique(seed);
        }
        let ground = self.world.ground(protocol);
        if let Form::Shown(shown) = self.form
            && shown.suits(ground.protocol)
        {
            return self.shown(shown, seed, ground.protocol);
        }
        let mut out = self.world.head(ground.protocol, LENGTH_MS);
        let _ = writeln!(out, "seed: {seed}");
        if let Some(phases) = phases(protocol) {
            out.push_str(&match self.form {
                Form::Hidden(twist) => self.hidden(&ground, phases, twist),
                Form::Behind => self.behind(&ground, phases),
                Form::Rough => self.rough(&ground, phases),
                Form::Shown(_) => self.hidden(&ground, phases, Twist::Nothing),
            });
        }
        out
    }

    /// All members but these.
    fn but(&self, ground: &Ground, left_out: &[usize]) -> String {
        let all = 0..usize::from(self.world.members);
        ground.names(all.filter(|place| !left_out.contains(place)).collect())
    }

    fn behind(&self, ground: &Ground, phases: &Phases) -> String {
        let [one, other, ..] = self.roles;
        let group = &ground.everybody;
        let mut faults = Faults::default();
        let away = format!("crash: {}", ground.names(vec![one]));
        faults.add("away", self.at, self.mute, &away);
        let unproposed = filter(group, group, phases.proposal);
        faults.add("unproposed", self.at, self.mute, &unproposed);
        let to = self.at + self.mute;
        format!(
            "faults:\n{}  down: {{ at: {to}ms, for: rest, crash: {} }}
heal: {{ at: {}ms, core: {{ nodes: {} }} }}
checks: {{ except: [rejoin] }}\n",
            faults.0,
            ground.names(vec![other]),
            to + 1_000,
            self.but(ground, &[other]),
        )
    }

    fn rough(&self, ground: &Ground, phases: &Phases) -> String {
        let [_, liar, ..] = self.roles;
        let group = &ground.everybody;
        let votes = [Some(phases.proposal), phases.first, phases.decide];
        let votes: Vec<&str> = votes.into_iter().flatten().collect();
        let mut faults = Faults::default();
        let lossy = |kinds: &str, share: u64| {
            let kinds = format!("kinds: [{kinds}], do: drop, share: {share}%");
            format!("filter: {{ from: {group}, to: {group}, {kinds} }}")
        };
        let share = 20 + self.after / 200;
        faults.add("rough", self.at, CALM_MS, &lossy(&votes.join(", "), share));
        faults.add("unhelped", self.at, CALM_MS, &lossy(phases.helps, 90));
        format!(
            "adversaries: {{ idler: {{ nodes: {} }} }}
attacks:
  late: {{ at: {}ms, for: 5s, late-vote: {} }}
faults:\n{}",
            ground.names(vec![liar]),
            self.at,
            ground.chain,
            faults.0,
        )
    }

    fn hidden(&self, ground: &Ground, phases: &Phases, twist: Twist) -> String {
        let name = |place: usize| ground.names(vec![place]);
        let [knower, blind, third, fourth] = self.roles;
        let group = &ground.everybody;
        let mut faults = Faults::default();
        let mut at = self.at;
        if let (Twist::Older, Some(first)) = (twist, phases.first) {
            let half = filter(group, &self.but(ground, &[third]), first);
            faults.add("half", at, self.unseen, &half);
            let apart = format!("partition: {}", name(third));
            faults.add("apart", at + 1_000, self.unseen + self.after, &apart);
            let late = format!("{}, {first}", phases.proposal);
            at += self.unseen;
            faults.add(
                "late",
                at,
                self.unheard,
                &filter(group, &name(third), &late),
            );
        }
        if let Some(decide) = phases.decide {
            let unheard = filter(group, &self.but(ground, &[knower]), decide);
            faults.add("unheard", at, self.unheard, &unheard);
        }
        if self.cut {
            // Its own votes are needed first.
            let silence = format!("partition: {{ target: {}, direction: out }}", name(knower));
            faults.add("mute", at + 500, self.mute, &silence);
        } else {
            let silence = filter(&name(knower), group, phases.tells);
            faults.add("mute", at, self.mute, &silence);
        }
        if !self.sees {
            let proposer = if self.from_one {
                name(fourth)
            } else {
                group.clone()
            };
            let unseen = filter(&proposer, &name(blind), phases.proposal);
            faults.add("unseen", at, self.unseen, &unseen);
        }
        if self.untold && phases.decide.is_some() {
            let untold = filter(group, &name(blind), phases.tells);
            faults.add("untold", at, self.mute, &untold);
        }
        if twist == Twist::Power {
            let crash = format!("crash: {}", self.but(ground, &[knower]));
            faults.add("power", at + self.after, 300, &crash);
            if let Some(first) = phases.first.filter(|_| self.sees) {
                let again = format!("{}, {first}", phases.proposal);
                let again = filter(group, group, &again);
                faults.add("again", at + 1_000, self.unheard, &again);
            }
        }
        let mut out = String::new();
        if twist == Twist::Lie {
            let _ = write!(
                out,
                "adversaries: {{ traitor: {{ nodes: {} }} }}
attacks:
  lie: {{ at: {}ms, for: {}ms, {} }}\n",
                name(if self.third_lies { third } else { blind }),
                self.at,
                CALM_MS - self.at,
                pick(phases.lies, self.lie),
            );
        }
        let _ = write!(out, "faults:\n{}", faults.0);
        out
    }
}

/// Faults as lines of a scenario.
#[derive(Default)]
struct Faults(String);

impl Faults {
    /// One from an instant on, for so long, milliseconds; none lasts into the calm.
    fn add(&mut self, word: &str, from: u64, length: u64, what: &str) {
        let length = length.min(CALM_MS.saturating_sub(from)).max(1);
        let _ = writeln!(
            self.0,
            "  {word}: {{ at: {from}ms, for: {length}ms, {what} }}"
        );
    }
}

fn filter(from: &str, to: &str, kinds: &str) -> String {
    format!("filter: {{ from: {from}, to: {to}, kinds: [{kinds}] }}")
}

fn phases(protocol: &str) -> Option<&'static Phases> {
    PHASES.iter().find(|phases| phases.protocol == protocol)
}
