//! House rules that no compiler knows. Each rule is a function from text to what is wrong with it.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a Rust file.
const MAX_FILE_LINES: usize = 800;
/// Lines of a function, signature and braces included. The aim is 70.
const MAX_FUNCTION_LINES: usize = 120;

/// Signs of unfinished work. Cut in two, so that this file does not hold them.
const UNFINISHED: &[&str] = &[
    concat!("todo", "!("),
    concat!("unimplemented", "!("),
    concat!("dbg", "!("),
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
];

/// Folders of one particular machine.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
];

/// Kinds of files that people write.
const WRITTEN: &[&str] = &["rs", "md", "toml", "yaml", "yml", "html", "css", "js", "sh"];

fn file_too_long(text: &str) -> Vec<String> {
    let lines = text.lines().count();
    if lines > MAX_FILE_LINES {
        vec![format!("{lines} lines, at most {MAX_FILE_LINES}")]
    } else {
        Vec::new()
    }
}

fn indent_of(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Does this line begin a function?
fn begins_function(line: &str) -> bool {
    let mut words = line.split_whitespace();
    words
        .find(|word| {
            !word.starts_with("pub") && !["const", "async", "extern", "default"].contains(word)
        })
        .is_some_and(|word| word == "fn")
}

/// In formatted code a function ends with the first `}` at the depth of its `fn`.
fn functions_too_long(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| begins_function(line))
    {
        let body = &lines[start..];
        let Some(head) = body.iter().position(|line| line.ends_with(['{', '}', ';'])) else {
            continue;
        };
        if !body[head].ends_with('{') {
            continue;
        }
        let end = body
            .iter()
            .position(|last| last.trim_start() == "}" && indent_of(last) == indent_of(line));
        if let Some(length) = end
            .map(|end| end + 1)
            .filter(|length| *length > MAX_FUNCTION_LINES)
        {
            found.push(format!(
                "line {}: a function of {length} lines, at most {MAX_FUNCTION_LINES}",
                start + 1
            ));
        }
    }
    found
}

fn unfinished(text: &str) -> Vec<String> {
    let sign = |line: &str| {
        UNFINISHED
            .iter()
            .find(|sign| line.contains(**sign))
            .copied()
    };
    text.lines()
        .enumerate()
        .filter_map(|(at, line)| sign(line).map(|sign| format!("line {}: {sign}", at + 1)))
        .collect()
}

/// Absolute paths only: `docs/work/` and `https://example.org/home/` are nobody's machine.
fn machine_paths(text: &str) -> Vec<String> {
    let absolute = |line: &str, path: &str| {
        line.match_indices(path).any(|(at, _)| {
            !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-/~".contains(c))
        })
    };
    text.lines()
        .enumerate()
        .filter(|(_, line)| MACHINE_PATHS.iter().any(|path| absolute(line, path)))
        .map(|(at, _)| format!("line {}: the path of one machine", at + 1))
        .collect()
}

fn crate_without_words(text: &str) -> Vec<String> {
    if text.starts_with("//!") {
        Vec::new()
    } else {
        vec!["a crate begins with `//!`, what it is for".to_owned()]
    }
}

/// The dotted paths of the leaves of a profile (flow maps and lists are leaves), and the keys of
/// its `sources`. Profiles are written in plain block style, two spaces a level.
fn profile_paths(text: &str) -> (Vec<String>, Vec<String>) {
    let mut stack: Vec<(usize, String)> = Vec::new();
    let mut leaves = Vec::new();
    let mut sources = Vec::new();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    for (at, line) in lines.iter().enumerate() {
        let Some((key, value)) = line.trim_start().split_once(':') else {
            continue;
        };
        let word = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if key.is_empty() || !key.chars().all(word) || key.starts_with('-') {
            continue;
        }
        stack.retain(|(indent, _)| *indent < indent_of(line));
        let path = stack
            .iter()
            .map(|(_, key)| key.as_str())
            .chain([key])
            .collect::<Vec<_>>()
            .join(".");
        let block_map = value.trim().is_empty()
            && lines.get(at + 1).is_some_and(|next| {
                indent_of(next) > indent_of(line) && !next.trim_start().starts_with(['[', '{', '-'])
            });
        if stack.len() == 1 && stack[0].1 == "sources" {
            sources.push(key.to_owned());
        } else if !block_map
            && !["sources", "about", "consim_profile"].contains(&path.split('.').next().unwrap())
        {
            leaves.push(path);
        }
        stack.push((indent_of(line), key.to_owned()));
    }
    (leaves, sources)
}

