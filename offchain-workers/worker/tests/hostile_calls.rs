//! What an innocent deal notices of others that mean harm, at the daemon's own door. A measurement, run
//! by scripts/bench.sh.

mod common;
#[path = "../../sandbox/tests/hostile/corpus.rs"]
mod corpus;
#[path = "../../sandbox/tests/common/modules.rs"]
mod modules;

use bytes::Bytes;
use codec::DecodeAll;
use common::{
	assignment,
	bench::{marked, median, ms, open_door, sandbox, two_at_once, Outcome},
	first_key, package, World, DEAL,
};
use corpus::{corpus, Hostile, Outcome as End};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
	client::legacy::{connect::HttpConnector, Client},
	rt::TokioExecutor,
};
use millrace_primitives::{
	execution::{CallStatus, SignedReceipt},
	market::CallLimits,
	views::Assignment,
};
use millrace_sandbox::Guests;
use modules::{works, PLENTY};
use std::{
	path::PathBuf,
	sync::Arc,
	time::{Duration, Instant},
};
use tokio::{fs, task::JoinHandle, time::sleep};
use tokio_util::sync::CancellationToken;

/// Rounds, each alone and beside the others; what is printed are medians over them.
const ROUNDS: usize = 5;
/// Time of a round on each side. Beside the others it goes on until all of them had their turn.
const TIME: Duration = Duration::from_secs(10);
/// Longest wait until a package is ready, or known to be none.
const PATIENCE: Duration = Duration::from_secs(60);

/// What every deal here allows.
const LIMITS: CallLimits = CallLimits {
	gas: PLENTY,
	memory_bytes: 128 * 1024 * 1024,
	request_bytes: 1024 * 1024,
	response_bytes: 1024 * 1024,
};

/// Calls deals at a worker's door.
#[derive(Clone)]
struct Caller {
	client: Client<HttpConnector, Full<Bytes>>,
	address: String,
}

impl Caller {
	/// How the guest ended, or the code of the refusal.
	async fn call(&self, deal: u64) -> Outcome<Result<CallStatus, String>> {
		let target = format!("http://{}/deals/{deal}", self.address);
		let request = Request::post(target).body(Full::default())?;
		let (parts, body) = self.client.request(request).await?.into_parts();
		let body = body.collect().await?.to_bytes();
		if let Some(receipt) = parts.headers.get("x-millrace-receipt") {
			let bytes = hex::decode(receipt.to_str()?.trim_start_matches("0x"))?;
			let signed = SignedReceipt::decode_all(&mut &bytes[..])?;
			return Ok(Ok(signed.receipt.status));
		}
		let refusal: serde_json::Value = serde_json::from_slice(&body)?;
		let code = refusal["error"]["code"].as_str();
		Ok(Err(code.ok_or("a refusal has a code")?.to_owned()))
	}

	/// Times of an innocent deal's calls, one after the other, for as long as it is said: median, p99 and
	/// number.
	async fn measure(&self, goes_on: impl Fn() -> bool) -> Outcome<(f64, f64, usize)> {
		let mut times = Vec::new();
		while goes_on() {
			let begun = Instant::now();
			let answer = self.call(DEAL).await?;
			times.push(ms(begun.elapsed()));
			if answer != Ok(CallStatus::Exited(0)) {
				return Err(format!("an innocent call ended so: {answer:?}").into());
			}
		}
		// It sorts them.
		let median = median(&mut times);
		let p99 = times[times.len() * 99 / 100];
		Ok((median, p99, times.len()))
	}
}

/// A worker, and the blocks that it sees.
struct Worker {
	world: World,
	packages: PathBuf,
	innocent: Assignment,
	/// Shows it the present block.
	shown: JoinHandle<()>,
	/// Deals that meant harm so far.
	hostile: u64,
}

impl Worker {
	/// Shows it a block with these deals besides the innocent one. What its packages are fetched from is
	/// on its disk.
	async fn show(&mut self, others: Vec<Assignment>) {
		let mut deals = vec![self.innocent.clone()];
		deals.extend(others);
		let packages: Vec<_> = deals.iter().map(|deal| &deal.package).collect();
		self.world.packages.want(&packages);
		let numbers = deals.iter().map(|deal| deal.deal).collect();
		self.world.calls.keep(&numbers);
		self.shown.abort();
		// Not before the earlier block is gone for good.
		let _ = (&mut self.shown).await;
		self.shown = self.world.keep_fresh(deals);
	}

