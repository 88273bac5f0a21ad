//! The consortia in which things happen: a model, a number of members, the knobs of the protocol.

use super::ground::Ground;
use consim_core::SeededBug;
use consim_models::consensus::{PROTOCOLS, ProtocolEntry, entry};
use consim_models::{custody, device_samples, key_value, sharing};

/// A domain model, or the store, under load.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    /// Its word, for `--model`.
    pub name: &'static str,
    /// Services and workloads; `{rate}` stands for a rate, `{retry}` for how users ask again.
    text: &'static str,
    /// Rates to draw from, the least first.
    rates: &'static [&'static str],
    /// Virtual length of a scenario, milliseconds.
    length_ms: u64,
    /// Up to when things happen in it, milliseconds: longer before its end than the bound within which all
    /// has to work again, so that this is judged.
    until_ms: u64,
    /// May its clients ask several members?
    asks_several: bool,
    /// Does every member answer its users alone?
    alone: bool,
    /// Its seeded bugs, which nothing shows but what it does.
    pub(super) bugs: &'static [&'static SeededBug],
}

/// The models of the built-in search; simplest first.
pub const MODELS: &[Model] = &[
    Model {
        name: "key-value",
        text: "services: { store: { key-value: { keys: 8 } } }
workloads:
  clients: { transactions: { service: store, read_share: 40% }, from: all except hospital-2, load: {rate}{retry} }
  readers: { transactions: { service: store, read_share: 100% }, from: hospital-2, load: {rate}{retry} }
",
        rates: &["1/s", "3/s", "10/s"],
        length_ms: 60_000,
        until_ms: 38_000,
        asks_several: true,
        alone: true,
        bugs: key_value::BUGS,
    },
    Model {
        name: "custody",
        text: "services: { units: { custody: {} } }
workloads:
  movements: { movements: { service: units, conflicts: 15% }, load: {rate}{retry} }
",
        rates: &["1/s", "3/s", "10/s"],
        length_ms: 60_000,
        until_ms: 38_000,
        asks_several: false,
        alone: true,
        bugs: custody::BUGS,
    },
    Model {
        name: "device-samples",
        text: "services: { gateway: { device-samples: {} } }
workloads:
  samples: { samples: { service: gateway, devices: 1, odd: 20% }, load: {rate}{retry} }
",
        rates: &["1/s", "3/s", "10/s"],
        length_ms: 60_000,
        until_ms: 38_000,
        asks_several: false,
        alone: true,
        bugs: device_samples::BUGS,
    },
    Model {
        name: "data-sharing",
        text: "populations: { patients: { people: 20, consent: { grant: 70%, answer_in: { uniform: { from: 1s, to: 5s } } } } }
workloads:
  visits: { visits: { service: data-sharing, resources: 1, reads_per_write: 2, elsewhere: 50%, emergency: 10% }, load: {rate}, day: flat{retry} }
  changes: { consents: data-sharing, load: {rate}, day: flat{retry} }
  audits: { audits: data-sharing, from: hospital-1, load: 3/min, day: flat }
",
        rates: &["6/min", "20/min", "60/min"],
        // Reads elsewhere come two minutes after their visit at the earliest.
        length_ms: 200_000,
        until_ms: 170_000,
        asks_several: false,
        alone: false,
        bugs: sharing::BUGS,
    },
];

/// The least and the most members. Sizes that are not 3f+1 (5, 6, 8, 9, 11, 12) are where a wrong
/// quorum shows.
pub const MEMBERS: (u8, u8) = (4, 12);

/// From when on things happen, milliseconds.
const HAPPENS_MS: u64 = 3_000;

/// A consortium, as small numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct World {
    /// Members.
    pub members: u8,
    /// Place in [`MODELS`].
    pub model: u8,
    /// Place among the model's rates.
    pub rate: u8,
    /// Place among the first timers.
    pub timeout: u8,
    /// Place among the waits of a block.
    pub wait: u8,
    /// Place among the distances of checkpoints, each with the sequence numbers in flight above one.
    pub checkpoint: u8,
    /// Place among the pipelines.
    pub pipeline: u8,
    /// Place among the networks.
    pub network: u8,
    /// Place among how many answers clients wait for.
    pub clients: u8,
    /// Place among what a mempool holds at most.
    pub mempool: u8,
    /// Place among the neighbours of the members.
    pub neighbours: u8,
    /// Place among how often users ask again.
    pub retries: u8,
}

