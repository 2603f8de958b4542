//! What a guest may grow.

use crate::limits::{MAX_TABLE_ELEMENTS, PAGE_BYTES};
use millrace_primitives::execution::MAX_MEMORY_BYTES;

/// Decides what a guest may grow, from its own limits alone.
///
/// What is granted must then succeed: if the host has no memory left for it, the guest must not see
/// that, so the call ends as the host's failure.
#[derive(Debug)]
pub struct GrowthLimits {
	memory_bytes: usize,
	pub(crate) failure: Option<String>,
}

impl GrowthLimits {
	/// Limits for a call with so much memory, rounded down to whole pages.
	pub fn new(memory_bytes: u32) -> Self {
		let pages = memory_bytes.min(MAX_MEMORY_BYTES) / PAGE_BYTES;
		Self {
			memory_bytes: (pages * PAGE_BYTES) as usize,
			failure: None,
		}
	}

	/// Bytes that the guest's memory may have.
	pub fn memory_bytes(&self) -> usize {
		self.memory_bytes
	}

	/// What the host could not give although it was granted.
	pub fn failure(&self) -> Option<&str> {
		self.failure.as_deref()
	}

	/// Whether memory may have so many bytes, of which it declares a maximum or none.
	pub fn memory_may_grow(&self, desired: usize, maximum: Option<usize>) -> bool {
		desired <= self.memory_bytes && maximum.is_none_or(|maximum| desired <= maximum)
	}

	/// Whether a table may have so many elements. Engines tell a limit of their own where the table
	/// has none.
	pub fn table_may_grow(&self, desired: usize, maximum: Option<usize>) -> bool {
		desired <= MAX_TABLE_ELEMENTS as usize && maximum.is_none_or(|maximum| desired <= maximum)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_smallest_limit_decides() {
		let growth = GrowthLimits::new(3 * PAGE_BYTES - 1);
		let page = PAGE_BYTES as usize;
		assert_eq!(growth.memory_bytes(), 2 * page);
		assert!(growth.memory_may_grow(2 * page, None));
		assert!(!growth.memory_may_grow(3 * page, None));
		assert!(!growth.memory_may_grow(2 * page, Some(page)));
		let most = GrowthLimits::new(u32::MAX);
		assert_eq!(most.memory_bytes(), MAX_MEMORY_BYTES as usize);
		let elements = MAX_TABLE_ELEMENTS as usize;
		assert!(most.table_may_grow(elements, Some(elements)));
		assert!(!most.table_may_grow(elements + 1, None));
		assert!(!most.table_may_grow(2, Some(1)));
	}
}
