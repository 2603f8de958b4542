//! The program that takes the judge most time for its gas, found by a search.
//!
//! A [`Genome`] is a loop over up to 24 statements with a memory and a way of going through it. Its
//! worth is the time in which the judge would replay it at the chain's cap, so that memory which has
//! to be filled first counts with what filling it costs. Programs that are not loops, but large or
//! deep, are in [`shapes`]: they are paid by their bytes.

pub mod operations;
pub mod search;
pub mod shapes;

pub use shapes::large;

use crate::corpus::Noise;
use codec::Encode;
use millrace_executor::limits::MAX_RESULTS;
use millrace_executor::FILES_SECTION;
use millrace_primitives::execution::{Request, MAX_MEMORY_BYTES};
use millrace_primitives::market::CallLimits;
use millrace_primitives::replay::{ReplayInput, ReplayOutcome};
use millrace_primitives::{Gas, H256};
use operations::{NUMBERS, OPERATIONS};
use std::fmt::Write;
use std::time::{Duration, Instant};
use wasm_encoder::{CustomSection, Section};

const PAGE_BYTES: u32 = 64 * 1024;
/// Largest memory that is gone through, as a power of two of pages. There is as much room again, but
/// more memory only takes more gas to fill.
const MAX_PAGES_LOG2: u8 = 10;
/// Pages behind it: for offsets, for bulk instructions and for what the host reads.
const EXTRA_PAGES: u32 = 3;
const MAX_SLOTS: usize = 24;

/// How a mix goes through its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
	/// Word by word.
	Sequential,
	/// To the next page and the next line.
	Strided,
	/// To wherever a congruential generator says.
	Random,
	/// To where the last load says: the memory is one chain, built before.
	Chase,
}

/// One statement of a mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
	/// Index in [`OPERATIONS`].
	pub operation: usize,
	/// Index in [`NUMBERS`].
	pub number: usize,
}

/// A mix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genome {
	/// Pages of memory that it goes through, as a power of two.
	pub pages_log2: u8,
	/// How.
	pub pattern: Pattern,
	/// Places of the chain, as a power of two; at most one for each line of 64 bytes.
	pub chain_log2: u8,
	/// What it does.
	pub slots: Vec<Slot>,
}

impl Genome {
	/// Any mix.
	pub fn random(noise: &mut Noise) -> Self {
		let count = 1 + noise.below(6) as usize;
		let mut genome = Self {
			pages_log2: noise.below(u64::from(MAX_PAGES_LOG2) + 1) as u8,
			pattern: pattern(noise),
			chain_log2: 4 + noise.below(17) as u8,
			slots: (0..count).map(|_| slot(noise)).collect(),
		};
		genome.bound();
		genome
	}

	/// A mix of one statement that is alone with this number; with much memory if that is a chain.
	pub fn single(operation: usize, number: usize, pattern: Pattern) -> Self {
		let mut genome = Self {
			pages_log2: if pattern == Pattern::Chase {
				MAX_PAGES_LOG2
			} else {
				4
			},
			pattern,
			chain_log2: 17,
			slots: vec![Slot { operation, number }],
		};
		genome.bound();
		genome
	}

	/// A mix that differs a little.
	pub fn mutated(&self, noise: &mut Noise) -> Self {
		let mut genome = self.clone();
		for _ in 0..=noise.below(2) {
			let at = noise.below(genome.slots.len() as u64) as usize;
			match noise.below(10) {
				0 => genome.pages_log2 = noise.below(u64::from(MAX_PAGES_LOG2) + 1) as u8,
				1 => genome.pattern = pattern(noise),
				2 => genome.chain_log2 = 4 + noise.below(17) as u8,
				3 | 4 if genome.slots.len() < MAX_SLOTS => genome.slots.insert(at, slot(noise)),
				5 if genome.slots.len() < MAX_SLOTS => {
					let copy = genome.slots[at];
					genome.slots.insert(at, copy);
				}
				6 if genome.slots.len() > 1 => drop(genome.slots.remove(at)),
				7 => genome.slots[at].number = noise.below(NUMBERS.len() as u64) as usize,
				_ => genome.slots[at] = slot(noise),
			}
		}
		genome.bound();
		genome
	}

