//! `labels-kept`.

use super::{Crossing, Label, Labels, Query, Verdict};
use crate::relay::Packet;
use crate::sharing::ids::Purpose;
use crate::sharing::message::{Answer, Message};
use consim_core::{
    Block, ChainId, Check, Finding, NodeId, Observer, OpId, Payload, Probe, Receipt, Severity, Time,
};
use std::collections::{BTreeMap, BTreeSet};

/// What goes from one network to another is what the provider's plan allows: records that are open or sharable in the
/// answer, protected ones point to point and with the patient's grant or in an emergency, others not at all; and no
/// record goes out before the decision is on the provider's chain.
#[derive(Debug)]
pub struct LabelsKept {
    labels: Labels,
    emergency: bool,
    heights: BTreeMap<ChainId, u64>,
    queries: BTreeMap<(NodeId, OpId), Query>,
    /// Answers by which the asker may collect a record.
    apart: BTreeSet<(NodeId, OpId)>,
    finding: Finding,
}

impl LabelsKept {
    /// The check of a service whose providers have these plans; `emergency` is the option of that name.
    pub fn new(labels: Labels, emergency: bool) -> Self {
        Self {
            labels,
            emergency,
            heights: BTreeMap::new(),
            queries: BTreeMap::new(),
            apart: BTreeSet::new(),
            finding: Finding::new(),
        }
    }

    fn block(&mut self, block: &Block) {
        let height = self.heights.entry(block.header.chain).or_default();
        if block.header.height <= *height {
            return;
        }
        *height = block.header.height;
        let executed = block.committed.batch.txs().iter().zip(&block.receipts);
        for (tx, _) in executed.filter(|(_, receipt)| **receipt == Receipt::Applied) {
            let Some(packet) = Packet::of_tx(tx) else {
                continue;
            };
            match Crossing::decode(&packet.body) {
                Ok(Crossing::Query(query)) => {
                    self.queries.insert((query.requester, query.op), query);
                }
                Ok(Crossing::Answer {
                    op,
                    requester,
                    record,
                    verdict,
                }) => {
                    let label = self.labels.of(record);
                    let query = self.queries.get(&(requester, op)).copied();
                    let word = query.is_some_and(|q| {
                        q.granted || (self.emergency && q.purpose == Purpose::Emergency)
                    });
                    let (did, may) = match verdict {
                        Verdict::Refused(_) => ("refused", true),
                        Verdict::Inside { .. } => ("sent", label <= Label::Sharable),
                        Verdict::Apart { .. } => {
                            let protected = label == Label::Protected;
                            let may = label <= Label::Sharable || (protected && word);
                            ("opened", may)
                        }
                    };
                    if matches!(verdict, Verdict::Apart { .. }) {
                        self.apart.insert((requester, op));
                    }
                    self.finding.judge(may && query.is_some(), || {
                        let label = label.word();
                        format!("{did} {record}, which is {label} (operation {:x})", op.0)
                    });
                }
                Err(_) => {}
            }
        }
    }
}

impl Observer for LabelsKept {
    fn probe(&mut self, _at: Time, _node: NodeId, probe: &Probe) {
        if let Probe::Applied(block) = probe {
            self.block(block);
        }
    }
    fn sent(&mut self, _at: Time, from: NodeId, payload: &dyn Payload, _receivers: usize) {
        if let Some(Message::Handed {
            op,
            requester,
            answer: Answer::Record(_),
        }) = payload.as_any().downcast_ref()
        {
            let may = self.apart.contains(&(*requester, *op));
            self.finding.judge(may, || {
                format!(
                    "{from} handed a record out before its chain said so (operation {:x})",
                    op.0
                )
            });
        }
    }
}

impl Check for LabelsKept {
    fn name(&self) -> &'static str {
        "labels-kept"
    }
    fn code(&self) -> &'static str {
        ""
    }
    fn severity(&self) -> Severity {
        Severity::Safety
    }
    fn says(&self) -> &'static str {
        "A record goes to another network only as its provider's plan allows, and after its chain has the decision."
    }
    fn finding(&self) -> Finding {
        self.finding.clone()
    }
}
