//! Who is answered what.

use super::*;
use crate::{as_caller, Native};
use codec::Encode;
use millrace_primitives::{
	effects::{EffectRecord, Transcript},
	execution::{response_hash, CallStatus, Request, ARBITRATION_GAS},
	market::{CallLimits, Host, Hosts, MAX_HOST, MAX_HOSTS},
	traits::Replayer,
	Gas, H256,
};

/// Writes `A` and ends.
const WRITES: &str = r#"(module
	(import "wasi_snapshot_preview1" "fd_write"
		(func $fd_write (param i32 i32 i32 i32) (result i32)))
	(memory (export "memory") 1)
	(data (i32.const 100) "A")
	(func (export "_start")
		(i32.store (i32.const 0) (i32.const 100))
		(i32.store (i32.const 4) (i32.const 1))
		(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#;

fn package() -> Vec<u8> {
	wat::parse_str(WRITES).expect("that is a module")
}

fn input(claimed_gas: Gas) -> ReplayInput {
	ReplayInput {
		request: Request::default(),
		transcript: Transcript::default(),
		limits: CallLimits {
			gas: ARBITRATION_GAS,
			memory_bytes: MAX_MEMORY_BYTES,
			request_bytes: MAX_REQUEST_BYTES,
			response_bytes: MAX_RESPONSE_BYTES,
		},
		hosts: Hosts::default(),
		clock_ms: 1,
		seed: H256::repeat_byte(2),
		claimed_gas,
	}
}

/// What is told of an input that the judge does not take.
const REFUSED: Option<Replayed> = Some(Replayed {
	outcome: ReplayOutcome::Inconclusive,
	gas: 0,
});

#[test]
fn a_block_is_answered_by_the_judge() {
	let (package, input) = (package(), input(ARBITRATION_GAS));
	let expected = millrace_executor::replay(&package, &input);
	let ReplayOutcome::Ended {
		status,
		response,
		gas,
	} = expected.outcome
	else {
		panic!("it ends: {expected:?}");
	};
	assert_eq!(status, CallStatus::Exited(0));
	assert_eq!(response, response_hash(b"A"));
	assert!(gas > 0);
	for caller in [Caller::Import, Caller::Author] {
		for profile in [PROFILE_V1, PROFILE_V1 | UNVERIFIED] {
			let answer = as_caller(caller, || Native::replay(profile, &package, &input));
			assert_eq!(answer, Some(expected), "{caller:?}, {profile}");
		}
	}
}

#[test]
fn an_offchain_caller_gets_no_replay_whatever_it_brings() {
	for (package, input) in [
		(package(), input(ARBITRATION_GAS).encode()),
		(vec![0; MAX_PACKAGE_BYTES as usize + 1], Vec::new()),
	] {
		for profile in [PROFILE_V1, 7] {
			assert_eq!(run(Caller::Offchain, profile, &package, &input), None);
		}
	}
	let answer = as_caller(Caller::Offchain, || {
		Native::replay(PROFILE_V1, &package(), &input(ARBITRATION_GAS))
	});
	assert_eq!(answer, None);
}

#[test]
fn replays_are_counted_with_their_gas() {
	let before = statistics();
	let answer = Native::replay(PROFILE_V1, &package(), &input(ARBITRATION_GAS));
	let gas = answer.expect("a block is answered").gas;
	let after = statistics();
	assert!(after.count > before.count);
	assert!(after.gas >= before.gas + gas);
	assert_eq!(crate::statistics().replays.count, statistics().count);
}

#[test]
fn a_profile_that_is_not_known_is_inconclusive() {
	let (package, input) = (package(), input(ARBITRATION_GAS).encode());
	for profile in [0, 2, UNVERIFIED, UNVERIFIED | 2, u32::MAX] {
		assert_eq!(run(Caller::Import, profile, &package, &input), REFUSED);
	}
}

#[test]
fn what_no_challenge_may_bring_is_inconclusive() {
	let good = input(ARBITRATION_GAS);
	let refused = |package: &[u8], input: &ReplayInput| {
		let answer = run(Caller::Import, PROFILE_V1, package, &input.encode());
		assert_eq!(answer, REFUSED, "{:?}", input.limits);
	};
	let one_more = MAX_PACKAGE_BYTES as usize + 1;
	refused(&vec![0; one_more], &good);
	let changes: [fn(&mut ReplayInput); 4] = [
		|input| input.limits.memory_bytes += 1,
		|input| input.limits.response_bytes += 1,
		|input| input.request.body = vec![0; MAX_REQUEST_BYTES as usize + 1],
		|input| {
			let reply = vec![0; MAX_REPLAY_INPUT_BYTES];
			let request = H256::zero();
			input.transcript = Transcript(vec![EffectRecord { request, reply }]);
		},
	];
	for change in changes {
		let mut input = good.clone();
		change(&mut input);
		refused(&package(), &input);
	}
}

#[test]
fn what_cannot_be_decoded_whole_is_inconclusive() {
	let package = package();
	let whole = input(ARBITRATION_GAS).encode();
	let longer = [&whole[..], &[0]].concat();
	for input in [&whole[..whole.len() - 1], &longer, &[]] {
		assert_eq!(run(Caller::Import, PROFILE_V1, &package, input), REFUSED);
	}
}

#[test]
fn the_largest_input_of_a_challenge_is_taken() {
	// As much as fits into the record of a request and into a transcript.
	let mut large = input(ARBITRATION_GAS);
	large.request.body = vec![0; MAX_REQUEST_BYTES as usize];
	let rest = MAX_REQUEST_RECORD as usize - large.request.encoded_size() - 3;
	large.request.query = "q".repeat(rest);
	assert!(large.request.encoded_size() <= MAX_REQUEST_RECORD as usize);
	let mut reply = vec![0; MAX_TRANSCRIPT_BYTES as usize - 64];
	let request = H256::zero();
	large.transcript = Transcript(vec![EffectRecord {
		request,
		reply: reply.clone(),
	}]);
	while large.transcript.encoded_size() < MAX_TRANSCRIPT_BYTES as usize {
		reply.push(0);
		large.transcript.0[0].reply = reply.clone();
	}
	let host = Host::truncate_from(vec![b'a'; MAX_HOST as usize]);
	large.hosts = Hosts::truncate_from(vec![host; MAX_HOSTS as usize]);
	assert!(large.encoded_size() <= MAX_REPLAY_INPUT_BYTES);
	let answer = run(Caller::Import, PROFILE_V1, &package(), &large.encode());
	// The record is longer than any that this guest leaves behind, which asks for nothing.
	let outcome = answer.expect("a block is answered").outcome;
	assert_eq!(outcome, ReplayOutcome::OtherEffects);
}

#[test]
fn many_may_ask_at_once() {
	let package = package();
	let expected = millrace_executor::replay(&package, &input(ARBITRATION_GAS));
	std::thread::scope(|scope| {
		for caller in [Caller::Import, Caller::Author].into_iter().cycle().take(8) {
			let package = &package;
			scope.spawn(move || {
				let answer = as_caller(caller, || {
					Native::replay(PROFILE_V1, package, &input(ARBITRATION_GAS))
				});
				assert_eq!(answer, Some(expected));
			});
		}
	});
}
