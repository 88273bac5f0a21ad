//! Observations of samples, for their checks.

use super::command::{Batch, Shown};
use super::ranges::Ranges;
use consim_core::Probe;
use consim_core::probe::DomainProbe;
use std::any::Any;
use std::sync::Arc;

/// An observation at a server, when it answers a client, with the height that it had reached.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SampleProbe {
    /// A batch is acknowledged.
    Acknowledged {
        /// What came.
        batch: Batch,
        /// How many samples are said to be missing right before it; not said before it is ordered.
        missing: Option<u64>,
        /// The height.
        height: u64,
    },
    /// A sample is read.
    Read {
        /// Of which device.
        device: u64,
        /// Its number.
        sequence: u64,
        /// What is shown, if there is such a sample.
        shown: Option<Shown>,
        /// The height.
        height: u64,
    },
    /// It is said what is missing.
    Missing {
        /// Of which device.
        device: u64,
        /// What.
        ranges: Ranges,
        /// The height.
        height: u64,
    },
}

impl SampleProbe {
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

impl DomainProbe for SampleProbe {
    fn as_any(&self) -> &dyn Any {
        self
    }
}
