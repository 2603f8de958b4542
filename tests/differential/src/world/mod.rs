//! Whole packages: programs that compute, call the host, read files and have effects. The engine's
//! call is held against the judge's replay of it.

mod writer;

use crate::Tally;
use codec::Encode;
use millrace_executor::{
	CallInput, CallOutput, EffectFailure, Effects, Engine, EngineConfig, FILES_SECTION,
};
use millrace_primitives::execution::{response_hash, CallStatus, Request};
use millrace_primitives::market::{CallLimits, Host, Hosts};
use millrace_primitives::replay::{ReplayInput, ReplayOutcome};
use millrace_primitives::H256;
use std::fmt::Write;
use std::sync::OnceLock;
use wasm_encoder::{CustomSection, Section};
use writer::{Reach, Writer, FLOAT, HTTP, LOCALS, MAX_LOOPS, PATHS};

/// Gas of a case that is not cut short.
const GAS: u64 = 3_000_000;
const PAGE_BYTES: u32 = 64 * 1024;

/// A package and a call of it.
#[derive(Clone, Debug)]
pub struct Case {
	/// The package.
	pub package: Vec<u8>,
	/// The call. The transcript is still empty, and the claim is the limit.
	pub input: ReplayInput,
}

impl Case {
	/// The case that bytes stand for. There is one for any bytes.
	pub fn new(data: &[u8]) -> Self {
		let (setting, choices) = data.split_at(data.len().min(8));
		let byte = |index: usize| setting.get(index).copied().unwrap_or(0);
		let module = wat::parse_str(program(choices)).expect("the text is that of a module");
		let package = if byte(0) % 4 == 0 {
			module
		} else {
			with_files(module, &files())
		};
		let gas = match byte(1) % 8 {
			0 => u64::from(byte(2)) * 1_000,
			_ => GAS,
		};
		let hosts: Vec<Host> = match byte(3) % 2 {
			0 => Vec::new(),
			_ => vec![b"a.example".to_vec().try_into().expect("it is short")],
		};
		let input = ReplayInput {
			request: Request {
				method: "POST".into(),
				path: "/case".into(),
				query: format!("n={}", byte(4)),
				content_type: "text/plain".into(),
				body: choices.iter().copied().take(64).collect(),
			},
			transcript: Default::default(),
			limits: CallLimits {
				gas,
				memory_bytes: PAGE_BYTES * (1 + u32::from(byte(5) % 16)),
				request_bytes: 1024,
				response_bytes: if byte(6) % 8 == 0 { 512 } else { 256 * 1024 },
			},
			hosts: Hosts::try_from(hosts).expect("they are few"),
			clock_ms: 1_700_000_000_000 + u64::from(byte(7)),
			seed: H256::repeat_byte(byte(7)),
			claimed_gas: gas,
		};
		Self { package, input }
	}
}

/// Files of the packages, in the order of their paths.
fn files() -> [(Vec<u8>, Vec<u8>); 3] {
	let numbers: Vec<u8> = (0..=255).collect();
	[
		(b"a.txt".to_vec(), b"the quick brown fox\n".to_vec()),
		(b"empty".to_vec(), Vec::new()),
		(b"folder/b.bin".to_vec(), numbers),
	]
}

/// A module with files behind it, as a package.
fn with_files(mut module: Vec<u8>, files: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
	let section = CustomSection {
		name: FILES_SECTION.into(),
		data: files.encode().into(),
	};
	section.append_to(&mut module);
	module
}

/// Bytes as the text format of Wasm writes them.
fn escaped(bytes: &[u8]) -> String {
	let mut text = String::new();
	for byte in bytes {
		write!(text, "\\{byte:02x}").expect("a string takes any text");
	}
	text
}

