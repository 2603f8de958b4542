//! # Millrace host functions
//!
//! What the runtime asks of the node because it is too heavy for Wasm: RandomX in light mode, 36 ms
//! a hash with a filled cache against seconds inside the runtime; and the replay of a challenged
//! call, an interpreter that would itself be interpreted or compiled anew inside the runtime.
//!
//! For a block the answer is a function of the arguments alone. A node that cannot compute it (no
//! memory for the cache or for the guest) traps instead of answering, so that it stops importing
//! rather than forks away.
//!
//! Offchain callers (RPC, the pool, offchain workers) get hashes under current seeds only, and no
//! replays: they are answered by `None` before any work, see [`Caller`] and [`admit`]. That is sound
//! because no block is executed or filled for them. The executor says which is which: a block is
//! imported as `Onchain { import: true }` and filled as `Onchain { import: false }`; everything else
//! runs `Offchain`. A refusal is never a panic, which would cost a backtrace in the log of a node
//! that anybody may ask.
//!
//! Adding a function or changing what one answers needs a new version beside the old one: old
//! blocks are executed with the version that their runtime names.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

use alloc::vec::Vec;
use codec::Encode;
use millrace_primitives::{
	execution::ProfileId,
	replay::{ReplayInput, Replayed},
	H256,
};
use sp_runtime_interface::{
	pass_by::{AllocateAndReturnByCodec, PassFatPointerAndRead, PassPointerAndReadCopy},
	runtime_interface,
};

#[cfg(feature = "std")]
mod caller;
#[cfg(feature = "std")]
mod holder;
#[cfg(feature = "std")]
mod judge;
#[cfg(feature = "std")]
mod slot;
#[cfg(feature = "std")]
mod statistics;

#[cfg(feature = "std")]
pub use caller::{as_caller, Caller};
#[cfg(feature = "std")]
pub use holder::{admit, configure, statistics, tidy, warm};
#[cfg(feature = "std")]
pub use judge::MAX_REPLAY_INPUT_BYTES;
#[cfg(feature = "std")]
pub use millrace_randomx::{Machine, Unavailable};
#[cfg(feature = "std")]
pub use statistics::{Replays, Statistics};

/// All of them, as a node offers them to the runtime.
#[cfg(feature = "std")]
pub type HostFunctions = (random_x::HostFunctions, replay::HostFunctions);

/// Longest input of a hash: three times what a puzzle takes. The cost of a hash hardly depends on
/// its input, but nothing should enter a host function without a bound.
pub const MAX_INPUT_BYTES: usize = 256;

/// RandomX verification.
#[runtime_interface]
pub trait RandomX {
	/// Light-mode RandomX hash of the input under a key.
	///
	/// `None` if the input is empty or longer than [`MAX_INPUT_BYTES`], and for an offchain caller
	/// if the key is not current; nothing else decides it.
	fn hash(
		key: PassPointerAndReadCopy<[u8; 32], 32>,
		input: PassFatPointerAndRead<&[u8]>,
	) -> AllocateAndReturnByCodec<Option<[u8; 32]>> {
		if input.is_empty() || input.len() > MAX_INPUT_BYTES {
			return None;
		}
		match holder::hash(caller::current(), key, input) {
			Ok(hash) => hash,
			// Answering `None` to a block would make this node judge differently from all others.
			Err(error) => panic!("{error}"),
		}
	}
}

/// Replays of challenged calls.
#[runtime_interface]
pub trait Replay {
	/// What comes of running a call again under an engine profile. `input` is a [`ReplayInput`],
	/// encoded.
	///
	/// `None` for an offchain caller, and never for a block. Inconclusive if the profile is not
	/// known, if the input cannot be decoded, or if something in it is larger than what a challenge
	/// may bring; nothing but the arguments decides it.
	fn run(
		profile: u32,
		package: PassFatPointerAndRead<&[u8]>,
		input: PassFatPointerAndRead<&[u8]>,
	) -> AllocateAndReturnByCodec<Option<Replayed>> {
		judge::run(caller::current(), profile, package, input)
	}
}

/// RandomX and replays as the runtime's pallets ask for them: through the host functions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Native;

impl millrace_primitives::traits::RandomX for Native {
	fn hash(key: H256, input: Vec<u8>) -> Option<[u8; 32]> {
		random_x::hash(key.0, &input)
	}
}

impl millrace_primitives::traits::Replayer for Native {
	fn replay(profile: ProfileId, package: &[u8], input: &ReplayInput) -> Option<Replayed> {
		replay::run(profile, package, &input.encode())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::traits::RandomX as _;
	use millrace_randomx::{Cache, Options};
	use sp_runtime_interface::sp_wasm_interface::HostFunctions as _;

	#[test]
	fn the_host_function_is_randomx_over_the_key() {
		let key = [7u8; 32];
		let cache = Cache::new(&key, Options::default()).expect("a cache fits");
		let mut machine = Machine::light(cache).expect("a machine fits");
		let expected = machine.hash(b"input");
		assert_eq!(Native::hash(H256(key), b"input".to_vec()), Some(expected));
	}

	#[test]
	fn inputs_outside_the_bounds_are_refused_without_filling_a_cache() {
		let key = H256::repeat_byte(1);
		assert_eq!(Native::hash(key, Vec::new()), None);
		assert_eq!(Native::hash(key, vec![0; MAX_INPUT_BYTES + 1]), None);
	}

	#[test]
	fn the_interface_is_the_one_that_runtimes_name() {
		let functions = HostFunctions::host_functions();
		let names: Vec<&str> = functions.iter().map(|function| function.name()).collect();
		assert_eq!(
			names,
			["ext_random_x_hash_version_1", "ext_replay_run_version_1"],
			"old blocks are executed with the functions that their runtime names: \
			a change needs #[version(2)] beside what is there",
		);
	}
}
