//! Certificates, and what they commit.

use super::journal::{LOG, PROPOSALS};
use super::leader::Record;
use super::marks;
use super::proposal::Proposal;
use super::replica::HotStuffReplica;
use super::safety::High;
use super::seeded;
use super::tree::Root;
use consim_core::chain::Link;
use consim_core::{Certificate, Committed, Context, Delivery, Digest, Probe, Work, Write};
use std::sync::Arc;

impl HotStuffReplica {
    /// A valid certificate of votes: the highest is kept, what it commits is committed, and its view is
    /// over. `told`: it stood in a proposal, or comes from one who knows more, so that everybody gets it.
    pub(super) fn on_certificate(
        &mut self,
        cx: &mut Context<'_>,
        from: usize,
        certificate: &Arc<Certificate>,
        told: bool,
    ) {
        if certificate.view > self.safety.high.view() {
            self.safety.high = High {
                certificate: Some(Arc::clone(certificate)),
            };
            self.high_told = told;
            self.votes.drop_up_to(certificate.view);
            if !self.tree.knows(&certificate.digest) {
                cx.reached(&marks::CERTIFICATE_AHEAD);
                self.fetch_chain(cx, Some(from));
            }
            self.follow(cx);
        } else if certificate.view == self.safety.high.view() {
            self.high_told |= told;
        }
        self.advance(cx, certificate.view);
    }

    /// Locks and commits what the highest certificate calls for, as soon as its proposal is here.
    pub(super) fn follow(&mut self, cx: &mut Context<'_>) {
        let Some(certificate) = self.safety.high.certificate.clone() else {
            return;
        };
        if certificate.view <= self.followed {
            return;
        }
        let branch: Vec<Arc<Proposal>> = self.tree.branch(&certificate.digest).cloned().collect();
        let Some(tip) = branch.first() else {
            return;
        };
        self.followed = certificate.view;
        self.safety.lock(tip.parent_view());
        let depth = self.commit_depth();
        let gaps = seeded::on(&seeded::COMMIT_OVER_GAPS);
        let consecutive = |chain: &[Arc<Proposal>]| {
            let mut pairs = chain.iter().zip(chain.iter().skip(1));
            gaps || pairs.all(|(child, parent)| child.view() == parent.view() + 1)
        };
        // Mostly the highest certificate commits; one below it may not have been followed.
        let Some(at) = branch.windows(depth).position(consecutive) else {
            return;
        };
        let above = at
            .checked_sub(1)
            .and_then(|child| branch.get(child)?.justify());
        let by = above.unwrap_or(&certificate);
        self.commit(cx, branch.get(at..).unwrap_or_default(), by);
    }

    /// Commits all of `branch`, newest first and certified, but the last that stand for its commit.
    fn commit(&mut self, cx: &mut Context<'_>, branch: &[Arc<Proposal>], by: &Arc<Certificate>) {
        let count = (branch.len() + 1).saturating_sub(self.commit_depth());
        let mut full = false;
        for (at, proposal) in branch.iter().rev().enumerate().take(count) {
            full |= !proposal.batch().txs().is_empty();
            let chain = self.group.chain;
            let make = || Committed {
                chain,
                sequence: proposal.sequence(),
                batch: Arc::clone(proposal.batch()),
                certificate: Certificate {
                    kind: by.kind,
                    view: proposal.view(),
                    sequence: proposal.sequence(),
                    digest: proposal.batch().digest(),
                    signatures: by.signatures.clone(),
                    links: branch
                        .iter()
                        .rev()
                        .skip(at)
                        .map(|p| p.link().clone())
                        .collect(),
                },
            };
            self.deliver(cx, proposal.committed(chain, by, make));
            if self.in_batches() {
                self.spend(proposal.digests().map(|digests| &**digests));
            }
        }
        if count > 1 {
            cx.reached(&marks::COMMITTED_OVER_GAP);
        }
        let passed = self.tree.iter().filter(|p| p.sequence() <= self.executed);
        if passed.count() > count {
            cx.reached(&marks::BRANCH_ABANDONED);
        }
        if full && !self.high_told {
            self.untold = Some(self.safety.high.view());
        }
        self.committed(cx);
    }

    /// How many certified proposals in a row commit the first.
    fn commit_depth(&self) -> usize {
        if seeded::on(&seeded::COMMIT_ON_ONE_CHAIN) {
            return 1;
        }
        self.group.depth()
    }

