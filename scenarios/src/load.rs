//! From a file and the options of the command line to a plan.

use crate::compose;
use crate::data::plain;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::library::LIBRARY;
use crate::plan::{self, Explained, Head, Plan};
use crate::profiles::{bounded, read};
use crate::schema::shape::{Shape, suggestion};
use crate::schema::{Cx, Decode, Scenario};
use crate::study::study;
use crate::tree::{Key, Node, Place, Problem, Role, Source, SourceId, Sources, Value, parse};
use std::path::{Path, PathBuf};

/// How deep bases may rest on each other.
pub const MAX_BASES: usize = 8;

/// What the command line adds to a file.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// `--set PATH=VALUE`, in order.
    pub sets: Vec<String>,
    /// `--seed`.
    pub seed: Option<u64>,
    /// `--duration`.
    pub duration: Option<String>,
    /// The seed for a scenario that names none.
    pub drawn_seed: u64,
    /// The working directory: paths in `--set` are relative to it.
    pub cwd: PathBuf,
}

/// A scenario that was read, resolved and found right.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The plan.
    pub plan: Plan,
    /// What is odd but runs.
    pub warnings: Vec<Diagnostic>,
    /// Every value with its origin.
    pub explain: Vec<Explained>,
    /// Was the seed drawn?
    pub seed_drawn: bool,
}

/// Reads a scenario; everything that is wrong with it comes at once. Of one with `compare` or
/// `vary` this is the first run; [`study`] gives all.
pub fn load(file: &Path, options: &LoadOptions) -> Result<Loaded, Diagnostics> {
    let study = study(file, options)?;
    study
        .runs
        .into_iter()
        .next()
        .map(|variant| variant.loaded)
        .ok_or_else(Diagnostics::default)
}

/// A scenario file as a tree: bases laid under it, options of the command line over it.
pub(crate) struct Composed {
    pub(crate) sources: Sources,
    pub(crate) problems: Vec<Problem>,
    pub(crate) shape: &'static Shape,
    pub(crate) tree: Option<Node>,
    /// The scenario's name where it gives none.
    pub(crate) file_name: String,
}

/// Reads `bytes`, or the file itself.
pub(crate) fn compose(file: &Path, bytes: Option<&[u8]>, options: &LoadOptions) -> Composed {
    let mut loader = Loader {
        sources: Sources::default(),
        problems: Vec::new(),
        shape: crate::schema::whole(),
    };
    let tree = loader
        .file(file, bytes)
        .map(|tree| loader.overrides(tree, options));
    Composed {
        sources: loader.sources,
        problems: loader.problems,
        shape: loader.shape,
        tree,
        file_name: file_name(file),
    }
}

/// Decodes and plans a tree; what is wrong or odd comes with it.
pub(crate) fn plan_tree(
    mut cx: Cx,
    tree: Option<&Node>,
    head: &Head<'_>,
) -> (Option<Loaded>, Vec<Diagnostic>) {
    let scenario = tree.and_then(|tree| Scenario::decode(&mut cx, tree));
    let seed_drawn = scenario.as_ref().is_some_and(|s| s.seed.is_none());
    let plan = scenario.and_then(|scenario| plan::resolve(&mut cx, &scenario, head));
    let list = cx.sources.diagnostics(&cx.problems);
    let errors = list.iter().any(|d| d.severity == Severity::Error);
    let loaded = plan.filter(|_| !errors).map(|mut plan| {
        plan::yaml(&mut plan, &cx.leaves);
        Loaded {
            explain: plan::explain(&cx, head),
            plan,
            warnings: Diagnostics::new(list.clone()).list,
            seed_drawn,
        }
    });
    (loaded, list)
}

/// The name of a scenario that gives none: the file's, as far as it is one.
fn file_name(file: &Path) -> String {
    let stem = file
        .file_stem()
        .and_then(|s| s.to_str())
        .unwrap_or("scenario");
    let mut name: String = stem
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    name.truncate(40);
    let name = name
        .trim_matches('-')
        .trim_start_matches(|c: char| c.is_ascii_digit());
    if name.is_empty() {
        "scenario".into()
    } else {
        name.into()
    }
}

struct Loader {
    sources: Sources,
    problems: Vec<Problem>,
    shape: &'static Shape,
}

impl Loader {
    /// The tree of a file with its bases laid under it.
    fn file(&mut self, file: &Path, bytes: Option<&[u8]>) -> Option<Node> {
        let name = file.display().to_string();
        let text = match bytes {
            Some(bytes) => bounded(bytes.to_vec()),
            None => read(file),
        };
        match text {
            Ok(text) => {
                let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
                let source = self.add(name, text, Role::File, folder);
                let mut seen = vec![canonical(file)];
                self.composed(source, &mut seen)
            }
            Err(why) => {
                let source = self.add(name, String::new(), Role::File, PathBuf::new());
                let place = Place { source, at: 0..0 };
                self.problems.push(Problem::error(
                    "E006",
                    &place,
                    format!("cannot read this file: {why}"),
                    "`consim list scenarios` shows those of the library",
                ));
                None
            }
        }
    }

