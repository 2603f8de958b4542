//! Where epochs and windows begin and end.

use crate::{mock::*, Event, RING_SLOTS};
use frame_support::assert_ok;
use millrace_primitives::{
	epoch::{EpochLengths, Phase},
	traits::EpochClock,
};

#[test]
fn the_first_epoch_starts_at_block_one() {
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(Epochs::status().info.start, 1);
		run_to(1);
		let status = Epochs::status();
		assert_eq!(
			(status.info.index, status.info.start, status.position),
			(0, 1, 0)
		);
		assert_eq!(status.info.lengths, DEV);
		assert_eq!(Epochs::previous(), None);
		assert_eq!(Epochs::last_closed(), None);
		let seed = Epochs::seed(0).unwrap();
		assert_eq!(
			events(),
			vec![Event::EpochStarted {
				index: 0,
				start: 1,
				seed
			}]
		);
		assert_eq!(Notices::get(), vec![Notice::Started(status.info)]);
	});
}

#[test]
fn an_epoch_ends_after_its_length() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(20);
		assert_eq!((Epochs::current().index, Epochs::position()), (0, 19));
		let first = Epochs::current();
		run_to(21);
		assert_eq!((Epochs::current().index, Epochs::position()), (1, 0));
		assert_eq!(Epochs::current().start, 21);
		assert_eq!(Epochs::previous(), Some(first));
	});
}

#[test]
fn windows_open_and_close_where_the_lengths_say() {
	ExtBuilder::default().build_and_execute(|| {
		for (position, phase) in [
			(0, Phase::Report),
			(5, Phase::Report),
			(6, Phase::Draw),
			(7, Phase::Draw),
			(8, Phase::Answer),
			(15, Phase::Answer),
			(16, Phase::Rest),
			(19, Phase::Rest),
		] {
			run_to(21 + position);
			assert_eq!((Epochs::position(), Epochs::phase()), (position, phase));
		}
	});
}

#[test]
fn the_draw_is_known_exactly_when_answers_begin() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(28);
		assert_eq!((Epochs::phase(), Epochs::draw(0)), (Phase::Draw, None));
		run_to(29);
		assert_eq!(Epochs::phase(), Phase::Answer);
		let draw = Epochs::draw(0).unwrap();
		assert_eq!(events(), vec![Event::DrawFolded { epoch: 0, draw }]);
		assert_eq!(
			Notices::get().last(),
			Some(&Notice::Drawn {
				epoch: 0,
				draw,
				position: 8
			})
		);
		assert_eq!(Epochs::status().draw, Some(draw));
	});
}

#[test]
fn the_first_epoch_has_nothing_to_draw() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(20);
		assert_eq!(Notices::get().len(), 1);
		assert_eq!(Epochs::status().draw, None);
	});
}

#[test]
fn an_epoch_is_closed_when_the_rest_of_the_next_begins() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(36);
		assert_eq!(Epochs::last_closed(), None);
		run_to(37);
		assert_eq!(Epochs::last_closed(), Some(0));
		run_to(56);
		assert_eq!(Epochs::last_closed(), Some(0));
		run_to(57);
		assert_eq!(Epochs::last_closed(), Some(1));
	});
}

#[test]
fn time_freezes_at_the_start_of_an_epoch() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(21);
		let info = Epochs::current();
		// The block before the first one, at a slot a second.
		assert_eq!((info.start_ms, info.slot_ms), (20_000, 1_000));
		SlotMs::set(3_000);
		run_to(40);
		assert_eq!(Epochs::current(), info);
		run_to(41);
		assert_eq!(
			(Epochs::current().start_ms, Epochs::current().slot_ms),
			(120_000, 3_000)
		);
	});
}

