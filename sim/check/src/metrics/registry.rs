//! The metric words: what `expect` may name, in which unit, of what.

use consim_core::values::Limit;

/// A unit of metrics: that of the values in `outcome.metrics` and of limits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Milliseconds.
    Milliseconds,
    /// Per second.
    PerSecond,
    /// A share, 0 to 1.
    Share,
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
}

/// What a metric is of: the part of a path before its word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// The whole run: the bare word.
    Run,
    /// `chains.NAME.`
    Chain,
    /// `workloads.NAME.`
    Workload,
    /// `services.NAME.`
    Service,
    /// `organisations.GROUP.`
    Organisation,
    /// `attacks.NAME.`
    Attack,
    /// `changes.NAME.`
    Change,
    /// `relays.NAME.`
    Relay,
}

/// A line of the registry of metrics.
#[derive(Clone, Copy, Debug)]
pub struct MetricEntry {
    /// Its word.
    pub name: &'static str,
    /// Its unit.
    pub unit: Unit,
    /// What it is of.
    pub scopes: &'static [Scope],
    /// The first version that has it.
    pub since: &'static str,
    /// One sentence.
    pub help: &'static str,
}

const EVERYWHERE: &[Scope] = &[
    Scope::Run,
    Scope::Chain,
    Scope::Workload,
    Scope::Service,
    Scope::Organisation,
];
const OPERATIONS: &[Scope] = &[
    Scope::Run,
    Scope::Workload,
    Scope::Service,
    Scope::Organisation,
];
const LATENCIES: &[Scope] = &[
    Scope::Run,
    Scope::Chain,
    Scope::Workload,
    Scope::Service,
    Scope::Organisation,
    Scope::Relay,
];
const SERVICE: &[Scope] = &[Scope::Service];
const RELAY: &[Scope] = &[Scope::Relay];
const CHAIN: &[Scope] = &[Scope::Chain];
const RUN: &[Scope] = &[Scope::Run];
const ATTACK: &[Scope] = &[Scope::Attack];
const CHANGE: &[Scope] = &[Scope::Change];
const USES: &[Scope] = &[Scope::Service, Scope::Attack];
const TRAFFIC: &[Scope] = &[Scope::Run, Scope::Organisation];

const fn entry(
    name: &'static str,
    unit: Unit,
    scopes: &'static [Scope],
    help: &'static str,
) -> MetricEntry {
    MetricEntry {
        name,
        unit,
        scopes,
        since: "0.1.0",
        help,
    }
}

