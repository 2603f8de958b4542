//! What must hold after every block.

use crate::{
	types::{rows_of, Programme},
	Claimed, Config, Leftovers, NextNumber, Pallet, Standing, MAX_REWARDS, REWARDS_PER_ROW,
};
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the pallet's invariants:
	///
	/// 1. A programme has paid no more than its total, and the pot has the rest beside its existential
	///    deposit.
	/// 2. Its claims are as many as bits in its rows, and each bit is of a reward that it has.
	/// 3. Rows that are kept belong to the programme that stands, or are still to be swept. There is
	///    never both.
	/// 4. Numbers were given out in their order.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let (standing, leftover) = (Standing::<T>::get(), Leftovers::<T>::get());
		ensure!(
			standing.is_none() || leftover.is_none(),
			"a programme began before the rows of the last one were swept"
		);
		if let Some(programme) = &standing {
			Self::check_programme(programme)?;
		}
		let next = NextNumber::<T>::get();
		for (number, row) in Claimed::<T>::iter_keys() {
			let is_of_standing = standing.is_some_and(|programme| programme.number == number);
			let is_left = leftover.is_some_and(|leftover| {
				leftover.number == number && (leftover.next..leftover.rows).contains(&row)
			});
			ensure!(is_of_standing || is_left, "a row belongs to no programme");
			ensure!(number < next, "a row of a programme that never began");
		}
		if let Some(leftover) = leftover {
			ensure!(
				leftover.next < leftover.rows && leftover.rows <= rows_of(MAX_REWARDS),
				"there is nothing left to sweep"
			);
			ensure!(leftover.number < next, "a leftover of no programme");
		}
		Ok(())
	}

	fn check_programme(programme: &Programme) -> Result<(), TryRuntimeError> {
		let terms = programme.terms;
		ensure!(programme.paid <= terms.total, "paid more than promised");
		ensure!(
			programme.left() <= Self::payable(),
			"the pot has less than is promised"
		);
		ensure!(
			programme.number < NextNumber::<T>::get(),
			"a programme's number was not given out"
		);
		let mut claims = 0u32;
		for (row, bits) in Claimed::<T>::iter_prefix(programme.number) {
			let first = row.saturating_mul(REWARDS_PER_ROW);
			for (bit, index) in (0..REWARDS_PER_ROW).zip(first..) {
				let byte = bit
					.checked_div(8)
					.and_then(|byte| usize::try_from(byte).ok());
				let bits = byte.and_then(|byte| bits.get(byte)).copied();
				let shift = bit.checked_rem(8).unwrap_or_default();
				let is_set = bits
					.and_then(|bits| bits.checked_shr(shift))
					.is_some_and(|bits| bits & 1 == 1);
				ensure!(
					!is_set || index < terms.rewards,
					"a reward was claimed that there is not"
				);
				claims = claims.saturating_add(u32::from(is_set));
			}
		}
		ensure!(claims == programme.claims, "claims differ from their bits");
		Ok(())
	}
}
