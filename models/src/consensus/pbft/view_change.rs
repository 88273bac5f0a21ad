//! Leaving a view (section 4.4): suspicion and view changes.

use super::super::members::{Members, PerMember};
use super::change::{Prepared, ViewChange};
use super::config::{Group, MAX_BACKOFF};
use super::journal::{Opening, Record, Said, VIEW};
use super::marks;
use super::message::{Body, PREPARE, VIEW_CHANGE};
use super::new_view::Pending;
use super::replica::{BATCH_TIMER, PbftReplica};
use super::seeded;
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Digest, Probe, Span, Time, Work, Write};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is known of other views and of those who want to leave this one.
#[derive(Debug)]
pub(super) struct Changes {
    /// When each member last said that it suspects this view's primary.
    suspects: PerMember<Option<Time>>,
    /// Each member's view change for the highest view that it asked for.
    pub(super) latest: PerMember<Option<Arc<ViewChange>>>,
    /// The own view change for this view.
    pub(super) own: Option<Arc<ViewChange>>,
    /// Why this replica is in its view; none in view 0.
    pub(super) opening: Option<Opening>,
    /// New views that lack view changes, one of each primary.
    pub(super) pending: BTreeMap<usize, Pending>,
    /// A quorum of view changes for this view is known: the new view is due.
    pub(super) quorum_seen: bool,
    /// A quorum has left for this view or a later one: if the new view is not due, a later one is.
    left_seen: bool,
    /// View changes since the last progress.
    pub(super) backoff: u32,
}

impl Changes {
    pub(super) fn new(n: usize) -> Self {
        Self {
            suspects: PerMember::new(n, None),
            latest: PerMember::new(n, None),
            own: None,
            opening: None,
            pending: BTreeMap::new(),
            quorum_seen: false,
            left_seen: false,
            backoff: 0,
        }
    }
    /// The stable checkpoint that this view starts from.
    pub(super) fn low(&self) -> u64 {
        self.opening.as_ref().map_or(0, |o| o.new_view.low())
    }
    /// The view change of member `index` for `view`.
    pub(super) fn of(&self, index: usize, view: u64) -> Option<&Arc<ViewChange>> {
        let latest = self.latest.get(index)?.as_ref();
        latest.filter(|c| c.view() == view)
    }
    /// This view has executed something.
    pub(super) fn progressed(&mut self, me: usize) {
        self.backoff = 0;
        if let Some(own) = self.suspects.changed().get_mut(me) {
            *own = None;
        }
    }
    #[cfg(test)]
    pub(super) fn kept(&self) -> usize {
        self.latest.iter().flatten().count()
    }
    pub(super) fn forget_suspects(&mut self) {
        self.suspects.fill(None);
    }
}

impl Group {
    pub(super) fn signed(&self, kind: u8, view: u64, digest: &Digest) -> Digest {
        vote_statement(self.chain, kind, view, 0, digest)
    }
    /// Is every certificate of a view change valid, and in its place?
    fn is_valid(&self, change: &ViewChange, is_checkpoint: impl Fn(&Certificate) -> bool) -> bool {
        let low = change.low();
        let high = low.saturating_add(self.watermark);
        let signed = self.signed(VIEW_CHANGE, change.view(), &change.digest());
        let ascending = change
            .prepared()
            .windows(2)
            .all(|w| matches!(w, [a, b] if a.0.sequence < b.0.sequence));
        self.index_of_key(change.signature().key).is_some()
            && self.keys.verify(&signed, change.signature())
            && ascending
            && change.stable().is_none_or(|proof| is_checkpoint(proof))
            && change.prepared().iter().all(|p| {
                let Prepared(certificate) = &**p;
                certificate.kind == PREPARE
                    && certificate.view < change.view()
                    && certificate.sequence > low
                    && certificate.sequence <= high
                    && certificate.verify(self.chain, &self.members, self.quorum, &self.keys)
            })
    }
}

impl PbftReplica {
    // ---- suspicion -------------------------------------------------------------------------------

