//! What must hold after every block.

use crate::{
	Anchor, Attested, Config, Flows, Forced, ForcedQueue, HoldReason, Ledger, NextNonce, Pallet,
	Params, Parked, Pending, Sent, Taken, Votes, MAX_BATCH,
};
use alloc::collections::BTreeSet;
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use millrace_primitives::{anchor::messages::Outgoing, traits::EpochClock, Balance};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the pallet's invariants:
	///
	/// 1. The parameters make sense together.
	/// 2. The pot holds exactly what is at the anchor or on its way, and what has arrived and waits.
	///    The latter is the sum over deposits and forced messages. Neither is more than was ever sent.
	/// 3. Messages to the anchor have consecutive numbers, and consecutive places in their blocks. None
	///    waits between blocks for a root that was not made.
	/// 4. Attested places ascend, beyond what is taken and no further than can be delivered at once.
	///    There are votes only on numbers beyond them, from each voter once.
	/// 5. The queue and its messages agree. Whatever waits has counted, so it cannot come again.
	/// 6. Nothing was sent or taken before a contract was named.
	/// 7. What has gone each way is of no later epoch.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(
			Params::<T>::get().is_valid(),
			"parameters contradict each other"
		);
		Self::check_money()?;
		Self::check_outbox()?;
		Self::check_votes()?;
		Self::check_waiting()?;
		let unused = NextNonce::<T>::get() == 0 && Self::last_seen() == 0;
		ensure!(
			Anchor::<T>::exists() || unused,
			"messages without a contract"
		);
		ensure!(
			Flows::<T>::get().epoch <= T::Clock::current().index,
			"flows of an epoch to come"
		);
		Ok(())
	}

	fn check_money() -> Result<(), TryRuntimeError> {
		let pot = Self::pot();
		ensure!(
			T::Currency::balance(&pot) >= T::Currency::minimum_balance()
				|| T::Currency::total_issuance() == 0,
			"the pot has no existential deposit"
		);
		let locked = Ledger::<T>::get();
		let all = locked
			.there
			.checked_add(locked.parked)
			.ok_or("more is locked than there can be")?;
		ensure!(
			T::Currency::balance_on_hold(&HoldReason::Locked.into(), &pot) == all,
			"the pot does not hold what is locked"
		);
		let deposits = Parked::<T>::iter_values().map(|deposit| deposit.amount);
		let fees = Forced::<T>::iter_values().map(|message| message.fee);
		ensure!(
			sum(deposits.chain(fees)) == locked.parked,
			"what has arrived is not what waits"
		);
		let sent = Sent::<T>::iter_values().map(|sent| match sent.outgoing {
			Outgoing::Withdrawal { amount, .. } => amount,
			Outgoing::Message { .. } => 0,
		});
		ensure!(all <= sum(sent), "more is locked than was ever sent");
		Ok(())
	}

	fn check_outbox() -> Result<(), TryRuntimeError> {
		let next = NextNonce::<T>::get();
		let rows = u64::try_from(Sent::<T>::iter_keys().count()).unwrap_or(u64::MAX);
		ensure!(
			rows == next,
			"as many messages are kept as numbers were given"
		);
		for (nonce, sent) in Sent::<T>::iter() {
			ensure!(nonce < next, "a number that was not given yet");
			ensure!(
				sent.block <= Self::now(),
				"a message of a block that is still to come"
			);
			let before = nonce.checked_sub(1).and_then(Sent::<T>::get);
			let follows = match before {
				Some(before) if before.block == sent.block => {
					before.index.checked_add(1) == Some(sent.index)
				}
				Some(before) => before.block < sent.block && sent.index == 0,
				None => nonce == 0 && sent.index == 0,
			};
			ensure!(follows, "a message is not at its place in its block");
		}
		let pending = Pending::<T>::get().len();
		let of_now = Sent::<T>::iter_values()
			.filter(|sent| sent.block == Self::now())
			.count();
		ensure!(
			pending == 0 || pending == of_now,
			"messages of another block wait for a root"
		);
		Ok(())
	}

	fn check_votes() -> Result<(), TryRuntimeError> {
		let attested = Attested::<T>::get();
		let mut last = Taken::<T>::get().nonce;
		for place in &attested {
			ensure!(
				place.mark.nonce > last && place.mark.nonce <= Self::last_votable(),
				"attested places do not ascend, or reach too far"
			);
			ensure!(
				place.block <= Self::now(),
				"a place was attested in a block that is still to come"
			);
			last = place.mark.nonce;
		}
		for (nonce, tally) in Votes::<T>::iter() {
			ensure!(
				nonce > last && nonce <= Self::last_votable(),
				"votes on a number that is not voted on"
			);
			let voters: BTreeSet<_> = tally.votes.iter().map(|cast| cast.voter).collect();
			ensure!(
				!tally.votes.is_empty() && voters.len() == tally.votes.len(),
				"no votes, or two of one voter"
			);
		}
		let rows = Votes::<T>::iter_keys().count();
		ensure!(
			u32::try_from(rows).is_ok_and(|rows| rows <= MAX_BATCH),
			"votes on too many numbers"
		);
		Ok(())
	}

	fn check_waiting() -> Result<(), TryRuntimeError> {
		let queue = ForcedQueue::<T>::get();
		let different: BTreeSet<_> = queue.iter().copied().collect();
		let kept: BTreeSet<_> = Forced::<T>::iter_keys().collect();
		ensure!(
			different.len() == queue.len() && different == kept,
			"the queue and its messages do not agree"
		);
		for (nonce, deposit) in Parked::<T>::iter() {
			ensure!(deposit.amount > 0, "a deposit of nothing waits");
			ensure!(
				Self::has_counted(nonce),
				"a deposit waits that has not counted"
			);
		}
		for nonce in kept {
			ensure!(
				Self::has_counted(nonce),
				"a forced message waits that has not counted"
			);
			ensure!(
				!Parked::<T>::contains_key(nonce),
				"a number waits as a deposit and as a forced message"
			);
		}
		Ok(())
	}
}

fn sum(amounts: impl Iterator<Item = Balance>) -> Balance {
	amounts.fold(0, Balance::saturating_add)
}
