//! Certificate authorities of a run, whom its chain believes, and what changes of that.

use super::chains::Hosted;
use super::changes;
use super::layout::Layout;
use super::operator::{self, Loss};
use crate::plan::{Plan, TrustChangeKind, TrustPlan};
use consim_core::{NodeId, SecretKey, Span, Time};
use consim_kernel::config::Invalid;
use consim_models::node::Noticing;
use consim_models::node::membership::{
    Authority, Genesis, Identity, IdentityCertificate, Role, TrustRoots,
};
use consim_models::node::notice::Notice;
use consim_models::node::registrar::{TrustChange, TrustStep};
use std::collections::{BTreeMap, VecDeque};
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
    /// What the registrar tells the members, and when.
    pub(crate) changes: Arc<[TrustChange]>,
}

/// How many authorities the plan has: the shared one, one for each institution with its own, the
/// new one of each institution that gets one, and those that take the place of the shared one.
pub(crate) fn authorities(plan: &Plan) -> u32 {
    let own = plan.institutions.iter().filter(|i| i.own_authority).count();
    let losses = operator::certificate_losses(plan);
    let new = losses.values().filter(|loss| is_new(loss)).count();
    let trust = plan.chains.values().flat_map(|chain| &chain.trust);
    let rotations = trust.filter(|change| rotates(change)).count();
    (1 + own + new + rotations) as u32
}

fn rotates(change: &TrustPlan) -> bool {
    matches!(change.does, TrustChangeKind::Rotate { .. })
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
    let with_new = with_new.map(|(&i, _)| i).zip(authorities.by_ref());
    let mut new: BTreeMap<usize, Authority> = with_new.collect();
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
    let mut desk = Desk {
        layout,
        shared,
        own,
        next: authorities.collect(),
        held: BTreeMap::new(),
        servers: chain.members.to_vec(),
        notices: 0,
    };
    for (certificate, (number, &i)) in certificates
        .iter()
        .zip(layout.institution_of.iter().enumerate())
    {
        let node = NodeId(number as u32);
        if !layout.administers(node) {
            let second = renewed.get(&node).copied();
            let held = desk.held.entry(i).or_default();
            held.extend([*certificate].into_iter().chain(second));
        }
    }
    let numbered = chain
        .plan
        .trust
        .iter()
        .zip(changes::first_of_trust(chain.plan)..);
    let changes = numbered
        .map(|(change, number)| desk.change(change, number))
        .collect();
    Trust {
        genesis: Arc::new(genesis),
        certificates,
        renewed,
        changes,
    }
}

/// How the members of a chain come by what the registrar says, if that is anything. They fetch lists as often as
/// the change asks that wants them most often, each at a time of its own.
pub(super) fn noticing(chain: &Hosted<'_>, layout: &Layout) -> BTreeMap<NodeId, Noticing> {
    let trust = &chain.plan.trust;
    let registrar = layout.administrator(chain.number());
    let Some(registrar) = registrar.filter(|_| !trust.is_empty()) else {
        return BTreeMap::new();
    };
    let every = trust.iter().filter_map(|change| match change.does {
        TrustChangeKind::Revoke { fetched, .. } => fetched,
        TrustChangeKind::Rotate { .. } => None,
    });
    let every = every.min();
    let n = chain.members.len().max(1) as u64;
    let of = |(&node, place): (&NodeId, u64)| {
        let first = |every: Span| Span::from_nanos(every.nanos() / n * place);
        let noticing = Noticing {
            registrar,
            retry: chain.plan.timeout,
            fetch: every.map(|every| (first(every), every)),
        };
        (node, noticing)
    };
    chain.members.iter().zip(1..).map(of).collect()
}

/// Where certificates are issued and taken back, as the plan's changes follow each other.
struct Desk<'a> {
    layout: &'a Layout,
    shared: Option<Authority>,
    own: BTreeMap<usize, Authority>,
    /// Authorities that take the place of the shared one.
    next: VecDeque<Authority>,
    /// All certificates that each institution's machines were ever given.
    held: BTreeMap<usize, Vec<IdentityCertificate>>,
    /// The servers that hear notices: those that are not shut out.
    servers: Vec<NodeId>,
    /// How many notices there are.
    notices: u32,
}

