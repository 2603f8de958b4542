//! Some receipts of each peer and epoch, to see whether they were reported.

use millrace_primitives::{execution::SignedReceipt, peer::PeerId, EpochIndex};
use std::{
	collections::{hash_map::RandomState, BTreeMap},
	hash::BuildHasher,
};

/// Receipts of one peer and epoch that are looked for in its report. Of a peer that leaves out one in
/// five, each sample catches 97 in 100 epochs.
const SIZE: usize = 16;
/// Epochs that are sampled: the present one, and the one before until its reports are final.
const EPOCHS: usize = 3;

/// Samples by epoch and peer.
#[derive(Debug, Default)]
pub(super) struct Samples {
	epochs: BTreeMap<EpochIndex, BTreeMap<PeerId, Sample>>,
}

/// A part of what came, in which each has the same chance to be.
#[derive(Debug, Default)]
struct Sample {
	/// How many came.
	seen: u64,
	receipts: Vec<SignedReceipt>,
}

impl Samples {
	/// Adds a receipt; false where its epoch is too old to be looked at again.
	pub(super) fn add(&mut self, receipt: &SignedReceipt) -> bool {
		let epoch = receipt.receipt.epoch;
		let newest = self.epochs.last_key_value().map(|(newest, _)| *newest);
		if newest.is_some_and(|newest| newest.saturating_sub(epoch) >= EPOCHS as u32) {
			return false;
		}
		let peers = self.epochs.entry(epoch).or_default();
		peers.entry(receipt.receipt.peer).or_default().add(receipt);
		while self.epochs.len() > EPOCHS {
			self.epochs.pop_first();
		}
		true
	}

	/// The samples of an epoch, which are forgotten.
	pub(super) fn take(&mut self, epoch: EpochIndex) -> BTreeMap<PeerId, Vec<SignedReceipt>> {
		let peers = self.epochs.remove(&epoch).unwrap_or_default();
		peers
			.into_iter()
			.map(|(peer, sample)| (peer, sample.receipts))
			.collect()
	}
}

impl Sample {
	fn add(&mut self, receipt: &SignedReceipt) {
		self.seen = self.seen.saturating_add(1);
		if self.receipts.len() < SIZE {
			self.receipts.push(receipt.clone());
			return;
		}
		// Keys of hashers are random, and nobody outside knows them.
		let chosen = RandomState::new().hash_one(self.seen) % self.seen;
		let place = usize::try_from(chosen).ok();
		if let Some(place) = place.and_then(|place| self.receipts.get_mut(place)) {
			*place = receipt.clone();
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::verify::tests::{live, sign};
	use millrace_client::PeerKeypair;
	use millrace_primitives::execution::{CallStatus, Request};
	use std::collections::BTreeSet;

	fn receipt(epoch: EpochIndex, key: u8, seq: u32) -> SignedReceipt {
		let key = PeerKeypair::from_seed([key; 32], None);
		let mut signed = sign(&key, &Request::default(), b"", CallStatus::Exited(0));
		signed.receipt.epoch = epoch;
		signed.receipt.seq = seq;
		signed
	}

	#[test]
	fn every_peer_has_a_sample_of_bounded_size() {
		let mut samples = Samples::default();
		for seq in 0..400 {
			assert!(samples.add(&receipt(4, 1, seq)));
		}
		samples.add(&receipt(4, 2, 0));
		let taken = samples.take(4);
		let of = |key: u8| live(&PeerKeypair::from_seed([key; 32], None), "").peer;
		let many = &taken[&of(1)];
		let seqs: BTreeSet<u32> = many.iter().map(|signed| signed.receipt.seq).collect();
		assert_eq!((many.len(), seqs.len()), (SIZE, SIZE), "none twice");
		// The chance that none of those behind the first sixteen is chosen is 25 to the minus 16.
		assert!(seqs.iter().any(|seq| *seq >= SIZE as u32));
		assert_eq!(taken[&of(2)].len(), 1);
		assert!(samples.take(4).is_empty(), "they are given once");
	}

	#[test]
	fn old_epochs_are_forgotten() {
		let mut samples = Samples::default();
		for epoch in [3, 4, 5, 6] {
			assert!(samples.add(&receipt(epoch, 1, 0)));
		}
		assert!(samples.take(3).is_empty());
		assert!(!samples.add(&receipt(3, 1, 0)));
		for epoch in [4, 5, 6] {
			assert_eq!(samples.take(epoch).len(), 1);
		}
	}
}
