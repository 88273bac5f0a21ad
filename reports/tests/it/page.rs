//! `report.html`: whole, self-contained, the same bytes for the same results.

use crate::file;
use crate::markup::{self, Node};
use crate::support::{cases, sample};
use consim_check::results::Results;
use consim_reports::render;

fn page(results: &Results) -> Node {
    markup::html(&file(results, "report.html")).unwrap()
}

/// The rows of a table, body and foot, as texts.
fn rows(table: &Node) -> Vec<Vec<String>> {
    let cells = |row: &&Node| {
        let cells = row.walk();
        let cells = cells.iter().filter(|n| n.name == "th" || n.name == "td");
        cells.map(|c| c.text().replace('\u{a0}', " ")).collect()
    };
    table.all("tr")[1..].iter().map(cells).collect()
}

#[test]
fn equal_results_give_equal_bytes() {
    for (name, case) in cases::CASES {
        assert_eq!(render(&case()).unwrap(), render(&case()).unwrap(), "{name}");
    }
    // And what differs is seen.
    let mut other = sample();
    other.series[40].committed += 1;
    let (one, other) = (render(&sample()).unwrap(), render(&other).unwrap());
    let differ = one.iter().zip(&other).filter(|(a, b)| a != b);
    let differ: Vec<&str> = differ.map(|(a, _)| a.path.as_str()).collect();
    assert_eq!(
        differ,
        [
            "report.html",
            "metrics.csv",
            "results.json",
            "figures/throughput.svg"
        ]
    );
}

/// What makes a browser fetch something.
fn fetches(html: &str) -> Vec<&'static str> {
    [
        "http://", "https://", "src=", "@import", "url(", "href=\"/", "<link", "<base", "<iframe",
    ]
    .into_iter()
    .filter(|sign| html.contains(sign))
    .collect()
}

#[test]
fn the_page_asks_the_network_for_nothing() {
    for (name, case) in cases::CASES {
        let html = file(&case(), "report.html");
        assert_eq!(fetches(&html), Vec::<&str>::new(), "{name}");
        let page = markup::html(&html).unwrap();
        for node in page.walk() {
            // Links stay in the page, and lead somewhere.
            if let Some(to) = node.attribute("href") {
                page.by_id(to.strip_prefix('#').unwrap());
            }
            let handler = node.attributes.iter().find(|(n, _)| n.starts_with("on"));
            assert!(handler.is_none(), "{name}: {handler:?}");
        }
    }
    assert_eq!(
        fetches("<img src=x><style>@import url(https://x)</style>").len(),
        4
    );
}

#[test]
fn an_address_in_the_data_is_a_text() {
    let mut results = sample();
    let source = "https://example.org/table.csv, @import url(x)";
    results.sources = vec![("network.delay".into(), source.into())];
    let page = page(&results);
    assert!(page.by_id("origin").text().contains(source));
    assert!(
        page.all("a")
            .iter()
            .all(|a| a.attribute("href").unwrap().starts_with('#'))
    );
}

#[test]
fn the_page_says_everything_without_its_script() {
    let results = sample();
    let html = file(&results, "report.html");
    // What the script needs stands in it as data; what it does is a hair line.
    let page = markup::html(&html).unwrap();
    assert_eq!(page.all("script").len(), 2);
    assert!(page.all("noscript").is_empty());
    assert!(!html.contains("display: none") || html.contains(".hair, .tip { display: none; }"));
    let hidden = page
        .walk()
        .into_iter()
        .filter(|n| n.attribute("hidden").is_some());
    assert_eq!(hidden.count(), 0);
    for figure in page.all("figure") {
        assert_eq!(figure.all("svg").len(), 1);
        assert_eq!(figure.all("figcaption").len(), 1);
    }
    assert_eq!(page.all("figure").len(), 6);
}

#[test]
fn the_operations_add_up() {
    for results in [sample(), cases::extreme()] {
        let page = page(&results);
        let table = page.by_id("operations").all("table")[0];
        let number = |text: &String| text.replace(',', "").parse::<u64>().unwrap();
        let rows = rows(table);
        let counts: Vec<Vec<u64>> = rows
            .iter()
            .map(|row| row[1..6].iter().map(number).collect())
            .collect();
        for (row, counts) in rows.iter().zip(&counts) {
            assert_eq!(counts[0], counts[1..].iter().sum::<u64>(), "{row:?}");
        }
        let (all, kinds) = counts.split_last().unwrap();
        assert_eq!(kinds.len(), results.outcome.operations.len());
        for (i, total) in all.iter().enumerate() {
            assert_eq!(
                *total,
                kinds.iter().map(|k| k[i]).sum::<u64>(),
                "column {i}"
            );
        }
        assert_eq!(rows.last().unwrap()[0], "All");
    }
}

