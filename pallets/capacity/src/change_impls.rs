//! Changes: how a round that is full takes effect when settlement reaches its epoch.

use crate::{
	round_impls::RoundOf, rules, Change, Commitment, CommitmentOf, Config, Delegations, Departures,
	Event, Leaver, Leaving, Pallet, Part, Pledge, Rounds, Stake, Stakes,
};
use alloc::vec::Vec;
use frame_support::{defensive, traits::ConstU32, BoundedVec};
use millrace_primitives::{
	commitment::{RoundKind, MAX_STAKERS},
	peer::PeerId,
	views::CommitmentStatus,
	Balance,
};

/// A commitment as a change leaves it.
struct After<AccountId> {
	commitment: Commitment<AccountId>,
	stakes: Stakes<AccountId>,
	/// What the renewal does not keep.
	leavers: BoundedVec<Leaver<AccountId>, ConstU32<MAX_STAKERS>>,
	/// One for each place less of an account.
	vacated: Vec<AccountId>,
}

impl<AccountId: Clone> After<AccountId> {
	/// Notes what becomes of the places of an account that had a stake. It had one for that and one
	/// for a pledge, and keeps one for a stake that stays and one for a stake that leaves.
	fn settle_place(
		&mut self,
		who: &AccountId,
		stays: bool,
		pledged: bool,
		leaves: Balance,
	) -> Option<()> {
		if leaves > 0 {
			let staker = who.clone();
			let leaver = Leaver {
				staker,
				left: leaves,
			};
			self.leavers.try_push(leaver).ok()?;
		}
		let had = 1u32.saturating_add(pledged.into());
		let has = u32::from(stays).saturating_add((leaves > 0).into());
		for _ in has..had {
			self.vacated.push(who.clone());
		}
		Some(())
	}
}

/// A stake after a change, and what of it leaves.
fn part_after<AccountId>(
	kind: RoundKind,
	part: &Part,
	pledge: Option<&Pledge<AccountId>>,
) -> (Part, Balance) {
	let add = pledge.map_or(0, |pledge| pledge.add);
	if kind == RoundKind::Renewal {
		let keep = pledge.map_or(0, |pledge| pledge.keep).min(part.left);
		let stays = Part {
			added: add,
			dust: part.dust,
			..Part::new(keep.saturating_add(add))
		};
		return (stays, part.left.saturating_sub(keep));
	}
	let grown = Part {
		left: part.left.saturating_add(add),
		share: part.share.saturating_add(add),
		added: add,
		dust: part.dust,
	};
	(grown, 0)
}

impl<T: Config> Pallet<T> {
	/// Puts the agreed change into effect; the frontier stands at it. False if slashes have left too
	/// little for it: it is void then.
	pub(crate) fn apply_change(peer: PeerId, commitment: &mut CommitmentOf<T>) -> bool {
		let (Some(change), Some(round)) = (commitment.change.take(), Rounds::<T>::get(peer)) else {
			defensive!("a change comes from a round that is full");
			return false;
		};
		let lasts = |commitment: &CommitmentOf<T>| {
			let stakes = Delegations::<T>::get(peer);
			Self::after_change(commitment, &change, &round, stakes)
				.filter(|after| !after.commitment.is_short())
		};
		if lasts(commitment).is_none() {
			let at = change.at;
			Self::deposit_event(Event::ChangeVoided { peer, at });
			return false;
		}
		// What has accrued goes by the shares until now, and leaves dust in them.
		Self::flush(peer, commitment);
		let Some(mut after) = lasts(commitment) else {
			defensive!("rewards do not touch stakes");
			return false;
		};

		if change.kind == RoundKind::Renewal {
			// Those of the renewal before have waited for at least an unbonding.
			if let Some(old) = Departures::<T>::take(peer) {
				let rows: Vec<_> = old
					.rows
					.into_iter()
					.map(|row| (row.staker, row.left))
					.collect();
				Self::pay_each(peer, &rows, None);
			}
			if !after.leavers.is_empty() {
				let leaving = Leaving {
					at: change.at,
					until: change.at.saturating_add(commitment.terms.unbonding_epochs),
					rows: after.leavers,
				};
				Departures::<T>::insert(peer, leaving);
			}
			after.commitment.accrual.period =
				rules::period_of(change.at, after.commitment.terms.vesting_epochs);
		}
		if after.stakes.is_empty() {
			Delegations::<T>::remove(peer);
		} else {
			Delegations::<T>::insert(peer, after.stakes);
		}
		Rounds::<T>::remove(peer);
		for who in &after.vacated {
			Self::leave_place(who);
		}
		Self::move_active_stake(
			&commitment.provider,
			commitment.left(),
			after.commitment.left(),
		);
		*commitment = after.commitment;
		Self::deposit_event(Event::ChangeApplied { peer, change });
		true
	}

	/// What a change makes of a commitment, changing nothing; `None` if there were more stakes than
	/// can be.
	fn after_change(
		commitment: &CommitmentOf<T>,
		change: &Change,
		round: &RoundOf<T>,
		stakes: Stakes<T::AccountId>,
	) -> Option<After<T::AccountId>> {
		let provider = &commitment.provider;
		let mut after = After {
			commitment: commitment.clone(),
			stakes: Stakes::<T::AccountId>::default(),
			leavers: BoundedVec::new(),
			vacated: Vec::new(),
		};
		let pledge = round.pledge_of(provider);
		let (own, leaves) = part_after(change.kind, &commitment.own, pledge);
		after.settle_place(provider, true, pledge.is_some(), leaves)?;
		for stake in &stakes {
			let pledge = round.pledge_of(&stake.staker);
			let stays = pledge.is_some() || change.kind != RoundKind::Renewal;
			let (part, leaves) = part_after(change.kind, &stake.part, pledge);
			after.settle_place(&stake.staker, stays, pledge.is_some(), leaves)?;
			if stays {
				let staker = stake.staker.clone();
				after.stakes.try_push(Stake { staker, part }).ok()?;
			}
		}
		for pledge in &round.pledges {
			let known = |stake: &Stake<T::AccountId>| stake.staker == pledge.staker;
			if pledge.staker != *provider && !stakes.iter().any(known) {
				let part = Part {
					added: pledge.add,
					..Part::new(pledge.add)
				};
				let staker = pledge.staker.clone();
				after.stakes.try_push(Stake { staker, part }).ok()?;
			}
		}

		let now = &mut after.commitment;
		now.own = own;
		(now.others, now.shares) =
			after
				.stakes
				.iter()
				.fold((0, own.share), |sums: (Balance, Balance), stake| {
					(
						sums.0.saturating_add(stake.part.left),
						sums.1.saturating_add(stake.part.share),
					)
				});
		now.units = change.units;
		now.change = None;
		now.changed = Some(change.at);
		now.committed_before = commitment.committed();
		if change.kind == RoundKind::Renewal {
			now.terms = round.terms.terms;
			if let CommitmentStatus::Active { end, .. } = &mut now.status {
				*end = change.end;
			}
		}
		Some(after)
	}
}
