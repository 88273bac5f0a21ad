//! consim: a deterministic simulator and testbed of a health-care consortium blockchain.
//!
//! The command line: one file per verb, thin.

#![warn(clippy::print_stdout)]

#[macro_use]
mod out;

mod bless;
mod check;
mod claims;
mod cli;
mod clock;
mod exit;
mod explore;
#[cfg(feature = "seeded-bugs")]
mod kill_table;
mod list;
mod matrix;
mod new;
mod overrides;
mod regressions;
mod replay;
mod report;
mod reproduce;
mod run;
mod schema;
mod shrink;
mod timing;
mod topology;
mod variants;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let code = match &cli.verb {
        cli::Verb::Run(args) => run::run(args),
        cli::Verb::Check(args) => check::check(args),
        cli::Verb::List(args) => list::list(args),
        cli::Verb::Topology(args) => topology::topology(args),
        cli::Verb::Explore(args) => explore::explore(args),
        cli::Verb::Replay(args) => replay::replay(args),
        cli::Verb::Shrink(args) => shrink::shrink(args),
        cli::Verb::Bless(args) => bless::bless(args),
        cli::Verb::Report(args) => report::report(args),
        cli::Verb::Reproduce(args) => reproduce::reproduce(args),
        cli::Verb::Claims(args) => claims::claims(args),
        cli::Verb::New(args) => new::new(args),
        cli::Verb::Schema => schema::schema(),
        cli::Verb::Completions(args) => schema::completions(args),
    };
    ExitCode::from(code)
}
