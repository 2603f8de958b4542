//! Slashes: who pays for an epoch, at once or after a wait.

use crate::{
	liability::Liable, CommitmentOf, Commitments, Config, Delegations, Error, Event, HoldReason,
	NextSlash, Pallet, Params, SlashReason, WaitingSlash, WaitingSlashes, WeightInfo, MAX_PARTS,
	MAX_WAITING_SLASHES,
};
use alloc::vec::Vec;
use frame_support::{
	defensive, ensure,
	pallet_prelude::{DispatchResult, Weight},
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		ConstU32, DefensiveSaturating, Get,
	},
	weights::WeightToFee,
	BoundedVec,
};
use millrace_primitives::{
	commitment::SlashId,
	peer::PeerId,
	traits::{EpochClock, Offence, OnStake, StakeSlasher, WorkLedger},
	Balance, EpochIndex, U256,
};
use sp_runtime::Perbill;

/// Who reported an offence, and the part of the slash that is for it.
type Reporter<AccountId> = (AccountId, Perbill);

/// What a slash took: amounts by owner, the provider's first.
struct Taken<AccountId> {
	parts: Vec<(AccountId, Balance)>,
	/// What the provider pays.
	own: Balance,
	/// What all pay together.
	sum: Balance,
}

/// Where the parts of a slash went.
#[derive(Default)]
struct Spent {
	burnt: Balance,
	reporter: Balance,
	bounty: Balance,
}

impl<AccountId> Taken<AccountId> {
	fn push(&mut self, who: AccountId, amount: Balance) {
		if amount > 0 {
			self.parts.push((who, amount));
			self.sum = self.sum.saturating_add(amount);
		}
	}
}

/// A stake's part of a loss, rounded up, and not more than the stake.
fn part_of(loss: Balance, stake: Balance, all: Balance) -> Balance {
	let (product, all) = (
		U256::from(loss).saturating_mul(U256::from(stake)),
		U256::from(all),
	);
	let Some(whole) = product.checked_div(all) else {
		return 0;
	};
	let rest = product.checked_rem(all).unwrap_or_default();
	let up = U256::from(u8::from(!rest.is_zero()));
	// The loss is at most what all have, so that the quotient is at most the stake.
	Balance::try_from(whole.saturating_add(up))
		.unwrap_or(Balance::MAX)
		.min(stake)
}

impl<T: Config> Pallet<T> {
	/// Burns stake for an epoch at the frontier, own part first; what was taken. Part of it is the
	/// pusher's bounty, unless the pusher has a stake itself.
	pub(crate) fn slash_now(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		due: Balance,
		pusher: Option<&T::AccountId>,
	) -> Balance {
		if due == 0 {
			return 0;
		}
		let pusher = Self::outsider(peer, commitment, pusher);
		let liable = Self::liable(peer, commitment, commitment.next_to_settle);
		let taken = Self::take(peer, commitment, due, liable);
		Self::burn_now(peer, &taken, None, pusher)
	}

	/// Takes stake for an epoch at the frontier, which waits; what was taken.
	pub(crate) fn slash_later(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		reason: SlashReason,
		epoch: EpochIndex,
		due: Balance,
		reporter: Option<&Reporter<T::AccountId>>,
	) -> Balance {
		let liable = Self::liable(peer, commitment, epoch);
		let taken = Self::take(peer, commitment, due, liable);
		Self::wait(peer, commitment, reason, epoch, taken, reporter)
	}

	/// Takes stake for an offence, which waits if it is a twentieth of what was committed then; what
	/// was taken. The pusher has no stake itself.
	pub(crate) fn charge(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		epoch: EpochIndex,
		due: Balance,
		liable: Liable<T::AccountId>,
		reporter: Option<&Reporter<T::AccountId>>,
		pusher: Option<&T::AccountId>,
	) -> Balance {
		let waits = due.saturating_mul(20) >= liable.committed;
		let taken = Self::take(peer, commitment, due, liable);
		if waits {
			let reason = SlashReason::Offence;
			return Self::wait(peer, commitment, reason, epoch, taken, reporter);
		}
		Self::burn_now(peer, &taken, reporter, pusher)
	}

