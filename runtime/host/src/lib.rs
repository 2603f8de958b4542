//! # Millrace host functions
//!
//! What the runtime asks of the node because it is too heavy for Wasm: RandomX in light mode, 36 ms
//! a hash with a filled cache against seconds inside the runtime.
//!
//! The answer is a function of the arguments alone. A node that cannot compute it (no memory for
//! the cache) traps instead of answering, so that it stops importing rather than forks away.
//!
//! Adding a function or changing what one answers needs a new version beside the old one: old
//! blocks are executed with the version that their runtime names.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use alloc::vec::Vec;
use millrace_primitives::H256;
use sp_runtime_interface::{
	pass_by::{AllocateAndReturnByCodec, PassFatPointerAndRead, PassPointerAndReadCopy},
	runtime_interface,
};

#[cfg(feature = "std")]
mod holder;
#[cfg(feature = "std")]
mod machine;

#[cfg(feature = "std")]
pub use holder::warm;
#[cfg(feature = "std")]
pub use machine::{Machine, Unavailable};
#[cfg(feature = "std")]
pub use random_x::HostFunctions;

/// Longest input of a hash: three times what a puzzle takes. The cost of a hash hardly depends on
/// its input, but nothing should enter a host function without a bound.
pub const MAX_INPUT_BYTES: usize = 256;

/// RandomX verification.
#[runtime_interface]
pub trait RandomX {
	/// Light-mode RandomX hash of the input under a key.
	///
	/// `None` if the input is empty or longer than [`MAX_INPUT_BYTES`]; nothing else decides it.
	fn hash(
		key: PassPointerAndReadCopy<[u8; 32], 32>,
		input: PassFatPointerAndRead<&[u8]>,
	) -> AllocateAndReturnByCodec<Option<[u8; 32]>> {
		if input.is_empty() || input.len() > MAX_INPUT_BYTES {
			return None;
		}
		match holder::hash(key, input) {
			Ok(hash) => Some(hash),
			// Answering `None` here would make this node judge differently from all others.
			Err(error) => panic!("{error}"),
		}
	}
}

/// RandomX as the runtime's pallets ask for it: through the host function.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl millrace_primitives::traits::RandomX for Native {
	fn hash(key: H256, input: Vec<u8>) -> Option<[u8; 32]> {
		random_x::hash(key.0, &input)
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::traits::RandomX as _;

	#[test]
	fn the_host_function_is_randomx_over_the_key() {
		let key = [7u8; 32];
		let expected = Machine::new(&key)
			.expect("the machine runs here")
			.hash(b"input");
		assert_eq!(Native::hash(H256(key), b"input".to_vec()), expected.ok());
	}

	#[test]
	fn inputs_outside_the_bounds_are_refused_without_filling_a_cache() {
		assert_eq!(Native::hash(H256::repeat_byte(1), Vec::new()), None);
		assert_eq!(
			Native::hash(H256::repeat_byte(1), vec![0; MAX_INPUT_BYTES + 1]),
			None
		);
	}
}
