//! docs/TOKENOMICS.md tells what the runtime does: the months of a chain's life are lived through, and
//! compared with its table and its plot.

mod plot;
mod walk;

use millrace_primitives::{Balance, FLT};
use millrace_runtime::allocation::{Share, SUPPLY};
use std::{env, fs, path::Path};
use walk::{walk, Month};

const DOCUMENT: &str = include_str!("../../../../../docs/TOKENOMICS.md");
const PLOT: &str = include_str!("../../../../../docs/tokenomics.svg");
/// Last month of table and plot.
const LAST: u32 = 60;

/// Columns of the table, between those of the month and of the sums.
const COLUMNS: [(&str, Share); 6] = [
	("developer rewards", Share::DeveloperRewards),
	("capacity", Share::Capacity),
	("team", Share::Team),
	("backers", Share::Backers),
	("treasury", Share::Treasury),
	("ecosystem", Share::Ecosystem),
];

/// An amount in so many parts of the supply, rounded, with so many of them before the point.
fn parts(amount: Balance, of_supply: Balance, whole: Balance) -> String {
	let each = SUPPLY / of_supply;
	let parts = (amount + each / 2) / each;
	let digits = whole.ilog10() as usize;
	format!("{}.{:0digits$}", parts / whole, parts % whole)
}

/// Millions of FLT, to a tenth.
fn millions(amount: Balance) -> String {
	parts(amount, 10_000, 10)
}

/// A row of the table.
fn row(month: &Month) -> String {
	let shares: Vec<String> = COLUMNS
		.iter()
		.map(|(_, share)| millions(month.of(*share)))
		.collect();
	let together = month.together();
	format!(
		"| {} | {} | {} | {} % |",
		month.number,
		shares.join(" | "),
		millions(together),
		// Of a hundred, to a hundredth.
		parts(together, 10_000, 100)
	)
}

/// Lines of a table of the document, by the name of its markers.
fn lines(name: &str) -> Vec<&'static str> {
	let (from, to) = (format!("<!-- {name} -->"), format!("<!-- /{name} -->"));
	let (_, rest) = DOCUMENT.split_once(&from).expect("the table begins");
	let (table, _) = rest.split_once(&to).expect("the table ends");
	// Behind its head and the line under it.
	table.trim().lines().skip(2).collect()
}

#[test]
fn the_months_are_those_of_the_table() {
	let months = walk(LAST);
	let written = lines("months");
	let numbers: Vec<usize> = written
		.iter()
		.map(|line| {
			let cell = line.split('|').nth(1).expect("a row has cells");
			cell.trim().parse().expect("a month has a number")
		})
		.collect();
	for needed in [0, 1, 2, 3, 24, LAST as usize] {
		assert!(numbers.contains(&needed), "the table lacks month {needed}");
	}
	let lived: Vec<String> = numbers.iter().map(|number| row(&months[*number])).collect();
	assert_eq!(written, lived, "{}", lived.join("\n"));
}

#[test]
fn a_twentieth_circulates_at_first_and_45_percent_after_two_years() {
	let months = walk(24);
	let part = |month: usize| parts(months[month].together(), 10_000, 100);
	assert_eq!(part(0), "5.00");
	let later = months[24].together() * 1_000 / SUPPLY;
	assert!((440..=460).contains(&later), "{} %", part(24));
	println!(
		r#"{{"measure":"tokenomics","circulating_at_first_percent":{},"unlocked_after_24_months_percent":{}}}"#,
		part(0),
		part(24)
	);
}

#[test]
fn nothing_that_was_unlocked_is_locked_again_and_no_share_is_exceeded() {
	let months = walk(LAST);
	for pair in months.windows(2) {
		for share in Share::ALL {
			let (before, after) = (pair[0].of(share), pair[1].of(share));
			assert!(before <= after, "{share:?} in month {}", pair[1].number);
			assert!(after <= share.amount(), "{share:?}");
		}
	}
}

/// All that is locked unlocks, to the unit that an account keeps.
#[test]
fn all_that_people_have_is_unlocked_in_the_end() {
	let months = walk(LAST + 1);
	let last = months.last().expect("there are some");
	for share in [
		Share::Team,
		Share::Backers,
		Share::Treasury,
		Share::Ecosystem,
	] {
		let locked = share.amount() - last.of(share);
		assert!(locked < FLT, "{share:?}: {locked}");
	}
}

#[test]
fn the_allocation_is_that_of_the_table() {
	let expected: Vec<String> = COLUMNS
		.iter()
		.map(|(name, share)| {
			let free = match share.unlocking() {
				Some(_) => millions(share.free()),
				None => "0.0".into(),
			};
			format!(
				"| {name} | {} | {} % | {free} |",
				millions(share.amount()),
				share.amount() * 100 / SUPPLY
			)
		})
		.collect();
	let written = lines("allocation");
	// Each line goes on in words.
	for (line, start) in written.iter().zip(&expected) {
		assert!(
			line.starts_with(start),
			"{line}\nshould begin with\n{start}"
		);
	}
	assert_eq!(written.len(), expected.len());
}

/// With `MILLRACE_UPDATE_DOCS` in the environment, the plot is drawn anew.
#[test]
fn the_plot_is_drawn_from_these_months() {
	let drawn = plot::draw(&walk(LAST));
	if env::var_os("MILLRACE_UPDATE_DOCS").is_some() {
		let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tokenomics.svg");
		fs::write(path, &drawn).expect("the documents are writable");
		return;
	}
	assert!(
		drawn == PLOT,
		"docs/tokenomics.svg shows something else; draw it anew: MILLRACE_UPDATE_DOCS=1 cargo test \
		 --release -p millrace-e2e --test runtime tokenomics"
	);
}
