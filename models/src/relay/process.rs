//! The process of a relay.

use super::message::{Answer, Attest, Message, News};
use super::packet::{ATTESTS, Attested, Command, MAX_PACKETS, Packet, Proven, in_key};
use crate::node::membership::IdentityCertificate;
use crate::node::message::Message as NodeMessage;
use consim_core::chain::vote_statement;
use consim_core::{
    Certificate, ChainId, CodecError, Context, Event, Header, KeyId, Keyring, NodeId, OpId,
    Payload, Process, SecretKey, Signature, Span, Time, TimerKey, Tx, TxId, Work,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// From one look at all chains to the next (assumed); what is new is heard of before.
pub(super) const WATCH: Span = Span::from_secs(5);
/// The timer of it.
const LOOK: TimerKey = TimerKey(1);

/// What a relay knows of a chain, and what it is there.
#[derive(Clone)]
pub struct Side {
    /// The chain.
    pub chain: ChainId,
    /// Its members.
    pub members: Arc<[NodeId]>,
    /// How many attest a header.
    pub quorum: usize,
    /// Everybody's public keys there.
    pub keys: Keyring,
    /// What the relay signs with there.
    pub key: Arc<SecretKey>,
    /// How it shows who it is.
    pub certificate: IdentityCertificate,
    /// How long its own transaction may take there, before it is sent again or another relay's turn comes.
    pub patience: Span,
}

/// What a relay is told.
#[derive(Clone)]
pub struct RelayConfig {
    /// The chains that it joins.
    pub sides: Vec<Side>,
    /// The ways between neighbours, as places in `sides`: from, to.
    pub ways: Vec<(usize, usize)>,
    /// Its place among the relays that join them.
    pub place: usize,
    /// How many there are.
    pub count: usize,
}

/// What there is to do with a packet of a way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Deed {
    /// To bring it.
    Deliver,
    /// To show that it has come, or cannot come any more.
    Settle,
}

/// Something to be done.
#[derive(Clone, Copy, Debug)]
struct Task {
    /// Since when.
    since: Time,
    /// When this relay last did.
    done: Option<Time>,
}

/// Signatures of a header that come together.
#[derive(Debug)]
struct Gathering {
    header: Header,
    asked: Attest,
    signatures: BTreeMap<KeyId, Signature>,
    /// What to show with it.
    proven: [Vec<Proven>; 2],
}

/// A look at a way.
#[derive(Debug)]
struct Look {
    number: u64,
    since: Time,
    listed: Option<Answer>,
    deliver: Option<Gathering>,
    settle: Option<Gathering>,
}

/// A way from a chain to a neighbour.
#[derive(Debug, Default)]
struct Way {
    tasks: BTreeMap<(Deed, u64), Task>,
    look: Option<Look>,
    /// Something was new since the look began.
    again: bool,
}

/// A relay.
pub struct Relay {
    config: RelayConfig,
    ways: Vec<Way>,
    /// The member of each chain that is asked now, by its place among the members.
    asked: Vec<usize>,
    /// Did it say anything since it was asked last?
    heard: Vec<bool>,
    looks: u64,
    last_tx: u64,
}

impl Relay {
    /// One that has not started.
    pub fn new(config: RelayConfig) -> Self {
        let first = |side: &Side| config.place % side.members.len().max(1);
        Self {
            asked: config.sides.iter().map(first).collect(),
            heard: vec![true; config.sides.len()],
            ways: config.ways.iter().map(|_| Way::default()).collect(),
            config,
            looks: 0,
            last_tx: 0,
        }
    }

    fn member(&self, side: usize) -> Option<NodeId> {
        let members = &self.config.sides.get(side)?.members;
        let at = self.asked.get(side)? % members.len().max(1);
        members.get(at).copied()
    }
    /// Another member of a chain is asked from now on.
    fn ask_another(&mut self, side: usize) {
        if let Some(at) = self.asked.get_mut(side) {
            *at += 1;
        }
    }
    fn side(&self, chain: ChainId) -> Option<usize> {
        self.config.sides.iter().position(|s| s.chain == chain)
    }
    fn tell(&self, cx: &mut Context<'_>, side: usize, message: Message) {
        if let Some(member) = self.member(side) {
            cx.send(member, Arc::new(message));
        }
    }

