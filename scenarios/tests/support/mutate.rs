//! Mutated files of the library: right scenarios made wrong in every way that a generator can
//! think of, the same for the same seed.

use consim_scenarios::diagnostic::Severity;
use consim_scenarios::library::LIBRARY;
use consim_scenarios::{LoadOptions, study_bytes};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Texts that values, keys and lines are exchanged for.
const ODD: &[&str] = &[
    "",
    "0",
    "-1",
    "1",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999",
    "0.1",
    "1e309",
    ".nan",
    ".inf",
    "-0",
    "0x10",
    "007",
    "1_000",
    "~",
    "null",
    "true",
    "yes",
    "[]",
    "{}",
    "[[]]",
    "''",
    "\"",
    "'",
    "&a x",
    "*a",
    "!t x",
    "|",
    ">",
    "> 99%",
    "- x",
    "? x",
    "@",
    "`",
    "%",
    "#",
    ":",
    "a: b",
    "{ a: b }",
    "[a, b]",
    "1ns",
    "0s",
    "584y",
    "585y",
    "9999999y",
    "1M",
    "30",
    "5%",
    "101%",
    "0%",
    "1ppm",
    "0.0001ppm",
    "0x",
    "1x",
    "3x",
    "0B",
    "1B",
    "17TB",
    "10Mb",
    "1bit/s",
    "0/s",
    "1/day",
    "99999M/s",
    "all",
    "none",
    "f of alliance",
    "f+1 of alliance",
    "2f+1 of alliance",
    "quorum of alliance",
    "leader of alliance",
    "leaders of alliance",
    "random 3 of community",
    "100% of community",
    "0 of community",
    "region guangzhou",
    "all in region shenzhen except community",
    "community-1..community-3",
    "[all, none]",
    "end of city-cut + 1m",
    "city-cut",
    "2026-03-02T08:00:00+08:00",
    "9999-12-31T23:59:59Z",
    "1..3",
    "3..1",
    "1m..5m",
    "file:x",
    "file:",
    "fhir:",
    "fhir:..",
    "preset:alliance-sharing",
    "at most 5s",
    "at most 2x that of a",
    "between 1s and 2s",
    "within 5% of 1s",
    "exactly 0",
    "pbft",
    "hotstuff",
    "bft-smart",
    "tendermint",
    "qbft",
    "ibft",
    "clique",
    "医院",
    "é\u{301}",
    "\u{feff}",
    "\u{0}",
    "\u{7f}",
    "\t",
    "\u{2028}",
];

/// SplitMix64 (Steele, Lea, Flood 2014): enough for choices.
pub(crate) struct Choices(u64);

impl Choices {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }
    fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }
}

/// The texts of the library and the words in them.
pub(crate) struct Corpus {
    files: Vec<(PathBuf, String)>,
    words: Vec<String>,
}

impl Corpus {
    pub(crate) fn new(root: &Path) -> Self {
        let files: Vec<(PathBuf, String)> = LIBRARY
            .iter()
            .map(|entry| {
                let path = root.join(entry.path);
                let text = std::fs::read_to_string(&path).unwrap();
                (path, text)
            })
            .collect();
        let mut words: Vec<String> = files
            .iter()
            .flat_map(|(_, text)| text.split(|c: char| c.is_whitespace() || "{}[],".contains(c)))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        words.sort();
        words.dedup();
        Self { files, words }
    }

    /// Mutated file `number`: the place that it is read as, and its bytes.
    pub(crate) fn file(&self, seed: u64, number: u64) -> (&Path, Vec<u8>) {
        let mut choices = Choices::new(seed.rotate_left(32) ^ number);
        choices.next();
        let (path, text) = choices.pick(&self.files);
        let mut bytes = text.clone().into_bytes();
        for _ in 0..=choices.below(4) {
            bytes = self.mutated(&mut choices, &bytes);
        }
        (path, bytes)
    }

