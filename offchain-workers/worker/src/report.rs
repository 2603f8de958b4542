//! Reports: what is said of an epoch, once.

use codec::{Decode, Encode};
use millrace_primitives::{
	capacity::WorkRates,
	execution::Receipt,
	merkle::Tree,
	report::{Report, Served, MAX_DEALS_PER_PEER},
	views::Owed,
	DealId, EpochIndex, Gas, H256,
};
use millrace_prover::{Prover, ProverError};
use std::collections::BTreeMap;

/// A report as it was made. It is stored before it is sent, so that a daemon that was killed in
/// between sends the same bytes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct StoredReport {
	/// What is sent.
	pub report: Report,
	/// Solutions that a unit owed, which number the leaves of `proofs_root`.
	pub rates: WorkRates,
}

/// The receipts of an epoch, summed up in the order of their numbers.
#[derive(Clone, Debug, Default)]
pub struct Tally {
	leaves: Vec<H256>,
	deals: BTreeMap<DealId, (u32, Gas)>,
	/// Deals that the peer stood ready for.
	pub ready: Vec<DealId>,
	/// Receipts above a gap, which no report can hold.
	pub lost: u64,
}

impl Tally {
	/// Number of receipts: the number that the next one must have.
	pub fn receipts(&self) -> u32 {
		// Numbers of calls are 32 bits wide.
		self.leaves.len() as u32
	}

	/// Adds the next receipt.
	pub fn add(&mut self, receipt: &Receipt) {
		self.leaves.push(receipt.hash());
		let (calls, gas) = self.deals.entry(receipt.deal).or_default();
		*calls = calls.saturating_add(1);
		*gas = gas.saturating_add(receipt.gas);
	}

	/// The report of an epoch over these receipts and that capacity.
	pub fn into_report(self, epoch: EpochIndex, capacity: &Capacity) -> StoredReport {
		let mut report = Report {
			proven_idle: capacity.idle,
			proven_busy: capacity.busy,
			proofs_root: proofs_tree(&capacity.nonces).root(),
			receipts: self.receipts(),
			..Report::empty(epoch)
		};
		// The chain takes no more deals than a peer can have; with more, ready ones without calls
		// are those that were replaced.
		let room = MAX_DEALS_PER_PEER as usize;
		let mut deals = self.deals;
		for deal in self.ready {
			if deals.len() < room {
				deals.entry(deal).or_default();
			}
		}
		for (deal, (calls, gas)) in deals {
			// Bounded by `room`.
			let _ = report.served.try_push(Served { deal, calls, gas });
		}
		report.receipts_root = Tree::new(self.leaves).root();
		StoredReport {
			report,
			rates: capacity.rates,
		}
	}
}

/// What the prover proves of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capacity {
	rates: WorkRates,
	idle: u32,
	busy: u32,
	nonces: Vec<u64>,
}

impl Capacity {
	/// Nothing proven.
	pub fn none() -> Self {
		Self {
			rates: WorkRates { idle: 1, busy: 1 },
			idle: 0,
			busy: 0,
			nonces: Vec::new(),
		}
	}

	/// What was found of the work owed, never more than that. Reads the disk.
	pub fn of(prover: &Prover, owed: &Owed) -> Result<Self, ProverError> {
		let proofs = prover.finish(owed.epoch)?;
		let idle = proofs.proven_idle.min(owed.idle);
		let busy = proofs.proven_busy.min(owed.busy);
		let nonces = prover.nonces(owed.epoch, owed.rates, idle, busy)?;
		Ok(nonces.map_or_else(Self::none, |nonces| Self {
			rates: owed.rates,
			idle,
			busy,
			nonces,
		}))
	}
}

/// The tree under a report's `proofs_root`.
pub(crate) fn proofs_tree(nonces: &[u64]) -> Tree {
	Tree::new(nonces.iter().map(|nonce| nonce.to_le_bytes()))
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{
		execution::{empty_transcript, CallStatus, PROFILE_V1},
		merkle,
		peer::PeerId,
	};

	fn receipt(seq: u32, deal: DealId, gas: Gas) -> Receipt {
		Receipt {
			genesis: H256::zero(),
			seed: H256::zero(),
			deal,
			peer: PeerId::default(),
			epoch: 4,
			seq,
			package: H256::zero(),
			profile: PROFILE_V1,
			terms: H256::zero(),
			request: H256::zero(),
			response: H256::zero(),
			transcript: empty_transcript(),
			status: CallStatus::Exited(0),
			gas,
			block: 80,
		}
	}

	#[test]
	fn calls_are_summed_by_deal_and_ready_deals_are_listed() {
		let mut tally = Tally {
			ready: vec![9, 2],
			..Tally::default()
		};
		for (seq, deal) in [3, 2, 3].into_iter().enumerate() {
			tally.add(&receipt(seq as u32, deal, 10));
		}
		let capacity = Capacity {
			idle: 2,
			nonces: vec![7, 8],
			..Capacity::none()
		};
		let report = tally.into_report(4, &capacity).report;
		let served: Vec<_> = report
			.served
			.iter()
			.map(|served| (served.deal, served.calls, served.gas))
			.collect();
		assert_eq!(served, vec![(2, 1, 10), (3, 2, 20), (9, 0, 0)]);
		assert!(report.is_ordered());
		assert_eq!((report.receipts, report.proven_idle), (3, 2));
		assert_eq!(report.proofs_root, proofs_tree(&[7, 8]).root());
		assert_ne!(report.receipts_root, merkle::empty_root());
	}

	#[test]
	fn nothing_done_is_the_empty_report() {
		let report = Tally::default().into_report(4, &Capacity::none()).report;
		assert_eq!(report, Report::empty(4));
	}

	#[test]
	fn no_more_deals_are_listed_than_the_chain_takes() {
		let mut tally = Tally {
			ready: (1_000..1_100).collect(),
			..Tally::default()
		};
		tally.add(&receipt(0, 5_000, 1));
		let report = tally.into_report(4, &Capacity::none()).report;
		assert_eq!(report.served.len(), MAX_DEALS_PER_PEER as usize);
		assert_eq!(
			report
				.served
				.last()
				.map(|served| (served.deal, served.calls)),
			Some((5_000, 1))
		);
	}
}
