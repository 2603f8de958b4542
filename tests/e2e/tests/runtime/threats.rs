//! docs/THREATS.md names tests that there are.

use millrace_e2e::binaries;
use std::{
	collections::BTreeSet,
	path::{Path, PathBuf},
};

/// Ways to attack that the page tells of, at least.
const ROWS: usize = 45;
/// Folders of sources.
const SOURCES: [&str; 5] = ["node", "offchain-workers", "pallets", "runtime", "tests"];

#[test]
fn every_threat_names_a_test_that_there_is() {
	let tests = all_tests();
	let page = std::fs::read_to_string(root().join("docs/THREATS.md")).expect("it can be read");
	let rows: Vec<Vec<&str>> = page.lines().filter_map(cells).collect();
	assert!(rows.len() >= ROWS, "{} rows", rows.len());
	for row in rows {
		let [attack, stopped, named, _] = &row[..] else {
			panic!("a row has four cells: {row:?}");
		};
		assert!(!attack.is_empty() && !stopped.is_empty(), "{row:?}");
		let named: Vec<&str> = names(named).collect();
		assert!(!named.is_empty(), "{attack}: no test");
		for name in row.iter().flat_map(|cell| names(cell)) {
			assert!(tests.contains(name), "{attack}: there is no test {name}");
		}
	}
}

/// The repository's folder.
fn root() -> PathBuf {
	let root = binaries::tests().parent().map(PathBuf::from);
	root.expect("the tests are a folder of the repository")
}

/// Names of all tests of the repository.
pub(crate) fn all_tests() -> BTreeSet<String> {
	let mut tests = BTreeSet::new();
	for folder in SOURCES {
		collect(&root().join(folder), &mut tests);
	}
	tests
}

/// The cells of a line that is a row of a table, but for its head.
fn cells(line: &str) -> Option<Vec<&str>> {
	let inner = line.strip_prefix("| ")?.strip_suffix('|')?;
	let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
	(cells[0] != "Attack").then_some(cells)
}

/// What stands in a cell as the name of a function.
fn names(cell: &str) -> impl Iterator<Item = &str> {
	let marked = cell.split('`').skip(1).step_by(2);
	marked.filter(|text| {
		let is_part =
			|sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_';
		text.contains('_') && text.chars().all(is_part)
	})
}

/// Adds the names of all tests below a folder.
fn collect(folder: &Path, tests: &mut BTreeSet<String>) {
	let entries = std::fs::read_dir(folder).expect("sources can be read");
	for entry in entries {
		let path = entry.expect("sources can be read").path();
		if path.is_dir() {
			if !path.ends_with("target") {
				collect(&path, tests);
			}
		} else if path.extension().is_some_and(|ending| ending == "rs") {
			let text = std::fs::read_to_string(&path).expect("sources are text");
			tests.extend(tests_of(&text).map(str::to_string));
		}
	}
}

/// Names of functions behind an attribute that makes them tests.
fn tests_of(text: &str) -> impl Iterator<Item = &str> {
	let mut is_test = false;
	text.lines().filter_map(move |line| {
		let line = line.trim();
		if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
			is_test = true;
			return None;
		}
		let rest = line.strip_prefix("async ").unwrap_or(line);
		let name = rest.strip_prefix("fn ")?.split(['(', '<']).next()?;
		std::mem::take(&mut is_test).then_some(name)
	})
}

#[test]
fn tests_are_told_from_other_functions() {
	let text = "fn helper() {}\n\t#[test]\n\tfn one() {}\n#[tokio::test(flavor = \"x\")]\n\
		#[ignore = \"y\"]\nasync fn two() {}\nfn other<T>() {}";
	assert_eq!(tests_of(text).collect::<Vec<_>>(), ["one", "two"]);
	let named: Vec<_> = names("that `a_test` and `mode = \"off\"`, not a_word").collect();
	assert_eq!(named, ["a_test"]);
	assert_eq!(
		cells("| Attack | What stops it | Test | Not promised |"),
		None
	);
	assert_eq!(cells("|---|---|---|---|"), None);
	assert_eq!(
		cells("| a | b | `c_d` | |"),
		Some(vec!["a", "b", "`c_d`", ""])
	);
}
