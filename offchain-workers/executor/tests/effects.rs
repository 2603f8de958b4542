//! Effects, as the guest asks for them and the judge finds them again.

mod common;

use common::{both, compiled, ended, for_judge, input, limits, package, request, PLENTY};
use millrace_executor::{
	cost, replay, CallOutput, EffectFailure, Effects, EngineError, HttpFault, HttpReply, OwnedInput,
};
use millrace_primitives::effects::{
	effect_hash, EffectRecord, MAX_EFFECTS, MAX_EFFECT_REPLY, MAX_EFFECT_REQUEST,
};
use millrace_primitives::execution::CallStatus;
use millrace_primitives::market::{Host, Hosts};
use millrace_primitives::replay::{ReplayInput, ReplayOutcome};
use std::sync::{Arc, Mutex};

/// What every guest of these tests may ask.
const HOST: &str = "a.example";
const REQUEST: &str = "GET http://a.example/1\\0d\\0a\\0d\\0a";

/// Answers everything with the same, and remembers what it was asked.
#[derive(Clone, Default)]
struct Same {
	reply: Vec<u8>,
	asked: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Same {
	fn new(reply: &[u8]) -> Self {
		Self {
			reply: reply.to_vec(),
			..Self::default()
		}
	}

	fn asked(&self) -> Vec<Vec<u8>> {
		self.asked.lock().unwrap().clone()
	}
}

impl Effects for Same {
	fn perform(&mut self, request: &[u8]) -> Result<Vec<u8>, EffectFailure> {
		self.asked.lock().unwrap().push(request.to_vec());
		Ok(self.reply.clone())
	}
}

/// Fails at everything.
struct Failing;

impl Effects for Failing {
	fn perform(&mut self, _: &[u8]) -> Result<Vec<u8>, EffectFailure> {
		Err(EffectFailure::Stopped)
	}
}

/// A guest with a request at 1000. `$ask` asks it, fails with the error number, and tells the length
/// of the reply.
fn guest(request: &str, body: &str) -> Vec<u8> {
	let length = wat_length(request);
	package(&format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
			(import "millrace" "effect_call"
				(func $effect_call (param i32 i32 i32) (result i32)))
			(import "millrace" "effect_read" (func $effect_read (param i32 i32) (result i32)))
			(memory (export "memory") 4)
			(data (i32.const 1000) "{request}")
			(func $fail (param i32)
				(if (local.get 0) (then (call $proc_exit (local.get 0)))))
			(func $ask (result i32)
				(call $fail
					(call $effect_call (i32.const 1000) (i32.const {length}) (i32.const 16)))
				(i32.load (i32.const 16)))
			(func $tell (param $at i32) (param $length i32)
				(i32.store (i32.const 0) (local.get $at))
				(i32.store (i32.const 4) (local.get $length))
				(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
			(func (export "_start") (local $n i32) {body}))"#
	))
}

/// Bytes of a string of the text format: an escape is one.
fn wat_length(text: &str) -> usize {
	text.len() - 2 * text.matches('\\').count()
}

fn with_hosts(gas: u64, names: &[&str]) -> OwnedInput {
	let hosts: Vec<Host> = names
		.iter()
		.map(|name| name.as_bytes().to_vec().try_into().unwrap())
		.collect();
	OwnedInput {
		hosts: Hosts::try_from(hosts).unwrap(),
		..input(&request(b""), limits(gas))
	}
}

fn run(package: &[u8], effects: impl Effects + 'static) -> CallOutput {
	let input = with_hosts(PLENTY, &[HOST]);
	both(package, input, Box::new(effects)).expect("the host does its part")
}

/// The error number that asking for something ends with.
fn errno(request: &str) -> u32 {
	let performer = Same::new(b"");
	let status = run(&guest(request, "(drop (call $ask))"), performer.clone()).status;
	let CallStatus::Exited(code) = status else {
		panic!("{status:?}")
	};
	// What is refused is not asked.
	assert_eq!(performer.asked().is_empty(), code != 0, "{request}");
	code
}

/// Asks once, and copies the reply out.
const COPY: &str = r#"(local.set $n (call $ask))
	(call $fail (call $effect_read (i32.const 4000) (local.get $n)))
	(call $tell (i32.const 4000) (local.get $n))"#;

#[test]
fn a_reply_is_read_and_recorded() {
	let reply = HttpReply {
		status: 200,
		headers: vec![("content-type".into(), "text/plain".into())],
		body: b"hello".to_vec(),
	};
	let reply = reply.to_bytes();
	let performer = Same::new(&reply);
	let output = run(&guest(REQUEST, COPY), performer.clone());
	assert_eq!(output.status, CallStatus::Exited(0));
	assert_eq!(output.response, reply);
	let asked = b"GET http://a.example/1\r\n\r\n";
	assert_eq!(performer.asked(), [asked]);
	let record = EffectRecord {
		request: effect_hash(asked),
		reply,
	};
	assert_eq!(output.transcript.0, [record]);
}

#[test]
fn a_fault_is_a_reply_like_another() {
	let output = run(
		&guest(REQUEST, COPY),
		Same::new(&HttpFault::Private.to_bytes()),
	);
	assert_eq!(output.response, b"fault: private\r\n\r\n");
	assert_eq!(output.transcript.0.len(), 1);
}

#[test]
fn a_reply_is_read_in_pieces_and_not_beyond_its_end() {
	let read = |lengths: &[u32]| {
		let mut body = String::from("(drop (call $ask))");
		for (index, length) in lengths.iter().enumerate() {
			let at = 4_000 + 100 * index;
			body.push_str(&format!(
				"(call $fail (call $effect_read (i32.const {at}) (i32.const {length})))
				(call $tell (i32.const {at}) (i32.const {length}))"
			));
		}
		run(&guest(REQUEST, &body), Same::new(b"abcdef"))
	};
	assert_eq!(read(&[2, 0, 3, 1]).response, b"abcdef");
	assert_eq!(read(&[2, 5]).status, CallStatus::Exited(28));
	assert_eq!(read(&[7]).status, CallStatus::Exited(28));
	let before = "(call $proc_exit (call $effect_read (i32.const 0) (i32.const 1)))";
	let none = run(&guest(REQUEST, before), Same::new(b""));
	assert_eq!(none.status, CallStatus::Exited(28));
	// A new reply is read from its beginning.
	let twice = format!("{COPY} {COPY}");
	let output = run(&guest(REQUEST, &twice), Same::new(b"ab"));
	assert_eq!(output.response, b"abab");
	let outside = "(drop (call $ask)) \
		(call $proc_exit (call $effect_read (i32.const -1) (i32.const 2)))";
	let output = run(&guest(REQUEST, outside), Same::new(b"ab"));
	assert_eq!(output.status, CallStatus::Exited(21));
}

#[test]
fn only_hosts_of_the_deal_are_asked() {
	assert_eq!(errno(REQUEST), 0);
	for other in [
		"GET http://b.example/\\0d\\0a\\0d\\0a",
		"GET http://a.example:80/\\0d\\0a\\0d\\0a",
		"GET http://c.a.example/\\0d\\0a\\0d\\0a",
	] {
		assert_eq!(errno(other), 76, "{other}");
	}
	for wrong in [
		"PUT http://a.example/\\0d\\0a\\0d\\0a",
		"GET http://user@a.example/\\0d\\0a\\0d\\0a",
		"GET ftp://a.example/\\0d\\0a\\0d\\0a",
		"GET http://a.example/\\0d\\0ahost: b.example\\0d\\0a\\0d\\0a",
		"GET http://a.example/",
		"",
	] {
		assert_eq!(errno(wrong), 28, "{wrong}");
	}
	// Without hosts the functions do nothing.
	let input = with_hosts(PLENTY, &[]);
	for call in [
		"(call $effect_call (i32.const 1000) (i32.const 26) (i32.const 16))",
		"(call $effect_read (i32.const 0) (i32.const 0))",
	] {
		let package = guest(REQUEST, &format!("(call $proc_exit {call})"));
		let performer = Same::new(b"");
		let output = both(&package, input.clone(), Box::new(performer.clone())).unwrap();
		assert_eq!(output.status, CallStatus::Exited(52));
		assert!(performer.asked().is_empty());
	}
}

#[test]
fn requests_replies_and_their_number_are_bounded() {
	let ask = |length: u32, reply_at: i32| {
		let call = format!(
			"(call $effect_call (i32.const 1000) (i32.const {length}) (i32.const {reply_at}))"
		);
		let performer = Same::new(b"");
		let package = guest(REQUEST, &format!("(call $proc_exit {call})"));
		let status = run(&package, performer.clone()).status;
		(status, performer.asked().len())
	};
	let exited = |code: u32, asked: usize| (CallStatus::Exited(code), asked);
	assert_eq!(ask(MAX_EFFECT_REQUEST + 1, 16), exited(42, 0));
	// So long a request would be read; it is not of the form.
	assert_eq!(ask(MAX_EFFECT_REQUEST, 16), exited(28, 0));
	// There must be a place for the length of the reply before anything happens.
	assert_eq!(ask(26, -1), exited(21, 0));
	assert_eq!(ask(26, 16), exited(0, 1));

	let every = format!(
		r#"(loop $more (drop (call $ask))
			(local.set $n (i32.add (local.get $n) (i32.const 1)))
			(br_if $more (i32.lt_u (local.get $n) (i32.const {MAX_EFFECTS}))))
		(drop (call $ask))"#
	);
	let performer = Same::new(b"short");
	let output = run(&guest(REQUEST, &every), performer.clone());
	assert_eq!(output.status, CallStatus::Exited(42));
	assert_eq!(performer.asked().len(), MAX_EFFECTS as usize);
	assert_eq!(output.transcript.0.len(), MAX_EFFECTS as usize);

