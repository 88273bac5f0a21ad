//! `consim new`: writes a commented scenario to start from.

use crate::cli::NewArgs;
use crate::exit;
use consim_scenarios::library;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};

/// Runs the verb; returns the exit code.
pub(crate) fn new(args: &NewArgs) -> u8 {
    let name = args.name.strip_suffix(".yaml").unwrap_or(&args.name);
    let text = match library::starter(name, args.from.as_deref()) {
        Ok(text) => text,
        Err(message) => {
            eprintln!("error: {message}");
            return exit::BAD_INPUT;
        }
    };
    let file = format!("{name}.yaml");
    // Made anew or not at all: nobody's file is replaced, also not between a look and a write.
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&file)
        .and_then(|mut f| f.write_all(text.as_bytes()));
    match written {
        Ok(()) => {
            sayln!("{file}: change it, then `consim check {file}` and `consim run {file}`");
            exit::PASS
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            eprintln!("error: {file} is already there and is not replaced; choose another name");
            exit::BAD_INPUT
        }
        Err(error) => {
            eprintln!("error: cannot write {file}: {error}");
            exit::OTHER
        }
    }
}