impl Desk<'_> {
    fn change(&mut self, change: &TrustPlan, number: u64) -> TrustChange {
        let steps = match &change.does {
            TrustChangeKind::Revoke {
                bearers,
                fetched,
                reissue,
            } => self.revoke(number, bearers, fetched.is_none(), *reissue),
            TrustChangeKind::Rotate {
                nodes,
                gap,
                overlap,
            } => self.rotate(number, nodes, *gap, *overlap),
        };
        TrustChange {
            number,
            at: change.at,
            hasty: change.hasty,
            steps,
        }
    }

    fn notice(&mut self, change: u64) -> Notice {
        self.notices += 1;
        Notice::new(change, self.notices)
    }

    /// One notice for all servers.
    fn for_all(&self, notice: &Notice) -> Vec<(NodeId, Notice)> {
        let servers = self.servers.iter();
        servers.map(|&server| (server, notice.clone())).collect()
    }

    /// Certificates that hold no more: of nodes and users, or of nodes alone, which get other ones.
    fn revoke(
        &mut self,
        number: u64,
        bearers: &[usize],
        pushed: bool,
        reissue: Option<Span>,
    ) -> Vec<TrustStep> {
        let mut list = self.notice(number);
        for held in bearers.iter().filter_map(|i| self.held.get(i)) {
            let peer = |c: &&IdentityCertificate| c.identity.role == Role::Peer;
            let gone = held.iter().filter(|c| reissue.is_none() || peer(c));
            list.revoked.extend(gone.map(|c| (c.authority, c.serial)));
        }
        if reissue.is_none() {
            let shut = self.layout.servers_of(bearers);
            self.servers.retain(|server| !shut.contains(server));
        }
        let first = TrustStep {
            after: Span::ZERO,
            pushed,
            notices: self.for_all(&list),
        };
        let again = reissue.map(|after| TrustStep {
            after,
            pushed: true,
            notices: bearers
                .iter()
                .filter_map(|&i| self.certify(number, i))
                .collect(),
        });
        [first].into_iter().chain(again).collect()
    }

    /// Another certificate for the node of an institution, of its own authority or the shared one.
    fn certify(&mut self, number: u64, institution: usize) -> Option<(NodeId, Notice)> {
        let server = self.layout.servers_of(&[institution]).pop()?;
        let held = self.held.get_mut(&institution)?;
        let identity = held.iter().find(|c| c.identity.subject == server)?.identity;
        let authority = self.own.get_mut(&institution).or(self.shared.as_mut())?;
        let certificate = authority.issue(Identity {
            not_after_ns: identity
                .not_before_ns
                .saturating_add((BACKDATED + VALIDITY).nanos() as i64),
            ..identity
        });
        held.push(certificate);
        let mut notice = self.notice(number);
        notice.certificate = Some(certificate);
        Some((server, notice))
    }

    /// Another authority in place of the shared one: all believe it, then the nodes show its certificates one after
    /// the other, and then nobody believes the old one of peers. Without overlap each node does all of that at once
    /// when its turn comes.
    fn rotate(&mut self, number: u64, nodes: &[usize], gap: Span, overlap: bool) -> Vec<TrustStep> {
        let old = self.shared.as_ref().map(Authority::id);
        self.shared = self.next.pop_front().or(self.shared.take());
        let new = self.shared.as_ref().map(Authority::id);
        let step = |after, notices| TrustStep {
            after,
            pushed: true,
            notices,
        };
        let mut moves = Vec::new();
        for &i in nodes {
            if let Some((server, mut notice)) = self.certify(number, i) {
                if !overlap {
                    (notice.trusted, notice.withdrawn) = (new, old);
                }
                moves.push(step(gap, vec![(server, notice)]));
            }
        }
        // Those with an authority of their own do not move, and believe those who do.
        let moving = self.layout.servers_of(nodes);
        let mut first = self.notice(number);
        first.trusted = new;
        let mut first = self.for_all(&first);
        let mut last = self.notice(number);
        last.withdrawn = old;
        let mut last = self.for_all(&last);
        if !overlap {
            first.retain(|(server, _)| !moving.contains(server));
            last.retain(|(server, _)| !moving.contains(server));
        }
        let mut steps = vec![step(Span::ZERO, first)];
        steps.append(&mut moves);
        steps.push(step(gap, last));
        steps.retain(|step| !step.notices.is_empty());
        if !overlap && let Some(first) = steps.first_mut() {
            first.after = Span::ZERO;
        }
        steps
    }
}
