//! docs/ECONOMICS.md tells of every way that is simulated, and its table is the simulation's.

use millrace_economics::{
	chain::parameters,
	fraud, grid,
	table::{COMMAND, LUCK, TABLE},
};

const DOCUMENT: &str = include_str!("../../../docs/ECONOMICS.md");

#[test]
fn every_way_to_cheat_has_a_section() {
	for name in grid::names() {
		assert!(
			DOCUMENT
				.lines()
				.any(|line| line.starts_with("### ") && line.contains(&format!("`{name}`"))),
			"docs/ECONOMICS.md has no section for {name}"
		);
	}
}

/// What is computed and not simulated.
#[test]
fn lies_about_calls_have_a_section_with_the_computed_row() {
	let section = DOCUMENT
		.lines()
		.any(|line| line.starts_with("### ") && line.contains("`fraud`"));
	assert!(section, "docs/ECONOMICS.md has no section for fraud");
	let row = fraud::row();
	assert!(
		DOCUMENT.contains(&row),
		"docs/ECONOMICS.md should have the line: {row}"
	);
}

#[test]
fn the_document_names_the_command() {
	assert!(
		DOCUMENT.contains(COMMAND),
		"docs/ECONOMICS.md should name: {COMMAND}"
	);
}

/// Fails until the table is made, and whenever a default has changed since.
#[test]
fn the_table_is_the_simulations() {
	let (attributes, content) = TABLE.find(DOCUMENT).expect("the table's markers are there");
	assert!(
		!content.is_empty(),
		"the table of docs/ECONOMICS.md is still to be produced; this takes less than an hour on two \
		 cores and can be interrupted: {COMMAND}"
	);
	let points = grid::whole();
	let tried = grid::SIZES.iter().flat_map(|peers| {
		let cast = move |point: &grid::Point| point.cast(*peers, grid::SAMPLES);
		points.iter().filter_map(cast)
	});
	let expected = format!(
		"parameters={} epochs={} samples={} points={}",
		parameters(),
		grid::EPOCHS,
		grid::SAMPLES,
		tried.count()
	);
	assert_eq!(
		attributes, expected,
		"the tables of docs/ECONOMICS.md were measured under other defaults, over another grid or in \
		 parts; make them anew: {COMMAND}"
	);
	for name in grid::names() {
		assert!(
			content.contains(&format!("| {name} |")),
			"the table of docs/ECONOMICS.md has no row for {name}; make it anew: {COMMAND}"
		);
	}
	assert!(
		!content.contains("**missed**"),
		"a way to cheat pays: see docs/ECONOMICS.md"
	);
	let (of_luck, luck) = LUCK.find(DOCUMENT).expect("the markers of luck are there");
	assert_eq!(of_luck, attributes, "both tables are made at once");
	assert!(!luck.is_empty());
}
