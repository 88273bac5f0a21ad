//! What can happen in a drawn scenario: every kind of fault and attack, with options to draw.
//!
//! A kind of the registries that has no row here, and is not left out with a reason, fails a test.

use super::ground::Ground;
use consim_models::consensus::ProtocolEntry;

/// Families of kinds that a scenario draws from, or not: swarm testing (Groce et al., ISSTA 2012).
/// Simplest first: a drawn kind shrinks towards the first row of its families.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Family {
    /// Nodes go down, stand still, are slow.
    Process,
    /// Nobody hears somebody.
    Cut,
    /// Lines lose, delay, duplicate, damage.
    Line,
    /// Disks lose and damage what they hold.
    Disk,
    /// Clocks are wrong.
    Clock,
    /// People run nodes wrongly.
    Operator,
    /// Members that do not keep to the protocol.
    Traitor,
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Process,
        Self::Cut,
        Self::Line,
        Self::Disk,
        Self::Clock,
        Self::Operator,
        Self::Traitor,
    ];
}

/// Something that can happen.
///
/// In `options`, `{any}` stands for any members, `{one}` for one, `{other}` for another one, `{weak}`
/// for some of the members that traitors and damage may take (no more than the chain bears),
/// `{group}` for all members, `{light}` for a light client, `{share}`, `{short}`, `{long}` for a share, a short and a long time.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The word of the fault or the attack.
    pub kind: &'static str,
    /// Its family.
    pub family: Family,
    /// Its options.
    pub options: &'static str,
    /// What happens with it, so that it shows.
    pub also: &'static [Also],
    /// The only protocol that it is for, as its options name messages of it.
    pub of: Option<&'static str>,
    /// What has to be there.
    pub needs: Needs,
}

/// What something can only happen to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Needs {
    /// Anything.
    Nothing,
    /// A service that shares records.
    Records,
    /// Changes of the members that are decided on like anything else.
    Changes,
    /// Light clients.
    LightClients,
    /// Light clients, and changes of the members that they may skip.
    Skips,
}

/// What happens with a row, in a part of its window.
#[derive(Clone, Copy, Debug)]
pub struct Also {
    /// The word of the fault.
    pub kind: &'static str,
    /// Its options, like those of a [`Row`].
    pub options: &'static str,
    /// From which quarter of the window on.
    pub from: u8,
    /// To the end of which.
    pub to: u8,
}

const fn also(kind: &'static str, options: &'static str, from: u8, to: u8) -> Also {
    Also {
        kind,
        options,
        from,
        to,
    }
}

/// What is wrong on a disk shows when it is read again.
const CRASH: &[Also] = &[also("crash", "{weak}", 2, 4)];
/// On a slow disk something is under way when its node goes down.
const CRASH_IN_WRITE: &[Also] = &[
    also("slow-disk", "{ target: {weak}, add: 300ms }", 0, 4),
    also("crash", "{weak}", 2, 4),
];
/// The node is back before the window ends.
const RESTART: &[Also] = &[also("crash", "{any}", 1, 2)];
/// Another member comes back and asks for what it missed.
const OTHER_AWAY: &[Also] = &[also("crash", "{other}", 0, 2)];
/// Power goes before users have their answers, so that they ask again.
const POWER_CUT: &[Also] = &[also("crash", "{group}", 2, 3)];
/// The view is left.
const LEADER_AWAY: &[Also] = &[also("partition", "leader of {chain}", 1, 4)];

/// What no protocol without signatures can bear beside traitors: disks that lose, without a trace,
/// what they said was durable; and what the language bounds by the f of others.
const LOSES_WITHOUT_TRACE: &[&str] =
    &["lost-writes", "rollback", "lying-fsync", "move-time-server"];

