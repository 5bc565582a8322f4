//! The lists of `docs` keep their numbers, and cite tests that there are.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

const QUIRKS: usize = 127;
const NEGOTIATION: usize = 17;
const AUTHENTICATION: usize = 13;

fn read(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The cells of each row of each table.
fn rows(page: &str) -> impl Iterator<Item = Vec<&str>> {
    page.lines().filter_map(|line| Some(line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect()))
}

/// True where a row of a table in the source begins with the number.
fn has_row(source: &str, number: &str) -> bool {
    let mut tuples = source.split('(').skip(1).map(|tuple| tuple.trim_start().trim_start_matches('"'));
    tuples.any(|tuple| tuple.strip_prefix(number).is_some_and(|rest| rest.trim_start_matches('"').starts_with(',')))
}

/// Where the tests are that a page cites: the file of each place.
struct Places(HashMap<String, String>);

impl Places {
    fn of(page: &str) -> Self {
        let tables = rows(page).filter(|row| row.len() == 2 && row[1].starts_with('['));
        let read = |cell: &str| read(cell.split('`').nth(1).expect("a path"));
        Places(tables.map(|row| (row[0].trim_matches('`').to_owned(), read(row[1]))).collect())
    }

    /// What is cited is there: a test, one that is made for each runtime, or the row of that number.
    fn check(&self, id: &str, tests: &str) {
        for cited in tests.split("; ") {
            let (place, test) = cited.split_once(' ').expect("a place and a test");
            let source = self.0.get(place).unwrap_or_else(|| panic!("{id}: {place}"));
            let exists = match test.strip_prefix('(') {
                Some(row) => row == format!("{id})") && has_row(source, id),
                None => source.contains(&format!("fn {test}()")) || source.contains(&format!(" {test} = ")),
            };
            assert!(exists, "{id}: {cited}");
        }
    }
}

#[test]
fn every_quirk_is_listed_in_order_with_tests_that_exist() {
    let page = read("docs/quirks.md");
    let places = Places::of(&page);
    let mut unmet = Vec::new();
    let mut last = 0;
    for row in rows(&page).filter(|row| row[0].parse::<usize>().is_ok()) {
        let [number, _, outcome, tests] = row[..] else { panic!("{row:?}") };
        last += 1;
        assert_eq!(number, last.to_string());
        if outcome.contains("**NOT MET**") {
            unmet.push(number);
        }
        if tests == "—" {
            assert!(outcome.starts_with("**NOT MET**"), "{number}");
        } else {
            places.check(number, tests);
        }
    }
    assert_eq!(last, QUIRKS);
    assert!(page.contains(&format!("in part:** {}.", unmet.join(", "))), "{unmet:?}");
}

#[test]
fn every_threat_on_the_way_in_is_listed_with_tests_that_exist() {
    let page = read("docs/logging-in.md");
    let places = Places::of(&page);
    let ids = (1..=NEGOTIATION).map(|n| format!("N{n}")).chain((1..=AUTHENTICATION).map(|n| format!("A{n}")));
    let rows: Vec<_> = rows(&page).filter(|row| row[0].starts_with(['N', 'A']) && row.len() == 4).collect();
    assert_eq!(rows.iter().map(|row| row[0].to_owned()).collect::<Vec<_>>(), ids.collect::<Vec<_>>());
    for row in rows {
        places.check(row[0], row[3]);
    }
}
