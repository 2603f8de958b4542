//! Packages of one deal over time: where it is updated in place, the one before counts for a while.

use crate::{
	execution::{CallTerms, ProfileId},
	BlockNumber, EpochIndex, H256,
};
use alloc::vec::Vec;
use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Most packages before the present one that a deal remembers.
pub const MAX_PAST_PACKAGES: u32 = 16;

/// A package that a deal had before its present one.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PastPackage {
	/// [`crate::execution::package_hash`] of the module.
	pub hash: H256,
	/// Size of the module in bytes.
	pub size: u32,
	/// Engine profile that calls of it run under.
	pub profile: ProfileId,
	/// First block at which it counts.
	pub from: BlockNumber,
	/// Last epoch in which it counts. An epoch and no block: where an epoch ends is not known before.
	pub until: EpochIndex,
}

impl PastPackage {
	/// Whether calls of it count that began at a block of an epoch.
	pub fn counts(&self, epoch: EpochIndex, block: BlockNumber) -> bool {
		self.from <= block && epoch <= self.until
	}

	/// What its calls run under, given what those of the present package do.
	fn terms(&self, present: &CallTerms) -> CallTerms {
		CallTerms {
			package: self.hash,
			package_bytes: self.size,
			profile: self.profile,
			..present.clone()
		}
	}
}

/// Since when a deal has its present package, and which it had before.
#[derive(
	Clone,
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PackageHistory {
	/// First block at which the present package counts; 0: it is the one that was ordered.
	pub since: BlockNumber,
	/// Those before it that are remembered, the oldest first.
	pub past: BoundedVec<PastPackage, ConstU32<MAX_PAST_PACKAGES>>,
	/// Last epoch of those before that are not remembered; `None`: all are.
	pub forgotten: Option<EpochIndex>,
}

/// Why there are no terms to judge a call by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoTerms {
	/// The deal is gone, or the call is of an epoch of which not all its packages are remembered: nothing
	/// can be said.
	Unknown,
	/// The deal did not have the package at that block: no call of it counts.
	OtherPackage,
}

impl PackageHistory {
	/// What a call of a package ran under that began at a block of an epoch. `present` are the terms of
	/// calls of the present package.
	///
	/// Where an update brought a package back, the latest time counts that had begun.
	pub fn terms(
		&self,
		present: &CallTerms,
		package: H256,
		epoch: EpochIndex,
		block: BlockNumber,
	) -> Result<CallTerms, NoTerms> {
		if package == present.package && self.since <= block {
			return Ok(present.clone());
		}
		let mut counting = self.counting(epoch, block);
		match counting.find(|past| past.hash == package) {
			Some(past) => Ok(past.terms(present)),
			None if self.forgotten.is_some_and(|last| epoch <= last) => Err(NoTerms::Unknown),
			None => Err(NoTerms::OtherPackage),
		}
	}

	/// What a call may run under that begins at a block of an epoch, in the order of preference: the
	/// newest package first.
	///
	/// At the very block of an update the present one is the last choice. Whoever checks receipts has
	/// heard of it before the first is signed then.
	pub fn choices(
		&self,
		present: &CallTerms,
		epoch: EpochIndex,
		block: BlockNumber,
	) -> Vec<CallTerms> {
		let mut choices: Vec<CallTerms> = Vec::new();
		if self.since <= block {
			choices.push(present.clone());
		}
		for past in self.counting(epoch, block) {
			// Of a package that came back the older time is no choice: receipts are judged by the later.
			if choices.iter().all(|terms| terms.package != past.hash) {
				choices.push(past.terms(present));
			}
		}
		if self.since == block && !choices.is_empty() {
			choices.rotate_left(1);
		}
		choices
	}

	/// The history without those that count in no epoch from this one on.
	pub fn from_epoch(mut self, epoch: EpochIndex) -> Self {
		self.past.retain(|past| epoch <= past.until);
		self
	}

	/// Whether the deal's package is another one than was ordered.
	pub fn is_updated(&self) -> bool {
		self.since > 0
	}

