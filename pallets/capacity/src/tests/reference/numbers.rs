//! Numbers of up to 256 bits, as far as the model needs them: words of 64 bits, the lowest first.

/// A number of 256 bits.
pub(super) type Words = [u64; 4];

/// Long division of amount · 2^128 + rest by a number below 2^127.
pub(super) fn divided(amount: u128, rest: u128, by: u128) -> (Words, u128) {
	assert!(0 < by && by < 1 << 127);
	let (mut quotient, mut remainder) = ([0u64; 4], 0u128);
	for bit in (0..256).rev() {
		let word = if bit < 128 { rest } else { amount };
		remainder = (remainder << 1) | ((word >> (bit % 128)) & 1);
		if remainder >= by {
			remainder -= by;
			quotient[bit / 64] |= 1 << (bit % 64);
		}
	}
	(quotient, remainder)
}

/// Product of a number below 2^64 and one of four words, and a sum: what stands from 2^128 on, and
/// the rest.
pub(super) fn multiplied(share: u128, words: Words, dust: u128) -> (u128, u128) {
	assert!(share < 1 << 64);
	let mut result = [0u128; 4];
	let mut carry = 0;
	for (index, word) in words.into_iter().enumerate() {
		let old = match index {
			0 => dust & u128::from(u64::MAX),
			1 => dust >> 64,
			_ => 0,
		};
		// At most (2^64 − 1)^2 + 2 · (2^64 − 1), which is 2^128 − 1.
		let sum = share * u128::from(word) + old + carry;
		result[index] = sum & u128::from(u64::MAX);
		carry = sum >> 64;
	}
	assert_eq!(carry, 0);
	((result[3] << 64) | result[2], (result[1] << 64) | result[0])
}

/// The sum of two numbers, which is a number.
pub(super) fn plus(one: Words, other: Words) -> Words {
	let mut carry = 0;
	std::array::from_fn(|index| {
		let word = u128::from(one[index]) + u128::from(other[index]) + carry;
		carry = word >> 64;
		word as u64
	})
}

#[test]
fn words_are_divided_and_multiplied_exactly() {
	// 7 · 2^128 + 5 is 3 · q + r.
	let (quotient, rest) = divided(7, 5, 3);
	assert_eq!(
		quotient,
		[0x5555_5555_5555_5557, 0x5555_5555_5555_5555, 2, 0]
	);
	assert_eq!(rest, 0);
	assert_eq!(multiplied(3, quotient, 0), (7, 5));
	assert_eq!(multiplied(1, [u64::MAX, u64::MAX, 0, 0], 1), (1, 0));
	assert_eq!(plus([u64::MAX, 0, 0, 0], [1, 0, 0, 0]), [0, 1, 0, 0]);
}