	/// A mix with the beginning of one and the end of the other.
	pub fn crossed(&self, other: &Self, noise: &mut Noise) -> Self {
		let mut genome = self.clone();
		genome
			.slots
			.truncate(1 + noise.below(self.slots.len() as u64) as usize);
		let from = noise.below(other.slots.len() as u64) as usize;
		genome.slots.extend(&other.slots[from..]);
		genome.slots.truncate(MAX_SLOTS);
		genome.bound();
		genome
	}

	/// Keeps the chain inside of the memory.
	fn bound(&mut self) {
		// 1,024 lines of 64 bytes are in a page.
		self.chain_log2 = self.chain_log2.min(self.pages_log2 + 10);
	}

	/// What it is, in a line.
	pub fn describe(&self) -> String {
		let mut text = format!(
			"{} pages, {:?}, chain of {}:",
			1u32 << self.pages_log2,
			self.pattern,
			1u32 << self.chain_log2
		);
		for slot in &self.slots {
			write!(
				text,
				" {}({})",
				OPERATIONS[slot.operation].name, NUMBERS[slot.number]
			)
			.expect("a string takes any text");
		}
		text
	}

	fn area(&self) -> u32 {
		PAGE_BYTES << self.pages_log2
	}

	/// An expression for the next address.
	fn address(&self) -> String {
		let mask = self.area() - 8;
		let within = |next: &str| format!("(local.tee $p (i32.and {next} (i32.const {mask})))");
		match self.pattern {
			Pattern::Sequential => within("(i32.add (local.get $p) (i32.const 8))"),
			Pattern::Strided => within("(i32.add (local.get $p) (i32.const 4160))"),
			Pattern::Random => within(
				"(local.tee $s (i32.add (i32.mul (local.get $s) (i32.const 1664525)) \
				(i32.const 1013904223)))",
			),
			Pattern::Chase => "(local.tee $p (i32.load (local.get $p)))".into(),
		}
	}

	/// An expression for a place with room for a page. It leaves the chain alone.
	fn room(&self) -> String {
		match self.pattern {
			Pattern::Chase => format!("(i32.const {})", self.area()),
			_ => {
				let mask = self.area() - 8;
				format!(
					"(i32.and (local.tee $s (i32.add (i32.mul (local.get $s) (i32.const 1664525)) \
					(i32.const 1013904223))) (i32.const {mask}))"
				)
			}
		}
	}

	/// Code that makes the memory one chain.
	fn chain(&self) -> String {
		if self.pattern != Pattern::Chase {
			return String::new();
		}
		let count = 1u32 << self.chain_log2;
		let spacing = self.area() >> self.chain_log2;
		// Places a page apart are not all in the same line of their pages.
		let inner = if spacing >= 4096 { 64 } else { 0 };
		let place = |local: &str| {
			format!(
				"(i32.add (i32.mul (local.get {local}) (i32.const {spacing})) \
				(i32.mul (i32.and (local.get {local}) (i32.const 63)) (i32.const {inner})))"
			)
		};
		// A generator of the full period, so that the chain passes all places.
		format!(
			"(local.set $n (i32.const {count}))
			(loop $fill
				(local.set $n (i32.sub (local.get $n) (i32.const 1)))
				(local.set $m (i32.and (i32.const {last}) (i32.add (i32.const 0x7f4a7c15)
					(i32.mul (local.get $n) (i32.const 0x9e3779b5)))))
				(i32.store {} {})
				(br_if $fill (local.get $n)))",
			place("$n"),
			place("$m"),
			last = count - 1,
		)
	}

