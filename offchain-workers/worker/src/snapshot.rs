//! What the daemon knows of the chain: the last finalised block, read as a whole.

use crate::errors::Refusal;
use millrace_primitives::{
	epoch::EpochStatus,
	execution::CallTerms,
	market::{DealStatus, WorkerStatus},
	peer::PeerKey,
	views::{Assignment, PeerDuties},
	BlockNumber, DealId, EpochIndex, H256,
};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};

/// Bounds of the time without a finalised block after which calls are refused.
const PATIENCE: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(120));

/// What calls of a deal run under, and what receipts name it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedTerms {
	/// The terms.
	pub terms: CallTerms,
	/// [`CallTerms::hash`] of them.
	pub hash: H256,
}

/// The peer's world at one finalised block.
#[derive(Clone, Debug)]
pub struct Snapshot {
	/// The block.
	pub block: BlockNumber,
	/// Its epoch.
	pub epoch: EpochStatus,
	/// Whether the chain takes signatures from the daemon's key.
	pub key_active: bool,
	/// Whether the data directory is too new for calls of this epoch; see [`crate::birth`].
	pub closed: bool,
	/// The deals that the peer works for.
	pub assignments: BTreeMap<DealId, Assignment>,
	/// What their calls may run under, in the order of preference: made once for a block, not for every
	/// call.
	terms: BTreeMap<DealId, Vec<NamedTerms>>,
	seen: Instant,
}

impl Snapshot {
	/// The picture that the duties of a block give.
	pub fn new(block: BlockNumber, duties: &PeerDuties, own_key: &PeerKey) -> Self {
		Self {
			block,
			epoch: duties.epoch,
			key_active: duties.key.as_ref() == Some(own_key),
			closed: false,
			assignments: duties
				.assignments
				.iter()
				.map(|assignment| (assignment.deal, assignment.clone()))
				.collect(),
			terms: duties
				.assignments
				.iter()
				.map(|assignment| {
					let (present, epoch) = (assignment.terms(), duties.epoch.info.index);
					let choices = assignment.packages.choices(&present, epoch, block);
					let named = choices.into_iter().map(|terms| {
						let hash = terms.hash(duties.genesis);
						NamedTerms { terms, hash }
					});
					(assignment.deal, named.collect())
				})
				.collect(),
			seen: Instant::now(),
		}
	}

	/// The same picture, in which calls of the epoch are closed or not.
	pub fn with_closed(mut self, closed: bool) -> Self {
		self.closed = closed;
		self
	}

	/// Whether calls may still be numbered by it. Receipts of an epoch whose report window passes
	/// unseen would be left out of every report, so the window's length is the measure.
	pub fn is_fresh(&self) -> bool {
		let info = &self.epoch.info;
		let window = info
			.slot_ms
			.saturating_mul(u64::from(info.lengths.report_window));
		self.seen.elapsed() <= Duration::from_millis(window).clamp(PATIENCE.0, PATIENCE.1)
	}

	/// Time since the block was seen.
	pub fn age(&self) -> Duration {
		self.seen.elapsed()
	}

	/// Whether neither the deal nor the peer's part in it is over.
	pub fn is_standing(&self, assignment: &Assignment) -> bool {
		let epoch = self.epoch.info.index;
		let deal_stands = match assignment.status {
			DealStatus::Active => true,
			// It pays less, and is served as before, up to the last epoch of its grace.
			DealStatus::Grace => epoch <= assignment.paid_until,
			DealStatus::Ending { last } => epoch <= last,
		};
		let worker_stays = match assignment.worker.status {
			WorkerStatus::Assigned { .. } | WorkerStatus::Live { .. } => true,
			WorkerStatus::Draining { last, .. } => epoch <= last,
		};
		deal_stands && worker_stays
	}

	/// The deals that the peer works for, as long as neither they nor its part in them are over.
	pub fn standing(&self) -> impl Iterator<Item = &Assignment> {
		self.assignments
			.values()
			.filter(move |assignment| self.is_standing(assignment))
	}

	/// What calls of a deal may run under that begin now, if the peer works for it, in the order of
	/// preference. Where its package was updated, that may be the one of before.
	pub fn choices(&self, deal: DealId) -> &[NamedTerms] {
		self.terms.get(&deal).map_or(&[], Vec::as_slice)
	}