    /// Something was committed: the tree stands on it, and what else waits has time anew.
    pub(super) fn committed(&mut self, cx: &mut Context<'_>) {
        let root = self.tree.root();
        if root.sequence >= self.executed {
            return;
        }
        if let Some(last) = self.log.get(self.executed)
            && let Some(link) = last.certificate.links.first()
        {
            let root = Root {
                sequence: last.sequence,
                view: link.view,
                id: link.id(),
            };
            self.stand_on(cx, root);
        }
    }

    /// What is committed up to here is no part of the tree any more.
    pub(super) fn stand_on(&mut self, cx: &mut Context<'_>, root: Root) {
        self.tree.advance(root);
        self.forget_awaited();
        let dry = cx.now() - std::mem::replace(&mut self.progress_at, cx.now());
        self.in_reach_after(cx, dry);
        let limits = &self.group.block;
        let room = self.log.get(root.sequence).is_some_and(|last| {
            last.batch.txs().len() * 2 < limits.transactions as usize
                && last.batch.encoded_len() as u64 * 2 < limits.bytes
        });
        let patience = self.group.patience();
        match &mut self.layer {
            Some(layer) => layer.had_room(cx.now(), patience, limits),
            None if room => self.mempool.had_room(cx.now(), patience),
            None => {}
        }
        self.journal
            .write(Write::erase_below(PROPOSALS, root.view.saturating_add(1)));
        self.pacemaker.failed = 0;
        if let Some(silent) = &self.silent
            && silent.ends_at(root.view)
        {
            self.end_silence(cx);
        }
        self.restart_view_timer(cx);
    }

    /// Hands up the next committed batch and writes it to the log.
    pub(super) fn deliver(&mut self, cx: &mut Context<'_>, committed: Arc<Committed>) {
        self.executed = committed.sequence;
        self.mempool.executed(committed.batch.txs());
        let logged: Arc<Committed> = Arc::clone(&committed);
        self.journal.write(Write::append(LOG, logged));
        self.remember(&committed);
        self.log.push(Arc::clone(&committed));
        cx.emit(Probe::Committed(Arc::clone(&committed)));
        cx.deliver(Delivery::Ordered {
            committed,
            replayed: false,
        });
    }

    /// Notes who proposed it and who voted, for the reputation of leaders.
    pub(super) fn remember(&mut self, committed: &Committed) {
        let Some(link) = committed.certificate.links.first() else {
            return;
        };
        self.recent.push_back(Record {
            sequence: committed.sequence,
            view: link.view,
            author: committed.batch.proposer(),
            voters: link.voters.clone(),
        });
        if self.recent.len() > self.group.seen_by_reputation() {
            self.recent.pop_front();
        }
    }

    /// Is it committed by a quorum, does it go on from what is here, and is its body genuine?
    pub(super) fn verify_committed(&self, cx: &mut Context<'_>, committed: &Committed) -> bool {
        let group = &self.group;
        let certificate = &committed.certificate;
        cx.work(group.checking(certificate.signatures.len(), 1));
        let bytes = certificate.links.iter().map(Link::encoded_len);
        cx.work(Work::hash(bytes.sum()));
        let parent = certificate.links.first().map(|link| link.parent);
        let before = self.before(committed.sequence);
        committed.chain == group.chain
            && certificate.kind == group.vote_kind()
            && certificate.sequence == committed.sequence
            && certificate.digest == committed.batch.digest()
            && before.is_none_or(|id| parent == Some(id))
            && certificate.verify(group.chain, &group.members, group.quorum, &group.keys)
            && self.verify_batch(cx, &committed.batch)
    }

    /// The digest of the link of the batch before `sequence`, if it is here.
    fn before(&self, sequence: u64) -> Option<Digest> {
        let root = self.tree.root();
        if root.sequence + 1 == sequence {
            return Some(root.id);
        }
        let last = self.log.get(sequence.checked_sub(1)?)?;
        last.certificate.links.first().map(Link::id)
    }

    /// The certificate by which a batch is committed, as the highest certificate that it is.
    pub(super) fn top(certificate: &Certificate) -> Option<Certificate> {
        let top = certificate.links.last()?;
        Some(Certificate {
            kind: certificate.kind,
            view: top.view,
            sequence: 0,
            digest: top.id(),
            signatures: certificate.signatures.clone(),
            links: Arc::default(),
        })
    }
}