/// All metric words of this version.
pub const METRICS: &[MetricEntry] = &[
    entry(
        "throughput",
        Unit::PerSecond,
        EVERYWHERE,
        "Applied transactions a second; of a workload, service or organisation, operations done.",
    ),
    entry(
        "latency_mean",
        Unit::Milliseconds,
        LATENCIES,
        "Mean latency from asking to the answer; of a chain, from admission to execution; of relays, from the block that sends a packet to the one that receives it where it is for.",
    ),
    entry(
        "latency_p50",
        Unit::Milliseconds,
        LATENCIES,
        "Median of the same latency.",
    ),
    entry(
        "latency_p95",
        Unit::Milliseconds,
        LATENCIES,
        "95th percentile of the same latency.",
    ),
    entry(
        "latency_p99",
        Unit::Milliseconds,
        LATENCIES,
        "99th percentile of the same latency.",
    ),
    entry(
        "latency_max",
        Unit::Milliseconds,
        LATENCIES,
        "Largest of the same latency.",
    ),
    entry(
        "availability",
        Unit::Share,
        OPERATIONS,
        "Share of the operations that were answered, done or refused, within their deadline.",
    ),
    entry(
        "unavailable_per_year",
        Unit::Milliseconds,
        &[Scope::Service],
        "Time of a year in which requests waited longer than the shortest deadline of the service and none was answered; of runs of ten days and more.",
    ),
    entry(
        "height",
        Unit::Count,
        &[Scope::Run, Scope::Chain],
        "Highest block; of a run with several chains, of the highest one.",
    ),
    entry(
        "messages",
        Unit::Count,
        TRAFFIC,
        "Messages that arrived, over the whole run.",
    ),
    entry(
        "bytes",
        Unit::Bytes,
        TRAFFIC,
        "Bytes sent, every copy, over the whole run.",
    ),
    entry(
        "lost",
        Unit::Count,
        RUN,
        "Messages that lines lost for good.",
    ),
    entry(
        "retransmitted",
        Unit::Count,
        RUN,
        "Messages that streams sent again.",
    ),
    entry(
        "overflowed",
        Unit::Count,
        RUN,
        "Transmissions that found the queue before a line full.",
    ),
    entry(
        "duplicated",
        Unit::Count,
        &[Scope::Run, Scope::Relay],
        "Messages that came twice; on a stream the second copy goes no further than the transport. Of relays, packets that a chain received twice.",
    ),
    entry(
        "reordered",
        Unit::Count,
        RUN,
        "Messages that lines held back.",
    ),
    entry(
        "corrupted",
        Unit::Count,
        RUN,
        "Messages in which lines flipped a bit.",
    ),
    entry(
        "refused",
        Unit::Count,
        RUN,
        "Corrupted messages that their receivers refused.",
    ),
    entry(
        "end_to_end_latency_mean",
        Unit::Milliseconds,
        CHAIN,
        "Mean latency from a user's asking to the first execution at any node.",
    ),
    entry(
        "end_to_end_latency_p50",
        Unit::Milliseconds,
        CHAIN,
        "Median of the same latency.",
    ),
    entry(
        "end_to_end_latency_p95",
        Unit::Milliseconds,
        CHAIN,
        "95th percentile of the same latency.",
    ),
    entry(
        "end_to_end_latency_p99",
        Unit::Milliseconds,
        CHAIN,
        "99th percentile of the same latency.",
    ),
    entry(
        "end_to_end_latency_max",
        Unit::Milliseconds,
        CHAIN,
        "The longest of the same.",
    ),
    entry(
        "consensus_latency_mean",
        Unit::Milliseconds,
        CHAIN,
        "Mean latency from the proposal of a batch to its first commit.",
    ),
    entry(
        "consensus_latency_p50",
        Unit::Milliseconds,
        CHAIN,
        "Median of the same latency.",
    ),
    entry(
        "consensus_latency_p95",
        Unit::Milliseconds,
        CHAIN,
        "95th percentile of the same latency.",
    ),
    entry(
        "consensus_latency_p99",
        Unit::Milliseconds,
        CHAIN,
        "99th percentile of the same latency.",
    ),
    entry(
        "consensus_latency_max",
        Unit::Milliseconds,
        CHAIN,
        "Largest of the same latency.",
    ),
    entry(
        "views",
        Unit::Count,
        CHAIN,
        "Highest view, round or term that a node entered.",
    ),
    entry(
        "reorganisations",
        Unit::Count,
        CHAIN,
        "How often a node left its branch for a better one, of all nodes; of chains that branch.",
    ),
    entry(
        "reorganisation_depth",
        Unit::Count,
        CHAIN,
        "The most blocks that a node left for a better branch.",
    ),
    entry(
        "block_time_ahead",
        Unit::Milliseconds,
        CHAIN,
        "The most by which the time of a block was ahead of true time when it was executed first; of chains whose rule promises something of it.",
    ),
    entry(
        "block_time_behind",
        Unit::Milliseconds,
        CHAIN,
        "The most by which it was behind.",
    ),
    entry(
        "light_accepted",
        Unit::Count,
        CHAIN,
        "Decisions that its light clients accepted, all together; of chains that any said something of.",
    ),
    entry(
        "light_refused",
        Unit::Count,
        CHAIN,
        "How often one of them did not believe a full node.",
    ),
    entry(
        "light_conflicts",
        Unit::Count,
        CHAIN,
        "How often one of them was shown two decisions of one number, each of them proven, and stopped.",
    ),
    entry(
        "light_bytes",
        Unit::Bytes,
        CHAIN,
        "Bytes that they fetched for what they accepted.",
    ),
    entry(
        "light_lag",
        Unit::Count,
        CHAIN,
        "Decisions by which the one that is behind most is behind the chain at the end.",
    ),
    entry(
        "ledger_bytes",
        Unit::Bytes,
        CHAIN,
        "Bytes of all blocks with their certificates, one copy.",
    ),
    entry(
        "took_effect",
        Unit::Count,
        ATTACK,
        "How often the attack's nodes departed from what correct ones would have done.",
    ),
    entry(
        "safety_violations",
        Unit::Count,
        ATTACK,
        "Violations of all safety checks of the run (SV).",
    ),
    entry(
        "attributed",
        Unit::Count,
        ATTACK,
        "The adversary's nodes that what correct nodes heard proves guilty; of an insider's attack, its institutions that readers or the audit trail name (ATT).",
    ),
    entry(
        "wrongly_accused",
        Unit::Count,
        ATTACK,
        "Correct nodes that were accused (ATT).",
    ),
    entry(
        "tampered",
        Unit::Count,
        ATTACK,
        "Originals that were changed.",
    ),
    entry(
        "tampered_read",
        Unit::Count,
        ATTACK,
        "Changed originals that reached a correct reader.",
    ),
    entry(
        "tampered_detected",
        Unit::Share,
        ATTACK,
        "Share of the changed originals that a correct reader noticed; nothing if none reached one (TDR).",
    ),
    entry(
        "tampered_accepted",
        Unit::Count,
        ATTACK,
        "Times that a correct reader took a changed original for the true one.",
    ),
    entry(
        "time_to_detect",
        Unit::Milliseconds,
        ATTACK,
        "From the first change until a correct reader first noticed one (TTD).",
    ),
    entry(
        "reads_asked",
        Unit::Count,
        ATTACK,
        "Reads that insiders asked for beyond care.",
    ),
    entry(
        "records_exposed",
        Unit::Count,
        ATTACK,
        "Records that they got (REX).",
    ),
    entry(
        "records_registered",
        Unit::Count,
        ATTACK,
        "Records that there are: what could be exposed.",
    ),
    entry(
        "unauthorised_reads",
        Unit::Count,
        ATTACK,
        "Reads that they got and the patient's word did not allow (URA).",
    ),
    entry(
        "stale_consent_uses",
        Unit::Count,
        ATTACK,
        "Of `stale-consent`, records that left although the consent had been taken back on the chain; of `revoke-race`, those that did although it had been before the block of their audit entry (SCU).",
    ),
    entry(
        "stale_uses",
        Unit::Count,
        SERVICE,
        "Records that left on a consent that had been taken back in a block by then; of services on which consents were taken back.",
    ),
    entry(
        "raced_uses",
        Unit::Count,
        SERVICE,
        "Records that left on a consent that had been taken back before the block of their audit entry.",
    ),
    entry(
        "time_to_refuse",
        Unit::Milliseconds,
        USES,
        "From the block that took a consent back until the last record left on it; the longest.",
    ),
    entry(
        "copies_readable",
        Unit::Count,
        SERVICE,
        "Records of which institutions can still read copies at the end although the consent was taken back (H12).",
    ),
    entry(
        "copies_at",
        Unit::Count,
        SERVICE,
        "How many institutions that is.",
    ),
    entry(
        "reads_answered",
        Unit::Share,
        SERVICE,
        "Share of the reads that ended with the record or a denial by consent within their deadline.",
    ),
    entry(
        "audit_missing",
        Unit::Count,
        ATTACK,
        "Reads that they got and no entry of the audit trail tells (AUD).",
    ),
    entry(
        "downtime",
        Unit::Milliseconds,
        ATTACK,
        "Time without service in its windows and up to the next commit (DT).",
    ),
    entry(
        "time_to_first_commit",
        Unit::Milliseconds,
        ATTACK,
        "From the end of its last window to the first commit (TTFC).",
    ),
    entry(
        "sensitivity",
        Unit::Milliseconds,
        ATTACK,
        "Area between the latency distributions in its windows and outside of all windows (SENS).",
    ),
    entry(
        "asked_at",
        Unit::Milliseconds,
        CHANGE,
        "When the administrator asked for the change.",
    ),
    entry(
        "in_force_at",
        Unit::Milliseconds,
        CHANGE,
        "When the first node learned that the new members alone decide, or whom to believe.",
    ),
    entry(
        "done_at",
        Unit::Milliseconds,
        CHANGE,
        "When the administrator learned that the change is done.",
    ),
    entry(
        "took",
        Unit::Milliseconds,
        CHANGE,
        "From asking for the change to the word that it is done, the wait for earlier ones included.",
    ),
    entry(
        "known_at",
        Unit::Milliseconds,
        CHANGE,
        "When the last node took in whom to believe.",
    ),
    entry(
        "exposed",
        Unit::Milliseconds,
        CHANGE,
        "From the first attack of a thief who has what is revoked until the last node knows that it is.",
    ),
    entry(
        "turned_away",
        Unit::Count,
        CHANGE,
        "Messages of those whose certificates are revoked that were refused for that.",
    ),
    entry(
        "delivered",
        Unit::Share,
        RELAY,
        "Share of the packets that were received where they were for; without those still on their way and in time at the end.",
    ),
    entry("sent", Unit::Count, RELAY, "Packets that were sent."),
    entry("late", Unit::Count, RELAY, "Packets that ran out of time."),
    entry(
        "brought_again",
        Unit::Count,
        RELAY,
        "Transactions that brought a packet which the chain had received already, and were refused.",
    ),
    entry(
        "answered_inside",
        Unit::Count,
        SERVICE,
        "Records of other networks that came over the chains.",
    ),
    entry(
        "answered_apart",
        Unit::Count,
        SERVICE,
        "Records of other networks that came point to point.",
    ),
    entry(
        "queries_open",
        Unit::Count,
        SERVICE,
        "Queries of other networks for records that are open.",
    ),
    entry(
        "queries_sharable",
        Unit::Count,
        SERVICE,
        "The same for records that are sharable.",
    ),
    entry(
        "queries_protected",
        Unit::Count,
        SERVICE,
        "The same for records that are protected.",
    ),
    entry(
        "queries_non_open",
        Unit::Count,
        SERVICE,
        "The same for records that are not open.",
    ),
    entry(
        "queries_refused",
        Unit::Count,
        SERVICE,
        "Queries of other networks that providers refused.",
    ),
];