	/// Units that the peer gives to a deal; one where it does not work for it any more.
	pub fn units(&self, deal: DealId) -> u32 {
		self.assignments
			.get(&deal)
			.map_or(1, |assignment| assignment.worker.units)
	}

	/// The deals whose calls the peer answers in this epoch, also before it is paid for them.
	pub fn serving(&self) -> impl Iterator<Item = &Assignment> {
		self.assignments.values().filter(move |assignment| {
			self.is_standing(assignment) && serves_in(assignment, self.epoch.info.index)
		})
	}

	/// The deals that the peer is paid for in this epoch.
	pub fn due(&self) -> impl Iterator<Item = &Assignment> {
		self.assignments.values().filter(move |assignment| {
			self.is_standing(assignment) && assignment.worker.is_due(self.epoch.info.index)
		})
	}

	/// The deal, if calls of it may be answered with a receipt of this epoch: any other receipt
	/// would be false by inspection.
	pub fn serves(&self, deal: DealId) -> Result<&Assignment, Refusal> {
		if !self.is_fresh() {
			return Err(Refusal::ChainUnreachable);
		}
		if !self.key_active {
			return Err(Refusal::KeyNotActive);
		}
		let epoch = self.epoch.info.index;
		let assignment = self
			.assignments
			.get(&deal)
			.ok_or(Refusal::DealUnknown(deal))?;
		match assignment.status {
			DealStatus::Ending { last } if last < epoch => Err(Refusal::DealEnded { deal, last }),
			// No top-up is taken any more: it only waits to be stopped.
			DealStatus::Grace if assignment.paid_until < epoch => Err(Refusal::DealEnded {
				deal,
				last: assignment.paid_until,
			}),
			_ if !serves_in(assignment, epoch) => Err(not_serving(assignment, epoch)),
			// What is served before the first paid epoch is served for the sake of that one.
			_ if assignment.paid_until < epoch.max(first_paid(assignment)) => {
				Err(Refusal::DealUnfunded {
					deal,
					paid_until: assignment.paid_until,
				})
			}
			_ if self.closed => Err(Refusal::DirectoryTooNew {
				from: epoch.saturating_add(1),
			}),
			_ => Ok(assignment),
		}
	}
}

fn serves_in(assignment: &Assignment, epoch: EpochIndex) -> bool {
	assignment.billing.is_served_by(&assignment.worker, epoch)
}

/// First epoch that a worker is paid for.
fn first_paid(assignment: &Assignment) -> EpochIndex {
	match assignment.worker.status {
		WorkerStatus::Assigned { .. } => 0,
		WorkerStatus::Live { since } | WorkerStatus::Draining { since, .. } => since,
	}
}