const TIMEOUTS: &[&str] = &["1s", "500ms", "2s"];
const WAITS: &[&str] = &["100ms", "0ms", "500ms"];
/// With a narrow window a member that was away falls behind it and takes a state over, and a primary
/// waits for checkpoints.
const CHECKPOINTS: &[(&str, &str)] = &[("128", "256"), ("8", "16"), ("3", "6")];
const PIPELINES: &[&str] = &["8", "1", "3"];
/// Options of Raft.
const RAFT: &[&str] = &["{ read: index }", "{ read: lease }", "{ pre_vote: false }"];
/// Changes of the members; `{last}` stands for the last of them, `{two}` for the last two, where three are left
/// without them. They happen early enough that what goes wrong meets them.
const CHANGES: &[&str] = &[
    "",
    "changes: { newcomer: { at: 8s, join: hospital-{last} } }\n",
    "",
    "changes: { away: { at: 6s, leave: hospital-{last} }, back: { at: 14s, join: hospital-{last} } }\n",
    "changes: { newcomer: { at: 6s, join: hospital-{last} }, farewell: { at: 7s, leave: hospital-1 } }\n",
    "changes: { newcomers: { at: 7s, join: {two} } }\n",
];
/// Changes that do not wait for each other, where one takes several steps.
const OVERLAPS: &[&str] = &[
    "changes: { newcomers: { at: 7s, join: {two} }, farewell: { at: 7s, leave: hospital-1, waits: false } }\n",
    "changes: { newcomers: { at: 7s, join: {two} }, farewell: { at: 7010ms, leave: hospital-1, waits: false } }\n",
    "changes: { farewell: { at: 7s, leave: hospital-1 }, newcomer: { at: 7005ms, join: hospital-{last}, waits: false } }\n",
];
/// Keys that are replaced, where the protocol has that, and two changes at a time.
const KEYS: &[&str] = &[
    "changes: { key: { at: 7s, replace-keys: hospital-2 } }\n",
    "changes: { away: { at: 6s, leave: hospital-{last} }, key: { at: 9s, replace-keys: hospital-{last} }, back: { at: 14s, join: hospital-{last} } }\n",
    "changes: { newcomers: { at: 7s, join: {two} }, keys: { at: 7s, replace-keys: [hospital-1, hospital-3], waits: false } }\n",
];
/// Certificates that are taken back and issued anew, and another authority for all, in any protocol.
const TRUST: &[&str] = &[
    "changes: { rotation: { at: 7s, rotate-authority: { nodes: hospital, gap: 700ms } } }\n",
    "changes: { lost: { at: 6s, revoke-certificate: { nodes: hospital-{last}, reissue: 3s } } }\n",
    "changes: { lost: { at: 6s, revoke-certificate: { nodes: hospital-2, list: { fetched: 4s }, reissue: 1s } }, rotation: { at: 7s, rotate-authority: { nodes: hospital, gap: 300ms } } }\n",
];
/// Where BFT-SMaRt's requests go.
const REQUESTS: &[&str] = &["to-all", "to-leader"];
/// Tendermint's timeouts: the chain's, shorter ones that hardly grow, so that who was away is many rounds behind, and
/// such that are too short at first.
const STEPS: &[&str] = &[
    "",
    ", propose: 500ms, propose_delta: 50ms, prevote: 200ms, prevote_delta: 20ms, precommit: 200ms, precommit_delta: 20ms",
    ", propose: 300ms, prevote: 20ms, prevote_delta: 50ms, precommit: 20ms, precommit_delta: 50ms",
    ", propose: 500ms, propose_delta: 1ms, prevote: 200ms, prevote_delta: 1ms, precommit: 200ms, precommit_delta: 1ms",
];
/// What the time of Tendermint's blocks is.
const TIMES: &[&str] = &[
    "bft",
    "proposer",
    "{ proposer: { precision: 505ms, message_delay: 2s } }",
];
/// How Tendermint's messages travel, by the options of the protocol and of the mempool. Blocks are small, so that
/// parts are, too.
const TRAVELS: &[(&str, &str)] = &[
    ("", ""),
    (
        ", spread: { gossip: { sleep: 20ms, flush: 10ms, part: 500B } }, commit: 50ms",
        ", spread: gossip",
    ),
    (
        ", spread: { gossip: { sleep: 50ms, flush: 0ms, part: 2kB } }",
        "",
    ),
    ("", ", spread: gossip"),
];
/// Block periods of QBFT and IBFT 2.0. Their timers double: with timers that do not, members that are some rounds
/// apart may stay so, and nothing else can be asked of them.
const PERIODS: &[&str] = &[
    "{ period: 100ms }",
    "{}",
    "{ period: 0ms, empty_period: 3s }",
];
/// Clique's periods. Where the first of two heads counts that came, signers may wait for each other for good; and a
/// branch that is left below what is final is no failure of Clique's, so that twice as many blocks follow it as the
/// group has members in a majority. That many have to come before users give up, also while the turns of those who are
/// away are waited for.
const SEALS: &[&str] = &[
    "period: 200ms, wiggle: 20ms",
    "period: 100ms, wiggle: 20ms, epoch: 7",
    "period: 150ms, wiggle: 20ms",
];
/// Leaders of HotStuff.
const LEADERS: &[&str] = &["stable", "round-robin", "reputation"];
const PHASES: &[&str] = &["3", "2"];
/// What HotStuff's certificates hold.
const CERTIFICATES: &[&str] = &["", "", ", signatures: bls, certificates: aggregate"];
/// Where HotStuff's transactions travel: the place for payload, and how the mempool spreads it.
const PAYLOADS: &[(&str, &str)] = &[
    ("inside", ""),
    ("digest", ""),
    (
        "digest",
        ", spread: batches, batch: { bytes: 2kB, wait: 20ms }",
    ),
    ("digest", ", spread: batches, acknowledge: quorum"),
    (
        "digest",
        ", spread: batches, batch: { bytes: 2kB, wait: 20ms }, acknowledge: certificate",
    ),
    (
        "digest",
        ", spread: batches, batch: { bytes: 2kB, wait: never, pause: 50ms }",
    ),
];
const NETWORKS: &[&str] = &[
    "{ regions: one-place }",
    "{ regions: guangdong, links: metro }",
    "{ regions: one-place, links: { profile: lan, transport: datagram } }",
];
/// A small one is full when the group stands still for a few seconds.
const MEMPOOLS: &[&str] = &["100k", SMALL_MEMPOOL];
const SMALL_MEMPOOL: &str = "20";
/// The last has users whom no member knows: their certificates are of an authority of their own.
const NEIGHBOURS: &[&str] = &[
    "",
    "",
    ", stranger: { tier: secondary, authority: own, roles: [client] }",
];
/// Two light clients.
const CLINIC: &str = ", clinic: { tier: community, count: 2, roles: [light-client] }";
/// Users who ask for long come upon what was executed in blocks that their server never saw.
const RETRIES: &[&str] = &["", ", retry: { after: 2s, times: 10 }", ""];
const CLIENTS: &[&str] = &["one", "f+1", "quorum"];

