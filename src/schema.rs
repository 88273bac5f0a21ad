//! `consim schema` and `consim completions`: what editors and shells need.

use crate::cli::{Cli, CompletionsArgs};
use crate::exit;
use clap::CommandFactory as _;

/// Prints the JSON Schema of scenarios.
pub(crate) fn schema() -> u8 {
    say!("{}", consim_scenarios::json_schema::text());
    exit::PASS
}

/// Prints the completions of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "consim", &mut text);
    say!("{}", String::from_utf8_lossy(&text));
    exit::PASS
}