impl Row {
    /// Can it happen on this ground, and has its chain to bear it?
    pub fn suits(&self, ground: &Ground) -> bool {
        let protocol = ground.protocol;
        let bears = protocol.byzantine
            || (self.family != Traitor && !LOSES_WITHOUT_TRACE.contains(&self.kind));
        let is_there = match self.needs {
            Needs::Nothing => true,
            Needs::Records => ground.shares_records,
            Needs::Changes => ground.changes && protocol.byzantine,
            Needs::LightClients => ground.light.is_some(),
            Needs::Skips => ground.light.is_some() && ground.changes && protocol.byzantine,
        };
        // As in geth, whoever takes it to be an hour ago takes each new block of Clique to be of the future, and whose
        // clock ran hours ahead waits as long for its own last block.
        let stamped =
            protocol.name == "clique" && ["clock-back", "wrong-zone"].contains(&self.kind);
        bears && is_there && !stamped && self.of.is_none_or(|name| name == kin(protocol.name))
    }

    /// May it go on for good beside as many broken members as the protocol bears? A member in whose name others
    /// sign is one of these; one that never waits for others, or leads and takes nothing in, does what only a protocol for liars
    /// bears.
    pub(super) fn may_last(&self, protocol: &ProtocolEntry) -> bool {
        let gray = ["short-timeouts", "exhaust-memory"];
        let gray = gray.contains(&self.kind) && !protocol.byzantine;
        let signed_for = self.family != Traitor && self.options.contains("from: {weak}");
        !gray && !signed_for
    }

    /// Does it put an old disk in, of which a member is not told? It may then sign what contradicts
    /// what it signed before: no protocol can help that, and the check of it has to be left out.
    pub(super) fn forgets(&self) -> bool {
        self.kind == "rollback" || self.options.contains("snapshot")
    }
}

/// The protocol whose rows are this one's too, as it has the same messages.
fn kin(protocol: &str) -> &str {
    if protocol == "ibft" { "qbft" } else { protocol }
}

const fn row(family: Family, kind: &'static str, options: &'static str) -> Row {
    Row {
        kind,
        family,
        options,
        also: &[],
        of: None,
        needs: Needs::Nothing,
    }
}

const fn only(of: &'static str, family: Family, kind: &'static str, options: &'static str) -> Row {
    Row {
        of: Some(of),
        ..row(family, kind, options)
    }
}

const fn with(
    also: &'static [Also],
    family: Family,
    kind: &'static str,
    options: &'static str,
) -> Row {
    Row {
        also,
        ..row(family, kind, options)
    }
}

/// What insiders do to records; all of them are traitors with a role.
const fn insider(kind: &'static str, options: &'static str) -> Row {
    Row {
        needs: Needs::Records,
        ..row(Traitor, kind, options)
    }
}

use Family::{Clock, Cut, Disk, Line, Operator, Process, Traitor};

