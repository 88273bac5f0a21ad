//! The time of a block.
//!
//! By `time: bft` (CometBFT, "BFT Time", spec/consensus/bft-time.md, its rule up to v0.38) each member signs, with
//! its precommit, what its clock says, at least a millisecond after the time of the value. The time of a block is
//! the median of what a quorum signed for the block before, and everybody verifies that. Of a quorum more than half
//! are correct, so that no clock but those of correct members, or one between them, decides.
//!
//! By `time: proposer` (proposer-based timestamps, spec/consensus/proposer-based-timestamp, the rule of CometBFT
//! v1.0) it is that of its proposer's clock, which has to be past the time of the block before; whoever receives a
//! value that is put forward for the first time prevotes nil unless that is timely by its own clock.

use super::config::{BlockTime, MAX_MESSAGE_DELAY, Synchrony};
use super::marks;
use super::message::{Body, Message, NIL};
use super::replica::{BATCH_TIMER, TendermintReplica};
use super::seeded;
use consim_core::chain::vote_statement;
use consim_core::{
    Batch, ChainId, CodecError, Context, Decoder, Digest, Encoder, KeyId, Payload, SecretKey,
    Signature, Span, Work,
};
use std::sync::{Arc, OnceLock};

/// The vote kind of times, whose view is the time.
pub const STAMP: u8 = 5;
/// The most times in one message: one of each of a large group (assumed, as of signatures).
const MAX_STAMPS: usize = 10_000;
/// The least time from one block to the next (CometBFT: `vote.Time` is a millisecond after the block's).
const LEAST_STEP_NS: i64 = 1_000_000;

/// What a member's clock said when it precommitted a value, or later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Nanoseconds after the Unix epoch.
    pub time_ns: i64,
    /// Over that, the height and the value.
    pub signature: Signature,
}

impl Stamp {
    /// The bytes of the shortest one.
    pub(super) const LEAST_ENCODED: usize = 8 + Signature::LEAST_ENCODED;

    fn statement(chain: ChainId, height: u64, digest: &Digest, time_ns: i64) -> Digest {
        vote_statement(chain, STAMP, time_ns.cast_unsigned(), height, digest)
    }
    /// Signs a time; the caller charges one signature.
    pub fn sign(
        chain: ChainId,
        height: u64,
        digest: &Digest,
        time_ns: i64,
        key: &SecretKey,
    ) -> Self {
        Self {
            time_ns,
            signature: key.sign(&Self::statement(chain, height, digest, time_ns)),
        }
    }
    pub(super) fn encoded_len(&self) -> usize {
        8 + self.signature.encoded_len()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.time_ns.cast_unsigned());
        self.signature.encode(e);
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        Ok(Self {
            time_ns: d.u64()?.cast_signed(),
            signature: Signature::decode(d)?,
        })
    }
}

/// The times that a quorum signed for one height: what proves the time of the next block.
#[derive(Debug)]
pub struct Times {
    /// The height.
    pub height: u64,
    /// Its value.
    pub digest: Digest,
    /// The times, by ascending key.
    pub stamps: Vec<Stamp>,
    genuine: OnceLock<bool>,
}

impl Times {
    /// Times by ascending key.
    pub fn new(height: u64, digest: Digest, stamps: Vec<Stamp>) -> Self {
        Self {
            height,
            digest,
            stamps,
            genuine: OnceLock::new(),
        }
    }
    pub(super) fn encoded_len(&self) -> usize {
        8 + 32 + 4 + self.stamps.iter().map(Stamp::encoded_len).sum::<usize>()
    }
    pub(super) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.height).digest(&self.digest);
        e.list(self.stamps.len());
        for stamp in &self.stamps {
            stamp.encode(e);
        }
    }
    pub(super) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (height, digest) = (d.u64()?, d.digest()?);
        let n = d.list(MAX_STAMPS, Stamp::LEAST_ENCODED)?;
        let stamps = (0..n).map(|_| Stamp::decode(d));
        Ok(Self::new(height, digest, stamps.collect::<Result<_, _>>()?))
    }
    /// The median, all members being alike; of an even number the lower of the two in the middle (the time at
    /// which half of the weight is reached, `WeightedMedian` of CometBFT v0.38).
    pub fn median_ns(&self) -> Option<i64> {
        let mut times: Vec<i64> = self.stamps.iter().map(|stamp| stamp.time_ns).collect();
        times.sort_unstable();
        let middle = times.len().checked_sub(1)? / 2;
        times.get(middle).copied()
    }
}

