//! Engine, inputs and modules that the tests share.
#![allow(
	dead_code,
	unreachable_pub,
	reason = "every test file uses another part of this module"
)]

use millrace_executor::{
	replay, CallOutput, Effects, Engine, EngineConfig, EngineError, NoEffects, OwnedInput,
};
use millrace_primitives::execution::{response_hash, Request};
use millrace_primitives::market::{CallLimits, Hosts};
use millrace_primitives::replay::{ReplayInput, ReplayOutcome};
use millrace_primitives::H256;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};

/// Gas that is plenty for every test.
pub const PLENTY: u64 = 1_000_000_000;

/// One engine for all tests of a file.
pub fn engine() -> &'static Engine {
	static ENGINE: OnceLock<Engine> = OnceLock::new();
	ENGINE.get_or_init(|| {
		let config = EngineConfig {
			cached_modules: 4,
			..EngineConfig::default()
		};
		Engine::new(config).expect("the engine can be set up")
	})
}

/// Limits with so much gas.
pub fn limits(gas: u64) -> CallLimits {
	CallLimits {
		gas,
		memory_bytes: 16 * 1024 * 1024,
		request_bytes: 64 * 1024,
		response_bytes: 1024 * 1024,
	}
}

/// A request with this body.
pub fn request(body: &[u8]) -> Request {
	Request {
		method: "POST".into(),
		path: "/a/b".into(),
		query: "x=1".into(),
		content_type: "text/plain".into(),
		body: body.to_vec(),
	}
}

/// What a call in these tests depends on, beside its limits and request.
pub fn input(request: &Request, limits: CallLimits) -> OwnedInput {
	OwnedInput {
		request: Arc::new(request.clone()),
		limits,
		hosts: Hosts::default(),
		clock_ms: CLOCK_MS,
		seed: H256::repeat_byte(9),
	}
}

/// A module in the text format as a package.
pub fn package(wat: &str) -> Vec<u8> {
	wat::parse_str(wat).expect("the test's module is well-formed")
}

/// Runs a package in the engine alone.
pub fn compiled(
	package: &[u8],
	input: OwnedInput,
	effects: Box<dyn Effects>,
) -> Result<CallOutput, EngineError> {
	let module = engine().load(package).expect("the test's module can run");
	let (send, receive) = sync_channel(1);
	engine().submit(&module, input, effects, move |result| {
		send.send(result).expect("it is waited for");
	});
	receive.recv().expect("the call has an end")
}

/// What a judge is given of a call that ended so.
pub fn for_judge(input: &OwnedInput, output: &CallOutput) -> ReplayInput {
	ReplayInput {
		request: Request::clone(&input.request),
		transcript: output.transcript.clone(),
		limits: input.limits,
		hosts: input.hosts.clone(),
		clock_ms: input.clock_ms,
		seed: input.seed,
		claimed_gas: output.gas,
	}
}

/// What the judge says of a call that ended so.
pub fn ended(output: &CallOutput) -> ReplayOutcome {
	ReplayOutcome::Ended {
		status: output.status,
		response: response_hash(&output.response),
		gas: output.gas,
	}
}

/// Runs a package in the engine, and holds its end against the judge's.
pub fn both(
	package: &[u8],
	input: OwnedInput,
	effects: Box<dyn Effects>,
) -> Result<CallOutput, EngineError> {
	let output = compiled(package, input.clone(), effects)?;
	let replayed = replay(package, &for_judge(&input, &output));
	assert_eq!(
		replayed.outcome,
		ended(&output),
		"the engines do not agree: {output:?}"
	);
	assert_eq!(replayed.gas, output.gas);
	Ok(output)
}

/// Runs a module in the text format, on both engines.
pub fn run_with(
	wat: &str,
	request: &Request,
	limits: CallLimits,
) -> Result<CallOutput, EngineError> {
	both(&package(wat), input(request, limits), Box::new(NoEffects))
}

/// The clock of every call in the tests.
pub const CLOCK_MS: u64 = 1_700_000_000_123;

/// Runs a module in the text format with plenty of gas and no body.
pub fn run(wat: &str) -> CallOutput {
	run_with(wat, &request(b""), limits(PLENTY)).expect("the host does its part")
}

/// A command with a page of memory whose `_start` has this body.
pub fn command(body: &str) -> String {
	module("", &format!("(func (export \"_start\") {body})"))
}

/// A module with the imports that tests use, a page of memory, and these items.
pub fn module(memory: &str, items: &str) -> String {
	let memory = if memory.is_empty() { "1" } else { memory };
	format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_read"
				(func $fd_read (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
			(import "wasi_snapshot_preview1" "random_get"
				(func $random_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "clock_time_get"
				(func $clock_time_get (param i32 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "environ_get"
				(func $environ_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_seek"
				(func $fd_seek (param i32 i64 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_prestat_get"
				(func $fd_prestat_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "poll_oneoff"
				(func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
			(memory (export "memory") {memory})
			(func $write (param $fd i32) (param $at i32) (param $length i32)
				(i32.store (i32.const 0) (local.get $at))
				(i32.store (i32.const 4) (local.get $length))
				(drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
			{items})"#
	)
}
