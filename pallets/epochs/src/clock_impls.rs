//! How the clock ticks, folds and answers.

use crate::{
	pallet::*,
	types::{draw_window, seed_window},
	Tick, WeightInfo, RING_SLOTS,
};
use frame_support::{ensure, migrations::MultiStepMigrator, traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use millrace_primitives::{
	epoch::{fold, fold_start, EpochInfo, EpochLengths, EpochStatus, Phase, DRAW_TAG, SEED_TAG},
	governance::Contradiction,
	traits::{EpochClock, OnEpoch},
	BlockNumber, EpochIndex, H256,
};
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	/// The whole picture at this block.
	pub fn status() -> EpochStatus {
		let info = Current::<T>::get();
		let position = Self::position();
		EpochStatus {
			info,
			position,
			phase: info.lengths.phase(position),
			seed: Self::seed(info.index).unwrap_or_default(),
			draw: info.index.checked_sub(1).and_then(Self::draw),
		}
	}

	/// Sets the lengths of epochs and their windows, from the next epoch on.
	pub fn schedule_lengths(lengths: EpochLengths) -> Result<(), Contradiction> {
		ensure!(lengths.fits(), Contradiction);
		PendingLengths::<T>::put(lengths);
		Self::deposit_event(Event::LengthsScheduled { lengths });
		Ok(())
	}

	/// First block of an epoch, as long as it is remembered.
	pub fn start_of(epoch: EpochIndex) -> Option<BlockNumber> {
		let (of, start) = Starts::<T>::get(slot(epoch))?;
		(of == epoch).then_some(start)
	}

	/// Epoch 0 as it stands before the first block, which completes it.
	pub(crate) fn first_epoch(lengths: EpochLengths, slot_ms: u64) -> EpochInfo {
		EpochInfo {
			index: 0,
			start: 1,
			start_ms: 0,
			slot_ms,
			lengths,
		}
	}

	/// One block: folds the output of the block before, then moves on if this block counts.
	///
	/// The clock is moved before the hooks are told, so that they see the time they are told of.
	pub(crate) fn tick(now: BlockNumber) -> Weight {
		let weight = T::WeightInfo::tick();
		let last = LastTick::<T>::get();
		if let Some(Tick {
			position,
			counted: true,
		}) = last
		{
			Self::fold_output(position);
		}
		if <T as frame_system::Config>::MultiBlockMigrator::ongoing() {
			if let Some(Tick { position, .. }) = last {
				LastTick::<T>::put(Tick {
					position,
					counted: false,
				});
			}
			return weight;
		}

		let info = Current::<T>::get();
		match last.map(|tick| tick.position.saturating_add(1)) {
			Some(position) if position < info.lengths.len => {
				LastTick::<T>::put(Tick {
					position,
					counted: true,
				});
				if position != draw_window(&info.lengths).end {
					return weight;
				}
				let Some((epoch, draw)) = Self::finish_draw(&info) else {
					return weight;
				};
				weight
					.saturating_add(T::WeightInfo::finish_draw())
					.saturating_add(T::Hooks::on_draw(epoch, draw))
			}
			next => {
				LastTick::<T>::put(Tick {
					position: 0,
					counted: true,
				});
				let started = Self::start_epoch(next.is_some().then_some(info), now);
				weight
					.saturating_add(T::WeightInfo::start_epoch())
					.saturating_add(T::Hooks::on_epoch_start(&started))
			}
		}
	}

	/// An epoch starts at the time of the block before its first one. The first block of a chain has
	/// none before it, so its own time, known when it ends, is that of epoch 0: nothing has asked
	/// for it by then, since calls are executed at finalised blocks.
	pub(crate) fn date_first_epoch() {
		let info = Current::<T>::get();
		if info.start_ms != 0 {
			return;
		}
		let info = EpochInfo {
			start_ms: T::Time::get(),
			..info
		};
		Current::<T>::put(info);
		// A chain that begins with a migration has not ticked: its first epoch starts later.
		if LastTick::<T>::exists() {
			Infos::<T>::insert(slot(info.index), info);
		}
	}

	/// Folds the output of the counted block at `position` into the windows that it lies in. The
	/// two overlap where answers get less time than a fold takes.
	fn fold_output(position: u32) {
		let EpochInfo { index, lengths, .. } = Current::<T>::get();
		let (seed, draw) = (seed_window(&lengths), draw_window(&lengths));
		let output = || T::VrfOutput::get().map_or_else(H256::zero, H256);
		if seed.contains(&position) {
			let before = if position == seed.start {
				fold_start(SEED_TAG, Self::genesis(), index.saturating_add(1))
			} else {
				SeedFold::<T>::get()
			};
			SeedFold::<T>::put(fold(before, output()));
		}
		if let Some(reported) = index.checked_sub(1).filter(|_| draw.contains(&position)) {
			let before = if position == draw.start {
				fold_start(DRAW_TAG, Self::genesis(), reported)
			} else {
				DrawFold::<T>::get()
			};
			DrawFold::<T>::put(fold(before, output()));
		}
	}

	/// Starts the epoch after `previous`, or the first one, whose seed folds nothing: there is no
	/// block before it.
	pub(crate) fn start_epoch(previous: Option<EpochInfo>, now: BlockNumber) -> EpochInfo {
		let index = previous.map_or(0, |info| info.index.saturating_add(1));
		let info = EpochInfo {
			index,
			start: now,
			start_ms: T::Time::get(),
			slot_ms: T::SlotDuration::get(),
			lengths: PendingLengths::<T>::take().unwrap_or(Current::<T>::get().lengths),
		};
		let seed = match previous {
			Some(_) => SeedFold::<T>::get(),
			None => fold_start(SEED_TAG, Self::genesis(), index),
		};
		Previous::<T>::set(previous);
		Current::<T>::put(info);
		Seeds::<T>::insert(slot(index), (index, seed));
		Starts::<T>::insert(slot(index), (index, now));
		Infos::<T>::insert(slot(index), info);
		Self::deposit_event(Event::EpochStarted {
			index,
			start: now,
			seed,
		});
		info
	}

	/// Keeps the draw that the last block completed; there is none in the first epoch.
	pub(crate) fn finish_draw(info: &EpochInfo) -> Option<(EpochIndex, H256)> {
		let epoch = info.index.checked_sub(1)?;
		let draw = DrawFold::<T>::get();
		Draws::<T>::insert(slot(epoch), (epoch, draw));
		Self::deposit_event(Event::DrawFolded { epoch, draw });
		Some((epoch, draw))
	}

	/// What holds at the end of every block:
	///
	/// 1. The present lengths and those to come fit, and the position lies inside the epoch.
	/// 2. The epoch before is the one that precedes the present one, and had all its blocks; the
	///    first has none.
	/// 3. As soon as the clock has ticked, the seeds and first blocks of the present epoch and of
	///    those before it are remembered, as many as the rings have slots, and the first blocks are
	///    in order. So are the epochs as they were frozen: each with its first block, and of the
	///    present one and the one before the very same.
	/// 4. The draw over the epoch before is known exactly from the end of its window on; those over
	///    the epochs before that are remembered.
	/// 5. Every slot of a ring holds an epoch that belongs there and has come.
	#[cfg(any(feature = "std", feature = "try-runtime"))]
	pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
		let info = Current::<T>::get();
		ensure!(info.lengths.fits(), "the present lengths do not fit");
		ensure!(
			PendingLengths::<T>::get().is_none_or(|l| l.fits()),
			"the next lengths do not fit"
		);
		ensure!(
			Previous::<T>::get().map(|previous| previous.index) == info.index.checked_sub(1),
			"the epoch before is not the one that precedes"
		);
		if let Some(previous) = Previous::<T>::get() {
			ensure!(previous.lengths.fits(), "the last lengths did not fit");
			ensure!(
				previous.start.saturating_add(previous.lengths.len) <= info.start,
				"the epoch before was too short"
			);
		}
		if let Some(Tick { position, .. }) = LastTick::<T>::get() {
			ensure!(
				position < info.lengths.len,
				"the position lies outside the epoch"
			);
			ensure!(
				Self::start_of(info.index) == Some(info.start),
				"the present epoch's first block is not remembered"
			);
			let oldest = info.index.saturating_add(1).saturating_sub(RING_SLOTS);
			let mut before = 0;
			for epoch in oldest..=info.index {
				let start = Self::start_of(epoch).ok_or("a first block is forgotten too early")?;
				ensure!(before < start, "an epoch begins before the one before it");
				ensure!(Self::seed(epoch).is_some(), "an epoch has no seed");
				ensure!(
					Self::info(epoch).is_some_and(|info| info.start == start),
					"an epoch is not remembered with its first block"
				);
				before = start;
			}
			ensure!(
				Self::info(info.index) == Some(info),
				"the present epoch is remembered otherwise"
			);
			ensure!(
				Previous::<T>::get()
					.is_none_or(|previous| Self::info(previous.index) == Some(previous)),
				"the epoch before is remembered otherwise"
			);
			if let Some(reported) = info.index.checked_sub(1) {
				let is_drawn = position >= draw_window(&info.lengths).end;
				ensure!(
					Self::draw(reported).is_some() == is_drawn,
					"the draw is known too early or too late"
				);
				ensure!(
					(oldest..reported).all(|epoch| Self::draw(epoch).is_some()),
					"a draw is forgotten too early"
				);
			}
		} else {
			ensure!(
				Seeds::<T>::iter_keys().next().is_none()
					&& Draws::<T>::iter_keys().next().is_none()
					&& Starts::<T>::iter_keys().next().is_none()
					&& Infos::<T>::iter_keys().next().is_none(),
				"something is remembered of before the first tick"
			);
		}
		let in_place =
			|(at, (epoch, _)): (u32, (EpochIndex, H256))| slot(epoch) == at && epoch <= info.index;
		ensure!(
			Seeds::<T>::iter().all(in_place),
			"a seed stands in a slot of another epoch"
		);
		ensure!(
			Draws::<T>::iter().all(in_place),
			"a draw stands in a slot of another epoch"
		);
		ensure!(
			Starts::<T>::iter().all(|(at, (epoch, _))| slot(epoch) == at && epoch <= info.index),
			"a first block stands in a slot of another epoch"
		);
		ensure!(
			Infos::<T>::iter()
				.all(|(at, known)| slot(known.index) == at && known.index <= info.index),
			"an epoch stands in a slot of another one"
		);
		Ok(())
	}
}

