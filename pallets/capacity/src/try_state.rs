//! What must hold after every block.

use crate::{
	Audits, Commitments, Config, Credited, EpochRows, HoldReason, OngoingDraw, Pallet, Params,
	ReportList,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use millrace_primitives::{
	traits::{EpochClock, PeerRegistry},
	views::CommitmentStatus,
	Balance,
};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the pallet's invariants:
	///
	/// 1. The parameters make sense together.
	/// 2. A pending commitment holds no stake; of any other, stake and slashes add up to what was
	///    committed, and the epoch to settle next lies inside it.
	/// 3. What each account has on hold is the sum of the stakes of its commitments: nothing, where
	///    it has none.
	/// 4. No provider was credited less than its standing commitments say.
	/// 5. Each epoch's totals stand in the epoch's slot, and agree with its list of reports, whose
	///    running totals grow from entry to entry.
	/// 6. No draw has drawn more than it shall.
	/// 7. Nothing tells of an audit of a peer that is gone.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(
			Params::<T>::get().is_valid(),
			"parameters contradict each other"
		);
		Self::check_commitments()?;
		Self::check_rows()?;
		ensure!(
			Audits::<T>::iter_keys().all(|peer| T::Peers::provider_of(peer).is_some()),
			"an audit of a peer that is gone"
		);
		if let Some(draw) = OngoingDraw::<T>::get() {
			let row = Self::row(draw.epoch).ok_or("a draw without its epoch's totals")?;
			ensure!(draw.drawn <= row.audits, "more was drawn than shall be");
			ensure!(draw.drawn <= draw.attempts, "more was drawn than looked at");
		}
		Ok(())
	}

	fn check_commitments() -> Result<(), TryRuntimeError> {
		let mut sums = BTreeMap::<_, (Balance, Balance)>::new();
		for (_, commitment) in Commitments::<T>::iter() {
			let committed = commitment
				.committed_stake()
				.ok_or("a stake beyond all balances")?;
			let backed = commitment.stake.checked_add(commitment.slashed);
			match commitment.status {
				CommitmentStatus::Pending { .. } => {
					ensure!(backed == Some(0), "stake behind a pending commitment");
				}
				CommitmentStatus::Active { start, end } => {
					ensure!(
						backed == Some(committed),
						"stake and slashes are not the committed"
					);
					ensure!(
						(start..end).contains(&commitment.next_to_settle),
						"an active commitment is settled outside its epochs"
					);
				}
				CommitmentStatus::Unbonding { .. } => {
					ensure!(
						backed == Some(committed),
						"stake and slashes are not the committed"
					);
					ensure!(commitment.proven == 0, "units of a commitment that is over");
				}
			}
			let (stake, rewarded) = sums.entry(commitment.provider).or_default();
			*stake = stake.saturating_add(commitment.stake);
			*rewarded = rewarded.saturating_add(commitment.rewarded);
		}
		for (provider, (_, rewarded)) in &sums {
			ensure!(
				Credited::<T>::get(provider) >= *rewarded,
				"commitments were rewarded more than their provider was credited"
			);
		}
		for account in frame_system::Account::<T>::iter_keys() {
			let (stake, _) = sums.remove(&account).unwrap_or_default();
			let held = T::Currency::balance_on_hold(&HoldReason::Stake.into(), &account);
			ensure!(held == stake, "the hold is not the sum of the stakes");
		}
		ensure!(
			sums.values().all(|(stake, _)| *stake == 0),
			"a stake of an account that is gone"
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
}
