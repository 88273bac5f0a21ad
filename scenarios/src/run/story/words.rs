//! Probes as a person reads them.

use consim_check::diagram::MarkKind;
use consim_core::{NodeId, OpEnd, Probe};

/// What a probe says.
pub(super) struct Words {
    /// The sentence, whose subject is the node.
    pub(super) text: String,
    /// How a picture marks it.
    pub(super) mark: Option<(MarkKind, String)>,
}

impl Words {
    fn plain(text: String) -> Self {
        Self { text, mark: None }
    }
    fn marked(kind: MarkKind, label: String, text: String) -> Self {
        let mark = Some((kind, label));
        Self { text, mark }
    }
}

fn some(n: u64, one: &str, many: &str) -> String {
    if n == 1 {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// `probe` in words; nothing for what no reader of a story wants.
pub(super) fn of<'a>(probe: &Probe, name: impl Fn(NodeId) -> &'a str) -> Option<Words> {
    Some(match probe {
        Probe::View { view, leader, .. } => Words::marked(
            MarkKind::View,
            format!("v{view}"),
            format!("enters view {view}, led by {}", name(*leader)),
        ),
        Probe::ViewTimeout { view, .. } => Words::marked(
            MarkKind::GaveUp,
            format!("v{view}"),
            format!("gives up on view {view}"),
        ),
        Probe::Proposed { sequence, txs, .. } => Words::marked(
            MarkKind::Proposed,
            sequence.to_string(),
            format!(
                "proposes batch {sequence} of {}",
                some(u64::from(*txs), "transaction", "transactions")
            ),
        ),
        Probe::Committed(committed) => Words::marked(
            MarkKind::Committed,
            committed.sequence.to_string(),
            format!(
                "commits batch {} ({}), with {}",
                committed.sequence,
                committed.batch.digest(),
                some(
                    committed.certificate.signatures.len() as u64,
                    "vote",
                    "votes"
                )
            ),
        ),
        Probe::Applied(block) => Words::marked(
            MarkKind::Applied,
            block.header.height.to_string(),
            format!(
                "executes block {} ({}), {}",
                block.header.height,
                block.id,
                some(
                    u64::from(block.header.tx_count),
                    "transaction",
                    "transactions"
                )
            ),
        ),
        Probe::Asked { op, name: kind, .. } => {
            Words::plain(format!("a user asks for {kind} (operation {})", op.0))
        }
        Probe::Ended {
            op,
            name: kind,
            end,
            ..
        } => {
            let how = match end {
                OpEnd::Done => "is done".to_owned(),
                OpEnd::Refused(why) => format!("is refused: {why}"),
                OpEnd::GaveUp => "has no answer, the user gives up".to_owned(),
            };
            Words::plain(format!("{kind} {how} (operation {})", op.0))
        }
        other => return recovery(other, name),
    })
}

/// What nodes do that were away, or that are lied to.
fn recovery<'a>(probe: &Probe, name: impl Fn(NodeId) -> &'a str) -> Option<Words> {
    Some(Words::plain(match probe {
        Probe::Recovered { height, head, .. } => {
            format!("comes back at block {height} ({head})")
        }
        Probe::Reorganised { depth, .. } if *depth > 0 => {
            let left = some(*depth, "block", "blocks");
            format!("leaves {left} for a better branch")
        }
        Probe::CaughtUp { blocks, .. } => {
            format!("catches up by {}", some(*blocks, "batch", "batches"))
        }
        Probe::StateTaken {
            sequence, fetched, ..
        } => format!(
            "takes over the state of checkpoint {sequence}, {} fetched",
            some(*fetched, "entry", "entries")
        ),
        Probe::StateRefused { from, .. } => {
            format!(
                "refuses a part of a state from {}: it is not the proven one",
                name(*from)
            )
        }
        Probe::StableCheckpoint { sequence, .. } => {
            format!("has a stable checkpoint at {sequence}")
        }
        Probe::Unauthenticated { subject, reason } => {
            format!("refuses {}: {reason}", name(*subject))
        }
        Probe::Abstains { abstains, .. } => if *abstains {
            "promises nothing, as it may have forgotten what it signed"
        } else {
            "may promise again"
        }
        .to_owned(),
        Probe::DamageFound { records, forgotten } => format!(
            "finds {} on its disk{}",
            some(*records, "damaged record", "damaged records"),
            if *forgotten {
                ", and may have forgotten what it promised"
            } else {
                ""
            }
        ),
        Probe::Refused { from, reason } => {
            format!("refuses a message of {}: {reason}", name(*from))
        }
        Probe::Configured(configured) => {
            let list = |(list, quorum): &(std::sync::Arc<[NodeId]>, usize)| {
                let names: Vec<&str> = list.iter().map(|n| name(*n)).collect();
                format!("{quorum} of {}", names.join(", "))
            };
            let lists: Vec<String> = configured.groups.iter().map(list).collect();
            format!(
                "learns that change {} is in force: {} decide",
                configured.change,
                lists.join(" and ")
            )
        }
        Probe::Change { number, done, .. } => {
            if *done {
                format!("knows that change {number} is done")
            } else {
                format!("asks for change {number}")
            }
        }
        Probe::LightAccepted {
            sequence, batch, ..
        } => {
            format!("accepts decision {sequence} ({batch}) as a light client")
        }
        Probe::LightRefused { from, reason, .. } => {
            format!("does not believe {}: {reason}", name(*from))
        }
        Probe::LightConflict { sequence, .. } => {
            format!("was shown two decisions {sequence}, and believes nobody any more")
        }
        Probe::Noticed { change, .. } => {
            format!("learns whom to believe from now on (change {change})")
        }
        Probe::Believed { subject, .. } => {
            format!(
                "acts on what {} says, whose certificate is revoked",
                name(*subject)
            )
        }
        Probe::Misbehaved { times, .. } => {
            format!("misbehaves ({})", some(*times, "departure", "departures"))
        }
        _ => return None,
    }))
}
