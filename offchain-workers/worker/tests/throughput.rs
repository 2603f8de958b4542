//! What a worker does in a second, and what a call costs with it. Measurements, run by
//! scripts/bench.sh.

mod common;

use common::{
	assignment,
	bench::{marked, median, ms, open_door, sandbox, two_at_once, Outcome},
	first_key, in_process, package, World, DEAL, EPOCH,
};
use millrace_executor::{
	binding::{link, Host},
	wasi::{Exit, Wasi},
	Files, OwnedInput,
};
use millrace_primitives::{
	capacity::WorkRates,
	execution::{package_hash, CallStatus, Request},
	market::CallLimits,
	H256,
};
use millrace_prover::{Mode, Prover, ProverConfig, Settings, Task};
use millrace_sandbox::{GuestCall, Guests, NoEffector};
use std::{
	env, fs,
	io::Write,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	sync::Arc,
	time::{Duration, Instant},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
	time::sleep,
};
use tokio_util::sync::CancellationToken;
use wasmtime::{
	Config, InstanceAllocationStrategy, InstancePre, Linker, Module, PoolingAllocationConfig, Store,
};

/// Names the worker's address to the process that calls it.
const TARGET: &str = "MILLRACE_WORKER_TARGET";
/// Connections that call at once.
const CONNECTIONS: usize = 64;
/// Time before calls are counted, and in which they are.
const WARMING: Duration = Duration::from_secs(5);
const COUNTED: Duration = Duration::from_secs(20);

/// What every deal here allows.
const GENEROUS: CallLimits = CallLimits {
	gas: 1_000_000_000_000,
	memory_bytes: 128 * 1024 * 1024,
	request_bytes: 4 * 1024 * 1024,
	response_bytes: 4 * 1024 * 1024,
};

/// A worker that serves one deal of two units.
async fn worker(dir: &Path, guests: Arc<dyn Guests>, module: &[u8]) -> World {
	let mut deal = assignment(DEAL, package(module));
	deal.limits = GENEROUS;
	deal.worker.units = 2;
	let deals = vec![(deal.clone(), module.to_vec())];
	let world = World::open(dir, two_at_once(), first_key(), guests.clone(), deals).await;
	world.keep_fresh(vec![deal]);
	guests.settle().await;
	world
}

/// Not a measurement by itself: the process that calls.
#[test]
fn caller() {
	let Ok(target) = env::var(TARGET) else {
		return;
	};
	let runtime = tokio::runtime::Builder::new_current_thread()
		.enable_all()
		.build()
		.expect("a runtime");
	let calls = runtime.block_on(async {
		let counted = Instant::now() + WARMING;
		let end = counted + COUNTED;
		let callers: Vec<_> = (0..CONNECTIONS)
			.map(|_| tokio::spawn(call_until(target.clone(), counted, end)))
			.collect();
		let mut calls = 0u64;
		for caller in callers {
			calls += caller
				.await
				.expect("no panic")
				.expect("every call is answered");
		}
		calls
	});
	println!("calls {calls}");
}

/// Calls over one connection; the number of answers in the time that counts.
async fn call_until(target: String, counted: Instant, end: Instant) -> std::io::Result<u64> {
	let mut stream = TcpStream::connect(&target).await?;
	stream.set_nodelay(true)?;
	let request = format!("POST /deals/{DEAL} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n");
	let mut buffer = vec![0; 8 * 1024];
	let mut calls = 0;
	loop {
		stream.write_all(request.as_bytes()).await?;
		let mut filled = 0;
		// The empty guest answers without a body: an answer is a head.
		while !buffer[..filled].ends_with(b"\r\n\r\n") {
			let read = stream.read(&mut buffer[filled..]).await?;
			assert!(read > 0, "the worker hung up");
			filled += read;
		}
		assert!(
			buffer.starts_with(b"HTTP/1.1 200"),
			"{}",
			String::from_utf8_lossy(&buffer[..filled])
		);
		let now = Instant::now();
		if now >= end {
			return Ok(calls);
		}
		if now >= counted {
			calls += 1;
		}
	}
}

