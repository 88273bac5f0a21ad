//! The provider's side of a read: decide at the applied height, audit on the chain, then answer.

use super::pending::{Asker, Pending, Stage, Wanted};
use super::{MAX_PENDING, SharingService};
use crate::node::marks as node;
use crate::node::membership::Refusal;
use crate::node::service::Host;
use crate::sharing::command::{Access, Command};
use crate::sharing::config::Freshness;
use crate::sharing::ids::{Pseudonym, Reason};
use crate::sharing::marks;
use crate::sharing::message::{Answer, Message, Sealed};
use crate::sharing::probe::SharingProbe;
use crate::sharing::seeded;
use crate::sharing::state::{Lookup, consented, ruling};
use consim_core::{Context, NodeId, OpId, Probe};
use std::sync::Arc;

impl SharingService {
    /// Another server forwards a read. A member asks for itself or for one outside the chain.
    pub(super) fn fetched(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        op: OpId,
        wanted: Wanted,
    ) {
        let members = &self.config.members;
        let refuse = |cx: &mut Context<'_>, reason| {
            cx.send(
                from,
                Arc::new(Message::Release {
                    op,
                    answer: Answer::Refused(reason),
                }),
            );
        };
        if !members.contains(&from) {
            let why = Refusal::NotMember;
            cx.emit(Probe::Unauthenticated {
                subject: from,
                reason: why.words(),
            });
            refuse(cx, Reason::Unauthenticated);
            return self.audit_refusal(cx, host, from, why);
        }
        let for_another_member = wanted.requester != from && members.contains(&wanted.requester);
        if for_another_member || op.0 >> 32 == u64::from(self.config.desk.0) {
            return refuse(cx, Reason::NotAllowed);
        }
        if self.known(cx, host, op, Asker::Server(from)) {
            return;
        }
        if !host.is_member() {
            cx.reached(&node::NOT_MEMBER);
            return refuse(cx, Reason::NoMember);
        }
        if self.pending.len() >= MAX_PENDING && !self.pending.contains_key(&op) {
            return refuse(cx, Reason::Busy);
        }
        self.provide(cx, host, op, Asker::Server(from), wanted);
    }

    /// Decides on a read of a record of this institution, once this server has applied what the
    /// asker has seen: a grant that the asker knows of is not overlooked.
    pub(super) fn provide(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        asker: Asker,
        wanted: Wanted,
    ) {
        if wanted.after > host.height() {
            cx.reached(&marks::PROVIDER_BEHIND);
            return self.put(cx, op, asker, Stage::Waiting(wanted));
        }
        let Wanted {
            record,
            requester,
            purpose,
            reader,
            ..
        } = wanted;
        let Some(entry) = (*host)
            .record(record)
            .filter(|entry| entry.provider == host.node())
        else {
            return Self::answer(cx, host, op, asker, Answer::Refused(Reason::UnknownRecord));
        };
        if self.config.options.freshness == Freshness::Ordered {
            let read = Command::Read {
                record,
                requester,
                purpose,
                reader,
            };
            return self.commit(cx, host, op, asker, &read);
        }
        let emergency = self.config.options.emergency;
        let ruled = ruling(&*host, &entry, &wanted.by(), emergency, host.head_time_ns());
        let ruled = self.seeded_ruling(asker, &wanted, entry.pseudonym, ruled);
        let decision = self.config.policy.decide(ruled);
        // What no consent decides needs no fresh one.
        let by_consent = !matches!(decision, Ok(Reason::Own | Reason::Emergency));
        let decision = if by_consent && self.is_stale(cx, host) {
            Err(Reason::Stale)
        } else {
            decision
        };
        let (permit, reason) = (decision.is_ok(), decision.unwrap_or_else(|reason| reason));
        mark_decision(cx, permit, reason);
        let (height, provider) = (host.height(), host.node());
        let pseudonym = entry.pseudonym;
        let access = Access {
            record,
            requester,
            purpose,
            reader,
            permit,
            reason,
            height,
        };
        let probe = SharingProbe::Decided {
            op,
            pseudonym,
            provider,
            access,
        };
        cx.emit(probe.probe());
        if reason == Reason::Stale {
            // It gives nothing away and may be long in coming to the chain: the asker need not wait.
            Self::answer(cx, host, op, asker, Answer::Refused(reason));
        }
        if seeded::on(&seeded::LOG_AFTER_REPLY) {
            self.release(cx, host, op, asker, &access);
            return self.commit(cx, host, op, Asker::Nobody, &Command::Access(access));
        }
        if self.config.policy.audits_first() {
            self.commit(cx, host, op, asker, &Command::Access(access));
        } else {
            self.release(cx, host, op, asker, &access);
        }
    }

    /// The ruling of a provider that does not look, or not again.
    fn seeded_ruling(
        &mut self,
        asker: Asker,
        wanted: &Wanted,
        pseudonym: Pseudonym,
        ruled: Result<Reason, Reason>,
    ) -> Result<Reason, Reason> {
        let asked_elsewhere = matches!(asker, Asker::Server(_));
        if asked_elsewhere && seeded::on(&seeded::CHECK_AT_REQUEST_ALONE) {
            return Ok(Reason::Granted);
        }
        if seeded::on(&seeded::DECISION_CACHED) {
            return self.decided.or_before(pseudonym, wanted.requester, ruled);
        }
        ruled
    }

    /// The audit entry is on the chain: the record goes out, or the denial is told. An operation
    /// that another institution repeats is not answered with what the first one may read.
    pub(super) fn release(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        asker: Asker,
        access: &Access,
    ) {
        if !self.speaks_for(host, asker, access.requester) {
            return Self::answer(cx, host, op, asker, Answer::Refused(Reason::NotAllowed));
        }
        cx.emit(
            SharingProbe::Released {
                op,
                record: access.record,
                permit: access.permit,
            }
            .probe(),
        );
        mark_race(cx, host, access);
        let answer = match (access.permit, self.store.released(access.record)) {
            (false, _) => Answer::Refused(access.reason),
            (true, None) => {
                cx.reached(&marks::ORIGINAL_MISSING);
                Answer::Refused(Reason::Missing)
            }
            (true, Some(body)) => {
                let body = self.config.policy.release(Arc::clone(body));
                Answer::Record(Sealed::seal(op, body))
            }
        };
        Self::answer(cx, host, op, asker, answer);
    }

    /// A block was applied: decides on the reads that waited for it.
    pub(super) fn height_reached(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        let height = host.height();
        let ready =
            |p: &Pending| matches!(&p.stage, Stage::Waiting(wanted) if wanted.after <= height);
        let ops: Vec<OpId> = self
            .pending
            .iter()
            .filter(|(_, p)| ready(p))
            .map(|(&op, _)| op)
            .collect();
        for op in ops {
            if let Some(Pending {
                asker,
                stage: Stage::Waiting(wanted),
                ..
            }) = self.pending.remove(&op)
            {
                self.provide(cx, host, op, asker, wanted);
            }
        }
    }
}

