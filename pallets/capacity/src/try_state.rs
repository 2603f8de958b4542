//! What must hold after every block.

use crate::{
	earnings_impls::earned, params::MAX_AMNESTY_EPOCHS, ActiveStakes, Amnesties, Audits,
	CommitmentOf, Commitments, Config, Delegations, Departures, EpochRows, HoldReason, Ledgers,
	OngoingDraw, Pallet, Params, ReportList, Rounds, TotalActiveStake, WaitingSlashes,
	MAX_WAITING_SLASHES, REMEMBERED_EPOCHS,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use millrace_primitives::{
	commitment::RoundKind,
	peer::PeerId,
	traits::{Emission, EpochClock, Equivocations, PeerRegistry},
	views::CommitmentStatus,
	Balance,
};
use sp_runtime::TryRuntimeError;

/// What the pallet's records say of each account.
struct Books<AccountId> {
	/// What must be on hold as stakes, pledges and slashes that wait.
	stakes: BTreeMap<AccountId, Balance>,
	/// What must be on hold as deposits.
	deposits: BTreeMap<AccountId, Balance>,
	/// Pledges, stakes and leaving stakes.
	places: BTreeMap<AccountId, u32>,
	/// Stake behind active commitments, by provider.
	active: BTreeMap<AccountId, Balance>,
}

impl<AccountId: Ord + Clone> Books<AccountId> {
	fn stake(&mut self, who: &AccountId, amount: Balance) {
		add(&mut self.stakes, who, amount);
	}

	fn place(&mut self, who: &AccountId, amount: Balance) {
		self.stake(who, amount);
		let places = self.places.entry(who.clone()).or_default();
		*places = places.saturating_add(1);
	}
}

fn add<AccountId: Ord + Clone>(
	sums: &mut BTreeMap<AccountId, Balance>,
	who: &AccountId,
	amount: Balance,
) {
	let sum = sums.entry(who.clone()).or_default();
	*sum = sum.saturating_add(amount);
}

impl<T: Config> Pallet<T> {
	/// Checks the pallet's invariants:
	///
	/// 1. The parameters make sense together.
	/// 2. A pending commitment has a round for its start and no stake but pledges; only a pending
	///    one has such a round.
	/// 3. Of each stake, what came last is no more than what is left, and that no more than was
	///    signed for. Stakes add up to what the commitment says is left, shares to its shares.
	/// 4. An active commitment has enough stake to go on; the epoch to settle next lies inside it and
	///    before an agreed change, whose round stands and is full.
	/// 5. What each account has on hold is the sum of its stakes, pledges, leaving stakes and slashes
	///    that wait, and of its deposits for rounds and for its ledger.
	/// 6. A ledger counts the account's stakes and pledges; its buckets are in order, none is empty or
	///    has paid more than has vested.
	/// 7. A commitment counts its slashes that wait, and their sum. It has paid for no equivocation
	///    that is still to come.
	/// 8. The active stake of each provider, and of all, is the sum over the active commitments.
	/// 9. Each epoch's totals stand in the epoch's slot, and agree with its list of reports, whose
	///    running totals grow from entry to entry. No draw has drawn more than it shall.
	/// 10. Amnesties remember what the epochs' totals say.
	/// 11. Nothing tells of an audit of a peer that is gone, or of stakes, rounds or slashes of a
	///     peer without commitment.
	/// 12. What ledgers and commitments owe was promised, and is not paid.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(
			Params::<T>::get().is_valid(),
			"parameters contradict each other"
		);
		let mut books = Books {
			stakes: BTreeMap::new(),
			deposits: BTreeMap::new(),
			places: BTreeMap::new(),
			active: BTreeMap::new(),
		};
		for (peer, commitment) in Commitments::<T>::iter() {
			Self::check_commitment(peer, &commitment, &mut books)?;
		}
		Self::check_orphans()?;
		Self::check_ledgers(&mut books)?;
		Self::check_holds(books)?;
		Self::check_rows()?;
		Self::check_amnesties()?;
		ensure!(
			Audits::<T>::iter_keys().all(|peer| T::Peers::provider_of(peer).is_some()),
			"an audit of a peer that is gone"
		);
		if let Some(draw) = OngoingDraw::<T>::get() {
			let row = Self::row(draw.epoch).ok_or("a draw without its epoch's totals")?;
			ensure!(draw.drawn <= row.audits, "more was drawn than shall be");
			ensure!(draw.drawn <= draw.attempts, "more was drawn than looked at");
		}
		ensure!(
			Self::owed() <= T::Emission::promised(),
			"more is owed than was promised"
		);
		Ok(())
	}

	/// What was earned and not claimed, but for what is under one unit of FLT.
	fn owed() -> Balance {
		let in_ledgers = Ledgers::<T>::iter_values().fold(0, |sum: Balance, ledger| {
			let vesting = ledger.buckets.iter().fold(0, |sum: Balance, bucket| {
				sum.saturating_add(bucket.amount.saturating_sub(bucket.taken))
			});
			sum.saturating_add(vesting).saturating_add(ledger.free)
		});
		Commitments::<T>::iter_values().fold(in_ledgers, |sum: Balance, commitment| {
			let (accrued, _) = earned(commitment.shares, commitment.accrual.per_share, 0);
			sum.saturating_add(accrued)
		})
	}

	fn check_commitment(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		books: &mut Books<T::AccountId>,
	) -> Result<(), TryRuntimeError> {
		let provider = &commitment.provider;
		ensure!(
			T::Peers::provider_of(peer).as_ref() == Some(provider),
			"a commitment of somebody else's peer"
		);
		let stakes = Delegations::<T>::get(peer);
		let (mut others, mut shares) = (0, commitment.own.share);
		for part in stakes
			.iter()
			.map(|stake| stake.part)
			.chain([commitment.own])
		{
			ensure!(
				part.added <= part.left && part.left <= part.share,
				"more is left of a stake than was signed for"
			);
		}
		for stake in &stakes {
			ensure!(
				stake.staker != *provider,
				"a provider delegates to its own commitment"
			);
			others = stake.part.left.saturating_add(others);
			shares = stake.part.share.saturating_add(shares);
			books.place(&stake.staker, stake.part.left);
		}
		ensure!(
			others == commitment.others && shares == commitment.shares,
			"stakes do not add up to the commitment's"
		);
		Self::check_status(peer, commitment, books)?;
		Self::check_round(peer, commitment, books)?;
		if let Some(leaving) = Departures::<T>::get(peer) {
			ensure!(!leaving.rows.is_empty(), "a departure of nobody");
			ensure!(
				commitment.changed.is_some_and(|at| leaving.at <= at),
				"a departure without a renewal"
			);
			for row in &leaving.rows {
				books.place(&row.staker, row.left);
			}
		}

		let (mut waiting, mut number) = (0, 0u32);
		for (_, slash) in WaitingSlashes::<T>::iter_prefix(peer) {
			ensure!(slash.amount() > 0, "a slash of nothing waits");
			waiting = slash.amount().saturating_add(waiting);
			number = number.saturating_add(1);
			for (payer, part) in &slash.parts {
				books.stake(payer, *part);
			}
		}
		ensure!(
			waiting == commitment.waiting && number == commitment.waiting_slashes,
			"the slashes that wait are not counted"
		);
		ensure!(number <= MAX_WAITING_SLASHES, "too many slashes wait");
		ensure!(waiting <= commitment.slashed, "more waits than was slashed");
		ensure!(
			commitment.equivocations <= T::Equivocations::next(provider),
			"an equivocation that is to come is paid for"
		);
		Ok(())
	}

	fn check_status(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		books: &mut Books<T::AccountId>,
	) -> Result<(), TryRuntimeError> {
		let round = Rounds::<T>::get(peer);
		let starts = round.is_some_and(|round| round.terms.kind == RoundKind::Start);
		match commitment.status {
			CommitmentStatus::Pending { .. } => {
				ensure!(
					starts,
					"a pending commitment without the round for its start"
				);
				ensure!(
					commitment.shares == 0 && commitment.left() == 0,
					"stake behind a pending commitment"
				);
				return Ok(());
			}
			CommitmentStatus::Active { start, .. } => {
				ensure!(
					commitment.began == start,
					"a commitment began when it did not"
				);
				ensure!(
					!commitment.is_short(),
					"too little stake behind an active commitment"
				);
				let end = commitment.end_at().unwrap_or(start);
				ensure!(
					(start..end).contains(&commitment.next_to_settle),
					"an active commitment is settled outside its epochs"
				);
				ensure!(
					commitment
						.changed
						.is_none_or(|at| at <= commitment.next_to_settle),
					"a change was applied before its epoch"
				);
				ensure!(
					commitment.known_over == 0,
					"an end that is not there is known"
				);
				add(&mut books.active, &commitment.provider, commitment.left());
			}
			CommitmentStatus::Unbonding { .. } => {
				ensure!(commitment.proven == 0, "units of a commitment that is over");
				ensure!(
					commitment.change.is_none(),
					"a change of a commitment that is over"
				);
			}
		}
		ensure!(!starts, "a round for the start of what has begun");
		books.place(&commitment.provider, commitment.own.left);
		Ok(())
	}

	fn check_round(
		peer: PeerId,
		commitment: &CommitmentOf<T>,
		books: &mut Books<T::AccountId>,
	) -> Result<(), TryRuntimeError> {
		let Some(round) = Rounds::<T>::get(peer) else {
			ensure!(
				commitment.change.is_none(),
				"an agreed change without its round"
			);
			return Ok(());
		};
		add(&mut books.deposits, &commitment.provider, round.deposit);
		for pledge in &round.pledges {
			ensure!(
				pledge.keep == 0 || round.terms.kind == RoundKind::Renewal,
				"a stake is kept outside of a renewal"
			);
			books.place(&pledge.staker, pledge.add);
		}
		let (own, others) = round.pledged_by(&commitment.provider);
		let pledged = own.saturating_add(others);
		ensure!(
			pledged <= round.needed && others <= round.needed.saturating_sub(round.reserved),
			"more was pledged than is needed, or of what only the provider brings"
		);
		if let Some(change) = commitment.change {
			ensure!(
				pledged == round.needed && round.deposit == 0,
				"a round that is not full was agreed"
			);
			ensure!(
				change.kind == round.terms.kind && change.kind != RoundKind::Start,
				"a change is not the round's"
			);
			ensure!(
				change.at > commitment.next_to_settle && change.at < change.end,
				"a change was not applied at its epoch"
			);
		}
		Ok(())
	}

	fn check_orphans() -> Result<(), TryRuntimeError> {
		let known = |peer: PeerId| Commitments::<T>::contains_key(peer);
		let all = Delegations::<T>::iter_keys().all(known)
			&& Departures::<T>::iter_keys().all(known)
			&& Rounds::<T>::iter_keys().all(known)
			&& WaitingSlashes::<T>::iter_keys().all(|(peer, _)| known(peer));
		ensure!(all, "stakes, a round or slashes without a commitment");
		ensure!(
			Delegations::<T>::iter_values().all(|stakes| !stakes.is_empty()),
			"a row of delegators without any"
		);
		Ok(())
	}

	fn check_ledgers(books: &mut Books<T::AccountId>) -> Result<(), TryRuntimeError> {
		let now = T::Clock::current().index;
		for (account, ledger) in Ledgers::<T>::iter() {
			add(&mut books.deposits, &account, ledger.deposit);
			let places = books.places.remove(&account).unwrap_or(0);
			ensure!(
				ledger.places == places,
				"a ledger does not count the account's stakes and pledges"
			);
			ensure!(
				places > 0 || ledger.free > 0 || !ledger.buckets.is_empty(),
				"an empty ledger"
			);
			let mut last = None;
			for bucket in &ledger.buckets {
				let key = Some((bucket.start, bucket.epochs));
				ensure!(last < key, "the buckets of a ledger are not in order");
				last = key;
				ensure!(bucket.amount > 0, "a bucket of nothing");
				ensure!(
					bucket.taken <= crate::rules::vested(bucket, now),
					"more was claimed than has vested"
				);
			}
		}
		ensure!(books.places.is_empty(), "a stake without a ledger");
		Ok(())
	}

	fn check_holds(mut books: Books<T::AccountId>) -> Result<(), TryRuntimeError> {
		let mut total: Balance = 0;
		for (provider, active) in ActiveStakes::<T>::iter() {
			ensure!(
				active > 0 && books.active.remove(&provider) == Some(active),
				"the active stake of a provider is not the sum of its commitments'"
			);
			total = total.saturating_add(active);
		}
		ensure!(
			books.active.is_empty() && TotalActiveStake::<T>::get() == total,
			"the total of active stakes is not their sum"
		);

		for account in frame_system::Account::<T>::iter_keys() {
			let held = |reason: HoldReason| T::Currency::balance_on_hold(&reason.into(), &account);
			let stake = books.stakes.remove(&account).unwrap_or(0);
			ensure!(
				held(HoldReason::Stake) == stake,
				"the hold is not the sum of the stakes"
			);
			let deposit = books.deposits.remove(&account).unwrap_or(0);
			ensure!(
				held(HoldReason::Deposit) == deposit,
				"the hold is not the sum of the deposits"
			);
		}
		ensure!(
			books
				.stakes
				.values()
				.chain(books.deposits.values())
				.all(|amount| *amount == 0),
			"a stake or a deposit of an account that is gone"
		);
		Ok(())
	}

	fn check_rows() -> Result<(), TryRuntimeError> {
		for (slot, row) in EpochRows::<T>::iter() {
			ensure!(
				slot == Self::slot_of(row.epoch),
				"totals stand in another epoch's slot"
			);
			ensure!(row.idle <= row.units, "more idle units than units");
			ensure!(
				row.drawn <= row.audits && row.drawn <= row.reports,
				"more was drawn than planned, or than reported"
			);
		}
		// Only the epoch that is being reported, or was last, has its list for sure.
		let Some(row) = T::Clock::current().index.checked_sub(1).and_then(Self::row) else {
			return Ok(());
		};
		let mut last = 0;
		for index in 0..row.reports {
			let listed = ReportList::<T>::get((Self::list_of(row.epoch), index))
				.ok_or("the list of reports has a gap")?;
			ensure!(listed.running_total > last, "running totals do not grow");
			last = listed.running_total;
		}
		ensure!(last == row.units, "the list and the totals disagree");
		Ok(())
	}

	fn check_amnesties() -> Result<(), TryRuntimeError> {
		let amnesty = Amnesties::<T>::get();
		ensure!(
			amnesty.streak <= MAX_AMNESTY_EPOCHS,
			"an amnesty that lasts too long"
		);
		for row in EpochRows::<T>::iter_values() {
			let age = amnesty.latest.checked_sub(row.epoch);
			if age.is_some_and(|age| age < REMEMBERED_EPOCHS) {
				ensure!(
					amnesty.is_excused(row.epoch) == row.excused,
					"an amnesty is not the one of its epoch"
				);
			}
		}
		Ok(())
	}
}
