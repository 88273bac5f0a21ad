//! The view change (section 4.4).

use super::config::{Group, MAX_BACKOFF};
use super::journal::{Record, Said, VIEW};
use super::message::{
    Ballot, Body, NEW_VIEW, NewView, PREPARE, Prepared, Proposal, VIEW_CHANGE, ViewChange,
};
use super::normal::Phase;
use super::replica::{BATCH_TIMER, PbftReplica};
use consim_core::chain::vote_statement;
use consim_core::{Certificate, Context, Digest, Probe, Time, Work, Write};
use std::sync::Arc;

/// What is known of other views and of those who want to leave this one.
#[derive(Debug)]
pub(super) struct Changes {
    /// When each member last said that it suspects this view's primary.
    suspects: Vec<Option<Time>>,
    /// Each member's view change for the highest view that it asked for.
    latest: Vec<Option<Arc<ViewChange>>>,
    /// The own view change for this view.
    pub(super) own: Option<Arc<ViewChange>>,
    /// Why this replica is in its view; none in view 0.
    pub(super) new_view: Option<Arc<NewView>>,
    /// The stable checkpoint that this view starts from (`min-s` of the paper).
    pub(super) low: u64,
    /// A quorum of view changes for this view is known: the new view is due.
    quorum_seen: bool,
    /// View changes since the last progress.
    pub(super) backoff: u32,
}

impl Changes {
    pub(super) fn new(n: usize) -> Self {
        Self {
            suspects: vec![None; n],
            latest: vec![None; n],
            own: None,
            new_view: None,
            low: 0,
            quorum_seen: false,
            backoff: 0,
        }
    }
    /// This view has executed something.
    pub(super) fn progressed(&mut self, me: usize) {
        self.backoff = 0;
        if let Some(own) = self.suspects.get_mut(me) {
            *own = None;
        }
    }
    fn forget_suspects(&mut self) {
        self.suspects.fill(None);
    }
}

/// What view changes call for: the stable checkpoint to start from, and for each sequence number
/// above it the digest of the prepared certificate of the highest view, or of the null batch.
pub(super) fn select(changes: &[Arc<ViewChange>], null: Digest) -> (u64, Vec<Digest>) {
    let low = changes.iter().map(|c| c.low()).max().unwrap_or(0);
    let mut chosen: Vec<Option<(u64, Digest)>> = Vec::new();
    for Prepared(certificate) in changes.iter().flat_map(|c| c.prepared()).map(AsRef::as_ref) {
        let Some(above) = certificate.sequence.checked_sub(low).filter(|&a| a > 0) else {
            continue;
        };
        let at = (above - 1) as usize;
        if chosen.len() <= at {
            chosen.resize(at + 1, None);
        }
        if let Some(choice) = chosen.get_mut(at)
            && choice.is_none_or(|(view, _)| view < certificate.view)
        {
            *choice = Some((certificate.view, certificate.digest));
        }
    }
    let digests = chosen
        .into_iter()
        .map(|choice| choice.map_or(null, |(_, digest)| digest))
        .collect();
    (low, digests)
}