	/// The program. If it does not `run`, it ends where the loop would begin.
	pub fn text(&self, run: bool) -> String {
		let top = self.area() + PAGE_BYTES;
		let (mut body, mut functions) = (String::new(), String::new());
		for (index, slot) in self.slots.iter().enumerate() {
			let operation = &OPERATIONS[slot.operation];
			let number = NUMBERS[slot.number];
			let fill = |text: &str| {
				text.replace("{a}", &self.address())
					.replace("{d}", &self.room())
					.replace("{e}", &self.room())
					.replace("{l}", &number.to_string())
					.replace("{o}", &[8, 61, 4093][number as usize % 3].to_string())
					.replace("{n}", &number.to_string())
					.replace("{k}", &index.to_string())
					.replace("{t}", &top.to_string())
					.replace("{locals}", &"i64 ".repeat(number.clamp(1, 16_000) as usize))
					.replace("{results}", &"i64 ".repeat(MAX_RESULTS))
					.replace(
						"{values}",
						&"(local.get $a) (local.get $b) ".repeat(MAX_RESULTS / 2),
					)
					.replace("{same}", &"(local.get 0) ".repeat(MAX_RESULTS))
			};
			body.push_str(&fill(operation.body));
			body.push('\n');
			functions.push_str(&fill(operation.function));
			functions.push('\n');
		}
		let pages = (1u32 << self.pages_log2) + EXTRA_PAGES;
		let elements = "$leaf $float ".repeat(32);
		let (chain, run) = (self.chain(), u32::from(run));
		let imports = IMPORTS;
		let data = data(top);
		format!(
			r#"(module
	(type $i64 (func (param i64) (result i64)))
	(type $f64 (func (param f64) (result f64)))
	{imports}
	(memory (export "memory") {pages})
	(table $t 256 funcref)
	(global $g (mut i64) (i64.const 0))
	(elem (table $t) (i32.const 0) func {elements})
	(data $passive "none")
	{data}
	(func $leaf (type $i64) (local.get 0))
	(func $float (type $f64) (local.get 0))
	{functions}
	(func (export "_start")
		(local $a i64) (local $b i64) (local $n i32) (local $m i32) (local $p i32) (local $s i32)
		(local $x f64) (local $y f64) (local $z f64) (local $tiny f64) (local $small f64)
		(local $f f32)
		(local.set $a (i64.const 0x123456789abcdef)) (local.set $b (i64.const 77))
		(local.set $y (f64.const 1.0000001)) (local.set $x (f64.const 3.25))
		(local.set $tiny (f64.const 0x1p-1060)) (local.set $small (f64.const 0x1.5p-140))
		{chain}
		(if (i32.const {run}) (then (loop $main
{body}
			(br $main))))))"#
		)
	}

	/// The package.
	pub fn package(&self, run: bool) -> Vec<u8> {
		packed(&self.text(run))
	}
}

/// The dearest mix that a search has found, as a package.
pub fn worst() -> Vec<u8> {
	packed(include_str!("../../worst.wat"))
}

/// What a text stands for, with a folder of files behind it.
pub fn packed(text: &str) -> Vec<u8> {
	let mut module = wat::parse_str(text).expect("the text is that of a module");
	let files: Vec<(Vec<u8>, Vec<u8>)> = (0..200)
		.map(|number| (format!("{number:03}").into_bytes(), Vec::new()))
		.collect();
	CustomSection {
		name: FILES_SECTION.into(),
		data: files.encode().into(),
	}
	.append_to(&mut module);
	module
}

