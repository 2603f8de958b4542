//! What must hold after every block.

use crate::{
	Authored, Candidates, Config, Genesis, Pallet, Params, Planned, Records, SessionStarts,
	Sessions, SitOut, Stakes, Standing, Written,
};
use alloc::collections::BTreeSet;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the pallet's invariants:
	///
	/// 1. The parameters make sense together.
	/// 2. The list is sorted by stake, older ones first among equals; each candidate stands on it
	///    once, with the active stake that capacity counts, which is not nothing.
	/// 3. Who is on the list is known to stand, and nobody else.
	/// 4. Nobody who is banned is on the list.
	/// 5. The planned set is of the next session at the latest, holds nobody twice, and is empty
	///    only where there was no genesis set. Nobody sits out twice.
	/// 6. No more blocks have an author than were written.
	/// 7. Serial numbers of equivocations ascend and lie below the next one; of each session there
	///    is one worst fraction.
	/// 8. Each session's start stands in the session's slot.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		ensure!(
			Params::<T>::get().is_valid(),
			"parameters contradict each other"
		);
		Self::check_candidates()?;
		Self::check_seats()?;
		let authored = Authored::<T>::iter_values().fold(0u32, u32::saturating_add);
		ensure!(
			authored <= Written::<T>::get(),
			"more blocks have an author than were written"
		);
		Self::check_records()?;
		for (slot, (session, _)) in SessionStarts::<T>::iter() {
			ensure!(
				slot == Self::slot_of(session),
				"a session's start stands in another's slot"
			);
		}
		Ok(())
	}

	fn check_candidates() -> Result<(), TryRuntimeError> {
		let list = Candidates::<T>::get();
		ensure!(
			list.iter()
				.zip(list.iter().skip(1))
				.all(|(above, below)| above.is_above(below)),
			"the list of candidates is not sorted"
		);
		for row in &list {
			ensure!(row.stake > 0, "a candidate without stake");
			ensure!(
				row.stake == T::Stakes::active(&row.who),
				"a candidate's stake is not its active stake"
			);
			ensure!(
				Standing::<T>::contains_key(&row.who),
				"a candidate that is not known to stand"
			);
			ensure!(!Self::is_banned(&row.who), "a candidate that is banned");
		}
		let accounts: BTreeSet<_> = list.iter().map(|row| &row.who).collect();
		ensure!(accounts.len() == list.len(), "a candidate stands twice");
		ensure!(
			Standing::<T>::iter_keys().count() == list.len(),
			"an account stands that is on no list"
		);
		Ok(())
	}

	fn check_seats() -> Result<(), TryRuntimeError> {
		let sit_out = SitOut::<T>::get();
		let different: BTreeSet<_> = sit_out.iter().collect();
		ensure!(
			different.len() == sit_out.len(),
			"an account sits out twice"
		);
		let Some((session, planned)) = Planned::<T>::get() else {
			ensure!(Genesis::<T>::get().is_empty(), "no session is planned");
			return Ok(());
		};
		let different: BTreeSet<_> = planned.iter().collect();
		ensure!(different.len() == planned.len(), "an account has two seats");
		ensure!(
			!planned.is_empty() || Genesis::<T>::get().is_empty(),
			"nobody has a seat"
		);
		ensure!(
			session <= T::Sessions::current().saturating_add(1),
			"a session is planned too early"
		);
		Ok(())
	}

	fn check_records() -> Result<(), TryRuntimeError> {
		for record in Records::<T>::iter_values() {
			let entries = &record.entries;
			ensure!(
				entries
					.iter()
					.zip(entries.iter().skip(1))
					.all(|(older, newer)| older.serial < newer.serial),
				"serial numbers do not ascend"
			);
			ensure!(
				entries.iter().all(|entry| entry.serial < record.next),
				"a serial number that was not given yet"
			);
			let sessions: BTreeSet<_> = record.worst.iter().map(|(session, _)| session).collect();
			ensure!(
				sessions.len() == record.worst.len(),
				"two worst fractions of one session"
			);
		}
		Ok(())
	}
}
