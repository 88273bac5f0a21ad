//! Observations of custody, for its checks.

use super::unit::{Life, Totals};
use consim_core::Probe;
use consim_core::probe::DomainProbe;
use std::any::Any;
use std::sync::Arc;

/// An observation at a server, when it answers a client.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CustodyProbe {
    /// A unit was looked up.
    Traced {
        /// Its serial.
        unit: u64,
        /// What the server says.
        life: Option<Life>,
        /// The height that the server had reached.
        height: u64,
    },
    /// The units were counted.
    Counted {
        /// What the server says.
        totals: Totals,
        /// The height that the server had reached.
        height: u64,
    },
}

impl CustodyProbe {
    /// As a probe of the run.
    pub fn probe(self) -> Probe {
        Probe::Domain(Arc::new(self))
    }
    /// The observation in a probe of the run.
    pub(super) fn of(probe: &Probe) -> Option<&Self> {
        match probe {
            Probe::Domain(domain) => domain.as_any().downcast_ref(),
            _ => None,
        }
    }
}

impl DomainProbe for CustodyProbe {
    fn as_any(&self) -> &dyn Any {
        self
    }
}
