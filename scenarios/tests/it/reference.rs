//! The reference page is what the schema says.

/// `CONSIM_BLESS=1 cargo test -p consim-scenarios --test it reference` writes the page anew.
#[test]
fn the_reference_is_written_from_the_schema() {
    let path = crate::support::root().join("docs/scenario-reference.md");
    let page = consim_scenarios::reference::markdown();
    if std::env::var_os("CONSIM_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/scenario-reference.md is out of date; see this test"
    );
    assert!(page.lines().count() > 150);
}
