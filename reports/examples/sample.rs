//! Writes the report of a sample run: `cargo run -p consim-reports --example sample DIR`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../tests/support/mod.rs"]
mod support;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args().nth(1).ok_or("which folder?")?;
    let mut results = support::sample();
    // A second argument shows how a bad run looks.
    if std::env::args().nth(2).is_some() {
        support::spoil(&mut results);
    }
    consim_reports::write(&results, dir.as_ref())?;
    print!("{}", consim_reports::summary(&results));
    Ok(())
}
