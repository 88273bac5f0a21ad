//! Shared up-links: what leaves or enters a group of sites goes through one server each way, behind
//! the cards of its nodes and before the lines to others.

use super::{Place, transfer};
use crate::config::Uplink;
use consim_core::Time;
use std::collections::BTreeSet;

/// No up-link.
const NONE: u32 = u32::MAX;

/// When an up-link is free again, each way.
#[derive(Clone, Copy, Debug)]
struct Server {
    rate: u64,
    out: Time,
    into: Time,
}

/// The up-links of a network that has any.
#[derive(Debug)]
pub(crate) struct Uplinks {
    /// The up-link of each site.
    of_site: Vec<u32>,
    servers: Vec<Server>,
    /// Copies on their way in: when they are through, the send and the receiver.
    passing: BTreeSet<(Time, u32, u32)>,
    /// How many have had to wait on their way in.
    pub(super) waited: usize,
}

impl Uplinks {
    /// `None` if there are none.
    pub(super) fn new(uplinks: &[Uplink], sites: usize) -> Option<Box<Self>> {
        if uplinks.is_empty() {
            return None;
        }
        let mut of_site = vec![NONE; sites];
        for (uplink, number) in uplinks.iter().zip(0u32..) {
            for &site in &uplink.sites {
                if let Some(cell) = of_site.get_mut(site as usize) {
                    *cell = number;
                }
            }
        }
        let servers = uplinks.iter().map(|uplink| Server {
            rate: uplink.rate,
            out: Time::ZERO,
            into: Time::ZERO,
        });
        Some(Box::new(Self {
            of_site,
            servers: servers.collect(),
            passing: BTreeSet::new(),
            waited: 0,
        }))
    }

    fn of(&self, site: u32) -> u32 {
        self.of_site.get(site as usize).copied().unwrap_or(NONE)
    }

    /// Does what leaves this site for another go through an up-link?
    pub(super) fn leads_from(&self, site: u32) -> bool {
        self.of(site) != NONE
    }

    /// When `bytes` that are at the up-link of `from` at `at` are on the line to `to`. What stays
    /// behind the same up-link does not take it.
    pub(super) fn leave(&mut self, at: Time, from: Place, to: Place, bytes: u64) -> Time {
        let own = self.of(from.site);
        if own == self.of(to.site) {
            return at;
        }
        let Some(server) = self.servers.get_mut(own as usize) else {
            return at;
        };
        server.out = at.later(server.out) + transfer(bytes, server.rate);
        server.out
    }

    /// Is a copy through the up-link of its receiver at `now`?
    pub(super) fn is_through(&self, now: Time, send: u32, to: u32) -> bool {
        self.passing.contains(&(now, send, to))
    }

    /// A copy is before the up-link of `to` at `now`: when it is through, if not at once.
    pub(super) fn enter(
        &mut self,
        now: Time,
        (send, bytes): (u32, u64),
        from: Place,
        to: Place,
    ) -> Option<Time> {
        // Those that a fault took away in between never came to ask.
        while self.passing.first().is_some_and(|first| first.0 < now) {
            self.passing.pop_first();
        }
        let own = self.of(to.site);
        if own == self.of(from.site) || self.passing.remove(&(now, send, to.node)) {
            return None;
        }
        let server = self.servers.get_mut(own as usize)?;
        // Bits come as the line brings them: after a pause the last one is through at once.
        let through = now.later(server.into + transfer(bytes, server.rate));
        server.into = through;
        if through == now {
            return None;
        }
        self.waited += 1;
        self.passing.insert((through, send, to.node));
        Some(through)
    }
}
