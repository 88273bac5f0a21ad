//! Names and texts that come from elsewhere break no format, and no terminal.

use crate::drawing::Drawing;
use crate::markup::{self, Node};
use crate::parse_csv;
use crate::support::cases::{HOSTILE, hostile};
use consim_check::outcome::Outcome;
use consim_reports::{File, headline, render, summary};

/// The hostile texts, and two that are only long.
fn texts() -> Vec<String> {
    let mut texts: Vec<String> = HOSTILE.iter().map(ToString::to_string).collect();
    texts.push("x".repeat(5000));
    texts.push("数据 ".repeat(2000));
    texts
}

/// A text as a page shows it.
fn shown(text: &str) -> String {
    let hidden = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
            || matches!(c, '\u{fffe}' | '\u{ffff}')
    };
    text.chars()
        .map(|c| if hidden(c) { '\u{fffd}' } else { c })
        .collect()
}

/// Elements and attributes that the templates and figures use.
const ELEMENTS: &str = " html head meta title style body main header p h1 h2 h3 h4 dl div dt dd nav a \
    section table thead tbody tfoot tr th td br code span ul li figure figcaption svg rect line \
    polyline polygon circle text details summary pre footer script ";
const ATTRIBUTES: &str = " lang charset name content class id href aria-label scope tabindex \
    data-time type width height viewBox role x y x1 x2 y1 y2 cx cy r points dy fill stroke \
    stroke-width opacity text-anchor font-family font-size font-weight transform ";

/// What stands in a page that no template put there.
fn foreign(page: &Node) -> Vec<String> {
    let mut out = Vec::new();
    for node in page.walk() {
        if !node.name.is_empty() && !ELEMENTS.contains(&format!(" {} ", node.name)) {
            out.push(format!("<{}>", node.name));
        }
        let attributes = node.attributes.iter().map(|(name, _)| name);
        let others = attributes.filter(|name| !ATTRIBUTES.contains(&format!(" {name} ")));
        out.extend(others.cloned());
    }
    out
}

fn find<'a>(files: &'a [File], path: &str) -> &'a str {
    &files.iter().find(|f| f.path == path).unwrap().text
}

#[test]
fn no_text_breaks_the_page() {
    for text in texts() {
        let results = hostile(&text);
        let files = render(&results).unwrap();
        let html = find(&files, "report.html");
        let page = markup::html(html).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        assert_eq!(foreign(&page), Vec::<String>::new(), "{text:?}");
        // One style, the data and the script: none came in, none was cut short.
        assert_eq!(page.all("style").len(), 1);
        let scripts = page.all("script");
        assert_eq!(scripts.len(), 2, "{text:?}");
        serde_json::from_str::<serde_json::Value>(&scripts[0].text()).unwrap();
        assert!(scripts[1].text().trim_end().ends_with("})();"));
        // And it is there to be read.
        let shown = shown(&text);
        assert_eq!(page.all("pre")[0].text(), shown);
        // A long one is cut, so that the answer below the title stays in sight.
        let title = page.all("h1")[0].text();
        if shown.len() < 60 {
            assert_eq!(title, format!("{shown}, {shown}"));
        }
        assert!(title.chars().count() <= 120, "{title}");
        let begin: String = shown.trim().chars().take(50).collect();
        assert!(title.contains(&begin));
        for id in ["operations", "checks", "capacity", "resilience", "origin"] {
            assert!(page.by_id(id).text().contains(&begin), "{id}: {text:?}");
        }
    }
    let bad = markup::html("<!DOCTYPE html>\n<p onclick=\"x\"><img></img></p>").unwrap();
    assert_eq!(foreign(&bad), ["onclick", "<img>"]);
}

#[test]
fn no_text_breaks_a_figure() {
    for text in texts() {
        let files = render(&hostile(&text)).unwrap();
        let figures: Vec<_> = files
            .iter()
            .filter(|f| f.path.starts_with("figures/"))
            .collect();
        assert_eq!(figures.len(), 6, "{text:?}");
        for figure in figures {
            let drawing = Drawing::of(&figure.text);
            let drawing = drawing.unwrap_or_else(|e| panic!("{} {text:?}: {e}", figure.path));
            // A text is cut before it leaves the figure.
            let widest = drawing
                .labels()
                .iter()
                .map(|l| l.text.chars().count())
                .max();
            assert!(widest < Some(140), "{} {text:?}", figure.path);
        }
    }
}

#[test]
fn no_text_breaks_the_tables_for_programs() {
    for text in texts() {
        let results = hostile(&text);
        let files = render(&results).unwrap();
        let rows =
            parse_csv(find(&files, "metrics.csv")).unwrap_or_else(|e| panic!("{text:?}: {e}"));
        assert_eq!(rows.len(), 181, "{text:?}");
        assert_eq!(rows[31][10], text, "in the window of the first fault");
        assert_eq!(rows[1][10], "");
        let json = find(&files, "outcome.json");
        let outcome: Outcome = serde_json::from_str(json).unwrap();
        assert_eq!(outcome.scenario, text);
        assert_eq!(outcome.faults[0].id, text);
        assert_eq!(outcome.checks[0].says, text);
        assert!(outcome.operations.contains_key(&format!("{text}3")));
        assert_eq!(find(&files, "plan.yaml"), text);
    }
}

#[test]
fn no_text_becomes_a_path() {
    for text in texts() {
        for file in render(&hostile(&text)).unwrap() {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            assert!(file.path.chars().all(plain), "{}", file.path);
            let parts: Vec<&str> = file.path.split('/').collect();
            assert!(parts.len() <= 2 && parts.iter().all(|p| !p.is_empty() && !p.starts_with('.')));
            assert!(file.path.len() < 120, "{}", file.path);
        }
    }
}

#[test]
fn no_text_takes_over_the_terminal_or_the_sentence() {
    for text in texts() {
        let results = hostile(&text);
        let screen = summary(&results);
        let steers =
            |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!screen.chars().any(steers), "{text:?}\n{screen}");
        assert!(screen.starts_with("Fail: "), "{text:?}\n{screen}");
        assert!(screen.lines().count() <= 21, "{text:?}\n{screen}");
        assert!(headline(&results).chars().count() < 1200, "{text:?}");
    }
}
