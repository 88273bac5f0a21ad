//! `edit-record` (H1): changes originals in the store of the own institution. What the chain says of
//! them stays, and so does the software of the server.

use super::Insider;
use crate::consensus::TIMER_LIMIT;
use crate::node::membership::Refusal;
use crate::node::service::{Host, Service};
use crate::sharing::ids::RecordId;
use crate::sharing::probe::SharingProbe;
use crate::sharing::service::SharingService;
use crate::sharing::state::Lookup;
use consim_core::rng::below;
use consim_core::{
    Block, CodecError, Context, Disk, NodeId, Payload, Probe, TimerKey, WriteToken, mix,
};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The first of the administrators' timers; above the service's own.
const ACT: u64 = TIMER_LIMIT | 1 << 41;

/// A service whose store administrators change.
pub struct Administrator {
    service: SharingService,
    insiders: Vec<Insider>,
    /// How often they looked for something to change.
    deeds: u64,
    /// What they have changed: each once.
    edited: BTreeSet<RecordId>,
}

impl Administrator {
    /// A service in the hands of `insiders`.
    pub fn new(service: SharingService, insiders: Vec<Insider>) -> Self {
        Self {
            service,
            insiders,
            deeds: 0,
            edited: BTreeSet::new(),
        }
    }

    fn wait(&self, cx: &mut Context<'_>, number: usize) {
        let insider = self.insiders.get(number);
        if let Some(after) = insider.and_then(|insider| insider.wait(cx.now())) {
            cx.set_timer(TimerKey(ACT + number as u64), after);
        }
    }

    /// One original becomes another: one that is registered and was not changed before, by lot.
    fn edit(&mut self, cx: &mut Context<'_>, host: &dyn Host, number: usize) {
        let Some(insider) = self.insiders.get(number).filter(|i| i.acts(cx.now())) else {
            return;
        };
        let me = host.node();
        let registered = |&record: &RecordId| {
            !self.edited.contains(&record)
                && host
                    .record(record)
                    .is_some_and(|entry| entry.provider == me)
        };
        let kept: Vec<RecordId> = self.service.kept().filter(registered).collect();
        self.deeds += 1;
        let lot = below(mix(insider.draws, self.deeds), kept.len().max(1) as u64);
        let Some(&record) = kept.get(lot as usize) else {
            return;
        };
        self.service.overwrite(cx, record, |body| {
            // A value in the middle of the record; its length stays.
            let middle = body.len() / 2;
            if let Some(byte) = body.get_mut(middle) {
                *byte = byte.wrapping_add(1);
            }
        });
        self.edited.insert(record);
        let attack = insider.attack;
        cx.emit(SharingProbe::Edited { attack, record }.probe());
        cx.emit(Probe::Misbehaved { attack, times: 1 });
    }
}

impl Service for Administrator {
    fn start(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, disk: Option<&Disk>) {
        self.service.start(cx, host, disk);
        (0..self.insiders.len()).for_each(|number| self.wait(cx, number));
    }
    fn message(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        payload: &Arc<dyn Payload>,
    ) {
        self.service.message(cx, host, from, payload);
    }
    fn applied(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, block: &Arc<Block>) {
        self.service.applied(cx, host, block);
    }
    fn jumped(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        self.service.jumped(cx, host);
    }
    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, key: TimerKey) {
        let number = key.0.checked_sub(ACT).map(|n| n as usize);
        match number.filter(|&n| n < self.insiders.len()) {
            Some(number) => {
                self.edit(cx, host, number);
                self.wait(cx, number);
            }
            None => self.service.timer(cx, host, key),
        }
    }
    fn persisted(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, token: WriteToken) {
        self.service.persisted(cx, host, token);
    }
    fn scrubbed(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, disk: &Disk) {
        self.service.scrubbed(cx, host, disk);
    }
    fn serves(&self, payload: &dyn Payload) -> bool {
        self.service.serves(payload)
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        self.service.decode(bytes)
    }
    fn refused(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        subject: NodeId,
        reason: Refusal,
    ) {
        self.service.refused(cx, host, subject, reason);
    }
}