    /// Looks at all chains; a look at a way that is not over has failed.
    fn look(&mut self, cx: &mut Context<'_>) {
        cx.set_timer(LOOK, WATCH);
        let now = cx.now();
        for way in 0..self.ways.len() {
            let Some(&(from, to)) = self.config.ways.get(way) else {
                continue;
            };
            let Some(state) = self.ways.get_mut(way) else {
                continue;
            };
            let stuck = state.look.as_ref();
            if let Some(look) = stuck.filter(|look| now.since(look.since) >= WATCH) {
                let listed = look.listed.is_some();
                state.look = None;
                self.ask_another(if listed { to } else { from });
            }
        }
        for side in 0..self.config.sides.len() {
            let heard = self.heard.get_mut(side).map(std::mem::take);
            if heard == Some(false) {
                self.ask_another(side);
            }
            if let Some(of) = self.config.sides.get(side) {
                self.tell(cx, side, Message::Watch(of.chain));
            }
        }
    }

    fn news(&mut self, cx: &mut Context<'_>, news: &News) {
        let Some(changed) = self.side(news.chain) else {
            return;
        };
        if let Some(heard) = self.heard.get_mut(changed) {
            *heard = true;
        }
        for way in 0..self.ways.len() {
            let Some(&(from, to)) = self.config.ways.get(way) else {
                continue;
            };
            let Some(other) = self.config.sides.get(to).map(|side| side.chain) else {
                continue;
            };
            let open = |&&(of, least, last): &&(ChainId, u64, u64)| of == other && least <= last;
            let here = from == changed && news.out.iter().any(|out| open(&out));
            // What came there may be settled now.
            let there = to == changed && self.ways.get(way).is_some_and(|w| !w.tasks.is_empty());
            if here || there {
                self.begin(cx, way);
            }
        }
    }

    /// Begins a look at a way, or has it begun anew.
    fn begin(&mut self, cx: &mut Context<'_>, at: usize) {
        let Some(&(from, to)) = self.config.ways.get(at) else {
            return;
        };
        let chain = |side: usize| self.config.sides.get(side).map(|s| s.chain);
        let (Some(of), Some(towards)) = (chain(from), chain(to)) else {
            return;
        };
        let Some(way) = self.ways.get_mut(at) else {
            return;
        };
        if way.look.is_some() {
            way.again = true;
            return;
        }
        self.looks += 1;
        way.again = false;
        way.look = Some(Look {
            number: self.looks,
            since: cx.now(),
            listed: None,
            deliver: None,
            settle: None,
        });
        let list = Message::List {
            number: self.looks,
            of,
            to: towards,
        };
        self.tell(cx, from, list);
    }

    fn end(&mut self, cx: &mut Context<'_>, at: usize) {
        if let Some(way) = self.ways.get_mut(at) {
            way.look = None;
            if std::mem::take(&mut way.again) {
                self.begin(cx, at);
            }
        }
    }

    /// The way that is looked at under this number.
    fn way(&self, number: u64) -> Option<usize> {
        let is = |way: &Way| way.look.as_ref().is_some_and(|look| look.number == number);
        self.ways.iter().position(is)
    }

    fn listed(&mut self, cx: &mut Context<'_>, answer: &Answer) {
        let Some(at) = self.way(answer.number) else {
            return;
        };
        let Some(&(from, to)) = self.config.ways.get(at) else {
            return;
        };
        if answer.numbers.is_empty() {
            if let Some(way) = self.ways.get_mut(at) {
                way.tasks.clear();
            }
            return self.end(cx, at);
        }
        let numbers: Arc<[u64]> = answer.numbers.iter().map(|(n, _)| *n).collect();
        let Some(way) = self.ways.get_mut(at) else {
            return;
        };
        way.tasks.retain(|(_, number), _| numbers.contains(number));
        if let Some(look) = way.look.as_mut() {
            look.listed = Some(answer.clone());
        }
        let chain = |side: usize| self.config.sides.get(side).map(|s| s.chain);
        if let (Some(of), Some(from)) = (chain(to), chain(from)) {
            let which = Message::Which {
                number: answer.number,
                of,
                from,
                numbers,
            };
            self.tell(cx, to, which);
        }
    }

