//! Sandboxes, guests and calls that the tests share.
#![allow(
	dead_code,
	unreachable_pub,
	reason = "every test file uses another part of this module"
)]

pub mod modules;

pub use modules::*;

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt};
use millrace_executor::{CallOutput, EffectFailure, OwnedInput};
use millrace_primitives::execution::{package_hash, CallStatus, Request};
use millrace_primitives::market::{CallLimits, Host, Hosts};
use millrace_primitives::{DealId, H256};
use millrace_sandbox::{
	Effector, GuestCall, GuestError, Guests, NoEffector, Sandbox, SandboxConfig, SandboxError,
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

/// A sandbox whose program lies in this way.
pub async fn with_liar(how: &str) -> (TempDir, Result<Sandbox, SandboxError>) {
	let folder = tempfile::tempdir().expect("there is a temporary folder");
	let program = folder.path().join(how);
	std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_millrace-lying-guest"), &program)
		.expect("the folder is empty");
	let mut config = config(folder.path());
	config.program = Some(program);
	config.call_wall = Duration::from_millis(500);
	config.prepare.wall = Duration::from_secs(5);
	let sandbox = Sandbox::start(config).await;
	(folder, sandbox)
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

/// How a call ended, for messages.
pub fn told(result: &Result<CallOutput, GuestError>) -> String {
	match result {
		Ok(output) => format!("{:?} with {} gas", output.status, output.gas),
		Err(error) => error.to_string(),
	}
}