const IMPORTS: &str = r#"
	(import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (result i32)))
	(import "wasi_snapshot_preview1" "clock_time_get"
		(func $clock_time_get (param i32 i64 i32) (result i32)))
	(import "wasi_snapshot_preview1" "random_get"
		(func $random_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "environ_get"
		(func $environ_get (param i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_write"
		(func $fd_write (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_read"
		(func $fd_read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_readdir"
		(func $fd_readdir (param i32 i32 i32 i64 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_sync" (func $fd_sync (param i32) (result i32)))
	(import "wasi_snapshot_preview1" "poll_oneoff"
		(func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "path_open"
		(func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "path_filestat_get"
		(func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
	(import "millrace" "effect_read" (func $effect_read (param i32 i32) (result i32)))"#;

/// What the host reads: lists of buffers, a path, subscriptions.
fn data(top: u32) -> String {
	let buffer = |at: u32, length: u32| {
		let numbers = [(top + at).to_le_bytes(), length.to_le_bytes()].concat();
		numbers
			.iter()
			.map(|byte| format!("\\{byte:02x}"))
			.collect::<String>()
	};
	format!(
		"(data (i32.const {}) \"{}\")
	(data (i32.const {}) \"{}\")
	(data (i32.const {}) \"100\")",
		top + 4096,
		buffer(256, 1024),
		top + 8192,
		buffer(256, 1).repeat(400),
		top + 12_288,
	)
}

fn pattern(noise: &mut Noise) -> Pattern {
	match noise.below(5) {
		0 => Pattern::Sequential,
		1 => Pattern::Strided,
		2 => Pattern::Random,
		_ => Pattern::Chase,
	}
}

fn slot(noise: &mut Noise) -> Slot {
	Slot {
		operation: noise.below(OPERATIONS.len() as u64) as usize,
		number: noise.below(NUMBERS.len() as u64) as usize,
	}
}

/// What a replay takes that may use as much of everything as the chain allows.
pub fn input(gas: Gas) -> ReplayInput {
	ReplayInput {
		request: Request {
			method: "POST".into(),
			path: "/".into(),
			..Request::default()
		},
		transcript: Default::default(),
		limits: CallLimits {
			gas: Gas::MAX >> 1,
			memory_bytes: MAX_MEMORY_BYTES,
			request_bytes: 64 * 1024,
			response_bytes: 4 * 1024 * 1024,
		},
		hosts: Default::default(),
		clock_ms: 1_700_000_000_000,
		seed: H256::repeat_byte(1),
		claimed_gas: gas,
	}
}

/// A replay, and how long it took.
pub fn timed(package: &[u8], gas: Gas) -> (Duration, ReplayOutcome, Gas) {
	let input = input(gas);
	let begun = Instant::now();
	let replayed = millrace_executor::replay(package, &input);
	(begun.elapsed(), replayed.outcome, replayed.gas)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::deep;
	use millrace_primitives::execution::CallStatus;

	#[test]
	fn every_statement_runs_alone_until_the_gas_is_gone() {
		for operation in 0..OPERATIONS.len() {
			for pattern in [Pattern::Random, Pattern::Chase] {
				let mut genome = Genome::single(operation, 8, pattern);
				genome.pages_log2 = 1;
				genome.chain_log2 = 6;
				let package = genome.package(true);
				let (_, outcome, _) = deep(|| timed(&package, 400_000));
				let what = genome.describe();
				assert_eq!(outcome, ReplayOutcome::TakesMore, "{what}");
				let package = genome.package(false);
				let (_, outcome, gas) = deep(|| timed(&package, 400_000));
				let ended = matches!(
					outcome,
					ReplayOutcome::Ended {
						status: CallStatus::Exited(0),
						..
					}
				);
				assert!(ended && gas < 200_000, "{what}: {outcome:?}");
			}
		}
	}

	#[test]
	fn the_chain_passes_all_of_its_places() {
		for chain_log2 in [4u32, 10] {
			let count = 1u32 << chain_log2;
			let next = |place: u32| {
				place.wrapping_mul(0x9e37_79b5).wrapping_add(0x7f4a_7c15) & (count - 1)
			};
			let mut seen = std::collections::BTreeSet::new();
			let mut place = 0;
			while seen.insert(place) {
				place = next(place);
			}
			assert_eq!(seen.len() as u32, count);
		}
	}

	#[test]
	fn whatever_comes_of_mixing_is_a_package_of_the_profile() {
		let mut noise = Noise::new(5);
		let mut genome = Genome::random(&mut noise);
		for _ in 0..50 {
			let other = Genome::random(&mut noise);
			genome = genome.mutated(&mut noise).crossed(&other, &mut noise);
			let package = genome.package(true);
			let refused = millrace_executor::validate(&package).err();
			assert_eq!(refused, None, "{}", genome.describe());
		}
	}
}