    /// Now it is known what there is to do.
    fn known(&mut self, cx: &mut Context<'_>, answer: &Answer) {
        let Some(at) = self.way(answer.number) else {
            return;
        };
        let Some(&(from, to)) = self.config.ways.get(at) else {
            return;
        };
        let sides = &self.config.sides;
        let (Some(one), Some(other)) = (sides.get(from), sides.get(to)) else {
            return;
        };
        let (one_chain, there) = (one.chain, other.chain);
        let patience = [other.patience, one.patience];
        let Some(way) = self.ways.get_mut(at) else {
            return;
        };
        let Some(listed) = way.look.as_ref().and_then(|look| look.listed.clone()) else {
            return;
        };
        let (mut deliver, mut received, mut late) = (Vec::new(), Vec::new(), Vec::new());
        // Each way has another relay that acts first.
        let turn = (self.config.place + at) % self.config.count.max(1);
        for (number, proof) in answer.numbers.iter() {
            let shown = listed.numbers.iter().find(|(n, _)| n == number);
            let packet = shown.and_then(|(_, proof)| Packet::decode(proof.claims()?).ok());
            let (Some((_, sent)), Some(packet)) = (shown, packet) else {
                continue;
            };
            let root = &answer.header.state_root;
            let Some(came) = proof.shows_value(root, &in_key(one_chain, *number)) else {
                continue;
            };
            let over = answer.header.time_ns >= packet.deadline_ns;
            let deed = if came.is_some() || over {
                Deed::Settle
            } else {
                Deed::Deliver
            };
            let waits = patience[usize::from(deed == Deed::Settle)];
            let now = cx.now();
            let task = way.tasks.entry((deed, *number)).or_insert(Task {
                since: now,
                done: None,
            });
            let due = match task.done {
                Some(done) => now.since(done) >= waits,
                None => now.since(task.since) >= waits.times(turn as u64),
            };
            if !due {
                continue;
            }
            match (deed, came.is_some()) {
                (Deed::Deliver, _) => deliver.push((*number, sent.clone())),
                (Deed::Settle, true) => received.push((*number, proof.clone())),
                (Deed::Settle, false) => late.push((*number, proof.clone())),
            }
        }
        if let Some(look) = way.look.as_mut() {
            let number = look.number;
            let gather = |header: &Header, proven: [Vec<Proven>; 2]| {
                let any = proven.iter().any(|list| !list.is_empty());
                any.then(|| Gathering {
                    asked: Attest {
                        number,
                        chain: header.chain,
                        height: header.height,
                        id: header.id(),
                    },
                    header: header.clone(),
                    signatures: BTreeMap::new(),
                    proven,
                })
            };
            look.deliver = gather(&listed.header, [deliver, Vec::new()]);
            look.settle = gather(&answer.header, [received, late]);
            let asks = [&look.deliver, &look.settle].into_iter().flatten();
            let asks: Vec<Attest> = asks.map(|gathering| gathering.asked).collect();
            if asks.is_empty() {
                return self.end(cx, at);
            }
            for (asked, side) in asks.into_iter().filter_map(|asked| {
                let side = sides.iter().find(|side| side.chain == asked.chain)?;
                Some((asked, side))
            }) {
                debug_assert!(asked.chain == one_chain || asked.chain == there);
                cx.multicast(&side.members, Arc::new(Message::Attest(asked)));
            }
        }
    }

    /// A member stands by a header.
    fn attested(&mut self, cx: &mut Context<'_>, asked: &Attest, signature: &Signature) {
        let Some(at) = self.way(asked.number) else {
            return;
        };
        let Some(side) = self
            .side(asked.chain)
            .and_then(|s| self.config.sides.get(s))
        else {
            return;
        };
        let look = self.ways.get_mut(at).and_then(|way| way.look.as_mut());
        let Some(look) = look else { return };
        let deed = match (&look.deliver, &look.settle) {
            (Some(deliver), _) if deliver.asked == *asked => Deed::Deliver,
            (_, Some(settle)) if settle.asked == *asked => Deed::Settle,
            _ => return,
        };
        let slot = match deed {
            Deed::Deliver => &mut look.deliver,
            Deed::Settle => &mut look.settle,
        };
        let Some(gathering) = slot.as_mut() else {
            return;
        };
        let sequence = gathering.header.sequence;
        let statement = vote_statement(asked.chain, ATTESTS, 0, sequence, &asked.id);
        cx.work(Work::verify(1));
        let member = side.members.contains(&NodeId(signature.key.0));
        if !member || !side.keys.verify(&statement, signature) {
            return;
        }
        gathering.signatures.insert(signature.key, *signature);
        if gathering.signatures.len() < side.quorum {
            return;
        }
        let Some(gathering) = slot.take() else { return };
        let over = look.deliver.is_none() && look.settle.is_none();
        self.submit(cx, at, deed, gathering);
        if over {
            self.end(cx, at);
        }
    }