/// All that can happen; simplest first within a family.
pub const ROWS: &[Row] = &[
    row(Process, "crash", "{any}"),
    row(
        Process,
        "crash",
        "{ target: {one}, point: after-persist, hit: {count} }",
    ),
    row(
        Process,
        "crash",
        "{ target: {one}, point: before-persist, hit: {count} }",
    ),
    row(
        Process,
        "crash",
        "{ target: {one}, point: vote-sent, hit: {count} }",
    ),
    row(
        Process,
        "crash",
        "{ target: {one}, point: before-send, hit: {count} }",
    ),
    row(Process, "crash", "leader of {chain}"),
    // A power cut that takes everybody.
    row(Process, "crash", "{group}"),
    row(
        Process,
        "crash",
        "{ target: leader of {chain}, point: vote-sent, hit: {count} }",
    ),
    row(Process, "pause", "{any}"),
    row(Process, "pause", "leader of {chain}"),
    row(
        Process,
        "rolling-restart",
        "{ target: {any}, gap: {short}, down: {short} }",
    ),
    row(
        Process,
        "rolling-restart",
        "{ target: {any}, gap: {long}, down: {short}, storm: true }",
    ),
    row(Process, "slow-cpu", "{ target: {any}, by: 100x }"),
    row(Process, "exhaust-memory", "{ target: {any}, cap: 500B }"),
    row(Cut, "partition", "{any}"),
    row(Cut, "partition", "{ target: {any}, direction: in }"),
    row(Cut, "partition", "{ target: {any}, direction: out }"),
    row(Cut, "partition", "{ target: {any}, shape: isolate-each }"),
    row(Cut, "partition", "{ target: {group}, shape: halves }"),
    row(Cut, "partition", "{ target: {group}, shape: ring }"),
    row(Cut, "partition", "{ target: {group}, shape: bridge }"),
    row(Cut, "partition", "{ target: {group}, shape: random }"),
    row(Cut, "partition", "leader of {chain}"),
    row(Cut, "clog", "{any}"),
    row(Cut, "clog", "{ from: {one}, to: {other}, release: paced }"),
    row(Cut, "swizzle", "{ target: {any}, stagger: 0s..2s }"),
    row(Cut, "flap", "{any}"),
    row(Cut, "eclipse", "{ target: {one}, peers: {other} }"),
    row(Cut, "hijack", "{ target: {any} }"),
    row(
        Cut,
        "hijack",
        "{ target: {any}, how: intercept, noticed_after: {long} }",
    ),
    with(
        POWER_CUT,
        Cut,
        "filter",
        "{ from: {group}, to: {group}, kinds: [reply] }",
    ),
    only(
        "pbft",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [commit] }",
    ),
    only(
        "pbft",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [prepare] }",
    ),
    only(
        "pbft",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [pre-prepare] }",
    ),
    only(
        "pbft",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [view-change, new-view] }",
    ),
    only(
        "pbft",
        Cut,
        "filter",
        "{ target: {any}, kinds: [prepare, commit], do: hold, share: 50% }",
    ),
    only(
        "bft-smart",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [accept] }",
    ),
    only(
        "bft-smart",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [write] }",
    ),
    only(
        "bft-smart",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [propose] }",
    ),
    only(
        "bft-smart",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [stop, stop-data, sync] }",
    ),
    only(
        "bft-smart",
        Cut,
        "filter",
        "{ target: {any}, kinds: [write, accept], do: hold, share: 50% }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [precommit] }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [prevote] }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [prevote] }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [precommit] }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [proposal] }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ target: {any}, kinds: [polka, votes, status] }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [header, part] }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ target: {any}, kinds: [has, votes, part, commit], share: 50% }",
    ),
    only(
        "tendermint",
        Cut,
        "filter",
        "{ target: {any}, kinds: [prevote, precommit], do: hold, share: 50% }",
    ),
    only(
        "qbft",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [commit] }",
    ),
    only(
        "qbft",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [prepare] }",
    ),
    only(
        "qbft",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [prepare, proposal] }",
    ),
    only(
        "qbft",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [commit] }",
    ),
    only(
        "qbft",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [proposal] }",
    ),
    only(
        "qbft",
        Cut,
        "filter",
        "{ target: {any}, kinds: [round-change, status] }",
    ),
    only(
        "qbft",
        Cut,
        "filter",
        "{ target: {any}, kinds: [prepare, commit], do: hold, share: 50% }",
    ),
    only(
        "clique",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [block] }",
    ),
    only(
        "clique",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [block] }",
    ),
    only(
        "clique",
        Cut,
        "filter",
        "{ target: {any}, kinds: [block], do: hold, share: 50% }",
    ),
    only(
        "clique",
        Cut,
        "filter",
        "{ target: {any}, kinds: [status, fetch, branch] }",
    ),
    only(
        "hotstuff",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [batch, acknowledgement] }",
    ),
    only(
        "hotstuff",
        Cut,
        "filter",
        "{ target: {any}, kinds: [batch, payload, availability], do: drop, share: 50% }",
    ),
    only(
        "hotstuff",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [vote] }",
    ),
    only(
        "hotstuff",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [proposal] }",
    ),
    only(
        "hotstuff",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [timeout] }",
    ),
    only(
        "hotstuff",
        Cut,
        "filter",
        "{ target: {any}, kinds: [vote, timeout], do: hold, share: 50% }",
    ),
    only(
        "hotstuff",
        Cut,
        "filter",
        "{ target: {any}, kinds: [proposal, vote], do: drop, share: 50% }",
    ),
    only(
        "raft",
        Cut,
        "filter",
        "{ from: {any}, to: {group}, kinds: [appended] }",
    ),
    only(
        "raft",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [append] }",
    ),
    only(
        "raft",
        Cut,
        "filter",
        "{ from: {group}, to: {any}, kinds: [heartbeat, append] }",
    ),
    only(
        "raft",
        Cut,
        "filter",
        "{ target: {any}, kinds: [appended, vote], do: hold, share: 50% }",
    ),
    only(
        "raft",
        Cut,
        "filter",
        "{ target: {any}, kinds: [vote, request-vote], do: drop, share: 50% }",
    ),
    row(
        Line,
        "delay",
        "{ target: {any}, add: { uniform: { from: 0ms, to: {short} } } }",
    ),
    row(Line, "delay", "{ from: {one}, to: {other}, add: {long} }"),
    row(Line, "loss", "{ target: {any}, rate: {share} }"),
    row(
        Line,
        "loss",
        "{ target: {any}, rate: 0%, burst: { good_to_bad: 5%, bad_to_good: 20%, loss_in_bad: 80% } }",
    ),
    row(Line, "duplicate", "{ target: {any}, rate: {share} }"),
    row(Line, "reorder", "{ target: {any}, rate: {share} }"),
    row(Line, "corrupt", "{ target: {any}, rate: {share} }"),
    row(
        Line,
        "corrupt",
        "{ target: {any}, rate: {share}, how: truncate }",
    ),
    row(
        Line,
        "throttle",
        "{ target: {any}, rate: 50kbit/s, queue: 20kB }",
    ),
    row(Line, "flood", "{ target: {any}, rate: 100/s }"),
    row(
        Line,
        "flood",
        "{ target: {any}, what: oversized, rate: 2/s }",
    ),
    row(
        Line,
        "flood",
        "{ target: {any}, what: transactions, rate: 20/s }",
    ),
    row(
        Line,
        "flood",
        "{ target: {group}, what: view-changes, rate: 20/s, from: {weak} }",
    ),
    row(Line, "unstable-network", "{ max: {long}, delta: 1s }"),
    row(Disk, "crash", "{ target: {weak}, restart: empty }"),
    row(
        Disk,
        "crash",
        "{ target: {weak}, restart: { snapshot: {long} } }",
    ),
    row(Disk, "crash", "{ target: {weak}, lose: all }"),
    row(Disk, "wipe", "{weak}"),
    row(Disk, "rollback", "{ target: {weak}, age: {long} }"),
    with(
        CRASH_IN_WRITE,
        Disk,
        "lost-writes",
        "{ target: {weak}, which: random }",
    ),
    with(CRASH_IN_WRITE, Disk, "torn-write", "{weak}"),
    with(
        CRASH,
        Disk,
        "bit-rot",
        "{ target: {weak}, during: write, rate: {share} }",
    ),
    with(
        CRASH,
        Disk,
        "bit-rot",
        "{ target: {weak}, during: read, rate: {share} }",
    ),
    // Without a crash the host finds the damage, and what is in memory is written again.
    row(
        Disk,
        "bit-rot",
        "{ target: {weak}, during: write, rate: {share} }",
    ),
    with(
        CRASH,
        Disk,
        "misdirect",
        "{ target: {weak}, during: write, rate: {share} }",
    ),
    with(
        CRASH,
        Disk,
        "misdirect",
        "{ target: {weak}, during: read, rate: {share} }",
    ),
    with(
        CRASH,
        Disk,
        "lying-fsync",
        "{ target: {weak}, how: error, rate: {share} }",
    ),
    row(Disk, "disk-full", "{ target: {weak}, after: 1kB }"),
    row(
        Disk,
        "disk-full",
        "{ target: {weak}, after: 0B, then: read-only }",
    ),
    row(Disk, "slow-disk", "{ target: {any}, add: {short} }"),
    row(Clock, "clock-step", "{ target: {any}, by: 5s }"),
    row(Clock, "clock-step", "{ target: {any}, by: -5s }"),
    row(Clock, "clock-drift", "{ target: {any}, rate: 500ppm }"),
    row(
        Clock,
        "clock-strobe",
        "{ target: {any}, by: 2s, period: {short} }",
    ),
    with(RESTART, Clock, "clock-back", "{ target: {any}, by: 1h }"),
    row(Clock, "leap", "{ target: {any}, kind: second }"),
    row(Clock, "move-time-server", "{ target: {weak}, by: 5s }"),
    row(Operator, "wrong-genesis", "{weak}"),
    row(Operator, "short-timeouts", "{ target: {weak}, to: 1ms }"),
    row(Operator, "expired-certificate", "{weak}"),
    row(
        Operator,
        "expired-certificate",
        "{ target: {weak}, how: revoked }",
    ),
    row(
        Operator,
        "mixed-versions",
        "{ target: {weak}, to: current+2, gap: {short} }",
    ),
    with(
        OTHER_AWAY,
        Operator,
        "early-prune",
        "{ target: {one}, keep: 2 }",
    ),
    row(Operator, "wrong-zone", "{ target: {weak}, by: 8h }"),
    row(Traitor, "selective-silence", "{ to: {any} }"),
    row(Traitor, "late-vote", "{ wait: 90% }"),
    row(Traitor, "slow-leader", "{ wait: 50% }"),
    row(Traitor, "lazy-vote", "{}"),
    row(Traitor, "replay-old", "{ age: {long} }"),
    row(Traitor, "malformed", "{ rate: {share} }"),
    row(Traitor, "mutate", "{ field: view }"),
    row(Traitor, "mutate", "{ field: sequence }"),
    row(Traitor, "mutate", "{ field: digest }"),
    row(Traitor, "mutate", "{ field: certificate }"),
    row(Traitor, "equivocate", "{}"),
    row(Traitor, "twins", "{}"),
    with(LEADER_AWAY, Traitor, "forget-lock", "{}"),
    row(Traitor, "invalid-block", "{}"),
    row(Traitor, "phantom-validator", "{}"),
    row(Traitor, "lying-sync", "{ field: block }"),
    row(Traitor, "lying-sync", "{ field: sequence }"),
    row(Traitor, "lying-sync", "{ field: transactions }"),
    row(Traitor, "lying-sync", "{ field: progress }"),
    row(Traitor, "double-signatures", "{}"),
    row(Traitor, "strip-signatures", "{}"),
    row(Traitor, "reorder-block", "{}"),
    row(Traitor, "diverge", "{ rate: {share} }"),
    only("tendermint", Traitor, "swap-parts", "{}"),
    Row {
        needs: Needs::Changes,
        ..row(Traitor, "lying-sync", "{ field: members }")
    },
    Row {
        needs: Needs::LightClients,
        ..row(Traitor, "fake-header", "{ lie: lunatic }")
    },
    Row {
        needs: Needs::Skips,
        ..row(
            Traitor,
            "fake-header",
            "{ lie: phantom, administrator: true }",
        )
    },
    Row {
        needs: Needs::LightClients,
        ..row(Process, "crash", "{light}")
    },
    insider("edit-record", "{ where: {weak}, rate: 20/min }"),
    insider("exfiltrate", "{ where: {weak}, rate: 20/min }"),
    insider("purpose-creep", "{ where: {weak}, rate: 20/min }"),
];