/// Slot of an epoch in the rings.
fn slot(epoch: EpochIndex) -> u32 {
	epoch.checked_rem(RING_SLOTS).unwrap_or_default()
}

impl<T: Config> EpochClock for Pallet<T> {
	fn current() -> EpochInfo {
		Current::<T>::get()
	}

	fn previous() -> Option<EpochInfo> {
		Previous::<T>::get()
	}

	fn position() -> u32 {
		LastTick::<T>::get().map_or(0, |tick| tick.position)
	}

	fn phase() -> Phase {
		Current::<T>::get().lengths.phase(Self::position())
	}

	fn seed(epoch: EpochIndex) -> Option<H256> {
		let (of, seed) = Seeds::<T>::get(slot(epoch))?;
		(of == epoch).then_some(seed)
	}

	fn draw(epoch: EpochIndex) -> Option<H256> {
		let (of, draw) = Draws::<T>::get(slot(epoch))?;
		(of == epoch).then_some(draw)
	}

	fn info(epoch: EpochIndex) -> Option<EpochInfo> {
		Infos::<T>::get(slot(epoch)).filter(|info| info.index == epoch)
	}

	/// The hash of block 0, which frame-system keeps when it forgets those of other blocks.
	fn genesis() -> H256 {
		frame_system::BlockHash::<T>::get(BlockNumberFor::<T>::zero())
	}
}
