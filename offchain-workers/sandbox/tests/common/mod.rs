//! Sandboxes, guests and calls that the tests share.
#![allow(
	dead_code,
	unreachable_pub,
	reason = "every test file uses another part of this module"
)]

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use millrace_executor::{CallOutput, EffectFailure, OwnedInput};
use millrace_primitives::execution::{package_hash, CallStatus, Request};
use millrace_primitives::market::{CallLimits, Host, Hosts};
use millrace_primitives::{DealId, H256};
use millrace_sandbox::{
	Effector, GuestCall, GuestError, Guests, NoEffector, Sandbox, SandboxConfig,
};
use rustix::process::{kill_process, test_kill_process, Pid, Signal};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::sync::Semaphore;

/// The program under test.
pub const GUEST: &str = env!("CARGO_BIN_EXE_millrace-guest");
/// Gas that is plenty for every test.
pub const PLENTY: u64 = 1_000_000_000;
/// Gas that no test lives to see the end of.
pub const ENDLESS: u64 = 1 << 60;

/// Settings for a folder.
pub fn config(folder: &Path) -> SandboxConfig {
	SandboxConfig {
		program: Some(GUEST.into()),
		..SandboxConfig::new(folder.join("artifacts"))
	}
}

/// A sandbox with a folder of its own, its settings changed.
pub async fn sandbox_with(change: impl FnOnce(&mut SandboxConfig)) -> (TempDir, Sandbox) {
	let folder = tempfile::tempdir().expect("there is a temporary folder");
	let mut config = config(folder.path());
	change(&mut config);
	let sandbox = Sandbox::start(config).await;
	(folder, sandbox.expect("guests can be locked in here"))
}

/// A sandbox with the usual settings.
pub async fn sandbox() -> (TempDir, Sandbox) {
	sandbox_with(|_| {}).await
}

/// Makes a module in the text format ready.
pub async fn prepared(guests: &dyn Guests, text: &str) -> H256 {
	let module = wat::parse_str(text).expect("the test's module is well-formed");
	let hash = package_hash(&module);
	let prepared = guests.prepare(Bytes::from(module)).await;
	prepared.expect("the test's module can run");
	// So that no process is replaced by one with better code in the midst of a test.
	guests.settle().await;
	hash
}

/// A call without a body, of a deal with one place.
pub fn call(deal: DealId, package: H256, gas: u64) -> GuestCall {
	GuestCall {
		deal,
		package,
		places: 1,
		input: OwnedInput {
			request: Arc::new(Request {
				method: "POST".into(),
				path: "/".into(),
				..Default::default()
			}),
			limits: CallLimits {
				gas,
				memory_bytes: 128 * 1024 * 1024,
				request_bytes: 1024 * 1024,
				response_bytes: 1024 * 1024,
			},
			hosts: Hosts::default(),
			clock_ms: 1_700_000_000_123,
			seed: H256::repeat_byte(9),
		},
		effects: Arc::new(NoEffector),
	}
}

/// The same with a body.
pub fn call_with(deal: DealId, package: H256, gas: u64, body: &[u8]) -> GuestCall {
	let mut call = call(deal, package, gas);
	let request = Request {
		body: body.to_vec(),
		..(*call.input.request).clone()
	};
	call.input.request = Arc::new(request);
	call
}

/// The same with an effector and a host that it may ask.
pub fn asking(mut call: GuestCall, effects: Arc<dyn Effector>) -> GuestCall {
	let host: Host = b"a.example".to_vec().try_into().expect("it is short");
	call.input.hosts = vec![host].try_into().expect("it is one");
	call.effects = effects;
	call
}

/// The response of a call that succeeds.
pub async fn response(guests: &dyn Guests, call: GuestCall) -> Vec<u8> {
	let output = guests.call(call).await.expect("the host does its part");
	assert_eq!(output.status, CallStatus::Exited(0));
	output.response
}

/// The process of a deal.
pub fn pid_of(sandbox: &Sandbox, deal: DealId) -> Option<u32> {
	let processes = sandbox.processes();
	let mut of_deal = processes.iter().filter(|(of, _)| *of == deal);
	of_deal.next().map(|(_, pid)| *pid)
}

/// Kills a process.
pub fn kill(pid: u32) {
	kill_process(to_pid(pid), Signal::KILL).expect("it can be killed");
}

/// Whether a process runs. One that has ended and was not waited for does not.
pub fn runs(pid: u32) -> bool {
	let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
	let zombie = stat
		.rsplit_once(") ")
		.is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']));
	test_kill_process(to_pid(pid)).is_ok() && !zombie
}

