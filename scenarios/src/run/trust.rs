//! Certificate authorities of a run, and whom its chain believes.

use super::chains::Hosted;
use super::layout::Layout;
use super::operator::{self, Loss};
use crate::plan::Plan;
use consim_core::{NodeId, SecretKey, Span, Time};
use consim_kernel::config::Invalid;
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
#[derive(Clone, Debug)]
pub(crate) struct Trust {
    pub(crate) genesis: Arc<Genesis>,
    /// The certificate of each node.
    pub(crate) certificates: Vec<IdentityCertificate>,
    /// The second certificate of servers whose first is no good before its time.
    pub(crate) renewed: BTreeMap<NodeId, IdentityCertificate>,
}

/// How many authorities the plan has: the shared one, one for each institution with its own, and the
/// new one of each institution that gets one.
pub(crate) fn authorities(plan: &Plan) -> u32 {
    let own = plan.institutions.iter().filter(|i| i.own_authority).count();
    let losses = operator::certificate_losses(plan);
    let new = losses.values().filter(|loss| is_new(loss)).count();
    (1 + own + new) as u32
}

fn is_new(loss: &Loss) -> bool {
    loss.why == Invalid::NewAuthority
}

/// Issues a certificate to every node; the chain believes the shared authority, and the own ones of
/// its members for themselves.
pub(super) fn establish(
    plan: &Plan,
    layout: &Layout,
    chain: &Hosted<'_>,
    keys: Vec<SecretKey>,
) -> Trust {
    let mut authorities = keys.into_iter().map(Authority::new);
    let mut shared = authorities.next();
    let mut own: BTreeMap<usize, Authority> = (0..plan.institutions.len())
        .filter(|&i| plan.institutions.get(i).is_some_and(|i| i.own_authority))
        .zip(authorities.by_ref())
        .collect();
    let losses = operator::certificate_losses(plan);
    let with_new = losses.iter().filter(|(_, loss)| is_new(loss));
    let mut new: BTreeMap<usize, Authority> = with_new.map(|(&i, _)| i).zip(authorities).collect();
    let mut roots = TrustRoots::new();
    if let Some(shared) = &shared {
        roots.trust_shared(shared.id());
    }
    if let Some(administrator) = layout.administrator(chain.number()) {
        roots.administered_by(administrator.into());
    }
    for (&i, authority) in &own {
        if chain.plan.members.contains(&i) {
            roots.trust_own(authority.id(), i as u32);
        }
    }
    let wall = |at: Time| plan.start_ns.saturating_add_unsigned(at.nanos());
    for (&i, authority) in &new {
        if let Some(loss) = losses.get(&i).filter(|_| chain.plan.members.contains(&i)) {
            roots.trust_own_from(authority.id(), i as u32, wall(loss.to));
        }
    }
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
            let loss = losses.get(&i).filter(|_| identity.role == Role::Peer);
            let over = loss.filter(|loss| loss.why == Invalid::Expired);
            let first = authority.issue(Identity {
                not_after_ns: over.map_or(identity.not_after_ns, |loss| wall(loss.from)),
                ..identity
            });
            certificates.push(first);
            if let Some(loss) = loss {
                if loss.why == Invalid::Revoked {
                    roots.revoke_from(&first, wall(loss.from));
                }
                let issuer = new.get_mut(&i).unwrap_or(authority);
                renewed.insert(subject, issuer.issue(identity));
            }
        }
    }
    let members = chain.members.iter();
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
