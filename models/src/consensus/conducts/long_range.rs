//! K7, `long-range`: a member whose adversary has the keys of a quorum of an earlier time shows another history, signed
//! by those keys, to members that catch up, and to light clients what those who are members no longer decide now.

use super::Tongue;
use super::forge::Lie;
use super::lying_sync::LyingSync;
use crate::adversary::{Behaviour, HeaderLie, Hears, Means, Out, Says, To};
use crate::light::attack::FakeHeader;
use consim_core::{NodeId, Payload};
use std::sync::Arc;

pub(super) struct LongRange<T> {
    members: LyingSync<T>,
    clients: FakeHeader,
}

impl<T: Tongue> LongRange<T> {
    /// `None` where decisions have no certificates.
    pub(super) fn new(means: Means) -> Option<Self> {
        Some(Self {
            clients: FakeHeader::new(&means, HeaderLie::Past)?,
            members: LyingSync::new(means, Lie::History),
        })
    }
}

impl<T: Tongue> Behaviour for LongRange<T> {
    fn hears(&mut self, out: &mut Out<'_, '_>, from: NodeId, payload: &Arc<dyn Payload>) -> Hears {
        self.clients.hears(out, from, payload)
    }
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        match self.clients.says(out, to, payload) {
            Says::Nothing => Says::Nothing,
            Says::AsItIs => self.members.says(out, to, payload),
        }
    }
}
