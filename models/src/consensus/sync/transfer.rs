//! State transfer: a replica that is far behind takes the state at a proven checkpoint over in place of
//! what led to it. The head is what the proof's digest covers, and each part is what the root in the head
//! commits to.

use super::blocks::MAX_BLOCK_BYTES;
use super::checkpoints::{CheckpointHead, Kept};
use super::{decode_option, encode_option, option_len};
use crate::ledger::state::parts::{Added, Assembly, Part, Prefix};
use crate::ledger::{Snapshot, WorldState};
use consim_core::{Certificate, CodecError, Context, Decoder, Encoder, Work};
use std::sync::Arc;

/// Parts of a state that are asked for at one time (assumed).
pub(in crate::consensus) const MAX_WANTED: usize = 64;

/// Parts of the state at a stable checkpoint.
#[derive(Clone, Debug)]
pub struct StateParts<H> {
    /// The checkpoint.
    pub sequence: u64,
    /// The last sequence number that the sender has executed.
    pub executed: u64,
    /// The proof of the sender's stable checkpoint.
    pub proof: Option<Arc<Certificate>>,
    /// The head, if no parts were asked for and the sender keeps this checkpoint.
    pub head: Option<Arc<H>>,
    /// The subtrees that were asked for, as many as one message may hold.
    pub parts: Vec<(Prefix, Part)>,
}

impl<H: CheckpointHead> StateParts<H> {
    /// The head, or as many of the parts as one message may hold. One that does not keep this checkpoint
    /// any more says which one it has.
    pub(in crate::consensus) fn of(
        kept: Option<&Kept<H>>,
        sequence: u64,
        wanted: &[Prefix],
        executed: u64,
        proof: Option<Arc<Certificate>>,
    ) -> Self {
        let mut room = MAX_BLOCK_BYTES;
        let mut parts = Vec::new();
        for prefix in wanted {
            let Some(part) = kept.and_then(|k| k.state.part(prefix, room / 2)) else {
                continue;
            };
            let bytes = prefix.encoded_len() + part.encoded_len();
            if bytes > room && !parts.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes);
            parts.push((prefix.clone(), part));
        }
        let head = kept.filter(|_| wanted.is_empty());
        Self {
            sequence,
            executed,
            proof,
            head: head.map(|k| Arc::clone(&k.head)),
            parts,
        }
    }
    pub(in crate::consensus) fn encoded_len(&self) -> usize {
        let head = self.head.as_ref().map_or(0, |head| head.encoded_len());
        let parts = self.parts.iter();
        let parts = parts.map(|(prefix, part)| prefix.encoded_len() + part.encoded_len());
        8 + 8 + option_len(self.proof.as_ref()) + 1 + head + 4 + parts.sum::<usize>()
    }
    pub(in crate::consensus) fn encode(&self, e: &mut Encoder<'_>) {
        e.u64(self.sequence).u64(self.executed);
        encode_option(e, self.proof.as_ref());
        e.u8(u8::from(self.head.is_some()));
        if let Some(head) = &self.head {
            head.encode(e);
        }
        e.list(self.parts.len());
        for (prefix, part) in &self.parts {
            prefix.encode(e);
            part.encode(e);
        }
    }
    pub(in crate::consensus) fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let (sequence, executed) = (d.u64()?, d.u64()?);
        let proof = decode_option(d)?;
        let head = d.boolean()?.then(|| H::decode(d)).transpose()?;
        let n = d.list(MAX_WANTED, 1 + 5)?;
        let parts = (0..n).map(|_| Ok((Prefix::decode(d)?, Part::decode(d)?)));
        Ok(Self {
            sequence,
            executed,
            proof,
            head: head.map(Arc::new),
            parts: parts.collect::<Result<_, CodecError>>()?,
        })
    }
}

/// The transfer under way, if there is one.
#[derive(Debug)]
pub(in crate::consensus) struct Transfer<H> {
    under_way: Option<UnderWay<H>>,
    /// What came of a transfer that a newer checkpoint overtook: most of it is in that one too.
    former: Option<WorldState>,
    /// Somebody who is ahead had no batches for this replica.
    no_blocks: bool,
    /// A state that is all here, and waits until this replica knows who decides after it.
    waits: Option<Taken<H>>,
}

#[derive(Debug)]
struct UnderWay<H> {
    sequence: u64,
    proof: Arc<Certificate>,
    /// The head and what is here of the state, once the head is here.
    state: Option<(Arc<H>, Assembly)>,
}

/// What to ask for next.
#[derive(Debug)]
pub(in crate::consensus) struct Wish {
    /// These parts; none: the head.
    pub(in crate::consensus) wanted: Vec<Prefix>,
    /// Was a transfer to an older checkpoint given up for it?
    pub(in crate::consensus) overtook: bool,
}

