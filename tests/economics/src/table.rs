//! The tables of docs/ECONOMICS.md.

use crate::{grid, rows::Row, work::UNITS_OF_PEER};
use pallet_capacity::CapacityParams;
use serde_json::{Map, Value};
use std::{cmp::Ordering, collections::BTreeSet, fmt::Write};

/// What the table of the bar stands between.
pub const TABLE: Markers = Markers {
	begin: "<!-- economics:begin",
	end: "<!-- economics:end -->",
};
/// What the table of luck stands between.
pub const LUCK: Markers = Markers {
	begin: "<!-- luck:begin",
	end: "<!-- luck:end -->",
};
/// The command that makes both tables.
pub const COMMAND: &str = "cargo run --release --locked -p millrace-economics -- \
	--resume target/economics.jsonl --update docs/ECONOMICS.md";

/// Comments between which a table stands in a document.
#[derive(Clone, Copy, Debug)]
pub struct Markers {
	begin: &'static str,
	end: &'static str,
}

impl Markers {
	/// Two comments; the opening one has attributes behind what is given here.
	pub(crate) const fn new(begin: &'static str, end: &'static str) -> Self {
		Self { begin, end }
	}

	/// What stands in the opening comment, and between the two; `None` unless both are there.
	pub fn find<'a>(&self, text: &'a str) -> Option<(&'a str, &'a str)> {
		let after = text.split_once(self.begin)?.1;
		let (attributes, after) = after.split_once("-->")?;
		let (content, _) = after.split_once(self.end)?;
		Some((attributes.trim(), content.trim()))
	}

	/// The text with other attributes and another content; `None` unless both markers are there.
	pub fn replace(&self, text: &str, attributes: &str, content: &str) -> Option<String> {
		let (head, after) = text.split_once(self.begin)?;
		let (_, tail) = after.split_once(self.end)?;
		let (begin, end) = (self.begin, self.end);
		Some(format!(
			"{head}{begin} {attributes} -->\n\n{content}\n{end}{tail}"
		))
	}
}

/// A document with both tables made of all rows; what is missing in it, if it cannot be made.
pub fn update(text: &str, rows: &[Row]) -> Result<String, String> {
	let first = rows.first().ok_or("there are no results")?;
	let points: BTreeSet<_> = rows.iter().map(Row::key).collect();
	let attributes = format!(
		"parameters={} epochs={} samples={} points={}",
		first.parameters,
		first.epochs,
		first.wanted,
		points.len()
	);
	let missing =
		|markers: Markers| format!("the document has no {} … {}", markers.begin, markers.end);
	let text = TABLE
		.replace(text, &attributes, &bar_table(rows))
		.ok_or_else(|| missing(TABLE))?;
	LUCK.replace(&text, &attributes, &luck_table(rows))
		.ok_or_else(|| missing(LUCK))
}

/// The worst point of a way among those with a bar: the one with fewest samples below honest work,
/// and among equals the one that comes closest to it.
pub fn worst<'a>(rows: &'a [Row], cheat: &str) -> Option<&'a Row> {
	rows.iter()
		.filter(|row| row.cheat == cheat && !row.luck)
		.min_by(|a, b| {
			let by_samples = a.below.total_cmp(&b.below);
			by_samples.then_with(|| b.margin_p99.total_cmp(&a.margin_p99))
		})
}

/// A row for each way, at its worst point.
pub fn bar_table(rows: &[Row]) -> String {
	let mut table = String::from(
		"| cheat | worst point | peers | h/r | honest, median FLT | cheat, median FLT | \
		 cheat − honest, 99th percentile | samples below honest | bar |\n\
		 |---|---|---|---|---|---|---|---|---|\n",
	);
	for row in grid::names()
		.into_iter()
		.filter_map(|name| worst(rows, name))
	{
		let bar = if row.holds() { "held" } else { "**missed**" };
		let _ = writeln!(
			table,
			"| {} | {} | {} | {} | {:.4} | {:.4} | {:.4} | {} of {} | {bar} |",
			row.cheat,
			point_text(&row.point),
			row.peers,
			row.hashing(),
			row.honest_median,
			row.cheat_median,
			row.margin_p99,
			(row.below * row.samples as f64).round(),
			row.samples,
		);
	}
	table
}

/// A row for each point that shows what luck can do, at the cost of hashing at which it does most.
pub fn luck_table(rows: &[Row]) -> String {
	let mut table = String::from(
		"| cheat | point | peers | samples above honest | never drawn on a fake, computed | \
		 cheat − honest, mean FLT |\n|---|---|---|---|---|---|\n",
	);
	let mut of_luck: Vec<&Row> = rows.iter().filter(|row| row.luck).collect();
	of_luck.sort_by(|a, b| match a.key().cmp(&b.key()) {
		Ordering::Equal => b.margin_mean.total_cmp(&a.margin_mean),
		order => order,
	});
	of_luck.dedup_by_key(|row| row.key());
	for row in of_luck {
		let part = row.point.get("part").and_then(Value::as_f64).unwrap_or(1.0);
		let lone = row.point.get("hand").and_then(Value::as_str) == Some("lone");
		let units = if lone { UNITS_OF_PEER } else { 1 };
		let _ = writeln!(
			table,
			"| {} | {} | {} | {:.1} % | {:.1} % | {:.4} |",
			row.cheat,
			point_text(&row.point),
			row.peers,
			(1.0 - row.below) * 100.0,
			unseen(row.peers, units, part, row.epochs) * 100.0,
			row.margin_mean,
		);
	}
	table
}

