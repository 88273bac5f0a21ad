//! The end of a chain as one node hands it to another: the last header and the state after it.

use super::state::WorldState;
use consim_core::{Digest, Encoder, Header, Payload};
use std::any::Any;

/// A ledger's last block and the state after it.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// The header of the last block; none before the first.
    pub header: Option<Header>,
    /// The state after it.
    pub state: WorldState,
}

impl Snapshot {
    /// The id of the last block; zero before the first.
    pub fn head(&self) -> Digest {
        self.header.as_ref().map_or(Digest::ZERO, Header::id)
    }
}

impl Payload for Snapshot {
    fn kind(&self) -> &'static str {
        "snapshot"
    }
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        e.u8(u8::from(self.header.is_some()));
        if let Some(header) = &self.header {
            e.raw(&header.encode());
        }
        e.list(self.state.len());
        self.state.each(&mut |path, value| {
            e.raw(path).bytes(value);
        });
    }
    fn encoded_len(&self) -> usize {
        let header = self.header.as_ref().map_or(0, |_| Header::ENCODED);
        let mut entries = 0;
        self.state
            .each(&mut |path, value| entries += path.len() + 4 + value.len());
        1 + header + 4 + entries
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}
