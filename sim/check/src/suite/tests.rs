#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::*;
use crate::metrics::MetricsConfig;
use crate::testing::{CHAIN, s};
use consim_core::{Finding, Severity};
use std::sync::{Arc, Mutex};

/// Writes down what it hears.
struct Recorder {
    hears: bool,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn hear(&self, what: impl Into<String>) {
        self.heard.lock().unwrap().push(what.into());
    }
}

impl Observer for Recorder {
    fn probe(&mut self, at: Time, node: NodeId, _probe: &Probe) {
        self.hear(format!("probe {at} {node}"));
    }
    fn sent(&mut self, at: Time, from: NodeId, payload: &dyn Payload, receivers: usize) {
        self.hear(format!("sent {at} {from} {} {receivers}", payload.kind()));
    }
    fn node_up(&mut self, at: Time, node: NodeId, up: bool) {
        self.hear(format!("up {at} {node} {up}"));
    }
    fn fault(&mut self, at: Time, id: &str, open: bool) {
        self.hear(format!("fault {at} {id} {open}"));
    }
    fn end(&mut self, at: Time) {
        self.hear(format!("end {at}"));
    }
}

impl Check for Recorder {
    fn name(&self) -> &'static str {
        "recorder"
    }
    fn code(&self) -> &'static str {
        "X1"
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "Nothing."
    }
    fn finding(&self) -> Finding {
        Finding::new()
    }
    fn hears_sends(&self) -> bool {
        self.hears
    }
}

#[derive(Debug)]
struct Note;
impl Payload for Note {
    fn kind(&self) -> &'static str {
        "note"
    }
    fn encode(&self, _out: &mut Vec<u8>) {}
    fn encoded_len(&self) -> usize {
        0
    }
    fn as_any(&self) -> &dyn std::any::Any {
        self
    }
}

#[test]
fn everybody_hears_everything_but_the_wiretap_only_who_listens() {
    let heard: [Arc<Mutex<Vec<String>>>; 2] = Default::default();
    let recorder = |hears, heard: &Arc<_>| -> Box<dyn Check> {
        Box::new(Recorder {
            hears,
            heard: Arc::clone(heard),
        })
    };
    let checks = vec![recorder(true, &heard[0]), recorder(false, &heard[1])];
    let mut suite = Suite::new(Metrics::new(MetricsConfig::default()), checks);
    suite.node_up(s(0), NodeId(1), true);
    suite.fault(s(1), "cut", true);
    let probe = Probe::CaughtUp {
        chain: CHAIN,
        blocks: 1,
    };
    suite.probe(s(2), NodeId(1), &probe);
    suite.sent(s(3), NodeId(1), &Note, 4);
    suite.end(s(5));
    let all = [
        "up 0s node 1 true",
        "fault 1s cut true",
        "probe 2s node 1",
        "sent 3s node 1 note 4",
        "end 5s",
    ];
    assert_eq!(*heard[0].lock().unwrap(), all);
    let others: Vec<&str> = all.into_iter().filter(|h| !h.starts_with("sent")).collect();
    assert_eq!(*heard[1].lock().unwrap(), others);
    assert_eq!(suite.checks().len(), 2);
    assert_eq!(suite.metrics().ended_at(), s(5));
}
