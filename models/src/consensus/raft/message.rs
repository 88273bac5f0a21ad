//! What replicas send each other, and its wire form.
//!
//! Every message begins with version, family, kind (3 bytes) and the chain (2 bytes).

use super::config::{MAX_ENTRIES, MAX_WANTED};
use super::log::Entry;
use super::membership::Configuration;
use crate::consensus::mempool::MAX_FORWARD;
use crate::consensus::{CheckpointHead as _, StateHead};
use crate::ledger::state::parts::{Part, Prefix};
use consim_core::{
    ChainId, CodecError, Decoder, Digest, Encoder, KeyId, NodeId, Payload, Signature, Tx, Vote,
};
use std::any::Any;
use std::sync::Arc;

/// The family byte of Raft's messages.
pub const FAMILY: u8 = 6;
/// The vote kind of votes for a candidate (the view is the term; the digest names the candidate).
pub const ELECTS: u8 = 17;
/// The vote kind of what a leader puts forward at an index in its term.
pub const PUTS_FORWARD: u8 = 18;

const HEAD: usize = 3 + 2;

/// A message of one chain.
#[derive(Debug)]
pub struct Message {
    /// The chain.
    pub chain: ChainId,
    /// The sender's term.
    pub term: u64,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Body {
    /// `RequestVote` (figure 2), or the question whether it would be granted (thesis, 9.6): then the
    /// term is the one that the sender would stand in.
    RequestVote {
        /// Only asked.
        pre: bool,
        /// The leader gave its place up: whoever has heard from it lately votes all the same.
        transfer: bool,
        /// The last entry of the candidate's log.
        last: u64,
        /// Its term.
        last_term: u64,
    },
    /// The answer.
    Vote {
        /// To the question.
        pre: bool,
        /// The voter.
        voter: NodeId,
        /// The candidate.
        candidate: NodeId,
        /// Is it granted?
        granted: bool,
    },
    /// `AppendEntries` (figure 2).
    Append {
        /// The leader.
        leader: NodeId,
        /// The entry before the first of these.
        prev: u64,
        /// Its term.
        prev_term: u64,
        /// How far the leader has committed.
        commit: u64,
        /// The entries.
        entries: Vec<Entry>,
    },
    /// The log agrees with the leader's up to `matched`, and is on disk so far.
    Appended {
        /// Up to here.
        matched: u64,
    },
    /// The log does not agree with the leader's at `prev` (section 5.3, the end: fast backtracking).
    Conflict {
        /// What was asked.
        prev: u64,
        /// The term of the entry there; none if there is no entry.
        term: Option<u64>,
        /// The first index of that term; without an entry, the one after the last.
        first: u64,
    },
    /// `AppendEntries` without entries, which keeps followers from standing for election.
    Heartbeat {
        /// How far the leader has committed and the receiver agrees with it.
        commit: u64,
        /// Which round of heartbeats.
        round: u64,
    },
    /// The answer.
    Alive {
        /// The round.
        round: u64,
    },
    /// `InstallSnapshot` (figure 13): the head; its parts are asked for.
    Snapshot {
        /// The last index that it stands for.
        index: u64,
        /// The term of that entry.
        last_term: u64,
        /// The configuration there.
        members: Arc<Configuration>,
        /// The head of the state.
        head: Arc<StateHead>,
    },
    /// Asks for parts of a snapshot.
    FetchParts {
        /// Which.
        index: u64,
        /// The parts.
        wanted: Vec<Prefix>,
    },
    /// Parts of a snapshot.
    Parts {
        /// Which.
        index: u64,
        /// The subtrees that were asked for, as many as one message may hold.
        parts: Vec<(Prefix, Part)>,
    },
    /// The leader gives its place to the receiver, which stands for election at once (thesis, 3.10).
    TimeoutNow,
    /// A follower asks from where on a read misses nothing (thesis, 6.4).
    ReadIndex {
        /// Its own number of the question.
        number: u64,
    },
    /// The answer: once this is executed.
    ReadFrom {
        /// The number of the question.
        number: u64,
        /// Executed up to here.
        index: u64,
    },
    /// Transactions on their way to the leader.
    Forward {
        /// The transactions.
        txs: Vec<Arc<Tx>>,
        /// They go to everybody.
        to_all: bool,
    },
    /// A replica whose disk forgot what it promised asks where the group is.
    Rejoin,
    /// The answer.
    Stands {
        /// The last index of a leader's log; none of others.
        leads: Option<u64>,
    },
}

/// The words of the kinds of messages.
pub const KINDS: &[&str] = &[
    "request-vote",
    "vote",
    "append",
    "appended",
    "conflict",
    "heartbeat",
    "alive",
    "snapshot",
    "fetch-parts",
    "parts",
    "timeout-now",
    "read-index",
    "read-from",
    "forward",
    "rejoin",
    "stands",
];

fn candidate_digest(candidate: NodeId) -> Digest {
    Digest::of_parts(&[b"consim raft candidate 1", &candidate.0.to_be_bytes()])
}

fn option_u64(e: &mut Encoder<'_>, value: Option<u64>) {
    e.u8(u8::from(value.is_some())).u64(value.unwrap_or(0));
}

fn read_option(d: &mut Decoder<'_>) -> Result<Option<u64>, CodecError> {
    let some = d.boolean()?;
    let value = d.u64()?;
    Ok(some.then_some(value))
}

impl Message {
    /// Reads a message; malformed bytes are an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let (mut d, kind) = Decoder::message(bytes, FAMILY)?;
        let chain = ChainId(d.u16()?);
        let term = d.u64()?;
        let body = Body::decode(kind, &mut d)?;
        d.end()?;
        Ok(Self { chain, term, body })
    }
}

