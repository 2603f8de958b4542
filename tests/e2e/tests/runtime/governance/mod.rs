//! Votes from the proposal to what comes of it, and the brakes.

mod brakes;
mod votes;

use crate::{
	blocks::next,
	errors::scene::{account, by, done},
};
use frame_support::traits::{fungible::Inspect, schedule::DispatchTime, StorePreimage};
use millrace_primitives::Balance;
use millrace_runtime::{
	configs::governance::origins::Origin, Balances, OriginCaller, Preimage, Runtime, RuntimeCall,
	RuntimeEvent, RuntimeOrigin,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_referenda::{ReferendumIndex, ReferendumInfo, ReferendumInfoFor};
use sp_runtime::DispatchResult;

/// Blocks in which a development chain has decided, whatever the track.
const PATIENCE: u32 = 100;

/// All that an account has, however it is bound.
fn has(name: &str) -> Balance {
	<Balances as Inspect<_>>::total_balance(&account(name))
}

/// What the emergency track gives.
fn emergency() -> RuntimeOrigin {
	Origin::Emergency.into()
}

/// Proposes a call on the track of an origin, and pays for its decision.
#[track_caller]
fn propose(by_whom: &str, origin: Origin, call: impl Into<RuntimeCall>) -> ReferendumIndex {
	let index = pallet_referenda::ReferendumCount::<Runtime>::get();
	let call: RuntimeCall = call.into();
	let submit = pallet_referenda::Call::<Runtime>::submit {
		proposal_origin: Box::new(OriginCaller::GovernanceOrigins(origin)),
		proposal: Preimage::bound(call).expect("the proposal is short"),
		enactment_moment: DispatchTime::After(0),
	};
	done(by(by_whom), submit);
	let deposit = pallet_referenda::Call::<Runtime>::place_decision_deposit { index };
	done(by(by_whom), deposit);
	index
}

/// Votes aye with all that an account has.
#[track_caller]
fn vote_aye(name: &str, referendum: ReferendumIndex, conviction: Conviction) {
	let vote = Vote {
		aye: true,
		conviction,
	};
	let balance = has(name);
	done(
		by(name),
		pallet_conviction_voting::Call::<Runtime>::vote {
			poll_index: referendum,
			vote: AccountVote::Standard { vote, balance },
		},
	);
}

/// FLT that support a referendum which is not decided.
#[track_caller]
fn support(referendum: ReferendumIndex) -> Balance {
	match ReferendumInfoFor::<Runtime>::get(referendum) {
		Some(ReferendumInfo::Ongoing(status)) => status.tally.support,
		other => panic!("it is decided: {other:?}"),
	}
}

/// Goes on until the only proposal is enacted. What came of it.
#[track_caller]
fn enacted(referendum: ReferendumIndex) -> DispatchResult {
	for _ in 0..PATIENCE {
		for event in next() {
			// What referenda wake by has no name.
			if let RuntimeEvent::Scheduler(pallet_scheduler::Event::Dispatched {
				id: Some(_),
				result,
				..
			}) = event
			{
				return result;
			}
		}
	}
	let info = ReferendumInfoFor::<Runtime>::get(referendum);
	panic!("not enacted after {PATIENCE} blocks: {info:?}");
}
