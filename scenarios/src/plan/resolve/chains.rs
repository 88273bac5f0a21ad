//! Chains.

use super::changes::Seats;
use super::gossip as overlay;
use super::{ChainView, Planner};
use crate::plan::{ChainPlan, NetworkPlan};
use crate::schema::{
    AcknowledgeWord, At, Auto, BftSmartKeys, Certificates, Chain, CliqueKeys, Consensus, Decode,
    ForkWord, GossipKeys, HotStuffKeys, Leader, Leaf, LeafKind, Mempool, PacemakerKind,
    PayloadPlace, PbftKeys, Phases, QbftKeys, RaftKeys, RaftRead, RequestsGo, ServiceKind,
    SpreadWord, TendermintKeys, TimeOfBlocks, UntilFull, VoteChecks, VotesTravel, WaitFor,
};
use consim_core::values::{Count, Name};
use consim_core::{Distribution, Span};
use consim_models::consensus::bft_smart::{BftSmartOptions, Requests};
use consim_models::consensus::clique::config::MAX_CONFIRMATIONS;
use consim_models::consensus::clique::{CliqueOptions, ForkChoice};
use consim_models::consensus::hotstuff::{self, Additions, HotStuffOptions};
use consim_models::consensus::payload::{Acknowledge, BatchTerms, Spread};
use consim_models::consensus::pbft::PbftOptions;
use consim_models::consensus::qbft::{QbftOptions, Variant};
use consim_models::consensus::raft::{RaftOptions, ReadMode};
use consim_models::consensus::tendermint::{
    BlockTime, MAX_MESSAGE_DELAY, MAX_PRECISION, Synchrony, TendermintOptions, Terms, gossip,
};
use consim_models::consensus::{
    self, BlockLimits, MempoolLimits, ProtocolEntry, ProtocolOptions, byzantine_faults,
};
use std::collections::BTreeMap;

/// The chain of a scenario that names none.
const DEFAULT_CHAIN: &str = "ledger";
/// A timeout of `auto` is this many latency floors...
const TIMEOUT_FLOORS: u64 = 4;
/// ...and at least this.
const TIMEOUT_LEAST: Span = Span::from_secs(1);

/// Bytes of a batch of the mempool layer where the scenario says nothing of batches, as the key's default.
const BATCH_BYTES: u64 = 500_000;
/// And how long its oldest transaction waits.
const BATCH_WAIT: Span = Span::from_millis(100);

/// The largest part of a block, bytes (assumed): a message of a few megabytes is as much as any transport takes.
const MAX_PART: u64 = 16 << 20;

/// Steps that the search for a latency floor may take: proposers times regions squared. Of many
/// regions only the first propose, which changes the figure little.
const FLOOR_STEPS: usize = 4_000_000;