/// What lies in the memory of every program: lists of buffers, subscriptions, paths, requests.
fn data() -> String {
	let mut segments = String::new();
	let mut put = |at: u32, bytes: &[u8]| {
		writeln!(segments, "(data (i32.const {at}) \"{}\")", escaped(bytes))
			.expect("a string takes any text");
	};
	let numbers = |numbers: &[u32]| -> Vec<u8> {
		numbers
			.iter()
			.flat_map(|number| number.to_le_bytes())
			.collect()
	};
	put(64, &numbers(&[6_000, 32, 6_100, 7, 6_200, 300, 65_530, 16]));
	// Clocks: one that fires after a while, one at a time that has passed; and a stream.
	let mut subscriptions = vec![0u8; 3 * 48];
	subscriptions[0] = 1;
	subscriptions[24..32].copy_from_slice(&5_000_000u64.to_le_bytes());
	subscriptions[48] = 2;
	subscriptions[48 + 16] = 1;
	subscriptions[48 + 24] = 1;
	subscriptions[48 + 40] = 1;
	subscriptions[96] = 3;
	subscriptions[96 + 8] = 2;
	subscriptions[96 + 16] = 1;
	put(256, &subscriptions);
	for (at, text) in PATHS.into_iter().chain(HTTP) {
		put(at, text.as_bytes());
	}
	segments
}

/// The imports of every program.
fn imports() -> String {
	let ty = |letters: &str| -> String {
		letters
			.chars()
			.map(|letter| if letter == 'i' { " i32" } else { " i64" })
			.collect()
	};
	let mut text = String::new();
	for (name, parameters, results) in millrace_executor::wasi::preview1::FUNCTIONS {
		writeln!(
			text,
			"(import \"wasi_snapshot_preview1\" \"{name}\" \
			(func ${name} (param{}) (result{})))",
			ty(parameters),
			ty(results)
		)
		.expect("a string takes any text");
	}
	for (name, parameters) in [("effect_call", "iii"), ("effect_read", "ii")] {
		writeln!(
			text,
			"(import \"millrace\" \"{name}\" (func ${name} (param{}) (result i32)))",
			ty(parameters)
		)
		.expect("a string takes any text");
	}
	text
}

