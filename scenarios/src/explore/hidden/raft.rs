//! Raft's: who is elected when decides what becomes of entries of former terms (D. Ongaro and J. Ousterhout, ATC 2014,
//! figure 8), who has lost what it promised must not elect, and a change of the members that takes seconds is not over when somebody asks for the next.

use super::{Faults, Hidden, LENGTH_MS, filter};
use crate::explore::world::World;

/// Places among the first timers: a short one, and one that is longer than slow lines take.
const SHORT: u8 = 1;
const LONG: u8 = 2;
/// Members of whom one is down.
const THREE: u8 = 3;
/// Members of figure 8.
const FIVE: u8 = 5;

impl Hidden {
    /// The scenario under Raft.
    pub(super) fn of_raft(&self, seed: u64) -> String {
        match (self.from_one, self.sees) {
            (true, _) => self.former_terms(seed),
            (false, true) => self.forgotten(seed),
            (false, false) => self.overlapping(seed),
        }
    }

    /// One is behind, one has lost its disk, and the third, who knows what was committed, is down: the first two may
    /// not decide on anything.
    fn forgotten(&self, seed: u64) -> String {
        let world = World {
            members: THREE,
            rate: 2,
            ..self.world
        };
        let ground = world.ground("raft");
        let three = usize::from(THREE);
        let name = |i: usize| ground.names(vec![(self.roles[0] + i) % three]);
        let head = world.head(ground.protocol, LENGTH_MS);
        let down = self.at + self.unheard / 2;
        let mut faults = Faults::default();
        let behind = format!("partition: {}", name(0));
        faults.add("behind", self.at, self.unheard / 2, &behind);
        faults.add("down", down, self.mute, &format!("crash: {}", name(1)));
        let wiped = format!("crash: {{ target: {}, restart: empty }}", name(2));
        faults.add("wiped", down, 300 + self.after, &wiped);
        format!("{head}seed: {seed}\nfaults:\n{}", faults.0)
    }

    /// Figure 8, with times that are drawn: a leader reaches one member alone, another one is elected that reaches
    /// nobody, the first is elected again and goes on with its old entries, and then the second is.
    fn former_terms(&self, seed: u64) -> String {
        let world = World {
            members: FIVE,
            rate: 2,
            timeout: SHORT,
            checkpoint: 0,
            ..self.world
        };
        let ground = world.ground("raft");
        // Five places in an order that is drawn: who leads first, whom it reaches, who is elected, the rest.
        let five = usize::from(FIVE);
        let place = |i: usize| (self.roles[0] + i) % five;
        let name = |places: &[usize]| ground.names(places.to_vec());
        let (first, reached, second) = (place(0), place(1 + self.roles[1] % 2), place(3));
        let rest: Vec<usize> = (0..five)
            .filter(|p| ![first, reached, second].contains(p))
            .collect();
        let others = [rest.clone(), vec![reached]].concat();
        let group = &ground.everybody;
        let (at, a) = (self.at / 2 + 3_000, 3_000 + self.unseen / 2);
        let (c, d) = (5_000 + self.unheard / 4, 10_000);
        // Nobody writes later, so that nothing of a later term covers what was left.
        let writes = at + 100 + self.after / 4;
        let head = world.head(ground.protocol, LENGTH_MS);
        let head = head.replace(", load:", &format!(", at: 0s, for: {writes}ms, load:"));
        let mut faults = Faults::default();
        let all_but_first: Vec<usize> = (0..five).filter(|p| *p != first).collect();
        let votes = "request-vote";
        let early = filter(&name(&all_but_first), group, votes);
        faults.add("first", 0, at, &early);
        let cut = format!("partition: {}", name(&[first, reached]));
        faults.add("a", at, a, &cut);
        let elects = filter(&name(&rest), group, "request-vote, forward");
        faults.add("b", at, a, &elects);
        faults.add("b-alone", at, a, &filter(&name(&[second]), group, "append"));
        let down = format!("crash: {}", name(&[second]));
        faults.add("c", at + a, c, &down);
        let elects = filter(&name(&others), group, "request-vote, forward");
        faults.add("c-elects", at + a, c, &elects);
        let down = format!("crash: {}", name(&[first]));
        faults.add("d", at + a + c, d, &down);
        faults.add(
            "d-elects",
            at + a + c,
            d,
            &filter(&name(&others), group, votes),
        );
        format!("{head}seed: {seed}\nfaults:\n{}", faults.0)
    }

    /// Two join and one leaves on slow lines, the second not waiting for the first.
    fn overlapping(&self, seed: u64) -> String {
        let world = World {
            members: self.world.members.max(FIVE),
            timeout: LONG,
            ..self.world
        };
        let ground = world.ground("raft");
        let n = usize::from(world.members);
        let (group, at) = (&ground.everybody, self.at + 2_000);
        let head = world.head(ground.protocol, LENGTH_MS);
        let mut faults = Faults::default();
        let add = 100 + self.unseen / 10;
        let slow = format!("delay: {{ between: [{group}, {group}], add: {add}ms }}");
        faults.add("slow", at - 1_000, 15_000, &slow);
        let joins = ground.names(vec![n - 2, n - 1]);
        let leaves = ground.names(vec![self.roles[0] % (n - 2)]);
        let second = at + self.after;
        format!(
            "{head}changes: {{ newcomers: {{ at: {at}ms, join: {joins} }}, farewell: {{ at: {second}ms, leave: {leaves}, waits: false }} }}
seed: {seed}
faults:
{}",
            faults.0
        )
    }
}
