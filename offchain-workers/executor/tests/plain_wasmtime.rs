//! What the profile costs: the same calls under plain wasmtime with pooling and through the engine.

use millrace_executor::binding::{link, Host};
use millrace_executor::wasi::{Exit, Wasi};
use millrace_executor::{
	canonical, inject, settings, CallInput, Engine, EngineConfig, EngineError, NoEffects,
	GAS_EXPORT,
};
use millrace_primitives::execution::{CallStatus, Request};
use millrace_primitives::market::{CallLimits, Hosts};
use millrace_primitives::H256;
use std::error::Error;
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use wasmtime::{
	Config, InstanceAllocationStrategy, InstancePre, Linker, Module, PoolingAllocationConfig,
	Store, Val,
};

/// Rounds of calls; what is printed are medians over them.
const ROUNDS: usize = 5;
/// Calls of a round in each mode.
const CALLS: usize = 200;
/// Stack of the thread that measures: as deep as the engine's own.
const STACK_BYTES: usize = 80 * 1024 * 1024;

const LIMITS: CallLimits = CallLimits {
	gas: 1_000_000_000_000,
	memory_bytes: 128 * 1024 * 1024,
	request_bytes: 4 * 1024 * 1024,
	response_bytes: 4 * 1024 * 1024,
};

type Failure = Box<dyn Error + Send + Sync>;

/// Time of a call of a function in this process: plain wasmtime with its own settings but for the pool,
/// and the engine with its meter and its stack limit. Between the two are modes that have only a part of
/// what the engine adds, so that it is seen what costs what. All give the guest the same world and a
/// fresh instance for each call; none writes a receipt. They take turns, so that a change of the
/// machine's speed falls on all.
///
/// The thumbnail function, with the photo, computes with integers; `solver` computes with floats.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_against_plain_wasmtime() -> Result<(), Failure> {
	thread::Builder::new()
		.stack_size(STACK_BYTES)
		.spawn(|| {
			measure("against_plain_wasmtime", "thumbnail", "photo.png")?;
			measure("floats_against_plain_wasmtime", "solver", "")
		})?
		.join()
		.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Measures a guest with a sample as its body, or with none.
fn measure(measure: &str, guest: &str, sample: &str) -> Result<(), Failure> {
	let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
	let module = std::fs::read(tests.join(format!("out/{guest}.wasm")))?;
	let body = match sample {
		"" => Vec::new(),
		sample => std::fs::read(tests.join("samples").join(sample))?,
	};
	let request = Request {
		method: "POST".into(),
		path: "/".into(),
		body,
		..Request::default()
	};
	let request = Arc::new(request);
	let metered = inject(&module)?;
	let compiled = canonical(&metered)?;
	let modes = [
		("plain", compile(&plain_settings(), &module)?),
		("our_settings", compile(&settings(4)?, &module)?),
		("meter", compile(&plain_settings(), &metered)?),
		("without_nan", compile(&settings(4)?, &metered)?),
		("our_nan", compile(&settings(4)?, &compiled)?),
		("cranelift_nan", compile(&cranelift_nan()?, &metered)?),
		("with_epochs", compile(&with_epochs()?, &compiled)?),
		("portable", compile(&portable()?, &compiled)?),
	];
	let engine = Engine::new(EngineConfig::default())?;
	let ours = engine.load(&module)?;
	let hosts = Hosts::default();
	let input = CallInput {
		request: &request,
		limits: LIMITS,
		hosts: &hosts,
		clock_ms: 0,
		seed: H256::zero(),
	};
	let here = || engine.call_here(&ours, &input, Box::new(NoEffects));

	// All are warm before the first call that counts.
	let output = here()?;
	assert_eq!(output.status, CallStatus::Exited(0));
	for (name, module) in &modes {
		let expected = call(module, &request)?;
		assert!(output.response == expected, "{name} does not agree");
	}

	let mut all = vec![Vec::new(); modes.len() + 2];
	for _ in 0..ROUNDS {
		let mut times = vec![Vec::new(); modes.len() + 2];
		for _ in 0..CALLS {
			for ((_, module), times) in modes.iter().zip(&mut times) {
				times.push(timed(|| call(module, &request).map(drop))?);
			}
			times[modes.len()].push(timed(|| here().map(drop))?);
			times[modes.len() + 1].push(timed(|| submitted(&engine, &ours, &input))?);
		}
		for (all, times) in all.iter_mut().zip(&mut times) {
			all.push(median(times));
		}
	}
	let medians: Vec<f64> = all.iter_mut().map(|times| median(times)).collect();
	let names = modes
		.iter()
		.map(|(name, _)| *name)
		.chain(["engine_here", "engine"]);
	let fields: Vec<String> = names
		.zip(&medians)
		.map(|(name, ms)| format!("\"{name}_p50_ms\":{ms:.3}"))
		.collect();
	println!(
		"{{\"measure\":\"{measure}\",\"guest\":\"{guest}\",\"rounds\":{ROUNDS},\"calls\":{CALLS},\
		\"gas\":{},{},\"ratio_p50\":{:.3}}}",
		output.gas,
		fields.join(","),
		medians[modes.len() + 1] / medians[0],
	);
	Ok(())
}

