//! Arguments.

use clap::{Args, Parser, Subcommand, ValueEnum};
#[cfg(feature = "seeded-bugs")]
use consim_scenarios::registries;
use consim_scenarios::run::{Hooks, cells};
use std::path::PathBuf;

/// Simulates a health-care consortium blockchain from a scenario file.
#[derive(Debug, Parser)]
#[command(name = "consim", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Replay one scenario: progress bar, one-screen summary, output folder with a report.
    Run(RunArgs),
    /// Validate scenarios, or print the resolved plan with the origin of every value.
    Check(CheckArgs),
    /// List what a scenario can name.
    List(ListArgs),
    /// Analyse the network of a scenario: distances, and what latency they alone allow.
    Topology(TopologyArgs),
    /// Make the report of an output folder again, from its results.
    Report(ReportArgs),
    /// Search for failures: random faults and attacks with all checks on. What fails is made minimal
    /// and saved.
    Explore(ExploreArgs),
    /// Make a scenario that fails minimal: it violates the same check.
    Shrink(ShrinkArgs),
    /// Run a scenario again and tell its story: one event a line, then what broke.
    Replay(ReplayArgs),
    /// Run published experiments: what was measured beside what is simulated, with signed errors.
    Reproduce(ReproduceArgs),
    /// Judge what is claimed of a system: supported, limited, refuted or not testable, by many runs.
    Claims(ClaimsArgs),
    /// Run the golden runs of the repository and write their digests anew.
    Bless(BlessArgs),
    /// Write a commented scenario to start from.
    New(NewArgs),
    /// Print the JSON Schema of scenarios, for editors.
    Schema,
    /// Print the completions of a shell.
    Completions(CompletionsArgs),
}

/// Overrides that `run` and `check` share.
#[derive(Debug, Args)]
pub(crate) struct Overrides {
    /// Seed of all randomness, in place of the scenario's.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Virtual duration, in place of the scenario's (`30m`, `24h`).
    #[arg(long, value_name = "D")]
    pub(crate) duration: Option<String>,
    /// Override one value, e.g. `chains.alliance.block.wait=250ms`. May be repeated.
    #[arg(long = "set", value_name = "PATH=VALUE")]
    pub(crate) sets: Vec<String>,
}

/// Arguments of `topology`.
#[derive(Debug, Args)]
pub(crate) struct TopologyArgs {
    /// The scenario.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
    /// The least latency of every protocol on this network, by quorums and distance alone.
    #[arg(long)]
    pub(crate) floors: bool,
    /// Print everything as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent"
)]
pub(crate) struct RunArgs {
    /// The scenario.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
    /// Output folder. The default is the first free of `results/NAME-SEED`, `results/NAME-SEED-2`, ...
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Replace results that are already in the output folder.
    #[arg(long)]
    pub(crate) force: bool,
    /// Run twice side by side and compare every event; where the two part, say so and write nothing.
    /// Without pairs.
    #[arg(long)]
    pub(crate) twice: bool,
    /// Leave out the further runs without each fault and attack that the report compares with.
    #[arg(long)]
    pub(crate) no_pairs: bool,
    /// How many runs go on at a time, in place of one a core. It changes no result.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// Write the verdicts of all checks as JUnit XML, for continuous integration.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) seeded: SeededArgs,
    /// No progress bar and no summary.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print outcome.json in place of the summary.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What runs are made with, in a build that has seeded bugs.
#[derive(Debug, Args)]
pub(crate) struct SeededArgs {
    /// Switch a seeded bug on (`consim list bugs`), to see which check notices it.
    #[cfg(feature = "seeded-bugs")]
    #[arg(long, value_name = "NAME", value_parser = seeded_bug)]
    pub(crate) bug: Option<&'static registries::SeededBug>,
}

impl SeededArgs {
    /// What is replaced in the runs.
    pub(crate) fn hooks(&self) -> Hooks {
        Hooks {
            #[cfg(feature = "seeded-bugs")]
            bug: self.bug,
            ..Hooks::default()
        }
    }
}

/// The seeded bug with this name.
#[cfg(feature = "seeded-bugs")]
fn seeded_bug(name: &str) -> Result<&'static registries::SeededBug, String> {
    let bug = registries::bug(name);
    bug.ok_or_else(|| "no such bug; `consim list bugs` shows all".to_owned())
}