#[test]
fn checks_that_failed_come_first_with_their_violations() {
    let page = page(&cases::failed());
    let checks = page.by_id("checks");
    let rows = rows(checks.all("table")[0]);
    let verdicts: Vec<&str> = rows.iter().map(|r| r[1].as_str()).collect();
    assert_eq!(verdicts[..3], ["fail", "unknown", "pass"]);
    assert_eq!(rows.len(), 12);
    let items: Vec<String> = checks.all("li").iter().map(|li| li.text()).collect();
    assert_eq!(items.len(), 3);
    assert!(items[0].contains("its grant was revoked at height 702"));
    assert_eq!(items[2], "and 5 more");
    let said = "Of 12\u{a0}checks, 1 failed, 1 unknown and 10 passed; together they judged \
                914,332\u{a0}facts.";
    assert!(checks.text().contains(said), "{}", checks.text());
    let header = page.all("header")[0].text();
    assert!(header.contains("A check is unknown if its subject occurs in the plan"));
    assert!(header.contains("An expectation is open"));
    assert!(header.contains("The run ended before its planned length"));
}

#[test]
fn expectations_show_value_limit_and_margin() {
    let page = page(&cases::failed());
    let rows = rows(page.by_id("expectations").all("table")[0]);
    assert_eq!(
        rows[0],
        [
            "99th percentile latencylatency_p99",
            "missed",
            "7.2 s",
            "at most 5 s",
            "44 % above the limit"
        ]
    );
    assert_eq!(
        rows[1][1..],
        [
            "met",
            "99.36 %",
            "at least 95 %",
            "4.36 points above the limit"
        ]
    );
    assert_eq!(
        rows[2][1..],
        ["open", "–", "at most 2 s", "nothing was measured"]
    );
}

#[test]
fn a_fault_without_effect_is_marked() {
    let page = page(&cases::failed());
    let rows = rows(page.by_id("resilience").all("table")[0]);
    assert_eq!(
        rows[0][1..5],
        [
            "5 min to 5 min 30 s",
            "1 node taken down",
            "tertiary",
            "11.4 s"
        ]
    );
    assert_eq!(rows[2][2], "no effect");
    // One that the end of the run cut off.
    let mut results = cases::partial();
    results.outcome.faults[2].to_s = 1e9;
    let rows = self::rows(self::page(&results).by_id("resilience").all("table")[0]);
    assert_eq!(rows[2][1], "15 min to the end");
}

#[test]
fn attacks_have_a_table_of_their_own() {
    let page = page(&cases::attacks());
    let tables = page.by_id("resilience").all("table");
    let rows = rows(tables[1]);
    assert_eq!(
        rows[0],
        [
            "late H3stale-consent",
            "pass",
            "stale consent uses 0",
            "–",
            "–",
            "–",
            "–"
        ]
    );
    assert_eq!(
        rows[1][1..4],
        ["fail", "conflicting votes 1,204forks 2", "41 s"]
    );
}

#[test]
fn an_empty_run_says_what_it_lacks() {
    let page = page(&cases::empty());
    let says = [
        ("expectations", "No expectation was set."),
        (
            "time",
            "The run ended before its first interval: there is no time series.",
        ),
        (
            "operations",
            "No operation was asked for in the measured part of this run.",
        ),
        ("resilience", "The plan has no fault and no attack."),
        ("checks", "No check applied to this plan."),
        ("network", "The plan has no chain."),
        ("capacity", "This run names no bottleneck."),
    ];
    for (id, sentence) in says {
        let section = page.by_id(id);
        assert!(
            section.text().contains(sentence),
            "{id}: {}",
            section.text()
        );
        assert!(
            section.all("table").is_empty() && section.all("figure").is_empty(),
            "{id}"
        );
    }
    assert!(page.all("script").is_empty());
    let full = self::page(&sample());
    for (id, sentence) in says {
        assert!(!full.by_id(id).text().contains(sentence), "{id}");
    }
}

