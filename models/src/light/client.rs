//! The process of a light client.

use super::marks;
use super::message::{Body, Message};
use super::proof::{LightProof, Wish};
use super::verifier::{Refusal, Trusted, Verifier};
use consim_core::{
    CodecError, Context, Disk, Event, NodeId, Payload, Probe, Process, Span, TimerKey, Work, Write,
    WriteToken,
};
use std::sync::Arc;

/// The next look at the chain.
const LOOK: TimerKey = TimerKey(1);
/// The table whose cell 0 holds what is trusted.
const TRUSTED: u8 = 1;
/// Every write has this token: nothing waits for it.
const WRITTEN: WriteToken = WriteToken(1);

/// What a light client is told.
#[derive(Clone, Debug)]
pub struct LightConfig {
    /// What it knows of the chain.
    pub verifier: Verifier,
    /// What it trusts at first.
    pub genesis: Trusted,
    /// A node that it believes once, at first, in place of the genesis being young enough.
    pub believes: Option<NodeId>,
    /// Whom it asks: the first is its primary, the ones after it are its witnesses.
    pub full_nodes: Arc<[NodeId]>,
    /// How many witnesses it compares with.
    pub witnesses: usize,
    /// From one look at the chain to the next.
    pub period: Span,
    /// May changes of the members be skipped?
    pub skipping: bool,
}

/// A decision that the primary showed, and what the witnesses say of it.
#[derive(Debug)]
struct Candidate {
    trusted: Trusted,
    proof: Arc<LightProof>,
    /// Witnesses that have not answered.
    open: Vec<NodeId>,
    /// How many said the same.
    agree: usize,
}

/// One look at the chain.
#[derive(Debug)]
struct Look {
    /// The number of its questions.
    number: u64,
    /// The node that is asked first.
    primary: NodeId,
    /// May changes be skipped this time?
    skipping: bool,
    candidate: Option<Candidate>,
}

/// A light client.
#[derive(Debug)]
pub struct LightClient {
    config: LightConfig,
    trusted: Trusted,
    /// The node that it still has to believe once.
    believes: Option<NodeId>,
    /// The place of the primary among the full nodes.
    primary: usize,
    looks: u64,
    look: Option<Look>,
    /// Bytes that came since the last decision that it accepted.
    fetched: u64,
    /// It was attacked, and believes nobody any more.
    halted: bool,
}

impl LightClient {
    /// One that has not started.
    pub fn new(config: LightConfig) -> Self {
        Self {
            trusted: config.genesis.clone(),
            believes: config.believes,
            config,
            primary: 0,
            looks: 0,
            look: None,
            fetched: 0,
            halted: false,
        }
    }

    /// What it trusts.
    pub fn trusted(&self) -> &Trusted {
        &self.trusted
    }

    fn open(&mut self, cx: &mut Context<'_>, disk: Option<&Disk>) {
        let kept = disk.and_then(|disk| disk.cell(TRUSTED, 0));
        if let Some(kept) = kept.and_then(|kept| kept.as_any().downcast_ref::<Trusted>()) {
            cx.reached(&marks::CAME_BACK_TRUSTING);
            self.trusted = kept.clone();
            self.believes = None;
        }
        self.look(cx);
    }

    /// The full node `after` so many others, counted round.
    fn full_node(&self, after: usize) -> NodeId {
        let all = &self.config.full_nodes;
        let node = all.get((self.primary + after) % all.len().max(1));
        node.copied().unwrap_or_default()
    }

    /// Another one is the primary.
    fn replace_primary(&mut self, cx: &mut Context<'_>) {
        cx.reached(&marks::PRIMARY_REPLACED);
        self.primary = (self.primary + 1) % self.config.full_nodes.len().max(1);
    }

    /// Looks at the chain. A look that is not over has failed, unless a witness said the same.
    fn look(&mut self, cx: &mut Context<'_>) {
        cx.set_timer(LOOK, self.config.period);
        if self.halted {
            return;
        }
        if let Some(look) = self.look.take() {
            match look.candidate {
                Some(candidate) if candidate.agree > 0 => self.accept(cx, candidate),
                Some(_) => {
                    cx.reached(&marks::NO_WITNESS);
                    self.replace_primary(cx);
                }
                None if self.believes.is_none() => self.replace_primary(cx),
                None => {}
            }
        }
        self.ask(cx, self.config.skipping);
    }

