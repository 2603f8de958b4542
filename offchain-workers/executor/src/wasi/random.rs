//! The guest's randomness: BLAKE2b over the seed and a counter.

use millrace_primitives::{hash, H256};

/// A stream of bytes that is the same for the same seed, however it is cut into reads.
#[derive(Debug)]
pub(super) struct RandomStream {
	seed: H256,
	/// Number of the next block.
	next: u64,
	block: H256,
	/// How much of the block has been given out.
	used: usize,
}

impl RandomStream {
	pub(super) fn new(seed: H256) -> Self {
		Self {
			seed,
			next: 0,
			block: H256::zero(),
			used: 32,
		}
	}

	pub(super) fn fill(&mut self, out: &mut [u8]) {
		for byte in out {
			if self.used == self.block.0.len() {
				self.block =
					hash::tagged("millrace/guest-random-block/v1", &(self.seed, self.next));
				self.next += 1;
				self.used = 0;
			}
			*byte = self.block.0[self.used];
			self.used += 1;
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_stream_does_not_depend_on_how_it_is_read() {
		let mut whole = [0; 100];
		RandomStream::new(H256::repeat_byte(7)).fill(&mut whole);
		let mut pieces = [0; 100];
		let mut stream = RandomStream::new(H256::repeat_byte(7));
		for piece in pieces.chunks_mut(7) {
			stream.fill(piece);
		}
		assert_eq!(whole, pieces);
	}

	#[test]
	fn other_seeds_give_other_streams() {
		let (mut one, mut two) = ([0; 32], [0; 32]);
		RandomStream::new(H256::repeat_byte(1)).fill(&mut one);
		RandomStream::new(H256::repeat_byte(2)).fill(&mut two);
		assert_ne!(one, two);
	}
}