    /// Upon a step of the view timer: says again what may have been lost. Upon its end: nothing was
    /// executed, or the new view did not come, in time; the replica says so and keeps taking part,
    /// and what waits goes to everybody.
    pub(super) fn on_view_timer(&mut self, cx: &mut Context<'_>) {
        let Some(deadline) = self.deadline else {
            return;
        };
        if self.active && !self.waits() {
            self.deadline = None;
            return;
        }
        let now = cx.now();
        if now >= deadline && seeded::on(&seeded::NO_JUMP_TO_HIGHER_VIEW) {
            self.leave(cx, self.view + 1);
            self.set_view_timer(cx, now + self.patience());
            return;
        }
        if now >= deadline {
            if let Some(own) = self.changes.suspects.get_mut(self.group.me) {
                *own = Some(now);
            }
            self.multicast(cx, Body::Suspect { view: self.view });
            self.resend_due(cx);
            self.next_step(cx, now + self.patience());
            self.try_leave(cx);
        } else {
            self.next_step(cx, deadline);
        }
        self.repeat(cx);
    }

    /// Upon SUSPECT.
    pub(super) fn on_suspect(&mut self, cx: &mut Context<'_>, from: usize, view: u64) {
        if view < self.view {
            return self.help(cx, from);
        }
        if view == self.view
            && let Some(suspect) = self.changes.suspects.get_mut(from)
        {
            *suspect = Some(cx.now());
            self.try_leave(cx);
        }
    }

    /// Leaves the view if f+1 members suspect it or have left it, so that at least one correct
    /// one does; for the lowest view that one of them asks for.
    fn try_leave(&mut self, cx: &mut Context<'_>) {
        let fresh = self.patience().times(2);
        let (now, view) = (cx.now(), self.view);
        let mut leaving = 0;
        let mut lowest = u64::MAX;
        for (suspect, change) in self.changes.suspects.iter().zip(self.changes.latest.iter()) {
            let left = change.as_ref().map(|c| c.view()).filter(|&v| v > view);
            let suspects = suspect.is_some_and(|at| now - at <= fresh);
            if suspects || left.is_some() {
                leaving += 1;
                let asked = if suspects { None } else { left };
                lowest = lowest.min(asked.unwrap_or(view.saturating_add(1)));
            }
        }
        let joins = !seeded::on(&seeded::NO_JUMP_TO_HIGHER_VIEW);
        if leaving > self.group.faults && lowest > view && self.silent.is_none() && joins {
            if lowest > view.saturating_add(1) {
                cx.reached(&marks::VIEW_SKIPPED);
            }
            self.leave(cx, lowest);
        }
    }

    // ---- view change -----------------------------------------------------------------------------

    /// Stops accepting messages of this view and asks for view `to`: with the proof of the stable
    /// checkpoint and the prepared certificates above it.
    fn leave(&mut self, cx: &mut Context<'_>, to: u64) {
        cx.emit(Probe::ViewTimeout {
            chain: self.group.chain,
            view: self.view,
        });
        self.view = to;
        self.active = false;
        self.changes.forget_suspects();
        self.changes.quorum_seen = false;
        self.changes.left_seen = false;
        self.changes.backoff = (self.changes.backoff + 1).min(MAX_BACKOFF + 1);
        self.set_view_timer(cx, Time::MAX);
        if self.batch_timer.take().is_some() {
            cx.cancel_timer(BATCH_TIMER);
        }
        let prepared: Vec<Arc<Prepared>> = self
            .window
            .iter()
            .filter_map(|(_, slot)| slot.prepared.clone())
            .collect();
        self.mark_leaving(cx, to, &prepared);
        let change = Arc::new(ViewChange::sign(
            self.group.chain,
            to,
            self.checkpoints.proof.clone(),
            prepared,
            &self.group.key,
        ));
        cx.work(Work::sign(1));
        cx.work(Work::hash(change.encoded_len()));
        self.write_view(Some(Arc::clone(&change)), None);
        self.changes.own = Some(Arc::clone(&change));
        self.journal.then(Said::ViewChange(change));
        self.count_changes(cx);
    }

