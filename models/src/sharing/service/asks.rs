//! What desks ask for.

use super::pending::{Asker, Stage, Wanted};
use super::{SharingService, Work};
use crate::consensus::TOKEN_LIMIT;
use crate::node::service::Host;
use crate::sharing::command::Command;
use crate::sharing::ids::{Pseudonym, Reason, RecordId, RequestId};
use crate::sharing::marks;
use crate::sharing::message::{Answer, Ask, Message};
use crate::sharing::scope::{ResourceType, Scope, Use};
use crate::sharing::seeded;
use crate::sharing::state::{Lookup, consented};
use consim_core::{Context, Digest, NodeId, OpId, Span, WriteToken};
use std::sync::Arc;

/// Write tokens of this service: above those of the replica and the node. The operation's number
/// makes them unique, since the nodes of desks are numbered below 2^31.
const TOKENS: u64 = 1 << 63;
const _: () = assert!(TOKENS >= TOKEN_LIMIT);
/// The token of writes that nobody waits for: below those of operations.
pub(super) const REPAIR: WriteToken = WriteToken(TOKENS - 1);
const _: () = assert!(REPAIR.0 >= TOKEN_LIMIT);

impl SharingService {
    pub(super) fn start_ask(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        desk: NodeId,
        op: OpId,
        ask: &Ask,
    ) {
        if !ask.within_limits() {
            return Self::refuse(cx, op, desk, Reason::Malformed);
        }
        let asker = Asker::Desk(desk, None);
        let command = match ask {
            Ask::Register {
                record,
                patient,
                body,
            } => {
                return self.register(cx, host, op, desk, *record, patient, body);
            }
            Ask::Read {
                record,
                purpose,
                reader,
            } => {
                let wanted = Wanted {
                    record: *record,
                    requester: self.requester(host, desk),
                    purpose: *purpose,
                    reader: *reader,
                    after: host.height(),
                };
                return self.read(cx, host, op, desk, wanted);
            }
            Ask::Sweep => return self.sweep(cx, host, op, desk),
            // It is no operation of this chain alone.
            Ask::Query { .. } => return Self::refuse(cx, op, desk, Reason::Malformed),
            Ask::Request {
                patient,
                purpose,
                reader,
            } => {
                let pseudonym = self.pseudonym(cx, patient);
                let requester = self.requester(host, desk);
                let wanted = Use {
                    requester,
                    reader: *reader,
                    purpose: *purpose,
                    of: None,
                };
                let mut ruled = consented(&*host, &pseudonym, &wanted, host.head_time_ns());
                if seeded::on(&seeded::DECISION_CACHED) {
                    ruled = self.decided.or_before(pseudonym, requester, ruled);
                }
                let standing = !self.config.options.ask_each_request
                    && ruled.is_ok()
                    && !self.is_stale(cx, host);
                if standing {
                    return cx.send(
                        desk,
                        Arc::new(Message::Reply {
                            op,
                            answer: Answer::Standing,
                        }),
                    );
                }
                Command::Request {
                    request: RequestId(op.0),
                    pseudonym,
                    requester,
                    purpose: *purpose,
                }
            }
            Ask::Decide {
                request,
                permit,
                for_ns,
                scope,
            } => Command::Decide {
                request: *request,
                permit: *permit,
                expires_ns: self.expires_ns(cx, *for_ns, scope),
                scope: *scope,
            },
            Ask::Appoint {
                patient,
                by,
                for_ns,
                guardian,
                bounds,
            } => Command::Appoint {
                pseudonym: self.pseudonym(cx, patient),
                by: self.pseudonym(cx, by),
                until_ns: self.expires_ns(cx, *for_ns, bounds),
                guardian: *guardian,
                bounds: *bounds,
            },
            Ask::Dismiss { patient, by } => Command::Dismiss {
                pseudonym: self.pseudonym(cx, patient),
                by: self.pseudonym(cx, by),
            },
            Ask::Spoken { by, ask } => {
                let by = self.pseudonym(cx, by);
                match self.word(cx, ask) {
                    Some(word) => Command::Spoken {
                        by,
                        word: Arc::new(word),
                    },
                    None => return Self::refuse(cx, op, desk, Reason::Malformed),
                }
            }
            Ask::Grant { .. } | Ask::Deny { .. } | Ask::Revoke { .. } => match self.word(cx, ask) {
                Some(word) => word,
                None => return,
            },
        };
        self.commit(cx, host, op, asker, &command);
    }