/// The protocol with this word; of one that there is not, the first.
pub(super) fn known(word: &str) -> &'static ProtocolEntry {
    entry(word).unwrap_or(&PROTOCOLS[0])
}

/// The `number`th of `list`, counted round.
pub(super) fn pick<T: Copy + Default>(list: &[T], number: u8) -> T {
    let place = usize::from(number) % list.len().max(1);
    list.get(place).copied().unwrap_or_default()
}

impl World {
    /// Its model.
    pub fn model(&self) -> &'static Model {
        let place = usize::from(self.model) % MODELS.len();
        // `place` is below the length of a list that is not empty.
        MODELS.get(place).unwrap_or(&MODELS[0])
    }

    /// The ground of a scenario under `protocol`.
    pub fn ground(&self, protocol: &str) -> Ground {
        let protocol = known(protocol);
        Ground {
            head: self.head(protocol, self.model().length_ms),
            members: (1..=self.members).map(|i| format!("{GROUP}-{i}")).collect(),
            everybody: GROUP.to_owned(),
            chain: CHAIN.to_owned(),
            faulty: (protocol.tolerates)(usize::from(self.members) - away(&self.changes(protocol))),
            protocol,
            from_ms: HAPPENS_MS,
            to_ms: self.model().until_ms,
            may_stay_broken: self.model().alone && !self.rotates(protocol),
            changes: away(&self.changes(protocol)) > 0,
            light: self
                .has_light_clients(protocol)
                .then(|| "clinic-1".to_owned()),
            shares_records: self.model().name == "data-sharing",
            prefix: "",
        }
    }

    /// Has each view another leader, or each block another signer?
    fn rotates(&self, protocol: &ProtocolEntry) -> bool {
        protocol.name == "clique"
            || protocol.name == "hotstuff" && pick(LEADERS, self.pipeline) != "stable"
    }

    /// The scenario without what happens in it, and without its seed.
    pub(super) fn head(&self, protocol: &ProtocolEntry, length_ms: u64) -> String {
        self.head_followed(protocol, length_ms, &self.light(protocol))
    }

    /// The same, and how light clients follow the chain, if there are any.
    pub(super) fn head_followed(
        &self,
        protocol: &ProtocolEntry,
        length_ms: u64,
        light: &str,
    ) -> String {
        let model = self.model();
        let (checkpoint, _) = pick(CHECKPOINTS, self.checkpoint);
        let options = self.options(protocol);
        let asked = self.asked();
        let clients = if model.asks_several {
            format!(", clients: {{ wait_for: {asked} }}")
        } else {
            String::new()
        };
        // Who asks several is told by none of them that they do not know it.
        let neighbours = if asked == "one" {
            pick(NEIGHBOURS, self.neighbours)
        } else {
            ""
        };
        let mempool = pick(MEMPOOLS, self.mempool);
        // At each institution. A small mempool and a long wait for a block carry no more than the least; nobody
        // is owed an answer in time where more is asked for than the chain carries.
        let rates = if mempool == SMALL_MEMPOOL {
            model.rates.get(..1).unwrap_or(model.rates)
        } else {
            model.rates
        };
        let rate = pick(rates, self.rate);
        format!(
            "consim: 1
duration: {length_ms}ms
warmup: 2s
network: {network}
organisations: {{ {GROUP}: {{ tier: tertiary, count: {members} }}{neighbours}{clinic} }}
chains:
  {CHAIN}: {{ members: {GROUP}, consensus: {{ {name}: {options} }}, timeout: {timeout}{certificates}{light}, checkpoint: {checkpoint}, mempool: {{ limit: {mempool}{spread} }}, block: {{ wait: {wait} }}{clients} }}
{services}{changes}",
            clinic = if light.is_empty() { "" } else { CLINIC },
            changes = self.changes(protocol),
            network = self.network(protocol),
            members = self.members,
            name = protocol.name,
            spread = self.payload(protocol).1,
            timeout = pick(TIMEOUTS, self.timeout),
            certificates = self.certificates(protocol),
            wait = pick(WAITS, self.wait),
            services = model
                .text
                .replace("{rate}", rate)
                .replace("{retry}", pick(RETRIES, self.retries)),
        )
    }
}

