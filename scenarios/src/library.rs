//! The scenarios that are built in.

/// A scenario of the library.
#[derive(Clone, Copy, Debug)]
pub struct LibraryEntry {
    /// Its word: `preset:NAME` in `base`.
    pub name: &'static str,
    /// Its file in the repository.
    pub path: &'static str,
    pub(crate) text: &'static str,
}

macro_rules! library {
    ($($folder:literal / $name:literal,)*) => {
        &[$(LibraryEntry {
            name: $name,
            path: concat!("scenarios/", $folder, "/", $name, ".yaml"),
            text: include_str!(concat!("../", $folder, "/", $name, ".yaml")),
        },)*]
    };
}

/// All scenarios of the library.
pub const LIBRARY: &[LibraryEntry] = library![
    "paper" / "alliance-outsider",
    "paper" / "alliance-sharing",
    "paper" / "alliance-sharing-faults",
    "paper" / "alliance-sharing-fhir",
    "protocols" / "pbft-n1000",
    "protocols" / "pbft-rough-network",
    "protocols" / "pbft-wan",
];

impl LibraryEntry {
    /// What it is about.
    pub fn about(&self) -> &'static str {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix("about: "))
            .unwrap_or_default()
    }
}
