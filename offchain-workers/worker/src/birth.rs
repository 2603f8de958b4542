//! Since when the data directory knows what its peer does.
//!
//! Numbers of calls (seq) begin at 0 in each epoch and two receipts must never have the same one, so
//! who numbers calls must know every number that was given in the epoch. A directory that was made in
//! the middle of an epoch does not: the peer may have served from another one before, which was lost.
//! Such a directory serves no deal in that epoch, and makes no report of it or of an earlier one, if the
//! peer is live in any: a report that leaves out receipts which clients hold is worse than none. A peer
//! that is not live anywhere has given no receipts. A new peer waits for nothing: it is matched only
//! once its units are proven, in an epoch after the first.
//!
//! A directory that was restored from a backup is as dangerous. It is recognised where the chain keeps
//! a report that the directory does not know, and then counts as made at that moment; see
//! [`crate::reconcile`]. A backup that is younger than the last report looks like the real directory:
//! backups of it must not be run.

use codec::{Decode, Encode};
use millrace_primitives::{
	epoch::EpochInfo,
	views::{Assignment, PeerDuties},
	EpochIndex,
};
use std::{
	cmp::Ordering,
	time::{SystemTime, UNIX_EPOCH},
};

/// When a data directory was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Birth {
	/// The last epoch that is known to have begun before.
	pub epoch: EpochIndex,
	/// The time by this machine's clock, in milliseconds since 1970. A node that is still behind
	/// shows an old epoch, so that the epoch alone says too little.
	pub ms: u64,
}

impl Birth {
	/// Now, when the last finalised block is of this epoch.
	pub fn now(info: &EpochInfo) -> Self {
		let since = SystemTime::now()
			.duration_since(UNIX_EPOCH)
			.unwrap_or_default();
		Self {
			epoch: info.index,
			ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
		}
	}

	/// The same birth, as it looks when this epoch is seen.
	pub fn seen_from(self, info: &EpochInfo) -> Self {
		if info.start_ms <= self.ms {
			Self {
				epoch: self.epoch.max(info.index),
				..self
			}
		} else {
			self
		}
	}

	/// Whether the directory was there when the epoch began, so that it has all that the peer did
	/// in it.
	pub fn knows(self, epoch: EpochIndex) -> bool {
		epoch > self.epoch
	}

	/// Whether a report of the epoch leaves nothing out, given the deals of the peer. What was
	/// proven in a part of an epoch is worth reporting; of an epoch before there is nothing.
	pub fn may_report(self, epoch: EpochIndex, assignments: &[Assignment]) -> bool {
		match epoch.cmp(&self.epoch) {
			Ordering::Greater => true,
			Ordering::Equal => !serves_in(epoch, assignments),
			Ordering::Less => false,
		}
	}

	/// Whether calls of the present epoch must not be numbered.
	pub fn closes(self, duties: &PeerDuties) -> bool {
		let epoch = duties.epoch.info.index;
		!self.knows(epoch) && serves_in(epoch, &duties.assignments)
	}
}

/// Whether the peer serves a deal in an epoch: only then can it have given receipts in it.
fn serves_in(epoch: EpochIndex, assignments: &[Assignment]) -> bool {
	assignments
		.iter()
		.any(|assignment| assignment.worker.serves(epoch))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::snapshot::tests::{assignment, duties};
	use millrace_primitives::market::WorkerStatus;

	const BIRTH: Birth = Birth {
		epoch: 5,
		ms: 1_500,
	};

	fn live(since: EpochIndex) -> Assignment {
		assignment(1, WorkerStatus::Live { since })
	}

	#[test]
	fn a_new_peer_waits_for_nothing() {
		let assigned = assignment(1, WorkerStatus::Assigned { deadline: 6 });
		assert!(!BIRTH.closes(&duties(5, vec![])));
		assert!(!BIRTH.closes(&duties(5, vec![assigned])));
		// It goes live in the epoch after its birth, and serves at once.
		assert!(!BIRTH.closes(&duties(6, vec![live(7)])));
		// What it proved in the meantime is reported.
		assert!(BIRTH.may_report(5, &[live(7)]));
		assert!(BIRTH.may_report(6, &[live(7)]));
	}

	#[test]
	fn a_peer_that_went_live_in_the_epoch_may_have_served_from_a_directory_that_was_lost() {
		assert!(BIRTH.closes(&duties(5, vec![live(6)])));
		assert!(!BIRTH.may_report(5, &[live(6)]));
		assert!(!BIRTH.closes(&duties(6, vec![live(6)])));
	}

	#[test]
	fn a_new_directory_of_a_live_peer_waits_for_the_next_epoch() {
		assert!(BIRTH.closes(&duties(5, vec![live(5)])));
		assert!(!BIRTH.closes(&duties(6, vec![live(5)])));
		assert!(!BIRTH.may_report(5, &[live(5)]));
		// Nothing at all is known of what lies before.
		assert!(!BIRTH.may_report(4, &[live(5)]));
		assert!(!BIRTH.may_report(4, &[]));
		assert!(BIRTH.may_report(6, &[live(5)]));
	}

	#[test]
	fn an_epoch_that_began_before_by_the_clock_counts_though_it_is_seen_later() {
		// The node was behind when the directory was made.
		let mut late = duties(7, vec![live(5)]);
		late.epoch.info.start_ms = BIRTH.ms;
		let birth = BIRTH.seen_from(&late.epoch.info);
		assert_eq!(birth, Birth { epoch: 7, ..BIRTH });
		assert!(birth.closes(&late));
		let mut next = duties(8, vec![live(5)]);
		next.epoch.info.start_ms = BIRTH.ms + 1;
		let birth = birth.seen_from(&next.epoch.info);
		assert_eq!(birth.epoch, 7);
		assert!(!birth.closes(&next));
		// An older epoch, of a node that was set back, changes nothing.
		assert_eq!(birth.seen_from(&duties(3, vec![]).epoch.info).epoch, 7);
	}

	#[test]
	fn now_is_after_every_epoch_that_has_begun() {
		let info = duties(5, vec![]).epoch.info;
		let birth = Birth::now(&info);
		assert_eq!(birth.epoch, 5);
		assert_eq!(birth.seen_from(&info), birth);
		assert!(birth.ms > info.start_ms);
	}
}
