//! Weights of voting, without the size of proofs.
//!
//! The SDK counts 110 kB of proof for each vote that a delegation moves, and charges for as many as an
//! account can cast: no block of ours could take that. Blocks of this chain travel without proofs, so what is
//! left is the time, of which a delegation on every track at once takes a small part of a block.

use core::marker::PhantomData;
use frame_support::weights::Weight;
use pallet_conviction_voting::weights::WeightInfo;

/// Others' weights, without the size of proofs.
#[derive(Debug)]
pub struct WithoutProofs<W>(PhantomData<W>);

fn without(weight: Weight) -> Weight {
	weight.set_proof_size(0)
}

impl<W: WeightInfo> WeightInfo for WithoutProofs<W> {
	fn vote_new() -> Weight {
		without(W::vote_new())
	}

	fn vote_existing() -> Weight {
		without(W::vote_existing())
	}

	fn remove_vote() -> Weight {
		without(W::remove_vote())
	}

	fn remove_other_vote() -> Weight {
		without(W::remove_other_vote())
	}

	fn delegate(votes: u32) -> Weight {
		without(W::delegate(votes))
	}

	fn undelegate(votes: u32) -> Weight {
		without(W::undelegate(votes))
	}

	fn unlock() -> Weight {
		without(W::unlock())
	}
}

#[cfg(test)]
mod tests {
	use crate::{
		configs::{governance::tracks::Tracks, system::RuntimeBlockWeights},
		Runtime, RuntimeCall,
	};
	use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
	use pallet_conviction_voting::{Call, Conviction};
	use pallet_referenda::TracksInfo;
	use sp_runtime::MultiAddress;

	#[test]
	fn delegating_on_every_track_and_taking_it_back_fit_one_transaction() {
		// How long tracks take is read from the state.
		sp_io::TestExternalities::default().execute_with(|| {
			let each = |call: fn(u16) -> Call<Runtime>| -> Vec<RuntimeCall> {
				let tracks = Tracks::tracks();
				tracks
					.map(|track| RuntimeCall::ConvictionVoting(call(track.id)))
					.collect()
			};
			let delegations = each(|class| Call::delegate {
				class,
				to: MultiAddress::Id([0; 32].into()),
				conviction: Conviction::Locked6x,
				balance: 1,
			});
			let limits = RuntimeBlockWeights::get();
			let most = limits.get(DispatchClass::Normal).max_extrinsic;
			for calls in [delegations, each(|class| Call::undelegate { class })] {
				assert!(calls.len() > 1);
				let batch = pallet_utility::Call::<Runtime>::batch_all { calls };
				let weight = RuntimeCall::Utility(batch).get_dispatch_info().call_weight;
				assert!(weight.all_lte(most.expect("there is a limit")), "{weight}");
			}
		});
	}
}
