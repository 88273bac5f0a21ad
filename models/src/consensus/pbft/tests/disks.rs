//! What a crash leaves of a disk.

use super::adversary::pass;
use crate::consensus::pbft::journal::{LOG, STARTED};
use crate::node::FullNode;
use consim_core::{
    Context, Disk, Effect, Effects, Event, Process, Streams, Torn, Write, WriteToken, mix,
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// What a restarted node finds of its disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::consensus) enum Kept {
    All,
    /// The disk was wiped.
    Nothing,
    /// The disk lost what was written, but not that it was in use: the node cannot know.
    TheMark,
    /// Of what was being written, some: the crash tore it.
    Torn,
}

/// A disk whose writes under way a crash tears.
#[derive(Default)]
pub(in crate::consensus) struct TornDisk {
    disk: Disk,
    under_way: Vec<(WriteToken, Vec<Write>)>,
    lives: u64,
}

/// Stands between a node and its disk.
pub(in crate::consensus) struct Tears {
    pub(in crate::consensus) honest: FullNode,
    pub(in crate::consensus) disk: Arc<Mutex<TornDisk>>,
    pub(in crate::consensus) torn: Arc<AtomicU64>,
}

impl Process for Tears {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let shared = Arc::clone(&self.disk);
        let mut shared = shared.lock().unwrap();
        let recovered;
        let event = match event {
            Event::Persisted(token) => {
                let at = shared.under_way.iter().position(|(t, _)| *t == token);
                let (_, writes) = shared.under_way.remove(at.unwrap());
                for write in writes {
                    shared.disk.apply(write);
                }
                event
            }
            Event::Recover(_) => {
                shared.lives += 1;
                let lost: Vec<Write> = shared
                    .under_way
                    .drain(..)
                    .flat_map(|(_, writes)| writes)
                    .collect();
                let bytes: usize = lost
                    .iter()
                    .flat_map(|w| &w.value)
                    .map(|v| v.encoded_len())
                    .sum();
                let left = mix(shared.lives, u64::from(cx.node().0)) % (bytes as u64 + 1);
                let whole = shared.disk.log(LOG).len();
                shared.disk.apply_torn(lost, left as usize);
                let tail = shared.disk.log(LOG).get(whole..).unwrap_or_default();
                if tail.iter().any(|v| v.as_any().is::<Torn>()) {
                    self.torn.fetch_add(1, Relaxed);
                }
                recovered = shared.disk.clone();
                Event::Recover(&recovered)
            }
            event => event,
        };
        let mut effects = Effects::default();
        let (now, wall_ns, node) = (cx.now(), cx.wall_ns(), cx.node());
        // Each event draws anew: enough to tell nodes apart.
        let draws = mix(now.nanos(), u64::from(node.0));
        let (mut rng, mut slot) = (|| Streams::new(draws).stream("tears"), None);
        let mut inner = Context::new(now, wall_ns, node, &mut effects, &mut rng, &mut slot);
        self.honest.handle(&mut inner, event);
        cx.work(effects.work);
        effects.probes.drain(..).for_each(|probe| cx.emit(probe));
        for effect in effects.list.drain(..) {
            if let Effect::Persist { token, writes } = &effect {
                shared.under_way.push((*token, writes.clone()));
            }
            pass(cx, effect);
        }
    }
}

/// Finds not all of its disk after a restart.
pub(in crate::consensus) struct Amnesia {
    pub(in crate::consensus) honest: FullNode,
    pub(in crate::consensus) kept: Kept,
}

impl Process for Amnesia {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let Event::Recover(disk) = event else {
            return self.honest.handle(cx, event);
        };
        let mut kept = Disk::default();
        if self.kept == Kept::TheMark
            && let Some(mark) = disk.cell(STARTED, 0)
        {
            kept.apply(Write::cell(STARTED, 0, Arc::clone(mark)));
        }
        self.honest.handle(cx, Event::Recover(&kept));
    }
}
