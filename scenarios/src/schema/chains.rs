//! `chains`.

use super::decode::At;
use super::hardware::Scheme;
use super::lists::Targets;
use super::macros::{choice, record, words};
use super::organisations::Plain;
use consim_core::Span;
use consim_core::values::{Bytes, Count, Switch, Value, ValueError};

record! {
    /// A chain.
    pub struct Chain {
        /// Validators.
        members: Targets = "all",
        /// The protocol that orders transactions.
        consensus: Consensus = "pbft",
        /// When a block is proposed.
        block: Block = "{}",
        /// First view, round or election timer.
        timeout: At<Auto> = "auto",
        /// What a node holds that is not ordered yet.
        mempool: Mempool = "{}",
        /// Blocks between checkpoints.
        checkpoint: At<Count> = "128",
        /// How its members sign, hash and encrypt: what that costs and how long signatures are.
        signatures: At<Scheme> = "ed25519",
        /// What a certificate of votes, of timeouts or of availability holds, with `hotstuff`: all signatures, or
        /// with `signatures: bls` their `aggregate`, one signature and a bit for each member.
        certificates: At<Certificates> = "vector",
        /// Who accepts an answer from how many.
        clients: Clients = "{}",
        /// How the nodes of organisations with `roles: [light-client]` follow it.
        light_clients: Option<LightClients>,
    }
    later "observers" "per" "shards" "flow" "endorse" "prune" "snapshot" "channels"
        "reads";
}

record! {
    /// `chains.NAME.light_clients`. A light client executes nothing: it verifies the certificates of decisions, and
    /// what proves who decides (the light client of CometBFT).
    pub struct LightClients {
        /// The members that they ask, each at first another one, its primary; the members of the beginning if left
        /// out.
        full_nodes: Option<Targets>,
        /// With how many others each compares what its primary shows. One of these at least has to show the same.
        witnesses: At<Count> = "1",
        /// From one look at the chain to the next.
        period: At<Span> = "1s",
        /// How they learn who decides.
        verification: At<Verification> = "sequential",
        /// To skip changes of the members takes signatures of more than this share of those that are trusted.
        trust_level: At<Fraction> = "1/3",
        /// How long after its time what is trusted is.
        trusting_period: At<Span> = "14d",
        /// How far the time of a decision may be ahead of their clocks.
        clock_drift: At<Span> = "10s",
        /// What they trust at first.
        trusted: TrustedFirst = "genesis",
    }
}

words! {
    /// How light clients learn who decides.
    pub enum Verification: "way to verify" {
        /// By all blocks in which the members changed, one after the other.
        Sequential = "sequential",
        /// By a checkpoint, whose state shows which changes were made, where enough of those that are trusted signed it.
        Skipping = "skipping",
    }
}

choice! {
    /// What light clients trust at first.
    pub enum TrustedFirst: "root of trust" {
        /// The genesis.
        Genesis(Plain) = "genesis",
        /// What a node shows at first, which its operators vouch for: a decision that is young, however old the genesis.
        Node(TrustedNode) = "node",
    }
}

record! {
    /// Options of `trusted: node`.
    pub struct TrustedNode {
        /// The node.
        of: Targets,
    }
    main "of";
}

/// A share with a numerator and a denominator: `1/3`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Fraction(pub(crate) u32, pub(crate) u32);

impl Value for Fraction {
    const FORM: &'static str = "a fraction";
    const EXAMPLES: &'static str = "1/3 or 2/3";
    fn pattern() -> String {
        "[0-9]+/[1-9][0-9]*".into()
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        let parts = text.split_once('/');
        let parts = parts.and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match parts {
            Some((parts, of)) if of > 0 && parts <= of => Ok(Self(parts, of)),
            _ => Err(ValueError::form::<Self>(text)),
        }
    }
    fn text(&self) -> String {
        format!("{}/{}", self.0, self.1)
    }
}

words! {
    /// What a certificate holds.
    pub enum Certificates: "form of certificates" {
        /// The signatures of those that signed, one after the other.
        Vector = "vector",
        /// One signature, the sum of theirs, and a bit for each member; with `signatures: bls`.
        Aggregate = "aggregate",
    }
}

record! {
    /// `chains.NAME.clients`.
    pub struct Clients {
        /// `one`: a client asks one server, its own or the nearest, and believes it. `f+1` and
        /// `quorum`: it asks the members itself and believes a write that so many of them executed;
        /// of a value it believes what a quorum shows.
        /// `auto` is the protocol's: a quorum with `bft-smart` where all services are stores, else one.
        wait_for: At<WaitFor> = "auto",
        /// Are transactions signed? If not, connections vouch for them: making and checking their
        /// signatures takes no time.
        signed: At<Switch> = "true",
    }
    later "retry" "hint";
}