    /// Brings what is proven to the chain that it is for.
    fn submit(&mut self, cx: &mut Context<'_>, at: usize, deed: Deed, gathering: Gathering) {
        let Some(&(from, to)) = self.config.ways.get(at) else {
            return;
        };
        let side = if deed == Deed::Deliver { to } else { from };
        let Gathering {
            header,
            asked,
            signatures,
            proven: [first, second],
        } = gathering;
        let now = cx.now();
        if let Some(way) = self.ways.get_mut(at) {
            for (number, _) in first.iter().chain(&second) {
                if let Some(task) = way.tasks.get_mut(&(deed, *number)) {
                    task.done = Some(now);
                }
            }
        }
        debug_assert!(first.len() + second.len() <= 2 * MAX_PACKETS);
        let shown = Box::new(Attested {
            certificate: Certificate {
                kind: ATTESTS,
                view: 0,
                sequence: header.sequence,
                digest: asked.id,
                signatures: signatures.into_values().collect(),
                links: Arc::default(),
            },
            header,
        });
        let command = match deed {
            Deed::Deliver => Command::Deliver {
                shown,
                packets: first,
            },
            Deed::Settle => Command::Settle {
                shown,
                received: first,
                late: second,
            },
        };
        // A relay that comes back has forgotten its numbers, and begins above them.
        let by_clock = now.since(Time::ZERO).nanos() / Span::from_millis(1).nanos();
        self.last_tx = (self.last_tx + 1).max(by_clock);
        let number = self.last_tx;
        let Some(of) = self.config.sides.get(side) else {
            return;
        };
        let id = TxId {
            origin: cx.node(),
            number,
        };
        let op = OpId(u64::from(cx.node().0) << 32 | (number & u64::from(u32::MAX)));
        let tx = Tx::new(id, of.chain, op, command.body(), &of.key);
        cx.work(Work::sign(1));
        cx.work(Work::hash(tx.encoded_len()));
        if let Some(member) = self.member(side) {
            cx.send(member, Arc::new(NodeMessage::Request(Arc::new(tx))));
        }
    }

    fn start(&mut self, cx: &mut Context<'_>) {
        for side in &self.config.sides {
            let hello = NodeMessage::Hello(side.certificate);
            cx.multicast(&side.members, Arc::new(hello));
        }
        self.look(cx);
    }

    /// A member wants to know who this is.
    fn identify(&self, cx: &mut Context<'_>, from: NodeId) {
        let on = self.config.sides.iter();
        let on = on.filter(|side| side.members.contains(&from));
        for side in on {
            cx.send(from, Arc::new(NodeMessage::Hello(side.certificate)));
        }
    }
}

impl Process for Relay {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Start | Event::Recover(_) => self.start(cx),
            Event::Timer(LOOK) => self.look(cx),
            Event::Message { from, payload } => {
                if let Some(NodeMessage::Identify) = payload.as_any().downcast_ref() {
                    return self.identify(cx, from);
                }
                match payload.as_any().downcast_ref::<Message>() {
                    Some(Message::News(news)) => self.news(cx, news),
                    Some(Message::Listed(answer)) => self.listed(cx, answer),
                    Some(Message::Known(answer)) => self.known(cx, answer),
                    Some(Message::Attested { asked, signature }) => {
                        self.attested(cx, asked, signature);
                    }
                    _ => {}
                }
            }
            Event::Timer(_) | Event::Persisted(_) | Event::Request(_) | Event::Scrubbed(_) => {}
        }
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        if let Ok(message) = NodeMessage::decode(bytes) {
            return Ok(Arc::new(message));
        }
        Ok(Arc::new(Message::decode(bytes)?))
    }
}