/// A state that is all here.
#[derive(Debug)]
pub(in crate::consensus) struct Taken<H> {
    pub(in crate::consensus) sequence: u64,
    pub(in crate::consensus) proof: Arc<Certificate>,
    pub(in crate::consensus) head: Arc<H>,
    pub(in crate::consensus) state: Arc<Snapshot>,
    /// Entries that came from others.
    pub(in crate::consensus) fetched: u64,
}

impl<H> Default for Transfer<H> {
    fn default() -> Self {
        Self {
            under_way: None,
            former: None,
            no_blocks: false,
            waits: None,
        }
    }
}

impl<H: CheckpointHead> Transfer<H> {
    pub(in crate::consensus) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }
    pub(in crate::consensus) fn blocks_are_gone(&mut self) {
        self.no_blocks = true;
    }
    /// Is a state to be taken over? Where what was `proven` is more than `most` batches ahead, or where
    /// nobody has these.
    pub(in crate::consensus) fn is_called_for(
        &self,
        proven: u64,
        executed: u64,
        most: u64,
    ) -> bool {
        proven > executed.saturating_add(most) || (self.no_blocks && proven > executed)
    }

    /// What to ask for of the state at `sequence`.
    pub(in crate::consensus) fn wish(&mut self, sequence: u64, proof: &Arc<Certificate>) -> Wish {
        let same = |u: &&UnderWay<H>| u.sequence == sequence;
        let state = self.under_way.as_ref().filter(same);
        if let Some((_, assembly)) = state.and_then(|u| u.state.as_ref()) {
            return Wish {
                wanted: assembly.wanted(MAX_WANTED),
                overtook: false,
            };
        }
        let fresh = UnderWay {
            sequence,
            proof: Arc::clone(proof),
            state: None,
        };
        let overtaken = self.under_way.replace(fresh);
        let former = overtaken.and_then(|u| u.state);
        let overtook = former.is_some();
        if let Some((_, assembly)) = former {
            self.former = Some(assembly.partial());
        }
        Wish {
            wanted: Vec::new(),
            overtook,
        }
    }

    /// Takes what is good of an answer: whether there was anything, or `None` if something was wrong.
    /// What `own` state has need not come. `believes` anything: only a seeded bug.
    pub(in crate::consensus) fn take(
        &mut self,
        cx: &mut Context<'_>,
        answer: &StateParts<H>,
        own: Option<WorldState>,
        believes: bool,
    ) -> Option<bool> {
        let Some(under_way) = &mut self.under_way else {
            return Some(false);
        };
        if answer.sequence != under_way.sequence {
            return Some(false);
        }
        let mut useful = false;
        if let (None, Some(head)) = (&under_way.state, &answer.head) {
            cx.work(Work::hash(head.encoded_len()));
            if head.digest() != under_way.proof.digest && !believes {
                return None;
            }
            let own = self.former.clone().or(own).unwrap_or_default();
            let assembly = Assembly::new(head.state().root, &own);
            under_way.state = Some((Arc::clone(head), assembly));
            useful = true;
        }
        let Some((_, assembly)) = &mut under_way.state else {
            return Some(useful);
        };
        for (prefix, part) in &answer.parts {
            match assembly.add(prefix, part) {
                Added::Good(bytes) => {
                    cx.work(Work::hash(bytes));
                    useful = true;
                }
                Added::Unasked => {}
                Added::Wrong(bytes) => {
                    cx.work(Work::hash(bytes));
                    return None;
                }
            }
        }
        Some(useful)
    }

    /// Does a state that is all here, and ahead of `executed`, wait? Then no other is asked for.
    pub(in crate::consensus) fn waits(&self, executed: u64) -> bool {
        let ahead = |taken: &Taken<H>| taken.sequence > executed;
        self.waits.as_ref().is_some_and(ahead)
    }
    /// Keeps a state until it can be taken over: [`Self::finish`] has it again.
    pub(in crate::consensus) fn wait_with(&mut self, taken: Taken<H>) {
        self.waits = Some(taken);
    }

    /// Once every part is here, and the state is ahead of `executed`: the state.
    pub(in crate::consensus) fn finish(&mut self, executed: u64) -> Option<Taken<H>> {
        if let Some(waits) = self.waits.take() {
            return Some(waits).filter(|taken| taken.sequence > executed);
        }
        let complete = |u: &UnderWay<H>| u.state.as_ref().is_some_and(|(_, a)| a.is_complete());
        let done = self.under_way.take_if(|u| complete(u))?;
        let (head, assembly) = done.state?;
        let state = assembly.finish().filter(|_| done.sequence > executed)?;
        self.no_blocks = false;
        self.former = None;
        let header = head.state().header.clone();
        Some(Taken {
            sequence: done.sequence,
            proof: done.proof,
            head,
            state: Arc::new(Snapshot { header, state }),
            fetched: assembly.fetched(),
        })
    }
}
