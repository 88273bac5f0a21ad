//! The vocabulary that every part of consim shares: time, processes, events, effects, probes,
//! value types. It knows no kernel, no YAML and no host.
//!
//! A node runs a [`Process`]: a sans-IO state machine that receives an [`Event`] and asks for
//! [`Effect`]s through its [`Context`]. The kernel runs it in virtual time.

pub mod chain;
pub mod codec;
pub mod crypto;
pub mod digest;
pub mod disk;
pub mod dist;
pub mod effect;
pub mod evidence;
pub mod ids;
pub mod machine;
pub mod mark;
pub mod observer;
pub mod payload;
pub mod probe;
pub mod process;
pub mod rng;
pub mod seeded;
pub mod time;
pub mod values;
pub mod work;
pub mod workload;

pub use chain::{Batch, Block, Certificate, Cohort, Committed, Header, Receipt, Tx, TxId};
pub use codec::{CodecError, Decoder, Encoder};
pub use crypto::{Aggregate, KeyId, Keyring, SecretKey, Signature, SignatureSet, Signers};
pub use digest::Digest;
pub use disk::{Damaged, Disk, Holds, Slot, Torn, Write, WriteToken, is_damaged};
pub use dist::{Distribution, Sampler, Samples};
pub use effect::{Delivery, Effect, Effects};
pub use evidence::{Evidence, Handover, Leaving, Opening, Promise, SignedVote};
pub use ids::{ChainId, NodeId, OpId, WorkloadId};
pub use machine::{State, StateMachine};
pub use mark::Mark;
pub use observer::{Calm, Check, Finding, Heal, Observer, Severity, Verdict};
pub use payload::{LANES, Payload, Raw, Vote};
pub use probe::{Configured, OpEnd, Probe};
pub use process::{Context, Event, Process, TimerKey};
pub use rng::{Streams, mix};
pub use seeded::SeededBug;
pub use time::{Span, Time};
pub use work::Work;
pub use workload::{Arrival, End, Workload};