#[test]
fn what_a_page_has_no_room_for_is_counted() {
    let mut results = sample();
    results.notes = (0..1234).map(|i| format!("note {i}")).collect();
    results.plan_yaml = "x".repeat(200_001);
    let page = page(&results);
    let origin = page.by_id("origin");
    assert_eq!(origin.all("ul")[1].all("li").len(), 500);
    assert!(origin.text().contains("and 734 more."));
    assert!(
        origin
            .text()
            .contains("Cut here; the whole plan is in plan.yaml.")
    );
    assert_eq!(file(&results, "plan.yaml").len(), 200_001);
}

#[test]
fn organisations_and_institutions_have_tables_of_their_own() {
    let page = page(&sample());
    let tables = page.by_id("operations").all("table");
    let groups = rows(tables[1]);
    assert_eq!(groups[0][..3], ["community", "421", "412"]);
    assert_eq!(groups[0][6], "97.9 %");
    assert_eq!(groups[1][6], "100 %");
    let institutions = rows(tables[2]);
    assert_eq!(
        institutions[1][..5],
        ["community-2", "409", "400", "0", "9"]
    );
}

#[test]
fn a_window_stands_beside_the_run_without_its_fault() {
    let page = page(&sample());
    let section = page.by_id("resilience");
    let tables = section.all("table");
    assert_eq!(tables.len(), 4, "faults; throughput, latency, safety");
    let throughput = rows(tables[1]);
    // Before, during, without it, left, after.
    assert_eq!(throughput[0][1..], ["0.42", "0.21", "0.42", "50 %", "0.44"]);
    let latency = rows(tables[2]);
    assert_eq!(
        latency[0][1..],
        [
            "612 ms / 1.2 s",
            "641 ms / 11.4 s",
            "611 ms / 1.2 s",
            "610 ms / 1.19 s",
            "184 ms"
        ]
    );
    let safety = rows(tables[3]);
    let expected = ["11.4 s", "0 s", "0", "0", "pass", "pass"];
    assert_eq!(safety[0][1..], expected);
    assert!(
        section
            .text()
            .replace('\u{a0}', " ")
            .contains("3 further runs")
    );
    // Without pairs the columns of the run itself stay.
    let mut results = sample();
    for row in &mut results.outcome.resilience {
        row.pair = None;
    }
    let page = self::page(&results);
    let section = page.by_id("resilience");
    let throughput = rows(section.all("table")[1]);
    assert_eq!(throughput[0][1..], ["0.42", "0.21", "–", "–", "0.44"]);
    assert!(section.text().contains("without its pairs"));
}

#[test]
fn a_service_has_its_outages_and_a_long_run_its_minutes_a_year() {
    let last = |results: &Results| {
        let page = page(results);
        let tables = page.by_id("operations").all("table");
        rows(tables[tables.len() - 1])[0].clone()
    };
    let mut results = sample();
    assert_eq!(
        last(&results),
        [
            "sharing", "11.4 s", "1", "11.4 s", "–", "–", "1 of 1", "40 s"
        ]
    );
    let service = &mut results.outcome.services[0];
    service.unavailable_min_per_year = Some(consim_check::statistics::Interval {
        estimate: 35.0,
        low: 21.5,
        high: 60.0,
        n: 365,
    });
    (service.days, service.days_with_outage) = (365, 12);
    let said = consim_reports::summary(&results);
    assert!(said.contains("unavailable   sharing 35 min"), "{said}");
    let expected = ["35 min", "21 min 30 s to 1 h", "12 of 365"];
    assert_eq!(last(&results)[4..7], expected);
    let service = &mut results.outcome.services[0];
    service.days_with_outage = 0;
    service.days_with_outage_at_most = 0.010_06;
    assert_eq!(last(&results)[6], "0 of 365; at most 1.01 %");
}

#[test]
fn what_goes_between_chains_has_a_table() {
    let mut results = sample();
    let text = |results: &Results| file(results, "report.html");
    assert!(!text(&results).contains("Between the chains"));
    for (path, value) in [
        ("relays.hub.sent", 3_159.0),
        ("relays.hub.delivered", 0.998),
        ("relays.hub.latency_p50", 470.0),
        ("relays.ring.sent", 7.0),
    ] {
        results.outcome.metrics.insert(path.into(), value);
    }
    let html = text(&results);
    let table = html.split("Between the chains").nth(1).unwrap();
    let rows = table.split("</table>").next().unwrap();
    assert!(rows.contains("3,159") && rows.contains("99.8"), "{rows}");
    assert!(rows.contains("470") && rows.contains("ring"), "{rows}");
    assert_eq!(rows.matches("<tr>").count(), 3, "{rows}");
}
