//! Rounds: how stake comes to a commitment.

use crate::{
	rules, Change, CommitmentOf, Commitments, Config, Delegations, Error, Event, HoldReason,
	Pallet, Params, Part, Pledge, Round, Rounds, Stake, Stakes, WeightInfo, CHANGE_MARGIN_EPOCHS,
};
use frame_support::{
	ensure,
	pallet_prelude::{DispatchResult, DispatchResultWithPostInfo, Weight},
	traits::{fungible::MutateHold, Get},
	BoundedVec,
};
use millrace_primitives::{
	capacity::MAX_UNITS,
	commitment::{Invited, RoundKind, StakeOffer, StakerTerms, MAX_DELEGATORS, MAX_STAKERS},
	peer::PeerId,
	traits::{EpochClock, Equivocations},
	views::CommitmentStatus,
	Balance, EpochIndex,
};

/// A round of a runtime.
pub(crate) type RoundOf<T> = Round<<T as frame_system::Config>::AccountId>;

/// What a round still takes of delegators.
pub(crate) struct Room {
	/// What all of them can still bring together.
	pub(crate) open: Balance,
	/// Of that, what is kept for others who have a stake and have not signed.
	pub(crate) kept: Balance,
	/// What the one who was asked for can bring.
	pub(crate) room: Balance,
	/// Least that it must bring if it has no place; `None` if there is no place or nothing to bring.
	pub(crate) least: Option<Balance>,
	/// Whether there is a place for it.
	pub(crate) has_place: bool,
}

impl<AccountId: PartialEq> Round<AccountId> {
	pub(crate) fn pledge_of(&self, who: &AccountId) -> Option<&Pledge<AccountId>> {
		self.pledges.iter().find(|pledge| pledge.staker == *who)
	}

	/// What was pledged so far: by the provider, and by all others.
	pub(crate) fn pledged_by(&self, provider: &AccountId) -> (Balance, Balance) {
		let (mut own, mut others) = (0, 0);
		for pledge in &self.pledges {
			let sum: &mut Balance = if pledge.staker == *provider {
				&mut own
			} else {
				&mut others
			};
			*sum = sum.saturating_add(pledge.brings());
		}
		(own, others)
	}
}

impl<AccountId> Pledge<AccountId> {
	/// What it brings to the round.
	pub(crate) fn brings(&self) -> Balance {
		self.keep.saturating_add(self.add)
	}
}

impl<T: Config> Pallet<T> {
	/// Opens a round, for which the provider's deposit is held.
	pub(crate) fn open_round(
		peer: PeerId,
		provider: &T::AccountId,
		terms: StakerTerms,
		needed: Balance,
		reserved: Balance,
		deadline: EpochIndex,
		invited: Invited<T::AccountId>,
	) -> DispatchResult {
		let deposit = T::RoundDeposit::get();
		T::Currency::hold(&HoldReason::Deposit.into(), provider, deposit)?;
		Rounds::<T>::insert(
			peer,
			Round {
				terms,
				deadline,
				needed,
				reserved,
				deposit,
				invited,
				pledges: BoundedVec::new(),
			},
		);
		Self::deposit_event(Event::RoundOpened {
			peer,
			terms,
			needed,
			deadline,
		});
		Ok(())
	}