impl Scope {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::Run,
        Self::Chain,
        Self::Workload,
        Self::Service,
        Self::Organisation,
        Self::Attack,
        Self::Change,
        Self::Relay,
    ];

    /// The first part of a path; empty for the whole run.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Run => "",
            Self::Chain => "chains",
            Self::Workload => "workloads",
            Self::Service => "services",
            Self::Organisation => "organisations",
            Self::Attack => "attacks",
            Self::Change => "changes",
            Self::Relay => "relays",
        }
    }
    /// The path of the metric `word` of `name` (which a run has not).
    pub fn path(self, name: &str, word: &str) -> String {
        match self {
            Self::Run => word.to_owned(),
            _ => format!("{}.{name}.{word}", self.prefix()),
        }
    }
}

/// What a path names: the line of its word, what it is of, and its name (empty for the run).
/// Whether a scenario has a chain of that name is not known here.
pub fn find(path: &str) -> Option<(&'static MetricEntry, Scope, &str)> {
    let (scope, name, word) = match path.rsplit_once('.') {
        None => (Scope::Run, "", path),
        Some((subject, word)) => {
            let (prefix, name) = subject.split_once('.')?;
            let scope = Scope::ALL.iter().find(|scope| scope.prefix() == prefix)?;
            (*scope, name, word)
        }
    };
    let entry = METRICS.iter().find(|entry| entry.name == word)?;
    let named = (scope == Scope::Run) == name.is_empty();
    (named && entry.scopes.contains(&scope)).then_some((entry, scope, name))
}

