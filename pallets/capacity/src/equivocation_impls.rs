//! Equivocation of providers as validators: a part of what is left of each commitment.
//!
//! A provider may have many commitments, so a report of an equivocation touches none of them. Each
//! notes which it has paid for, and pays for the others when it is settled next.

use crate::{CommitmentOf, Config, Event, Pallet, WeightInfo, MAX_PARTS};
use frame_support::{pallet_prelude::Weight, traits::Get};
use millrace_primitives::{
	peer::PeerId,
	traits::{Equivocations, OnStake},
	views::CommitmentStatus,
	Balance,
};

impl<T: Config> Pallet<T> {
	/// Takes what the provider's equivocations cost since the last look, of the stake that stood in
	/// their epochs; how many there were to look at. The caller stores the commitment.
	pub(crate) fn take_equivocations(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		pusher: Option<&T::AccountId>,
	) -> u32 {
		if matches!(commitment.status, CommitmentStatus::Pending { .. }) {
			return 0;
		}
		let news = T::Equivocations::since(&commitment.provider, commitment.equivocations);
		if news.is_empty() {
			return 0;
		}
		commitment.equivocations = T::Equivocations::next(&commitment.provider);
		let pusher = Self::outsider(peer, commitment, pusher);
		let mut number: u32 = 0;
		for (epoch, part) in news {
			number = number.saturating_add(1);
			if !commitment.stood_in(epoch) {
				continue;
			}
			let mut liable = Self::liable(peer, commitment, epoch);
			Self::read_delegators(peer, commitment, &mut liable);
			let left = liable
				.all(commitment)
				.iter()
				.fold(0, |sum: Balance, row| sum.saturating_add(row.amount));
			let due = part.mul_ceil(left);
			let amount = Self::charge(peer, commitment, epoch, due, liable, None, pusher);
			Self::deposit_event(Event::EquivocationCharged {
				peer,
				epoch,
				amount,
			});
		}
		number
	}

	/// Weight of so many equivocations. To see that there are none is part of every settlement's.
	pub(crate) fn equivocations_weight(number: u32) -> Weight {
		let slash = T::WeightInfo::slash(MAX_PARTS).max(T::WeightInfo::wait_slash(MAX_PARTS));
		let each = slash
			.saturating_add(T::OnStake::weight())
			// The round of a change that is not in effect.
			.saturating_add(T::DbWeight::get().reads_writes(1, 1));
		T::Equivocations::weight().saturating_add(each.saturating_mul(number.into()))
	}
}
