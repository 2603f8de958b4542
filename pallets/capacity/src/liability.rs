//! Liability: which stakes answer for an epoch, and with how much.
//!
//! What came with the last change does not answer for epochs before it, what left with it does. A
//! change that is agreed to takes effect when the frontier reaches its epoch, which no settlement can
//! bring about before the epoch before has closed. Whatever is punished until then, of the change's
//! own epoch or a later one, falls on the stakes as the change makes them.

use crate::{
	Commitment, CommitmentOf, Config, Delegations, Departures, Leaving, Pallet, Part, Round,
	Rounds, Stakes,
};
use alloc::vec::Vec;
use frame_support::traits::DefensiveSaturating;
use millrace_primitives::{commitment::RoundKind, peer::PeerId, Balance, EpochIndex};

/// Where a stake is kept.
#[derive(Clone, Copy)]
enum Place {
	/// The provider's part.
	Own,
	/// A delegator's, by its place among them.
	Delegator(usize),
	/// What left with the last renewal.
	Leaver(usize),
	/// What comes with the change that is agreed to.
	Pledge(usize),
}

/// A stake that answers for an epoch.
pub(crate) struct Answers<AccountId> {
	/// Whose it is.
	pub(crate) who: AccountId,
	/// How much of it answers.
	pub(crate) amount: Balance,
	place: Place,
}

/// What answers for an epoch besides the commitment itself, until it is written back.
pub(crate) struct Liable<AccountId> {
	/// What was committed in the epoch.
	pub(crate) committed: Balance,
	/// Whether the epoch is before the last change.
	before: bool,
	/// The delegators' stakes, once they are read.
	stakes: Stakes<AccountId>,
	/// What left after the epoch.
	leaving: Option<Leaving<AccountId>>,
	/// The round of a change that is not in effect, though its epoch is the one or before it.
	round: Option<Round<AccountId>>,
}

/// Lowers a stake, of which what came last goes last.
fn lower(part: &mut Part, amount: Balance) {
	part.left = part.left.defensive_saturating_sub(amount);
	part.added = part.added.min(part.left);
}

impl<AccountId: Clone + PartialEq> Liable<AccountId> {
	/// The provider's stakes, in the order in which they pay.
	pub(crate) fn own(&self, commitment: &Commitment<AccountId>) -> Vec<Answers<AccountId>> {
		let mut all = self.all(commitment);
		all.retain(|row| row.who == commitment.provider);
		all
	}

	/// All others' stakes.
	pub(crate) fn others(&self, commitment: &Commitment<AccountId>) -> Vec<Answers<AccountId>> {
		let mut all = self.all(commitment);
		all.retain(|row| row.who != commitment.provider);
		all
	}

	/// All stakes that answer. What comes with a change is named before what stands: a commitment
	/// shall not fail by the epochs of a change before that is in effect, if it will last then.
	pub(crate) fn all(&self, commitment: &Commitment<AccountId>) -> Vec<Answers<AccountId>> {
		let mut rows = Vec::new();
		let mut add = |who: &AccountId, amount: Balance, place: Place| {
			if amount > 0 {
				let who = who.clone();
				rows.push(Answers { who, amount, place });
			}
		};
		let pledges = self.round.iter().flat_map(|round| &round.pledges);
		for (index, pledge) in pledges.enumerate() {
			add(&pledge.staker, pledge.add, Place::Pledge(index));
		}
		let (provider, own) = (&commitment.provider, &commitment.own);
		add(provider, self.of_part(provider, own), Place::Own);
		for (index, stake) in self.stakes.iter().enumerate() {
			let amount = self.of_part(&stake.staker, &stake.part);
			add(&stake.staker, amount, Place::Delegator(index));
		}
		let leavers = self.leaving.iter().flat_map(|leaving| &leaving.rows);
		for (index, row) in leavers.enumerate() {
			add(&row.staker, row.left, Place::Leaver(index));
		}
		rows
	}