	pub(crate) fn do_grow(
		who: T::AccountId,
		peer: PeerId,
		more_units: u32,
		invited: Invited<T::AccountId>,
	) -> DispatchResultWithPostInfo {
		Self::weighed(T::WeightInfo::grow(), |weight| {
			Self::ensure_provider(peer, &who)?;
			let commitment = Self::changeable(peer, weight)?;
			let current = T::Clock::current().index;
			let at = Self::growth_at(&commitment);
			let end = commitment.end_at().ok_or(Error::<T>::NotActive)?;
			ensure!(at < end, Error::<T>::NotActive);
			let units = commitment
				.units
				.checked_add(more_units)
				.filter(|units| more_units > 0 && *units <= MAX_UNITS)
				.ok_or(Error::<T>::UnitsOutOfRange)?;
			let terms = Self::terms_for(RoundKind::Growth, units, 0, end, commitment.terms);
			let committed = Self::committed_by(&terms)?;
			Self::ensure_settled_down(&commitment, at, commitment.terms.challenge_epochs)?;

			let needed = committed.saturating_sub(commitment.committed());
			let own_part = commitment.terms.own_part.mul_ceil(committed);
			let reserved = own_part.saturating_sub(commitment.own.left);
			ensure!(reserved <= needed, Error::<T>::OwnPartTooSmall);
			// An epoch of the growth must be left when it takes effect.
			let deadline = current
				.saturating_add(Params::<T>::get().pending_epochs)
				.min(end.saturating_sub(2));
			Self::open_round(peer, &who, terms, needed, reserved, deadline, invited)
		})
	}

	pub(crate) fn do_extend(
		who: T::AccountId,
		peer: PeerId,
		duration_epochs: u32,
		offer: StakeOffer<T::AccountId>,
	) -> DispatchResultWithPostInfo {
		Self::weighed(T::WeightInfo::extend(), |weight| {
			Self::ensure_provider(peer, &who)?;
			let commitment = Self::changeable(peer, weight)?;
			let current = T::Clock::current().index;
			let end = commitment.end_at().ok_or(Error::<T>::NotActive)?;
			ensure!(current < end, Error::<T>::NotActive);

			let (params, old) = (Params::<T>::get(), commitment.terms);
			// So that who leaves now is free to go before somebody else can leave.
			let shortest = params.min_duration_epochs.max(old.unbonding_epochs);
			ensure!(
				(shortest..=params.max_duration_epochs).contains(&duration_epochs),
				Error::<T>::DurationOutOfRange
			);
			ensure!(
				offer.own_part >= params.min_own_part,
				Error::<T>::OwnPartOutOfRange
			);
			ensure!(
				offer.commission <= old.commission
					|| end.saturating_sub(current) >= params.notice_epochs,
				Error::<T>::NoticeTooShort
			);
			let challenge = old.challenge_epochs.max(params.challenge_epochs);
			Self::ensure_settled_down(&commitment, end, challenge)?;

			let terms = Self::terms_for(
				RoundKind::Renewal,
				commitment.units,
				duration_epochs,
				end,
				params.terms(offer.own_part, offer.commission),
			);
			let needed = Self::committed_by(&terms)?;
			let reserved = offer.own_part.mul_ceil(needed);
			let deadline = current
				.saturating_add(params.pending_epochs)
				.min(end.saturating_sub(1));
			Self::open_round(peer, &who, terms, needed, reserved, deadline, offer.invited)
		})
	}

	/// A peer's commitment, settled, if another round can be opened for it.
	fn changeable(peer: PeerId, weight: &mut Weight) -> Result<CommitmentOf<T>, Error<T>> {
		let commitment = Self::settled(peer, None, weight).ok_or(Error::<T>::NoCommitment)?;
		ensure!(commitment.is_active(), Error::<T>::NotActive);
		ensure!(
			commitment.change.is_none() && !Rounds::<T>::contains_key(peer),
			Error::<T>::RoundOpen
		);
		Ok(commitment)
	}

	/// Refuses a change before whatever came with the last one has answered for a challenge period:
	/// one boundary behind the present stake is then enough for every slash.
	fn ensure_settled_down(
		commitment: &CommitmentOf<T>,
		at: EpochIndex,
		challenge_epochs: u32,
	) -> Result<(), Error<T>> {
		let distance = challenge_epochs.saturating_add(CHANGE_MARGIN_EPOCHS);
		ensure!(
			commitment
				.changed
				.is_none_or(|changed| at >= changed.saturating_add(distance)),
			Error::<T>::ChangedTooRecently
		);
		Ok(())
	}