words! {
    /// How many have to say the same.
    pub enum WaitFor: "number of answers" {
        /// What is usual with the protocol.
        Auto = "auto",
        /// One server.
        One = "one",
        /// One more than may lie.
        FPlus1 = "f+1",
        /// As many as a certificate needs.
        Quorum = "quorum",
    }
}

choice! {
    /// `chains.NAME.consensus`.
    pub enum Consensus: "consensus protocol" {
        /// Practical Byzantine Fault Tolerance.
        Pbft(PbftKeys) = "pbft",
        /// Raft: bears crashes of a minority, and no member that lies.
        Raft(RaftKeys) = "raft",
        /// HotStuff: a chain of proposals, each with the votes for the one before.
        HotStuff(HotStuffKeys) = "hotstuff",
        /// BFT-SMaRt: one consensus after the other, and regencies in place of views.
        BftSmart(BftSmartKeys) = "bft-smart",
        /// Tendermint: one height after the other, with a proposer in turn, locks and valid values.
        Tendermint(TendermintKeys) = "tendermint",
        /// QBFT: one height after the other at a block period, with justified round changes.
        Qbft(QbftKeys) = "qbft",
        /// IBFT 2.0: QBFT's forerunner, with prepared certificates inside round changes.
        Ibft(QbftKeys) = "ibft",
        /// Clique: proof of authority. Signers in turn seal blocks, the heaviest branch counts, and a block is
        /// final once enough follow it.
        Clique(CliqueKeys) = "clique",
    }
    later "pow" "narwhal-tusk"
        "bullshark" "mysticeti" "dpos" "dlattice" "chosen-miner";
}

record! {
    /// Options of `pbft`.
    pub struct PbftKeys {
        /// Sequence numbers in flight above the last stable checkpoint.
        watermark: At<Count> = "256",
        /// Proposals in flight.
        pipeline: At<Count> = "8",
        /// Blocks between checkpoints; without it, the chain's.
        checkpoint: Option<At<Count>>,
    }
    later "recovery";
}

record! {
    /// Options of `raft`.
    pub struct RaftKeys {
        /// Whoever wants to stand for election first asks whether it could win.
        pre_vote: At<Switch> = "true",
        /// A leader that hears no majority steps down, and nobody votes who hears a leader.
        check_quorum: At<Switch> = "true",
        /// How a leader knows that it still is one when a read comes.
        read: At<RaftRead> = "index",
        /// Entries between snapshots, after which the log is cut; without it, the chain's checkpoint.
        snapshot: Option<At<Count>>,
    }
}

words! {
    /// How a leader knows that it leads.
    pub enum RaftRead: "way to read" {
        /// It asks a majority.
        Index = "index",
        /// It trusts in its clock for a while after a majority answered.
        Lease = "lease",
    }
}

record! {
    /// Options of `hotstuff`.
    pub struct HotStuffKeys {
        /// How many proposals of consecutive views, each with a certificate, commit the first.
        phases: At<Phases> = "3",
        /// Who leads a view: one member until it fails, the next in each view, or one of those that voted
        /// lately, so that who is away or slow leads no more.
        leader: At<Leader> = "stable",
        /// Where the transactions travel: in the proposals, or apart, as `mempool.spread` says.
        payload: At<PayloadPlace> = "digest",
        /// When the signatures of votes are checked.
        votes: At<VoteChecks> = "each",
        /// How members come to the same view.
        pacemaker: At<PacemakerKind> = "timeout-certificates",
    }
}

record! {
    /// Options of `bft-smart`.
    pub struct BftSmartKeys {
        /// Where the requests that a node takes in go at first.
        requests: At<RequestsGo> = "to-all",
        /// Blocks between checkpoints; without it, the chain's.
        checkpoint: Option<At<Count>>,
    }
    later "sync";
}

record! {
    /// Options of `tendermint`.
    pub struct TendermintKeys {
        /// How votes and proposals travel.
        spread: VotesTravel = "direct",
        /// How long a proposal may take in round 0, besides `block.wait`; without it, the chain's timeout.
        propose: Option<At<Span>>,
        /// So much longer in each round; without it, half of the chain's timeout.
        propose_delta: Option<At<Span>>,
        /// How long prevotes may take in round 0 once a quorum of any kind is there; without it, the chain's
        /// timeout.
        prevote: Option<At<Span>>,
        /// So much longer in each round; without it, half of the chain's timeout.
        prevote_delta: Option<At<Span>>,
        /// How long precommits may take in round 0 once a quorum of any kind is there; without it, the chain's
        /// timeout.
        precommit: Option<At<Span>>,
        /// So much longer in each round; without it, half of the chain's timeout.
        precommit_delta: Option<At<Span>>,
        /// From a decision to the next height: time for the precommits of the others (`timeout_commit`).
        commit: At<Span> = "0ms",
        /// Blocks between checkpoints; without it, the chain's.
        checkpoint: Option<At<Count>>,
        /// What the time of a block is.
        time: TimeOfBlocks = "bft",
    }
}