/// What is known of the times of the height under way and of the one before.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// What each member signed last in the height under way, not verified.
    open: Vec<(Digest, Stamp)>,
    /// The last height that is decided, and its value if that is known.
    height: u64,
    digest: Option<Digest>,
    /// What was signed for that, and whether it was verified.
    done: Vec<(Stamp, bool)>,
}

/// Puts a stamp in the place of another one of its key.
fn put<T>(list: &mut Vec<T>, key: KeyId, of: impl Fn(&T) -> KeyId, new: T) {
    match list.iter_mut().find(|old| of(old) == key) {
        Some(old) => *old = new,
        None => list.push(new),
    }
}

impl TendermintReplica {
    // ---- what members sign (`bft`) ---------------------------------------------------------------

    /// The time that goes with a precommit of a value in a round of this height.
    pub(super) fn stamp_of(
        &self,
        cx: &mut Context<'_>,
        round: u64,
        digest: Digest,
    ) -> Option<Stamp> {
        let batch = self.rounds.get(round)?.batch.as_ref()?;
        (self.group.time() == BlockTime::Bft && digest != NIL && batch.digest() == digest)
            .then(|| self.stamp(cx, self.height(), &digest, batch.time_ns()))
    }

    /// What the clock says, later than a value of this time.
    fn stamp(&self, cx: &mut Context<'_>, height: u64, digest: &Digest, after_ns: i64) -> Stamp {
        cx.work(Work::sign(1));
        let time_ns = cx.wall_ns().max(after_ns.saturating_add(LEAST_STEP_NS));
        Stamp::sign(self.group.chain, height, digest, time_ns, &self.group.key)
    }

    /// A member signed a time with its precommit of this value.
    pub(super) fn take_stamp(&mut self, height: u64, digest: Digest, stamp: Stamp) {
        let key = stamp.signature.key;
        // Others pass on what they like: of each member one is kept, and of nobody else any.
        let voter = self.group.index_of_key(key);
        if !voter.is_some_and(|voter| self.group.votes(voter)) {
            return;
        }
        if height == self.height() {
            let of = |(_, stamp): &(Digest, Stamp)| stamp.signature.key;
            put(&mut self.stamps.open, key, of, (digest, stamp));
        } else if height == self.past.executed {
            self.look_back();
            let known = |(stamp, _): &(Stamp, bool)| stamp.signature.key == key;
            if self.stamps.digest == Some(digest) && !self.stamps.done.iter().any(known) {
                self.stamps.done.push((stamp, false));
            }
        }
    }

    /// Another one passes a time on: it counts if there is none of that member.
    pub(super) fn take_passed_on(&mut self, height: u64, digest: Digest, stamp: Stamp) {
        if self.stamp_known(height, stamp.signature.key).is_none() {
            self.take_stamp(height, digest, stamp);
        }
    }

    /// What a member signed last in this height, if it is under way or the last one.
    pub(super) fn stamp_known(&self, height: u64, key: KeyId) -> Option<Stamp> {
        if height == self.height() {
            let mut open = self.stamps.open.iter().map(|(_, stamp)| *stamp);
            return open.find(|stamp| stamp.signature.key == key);
        }
        let last = height == self.past.executed && self.stamps.height == height;
        let mut done = self.stamps.done.iter().map(|(stamp, _)| *stamp);
        done.find(|stamp| last && stamp.signature.key == key)
    }

    /// The time in a PRECOMMIT.
    pub(super) fn take_stamp_of(&mut self, payload: &Arc<dyn Payload>) {
        let message = payload.as_any().downcast_ref::<Message>();
        if let Some(Body::Precommit(ballot, Some(stamp))) = message.map(|m| &m.body) {
            self.take_stamp(ballot.sequence, ballot.digest, *stamp);
        }
    }

    /// The height under way is decided: what was signed for its value counts.
    pub(super) fn keep_stamps(&mut self, height: u64, digest: Digest) {
        let open = std::mem::take(&mut self.stamps.open).into_iter();
        let ours = open.filter(|(of, _)| *of == digest);
        self.stamps.done = ours.map(|(_, stamp)| (stamp, false)).collect();
        self.stamps.height = height;
        self.stamps.digest = Some(digest);
    }