	// A record that could not hold the longest reply takes no other.
	let twice = "(drop (call $ask)) (drop (call $ask))";
	let performer = Same::new(&[1; MAX_EFFECT_REPLY as usize]);
	let output = run(&guest(REQUEST, twice), performer.clone());
	assert_eq!(output.status, CallStatus::Exited(42));
	assert_eq!(performer.asked().len(), 1);
}

#[test]
fn an_effect_costs_its_price_and_its_bytes() {
	let gas = |reply: &[u8]| {
		let performer = Same::new(reply);
		run(&guest(REQUEST, "(drop (call $ask))"), performer).gas
	};
	let least = gas(b"");
	assert_eq!(gas(&[0; 800]), least + 100);
	let none = run(&guest(REQUEST, "(drop (i32.const 1))"), Same::new(b"")).gas;
	assert!(least > none + cost::EFFECT + cost::HOST_CALL);
	// Who cannot pay for the price has nothing done.
	let package = guest(REQUEST, "(drop (call $ask))");
	let performer = Same::new(b"");
	let short = with_hosts(none + cost::EFFECT, &[HOST]);
	let output = both(&package, short, Box::new(performer.clone())).unwrap();
	assert_eq!(output.status, CallStatus::OutOfGas);
	assert!(performer.asked().is_empty() && output.transcript.0.is_empty());
	// Who cannot pay for the reply has it on the record.
	let short = with_hosts(least + 99, &[HOST]);
	let performer = Same::new(&[0; 800]);
	let output = both(&package, short, Box::new(performer.clone())).unwrap();
	assert_eq!(output.status, CallStatus::OutOfGas);
	assert_eq!((performer.asked().len(), output.transcript.0.len()), (1, 1));
}

