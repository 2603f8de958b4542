//! Arguments as people write them.

use millrace_client::{amounts, PeerKeypair};
use millrace_primitives::{peer::PeerId, Balance, H256};
use sp_arithmetic::Perbill;
use std::path::Path;

/// Decimal places that a percentage can have: parts are kept in billionths.
const PERCENT_DECIMALS: usize = 7;

/// 32 bytes in hexadecimal, with or without `0x`.
pub(crate) fn hash(text: &str) -> Result<H256, String> {
	let digits = text.strip_prefix("0x").unwrap_or(text);
	let bytes = hex::decode(digits).map_err(|error| format!("no hexadecimal: {error}"))?;
	let bytes: [u8; 32] = bytes
		.try_into()
		.map_err(|bytes: Vec<u8>| format!("{} bytes, not 32", bytes.len()))?;
	Ok(H256(bytes))
}

/// A peer: its id, or a key file of it.
pub(crate) fn peer(text: &str) -> Result<PeerId, String> {
	let path = Path::new(text);
	if path.is_file() {
		return PeerKeypair::load(path)
			.map(|key| key.id())
			.map_err(|error| error.to_string());
	}
	hash(text).map(PeerId)
}

/// An amount with its unit.
pub(crate) fn amount(text: &str) -> Result<Balance, String> {
	amounts::parse(text).map_err(|error| error.to_string())
}

/// A part of a whole, such as `20%` or `0.5 %`: exactly, or not at all. Without its sign it is
/// refused, because 1 can be read as all or as a hundredth.
pub(crate) fn percent(text: &str) -> Result<Perbill, String> {
	let number = text
		.trim()
		.strip_suffix('%')
		.ok_or_else(|| format!("\"{text}\" has no percent sign; write \"{text}%\""))?
		.trim_end();
	let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
	let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
	let dangling = number.ends_with('.') || whole.is_empty();
	if dangling || !is_number(whole) || !is_number(decimals) {
		return Err(format!("\"{number}\" is not a decimal number"));
	}
	let decimals = decimals.trim_end_matches('0');
	if decimals.len() > PERCENT_DECIMALS {
		return Err(format!(
			"\"{number}\" is too fine: a percentage has at most {PERCENT_DECIMALS} decimals"
		));
	}
	format!("{whole}{decimals:0<PERCENT_DECIMALS$}")
		.parse::<u32>()
		.ok()
		.filter(|parts| *parts <= Perbill::one().deconstruct())
		.map(Perbill::from_parts)
		.ok_or_else(|| format!("\"{number}\" is more than the whole, 100%"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn percentages_are_exact_or_refused() {
		for (text, parts) in [
			("100%", 1_000_000_000),
			("20 %", 200_000_000),
			("0%", 0),
			("0.5%", 5_000_000),
			("12.50%", 125_000_000),
			("0.0000001%", 1),
			("99.9999999%", 999_999_999),
		] {
			assert_eq!(percent(text), Ok(Perbill::from_parts(parts)), "{text}");
		}
		for text in [
			"",
			"%",
			"20",
			"0.2",
			"-1%",
			"+1%",
			"1.%",
			".5%",
			"1,5%",
			"1e1%",
			"101%",
			"100.0000001%",
			"0.00000001%",
			"99999999999%",
			"20%%",
		] {
			assert!(percent(text).is_err(), "{text}");
		}
	}

	#[test]
	fn percentages_are_shown_as_they_are_written() {
		for text in ["100%", "20%", "0%", "0.5%", "12.5%", "99.9999999%"] {
			let part = percent(text).expect("it is one");
			assert_eq!(format!("{part:?}"), text);
		}
	}

	#[test]
	fn hashes_are_read_with_and_without_prefix() {
		let digits = "11".repeat(32);
		assert_eq!(hash(&digits), Ok(H256::repeat_byte(0x11)));
		assert_eq!(hash(&format!("0x{digits}")), Ok(H256::repeat_byte(0x11)));
		assert!(hash("0x11").is_err());
		assert!(hash("not hex").is_err());
	}

	#[test]
	fn a_peer_can_be_named_by_its_key_file() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("peer.json");
		let key = PeerKeypair::load_or_generate(&path).expect("it is made");
		assert_eq!(peer(&path.display().to_string()), Ok(key.id()));
		assert_eq!(peer(&key.id().to_string()), Ok(key.id()));
	}
}
