//! Standard output. A reader that goes away (`consim check FILE | head`) is no error: what is left
//! unsaid changes neither files nor the exit code.

use crate::exit;
use std::fmt::Arguments;
use std::io::{ErrorKind, Write as _};

/// As `print!`, which panics when the reader has gone away.
macro_rules! say {
    ($($text:tt)*) => { $crate::out::write(format_args!($($text)*), "") };
}
/// As `println!`.
macro_rules! sayln {
    ($($text:tt)*) => { $crate::out::write(format_args!($($text)*), "\n") };
}

/// Writes; a disk that is full ends the command.
pub(crate) fn write(text: Arguments<'_>, end: &str) {
    let mut out = std::io::stdout().lock();
    let done = out
        .write_fmt(text)
        .and_then(|()| out.write_all(end.as_bytes()));
    if let Err(error) = done
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("error: cannot write to standard output: {error}");
        std::process::exit(i32::from(exit::OTHER));
    }
}
