//! Which epochs cost no miss: those in which too much of the network was gone.

use crate::REMEMBERED_EPOCHS;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::EpochIndex;
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// Epochs of one word of bits.
const WORD: u32 = u64::BITS;

/// The excused ones among the last [`REMEMBERED_EPOCHS`] epochs, a bit for each; overwritten, never
/// swept. Epochs that were not judged or are forgotten are ordinary.
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
pub struct Amnesty {
	/// A bit for each epoch, at its index modulo their number.
	pub bits: [u64; 16],
	/// The epoch that was judged last. Epoch 0 owes nothing and is ordinary.
	pub latest: EpochIndex,
	/// Excused epochs in a row up to it.
	pub streak: u32,
	/// Units that were proven in the last ordinary one.
	pub base: u64,
}

impl Amnesty {
	/// Judges an epoch by the units that were proven in it: whether it is excused.
	///
	/// It is when they are fewer than a part of those of the last ordinary epoch, unless so many
	/// epochs before it were excused already. Compared with the epoch before instead, an outage of
	/// two epochs would excuse its first one only. An epoch is judged once, and in order.
	pub fn judge(
		&mut self,
		epoch: EpochIndex,
		units: u64,
		part: Perbill,
		most_in_a_row: u32,
	) -> bool {
		if epoch <= self.latest {
			return self.is_excused(epoch);
		}
		// What lies between was never judged: its bits are of epochs long before.
		let unjudged = epoch
			.saturating_sub(self.latest)
			.saturating_sub(1)
			.min(REMEMBERED_EPOCHS);
		for back in 1..=unjudged {
			self.set(epoch.saturating_sub(back), false);
		}
		self.latest = epoch;

		let usual = u128::from(self.base).saturating_mul(part.deconstruct().into());
		let whole = Perbill::one().deconstruct();
		let fallen = u128::from(units).saturating_mul(whole.into()) < usual;
		let excused = fallen && self.streak < most_in_a_row;
		if excused {
			self.streak = self.streak.saturating_add(1);
		} else {
			self.streak = 0;
			self.base = units;
		}
		self.set(epoch, excused);
		excused
	}

	/// Whether an epoch costs no miss.
	pub fn is_excused(&self, epoch: EpochIndex) -> bool {
		let remembered = self
			.latest
			.checked_sub(epoch)
			.is_some_and(|age| age < REMEMBERED_EPOCHS);
		let (word, bit) = place(epoch);
		remembered && self.bits.get(word).is_some_and(|word| word & bit != 0)
	}

	fn set(&mut self, epoch: EpochIndex, excused: bool) {
		let (word, bit) = place(epoch);
		if let Some(word) = self.bits.get_mut(word) {
			*word = if excused { *word | bit } else { *word & !bit };
		}
	}
}

/// The word of an epoch's bit, and the bit in it.
fn place(epoch: EpochIndex) -> (usize, u64) {
	let slot = epoch.checked_rem(REMEMBERED_EPOCHS).unwrap_or(0);
	let word = usize::try_from(slot.saturating_div(WORD)).unwrap_or(0);
	let bit = 1u64
		.checked_shl(slot.checked_rem(WORD).unwrap_or(0))
		.unwrap_or(0);
	(word, bit)
}