/// Calls a second of an empty guest over HTTP, with durable receipts.
async fn calls_a_second(guests: Arc<dyn Guests>) -> Outcome<(f64, f64, f64)> {
	let dir = tempfile::tempdir()?;
	let world = worker(dir.path(), guests, common::MODULE).await;
	let stop = CancellationToken::new();
	let target = open_door(&world, dir.path(), &stop).await?;
	let this = env::current_exe()?;
	let output = tokio::task::spawn_blocking(move || {
		Command::new(this)
			.args(["caller", "--exact", "--nocapture"])
			.env(TARGET, target)
			.stderr(Stdio::inherit())
			.output()
	});
	let output = output.await??;
	stop.cancel();
	let text = String::from_utf8(output.stdout)?;
	let line = text
		.lines()
		.find_map(|line| line.split_once("calls "))
		.ok_or("the caller failed")?;
	let calls: u64 = line.1.trim().parse()?;
	let (batches, commits) = (
		&world.metrics.commit_receipts,
		&world.metrics.commit_seconds,
	);
	let count = batches.get_sample_count().max(1) as f64;
	Ok((
		calls as f64 / COUNTED.as_secs_f64(),
		batches.get_sample_sum() / count,
		commits.get_sample_sum() / count * 1e3,
	))
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_calls() -> Outcome<()> {
	let (in_process, batch, commit_ms) = calls_a_second(in_process(2)).await?;
	let folder = tempfile::tempdir()?;
	let processes = sandbox(folder.path().join("modules"), Duration::from_secs(30)).await?;
	let (sandboxed, sandboxed_batch, _) = calls_a_second(processes).await?;
	println!(
		"{{\"measure\":\"calls\",\"connections\":{CONNECTIONS},\"in_process\":{in_process:.0},\
		\"sandbox\":{sandboxed:.0},\"receipts_per_commit\":{batch:.1},\
		\"sandbox_receipts_per_commit\":{sandboxed_batch:.1},\"commit_mean_ms\":{commit_ms:.2}}}"
	);
	Ok(())
}

/// Rounds of calls; what is printed are medians over them.
const ROUNDS: usize = 5;
/// Calls of a round on each side.
const CALLS: usize = 200;
/// Calls that each side makes before it is the other one's turn: few, so that both meet the same
/// machine, and enough for most to find their side as a function that is called finds it.
const TURN: usize = 20;

/// A call from its request to its answer, with a receipt that is signed and durable and a guest in a
/// process of its own, against the same module in plain wasmtime, in turns: on the machine as it is,
/// and again while idle cores stay awake, where this process may ask for that.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_receipted_call() -> Outcome<()> {
	let as_it_is = receipted_calls().await?;
	let awake = match Awake::keep() {
		Ok(_awake) => format!("{{{}}}", receipted_calls().await?),
		Err(error) => {
			eprintln!("idle cores cannot be kept awake: {error}");
			"null".into()
		}
	};
	println!(
		"{{\"measure\":\"receipted_call\",\"rounds\":{ROUNDS},\"calls\":{CALLS},{as_it_is},\
		\"awake\":{awake}}}"
	);
	Ok(())
}

/// Idle cores stay awake for as long as this is there, as `tuned-adm profile latency-performance` has it.
/// <https://docs.kernel.org/admin-guide/pm/cpuidle.html#power-management-quality-of-service-for-cpus>
struct Awake {
	_request: fs::File,
}

impl Awake {
	fn keep() -> std::io::Result<Self> {
		let mut request = fs::File::options()
			.write(true)
			.open("/dev/cpu_dma_latency")?;
		// Longest time to wake up, in microseconds.
		request.write_all(&0i32.to_ne_bytes())?;
		Ok(Self { _request: request })
	}
}

/// Fields of JSON: each guest, and what the worst of them is over the bar.
async fn receipted_calls() -> Outcome<String> {
	let photo = fs::read(guests_folder().join("samples/photo.png"))?;
	let (mut worst, mut rows) = (f64::MIN, Vec::new());
	for (guest, body) in [
		("thumbnail", photo),
		("search", b"river mill stone water".to_vec()),
		// Steps in place of its own number: some 6 ms of them.
		("solver", b"100000\n".to_vec()),
	] {
		let module = fs::read(guests_folder().join(format!("out/{guest}.wasm")))?;
		let request = Request {
			method: "POST".into(),
			path: "/".into(),
			body,
			..Request::default()
		};
		let dir = tempfile::tempdir()?;
		let processes = sandbox(dir.path().join("modules"), Duration::from_secs(30)).await?;
		let world = worker(dir.path(), processes, &module).await;
		let plain = Plain::new(&module)?;
		// Both are warm before the first call that counts.
		let expected = plain.call(&request)?;
		let answer = world
			.calls
			.execute(world.calls.admit(DEAL)?, request.clone())
			.await?;
		assert_eq!(
			answer.receipt.receipt.status,
			CallStatus::Exited(0),
			"{guest}"
		);
		assert!(answer.response[..] == expected[..], "the two do not agree");
		let calls = world.calls.clone();
		// As behind the door: a request that was parsed is in a task of the runtime already.
		let rounds = tokio::spawn(async move {
			let (mut ours, mut theirs) = (Vec::new(), Vec::new());
			for _ in 0..ROUNDS {
				let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
				for _ in 0..CALLS / TURN {
					for _ in 0..TURN {
						let begun = Instant::now();
						plain.call(&request)?;
						their_times.push(ms(begun.elapsed()));
					}
					for _ in 0..TURN {
						let request = request.clone();
						let begun = Instant::now();
						let admission = calls.admit(DEAL)?;
						calls.execute(admission, request).await?;
						our_times.push(ms(begun.elapsed()));
					}
				}
				ours.push(median(&mut our_times));
				theirs.push(median(&mut their_times));
			}
			Outcome::Ok((ours, theirs))
		});
		let (mut ours, mut theirs) = rounds.await??;
		let (ours, theirs) = (median(&mut ours), median(&mut theirs));
		let excess = ours - (1.12 * theirs + 0.6);
		worst = worst.max(excess);
		rows.push(format!(
			"{{\"guest\":\"{guest}\",\"gas\":{},\"plain_p50_ms\":{theirs:.3},\
			\"ours_p50_ms\":{ours:.3},\"ratio\":{:.3},\"excess_ms\":{excess:.3}}}",
			answer.receipt.receipt.gas,
			ours / theirs
		));
	}
	Ok(format!(
		"\"guests\":[{}],\"excess_ms\":{worst:.3}",
		rows.join(",")
	))
}

