//! Strategies of proptest that draw scenarios: flat shapes, valid by construction, so that nothing
//! is filtered and every part shrinks by itself.

use super::case::{Case, Event, STEPS, Tail};
use super::kinds::Family;
use super::world::{MEMBERS, MODELS, World};
use proptest::prelude::*;
use proptest::sample::subsequence;

/// The most events of a scenario.
pub const MAX_EVENTS: usize = 12;

/// What is drawn from; everything by default.
#[derive(Clone, Debug)]
pub struct Focus {
    /// Places in [`MODELS`].
    pub models: Vec<u8>,
    /// Families of faults.
    pub families: Vec<Family>,
    /// The least and the most members, within [`MEMBERS`].
    pub members: (u8, u8),
}

impl Default for Focus {
    fn default() -> Self {
        Self {
            models: (0..MODELS.len() as u8).collect(),
            families: Family::ALL.to_vec(),
            members: MEMBERS,
        }
    }
}

fn world(focus: &Focus) -> impl Strategy<Value = World> + use<> {
    let models = focus.models.clone();
    let small = || 0u8..3;
    let knobs = (
        small(),
        small(),
        small(),
        small(),
        small(),
        small(),
        small(),
        small(),
        small(),
    );
    // Up to seven are drawn more often than larger groups: they run faster and hide less.
    let (least, most) = focus.members;
    let members =
        prop_oneof![3 => least..=most.min(7).max(least), 1 => least.max(8).min(most)..=most];
    let model = any::<u8>().prop_map(move |number| super::world::pick(&models, number));
    let all = (members, model, small(), knobs);
    all.prop_map(|(members, model, rate, knobs)| {
        let (timeout, wait, checkpoint, pipeline, network, clients, mempool, neighbours, retries) =
            knobs;
        World {
            members,
            model,
            rate,
            timeout,
            wait,
            checkpoint,
            pipeline,
            network,
            clients,
            mempool,
            neighbours,
            retries,
        }
    })
}

fn event() -> impl Strategy<Value = Event> {
    let all = (
        any::<u8>(),
        0..STEPS,
        any::<u8>(),
        any::<u16>(),
        any::<u8>(),
    );
    all.prop_map(|(kind, at, lasting, who, strength)| Event {
        kind,
        at,
        lasting,
        who,
        strength,
    })
}

/// Scenarios out of `focus`.
pub fn cases(focus: &Focus) -> impl Strategy<Value = Case> + use<> {
    let some = 1..=focus.families.len().clamp(1, 3);
    let families = subsequence(focus.families.clone(), some);
    let tail = prop_oneof![
        Just(Tail::FewLong),
        Just(Tail::ManyShort),
        Just(Tail::Mixed)
    ];
    let events = prop::collection::vec(event(), 0..=MAX_EVENTS);
    let core = prop::bool::weighted(0.2);
    // The first member leads the first view: half of the time it is one of the weak.
    let weak = prop_oneof![Just(0u8), any::<u8>()];
    let all = (
        any::<u32>(),
        world(focus),
        families,
        weak,
        tail,
        core,
        events,
    );
    all.prop_map(|(seed, world, families, weak, tail, core, events)| Case {
        seed: u64::from(seed),
        world,
        families,
        weak,
        tail,
        core,
        events,
    })
}
