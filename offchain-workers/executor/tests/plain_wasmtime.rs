//! What the profile costs: the same calls under plain wasmtime with pooling and through the engine.

use millrace_executor::binding::{link, Host};
use millrace_executor::wasi::{Exit, Wasi};
use millrace_executor::{CallInput, Engine, EngineConfig};
use millrace_primitives::execution::{CallStatus, Request};
use millrace_primitives::market::CallLimits;
use millrace_primitives::H256;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};
use wasmtime::{
	Config, InstanceAllocationStrategy, InstancePre, Linker, Module, PoolingAllocationConfig, Store,
};

/// Rounds of calls; what is printed are medians over them.
const ROUNDS: usize = 5;
/// Calls of a round on each side.
const CALLS: usize = 200;

const LIMITS: CallLimits = CallLimits {
	gas: 1_000_000_000_000,
	memory_bytes: 128 * 1024 * 1024,
	request_bytes: 4 * 1024 * 1024,
	response_bytes: 4 * 1024 * 1024,
};

/// Time of a call of the thumbnail function with the photo, in this process: plain wasmtime with its
/// own settings but for the pool, and the engine with its meter, its stack limit and its portable
/// code. Both give the guest the same world and a fresh instance for each call; neither writes a
/// receipt. They take turns, so that a change of the machine's speed falls on both.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_against_plain_wasmtime() -> Result<(), Box<dyn Error>> {
	let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
	let module = std::fs::read(tests.join("out/thumbnail.wasm"))?;
	let request = Request {
		method: "POST".into(),
		path: "/".into(),
		query: String::new(),
		content_type: "image/png".into(),
		body: std::fs::read(tests.join("samples/photo.png"))?,
	};
	let plain = plain_module(&module)?;
	let engine = Engine::new(EngineConfig::default())?;
	let metered = engine.load(&module)?;
	let input = CallInput {
		request: &request,
		limits: LIMITS,
		clock_ms: 0,
		seed: H256::zero(),
	};

	// Both are warm before the first call that counts.
	let expected = plain_call(&plain, &request)?;
	let output = engine.call(&metered, &input)?;
	assert_eq!(output.status, CallStatus::Exited(0));
	assert!(output.response == expected, "the two do not agree");

	let (mut plain_ms, mut engine_ms, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
	for _ in 0..ROUNDS {
		let (mut plain_times, mut engine_times) = (Vec::new(), Vec::new());
		for _ in 0..CALLS {
			let begun = Instant::now();
			plain_call(&plain, &request)?;
			plain_times.push(ms(begun.elapsed()));
			let begun = Instant::now();
			engine.call(&metered, &input)?;
			engine_times.push(ms(begun.elapsed()));
		}
		let (plain, engine) = (median(&mut plain_times), median(&mut engine_times));
		plain_ms.push(plain);
		engine_ms.push(engine);
		ratios.push(engine / plain);
	}
	println!(
		"{{\"measure\":\"against_plain_wasmtime\",\"rounds\":{ROUNDS},\"calls\":{CALLS},\
		\"gas\":{},\"plain_p50_ms\":{:.3},\"engine_p50_ms\":{:.3},\"ratio_p50\":{:.3}}}",
		output.gas,
		median(&mut plain_ms),
		median(&mut engine_ms),
		median(&mut ratios),
	);
	Ok(())
}

/// A module compiled by wasmtime with its own settings, but for the pool.
fn plain_module(module: &[u8]) -> Result<InstancePre<Host>, Box<dyn Error>> {
	let mut pool = PoolingAllocationConfig::new();
	pool.total_core_instances(4)
		.total_memories(4)
		.total_tables(4);
	pool.max_memory_size(LIMITS.memory_bytes as usize);
	let mut config = Config::new();
	config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
	let engine = wasmtime::Engine::new(&config)?;
	let mut linker = Linker::new(&engine);
	link(&mut linker)?;
	Ok(linker.instantiate_pre(&Module::from_binary(&engine, module)?)?)
}

fn plain_call(module: &InstancePre<Host>, request: &Request) -> Result<Vec<u8>, Box<dyn Error>> {
	let wasi = Wasi::new(request, LIMITS.response_bytes, 0, H256::zero());
	let mut store = Store::new(
		module.module().engine(),
		Host::new(wasi, LIMITS.memory_bytes),
	);
	let instance = module.instantiate(&mut store)?;
	store.data_mut().memory = instance.get_memory(&mut store, "memory");
	let start = instance.get_typed_func::<(), ()>(&mut store, "_start")?;
	match start.call(&mut store, ()) {
		Ok(()) => {}
		Err(error) if error.downcast_ref::<Exit>() == Some(&Exit::Code(0)) => {}
		Err(error) => return Err(error.into()),
	}
	Ok(store.into_data().wasi.into_output().0)
}

fn ms(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

fn median(values: &mut [f64]) -> f64 {
	values.sort_by(f64::total_cmp);
	values[values.len() / 2]
}