choice! {
    /// What the time of a block is.
    pub enum TimeOfBlocks: "time of blocks" {
        /// The median of the times that a quorum signed with its precommits of the block before (CometBFT up to v0.38).
        Bft(Plain) = "bft",
        /// Its proposer's, if others find it timely (proposer-based timestamps of CometBFT v1.0).
        Proposer(SynchronyKeys) = "proposer",
    }
}

record! {
    /// Options of `time: proposer`.
    pub struct SynchronyKeys {
        /// How far two clocks may be apart.
        precision: At<Span> = "505ms",
        /// The longest that a proposal may take in round 0; a tenth more in each later one.
        message_delay: At<Span> = "15s",
    }
}

record! {
    /// Options of `qbft` and `ibft`.
    pub struct QbftKeys {
        /// The least time from the time of one block to that of the next.
        period: At<Span> = "1s",
        /// How long after its parent an empty block is put forward; without it, there are no empty blocks.
        empty_period: Option<At<Span>>,
        /// Does the chain's timeout double with each round of a height, up to 64 times the first? If not, all rounds
        /// take as long, and members that are some rounds apart may stay so.
        double_timeout: At<Switch> = "true",
        /// Blocks between checkpoints; without it, the chain's.
        checkpoint: Option<At<Count>>,
    }
}

record! {
    /// Options of `clique`. There are no checkpoints but the epochs: who was away fetches the blocks.
    pub struct CliqueKeys {
        /// The least time from the time stamp of one block to that of the next.
        period: At<Span> = "5s",
        /// Blocks after which votes on signers count anew.
        epoch: At<Count> = "30k",
        /// Which of two branches of the same total difficulty is the better one.
        fork_choice: At<ForkWord> = "geth",
        /// Blocks that have to follow a block before it is final; without it, a majority of the members.
        confirmations: Option<At<Count>>,
        /// A signer out of turn waits a random part of this for each member of a majority.
        wiggle: At<Span> = "500ms",
    }
}

words! {
    /// Which of two branches of the same total difficulty is the better one.
    pub enum ForkWord: "fork choice" {
        /// The one that was seen first.
        FirstSeen = "first-seen",
        /// The shorter one, else the one that was seen first.
        Geth = "geth",
        /// The shorter one, else the one whose last signer was in turn least recently, else the lowest hash.
        Eip3436 = "eip-3436",
    }
}

choice! {
    /// How votes and proposals travel.
    pub enum VotesTravel: "way to spread votes" {
        /// From each member to each other.
        Direct(Plain) = "direct",
        /// From peer to peer, proposals in parts, as CometBFT's consensus reactor does.
        Gossip(GossipKeys) = "gossip",
    }
}

record! {
    /// Options of `gossip`; `network.gossip` says who are peers.
    pub struct GossipKeys {
        /// How long the routine of a peer sleeps that finds nothing to send.
        sleep: At<Span> = "100ms",
        /// How long what is sent may wait for more, until it goes out in one piece.
        flush: At<Span> = "100ms",
        /// Bytes of a part of a block.
        part: At<Bytes> = "64KiB",
    }
}

words! {
    /// Where requests go.
    pub enum RequestsGo: "receiver of requests" {
        /// To all members, which then watch over the leader.
        ToAll = "to-all",
        /// To the leader alone, until it is too slow.
        ToLeader = "to-leader",
    }
}

words! {
    /// How many phases HotStuff has.
    pub enum Phases: "number of phases" {
        /// With a lock (Yin et al. 2019).
        Three = "3",
        /// With proof of the highest certificate after a failed view (Jolteon, Gelashvili et al. 2022).
        Two = "2",
    }
}

words! {
    /// Who leads a view.
    pub enum Leader: "rule for leaders" {
        /// One member until a view of it fails.
        Stable = "stable",
        /// The next member in each view.
        RoundRobin = "round-robin",
        /// One of those that voted lately and did not lead lately; after a view that failed, the next member,
        /// until something is committed again (Carousel, Cohen et al. 2022).
        Reputation = "reputation",
    }
}

words! {
    /// Where the transactions of a proposal travel.
    pub enum PayloadPlace: "place for payload" {
        /// In the proposal.
        Inside = "inside",
        /// Apart, and the proposal names them.
        Digest = "digest",
    }
}

