//! How much of the processor a process may take, beside what gas and the clock bound.

mod common;

use common::*;
use std::time::{Duration, Instant};
use tokio::time::sleep;

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_computes_without_calls_is_ended() {
	let (_folder, liar) = with_liar("spins").await;
	let liar = liar.expect("it starts");
	let package = prepared(&liar, &echo()).await;
	let called = || response(&liar, call(1, package, PLENTY));
	assert_eq!(called().await, b"as told");
	let first = pid_of(&liar, 1).expect("it was called");
	// Nobody calls, and it would be idle for longer than is waited for here.
	wait_until("ended", || !runs(first)).await;
	// Answers at once do not pay for it either: the next one is ended, too, and none misses its answer.
	assert_eq!(called().await, b"as told");
	let second = pid_of(&liar, 1).expect("it was called");
	assert_ne!(second, first);
	let begun = Instant::now();
	while pid_of(&liar, 1) == Some(second) {
		assert!(begun.elapsed() < Duration::from_secs(20), "it lives");
		sleep(Duration::from_secs(1)).await;
		assert_eq!(called().await, b"as told");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_may_work_all_the_time_for_its_calls() {
	let (_folder, sandbox) = sandbox().await;
	let package = prepared(&sandbox, &works()).await;
	let called = || {
		let mut call = call(1, package, PLENTY);
		call.places = 2;
		response(&sandbox, call)
	};
	called().await;
	let process = pid_of(&sandbox, 1);
	let until = Instant::now() + Duration::from_secs(4);
	let work = || async {
		while Instant::now() < until {
			called().await;
		}
	};
	futures::join!(work(), work());
	assert!(process.is_some());
	assert_eq!(pid_of(&sandbox, 1), process);
}