	/// For whoever moves an amount: at most a part of it, and at most so many times the fee of the
	/// weight, as the parameters in force say.
	pub(crate) fn bounty(weight: Weight, amount: Balance) -> Balance {
		let params = Params::<T>::get();
		let fees = T::WeightToFee::weight_to_fee(&weight).saturating_mul(params.bounty_fees.into());
		params.bounty_part.mul_floor(amount).min(fees)
	}

	/// Whether an account has a stake in a commitment.
	pub(crate) fn is_owner(peer: PeerId, commitment: &CommitmentOf<T>, who: &T::AccountId) -> bool {
		commitment.provider == *who
			|| (commitment.others > 0
				&& Delegations::<T>::get(peer)
					.iter()
					.any(|stake| stake.staker == *who))
	}

	/// A pusher, if it has no stake in a commitment.
	pub(crate) fn outsider<'a>(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		pusher: Option<&'a T::AccountId>,
	) -> Option<&'a T::AccountId> {
		pusher.filter(|who| !Self::is_owner(peer, commitment, who))
	}

	/// Takes stake, as much as is left of what is liable: of the provider first, of all others in
	/// proportion, rounded up.
	fn take(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		due: Balance,
		mut liable: Liable<T::AccountId>,
	) -> Taken<T::AccountId> {
		let mut taken = Taken {
			parts: Vec::new(),
			own: 0,
			sum: 0,
		};
		if due == 0 {
			return taken;
		}
		let left = commitment.left();
		for row in liable.own(commitment) {
			let amount = row.amount.min(due.saturating_sub(taken.sum));
			liable.lower(commitment, &row, amount);
			taken.push(row.who, amount);
		}
		taken.own = taken.sum;

		let rest = due.saturating_sub(taken.sum);
		if rest > 0 {
			Self::read_delegators(peer, commitment, &mut liable);
			let rows = liable.others(commitment);
			let all = rows
				.iter()
				.fold(0, |sum: Balance, row| sum.saturating_add(row.amount));
			let loss = rest.min(all);
			for row in rows {
				let amount = part_of(loss, row.amount, all);
				liable.lower(commitment, &row, amount);
				taken.push(row.who, amount);
			}
		}
		Self::write_liable(peer, commitment, liable);
		commitment.slashed = commitment.slashed.defensive_saturating_add(taken.sum);
		if commitment.is_active() {
			Self::move_active_stake(&commitment.provider, left, commitment.left());
		}
		taken
	}

	/// Burns what was taken, but for what the reporter and the pusher get of it; how much was taken.
	fn burn_now(
		peer: PeerId,
		taken: &Taken<T::AccountId>,
		reporter: Option<&Reporter<T::AccountId>>,
		pusher: Option<&T::AccountId>,
	) -> Balance {
		let reward = Self::reward_of(reporter, taken);
		let bounty = pusher.map(|who| {
			let amount = Self::bounty(T::WeightInfo::settle(), taken.sum);
			(who.clone(), amount)
		});
		let spent = Self::spend(&taken.parts, reward, bounty);
		if let (Some(pusher), true) = (pusher, spent.bounty > 0) {
			Self::deposit_event(Event::BountyPaid {
				peer,
				pusher: pusher.clone(),
				amount: spent.bounty,
			});
		}
		taken.sum
	}

	/// Makes a slash wait; its amount.
	fn wait(
		peer: PeerId,
		commitment: &mut CommitmentOf<T>,
		reason: SlashReason,
		epoch: EpochIndex,
		taken: Taken<T::AccountId>,
		reporter: Option<&Reporter<T::AccountId>>,
	) -> Balance {
		let amount = taken.sum;
		if amount == 0 {
			return 0;
		}
		let reporter = Self::reward_of(reporter, &taken);
		let parts: Result<BoundedVec<_, ConstU32<MAX_PARTS>>, _> = taken.parts.try_into();
		let parts = match parts {
			Ok(parts) if commitment.waiting_slashes < MAX_WAITING_SLASHES => parts,
			refused => {
				defensive!("there are fewer stakes, and fewer slashes that wait");
				let parts = refused.map_or_else(|parts| parts, |parts| parts.into_inner());
				Self::spend(&parts, reporter, None);
				return amount;
			}
		};
		let slash = NextSlash::<T>::mutate(|next| {
			let slash = *next;
			*next = slash.saturating_add(1);
			slash
		});
		let due = T::Clock::current()
			.index
			.saturating_add(commitment.terms.slash_delay_epochs);
		WaitingSlashes::<T>::insert(
			peer,
			slash,
			WaitingSlash {
				epoch,
				due,
				reason,
				parts,
				reporter,
			},
		);
		commitment.waiting = commitment.waiting.defensive_saturating_add(amount);
		commitment.waiting_slashes = commitment.waiting_slashes.defensive_saturating_add(1);
		Self::deposit_event(Event::SlashWaits {
			peer,
			slash,
			epoch,
			amount,
			due,
		});
		amount
	}

	/// What a reporter is rewarded with: never more than the provider itself pays, so that nobody
	/// gains by reporting a peer of its own.
	fn reward_of(
		reporter: Option<&Reporter<T::AccountId>>,
		taken: &Taken<T::AccountId>,
	) -> Option<(T::AccountId, Balance)> {
		reporter.map(|(who, part)| {
			let reward = part.mul_floor(taken.sum).min(taken.own);
			(who.clone(), reward)
		})
	}

	/// Gives the reporter and the pusher what they get out of held stake, as far as they can receive
	/// it, and burns the rest.
	fn spend(
		parts: &[(T::AccountId, Balance)],
		mut reporter: Option<(T::AccountId, Balance)>,
		mut pusher: Option<(T::AccountId, Balance)>,
	) -> Spent {
		let mut spent = Spent::default();
		for (payer, amount) in parts {
			let mut rest = *amount;
			for (gift, given) in [
				(&mut reporter, &mut spent.reporter),
				(&mut pusher, &mut spent.bounty),
			] {
				let Some((who, open)) = gift else { continue };
				let gives = rest.min(*open);
				*open = open.saturating_sub(gives);
				let gave = Self::give(HoldReason::Stake, payer, who, gives);
				rest = rest.saturating_sub(gave);
				*given = given.saturating_add(gave);
			}
			spent.burnt = spent.burnt.saturating_add(Self::burn(payer, rest));
		}
		spent
	}

	/// Moves what is on hold to the free balance of another account, if that can receive it; what
	/// was moved.
	pub(crate) fn give(
		reason: HoldReason,
		payer: &T::AccountId,
		who: &T::AccountId,
		amount: Balance,
	) -> Balance {
		if amount == 0 {
			return 0;
		}
		T::Currency::transfer_on_hold(
			&reason.into(),
			payer,
			who,
			amount,
			Precision::Exact,
			Restriction::Free,
			Fortitude::Force,
		)
		.unwrap_or(0)
	}

	/// Burns held stake; forced, so that no lock or vote on the account stands against a slash.
	fn burn(who: &T::AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		T::Currency::burn_held(
			&HoldReason::Stake.into(),
			who,
			amount,
			Precision::Exact,
			Fortitude::Force,
		)
		.unwrap_or_else(|error| {
			defensive!("the stake is held", error);
			0
		})
	}

	pub(crate) fn do_apply_slash(
		who: T::AccountId,
		peer: PeerId,
		slash: SlashId,
	) -> DispatchResult {
		let row = WaitingSlashes::<T>::get(peer, slash).ok_or(Error::<T>::UnknownSlash)?;
		ensure!(
			T::Clock::current().index >= row.due,
			Error::<T>::SlashNotDue
		);
		let amount = row.amount();
		let commitment = Self::forget_slash(peer, slash, amount)?;
		let pays = Self::is_owner(peer, &commitment, &who)
			|| row.parts.iter().any(|(payer, _)| *payer == who);
		let bounty = (!pays).then(|| {
			let parts = u32::try_from(row.parts.len()).unwrap_or(MAX_PARTS);
			let bounty = Self::bounty(T::WeightInfo::apply_slash(parts), amount);
			(who, bounty)
		});
		let spent = Self::spend(&row.parts, row.reporter, bounty);
		Self::deposit_event(Event::SlashApplied {
			peer,
			slash,
			burnt: spent.burnt,
			reporter: spent.reporter,
			bounty: spent.bounty,
		});
		Ok(())
	}

	pub(crate) fn do_cancel_slash(peer: PeerId, slash: SlashId) -> DispatchResult {
		let row = WaitingSlashes::<T>::get(peer, slash).ok_or(Error::<T>::UnknownSlash)?;
		let amount = row.amount();
		Self::forget_slash(peer, slash, amount)?;
		for (payer, part) in &row.parts {
			Self::release(HoldReason::Stake, payer, *part);
		}
		Self::deposit_event(Event::SlashCancelled {
			peer,
			slash,
			amount,
		});
		Ok(())
	}

	/// A slash waits no longer; the commitment that it was taken from.
	fn forget_slash(
		peer: PeerId,
		slash: SlashId,
		amount: Balance,
	) -> Result<CommitmentOf<T>, Error<T>> {
		let mut commitment = Commitments::<T>::get(peer).ok_or(Error::<T>::Defensive)?;
		commitment.waiting = commitment.waiting.defensive_saturating_sub(amount);
		commitment.waiting_slashes = commitment.waiting_slashes.defensive_saturating_sub(1);
		Commitments::<T>::insert(peer, &commitment);
		WaitingSlashes::<T>::remove(peer, slash);
		Ok(commitment)
	}
}

