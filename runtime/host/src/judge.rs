//! Runs challenged calls again, for blocks alone.

use crate::{
	slot::lock,
	statistics::{ReplayCounts, Replays},
	Caller,
};
use codec::DecodeAll;
use millrace_primitives::{
	effects::MAX_TRANSCRIPT_BYTES,
	execution::{
		ProfileId, MAX_MEMORY_BYTES, MAX_PACKAGE_BYTES, MAX_REQUEST_BYTES, MAX_REQUEST_RECORD,
		MAX_RESPONSE_BYTES, PROFILE_V1, UNVERIFIED,
	},
	replay::{ReplayInput, ReplayOutcome, Replayed},
};
use std::{sync::Mutex, time::Instant};

const LOG_TARGET: &str = "replay";

/// Longest encoded input of a replay: the longest request and transcript, and room for the rest.
pub const MAX_REPLAY_INPUT_BYTES: usize =
	MAX_REQUEST_RECORD as usize + MAX_TRANSCRIPT_BYTES as usize + 4 * 1024;

/// Held while a replay goes on: one for each kind of caller, so that the node needs the memory of
/// one guest to import and that of another one to author, and neither waits for the other.
static TURNS: [Mutex<()>; Caller::COUNT] = [const { Mutex::new(()) }; Caller::COUNT];

static COUNTS: ReplayCounts = ReplayCounts::new();

/// What was replayed so far.
pub(crate) fn statistics() -> Replays {
	COUNTS.read()
}

/// What comes of a replay; `None` only for offchain callers.
///
/// It panics where the machine has no memory left for what the guest was granted.
pub(crate) fn run(
	caller: Caller,
	profile: ProfileId,
	package: &[u8],
	input: &[u8],
) -> Option<Replayed> {
	if caller == Caller::Offchain {
		return None;
	}
	let Some(input) = read(profile, package, input) else {
		return Some(Replayed {
			outcome: ReplayOutcome::Inconclusive,
			gas: 0,
		});
	};
	let _turn = TURNS.get(caller.index()).map(lock);
	let begun = Instant::now();
	let replayed = millrace_executor::replay(package, &input);
	let took = begun.elapsed();
	COUNTS.done(replayed.gas, took);
	log::debug!(
		target: LOG_TARGET,
		"A call was run again for {caller:?} in {} ms: {replayed:?}",
		took.as_millis(),
	);
	Some(replayed)
}

/// The input, if it is one that the judge takes: with it, no runtime can ask a node for more memory
/// than validators are told to have. How much gas is run is for the runtime to say, which pays for it
/// in weight and may come to know better.
fn read(profile: ProfileId, package: &[u8], input: &[u8]) -> Option<ReplayInput> {
	let known = profile & !UNVERIFIED == PROFILE_V1
		&& package.len() <= MAX_PACKAGE_BYTES as usize
		&& input.len() <= MAX_REPLAY_INPUT_BYTES;
	if !known {
		return None;
	}
	let input = ReplayInput::decode_all(&mut &*input).ok()?;
	let fits = input.request.body.len() <= MAX_REQUEST_BYTES as usize
		&& input.limits.memory_bytes <= MAX_MEMORY_BYTES
		&& input.limits.response_bytes <= MAX_RESPONSE_BYTES;
	fits.then_some(input)
}

#[cfg(test)]
mod tests;