    /// Whoever came back or took a state over knows the last height, but no times.
    fn look_back(&mut self) {
        let height = self.past.executed;
        if self.stamps.digest.is_some() && self.stamps.height == height {
            return;
        }
        let last = self.past.log.get(height).map(|last| last.batch.digest());
        self.stamps.height = height;
        self.stamps.digest = last.or(self.past.base_digest(height));
        self.stamps.done.clear();
    }

    // ---- who lacks times asks for them (`bft`) ---------------------------------------------------

    /// Upon FETCH-TIME: signs what the clock says now, for one that has to put a value forward.
    pub(super) fn on_fetch_time(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        height: u64,
        payload: &Arc<dyn Payload>,
    ) {
        if height > self.past.executed {
            return self.later(from, payload);
        }
        self.look_back();
        if height < self.past.executed || !self.may_vote() {
            return;
        }
        if let Some(digest) = self.stamps.digest {
            let stamp = self.stamp(cx, height, &digest, self.past.time_ns());
            let time = Body::Time {
                height,
                digest,
                stamp,
            };
            self.send(cx, from, time);
        }
    }

    /// Upon TIME: one member more.
    pub(super) fn on_time(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        (height, digest): (u64, Digest),
        stamp: Stamp,
    ) {
        self.look_back();
        if height != self.past.executed
            || self.stamps.digest.is_some_and(|known| known != digest)
            || stamp.signature.key != self.group.key_of(from)
        {
            return;
        }
        let of = |(stamp, _): &(Stamp, bool)| stamp.signature.key;
        put(
            &mut self.stamps.done,
            stamp.signature.key,
            of,
            (stamp, false),
        );
        self.try_propose(cx);
    }

    /// The times of the last height, once there are enough of them; else asks for them. There are no empty
    /// blocks: after a pause what was signed with the precommits says nothing of the present.
    fn times(&mut self, cx: &mut Context<'_>) -> Option<Arc<Times>> {
        self.look_back();
        let (chain, height) = (self.group.chain, self.past.executed);
        let digest = self.stamps.digest.unwrap_or(NIL);
        let old = cx.now() - self.decided_at > self.group.patience();
        if old && self.stamps_asked != Some(height) {
            self.stamps.done.clear();
        }
        let fresh = self.stamps.done.iter().filter(|(_, known)| !known);
        cx.work(Work::verify_batched(fresh.count() as u32));
        let group = &self.group;
        self.stamps.done.retain_mut(|(stamp, known)| {
            let statement = Stamp::statement(chain, height, &digest, stamp.time_ns);
            *known = *known || group.keys.verify(&statement, &stamp.signature);
            *known
        });
        let votes = |key: KeyId| group.index_of_key(key).is_some_and(|i| group.votes(i));
        let done = self.stamps.done.iter().map(|(stamp, _)| *stamp);
        let mut stamps: Vec<Stamp> = done.filter(|s| votes(s.signature.key)).collect();
        if stamps.len() >= group.quorum() {
            stamps.sort_unstable_by_key(|stamp| stamp.signature.key);
            return Some(Arc::new(Times::new(height, digest, stamps)));
        }
        self.ask_for_times(cx, height, digest);
        None
    }

    fn ask_for_times(&mut self, cx: &mut Context<'_>, height: u64, digest: Digest) {
        let again = cx.now() + self.group.step();
        if self.stamps_asked == Some(height) && self.batch_timer.is_some_and(|at| at > cx.now()) {
            return;
        }
        self.stamps_asked = Some(height);
        cx.reached(&marks::TIMES_ASKED_FOR);
        let own = self.stamp(cx, height, &digest, self.past.time_ns());
        let of = |(stamp, _): &(Stamp, bool)| stamp.signature.key;
        put(&mut self.stamps.done, own.signature.key, of, (own, true));
        self.multicast(cx, Body::FetchTime { height });
        self.batch_timer = Some(again);
        cx.set_timer(BATCH_TIMER, again - cx.now());
    }

    // ---- the proposer ----------------------------------------------------------------------------