#[test]
fn what_happened_stays_on_the_record_of_a_call_that_fails() {
	let body = "(drop (call $ask)) unreachable";
	let output = run(&guest(REQUEST, body), Same::new(b"done"));
	assert_eq!(output.status, CallStatus::Trapped);
	assert_eq!(output.transcript.0.len(), 1);
}

#[test]
fn an_effect_that_fails_is_the_hosts_failure() {
	let package = guest(REQUEST, "(drop (call $ask))");
	let input = with_hosts(PLENTY, &[HOST]);
	let failed = compiled(&package, input.clone(), Box::new(Failing));
	assert!(
		matches!(failed, Err(EngineError::Effect(EffectFailure::Stopped))),
		"{failed:?}"
	);
	let long = Same::new(&[0; MAX_EFFECT_REPLY as usize + 1]);
	let failed = compiled(&package, input, Box::new(long));
	assert!(
		matches!(
			failed,
			Err(EngineError::Effect(EffectFailure::ReplyTooLong))
		),
		"{failed:?}"
	);
}

#[test]
fn other_fewer_and_more_effects_are_told() {
	let package = guest(REQUEST, &format!("{COPY} {COPY}"));
	let input = with_hosts(PLENTY, &[HOST]);
	let output = both(&package, input.clone(), Box::new(Same::new(b"ab"))).unwrap();
	let honest = for_judge(&input, &output);
	let judged = |change: fn(&mut ReplayInput)| {
		let mut input = honest.clone();
		change(&mut input);
		replay(&package, &input).outcome
	};
	assert_eq!(judged(|_| {}), ended(&output));
	let changes: [fn(&mut ReplayInput); 6] = [
		|input| drop(input.transcript.0.pop()),
		|input| input.transcript.0.clear(),
		|input| input.transcript.0.push(input.transcript.0[0].clone()),
		|input| input.transcript.0[1].request = effect_hash(b"another"),
		|input| input.transcript.0[0].reply = vec![0; MAX_EFFECT_REPLY as usize + 1],
		|input| input.transcript.0[1].reply = vec![0; MAX_EFFECT_REPLY as usize],
	];
	for (number, change) in changes.into_iter().enumerate().take(5) {
		assert_eq!(judged(change), ReplayOutcome::OtherEffects, "{number}");
	}
	// A longer reply takes more gas than the receipt says.
	assert_eq!(judged(changes[5]), ReplayOutcome::TakesMore);
	// Another reply of the same length gives another response.
	let other = judged(|input| input.transcript.0[1].reply = b"cd".to_vec());
	assert!(matches!(other, ReplayOutcome::Ended { .. }) && other != ended(&output));
	// Where the deal lists no hosts, nothing on a record is ever asked for.
	let none = judged(|input| input.hosts = Hosts::default());
	assert_eq!(none, ReplayOutcome::OtherEffects);
}