words! {
    /// When the signatures of votes are checked.
    pub enum VoteChecks: "time to check votes" {
        /// Of each when it comes, on one core.
        Each = "each",
        /// Of all once they are a quorum, on all cores.
        Together = "together",
    }
}

words! {
    /// How members come to the same view.
    pub enum PacemakerKind: "pacemaker" {
        /// A quorum that gave the last view up shows the way to the next.
        TimeoutCertificates = "timeout-certificates",
    }
}

record! {
    /// `chains.NAME.block`: proposed when any bound is reached.
    pub struct Block {
        /// Transactions.
        transactions: At<Count> = "200",
        /// Bytes.
        bytes: At<Bytes> = "2MB",
        /// The longest that the oldest transaction waits.
        wait: At<Span> = "500ms",
    }
    later "empty_after";
}

record! {
    /// `chains.NAME.mempool`.
    pub struct Mempool {
        /// Transactions.
        limit: At<Count> = "100k",
        /// Bytes.
        bytes: At<Bytes> = "256MB",
        /// How transactions reach those who propose them.
        spread: At<SpreadWord> = "direct",
        /// When a batch is sealed, with `spread: batches`.
        batch: Option<MempoolBatch>,
        /// Who has to have a batch before it is proposed, with `spread: batches`; without it, nobody.
        acknowledge: Option<At<AcknowledgeWord>>,
    }
    later "workers";
}

words! {
    /// How transactions reach those who propose them.
    pub enum SpreadWord: "way to spread transactions" {
        /// One by one: to the leader where it stays, else to all.
        Direct = "direct",
        /// Each to each peer that it did not come from (CometBFT's mempool reactor).
        Gossip = "gossip",
        /// In batches, which proposals name by digest (Narwhal's mempool, Danezis et al. 2022).
        Batches = "batches",
    }
}

record! {
    /// `chains.NAME.mempool.batch`: sealed when any bound is reached.
    pub struct MempoolBatch {
        /// Bytes.
        bytes: At<Bytes> = "500kB",
        /// The longest that the oldest transaction waits; `never`: until the batch is full, its member has to propose something, or the chain's timeout is over.
        wait: At<UntilFull> = "100ms",
        /// From sealing a batch to sealing the next, full or not.
        pause: At<Span> = "0ms",
    }
}

words! {
    /// Who has to have a batch before it is proposed.
    pub enum AcknowledgeWord: "rule for acknowledgements" {
        /// Nobody but the one that proposes it.
        None = "none",
        /// Its maker proposes it once a quorum has it; others, once they have it themselves.
        Quorum = "quorum",
        /// A quorum, as a certificate shows to all.
        Certificate = "certificate",
    }
}

/// A duration, or `never`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum UntilFull {
    /// A batch waits until it is full.
    Never,
    /// As given.
    Given(Span),
}

impl Value for UntilFull {
    const FORM: &'static str = "a duration or `never`";
    const EXAMPLES: &'static str = "100ms or never";
    fn pattern() -> String {
        format!("never|{}", Span::pattern())
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if text == "never" {
            return Ok(Self::Never);
        }
        Span::parse(text).map(Self::Given)
    }
    fn text(&self) -> String {
        match self {
            Self::Never => "never".into(),
            Self::Given(span) => span.text(),
        }
    }
}

impl Consensus {
    /// The word of its protocol in the registry.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Pbft(_) => "pbft",
            Self::Raft(_) => "raft",
            Self::HotStuff(_) => "hotstuff",
            Self::BftSmart(_) => "bft-smart",
            Self::Tendermint(_) => "tendermint",
            Self::Qbft(_) => "qbft",
            Self::Ibft(_) => "ibft",
            Self::Clique(_) => "clique",
        }
    }
}

impl WaitFor {
    /// How many members have to say that they executed a transaction; `None`: one server is asked.
    pub(crate) fn members(self, f: usize, quorum: usize) -> Option<usize> {
        match self {
            Self::Auto | Self::One => None,
            Self::FPlus1 => Some(f + 1),
            Self::Quorum => Some(quorum),
        }
    }
}

/// A duration, or `auto`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Auto {
    /// Follows from other values.
    Auto,
    /// As given.
    Given(Span),
}

impl Value for Auto {
    const FORM: &'static str = "a duration or `auto`";
    const EXAMPLES: &'static str = "2s or auto";
    fn pattern() -> String {
        format!("auto|{}", Span::pattern())
    }
    fn parse(text: &str) -> Result<Self, ValueError> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        Span::parse(text).map(Self::Given)
    }
    fn text(&self) -> String {
        match self {
            Self::Auto => "auto".into(),
            Self::Given(span) => span.text(),
        }
    }
}