	/// Those before the present one that count at a block of an epoch, the newest first.
	fn counting(
		&self,
		epoch: EpochIndex,
		block: BlockNumber,
	) -> impl Iterator<Item = &PastPackage> {
		self.past
			.iter()
			.rev()
			.filter(move |past| past.counts(epoch, block))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::execution::{tests::terms, PROFILE_V1, UNVERIFIED};
	use proptest::prelude::*;

	const A: H256 = H256::repeat_byte(0xa);
	const B: H256 = H256::repeat_byte(0xb);
	const C: H256 = H256::repeat_byte(0xc);

	fn past(hash: H256, from: BlockNumber, until: EpochIndex) -> PastPackage {
		PastPackage {
			hash,
			size: 7,
			profile: PROFILE_V1 | UNVERIFIED,
			from,
			until,
		}
	}

	fn history(since: BlockNumber, rows: &[PastPackage]) -> PackageHistory {
		PackageHistory {
			since,
			past: rows.to_vec().try_into().expect("they are few"),
			forgotten: None,
		}
	}

	fn present(package: H256) -> CallTerms {
		CallTerms { package, ..terms() }
	}

	fn hashes(choices: Vec<CallTerms>) -> Vec<H256> {
		choices.into_iter().map(|terms| terms.package).collect()
	}

	#[test]
	fn a_deal_that_was_never_updated_has_one_package_at_any_block() {
		let (history, present) = (PackageHistory::default(), present(A));
		assert_eq!(history.terms(&present, A, 3, 0), Ok(present.clone()));
		assert_eq!(history.terms(&present, B, 3, 0), Err(NoTerms::OtherPackage));
		assert_eq!(history.choices(&present, 3, 70), vec![present]);
		assert!(!history.is_updated());
	}

	#[test]
	fn the_package_before_counts_to_the_end_of_its_last_epoch_and_under_its_own_terms() {
		// Updated at block 70 of epoch 3.
		let (history, present) = (history(70, &[past(A, 0, 4)]), present(B));
		let before = CallTerms {
			package: A,
			package_bytes: 7,
			profile: PROFILE_V1 | UNVERIFIED,
			..present.clone()
		};
		for (epoch, block) in [(3, 69), (3, 70), (4, 99)] {
			assert_eq!(
				history.terms(&present, A, epoch, block),
				Ok(before.clone()),
				"{block}"
			);
		}
		assert_eq!(
			history.terms(&present, A, 5, 100),
			Err(NoTerms::OtherPackage)
		);
		assert_eq!(
			history.terms(&present, B, 3, 69),
			Err(NoTerms::OtherPackage)
		);
		for (epoch, block) in [(3, 70), (5, 100)] {
			assert_eq!(
				history.terms(&present, B, epoch, block),
				Ok(present.clone()),
				"{block}"
			);
		}
		assert!(history.is_updated());
	}

	#[test]
	fn the_newest_package_is_the_first_choice_but_at_the_block_of_its_update() {
		let history = history(90, &[past(A, 0, 4), past(B, 70, 5)]);
		let choices = |epoch, block| hashes(history.choices(&present(C), epoch, block));
		assert_eq!(choices(4, 90), vec![B, A, C]);
		assert_eq!(choices(4, 91), vec![C, B, A]);
		assert_eq!(choices(5, 110), vec![C, B]);
		assert_eq!(choices(6, 130), vec![C]);
		let rest = history.clone().from_epoch(5);
		assert_eq!(rest.past.to_vec(), vec![past(B, 70, 5)]);
	}

	#[test]
	fn a_package_that_comes_back_runs_under_its_latest_terms() {
		let history = history(90, &[past(A, 0, 4), past(B, 70, 5)]);
		let present = present(A);
		assert_eq!(history.terms(&present, A, 4, 90), Ok(present.clone()));
		let earlier = history.terms(&present, A, 4, 89).expect("it counts");
		assert_eq!(earlier.package_bytes, 7);
		assert_eq!(hashes(history.choices(&present, 4, 90)), vec![B, A]);
		assert_eq!(history.choices(&present, 4, 91).first(), Some(&present));
	}

	#[test]
	fn nothing_is_said_of_epochs_whose_packages_are_forgotten() {
		let mut history = history(90, &[past(B, 70, 5)]);
		history.forgotten = Some(4);
		let present = present(C);
		assert_eq!(history.terms(&present, A, 4, 69), Err(NoTerms::Unknown));
		assert_eq!(
			history.terms(&present, A, 5, 95),
			Err(NoTerms::OtherPackage)
		);
		assert!(history.terms(&present, B, 4, 75).is_ok());
	}

	#[test]
	fn a_history_comes_back_as_it_was() {
		let full = PackageHistory {
			forgotten: Some(2),
			..history(90, &[past(A, 0, 4); MAX_PAST_PACKAGES as usize])
		};
		assert_eq!(
			PackageHistory::decode(&mut &full.encode()[..]),
			Ok(full.clone())
		);
		assert!(full.encoded_size() <= PackageHistory::max_encoded_len());
	}

	proptest! {
		/// Who serves by a choice signs what the judge judges by.
		#[test]
		fn every_choice_is_what_the_call_is_judged_by(
			updates in prop::collection::vec((0u8..3, 1u32..30), 1..8),
			epoch in 0u32..12,
			later in 0u32..20,
		) {
			let (mut since, mut rows) = (0, Vec::new());
			let package = |n: u8| H256::repeat_byte(n + 1);
			let mut last = 0;
			for (n, blocks) in updates {
				let block = since + blocks;
				rows.push(past(package(last), since, block / 20 + 1));
				(since, last) = (block, n);
			}
			let block = since.max(epoch * 20) + later;
			let epoch = block / 20;
			let (history, present) = (history(since, &rows), present(package(last)));
			let choices = history.choices(&present, epoch, block);
			prop_assert!(!choices.is_empty());
			for terms in choices {
				let judged = history.terms(&present, terms.package, epoch, block);
				prop_assert_eq!(judged, Ok(terms));
			}
		}
	}
}