impl RunArgs {
    /// How many runs go on at a time.
    pub(crate) fn threads(&self) -> usize {
        self.threads.map_or_else(cells::threads, usize::from)
    }
}

/// Arguments of `explore`.
#[derive(Debug, Args)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "flags of a command line are independent"
)]
pub(crate) struct ExploreArgs {
    /// A scenario in which things are to happen; drawn consortia if left out.
    pub(crate) file: Option<PathBuf>,
    /// How many scenarios; 1000 if there is no `--for` either.
    #[arg(long, value_name = "N", conflicts_with = "time")]
    pub(crate) seeds: Option<u64>,
    /// How long to search (`60s`, `10m`); with `--bugs` processor time for each.
    #[arg(long = "for", value_name = "D", id = "time")]
    pub(crate) time: Option<String>,
    /// Seed of all draws.
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// The protocol of drawn consortia, or `all`.
    #[arg(long, value_name = "P", default_value = "all")]
    pub(crate) protocol: String,
    /// The model of drawn consortia; all if left out.
    #[arg(long, value_name = "M")]
    pub(crate) model: Option<String>,
    /// How many members drawn consortia have (`4..7`); 4 to 12 if left out. Twins have 4 or 5.
    #[arg(long, value_name = "A..B", conflicts_with = "file")]
    pub(crate) members: Option<String>,
    /// Search for every seeded bug, run its directed scenario, and print who noticed what. `--for` is
    /// the time for each. With `--bug` for that one alone.
    #[cfg(feature = "seeded-bugs")]
    #[arg(long, conflicts_with_all = ["file", "seeds", "max_wall", "junit"])]
    pub(crate) bugs: bool,
    #[command(flatten)]
    pub(crate) seeded: SeededArgs,
    /// Only scenarios of twins, one after the other.
    #[arg(long, conflicts_with = "file")]
    pub(crate) twins: bool,
    /// Only scenarios in which one member alone learns of a decision, or comes back to failed attempts.
    #[arg(long, conflicts_with_all = ["file", "twins"])]
    pub(crate) hidden: bool,
    /// How many runs go on at a time, in place of one a core. It changes no result.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    /// The most wall time that the whole search takes, whatever `--seeds` says. A search that is cut
    /// says so.
    #[arg(long, value_name = "D")]
    pub(crate) max_wall: Option<String>,
    /// Write checks and failures as JUnit XML, for continuous integration.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<PathBuf>,
    /// Saved failures that are run first; those of `scenarios/regressions` if left out.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    pub(crate) regressions: Option<PathBuf>,
    /// Do not run saved failures first.
    #[arg(long)]
    pub(crate) no_regressions: bool,
    /// Where failures are saved, `results/explore-SEED` if left out; without failures nothing is
    /// written.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// No progress and no summary.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print the tally as JSON in place of the summary.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayArgs {
    /// The scenario.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
    /// Tell what happens from this instant on (`12s`).
    #[arg(long, value_name = "T")]
    pub(crate) from: Option<String>,
    /// Tell what happens until this instant.
    #[arg(long, value_name = "T")]
    pub(crate) until: Option<String>,
    /// Tell what happens at this node. May be repeated.
    #[arg(long = "node", value_name = "NAME")]
    pub(crate) nodes: Vec<String>,
    /// Draw who said what to whom in the last moments, before the first violation if there is one.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Replace a drawing that is there.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) seeded: SeededArgs,
    /// Say nothing.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print story and violations as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of what runs much of the library, each under several seeds.
#[derive(Debug, Args)]
pub(crate) struct CampaignArgs {
    /// How many seeds, in place of what each says. Fewer tell less.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) seeds: Option<u64>,
    /// How many runs go on at a time, in place of one a core. It changes no result.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Output folder, in place of `results/reproduce` or `results/claims`.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Replace results that are already in the output folder.
    #[arg(long)]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) seeded: SeededArgs,
    /// No progress bar and no summary.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print the results as JSON in place of the summary.
    #[arg(long)]
    pub(crate) json: bool,
}

impl CampaignArgs {
    /// How many runs go on at a time.
    pub(crate) fn threads(&self) -> usize {
        self.threads.map_or_else(cells::threads, usize::from)
    }
}

/// Arguments of `reproduce`.
#[derive(Debug, Args)]
pub(crate) struct ReproduceArgs {
    /// Experiments of the library, or files; all of the library if left out.
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) campaign: CampaignArgs,
}

