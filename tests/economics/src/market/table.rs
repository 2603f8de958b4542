//! The table of docs/ECONOMICS.md about the market.

use super::{parameters, Case, NAMES};
use crate::table::Markers;
use std::fmt::Write;

/// What the table stands between.
pub const TABLE: Markers = Markers::new("<!-- market:begin", "<!-- market:end -->");
/// The command that makes it.
pub const COMMAND: &str = "cargo run --release --locked -p millrace-economics -- \
	--market --update docs/ECONOMICS.md";

/// A document with the table made of all cases; what is missing in it, if it cannot be made.
pub fn update(text: &str, cases: &[Case]) -> Result<String, String> {
	let attributes = format!("parameters={} points={}", parameters(), cases.len());
	TABLE
		.replace(text, &attributes, &table(cases))
		.ok_or_else(|| "the document has no markers of the market's table".into())
}

/// The worst points of a way: for each of its measures the one that comes closest to what the formula
/// allows, and among equals the one at which most is found.
pub fn worst<'a>(cases: &'a [Case], cheat: &str) -> Vec<&'a Case> {
	let mut found: Vec<&Case> = Vec::new();
	for case in cases.iter().filter(|case| case.cheat == cheat) {
		// Numbers that differ by rounding alone are equal.
		let is_more = |one: f64, other: f64| one > other + 1e-9;
		let is_worse = |case: &Case, other: &Case| {
			let (excess, known) = (case.found - case.bound, other.found - other.bound);
			let is_equal = !is_more(known, excess);
			is_more(excess, known) || (is_equal && is_more(case.found, other.found))
		};
		match found.iter().position(|other| other.measure == case.measure) {
			Some(at) if is_worse(case, found[at]) => found[at] = case,
			Some(_) => {}
			None => found.push(case),
		}
	}
	found
}

/// A row for each way and measure, at its worst point.
pub fn table(cases: &[Case]) -> String {
	let mut table = String::from(
		"| cheat | worst point | measured | found | formula allows | bar |\n|---|---|---|---|---|---|\n",
	);
	for case in NAMES.into_iter().flat_map(|name| worst(cases, name)) {
		let bar = if case.holds() { "held" } else { "**missed**" };
		let _ = writeln!(
			table,
			"| {} | {} | {} | {} | {} | {bar} |",
			case.cheat,
			case.point,
			case.measure,
			number(case.found),
			number(case.bound),
		);
	}
	table
}

/// A number without the zeros behind its point, and never one that is less than nothing by rounding.
fn number(number: f64) -> String {
	let text = format!("{number:.4}");
	let text = text.trim_end_matches('0').trim_end_matches('.');
	match text {
		"-0" => "0".into(),
		text => text.into(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn case(measure: &'static str, found: f64, bound: f64) -> Case {
		Case {
			cheat: "grace_abuse",
			point: format!("found {found}"),
			measure,
			found,
			bound,
		}
	}

	#[test]
	fn each_measure_is_shown_at_its_worst_point() {
		let cases = [
			case("epochs", 2.0, 4.0),
			case("epochs", 1.0, 2.0),
			case("epochs", 5.0, 6.0),
			case("FLT", 0.25, 0.125),
		];
		let found = worst(&cases, "grace_abuse");
		assert_eq!(found, [&cases[2], &cases[3]]);
		assert!(worst(&cases, "wash_deal").is_empty());
		let table = table(&cases);
		assert!(table.contains("| grace_abuse | found 5 | epochs | 5 | 6 | held |"));
		assert!(table.contains("| grace_abuse | found 0.25 | FLT | 0.25 | 0.125 | **missed** |"));
		assert_eq!(table.lines().count(), 4);
	}

	#[test]
	fn the_table_is_put_between_its_markers() {
		let text = "a\n<!-- market:begin -->\n<!-- market:end -->\nb";
		let cases = [case("FLT", 1.0, 1.0)];
		let once = update(text, &cases).unwrap();
		assert!(once.starts_with("a\n") && once.ends_with("\nb"));
		let (attributes, content) = TABLE.find(&once).unwrap();
		assert_eq!(attributes, format!("parameters={} points=1", parameters()));
		assert!(content.contains("grace_abuse"));
		assert_eq!(update(&once, &cases).unwrap(), once);
		assert!(update("no markers", &cases).is_err());
	}

	#[test]
	fn numbers_are_short_and_zero_has_no_sign() {
		for (given, expected) in [
			(0.0, "0"),
			(-0.000_01, "0"),
			(12.0, "12"),
			(0.333_33, "0.3333"),
			(-1.5, "-1.5"),
			(10.0, "10"),
		] {
			assert_eq!(number(given), expected);
		}
	}
}