    /// What a replica takes along when it leaves.
    fn mark_leaving(&self, cx: &mut Context<'_>, to: u64, prepared: &[Arc<Prepared>]) {
        let open = |p: &&Arc<Prepared>| p.0.sequence > self.executed;
        let oldest = prepared.iter().filter(open).map(|p| p.0.view).min();
        if !prepared.is_empty() {
            cx.reached(&marks::LEFT_WITH_CERTIFICATE);
        }
        if oldest.is_some() {
            cx.reached(&marks::LEFT_WITH_LOCK);
        }
        if oldest.is_some_and(|view| view.saturating_add(2) <= to) {
            cx.reached(&marks::LOCK_CARRIED);
        }
        if self.changes.backoff > 3 {
            cx.reached(&marks::VIEWS_IN_VAIN);
        }
        if self.transfer.is_under_way() {
            cx.reached(&marks::LEFT_DURING_TRANSFER);
        }
        if self.group.primary(to) == self.group.me {
            cx.reached(&marks::LEFT_TO_LEAD);
        }
    }

    pub(super) fn write_view(
        &mut self,
        change: Option<Arc<ViewChange>>,
        new_view: Option<Opening>,
    ) {
        let record = Record::View {
            view: self.view,
            change,
            new_view,
        };
        self.journal.write(Write::cell(VIEW, 0, Arc::new(record)));
    }

    /// The own view change is on disk.
    pub(super) fn say_view_change(&mut self, cx: &mut Context<'_>, change: Arc<ViewChange>) {
        if self.active || change.view() != self.view {
            return;
        }
        self.multicast(cx, Body::ViewChange(Arc::clone(&change)));
        self.catch_up.told_all(cx.now());
        if let Some(latest) = self.changes.latest.get_mut(self.group.me) {
            *latest = Some(change);
        }
        self.count_changes(cx);
    }

    /// A disk kept the own view change: it was said, or may be said now.
    pub(super) fn restore_change(&mut self, change: Option<Arc<ViewChange>>) {
        if let Some(latest) = self.changes.latest.get_mut(self.group.me) {
            latest.clone_from(&change);
        }
        self.changes.own = change;
    }

    /// The own view change for this view, if it may be said.
    fn own_change(&self) -> Option<Arc<ViewChange>> {
        self.changes.of(self.group.me, self.view).cloned()
    }

    /// Says the own view change again after a restart.
    pub(super) fn repeat_view_change(&mut self, cx: &mut Context<'_>) {
        if let Some(change) = self.own_change() {
            self.multicast(cx, Body::ViewChange(change));
            self.catch_up.told_all(cx.now());
        }
    }

    /// Whose view changes for this view are here, on the way there.
    pub(super) fn held_changes(&self) -> Members {
        let mut held = Members::default();
        if !self.active {
            for index in 0..self.group.len() {
                if self.changes.of(index, self.view).is_some() {
                    held.insert(index);
                }
            }
        }
        held
    }

    /// Sends the own view change to a member that is on its way to the same view without it.
    pub(super) fn complete_changes(&mut self, cx: &mut Context<'_>, member: usize, held: &Members) {
        // It may be on its way still: half of the patience with this view is time enough.
        let pause = Span::from_nanos(self.patience().nanos() / 2);
        if !held.contains(self.group.me)
            && let Some(change) = self.own_change()
            && self.catch_up.may_tell(member, cx.now(), pause)
        {
            self.send(cx, member, Body::ViewChange(change));
        }
    }