	/// A new deal with a package that nobody has seen yet: it is compiled and called, and goes.
	async fn suffer(&mut self, hostile: &Hostile, caller: &Caller) -> Outcome<()> {
		self.hostile += 1;
		let bytes = another(&hostile.package, self.hostile);
		let mut deal = assignment(DEAL + self.hostile, package(&bytes));
		deal.limits = CallLimits {
			gas: hostile.gas,
			..LIMITS
		};
		let number = deal.deal;
		let name = format!("{}.wasm", hex::encode(deal.package.hash));
		fs::write(self.packages.join(name), bytes).await?;
		self.show(vec![deal]).await;
		let begun = Instant::now();
		let end = loop {
			match caller.call(number).await? {
				Ok(status) => break End::Ends(status),
				Err(code) if code == "package_invalid" => break End::Refused,
				// The block is about to be seen, or the package is being compiled.
				Err(code)
					if ["deal_unknown", "package_unavailable"].contains(&&*code)
						&& begun.elapsed() < PATIENCE =>
				{
					sleep(Duration::from_millis(20)).await;
				}
				Err(code) => break End::Trouble(code),
			}
		};
		if end != hostile.outcome {
			return Err(format!("{} ended so: {end:?}", hostile.name).into());
		}
		Ok(())
	}
}

/// The package under another hash.
fn another(package: &[u8], number: u64) -> Vec<u8> {
	if package.starts_with(b"\0asm") {
		return marked(package, number);
	}
	// What is no module is to stay as long as it is.
	let number = number.to_le_bytes();
	let rest = package.get(number.len()..).unwrap_or_default();
	[rest, &number[..]].concat()
}

/// The p50 and p99 of an innocent deal's calls over HTTP, with durable receipts and guests in processes:
/// alone, and beside all packages that mean harm, in turns, which come as new deals, are compiled and
/// called once. Both sides have one unit of a worker of two.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_hostile_calls() -> Outcome<()> {
	let dir = tempfile::tempdir()?;
	let processes = sandbox(dir.path().join("modules"), Duration::from_secs(30)).await?;
	let module = wat::parse_str(works())?;
	let mut innocent = assignment(DEAL, package(&module));
	innocent.limits = LIMITS;
	let deals = vec![(innocent.clone(), module)];
	let guests: Arc<dyn Guests> = processes.clone();
	let world = World::open(dir.path(), two_at_once(), first_key(), guests, deals).await;
	processes.settle().await;
	let stop = CancellationToken::new();
	let caller = Caller {
		client: Client::builder(TokioExecutor::new()).build_http(),
		address: open_door(&world, dir.path(), &stop).await?,
	};
	let mut worker = Worker {
		shown: world.keep_fresh(vec![innocent.clone()]),
		packages: dir.path().join("packages"),
		hostile: 0,
		innocent,
		world,
	};
	// Warm, before the first call that counts.
	let begun = Instant::now();
	caller.measure(|| begun.elapsed() < TIME / 5).await?;

	let corpus = Arc::new(corpus());
	let mut figures: [Vec<f64>; 4] = Default::default();
	let mut calls = [0, 0];
	for _ in 0..ROUNDS {
		let begun = Instant::now();
		let alone = caller.measure(|| begun.elapsed() < TIME).await?;
		let (all, by) = (corpus.clone(), caller.clone());
		let harm = tokio::spawn(async move {
			let begun = Instant::now();
			while begun.elapsed() < TIME {
				for hostile in all.iter() {
					worker.suffer(hostile, &by).await?;
				}
			}
			Outcome::Ok(worker)
		});
		let beside = caller.measure(|| !harm.is_finished()).await?;
		worker = harm.await??;
		worker.show(Vec::new()).await;
		// What they left to be compiled is not to be noticed alone.
		processes.settle().await;
		for (all, figure) in figures
			.iter_mut()
			.zip([alone.0, alone.1, beside.0, beside.1])
		{
			all.push(figure);
		}
		calls[0] += alone.2;
		calls[1] += beside.2;
	}
	stop.cancel();
	let [alone_p50, alone_p99, beside_p50, beside_p99] = figures.map(|mut all| median(&mut all));
	println!(
		"{{\"measure\":\"hostile_calls\",\"rounds\":{ROUNDS},\"alone_calls\":{},\
		\"beside_calls\":{},\"hostile_calls\":{},\"alone_p50_ms\":{alone_p50:.2},\
		\"alone_p99_ms\":{alone_p99:.2},\"beside_p50_ms\":{beside_p50:.2},\
		\"beside_p99_ms\":{beside_p99:.2},\"p99_ratio\":{:.3}}}",
		calls[0],
		calls[1],
		worker.hostile,
		beside_p99 / alone_p99
	);
	Ok(())
}
