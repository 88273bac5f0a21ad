//! Certificate authorities of a run, and whom its chain believes.

use super::layout::Layout;
use super::operator;
use crate::plan::{ChainPlan, Plan};
use consim_core::{NodeId, SecretKey, Span};
use consim_models::node::membership::{
    Authority, Genesis, Identity, IdentityCertificate, Role, TrustRoots,
};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Certificates hold this long (assumed: two years, as certificate authorities commonly issue).
const VALIDITY: Span = Span::from_secs(2 * 365 * 86_400);
/// Certificates are valid from this long before the run, so that no clock is too early.
const BACKDATED: Span = Span::from_secs(86_400);

/// Who is certified by whom.
#[derive(Debug)]
pub(crate) struct Trust {
    pub(crate) genesis: Arc<Genesis>,
    /// The certificate of each node.
    pub(crate) certificates: Vec<IdentityCertificate>,
    /// The second certificate of servers whose first is over before its time.
    pub(crate) renewed: BTreeMap<NodeId, IdentityCertificate>,
}

/// How many authorities the plan has: the shared one, and one for each institution with its own.
pub(crate) fn authorities(plan: &Plan) -> u32 {
    1 + plan.institutions.iter().filter(|i| i.own_authority).count() as u32
}

/// Issues a certificate to every node; the chain believes the shared authority, and the own ones of
/// its members for themselves.
pub(crate) fn establish(
    plan: &Plan,
    layout: &Layout,
    chain: &ChainPlan,
    keys: Vec<SecretKey>,
) -> Trust {
    let mut authorities = keys.into_iter().map(Authority::new);
    let mut shared = authorities.next();
    let mut own: BTreeMap<usize, Authority> = (0..plan.institutions.len())
        .filter(|&i| plan.institutions.get(i).is_some_and(|i| i.own_authority))
        .zip(authorities)
        .collect();
    let mut roots = TrustRoots::new();
    if let Some(shared) = &shared {
        roots.trust_shared(shared.id());
    }
    for (&i, authority) in &own {
        if chain.members.contains(&i) {
            roots.trust_own(authority.id(), i as u32);
        }
    }
    let expiries = operator::expiries(plan);
    let mut certificates = Vec::new();
    let mut renewed = BTreeMap::new();
    for (node, &i) in layout.institution_of.iter().enumerate() {
        let subject = NodeId(node as u32);
        let identity = Identity {
            subject,
            organisation: i as u32,
            role: if layout.is_server(subject) {
                Role::Peer
            } else {
                Role::Client
            },
            not_before_ns: plan.start_ns.saturating_sub(BACKDATED.nanos() as i64),
            not_after_ns: plan.start_ns.saturating_add(VALIDITY.nanos() as i64),
        };
        if let Some(authority) = own.get_mut(&i).or(shared.as_mut()) {
            let over = expiries.get(&i).filter(|_| identity.role == Role::Peer);
            certificates.push(authority.issue(Identity {
                not_after_ns: over.map_or(identity.not_after_ns, |at| {
                    plan.start_ns.saturating_add_unsigned(at.nanos())
                }),
                ..identity
            }));
            if over.is_some() {
                renewed.insert(subject, authority.issue(identity));
            }
        }
    }
    let members = chain
        .members
        .iter()
        .filter_map(|&i| layout.servers.get(i).copied().flatten());
    let genesis = Genesis {
        roots,
        certificates: members
            .filter_map(|n| certificates.get(n.index()).copied())
            .collect(),
    };
    Trust {
        genesis: Arc::new(genesis),
        certificates,
        renewed,
    }
}