impl Unit {
    /// Its word in lists.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Milliseconds => "ms",
            Self::PerSecond => "/s",
            Self::Share => "share",
            Self::Count => "count",
            Self::Bytes => "B",
        }
    }

    /// The unit that suits a value: its sign, and how many of the metric's units it has.
    fn suiting(self, value: f64) -> (&'static str, f64) {
        let among = |units: &[(&'static str, f64)]| {
            let fits = |&&(_, size): &&(&str, f64)| value.abs() >= size;
            let smallest = units.last().copied().unwrap_or(("", 1.0));
            units.iter().find(fits).copied().unwrap_or(smallest)
        };
        match self {
            Self::Milliseconds if value == 0.0 => ("ms", 1.0),
            Self::Milliseconds => among(&[("s", 1e3), ("ms", 1.0), ("us", 1e-3)]),
            Self::PerSecond => ("/s", 1.0),
            Self::Share => ("%", 0.01),
            Self::Count => ("", 1.0),
            Self::Bytes => among(&[
                ("TB", 1e12),
                ("GB", 1e9),
                ("MB", 1e6),
                ("kB", 1e3),
                ("B", 1.0),
            ]),
        }
    }

    /// A value with its unit (`1.31s`, `99.2%`), in three significant digits, or as many as it
    /// takes that the text lies on the same side of `limit` as the value.
    pub fn render(self, value: f64, limit: &Limit) -> String {
        let (sign, size) = self.suiting(value);
        let mut text = String::new();
        for digits in 3..=17 {
            text = significant(value / size, digits);
            let said = text.parse::<f64>().unwrap_or(f64::NAN) * size;
            if limit.holds(said) == limit.holds(value) {
                break;
            }
        }
        text + sign
    }
}

/// A number in `digits` significant digits; digits before the point always stay.
pub(crate) fn significant(x: f64, digits: usize) -> String {
    let mut decimals = digits.saturating_sub(1);
    let mut bound = 10.0;
    while decimals > 0 && x.abs() >= bound {
        decimals -= 1;
        bound *= 10.0;
    }
    let mut bound = 1.0;
    while decimals < 20 && x != 0.0 && x.abs() < bound {
        decimals += 1;
        bound /= 10.0;
    }
    let text = format!("{x:.decimals$}");
    if decimals == 0 {
        return text;
    }
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