impl Group {
    fn signed(&self, kind: u8, view: u64, digest: &Digest) -> Digest {
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

    /// Upon the view timer: nothing was executed, or the new view did not come, in time. The
    /// replica says so and keeps taking part; what waits goes to everybody.
    pub(super) fn on_view_timer(&mut self, cx: &mut Context<'_>) {
        let due = if self.active {
            self.waits()
        } else {
            self.changes.quorum_seen
        };
        if !due {
            return;
        }
        if let Some(own) = self.changes.suspects.get_mut(self.group.me) {
            *own = Some(cx.now());
        }
        self.multicast(cx, Body::Suspect { view: self.view });
        self.resend_due(cx);
        self.set_view_timer(cx);
        self.try_leave(cx);
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
        for (suspect, change) in self.changes.suspects.iter().zip(&self.changes.latest) {
            let left = change.as_ref().map(|c| c.view()).filter(|&v| v > view);
            let suspects = suspect.is_some_and(|at| now - at <= fresh);
            if suspects || left.is_some() {
                leaving += 1;
                let asked = if suspects { None } else { left };
                lowest = lowest.min(asked.unwrap_or(view.saturating_add(1)));
            }
        }
        if leaving > self.group.faults && lowest > view {
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
        self.changes.backoff = (self.changes.backoff + 1).min(MAX_BACKOFF + 1);
        self.cancel_view_timer(cx);
        if self.batch_timer.take().is_some() {
            cx.cancel_timer(BATCH_TIMER);
        }
        let prepared = self
            .window
            .iter()
            .filter_map(|(_, slot)| slot.prepared.clone())
            .collect();
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

    fn write_view(&mut self, change: Option<Arc<ViewChange>>, new_view: Option<Arc<NewView>>) {
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

    /// Sends the own view change again, while the new view does not come.
    pub(super) fn repeat_view_change(&mut self, cx: &mut Context<'_>) {
        let said = self.changes.latest.get(self.group.me).cloned().flatten();
        if let Some(change) = said.filter(|c| c.view() == self.view) {
            self.multicast(cx, Body::ViewChange(change));
        }
    }

    /// Upon VIEW-CHANGE: joins f+1 others in a higher view; the primary of the view opens it with
    /// a quorum. One that asks for a view which is open gets its new view.
    pub(super) fn on_view_change(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        change: &Arc<ViewChange>,
    ) {
        let view = change.view();
        if view < self.view || (view == self.view && self.active) {
            return self.help(cx, from);
        }
        let known = self.changes.latest.get(from).and_then(Option::as_ref);
        if known.is_some_and(|known| known.view() >= view)
            || change.signature().key != self.group.key_of(from)
        {
            return;
        }
        if !self.verify_change(cx, change) {
            return;
        }
        if let Some(latest) = self.changes.latest.get_mut(from) {
            *latest = Some(Arc::clone(change));
        }
        self.try_leave(cx);
        self.count_changes(cx);
    }

    fn verify_change(&self, cx: &mut Context<'_>, change: &Arc<ViewChange>) -> bool {
        cx.work(Work::verify_batched(change.signatures() as u32));
        cx.work(Work::hash(change.encoded_len()));
        change.valid_or(self.group.quorum, |change| {
            self.group
                .is_valid(change, |proof| self.is_checkpoint(proof))
        })
    }

    /// With a quorum of view changes for this view the new view is due: the timer runs, and the
    /// primary opens it.
    fn count_changes(&mut self, cx: &mut Context<'_>) {
        if self.active {
            return;
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
        if changes.len() < self.group.quorum || self.changes.quorum_seen {
            return;
        }
        let me = self.group.me;
        let own = self.changes.latest.get(me).and_then(Option::as_ref);
        if own.is_none_or(|own| own.view() != self.view) {
            return;
        }
        self.changes.quorum_seen = true;
        self.set_view_timer(cx);
        if self.group.primary(self.view) == me {
            changes.sort_unstable_by_key(|c| c.signature().key);
            self.open_view(cx, changes);
        }
    }

    // ---- new view --------------------------------------------------------------------------------

    /// The primary opens its view: it puts forward again what may have been committed.
    fn open_view(&mut self, cx: &mut Context<'_>, changes: Vec<Arc<ViewChange>>) {
        let (low, digests) = select(&changes, self.null.digest());
        let (chain, view) = (self.group.chain, self.view);
        cx.work(Work::sign(1 + digests.len() as u32));
        let proposals = digests
            .into_iter()
            .zip(low + 1..)
            .map(|(digest, sequence)| {
                let key = &self.group.key;
                let vote = Ballot::sign(chain, PREPARE, view, sequence, digest, key);
                (digest, vote.signature)
            })
            .collect();
        let new_view = Arc::new(NewView::sign(
            chain,
            view,
            changes,
            proposals,
            &self.group.key,
        ));
        cx.work(Work::hash(new_view.encoded_len()));
        self.write_view(self.changes.own.clone(), Some(Arc::clone(&new_view)));
        self.journal.then(Said::NewView(new_view));
    }

    /// The own new view is on disk.
    pub(super) fn say_new_view(&mut self, cx: &mut Context<'_>, new_view: &Arc<NewView>) {
        if self.active || new_view.view() != self.view {
            return;
        }
        self.multicast(cx, Body::NewView(Arc::clone(new_view)));
        self.enter(cx, new_view);
    }

    /// Upon NEW-VIEW, from its primary or passed on by another: verifies it and enters.
    pub(super) fn on_new_view(&mut self, cx: &mut Context<'_>, new_view: &Arc<NewView>) {
        let view = new_view.view();
        if view < self.view || (view == self.view && self.active) || view == 0 {
            return;
        }
        if !self.verify_new_view(cx, new_view) {
            return;
        }
        self.view = view;
        self.write_view(None, Some(Arc::clone(new_view)));
        self.enter(cx, new_view);
    }

    /// Is it signed by the primary, justified by a quorum of view changes for it, and does it put
    /// forward exactly what these call for?
    fn verify_new_view(&self, cx: &mut Context<'_>, new_view: &NewView) -> bool {
        let (group, view) = (&self.group, new_view.view());
        let key = group.key_of(group.primary(view));
        let changes = new_view.changes();
        cx.work(Work::verify_batched(1 + new_view.proposals().len() as u32));
        cx.work(Work::hash(new_view.encoded_len()));
        let signed = group.signed(NEW_VIEW, view, &new_view.digest());
        let distinct = changes
            .windows(2)
            .all(|w| matches!(w, [a, b] if a.signature().key < b.signature().key));
        if new_view.signature().key != key
            || !group.keys.verify(&signed, new_view.signature())
            || changes.len() < group.quorum
            || !distinct
        {
            return false;
        }
        let all_valid = changes.iter().all(|change| {
            let known = group
                .index_of_key(change.signature().key)
                .and_then(|i| self.changes.latest.get(i)?.as_ref())
                .is_some_and(|known| known.digest() == change.digest());
            change.view() == view && (known || self.verify_change(cx, change))
        });
        if !all_valid {
            return false;
        }
        let (low, digests) = select(changes, self.null.digest());
        digests.len() == new_view.proposals().len()
            && digests.iter().zip(new_view.proposals()).zip(low + 1..).all(
                |((called, (digest, signature)), sequence)| {
                    let statement = vote_statement(group.chain, PREPARE, view, sequence, digest);
                    called == digest
                        && signature.key == key
                        && group.keys.verify(&statement, signature)
                },
            )
    }

    /// Enters the view that `new_view` opens.
    fn enter(&mut self, cx: &mut Context<'_>, new_view: &Arc<NewView>) {
        self.settle_in(new_view);
        let leader = self.group.node(self.group.primary(self.view));
        cx.emit(Probe::View {
            chain: self.group.chain,
            view: self.view,
            leader,
        });
        let proof = new_view
            .changes()
            .iter()
            .filter_map(|c| c.stable())
            .max_by_key(|proof| proof.sequence);
        if let Some(proof) = proof {
            self.adopt(cx, Arc::clone(proof));
        }
        self.put_forward_again(cx);
        self.fetch_bodies(cx, Some(new_view));
        // No pending transaction is forgotten: the new primary gets them all.
        self.outbox = self.mempool.charges();
        self.send_outbox(cx);
        self.cancel_view_timer(cx);
        self.watch(cx);
        self.replay_future(cx);
        self.try_propose(cx);
    }

    /// Takes over the new view: all that belongs to earlier views is void.
    pub(super) fn settle_in(&mut self, new_view: &Arc<NewView>) {
        let view = new_view.view();
        self.view = view;
        self.active = true;
        self.changes.forget_suspects();
        self.changes.quorum_seen = false;
        self.changes.own = None;
        for latest in &mut self.changes.latest {
            if latest.as_ref().is_some_and(|c| c.view() <= view) {
                *latest = None;
            }
        }
        let low = new_view
            .changes()
            .iter()
            .map(|c| c.low())
            .max()
            .unwrap_or(0);
        self.changes.low = low;
        self.changes.new_view = Some(Arc::clone(new_view));
        self.window.next_view();
        self.mempool.next_view();
        self.top = 0;
        self.next = low.max(self.executed) + 1;
        self.floor = low.max(self.window.low());
    }

    /// Takes over what the new view puts forward and the window can hold: redoes the protocol for
    /// it without executing anything twice.
    pub(super) fn put_forward_again(&mut self, cx: &mut Context<'_>) {
        let Some(new_view) = self.changes.new_view.clone() else {
            return;
        };
        let last = self.changes.low + new_view.proposals().len() as u64;
        if !self.active || last <= self.window.low() {
            return;
        }
        let primary = self.group.primary(self.view);
        let first = self.changes.low + 1;
        for (&(digest, signature), sequence) in new_view.proposals().iter().zip(first..) {
            let Some(slot) = self.window.open(sequence) else {
                continue;
            };
            let done = sequence <= self.executed;
            if slot.digest.is_some() || (done && !self.executed_as(sequence, &digest)) {
                continue;
            }
            self.settle(sequence, digest);
            self.count(sequence, Phase::Prepare, primary, digest, signature);
            let logged = self.logged(sequence).map(|c| &c.batch);
            let body = self
                .window
                .get(sequence)
                .and_then(|slot| slot.body(&digest))
                .or(logged.filter(|b| b.digest() == digest))
                .or((digest == self.null.digest()).then_some(&self.null));
            if let Some(body) = body.cloned() {
                let proposal = self.message(Body::PrePrepare(Arc::new(Proposal {
                    view: self.view,
                    sequence,
                    batch: Arc::clone(&body),
                    signature,
                })));
                self.accept(cx, sequence, body, proposal);
            }
        }
    }

    /// The primary's vote in the new view for `sequence`.
    pub(super) fn new_view_vote(&self, sequence: u64) -> Option<&(Digest, consim_core::Signature)> {
        let above = sequence.checked_sub(self.changes.low)?.checked_sub(1)?;
        self.changes
            .new_view
            .as_ref()?
            .proposals()
            .get(usize::try_from(above).ok()?)
    }

    /// Helps a member that is in an older view: with the new view, or with the own view change.
    pub(super) fn help(&mut self, cx: &mut Context<'_>, member: usize) {
        if !self.catch_up.may_help(member) {
            return;
        }
        if self.active {
            if let Some(new_view) = self.changes.new_view.clone() {
                self.send(cx, member, Body::NewView(new_view));
            }
        } else {
            let said = self.changes.latest.get(self.group.me).cloned().flatten();
            if let Some(change) = said.filter(|c| c.view() == self.view) {
                self.send(cx, member, Body::ViewChange(change));
            }
        }
    }
}
