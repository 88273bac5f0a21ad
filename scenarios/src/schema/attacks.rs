//! `attacks`.

use super::decode::At;
use super::delay::Delay;
use super::faults::{Pair, timeline};
use super::lists::{List, Targets};
use super::macros::{choice, entry, record, words};
use consim_core::Span;
use consim_core::values::{Count, Name, Rate, Share, Switch};

entry! {
    /// An attack.
    pub struct Attack { common: AttackCommon, kind: AttackKind }
}

timeline! {
    /// What all attacks have.
    pub struct AttackCommon {
        /// The adversary; the only one if left out.
        by: Option<At<Name>>,
    }
    later "seen_by";
}

choice! {
    /// The kind of an attack.
    pub enum AttackKind: "attack" {
        /// Copies of the adversary's nodes with the same key, each with a state of its own, on several sides of the group.
        Twins(TwinsKeys) = "twins" "B1",
        /// A leader that proposes different batches to two halves of the group, and votes for both.
        Equivocate(OnChain) = "equivocate" "B2",
        /// Members that leave a view as if they had prepared nothing in it.
        ForgetLock(OnChain) = "forget-lock" "B3",
        /// Members that some others never hear.
        SelectiveSilence(Silence) = "selective-silence" "B4",
        /// Votes that come just before the timeout.
        LateVote(Late) = "late-vote" "B4",
        /// Votes with a field that is a little off.
        Mutate(MutateKeys) = "mutate" "B5",
        /// Bytes that are no message; receivers must refuse them.
        Malformed(MalformedKeys) = "malformed" "B6",
        /// A leader that proposes batches which no correct member may accept.
        InvalidBlock(OnChain) = "invalid-block" "B7",
        /// Votes in the name of somebody who is no validator, and of another validator.
        PhantomValidator(OnChain) = "phantom-validator" "B7",
        /// False answers to members that catch up.
        LyingSync(LyingSyncKeys) = "lying-sync" "B9",
        /// A leader that lets the transactions of some lie.
        Censor(CensorKeys) = "censor" "B10",
        /// A leader that orders transactions against their arrival, its own first.
        ReorderBlock(OnChain) = "reorder-block" "B10",
        /// A relay that passes parts of blocks on under the indices of others, where blocks come in parts.
        SwapParts(OnChain) = "swap-parts" "B5",
        /// Certificates in which one signature counts several times, for members that catch up.
        DoubleSignatures(OnChain) = "double-signatures" "B11",
        /// Certificates that lack signatures, for members that catch up.
        StripSignatures(OnChain) = "strip-signatures" "B11",
        /// Proposals, votes and view changes that come again when they are out of date.
        ReplayOld(Replay) = "replay-old" "B12",
        /// Execution that is not deterministic: a share of the transactions leaves another state.
        Diverge(DivergeKeys) = "diverge" "B13",
        /// Members that vote, and do not execute.
        LazyVote(OnChain) = "lazy-vote" "B14",
        /// A leader that is just fast enough not to be replaced.
        SlowLeader(Late) = "slow-leader" "K5",
        /// One of them runs two machines with one key where blocks are sealed by turns, on both sides of the group (proof of authority: "the Attack of the Clones"). With `clique`; it is `twins` there.
        CloneAuthority(OnChain) = "clone-authority" "K4",
        /// A history that former members sign again: for members that catch up from the genesis, and for light clients.
        LongRange(OnChain) = "long-range" "K7",
        /// Full nodes that show light clients decisions which were never taken.
        FakeHeader(FakeHeaderKeys) = "fake-header" "K8",
        /// A relay between chains that shows what is not so, or nothing.
        LyingRelay(LyingRelayKeys) = "lying-relay",
        /// Messages on the adversary's lines are held up or dropped.
        Interfere(Interfere) = "interfere" "K6",
        /// An administrator changes originals in the institution's own store; readers compare them with the chain.
        EditRecord(InsiderKeys) = "edit-record" "H1",
        /// A clinician reads again what the institution may read, for no care. No chain prevents it; the audit trail names the institution.
        Exfiltrate(InsiderKeys) = "exfiltrate" "H8",
        /// A clinician says that it is an emergency, and reads what patients refused.
        PurposeCreep(InsiderKeys) = "purpose-creep" "H5",
        /// A clinician reads again and again what patients granted once, also when they have taken it back: what leaves then was decided by a state that is past.
        StaleConsent(InsiderKeys) = "stale-consent" "H3",
        /// The same, and what is counted left although the consent had been taken back before the block that tells of it: it held when the request was looked at.
        RevokeRace(InsiderKeys) = "revoke-race" "H4",
    }
    later "withhold-body" "swap-blob"
        "stolen-key" "cut-audit" "ransomware"
        "fake-private-data" "link-metadata" "erasure-test" "breach-clock"
        "replay-grant" "sybil" "clone-serial" "double-transfer" "guess-serial"
        "code-on-fake-pack" "back-date" "sell-recalled" "replay-decommission"
        "forge-cold-chain" "false-aggregation" "collude" "abuse-offline" "false-alerts"
        "tamper-stream" "hide-gap" "replay-vitals" "clone-device" "delay-alarm" "device-flood"
        "skew-device" "crash-gateway" "forge-anchor" "region-outage" "poison-model" "free-ride"
        "infer-member" "each-of";
}

