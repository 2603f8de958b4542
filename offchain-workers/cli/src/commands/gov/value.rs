//! Values of parameters as people write them.

use crate::{
	arguments,
	errors::{CliError, Result},
};
use millrace_client::amounts;
use millrace_primitives::{
	governance::{ParameterInfo, ParameterKind},
	U256,
};
use serde_json::{json, Map};
use sp_arithmetic::Perbill;

/// Digits up to which a number of 256 bits is shown in the decimal system.
const READABLE_BITS: usize = 64;

/// Reads a value of a parameter, such as `0.02 FLT`, `2%` or `40 blocks`.
pub(super) fn parse(info: &ParameterInfo, text: &str) -> Result<U256> {
	let parsed = match info.kind {
		ParameterKind::Flt => amounts::parse(text)
			.map(U256::from)
			.map_err(|error| error.to_string()),
		ParameterKind::Part => arguments::percent(text).map(|part| U256::from(part.deconstruct())),
		ParameterKind::U32 | ParameterKind::U64 | ParameterKind::U256 => number(info, text),
	};
	parsed.map_err(|reason| {
		CliError::usage("bad_value", format!("{}: {reason}", info.name))
			.hint(format!("it takes {}", range(info)))
	})
}

/// A number, with the parameter's unit behind it or alone; of 256 bits also in hexadecimal.
fn number(info: &ParameterInfo, text: &str) -> std::result::Result<U256, String> {
	let text = text.trim();
	if let Some(digits) = text.strip_prefix("0x") {
		if info.kind == ParameterKind::U256 && !digits.is_empty() {
			return digits
				.parse()
				.map_err(|_| format!("\"{text}\" is no number of 256 bits in hexadecimal"));
		}
	}
	let end = text
		.find(|c: char| !c.is_ascii_digit() && c != '_')
		.unwrap_or(text.len());
	let (digits, unit) = text.split_at(end);
	let digits = digits.replace('_', "");
	if digits.is_empty() {
		return Err(format!("\"{text}\" is not a whole number"));
	}
	if !is_unit(&info.unit, unit.trim()) {
		return Err(format!(
			"\"{}\" is not its unit; it counts {}",
			unit.trim(),
			info.unit
		));
	}
	U256::from_dec_str(&digits).map_err(|_| format!("{digits} is more than 256 bits hold"))
}

/// Whether a word is a unit, or its first word, also where one of many is written.
fn is_unit(unit: &str, word: &str) -> bool {
	let first = unit.split_whitespace().next().unwrap_or_default();
	let one = first.strip_suffix('s').unwrap_or(first);
	word.is_empty() || [unit, first, one].contains(&word)
}

/// A value as people read it, with its unit.
pub(super) fn format(info: &ParameterInfo, value: U256) -> String {
	match (info.kind, u128::try_from(value)) {
		(ParameterKind::Flt, Ok(amount)) => amounts::format(amount),
		(ParameterKind::Part, Ok(parts)) => {
			let parts = u32::try_from(parts).unwrap_or(u32::MAX);
			format!("{:?}", Perbill::from_parts(parts))
		}
		_ if value.bits() > READABLE_BITS => format!("{value:#x}"),
		_ if info.unit.is_empty() => value.to_string(),
		_ => format!("{value} {}", info.unit),
	}
}

/// What a parameter takes.
pub(super) fn range(info: &ParameterInfo) -> String {
	format!(
		"{} to {}",
		format(info, info.least),
		format(info, info.most)
	)
}

/// Refuses a value that the chain would refuse when it is set.
pub(super) fn check(info: &ParameterInfo, value: U256) -> Result<()> {
	if info.allows(value) {
		return Ok(());
	}
	let side = match value < info.least {
		true => "below",
		false => "above",
	};
	let (name, value) = (&info.name, format(info, value));
	let message = format!("{name} takes {}, and {value} is {side} that", range(info));
	let details = Map::from_iter([
		("parameter".to_string(), json!(info.name)),
		("least".to_string(), json!(info.least.to_string())),
		("most".to_string(), json!(info.most.to_string())),
	]);
	Err(CliError::usage("out_of_bounds", message).details(details))
}

