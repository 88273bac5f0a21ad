//! The data sets that are built in: what scenarios of the library read beside themselves, so that
//! they can be bases, and be copied, where the repository is not at hand.

use crate::schema::shape::suggestion;
use crate::schema::{At, Cx};
use std::path::{Component, Path, PathBuf};

/// A data set.
#[derive(Clone, Copy, Debug)]
pub struct DataSet {
    /// Its word: `dataset:NAME`.
    pub name: &'static str,
    /// Its file or folder in the repository.
    pub path: &'static str,
    pub(crate) contents: Contents,
}

/// What a data set holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Contents {
    /// A file.
    File(&'static str),
    /// The files of a folder: names below it, in their order, and texts.
    Folder(&'static [(&'static str, &'static str)]),
}

macro_rules! folder {
    ($folder:literal: $($file:literal)+) => {
        &[$((
            $file,
            include_str!(concat!("../data/", $folder, "/", $file)),
        )),+]
    };
}

/// All data sets.
pub const DATA_SETS: &[DataSet] = &[
    DataSet {
        name: "hospitals",
        path: "scenarios/data/hospitals.csv",
        contents: Contents::File(include_str!("../data/hospitals.csv")),
    },
    DataSet {
        name: "fhir-alliance",
        path: "scenarios/data/fhir-alliance",
        contents: Contents::Folder(FHIR_ALLIANCE),
    },
];

/// Where a value says that its data are.
pub(crate) enum Where {
    /// Here, built in.
    BuiltIn(&'static DataSet),
    /// On the disk.
    Disk(PathBuf),
}

/// Where the data are that `at`, the value of a leaf, calls `path`; a path is relative to the file
/// that it stands in, which may be a scenario of the library. Notes it for the printed plan.
pub(crate) fn locate<T>(cx: &mut Cx, at: &At<T>, path: &str) -> Option<Where> {
    let source = cx.sources.get(at.place.source)?;
    let full = source.folder.join(path);
    if source.name.starts_with("preset:")
        && let Some(set) = DATA_SETS
            .iter()
            .find(|set| Path::new(set.path) == plain(&full))
    {
        cx.names_data(at.leaf, set.name);
        return Some(Where::BuiltIn(set));
    }
    cx.names_file(at.leaf, &full);
    Some(Where::Disk(full))
}

/// The data set `name`, the part of a value that stands `after` its beginning; an unknown one is
/// told.
pub(crate) fn named<T>(
    cx: &mut Cx,
    at: &At<T>,
    name: &str,
    after: usize,
) -> Option<&'static DataSet> {
    let found = DATA_SETS.iter().find(|set| set.name == name);
    if found.is_none() {
        let known: Vec<&str> = DATA_SETS.iter().map(|set| set.name).collect();
        let whole = at.place.at.len() == after + name.len();
        let place = at.place.part(whole.then_some(after..after + name.len()));
        let text = format!("no data set is called `{name}`");
        cx.error("E202", &place, text, suggestion(name, &known));
    }
    found
}

/// A path without its steps back.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

/// A scenario of the library reads these beside itself; elsewhere they are named as data sets.
pub(crate) fn standalone(text: &str, folder: &Path) -> String {
    let mut out = text.to_owned();
    for form in ["file:", "fhir:"] {
        let mut from = 0;
        while let Some(found) = out.get(from..).and_then(|rest| rest.find(form)) {
            let at = from + found;
            let path_at = at + form.len();
            let rest = out.get(path_at..).unwrap_or_default();
            let length = rest
                .find(|c: char| c.is_whitespace() || ",}]\"'".contains(c))
                .unwrap_or(rest.len());
            let path = plain(&folder.join(rest.get(..length).unwrap_or_default()));
            from = path_at;
            if let Some(set) = DATA_SETS.iter().find(|set| Path::new(set.path) == path) {
                let word = format!("dataset:{}", set.name);
                out.replace_range(at..path_at + length, &word);
                from = at + word.len();
            }
        }
    }
    out
}

/// Made up: twelve patients of an alliance, their visits and their consents.
const FHIR_ALLIANCE: &[(&str, &str)] = folder![
    "fhir-alliance":
    "export/records.ndjson"
    "organizations.json"
    "patients/chen-meilin.json"
    "patients/feng-xiulan.json"
    "patients/guo-zhenhua.json"
    "patients/he-zhigang.json"
    "patients/huang-guoqiang.json"
    "patients/li-suqin.json"
    "patients/luo-minyi.json"
    "patients/pan-dawei.json"
    "patients/wu-jianfeng.json"
    "patients/xu-tianyu.json"
    "patients/zhou-lihua.json"
    "single/Condition-p11-e1-forearm.json"
    "single/Condition-p12-e1-dm2.json"
    "single/Condition-p12-e1-htn.json"
    "single/Condition-p12-e2-pneu.json"
    "single/Consent-p11-consent.json"
    "single/Consent-p12-consent-1.json"
    "single/Consent-p12-consent-2.json"
    "single/DiagnosticReport-p11-e1-xray.json"
    "single/DiagnosticReport-p12-e2-count.json"
    "single/DiagnosticReport-p12-e2-xray.json"
    "single/DocumentReference-p12-e2-summary.json"
    "single/Encounter-p11-e1.json"
    "single/Encounter-p11-e2.json"
    "single/Encounter-p12-e1.json"
    "single/Encounter-p12-e2.json"
    "single/Encounter-p12-e3.json"
    "single/Encounter-p12-e4.json"
    "single/Immunization-p12-e4-vaccine.json"
    "single/MedicationRequest-p11-e1-ibuprofen.json"
    "single/MedicationRequest-p12-e1-amlodipine.json"
    "single/MedicationRequest-p12-e1-metformin.json"
    "single/MedicationRequest-p12-e2-amoxicillin.json"
    "single/Observation-p11-e1-bp.json"
    "single/Observation-p11-e1-pulse.json"
    "single/Observation-p11-e1-temp.json"
    "single/Observation-p11-e2-bp.json"
    "single/Observation-p11-e2-pulse.json"
    "single/Observation-p11-e2-temp.json"
    "single/Observation-p12-e1-bp.json"
    "single/Observation-p12-e1-pulse.json"
    "single/Observation-p12-e1-temp.json"
    "single/Observation-p12-e2-bp.json"
    "single/Observation-p12-e2-crp.json"
    "single/Observation-p12-e2-hb.json"
    "single/Observation-p12-e2-plt.json"
    "single/Observation-p12-e2-pulse.json"
    "single/Observation-p12-e2-resp.json"
    "single/Observation-p12-e2-spo2.json"
    "single/Observation-p12-e2-temp.json"
    "single/Observation-p12-e2-wbc.json"
    "single/Observation-p12-e3-bp.json"
    "single/Observation-p12-e3-pulse.json"
    "single/Observation-p12-e3-resp.json"
    "single/Observation-p12-e3-spo2.json"
    "single/Observation-p12-e3-temp.json"
    "single/Observation-p12-e4-bp.json"
    "single/Observation-p12-e4-hba1c.json"
    "single/Observation-p12-e4-pulse.json"
    "single/Observation-p12-e4-temp.json"
    "single/Patient-p11.json"
    "single/Patient-p12.json"
    "single/shift-plan.json"
];

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::library::LIBRARY;

    #[test]
    fn what_is_built_in_is_what_lies_in_the_repository() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for set in DATA_SETS {
            let path = root.join(set.path);
            match set.contents {
                Contents::File(text) => assert_eq!(std::fs::read_to_string(path).unwrap(), text),
                Contents::Folder(files) => {
                    let mut found = Vec::new();
                    list(&path, &path, &mut found);
                    found.sort();
                    let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
                    assert_eq!(
                        names, found,
                        "{}: files, in the order of their names",
                        set.name
                    );
                    for (name, text) in files {
                        assert_eq!(std::fs::read_to_string(path.join(name)).unwrap(), *text);
                    }
                }
            }
        }
    }

    fn list(root: &Path, folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                list(root, &path, found);
            } else if path
                .extension()
                .is_some_and(|e| e == "json" || e == "ndjson")
            {
                found.push(
                    path.strip_prefix(root)
                        .unwrap()
                        .to_str()
                        .unwrap()
                        .replace('\\', "/"),
                );
            }
        }
    }

    #[test]
    fn no_scenario_of_the_library_reads_what_is_not_built_in() {
        for entry in LIBRARY {
            let folder = Path::new(entry.path).parent().unwrap();
            let text = standalone(entry.text, folder);
            for line in text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'))
            {
                for form in [" file:", "fhir:"] {
                    assert!(!line.contains(form), "{}: {line}", entry.path);
                }
            }
        }
    }
}
