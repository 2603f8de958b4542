//! # Millrace differential tests
//!
//! Runs the same programs on the engine that compiles and on the one that interprets, and compares
//! everything that a receipt can name.
//!
//! - [`bare`] runs modules without a world: any export, any arguments; results, traps, gas, stack,
//!   memory and globals are compared. [`smith`] makes such modules.
//! - [`world`] makes whole packages, which call the host, read files and have effects, and holds the
//!   engine's call against the judge's replay.
//! - [`mix`] searches for the program that takes the judge most time for its gas.
//! - [`targets`] are the entries for long runs under cargo-fuzz.
//!
//! Guests may use all of the counted stack, so everything that runs one wants a thread of
//! [`STACK_BYTES`]: see [`deep()`].

pub mod bare;
pub mod corpus;
pub mod mix;
pub mod smith;
pub mod stage;
pub mod targets;
pub mod world;

use millrace_executor::limits::NATIVE_STACK_BYTES;
use std::{panic, thread};

/// Stack of a thread that guests run on.
pub const STACK_BYTES: usize = NATIVE_STACK_BYTES + 16 * 1024 * 1024;

/// Does something on a thread that guests can run on, and waits for it.
pub fn deep<T: Send>(work: impl FnOnce() -> T + Send) -> T {
	thread::scope(|scope| {
		let thread = thread::Builder::new()
			.stack_size(STACK_BYTES)
			.spawn_scoped(scope, work)
			.expect("the machine has room for another thread");
		match thread.join() {
			Ok(value) => value,
			Err(panic) => panic::resume_unwind(panic),
		}
	})
}

/// How cases ended. A comparison that only ever sees one kind of end proves little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
	/// Programs that ran on both engines under one limit of gas.
	pub cases: u64,
	/// Those in which something trapped.
	pub traps: u64,
	/// Those that ran out of gas.
	pub out_of_gas: u64,
	/// Those that ran out of stack.
	pub stack_overflows: u64,
}

impl std::ops::AddAssign for Tally {
	fn add_assign(&mut self, other: Self) {
		self.cases += other.cases;
		self.traps += other.traps;
		self.out_of_gas += other.out_of_gas;
		self.stack_overflows += other.stack_overflows;
	}
}
