//! `http-out` against servers at public addresses, inside a network that each test makes itself.
//!
//! A test runs itself again in namespaces of its own: no packet leaves the machine, and nothing of the
//! product has an option that would let it reach a private address. The servers that it must not
//! reach are there all the same, and count who connects.

mod inside;
mod origin;

use inside::{Inside, INNER, ORIGIN};
use millrace_executor::{cost, replay, CallOutput, EngineConfig, HttpFault, OwnedInput};
use millrace_primitives::{
	effects::{effect_hash, EffectRecord, Transcript, MAX_EFFECTS},
	execution::{
		package_hash, response_hash, CallStatus, CallTerms, Receipt, Request, ARBITRATION_GAS,
	},
	market::{Abi, CallLimits, Host, Hosts, Package},
	peer::PeerId,
	replay::{ReplayInput, ReplayOutcome},
	H256,
};
use millrace_sandbox::{GuestCall, Guests, InProcess};
use millrace_worker::effects::HttpOut;
use origin::{Origin, Reply};
use std::sync::Arc;

const LIMITS: CallLimits = CallLimits {
	gas: ARBITRATION_GAS,
	memory_bytes: 1024 * 1024,
	request_bytes: 64 * 1024,
	response_bytes: 256 * 1024,
};
/// What a request to a host that is not listed ends with.
const NOT_CAPABLE: CallStatus = CallStatus::Exited(76);
/// What a request that is none ends with.
const INVALID: CallStatus = CallStatus::Exited(28);