    /// A word of a patient that nobody asked for; nothing of other questions.
    fn word(&self, cx: &mut Context<'_>, ask: &Ask) -> Option<Command> {
        Some(match ask {
            Ask::Grant {
                patient,
                grantee,
                for_ns,
                scope,
            } => {
                let expires_ns = self.expires_ns(cx, *for_ns, scope);
                Command::Grant {
                    pseudonym: self.pseudonym(cx, patient),
                    grantee: *grantee,
                    expires_ns,
                    scope: *scope,
                }
            }
            Ask::Deny { patient, grantee } => Command::Deny {
                pseudonym: self.pseudonym(cx, patient),
                grantee: *grantee,
            },
            Ask::Revoke { patient, grantee } => Command::Revoke {
                pseudonym: self.pseudonym(cx, patient),
                grantee: *grantee,
            },
            _ => return None,
        })
    }

    /// The pseudonym of a patient. The sources name a patient by one identifier, so the medical id
    /// is made of it.
    pub(super) fn pseudonym(&self, cx: &mut Context<'_>, patient: &str) -> Pseudonym {
        cx.work(Work::hash(patient.len() * 2 + 128));
        self.config
            .pseudonyms
            .pseudonym(patient, &format!("M-{patient}"))
    }

    /// When a grant ends that is given now: its period counts from its beginning.
    fn expires_ns(&self, cx: &Context<'_>, for_ns: u64, scope: &Scope) -> i64 {
        let period = if for_ns == 0 {
            self.config.options.grant_expires
        } else {
            Span::from_nanos(for_ns)
        };
        let from_ns = cx.wall_ns().max(scope.from_ns);
        from_ns.saturating_add_unsigned(period.nanos())
    }

    /// Keeps the original first, then tells the chain its digest: what the chain names is there.
    #[allow(clippy::too_many_arguments)] // the fields of one message
    fn register(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        desk: NodeId,
        record: RecordId,
        patient: &str,
        body: &Arc<[u8]>,
    ) {
        // Known to the chain, under way, or kept here with other contents: that original stays.
        let other = |kept: &Arc<[u8]>| kept != body;
        if (*host).record(record).is_some()
            || self.storing(record)
            || self.store.get(record).is_some_and(other)
        {
            cx.reached(&marks::REGISTERED_TWICE);
            return Self::refuse(cx, op, desk, Reason::RegisteredTwice);
        }
        cx.work(Work::hash(body.len()));
        let mut address = format!("{}/records/{:x}", self.config.name, record.0);
        if seeded::on(&seeded::PATIENT_IN_ADDRESS) {
            address = format!("{}/{patient}/{:x}", self.config.name, record.0);
        }
        let command = Command::Register {
            record,
            pseudonym: self.pseudonym(cx, patient),
            digest: Digest::of(body),
            size: body.len() as u32,
            address: address.into(),
            kind: if self.config.options.states_types() {
                ResourceType::of_json(body)
            } else {
                ResourceType::Unstated
            },
        };
        let asker = Asker::Desk(desk, None);
        if let Some(write) = self.store.add(record, body) {
            let token = WriteToken(TOKENS | op.0);
            self.writes.insert(token, op);
            cx.persist(token, vec![write]);
            self.put(cx, op, asker, Stage::Storing { command });
        } else {
            // On the disk already: a crash came between the original and the chain.
            cx.reached(&marks::ORIGINAL_FOUND);
            self.commit(cx, host, op, asker, &command);
        }
    }

    /// Is the original of `record` being written?
    fn storing(&self, record: RecordId) -> bool {
        let mut stages = self.writes.values().filter_map(|op| self.pending.get(op));
        stages.any(|pending| {
            matches!(&pending.stage, Stage::Storing { command: Command::Register { record: r, .. } } if *r == record)
        })
    }

    /// A read: by the state of this server the record's provider is found; if that is another
    /// server, the read is forwarded to it (flow F-A, steps 5 and 6).
    fn read(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        op: OpId,
        desk: NodeId,
        wanted: Wanted,
    ) {
        let record = wanted.record;
        let Some(entry) = (*host).record(record) else {
            return Self::refuse(cx, op, desk, Reason::UnknownRecord);
        };
        let asker = Asker::Desk(desk, Some(record));
        if entry.provider == host.node() {
            return self.provide(cx, host, op, asker, wanted);
        }
        let message = Message::Fetch {
            op,
            record,
            requester: wanted.requester,
            purpose: wanted.purpose,
            reader: wanted.reader,
            after: wanted.after,
        };
        cx.reached(&marks::READ_FORWARDED);
        cx.send(entry.provider, Arc::new(message));
        self.put(
            cx,
            op,
            asker,
            Stage::Fetching {
                record,
                provider: entry.provider,
            },
        );
    }
}