impl<T: Config> StakeSlasher<T::AccountId> for Pallet<T> {
	fn slash(peer: PeerId, offence: Offence<T::AccountId>) -> Balance {
		Self::settle_closed(peer, None);
		let Some(mut commitment) = Commitments::<T>::get(peer) else {
			return 0;
		};
		let epoch = offence.epoch;
		if !commitment.stood_in(epoch) {
			return 0;
		}
		let liable = Self::liable(peer, &commitment, epoch);
		let due = offence.part.mul_ceil(liable.committed);
		let reporter = offence.reporter.as_ref();
		let amount = Self::charge(peer, &mut commitment, epoch, due, liable, reporter, None);
		Self::deposit_event(Event::OffenceCharged {
			peer,
			epoch,
			amount,
		});

		let over = commitment.is_active() && (offence.fails || commitment.is_short());
		if over {
			Self::conclude(peer, &mut commitment, true);
		}
		// Written before the market is told, which may ask about the peer.
		Commitments::<T>::insert(peer, commitment);
		if over {
			T::Work::on_commitment_over(peer, true);
		}
		amount
	}

	/// The stake stays for longer than that: see `Commitment::withdrawable`.
	fn answers_until(peer: PeerId, epoch: EpochIndex) -> Option<EpochIndex> {
		let commitment = Commitments::<T>::get(peer)?;
		// The report is taken in the epoch after, and can be challenged from then.
		let taken = epoch.saturating_add(1);
		commitment
			.stood_in(epoch)
			.then(|| taken.saturating_add(commitment.terms.challenge_epochs))
	}

	fn slash_weight() -> Weight {
		Self::settlement_weight()
			.saturating_add(T::WeightInfo::slash(MAX_PARTS))
			.saturating_add(T::WeightInfo::wait_slash(MAX_PARTS))
			.saturating_add(T::WeightInfo::conclude())
			.saturating_add(T::OnStake::weight().saturating_mul(2))
			.saturating_add(T::Work::on_settled_weight())
			// The round of a change that is not in effect.
			.saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
}
