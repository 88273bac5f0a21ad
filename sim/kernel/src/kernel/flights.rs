//! What became of every message, while somebody wants to know.

use super::Kernel;
use crate::queue::Item;
use crate::trace::Flight;
use consim_core::{NodeId, Observer, Time};

impl<O: Observer> Kernel<O> {
    /// From now on the way of every message is kept, to be taken by [`Kernel::take_flights`].
    pub fn watch_flights(&mut self) {
        self.flights = Some(Vec::new());
        self.watched = true;
    }
    /// The messages that arrived or were lost since the last call, in that order.
    pub fn take_flights(&mut self) -> Vec<Flight> {
        self.flights
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The copies of the send at hand that do not even enter the queue: a line or a fault took them.
    #[cold]
    pub(super) fn note_lost(
        &mut self,
        from: NodeId,
        kind: &'static str,
        left: Time,
        to: &[NodeId],
    ) {
        let (arrivals, odd) = (&self.arrivals, &self.odd);
        let on_its_way =
            |node: u32| arrivals.iter().any(|&(_, to)| to == node) || odd.leaves_for(node);
        let lost = to
            .iter()
            .filter(|&&to| to != from && !on_its_way(to.0))
            .map(|&to| Flight {
                from,
                to,
                kind,
                left,
                ended: left,
                arrived: false,
            });
        if let Some(flights) = &mut self.flights {
            flights.extend(lost);
        }
    }

    /// An odd line took the copy of `send` for `to`.
    #[cold]
    pub(super) fn note_gone(&mut self, send: u32, to: NodeId) {
        let lost = self.sends.get(send).map(|record| Flight {
            from: record.from,
            to,
            kind: record.payload.kind(),
            left: record.finish,
            ended: record.finish,
            arrived: false,
        });
        if let Some(flights) = &mut self.flights {
            flights.extend(lost);
        }
    }

    /// The way of the message in `item`, up to now; it has not been served yet.
    pub(super) fn flight(&self, item: Item) -> Option<Flight> {
        let Item::Arrival { send, to, .. } = item else {
            return None;
        };
        let record = self.sends.get(send)?;
        Some(Flight {
            from: record.from,
            to: NodeId(to),
            kind: record.payload.kind(),
            left: record.finish,
            ended: self.now,
            arrived: false,
        })
    }

    /// `flight` was served: it arrived, or was lost, or now waits for an up-link or the network card.
    pub(super) fn note_flight(&mut self, flight: Flight, before: (u64, usize)) {
        let (messages, waiting) = before;
        let arrived = self.totals.messages > messages;
        let waits = self.cards_waiting(flight.to) > waiting;
        if let Some(flights) = &mut self.flights
            && !waits
        {
            flights.push(Flight { arrived, ..flight });
        }
    }

    /// How many messages the network card of `node` takes in, and how many an up-link ever did.
    pub(super) fn cards_waiting(&self, node: NodeId) -> usize {
        let node = self.nodes.get(node.index());
        node.map_or(0, |node| node.nic_in_waiting.len()) + self.network.waited_outside()
    }
}
