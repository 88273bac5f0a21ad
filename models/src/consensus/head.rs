//! What stands at the head of a state that goes from one replica to another.

use super::sync::CheckpointHead;
use consim_core::{CodecError, Decoder, Digest, Encoder, Header};

/// All of a state but its entries.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StateHead {
    /// The last block before the checkpoint; none if there is none.
    pub header: Option<Header>,
    /// The root of the state.
    pub root: Digest,
}

impl CheckpointHead for StateHead {
    fn digest(&self) -> Digest {
        let head = self.header.as_ref().map_or(Digest::ZERO, Header::id);
        Digest::of_parts(&[b"consim pbft checkpoint 1", &head.0, &self.root.0])
    }
    fn state(&self) -> &StateHead {
        self
    }
    fn encoded_len(&self) -> usize {
        1 + self.header.as_ref().map_or(0, |_| Header::ENCODED) + 32
    }
    fn encode(&self, e: &mut Encoder<'_>) {
        e.u8(u8::from(self.header.is_some()));
        if let Some(header) = &self.header {
            e.raw(&header.encode());
        }
        e.digest(&self.root);
    }
    fn decode(d: &mut Decoder<'_>) -> Result<Self, CodecError> {
        let header = d.boolean()?.then(|| Header::decode(d)).transpose()?;
        Ok(Self {
            header,
            root: d.digest()?,
        })
    }
}