impl Planner<'_> {
    /// Groups and chains share one name space.
    pub(super) fn clashes(&mut self) {
        let scenario = self.scenario;
        for (name, _) in &scenario.chains {
            let group = scenario
                .organisations
                .iter()
                .find(|(g, _)| g.value == name.value);
            if let Some((group, _)) = group {
                let at = self.cx.sources.name_of(&group.place);
                let line = at.rsplit(':').nth(1).unwrap_or("?").to_owned();
                let word = &name.value.0;
                let place = name.place.clone();
                self.cx.error(
                    "E305",
                    &place,
                    format!("`{word}` is a group (line {line}) and now a chain too"),
                    format!(
                        "selectors could not tell them apart; call the chain e.g. {word}-chain"
                    ),
                );
            }
        }
    }

    /// The chains; the first pass gives selectors their sizes.
    pub(super) fn chains(
        &mut self,
        network: Option<&NetworkPlan>,
    ) -> Option<BTreeMap<String, ChainPlan>> {
        let scenario = self.scenario;
        let default;
        if scenario.chains.is_empty() && self.doubt {
            return None;
        }
        let chains: &[(At<Name>, Chain)] = if scenario.chains.is_empty() {
            default = [self.default_chain()?];
            &default
        } else {
            &scenario.chains
        };
        let mut out = BTreeMap::new();
        let mut whole = true;
        for (name, chain) in chains {
            match self.chain(name, chain, network) {
                Some(plan) => {
                    out.insert(name.value.0.clone(), plan);
                }
                None => whole = false,
            }
        }
        let asked = self.scenario.network.gossip.is_some();
        let here = |leaf: &&Leaf| leaf.path.starts_with(&["network".into(), "gossip".into()]);
        let place = self
            .cx
            .leaves
            .iter()
            .find(here)
            .map(|leaf| leaf.place.clone());
        if let Some(place) = place.filter(|_| asked && whole && !self.gossips) {
            self.cx.warning(
                "W518",
                &place,
                "no chain sends anything from peer to peer",
                "consensus: { tendermint: { spread: gossip } }, or leave network.gossip out",
            );
        }
        whole.then_some(out)
    }

    fn default_chain(&mut self) -> Option<(At<Name>, Chain)> {
        let node = self.cx.default_node("{}")?;
        let place = self.scenario.consim.place.clone();
        self.cx.below(&["chains", DEFAULT_CHAIN], &place, |cx| {
            let leaf = cx.leaf(LeafKind::Head, String::new(), &node.place);
            let chain = Chain::decode(cx, &node)?;
            let name = At {
                value: Name(DEFAULT_CHAIN.into()),
                place: place.clone(),
                leaf,
            };
            Some((name, chain))
        })
    }

    /// Who takes part in a chain, and who of them joins or leaves while it runs, if that is in order.
    /// Selectors know the chain from here on.
    fn seats(
        &mut self,
        name: &At<Name>,
        chain: &Chain,
        entry: &'static ProtocolEntry,
    ) -> Option<Seats> {
        let members = self.nodes(&chain.members)?;
        if let Some(leaf) = self.cx.leaves.get_mut(chain.members.leaf) {
            // However it is written, everybody is the default.
            leaf.default = members.len() == self.institutions.len();
        }
        let view = |n: usize| ChainView {
            protocol: entry.name,
            members: members.clone(),
            f: byzantine_faults(n),
            bears: if entry.byzantine {
                (entry.tolerates)(n)
            } else {
                0
            },
            quorum: (entry.quorum)(n),
        };
        // Changes may name the chain; its sizes are those of the beginning.
        self.chains
            .insert(name.value.0.clone(), view(members.len()));
        let moves = self.changes(name, chain, &members, entry);
        let trust = self.trust(name, &members);
        let outside = moves.as_ref().map_or(0, |moves| moves.outside.len());
        let n = members.len() - outside;
        self.chains.insert(name.value.0.clone(), view(n));
        if n < entry.least {
            if self.doubt {
                return None;
            }
            let place = chain.members.place.clone();
            self.cx.error(
                "E501",
                &place,
                format!(
                    "{} needs at least {} members, these are {n}{}",
                    entry.name,
                    entry.least,
                    if outside > 0 {
                        format!(" at the beginning ({outside} join later)")
                    } else {
                        String::new()
                    }
                ),
                "add members",
            );
            return None;
        }
        if moves
            .as_ref()
            .is_some_and(|moves| !moves.changes.is_empty())
            && !matches!(self.wait_for(chain), WaitFor::One)
        {
            // A client counts on as many answers as the members of the beginning can give.
            let (place, word) = (
                chain.clients.wait_for.place.clone(),
                chain.clients.wait_for.value.word(),
            );
            self.cx
                .later(&place, &format!("wait_for: {word} while members change"));
        }
        Some((members, moves.zip(trust)))
    }

    /// Says what the chain bears, where that may surprise.
    fn note_bounds(
        &mut self,
        name: &str,
        entry: &ProtocolEntry,
        (n, f, quorum): (usize, usize, usize),
    ) {
        if !entry.byzantine && !self.scenario.attacks.is_empty() {
            self.notes.push(format!(
                "{} bears no member that lies, and its messages prove nothing: if one breaks {name}, nobody can say who",
                entry.name
            ));
        }
        if entry.byzantine && n != 3 * f + 1 {
            self.notes.push(format!(
                "n = {n} is not 3f+1; {name} bears f = {f} like n = {} (quorum {quorum})",
                3 * f + 1
            ));
        }
    }

    fn chain(
        &mut self,
        name: &At<Name>,
        chain: &Chain,
        network: Option<&NetworkPlan>,
    ) -> Option<ChainPlan> {
        let entry = consensus::entry(chain.consensus.word())?;
        let (members, changes) = self.seats(name, chain, entry)?;
        let outside = changes.as_ref().map_or(0, |(moves, _)| moves.outside.len());
        let n = members.len() - outside;
        let (f, quorum) = ((entry.tolerates)(n), (entry.quorum)(n));
        for (at, what) in [
            (&chain.block.transactions, "a block of no transactions"),
            (&chain.checkpoint, "no blocks between checkpoints"),
            (&chain.mempool.limit, "a mempool that holds nothing"),
        ] {
            self.at_least_one(at, what);
        }
        let adds = chain.certificates.value == Certificates::Aggregate;
        let suite = self.suite(&name.value.0, &chain.signatures, adds)?;
        self.suites.insert(name.value.0.clone(), suite);
        let (options, checkpoint) = match &chain.consensus {
            Consensus::Pbft(pbft) => self.pbft(chain, pbft),
            Consensus::Raft(raft) => (self.raft(raft), chain.checkpoint.value.0),
            Consensus::HotStuff(keys) => {
                let additions = suite.additions.filter(|_| adds);
                let options = Self::hotstuff(chain, keys, additions);
                (options, chain.checkpoint.value.0)
            }
            Consensus::BftSmart(keys) => self.bft_smart(chain, keys),
            Consensus::Tendermint(keys) => self.tendermint(chain, keys),
            Consensus::Qbft(keys) => self.qbft(chain, keys, Variant::Qbft),
            Consensus::Ibft(keys) => self.qbft(chain, keys, Variant::Ibft),
            Consensus::Clique(keys) => (
                self.clique(&name.value.0, chain, keys),
                chain.checkpoint.value.0,
            ),
        };
        self.spread(chain, &options);
        if adds {
            self.aggregates(chain, entry.name, suite.additions.is_some());
        }
        self.note_bounds(&name.value.0, entry, (n, f, quorum));
        let (moves, trust) = changes?;
        let inside = members.iter().filter(|i| !moves.outside.contains(i));
        let inside: Vec<usize> = inside.copied().collect();
        let floor = network.map_or(Span::ZERO, |net| {
            self.floor(net, &inside, quorum, (entry.phases)(&options))
        });
        let gossip = match &options {
            ProtocolOptions::Tendermint(o) if o.gossip.is_some() || o.flood => Some(o.gossip),
            _ => None,
        };
        self.gossips |= gossip.is_some();
        let peers = match gossip {
            Some(_) => Some(self.peers(&members)?),
            None => None,
        };
        let timeout = match chain.timeout.value {
            Auto::Given(span) => span,
            Auto::Auto => {
                // What routines sleep and buffers hold back on the way, in each phase.
                let hops = peers.as_ref().map_or(0, |peers| peers.hops);
                let hop = gossip.flatten().map_or(Span::ZERO, |g| g.sleep + g.flush);
                let on_the_way = hop.times(hops * u64::from((entry.phases)(&options)));
                floor.times(TIMEOUT_FLOORS).max(TIMEOUT_LEAST) + on_the_way
            }
        };
        if timeout.is_zero() {
            let place = chain.timeout.place.clone();
            self.cx
                .error("E107", &place, "a timeout of nothing", "2s or auto");
        }
        let text = format!(
            "n = {n}, f = {f}, quorum {quorum}, latency floor {}, timeout {timeout}{}",
            rounded(floor),
            peers
                .as_ref()
                .map_or_else(String::new, overlay::Peers::text)
        );
        self.derived(&["chains", &name.value.0], text, &name.place.clone());
        let light = self
            .light(name, chain, (&members, &inside), entry, &options)
            .ok()?;
        Some(ChainPlan {
            light,
            peers: peers.and_then(|peers| peers.of),
            members,
            outside: moves.outside,
            changes: moves.changes,
            trust,
            protocol: entry.name.to_owned(),
            options,
            block: BlockLimits {
                transactions: chain.block.transactions.value.0 as u32,
                bytes: chain.block.bytes.value.0,
                wait: chain.block.wait.value,
            },
            mempool: MempoolLimits {
                transactions: chain.mempool.limit.value.0 as u32,
                bytes: chain.mempool.bytes.value.0,
            },
            timeout,
            checkpoint,
            signatures: chain.signatures.value.word().to_owned(),
            signature_bytes: suite.signature_bytes,
            f,
            quorum,
            floor,
            wait_for: self.wait_for(chain).members(f, quorum),
            signed: chain.clients.signed.value.0,
        })
    }

    /// How many answers clients wait for. BFT-SMaRt's wait for a quorum (DSN 2014, section 3.1), where the
    /// services are such that clients can ask several members, and these stay the same.
    pub(super) fn wait_for(&self, chain: &Chain) -> WaitFor {
        let asked = chain.clients.wait_for.value;
        let several = |kind: &ServiceKind| matches!(kind, ServiceKind::KeyValue(_));
        let mut services = self.scenario.services.iter();
        match (asked, &chain.consensus) {
            (WaitFor::Auto, Consensus::BftSmart(_))
                if services.all(|(_, service)| several(service))
                    && !self
                        .scenario
                        .changes
                        .iter()
                        .any(|(_, c)| c.kind.of_members()) =>
            {
                WaitFor::Quorum
            }
            (WaitFor::Auto, _) => WaitFor::One,
            _ => asked,
        }
    }

    fn at_least_one(&mut self, at: &At<Count>, what: &str) {
        if at.value.0 == 0 || at.value.0 > u64::from(u32::MAX) {
            let place = at.place.clone();
            let what = if at.value.0 == 0 { what } else { "too many" };
            self.cx.error("E107", &place, what, "at least 1");
        }
    }

    /// PBFT's options, and its distance of checkpoints.
    fn pbft(&mut self, chain: &Chain, pbft: &PbftKeys) -> (ProtocolOptions, u64) {
        let checkpoint = pbft.checkpoint.as_ref();
        if let Some(checkpoint) = checkpoint {
            self.at_least_one(checkpoint, "no blocks between checkpoints");
        }
        self.at_least_one(&pbft.watermark, "no sequence numbers in flight");
        self.at_least_one(&pbft.pipeline, "no proposals in flight");
        let checkpoint = checkpoint.unwrap_or(&chain.checkpoint);
        if pbft.watermark.value.0 < checkpoint.value.0 {
            let place = pbft.watermark.place.clone();
            self.cx.error(
                "E505",
                &place,
                format!(
                    "a window of {} never reaches the checkpoint at {}",
                    pbft.watermark.value.0, checkpoint.value.0
                ),
                "watermark is at least the distance of checkpoints",
            );
        }
        let options = PbftOptions {
            watermark: pbft.watermark.value.0,
            pipeline: pbft.pipeline.value.0 as u32,
            ..PbftOptions::default()
        };
        (ProtocolOptions::Pbft(options), checkpoint.value.0)
    }

    /// Can the certificates of `protocol` be aggregates, of signatures that add up or not?
    fn aggregates(&mut self, chain: &Chain, protocol: &str, add_up: bool) {
        let place = chain.certificates.place.clone();
        if protocol != "hotstuff" {
            self.cx.error(
                "E505",
                &place,
                format!("{protocol} has no certificates that could be aggregates"),
                "certificates: vector, or consensus: hotstuff",
            );
        } else if !add_up {
            let scheme = chain.signatures.value.word();
            self.cx.error(
                "E505",
                &place,
                format!("signatures of {scheme} cannot be added up to one"),
                "signatures: bls, or certificates: vector",
            );
        }
    }

    /// HotStuff's options.
    fn hotstuff(
        chain: &Chain,
        keys: &HotStuffKeys,
        additions: Option<Additions>,
    ) -> ProtocolOptions {
        let HotStuffKeys {
            phases,
            leader,
            payload,
            votes,
            pacemaker,
        } = keys;
        let PacemakerKind::TimeoutCertificates = pacemaker.value;
        let spread = match payload.value {
            PayloadPlace::Inside => None,
            PayloadPlace::Digest => Some(match chain.mempool.spread.value {
                SpreadWord::Direct | SpreadWord::Gossip => Spread::Direct,
                SpreadWord::Batches => Spread::Batches(batch_terms(&chain.mempool)),
            }),
        };
        ProtocolOptions::HotStuff(HotStuffOptions {
            phases: match phases.value {
                Phases::Two => hotstuff::Phases::Two,
                Phases::Three => hotstuff::Phases::Three,
            },
            leader: match leader.value {
                Leader::Stable => hotstuff::LeaderRule::Stable,
                Leader::RoundRobin => hotstuff::LeaderRule::RoundRobin,
                Leader::Reputation => hotstuff::LeaderRule::Reputation,
            },
            payload: spread,
            checks: match votes.value {
                VoteChecks::Each => hotstuff::Checks::Each,
                VoteChecks::Together => hotstuff::Checks::Together,
            },
            additions,
        })
    }

    /// Does the way in which transactions spread suit the proposals of the protocol?
    fn spread(&mut self, chain: &Chain, options: &ProtocolOptions) {
        let mempool = &chain.mempool;
        let apart = matches!(options, ProtocolOptions::HotStuff(o) if o.payload.is_some());
        if mempool.spread.value == SpreadWord::Batches && !apart {
            let place = mempool.spread.place.clone();
            let (message, help) = match options {
                ProtocolOptions::HotStuff(_) => (
                    "transactions that are in the proposals do not spread in batches",
                    "payload: digest in consensus, or spread: direct",
                ),
                _ => (
                    "proposals of this protocol hold their transactions",
                    "spread: direct, or consensus: { hotstuff: { payload: digest } }",
                ),
            };
            self.cx.error("E505", &place, message, help);
        }
        let floods = matches!(options, ProtocolOptions::Tendermint(_));
        if mempool.spread.value == SpreadWord::Gossip && !floods {
            let place = mempool.spread.place.clone();
            self.cx.error(
                "E505",
                &place,
                "transactions of this protocol do not go from peer to peer",
                "spread: direct, or consensus: tendermint",
            );
        }
        if mempool.spread.value != SpreadWord::Batches {
            let batch = mempool.batch.as_ref().map(|b| &b.bytes.place);
            let acknowledge = mempool.acknowledge.as_ref().map(|a| &a.place);
            let places = batch.into_iter().chain(acknowledge);
            for place in places.cloned().collect::<Vec<_>>() {
                let message = "without spread: batches there are no batches";
                self.cx.error("E505", &place, message, "spread: batches");
            }
        }
        if let Some(batch) = &mempool.batch
            && batch.bytes.value.0 == 0
        {
            let place = batch.bytes.place.clone();
            self.cx
                .error("E107", &place, "a batch of no bytes", "500kB");
        }
    }

    /// BFT-SMaRt's options, and its distance of checkpoints.
    fn bft_smart(&mut self, chain: &Chain, keys: &BftSmartKeys) -> (ProtocolOptions, u64) {
        let checkpoint = keys.checkpoint.as_ref();
        if let Some(checkpoint) = checkpoint {
            self.at_least_one(checkpoint, "no blocks between checkpoints");
        }
        let options = BftSmartOptions {
            requests: match keys.requests.value {
                RequestsGo::ToAll => Requests::ToAll,
                RequestsGo::ToLeader => Requests::ToLeader,
            },
        };
        let checkpoint = checkpoint.unwrap_or(&chain.checkpoint);
        (ProtocolOptions::BftSmart(options), checkpoint.value.0)
    }

    /// Tendermint's options, and its distance of checkpoints.
    fn tendermint(&mut self, chain: &Chain, keys: &TendermintKeys) -> (ProtocolOptions, u64) {
        let checkpoint = keys.checkpoint.as_ref();
        if let Some(checkpoint) = checkpoint {
            self.at_least_one(checkpoint, "no blocks between checkpoints");
        }
        for first in [&keys.propose, &keys.prevote, &keys.precommit] {
            if let Some(at) = first.as_ref().filter(|at| at.value.is_zero()) {
                let place = at.place.clone();
                self.cx.error(
                    "E107",
                    &place,
                    "a timeout of nothing",
                    "1s, or leave it out",
                );
            }
        }
        let span = |at: &Option<At<Span>>| at.as_ref().map(|at| at.value);
        let terms = |first, delta| Terms {
            first: span(first),
            delta: span(delta),
        };
        let gossip = match &keys.spread {
            VotesTravel::Direct(_) => None,
            VotesTravel::Gossip(gossip) => Some(self.gossip(gossip)),
        };
        let options = TendermintOptions {
            propose: terms(&keys.propose, &keys.propose_delta),
            prevote: terms(&keys.prevote, &keys.prevote_delta),
            precommit: terms(&keys.precommit, &keys.precommit_delta),
            time: self.time_of_blocks(&keys.time),
            commit: keys.commit.value,
            gossip,
            flood: chain.mempool.spread.value == SpreadWord::Gossip,
        };
        let checkpoint = checkpoint.unwrap_or(&chain.checkpoint);
        (ProtocolOptions::Tendermint(options), checkpoint.value.0)
    }

    /// What the time of a block of Tendermint is.
    fn time_of_blocks(&mut self, time: &TimeOfBlocks) -> BlockTime {
        let TimeOfBlocks::Proposer(keys) = time else {
            return BlockTime::Bft;
        };
        for (span, most) in [
            (&keys.precision, MAX_PRECISION),
            (&keys.message_delay, MAX_MESSAGE_DELAY),
        ] {
            if span.value.is_zero() || span.value > most {
                let place = span.place.clone();
                let meant = format!("more than nothing and at most {most}");
                self.cx
                    .error("E107", &place, "no time that can be asked for", meant);
            }
        }
        BlockTime::Proposer(Synchrony {
            precision: keys.precision.value,
            message_delay: keys.message_delay.value,
        })
    }

    /// How gossip goes.
    fn gossip(&mut self, keys: &GossipKeys) -> gossip::Terms {
        if keys.sleep.value.is_zero() {
            let place = keys.sleep.place.clone();
            let text = "a routine that never sleeps";
            self.cx.error("E107", &place, text, "for example 100ms");
        }
        let part = keys.part.value.0;
        if !(1..=MAX_PART).contains(&part) {
            let place = keys.part.place.clone();
            let text = format!("parts of {part} bytes");
            self.cx.error("E107", &place, text, "1B to 16MiB");
        }
        gossip::Terms {
            sleep: keys.sleep.value,
            flush: keys.flush.value,
            part: u32::try_from(part).unwrap_or(u32::MAX),
        }
    }

    /// QBFT's and IBFT 2.0's options, and the distance of checkpoints.
    fn qbft(&mut self, chain: &Chain, keys: &QbftKeys, variant: Variant) -> (ProtocolOptions, u64) {
        let checkpoint = keys.checkpoint.as_ref();
        if let Some(checkpoint) = checkpoint {
            self.at_least_one(checkpoint, "no blocks between checkpoints");
        }
        let period = keys.period.value;
        if let Some(at) = &keys.empty_period
            && (at.value < period || at.value.is_zero())
        {
            let place = at.place.clone();
            self.cx.error(
                "E107",
                &place,
                format!(
                    "empty blocks would come after {}, and blocks after {period}",
                    at.value
                ),
                "at least the period and more than nothing, or leave it out",
            );
        }
        let options = QbftOptions {
            variant,
            period,
            empty_period: keys.empty_period.as_ref().map(|at| at.value),
            double_timeout: keys.double_timeout.value.0,
        };
        let checkpoint = checkpoint.unwrap_or(&chain.checkpoint);
        (ProtocolOptions::Qbft(options), checkpoint.value.0)
    }
    /// Clique's options.
    fn clique(&mut self, name: &str, chain: &Chain, keys: &CliqueKeys) -> ProtocolOptions {
        self.at_least_one(&keys.epoch, "no blocks between epochs");
        let leaf = self.cx.leaves.get(chain.checkpoint.leaf);
        if leaf.is_some_and(|leaf| !leaf.default) {
            self.notes.push(format!(
                "clique keeps all its blocks and has no checkpoints: `checkpoint: {}` of {name} changes nothing",
                chain.checkpoint.value.0
            ));
        }
        if let Some(depth) = &keys.confirmations
            && depth.value.0 > MAX_CONFIRMATIONS
        {
            let place = depth.place.clone();
            let mend = format!("at most {MAX_CONFIRMATIONS}");
            self.cx
                .error("E107", &place, "too many confirmations", &mend);
        }
        ProtocolOptions::Clique(CliqueOptions {
            period: keys.period.value,
            epoch: keys.epoch.value.0,
            fork_choice: match keys.fork_choice.value {
                ForkWord::FirstSeen => ForkChoice::FirstSeen,
                ForkWord::Geth => ForkChoice::Geth,
                ForkWord::Eip3436 => ForkChoice::Eip3436,
            },
            confirmations: keys.confirmations.as_ref().map(|depth| depth.value.0),
            wiggle: keys.wiggle.value,
        })
    }

    /// Raft's options.
    fn raft(&mut self, raft: &RaftKeys) -> ProtocolOptions {
        if let Some(snapshot) = &raft.snapshot {
            self.at_least_one(snapshot, "no entries between snapshots");
        }
        let read = match raft.read.value {
            RaftRead::Index => ReadMode::Index,
            RaftRead::Lease => ReadMode::Lease,
        };
        if read == ReadMode::Lease && !raft.check_quorum.value.0 {
            let place = raft.read.place.clone();
            self.cx.error(
                "E505",
                &place,
                "a lease means nothing where members vote although they hear a leader",
                "read: index, or check_quorum: true",
            );
        }
        ProtocolOptions::Raft(RaftOptions {
            pre_vote: raft.pre_vote.value.0,
            check_quorum: raft.check_quorum.value.0,
            read,
            snapshot: raft.snapshot.as_ref().map(|at| at.value.0),
        })
    }

    /// The least time from a proposal to its commit at the proposer, by delays alone: the first
    /// phase goes from the proposer to all, in each further one everybody waits for a quorum. The
    /// proposer is the one for whom it takes least.
    fn floor(&self, network: &NetworkPlan, members: &[usize], quorum: usize, phases: u32) -> Span {
        let line = network.link.delay.mean().nanos();
        let cell = |a: usize, b: usize| {
            let cell = network.delays.get(a).and_then(|row| row.get(b));
            cell.map_or(0, |d| Distribution::mean(d).nanos()) + line
        };
        let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
        for &member in members {
            let region = self.institutions.get(member).map_or(0, |x| x.region);
            *counts.entry(region).or_default() += 1;
        }
        let regions = counts.len().max(1);
        let proposers = (FLOOR_STEPS / (regions * regions)).max(1);
        let least = counts
            .keys()
            .take(proposers)
            .map(|&home| floor_from(home, &counts, quorum, phases, cell));
        Span::from_nanos(least.min().unwrap_or(0))
    }
}

