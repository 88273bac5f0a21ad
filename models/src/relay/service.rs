//! What the server of a member does for relays, beside what its domain's service does.

use super::message::{Answer, Attest, Message, News};
use super::packet::{ATTESTS, Command, MAX_PACKETS, Proven, in_key, last_key, number, out_key};
use super::seeded;
use crate::node::membership::Refusal;
use crate::node::service::{Host, Service};
use consim_core::chain::vote_statement;
use consim_core::{
    Block, ChainId, CodecError, Context, Disk, NodeId, Payload, Receipt, SecretKey, Span, Time,
    TimerKey, Work, WriteToken,
};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// A relay that has asked hears of the outbox for so long (three looks of a relay).
const WATCHED: Span = Span::from_secs(15);
/// The most relays that watch a server (assumed); those that come later are not told.
const MAX_WATCHERS: usize = 64;
/// The most attestations that wait for a block (assumed); the oldest are forgotten.
const MAX_WAITING: usize = 256;

/// The service of a domain on a chain that relays join.
pub struct RelayedService {
    inner: Box<dyn Service>,
    key: Arc<SecretKey>,
    neighbours: Arc<[ChainId]>,
    watchers: BTreeMap<NodeId, Time>,
    /// Below it every number towards a neighbour is settled.
    settled: BTreeMap<ChainId, u64>,
    /// Who waits for which block to be attested.
    waiting: VecDeque<(NodeId, Attest)>,
}

impl RelayedService {
    /// That of a server which signs with `key`, on a chain with these neighbours.
    pub fn new(inner: Box<dyn Service>, key: Arc<SecretKey>, neighbours: Arc<[ChainId]>) -> Self {
        Self {
            inner,
            key,
            neighbours,
            watchers: BTreeMap::new(),
            settled: BTreeMap::new(),
            waiting: VecDeque::new(),
        }
    }

    fn forget(&mut self) {
        self.watchers.clear();
        self.settled.clear();
        self.waiting.clear();
    }

    /// The least number towards a neighbour that is not settled, and the last.
    fn out(&mut self, host: &dyn Host, to: ChainId) -> (u64, u64) {
        let last = number(host.get(&last_key(to)).as_deref());
        let least = self.settled.entry(to).or_insert(1);
        while *least <= last && host.get(&out_key(to, *least)).is_none() {
            *least += 1;
        }
        (*least, last)
    }

    fn news(&mut self, host: &dyn Host) -> Arc<dyn Payload> {
        let neighbours = Arc::clone(&self.neighbours);
        let out = neighbours.iter().map(|&to| {
            let (least, last) = self.out(host, to);
            (to, least, last)
        });
        Arc::new(Message::News(News {
            chain: host.chain(),
            out: out.collect(),
        }))
    }

    fn relays(&mut self, cx: &mut Context<'_>, host: &dyn Host, from: NodeId, message: &Message) {
        match message {
            Message::Watch(chain) if *chain == host.chain() => {
                let now = cx.now();
                self.watchers.retain(|_, until| *until > now);
                if self.watchers.len() < MAX_WATCHERS {
                    self.watchers.insert(from, now + WATCHED);
                }
                let news = self.news(host);
                cx.send(from, news);
            }
            Message::List { number, of, to }
                if *of == host.chain() && self.neighbours.contains(to) =>
            {
                let (mut least, last) = self.out(host, *to);
                if seeded::on(&seeded::OUTBOX_SHOWN_FROM_ITS_END) {
                    least = last;
                }
                let there = (least..=last).filter(|n| host.get(&out_key(*to, *n)).is_some());
                let numbers: Vec<u64> = there.take(MAX_PACKETS).collect();
                let proven = prove(cx, host, &numbers, |n| out_key(*to, n));
                if let Some(answer) = answer(host, *number, proven) {
                    cx.send(from, Arc::new(Message::Listed(answer)));
                }
            }
            Message::Which {
                number,
                of,
                from: neighbour,
                numbers,
            } if *of == host.chain() => {
                let some = numbers.get(..MAX_PACKETS.min(numbers.len()));
                let some = some.unwrap_or_default();
                let proven = prove(cx, host, some, |n| in_key(*neighbour, n));
                if let Some(answer) = answer(host, *number, proven) {
                    cx.send(from, Arc::new(Message::Known(answer)));
                }
            }
            Message::Attest(asked) if asked.chain == host.chain() => {
                if asked.height > host.height() {
                    if self.waiting.len() >= MAX_WAITING {
                        self.waiting.pop_front();
                    }
                    self.waiting.push_back((from, *asked));
                } else {
                    self.attest(cx, host, from, asked);
                }
            }
            _ => {}
        }
    }

