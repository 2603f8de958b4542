//! Recursive length prefixes, as far as transactions need them.

use millrace_primitives::U256;

/// A string of bytes.
pub(super) fn bytes(value: &[u8]) -> Vec<u8> {
	match value {
		[byte] if *byte < 0x80 => vec![*byte],
		_ => prefixed(0x80, value),
	}
}

/// A number, without leading zeros.
pub(super) fn number(value: U256) -> Vec<u8> {
	let raw = value.to_big_endian();
	let zeros = raw.iter().take_while(|byte| **byte == 0).count();
	bytes(&raw[zeros..])
}

/// A list of what is encoded already.
pub(super) fn list(items: &[Vec<u8>]) -> Vec<u8> {
	prefixed(0xc0, &items.concat())
}

fn prefixed(base: u8, value: &[u8]) -> Vec<u8> {
	let mut out = match u8::try_from(value.len()) {
		Ok(short @ 0..=55) => vec![base + short],
		_ => {
			let length = (value.len() as u64).to_be_bytes();
			let zeros = length.iter().take_while(|byte| **byte == 0).count();
			let digits = &length[zeros..];
			let mut out = vec![base + 55 + digits.len() as u8];
			out.extend(digits);
			out
		}
	};
	out.extend(value);
	out
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn lengths_stand_before_what_they_measure() {
		assert_eq!(bytes(b"dog"), b"\x83dog");
		assert_eq!(bytes(&[]), [0x80]);
		assert_eq!(bytes(&[0x7f]), [0x7f]);
		assert_eq!(bytes(&[0x80]), [0x81, 0x80]);
		assert_eq!(list(&[bytes(b"cat"), bytes(b"dog")]), b"\xc8\x83cat\x83dog");
		assert_eq!(list(&[]), [0xc0]);
		let long = [b'x'; 56];
		assert_eq!(bytes(&long)[..2], [0xb8, 56]);
		assert_eq!(bytes(&[b'x'; 55])[..1], [0xb7]);
		assert_eq!(bytes(&[0; 1024])[..3], [0xb9, 4, 0]);
	}

	#[test]
	fn numbers_have_no_leading_zeros() {
		assert_eq!(number(0.into()), [0x80]);
		assert_eq!(number(15.into()), [0x0f]);
		assert_eq!(number(1024.into()), [0x82, 4, 0]);
	}
}
