//! Opening and entering a view (section 4.4).

use super::change::{NewView, Prepared, ViewChange};
use super::config::MAX_RESENT;
use super::journal::{Opening, Said};
use super::marks;
use super::message::{Ballot, Body, NEW_VIEW, PREPARE, Proposal, Statements};
use super::normal::Phase;
use super::replica::PbftReplica;
use super::seeded;
use consim_core::chain::vote_statement;
use consim_core::{Context, Digest, Probe, Signature, Work};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A new view whose view changes are not all here yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) new_view: Arc<NewView>,
    /// In the order in which it names them; they are verified.
    changes: Vec<Option<Arc<ViewChange>>>,
    /// Who sent or passed it on, last.
    from: usize,
}

impl Pending {
    /// The digests of those that it lacks.
    fn missing(&self) -> impl Iterator<Item = Digest> {
        let named = self.new_view.changes().iter().zip(&self.changes);
        named.filter_map(|(&(_, digest), here)| here.is_none().then_some(digest))
    }
    /// Where it lacks this view change.
    fn place(&self, change: &ViewChange) -> Option<usize> {
        let name = (change.signature().key, change.digest());
        let place = self.new_view.changes().iter().position(|n| *n == name)?;
        let empty = self.changes.get(place)?.is_none();
        (empty && self.new_view.view() == change.view()).then_some(place)
    }
}