/// Arguments of `claims`.
#[derive(Debug, Args)]
pub(crate) struct ClaimsArgs {
    /// Claims of the paper (`claim-17`), ranges of them (`claim-1..claim-22`), or files with claims; all of the library if
    /// left out.
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) campaign: CampaignArgs,
}

/// Arguments of `shrink`.
#[derive(Debug, Args)]
pub(crate) struct ShrinkArgs {
    /// The scenario.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) seeded: SeededArgs,
    /// Where the minimal scenario goes; NAME-shrunk.yaml beside it if left out.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Replace a file that is there.
    #[arg(long)]
    pub(crate) force: bool,
    /// How long it may take at most.
    #[arg(long = "for", value_name = "D", default_value = "60s")]
    pub(crate) time: String,
    /// Say nothing.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print what was found as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// The scenarios.
    #[arg(required_unless_present = "explain")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) overrides: Overrides,
    /// Print only values that are not defaults.
    #[arg(long)]
    pub(crate) changed: bool,
    /// Treat warnings as errors.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Say only what is wrong.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Explain the code of a diagnostic (`E101`).
    #[arg(long, value_name = "CODE")]
    pub(crate) explain: Option<String>,
    /// How to print diagnostics.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Print every value with its origin as JSON, in place of the table.
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) origin: Option<OriginFormat>,
}

/// Formats of origins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OriginFormat {
    /// An object from paths to values and origins.
    Json,
}

/// Arguments of `new`.
#[derive(Debug, Args)]
pub(crate) struct NewArgs {
    /// The scenario's name; it is written to NAME.yaml in this folder.
    pub(crate) name: String,
    /// The scenario of the library to start from (`consim list scenarios`).
    #[arg(long, value_name = "PRESET")]
    pub(crate) from: Option<String>,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

/// Formats of diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// With the line and a caret.
    Text,
    /// An array of objects.
    Json,
    /// An array of the parameters of `textDocument/publishDiagnostics`, one object a file.
    Lsp,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The output folder.
    pub(crate) dir: PathBuf,
    /// No summary.
    #[arg(long)]
    pub(crate) quiet: bool,
    /// Print outcome.json in place of the summary.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Arguments of `bless`.
#[derive(Debug, Args)]
pub(crate) struct BlessArgs {
    /// The list of golden runs.
    #[arg(default_value = "tests/golden/digests.json")]
    pub(crate) file: PathBuf,
    /// Only compare: exit code 1 if a digest differs.
    #[arg(long)]
    pub(crate) check: bool,
    /// Say nothing of runs.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What to list; everything if left out.
    #[arg(value_enum)]
    pub(crate) what: Option<What>,
    /// Print an array of { name, code, since, help }.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What there is to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// Scenarios of the library.
    Scenarios,
    /// Consensus protocols.
    Protocols,
    /// Domain models and their workloads.
    Models,
    /// Changes of running chains.
    Changes,
    /// Faults.
    Faults,
    /// Attacks.
    Attacks,
    /// Checks.
    Checks,
    /// Metric words.
    Metrics,
    /// Points at which a node can crash.
    Points,
    /// Situations that searches count.
    Marks,
    /// Profiles.
    Profiles,
    /// Seeded bugs.
    #[cfg(feature = "seeded-bugs")]
    Bugs,
}