/// Every value of a profile has a source, and every source has a value.
fn profile_without_sources(text: &str) -> Vec<String> {
    let below = |path: &str, base: &str| {
        path == base
            || path
                .strip_prefix(base)
                .is_some_and(|rest| rest.starts_with('.'))
    };
    let (leaves, sources) = profile_paths(text);
    let speaks_of = |source: &String, leaf: &String| {
        source == "all" || below(leaf, source) || below(source, leaf)
    };
    let bare = leaves
        .iter()
        .filter(|leaf| !sources.iter().any(|source| speaks_of(source, leaf)));
    let stale = sources
        .iter()
        .filter(|source| !leaves.iter().any(|leaf| speaks_of(source, leaf)));
    let mut found: Vec<String> = bare.map(|leaf| format!("{leaf} has no source")).collect();
    found.extend(stale.map(|source| format!("sources.{source} speaks of nothing here")));
    if !text.starts_with("consim_profile: 1\nabout: ") {
        found.push("a profile begins with `consim_profile: 1` and `about:`".to_owned());
    }
    found
}

/// Every file of the repository below `folder`, sorted; build output, results and hidden folders
/// other than `.ci` are left out.
fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy();
        let hidden = name.starts_with('.') && name != ".ci";
        if path.is_dir() && !hidden && name != "target" && name != "results" {
            files(&path, into);
        } else if path.is_file() {
            into.push(path);
        }
    }
}

/// Applies `rule` to every file that `belongs` and asserts that nothing is wrong and that there
/// was something to judge.
fn judge(belongs: impl Fn(&Path) -> bool, rule: impl Fn(&str) -> Vec<String>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = Vec::new();
    files(root, &mut all);
    let mut judged = 0;
    let mut wrong = Vec::new();
    for path in all
        .iter()
        .map(|path| path.strip_prefix(root).unwrap())
        .filter(|path| belongs(path))
    {
        let text = fs::read_to_string(root.join(path)).unwrap();
        judged += 1;
        wrong.extend(
            rule(&text)
                .into_iter()
                .map(|what| format!("{}: {what}", path.display())),
        );
    }
    assert!(judged > 0, "no file belongs to this rule");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn is(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .is_some_and(|extension| extensions.iter().any(|one| extension == *one))
}

#[test]
fn files_are_short() {
    judge(|path| is(path, &["rs"]), file_too_long);
    assert!(file_too_long(&"//\n".repeat(MAX_FILE_LINES)).is_empty());
    assert_eq!(file_too_long(&"//\n".repeat(MAX_FILE_LINES + 1)).len(), 1);
}

#[test]
fn functions_are_short() {
    judge(|path| is(path, &["rs"]), functions_too_long);
    let function = |head: &str, lines: usize| {
        format!("    {head} {{\n{}    }}\n", "        x();\n".repeat(lines))
    };
    for head in [
        "fn f()",
        "pub(crate) const fn f()",
        "pub async fn f(\n        a: u8,\n    ) -> u8",
    ] {
        assert!(functions_too_long(&function(head, 100)).is_empty());
        assert_eq!(
            functions_too_long(&function(head, MAX_FUNCTION_LINES)).len(),
            1
        );
    }
    let declared = format!("    fn f();\n{}", function("impl X", 200));
    assert!(functions_too_long(&declared).is_empty());
}

#[test]
fn nothing_is_unfinished() {
    judge(
        |path| is(path, WRITTEN) || path == Path::new(".ci/run"),
        unfinished,
    );
    for sign in UNFINISHED {
        assert_eq!(unfinished(&format!("fn f() {{}}\n    {sign} x")).len(), 1);
    }
}

#[test]
fn no_path_of_one_machine() {
    judge(
        |path| is(path, WRITTEN) || path == Path::new(".ci/run"),
        machine_paths,
    );
    for path in MACHINE_PATHS {
        assert_eq!(machine_paths(&format!("read(\"{path}x\")")).len(), 1);
        assert_eq!(machine_paths(&format!("{path}x")).len(), 1);
        assert!(machine_paths(&format!("https://example.org{path}x or ..{path}")).is_empty());
    }
}

#[test]
fn crates_say_what_they_are() {
    judge(|path| path.ends_with("src/lib.rs"), crate_without_words);
    assert_eq!(crate_without_words("use std::fmt;\n").len(), 1);
}

#[test]
fn profiles_name_their_sources() {
    judge(
        |path| path.starts_with("scenarios/profiles") && is(path, &["yaml"]),
        profile_without_sources,
    );
    let head = "consim_profile: 1\nabout: A line.\n";
    let body = "rate: 1Gbit/s\ndisk:\n  write: 1MB/s\n  fsync: { normal: { mean: 1ms, sd: 0ms } }\nhours:\n  [\n    1%\n  ]\n";
    let covered = "sources:\n  rate: a\n  disk.write:\n    source: b\n    assumed: true\n  disk.fsync.normal: c\n  hours: d\n";
    assert!(profile_without_sources(&format!("{head}{body}{covered}")).is_empty());
    assert!(profile_without_sources(&format!("{head}{body}sources:\n  all: a\n")).is_empty());
    assert_eq!(
        profile_without_sources(&format!("{head}{body}sources:\n  disk: a\n  hours: b\n")),
        ["rate has no source"]
    );
    assert_eq!(
        profile_without_sources(&format!("{head}{body}{covered}  disk.read: e\n")),
        ["sources.disk.read speaks of nothing here"]
    );
    assert_eq!(
        profile_without_sources("rate: 1Gbit/s\nsources:\n  all: a\n").len(),
        1
    );
}