    fn ask(&mut self, cx: &mut Context<'_>, skipping: bool) {
        self.looks += 1;
        let primary = self.believes.unwrap_or_else(|| self.full_node(0));
        let look = Look {
            number: self.looks,
            primary,
            skipping,
            candidate: None,
        };
        self.fetch(cx, primary, &look, 0);
        self.look = Some(look);
    }

    fn fetch(&self, cx: &mut Context<'_>, from: NodeId, look: &Look, sequence: u64) {
        let wish = Wish {
            sequence,
            trusted: self.trusted.sequence,
            change: self.trusted.validators.change,
            skipping: look.skipping,
        };
        let number = look.number;
        cx.send(from, self.message(Body::Fetch { number, wish }));
    }

    fn message(&self, body: Body) -> Arc<dyn Payload> {
        let chain = self.config.verifier.chain;
        Arc::new(Message { chain, body })
    }

    fn refused(&self, cx: &mut Context<'_>, from: NodeId, why: Refusal) {
        cx.emit(Probe::LightRefused {
            chain: self.config.verifier.chain,
            from,
            reason: why.words(),
        });
    }

    /// What a proof makes of the present trust.
    fn verify(
        &self,
        cx: &mut Context<'_>,
        proof: &LightProof,
        believed: bool,
    ) -> Result<Trusted, Refusal> {
        let (verifier, now_ns) = (&self.config.verifier, cx.wall_ns());
        let mut work = Work::NONE;
        let result = if believed {
            verifier.follow(&self.trusted, proof, now_ns, &mut work)
        } else {
            verifier.verify(&self.trusted, proof, now_ns, &mut work)
        };
        cx.work(work);
        result
    }

    fn proof(&mut self, cx: &mut Context<'_>, from: NodeId, number: u64, proof: &Arc<LightProof>) {
        let Some(look) = self.look.as_ref().filter(|look| look.number == number) else {
            return;
        };
        match &look.candidate {
            None if look.primary == from => self.shown(cx, from, proof),
            Some(candidate) if candidate.open.contains(&from) => self.compared(cx, from, proof),
            _ => {}
        }
    }

    /// The primary shows a decision.
    fn shown(&mut self, cx: &mut Context<'_>, from: NodeId, proof: &Arc<LightProof>) {
        let Some(mut look) = self.look.take() else {
            return;
        };
        let believed = self.believes == Some(from);
        match self.verify(cx, proof, believed) {
            // There is nothing new, or it keeps it to itself.
            Err(Refusal::NotLater) => self.replace_primary(cx),
            Err(why @ (Refusal::TrustLevel | Refusal::NotInState)) if look.skipping => {
                cx.reached(&marks::SKIP_REFUSED);
                self.refused(cx, from, why);
                self.ask(cx, false);
            }
            Err(why) => {
                self.refused(cx, from, why);
                if why != Refusal::Expired {
                    self.replace_primary(cx);
                }
            }
            Ok(trusted) => {
                let others = self.config.full_nodes.len().saturating_sub(1);
                let witnesses = if believed {
                    0
                } else {
                    self.config.witnesses.min(others)
                };
                let open: Vec<NodeId> = (1..=witnesses).map(|i| self.full_node(i)).collect();
                for &witness in &open {
                    self.fetch(cx, witness, &look, trusted.sequence);
                }
                let candidate = Candidate {
                    trusted,
                    proof: Arc::clone(proof),
                    open,
                    agree: 0,
                };
                if candidate.open.is_empty() {
                    self.believes = None;
                    return self.accept(cx, candidate);
                }
                look.candidate = Some(candidate);
                self.look = Some(look);
            }
        }
    }

    /// A witness shows the decision that the primary showed, or another one.
    fn compared(&mut self, cx: &mut Context<'_>, from: NodeId, proof: &Arc<LightProof>) {
        let verified = self.verify(cx, proof, false);
        let Some(candidate) = self.look.as_mut().and_then(|look| look.candidate.as_mut()) else {
            return;
        };
        let asked = proof.sequence() == candidate.trusted.sequence;
        match verified {
            Ok(other) if asked && other.batch != candidate.trusted.batch => {
                let one = Arc::clone(&candidate.proof);
                return self.attacked(cx, &one, proof);
            }
            Ok(_) if asked => candidate.agree += 1,
            Ok(_) => {}
            Err(why) => self.refused(cx, from, why),
        }
        self.answered(cx, from);
    }

