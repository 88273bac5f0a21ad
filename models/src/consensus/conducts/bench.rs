#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! A member that says what it hears, and a behaviour between it and the others: for the tests of behaviours.

use super::{Tongue, Word};
use crate::adversary::{Behaviour, Conduct, Means, Move, Traitor};
use crate::consensus::proposal::{FIRST, SECOND};
use crate::consensus::{Ballot, BlockLimits, Proposal};
use crate::ledger::merkle;
use consim_core::{
    Batch, Certificate, ChainId, Committed, Context, Digest, Effect, Effects, Event, Keyring,
    NodeId, OpId, Payload, Probe, Process, SecretKey, Signature, Span, Time, Tx, TxId,
};
use std::sync::Arc;

pub(in crate::consensus) const CHAIN: ChainId = ChainId(3);
pub(in crate::consensus) const ME: NodeId = NodeId(0);
/// Where everything happens.
pub(in crate::consensus) const SEQUENCE: u64 = 5;

/// A protocol as the tests see it.
#[derive(Clone, Copy)]
pub(in crate::consensus) struct Speech {
    pub(super) protocol: &'static str,
    /// Its behaviours.
    pub(super) conducts: &'static [&'static str],
    pub(super) build: fn(&Conduct, &Means) -> Option<Box<dyn Behaviour>>,
    pub(super) read: fn(&Means, &Arc<dyn Payload>) -> Option<Word>,
    pub(super) say: fn(&Means, Word) -> Arc<dyn Payload>,
}

impl Speech {
    pub(in crate::consensus) fn of<T: Tongue>(
        protocol: &'static str,
        conducts: &'static [&'static str],
        build: fn(&Conduct, &Means) -> Option<Box<dyn Behaviour>>,
    ) -> Self {
        Self {
            protocol,
            conducts,
            build,
            read: T::read,
            say: T::say,
        }
    }
}

/// Says what it hears to all members, as it is.
struct Mouth(Arc<[NodeId]>);
impl Process for Mouth {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        if let Event::Message { payload, .. } = event {
            cx.multicast(&self.0, Arc::clone(payload));
        }
    }
}

/// Four members, of whom node 0 is a traitor.
pub(in crate::consensus) struct World {
    pub(in crate::consensus) keys: Keyring,
    pub(in crate::consensus) secrets: Vec<Arc<SecretKey>>,
    pub(in crate::consensus) accomplices: Vec<NodeId>,
    pub(super) speech: Speech,
}

/// What was said, to whom, and how often that counts.
pub(in crate::consensus) type Said = (Vec<(u32, Arc<dyn Payload>)>, u64);

impl World {
    pub(in crate::consensus) fn new(speech: Speech) -> Self {
        let (keys, secrets) = Keyring::generate(5, 1);
        Self {
            keys,
            secrets: secrets.into_iter().map(Arc::new).collect(),
            accomplices: vec![ME],
            speech,
        }
    }
    pub(in crate::consensus) fn means(&self) -> Means {
        Means {
            node: ME,
            chain: CHAIN,
            members: (0..4).map(NodeId).collect(),
            accomplices: self.accomplices.clone().into(),
            quorum: 3,
            administrator: None,
            phantoms: [].into(),
            certified: None,
            block: BlockLimits {
                transactions: 10,
                bytes: 1_000,
                wait: Span::ZERO,
            },
            timeout: Span::from_millis(1_000),
            key: Arc::clone(&self.secrets[0]),
            stolen: [].into(),
            keys: self.keys.clone(),
            draws: 5,
        }
    }
    pub(in crate::consensus) fn tx(&self, origin: u32, number: u64) -> Arc<Tx> {
        let id = TxId {
            origin: NodeId(origin),
            number,
        };
        let key = &self.secrets[origin as usize];
        Arc::new(Tx::new(id, CHAIN, OpId(number), Arc::new([1]), key))
    }
    pub(in crate::consensus) fn batch(&self) -> Batch {
        let txs: Arc<[_]> = Arc::new([self.tx(1, 1), self.tx(2, 1)]);
        let leaves: Vec<_> = txs.iter().map(|tx| tx.digest()).collect();
        Batch::new(ME, 100, txs, merkle::root(&leaves))
    }
    /// A vote in view 0.
    pub(in crate::consensus) fn ballot(&self, kind: u8, signer: usize, digest: Digest) -> Ballot {
        Ballot::sign(CHAIN, kind, 0, SEQUENCE, digest, &self.secrets[signer])
    }
    /// What three members say to a batch in view 0.
    pub(in crate::consensus) fn certificate(&self, kind: u8, digest: Digest) -> Certificate {
        let signatures = (0..3).map(|i| self.ballot(kind, i, digest).signature);
        Certificate {
            kind,
            view: 0,
            sequence: SEQUENCE,
            digest,
            signatures: signatures.collect(),
            links: Arc::default(),
        }
    }
    pub(in crate::consensus) fn committed(&self) -> Committed {
        let batch = Arc::new(self.batch());
        Committed {
            chain: CHAIN,
            sequence: SEQUENCE,
            certificate: self.certificate(SECOND, batch.digest()),
            batch,
        }
    }
    /// Does this prove what it says?
    pub(in crate::consensus) fn holds(&self, certificate: &Certificate) -> bool {
        let means = self.means();
        certificate.verify(CHAIN, &means.members, means.quorum, &means.keys)
    }
    /// The traitor's proposal of a batch in view 0.
    pub(super) fn proposal(&self, batch: &Arc<Batch>) -> Word {
        let signature: Signature = self.ballot(FIRST, 0, batch.digest()).signature;
        let proposal = Proposal::new(0, SEQUENCE, Arc::clone(batch), signature);
        Word::Proposal(Arc::new(proposal))
    }
    pub(in crate::consensus) fn traitor(&self, conduct: &Conduct) -> Traitor {
        let means = self.means();
        let members = Arc::clone(&means.members);
        let behaviour = (self.speech.build)(conduct, &means);
        Traitor::new(
            Box::new(Mouth(members)),
            vec![Move {
                attack: 0,
                windows: Arc::new([(Time::ZERO, Time::MAX)]),
                behaviour: behaviour.expect("a behaviour of this protocol"),
            }],
        )
    }
    /// What the traitor makes of this word of its honest half.
    pub(super) fn hear(&self, traitor: &mut Traitor, word: Word) -> Said {
        say(traitor, &(self.speech.say)(&self.means(), word))
    }
    pub(super) fn word(&self, payload: &Arc<dyn Payload>) -> Word {
        (self.speech.read)(&self.means(), payload).expect("a message of this protocol")
    }
}

/// What the traitor makes of a message of its honest half.
pub(in crate::consensus) fn say(traitor: &mut Traitor, payload: &Arc<dyn Payload>) -> Said {
    let mut effects = Effects::default();
    let (mut rng, mut slot) = (|| panic!("no randomness here"), None);
    let now = Time::from_nanos(1);
    let mut cx = Context::new(now, 0, ME, &mut effects, &mut rng, &mut slot);
    let from = NodeId(1);
    traitor.handle(&mut cx, Event::Message { from, payload });
    let mut sent = Vec::new();
    for effect in effects.list {
        match effect {
            Effect::Send { to, payload } => sent.push((to.0, payload)),
            Effect::Multicast { to, payload } => {
                let to = to.iter().filter(|&&n| n != ME);
                sent.extend(to.map(|n| (n.0, Arc::clone(&payload))));
            }
            _ => {}
        }
    }
    let times = effects.probes.iter().map(|probe| match probe {
        Probe::Misbehaved { times, .. } => *times,
        _ => 0,
    });
    (sent, times.sum())
}
