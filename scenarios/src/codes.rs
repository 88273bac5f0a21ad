//! The codes of diagnostics, each with what it means and how it is mended.
//!
//! Codes are stable. The first digit tells the family: 0 file, 1 values, 2 structure, 3 targets,
//! 4 time, 5 meaning, 6 composition. `W` codes are warnings: the run goes on.

/// A code and its explanation.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `E101`.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it is a mistake, and what would be right.
    pub text: &'static str,
    /// A line that is wrong, and the same line mended.
    pub example: (&'static str, &'static str),
}

/// The explanation of `code`, in any case.
pub fn find(code: &str) -> Option<&'static Code> {
    CODES.iter().find(|c| c.code.eq_ignore_ascii_case(code))
}

impl Code {
    /// The explanation as it is printed.
    pub fn render(&self) -> String {
        let (wrong, right) = self.example;
        let mut out = format!("{}: {}\n\n{}\n", self.code, self.title, self.text);
        for (word, lines) in [("Wrong", wrong), ("Right", right)] {
            if lines.is_empty() {
                continue;
            }
            out.push('\n');
            out.push_str(word);
            out.push_str(":\n\n");
            for line in lines.lines() {
                out.push_str("    ");
                out.push_str(line);
                out.push('\n');
            }
        }
        out
    }
}

macro_rules! codes {
    ($($code:literal $title:literal $text:literal $wrong:literal => $right:literal;)*) => {
        &[$(Code { code: $code, title: $title, text: $text, example: ($wrong, $right) },)*]
    };
}

