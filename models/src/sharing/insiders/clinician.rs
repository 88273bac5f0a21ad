//! `exfiltrate` (H8) and `purpose-creep` (H5): a clinician with a place at the desk reads what no care
//! needs. `stale-consent` (H3) and `revoke-race` (H4): it goes on reading what patients let it read once. It asks as every doctor there does, so the institution is let in, and each read is decided on
//! and audited as any other.

use super::{Deed, Insider};
use crate::adversary::carry;
use crate::sharing::ids::{Purpose, Reason, RecordId};
use crate::sharing::message::{Answer, Ask, Message};
use crate::sharing::probe::SharingProbe;
use crate::sharing::scope::Reader;
use consim_core::rng::below;
use consim_core::{
    CodecError, Context, Effect, Effects, Event, NodeId, OpId, Payload, Probe, Process, TimerKey,
    Work, mix,
};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The first of the clinicians' timers; above those of the desk.
const ACT: u64 = 1 << 62;
/// The mark of their operations among the desk's own numbers.
const MARK: u64 = 1 << 31;
/// Where the number of the attack stands in them.
const ATTACK_AT: u32 = 24;
/// The most operations of the desk that it watches at a time, and of its own that it waits for.
const MAX_OPEN: usize = 4_096;
/// The most records that it keeps in mind.
const MAX_KNOWN: usize = 1 << 16;

/// A desk at which a clinician sits.
pub struct Clinician {
    desk: Box<dyn Process>,
    server: NodeId,
    certificate: Arc<[u8]>,
    insider: Insider,
    /// Operations of the desk, and the record that each is about.
    watched: BTreeMap<OpId, RecordId>,
    /// Records that are worth a read and were not read yet.
    known: Vec<RecordId>,
    /// Those, and all that were read: none of them twice.
    met: BTreeSet<RecordId>,
    /// Records of the institution's own, which need nobody's consent.
    made: BTreeSet<RecordId>,
    /// Reads that are under way.
    open: BTreeMap<OpId, RecordId>,
    /// How many reads there were.
    reads: u64,
}

impl Clinician {
    /// `desk`, which talks to `server` with `certificate`, with a clinician at it.
    pub fn new(
        desk: Box<dyn Process>,
        server: NodeId,
        certificate: Arc<[u8]>,
        insider: Insider,
    ) -> Self {
        Self {
            desk,
            server,
            certificate,
            insider,
            watched: BTreeMap::new(),
            known: Vec::new(),
            met: BTreeSet::new(),
            made: BTreeSet::new(),
            open: BTreeMap::new(),
            reads: 0,
        }
    }

    fn key(&self) -> TimerKey {
        TimerKey(ACT | u64::from(self.insider.attack))
    }

    fn wait(&self, cx: &mut Context<'_>) {
        if let Some(after) = self.insider.wait(cx.now()) {
            cx.set_timer(self.key(), after);
        }
    }

    /// Hands an event to the desk, and looks over its shoulder.
    fn pass(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        let mut effects = Effects::default();
        self.desk.handle(&mut cx.nested(&mut effects), event);
        cx.work(effects.work);
        effects.probes.drain(..).for_each(|probe| cx.emit(probe));
        for effect in effects.list.drain(..) {
            if let Effect::Send { payload, .. } = &effect {
                self.watch(payload.as_ref());
            }
            carry(cx, effect);
        }
    }

    fn watch(&mut self, payload: &dyn Payload) {
        let Some(Message::Ask { op, ask, .. }) = payload.as_any().downcast_ref() else {
            return;
        };
        let (Ask::Register { record, .. } | Ask::Read { record, .. }) = ask else {
            return;
        };
        if matches!(ask, Ask::Register { .. }) && self.made.len() < MAX_KNOWN {
            self.made.insert(*record);
        }
        // What other clinicians here ask for teaches nothing new.
        if op.0 & MARK == 0 {
            self.watched.insert(*op, *record);
            if self.watched.len() > MAX_OPEN {
                self.watched.pop_first();
            }
        }
    }

    /// An operation of the desk ended: is its record worth a read?
    fn learn(&mut self, op: OpId, answer: &Answer) {
        let Some(record) = self.watched.remove(&op) else {
            return;
        };
        let refused = matches!(
            answer,
            Answer::Refused(Reason::NoGrant | Reason::Denied | Reason::Revoked | Reason::Expired)
        );
        let seen = matches!(answer, Answer::Record(_) | Answer::Done);
        let wanted = match self.insider.deed {
            Deed::Exfiltrate => seen,
            Deed::PurposeCreep => refused,
            Deed::StaleConsent | Deed::RevokeRace => seen && !self.made.contains(&record),
            Deed::EditRecord => false,
        };
        if wanted && self.met.len() < MAX_KNOWN && self.met.insert(record) {
            self.known.push(record);
        }
    }

    /// Reads one more record, by lot.
    fn read(&mut self, cx: &mut Context<'_>) {
        if !self.insider.acts(cx.now()) || self.known.is_empty() || self.open.len() >= MAX_OPEN {
            return;
        }
        self.reads += 1;
        let lot = below(mix(self.insider.draws, self.reads), self.known.len() as u64);
        let Some(&record) = self.known.get(lot as usize) else {
            return;
        };
        if !self.insider.deed.repeats() {
            self.known.swap_remove(lot as usize);
        }
        let purpose = match self.insider.deed {
            Deed::PurposeCreep => Purpose::Emergency,
            Deed::Exfiltrate | Deed::EditRecord | Deed::StaleConsent | Deed::RevokeRace => {
                Purpose::Treatment
            }
        };
        let attack = self.insider.attack;
        let number = MARK | u64::from(attack & 0x7f) << ATTACK_AT | self.reads & 0x00ff_ffff;
        let op = OpId(u64::from(cx.node().0) << 32 | number);
        self.open.insert(op, record);
        cx.emit(SharingProbe::Pried { attack, op, record }.probe());
        let message = Message::Ask {
            op,
            certificate: Arc::clone(&self.certificate),
            ask: Ask::Read {
                record,
                purpose,
                reader: Reader::default(),
            },
        };
        cx.send(self.server, Arc::new(message));
    }

    /// An answer to one of its own reads; `false` if it is none.
    fn answered(&mut self, cx: &mut Context<'_>, op: OpId, answer: &Answer) -> bool {
        let Some(record) = self.open.remove(&op) else {
            return false;
        };
        if let Answer::Record(sealed) = answer {
            cx.work(Work::encrypt(sealed.open().len()));
            let attack = self.insider.attack;
            cx.emit(SharingProbe::Copied { attack, op, record }.probe());
            cx.emit(Probe::Misbehaved { attack, times: 1 });
        }
        true
    }
}

impl Process for Clinician {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Timer(key) if key == self.key() => {
                self.read(cx);
                return self.wait(cx);
            }
            Event::Message { from, payload } if from == self.server => {
                if let Some(Message::Reply { op, answer }) = payload.as_any().downcast_ref() {
                    if self.answered(cx, *op, answer) {
                        return;
                    }
                    self.learn(*op, answer);
                }
            }
            Event::Start | Event::Recover(_) => {
                self.open.clear();
                self.wait(cx);
            }
            _ => {}
        }
        self.pass(cx, event);
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        self.desk.decode(bytes)
    }
}