record! {
    /// Options of an attack that has no others.
    pub struct OnChain {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
    }
    main "chain";
}

record! {
    /// Options of `twins`.
    pub struct TwinsKeys {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// How many beside the node itself.
        copies: At<Count> = "1",
        /// View after view, whom the node and its copy talk to; halves of the others if left out.
        rounds: Option<List<Round>>,
    }
    main "chain";
}

record! {
    /// One view of `twins`.
    pub struct Round {
        /// Whom the node talks to, and whom its copy; who is on neither side hears both.
        split: Pair,
    }
    main "split";
    later "leader";
}

record! {
    /// Options of `lying-relay`.
    pub struct LyingRelayKeys {
        /// What it does.
        lie: At<RelayLieWord> = "forge",
    }
    main "lie";
}

words! {
    /// What a lying relay does.
    pub enum RelayLieWord: "lie" {
        /// It brings packets that were not sent.
        Forge = "forge",
        /// It brings each packet twice.
        Replay = "replay",
        /// It says of packets that have not come yet that they are late.
        Hasten = "hasten",
        /// It brings nothing.
        Withhold = "withhold",
    }
}

record! {
    /// Options of `interfere`.
    pub struct Interfere {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// What happens to messages.
        r#do: Meddling = "delay",
    }
    main "do";
}

choice! {
    /// What happens to messages on an adversary's lines.
    pub enum Meddling: "interference" {
        /// They take longer.
        Delay(HeldUp) = "delay",
        /// They are lost.
        Drop(Dropped) = "drop",
    }
    later "read";
}

record! {
    /// Options of `interfere.do.delay`.
    pub struct HeldUp {
        /// How much longer, one way.
        add: Delay = "1s",
    }
    main "add";
}

record! {
    /// Options of `interfere.do.drop`.
    pub struct Dropped {
        /// Which share of them.
        share: At<Share> = "100%",
    }
    main "share";
}

record! {
    /// Options of `selective-silence`.
    pub struct Silence {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// Who never hears them.
        to: Targets,
    }
    main "to";
}

record! {
    /// Options of `late-vote` and `slow-leader`.
    pub struct Late {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// Share of the timeout.
        wait: At<Share> = "90%",
    }
    main "chain";
}

record! {
    /// Options of `mutate`.
    pub struct MutateKeys {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// What is changed.
        field: At<Field> = "view",
        /// By how much; of a digest, which bits of its first byte are flipped.
        by: At<Count> = "1",
    }
    main "chain";
}

words! {
    /// What `mutate` changes.
    pub enum Field: "field" {
        /// The view.
        View = "view",
        /// The sequence number.
        Sequence = "sequence",
        /// What is voted for.
        Digest = "digest",
        /// The view of what was prepared, in view changes; of the checkpoint, where nothing was.
        Certificate = "certificate",
    }
}

record! {
    /// Options of `malformed`.
    pub struct MalformedKeys {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// Share of messages.
        rate: At<Share> = "10%",
    }
    main "chain";
}

record! {
    /// Options of `lying-sync`.
    pub struct LyingSyncKeys {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// What is false in the answers.
        field: At<Answer> = "block",
    }
    main "chain";
}

words! {
    /// What `lying-sync` changes.
    pub enum Answer: "field" {
        /// Another block under the true certificate.
        Block = "block",
        /// The true block under another number.
        Sequence = "sequence",
        /// The same transactions, signed by the liar.
        Transactions = "transactions",
        /// Claims of progress and empty answers.
        Progress = "progress",
        /// Changes of the members that nobody made, where these are decided on like anything else.
        Members = "members",
    }
}

record! {
    /// Options of `fake-header`.
    pub struct FakeHeaderKeys {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// What is shown.
        lie: At<FakeWord> = "lunatic",
        /// Does the adversary have the signing key of the chain's administrator, too? With `lie: phantom`.
        administrator: At<Switch> = "false",
    }
    main "chain";
}

words! {
    /// What `fake-header` shows.
    pub enum FakeWord: "lie" {
        /// A batch that nobody put forward, signed by the adversary's members (F5; F1, as it is of the view of the true one).
        Lunatic = "lunatic",
        /// A change of the members by which those of others are none any more and the adversary's machines are, and what these decide (F4).
        Phantom = "phantom",
        /// What members of an earlier time decide, as if nothing had changed (F3).
        Past = "past",
    }
}

record! {
    /// Options of `censor`.
    pub struct CensorKeys {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// Whose transactions are not taken in.
        whom: Targets,
    }
    main "whom";
}

record! {
    /// Options of `replay-old`.
    pub struct Replay {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// How long after they were sent.
        age: At<Span> = "10s",
    }
    main "chain";
}

record! {
    /// Options of `diverge`.
    pub struct DivergeKeys {
        /// The chain; the only one if left out.
        chain: Option<At<Name>>,
        /// Share of transactions.
        rate: At<Share> = "10%",
    }
    main "chain";
}

record! {
    /// Options of an insider's attack.
    pub struct InsiderKeys {
        /// The service of data sharing; the only one if left out.
        service: Option<At<Name>>,
        /// At which institutions.
        r#where: Targets,
        /// How often, at each of them; evenly spaced from the opening of the window on.
        rate: At<Rate> = "6/min",
    }
    main "where";
}
