//! `consim schema` and `consim completions`: what editors and shells need.

use crate::cli::{Cli, CompletionsArgs};
use crate::exit;
use clap::CommandFactory as _;
use std::io::Write as _;

/// Prints the JSON Schema of scenarios.
pub(crate) fn schema() -> u8 {
    print(consim_scenarios::json_schema::text().as_bytes())
}

/// Prints the completions of a shell.
pub(crate) fn completions(args: &CompletionsArgs) -> u8 {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "consim", &mut text);
    print(&text)
}

/// A reader that has seen enough closes the pipe; that is no mistake.
fn print(text: &[u8]) -> u8 {
    match std::io::stdout().lock().write_all(text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("error: cannot print: {error}");
            exit::OTHER
        }
        _ => exit::PASS,
    }
}