    /// The time of a new value, and what proves it; `None` if that has to wait.
    pub(super) fn moment(&mut self, cx: &mut Context<'_>) -> Option<(i64, Option<Arc<Times>>)> {
        let parent = self.past.time_ns();
        match self.group.time() {
            BlockTime::Bft => {
                let times = self.times(cx)?;
                let median = times.median_ns()?;
                if seeded::on(&seeded::PROPOSER_SETS_ITS_TIME) {
                    return Some((cx.wall_ns(), Some(times)));
                }
                Some((after(parent, median), Some(times)))
            }
            BlockTime::Proposer(_) => {
                let now = cx.wall_ns();
                if now > parent {
                    return Some((now, None));
                }
                // Its clock is behind, or that of the last block's proposer was ahead.
                cx.reached(&marks::WAITED_FOR_CLOCK);
                let early = Span::from_nanos(parent.abs_diff(now).saturating_add(1));
                let due = cx.now() + early;
                if self.batch_timer.is_none_or(|at| at > due || at <= cx.now()) {
                    self.batch_timer = Some(due);
                    cx.set_timer(BATCH_TIMER, early);
                }
                None
            }
        }
    }

    // ---- everybody else --------------------------------------------------------------------------

    /// Is the time of a new value the one that it has to be?
    pub(super) fn has_its_time(
        &mut self,
        cx: &mut Context<'_>,
        batch: &Batch,
        times: Option<&Arc<Times>>,
    ) -> bool {
        let parent = self.past.time_ns();
        let right = match (self.group.time(), times) {
            (BlockTime::Proposer(_), _) => batch.time_ns() > parent,
            (BlockTime::Bft, None) => false,
            (BlockTime::Bft, Some(times)) => {
                let median = times.median_ns();
                self.prove_times(cx, times)
                    && (median.map(|m| after(parent, m)) == Some(batch.time_ns())
                        || seeded::on(&seeded::PROPOSER_SETS_ITS_TIME))
            }
        };
        if !right {
            cx.reached(&marks::TIME_REFUSED);
        }
        right
    }

    /// Did a quorum of the members sign these times for the last height?
    fn prove_times(&mut self, cx: &mut Context<'_>, times: &Times) -> bool {
        self.look_back();
        let (group, chain) = (&self.group, self.group.chain);
        let keys = || times.stamps.iter().map(|stamp| stamp.signature.key);
        let distinct = keys().zip(keys().skip(1)).all(|(a, b)| a < b);
        let votes = |key: KeyId| group.index_of_key(key).is_some_and(|i| group.votes(i));
        cx.work(Work::verify_batched(times.stamps.len() as u32));
        let genuine = || {
            times.stamps.iter().all(|stamp| {
                let of = Stamp::statement(chain, times.height, &times.digest, stamp.time_ns);
                group.keys.verify(&of, &stamp.signature)
            })
        };
        times.height == self.past.executed
            && self.stamps.digest.is_none_or(|known| known == times.digest)
            && times.stamps.len() >= group.quorum()
            && distinct
            && keys().all(votes)
            && *times.genuine.get_or_init(genuine)
    }

    /// Is a new value timely by this clock (PBTS-RECEPTION-STEP.1)? It counts when it is handled; what came
    /// too early for its height was received before that.
    pub(super) fn is_timely(&self, cx: &Context<'_>, round: u64, batch: &Batch) -> bool {
        let BlockTime::Proposer(synchrony) = self.group.time() else {
            return true;
        };
        synchrony.is_timely(cx.wall_ns(), round, batch.time_ns())
            || seeded::on(&seeded::TIMELINESS_NOT_CHECKED)
    }
}

/// The time of a block with this median, after one of this time.
fn after(parent: i64, median: i64) -> i64 {
    median.max(parent.saturating_add(LEAST_STEP_NS))
}

impl Synchrony {
    /// `MESSAGE_DELAY` of a round: a tenth more in each, and no more than a day (CometBFT v1.0,
    /// `SynchronyParams.InRound`).
    pub fn message_delay_in(&self, round: u64) -> Span {
        let mut delay = self.message_delay;
        // From a nanosecond to a day it is less than that many rounds.
        for _ in 0..round.min(512) {
            let more = Span::from_nanos(delay.nanos().div_ceil(10));
            delay = (delay + more).min(MAX_MESSAGE_DELAY);
        }
        delay
    }
    /// Is a value of this time that comes when the clock says `now` timely?
    pub fn is_timely(&self, now_ns: i64, round: u64, time_ns: i64) -> bool {
        let of = |span: Span| i64::try_from(span.nanos()).unwrap_or(i64::MAX);
        let precision = of(self.precision);
        let delay = of(self.message_delay_in(round));
        let earliest = time_ns.saturating_sub(precision);
        let latest = time_ns.saturating_add(delay).saturating_add(precision);
        (earliest..=latest).contains(&now_ns)
    }
}
