//! What clients see of commitments.

use crate::{
	CommitmentOf, Commitments, Config, Delegations, Departures, Pallet, Params, Rounds,
	WaitingSlashes,
};
use alloc::vec::Vec;
use millrace_primitives::{
	commitment::{
		ChangeView, CommitmentTerms, RoundKind, RoundView, SlashView, StakeView, StakerTerms,
	},
	peer::PeerId,
	views::CommitmentView,
	EpochIndex,
};
use sp_runtime::Perbill;

impl<T: Config> Pallet<T> {
	/// A peer's commitment.
	pub fn commitment(peer: PeerId) -> Option<CommitmentView<T::AccountId>> {
		let commitment = Commitments::<T>::get(peer)?;
		let departures = Departures::<T>::get(peer);
		let waits = departures.as_ref().map_or(0, |leaving| leaving.until);
		let settled = commitment.next_to_settle.saturating_sub(1);
		Some(CommitmentView {
			peer,
			units: commitment.units,
			stake: commitment.left(),
			slashed: commitment.slashed,
			status: commitment.status,
			next_to_settle: commitment.next_to_settle,
			rewarded: commitment.rewarded,
			own: commitment.own.left,
			waiting: commitment.waiting,
			score_permille: commitment.score.permille(settled),
			terms: commitment.terms,
			change: commitment.change.map(|change| ChangeView {
				at: change.at,
				units: change.units,
				end: change.end,
			}),
			withdrawable: commitment.withdrawable().map(|epoch| epoch.max(waits)),
			delegators: Delegations::<T>::get(peer)
				.into_iter()
				.map(|stake| StakeView {
					staker: stake.staker,
					left: stake.part.left,
					share: stake.part.share,
				})
				.collect(),
			leaving: departures
				.into_iter()
				.flat_map(|leaving| leaving.rows)
				.map(|row| StakeView {
					staker: row.staker,
					left: row.left,
					share: 0,
				})
				.collect(),
			provider: commitment.provider,
		})
	}

	/// The round of a peer.
	pub fn round(peer: PeerId) -> Option<RoundView<T::AccountId>> {
		let commitment = Commitments::<T>::get(peer)?;
		let round = Rounds::<T>::get(peer)?;
		let room = Self::room(peer, &commitment, &round, None);
		let (own, others) = round.pledged_by(&commitment.provider);
		Some(RoundView {
			terms: round.terms,
			deadline: round.deadline,
			needed: round.needed,
			pledged: own.saturating_add(others),
			reserved: round.reserved,
			agreed: commitment.change.is_some(),
			least: room.least,
			room: room.open,
			kept: room.kept,
			invited: round.invited.into_inner(),
			pledges: round
				.pledges
				.into_iter()
				.map(|pledge| StakeView {
					left: pledge.brings(),
					share: pledge.brings(),
					staker: pledge.staker,
				})
				.collect(),
		})
	}

	/// What stakers sign of a growth that would be opened now.
	pub fn growth_terms(peer: PeerId, more_units: u32) -> Option<StakerTerms> {
		let commitment = Commitments::<T>::get(peer)?;
		let (units, end, terms) = Self::ahead(peer, &commitment)?;
		let units = units.saturating_add(more_units);
		Some(Self::terms_for(RoundKind::Growth, units, 0, end, terms))
	}

	/// What stakers sign of a renewal that would be opened now.
	pub fn renewal_terms(
		peer: PeerId,
		duration_epochs: u32,
		own_part: Perbill,
		commission: Perbill,
	) -> Option<StakerTerms> {
		let commitment = Commitments::<T>::get(peer)?;
		let (units, end, _) = Self::ahead(peer, &commitment)?;
		let terms = Params::<T>::get().terms(own_part, commission);
		Some(Self::terms_for(
			RoundKind::Renewal,
			units,
			duration_epochs,
			end,
			terms,
		))
	}

	/// Units, end and terms of an active commitment when the next round can be opened: after the
	/// change that was agreed to, which a settlement may be about to apply.
	fn ahead(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
	) -> Option<(u32, EpochIndex, CommitmentTerms)> {
		let end = commitment.end_at()?;
		let renewal = commitment
			.change
			.filter(|change| change.kind == RoundKind::Renewal)
			.and_then(|_| Rounds::<T>::get(peer));
		let units = commitment
			.change
			.map_or(commitment.units, |change| change.units);
		let terms = renewal.map_or(commitment.terms, |round| round.terms.terms);
		Some((units, end, terms))
	}

	/// Slashes of a peer's commitment that wait, oldest first.
	pub fn slashes(peer: PeerId) -> Vec<SlashView> {
		let mut slashes: Vec<_> = WaitingSlashes::<T>::iter_prefix(peer)
			.map(|(slash, row)| SlashView {
				slash,
				epoch: row.epoch,
				due: row.due,
				amount: row.amount(),
			})
			.collect();
		slashes.sort_unstable_by_key(|row| row.slash);
		slashes
	}
}