    fn add(&mut self, name: String, text: String, role: Role, folder: PathBuf) -> SourceId {
        self.sources.add(Source {
            name,
            text: text.into(),
            role,
            folder,
        })
    }

    fn composed(&mut self, source: SourceId, seen: &mut Vec<PathBuf>) -> Option<Node> {
        let text = self.sources.get(source)?.text.clone();
        let tree = parse(&text, source, &mut self.problems)?;
        let tree = match tree.value {
            Value::Map(_) => tree,
            Value::Empty => {
                let place = Place { source, at: 0..0 };
                self.problems.push(Problem::error(
                    "E009",
                    &place,
                    "the file is empty",
                    "a scenario begins with `consim: 1`",
                ));
                return None;
            }
            _ => {
                self.problems.push(Problem::error(
                    "E009",
                    &tree.place,
                    format!("a scenario is a map, not {}", tree.kind()),
                    "it begins with `consim: 1`",
                ));
                return None;
            }
        };
        self.version(&tree, source)?;
        let mut own = tree.clone();
        if let Value::Map(entries) = &mut own.value {
            entries.retain(|(key, _)| !["base", "remove"].contains(&&*key.text));
        }
        let removed = self.removals(&tree);
        let Some(base) = tree.get("base") else {
            if let Some(removed) = removed.first().and_then(|path| path.first()) {
                self.problems.push(Problem::error(
                    "E602",
                    &removed.1,
                    "there is no `base` to remove anything from",
                    "base: FILE or base: preset:NAME",
                ));
            }
            return Some(own);
        };
        let mut under = self.base(base, source, seen)?;
        for path in removed {
            if let Err(problem) =
                compose::remove(Some(self.shape), &mut under, &path, "", "the base")
            {
                self.problems.push(problem);
            }
        }
        // The name is the file's own, not the base's.
        if let Value::Map(entries) = &mut under.value {
            entries.retain(|(key, _)| &*key.text != "name");
        }
        Some(compose::overlay(self.shape, under, own))
    }

    /// The first key is `consim: 1`.
    fn version(&mut self, tree: &Node, source: SourceId) -> Option<()> {
        let first = tree.entries().first();
        let Some((_, node)) = first.filter(|(key, _)| &*key.text == "consim") else {
            let at = first.map_or(0..0, |(key, _)| key.place.at.clone());
            let elsewhere = tree.get("consim").is_some();
            self.problems.push(Problem::error(
                "E001",
                &Place { source, at },
                if elsewhere {
                    "`consim:` is the first key of a scenario"
                } else {
                    "a scenario says which language it is written in"
                },
                "consim: 1, as the first line",
            ));
            return None;
        };
        match node.scalar().map(|v| &**v) {
            Some("1") => Some(()),
            other => {
                let newer = other.and_then(|v| v.parse::<u64>().ok()).filter(|v| *v > 1);
                let place = if node.place.at.is_empty() {
                    Place { source, at: 0..6 }
                } else {
                    node.place.clone()
                };
                self.problems.push(Problem::error(
                    "E001",
                    &place,
                    "this program reads version 1",
                    newer.map_or_else(
                        || "consim: 1".to_owned(),
                        |v| format!("install consim {v}.x to run it; files go forward, not back"),
                    ),
                ));
                None
            }
        }
    }

    /// The paths under `remove`.
    fn removals(&mut self, tree: &Node) -> Vec<compose::Path> {
        let Some(node) = tree.get("remove") else {
            return Vec::new();
        };
        let Value::List(items) = &node.value else {
            self.problems.push(Problem::error(
                "E211",
                &node.place,
                "`remove` is a list of paths",
                "remove: [faults.city-cut]",
            ));
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| Some(compose::split(item.scalar()?, &item.place)))
            .collect()
    }

    fn base(&mut self, node: &Node, source: SourceId, seen: &mut Vec<PathBuf>) -> Option<Node> {
        let Some(word) = node.scalar().cloned() else {
            self.problems.push(Problem::error(
                "E211",
                &node.place,
                format!("`base` is one file or preset, not {}", node.kind()),
                "base: FILE or base: preset:NAME",
            ));
            return None;
        };
        if seen.len() > MAX_BASES {
            self.problems.push(Problem::error(
                "E604",
                &node.place,
                format!("more than {MAX_BASES} bases on top of each other"),
                "merge some of them",
            ));
            return None;
        }
        let preset = word.strip_prefix("preset:");
        let preset = preset.or_else(|| self.sibling(source, &word));
        let (text, folder, id) = match preset {
            Some(preset) => self.preset(preset, &node.place)?,
            None => self.base_file(&word, &node.place)?,
        };
        let name = match preset {
            Some(preset) => format!("preset:{preset}"),
            None => self
                .sources
                .get(source)?
                .folder
                .join(&*word)
                .display()
                .to_string(),
        };
        if seen.contains(&id) {
            self.problems.push(Problem::error(
                "E604",
                &node.place,
                format!("{name} is already below this file"),
                "bases form no circle",
            ));
            return None;
        }
        seen.push(id);
        let source = self.add(name, text, Role::Base, folder);
        self.composed(source, seen)
    }