/// Waits until something is so.
pub async fn wait_until(what: &str, so: impl Fn() -> bool) {
	let begun = Instant::now();
	while !so() {
		assert!(begun.elapsed() < Duration::from_secs(20), "not {what}");
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
}

fn to_pid(pid: u32) -> Pid {
	Pid::from_raw(pid as i32).expect("it is a process")
}

/// The deal's process, killed as soon as there is one that runs a call.
pub async fn killed(sandbox: &Sandbox, deal: DealId) -> u32 {
	wait_until("started", || pid_of(sandbox, deal).is_some()).await;
	let pid = pid_of(sandbox, deal).expect("it runs");
	kill(pid);
	wait_until("killed", || !runs(pid)).await;
	pid
}

/// Replies "200" and a body, when it is let.
#[derive(Debug)]
pub struct Waits {
	performed: AtomicUsize,
	go: Arc<Semaphore>,
}

impl Waits {
	/// Lets no reply go yet.
	pub fn new() -> Arc<Self> {
		Arc::new(Self {
			performed: AtomicUsize::new(0),
			go: Arc::new(Semaphore::new(0)),
		})
	}

	/// Effects that were asked for.
	pub fn performed(&self) -> usize {
		self.performed.load(Ordering::Acquire)
	}

	/// Lets so many replies go.
	pub fn go(&self, replies: usize) {
		self.go.add_permits(replies);
	}
}

impl Effector for Waits {
	fn perform(&self, _: Hosts, _: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, EffectFailure>> {
		let number = self.performed.fetch_add(1, Ordering::AcqRel);
		let go = self.go.clone();
		async move {
			go.acquire().await.expect("it stays open").forget();
			Ok(format!("200\r\n\r\n{number}").into_bytes())
		}
		.boxed()
	}
}

/// A command with imports that tests use, two pages of memory, and this body of `_start`. `$write`
/// writes a piece of memory to standard output.
pub fn command(body: &str) -> String {
	module("2", &format!("(func (export \"_start\") {body})"))
}

/// The same with other items, and so much memory.
pub fn module(memory: &str, items: &str) -> String {
	format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_read"
				(func $fd_read (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "random_get"
				(func $random_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "clock_time_get"
				(func $clock_time_get (param i32 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "path_open" (func $path_open
				(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
			(import "millrace" "effect_call" (func $ask (param i32 i32 i32) (result i32)))
			(import "millrace" "effect_read" (func $reply (param i32 i32) (result i32)))
			(memory (export "memory") {memory})
			(func $write (param $at i32) (param $length i32)
				(i32.store (i32.const 0) (local.get $at))
				(i32.store (i32.const 4) (local.get $length))
				(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
			(func $read (param $at i32) (param $length i32) (result i32)
				(i32.store (i32.const 0) (local.get $at))
				(i32.store (i32.const 4) (local.get $length))
				(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
				(i32.load (i32.const 8)))
			{items})"#
	)
}

/// Writes what it reads.
pub fn echo() -> String {
	command("(call $write (i32.const 1024) (call $read (i32.const 1024) (i32.const 60000)))")
}

/// Computes for ever, if there is a body. Without one, asks a host and writes its reply.
pub fn asks_or_spins() -> String {
	module(
		"2",
		r#"(data (i32.const 64) "GET http://a.example/\0d\0a\0d\0a")
		(func (export "_start")
			(if (call $read (i32.const 1024) (i32.const 60000))
				(then (loop $for_ever (br $for_ever))))
			(if (call $ask (i32.const 64) (i32.const 25) (i32.const 16)) (then (unreachable)))
			(if (call $reply (i32.const 1024) (i32.load (i32.const 16))) (then (unreachable)))
			(call $write (i32.const 1024) (i32.load (i32.const 16))))"#,
	)
}

/// Computes for a few milliseconds.
pub fn works() -> String {
	command(
		r#"(local $left i32) (local $sum i64)
		(local.set $left (i32.const 5000000))
		(loop $more
			(local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 6364136223846793005))
				(i64.extend_i32_u (local.get $left))))
			(local.set $left (i32.sub (local.get $left) (i32.const 1)))
			(br_if $more (local.get $left)))
		(i64.store (i32.const 1024) (local.get $sum))
		(call $write (i32.const 1024) (i32.const 8))"#,
	)
}

/// A module of about so many bytes, of functions as compilers make them; it calls one of them.
pub fn large(bytes: usize) -> Vec<u8> {
	let function = |number: usize| {
		format!(
			"(func $f{number} (param $a i32) (param $b i64) (result i64) (local $i i32) (local $s i64)
			(local.set $s (i64.const {number}))
			(block $out (loop $more
				(br_if $out (i32.ge_u (local.get $i) (local.get $a)))
				(local.set $s (i64.add (i64.mul (local.get $s) (i64.const 6364136223846793005))
					(i64.load (i32.and (i32.shl (local.get $i) (i32.const 3)) (i32.const 65528)))))
				(if (i64.eqz (i64.and (local.get $s) (i64.const {}))) (then
					(i64.store offset=8 (i32.and (local.get $i) (i32.const 32760)) (local.get $s)))
				(else
					(local.set $b (i64.xor (local.get $b) (i64.rotl (local.get $s) (i64.const 17))))))
				(local.set $i (i32.add (local.get $i) (i32.const 1)))
				(br $more)))
			(if (result i64) (i32.gt_s (local.get $a) (i32.const {}))
				(then (call $f{} (i32.shr_u (local.get $a) (i32.const 1)) (local.get $b)))
				(else (i64.add (local.get $s) (local.get $b)))))",
			number % 255 + 1,
			number + 100,
			number.saturating_sub(1),
		)
	};
	// A first try says how long one is.
	let build = |functions: usize| {
		let all: String = (0..functions).map(function).collect();
		let start = "(func (export \"_start\") (drop (call $f0 (i32.const 9) (i64.const 1))))";
		wat::parse_str(module("2", &format!("{all}{start}"))).expect("it is well-formed")
	};
	let (few, more) = (build(100).len(), build(200).len());
	build(bytes * 100 / (more - few))
}

/// How a call ended, for messages.
pub fn told(result: &Result<CallOutput, GuestError>) -> String {
	match result {
		Ok(output) => format!("{:?} with {} gas", output.status, output.gas),
		Err(error) => error.to_string(),
	}
}
