//! Commitments, the time that windows are reckoned in, and the bonds.

use crate::{
	params::MAX_OMISSION_EPOCHS, Commit, Commits, CommitsOf, Config, Error, Event, HoldReason,
	Pallet, Params, ReceiptsParams, Uncounted, MAX_COMMITS, RING,
};
use frame_support::{
	defensive,
	dispatch::DispatchClass,
	ensure,
	migrations::MultiStepMigrator,
	pallet_prelude::{DispatchResult, Weight},
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use millrace_primitives::{
	governance::Contradiction, peer::PeerId, traits::PeerRegistry, Balance, BlockNumber,
	EpochIndex, H256,
};
use sp_runtime::{traits::SaturatedConversion, Perbill};

impl<T: Config> Pallet<T> {
	/// Notes a block that a migration takes: nobody can answer in it.
	pub(crate) fn count_block() -> Weight {
		let db = T::DbWeight::get();
		if !<T as frame_system::Config>::MultiBlockMigrator::ongoing() {
			return db.reads(1);
		}
		Uncounted::<T>::mutate(|blocks| *blocks = blocks.saturating_add(1));
		db.reads_writes(2, 1)
	}

	/// Height of this block.
	pub(crate) fn height() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// The time that windows are reckoned in: the height, without blocks that migrations took.
	pub(crate) fn now() -> BlockNumber {
		Self::height().saturating_sub(Uncounted::<T>::get())
	}

	/// The height that a time has, if no migration comes before it.
	pub(crate) fn height_at(time: BlockNumber) -> BlockNumber {
		time.saturating_add(Uncounted::<T>::get())
	}

	/// Where an epoch stands in the rings.
	pub(crate) fn slot_of(epoch: EpochIndex) -> u32 {
		epoch.checked_rem(RING).unwrap_or(0)
	}

	pub(crate) fn do_commit(who: T::AccountId, commitment: H256) -> DispatchResult {
		ensure!(
			!Commits::<T>::contains_key(&who, commitment),
			Error::<T>::AlreadyCommitted
		);
		let others = CommitsOf::<T>::get(&who);
		ensure!(others < MAX_COMMITS, Error::<T>::TooManyCommits);
		let params = Params::<T>::get();
		let bond = params.bond;
		T::Currency::hold(&HoldReason::Challenge.into(), &who, bond)?;
		let block = Self::now();
		Commits::<T>::insert(
			&who,
			commitment,
			Commit {
				block,
				opens: block.saturating_add(params.reveal_after_blocks),
				closes: block.saturating_add(params.reveal_within_blocks),
				bond,
				forfeit: params.unrevealed.mul_ceil(bond),
				compensation: params.compensation,
			},
		);
		CommitsOf::<T>::insert(&who, others.saturating_add(1));
		Self::deposit_event(Event::ChallengeCommitted {
			who,
			commitment,
			bond,
		});
		Ok(())
	}

	pub(crate) fn do_forget_commit(who: T::AccountId, commitment: H256) -> DispatchResult {
		let commit = Commits::<T>::get(&who, commitment).ok_or(Error::<T>::NoCommit)?;
		ensure!(Self::now() > commit.closes, Error::<T>::StillRevealable);
		Self::remove_commit(&who, commitment);
		let burnt = Self::burn(HoldReason::Challenge, &who, commit.forfeit);
		let rest = commit.bond.saturating_sub(burnt);
		Self::release(HoldReason::Challenge, &who, rest);
		Self::deposit_event(Event::CommitForfeited {
			who,
			commitment,
			burnt,
		});
		Ok(())
	}

	/// Removes a commitment, whose bond goes its own way.
	pub(crate) fn remove_commit(who: &T::AccountId, commitment: H256) {
		Commits::<T>::remove(who, commitment);
		CommitsOf::<T>::mutate_exists(who, one_less);
	}

	/// Sets the parameters for what is committed, claimed and demanded from now on. Nothing that stands
	/// changes its terms.
	pub fn apply_params(params: ReceiptsParams) -> Result<(), Contradiction> {
		ensure!(params.is_valid(), Contradiction);
		Params::<T>::put(params);
		Self::deposit_event(Event::ParamsSet { params });
		Ok(())
	}

	/// Frees what is on hold.
	pub(crate) fn release(reason: HoldReason, who: &T::AccountId, amount: Balance) {
		if amount == 0 {
			return;
		}
		if let Err(error) = T::Currency::release(&reason.into(), who, amount, Precision::Exact) {
			defensive!("what is on hold can be released", error);
		}
	}

	/// Burns what is on hold; forced, so that no lock or vote on the account stands against it. What
	/// burnt.
	pub(crate) fn burn(reason: HoldReason, who: &T::AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		T::Currency::burn_held(
			&reason.into(),
			who,
			amount,
			Precision::Exact,
			Fortitude::Force,
		)
		.unwrap_or_else(|error| {
			defensive!("what is on hold can burn", error);
			0
		})
	}

	/// Takes the bond of a false challenge: first what its refutation cost, then a part of the rest for
	/// the provider that was accused, as far as it can receive it. All else burns. What burnt, and
	/// what the provider got.
	pub(crate) fn forfeit_bond(
		who: &T::AccountId,
		bond: Balance,
		compensation: Perbill,
		cost: Balance,
		peer: PeerId,
	) -> (Balance, Balance) {
		let due = compensation.mul_floor(bond.saturating_sub(cost));
		let given = T::Peers::provider_of(peer).map_or(0, |provider| {
			if due == 0 {
				return 0;
			}
			T::Currency::transfer_on_hold(
				&HoldReason::Challenge.into(),
				who,
				&provider,
				due,
				Precision::Exact,
				Restriction::Free,
				Fortitude::Force,
			)
			.unwrap_or(0)
		});
		let burnt = Self::burn(HoldReason::Challenge, who, bond.saturating_sub(given));
		(burnt, given)
	}

	/// Panics where the pallet's constants and weights do not hold together.
	pub(crate) fn check_integrity() {
		assert!(
			RING.is_power_of_two(),
			"slots must not jump where the epoch overflows"
		);
		const {
			assert!(
				MAX_OMISSION_EPOCHS < RING,
				"a claim must find the report that it is about"
			);
		}
		assert!(ReceiptsParams::default().is_valid());
		let weights = T::BlockWeights::get();
		for (weight, what) in [
			(Self::largest_reveal_weight(), "a replay at the cap"),
			(Self::conclude_weight(), "the conclusion of a case"),
			(Self::expire_weight(), "the end of a demand"),
		] {
			let most = weights.get(DispatchClass::Normal).max_extrinsic;
			assert!(
				most.is_none_or(|most| weight.all_lte(most)),
				"{what} must fit into a block"
			);
		}
	}
}

/// One less of a number that is not kept at zero.
pub(crate) fn one_less(number: &mut Option<u32>) {
	*number = number
		.and_then(|number| number.checked_sub(1))
		.filter(|number| *number > 0);
}