/// A program that does what the choices say, and at last writes its locals and some memory out.
fn program(choices: &[u8]) -> String {
	let (helper, main) = choices.split_at(choices.len() / 4);
	let mut first = Writer::new(helper, Reach::Alone, None);
	first.value(4);
	let helper = first.text;
	let mut second = Writer::new(main, Reach::Everything, Some("$helper"));
	second.statements(5);
	while second.has_choices() {
		second.statements(5);
	}
	let main = second.text;
	let counters = "i64 ".repeat((LOCALS + MAX_LOOPS) as usize);
	let fewer = "i64 ".repeat((LOCALS + MAX_LOOPS - 2) as usize);
	let mut stores = String::new();
	for local in 0..LOCALS {
		let at = 16 + 8 * local;
		write!(stores, "(i64.store (i32.const {at}) (local.get {local}))")
			.expect("a string takes any text");
	}
	let (imports, data) = (imports(), data());
	format!(
		r#"(module
			(type $pair (func (param i64 i64) (result i64)))
			{imports}
			(memory (export "memory") 1 12)
			(table $t 10 40 funcref)
			(global $count (mut i64) (i64.const 0))
			(elem $active (i32.const 0) func $helper $other $odd)
			(elem $functions func $helper $odd)
			(data $passive "what is copied from here")
			{data}
			(func $helper (type $pair) (local {fewer} f64)
				{helper})
			(func $other (type $pair) (i64.sub (local.get 1) (local.get 0)))
			(func $odd (param i32))
			(func (export "_start") (local {counters} f64)
				(local.set 1 (i64.const 77)) (local.set 2 (i64.const -3))
				(local.set {FLOAT} (f64.const 1.5))
				{main}
				{stores}
				(f64.store (i32.const 48) (local.get {FLOAT}))
				(i32.store (i32.const 0) (i32.const 16))
				(i32.store (i32.const 4) (i32.const 8192))
				(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#
	)
}

/// Functions of real shapes, for modules that are to be large: what each does, the choices say.
pub(crate) fn function(name: &str, callee: Option<&str>, choices: &[u8]) -> String {
	let mut writer = Writer::new(choices, Reach::Alone, callee);
	writer.statements(4);
	let body = writer.text;
	let counters = "i64 ".repeat((LOCALS + MAX_LOOPS - 2) as usize);
	format!(
		"(func {name} (param i64 i64) (result i64) (local {counters} f64)\n{body}(local.get 0))\n"
	)
}

/// Answers what a program asks, the same bytes for the same request.
struct Echo;

impl Effects for Echo {
	fn perform(&mut self, request: &[u8]) -> Result<Vec<u8>, EffectFailure> {
		let mut reply = b"200\r\ncontent-type: text/plain\r\n\r\nyou asked ".to_vec();
		reply.extend(request.iter().rev());
		Ok(reply)
	}
}

/// One engine for the process.
fn engine() -> &'static Engine {
	static ENGINE: OnceLock<Engine> = OnceLock::new();
	ENGINE.get_or_init(|| {
		Engine::new(EngineConfig {
			max_concurrent_calls: 16,
			max_wall_clock: None,
			cached_modules: 2,
			..EngineConfig::default()
		})
		.expect("the engine can be set up")
	})
}

/// Runs the call of a case on the engine that compiles.
pub fn call(case: &Case) -> Result<CallOutput, String> {
	let module = engine()
		.load(&case.package)
		.map_err(|error| format!("the engine refuses it: {error:?}"))?;
	let input = CallInput {
		request: &case.input.request,
		limits: case.input.limits,
		hosts: &case.input.hosts,
		clock_ms: case.input.clock_ms,
		seed: case.input.seed,
	};
	engine()
		.call_here(&module, &input, Box::new(Echo))
		.map_err(|error| format!("the engine fails: {error:?}"))
}

/// Runs the case that bytes stand for: a call, its replay, its replay under a claim that is one gas
/// too low; and all of that again with less gas. `Err` tells a difference.
///
/// The calling thread must have [`crate::STACK_BYTES`].
pub fn check(data: &[u8]) -> Result<Tally, String> {
	let mut case = Case::new(data);
	let (mut tally, used) = compare(&mut case)?;
	let share = data.last().copied().map_or(0, u64::from);
	case.input.limits.gas = used * share / 256;
	tally += compare(&mut case)?.0;
	Ok(tally)
}

fn compare(case: &mut Case) -> Result<(Tally, u64), String> {
	let output = call(case)?;
	let expected = ReplayOutcome::Ended {
		status: output.status,
		response: response_hash(&output.response),
		gas: output.gas,
	};
	case.input.transcript = output.transcript.clone();
	case.input.claimed_gas = output.gas;
	let replayed = millrace_executor::replay(&case.package, &case.input);
	if replayed.outcome != expected {
		return Err(format!(
			"{:?}\ncompiled:    {output:?}\ninterpreted: {replayed:?}",
			case.input
		));
	}
	if let Some(less) = output.gas.checked_sub(1) {
		case.input.claimed_gas = less;
		let replayed = millrace_executor::replay(&case.package, &case.input);
		let takes_more = match replayed.outcome {
			ReplayOutcome::TakesMore => true,
			// It may have ended before it came to what is recorded.
			ReplayOutcome::OtherEffects => !output.transcript.0.is_empty(),
			_ => false,
		};
		if !takes_more {
			return Err(format!(
				"{:?}\na claim of {less} gas where it takes {} passes as {replayed:?}",
				case.input, output.gas
			));
		}
	}
	case.input.transcript = Default::default();
	let is = |status: bool| u64::from(status);
	let tally = Tally {
		cases: 1,
		traps: is(output.status == CallStatus::Trapped),
		out_of_gas: is(output.status == CallStatus::OutOfGas),
		stack_overflows: is(output.status == CallStatus::StackOverflow),
	};
	Ok((tally, output.gas))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::corpus::Noise;
	use crate::deep;

	#[test]
	fn any_bytes_stand_for_a_package_that_runs() {
		let mut noise = Noise::new(3);
		deep(|| {
			let mut tally = check(&[]).unwrap();
			for length in 0..60 {
				tally += check(&noise.bytes(10 * length)).unwrap();
			}
			assert_eq!(tally.cases, 122);
			assert!(tally.traps > 0 && tally.out_of_gas > 0, "{tally:?}");
		});
	}

	#[test]
	fn programs_reach_files_and_hosts() {
		let mut noise = Noise::new(4);
		let effects = deep(|| {
			(0..200)
				.filter(|_| {
					let case = Case::new(&noise.bytes(700));
					!call(&case).unwrap().transcript.0.is_empty()
				})
				.count()
		});
		assert!(effects > 0);
		let module = wat::parse_str("(module)").unwrap();
		let package = with_files(module.clone(), &files());
		assert!(package.len() > module.len() + 256);
	}
}
