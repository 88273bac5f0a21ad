//! What the tests of ordered operations share.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::message::{Answer, Command, Message, Said as _};
use crate::ledger::testing;
use crate::ledger::{ExecutionCache, Ledger, LedgerConfig};
use crate::workload::{Common, Day, Pace, Place, Terms};
use consim_core::{
    ChainId, Check, Keyring, NodeId, OpId, Payload, Probe, Receipt, SecretKey, Span, StateMachine,
    Time, Tx, TxId, Verdict, WorkloadId,
};
use std::sync::Arc;

pub(crate) const CHAIN: ChainId = ChainId(2);

pub(crate) fn terms() -> Terms {
    Terms {
        workload: WorkloadId(3),
        deadline: None,
        retry_after: Span::from_secs(2),
        retry_times: 1,
    }
}

/// Three institutions, each with three events a second.
pub(crate) fn common() -> Common {
    let place = |i: u32| Place {
        desk: NodeId(10 + i),
        server: NodeId(i),
    };
    Common {
        terms: terms(),
        places: (0..3).map(place).collect(),
        pace: Pace::Rates {
            rates: vec![3_000_000_000; 3],
            even: false,
        },
        day: Day::flat(),
        from: Time::ZERO,
        to: Time::MAX,
    }
}

/// A chain of three servers, and checks that see what happens there.
pub(crate) struct Chain {
    ledger: Ledger,
    secrets: Vec<SecretKey>,
    sequence: u64,
    pub(crate) checks: Vec<Box<dyn Check>>,
}

impl Chain {
    pub(crate) fn new(machine: Arc<dyn StateMachine>, checks: Vec<Box<dyn Check>>) -> Self {
        let (keys, secrets) = Keyring::generate(4, 1);
        Self {
            ledger: Ledger::new(LedgerConfig {
                chain: CHAIN,
                machine,
                keys,
                executions: ExecutionCache::off(),
            }),
            secrets,
            sequence: 0,
            checks,
        }
    }
    pub(crate) fn height(&self) -> u64 {
        self.ledger.height()
    }
    pub(crate) fn state(&self) -> &dyn consim_core::State {
        self.ledger.state()
    }
    pub(crate) fn see(&mut self, probe: &Probe) {
        for check in &mut self.checks {
            check.probe(Time::ZERO, NodeId(0), probe);
        }
    }
    /// A block of these commands of these servers; how they were received.
    pub(crate) fn block<C: Command>(&mut self, commands: &[(u32, C)]) -> Vec<Receipt> {
        self.sequence += 1;
        let txs = (0u64..).zip(commands).map(|(i, (server, command))| {
            let id = TxId {
                origin: NodeId(*server),
                number: self.sequence << 32 | i,
            };
            let key = &self.secrets[*server as usize];
            Arc::new(Tx::new(id, CHAIN, OpId(id.number), command.body(), key))
        });
        let batch = testing::batch(NodeId(0), 0, txs.collect());
        let committed = testing::committed(CHAIN, self.sequence, batch);
        let block = self.ledger.execute(&committed).unwrap().block;
        let receipts = block.receipts.clone();
        self.see(&Probe::Applied(block));
        receipts
    }
    /// The names of the checks that failed, and of those that judged nothing.
    pub(crate) fn verdicts(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let of = |verdict| {
            let checks = self.checks.iter();
            let found = checks.filter(move |check| check.finding().verdict == verdict);
            found.map(|check| check.name()).collect()
        };
        (of(Verdict::Fail), of(Verdict::Unknown))
    }
}

/// Messages are read as they were written, and nothing else is.
pub(crate) fn both_ways<C: Command>(command: &C, said: &C::Said) {
    let op = OpId(77);
    let messages = [
        Message::Ask {
            op,
            certificate: [1, 2, 3].into(),
            command: command.clone(),
        },
        Message::Reply {
            op,
            answer: Answer::Done(said.clone()),
        },
        Message::Reply {
            op,
            answer: Answer::Busy,
        },
        Message::Reply {
            op,
            answer: Answer::Refused,
        },
    ];
    for message in messages {
        let mut wire = Vec::new();
        message.encode(&mut wire);
        assert_eq!(wire.len(), message.encoded_len(), "{message:?}");
        assert_eq!(Message::decode(&wire).as_ref(), Ok(&message));
        for cut in 0..wire.len() {
            assert!(Message::<C>::decode(&wire[..cut]).is_err(), "{message:?}");
        }
        wire.push(0);
        assert!(Message::<C>::decode(&wire).is_err());
    }
    assert_eq!(C::from_body(&command.body()).as_ref(), Ok(command));
    assert_eq!(command.body().len(), command.encoded_len());
    let mut wire = Vec::new();
    said.encode(&mut consim_core::Encoder::new(&mut wire));
    assert_eq!(wire.len(), said.encoded_len());
}
