//! Processes: what they cannot do, and what becomes of them.

mod common;

use bytes::Bytes;
use codec::{Decode, DecodeAll};
use common::*;
use millrace_executor::EngineConfig;
use millrace_primitives::effects::{effect_hash, EffectRecord};
use millrace_primitives::execution::CallStatus;
use millrace_primitives::H256;
use millrace_sandbox::protocol::{descriptors, frame, Answer, Attempt, Hello, Order, MAX_ANSWER};
use millrace_sandbox::{
	GuestError, Guests, InProcess, PrepareError, Protection, Sandbox, SandboxError,
};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_says_what_protects_it() {
	let (_folder, sandbox) = sandbox().await;
	let Protection::Process {
		landlock_abi,
		seccomp,
	} = sandbox.describe()
	else {
		panic!("there are processes");
	};
	assert!(landlock_abi >= 1);
	assert!(seccomp);
}

#[test]
fn a_guest_process_can_open_connect_exec_nothing() {
	for last in Attempt::ALL {
		let (ours, theirs) = UnixStream::pair().unwrap();
		let mut process = Command::new(GUEST)
			.arg("probe")
			.stdin(Stdio::from(std::os::fd::OwnedFd::from(theirs)))
			.spawn()
			.unwrap();
		let order = frame::encode(&(Hello::without_engine(), Order::Probe { last }));
		let (header, rest) = order.split_at(frame::HEADER);
		descriptors::send(&ours, header, &[]).unwrap();
		frame::write(&ours, rest).unwrap();
		let answer = frame::read(&ours, MAX_ANSWER).unwrap().unwrap();
		let mut answer = &answer[..];
		assert_eq!(Hello::decode(&mut answer), Ok(Hello::without_engine()));
		let Answer::Probed {
			landlock_abi,
			worked,
		} = Answer::decode_all(&mut answer).unwrap()
		else {
			panic!("the probe says what worked");
		};
		// With Landlock alone it could not open a file; under a milder filter it could do nothing.
		assert!(landlock_abi >= 1);
		assert!(worked.is_empty(), "{worked:?}");
		// Under the filter of guests, each attempt is the last one.
		let end = process.wait().unwrap();
		assert_eq!(end.signal(), Some(libc::SIGSYS), "{last:?}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn environment_and_descriptors_are_empty() {
	// What a daemon may have in its own.
	std::env::set_var("MILLRACE_TEST_SECRET", "not for guests");
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &echo()).await;
	response(&sandbox, call(1, package, PLENTY)).await;
	let pid = pid_of(&sandbox, 1).unwrap();
	let file = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}"));

	let status = file("status").unwrap();
	for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
		assert!(status.contains(line), "no {line} in {status}");
	}
	// Nobody but root may look any closer: the process cannot be dumped.
	match file("environ") {
		Ok(environment) => assert_eq!(environment, ""),
		Err(error) => {
			assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
			return;
		}
	}
	let limits = file("limits").unwrap();
	let files = limits
		.lines()
		.find(|line| line.starts_with("Max open files"))
		.unwrap();
	let most: Vec<_> = files.split_whitespace().skip(3).take(2).collect();
	assert_eq!(most, ["0", "0"]);
	let folder = std::fs::read_link(format!("/proc/{pid}/cwd")).unwrap();
	assert_eq!(folder.to_str(), Some("/"));
	let mut sockets = 0;
	for entry in std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap() {
		let path = std::fs::read_link(entry.unwrap().path()).unwrap();
		let path = path.to_string_lossy().into_owned();
		sockets += usize::from(path.starts_with("socket:"));
		let known = ["socket:", "pipe:", "/dev/null"]
			.iter()
			.any(|known| path.starts_with(known));
		assert!(known || path.ends_with(".cwasm"), "{path}");
	}
	assert_eq!(sockets, 2, "the control socket, and one line");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_guest_runs_under_the_filter() {
	let (_folder, sandbox) = sandbox().await;
	let in_process = InProcess::new(EngineConfig::default()).unwrap();
	let nothing = &b""[..];
	let mut packages = vec![
		(echo(), &b"some bytes"[..]),
		(works(), nothing),
		(command("(unreachable)"), nothing),
		(command("(drop (i32.load (i32.const -1)))"), nothing),
		(
			command("(drop (i32.div_s (i32.const 1) (i32.const 0)))"),
			nothing,
		),
		(
			command("(drop (call $random_get (i32.const 64) (i32.const 4096)))"),
			nothing,
		),
		(
			command(
				"(drop (memory.grow (i32.const 2000)))
				(memory.fill (i32.const 0) (i32.const 1) (i32.const 100000000))",
			),
			nothing,
		),
		(
			module(
				"1",
				"(func $deep (call $deep)) (func (export \"_start\") (call $deep))",
			),
			nothing,
		),
		(
			module(
				"1",
				"(table 1 funcref)
				(func (export \"_start\") (drop (table.grow (ref.null func) (i32.const 9000))))",
			),
			nothing,
		),
	]
	.into_iter()
	.map(|(text, body)| (wat::parse_str(text).unwrap(), body.to_vec()))
	.collect::<Vec<_>>();
	let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/guests");
	let photo = std::fs::read(format!("{tests}/samples/photo.png")).unwrap();
	let guests = std::fs::read_dir(format!("{tests}/out")).expect("run scripts/guests.sh");
	for guest in guests {
		let path = guest.unwrap().path();
		if path
			.extension()
			.is_some_and(|extension| extension == "wasm")
		{
			packages.push((std::fs::read(path).unwrap(), photo.clone()));
		}
	}
	for (deal, (package, body)) in packages.into_iter().enumerate() {
		let hash = millrace_primitives::execution::package_hash(&package);
		let package = Bytes::from(package);
		let info = sandbox.prepare(package.clone()).await.unwrap();
		assert_eq!(info, in_process.prepare(package).await.unwrap());
		let call = || call_with(deal as u64, hash, PLENTY, &body);
		let output = sandbox.call(call()).await.unwrap();
		assert_eq!(output, in_process.call(call()).await.unwrap(), "{deal}");
		// And once more: in an instance that was used.
		assert_eq!(output, sandbox.call(call()).await.unwrap(), "{deal}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_move_to_better_code() {
	let (_folder, sandbox) = sandbox().await;
	let module = large(300_000);
	let package = millrace_primitives::execution::package_hash(&module);
	sandbox.prepare(Bytes::from(module)).await.unwrap();
	let quick = sandbox.call(call(1, package, PLENTY)).await.unwrap();
	let first = pid_of(&sandbox, 1).expect("it was called");
	sandbox.settle().await;
	// The same in every respect, by another process.
	let full = sandbox.call(call(1, package, PLENTY)).await.unwrap();
	assert_eq!(full, quick);
	let second = pid_of(&sandbox, 1).expect("it was called");
	assert_ne!(second, first);
	// And there it stays.
	sandbox.call(call(1, package, PLENTY)).await.unwrap();
	assert_eq!(pid_of(&sandbox, 1), Some(second));
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_processes_come_back() {
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &echo()).await;
	let called = || response(&sandbox, call_with(1, package, PLENTY, b"hello"));
	assert_eq!(called().await, b"hello");
	let first = killed(&sandbox, 1).await;
	assert_eq!(called().await, b"hello");
	assert_ne!(pid_of(&sandbox, 1), Some(first));
	// Other deals do not notice.
	assert_eq!(
		response(&sandbox, call_with(2, package, PLENTY, b"2")).await,
		b"2"
	);
	let other = pid_of(&sandbox, 2);
	killed(&sandbox, 1).await;
	assert_eq!(called().await, b"hello");
	assert_eq!(pid_of(&sandbox, 2), other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_process_dies_is_run_again_with_the_same_effects() {
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &asks_or_spins()).await;
	let effects = Waits::new();
	let waiting = asking(call(1, package, PLENTY), effects.clone());
	let (output, ()) = futures::join!(sandbox.call(waiting), async {
		wait_until("asked", || effects.performed() == 1).await;
		killed(&sandbox, 1).await;
		effects.go(1);
	});
	let output = output.unwrap();
	assert_eq!(output.status, CallStatus::Exited(0));
	assert_eq!(output.response, b"200\r\n\r\n0");
	// The host was asked once, and that is what the record holds.
	assert_eq!(effects.performed(), 1);
	assert_eq!(
		output.transcript.0,
		[EffectRecord {
			request: effect_hash(b"GET http://a.example/\r\n\r\n"),
			reply: b"200\r\n\r\n0".to_vec(),
		}]
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_too_long_ends_alone() {
	let wall = Duration::from_millis(400);
	let (_folder, sandbox) = sandbox_with(|config| config.call_wall = wall).await;
	let package = prepared(&sandbox, &asks_or_spins()).await;
	let effects = Waits::new();
	let mut waiting = asking(call(1, package, PLENTY), effects.clone());
	let mut spinning = call_with(1, package, ENDLESS, b"spin");
	(waiting.places, spinning.places) = (2, 2);
	let (waited, spun) = futures::join!(sandbox.call(waiting), async {
		wait_until("asked", || effects.performed() == 1).await;
		let spun = sandbox.call(spinning).await;
		effects.go(1);
		spun
	});
	assert!(
		matches!(spun, Err(GuestError::TimedOut(after)) if after == wall),
		"{}",
		told(&spun)
	);
	// It was in the same process, waited longer than the wall for its host, and has its result.
	assert_eq!(waited.unwrap().response, b"200\r\n\r\n0");
	assert_eq!(effects.performed(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_leaves_the_line_in_order() {
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &asks_or_spins()).await;
	let effects = Waits::new();
	let abandoned = sandbox.call(asking(call(1, package, PLENTY), effects.clone()));
	let gone = tokio::time::timeout(Duration::from_millis(300), abandoned).await;
	assert!(gone.is_err());
	wait_until("asked", || effects.performed() == 1).await;
	effects.go(1);
	let next = asking(call(1, package, PLENTY), effects.clone());
	let process = pid_of(&sandbox, 1);
	let (output, ()) = futures::join!(sandbox.call(next), async {
		wait_until("asked again", || effects.performed() == 2).await;
		effects.go(1);
	});
	assert_eq!(output.unwrap().response, b"200\r\n\r\n1");
	assert_eq!(pid_of(&sandbox, 1), process);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_processes_end() {
	let (_folder, sandbox) = sandbox_with(|config| config.idle = Duration::from_millis(100)).await;
	let package = prepared(&sandbox, &echo()).await;
	response(&sandbox, call(1, package, PLENTY)).await;
	let pid = pid_of(&sandbox, 1).unwrap();
	wait_until("ended", || !runs(pid)).await;
	assert!(sandbox.processes().is_empty());
	// The package is still there for another one.
	response(&sandbox, call(1, package, PLENTY)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_of_deals_that_are_gone_end() {
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &echo()).await;
	response(&sandbox, call(1, package, PLENTY)).await;
	response(&sandbox, call(2, package, PLENTY)).await;
	let (gone, kept) = (pid_of(&sandbox, 1).unwrap(), pid_of(&sandbox, 2).unwrap());
	sandbox.keep(&BTreeSet::from([2, 3]));
	wait_until("ended", || !runs(gone)).await;
	assert!(runs(kept));
	assert_eq!(sandbox.processes(), [(2, kept)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_idle_makes_room() {
	let (_folder, sandbox) = sandbox_with(|config| config.max_processes = 2).await;
	let package = prepared(&sandbox, &asks_or_spins()).await;
	let effects = Waits::new();
	let ask = |deal| sandbox.call(asking(call(deal, package, PLENTY), effects.clone()));
	for deal in [1, 2] {
		effects.go(1);
		ask(deal).await.unwrap();
	}
	let (first, second) = (pid_of(&sandbox, 1).unwrap(), pid_of(&sandbox, 2).unwrap());
	effects.go(1);
	ask(3).await.unwrap();
	wait_until("ended", || !runs(first)).await;
	assert!(runs(second));
	// Processes that work are not ended for others.
	let asked = effects.performed();
	let (two, three, refused) = futures::join!(ask(2), ask(3), async {
		wait_until("asked", || effects.performed() == asked + 2).await;
		let refused = ask(4).await;
		effects.go(2);
		refused
	});
	assert!(
		matches!(refused, Err(GuestError::Busy)),
		"{}",
		told(&refused)
	);
	assert!(two.is_ok() && three.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_that_changes_gets_another_process() {
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &echo()).await;
	let other = prepared(&sandbox, &works()).await;
	let first = response(&sandbox, call_with(1, package, PLENTY, b"one")).await;
	assert_eq!(first, b"one");
	let pid = pid_of(&sandbox, 1).unwrap();
	assert_eq!(response(&sandbox, call(1, other, PLENTY)).await.len(), 8);
	wait_until("ended", || !runs(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_outlive_the_sandbox_and_wrong_ones_say_why() {
	let (folder, sandbox) = sandbox().await;
	let unknown = sandbox.call(call(1, H256::zero(), PLENTY)).await;
	assert!(
		matches!(unknown, Err(GuestError::NotPrepared)),
		"{}",
		told(&unknown)
	);
	let package = prepared(&sandbox, &echo()).await;
	drop(sandbox);
	// The folder is enough for the next one.
	let sandbox = Sandbox::start(config(folder.path())).await.unwrap();
	let echoed = response(&sandbox, call_with(1, package, PLENTY, b"again")).await;
	assert_eq!(echoed, b"again");

	let mut long = call_with(1, package, PLENTY, &[0; 11]);
	long.input.limits.request_bytes = 10;
	let long = sandbox.call(long).await;
	assert!(
		matches!(long, Err(GuestError::RequestTooLarge { size: 11, max: 10 })),
		"{}",
		told(&long)
	);

	for wrong in [b"no module".to_vec(), vec![0; 2 * 1024 * 1024]] {
		let refused = sandbox.prepare(Bytes::from(wrong.clone())).await;
		let Err(PrepareError::Refused(reasons)) = refused else {
			panic!("it cannot run: {refused:?}");
		};
		let expected = millrace_executor::validate(&wrong).unwrap_err();
		let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
		assert_eq!(reasons, expected);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn compiling_is_bounded() {
	let package = Bytes::from(large(200_000));
	let (_folder, sandbox) = sandbox_with(|config| config.prepare.memory_bytes = 1_000_000).await;
	let refused = sandbox.prepare(package.clone()).await;
	assert!(
		matches!(
			refused,
			Err(PrepareError::Crashed(_) | PrepareError::Host(_))
		),
		"{refused:?}"
	);
	let wall = Duration::from_millis(1);
	let (_folder, sandbox) = sandbox_with(|config| config.prepare.wall = wall).await;
	let refused = sandbox.prepare(package).await;
	assert!(
		matches!(refused, Err(PrepareError::TooSlow(after)) if after == wall),
		"{refused:?}"
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lying_process_is_caught() {
	// One that only pretends is not noticed here: what it says could be true.
	let (_folder, honest) = with_liar("honest").await;
	let honest = honest.unwrap();
	let package = prepared(&honest, &echo()).await;
	assert_eq!(
		response(&honest, call(1, package, PLENTY)).await,
		b"as told"
	);

	for how in [
		"long-frame",
		"nonsense",
		"more-gas",
		"other-gas",
		"more-response",
		"endless-effects",
		"dies",
		"hangs-up",
	] {
		let (_folder, liar) = with_liar(how).await;
		let liar = liar.unwrap();
		let package = prepared(&liar, &echo()).await;
		let told_us = liar.call(call(1, package, PLENTY)).await;
		assert!(
			matches!(told_us, Err(GuestError::Crashed(_))),
			"{how}: {}",
			told(&told_us)
		);
	}
	let (_folder, silent) = with_liar("silent").await;
	let silent = silent.unwrap();
	let package = prepared(&silent, &echo()).await;
	let told_us = silent.call(call(1, package, PLENTY)).await;
	assert!(
		matches!(told_us, Err(GuestError::TimedOut(_))),
		"{}",
		told(&told_us)
	);
	for how in ["endless-code", "short-code", "dies-preparing"] {
		let (_folder, liar) = with_liar(how).await;
		let module = wat::parse_str(echo()).unwrap();
		let told_us = liar.unwrap().prepare(Bytes::from(module)).await;
		assert!(
			matches!(told_us, Err(PrepareError::Crashed(_))),
			"{how}: {told_us:?}"
		);
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deal_whose_processes_die_rests() {
	let (_folder, liar) = with_liar("dies").await;
	let liar = liar.unwrap();
	let package = prepared(&liar, &echo()).await;
	// Each call takes two of them along.
	for _ in 0..2 {
		let died = liar.call(call(1, package, PLENTY)).await;
		assert!(
			matches!(&died, Err(GuestError::Crashed(end)) if end == "exited with code 3")
				|| matches!(died, Err(GuestError::Busy)),
			"{}",
			told(&died)
		);
	}
	let rests = liar.call(call(1, package, PLENTY)).await;
	assert!(matches!(rests, Err(GuestError::Busy)), "{}", told(&rests));
	// Other deals do not.
	let died = liar.call(call(2, package, PLENTY)).await;
	assert!(
		matches!(died, Err(GuestError::Crashed(_))),
		"{}",
		told(&died)
	);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_unprotected_or_with_another_version() {
	let (_folder, refused) = with_liar("unprotected").await;
	let Err(SandboxError::Unprotected(reason)) = refused else {
		panic!("it is not protected: {refused:?}");
	};
	assert_eq!(reason, "a process can make sockets, make processes");
	let (_folder, refused) = with_liar("immortal").await;
	assert!(
		matches!(refused, Err(SandboxError::Unprotected(_))),
		"{refused:?}"
	);
	let (_folder, refused) = with_liar("other-version").await;
	let Err(SandboxError::OtherVersion { found, wanted }) = refused else {
		panic!("it has another version: {refused:?}");
	};
	assert!(found.starts_with("version 0.0.0 "), "{found}");
	assert!(wanted.contains(env!("CARGO_PKG_VERSION")), "{wanted}");
	let folder = tempfile::tempdir().unwrap();
	let mut config = config(folder.path());
	config.program = Some(folder.path().join("nothing"));
	let refused = Sandbox::start(config).await;
	assert!(
		matches!(refused, Err(SandboxError::NoProgram(_))),
		"{refused:?}"
	);
}

/// What [`no_process_outlives_the_daemon`] kills: a daemon with a process that waits for a call and
/// one that computes.
#[test]
#[ignore = "a daemon that another test starts and kills"]
fn a_daemon_that_is_killed() {
	let runtime = tokio::runtime::Runtime::new().unwrap();
	runtime.block_on(async {
		let (_folder, sandbox) = sandbox().await;
		let package = prepared(&sandbox, &asks_or_spins()).await;
		let spinning = sandbox.call(call_with(1, package, ENDLESS, b"spin"));
		let report = async {
			let echo = prepared(&sandbox, &echo()).await;
			response(&sandbox, call(2, echo, PLENTY)).await;
			wait_until("started", || pid_of(&sandbox, 1).is_some()).await;
			for (_, pid) in sandbox.processes() {
				println!("\nprocess {pid}");
			}
			println!("\nthat is all");
		};
		let _ = futures::join!(spinning, report);
	});
}

#[tokio::test(flavor = "multi_thread")]
async fn no_process_outlives_the_daemon() {
	let folder = tempfile::tempdir().unwrap();
	let mut daemon = Command::new(std::env::current_exe().unwrap())
		// It has no time to clear up behind itself.
		.env("TMPDIR", folder.path())
		.args([
			"a_daemon_that_is_killed",
			"--exact",
			"--ignored",
			"--nocapture",
		])
		.stdout(Stdio::piped())
		.spawn()
		.unwrap();
	let words = BufReader::new(daemon.stdout.take().unwrap()).lines();
	let pids: Vec<u32> = words
		.map(|line| line.unwrap())
		.take_while(|line| line != "that is all")
		.filter_map(|line| line.strip_prefix("process ")?.parse().ok())
		.collect();
	assert_eq!(pids.len(), 2);
	assert!(pids.iter().all(|pid| runs(*pid)));
	// Without a word to anybody.
	daemon.kill().unwrap();
	daemon.wait().unwrap();
	let begun = Instant::now();
	wait_until("ended", || !pids.iter().any(|pid| runs(*pid))).await;
	assert!(begun.elapsed() < Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_drops_the_sandbox_ends_its_processes() {
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &echo()).await;
	response(&sandbox, call(1, package, PLENTY)).await;
	let pid = pid_of(&sandbox, 1).unwrap();
	drop(sandbox);
	wait_until("ended", || !runs(pid)).await;
}