    /// Upon VIEW-CHANGE: joins f+1 others in a higher view; the primary of the view opens it with
    /// a quorum. One that asks for a view which is open gets its new view. A new view may wait for
    /// it, whoever passes it on.
    pub(super) fn on_view_change(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        change: &Arc<ViewChange>,
    ) {
        let view = change.view();
        let Some(signer) = self.group.index_of_key(change.signature().key) else {
            return;
        };
        let too_late = view < self.view || (view == self.view && self.active);
        if too_late && signer == from {
            return self.help(cx, from);
        }
        let known = self.changes.latest.get(signer).and_then(Option::as_ref);
        let same = known.is_some_and(|known| known.digest() == change.digest());
        let newer = signer == from && known.is_none_or(|known| known.view() < view);
        let wanted = self.is_wanted(change);
        if too_late || !(newer || wanted) {
            return;
        }
        if !same && !self.verify_change(cx, change) {
            return cx.reached(&marks::VIEW_CHANGE_REFUSED);
        }
        if newer {
            self.catch_up.peers.claim(from, change.low());
            if let Some(latest) = self.changes.latest.get_mut(from) {
                *latest = Some(Arc::clone(change));
            }
            self.try_leave(cx);
            self.count_changes(cx);
        }
        if wanted {
            self.complete_new_views(cx, change);
        }
    }

    /// Verifies a view change, which is done and charged once for each.
    pub(super) fn verify_change(&self, cx: &mut Context<'_>, change: &Arc<ViewChange>) -> bool {
        cx.work(Work::verify_batched(change.signatures() as u32));
        cx.work(Work::hash(change.encoded_len()));
        change.valid_or(self.group.quorum, |change| {
            self.group
                .is_valid(change, |proof| self.is_checkpoint(proof))
        })
    }

    /// Upon FETCH-CHANGE: passes on a view change of the view that is open or being opened.
    pub(super) fn on_fetch_change(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        view: u64,
        digest: &Digest,
    ) {
        let opening = self.changes.opening.iter().flat_map(|o| &o.changes);
        let change = opening
            .chain(self.changes.latest.iter().flatten())
            .find(|c| c.view() == view && c.digest() == *digest)
            .cloned();
        if let Some(change) = change
            && self.catch_up.peers.may_serve(from)
        {
            cx.reached(&marks::VIEW_CHANGE_PASSED_ON);
            self.send(cx, from, Body::ViewChange(change));
        }
    }

    /// With a quorum of view changes for this view the new view is due: the timer runs, and the
    /// primary opens it.
    fn count_changes(&mut self, cx: &mut Context<'_>) {
        if self.active {
            return;
        }
        let me = self.group.me;
        if self.changes.of(me, self.view).is_none() || self.changes.quorum_seen {
            return;
        }
        // Who has gone on to a later view says no more that it left for this one: waiting for that without
        // a timer could be for ever.
        let latest = self.changes.latest.iter().flatten();
        let gone = latest.filter(|c| c.view() >= self.view).count();
        if gone >= self.group.quorum && !self.changes.left_seen {
            self.changes.left_seen = true;
            self.set_view_timer(cx, cx.now() + self.patience());
        }
        let asks = |c: &&Arc<ViewChange>| c.view() == self.view;
        let mut changes: Vec<Arc<ViewChange>> = self
            .changes
            .latest
            .iter()
            .flatten()
            .filter(asks)
            .cloned()
            .collect();
        if changes.len() < self.group.quorum {
            return;
        }
        self.changes.quorum_seen = true;
        self.set_view_timer(cx, cx.now() + self.patience());
        if self.group.primary(self.view) == me {
            changes.sort_unstable_by_key(|c| c.signature().key);
            self.open_view(cx, changes);
        }
    }

    /// Helps a member that is in an older view: with the new view, or with the own view change.
    pub(super) fn help(&mut self, cx: &mut Context<'_>, member: usize) {
        if !self.catch_up.peers.may_help(member) {
            return cx.reached(&marks::HELP_BOUNDED);
        }
        if self.active {
            if let Some(Opening { new_view, .. }) = self.changes.opening.clone() {
                self.send(cx, member, Body::NewView(new_view));
            }
        } else {
            self.complete_changes(cx, member, &Members::default());
        }
    }
}