    /// A witness has answered; with the last the look is over, if any of them said the same.
    fn answered(&mut self, cx: &mut Context<'_>, from: NodeId) {
        let look = self.look.as_mut();
        let Some(candidate) = look.and_then(|look| look.candidate.as_mut()) else {
            return;
        };
        candidate.open.retain(|witness| *witness != from);
        if candidate.open.is_empty()
            && candidate.agree > 0
            && let Some(candidate) = self.look.take().and_then(|look| look.candidate)
        {
            self.accept(cx, candidate);
        }
    }

    fn accept(&mut self, cx: &mut Context<'_>, candidate: Candidate) {
        self.trusted = candidate.trusted;
        if candidate.proof.skip.is_some() {
            cx.reached(&marks::SKIPPED);
        }
        let value: Arc<dyn Payload> = Arc::new(self.trusted.clone());
        cx.persist(WRITTEN, vec![Write::cell(TRUSTED, 0, value)]);
        cx.emit(Probe::LightAccepted {
            chain: self.config.verifier.chain,
            sequence: self.trusted.sequence,
            batch: self.trusted.batch,
            fetched: std::mem::take(&mut self.fetched),
        });
    }

    /// Two decisions of one number are proven: everybody is told, and nobody is believed any more.
    fn attacked(&mut self, cx: &mut Context<'_>, one: &Arc<LightProof>, other: &Arc<LightProof>) {
        self.halted = true;
        self.look = None;
        let body = Body::Conflict {
            one: Arc::clone(one),
            other: Arc::clone(other),
        };
        cx.multicast(&self.config.full_nodes, self.message(body));
        cx.emit(Probe::LightConflict {
            chain: self.config.verifier.chain,
            sequence: one.sequence(),
            signed_both: signed_both(one, other),
        });
    }
}

/// Whose keys signed two things of one place in the two proofs, ascending.
fn signed_both(one: &LightProof, other: &LightProof) -> Arc<[consim_core::KeyId]> {
    let mut keys = Vec::new();
    for a in one.certificates() {
        for b in other.certificates() {
            let same = (a.kind, a.view, a.sequence) == (b.kind, b.view, b.sequence);
            if same && a.digest != b.digest {
                let of_b: Vec<_> = b.signatures.iter().map(|s| s.key).collect();
                let both = a.signatures.iter().map(|s| s.key);
                keys.extend(both.filter(|key| of_b.contains(key)));
            }
        }
    }
    keys.sort_unstable();
    keys.dedup();
    keys.into()
}

impl Process for LightClient {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Start => self.open(cx, None),
            Event::Recover(disk) => self.open(cx, Some(disk)),
            Event::Timer(LOOK) => self.look(cx),
            Event::Message { from, payload } => {
                let Some(message) = payload.as_any().downcast_ref::<Message>() else {
                    return;
                };
                if message.chain != self.config.verifier.chain {
                    return;
                }
                self.fetched += message.encoded_len() as u64;
                match &message.body {
                    Body::Proof { number, proof } => self.proof(cx, from, *number, proof),
                    Body::Absent { number } => {
                        let look = self.look.as_ref().filter(|look| look.number == *number);
                        if look.is_some_and(|look| look.candidate.is_some()) {
                            cx.reached(&marks::WITNESS_BEHIND);
                            self.answered(cx, from);
                        }
                    }
                    Body::Fetch { .. } | Body::Conflict { .. } => {}
                }
            }
            Event::Timer(_) | Event::Persisted(_) | Event::Request(_) => {}
            Event::Scrubbed(disk) => {
                // What is in memory is written again.
                if disk.any_damaged(TRUSTED) {
                    let value: Arc<dyn Payload> = Arc::new(self.trusted.clone());
                    cx.persist(WRITTEN, vec![Write::cell(TRUSTED, 0, value)]);
                }
            }
        }
    }
    fn decode(&self, bytes: &[u8]) -> Result<Arc<dyn Payload>, CodecError> {
        Ok(Arc::new(Message::decode(bytes)?))
    }
}
