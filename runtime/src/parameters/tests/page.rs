//! docs/parameters.md shows the list, and the numbers that are not in it.

use super::{fixed, on_chain};
use crate::Governed;
use millrace_primitives::{
	governance::{ParameterInfo, ParameterKind},
	FLT, U256,
};
use std::fmt::Write;

/// The page.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/parameters.md");
/// What stands behind this line is made of the list.
const MARK: &str = "<!-- Made of the runtime's list: `cargo test -p millrace-runtime -- --ignored writes_the_page`. -->\n";

/// A number with its thousands apart.
pub(super) fn count(value: U256) -> String {
	let digits = value.to_string();
	let mut text = String::new();
	for (index, digit) in digits.chars().enumerate() {
		if index > 0 && (digits.len() - index) % 3 == 0 {
			text.push(',');
		}
		text.push(digit);
	}
	text
}

/// A number of so many decimal places, without zeros at the end.
pub(super) fn decimal(value: U256, places: usize) -> String {
	let one = U256::from(10u32).pow(places.into());
	let (whole, rest) = value.div_mod(one);
	let rest = format!("{:0>places$}", rest.to_string());
	let rest = rest.trim_end_matches('0');
	match rest.is_empty() {
		true => count(whole),
		false => format!("{}.{rest}", count(whole)),
	}
}

fn shown(kind: ParameterKind, value: U256) -> String {
	match kind {
		ParameterKind::Flt => decimal(value, 18),
		ParameterKind::Part => format!("{} %", decimal(value, 7)),
		ParameterKind::U32 | ParameterKind::U64 => count(value),
		// Of a target it tells more how many hashes find one under it.
		ParameterKind::U256 => format!("1 of {}", count(U256::MAX / value)),
	}
}

fn row(info: &ParameterInfo) -> String {
	let [least, most, default] =
		[info.least, info.most, info.default].map(|value| shown(info.kind, value));
	format!(
		"| `{}` | {} | {least} | {most} | {default} | {} |\n",
		info.name, info.unit, info.meaning
	)
}

/// The part of the page that is made of the list.
fn tables() -> String {
	let mut text = String::new();
	let mut group = "";
	let all = Governed::parameters();
	for info in &all {
		let (of, _) = info
			.name
			.split_once('.')
			.expect("a name begins with its group");
		if of != group {
			group = of;
			let track = &info.track;
			write!(
				text,
				"\n## {of}\n\nTrack: `{track}`.\n\n\
				| Parameter | Unit | Least | Most | Default | Meaning |\n|---|---|---|---|---|---|\n"
			)
			.expect("a string takes everything");
		}
		text.push_str(&row(info));
	}
	text.push_str(&fixed::table());
	text
}

/// The page up to its mark, and what comes after.
fn parts() -> (String, String) {
	let page = std::fs::read_to_string(PAGE).expect("the page is there");
	let (head, tail) = page.split_once(MARK).expect("the page has its mark");
	(head.into(), tail.into())
}

#[test]
fn the_page_of_parameters_shows_the_list() {
	on_chain(|| {
		let (_, tail) = parts();
		for (shown, listed) in tail.lines().zip(tables().lines()) {
			assert_eq!(shown, listed);
		}
		assert_eq!(tail, tables());
	});
}

#[test]
#[ignore = "it writes docs/parameters.md anew"]
fn writes_the_page() {
	on_chain(|| {
		let (head, _) = parts();
		let page = format!("{head}{MARK}{}", tables());
		std::fs::write(PAGE, page).expect("the page can be written");
	});
}

#[test]
fn numbers_are_shown_as_people_write_them() {
	assert_eq!(count(1_234_567u32.into()), "1,234,567");
	assert_eq!(count(123u32.into()), "123");
	assert_eq!(shown(ParameterKind::Flt, (FLT / 100).into()), "0.01");
	assert_eq!(shown(ParameterKind::Flt, (1_500 * FLT).into()), "1,500");
	assert_eq!(shown(ParameterKind::Part, 1_000_000u32.into()), "0.1 %");
	assert_eq!(shown(ParameterKind::Part, 1_000_000_000u32.into()), "100 %");
	assert_eq!(shown(ParameterKind::U256, U256::MAX), "1 of 1");
}