    /// Stands by the header of a block, if this node came to the same.
    fn attest(&self, cx: &mut Context<'_>, host: &dyn Host, relay: NodeId, asked: &Attest) {
        let block = host.block(asked.height);
        let Some(block) = block.filter(|block| block.id == asked.id && host.is_member()) else {
            return;
        };
        let sequence = block.header.sequence;
        let statement = vote_statement(host.chain(), ATTESTS, 0, sequence, &block.id);
        cx.work(Work::sign(1));
        let (asked, signature) = (*asked, self.key.sign(&statement));
        cx.send(relay, Arc::new(Message::Attested { asked, signature }));
    }

    /// A block was executed: what relays want to know of it.
    fn tell(&mut self, cx: &mut Context<'_>, host: &dyn Host, block: Option<&Block>) {
        let mut moved = block.is_none();
        for (tx, receipt) in block
            .iter()
            .flat_map(|block| block.committed.batch.txs().iter().zip(&block.receipts))
        {
            if let Some(command) = Command::is_one(tx.body())
                .then(|| Command::decode(tx.body()).ok())
                .flatten()
            {
                cx.work(command.work());
                moved |= *receipt == Receipt::Applied;
            }
        }
        let height = host.height();
        for _ in 0..self.waiting.len() {
            let Some((relay, asked)) = self.waiting.pop_front() else {
                break;
            };
            if asked.height <= height {
                self.attest(cx, host, relay, &asked);
            } else {
                self.waiting.push_back((relay, asked));
            }
        }
        let now = cx.now();
        if moved && self.watchers.values().any(|until| *until > now) {
            let news = self.news(host);
            for (&relay, _) in self.watchers.iter().filter(|(_, until)| **until > now) {
                cx.send(relay, Arc::clone(&news));
            }
        }
    }
}

/// What the state holds under the keys of these numbers.
fn prove(
    cx: &mut Context<'_>,
    host: &dyn Host,
    numbers: &[u64],
    key: impl Fn(u64) -> Vec<u8>,
) -> Option<Vec<Proven>> {
    let proven = numbers.iter().map(|&n| Some((n, host.prove(&key(n))?)));
    let proven = proven.collect::<Option<Vec<Proven>>>()?;
    let hashed: usize = proven.iter().map(|(_, proof)| proof.hashed_bytes()).sum();
    cx.work(Work::hash(hashed));
    Some(proven)
}

fn answer(host: &dyn Host, number: u64, proven: Option<Vec<Proven>>) -> Option<Answer> {
    Some(Answer {
        number,
        header: host.block(host.height())?.header.clone(),
        numbers: proven?.into(),
    })
}

impl Service for RelayedService {
    fn start(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, disk: Option<&Disk>) {
        self.forget();
        self.inner.start(cx, host, disk);
    }
    fn message(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        from: NodeId,
        payload: &Arc<dyn Payload>,
    ) {
        match payload.as_any().downcast_ref::<Message>() {
            Some(message) => self.relays(cx, host, from, message),
            None => self.inner.message(cx, host, from, payload),
        }
    }
    fn applied(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, block: &Arc<Block>) {
        self.tell(cx, host, Some(block));
        self.inner.applied(cx, host, block);
    }
    fn jumped(&mut self, cx: &mut Context<'_>, host: &mut dyn Host) {
        self.tell(cx, host, None);
        self.inner.jumped(cx, host);
    }
    fn timer(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, key: TimerKey) {
        self.inner.timer(cx, host, key);
    }
    fn persisted(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, token: WriteToken) {
        self.inner.persisted(cx, host, token);
    }
    fn scrubbed(&mut self, cx: &mut Context<'_>, host: &mut dyn Host, disk: &Disk) {
        self.inner.scrubbed(cx, host, disk);
    }
    /// Anybody may see what is proven.
    fn serves(&self, payload: &dyn Payload) -> bool {
        payload.as_any().is::<Message>() || self.inner.serves(payload)
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        if let Ok(message) = Message::decode(bytes) {
            return Ok(Arc::new(message));
        }
        self.inner.decode(bytes)
    }
    fn refused(
        &mut self,
        cx: &mut Context<'_>,
        host: &mut dyn Host,
        subject: NodeId,
        reason: Refusal,
    ) {
        self.inner.refused(cx, host, subject, reason);
    }
}
