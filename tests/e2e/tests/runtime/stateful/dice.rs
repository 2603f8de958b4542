//! Chance, the same at every run of a seed.

/// A generator after Steele, Lea and Flood (SplitMix64).
#[derive(Debug)]
pub(crate) struct Dice(u64);

impl Dice {
	pub(super) fn new(seed: u64) -> Self {
		Self(seed)
	}

	fn roll(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut x = self.0;
		x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		x ^ (x >> 31)
	}

	/// A number below another one.
	pub(super) fn below(&mut self, bound: u32) -> u32 {
		(self.roll() % u64::from(bound)) as u32
	}

	/// From one number to another, both included.
	pub(super) fn from_to(&mut self, least: u32, most: u32) -> u32 {
		least + self.below(most - least + 1)
	}

	pub(super) fn one_in(&mut self, number: u32) -> bool {
		self.below(number) == 0
	}

	/// One of a list; `None` of an empty one.
	pub(super) fn pick<T: Clone>(&mut self, all: &[T]) -> Option<T> {
		let number = u32::try_from(all.len()).expect("lists are short");
		(number > 0).then(|| all[self.below(number) as usize].clone())
	}
}
