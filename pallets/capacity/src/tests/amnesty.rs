//! Epochs in which a third of the network was gone cost no miss.

use super::*;
use crate::{Amnesties, Audits, CapacityParams, Event};
use frame_support::assert_ok;
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	Balance, FLT,
};

/// Three peers of 4, 4 and 1 units, and the usual four epochs.
fn with_amnesty(test: impl FnOnce()) {
	let params = CapacityParams {
		amnesty_epochs: 4,
		..params()
	};
	ExtBuilder::default()
		.peers(3)
		.params(params)
		.build_and_execute(|| {
			for (n, units) in [(1, 4), (2, 4), (3, 1)] {
				commit(n, units);
			}
			jump(2);
			test();
		});
}

/// The epoch before the present one is reported by peers with so many units, drawn and closed; those
/// whose audit is not `open` pass it. Goes on to the next epoch.
pub(super) fn pass(reports: &[(u8, u32)], open: &[u8]) -> bool {
	let epoch = CurrentEpoch::get() - 1;
	for (n, units) in reports {
		assert_ok!(duty(report_call(*n, claim(epoch, *units, 0))));
	}
	close_quickly(epoch);
	for (n, _) in reports {
		if !open.contains(n) {
			let status = AuditStatus::Passed;
			Audits::<Test>::insert(peer(*n), Audit { epoch, status });
		}
	}
	jump(epoch + 2);
	Capacity::row(epoch).expect("it is remembered").excused
}

const ALL: [(u8, u32); 3] = [(1, 4), (2, 4), (3, 1)];

fn slashed(n: u8) -> Balance {
	let _ = Capacity::settle(RuntimeOrigin::signed(PROVIDER), peer(n));
	Capacity::commitment(peer(n)).expect("it stands").slashed
}

#[test]
fn an_epoch_with_less_than_two_thirds_of_the_usual_costs_nothing() {
	with_amnesty(|| {
		assert!(!pass(&ALL, &[]));
		// 6 of 9 are two thirds, 5 are less.
		assert!(!pass(&[(1, 4), (2, 2)], &[]));
		assert!(!pass(&ALL, &[]));
		assert!(pass(&[(1, 4), (2, 1)], &[]));
		jump(7);
		// Peer 3 missed epoch 2 and, for nothing, epoch 4; nobody has reported epoch 5, which is less
		// than two thirds of what epoch 3 was. Peer 2 missed two units in epoch 2.
		assert_eq!(slashed(3), 10 * FLT);
		assert_eq!(slashed(2), 20 * FLT);
		assert_eq!(slashed(1), 0);
	});
}

#[test]
fn an_outage_is_measured_by_the_last_ordinary_epoch() {
	with_amnesty(|| {
		let only_one = [(1, 4)];
		assert!(!pass(&ALL, &[]));
		// Four in a row, and the fifth is what is usual from now on.
		for excused in [true, true, true, true, false, false] {
			assert_eq!(pass(&only_one, &[]), excused);
		}
		// More than that is a recovery, and ordinary.
		assert!(!pass(&ALL, &[]));
		let amnesty = Amnesties::<Test>::get();
		assert_eq!((amnesty.base, amnesty.streak, amnesty.latest), (9, 0, 8));
		// Two epochs of 4 units at a hundredth each.
		assert_eq!(slashed(2), 80 * FLT);
	});
}

#[test]
fn who_comes_back_after_an_outage_has_not_missed_it() {
	with_amnesty(|| {
		assert!(!pass(&ALL, &[]));
		assert!(pass(&[(3, 1)], &[]));
		assert!(pass(&[(3, 1)], &[]));
		assert!(!pass(&ALL, &[]));
		jump(CurrentEpoch::get() + 1);
		assert_eq!((slashed(1), slashed(2)), (0, 0));
	});
}

#[test]
fn an_excused_epoch_is_rewarded_and_its_audits_count() {
	with_amnesty(|| {
		assert!(!pass(&ALL, &[]));
		events();
		assert!(pass(&[(1, 3), (3, 1)], &[3]));
		assert_eq!((slashed(1), slashed(3)), (0, 50 * FLT));
		let settled: Vec<_> = events()
			.into_iter()
			.filter(|event| matches!(event, Event::EpochSettled { epoch: 2, .. }))
			.collect();
		let reward = Capacity::row(2)
			.expect("it is remembered")
			.reward_per_unit();
		assert!(reward > 0);
		assert_eq!(
			settled,
			vec![
				// A unit of the first was missing, for nothing.
				Event::EpochSettled {
					peer: peer(1),
					epoch: 2,
					missed: 1,
					excused: true,
					slashed: 0,
					waiting: 0,
					rewarded: 3 * reward,
					void: false
				},
				// A faked report costs its 5 % and no miss.
				Event::EpochSettled {
					peer: peer(3),
					epoch: 2,
					missed: 1,
					excused: true,
					slashed: 0,
					waiting: 50 * FLT,
					rewarded: 0,
					void: true
				}
			]
		);
	});
}

#[test]
fn without_amnesty_every_epoch_costs() {
	ExtBuilder::default().peers(3).build_and_execute(|| {
		for (n, units) in ALL {
			commit(n, units);
		}
		jump(2);
		assert!(!pass(&ALL, &[]));
		assert!(!pass(&[(3, 1)], &[]));
		assert_eq!((slashed(1), slashed(2)), (40 * FLT, 40 * FLT));
	});
}

#[test]
fn epochs_older_than_what_is_remembered_are_ordinary() {
	with_amnesty(|| {
		assert!(!pass(&ALL, &[]));
		assert!(pass(&[(3, 1)], &[]));
		assert!(Amnesties::<Test>::get().is_excused(2));
		// Nobody reports any more: four more are excused at the most, then nothing is usual.
		jump(1_040);
		assert!(!Amnesties::<Test>::get().is_excused(2));
		events();
		assert_eq!(slashed(1), 40 * 40 * FLT);
	});
}