/// Compilations on each side.
const FIRST_CALLS: usize = 7;

/// From the bytes of a package of a million to the answer of its first call, against compiling it in
/// plain wasmtime, in turns.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_first_call() -> Outcome<()> {
	let module = millrace_differential::mix::large(1_000_000);
	let (mut ours, mut theirs) = (Vec::new(), Vec::new());
	for _ in 0..FIRST_CALLS {
		let dir = tempfile::tempdir()?;
		let processes = sandbox(dir.path().join("modules"), Duration::from_secs(30)).await?;
		let begun = Instant::now();
		let answer = prepare_and_call(&*processes, &module).await?;
		ours.push(ms(begun.elapsed()));
		assert_eq!(answer, CallStatus::Exited(0));
		let bytes = module.clone();
		let compiled = tokio::task::spawn_blocking(move || {
			let begun = Instant::now();
			let engine = wasmtime::Engine::default();
			Module::new(&engine, bytes).map(|_| ms(begun.elapsed()))
		});
		theirs.push(compiled.await??);
	}
	let (ours, theirs) = (median(&mut ours), median(&mut theirs));
	println!(
		"{{\"measure\":\"first_call\",\"bytes\":{},\"ours_p50_ms\":{ours:.1},\
		\"plain_compile_p50_ms\":{theirs:.1},\"ratio\":{:.3}}}",
		module.len(),
		ours / theirs
	);
	Ok(())
}

/// Starts over a warm folder.
const RESTARTS: usize = 21;

/// From a daemon that is up over a warm folder to the answer of the first call.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_restart() -> Outcome<()> {
	let module = millrace_differential::mix::large(1_000_000);
	let dir = tempfile::tempdir()?;
	let folder = dir.path().join("modules");
	let processes = sandbox(folder.clone(), Duration::from_secs(30)).await?;
	prepare_and_call(&*processes, &module).await?;
	processes.settle().await;
	drop(processes);
	let mut times = Vec::new();
	for _ in 0..RESTARTS {
		let processes = sandbox(folder.clone(), Duration::from_secs(30)).await?;
		let begun = Instant::now();
		let answer = prepare_and_call(&*processes, &module).await?;
		times.push(ms(begun.elapsed()));
		assert_eq!(answer, CallStatus::Exited(0));
	}
	println!(
		"{{\"measure\":\"restart\",\"bytes\":{},\"starts\":{RESTARTS},\"p50_ms\":{:.2}}}",
		module.len(),
		median(&mut times)
	);
	Ok(())
}

async fn prepare_and_call(guests: &dyn Guests, module: &[u8]) -> Outcome<CallStatus> {
	guests.prepare(module.to_vec().into()).await?;
	let output = guests
		.call(GuestCall {
			deal: DEAL,
			package: package_hash(module),
			places: 1,
			input: OwnedInput {
				request: Arc::default(),
				limits: GENEROUS,
				hosts: Default::default(),
				clock_ms: 0,
				seed: H256::zero(),
			},
			effects: Arc::new(NoEffector),
		})
		.await?;
	Ok(output.status)
}

/// Deals of the worker whose memory is measured.
const DEALS: u64 = 100;