    /// The preset that a preset names by its file.
    fn sibling(&self, source: SourceId, word: &str) -> Option<&'static str> {
        let source = self.sources.get(source)?;
        source.name.strip_prefix("preset:")?;
        let path = plain(&source.folder.join(word));
        let entry = LIBRARY.iter().find(|e| Path::new(e.path) == path)?;
        Some(entry.name)
    }

    /// Text, folder and identity of a preset.
    fn preset(&mut self, preset: &str, place: &Place) -> Option<(String, PathBuf, PathBuf)> {
        let Some(entry) = LIBRARY.iter().find(|e| e.name == preset) else {
            let known: Vec<&str> = LIBRARY.iter().map(|e| e.name).collect();
            let word = (place.at.len() > preset.len()).then(|| "preset:".len()..place.at.len());
            self.problems.push(Problem::error(
                "E202",
                &place.part(word),
                format!("no preset is called `{preset}`"),
                suggestion(preset, &known),
            ));
            return None;
        };
        let folder = Path::new(entry.path).parent().map(Path::to_path_buf);
        let id = PathBuf::from(format!("preset:{preset}"));
        Some((entry.text.to_owned(), folder.unwrap_or_default(), id))
    }

    /// Text, folder and identity of a file under this one.
    fn base_file(&mut self, word: &str, place: &Place) -> Option<(String, PathBuf, PathBuf)> {
        let path = self.sources.get(place.source)?.folder.join(word);
        match read(&path) {
            Ok(text) => {
                let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
                Some((text, folder, canonical(&path)))
            }
            Err(why) => {
                self.problems.push(Problem::error(
                    "E603",
                    place,
                    format!("cannot read {}: {why}", path.display()),
                    "paths are relative to this file; base: preset:NAME takes one of the library",
                ));
                None
            }
        }
    }

    /// Lays the options of the command line over the tree.
    fn overrides(&mut self, mut tree: Node, options: &LoadOptions) -> Node {
        if let Some(seed) = options.seed {
            self.set(&mut tree, "--seed", &format!("seed={seed}"), options);
        }
        if let Some(duration) = &options.duration {
            self.set(
                &mut tree,
                "--duration",
                &format!("duration={duration}"),
                options,
            );
        }
        for set in &options.sets {
            self.set(&mut tree, "--set", set, options);
        }
        tree
    }

    fn set(&mut self, tree: &mut Node, option: &str, text: &str, options: &LoadOptions) {
        let source = self.add(
            option.to_owned(),
            text.to_owned(),
            Role::Set,
            options.cwd.clone(),
        );
        let whole = Place {
            source,
            at: 0..text.len(),
        };
        let Some((path, value)) = text.split_once('=') else {
            self.problems.push(Problem::error(
                "E605",
                &whole,
                "an override is PATH=VALUE",
                "--set chains.alliance.block.wait=250ms",
            ));
            return;
        };
        let from = path.len() + 1;
        // The value is YAML; parsed alone, its places are moved behind the path.
        let before = self.problems.len();
        let node = parse(value, source, &mut self.problems);
        for problem in self.problems.iter_mut().skip(before) {
            shift(&mut problem.place, from);
        }
        let Some(mut node) = node else { return };
        shift_node(&mut node, from);
        if matches!(node.value, Value::Empty) {
            self.problems.push(Problem::error(
                "E209",
                &whole,
                format!("nothing stands after `{path}=`"),
                "give it a value; `remove` in a file takes something away",
            ));
            return;
        }
        let place = Place {
            source,
            at: 0..path.len(),
        };
        if path == "base" || path == "remove" || path == "consim" {
            self.problems.push(Problem::error(
                "E605",
                &place,
                format!("`{path}` stands in the file"),
                "an override changes values",
            ));
            return;
        }
        let path = compose::split(path, &place);
        if let Err(problem) = compose::set(self.shape, tree, &path, node, "") {
            self.problems.push(problem);
        }
    }
}

fn shift(place: &mut Place, by: usize) {
    place.at = place.at.start + by..place.at.end + by;
}

fn shift_node(node: &mut Node, by: usize) {
    shift(&mut node.place, by);
    match &mut node.value {
        Value::List(items) => items.iter_mut().for_each(|item| shift_node(item, by)),
        Value::Map(entries) => {
            for (key, value) in entries {
                let Key { place, .. } = key;
                shift(place, by);
                shift_node(value, by);
            }
        }
        Value::Empty | Value::Scalar(_) => {}
    }
}

/// What names a file, however it is reached.
fn canonical(path: &Path) -> PathBuf {
    std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}
