//! What the meter costs: the same calls under plain wasmtime with pooling and through the engine.
//!
//! `cargo run --release --example plain_ratio -- MODULE INPUT [CALLS [QUERY]]` prints one JSON object.
//! The two take turns, so that a change of the machine's speed falls on both.

use millrace_executor::binding::{link, Host};
use millrace_executor::wasi::{Exit, Wasi};
use millrace_executor::{CallInput, Engine, EngineConfig};
use millrace_primitives::execution::{CallStatus, Request};
use millrace_primitives::market::CallLimits;
use millrace_primitives::H256;
use std::error::Error;
use std::time::{Duration, Instant};
use wasmtime::{
	Config, InstanceAllocationStrategy, InstancePre, Linker, Module, PoolingAllocationConfig, Store,
};

const LIMITS: CallLimits = CallLimits {
	gas: 1_000_000_000_000,
	memory_bytes: 128 * 1024 * 1024,
	request_bytes: 4 * 1024 * 1024,
	response_bytes: 4 * 1024 * 1024,
};

fn main() -> Result<(), Box<dyn Error>> {
	let arguments: Vec<String> = std::env::args().skip(1).collect();
	let [module, input, rest @ ..] = &arguments[..] else {
		return Err("usage: plain_ratio MODULE INPUT [CALLS [QUERY]]".into());
	};
	let calls: usize = rest.first().map_or(Ok(200), |calls| calls.parse())?;
	let module = std::fs::read(module)?;
	let request = Request {
		method: "POST".into(),
		path: "/".into(),
		query: rest.get(1).cloned().unwrap_or_default(),
		content_type: String::new(),
		body: std::fs::read(input)?,
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
	if output.status != CallStatus::Exited(0) || output.response != expected {
		return Err(format!("the two do not agree: {:?}", output.status).into());
	}
	let (mut plain_times, mut metered_times) = (Vec::new(), Vec::new());
	for _ in 0..calls.max(1) {
		let begun = Instant::now();
		plain_call(&plain, &request)?;
		plain_times.push(begun.elapsed());
		let begun = Instant::now();
		engine.call(&metered, &input)?;
		metered_times.push(begun.elapsed());
	}
	let (plain, metered) = (median(&mut plain_times), median(&mut metered_times));
	println!(
		"{{\"calls\":{},\"gas\":{},\"plain_p50_us\":{:.1},\"metered_p50_us\":{:.1},\"ratio_p50\":{:.4}}}",
		plain_times.len(),
		output.gas,
		plain.as_secs_f64() * 1e6,
		metered.as_secs_f64() * 1e6,
		metered.as_secs_f64() / plain.as_secs_f64()
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

fn median(times: &mut [Duration]) -> Duration {
	times.sort_unstable();
	times.get(times.len() / 2).copied().unwrap_or_default()
}
