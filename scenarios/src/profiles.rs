//! Profiles: one value of one key each, built in or read from `file:`.

use crate::schema::shape::suggestion;
use crate::schema::{At, Cx};
use crate::tree::{Key, MAX_FILE, Node, Place, Role, Source, Value, parse, parse_built_in};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// A built-in profile.
#[derive(Clone, Copy, Debug)]
pub struct ProfileEntry {
    /// The key that it is a value of.
    pub folder: &'static str,
    /// Its word.
    pub name: &'static str,
    /// Its text.
    pub(crate) text: &'static str,
}

macro_rules! profiles {
    ($($folder:literal / $name:literal,)*) => {
        &[$(ProfileEntry {
            folder: $folder,
            name: $name,
            text: include_str!(concat!("../profiles/", $folder, "/", $name, ".yaml")),
        },)*]
    };
}

/// All built-in profiles.
pub const PROFILES: &[ProfileEntry] = profiles![
    "day" / "flat",
    "day" / "outpatient",
    "hardware" / "aws-m5d-8xlarge",
    "hardware" / "clinic-box",
    "hardware" / "digitalocean-4vcpu",
    "hardware" / "etcd-n1-8",
    "hardware" / "hospital-server",
    "hardware" / "libhotstuff-c5-4xlarge",
    "links" / "aws-region",
    "links" / "aws-wan",
    "links" / "aws-wan-tcp",
    "links" / "backbone",
    "links" / "digitalocean-region",
    "links" / "gce-zone",
    "links" / "lan",
    "links" / "metro",
    "links" / "netem-10ms",
    "links" / "province",
    "links" / "public-internet",
    "regions" / "aws13",
    "regions" / "aws21",
    "regions" / "guangdong",
    "regions" / "one-place",
    "regions" / "simblock",
    "signatures" / "bls",
    "signatures" / "ed25519",
    "signatures" / "p256",
    "signatures" / "secp256k1",
    "signatures" / "sm2",
];

/// Words of the language whose profiles come later.
const LATER: &[(&str, &str)] = &[
    ("regions", "china-provinces"),
    ("hardware", "cloud-vm"),
    ("hardware", "device"),
    ("day", "ward"),
    ("day", "pharmacy"),
];

/// Tables beside built-in profiles.
const TABLES: &[(&str, &str)] = &[
    ("aws13.csv", include_str!("../profiles/regions/aws13.csv")),
    ("aws21.csv", include_str!("../profiles/regions/aws21.csv")),
    (
        "simblock.csv",
        include_str!("../profiles/regions/simblock.csv"),
    ),
];

impl ProfileEntry {
    /// The first sentence of the profile.
    pub fn about(&self) -> &'static str {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix("about: "))
            .unwrap_or_default()
    }
}

/// The built-in profiles of a key.
pub(crate) fn names(folder: &str) -> Vec<&'static str> {
    let of = |p: &&ProfileEntry| p.folder == folder;
    PROFILES.iter().filter(of).map(|p| p.name).collect()
}

