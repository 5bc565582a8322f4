//! `docs/quirks.md` keeps its numbers, and cites tests that there are.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

const QUIRKS: usize = 127;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cells of each row of each table.
fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    page.lines().filter_map(|line| Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect()))
}

/// True where a row of a table in the source begins with the number.
fn has_row(source: &str, number: usize) -> bool {
    let mut tuples = source.split('(').skip(1).map(|tuple| tuple.trim_start().trim_start_matches('"'));
    tuples.any(|tuple| {
        tuple.strip_prefix(&number.to_string()).is_some_and(|rest| rest.trim_start_matches('"').starts_with(','))
    })
}

#[test]
fn every_quirk_is_listed_in_order_with_tests_that_exist() {
    let page = read("docs/quirks.md");
    let places: HashMap<&str, String> = rows(&page)
        .filter(|row| row.len() == 2 && row[1].starts_with('['))
        .map(|row| (row[0].trim_matches('`'), read(row[1].split('`').nth(1).expect("a path"))))
        .collect();
    let mut unmet = Vec::new();
    let mut last = 0;
    for row in rows(&page).filter(|row| row[0].parse::<usize>().is_ok()) {
        let [number, _, outcome, tests] = row[..] else { panic!("{row:?}") };
        let number: usize = number.parse().expect("a number");
        assert_eq!(number, last + 1);
        last = number;
        if outcome.contains("**NOT MET**") {
            unmet.push(number.to_string());
        }
        if tests == "—" {
            assert!(outcome.starts_with("**NOT MET**"), "{number}");
            continue;
        }
        for cited in tests.split("; ") {
            let (place, test) = cited.split_once(' ').expect("a place and a test");
            let source = places.get(place).unwrap_or_else(|| panic!("{number}: {place}"));
            let exists = match test.strip_prefix('(') {
                Some(row) => row == format!("{number})") && has_row(source, number),
                None => source.contains(&format!("fn {test}()")),
            };
            assert!(exists, "{number}: {cited}");
        }
    }
    assert_eq!(last, QUIRKS);
    assert!(page.contains(&format!("in part:** {}.", unmet.join(", "))), "{unmet:?}");
}
