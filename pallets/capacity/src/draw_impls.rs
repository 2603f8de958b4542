//! The borders of epochs: targets and pools at the start, amnesty and the draw of audits after the
//! reports.

use crate::{
	rules, Amnesties, Audits, Config, Draw, EpochRow, EpochRows, Event, OngoingDraw, Pallet,
	Params, ReportList, WeightInfo, ATTEMPTS_PER_AUDIT, ATTEMPTS_PER_BLOCK, MAX_AUDITS,
};
use frame_support::{pallet_prelude::Weight, traits::Get, weights::WeightMeter};
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	capacity::Difficulty,
	epoch::EpochInfo,
	hash,
	peer::PeerId,
	traits::{Emission, EpochClock, OnEpoch, WorkLedger},
	EpochIndex, H256,
};

impl<T: Config> OnEpoch for Pallet<T> {
	fn on_epoch_start(info: &EpochInfo) -> Weight {
		Self::open_row(info.index);
		T::WeightInfo::on_epoch_start().saturating_add(T::Emission::weight())
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
		let limit = T::Emission::limit(epoch);
		let previous = epoch.checked_sub(1).and_then(Self::row);
		let before = epoch.checked_sub(2).and_then(Self::row);
		let idle = before.map_or(0, |row| row.idle);
		// Misses of an excused epoch cost nothing, so they move nothing.
		let (proven, owed) = before
			.filter(|row| !row.excused)
			.map_or((0, 0), |row| (row.leaves_proven, row.leaves_owed));
		let difficulty = previous
			.map_or(Difficulty::at(params.target_reference), |row| {
				row.difficulty()
			})
			.next(params.target_reference, proven, owed);
		let row = EpochRow {
			epoch,
			target: difficulty.target,
			settled: difficulty.settled,
			rates: params.rates,
			pool: previous.map_or(params.pool_floor.min(limit), |row| {
				rules::next_pool(
					row.pool,
					idle,
					params.reward_target_per_unit,
					params.pool_floor,
					params.pool_step,
					limit,
				)
			}),
			carried: before.map_or(0, |row| row.dust()),
			max_reward_per_unit: rules::max_reward_per_unit(
				params.reward_target_per_unit,
				params.reward_headroom,
			),
			stake_per_unit: params.stake_per_unit,
			miss_cost: params.slash_rate.mul_ceil(params.stake_per_unit),
			audits: params.audits_per_epoch,
			drawn: 0,
			reports: 0,
			units: 0,
			idle: 0,
			leaves_owed: 0,
			leaves_proven: 0,
			excused: false,
		};
		// What is carried from before was promised then.
		T::Emission::promise(row.pool);
		EpochRows::<T>::insert(Self::slot_of(epoch), row);
	}

	/// Judges whether an epoch costs misses, and fixes how many of its reports are audited and what
	/// they are rewarded with at most; [`Self::continue_draw`] does the rest.
	fn begin_draw(epoch: EpochIndex, draw: H256) {
		let Some(mut row) = Self::row(epoch) else {
			return;
		};
		let params = Params::<T>::get();
		let (part, most_in_a_row) = (params.amnesty_part, params.amnesty_epochs);
		row.excused =
			Amnesties::<T>::mutate(|amnesty| amnesty.judge(epoch, row.units, part, most_in_a_row));
		row.audits = rules::audits(&row, Self::answerable_audits().min(MAX_AUDITS));
		row.max_reward_per_unit = rules::capped_reward(&row);
		row.drawn = 0;
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
		let Some(mut row) = Self::row(state.epoch).filter(|row| Self::may_draw(row.epoch)) else {
			OngoingDraw::<T>::kill();
			return;
		};
		for _ in 0..ATTEMPTS_PER_BLOCK {
			let attempt = T::WeightInfo::draw_attempt();
			let bound = attempt.saturating_add(T::Work::on_drawn_weight());
			if Self::is_drawn(&state, &row) || !meter.can_consume(bound) {
				break;
			}
			meter.consume(attempt);
			if let Some(peer) = Self::attempt_draw(&mut state, &row) {
				meter.consume(T::Work::on_drawn(peer));
			}
		}
		if Self::is_drawn(&state, &row) {
			OngoingDraw::<T>::kill();
		} else {
			OngoingDraw::<T>::put(state);
		}
		// Whatever ends the draw, the totals say what was drawn: audit slashes go by it.
		if row.drawn != state.drawn {
			row.drawn = state.drawn;
			EpochRows::<T>::insert(Self::slot_of(row.epoch), row);
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

	/// Looks at one entry of the list: one that is hit by weight, or the next one if all are audited.
	/// The peer that is drawn; one that is hit again is not drawn again.
	///
	/// A walk over all begins at a random place, so that one that is cut short is a uniform choice.
	fn attempt_draw(state: &mut Draw, row: &EpochRow) -> Option<PeerId> {
		let hit = if row.audits >= row.reports {
			let reports = u64::from(row.reports);
			let start = hash::below(
				hash::tagged("millrace/audit-start/v1", &state.draw),
				reports,
			);
			let index = start
				.saturating_add(u64::from(state.attempts))
				.checked_rem(reports)
				.and_then(|index| u32::try_from(index).ok())
				.unwrap_or(0);
			ReportList::<T>::get((Self::list_of(row.epoch), index)).map(|listed| listed.peer)
		} else {
			let tagged = hash::tagged("millrace/audit-peer/v1", &(state.draw, state.attempts));
			Self::listed_at(row, hash::below(tagged, row.units))
		};
		state.attempts = state.attempts.saturating_add(1);

		let peer = hit?;
		if Audits::<T>::get(peer).is_some_and(|audit| audit.epoch == row.epoch) {
			return None;
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
		Some(peer)
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
