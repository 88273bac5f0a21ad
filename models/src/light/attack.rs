//! K8, `fake-header`, and what K7, `long-range`, is to light clients: full nodes that show them decisions that nobody
//! took, as far as the keys at hand go. All nodes of an adversary make up the same.

use super::message::{Body, Message};
use super::proof::{BatchHead, Decision, LightProof, Skip, Wish};
use super::verifier::Certified;
use crate::adversary::{Behaviour, HeaderLie, Hears, Means, Out, Says, To};
use crate::consensus::{CheckpointHead as _, MemberChange, StateHead};
use crate::ledger::{WorldState, merkle};
use consim_core::chain::{Link, chained, vote_statement};
use consim_core::{
    Batch, Certificate, Committed, Digest, Header, KeyId, NodeId, Payload, SecretKey, Signature, Tx,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The adversary's clock, to which all its nodes round the times that they make up (assumed).
const ROUND_NS: i64 = 10_000_000_000;

/// A full node that shows what was never decided.
pub(crate) struct FakeHeader {
    means: Means,
    certified: Certified,
    lie: HeaderLie,
    /// What each client asked for last.
    asked: BTreeMap<NodeId, (u64, Wish)>,
}

impl FakeHeader {
    /// `None` where decisions have no certificates.
    pub(crate) fn new(means: &Means, lie: HeaderLie) -> Option<Self> {
        Some(Self {
            certified: means.certified?,
            means: means.clone(),
            lie,
            asked: BTreeMap::new(),
        })
    }

    fn certificate(
        &self,
        keys: &[Arc<SecretKey>],
        kind: u8,
        view: u64,
        sequence: u64,
        digest: Digest,
    ) -> Certificate {
        let links: Arc<[Link]> = match chained(kind) {
            Some(phases) => proposals(view, sequence, digest, phases),
            None => Arc::default(),
        };
        let chain = self.means.chain;
        let statement = match links.last() {
            Some(last) => vote_statement(chain, kind, last.view, 0, &last.id()),
            None => vote_statement(chain, kind, view, sequence, &digest),
        };
        let signatures: Vec<Signature> = keys.iter().map(|key| key.sign(&statement)).collect();
        Certificate {
            kind,
            view,
            sequence,
            digest,
            signatures: signatures.into(),
            links,
        }
    }

    /// A decision of this number for a batch that nobody put forward, with a time that goes with it.
    fn decision(
        &self,
        keys: &[Arc<SecretKey>],
        (view, sequence): (u64, u64),
        time_ns: i64,
    ) -> Decision {
        let head = BatchHead {
            proposer: self.means.accomplices.first().copied().unwrap_or_default(),
            time_ns,
            txs: 1,
            tx_root: Digest::of_parts(&[b"consim fake header", &sequence.to_be_bytes()]),
        };
        let kind = self.certified.decides;
        Decision {
            certificate: self.certificate(keys, kind, view, sequence, head.digest()),
            head,
        }
    }

    /// What the client is shown in place of `honest`, which is what this node would have shown.
    fn forge(&self, wish: &Wish, honest: Option<&LightProof>, now_ns: i64) -> Option<LightProof> {
        let rounded = now_ns - now_ns.rem_euclid(ROUND_NS);
        match self.lie {
            HeaderLie::Lunatic => {
                let honest = honest?;
                let place = (honest.decision.certificate.view, honest.sequence());
                let time_ns = honest.decision.head.time_ns;
                Some(LightProof {
                    decision: self.decision(&self.means.held(), place, time_ns),
                    ..honest.clone()
                })
            }
            HeaderLie::Past => {
                // What former members have of the chain may be long behind.
                let latest = honest.map_or(0, LightProof::sequence);
                let sequence = if wish.sequence > 0 {
                    wish.sequence
                } else {
                    latest.max(wish.trusted + 1)
                };
                Some(LightProof {
                    skip: None,
                    links: Vec::new(),
                    decision: self.decision(&self.means.held(), (0, sequence), rounded),
                })
            }
            HeaderLie::Phantom { administrator } => {
                self.phantom(wish, honest, rounded, administrator)
            }
        }
    }

    /// Members that there are not: who is not the adversary's is put out, and its other nodes are put in.
    fn phantom(
        &self,
        wish: &Wish,
        honest: Option<&LightProof>,
        time_ns: i64,
        stolen: bool,
    ) -> Option<LightProof> {
        let means = &self.means;
        let administrator = means.administrator?;
        let mut keys = self.means.held();
        let held: Vec<NodeId> = keys.iter().map(|key| means.keys.owner(key.id())).collect();
        let change = MemberChange {
            number: wish.change + 1,
            add: means
                .phantoms
                .iter()
                .map(|key| NodeId(key.id().0))
                .collect(),
            remove: (means.members.iter().copied())
                .filter(|node| !held.contains(node))
                .collect(),
            renew: Vec::new(),
        };
        let tx = self.change(&change, administrator, stolen)?;
        let interval = self.certified.interval.max(1);
        let latest = honest.map_or(wish.trusted + 1, LightProof::sequence);
        let asked = if wish.sequence > 0 {
            wish.sequence
        } else {
            latest
        };
        // The checkpoint before it; of the future, if there is none that the client would take for new.
        let mut checkpoint = asked.saturating_sub(1) / interval * interval;
        if wish.skipping && checkpoint <= wish.trusted {
            checkpoint = (wish.trusted / interval + 1) * interval;
        }
        let (skip, links, sequence) = if wish.skipping {
            let sequence = asked.max(checkpoint + 1);
            let mut all = keys.clone();
            all.extend(means.phantoms.iter().cloned());
            all.sort_by_key(|key| key.id());
            let skip = self.lunatic_checkpoint(&all, &tx, checkpoint, time_ns);
            (Some(skip), Vec::new(), sequence)
        } else {
            let at = asked.saturating_sub(1).max(wish.trusted + 1);
            let link = self.lunatic_link(&keys, &tx, at, time_ns);
            (None, vec![Arc::new(link)], at + 1)
        };
        keys.extend(means.phantoms.iter().cloned());
        keys.sort_by_key(|key| key.id());
        Some(LightProof {
            skip,
            links,
            decision: self.decision(&keys, (0, sequence), time_ns),
        })
    }

    /// A change with the administrator's name, and its signature if its key was stolen.
    fn change(&self, change: &MemberChange, name: KeyId, stolen: bool) -> Option<Arc<Tx>> {
        let means = &self.means;
        if stolen {
            let key = means.keys.steal(name)?;
            return Some(Arc::new(change.signed(means.chain, &key)));
        }
        let own = change.signed(means.chain, &means.key);
        let (id, body) = (
            MemberChange::id(name, change.number),
            Arc::clone(own.body()),
        );
        let tx = Tx::new(id, means.chain, own.op(), body, &means.key);
        Some(Arc::new(tx))
    }

    /// A checkpoint with a state in which nothing is but that the changes up to this one were executed.
    fn lunatic_checkpoint(
        &self,
        keys: &[Arc<SecretKey>],
        tx: &Arc<Tx>,
        sequence: u64,
        time_ns: i64,
    ) -> Skip {
        let number = tx.id().number;
        let marks = (1..=number).map(|n| {
            let id = consim_core::TxId {
                number: n,
                ..tx.id()
            };
            (id, n)
        });
        let state = WorldState::of_executed(marks);
        let root = state.root();
        let head = StateHead {
            header: Some(Header {
                chain: self.means.chain,
                height: number + 1,
                sequence,
                parent: Digest::ZERO,
                batch: Digest::ZERO,
                tx_root: Digest::ZERO,
                state_root: root,
                time_ns,
                tx_count: 1,
            }),
            root,
        };
        let next = consim_core::TxId {
            number: number + 1,
            ..tx.id()
        };
        let kind = self.certified.checkpoint;
        Skip {
            certificate: self.certificate(keys, kind, 0, sequence, head.digest()),
            head,
            changes: vec![Arc::clone(tx)],
            executed: vec![state.prove_executed(tx.id())],
            next: state.prove_executed(next),
        }
    }

    /// A block that holds the change alone.
    fn lunatic_link(
        &self,
        keys: &[Arc<SecretKey>],
        tx: &Arc<Tx>,
        sequence: u64,
        time_ns: i64,
    ) -> Committed {
        let root = merkle::root(&[tx.digest()]);
        let proposer = self.means.accomplices.first().copied();
        let txs = vec![Arc::clone(tx)].into();
        let batch = Batch::new(proposer.unwrap_or_default(), time_ns, txs, root);
        let kind = self.certified.decides;
        Committed {
            chain: self.means.chain,
            sequence,
            certificate: self.certificate(keys, kind, 0, sequence, batch.digest()),
            batch: Arc::new(batch),
        }
    }
}

/// Proposals of consecutive views on top of a batch, as many as commit it.
fn proposals(view: u64, sequence: u64, batch: Digest, phases: usize) -> Arc<[Link]> {
    let mut links: Vec<Link> = Vec::new();
    for above in 0..phases as u64 {
        let parent = links.last().map_or(Digest::ZERO, Link::id);
        links.push(Link {
            view: view + above,
            sequence: sequence + above,
            parent,
            batch: if above == 0 { batch } else { Digest::ZERO },
            voters: Box::default(),
        });
    }
    links.into()
}

impl Behaviour for FakeHeader {
    fn hears(&mut self, _out: &mut Out<'_, '_>, from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        if let Some(message) = payload.as_any().downcast_ref::<Message>()
            && message.chain == self.means.chain
            && let Body::Fetch { number, wish } = message.body
        {
            self.asked.insert(from, (number, wish));
        }
        Hears::AsItIs
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let (To::One(client), Some(message)) = (to, payload.as_any().downcast_ref::<Message>())
        else {
            return Says::AsItIs;
        };
        let honest = match &message.body {
            Body::Proof { proof, .. } => Some(&**proof),
            Body::Absent { .. } => None,
            Body::Fetch { .. } | Body::Conflict { .. } => return Says::AsItIs,
        };
        let Some(&(number, wish)) = self.asked.get(&client) else {
            return Says::AsItIs;
        };
        let Some(proof) = self.forge(&wish, honest, out.wall_ns()) else {
            return Says::AsItIs;
        };
        out.count(1);
        let body = Body::Proof {
            number,
            proof: Arc::new(proof),
        };
        let chain = message.chain;
        out.send(client, Arc::new(Message { chain, body }));
        Says::Nothing
    }
}
