//! The failure score: a sum of misses that halves in 24 epochs.
//!
//! Old misses do not decay one by one; later ones weigh more instead. Within an *era* of 24 epochs a
//! miss in an era's k-th epoch weighs 2^(k/24), and at the border of two eras the sum halves. So a
//! stretch of whole misses adds a difference of two prefix sums, in closed form and exactly: no
//! rounding is hidden in it.
//!
//! Epoch by epoch, the score after epoch e follows from that after e − 1 like this: if e is the
//! first epoch of an era, it is halved, rounded up; then, unless e is excused, the missed part of
//! the units (in 2^-32, rounded up) times the epoch's weight is added. All rounding is against the
//! peer.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::EpochIndex;
use scale_info::TypeInfo;

/// Epochs of silence that fail a commitment with a score of zero, and any other at the latest.
pub const SILENT_EPOCHS: u32 = 40;

/// Epochs of an era: in as many the weight of a miss halves.
const ERA: u32 = 24;
/// All units missed in one epoch, in 2^-32.
const FULL_MISS: u128 = 1 << 32;
/// Full misses, weighed as of now, above which a commitment has failed.
const LIMIT: u128 = 24 * FULL_MISS;

/// Weight of a miss by its place in the era: 2^(k/24), in 2^-32, rounded down.
const WEIGHTS: [u64; 24] = [
	4_294_967_296,
	4_420_819_444,
	4_550_359_341,
	4_683_695_047,
	4_820_937_788,
	4_962_202_048,
	5_107_605_667,
	5_257_269_937,
	5_411_319_704,
	5_569_883_475,
	5_733_093_519,
	5_901_085_982,
	6_074_000_999,
	6_251_982_814,
	6_435_179_894,
	6_623_745_058,
	6_817_835_603,
	7_017_613_436,
	7_223_245_205,
	7_434_902_446,
	7_652_761_716,
	7_877_004_751,
	8_107_818_609,
	8_345_395_828,
];

/// Sums of the weights before a place in the era.
const PREFIXES: [u64; 25] = [
	0,
	4_294_967_296,
	8_715_786_740,
	13_266_146_081,
	17_949_841_128,
	22_770_778_916,
	27_732_980_964,
	32_840_586_631,
	38_097_856_568,
	43_509_176_272,
	49_079_059_747,
	54_812_153_266,
	60_713_239_248,
	66_787_240_247,
	73_039_223_061,
	79_474_402_955,
	86_098_148_013,
	92_915_983_616,
	99_933_597_052,
	107_156_842_257,
	114_591_744_703,
	122_244_506_419,
	130_121_511_170,
	138_229_329_779,
	146_574_725_607,
];

/// A commitment's failure score, as of an epoch that whoever keeps it knows.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Score(pub u128);

impl Score {
	/// The score as of `from`, as of `to`, with nothing missed in between.
	///
	/// ⌈⌈X/2⌉/2⌉ = ⌈X/4⌉, so that any number of borders is one shift.
	pub fn aged(self, from: EpochIndex, to: EpochIndex) -> Self {
		let borders = era(to).saturating_sub(era(from));
		let Some(floor) = self.0.checked_shr(borders) else {
			return Self(self.0.min(1));
		};
		let whole = floor.checked_shl(borders) == Some(self.0);
		Self(floor.saturating_add(u128::from(!whole)))
	}

	/// The score after one more epoch in which so many of the units were missed.
	pub fn after_epoch(self, epoch: EpochIndex, missed: u32, units: u32) -> Self {
		let part = FULL_MISS
			.saturating_mul(u128::from(missed))
			.saturating_add(u128::from(units.saturating_sub(1)))
			.checked_div(u128::from(units))
			.unwrap_or(0);
		let aged = self.aged(epoch.saturating_sub(1), epoch).0;
		Self(aged.saturating_add(part.saturating_mul(weight(epoch))))
	}

	/// The score after so many epochs, from `first` on, in which everything was missed.
	pub fn after_silence(self, first: EpochIndex, epochs: u32) -> Self {
		let Some(last) = epochs.checked_sub(1).map(|more| first.saturating_add(more)) else {
			return self;
		};
		let mut score = self.aged(first.saturating_sub(1), first).0;
		let mut epoch = first;
		loop {
			let top = last.min(end_of_era(epoch));
			let weights = prefix(place(top).saturating_add(1)).saturating_sub(prefix(place(epoch)));
			score = score.saturating_add(FULL_MISS.saturating_mul(weights));
			if top >= last {
				return Self(score);
			}
			score = score.div_ceil(2);
			epoch = top.saturating_add(1);
		}
	}

	/// Whether a commitment with this score as of the epoch has failed.
	pub fn is_over(self, at: EpochIndex) -> bool {
		self.0 > limit(at)
	}

	/// How many of so many silent epochs, from `first` on, it takes to fail; `None` if they do not.
	///
	/// Whoever is above the limit after a full miss is above it after the next one, too: of
	/// v > 24 full misses, 0.97·v + 1 are left. So the search can halve.
	pub fn fails_within(self, first: EpochIndex, epochs: u32) -> Option<u32> {
		let is_over = |epochs: u32| {
			let last = first.saturating_add(epochs.saturating_sub(1));
			self.after_silence(first, epochs).is_over(last)
		};
		let (mut low, mut high) = (1, epochs.min(SILENT_EPOCHS));
		if high == 0 || !is_over(high) {
			return None;
		}
		while low < high {
			let middle = low.midpoint(high);
			if is_over(middle) {
				high = middle;
			} else {
				low = middle.saturating_add(1);
			}
		}
		Some(high)
	}

	/// The score in thousandths of the limit, rounded up.
	pub fn permille(self, at: EpochIndex) -> u32 {
		let thousand = self.0.saturating_mul(1_000);
		u32::try_from(thousand.div_ceil(limit(at).max(1))).unwrap_or(u32::MAX)
	}
}

/// Whether silence fails a commitment within [`SILENT_EPOCHS`], and not before, wherever in an era
/// it begins.
pub fn silence_fails_in_every_phase() -> bool {
	(0..ERA).all(|phase| {
		let first = ERA.saturating_add(phase);
		Score::default().fails_within(first, SILENT_EPOCHS) == Some(SILENT_EPOCHS)
	})
}

/// The era of an epoch.
fn era(epoch: EpochIndex) -> u32 {
	epoch.saturating_div(ERA)
}

/// The place of an epoch in its era.
fn place(epoch: EpochIndex) -> u32 {
	epoch.checked_rem(ERA).unwrap_or(0)
}

/// Last epoch of the era of an epoch.
fn end_of_era(epoch: EpochIndex) -> EpochIndex {
	epoch.saturating_add(ERA.saturating_sub(1).saturating_sub(place(epoch)))
}

/// Weight of a miss in an epoch, in 2^-32.
fn weight(epoch: EpochIndex) -> u128 {
	at(&WEIGHTS, place(epoch))
}

/// Sum of the weights before a place.
fn prefix(place: u32) -> u128 {
	at(&PREFIXES, place)
}

/// Highest score of an epoch that is not a failure.
fn limit(epoch: EpochIndex) -> u128 {
	LIMIT.saturating_mul(weight(epoch))
}

/// An entry of a table; a place is never beyond its end.
fn at(table: &[u64], place: u32) -> u128 {
	usize::try_from(place)
		.ok()
		.and_then(|place| table.get(place))
		.copied()
		.map_or(0, u128::from)
}
