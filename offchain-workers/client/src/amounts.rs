//! Amounts as people write them: exact decimals with their unit.
//!
//! A number without a unit is refused: a factor of 10^18 lies between the two readings.

use millrace_primitives::{Balance, FLT};

/// Decimal places of one FLT.
const DECIMALS: usize = 18;

/// Why a text is not an amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
	/// There is no unit.
	#[error("\"{0}\" has no unit; write \"{0} FLT\" or \"{0} unit\" (1 FLT = 10^18 unit)")]
	NoUnit(String),
	/// The unit is none of ours.
	#[error("unknown unit \"{0}\"; amounts are in \"FLT\" or \"unit\"")]
	UnknownUnit(String),
	/// The number is not one.
	#[error("\"{0}\" is not a decimal number")]
	NotANumber(String),
	/// More decimals than an FLT has.
	#[error("\"{0}\" is finer than the smallest unit (FLT has 18 decimals, unit has none)")]
	TooFine(String),
	/// More than a balance holds.
	#[error("\"{0}\" is more than any balance can hold")]
	TooLarge(String),
}

/// Reads an amount such as `1.5 FLT`, `2FLT` or `1500000 unit`.
pub fn parse(text: &str) -> Result<Balance, AmountError> {
	let text = text.trim();
	let split = text
		.find(|c: char| c.is_ascii_alphabetic())
		.unwrap_or(text.len());
	let (number, unit) = text.split_at(split);
	let number = number.trim_end();
	match unit.to_ascii_lowercase().as_str() {
		"flt" => parse_decimal(number, DECIMALS),
		"unit" | "units" => parse_decimal(number, 0),
		"" => Err(AmountError::NoUnit(number.into())),
		_ => Err(AmountError::UnknownUnit(unit.into())),
	}
}

/// Writes an amount in FLT with all its decimals and no more: `1.5 FLT`.
pub fn format(amount: Balance) -> String {
	let (whole, rest) = (amount / FLT, amount % FLT);
	if rest == 0 {
		return format!("{whole} FLT");
	}
	let decimals = format!("{rest:018}");
	format!("{whole}.{} FLT", decimals.trim_end_matches('0'))
}

/// `number` times ten to the power of `places`, exactly.
fn parse_decimal(number: &str, places: usize) -> Result<Balance, AmountError> {
	let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
	// Underscores may group digits, as in Rust.
	let digits: String = whole.chars().filter(|c| *c != '_').collect();
	let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
	let dangling = number.ends_with('.') || digits.is_empty();
	if dangling || !is_number(&digits) || !is_number(decimals) {
		return Err(AmountError::NotANumber(number.into()));
	}
	let decimals = decimals.trim_end_matches('0');
	if decimals.len() > places {
		return Err(AmountError::TooFine(number.into()));
	}
	let scaled = format!("{digits}{decimals:0<places$}");
	scaled
		.parse()
		.map_err(|_| AmountError::TooLarge(number.into()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn amounts_are_read_to_the_last_digit() {
		assert_eq!(parse("1.5 FLT"), Ok(FLT + FLT / 2));
		assert_eq!(parse(" 2flt "), Ok(2 * FLT));
		assert_eq!(parse("0.000000000000000001 FLT"), Ok(1));
		assert_eq!(parse("1_500_000 unit"), Ok(1_500_000));
		assert_eq!(parse("1.0 unit"), Ok(1));
	}

	#[test]
	fn what_is_no_amount_is_refused_with_its_reason() {
		assert!(matches!(parse("1.5"), Err(AmountError::NoUnit(_))));
		assert!(matches!(parse("1.5 DOT"), Err(AmountError::UnknownUnit(_))));
		assert!(matches!(parse("0.5 unit"), Err(AmountError::TooFine(_))));
		assert!(matches!(
			parse("0.0000000000000000001 FLT"),
			Err(AmountError::TooFine(_))
		));
		assert!(matches!(parse("-1 FLT"), Err(AmountError::NotANumber(_))));
		assert!(matches!(
			parse("1.2.3 FLT"),
			Err(AmountError::NotANumber(_))
		));
		assert!(matches!(parse("1. FLT"), Err(AmountError::NotANumber(_))));
		assert!(matches!(parse(".5 FLT"), Err(AmountError::NotANumber(_))));
		assert!(matches!(parse("FLT"), Err(AmountError::NotANumber(_))));
		assert!(matches!(
			parse("999999999999999999999999 FLT"),
			Err(AmountError::TooLarge(_))
		));
	}

	proptest! {
		#[test]
		fn what_is_written_reads_back(amount in any::<u128>()) {
			prop_assert_eq!(parse(&format(amount)), Ok(amount));
			prop_assert_eq!(parse(&format!("{amount} unit")), Ok(amount));
		}
	}
}
