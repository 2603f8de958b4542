//! Latency of calls at a worker and through a gateway.

use super::{serve, SHORT};
use bytes::Bytes;
use http::Method;
use millrace_e2e::{
	binaries, eventually,
	http::Answer,
	measure::{median, ms, percentile},
	Http, Network,
};
use std::time::Instant;

/// Rounds of calls; what is printed are medians over them.
const ROUNDS: usize = 5;
/// Calls of a round at each door.
const CALLS: usize = 200;

/// Latency of calls: a client on the same machine posts the photo to the thumbnail function, one
/// call after the other over a kept connection, in turns at the worker and through the gateway.
///
/// A call begins with the request and ends with the last byte of the response; the guest's run and
/// the receipt, which is on disk before the answer is sent, are inside. The network goes on meanwhile:
/// node, prover and gateway share the machine with the calls.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, run by scripts/bench.sh"]
async fn bench_invocation() {
	let network = Network::dev().await;
	let module = std::fs::read(binaries::guest("thumbnail")).expect("it can be read");
	let served = serve(&network, 1, module).await;
	let photo = std::fs::read(binaries::sample("photo.png")).expect("it can be read");
	let photo = Bytes::from(photo);
	let id = served.deal.id;
	let doors = [
		format!("{}/deals/{id}", served.provider.peers[0].url),
		served.gateway.deal(id),
	];

	let mut expected = None;
	for door in &doors {
		let answer = eventually("calls are answered", SHORT, async || {
			let answer = post(&network.http, door, &photo).await?;
			match answer.status {
				200 => Ok(answer),
				_ => Err(format!("{:?}", answer.error())),
			}
		})
		.await;
		let first = expected.get_or_insert(answer.body.clone());
		assert_eq!(*first, answer.body, "both doors lead to one function");
	}

	// By door, then by round.
	let (mut p50, mut p99) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
	for _ in 0..ROUNDS {
		let mut times = [Vec::new(), Vec::new()];
		for _ in 0..CALLS {
			for (door, times) in doors.iter().zip(&mut times) {
				let begun = Instant::now();
				let answer = post(&network.http, door, &photo).await;
				times.push(ms(begun.elapsed()));
				let answer = answer.expect("the door answers");
				assert_eq!(answer.status, 200, "{:?}", answer.error());
				assert_eq!(Some(&answer.body), expected.as_ref());
				assert!(answer.receipt().is_some(), "{:?}", answer.headers);
			}
		}
		for (door, times) in times.iter().enumerate() {
			p50[door].push(percentile(times, 50));
			p99[door].push(percentile(times, 99));
		}
	}
	println!(
		"{{\"measure\":\"invocation\",\"rounds\":{ROUNDS},\"calls\":{CALLS},\
		\"worker_p50_ms\":{:.2},\"worker_p99_ms\":{:.2},\
		\"gateway_p50_ms\":{:.2},\"gateway_p99_ms\":{:.2}}}",
		median(&p50[0]),
		median(&p99[0]),
		median(&p50[1]),
		median(&p99[1]),
	);
}

async fn post(http: &Http, url: &str, photo: &Bytes) -> Result<Answer, String> {
	http.send(Method::POST, url, "image/png", photo.clone())
		.await
}
