//! The clients of the store. One asks its server; one believes nobody alone, and asks the members of
//! the chain itself.

use super::command::state_key;
use super::workload::Wish;
use crate::node::client::{self, What};
use crate::orders::{self, Command as _, Request, Wish as _};
use consim_core::{Cohort, Context, Event, Process};

/// The process of a client of one server.
pub type Client = orders::Client<Wish>;

/// The process of a client that signs its transactions itself and believes what enough members say:
/// of a write f+1 or more, of a value a quorum.
pub struct QuorumClient {
    client: client::Client,
}

impl QuorumClient {
    /// A client that has not asked anything.
    pub fn new(config: client::ClientConfig) -> Self {
        Self {
            client: client::Client::new(config),
        }
    }

    fn begin(&mut self, cx: &mut Context<'_>, request: &Request<Wish>) {
        let (what, cohort) = match request.wish {
            Wish::Put { .. } | Wish::PutMany { .. } => {
                let command = request.wish.command(self.client.next_op(cx));
                (What::Order(command.body()), command.cohort())
            }
            Wish::Get { key } => (What::Read(state_key(key).into()), Cohort::ONE),
        };
        let wish = client::Wish {
            terms: request.terms,
            name: request.wish.name(),
            deadline: request.deadline(),
            cohort,
            what,
        };
        self.client.wish(cx, &wish);
    }
}

impl Process for QuorumClient {
    fn handle(&mut self, cx: &mut Context<'_>, event: Event<'_>) {
        match event {
            Event::Request(payload) => {
                if let Some(request) = payload.as_any().downcast_ref() {
                    self.begin(cx, request);
                }
            }
            other => self.client.handle(cx, other),
        }
    }
}
