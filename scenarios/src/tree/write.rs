//! A tree as people write it.

use super::{Node, Value};
use std::fmt::Write as _;

/// One line a key; where a key holds entries by name, one line an entry.
pub(crate) fn written(tree: &Node) -> String {
    let mut out = String::new();
    for (key, value) in tree.entries() {
        let entries = value.entries();
        let by_name = |(_, entry): &(_, Node)| matches!(entry.value, Value::Map(_));
        if entries.is_empty() || !entries.iter().all(by_name) {
            let _ = writeln!(out, "{}: {}", key.text, value.flow());
            continue;
        }
        let _ = writeln!(out, "{}:", key.text);
        for (name, entry) in entries {
            let _ = writeln!(out, "  {}: {}", name.text, entry.flow());
        }
    }
    out
}
