//! The plot: shares stand on each other, month by month. All numbers are whole, so that every machine
//! draws the same.

use super::walk::Month;
use millrace_primitives::Balance;
use millrace_runtime::allocation::{Share, SUPPLY};
use std::fmt::Write;

/// Where the axes meet, in pixels.
const ORIGIN: (u32, u32) = (50, 330);
/// Pixels of a month.
const MONTH: u32 = 8;
/// Tenths of pixels of the whole supply.
const HEIGHT: Balance = 3_000;

/// Shares from the bottom up, with their names and colours.
const LAYERS: [(Share, &str, &str); 6] = [
	(Share::Treasury, "treasury", "#4e79a7"),
	(Share::Ecosystem, "ecosystem", "#76b7b2"),
	(Share::DeveloperRewards, "developer rewards", "#edc948"),
	(Share::Team, "team", "#f28e2b"),
	(Share::Backers, "backers", "#e15759"),
	(Share::Capacity, "capacity, at most", "#59a14f"),
];

/// Draws months from 0 on.
pub(super) fn draw(months: &[Month]) -> String {
	let mut svg = String::new();
	let mut line = |text: String| writeln!(svg, "{text}").expect("a text can be longer");
	line(
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 700 370\" \
		 font-family=\"sans-serif\" font-size=\"12\">"
			.into(),
	);
	line("<title>FLT that can be spent, in millions, by month since genesis</title>".into());
	line("<rect width=\"700\" height=\"370\" fill=\"#ffffff\"/>".into());
	line(
		"<text x=\"50\" y=\"18\">millions of FLT that can be spent, by months since genesis</text>"
			.into(),
	);

	let mut below: Vec<Balance> = vec![0; months.len()];
	for (index, (share, name, colour)) in LAYERS.into_iter().enumerate() {
		let above: Vec<Balance> = months
			.iter()
			.zip(&below)
			.map(|(month, below)| below + month.of(share))
			.collect();
		let lower = months.iter().zip(&below).rev();
		let points: Vec<String> = months
			.iter()
			.zip(&above)
			.chain(lower)
			.map(|(month, height)| format!("{},{}", x(month.number), y(*height)))
			.collect();
		line(format!(
			"<polygon fill=\"{colour}\" points=\"{}\"/>",
			points.join(" ")
		));
		let top = 300 - 24 * index;
		line(format!(
			"<rect x=\"550\" y=\"{top}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>"
		));
		line(format!("<text x=\"568\" y=\"{}\">{name}</text>", top + 10));
		below = above;
	}

	let last = months.last().map_or(0, |month| month.number);
	for percent in (0..=100).step_by(20) {
		let height = y(SUPPLY * percent / 100);
		line(format!(
			"<path stroke=\"#888888\" stroke-width=\"0.5\" d=\"M{} {height}H{}\"/>",
			ORIGIN.0,
			x(last)
		));
		line(format!(
			"<text x=\"{}\" y=\"{height}\" text-anchor=\"end\">{}</text>",
			ORIGIN.0 - 6,
			percent * 10
		));
	}
	for month in (0..=last).step_by(12) {
		line(format!(
			"<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{month}</text>",
			x(month),
			ORIGIN.1 + 18
		));
	}
	line("</svg>".into());
	svg
}

fn x(month: u32) -> u32 {
	ORIGIN.0 + month * MONTH
}

/// Tenths of pixels count: a text as SVG has it.
fn y(amount: Balance) -> String {
	let height = (amount * HEIGHT + SUPPLY / 2) / SUPPLY;
	let from_top = Balance::from(ORIGIN.1) * 10 - height;
	format!("{}.{}", from_top / 10, from_top % 10)
}
