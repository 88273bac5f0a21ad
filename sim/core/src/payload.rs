//! What travels: a message body, shared behind `Arc`, encoded once per send.

use crate::disk::Holds;
use crate::evidence::{Evidence, Handover};
use crate::{ChainId, Digest, KeyId};
use std::any::Any;
use std::fmt::Debug;

/// The usual priority of what waits for a server.
pub const PRIORITY: u8 = 5;

/// The connections of a program to another: most have one for all that they say.
pub const LANES: u8 = 2;

/// A message body. One multicast shares one payload; receivers downcast it.
pub trait Payload: Any + Debug + Send + Sync {
    /// The kind's word, as filters and traces name it (`prepare`).
    fn kind(&self) -> &'static str;
    /// Appends the wire form. The kernel charges the length of what this writes.
    fn encode(&self, out: &mut Vec<u8>);
    /// The length of the wire form, computed without writing it. A test compares it with `encode`.
    fn encoded_len(&self) -> usize;
    /// What the run digest takes in place of the wire form, where much of that was hashed when it was made: appends
    /// what tells this message from all others, with such hashes in place of what they are of. `false`: nothing was
    /// appended, and it takes the wire form.
    fn encode_hashed(&self, _out: &mut Vec<u8>) -> bool {
        false
    }
    /// The signed votes inside that an honest key may give only once per (chain, kind, view, sequence);
    /// what the `no-double-signing` check listens to. The default has none.
    fn votes(&self, _each: &mut dyn FnMut(ChainId, Vote)) {}
    /// The signed statements inside that can show, held against others of the same key, that its
    /// owner broke the protocol; what forensics reads. The default has none.
    fn evidence(&self, _each: &mut dyn FnMut(Evidence)) {}
    /// What it says about the way from one view to the next; what the check `carry-over` listens to.
    /// The default says nothing.
    fn handover(&self) -> Option<Handover> {
        None
    }
    /// As a record of a disk: what it holds of a chain. The default holds nothing.
    fn holds(&self) -> Option<Holds> {
        None
    }
    /// Over which of the connections from its sender to its receiver it goes, below [`LANES`], where they have
    /// streams: what goes over another neither waits for it nor holds it back.
    fn lane(&self) -> u8 {
        0
    }
    /// How urgent it is where it waits for a busy server, 0 to 9; the larger goes first. Timers and
    /// finished writes have the usual one.
    fn priority(&self) -> u8 {
        PRIORITY
    }
    /// For downcasting: `payload.as_any().downcast_ref::<Message>()`.
    fn as_any(&self) -> &dyn Any;
}

/// Bytes that nobody has read yet, as a transport hands them over: the receiver decodes them and
/// refuses what is malformed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Raw {
    /// What they are said to be.
    pub kind: &'static str,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl Payload for Raw {
    fn kind(&self) -> &'static str {
        self.kind
    }
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes);
    }
    fn encoded_len(&self) -> usize {
        self.bytes.len()
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// One signed statement that its key may make only once for its slot.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Vote {
    /// Who signed.
    pub key: KeyId,
    /// What kind of vote (a small number of the protocol's own).
    pub kind: u8,
    /// View, round or term.
    pub view: u64,
    /// Sequence number or height.
    pub sequence: u64,
    /// What was voted for.
    pub digest: Digest,
}