/// The value that an encoded argument of `Governed.set` gives a parameter, if it is this one.
pub(super) fn in_argument(info: &ParameterInfo, argument: &[u8]) -> Option<U256> {
	let bytes = argument.strip_prefix(&info.key[..])?.strip_prefix(&[1])?;
	let value = (bytes.len() <= 32).then(|| U256::from_little_endian(bytes))?;
	// What is shorter or longer than a value is something else.
	(info.parameter(value)? == argument).then_some(value)
}

#[cfg(test)]
pub(super) fn sample(name: &str, kind: ParameterKind, unit: &str) -> ParameterInfo {
	ParameterInfo {
		name: name.into(),
		unit: unit.into(),
		kind,
		key: vec![3, 7],
		value: 40.into(),
		in_force: 40.into(),
		least: 2.into(),
		most: 50.into(),
		default: 40.into(),
		meaning: "Blocks in which a probe is answered.".into(),
		track: "market".into(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::FLT;

	fn blocks() -> ParameterInfo {
		sample("market.probe_blocks", ParameterKind::U32, "blocks")
	}

	#[test]
	fn values_are_read_as_they_are_written() {
		let price = sample(
			"market.min_price",
			ParameterKind::Flt,
			"FLT per unit and epoch",
		);
		let part = sample("market.burn", ParameterKind::Part, "part");
		let target = sample("capacity.hardest", ParameterKind::U256, "");
		let blocks = blocks();
		let cases = [
			(&price, "0.001FLT", U256::from(FLT / 1_000)),
			(&price, "7 unit", U256::from(7)),
			(&part, "2%", U256::from(20_000_000)),
			(&blocks, "40 blocks", U256::from(40)),
			(&blocks, "1_000", U256::from(1_000)),
			(&blocks, "1block", U256::from(1)),
			(&target, "0xff", U256::from(255)),
			(&target, "12", U256::from(12)),
		];
		for (info, text, value) in cases {
			assert_eq!(parse(info, text).ok(), Some(value), "{text}");
		}
		let refused = [
			(&price, "0.001"),
			(&part, "2"),
			(&blocks, "40 epochs"),
			(&blocks, "40%"),
			(&blocks, "4.5 blocks"),
			(&blocks, "0x10"),
			(&blocks, "-1"),
			(&target, "0x"),
		];
		for (info, text) in refused {
			let error = parse(info, text).expect_err(text);
			assert_eq!(error.code, "bad_value", "{text}");
			assert!(error.hint.is_some(), "{text}");
		}
	}

	#[test]
	fn what_is_shown_can_be_written() {
		let price = sample(
			"market.min_price",
			ParameterKind::Flt,
			"FLT per unit and epoch",
		);
		let part = sample("market.burn", ParameterKind::Part, "part");
		let target = sample("capacity.hardest", ParameterKind::U256, "");
		for (info, value, text) in [
			(&price, U256::from(FLT / 50), "0.02 FLT"),
			(&part, U256::from(5_000_000), "0.5%"),
			(&blocks(), U256::from(40), "40 blocks"),
			(&target, U256::from(12), "12"),
		] {
			assert_eq!(format(info, value), text);
			assert_eq!(parse(info, text).ok(), Some(value), "{text}");
		}
		let large = U256::MAX >> 4;
		assert_eq!(parse(&target, &format(&target, large)).ok(), Some(large));
	}

	#[test]
	fn what_is_out_of_bounds_is_refused_with_the_bounds() {
		assert!(check(&blocks(), 2.into()).is_ok() && check(&blocks(), 50.into()).is_ok());
		for (value, side) in [(1, "1 blocks is below"), (51, "51 blocks is above")] {
			let error = check(&blocks(), U256::from(value)).expect_err("it is out of bounds");
			assert_eq!(error.code, "out_of_bounds");
			let message = &error.message;
			assert!(message.contains("2 blocks to 50 blocks"), "{message}");
			assert!(message.contains(side), "{message}");
			assert_eq!(error.details["most"], "50");
		}
	}

	#[test]
	fn an_argument_names_its_parameter() {
		let info = blocks();
		let argument = info.parameter(7.into()).expect("it fits");
		assert_eq!(in_argument(&info, &argument), Some(7.into()));
		let other = ParameterInfo {
			key: vec![3, 8],
			..blocks()
		};
		assert_eq!(in_argument(&other, &argument), None);
		assert_eq!(in_argument(&info, &argument[..4]), None);
	}
}