	pub(crate) fn do_stake(
		who: T::AccountId,
		peer: PeerId,
		terms: StakerTerms,
		keep: Balance,
		add: Balance,
	) -> DispatchResultWithPostInfo {
		Self::weighed(Self::signing_weight(), |weight| {
			let commitment = Self::settled(peer, None, weight).ok_or(Error::<T>::NoCommitment)?;
			let mut round = Rounds::<T>::get(peer).ok_or(Error::<T>::NoRound)?;
			ensure!(
				!matches!(commitment.status, CommitmentStatus::Unbonding { .. }),
				Error::<T>::NotActive
			);
			ensure!(commitment.change.is_none(), Error::<T>::RoundAgreed);
			ensure!(
				T::Clock::current().index <= round.deadline,
				Error::<T>::Lapsed
			);
			ensure!(round.terms == terms, Error::<T>::TermsDiffer);
			let invited = round.invited.is_empty() || round.invited.contains(&who);
			ensure!(
				invited || who == commitment.provider,
				Error::<T>::NotInvited
			);
			Self::ensure_welcome(peer, &commitment, &round, &who, keep, add)?;

			if add > 0 {
				T::Currency::hold(&HoldReason::Stake.into(), &who, add)?;
			}
			let signed = round.pledges.iter_mut().find(|pledge| pledge.staker == who);
			if let Some(pledge) = signed {
				pledge.add = pledge.add.saturating_add(add);
			} else {
				Self::take_place(&who)?;
				let staker = who.clone();
				round
					.pledges
					.try_push(Pledge { staker, keep, add })
					.map_err(|_| Error::<T>::Defensive)?;
			}
			Self::deposit_event(Event::StakePledged {
				peer,
				staker: who,
				keep,
				add,
			});

			let (own, others) = round.pledged_by(&commitment.provider);
			if own.saturating_add(others) < round.needed {
				Rounds::<T>::insert(peer, round);
				return Ok(());
			}
			let stakers = u32::try_from(round.pledges.len()).unwrap_or(MAX_STAKERS);
			weight.saturating_accrue(T::WeightInfo::agree(stakers));
			Self::agree(peer, commitment, round)
		})
	}

	/// Weight of a stake at its bound: it settles, and fills the round.
	pub(crate) fn stake_weight() -> Weight {
		Self::signing_weight()
			.saturating_add(T::WeightInfo::agree(MAX_STAKERS))
			.saturating_add(Self::settlement_weight())
	}

	/// Weight of a stake that neither settles nor fills the round.
	fn signing_weight() -> Weight {
		// The delegators' stakes, of which a start has none.
		T::WeightInfo::stake().saturating_add(T::DbWeight::get().reads(1))
	}

	/// Refuses a stake that a round does not take.
	fn ensure_welcome(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		round: &RoundOf<T>,
		who: &T::AccountId,
		keep: Balance,
		add: Balance,
	) -> Result<(), Error<T>> {
		let (signed, kind) = (round.pledge_of(who).is_some(), round.terms.kind);
		let part = match kind {
			RoundKind::Start => None,
			RoundKind::Growth | RoundKind::Renewal => Self::part_of(peer, commitment, who),
		};
		if keep > 0 {
			ensure!(
				kind == RoundKind::Renewal && !signed && part.is_some_and(|part| keep <= part.left),
				Error::<T>::KeepTooMuch
			);
		}
		let brings = keep.checked_add(add).ok_or(Error::<T>::StakeTooMuch)?;
		ensure!(brings > 0, Error::<T>::StakeTooSmall);

		if *who == commitment.provider {
			let (own, others) = round.pledged_by(who);
			let own = own.checked_add(brings).ok_or(Error::<T>::StakeTooMuch)?;
			ensure!(
				own.saturating_add(others) <= round.needed,
				Error::<T>::StakeTooMuch
			);
			ensure!(own >= round.reserved, Error::<T>::OwnPartTooSmall);
			return Ok(());
		}
		let room = Self::room(peer, commitment, round, Some(who));
		let has_place = signed || (kind == RoundKind::Growth && part.is_some());
		ensure!(has_place || room.has_place, Error::<T>::NoPlace);
		ensure!(brings <= room.room, Error::<T>::StakeTooMuch);
		// A stake that stays whole was large enough when it came. What is left of one that shrinks has
		// to be large enough again: otherwise crumbs could fill the places.
		let stays = keep > 0 && part.is_some_and(|part| keep == part.left);
		ensure!(
			has_place || stays || room.least.is_some_and(|least| brings >= least),
			Error::<T>::StakeTooSmall
		);
		Ok(())
	}