impl Body {
    fn tag(&self) -> u8 {
        match self {
            Self::RequestVote { .. } => 0,
            Self::Vote { .. } => 1,
            Self::Append { .. } => 2,
            Self::Appended { .. } => 3,
            Self::Conflict { .. } => 4,
            Self::Heartbeat { .. } => 5,
            Self::Alive { .. } => 6,
            Self::Snapshot { .. } => 7,
            Self::FetchParts { .. } => 8,
            Self::Parts { .. } => 9,
            Self::TimeoutNow => 10,
            Self::ReadIndex { .. } => 11,
            Self::ReadFrom { .. } => 12,
            Self::Forward { .. } => 13,
            Self::Rejoin => 14,
            Self::Stands { .. } => 15,
        }
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::RequestVote {
                pre,
                transfer,
                last,
                last_term,
            } => {
                e.u8(u8::from(*pre)).u8(u8::from(*transfer));
                e.u64(*last).u64(*last_term);
            }
            Self::Vote {
                pre,
                voter,
                candidate,
                granted,
            } => {
                e.u8(u8::from(*pre)).u32(voter.0).u32(candidate.0);
                e.u8(u8::from(*granted));
            }
            Self::Append {
                leader,
                prev,
                prev_term,
                commit,
                entries,
            } => {
                e.u32(leader.0).u64(*prev).u64(*prev_term).u64(*commit);
                e.list(entries.len());
                for entry in entries {
                    entry.encode(e);
                }
            }
            Self::Appended { matched: number }
            | Self::Alive { round: number }
            | Self::ReadIndex { number } => {
                e.u64(*number);
            }
            Self::Conflict { prev, term, first } => {
                e.u64(*prev);
                option_u64(e, *term);
                e.u64(*first);
            }
            Self::Heartbeat {
                commit: a,
                round: b,
            }
            | Self::ReadFrom {
                number: a,
                index: b,
            } => {
                e.u64(*a).u64(*b);
            }
            Self::Snapshot {
                index,
                last_term,
                members,
                head,
            } => {
                e.u64(*index).u64(*last_term);
                members.encode(e);
                head.encode(e);
            }
            Self::FetchParts { index, wanted } => {
                e.u64(*index).list(wanted.len());
                for prefix in wanted {
                    prefix.encode(e);
                }
            }
            Self::Parts { index, parts } => {
                e.u64(*index).list(parts.len());
                for (prefix, part) in parts {
                    prefix.encode(e);
                    part.encode(e);
                }
            }
            Self::TimeoutNow | Self::Rejoin => {}
            Self::Forward { txs, to_all } => {
                e.u8(u8::from(*to_all)).list(txs.len());
                for tx in txs {
                    tx.encode(e);
                }
            }
            Self::Stands { leads } => option_u64(e, *leads),
        }
    }
    fn encoded_len(&self) -> usize {
        match self {
            Self::RequestVote { .. } => 1 + 1 + 8 + 8,
            Self::Vote { .. } => 1 + 4 + 4 + 1,
            Self::Append { entries, .. } => {
                4 + 8 + 8 + 8 + 4 + entries.iter().map(Entry::encoded_len).sum::<usize>()
            }
            Self::Appended { .. } | Self::Alive { .. } | Self::ReadIndex { .. } => 8,
            Self::Conflict { .. } => 8 + 9 + 8,
            Self::Heartbeat { .. } | Self::ReadFrom { .. } => 8 + 8,
            Self::Snapshot { members, head, .. } => {
                8 + 8 + members.encoded_len() + head.encoded_len()
            }
            Self::FetchParts { wanted, .. } => {
                8 + 4 + wanted.iter().map(Prefix::encoded_len).sum::<usize>()
            }
            Self::Parts { parts, .. } => {
                let parts = parts.iter();
                let parts = parts.map(|(prefix, part)| prefix.encoded_len() + part.encoded_len());
                8 + 4 + parts.sum::<usize>()
            }
            Self::TimeoutNow | Self::Rejoin => 0,
            Self::Forward { txs, .. } => 1 + 4 + txs.iter().map(|t| t.encoded_len()).sum::<usize>(),
            Self::Stands { .. } => 9,
        }
    }
    fn decode(kind: u8, d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        /// The least bytes of an encoded entry.
        const LEAST: usize = 2 + 8 + 48 + (1 + 8 + 8 + 32 + 4) + 1;
        Ok(match kind {
            0 => Self::RequestVote {
                pre: d.boolean()?,
                transfer: d.boolean()?,
                last: d.u64()?,
                last_term: d.u64()?,
            },
            1 => Self::Vote {
                pre: d.boolean()?,
                voter: NodeId(d.u32()?),
                candidate: NodeId(d.u32()?),
                granted: d.boolean()?,
            },
            2 => Self::Append {
                leader: NodeId(d.u32()?),
                prev: d.u64()?,
                prev_term: d.u64()?,
                commit: d.u64()?,
                entries: {
                    let n = d.list(MAX_ENTRIES, LEAST)?;
                    (0..n).map(|_| Entry::decode(d)).collect::<Result<_, _>>()?
                },
            },
            3 => Self::Appended { matched: d.u64()? },
            4 => Self::Conflict {
                prev: d.u64()?,
                term: read_option(d)?,
                first: d.u64()?,
            },
            5 => Self::Heartbeat {
                commit: d.u64()?,
                round: d.u64()?,
            },
            6 => Self::Alive { round: d.u64()? },
            7 => Self::Snapshot {
                index: d.u64()?,
                last_term: d.u64()?,
                members: Arc::new(Configuration::decode(d)?),
                head: Arc::new(StateHead::decode(d)?),
            },
            8 => Self::FetchParts {
                index: d.u64()?,
                wanted: {
                    let n = d.list(MAX_WANTED, 1)?;
                    (0..n)
                        .map(|_| Prefix::decode(d))
                        .collect::<Result<_, _>>()?
                },
            },
            9 => Self::Parts {
                index: d.u64()?,
                parts: {
                    let n = d.list(MAX_WANTED, 1 + 5)?;
                    (0..n)
                        .map(|_| Ok((Prefix::decode(d)?, Part::decode(d)?)))
                        .collect::<Result<_, CodecError>>()?
                },
            },
            10 => Self::TimeoutNow,
            11 => Self::ReadIndex { number: d.u64()? },
            12 => Self::ReadFrom {
                number: d.u64()?,
                index: d.u64()?,
            },
            13 => Self::Forward {
                to_all: d.boolean()?,
                txs: {
                    let n = d.list(MAX_FORWARD, 26 + Signature::LEAST_ENCODED)?;
                    (0..n)
                        .map(|_| Tx::decode(d).map(Arc::new))
                        .collect::<Result<_, _>>()?
                },
            },
            14 => Self::Rejoin,
            15 => Self::Stands {
                leads: read_option(d)?,
            },
            tag => return Err(CodecError::Tag(tag)),
        })
    }
}