/// Profiles that were used, and what they say of their numbers.
#[derive(Debug, Default)]
pub(crate) struct Profiles {
    loaded: BTreeMap<(&'static str, String), Node>,
    /// Profile, path in it, source in words.
    pub(crate) sources: Vec<(String, String)>,
}

/// The keys of a profile, without its head and its sources. `place` is where its name stands.
pub(crate) fn load(
    cx: &mut Cx,
    folder: &'static str,
    word: &str,
    place: Option<&Place>,
) -> Option<Node> {
    if let Some(node) = cx.profiles.loaded.get(&(folder, word.to_owned())) {
        return Some(node.clone());
    }
    let whole = match word.strip_prefix("file:") {
        Some(path) => {
            let source = read_file(cx, path, place?)?;
            let text = cx.sources.get(source)?.text.clone();
            parse(&text, source, &mut cx.problems)?
        }
        None => built_in(cx, folder, word, place)?,
    };
    check_head(cx, &whole, place)?;
    let label = match word.strip_prefix("file:") {
        Some(path) => path.to_owned(),
        None => format!("{folder}/{word}"),
    };
    note_sources(cx, &label, &whole);
    let head = ["consim_profile", "about", "sources"];
    let rest: Vec<(Key, Node)> = whole
        .entries()
        .iter()
        .filter(|(key, _)| !head.contains(&&*key.text))
        .cloned()
        .collect();
    let node = Node::map(rest, whole.place);
    let key = (folder, word.to_owned());
    cx.profiles.loaded.insert(key, node.clone());
    Some(node)
}

fn built_in(cx: &mut Cx, folder: &'static str, word: &str, place: Option<&Place>) -> Option<Node> {
    let entry = PROFILES
        .iter()
        .find(|p| p.folder == folder && p.name == word);
    let Some(entry) = entry else {
        unknown(cx, folder, word, place?, &[]);
        return None;
    };
    let source = cx.sources.add(Source {
        name: format!("profile {folder}/{word}"),
        text: entry.text.into(),
        role: Role::Profile,
        folder: PathBuf::new(),
    });
    parse_built_in(entry.text, source, &mut cx.problems)
}

/// Says that there is no profile `word`, and what there is: profiles, and the names in `more`.
pub(crate) fn unknown(cx: &mut Cx, folder: &str, word: &str, place: &Place, more: &[String]) {
    if LATER.contains(&(folder, word)) {
        return cx.later(place, word);
    }
    let known: Vec<&str> = more
        .iter()
        .map(String::as_str)
        .chain(
            PROFILES
                .iter()
                .filter(|p| p.folder == folder)
                .map(|p| p.name),
        )
        .collect();
    let help = format!("{}; or file:PATH for your own", suggestion(word, &known));
    cx.error(
        "E202",
        place,
        format!("no profile of {folder} is called `{word}`"),
        help,
    );
}

fn read_file(cx: &mut Cx, path: &str, place: &Place) -> Option<crate::tree::SourceId> {
    let folder = cx.sources.get(place.source)?.folder.clone();
    let full = folder.join(path);
    match read(&full) {
        Ok(text) => Some(cx.sources.add(Source {
            name: full.display().to_string(),
            text: text.into(),
            role: Role::Profile,
            folder: full.parent().map(Path::to_path_buf).unwrap_or_default(),
        })),
        Err(why) => {
            cx.error(
                "E603",
                place,
                format!("cannot read {}: {why}", full.display()),
                "paths are relative to this file",
            );
            None
        }
    }
}

/// Where the file is that a value `file:PATH` names.
pub(crate) fn note_file(cx: &mut Cx, at: &At<String>) {
    if let Some(path) = at.value.strip_prefix("file:")
        && let Some(source) = cx.sources.get(at.place.source)
    {
        let full = source.folder.join(path);
        cx.names_file(at.leaf, &full);
    }
}

/// A text file of bounded length.
pub fn read(path: &Path) -> Result<String, String> {
    let meta = std::fs::metadata(path).map_err(|e| plain(&e))?;
    if meta.is_dir() {
        return Err("it is a folder".into());
    }
    // Read no further than the limit, whatever the length was said to be: devices and pipes have
    // none, and files grow.
    let file = std::fs::File::open(path).map_err(|e| plain(&e))?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| plain(&e))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!(
            "it has {} bytes, at most {MAX_FILE} are read",
            meta.len().max(bytes.len() as u64)
        ));
    }
    bounded(bytes)
}

/// Bytes as text, if they are not too many.
pub(crate) fn bounded(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!(
            "it has {} bytes, at most {MAX_FILE} are read",
            bytes.len()
        ));
    }
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        format!("it is not UTF-8 (byte {at})")
    })
}

/// An error of the file system without its number.
pub(crate) fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ => error.to_string(),
    }
}

fn check_head(cx: &mut Cx, node: &Node, place: Option<&Place>) -> Option<()> {
    let version = node.get("consim_profile").and_then(Node::scalar);
    if version.map(|v| &**v) == Some("1") {
        return Some(());
    }
    let place = place.cloned().unwrap_or_else(|| node.place.clone());
    cx.error(
        "E001",
        &place,
        "this is no profile that this program reads",
        "a profile begins with `consim_profile: 1`",
    );
    None
}

/// Remembers where the numbers of a profile come from.
fn note_sources(cx: &mut Cx, label: &str, profile: &Node) {
    let Some(sources) = profile.get("sources") else {
        return;
    };
    for (key, node) in sources.entries() {
        let text = match &node.value {
            Value::Scalar(text) => text.to_string(),
            Value::Map(_) => {
                let words = node.get("source").and_then(Node::scalar).cloned();
                let assumed = node.get("assumed").and_then(Node::scalar);
                let mark = if assumed.is_some_and(|a| &**a == "true") {
                    "assumed: "
                } else {
                    ""
                };
                format!("{mark}{}", words.unwrap_or_default())
            }
            _ => continue,
        };
        let path = format!("profile {label}: {}", key.text);
        cx.profiles.sources.push((path, text));
    }
}

/// A table beside a profile or a scenario, as a source of its own.
pub(crate) fn table(cx: &mut Cx, name: &str, place: &Place) -> Option<crate::tree::SourceId> {
    if cx.role(place) == Some(&Role::Profile)
        && let Some((_, text)) = TABLES.iter().find(|(n, _)| *n == name)
    {
        return Some(cx.sources.add(Source {
            name: (*name).to_owned(),
            text: (*text).into(),
            role: Role::Profile,
            folder: PathBuf::new(),
        }));
    }
    read_file(cx, name.strip_prefix("file:").unwrap_or(name), place)
}
