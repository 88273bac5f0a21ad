//! The workloads of a plan.

use super::layout::Layout;
use crate::plan::{Load, Plan, ReplaySpacing, WorkloadKind, WorkloadPlan};
use consim_core::{Span, Streams, Workload, WorkloadId};
use consim_models::custody::MovementWorkload;
use consim_models::device_samples::SampleWorkload;
use consim_models::key_value::TransactionWorkload;
use consim_models::sharing::workload::{
    AuditWorkload, ConsentWorkload, VisitConfig, VisitWorkload,
};
use consim_models::workload::{Closed, Common, Day, Pace, Place, Spacing, Terms};
use std::sync::Arc;

const DAY_NS: i64 = 86_400_000_000_000;
/// Tiers from the largest institutions down; others follow in node order.
const RANKS: [&str; 3] = ["tertiary", "secondary", "primary"];

/// One generator a workload, each on its own random stream.
pub(crate) fn build(plan: &Plan, layout: &Layout, streams: Streams) -> Vec<Box<dyn Workload>> {
    plan.workloads
        .iter()
        .zip(0u16..)
        .map(|((name, workload), number)| -> Box<dyn Workload> {
            let common = common(plan, layout, workload, WorkloadId(number));
            let rng = streams.stream(&format!("workload/{name}"));
            match &workload.kind {
                WorkloadKind::Visits(options, _) => {
                    let options = options.clone();
                    let networks = networks(plan, layout, workload, &common);
                    let visits = VisitWorkload::new(VisitConfig { common, options }, rng);
                    Box::new(visits.within(networks))
                }
                WorkloadKind::Consents(options) => {
                    Box::new(ConsentWorkload::new(&common, *options, rng))
                }
                WorkloadKind::Audits => Box::new(AuditWorkload::new(&common, rng)),
                WorkloadKind::Transactions(options) => {
                    Box::new(TransactionWorkload::new(&common, *options, rng))
                }
                WorkloadKind::Movements(options) => {
                    Box::new(MovementWorkload::new(&common, *options, rng))
                }
                WorkloadKind::Samples(options) => {
                    Box::new(SampleWorkload::new(&common, *options, rng))
                }
            }
        })
        .collect()
}

/// The chain of each place, where the service is on several.
fn networks(plan: &Plan, layout: &Layout, workload: &WorkloadPlan, common: &Common) -> Vec<u8> {
    let service = plan.services.get(&workload.service);
    if service.is_none_or(|service| service.chains().len() < 2) {
        return Vec::new();
    }
    let places = common.places.iter();
    places
        .map(|place| layout.chain_of(place.desk) as u8)
        .collect()
}

fn common(plan: &Plan, layout: &Layout, workload: &WorkloadPlan, number: WorkloadId) -> Common {
    let (institutions, pace): (Vec<usize>, Pace) = match &workload.load {
        Load::Rates { rates, even } => {
            let pace = Pace::Rates {
                rates: rates.values().copied().collect(),
                even: *even,
            };
            (rates.keys().copied().collect(), pace)
        }
        Load::Closed { open, think } => {
            let closed = Closed {
                open: open.values().copied().collect(),
                think: think.clone(),
            };
            (open.keys().copied().collect(), Pace::Closed(closed))
        }
        Load::Instants { places, at } => (places.clone(), Pace::Instants(Arc::clone(at))),
        Load::Recorded(institutions) => {
            let spacing = match workload.kind {
                WorkloadKind::Visits(_, ReplaySpacing::Scaled) => Spacing::Scaled,
                _ => Spacing::Ranked,
            };
            // The largest institutions first: the busiest of the source become these.
            let rank = |i: &usize| {
                let tier = plan.institutions.get(*i).map_or("", |x| x.tier.as_str());
                RANKS.iter().position(|t| *t == tier).unwrap_or(RANKS.len())
            };
            let mut institutions = institutions.clone();
            institutions.sort_by_key(|i| (rank(i), *i));
            (institutions, Pace::Recorded(spacing))
        }
    };
    let local = plan
        .start_ns
        .saturating_add(i64::from(plan.zone_s) * 1_000_000_000);
    Common {
        terms: Terms {
            workload: number,
            deadline: workload.deadline,
            retry_after: workload.retry_after,
            retry_times: workload.retry_times,
        },
        places: institutions
            .iter()
            .filter_map(|&i| {
                Some(Place {
                    desk: *layout.desks.get(i)?,
                    server: layout.entry(plan, i),
                })
            })
            .collect(),
        pace,
        day: Day::new(
            workload.day,
            Span::from_nanos(local.rem_euclid(DAY_NS) as u64),
        )
        .with_course(workload.course.clone()),
        from: workload.from,
        to: workload.to,
    }
}