    fn mutated(&self, choices: &mut Choices, bytes: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        match choices.below(12) {
            0 => {
                let mut bytes = bytes.to_vec();
                let at = choices.below(bytes.len());
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = choices.next() as u8;
                }
                bytes
            }
            1 => bytes[..choices.below(bytes.len() + 1)].to_vec(),
            2 => lines(&text, |lines| {
                let at = choices.below(lines.len());
                lines.remove(at);
            }),
            3 => lines(&text, |lines| {
                let (from, to) = (choices.below(lines.len()), choices.below(lines.len()));
                let line = lines[from].clone();
                lines.insert(to, line);
            }),
            4 => lines(&text, |lines| {
                let at = choices.below(lines.len());
                let indent = " ".repeat(choices.below(7));
                lines[at] = format!("{indent}{}", lines[at].trim_start());
            }),
            5 => {
                let (_, other) = choices.pick(&self.files);
                let donor: Vec<&str> = other.lines().collect();
                lines(&text, |lines| {
                    let at = choices.below(lines.len() + 1);
                    let from = choices.below(donor.len());
                    let to = (from + 1 + choices.below(8)).min(donor.len());
                    for (i, line) in donor[from..to].iter().enumerate() {
                        lines.insert(at + i, (*line).to_owned());
                    }
                })
            }
            6 => {
                let depth = 1 << choices.below(15);
                let open = choices.pick(&["[", "{ a: ", "- "]).repeat(depth);
                replaced(choices, &text, &open)
            }
            7 => {
                let long = choices.pick(ODD).repeat(1 << choices.below(16));
                replaced(choices, &text, &long)
            }
            8 => {
                let word = choices.pick(&self.words).clone();
                replaced(choices, &text, &word)
            }
            9 | 10 => {
                let odd = *choices.pick(ODD);
                replaced(choices, &text, odd)
            }
            _ => {
                // A digit more or less changes a number a lot.
                let digits: Vec<usize> = text
                    .bytes()
                    .enumerate()
                    .filter(|(_, b)| b.is_ascii_digit())
                    .map(|(i, _)| i)
                    .collect();
                if digits.is_empty() {
                    return bytes.to_vec();
                }
                let at = *choices.pick(&digits);
                let digit = choices.below(10).to_string();
                let head = &text[..at];
                format!("{head}{digit}{}", &text[at + choices.below(2)..]).into_bytes()
            }
        }
    }
}

fn lines(text: &str, change: impl FnOnce(&mut Vec<String>)) -> Vec<u8> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if !lines.is_empty() {
        change(&mut lines);
    }
    (lines.join("\n") + "\n").into_bytes()
}

/// One word of the text exchanged for `by`.
fn replaced(choices: &mut Choices, text: &str, by: &str) -> Vec<u8> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let mut from = None;
    for (i, c) in text.char_indices() {
        let inside = !(c.is_whitespace() || "{}[],:".contains(c));
        match (inside, from) {
            (true, None) => from = Some(i),
            (false, Some(start)) => {
                spans.push((start, i));
                from = None;
            }
            _ => {}
        }
    }
    if spans.is_empty() {
        return by.as_bytes().to_vec();
    }
    let (from, to) = *choices.pick(&spans);
    format!("{}{by}{}", &text[..from], &text[to..]).into_bytes()
}

/// What a campaign came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) planned: u64,
    pub(crate) refused: u64,
    /// A digest of every answer: equal for equal seeds.
    pub(crate) digest: u64,
    /// Number of the file, and what went wrong.
    pub(crate) failures: Vec<(u64, String)>,
}

/// Reads and plans the mutated files `numbers`. A file that is right must give a plan that comes
/// to itself again; one that is wrong must be told where.
pub(crate) fn campaign(corpus: &Corpus, seed: u64, numbers: std::ops::Range<u64>) -> Report {
    let mut report = Report::default();
    for number in numbers {
        let (path, bytes) = corpus.file(seed, number);
        let done = catch_unwind(AssertUnwindSafe(|| judge(path, &bytes)));
        let answer = match done {
            Ok(Ok(answer)) => answer,
            Ok(Err(what)) => {
                report.failures.push((number, what));
                continue;
            }
            Err(panic) => {
                let text = panic
                    .downcast_ref::<String>()
                    .cloned()
                    .or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                report
                    .failures
                    .push((number, format!("panic: {}", text.unwrap_or_default())));
                continue;
            }
        };
        if answer.planned {
            report.planned += 1;
        } else {
            report.refused += 1;
        }
        report.digest = report.digest.rotate_left(7) ^ answer.digest;
    }
    report
}

struct Answer {
    planned: bool,
    digest: u64,
}

fn judge(path: &Path, bytes: &[u8]) -> Result<Answer, String> {
    let options = LoadOptions {
        drawn_seed: 7,
        ..LoadOptions::default()
    };
    match study_bytes(path, bytes, &options) {
        Err(diagnostics) => {
            let list = &diagnostics.list;
            if list.iter().all(|d| d.severity != Severity::Error) {
                return Err("refused without an error".into());
            }
            if list
                .iter()
                .any(|d| d.line == 0 || d.column == 0 || d.message.is_empty())
            {
                return Err("a diagnostic without place or words".into());
            }
            let text = diagnostics.render();
            Ok(Answer {
                planned: false,
                digest: hash(&text),
            })
        }
        Ok(study) => {
            let first = study.runs.first().ok_or("no run")?;
            let plan = &first.loaded.plan;
            let folder = path.parent().unwrap_or(path);
            let yaml = plan.yaml_in(folder);
            let again = study_bytes(&folder.join("plan.yaml"), yaml.as_bytes(), &options)
                .map_err(|d| format!("its plan is refused:\n{}\n{yaml}", d.render()))?;
            let again = again.runs.first().ok_or("no run of the plan")?;
            if again.loaded.plan.digest != plan.digest {
                return Err(format!("its plan is another plan:\n{yaml}"));
            }
            Ok(Answer {
                planned: true,
                digest: hash(&plan.digest),
            })
        }
    }
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