/// The most of the members that are none at some time.
fn away(changes: &str) -> usize {
    let two = changes.contains("join: [") || changes.starts_with("changes: { farewell");
    let nobody = !["join:", "leave:", "replace-keys:"]
        .iter()
        .any(|word| changes.contains(word));
    match changes {
        _ if nobody => 0,
        _ if two => 2,
        _ => 1,
    }
}

impl World {
    /// How many members clients ask.
    fn asked(&self) -> &'static str {
        if self.model().asks_several {
            pick(CLIENTS, self.clients)
        } else {
            "one"
        }
    }
    /// Who joins and leaves, where the protocol has that; who asks several members counts on all of them.
    fn changes(&self, protocol: &ProtocolEntry) -> String {
        let drawn = self.network + self.wait + self.retries;
        if (drawn + self.mempool + self.timeout) % 7 == 6 {
            let last = self.members.to_string();
            return pick(TRUST, drawn).replace("{last}", &last);
        }
        // Those that join begin outside, and enough have to be left for the protocol.
        let few = usize::from(self.members) < protocol.least + 2;
        if !protocol.changes_members || few || self.asked() != "one" {
            return String::new();
        }
        let seldom = (drawn + self.timeout).is_multiple_of(5);
        let text = match protocol.name {
            "raft" if seldom => pick(OVERLAPS, drawn),
            _ if seldom && protocol.replaces_keys => pick(KEYS, drawn),
            _ => pick(CHANGES, drawn),
        };
        let last = self.members;
        let two = if last < 5 || protocol.name == "clique" {
            format!("hospital-{last}")
        } else {
            format!("[hospital-{}, hospital-{last}]", last - 1)
        };
        text.replace("{last}", &last.to_string())
            .replace("{two}", &two)
    }
    /// Where the protocol's transactions travel.
    fn payload(&self, protocol: &ProtocolEntry) -> (&'static str, &'static str) {
        match protocol.name {
            "hotstuff" => pick(PAYLOADS, self.network + self.wait + self.retries),
            "tendermint" => ("inside", self.travels().1),
            _ => ("inside", ""),
        }
    }
    /// How Tendermint's messages travel.
    fn travels(&self) -> (&'static str, &'static str) {
        pick(TRAVELS, self.checkpoint + self.timeout + 2 * self.wait)
    }
    /// The network, and who holds connections with whom: such that it does not fall apart without as many nodes as
    /// the group bears.
    fn network(&self, protocol: &ProtocolEntry) -> String {
        let network = pick(NETWORKS, self.network);
        if protocol.name != "tendermint" || self.travels() == ("", "") {
            return network.to_owned();
        }
        let n = self.members;
        let gossip = match (self.network + self.pipeline) % 3 {
            0 => return network.to_owned(),
            // One of so few may be away.
            1 if n < 7 && self.changes(protocol).is_empty() => "ring".to_owned(),
            // Whoever is not dialled by one dials it, but for one.
            _ => format!("{{ random: {{ peers: {} }} }}", n.saturating_sub(2).max(1)),
        };
        let network = network.trim_end().trim_end_matches('}').trim_end();
        format!("{network}, gossip: {gossip} }}")
    }
    /// Can light clients follow a chain of this protocol?
    pub(super) fn is_followed(protocol: &ProtocolEntry) -> bool {
        let options = (protocol.defaults)();
        options.certified(1, protocol.quorum).is_some()
    }
    /// Does anybody follow the chain as a light client?
    fn has_light_clients(&self, protocol: &ProtocolEntry) -> bool {
        let shown = Self::is_followed(protocol);
        let drawn = self.timeout + self.clients + self.mempool + self.retries;
        shown && drawn.is_multiple_of(4)
    }
    /// How light clients follow the chain.
    fn light(&self, protocol: &ProtocolEntry) -> String {
        if !self.has_light_clients(protocol) {
            return String::new();
        }
        let verification = if self.changes(protocol).is_empty() || self.wait == 1 {
            "sequential"
        } else {
            "skipping"
        };
        let witnesses = 1 + self.rate % 2;
        format!(", light_clients: {{ witnesses: {witnesses}, verification: {verification} }}")
    }
    /// What its certificates hold.
    fn certificates(&self, protocol: &ProtocolEntry) -> &'static str {
        match protocol.name {
            "hotstuff" => pick(CERTIFICATES, self.timeout + self.wait),
            _ => "",
        }
    }
    /// The knobs of the protocol.
    fn options(&self, protocol: &ProtocolEntry) -> String {
        match protocol.name {
            "pbft" => {
                let (_, watermark) = pick(CHECKPOINTS, self.checkpoint);
                let pipeline = pick(PIPELINES, self.pipeline);
                format!("{{ pipeline: {pipeline}, watermark: {watermark} }}")
            }
            "raft" => pick(RAFT, self.pipeline).to_owned(),
            "hotstuff" => {
                // Every knob has three places.
                let phases = pick(PHASES, self.pipeline + self.checkpoint + self.timeout);
                let leader = pick(LEADERS, self.pipeline);
                let payload = self.payload(protocol).0;
                format!("{{ phases: {phases}, leader: {leader}, payload: {payload} }}")
            }
            "bft-smart" => format!("{{ requests: {} }}", pick(REQUESTS, self.pipeline)),
            "tendermint" => {
                // Every pair of the two has its place.
                let time = pick(TIMES, self.checkpoint + self.timeout);
                let travels = self.travels().0;
                format!("{{ time: {time}{}{travels} }}", pick(STEPS, self.pipeline))
            }
            "qbft" | "ibft" => pick(PERIODS, self.pipeline).to_owned(),
            "clique" => {
                let depth = 2 * (self.members / 2 + 1);
                let periods = pick(SEALS, self.pipeline);
                format!("{{ {periods}, fork_choice: eip-3436, confirmations: {depth} }}")
            }
            _ => "{}".to_owned(),
        }
    }
}

/// The group of the members.
const GROUP: &str = "hospital";
/// The chain.
const CHAIN: &str = "ledger";
