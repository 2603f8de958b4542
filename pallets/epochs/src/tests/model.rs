//! The clock against a model that keeps every block and works everything out from the definition.

use crate::mock::*;
use frame_support::assert_ok;
use millrace_primitives::{
	epoch::{fold, fold_start, EpochLengths, Phase, DRAW_TAG, SEED_TAG},
	traits::EpochClock,
	EpochIndex, H256,
};
use proptest::prelude::*;

/// A counted block.
#[derive(Clone, Copy)]
struct Counted {
	number: u32,
	epoch: EpochIndex,
	position: u32,
	lengths: EpochLengths,
	/// Its own output, which the chain knows a block later.
	output: H256,
}

pub(super) struct Model {
	first: EpochLengths,
	pub(super) pending: Option<EpochLengths>,
	blocks: Vec<Counted>,
}

impl Model {
	pub(super) fn new(first: EpochLengths) -> Self {
		Self {
			first,
			pending: None,
			blocks: Vec::new(),
		}
	}

	pub(super) fn push(&mut self, number: u32, output: H256) {
		let (epoch, position, lengths) = match self.blocks.last() {
			None => (0, 0, self.pending.take().unwrap_or(self.first)),
			Some(last) if last.position + 1 < last.lengths.len => {
				(last.epoch, last.position + 1, last.lengths)
			}
			Some(last) => (
				last.epoch + 1,
				0,
				self.pending.take().unwrap_or(last.lengths),
			),
		};
		self.blocks.push(Counted {
			number,
			epoch,
			position,
			lengths,
			output,
		});
	}

	fn epoch(&self, epoch: EpochIndex) -> impl Iterator<Item = &Counted> {
		self.blocks.iter().filter(move |block| block.epoch == epoch)
	}

	fn seed(&self, epoch: EpochIndex) -> H256 {
		let start = fold_start(SEED_TAG, Genesis::get(), epoch);
		let Some(before) = epoch.checked_sub(1) else {
			return start;
		};
		self.epoch(before)
			.filter(|block| block.position >= block.lengths.len - block.lengths.fold_window)
			.fold(start, |folded, block| fold(folded, block.output))
	}

	/// Draw over the reports of an epoch, folded in the next one.
	fn draw(&self, epoch: EpochIndex) -> H256 {
		self.epoch(epoch + 1)
			.filter(|block| {
				let lengths = block.lengths;
				block.position >= lengths.report_window
					&& block.position < lengths.report_window + lengths.fold_window
			})
			.fold(
				fold_start(DRAW_TAG, Genesis::get(), epoch),
				|folded, block| fold(folded, block.output),
			)
	}

	/// Time of the block before the epoch's first one; of the chain's first block, which has none
	/// before it, its own, known from the next block on.
	fn start_ms(&self, epoch: EpochIndex) -> u64 {
		let first = self.epoch(epoch).next().unwrap().number;
		let of = if first == 1 && System::block_number() > 1 {
			first
		} else {
			first - 1
		};
		u64::from(of) * SlotMs::get()
	}

	/// Present epoch and position; `None` before the first counted block.
	pub(super) fn now(&self) -> Option<(EpochIndex, u32)> {
		self.blocks
			.last()
			.map(|block| (block.epoch, block.position))
	}

	/// Where in its epoch the draw is known.
	pub(super) fn draw_at(&self) -> Option<u32> {
		let lengths = self.blocks.last()?.lengths;
		Some(lengths.report_window + lengths.fold_window)
	}

	pub(super) fn check(&self) {
		let Some(now) = self.blocks.last() else {
			return;
		};
		let status = Epochs::status();
		assert_eq!(status.info.index, now.epoch);
		assert_eq!(status.position, now.position);
		assert_eq!(status.info.lengths, now.lengths);
		assert_eq!(
			status.info.start,
			self.epoch(now.epoch).next().unwrap().number
		);
		assert_eq!(Epochs::start_of(now.epoch), Some(status.info.start));
		assert_eq!(status.info.start_ms, self.start_ms(now.epoch));
		assert_eq!(Epochs::info(now.epoch), Some(status.info));
		assert_eq!(status.phase, now.lengths.phase(now.position));
		assert_eq!(status.seed, self.seed(now.epoch));
		let drawn = now.epoch > 0 && matches!(status.phase, Phase::Answer | Phase::Rest);
		assert_eq!(status.draw, drawn.then(|| self.draw(now.epoch - 1)));
	}
}

pub(super) fn lengths() -> impl Strategy<Value = EpochLengths> {
	(1u32..6, 1u32..6, 2u32..6, 2u32..6).prop_map(|(report, fold, answer, rest)| EpochLengths {
		len: report + fold + answer + rest,
		report_window: report,
		fold_window: fold,
		answer_window: answer,
	})
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn the_clock_agrees_with_the_model(
		first in lengths(),
		later in lengths(),
		change in 0usize..120,
		blocks in prop::collection::vec(
			(prop::bool::weighted(0.15), prop::option::weighted(0.9, any::<[u8; 32]>())),
			160,
		),
	) {
		ExtBuilder::lengths(first).build_and_execute(|| {
			let mut model = Model::new(first);
			let mut before = None;
			for (step, (migrating, output)) in blocks.iter().enumerate() {
				Migrating::set(*migrating);
				next_block(before);
				if !migrating {
					model.push(System::block_number(), H256(output.unwrap_or_default()));
				}
				if step == change {
					assert_ok!(Epochs::schedule_lengths(later));
					model.pending = Some(later);
				}
				model.check();
				before = *output;
			}
			let started = Notices::get();
			let started = started.iter().filter(|notice| matches!(notice, Notice::Started(_)));
			let epochs = model.blocks.last().map_or(0, |block| block.epoch as usize + 1);
			assert_eq!(started.count(), epochs);
		});
	}
}
