//! Writes the report of a made-up run: `cargo run -p consim-reports --example sample DIR [CASE]`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/support/mod.rs"]
mod support;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).ok_or("which folder?")?;
    let name = std::env::args().nth(2).unwrap_or_else(|| "pass".into());
    let Some((_, case)) = support::cases::CASES.iter().find(|(n, _)| *n == name) else {
        let names: Vec<&str> = support::cases::CASES.iter().map(|(n, _)| *n).collect();
        return Err(format!("no case {name}; there are {}", names.join(", ")).into());
    };
    let results = case();
    consim_reports::write(&results, dir.as_ref())?;
    print!("{}", consim_reports::summary(&results));
    Ok(())
}