/// A call on a thread of the engine, as daemons make it.
fn submitted(
	engine: &Engine,
	module: &millrace_executor::Module,
	input: &CallInput<'_>,
) -> Result<(), EngineError> {
	let (send, receive) = sync_channel(1);
	engine.submit(
		module,
		input.to_owned_input(),
		Box::new(NoEffects),
		move |result| drop(send.send(result)),
	);
	receive.recv().expect("the call has an end").map(drop)
}

/// Settings of wasmtime as they come, but for the pool.
fn plain_settings() -> Config {
	let mut pool = PoolingAllocationConfig::new();
	pool.total_core_instances(4)
		.total_memories(4)
		.total_tables(4);
	pool.max_memory_size(LIMITS.memory_bytes as usize);
	let mut config = Config::new();
	config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
	config
}

/// Every result of arithmetic made canonical by the compiler.
fn cranelift_nan() -> wasmtime::Result<Config> {
	let mut config = settings(4)?;
	config.cranelift_nan_canonicalization(true);
	Ok(config)
}

fn with_epochs() -> wasmtime::Result<Config> {
	let mut config = settings(4)?;
	config.epoch_interruption(true);
	Ok(config)
}

/// Code that runs on every processor of this kind.
fn portable() -> wasmtime::Result<Config> {
	let mut config = settings(4)?;
	let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
	config.target(&target)?;
	Ok(config)
}

fn compile(config: &Config, module: &[u8]) -> Result<InstancePre<Host>, Failure> {
	let engine = wasmtime::Engine::new(config)?;
	let mut linker = Linker::new(&engine);
	link(&mut linker)?;
	Ok(linker.instantiate_pre(&Module::from_binary(&engine, module)?)?)
}

fn call(module: &InstancePre<Host>, request: &Arc<Request>) -> Result<Vec<u8>, Failure> {
	let wasi = Wasi::shared(request.clone(), LIMITS.response_bytes, 0, H256::zero());
	let mut store = Store::new(
		module.module().engine(),
		Host::new(wasi, LIMITS.memory_bytes),
	);
	// Of use where there are epochs, and of no harm where there are none.
	store.set_epoch_deadline(u64::MAX / 2);
	let instance = module.instantiate(&mut store)?;
	store.data_mut().memory = instance.get_memory(&mut store, "memory");
	if let Some(gas) = instance.get_global(&mut store, GAS_EXPORT) {
		gas.set(&mut store, Val::I64(LIMITS.gas as i64))?;
		store.data_mut().gas = Some(gas);
	}
	let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
	match start.call(&mut store, ()) {
		Ok(()) => {}
		Err(error) if error.downcast_ref::<Exit>() == Some(&Exit::Code(0)) => {}
		Err(error) => return Err(error.into()),
	}
	Ok(store.into_data().wasi.into_output().0)
}

/// How long something takes, in milliseconds.
fn timed<E>(work: impl FnOnce() -> Result<(), E>) -> Result<f64, E> {
	let begun = Instant::now();
	work()?;
	Ok(ms(begun.elapsed()))
}

fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

fn median(values: &mut [f64]) -> f64 {
	values.sort_by(f64::total_cmp);
	values[values.len() / 2]
}