/// Decisions that a search must have met.
pub(super) fn mark_decision(cx: &mut Context<'_>, permit: bool, reason: Reason) {
    match reason {
        Reason::Emergency if permit => cx.reached(&marks::READ_IN_EMERGENCY),
        Reason::Revoked => cx.reached(&marks::READ_AFTER_REVOKE),
        Reason::Denied => cx.reached(&marks::READ_AFTER_DENIAL),
        Reason::NoGrant => cx.reached(&marks::READ_WITHOUT_GRANT),
        Reason::OutOfScope => cx.reached(&marks::READ_OUT_OF_SCOPE),
        Reason::Stale => cx.reached(&marks::READ_STALE),
        Reason::Expired => cx.reached(&marks::READ_AFTER_EXPIRY),
        _ => {}
    }
}

/// Would the decision be another by now?
fn mark_race(cx: &mut Context<'_>, host: &dyn Host, access: &Access) {
    if access.permit
        && access.reason == Reason::Granted
        && let Some(entry) = host.record(access.record)
        && consented(
            host,
            &entry.pseudonym,
            &access.by(Some(entry.kind)),
            host.head_time_ns(),
        ) == Err(Reason::Revoked)
    {
        cx.reached(&marks::REVOKE_RACED_READ);
    }
}

#[cfg(test)]
mod tests;
