//! One engine and the instances that live in it, as far as scripts and plans need them.

mod compiled;
mod interpreted;

pub use compiled::Compiled;
pub use interpreted::Interpreted;

use millrace_primitives::{hash, H256};

/// An argument or a result; floats by their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
	/// `i32`.
	I32(u32),
	/// `i64`.
	I64(u64),
	/// `f32`.
	F32(u32),
	/// `f64`.
	F64(u64),
	/// A reference to a function: whether there is one. As an argument always null.
	Function(bool),
	/// Anything that no module of the profile can hold.
	Foreign,
}

/// Kinds of trap, as the specification of Wasm tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapKind {
	/// `unreachable`, the module's own or the meter's.
	Unreachable,
	/// An access outside of a memory.
	Memory,
	/// An access outside of a table.
	Table,
	/// A call to where a table holds nothing.
	NullCall,
	/// A call to a function of another type.
	Signature,
	/// Division whose result has no place.
	Overflow,
	/// Division by zero.
	DivisionByZero,
	/// A float that is no integer of the wanted type.
	Conversion,
}

impl TrapKind {
	/// Whether a script of the specification means this kind by its message.
	pub fn fits(self, message: &str) -> bool {
		let known: &[&str] = match self {
			Self::Unreachable => &["unreachable"],
			Self::Memory => &["out of bounds memory access"],
			Self::Table => &["out of bounds table access", "undefined element"],
			Self::NullCall => &["uninitialized element", "undefined element"],
			Self::Signature => &["indirect call type mismatch"],
			Self::Overflow => &["integer overflow"],
			Self::DivisionByZero => &["integer divide by zero"],
			Self::Conversion => &["invalid conversion to integer"],
		};
		// Scripts abbreviate, and some append what was looked for.
		known
			.iter()
			.any(|known| message.starts_with(known) || known.starts_with(message))
	}
}

/// Why something came to no result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
	/// The guest trapped.
	Trap(TrapKind),
	/// Anything else: an import that is missing, a limit of the engine's own.
	Broken(String),
}

/// Gas and stack that an instance has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
	/// Gas; negative when it ran out.
	pub gas: i64,
	/// Stack; negative when it ran out.
	pub stack: i64,
}

/// An engine with the instances of one script.
pub trait Stage: Sized {
	/// A module that is ready to be instantiated.
	type Code;

	/// An engine without instances: `wide` for scripts of many modules with several tables, else one
	/// with the settings that packages run under.
	fn new(wide: bool) -> Self;

	/// Makes a module ready.
	fn compile(&self, metered: &[u8]) -> Result<Self::Code, String>;

	/// Drops all instances.
	fn clear(&mut self);

	/// Makes an instance; its number counts up from zero.
	fn instantiate(&mut self, code: &Self::Code) -> Result<usize, Stop>;

	/// Lets later modules import from an instance by this name.
	fn register(&mut self, name: &str, instance: usize) -> Result<(), String>;

	/// Gives every instance that has a meter this gas, and all of its stack.
	fn refill(&mut self, gas: i64);

	/// What is left in every instance that has a meter.
	fn counters(&mut self) -> Vec<Counters>;

	/// Calls an export.
	fn invoke(
		&mut self,
		instance: usize,
		export: &str,
		arguments: &[Value],
	) -> Result<Vec<Value>, Stop>;

	/// The value of an exported global.
	fn global(&mut self, instance: usize, name: &str) -> Option<Value>;

	/// Fingerprint of an exported memory.
	fn memory(&mut self, instance: usize, name: &str) -> Option<H256>;
}

const BLOCK: usize = 4096;

/// A hash of a memory. Blocks of zeros are left out, which is most of any memory.
fn fingerprint(memory: &[u8]) -> H256 {
	let zeros = [0; BLOCK];
	let mut kept = (memory.len() as u64).to_le_bytes().to_vec();
	for (index, block) in memory.chunks(BLOCK).enumerate() {
		if block != &zeros[..block.len()] {
			kept.extend((index as u64).to_le_bytes());
			kept.extend(block);
		}
	}
	hash::blake2_256(&kept)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_byte_and_the_size_of_a_memory_count() {
		let memory = vec![0; 3 * BLOCK];
		let mut other = memory.clone();
		other[2 * BLOCK + 7] = 1;
		assert_ne!(fingerprint(&memory), fingerprint(&other));
		let mut moved = memory.clone();
		moved[BLOCK + 7] = 1;
		assert_ne!(fingerprint(&moved), fingerprint(&other));
		assert_ne!(fingerprint(&memory), fingerprint(&memory[..BLOCK]));
	}
}