/// Memory of a worker and its children when a hundred deals were called once each and have nothing to
/// do: without a prover, and with one in light mode.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_idle_memory() -> Outcome<()> {
	let idle = Duration::from_secs(2);
	let dir = tempfile::tempdir()?;
	let markdown = fs::read(guests_folder().join("out/markdown.wasm"))?;
	let deals: Vec<_> = (0..DEALS)
		.map(|number| {
			let module = marked(&markdown, number);
			let mut deal = assignment(DEAL + number, package(&module));
			deal.limits = GENEROUS;
			(deal, module)
		})
		.collect();
	let processes = sandbox(dir.path().join("modules"), idle).await?;
	let world = World::open(dir.path(), two_at_once(), first_key(), processes, deals).await;
	for deal in DEAL..DEAL + DEALS {
		let request = Request {
			method: "POST".into(),
			path: "/".into(),
			body: b"# idle".to_vec(),
			..Request::default()
		};
		let answer = world
			.calls
			.execute(world.calls.admit(deal)?, request)
			.await?;
		assert_eq!(answer.receipt.receipt.status, CallStatus::Exited(0));
	}
	sleep(idle + Duration::from_secs(3)).await;
	let (alone, processes) = tree_mib()?;
	let prover = Prover::start(ProverConfig {
		dir: dir.path().join("prover"),
		settings: Settings {
			mode: Mode::Light,
			threads: Some(1),
			..Settings::default()
		},
	})?;
	let genesis = world.identity.genesis;
	prover.set_task(Some(Task {
		epoch: EPOCH,
		key: genesis,
		genesis,
		peer: world.identity.peer,
		// Never found: the search goes on.
		target: Default::default(),
		rates: WorkRates { idle: 32, busy: 4 },
		idle: 1,
		busy: 0,
	}));
	while prover.progress().rate <= 0.0 {
		sleep(Duration::from_millis(200)).await;
	}
	let (with_prover, _) = tree_mib()?;
	println!(
		"{{\"measure\":\"idle_memory\",\"deals\":{DEALS},\"processes\":{processes},\
		\"mib\":{alone:.1},\"with_light_prover_mib\":{with_prover:.1}}}"
	);
	Ok(())
}

/// Memory of this process and all below it, each page by the part that it has of it, and how many
/// processes those are.
fn tree_mib() -> Outcome<(f64, usize)> {
	let mut parents = Vec::new();
	for entry in fs::read_dir("/proc")? {
		let name = entry?.file_name();
		let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
			continue;
		};
		// Whoever has ended in the meantime takes nothing.
		let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
			continue;
		};
		let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
		let parent = behind_name.split_whitespace().nth(1);
		if let Some(parent) = parent.and_then(|parent| parent.parse::<u32>().ok()) {
			parents.push((pid, parent));
		}
	}
	let mut tree = vec![std::process::id()];
	let mut next = 0;
	while let Some(pid) = tree.get(next).copied() {
		tree.extend(
			parents
				.iter()
				.filter(|(_, parent)| *parent == pid)
				.map(|(child, _)| *child),
		);
		next += 1;
	}
	let mut kib = 0u64;
	for pid in &tree {
		let Ok(rollup) = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) else {
			continue;
		};
		let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"));
		let value = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
		kib += value.ok_or("the system does not tell a process's part of its pages")?;
	}
	Ok((kib as f64 / 1024.0, tree.len()))
}

/// A module in wasmtime with its own settings but for the pool, in the same world.
struct Plain {
	module: InstancePre<Host>,
	files: Files,
}

impl Plain {
	fn new(package: &[u8]) -> Outcome<Self> {
		let mut pool = PoolingAllocationConfig::new();
		pool.total_core_instances(4)
			.total_memories(4)
			.total_tables(4);
		pool.max_memory_size(GENEROUS.memory_bytes as usize);
		let mut config = Config::new();
		config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
		let engine = wasmtime::Engine::new(&config)?;
		let mut linker = Linker::new(&engine);
		link(&mut linker)?;
		let module = Module::from_binary(&engine, package)?;
		Ok(Self {
			module: linker.instantiate_pre(&module)?,
			files: Files::of(package)?,
		})
	}

	fn call(&self, request: &Request) -> Outcome<Vec<u8>> {
		let wasi = Wasi::new(request, GENEROUS.response_bytes, 0, H256::zero());
		let wasi = wasi.with_files(self.files.clone());
		let host = Host::new(wasi, GENEROUS.memory_bytes);
		let mut store = Store::new(self.module.module().engine(), host);
		let instance = self.module.instantiate(&mut store)?;
		store.data_mut().memory = instance.get_memory(&mut store, "memory");
		let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
		match start.call(&mut store, ()) {
			Ok(()) => {}
			Err(error) if error.downcast_ref::<Exit>() == Some(&Exit::Code(0)) => {}
			Err(error) => return Err(error.into()),
		}
		Ok(store.into_data().wasi.into_output().0)
	}
}

fn guests_folder() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests")
}
