//! One RandomX machine over the cache of one key.

use randomx_rs::{RandomXCache, RandomXError, RandomXFlag, RandomXVM};

/// RandomX cannot run on this machine.
#[derive(Debug)]
pub struct Unavailable(RandomXError);

impl core::fmt::Display for Unavailable {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(
			f,
			"RandomX cannot run: {}. It needs 256 MiB of free memory for each of two keys.",
			self.0
		)
	}
}

impl std::error::Error for Unavailable {}

/// A light-mode machine: 256 MiB of cache, filled from the key, and 2 MiB of scratchpad.
#[derive(Debug)]
pub struct Machine {
	vm: RandomXVM,
}

// SAFETY: `RandomXVM` is not `Send` only because it holds raw pointers. What they point to, the
// VM and the cache, is heap memory that belongs to no thread: RandomX keeps no thread-local state,
// and the rounding mode that a hash sets is restored before the hash returns. Every reference to
// the cache (`RandomXCache` is an `Arc` inside) lives in this one VM, since `build` gives its only
// handle away, so that the whole object graph moves between threads as one. `Machine` is not
// `Sync`, and `hash` takes it mutably: no two threads are ever inside it.
unsafe impl Send for Machine {}

impl Machine {
	/// Fills the cache of a key, which takes about a second.
	///
	/// Compiled code is preferred; where the system forbids memory that is executable, the
	/// interpreter gives the same hashes at less than half the speed.
	pub fn new(key: &[u8]) -> Result<Self, Unavailable> {
		let fast = RandomXFlag::get_recommended_flags();
		Self::build(fast, key)
			.or_else(|error| {
				let interpreted = fast - (RandomXFlag::FLAG_JIT | RandomXFlag::FLAG_SECURE);
				log::warn!(
					target: "randomx",
					"RandomX runs interpreted, at less than half its speed: {error}",
				);
				Self::build(interpreted, key)
			})
			.or_else(|_| Self::build(RandomXFlag::FLAG_DEFAULT, key))
			.map_err(Unavailable)
	}

	/// Light-mode hash of an input, which must not be empty.
	pub fn hash(&mut self, input: &[u8]) -> Result<[u8; 32], Unavailable> {
		let hash = self.vm.calculate_hash(input).map_err(Unavailable)?;
		hash.try_into().map_err(|wrong: Vec<u8>| {
			Unavailable(RandomXError::Other(format!(
				"a hash of {} bytes",
				wrong.len()
			)))
		})
	}

	// The cache needs executable memory as well where the flags ask for compiled code, and it is
	// allocated first: a system that forbids such memory is noticed here, before the VM is made.
	fn build(flags: RandomXFlag, key: &[u8]) -> Result<Self, RandomXError> {
		let cache = RandomXCache::new(flags, key)?;
		Ok(Self {
			vm: RandomXVM::new(flags, Some(cache), None)?,
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const FIRST: &[u8] = b"test key 000";
	const SECOND: &[u8] = b"test key 001";
	const LONG: &[u8] = b"sed do eiusmod tempor incididunt ut labore et dolore magna aliqua";

	fn hex_hash(machine: &mut Machine, input: &[u8]) -> String {
		hex::encode(machine.hash(input).expect("the input is not empty"))
	}

	// The vectors are those of RandomX's own test suite.
	#[test]
	fn hashes_are_those_of_the_reference_implementation() {
		let mut machine = Machine::new(FIRST).expect("the machine runs here");
		assert_eq!(
			hex_hash(&mut machine, b"This is a test"),
			"639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f",
		);
		assert_eq!(
			hex_hash(&mut machine, b"Lorem ipsum dolor sit amet"),
			"300a0adb47603dedb42228ccb2b211104f4da45af709cd7547cd049e9489c969",
		);
		assert_eq!(
			hex_hash(&mut machine, LONG),
			"c36d4ed4191e617309867ed66a443be4075014e2b061bcdaf9ce7b721d2b77a8",
		);
		drop(machine);

		let mut machine = Machine::new(SECOND).expect("the machine runs here");
		assert_eq!(
			hex_hash(&mut machine, LONG),
			"e9ff4503201c0c2cca26d285c93ae883f9b1d30c9eb240b820756f2d5a7905fc",
		);
		let header = hex::decode(
			"0b0b98bea7e805e0010a2126d287a2a0cc833d312cb786385a7c2f9de69d25537f584a9bc9977b0000\
			 0000666fd8753bf61a8631f12984e3fd44f4014eca629276817b56f32e9b68bd82f416",
		)
		.expect("the vector is hexadecimal");
		assert_eq!(
			hex_hash(&mut machine, &header),
			"c56414121acda1713c2f2a819d8ae38aed7c80c35c2a769298d34f03833cd5f1",
		);
	}

	#[test]
	fn the_interpreter_agrees_with_compiled_code() {
		let mut machine =
			Machine::build(RandomXFlag::FLAG_DEFAULT, FIRST).expect("the machine runs here");
		assert_eq!(
			hex_hash(&mut machine, b"This is a test"),
			"639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f",
		);
	}

	#[test]
	fn an_empty_key_is_an_error() {
		assert!(Machine::new(b"").is_err());
	}
}
