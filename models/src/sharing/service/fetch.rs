//! The asking institution's side of a read: what a provider sends is decrypted and compared with
//! the chain before the doctor sees it.

use super::pending::{Asker, Pending, Stage};
use super::{SharingService, Work, seal};
use crate::node::service::Host;
use crate::sharing::ids::{Reason, RecordId};
use crate::sharing::message::{Answer, Message};
use crate::sharing::probe::SharingProbe;
use crate::sharing::seeded;
use crate::sharing::state::Lookup;
use consim_core::{Context, Digest, NodeId, OpId};
use std::sync::Arc;

impl SharingService {
    /// A provider's answer came. Only the provider that was asked is heard.
    pub(super) fn arrived(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        op: OpId,
        answer: &Answer,
    ) {
        let Some(Pending {
            asker,
            stage: Stage::Fetching { record, provider },
            ..
        }) = self.pending.get(&op)
        else {
            return;
        };
        if *provider != from {
            return;
        }
        let (asker, record) = (*asker, *record);
        self.pending.remove(&op);
        if let Answer::Record(sealed) = answer {
            cx.work(Work::encrypt(sealed.open().len()));
        }
        if let Asker::Desk(desk, _) = asker {
            Self::reply(cx, host, op, desk, Some(record), answer.clone());
            self.kept_no_more(cx, host, record);
        }
    }

    /// Answers a desk; a record only if it is what was registered.
    pub(super) fn reply(
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        desk: NodeId,
        record: Option<RecordId>,
        answer: Answer,
    ) {
        let answer = match (answer, record) {
            (Answer::Record(sealed), Some(record)) => {
                let body = sealed.open();
                cx.work(Work::hash(body.len()));
                let digest = Digest::of(body);
                let accepted = (*host).record(record).is_some_and(|entry| {
                    entry.digest == digest || seeded::on(&seeded::DIGEST_NOT_COMPARED)
                });
                cx.emit(
                    SharingProbe::Received {
                        op,
                        record,
                        digest,
                        accepted,
                    }
                    .probe(),
                );
                if accepted {
                    Answer::Record(seal(cx, op, body))
                } else {
                    Answer::Refused(Reason::Integrity)
                }
            }
            (answer, _) => answer,
        };
        cx.send(desk, Arc::new(Message::Reply { op, answer }));
    }
}