/// What view changes call for: the stable checkpoint to start from, and for each sequence number
/// above it the digest of the prepared certificate of the highest view, or of the null batch.
pub(super) fn select(changes: &[Arc<ViewChange>], null: Digest) -> (u64, Vec<Digest>) {
    let low = changes.iter().map(|c| c.low()).max().unwrap_or(0);
    if seeded::on(&seeded::NEW_VIEW_WITHOUT_CERTIFICATES) {
        return (low, Vec::new());
    }
    let mut chosen: Vec<Option<(u64, Digest)>> = Vec::new();
    for Prepared(certificate) in changes.iter().flat_map(|c| c.prepared()).map(AsRef::as_ref) {
        let Some(above) = certificate.sequence.checked_sub(low).filter(|&a| a > 0) else {
            continue;
        };
        let at = (above - 1) as usize;
        if chosen.len() <= at {
            chosen.resize(at + 1, None);
        }
        let better = |(view, _)| {
            if seeded::on(&seeded::NEW_VIEW_TAKES_LOWEST) {
                return view > certificate.view;
            }
            view < certificate.view
        };
        if let Some(choice) = chosen.get_mut(at)
            && choice.is_none_or(better)
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

/// What a new view puts forward again.
fn mark_opening(
    cx: &mut Context<'_>,
    changes: &[Arc<ViewChange>],
    digests: &[Digest],
    null: Digest,
) {
    if !digests.is_empty() {
        cx.reached(&marks::PUT_FORWARD_AGAIN);
    }
    if digests.contains(&null) {
        cx.reached(&marks::GAP_FILLED);
    }
    let mut views: BTreeMap<u64, (u64, Digest)> = BTreeMap::new();
    for Prepared(certificate) in changes.iter().flat_map(|c| c.prepared()).map(AsRef::as_ref) {
        let here = (certificate.view, certificate.digest);
        let (view, digest) = *views.entry(certificate.sequence).or_insert(here);
        if view != here.0 {
            cx.reached(&marks::LOCKS_OF_TWO_VIEWS);
            if digest != here.1 {
                cx.reached(&marks::LOCKS_ON_TWO_BATCHES);
            }
        }
    }
}

impl PbftReplica {
    /// The primary opens its view: it puts forward again what may have been committed.
    pub(super) fn open_view(&mut self, cx: &mut Context<'_>, changes: Vec<Arc<ViewChange>>) {
        let (low, digests) = select(&changes, self.null.digest());
        mark_opening(cx, &changes, &digests, self.null.digest());
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
        let named = changes.iter().map(|c| (c.signature().key, c.digest()));
        let new_view = NewView::sign(
            chain,
            view,
            low,
            named.collect(),
            proposals,
            &self.group.key,
        );
        cx.work(Work::hash(new_view.encoded_len()));
        let opening = Opening {
            new_view: Arc::new(new_view),
            changes,
        };
        self.write_view(self.changes.own.clone(), Some(opening.clone()));
        self.journal.then(Said::NewView(opening));
    }

    /// The own new view is on disk.
    pub(super) fn say_new_view(&mut self, cx: &mut Context<'_>, opening: Opening) {
        if self.active || opening.new_view.view() != self.view {
            return;
        }
        self.multicast(cx, Body::NewView(Arc::clone(&opening.new_view)));
        self.enter(cx, opening);
    }

    /// Upon NEW-VIEW, from its primary or passed on by another: verifies it, and enters once all
    /// view changes that it names are here.
    pub(super) fn on_new_view(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        new_view: &Arc<NewView>,
    ) {
        let view = new_view.view();
        if view < self.view || (view == self.view && self.active) || view == 0 {
            return;
        }
        let primary = self.group.primary(view);
        let pending = self.changes.pending.get_mut(&primary);
        if let Some(pending) = pending.filter(|p| p.new_view.view() >= view) {
            pending.from = from;
            return;
        }
        if !self.verify_head(cx, new_view) {
            return cx.reached(&marks::NEW_VIEW_REFUSED);
        }
        if from != primary {
            cx.reached(&marks::NEW_VIEW_PASSED_ON);
        }
        let changes = new_view.changes().iter().map(|&(key, digest)| {
            let index = self.group.index_of_key(key)?;
            let known = self.changes.of(index, view)?;
            (known.digest() == digest).then(|| Arc::clone(known))
        });
        let pending = Pending {
            changes: changes.collect(),
            new_view: Arc::clone(new_view),
            from,
        };
        if pending.missing().next().is_some() {
            cx.reached(&marks::NEW_VIEW_INCOMPLETE);
        }
        self.fetch_changes(cx, &pending, from);
        self.changes.pending.insert(primary, pending);
        self.try_enter(cx, primary);
    }

    /// Is it signed by the primary, and does it name a quorum of distinct members?
    fn verify_head(&self, cx: &mut Context<'_>, new_view: &NewView) -> bool {
        let (group, view) = (&self.group, new_view.view());
        let changes = new_view.changes();
        cx.work(Work::verify(1));
        cx.work(Work::hash(new_view.encoded_len()));
        let signed = group.signed(NEW_VIEW, view, &new_view.digest());
        let distinct = changes.windows(2).all(|w| matches!(w, [a, b] if a.0 < b.0));
        new_view.signature().key == group.key_of(group.primary(view))
            && group.keys.verify(&signed, new_view.signature())
            && changes.len() >= group.quorum
            && distinct
            && changes
                .iter()
                .all(|(key, _)| group.index_of_key(*key).is_some())
    }

    /// Asks `peer` for the view changes that a new view lacks.
    fn fetch_changes(&self, cx: &mut Context<'_>, pending: &Pending, peer: usize) {
        let view = pending.new_view.view();
        for digest in pending.missing().take(MAX_RESENT) {
            self.send(cx, peer, Body::FetchChange { view, digest });
        }
    }

    /// Asks again, one member after the other.
    pub(super) fn refetch_changes(&mut self, cx: &mut Context<'_>, turn: usize) {
        let n = self.group.len().max(1);
        for pending in self.changes.pending.values() {
            let peer = match (pending.from + turn) % n {
                me if me == self.group.me => (me + 1) % n,
                other => other,
            };
            self.fetch_changes(cx, pending, peer);
        }
    }

    /// Does a new view wait for this view change?
    pub(super) fn is_wanted(&self, change: &ViewChange) -> bool {
        self.changes
            .pending
            .values()
            .any(|pending| pending.place(change).is_some())
    }

    /// A view change that new views may wait for is here.
    pub(super) fn complete_new_views(&mut self, cx: &mut Context<'_>, change: &Arc<ViewChange>) {
        let mut completed = Vec::new();
        for (&primary, pending) in &mut self.changes.pending {
            if let Some(place) = pending.place(change)
                && let Some(empty) = pending.changes.get_mut(place)
            {
                *empty = Some(Arc::clone(change));
                completed.push(primary);
            }
        }
        for primary in completed {
            self.try_enter(cx, primary);
        }
    }

    /// Enters a new view if it is complete and puts forward what its view changes call for.
    fn try_enter(&mut self, cx: &mut Context<'_>, primary: usize) {
        let Some(pending) = self.changes.pending.get(&primary) else {
            return;
        };
        if pending.missing().next().is_some() {
            return;
        }
        let opening = Opening {
            new_view: Arc::clone(&pending.new_view),
            changes: pending.changes.iter().flatten().cloned().collect(),
        };
        self.changes.pending.remove(&primary);
        let view = opening.new_view.view();
        let due = view > self.view || (view == self.view && !self.active);
        if !due {
            return;
        }
        if !self.verify_opening(cx, &opening) {
            return cx.reached(&marks::NEW_VIEW_REFUSED);
        }
        self.view = view;
        self.write_view(None, Some(opening.clone()));
        self.enter(cx, opening);
    }

    /// Does it put forward exactly what its view changes call for? They were verified.
    fn verify_opening(&self, cx: &mut Context<'_>, opening: &Opening) -> bool {
        let (group, new_view) = (&self.group, &opening.new_view);
        let view = new_view.view();
        let key = group.key_of(group.primary(view));
        cx.work(Work::verify_batched(new_view.proposals().len() as u32));
        let (low, digests) = select(&opening.changes, self.null.digest());
        low == new_view.low()
            && digests.len() == new_view.proposals().len()
            && digests.iter().zip(new_view.proposals()).zip(low + 1..).all(
                |((called, (digest, signature)), sequence)| {
                    let statement = vote_statement(group.chain, PREPARE, view, sequence, digest);
                    called == digest
                        && signature.key == key
                        && group.keys.verify(&statement, signature)
                },
            )
    }

    /// Enters a view.
    fn enter(&mut self, cx: &mut Context<'_>, opening: Opening) {
        let proof = opening
            .changes
            .iter()
            .filter_map(|c| c.stable())
            .max_by_key(|proof| proof.sequence)
            .cloned();
        self.settle_in(opening);
        let leader = self.group.node(self.group.primary(self.view));
        cx.emit(Probe::View {
            chain: self.group.chain,
            view: self.view,
            leader,
        });
        if let Some(proof) = proof {
            self.adopt(cx, proof);
        }
        self.put_forward_again(cx);
        self.fetch_bodies(cx, true);
        // No pending transaction is forgotten: the new primary gets them all.
        self.outbox = self.mempool.charges();
        self.send_outbox(cx);
        self.cancel_view_timer(cx);
        self.watch(cx);
        self.replay_future(cx);
        self.try_propose(cx);
    }

    /// Takes over a new view: all that belongs to earlier views is void.
    pub(super) fn settle_in(&mut self, opening: Opening) {
        let view = opening.new_view.view();
        let low = opening.new_view.low();
        self.view = view;
        self.active = true;
        let changes = &mut self.changes;
        changes.forget_suspects();
        changes.quorum_seen = false;
        changes.own = None;
        for latest in changes.latest.changed() {
            if latest.as_ref().is_some_and(|c| c.view() <= view) {
                *latest = None;
            }
        }
        changes.pending.retain(|_, p| p.new_view.view() > view);
        changes.opening = Some(opening);
        self.window.next_view();
        self.mempool.next_view();
        self.top = 0;
        self.handed_ahead = 0;
        self.next = low.max(self.executed) + 1;
        self.floor = low.max(self.window.low());
    }

    /// Takes over what the new view puts forward and the window can hold: redoes the protocol for
    /// it without executing anything twice.
    pub(super) fn put_forward_again(&mut self, cx: &mut Context<'_>) {
        let Some(Opening { new_view, .. }) = self.changes.opening.clone() else {
            return;
        };
        let low = new_view.low();
        let last = low + new_view.proposals().len() as u64;
        if !self.active || last <= self.window.low() {
            return;
        }
        for (&(digest, signature), sequence) in new_view.proposals().iter().zip(low + 1..) {
            let Some(slot) = self.window.open(sequence) else {
                continue;
            };
            let done = sequence <= self.executed;
            if slot.digest.is_some() || (done && !self.executed_as(sequence, &digest)) {
                continue;
            }
            let statements = Statements::of(self.group.chain, self.view, sequence, &digest);
            self.settle(sequence, digest, &statements);
            self.count(sequence, Phase::Prepare, digest, signature);
            let logged = self.logged(sequence).map(|c| &c.batch);
            let body = self
                .window
                .get(sequence)
                .and_then(|slot| slot.body(&digest))
                .or(logged.filter(|b| b.digest() == digest))
                .or((digest == self.null.digest()).then_some(&self.null));
            if let Some(body) = body.cloned() {
                let proposal = self.message(Body::PrePrepare(Arc::new(Proposal::new(
                    self.view,
                    sequence,
                    Arc::clone(&body),
                    signature,
                ))));
                self.accept(cx, sequence, body, proposal);
            }
        }
    }

    /// The primary's vote in the new view for `sequence`.
    pub(super) fn new_view_vote(&self, sequence: u64) -> Option<&(Digest, Signature)> {
        let new_view = &self.changes.opening.as_ref()?.new_view;
        let above = sequence.checked_sub(new_view.low())?.checked_sub(1)?;
        new_view.proposals().get(usize::try_from(above).ok()?)
    }
}