/// Kinds that are not drawn, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    (
        "stale-consent",
        "reads as `exfiltrate` does, and what it counts no check judges",
    ),
    (
        "revoke-race",
        "reads as `exfiltrate` does, and what it counts no check judges",
    ),
    (
        "cut-change",
        "cuts are drawn as such, also where members change",
    ),
    (
        "double-change",
        "is drawn with the changes that do not wait for each other",
    ),
    (
        "random",
        "draws faults itself, which the search does better",
    ),
    (
        "wrong-quorum",
        "takes certificates for good that are not: a check has to fail",
    ),
    ("duplicate-key", "signs twice: a check has to fail"),
    (
        "old-backup",
        "forgets what was signed and is not told so: a check has to fail",
    ),
    (
        "expiry-edge",
        "needs a service with consents; the search of that model has its own",
    ),
    (
        "lying-relay",
        "needs relays, and a search takes scenarios with one chain",
    ),
    ("clone-authority", "is drawn as twins"),
    (
        "long-range",
        "needs the keys of a quorum of former members, against which nothing holds: a check has to fail",
    ),
    (
        "interfere",
        "needs lines, and the faults of lines are drawn as such",
    ),
    (
        "censor",
        "stops the transactions of somebody for good while it leads, which no protocol here forbids",
    ),
];
