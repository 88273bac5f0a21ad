//! A client of a chain: no member, but one that may ask (M. Castro and B. Liskov, "Practical Byzantine
//! Fault Tolerance", OSDI 1999, sections 4.1 and 5.1; the same for every protocol).
//!
//! - Upon a wish to order: sign the transaction, send REQUEST to the member that leads.
//! - Upon REPLY: done once enough distinct members say the same. f+1 that executed it for good: one
//!   of them is correct. A quorum, if some executed it before it was committed: what a quorum has
//!   prepared, every later view puts forward again.
//! - Upon a wish to read: send QUERY to all members; done once a quorum shows the same value.
//! - Upon a time-out: send to all members, and wait twice as long.
//!
//! A member that shows a value first executes all that may have been decided before it was asked, so
//! that what one client was told is done no other client fails to see. Where members execute in
//! different order of time, a read may find no quorum; it is asked again, not ordered as in the
//! paper, since a read is no transaction of the machine.

use super::entry::{Entries, To};
use super::marks;
use super::membership::IdentityCertificate;
use super::message::{Message, Outcome, Reply, Shown};
use super::seeded;
use crate::workload::Terms;
use consim_core::probe::DomainProbe;
use consim_core::{
    ChainId, Cohort, Context, Event, NodeId, OpEnd, OpId, Payload, Probe, Process, SecretKey, Span,
    Time, TimerKey, Tx, TxId, Work,
};
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The wait doubles at most this often (assumed): 64 times the first.
const MAX_DOUBLINGS: u32 = 6;
/// The most wishes that a client has open (assumed); beyond it a wish is turned away.
pub const MAX_OPEN: usize = 4_096;
/// A client that comes back counts from the milliseconds of the run: it has forgotten how far it
/// was, and makes no more than a thousand wishes a second for long (assumed).
const NUMBERS_EVERY: u64 = 1_000_000;
/// How a wish ends that the chain executed and refused.
pub const REFUSED: &str = "refused by the chain";

/// What a client is told.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The chain.
    pub chain: ChainId,
    /// Its members in node order.
    pub members: Arc<[NodeId]>,
    /// The client's signing key.
    pub key: Arc<SecretKey>,
    /// Its certificate.
    pub certificate: IdentityCertificate,
    /// How many members must say that they executed a transaction for good: f+1 or more.
    pub wait_for: usize,
    /// Does it sign its transactions? Else its connections vouch for them.
    pub signs: bool,
    /// Where the operations of its workloads enter, if not at the member that leads.
    pub entries: Entries,
    /// How many must say the same if some of them executed it before it was committed, and how
    /// many must show the same value.
    pub quorum: usize,
}

/// What a user of a client wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Whose user, how long a wish waits until it is sent to all for the first time, and how often
    /// it is sent again before the client gives up.
    pub terms: Terms,
    /// The kind of operation, as results name it.
    pub name: &'static str,
    /// What counts as available.
    pub deadline: Span,
    /// How many it stands for.
    pub cohort: Cohort,
    /// What for.
    pub what: What,
}

/// What a wish is for.
#[derive(Clone, Debug)]
pub enum What {
    /// A command is ordered and executed.
    Order(Arc<[u8]>),
    /// The value of a key of the state.
    Read(Arc<[u8]>),
}

impl Payload for Wish {
    fn kind(&self) -> &'static str {
        "wish"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let (What::Order(bytes) | What::Read(bytes)) = &self.what;
        out.extend_from_slice(bytes);
    }
    fn encoded_len(&self) -> usize {
        let (What::Order(bytes) | What::Read(bytes)) = &self.what;
        bytes.len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A client emits the value that it believes, before its wish ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Believed {
    /// The operation.
    pub op: OpId,
    /// The key of the machine's state.
    pub key: Arc<[u8]>,
    /// The value; none if the key has none.
    pub value: Option<Arc<[u8]>>,
}

impl DomainProbe for Believed {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// What a member said.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Said {
    Executed { outcome: Outcome, tentative: bool },
    Shown(Option<Arc<[u8]>>),
}

impl Said {
    /// Do both say the same of the result?
    fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Executed { outcome: a, .. }, Self::Executed { outcome: b, .. }) => a == b,
            (Self::Shown(a), Self::Shown(b)) => a == b,
            _ => false,
        }
    }
}