	/// An account's stake in a commitment.
	fn part_of(peer: PeerId, commitment: &CommitmentOf<T>, who: &T::AccountId) -> Option<Part> {
		if *who == commitment.provider {
			return Some(commitment.own);
		}
		Delegations::<T>::get(peer)
			.into_iter()
			.find(|stake| stake.staker == *who)
			.map(|stake| stake.part)
	}

	/// What a round still takes of an account, or of a new delegator.
	///
	/// A renewal keeps place and room for those who have a stake and may sign, until its last epoch:
	/// nobody who is faster can take them. In that epoch they are free for all, so that nobody who
	/// stays away can make the renewal fail.
	pub(crate) fn room(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		round: &RoundOf<T>,
		who: Option<&T::AccountId>,
	) -> Room {
		let (own, others) = round.pledged_by(&commitment.provider);
		let open = round
			.needed
			.saturating_sub(others)
			.saturating_sub(own.max(round.reserved));
		let is_kept = T::Clock::current().index < round.deadline;
		let may_sign = |who: &T::AccountId| round.invited.is_empty() || round.invited.contains(who);
		let pledges = round.pledges.iter();
		let mut taken = pledges
			.filter(|pledge| pledge.staker != commitment.provider)
			.count();
		let (mut kept, mut right): (Balance, Balance) = (0, 0);
		if round.terms.kind != RoundKind::Start {
			for stake in Delegations::<T>::get(peer) {
				if round.pledge_of(&stake.staker).is_some() {
					continue;
				}
				let left = stake.part.left;
				if round.terms.kind == RoundKind::Growth {
					taken = taken.saturating_add(1);
				} else if who == Some(&stake.staker) {
					right = left;
				} else if is_kept && left > 0 && may_sign(&stake.staker) {
					taken = taken.saturating_add(1);
					kept = kept.saturating_add(left);
				}
			}
		}
		let room = open.min(open.saturating_sub(kept).max(right));
		let places = MAX_DELEGATORS.saturating_sub(u32::try_from(taken).unwrap_or(MAX_DELEGATORS));
		let least = if places > 0 && room > 0 {
			Some(room.div_ceil(Balance::from(places)))
		} else {
			None
		};
		Room {
			open,
			kept: kept.min(open),
			room,
			least,
			has_place: places > 0,
		}
	}

	/// A round is full: a new commitment binds, a change is bound to come.
	fn agree(
		peer: PeerId,
		mut commitment: CommitmentOf<T>,
		mut round: RoundOf<T>,
	) -> DispatchResult {
		Self::release(HoldReason::Deposit, &commitment.provider, round.deposit);
		round.deposit = 0;
		let (kind, units) = (round.terms.kind, round.terms.units);
		let change = match kind {
			RoundKind::Start => {
				let start = T::Clock::current().index.saturating_add(1);
				return Self::begin(peer, commitment, round, start);
			}
			RoundKind::Growth => Change {
				kind,
				at: Self::growth_at(&commitment),
				units,
				end: round.terms.end,
			},
			RoundKind::Renewal => Change {
				kind,
				at: round.terms.end,
				units,
				end: round.terms.end.saturating_add(round.terms.duration_epochs),
			},
		};
		commitment.change = Some(change);
		Commitments::<T>::insert(peer, commitment);
		Rounds::<T>::insert(peer, round);
		Self::deposit_event(Event::ChangeAgreed { peer, change });
		Ok(())
	}