/// When a proposer in `home` has its commit. The other members of a region all hear the same, so
/// they are counted and not followed one by one.
fn floor_from(
    home: usize,
    counts: &BTreeMap<usize, usize>,
    quorum: usize,
    phases: u32,
    cell: impl Fn(usize, usize) -> u64,
) -> u64 {
    // Region, members without the proposer, when they are done with the phase.
    let mut others: Vec<(usize, usize, u64)> = counts
        .iter()
        .map(|(&region, &n)| (region, n - usize::from(region == home), cell(home, region)))
        .filter(|(_, n, _)| *n > 0)
        .collect();
    let mut proposer = 0;
    for _ in 1..phases {
        let at_quorum = |mut heard: Vec<(u64, usize)>| {
            heard.sort_unstable();
            let mut votes = 0;
            let reached = heard.iter().find(|(_, n)| {
                votes += n;
                votes >= quorum
            });
            reached.or(heard.last()).map_or(0, |(at, _)| *at)
        };
        let from_others = |to: usize, own: Option<u64>| -> Vec<(u64, usize)> {
            let mut heard: Vec<(u64, usize)> = others
                .iter()
                .map(|&(from, n, at)| {
                    let itself = own.is_some() && from == to;
                    (at + cell(from, to), n - usize::from(itself))
                })
                .collect();
            heard.extend(own.map(|at| (at, 1)));
            heard
        };
        let next: Vec<(usize, usize, u64)> = others
            .iter()
            .map(|&(region, n, at)| {
                let mut heard = from_others(region, Some(at));
                heard.push((proposer + cell(home, region), 1));
                (region, n, at_quorum(heard))
            })
            .collect();
        let mut heard = from_others(home, None);
        heard.push((proposer, 1));
        proposer = at_quorum(heard);
        others = next;
    }
    proposer
}