/// Parameters of a point, without the cost of hashing.
fn point_text(point: &Map<String, Value>) -> String {
	let mut pairs: Vec<String> = point
		.iter()
		.filter(|(name, _)| *name != "h")
		.map(|(name, value)| match value {
			Value::String(text) => format!("{name} {text}"),
			other => format!("{name} {other}"),
		})
		.collect();
	pairs.sort();
	pairs.join(", ")
}

/// Chance that none of so many audits, of a peer of so many units that makes a part of its solutions
/// up, opens one of these: in a network of so many peers of the usual size.
pub fn unseen(peers: u32, units: u32, part: f64, epochs: u32) -> f64 {
	let seen = 1.0 - (1.0 - part).powi(3);
	(1.0 - drawn(peers, units) * seen).powf(f64::from(epochs))
}

/// Chance that a peer of so many units is drawn in an epoch, in a network of so many peers of the
/// usual size.
pub fn drawn(peers: u32, units: u32) -> f64 {
	let params = CapacityParams::default();
	let saved = params.reward_target_per_unit + params.slash_rate.mul_ceil(params.stake_per_unit);
	let ratio = 3.0 * saved as f64 / params.stake_per_unit as f64;
	let all = f64::from(peers) * f64::from(UNITS_OF_PEER);
	let deterring = (ratio * all / (1.0 - ratio)).ceil();
	let audits = deterring
		.max(f64::from(params.audits_per_epoch))
		.min(f64::from(peers));
	(audits * f64::from(units) / all).min(1.0)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn sample(cheat: &str, below: f64, margin_p99: f64, luck: bool) -> Row {
		let mut point = Map::new();
		point.insert("part".into(), 0.5.into());
		point.insert("hand".into(), "lone".into());
		point.insert("h".into(), 0.95.into());
		Row {
			measure: "economics".into(),
			cheat: cheat.into(),
			point,
			peers: 100_000,
			epochs: 1_000,
			wanted: 300,
			samples: 300,
			below,
			margin_p99,
			margin_mean: -1.0,
			margin_spread: 0.1,
			honest_median: 0.3,
			cheat_median: -0.7,
			harm: 0.0,
			luck,
			seconds: 1.0,
			parameters: "0x00".into(),
		}
	}

	#[test]
	fn the_worst_point_is_shown() {
		let rows = [
			sample("fake_leaves", 1.0, -0.1, false),
			sample("fake_leaves", 1.0, -0.01, false),
			sample("fake_leaves", 0.5, 0.1, true),
			sample("self_deal", 0.98, 0.2, false),
		];
		assert_eq!(worst(&rows, "fake_leaves").unwrap().margin_p99, -0.01);
		let table = bar_table(&rows);
		assert!(table.contains("| fake_leaves | hand lone, part 0.5 | 100000 | 0.95 | 0.3000 |"));
		assert!(table.contains("| -0.0100 | 300 of 300 | held |"));
		assert!(table.contains("294 of 300 | **missed** |"));
		assert_eq!(luck_table(&rows).lines().count(), 3);
	}

	#[test]
	fn a_table_is_replaced_and_the_rest_stays() {
		let text = "before\n<!-- economics:begin -->\nold\n<!-- economics:end -->\nbetween\n\
			<!-- luck:begin -->\n<!-- luck:end -->\nafter";
		assert_eq!(TABLE.find(text), Some(("", "old")));
		let rows = [sample("fake_leaves", 1.0, -0.1, false)];
		let once = update(text, &rows).unwrap();
		assert!(once.starts_with("before\n") && once.ends_with("\nafter"));
		assert!(once.contains("between") && !once.contains("old"));
		let (attributes, content) = TABLE.find(&once).unwrap();
		assert_eq!(
			attributes,
			"parameters=0x00 epochs=1000 samples=300 points=1"
		);
		assert!(content.contains("fake_leaves"));
		assert_eq!(update(&once, &rows).unwrap(), once);
		assert!(update("no markers", &rows).is_err());
		assert!(update(text, &[]).is_err());
	}

	#[test]
	fn luck_is_computed_as_it_is() {
		// 2,649 of 800,000 units are drawn: a unit has 0.33 %, a peer of eight 2.65 %.
		assert!((unseen(100_000, 1, 1.0, 1_000) - 0.036).abs() < 0.002);
		assert!((unseen(100_000, 8, 0.125, 1_000) - 0.000_16).abs() < 0.000_1);
		assert!(unseen(100_000, 8, 1.0, 1_000) < 1e-11);
		assert_eq!(unseen(100, 8, 1.0, 1), 0.0);
	}
}
