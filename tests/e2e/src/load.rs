//! Calls as clients make them, one or many at a steady rate.

use crate::Http;
use millrace_primitives::execution::{response_hash, Request, SignedReceipt};
use std::{
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc, Mutex, PoisonError,
	},
	time::Duration,
};
use tokio::{
	task::{JoinHandle, JoinSet},
	time::{interval, Instant, MissedTickBehavior},
};

/// Most calls of one load: it ends by itself then.
const MOST: u32 = 4_000;

/// An answered call.
#[derive(Clone, Debug)]
pub struct Seen {
	/// Its receipt.
	pub receipt: SignedReceipt,
	/// When the answer was there.
	pub at: Instant,
}

/// What clients have seen so far.
#[derive(Clone, Debug, Default)]
struct Log {
	seen: Vec<Seen>,
	failed: Vec<String>,
}

/// Calls of an echoing deal at a steady rate, until it is finished.
#[derive(Debug)]
pub struct Load {
	stop: Arc<AtomicBool>,
	log: Arc<Mutex<Log>>,
	task: JoinHandle<()>,
}

/// Calls an echoing deal with a text and checks everything that a client can check of the answer.
pub async fn call(http: &Http, url: &str, text: &str) -> Result<SignedReceipt, String> {
	let request = Request {
		method: "POST".into(),
		path: "/".into(),
		query: String::new(),
		content_type: "text/plain".into(),
		body: text.into(),
	};
	let answer = http.post(url, request.body.clone()).await?;
	if answer.status != 200 {
		let body = String::from_utf8_lossy(&answer.body).into_owned();
		return Err(format!("{text}: status {}: {body}", answer.status));
	}
	let signed = answer
		.receipt()
		.ok_or_else(|| format!("{text}: there is no receipt"))?;
	let receipt = &signed.receipt;
	let holds = answer.body == request.body
		&& receipt.status.is_success()
		&& receipt.request == request.hash()
		&& receipt.response == response_hash(&answer.body);
	match holds {
		true => Ok(signed),
		false => Err(format!(
			"{text}: the answer is not that of its receipt: {receipt:?}"
		)),
	}
}

impl Load {
	/// Begins: one call each `period`, whether or not the last one is answered.
	pub fn start(http: &Http, url: String, period: Duration) -> Self {
		let stop = Arc::new(AtomicBool::new(false));
		let log: Arc<Mutex<Log>> = Arc::default();
		let (http, stopped, shared) = (http.clone(), stop.clone(), Arc::clone(&log));
		let task = tokio::spawn(async move {
			let mut ticks = interval(period);
			ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
			let mut calls = JoinSet::new();
			for number in 0..MOST {
				ticks.tick().await;
				if stopped.load(Ordering::Relaxed) {
					break;
				}
				let (http, url, log) = (http.clone(), url.clone(), shared.clone());
				calls.spawn(async move {
					let outcome = call(&http, &url, &format!("call {number}")).await;
					let at = Instant::now();
					let mut log = lock(&log);
					match outcome {
						Ok(receipt) => log.seen.push(Seen { receipt, at }),
						Err(error) => log.failed.push(error),
					}
				});
				// Calls that are over are forgotten.
				while calls.try_join_next().is_some() {}
			}
			while calls.join_next().await.is_some() {}
		});
		Self { stop, log, task }
	}

	/// Calls that were answered so far.
	pub fn seen(&self) -> Vec<Seen> {
		lock(&self.log).seen.clone()
	}

	/// Ends it: no further call is made, and those that are open are waited for. Fails the test if
	/// any call failed.
	pub async fn finish(self) -> Vec<Seen> {
		let (seen, failed) = self.outcome().await;
		assert!(
			failed.is_empty(),
			"{} of {} calls failed: {failed:#?}",
			failed.len(),
			failed.len() + seen.len(),
		);
		seen
	}

	/// Ends it in the same way, and tells which calls were answered and how others failed.
	pub async fn outcome(self) -> (Vec<Seen>, Vec<String>) {
		self.stop.store(true, Ordering::Relaxed);
		self.task.await.expect("the load does not panic");
		let log = lock(&self.log).clone();
		(log.seen, log.failed)
	}
}

fn lock(log: &Mutex<Log>) -> std::sync::MutexGuard<'_, Log> {
	log.lock().unwrap_or_else(PoisonError::into_inner)
}