/// All codes, in order.
pub const CODES: &[Code] = codes![
    "E001" "the version of the language"
        "A scenario says in its first line which language it is written in. This program reads version 1. Files go forward, never back: a file of a later version needs a later program. Profiles begin with `consim_profile: 1` in the same way."
        "consim: 2" => "consim: 1";
    "E002" "a name twice in one map"
        "Names in a map are unique. YAML readers keep the first or the last of two, so one of them would be lost without a word."
        "faults:\n  cut: { at: 1m, for: 1m, crash: a }\n  cut: { at: 2m, for: 1m, crash: b }" => "faults:\n  cut:   { at: 1m, for: 1m, crash: a }\n  cut-2: { at: 2m, for: 1m, crash: b }";
    "E003" "anchors, aliases and merge keys"
        "They are not part of the language: what a reader sees is what is there. Repetition is removed by `count` for like institutions, by `base` for a whole scenario, by a profile for one value, and by `vary` for series."
        "organisations:\n  a: &big { count: 3 }\n  b: *big" => "organisations:\n  a: { count: 3 }\n  b: { count: 3 }";
    "E004" "a tag"
        "YAML tags (`!x`) change how a value is read in some programs and are ignored by others. Values here are plain words with their units."
        "duration: !span 30m" => "duration: 30m";
    "E005" "this is not YAML"
        "The file cannot be read as YAML at this place. Look at brackets, quotes and indentation of this line and the one before; indent with spaces only; quote texts that begin with one of @ ` % ! & * > | or contain `: `."
        "about: @home" => "about: \"@home\"";
    "E006" "the file cannot be read"
        "There is no such file, it is a folder, it may not be read, it is longer than 8 MiB, or it is not UTF-8 text." "" => "";
    "E008" "too deep or too large"
        "A file has at most 8 MiB, 32 levels of nesting and 10,000 entries in a map. These limits keep a wrong file from taking the machine down; no scenario that a person writes comes near." "" => "";
    "E009" "not a scenario"
        "A scenario is a map whose first line is `consim: 1`. The file is empty, a list or a single text."
        "- consim: 1" => "consim: 1";
    "E101" "a unit is missing"
        "A number alone is never a duration, a size, a rate or a factor: 30 of what?"
        "duration: 30" => "duration: 30m";
    "E102" "an unknown unit"
        "Units are case-sensitive: `m` is a minute, `M` a million, `MB` a million bytes."
        "duration: 30M" => "duration: 30m";
    "E103" "bits or bytes?"
        "`10Mb` means ten megabits to some and ten megabytes to others."
        "rate: 10Mb" => "rate: 10Mbit/s";
    "E104" "a share without its sign"
        "A share is written with `%` or `ppm`. 0.05 of all is 5%; 0.05% is one in two thousand."
        "rate: 0.05" => "rate: 5%";
    "E105" "a limit is written in words"
        "`>` begins a block text in YAML and would have to be quoted. So limits are words: at most, at least, below, above, exactly, between A and B, within P of V; V may be `2x that of VARIANT` where variants are compared."
        "availability: > 99%" => "availability: at least 99%";
    "E106" "a value of another form"
        "The text is not of the form that the key takes. The message says which form that is, the help shows examples."
        "count: 1e3" => "count: 1k";
    "E107" "a value out of its range"
        "The value has the right form but is too small, too large or too fine: a share above 100 %, a timeout of nothing, more nodes than a plan holds. The help says the range." "count: 0" => "count: 1";
    "E108" "a switch is true or false"
        "`yes`, `no`, `on` and `off` are read differently by different YAML readers."
        "allow: yes" => "allow: true";
    "E109" "not a name"
        "A name begins with a small letter, goes on with small letters, digits and hyphens, has at most 40 characters and is none of the words of selectors (all, none, any, of, in, leader, f, quorum, ...)."
        "faults:\n  City_Cut: ..." => "faults:\n  city-cut: ...";
    "E110" "a range the wrong way round"
        "A range begins with its smaller end; both ends are included."
        "for: 60s..10s" => "for: 10s..60s";
    "E111" "not a selector"
        "A selector is `COUNT of SET`, `random COUNT of SET`, `leader of CHAIN` or a set, then perhaps `in region NAME` and `except SET`. Sets are `all`, names, `a-3..a-7`, and `tier`, `region`, `site`, `rack` or `power` with a name."
        "crash: 3 community" => "crash: 3 of community";
    "E112" "a range where one value is meant"
        "A key that is drawn for each message or operation takes a distribution, not a range."
        "delay: 10ms..20ms" => "delay: { uniform: { from: 10ms, to: 20ms } }";
    "E113" "parameters that contradict each other"
        "The parameters of a distribution are the wrong way round, such as a median above the 99th percentile."
        "delay: { log-normal: { median: 5ms, p99: 1ms } }" => "delay: { log-normal: { median: 1ms, p99: 5ms } }";
    "E201" "an unknown key"
        "Nothing is accepted and ignored: a mistyped key would silently leave its default in force."
        "organizations: {}" => "organisations: {}";
    "E202" "an unknown word"
        "The key takes one of the names of a registry; `consim list` shows them all."
        "consensus: pbtf" => "consensus: pbft";
    "E203" "how a choice is written"
        "A choice is its name; its options, if any, stand under the name."
        "consensus: { protocol: pbft, pipeline: 4 }" => "consensus: { pbft: { pipeline: 4 } }";
    "E204" "an option of another choice"
        "The option belongs to another of the names that can be chosen here."
        "delay: { normal: { median: 1ms, sd: 1ms } }" => "delay: { normal: { mean: 1ms, sd: 1ms } }";
    "E205" "a list where names are wanted"
        "Faults, organisations, chains, workloads and the like are maps from a name, so that overrides, sweeps and reports can say which is meant."
        "faults:\n  - { id: cut, at: 1m, for: 1m, crash: a }" => "faults:\n  cut: { at: 1m, for: 1m, crash: a }";
    "E206" "two kinds in one entry"
        "One entry does one thing, so that its window, its effect and its place in the report are its own."
        "both: { at: 1m, for: 1m, crash: all, partition: a }" => "one: { at: 1m, for: 1m, crash: all }\ntwo: { at: 1m, for: 1m, partition: a }";
    "E207" "an entry without a kind, or an option outside of it"
        "An entry has common keys and exactly one kind; the options of a kind stand under it."
        "cut: { at: 1m, for: 1m, target: a }" => "cut: { at: 1m, for: 1m, crash: { target: a } }";
    "E208" "not yet in this version"
        "The key or word belongs to the language but the model behind it comes with a later version. It is refused because nothing is accepted and ignored." "" => "";
    "E209" "nothing stands after the colon"
        "An empty value is never a deletion. Leave the key out for its default; `remove` takes something away from a base."
        "duration:" => "duration: 30m";
    "E210" "something is missing"
        "A key without a default is needed here, or the scenario lacks organisations or workloads."
        "cut: { for: 1m, crash: a }" => "cut: { at: 5m, for: 1m, crash: a }";
    "E211" "a value of another shape"
        "The key takes a value, a list or a map, and something else stands there."
        "duration: [30m]" => "duration: 30m";
    "E301" "nothing is called that"
        "The name is looked up among organisations, institutions, chains, services, faults or regions and is not there. The help names the nearest."
        "crash: 2 of communty" => "crash: 2 of community";
    "E302" "more than there are"
        "A selector asks for more nodes than its set has."
        "crash: 20 of community    # there are 15" => "crash: community";
    "E303" "only a chain has an f and a quorum"
        "`f`, `f+1` and `quorum` are numbers of a chain's members; a group of organisations has none."
        "crash: f of community" => "crash: f of alliance";
    "E304" "regions and tiers need their word"
        "Groups, institutions and chains share one name space; regions, tiers and sites stand beside it and say what they are."
        "partition: guangzhou" => "partition: region guangzhou";
    "E305" "one name for two things"
        "Selectors and paths could not tell them apart: a group and a chain, two institutions, or a label of `compare` that is also a key or a metric."
        "chains: { hospital: { members: hospital } }" => "chains: { hospital-chain: { members: hospital } }";
    "E306" "who leads is known only at run time"
        "`leader of CHAIN` stands alone, where a fault takes its target. It cannot be mixed into a list or used where nodes are needed before the run."
        "members: leader of alliance" => "members: all";
    "E307" "nobody is meant"
        "A selector that matches nothing is a mistake more often than an intention. `none` says so on purpose."
        "crash: community except community" => "crash: none";
    "E308" "a target on which this fault has no effect"
        "A partition of all from nobody, or the crash of an institution that runs no node."
        "partition: all" => "partition: region guangzhou";
    "E309" "no such metric"
        "`expect` takes the paths of `metrics` in outcome.json; `consim list metrics` shows the words."
        "expect: { latency_p98: at most 1s }" => "expect: { latency_p99: at most 1s }";
    "E401" "when does it end?"
        "A fault with no stated end is the commonest hidden mistake, so `for` or `until` is needed."
        "cut: { at: 5m, crash: a }" => "cut: { at: 5m, for: 2m, crash: a }";
    "E402" "outside of the run"
        "An instant lies before the start or after the end, or the warm-up leaves nothing to measure."
        "duration: 30m\nwarmup: 40m" => "duration: 30m\nwarmup: 1m";
    "W403" "no time to recover"
        "The fault ends with the run, so nothing can show that the system comes back; checks of liveness will be unknown. Write `for: rest` if that is meant."
        "cut: { at: 28m, for: 2m, crash: a }    # of 30m" => "cut: { at: 20m, for: 2m, crash: a }";
    "E404" "`times` without `every`"
        "`times` limits how often `every` repeats an entry." "cut: { at: 1m, for: 1m, times: 3, crash: a }" => "cut: { at: 1m, for: 1m, every: 5m, times: 3, crash: a }";
    "W405" "not all repetitions fit"
        "The run ends before the last of the wanted occurrences." "" => "";
    "E406" "an end that cannot be"
        "The entry ends before it begins, or says twice when it ends."
        "cut: { at: 5m, for: 1m, until: 7m, crash: a }" => "cut: { at: 5m, until: 7m, crash: a }";
    "E407" "instants that wait for each other"
        "Entries may begin relative to each other, but not in a circle."
        "a: { at: b, ... }\nb: { at: a, ... }" => "a: { at: 1m, ... }\nb: { at: a, ... }";
    "E408" "more at once than the fault budget allows"
        "Random faults stop no more nodes at a time than `limits.fault_budget` says; `skip` leaves out what is beyond it."
        "weather: { ..., random: { kinds: [crash], rate: 60/h, at_once: 12 } }" => "limits: { fault_budget: { excess: skip } }";
    "E409" "a fault without its change"
        "`cut-change` and `double-change` are about changes of the scenario: these have to be asked for while the fault lasts. The two of `double-change` are both of the members, or both of whom they believe."
        "changes: { newcomer: { at: 60s, join: hospital-5 } }\nfaults: { cut: { at: 20s, for: 15s, cut-change: { target: hospital-1, change: newcomer } } }" => "changes: { newcomer: { at: 60s, join: hospital-5 } }\nfaults: { cut: { at: newcomer, for: 15s, cut-change: { target: hospital-1, change: newcomer } } }";
    "E501" "too few members for the protocol"
        "A protocol that bears f traitors needs 3f+1 members: four to bear one."
        "members: [tertiary, supervision]" => "members: all";
    "E502" "which chain?"
        "With several chains a service says on which one it works."
        "sharing: { data-sharing: { on_chain: digest } }" => "sharing: { data-sharing: { chain: hospitals, on_chain: digest } }";
    "E503" "nobody does this attack"
        "An attack is done by an adversary, with the nodes that it controls."
        "attacks: { lie: { at: 1m, for: 1m, equivocate: ledger } }" => "adversaries: { insider: { nodes: f of ledger } }\nattacks: { lie: { at: 1m, for: 1m, equivocate: ledger } }";
    "E504" "two keys that exclude each other"
        "Each of them says the same thing in its own way, such as a table of regions and coordinates of your own, or institutions from a file and a count."
        "regions: { table: guangdong, places: { a: ... } }" => "regions: { places: { a: ... } }";
    "E505" "options of a protocol that contradict each other"
        "The help says how they hang together. PBFT's window of sequence numbers, for example, reaches at least to the next checkpoint: else the log is full before anything may be thrown away."
        "consensus: { pbft: { watermark: 5 } }" => "consensus: { pbft: { watermark: 256 } }";
    "E506" "shares that sum to nothing"
        "At least one of the operations has to happen."
        "consents: { grant: 0%, deny: 0%, revoke: 0% }" => "consents: { grant: 50%, deny: 20%, revoke: 30% }";
    "E507" "nobody is there to ask"
        "The workload has no institution to come from."
        "audits: data-sharing    # without a regulator" => "audits: data-sharing\nfrom: tertiary";
    "W507" "nothing happens in this workload"
        "Its load is zero everywhere." "" => "";
    "E508" "a service of another model"
        "The kind of a workload asks a service of its own model."
        "writes: { transactions: sharing }    # data-sharing" => "writes: { transactions: store }    # key-value";
    "W508" "the nearest city is far away"
        "An institution out of a file gets the region of the nearest city of the table. If that is hundreds of kilometres away, the table is probably another country's, or latitude and longitude stand the wrong way round." "" => "";
    "E509" "which adversary?"
        "With several adversaries an attack says whose it is."
        "lie: { at: 1m, for: 1m, equivocate: ledger }" => "lie: { at: 1m, for: 1m, by: insider, equivocate: ledger }";
    "E510" "an adversary's budget"
        "An adversary is a budget: nodes, and the time that all its attacks may last together. A node belongs to one adversary only, so that results can be laid at one door."
        "adversaries: { insider: { nodes: f of ledger, for: 30s } }\nattacks: { lie: { at: 1m, for: 1m, equivocate: ledger } }" => "adversaries: { insider: { nodes: f of ledger, for: 1m } }";
    "E511" "a site in two places"
        "All institutions of a site are in one region: the site's, if it says one. An institution whose own region is another is somewhere else."
        "sites: { hall: { region: guangzhou } }\nhospital: { region: shenzhen, site: hall }" => "sites: { hall: { region: guangzhou } }\nhospital: { site: hall }";
    "E512" "members that cannot change so"
        "Who joins a chain is among its `members` in the file and begins outside; who leaves is a member then. Nobody joins twice without leaving in between, and the last member stays."
        "changes: { farewell: { at: 20s, leave: hospital-9 } }    # which joins at 40s" => "changes: { farewell: { at: 60s, leave: hospital-9 } }";
    "E513" "the protocol does not change its members"
        "Members join and leave a running chain by a mechanism of its protocol, which not all have."
        "chains: { ledger: { members: all, consensus: pbft } }\nchanges: { newcomer: { at: 20s, join: hospital-5 } }" => "chains: { ledger: { members: all, consensus: raft } }\nchanges: { newcomer: { at: 20s, join: hospital-5 } }";
    "E517" "gossip that falls apart"
        "What is said goes from peer to peer. Where there is no way from one node to another, what one says the other never hears."
        "# peers.csv: clinic-4 is in no line\nnetwork: { gossip: { file: peers.csv } }" => "network: { gossip: { random: { peers: 8 } } }";
    "W518" "peers of nobody"
        "`network.gossip` says who are peers where messages go from peer to peer. No chain of this scenario sends any so."
        "network: { gossip: ring }\nchains: { ledger: { members: all, consensus: tendermint } }" => "network: { gossip: ring }\nchains: { ledger: { members: all, consensus: { tendermint: { spread: gossip } } } }";
    "E519" "certificates that cannot change so"
        "What is revoked for good is neither revoked again nor given a certificate of another authority. Who moves to a new authority is a member whose certificate is the shared one's, and no such member is left behind: in the end nobody believes the old one."
        "organisations: { hospital: { tier: tertiary, count: 4 } }\nchanges: { rotation: { at: 20s, rotate-authority: 3 of hospital } }" => "organisations: { hospital: { tier: tertiary, count: 4 } }\nchanges: { rotation: { at: 20s, rotate-authority: hospital } }";
    "E601" "a path that leads nowhere"
        "A dotted path goes through keys, names and, below a choice, the name that is chosen. What is not chosen cannot be reached, and nothing lies below a value."
        "--set chains.alliance.consensus.protocol=raft" => "--set chains.alliance.consensus=raft";
    "E602" "nothing to remove"
        "A path under `remove` has to be in the base, so that a typing mistake does not leave something in place."
        "remove: [faults.city-cutt]" => "remove: [faults.city-cut]";
    "E603" "a file or folder that cannot be read"
        "Paths are relative to the file that names them."
        "source: fhir:../record/" => "source: fhir:../records/";
    "E604" "what may not be laid over"
        "A scenario rests on at most 8 others, and none of them rests on itself. A row of an experiment sets load, sizes, counts and faults; hardware, network and protocol are those of the testbed, so that nothing is tuned for a single row."
        "experiment: { ..., rows: [{ with: { chains.ledger.timeout: 2s }, measured: { throughput: 583/s } }] }" => "experiment: { ..., rows: [{ with: { workloads.writes.load: 10k/s }, measured: { throughput: 583/s } }] }";
    "E605" "not an override"
        "An override is PATH=VALUE on the command line, or a map from paths to values in `compare` and `vary`. It changes values; `base`, `remove` and `consim` stand in the file."
        "--set duration" => "--set duration=1h";
    "E606" "an axis without values"
        "An axis of `vary` is a list, a range of whole numbers, or a map from labels to overrides."
        "vary: { seed: 7 }" => "vary: { seed: [7, 8] }";
];