/// Why a worker does not serve in an epoch: too early, or too late.
fn not_serving(assignment: &Assignment, epoch: EpochIndex) -> Refusal {
	let deal = assignment.deal;
	match assignment.worker.status {
		WorkerStatus::Draining { last, .. } if last < epoch => Refusal::Drained { deal, last },
		_ => Refusal::NotLive(deal),
	}
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use millrace_primitives::{
		billing::Billing,
		epoch::{EpochInfo, EpochLengths, Phase},
		execution::PROFILE_V1,
		market::{Abi, CallLimits, Package, Worker},
		packages::{PackageHistory, PastPackage},
		peer::PeerId,
		H256,
	};

	pub(crate) const KEY: PeerKey = [7; 32];

	pub(crate) fn duties(epoch: u32, assignments: Vec<Assignment>) -> PeerDuties {
		let lengths = EpochLengths {
			len: 20,
			report_window: 6,
			fold_window: 2,
			answer_window: 8,
		};
		let info = EpochInfo {
			index: epoch,
			start: epoch * 20 + 1,
			start_ms: 1_000_000,
			slot_ms: 1_000,
			lengths,
		};
		PeerDuties {
			genesis: H256::repeat_byte(1),
			epoch: EpochStatus {
				info,
				position: 17,
				phase: Phase::Rest,
				seed: H256::repeat_byte(2),
				draw: None,
			},
			previous: None,
			key: Some(KEY),
			work: None,
			previous_work: None,
			report_due: false,
			audit: None,
			assignments,
		}
	}

	pub(crate) fn assignment(deal: DealId, status: WorkerStatus) -> Assignment {
		Assignment {
			deal,
			worker: Worker {
				peer: PeerId::default(),
				offer: 0,
				ask: 1,
				units: 1,
				bond: 0,
				status,
			},
			package: Package {
				hash: H256::repeat_byte(9),
				size: 10,
				links: Default::default(),
				abi: Abi::default(),
			},
			limits: CallLimits {
				gas: 1_000,
				memory_bytes: 65_536,
				request_bytes: 16,
				response_bytes: 1_024,
			},
			status: DealStatus::Active,
			paid_until: 100,
			hosts: Default::default(),
			profile: PROFILE_V1,
			packages: Default::default(),
			billing: Default::default(),
			redeemed: Default::default(),
			probe: None,
			access: Default::default(),
			rate: None,
		}
	}

	#[test]
	fn only_calls_that_a_receipt_may_be_signed_for_are_served() {
		let live = WorkerStatus::Live { since: 5 };
		let snapshot = Snapshot::new(
			110,
			&duties(
				5,
				vec![
					assignment(1, live),
					assignment(2, WorkerStatus::Live { since: 7 }),
					assignment(3, WorkerStatus::Assigned { deadline: 6 }),
					Assignment {
						paid_until: 4,
						..assignment(4, live)
					},
					Assignment {
						status: DealStatus::Ending { last: 4 },
						..assignment(5, live)
					},
					Assignment {
						status: DealStatus::Ending { last: 5 },
						..assignment(6, live)
					},
				],
			),
			&KEY,
		);
		assert!(snapshot.serves(1).is_ok());
		assert_eq!(snapshot.serves(2), Err(Refusal::NotLive(2)));
		assert_eq!(snapshot.serves(3), Err(Refusal::NotLive(3)));
		assert_eq!(
			snapshot.serves(4),
			Err(Refusal::DealUnfunded {
				deal: 4,
				paid_until: 4
			})
		);
		assert_eq!(
			snapshot.serves(5),
			Err(Refusal::DealEnded { deal: 5, last: 4 })
		);
		assert!(snapshot.serves(6).is_ok());
		assert_eq!(snapshot.serves(7), Err(Refusal::DealUnknown(7)));
		let due: Vec<_> = snapshot.due().map(|assignment| assignment.deal).collect();
		assert_eq!(due, vec![1, 4, 6]);
	}

	#[test]
	fn a_worker_serves_as_soon_as_it_is_live_and_owes_the_deal_from_the_next_epoch_on() {
		let live = assignment(1, WorkerStatus::Live { since: 6 });
		let deals = |epoch| {
			let snapshot = Snapshot::new(110, &duties(epoch, vec![live.clone()]), &KEY);
			assert!(snapshot.serves(1).is_ok(), "{epoch}");
			(snapshot.serving().count(), snapshot.due().count())
		};
		assert_eq!((deals(5), deals(6)), ((1, 0), (1, 1)));
	}

	#[test]
	fn nobody_is_served_for_nothing() {
		let live = assignment(1, WorkerStatus::Live { since: 6 });
		let serves = |epoch, assignment: Assignment| {
			let snapshot = Snapshot::new(110, &duties(epoch, vec![assignment]), &KEY);
			snapshot.serves(1).map(|_| ())
		};
		// Gas only counts in paid epochs.
		let by_gas = Assignment {
			billing: Billing::Gas {
				full_gas: 1,
				voucher_key: [1; 32],
			},
			..live.clone()
		};
		assert_eq!(serves(5, by_gas.clone()), Err(Refusal::NotLive(1)));
		assert_eq!(serves(6, by_gas), Ok(()));
		// The term ends before the first paid epoch.
		let ends = Assignment {
			paid_until: 5,
			..live
		};
		let unfunded = Refusal::DealUnfunded {
			deal: 1,
			paid_until: 5,
		};
		assert_eq!(serves(5, ends), Err(unfunded));
	}

	#[test]
	fn a_worker_with_notice_serves_up_to_its_last_epoch_and_keeps_nothing_afterwards() {
		let draining = assignment(1, WorkerStatus::Draining { since: 3, last: 6 });
		for epoch in [3, 5, 6] {
			let snapshot = Snapshot::new(110, &duties(epoch, vec![draining.clone()]), &KEY);
			assert!(snapshot.serves(1).is_ok(), "{epoch}");
			// So that the report lists the deal, without calls too.
			assert_eq!(snapshot.due().count(), 1, "{epoch}");
		}
		let after = Snapshot::new(130, &duties(7, vec![draining.clone()]), &KEY);
		assert_eq!(after.serves(1), Err(Refusal::Drained { deal: 1, last: 6 }));
		assert_eq!((after.due().count(), after.standing().count()), (0, 0));
		// Notice before the first paid epoch.
		let before = Snapshot::new(50, &duties(2, vec![draining.clone()]), &KEY);
		assert!(before.serves(1).is_ok());
		assert_eq!((before.due().count(), before.standing().count()), (0, 1));
		let early = Snapshot::new(30, &duties(1, vec![draining]), &KEY);
		assert_eq!(early.serves(1), Err(Refusal::NotLive(1)));
	}

	#[test]
	fn a_deal_in_grace_is_served_and_reported_as_before_and_then_is_over() {
		let grace = Assignment {
			status: DealStatus::Grace,
			paid_until: 6,
			..assignment(1, WorkerStatus::Live { since: 3 })
		};
		for epoch in [5, 6] {
			let snapshot = Snapshot::new(110, &duties(epoch, vec![grace.clone()]), &KEY);
			assert!(snapshot.serves(1).is_ok(), "{epoch}");
			assert_eq!(snapshot.due().count(), 1, "{epoch}");
		}
		let over = Snapshot::new(130, &duties(7, vec![grace]), &KEY);
		assert_eq!(over.serves(1), Err(Refusal::DealEnded { deal: 1, last: 6 }));
		assert_eq!((over.due().count(), over.standing().count()), (0, 0));
	}

	#[test]
	fn terms_are_those_of_the_assignment_and_named_for_the_chain() {
		let live = assignment(1, WorkerStatus::Live { since: 5 });
		let duties = duties(5, vec![live.clone()]);
		let snapshot = Snapshot::new(110, &duties, &KEY);
		let hash = live.terms().hash(duties.genesis);
		let terms = live.terms();
		assert_eq!(snapshot.choices(1), [NamedTerms { terms, hash }]);
		assert!(snapshot.choices(2).is_empty());
		assert_eq!((snapshot.units(1), snapshot.units(2)), (1, 1));
	}

	#[test]
	fn the_package_before_an_update_is_a_choice_until_its_time_is_over() {
		let before = H256::repeat_byte(8);
		let past = PastPackage {
			hash: before,
			size: 5,
			profile: PROFILE_V1,
			from: 0,
			until: 6,
		};
		let updated = Assignment {
			packages: PackageHistory {
				since: 110,
				past: vec![past].try_into().expect("one fits"),
				forgotten: None,
			},
			..assignment(1, WorkerStatus::Live { since: 5 })
		};
		let after = updated.package.hash;
		let choices = |block, epoch| {
			let duties = duties(epoch, vec![updated.clone()]);
			let snapshot = Snapshot::new(block, &duties, &KEY);
			let named = snapshot.choices(1).iter();
			named.map(|named| named.terms.package).collect::<Vec<_>>()
		};
		// Gateways hear of the update before they hear of its first receipt.
		assert_eq!(choices(110, 5), [before, after]);
		assert_eq!(choices(111, 5), [after, before]);
		assert_eq!(choices(121, 6), [after, before]);
		assert_eq!(choices(141, 7), [after]);
	}

	#[test]
	fn a_directory_that_is_too_new_serves_from_the_next_epoch_on() {
		let live = assignment(1, WorkerStatus::Live { since: 5 });
		let closed = Snapshot::new(110, &duties(5, vec![live]), &KEY).with_closed(true);
		assert_eq!(closed.serves(1), Err(Refusal::DirectoryTooNew { from: 6 }));
		assert_eq!(closed.serves(2), Err(Refusal::DealUnknown(2)));
	}

	#[test]
	fn another_key_or_no_news_serves_nothing() {
		let live = assignment(1, WorkerStatus::Live { since: 5 });
		let other = Snapshot::new(110, &duties(5, vec![live.clone()]), &[8; 32]);
		assert_eq!(other.serves(1), Err(Refusal::KeyNotActive));
		let mut old = Snapshot::new(110, &duties(5, vec![live]), &KEY);
		old.seen = Instant::now()
			.checked_sub(Duration::from_secs(21))
			.expect("a late clock");
		assert_eq!(old.serves(1), Err(Refusal::ChainUnreachable));
	}
}