/// Asks what its request says, and answers with the reply; ends with the number of the error where it
/// is refused. `{read}` is what it does with the reply.
const GUEST: &str = r#"
(module
	(import "wasi_snapshot_preview1" "fd_read"
		(func $read (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "fd_write"
		(func $write (param i32 i32 i32 i32) (result i32)))
	(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
	(import "millrace" "effect_call" (func $ask (param i32 i32 i32) (result i32)))
	(import "millrace" "effect_read" (func $copy (param i32 i32) (result i32)))
	(memory (export "memory") 4)
	(func (export "_start") (local $length i32) (local $errno i32) (local $asked i32)
		(i32.store (i32.const 0) (i32.const 1024))
		(i32.store (i32.const 4) (i32.const 32768))
		(drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
		(local.set $length (i32.load (i32.const 8)))
		{body}))
"#;

/// Asks once and answers with the reply.
const ONCE: &str = r#"
	(local.set $errno (call $ask (i32.const 1024) (local.get $length) (i32.const 12)))
	(if (local.get $errno) (then (call $exit (local.get $errno))))
	(local.set $length (i32.load (i32.const 12)))
	(drop (call $copy (i32.const 65536) (local.get $length)))
	(i32.store (i32.const 0) (i32.const 65536))
	(i32.store (i32.const 4) (local.get $length))
	(drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
"#;

/// Asks once, and does not look at the reply.
const DEAF: &str = r#"
	(drop (call $ask (i32.const 1024) (local.get $length) (i32.const 12)))
"#;

/// Asks until it is refused, and ends with the number of replies.
const GREEDY: &str = r#"
	(loop $more
		(local.set $errno (call $ask (i32.const 1024) (local.get $length) (i32.const 12)))
		(if (i32.eqz (local.get $errno)) (then
			(local.set $asked (i32.add (local.get $asked) (i32.const 1)))
			(br $more))))
	(call $exit (local.get $asked))
"#;

/// What runs guests, and what they may ask.
struct World {
	guests: InProcess,
	hosts: Hosts,
}

impl World {
	fn new(hosts: &[&str]) -> Self {
		let hosts: Vec<Host> = hosts
			.iter()
			.map(|host| host.as_bytes().to_vec().try_into().expect("it is short"))
			.collect();
		Self {
			guests: InProcess::new(EngineConfig::default()).expect("an engine can be set up"),
			hosts: hosts.try_into().expect("they are few"),
		}
	}

	/// Runs a guest on a request to its end, with the effects that a worker performs.
	async fn run(&self, body: &str, request: &str, limits: CallLimits) -> CallOutput {
		let package = package(body);
		let prepared = self.guests.prepare(package.clone().into()).await;
		prepared.expect("the guest can run");
		let call = GuestCall {
			deal: 1,
			package: package_hash(&package),
			places: 1,
			input: OwnedInput {
				request: Arc::new(call_of(request)),
				limits,
				hosts: self.hosts.clone(),
				clock_ms: 1,
				seed: H256::zero(),
			},
			effects: Arc::new(HttpOut::new()),
		};
		let output = self.guests.call(call).await;
		output.expect("the host does its part")
	}

	/// What the guest is replied, which it answers with; and everything about the call.
	async fn ask(&self, request: &str) -> (String, CallOutput) {
		let output = self.run(ONCE, request, LIMITS).await;
		let text = String::from_utf8_lossy(&output.response).into_owned();
		(text, output)
	}

	/// What the judge says of a call.
	fn judge(&self, body: &str, request: &str, output: &CallOutput) -> ReplayOutcome {
		let input = ReplayInput {
			request: call_of(request),
			transcript: output.transcript.clone(),
			limits: LIMITS,
			hosts: self.hosts.clone(),
			clock_ms: 1,
			seed: H256::zero(),
			claimed_gas: output.gas,
		};
		replay(&package(body), &input).outcome
	}

	/// The receipt that a worker signs for a call.
	fn receipt(&self, body: &str, request: &str, output: &CallOutput) -> (Receipt, CallTerms) {
		let module = package(body);
		let package = Package {
			hash: package_hash(&module),
			size: u32::try_from(module.len()).expect("it is small"),
			links: Default::default(),
			abi: Abi::WasiPreview1Command,
		};
		let terms = CallTerms::new(1, &package, LIMITS, self.hosts.clone());
		let receipt = Receipt {
			genesis: H256::zero(),
			seed: H256::zero(),
			deal: 1,
			peer: PeerId::default(),
			epoch: 1,
			seq: 0,
			package: package.hash,
			profile: terms.profile,
			terms: terms.hash(H256::zero()),
			request: call_of(request).hash(),
			response: response_hash(&output.response),
			transcript: output.transcript.hash(),
			status: output.status,
			gas: output.gas,
			block: 1,
		};
		(receipt, terms)
	}
}

fn package(body: &str) -> Vec<u8> {
	wat::parse_str(GUEST.replace("{body}", body)).expect("the guest is well-formed")
}

/// A call with a body.
fn call_of(body: &str) -> Request {
	Request {
		method: "POST".into(),
		path: "/".into(),
		body: body.into(),
		..Default::default()
	}
}

fn get(url: &str) -> String {
	format!("GET {url}\r\n\r\n")
}

fn fault(fault: HttpFault) -> String {
	String::from_utf8_lossy(&fault.to_bytes()).into_owned()
}

#[test]
fn a_listed_host_is_asked_and_replayed() {
	inside::run(
		"a_listed_host_is_asked_and_replayed",
		async |inside: Inside| {
			let origin = Origin::serve(ORIGIN, |_| Reply::text("hello")).await;
			let world = World::new(&[inside.name]);
			let request = get(&format!("http://{}/greeting", inside.name));
			let (told, output) = world.ask(&request).await;
			assert!(told.starts_with("200\r\n"), "{told}");
			assert!(told.ends_with("\r\n\r\nhello"), "{told}");
			assert_eq!(origin.asked(), ["GET /greeting"]);

			// What was asked and replied stands in the receipt, and whoever runs the call again asks
			// nobody.
			let record = EffectRecord {
				request: effect_hash(request.as_bytes()),
				reply: output.response.clone(),
			};
			assert_eq!(output.transcript, Transcript(vec![record.clone()]));
			let (receipt, terms) = world.receipt(ONCE, &request, &output);
			assert!(receipt.fits_terms(H256::zero(), &terms));
			let outcome = world.judge(ONCE, &request, &output);
			assert_eq!(outcome.agrees(&receipt), Some(true), "{outcome:?}");
			assert_eq!(origin.connections(), 1);

			let judged = |records: Vec<EffectRecord>| {
				let output = CallOutput {
					transcript: Transcript(records),
					..output.clone()
				};
				world.judge(ONCE, &request, &output)
			};
			let other_request = EffectRecord {
				request: effect_hash(b"something else"),
				..record.clone()
			};
			for records in [vec![], vec![other_request], vec![record.clone(); 2]] {
				assert_eq!(judged(records), ReplayOutcome::OtherEffects);
			}
			let other_reply = EffectRecord {
				reply: b"200\r\n\r\nbye".to_vec(),
				..record
			};
			let outcome = judged(vec![other_reply]);
			assert_eq!(outcome.agrees(&receipt), Some(false), "{outcome:?}");
		},
	);
}

#[test]
fn others_are_refused_without_a_packet() {
	inside::run(
		"others_are_refused_without_a_packet",
		async |inside: Inside| {
			let origin = Origin::serve(ORIGIN, |_| Reply::text("hello")).await;
			let name = inside.name;
			let listed = World::new(&["elsewhere.test"]);
			for (request, expected) in [
				(get(&format!("http://{name}/")), NOT_CAPABLE),
				(get("http://9.9.9.9/"), NOT_CAPABLE),
				// Another port is another host, and so is another way to write the same one.
				(get("http://elsewhere.test:81/"), NOT_CAPABLE),
				(get("http://elsewhere.test:80/"), NOT_CAPABLE),
				(get("http://user@elsewhere.test/"), INVALID),
				(get("ftp://elsewhere.test/"), INVALID),
				(format!("PUT http://{name}/\r\n\r\n"), INVALID),
				(
					format!("GET http://{name}/\r\nhost: {name}\r\n\r\n"),
					INVALID,
				),
				("nothing".into(), INVALID),
			] {
				let (told, output) = listed.ask(&request).await;
				assert_eq!(output.status, expected, "{request}: {told}");
				assert_eq!(output.transcript, Transcript::default());
			}
			// A deal without hosts has no such function.
			let (_, output) = World::new(&[]).ask(&get(&format!("http://{name}/"))).await;
			assert_eq!(output.status, CallStatus::Exited(52));
			assert_eq!(origin.connections(), 0);
		},
	);
}

#[test]
fn private_addresses_are_refused_at_dial_time() {
	let name = "private_addresses_are_refused_at_dial_time";
	inside::run(name, async |inside: Inside| {
		let origin = Origin::serve(ORIGIN, |_| Reply::text("public")).await;
		let inner = Origin::serve(INNER, |_| Reply::text("private")).await;
		let own = Origin::serve([127, 0, 0, 1], |_| Reply::text("own")).await;
		for host in [
			inside.private,
			"10.0.0.1",
			"127.0.0.1",
			"localhost",
			"169.254.169.254",
			"[::1]",
			"[::ffff:10.0.0.1]",
		] {
			let (told, _) = World::new(&[host])
				.ask(&get(&format!("http://{host}/")))
				.await;
			assert_eq!(told, fault(HttpFault::Private), "{host}");
		}
		assert_eq!((inner.connections(), own.connections()), (0, 0));
		// Of a name with both, the public address alone is connected to.
		let both = inside.mixed;
		let (told, _) = World::new(&[both])
			.ask(&get(&format!("http://{both}/")))
			.await;
		assert!(told.ends_with("public"), "{told}");
		assert_eq!((origin.connections(), inner.connections()), (1, 0));
	});
}

#[test]
fn a_name_that_turns_private_is_not_followed() {
	let name = "a_name_that_turns_private_is_not_followed";
	inside::run(name, async |inside: Inside| {
		let origin = Origin::serve(ORIGIN, |_| Reply::text("public")).await;
		let inner = Origin::serve(INNER, |_| Reply::text("private")).await;
		let world = World::new(&[inside.name]);
		let request = get(&format!("http://{}/", inside.name));
		assert!(world.ask(&request).await.0.ends_with("public"));
		inside.name_now_leads_to("10.0.0.1");
		assert_eq!(world.ask(&request).await.0, fault(HttpFault::Private));
		inside.name_now_leads_to("9.9.9.9");
		assert!(world.ask(&request).await.0.ends_with("public"));
		assert_eq!((origin.connections(), inner.connections()), (2, 0));
	});
}

#[test]
fn redirects_are_checked_again() {
	inside::run("redirects_are_checked_again", async |inside: Inside| {
		let private = format!("http://{}/", inside.private);
		let origin = Origin::serve(ORIGIN, move |path: &str| match path {
			"/unlisted" => Reply::leads("http://elsewhere.test/"),
			"/private" => Reply::leads(&private),
			"/number" => Reply::leads("http://10.0.0.1/"),
			"/scheme" => Reply::leads("file:///etc/passwd"),
			"/circle" => Reply::leads("/circle"),
			"/once" => Reply::leads("/end"),
			_ => Reply::text("end"),
		})
		.await;
		let inner = Origin::serve(INNER, |_| Reply::text("private")).await;
		// The private name is listed: only its address stands in the way.
		let world = World::new(&[inside.name, inside.private]);
		let ask = async |path: &str| {
			let request = get(&format!("http://{}{path}", inside.name));
			world.ask(&request).await.0
		};
		let not_allowed = fault(HttpFault::NotAllowedRedirect);
		assert_eq!(ask("/unlisted").await, not_allowed);
		assert_eq!(ask("/number").await, not_allowed);
		assert_eq!(ask("/scheme").await, not_allowed);
		assert_eq!(ask("/private").await, fault(HttpFault::Private));
		assert_eq!(ask("/circle").await, not_allowed);
		assert!(ask("/once").await.ends_with("end"));
		assert_eq!(inner.connections(), 0);
		let circles = origin
			.asked()
			.iter()
			.filter(|path| *path == "GET /circle")
			.count();
		assert!((2..=4).contains(&circles), "{circles}");
	});
}

#[test]
fn too_large_too_slow_and_too_many_are_faults() {
	let name = "too_large_too_slow_and_too_many_are_faults";
	inside::run(name, async |inside: Inside| {
		let origin = Origin::serve(ORIGIN, |path: &str| match path {
			"/large" => Reply::text(&"x".repeat(64 * 1024 + 1)),
			"/slow" => Reply::Silence,
			"/torn" => Reply::Raw("SSH-2.0-nothing\r\n\r\n".into()),
			_ => Reply::text("short"),
		})
		.await;
		let world = World::new(&[inside.name]);
		let request = |path: &str| get(&format!("http://{}{path}", inside.name));
		for (path, expected) in [
			("/large", HttpFault::TooLarge),
			("/slow", HttpFault::Slow),
			("/torn", HttpFault::Malformed),
		] {
			let (told, output) = world.ask(&request(path)).await;
			assert_eq!(told, fault(expected), "{path}");
			// A fault is a reply like any other.
			let (receipt, _) = world.receipt(ONCE, &request(path), &output);
			let outcome = world.judge(ONCE, &request(path), &output);
			assert_eq!(outcome.agrees(&receipt), Some(true), "{path}: {outcome:?}");
		}
		let before = origin.connections();
		let output = world.run(GREEDY, &request("/"), LIMITS).await;
		assert_eq!(output.status, CallStatus::Exited(MAX_EFFECTS));
		assert_eq!(origin.connections() - before, MAX_EFFECTS as usize);
	});
}

#[test]
fn gas_is_charged_for_what_came() {
	inside::run("gas_is_charged_for_what_came", async |inside: Inside| {
		const MORE: usize = 10_000;
		let origin = Origin::serve(ORIGIN, |path: &str| match path {
			"/1" => Reply::text(""),
			_ => Reply::text(&"x".repeat(MORE)),
		})
		.await;
		let world = World::new(&[inside.name]);
		// Requests of one length.
		let request = |path: &str| get(&format!("http://{}{path}", inside.name));
		let (less, more) = (
			world.run(DEAF, &request("/1"), LIMITS).await,
			world.run(DEAF, &request("/2"), LIMITS).await,
		);
		let bytes = |output: &CallOutput| {
			let length = output.transcript.0[0].reply.len();
			cost::bytes(u32::try_from(length).expect("it is short"))
		};
		assert_eq!(more.gas - less.gas, bytes(&more) - bytes(&less));
		assert!(less.gas > cost::EFFECT, "{}", less.gas);

		// Who cannot pay for the reply has run out, and it has happened all the same.
		let limits = CallLimits {
			gas: more.gas - 1,
			..LIMITS
		};
		let output = world.run(DEAF, &request("/2"), limits).await;
		assert_eq!(output.status, CallStatus::OutOfGas);
		assert_eq!((output.gas, output.transcript.0.len()), (limits.gas, 1));
		// Who cannot pay for the asking asks nobody.
		let asked = origin.connections();
		let limits = CallLimits {
			gas: cost::EFFECT,
			..LIMITS
		};
		let output = world.run(DEAF, &request("/2"), limits).await;
		assert_eq!(output.status, CallStatus::OutOfGas);
		assert_eq!(output.transcript, Transcript::default());
		assert_eq!(origin.connections(), asked);
	});
}

#[test]
fn proxies_of_the_environment_are_ignored() {
	inside::run(
		"proxies_of_the_environment_are_ignored",
		async |inside: Inside| {
			// The environment names one at that address: see `inside`.
			let proxy =
				Origin::serve_at(ORIGIN, inside::PROXY_PORT, |_| Reply::text("proxy")).await;
			let origin = Origin::serve(ORIGIN, |_| Reply::text("origin")).await;
			assert!(std::env::var("http_proxy").is_ok_and(|url| url.contains("9.9.9.9")));
			let request = get(&format!("http://{}/", inside.name));
			let (told, _) = World::new(&[inside.name]).ask(&request).await;
			assert!(told.ends_with("origin"), "{told}");
			assert_eq!((origin.connections(), proxy.connections()), (1, 0));
		},
	);
}
