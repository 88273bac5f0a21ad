//! B9, `lying-sync`, and B11, `double-signatures` and `strip-signatures`: a member that answers those
//! who catch up with something that was never committed, or with certificates that prove nothing. It
//! says that it is far ahead, so that it is asked.

use super::super::message::{Blocks, Body, Status};
use super::{message, read};
use crate::adversary::{Behaviour, Means, Out, Says, To};
use crate::consensus::forge::{Lie, forge};
use consim_core::Payload;
use std::sync::Arc;

/// How far ahead of the truth it says that it is (assumed): beyond what anybody has executed, and
/// within a window, so that nobody asks for state instead.
const AHEAD: u64 = 100;

pub(super) struct LyingSync {
    means: Means,
    lie: Lie,
}

impl LyingSync {
    pub(super) fn new(means: Means, lie: Lie) -> Self {
        Self { means, lie }
    }
}

impl Behaviour for LyingSync {
    fn says(&mut self, out: &mut Out<'_, '_>, to: To<'_>, payload: &Arc<dyn Payload>) -> Says {
        let body = match read(&self.means, payload) {
            Some(Body::Blocks(honest)) => {
                out.count(1);
                let lies = honest.blocks.iter();
                let lies = lies.filter_map(|c| forge(&self.means, c, self.lie).map(Arc::new));
                Body::Blocks(Blocks {
                    blocks: lies.collect(),
                    executed: honest.executed + AHEAD,
                    proof: None,
                })
            }
            Some(Body::Status(honest)) => Body::Status(Status {
                executed: honest.executed + AHEAD,
                ..honest.clone()
            }),
            _ => return Says::AsItIs,
        };
        out.send_to(to, message(&self.means, body));
        Says::Nothing
    }
}