	/// What of a stake answers.
	fn of_part(&self, who: &AccountId, part: &Part) -> Balance {
		match &self.round {
			Some(round) if round.terms.kind == RoundKind::Renewal => round
				.pledge_of(who)
				.map_or(0, |pledge| pledge.keep.min(part.left)),
			None if self.before => part.left.saturating_sub(part.added),
			_ => part.left,
		}
	}

	/// Lowers a stake by an amount, at most by what answers.
	pub(crate) fn lower(
		&mut self,
		commitment: &mut Commitment<AccountId>,
		row: &Answers<AccountId>,
		amount: Balance,
	) {
		if amount == 0 {
			return;
		}
		match row.place {
			Place::Own => {
				lower(&mut commitment.own, amount);
				self.keep_less(row, amount);
			}
			Place::Delegator(index) => {
				if let Some(stake) = self.stakes.get_mut(index) {
					lower(&mut stake.part, amount);
				}
				commitment.others = commitment.others.defensive_saturating_sub(amount);
				self.keep_less(row, amount);
			}
			Place::Leaver(index) => {
				let rows = self.leaving.as_mut().map(|leaving| &mut leaving.rows);
				if let Some(row) = rows.and_then(|rows| rows.get_mut(index)) {
					row.left = row.left.defensive_saturating_sub(amount);
				}
			}
			Place::Pledge(index) => {
				let pledges = self.round.as_mut().map(|round| &mut round.pledges);
				if let Some(pledge) = pledges.and_then(|pledges| pledges.get_mut(index)) {
					pledge.add = pledge.add.defensive_saturating_sub(amount);
				}
			}
		}
	}

	/// What was taken of a stake that a renewal keeps is kept no more; what leaves is untouched.
	fn keep_less(&mut self, row: &Answers<AccountId>, amount: Balance) {
		let Some(round) = &mut self.round else { return };
		if round.terms.kind != RoundKind::Renewal {
			return;
		}
		let mut pledges = round.pledges.iter_mut();
		if let Some(pledge) = pledges.find(|pledge| pledge.staker == row.who) {
			pledge.keep = row.amount.saturating_sub(amount);
		}
	}
}

impl<T: Config> Pallet<T> {
	/// What answers for an epoch, without the delegators' stakes.
	pub(crate) fn liable(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		epoch: EpochIndex,
	) -> Liable<T::AccountId> {
		let ahead = commitment.change.is_some_and(|change| change.at <= epoch);
		let round = if ahead { Rounds::<T>::get(peer) } else { None };
		let committed = round
			.as_ref()
			.and_then(|round| Self::committed_by(&round.terms).ok())
			.unwrap_or_else(|| commitment.committed_in(epoch));
		Liable {
			committed,
			before: commitment.changed.is_some_and(|at| epoch < at),
			stakes: Stakes::<T::AccountId>::default(),
			leaving: Departures::<T>::get(peer).filter(|leaving| epoch < leaving.at),
			round,
		}
	}

	/// Reads the delegators' stakes, unless there are none or they are read.
	pub(crate) fn read_delegators(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		liable: &mut Liable<T::AccountId>,
	) {
		if commitment.others > 0 && liable.stakes.is_empty() {
			liable.stakes = Delegations::<T>::get(peer);
		}
	}

	/// Writes back what was lowered.
	pub(crate) fn write_liable(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		liable: Liable<T::AccountId>,
	) {
		if !liable.stakes.is_empty() {
			Delegations::<T>::insert(peer, liable.stakes);
		}
		if let Some(leaving) = liable.leaving {
			Departures::<T>::insert(peer, leaving);
		}
		if let Some(mut round) = liable.round {
			// The round stays full: of less.
			let (own, others) = round.pledged_by(&commitment.provider);
			round.needed = own.saturating_add(others);
			round.reserved = round.reserved.min(own);
			Rounds::<T>::insert(peer, round);
		}
	}
}