#[test]
fn the_first_epoch_begins_at_the_time_of_its_first_block() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(1);
		assert_eq!(Epochs::current().start_ms, 0);
		run_to(2);
		assert_eq!(Epochs::current().start_ms, 1_000);
		assert_eq!(Epochs::info(0), Some(Epochs::current()));
		// Once and for all: the next block to end does not move it.
		run_to(20);
		assert_eq!(Epochs::current().start_ms, 1_000);
		assert_eq!(Epochs::current().clock_ms(1), 1_000);
		run_to(21);
		assert_eq!(Epochs::previous().unwrap().start_ms, 1_000);
		assert_eq!(Epochs::info(0), Epochs::previous());
	});
}

#[test]
fn epochs_are_remembered_as_they_were_frozen() {
	ExtBuilder::default().build_and_execute(|| {
		run_to(2);
		let mut known = vec![Epochs::current()];
		assert_eq!(Epochs::blocks_of(0), Some(1..u32::MAX));
		for epoch in 1..8u32 {
			SlotMs::set(1_000 + u64::from(epoch));
			let longer = EpochLengths {
				len: 20 + epoch,
				..DEV
			};
			assert_ok!(Epochs::schedule_lengths(longer));
			// An epoch that a migration makes longer than its length.
			run_to(System::block_number() + 1);
			Migrating::set(true);
			run_to(System::block_number() + epoch);
			Migrating::set(false);
			while Epochs::current().index < epoch {
				run_to(System::block_number() + 1);
			}
			known.push(Epochs::current());
		}
		for (epoch, info) in known.iter().enumerate() {
			assert_eq!(Epochs::info(epoch as u32), Some(*info));
			let end = known.get(epoch + 1).map_or(u32::MAX, |next| next.start);
			assert_eq!(Epochs::blocks_of(epoch as u32), Some(info.start..end));
		}
		// Longer than it was planned, by the blocks of the migration.
		assert_eq!(known[1].start, 1 + 20 + 1);
		assert_eq!(known[2].start, known[1].start + 21 + 2);
		assert_eq!((Epochs::info(8), Epochs::blocks_of(8)), (None, None));
		assert_eq!(Epochs::info(u32::MAX), None);
	});
}

#[test]
fn the_rings_remember_their_slots_and_no_more() {
	let short = EpochLengths {
		len: 6,
		report_window: 1,
		fold_window: 1,
		answer_window: 2,
	};
	ExtBuilder::lengths(short).build_and_execute(|| {
		run_to(1);
		let first = Epochs::seed(0);
		run_to(6 * RING_SLOTS);
		assert_eq!(Epochs::current().index, RING_SLOTS - 1);
		assert_eq!((Epochs::seed(0), Epochs::start_of(0)), (first, Some(1)));
		run_to(6 * RING_SLOTS + 1);
		assert_eq!((Epochs::seed(0), Epochs::start_of(0)), (None, None));
		assert_eq!((Epochs::info(0), Epochs::blocks_of(0)), (None, None));
		assert!((1..=RING_SLOTS).all(|epoch| Epochs::info(epoch).is_some()));
		assert!((1..=RING_SLOTS).all(|epoch| Epochs::seed(epoch).is_some()));
		assert!((1..=RING_SLOTS).all(|epoch| Epochs::start_of(epoch) == Some(6 * epoch + 1)));
		assert_eq!(Epochs::seed(RING_SLOTS + 1), None);
		assert_eq!(Epochs::start_of(RING_SLOTS + 1), None);
		run_to(6 * (RING_SLOTS + 2));
		assert_eq!(Epochs::draw(0), None);
		assert!((1..=RING_SLOTS).all(|epoch| Epochs::draw(epoch).is_some()));
	});
}

#[test]
fn the_genesis_hash_outlives_the_other_hashes() {
	ExtBuilder::default().build_and_execute(|| {
		for _ in 0..40 {
			next_block(None);
			System::note_finished_extrinsics();
			System::finalize();
		}
		assert_eq!(Epochs::genesis(), Genesis::get());
	});
}