/// A wish under way.
#[derive(Debug)]
struct Open {
    wish: Wish,
    op: OpId,
    asked: Time,
    message: Arc<dyn Payload>,
    sent: u32,
    /// The latest word of each member.
    said: BTreeMap<NodeId, Said>,
}

/// The process of a client.
pub struct Client {
    config: ClientConfig,
    number: u64,
    open: BTreeMap<u64, Open>,
    /// The highest view of which a reply was believed, and who leads it.
    leader: (u64, NodeId),
}

impl Client {
    /// A client that has not asked anything.
    pub fn new(config: ClientConfig) -> Self {
        let leader = config.members.first().copied().unwrap_or_default();
        Self {
            config,
            number: 0,
            open: BTreeMap::new(),
            leader: (0, leader),
        }
    }
    /// How many wishes are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    fn greet(&self, cx: &mut Context<'_>) {
        let hello = Message::Hello(self.config.certificate);
        cx.multicast(&self.config.members, Arc::new(hello));
    }

    /// The operation that the next wish will be.
    pub fn next_op(&self, cx: &Context<'_>) -> OpId {
        OpId(u64::from(cx.node().0) << 32 | (self.number + 1) & u64::from(u32::MAX))
    }

    /// Begins to see to a wish.
    pub fn wish(&mut self, cx: &mut Context<'_>, wish: &Wish) {
        let op = self.next_op(cx);
        self.number += 1;
        let number = self.number;
        cx.emit(Probe::Asked {
            op,
            workload: wish.terms.workload,
            name: wish.name,
            deadline: wish.deadline,
            count: wish.cohort.count,
        });
        let mut open = Open {
            wish: wish.clone(),
            op,
            asked: cx.now(),
            message: Arc::new(Message::Identify),
            sent: 0,
            said: BTreeMap::new(),
        };
        if self.open.len() >= MAX_OPEN {
            return end(cx, &open, OpEnd::GaveUp);
        }
        match &wish.what {
            What::Order(body) => {
                let origin = cx.node();
                let id = TxId { origin, number };
                let tx = Tx::of_cohort(
                    id,
                    self.config.chain,
                    op,
                    Arc::clone(body),
                    wish.cohort,
                    &self.config.key,
                );
                cx.work(Work::sign(u32::from(self.config.signs) * wish.cohort.count));
                cx.work(Work::hash(tx.encoded_len()));
                let tx = Arc::new(tx);
                open.message = Arc::new(Message::Request(Arc::clone(&tx)));
                match self.config.entries.next(wish.terms.workload) {
                    To::Usual => cx.send(self.leader.1, Arc::clone(&open.message)),
                    To::One(member) => cx.send(member, Arc::clone(&open.message)),
                    To::All => {
                        open.message = Arc::new(Message::Shared(tx));
                        cx.multicast(&self.config.members, Arc::clone(&open.message));
                    }
                }
            }
            What::Read(key) => {
                let key = Arc::clone(key);
                open.message = Arc::new(Message::Query { number, key });
                cx.multicast(&self.readable(), Arc::clone(&open.message));
            }
        }
        cx.set_timer(TimerKey(number), wish.terms.retry_after);
        self.open.insert(number, open);
    }

    /// Who is asked for values: all members.
    fn readable(&self) -> Arc<[NodeId]> {
        let members = &self.config.members;
        if seeded::on(&seeded::READ_FROM_CHOSEN_QUORUM) {
            let chosen = members.iter().take(self.config.quorum);
            return chosen.copied().collect();
        }
        Arc::clone(members)
    }

    /// The wait is over: everybody is asked, or the client gives up.
    fn waited(&mut self, cx: &mut Context<'_>, number: u64) {
        let Some(open) = self.open.get_mut(&number) else {
            return;
        };
        if open.sent >= open.wish.terms.retry_times {
            if let Some(open) = self.open.remove(&number) {
                cx.reached(&marks::CLIENT_GAVE_UP);
                end(cx, &open, OpEnd::GaveUp);
            }
            return;
        }
        if open.sent == 0 {
            cx.reached(&marks::CLIENT_ASKED_ALL);
        }
        open.sent += 1;
        if matches!(open.wish.what, What::Read(_)) {
            // What members showed before is old; they are asked what it is now.
            open.said.clear();
        }
        let message = Arc::clone(&open.message);
        let first = open.wish.terms.retry_after;
        let wait = first.times(1 << open.sent.min(MAX_DOUBLINGS));
        // Somebody may have forgotten, or never heard, who this is.
        self.greet(cx);
        if matches!(message.as_any().downcast_ref(), Some(Message::Query { .. })) {
            cx.multicast(&self.readable(), message);
        } else {
            cx.multicast(&self.config.members, message);
        }
        cx.set_timer(TimerKey(number), wait);
    }

    /// A member said something of a wish. It is done once enough say the same.
    #[expect(clippy::needless_pass_by_value, reason = "it is handed over")]
    fn heard(&mut self, cx: &mut Context<'_>, from: NodeId, number: u64, said: Said) -> bool {
        let Some(open) = self.open.get_mut(&number) else {
            return false;
        };
        let fits = matches!(
            (&open.wish.what, &said),
            (What::Order(_), Said::Executed { .. }) | (What::Read(_), Said::Shown(_))
        );
        if !fits || !self.config.members.contains(&from) {
            return false;
        }
        let before = open.said.insert(from, said.clone());
        if before.is_some_and(|before| !before.agrees(&said)) {
            cx.reached(&marks::MEMBER_SAID_OTHERWISE);
        }
        let same = open.said.values().filter(|other| other.agrees(&said));
        let firm = |s: &&Said| matches!(s, Said::Executed { tentative, .. } if !tentative);
        let (mut all, firm) = (same.clone().count(), same.filter(firm).count());
        let disagreed = all < open.said.len();
        if matches!(said, Said::Shown(_)) && seeded::on(&seeded::BELIEVES_FIRST_ANSWER) {
            all = self.config.quorum;
        }
        if all < self.config.quorum && firm < self.config.wait_for {
            return false;
        }
        if disagreed {
            cx.reached(&marks::MEMBERS_DISAGREED);
        }
        cx.cancel_timer(TimerKey(number));
        if let Some(open) = self.open.remove(&number) {
            if let (What::Read(key), Said::Shown(value)) = (&open.wish.what, &said) {
                let (op, key, value) = (open.op, Arc::clone(key), value.clone());
                cx.emit(Probe::Domain(Arc::new(Believed { op, key, value })));
            }
            let refused = Said::Executed {
                outcome: Outcome::Refused,
                tentative: false,
            };
            let how = if said.agrees(&refused) {
                OpEnd::Refused(REFUSED)
            } else {
                OpEnd::Done
            };
            end(cx, &open, how);
        }
        true
    }

    fn replied(&mut self, cx: &mut Context<'_>, from: NodeId, reply: &Reply) {
        if reply.id.origin != cx.node() {
            return;
        }
        let said = Said::Executed {
            outcome: reply.outcome,
            tentative: reply.tentative,
        };
        let believed = self.heard(cx, from, reply.id.number, said);
        // Where the next request goes first: a lie costs a retransmission.
        if believed && reply.view >= self.leader.0 && self.config.members.contains(&reply.leader) {
            if self.leader.1 != reply.leader {
                cx.reached(&marks::CLIENT_FOLLOWED_LEADER);
            }
            self.leader = (reply.view, reply.leader);
            self.config.entries.told(reply.view, reply.leader);
        }
    }
}

fn end(cx: &mut Context<'_>, open: &Open, end: OpEnd) {
    cx.emit(Probe::Ended {
        op: open.op,
        workload: open.wish.terms.workload,
        name: open.wish.name,
        end,
        asked: open.asked,
        deadline: open.wish.deadline,
        count: open.wish.cohort.count,
    });
}

impl Process for Client {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Start => self.greet(cx),
            Event::Recover(_) => {
                self.number = cx.now().nanos() / NUMBERS_EVERY;
                self.greet(cx);
            }
            Event::Request(payload) => {
                if let Some(wish) = payload.as_any().downcast_ref() {
                    self.wish(cx, wish);
                }
            }
            Event::Message { from, payload } => match payload.as_any().downcast_ref() {
                Some(Message::Reply(reply)) => self.replied(cx, from, reply),
                Some(Message::Shown(Shown { number, value })) => {
                    self.heard(cx, from, *number, Said::Shown(value.clone()));
                }
                Some(Message::Identify) if self.config.members.contains(&from) => {
                    cx.send(from, Arc::new(Message::Hello(self.config.certificate)));
                }
                _ => {}
            },
            Event::Timer(TimerKey(number)) => self.waited(cx, number),
            Event::Persisted(_) | Event::Scrubbed(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