/// A duration as people say it: three figures are enough.
pub(super) fn rounded(span: Span) -> String {
    let ns = span.nanos();
    let digits = ns.checked_ilog10().unwrap_or(0);
    let unit = 10u64.pow(digits.saturating_sub(2));
    let coarse = Span::from_nanos((ns + unit / 2) / unit * unit);
    if ns >= 1_000_000_000 {
        return format!("{:.2}s", coarse.seconds());
    }
    if ns >= 1_000_000 {
        return format!("{}ms", coarse.millis());
    }
    coarse.to_string()
}

/// When batches of the mempool layer are sealed, and who may propose them.
fn batch_terms(mempool: &Mempool) -> BatchTerms {
    let batch = mempool.batch.as_ref();
    BatchTerms {
        bytes: batch.map_or(BATCH_BYTES, |batch| batch.bytes.value.0),
        wait: match batch.map(|batch| batch.wait.value) {
            None => Some(BATCH_WAIT),
            Some(UntilFull::Never) => None,
            Some(UntilFull::Given(span)) => Some(span),
        },
        pause: batch.map_or(Span::ZERO, |batch| batch.pause.value),
        acknowledge: match mempool.acknowledge.as_ref().map(|a| a.value) {
            None | Some(AcknowledgeWord::None) => Acknowledge::None,
            Some(AcknowledgeWord::Quorum) => Acknowledge::Quorum,
            Some(AcknowledgeWord::Certificate) => Acknowledge::Certificate,
        },
    }
}
