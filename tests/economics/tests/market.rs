//! Ways to cheat on the market: none comes to more than its formula allows, docs/ECONOMICS.md tells of
//! each, and its table is the simulation's.

use millrace_economics::market::{self, Case, COMMAND, NAMES, TABLE};
use std::{collections::BTreeSet, sync::OnceLock};

const DOCUMENT: &str = include_str!("../../../docs/ECONOMICS.md");

/// Every point, simulated once for all tests.
fn cases() -> &'static [Case] {
	static CASES: OnceLock<Vec<Case>> = OnceLock::new();
	CASES.get_or_init(market::all)
}

#[test]
fn nothing_comes_to_more_than_its_formula_allows() {
	let missed: Vec<_> = cases().iter().filter(|case| !case.holds()).collect();
	assert!(missed.is_empty(), "{missed:#?}");
}

#[test]
fn every_way_on_the_market_is_simulated_and_has_a_section() {
	let simulated: BTreeSet<_> = cases().iter().map(|case| case.cheat).collect();
	assert_eq!(simulated, BTreeSet::from(NAMES));
	for name in NAMES {
		let section = DOCUMENT
			.lines()
			.any(|line| line.starts_with("### ") && line.contains(&format!("`{name}`")));
		assert!(section, "docs/ECONOMICS.md has no section for {name}");
	}
}

/// A simulation in which nothing happens would hold every bar.
#[test]
fn what_is_measured_happens() {
	let found = |cheat: &str, measure: &str| {
		let case = market::worst(cases(), cheat)
			.into_iter()
			.find(|case| case.measure == measure);
		case.expect("it is measured").found
	};
	// A deal without a worker costs nobody anything.
	assert!(found("wash_deal", "gain of both accounts, FLT") < 0.0);
	assert!(found("undeployable_deal", "client's gain, FLT") > 0.0);
	assert!(found("book_flooding", "blocks until a deal behind it is matched") > 1.0);
	assert!(
		found(
			"dead_offers",
			"epochs until a worker is assigned, the client waits"
		) > 0.0
	);
	assert!(found("price_baiting", "paid for one place and epoch, prices") > 1.0);
	assert!(found("grace_abuse", "part of the price that is saved") > 0.0);
}

/// Fails until the table is made, and whenever a default or a rule has changed what it says.
#[test]
fn the_table_of_the_market_is_the_simulations() {
	let (attributes, content) = TABLE.find(DOCUMENT).expect("the table's markers are there");
	let expected = format!(
		"parameters={} points={}",
		market::parameters(),
		cases().len()
	);
	let table = market::table(cases());
	assert!(
		(attributes, content) == (expected.as_str(), table.trim()),
		"the market's table of docs/ECONOMICS.md is not what the simulation says; this makes it anew, in \
		 seconds: {COMMAND}\n{table}"
	);
	assert!(DOCUMENT.contains(COMMAND), "it should name: {COMMAND}");
}