impl Payload for Message {
    fn kind(&self) -> &'static str {
        KINDS
            .get(usize::from(self.body.tag()))
            .copied()
            .unwrap_or("append")
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::message(out, FAMILY, self.body.tag());
        e.u16(self.chain.0).u64(self.term);
        self.body.encode(&mut e);
    }
    fn encoded_len(&self) -> usize {
        HEAD + 8 + self.body.encoded_len()
    }
    /// Nobody signs, but the lines are authenticated: a granted vote names its voter, and an entry of
    /// the sender's own term its leader.
    fn votes(&self, each: &mut dyn FnMut(ChainId, Vote)) {
        let each = &mut |vote| each(self.chain, vote);
        match &self.body {
            Body::Vote {
                pre: false,
                voter,
                candidate,
                granted: true,
            } => each(Vote {
                key: KeyId::from(*voter),
                kind: ELECTS,
                view: self.term,
                sequence: 0,
                digest: candidate_digest(*candidate),
            }),
            Body::Append {
                leader, entries, ..
            } => {
                for entry in entries.iter().filter(|e| e.term() == self.term) {
                    each(Vote {
                        key: KeyId::from(*leader),
                        kind: PUTS_FORWARD,
                        view: self.term,
                        sequence: entry.index(),
                        digest: entry.ordered.batch.digest(),
                    });
                }
            }
            _ => {}
        }
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