	/// First epoch of a growth that is agreed to now: the next one, or the second one of a commitment
	/// that has not begun. A change takes effect when settlement comes to its epoch, and settlement of
	/// such a commitment stands at the first one already.
	fn growth_at(commitment: &CommitmentOf<T>) -> EpochIndex {
		let current = T::Clock::current().index;
		current.max(commitment.next_to_settle).saturating_add(1)
	}

	/// A new commitment has its stake: it binds from an epoch on. Pledges become stakes, so that
	/// places stay.
	fn begin(
		peer: PeerId,
		mut commitment: CommitmentOf<T>,
		round: RoundOf<T>,
		start: EpochIndex,
	) -> DispatchResult {
		let mut stakes = Stakes::<T::AccountId>::default();
		for pledge in round.pledges {
			let part = Part::new(pledge.add);
			commitment.shares = commitment.shares.saturating_add(part.share);
			if pledge.staker == commitment.provider {
				commitment.own = part;
				continue;
			}
			commitment.others = commitment.others.saturating_add(part.left);
			let staker = pledge.staker;
			stakes
				.try_push(Stake { staker, part })
				.map_err(|_| Error::<T>::Defensive)?;
		}
		if !stakes.is_empty() {
			Delegations::<T>::insert(peer, stakes);
		}
		let end = start.saturating_add(round.terms.duration_epochs);
		let amount = commitment.left();
		commitment.status = CommitmentStatus::Active { start, end };
		commitment.next_to_settle = start;
		commitment.began = start;
		// What the provider did before is no business of this stake.
		commitment.equivocations = T::Equivocations::next(&commitment.provider);
		commitment.accrual.period = rules::period_of(start, commitment.terms.vesting_epochs);
		Rounds::<T>::remove(peer);
		Self::move_active_stake(&commitment.provider, 0, amount);
		Commitments::<T>::insert(peer, commitment);
		Self::deposit_event(Event::Staked {
			peer,
			amount,
			start,
			end,
		});
		Ok(())
	}

	pub(crate) fn do_cancel(who: T::AccountId, peer: PeerId) -> DispatchResultWithPostInfo {
		Self::weighed(T::WeightInfo::cancel(0), |weight| {
			// The change that is agreed to may turn out to be void, or the commitment to be over.
			let commitment = Self::settled(peer, None, weight).ok_or(Error::<T>::NoRound)?;
			let round = Rounds::<T>::get(peer).ok_or(Error::<T>::NoRound)?;
			ensure!(commitment.change.is_none(), Error::<T>::RoundAgreed);
			let is_over = matches!(commitment.status, CommitmentStatus::Unbonding { .. });
			let is_provider = commitment.provider == who;
			ensure!(
				is_provider || is_over || T::Clock::current().index > round.deadline,
				Error::<T>::NotLapsed
			);

			let pledges = u32::try_from(round.pledges.len()).unwrap_or(MAX_STAKERS);
			let cancel = T::WeightInfo::cancel(pledges);
			weight.saturating_accrue(cancel.saturating_sub(T::WeightInfo::cancel(0)));
			let bounty = if is_provider {
				0
			} else {
				let bounty = Self::bounty(cancel, round.deposit);
				Self::give(HoldReason::Deposit, &commitment.provider, &who, bounty)
			};
			let rest = round.deposit.saturating_sub(bounty);
			Self::release(HoldReason::Deposit, &commitment.provider, rest);
			for pledge in &round.pledges {
				Self::release(HoldReason::Stake, &pledge.staker, pledge.add);
				Self::leave_place(&pledge.staker);
			}
			Rounds::<T>::remove(peer);
			Self::deposit_event(Event::RoundCancelled {
				peer,
				kind: round.terms.kind,
				bounty,
			});
			if round.terms.kind == RoundKind::Start {
				Commitments::<T>::remove(peer);
				Self::deposit_event(Event::CommitmentCancelled { peer });
			}
			Ok(())
		})
	}
}
