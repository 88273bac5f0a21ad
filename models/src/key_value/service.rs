//! What a server of the store answers.

use super::command::{Command, Said, state_key};
use super::marks;
use super::probe::KeyValueProbe;
use super::seeded;
use crate::node::service::Host;
use crate::orders::{Early, OrderService, Orders};
use consim_core::{Context, Digest, OpId};
use std::sync::Arc;

/// How a server answers reads. The default is honest; tests put others in its place to show that
/// the check notices.
pub trait Policy: Send {
    /// What the server answers where the state holds `value`.
    fn value(&mut self, value: Option<Arc<[u8]>>) -> Option<Arc<[u8]>> {
        value
    }
}

/// Answers what the state holds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Honest;
impl Policy for Honest {}

/// The store at a server.
pub struct Store {
    policy: Box<dyn Policy>,
}

/// The key-value service of a server.
pub type KeyValueService = OrderService<Store>;

impl Store {
    /// A store that answers by `policy`.
    pub fn new(policy: Box<dyn Policy>) -> Self {
        Self { policy }
    }

    /// The value that a client is told for `op`.
    fn shown(
        &mut self,
        cx: &mut Context<'_>,
        host: &dyn Host,
        op: OpId,
        key: u64,
    ) -> Option<Arc<[u8]>> {
        let value = self.policy.value(host.get(&state_key(key)));
        if value.is_none() {
            cx.reached(&marks::NOTHING_READ);
        }
        let read = KeyValueProbe::Read {
            op,
            key,
            value: value.as_deref().map(Digest::of),
            height: host.height(),
        };
        cx.emit(read.probe());
        value
    }
}

impl Orders for Store {
    type Command = Command;

    fn early(
        &mut self,
        cx: &mut Context<'_>,
        host: &dyn Host,
        op: OpId,
        command: &Command,
    ) -> Early<Said> {
        match command {
            Command::Get { key } if seeded::on(&seeded::READ_AT_ONCE) => {
                Early::Instead(Said::Value(self.shown(cx, host, op, *key)))
            }
            _ => Early::No,
        }
    }

    fn said(&mut self, cx: &mut Context<'_>, host: &dyn Host, op: OpId, command: &Command) -> Said {
        match command {
            Command::Put { .. } | Command::PutMany { .. } => {
                let height = host.height();
                cx.emit(KeyValueProbe::Wrote { op, height }.probe());
                Said::Written
            }
            Command::Get { key } => Said::Value(self.shown(cx, host, op, *key)),
        }
    }
}
