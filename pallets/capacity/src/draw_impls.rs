//! The borders of epochs: targets and pools at the start, the draw of audits after the reports.

use crate::{
	rules, Audits, Config, Draw, EpochRow, EpochRows, Event, OngoingDraw, Pallet, Params,
	ReportList, WeightInfo, ATTEMPTS_PER_AUDIT, ATTEMPTS_PER_BLOCK,
};
use frame_support::{pallet_prelude::Weight, traits::Get, weights::WeightMeter};
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	capacity,
	epoch::EpochInfo,
	hash,
	peer::PeerId,
	traits::{EpochClock, OnEpoch},
	EpochIndex, H256,
};

impl<T: Config> OnEpoch for Pallet<T> {
	fn on_epoch_start(info: &EpochInfo) -> Weight {
		Self::open_row(info.index);
		T::WeightInfo::on_epoch_start()
	}

	fn on_draw(epoch: EpochIndex, draw: H256) -> Weight {
		Self::begin_draw(epoch, draw);
		T::WeightInfo::on_draw()
	}
}

impl<T: Config> Pallet<T> {
	/// Freezes what an epoch asks for and pays, from the reports of two epochs before.
	pub(crate) fn open_row(epoch: EpochIndex) {
		if Self::row(epoch).is_some() {
			return;
		}
		let params = Params::<T>::get();
		let previous = epoch.checked_sub(1).and_then(Self::row);
		let before = epoch.checked_sub(2).and_then(Self::row);
		let (proven, owed, idle) = before.map_or((0, 0, 0), |row| {
			(row.leaves_proven, row.leaves_owed, row.idle)
		});
		let row = EpochRow {
			epoch,
			target: capacity::next_target(
				previous.map_or(params.target_reference, |row| row.target),
				params.target_reference,
				proven,
				owed,
			),
			rates: params.rates,
			pool: previous.map_or(params.pool_floor, |row| {
				rules::next_pool(
					row.pool,
					idle,
					params.reward_target_per_unit,
					params.pool_floor,
					params.pool_ceiling,
				)
			}),
			max_reward_per_unit: rules::max_reward_per_unit(params.reward_target_per_unit),
			audits: params.audits_per_epoch,
			reports: 0,
			units: 0,
			idle: 0,
			leaves_owed: 0,
			leaves_proven: 0,
		};
		EpochRows::<T>::insert(Self::slot_of(epoch), row);
	}

	/// Fixes how many of an epoch's reports are audited; [`Self::continue_draw`] does the rest.
	fn begin_draw(epoch: EpochIndex, draw: H256) {
		let Some(mut row) = Self::row(epoch) else {
			return;
		};
		row.audits = row.audits.min(row.reports).min(Self::answerable_audits());
		EpochRows::<T>::insert(Self::slot_of(epoch), row);
		if row.audits > 0 {
			OngoingDraw::<T>::put(Draw {
				epoch,
				draw,
				attempts: 0,
				drawn: 0,
			});
		} else {
			OngoingDraw::<T>::kill();
		}
	}

	/// Answers that fill half of what the blocks of the answer window hold.
	fn answerable_audits() -> u32 {
		let per_block = T::BlockWeights::get()
			.max_block
			.checked_div_per_component(&Self::answer_weight())
			.unwrap_or(0);
		let window = u64::from(T::Clock::current().lengths.answer_window);
		let half = per_block.saturating_mul(window).saturating_div(2);
		u32::try_from(half).unwrap_or(u32::MAX)
	}

	/// Draws on, as far as weight and [`ATTEMPTS_PER_BLOCK`] go.
	///
	/// Nobody is drawn in the second half of the answer window, so that everybody who is drawn has
	/// at least that long to answer; audits that blocks had no room for until then are dropped.
	pub(crate) fn continue_draw(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::on_poll()).is_err() {
			return;
		}
		let Some(mut state) = OngoingDraw::<T>::get() else {
			return;
		};
		let Some(row) = Self::row(state.epoch).filter(|row| Self::may_draw(row.epoch)) else {
			OngoingDraw::<T>::kill();
			return;
		};
		for _ in 0..ATTEMPTS_PER_BLOCK {
			if Self::is_drawn(&state, &row)
				|| meter.try_consume(T::WeightInfo::draw_attempt()).is_err()
			{
				break;
			}
			Self::attempt_draw(&mut state, &row);
		}
		if Self::is_drawn(&state, &row) {
			OngoingDraw::<T>::kill();
		} else {
			OngoingDraw::<T>::put(state);
		}
	}

	fn may_draw(epoch: EpochIndex) -> bool {
		let current = T::Clock::current();
		let half = current.lengths.answer_window.div_ceil(2);
		let until = current
			.lengths
			.report_window
			.saturating_add(current.lengths.fold_window)
			.saturating_add(half);
		epoch.checked_add(1) == Some(current.index) && T::Clock::position() < until
	}

	fn is_drawn(state: &Draw, row: &EpochRow) -> bool {
		state.drawn >= row.audits || state.attempts >= row.audits.saturating_mul(ATTEMPTS_PER_AUDIT)
	}

	/// Looks at one entry of the list: the next one if all are audited, else one that is hit by
	/// weight. A peer that is hit again is not drawn again.
	fn attempt_draw(state: &mut Draw, row: &EpochRow) {
		let hit = if row.audits >= row.reports {
			ReportList::<T>::get((Self::list_of(row.epoch), state.attempts))
				.map(|listed| listed.peer)
		} else {
			let tagged = hash::tagged("millrace/audit-peer/v1", &(state.draw, state.attempts));
			Self::listed_at(row, hash::below(tagged, row.units))
		};
		state.attempts = state.attempts.saturating_add(1);

		let Some(peer) = hit else { return };
		if Audits::<T>::get(peer).is_some_and(|audit| audit.epoch == row.epoch) {
			return;
		}
		Audits::<T>::insert(
			peer,
			Audit {
				epoch: row.epoch,
				status: AuditStatus::Open,
			},
		);
		state.drawn = state.drawn.saturating_add(1);
		Self::deposit_event(Event::PeerDrawn {
			peer,
			epoch: row.epoch,
		});
	}

	/// The peer whose units hold the given place among all units of the list: the first entry whose
	/// running total is above it, found by halving in at most 32 steps.
	fn listed_at(row: &EpochRow, place: u64) -> Option<PeerId> {
		let list = Self::list_of(row.epoch);
		let (mut low, mut high) = (0u32, row.reports);
		while low < high {
			let middle = low.midpoint(high);
			if ReportList::<T>::get((list, middle))?.running_total > place {
				high = middle;
			} else {
				low = middle.saturating_add(1);
			}
		}
		ReportList::<T>::get((list, low)).map(|listed| listed.peer)
	}
}
