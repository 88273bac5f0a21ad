#![allow(clippy::unwrap_used)]

use super::*;
use consim_check::diagram::{Band, Broken};

fn at(ms: u64) -> Time {
    Time::from_nanos(ms * 1_000_000)
}

fn arrow(from: usize, to: usize, left: u64, ended: u64, arrived: bool) -> Arrow {
    Arrow {
        from,
        to,
        kind: if ended - left > 5 {
            "commit"
        } else {
            "prepare"
        }
        .to_owned(),
        left: at(left),
        ended: at(ended),
        arrived,
    }
}

fn diagram() -> Diagram {
    Diagram {
        title: "tiny: the last moments before agreement is violated".into(),
        from: at(0),
        until: at(40),
        lanes: vec!["a".into(), "b & <c>".into()],
        arrows: vec![
            arrow(0, 1, 1, 4, true),
            arrow(1, 0, 6, 20, true),
            arrow(0, 1, 22, 22, false),
            arrow(0, 1, 38, 50, true),
        ],
        bands: vec![
            Band {
                lane: Some(1),
                from: at(24),
                until: at(30),
                label: "down".into(),
            },
            Band {
                lane: None,
                from: at(2),
                until: at(40),
                label: "cut: partition of a".into(),
            },
        ],
        marks: vec![Mark {
            lane: 0,
            at: at(21),
            kind: MarkKind::Committed,
            label: "14".into(),
        }],
        violation: Some(Broken {
            check: "agreement".into(),
            at: at(40),
            lane: Some(0),
        }),
        left_out: 12,
    }
}

/// How often `part` stands in `text`.
fn times(text: &str, part: &str) -> usize {
    text.matches(part).count()
}

#[test]
fn everything_is_in_the_picture_once() {
    let svg = space_time(&diagram()).unwrap();
    // Heads: one for each message that arrived before the end.
    assert_eq!(times(&svg, "<polygon"), 2);
    // The commit in the picture and in the key, and the ring of the violation.
    assert_eq!(times(&svg, "<circle"), 3);
    for text in [
        "agreement is violated",
        "cut: partition of a",
        "14",
        "prepare",
        "commit",
        "lost",
        "down",
        "12 more messages",
        "b &amp; &lt;c&gt;",
    ] {
        assert!(svg.contains(text), "{text} is missing");
    }
}

#[test]
fn equal_diagrams_give_equal_bytes_and_others_do_not() {
    let one = space_time(&diagram()).unwrap();
    assert_eq!(one, space_time(&diagram()).unwrap());
    let mut other = diagram();
    other.arrows.pop();
    assert_ne!(one, space_time(&other).unwrap());
}

#[test]
fn an_arrow_points_from_sender_to_receiver_and_down() {
    let diagram = diagram();
    let kinds = Kinds::of(&diagram);
    let clock = Clock::new(instants(&diagram), 100.0);
    let sheet = Sheet::new(&diagram, &kinds, &clock, 60.0, 100.0);
    for arrow in &diagram.arrows {
        assert!(sheet.y(arrow.left) <= sheet.y(arrow.ended));
    }
    assert!(sheet.x(0) < sheet.x(1) && sheet.x(1) < WIDTH);
    assert!(
        (sheet.y(at(50)) - sheet.y(at(40))).abs() < 1e-9,
        "cut at the end"
    );
}

#[test]
fn a_diagram_of_nothing_is_drawn() {
    assert!(space_time(&Diagram::default()).unwrap().contains("</svg>"));
}
