//! Observations of the key-value model, for its check.

use consim_core::probe::DomainProbe;
use consim_core::{Digest, OpId, Probe};
use std::any::Any;
use std::sync::Arc;

/// An observation at a server, when it answers a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum KeyValueProbe {
    /// A write is done.
    Wrote {
        /// The operation.
        op: OpId,
        /// The height that the server had reached.
        height: u64,
    },
    /// A read is answered.
    Read {
        /// The operation.
        op: OpId,
        /// Which key.
        key: u64,
        /// SHA-256 of the value, if there is one.
        value: Option<Digest>,
        /// The height that the server had reached.
        height: u64,
    },
}

impl KeyValueProbe {
    /// As a probe of the run.
    pub fn probe(self) -> Probe {
        Probe::Domain(Arc::new(self))
    }
}

impl DomainProbe for KeyValueProbe {
    fn as_any(&self) -> &dyn Any {
        self
    }
}
