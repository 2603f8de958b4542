//! What challengers are owed: leaves that refute a charge of omission, and data that are demanded.

use crate::{
	errors::StoreError,
	packages::Packages,
	receipts::{Body, ReceiptStore},
};
use codec::Encode;
use millrace_primitives::{
	challenge::{CaseId, Shown, Wanted},
	EpochIndex, H256,
};
use std::collections::{BTreeMap, BTreeSet};

/// Why a challenger does not get what it is owed.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
	/// The store failed.
	#[error(transparent)]
	Store(#[from] StoreError),
	/// The receipt, or its call, is not in the store.
	#[error(
		"receipt {seq} of epoch {epoch} is demanded and its call is not kept any more: raise \
		 limits.stored_bytes, and see whether the data directory was replaced"
	)]
	NotKept {
		/// The epoch.
		epoch: EpochIndex,
		/// Its number.
		seq: u32,
	},
	/// The package is not in the directory of packages.
	#[error("package {0:?} is demanded and not in the directory of packages")]
	NoPackage(H256),
	/// What is kept is not what the receipt names.
	#[error("what is kept of receipt {seq} of epoch {epoch} is not what was demanded")]
	Other {
		/// The epoch.
		epoch: EpochIndex,
		/// Its number.
		seq: u32,
	},
	/// More bytes than the demand pays for.
	#[error("{size} bytes are demanded and {paid} are paid for")]
	Unpaid {
		/// Bytes of the data.
		size: usize,
		/// Bytes that are paid for.
		paid: u32,
	},
}

/// The leaves that refute these charges of omission, by their receipts. A receipt that was signed with
/// the peer's key and is in no report of this daemon cannot be shown. Reads the disk.
pub fn shown(
	store: &ReceiptStore,
	cases: &[CaseId],
) -> Result<Vec<(CaseId, Shown)>, EvidenceError> {
	let mut epochs: BTreeMap<EpochIndex, BTreeSet<H256>> = BTreeMap::new();
	for case in cases {
		epochs.entry(case.epoch).or_default().insert(case.subject);
	}
	let mut shown = Vec::new();
	for (epoch, subjects) in epochs {
		let Some(stored) = store.report(epoch)? else {
			continue;
		};
		let report = stored.report;
		for (subject, seq) in store.find(epoch, &subjects)? {
			let Some((_, path)) = store.proof(&report, seq)? else {
				continue;
			};
			let of_case = cases
				.iter()
				.filter(|case| (case.epoch, case.subject) == (epoch, subject));
			shown.extend(of_case.map(|case| {
				let shown = Shown {
					report: report.clone(),
					path: path.clone(),
				};
				(*case, shown)
			}));
		}
	}
	Ok(shown)
}

/// The package that is demanded.
pub async fn package(packages: &Packages, hash: H256, paid: u32) -> Result<Vec<u8>, EvidenceError> {
	let bytes = packages
		.stored(hash)
		.await
		.ok_or(EvidenceError::NoPackage(hash))?;
	paid_for(bytes.into(), paid)
}

/// Request or transcript of a call, encoded, if it is what must be posted. Reads the disk.
pub fn record(
	store: &ReceiptStore,
	(epoch, seq): (EpochIndex, u32),
	wanted: Wanted,
	hash: H256,
	paid: u32,
) -> Result<Vec<u8>, EvidenceError> {
	let body = store
		.body((epoch, seq))?
		.ok_or(EvidenceError::NotKept { epoch, seq })?;
	let Body {
		call, transcript, ..
	} = body;
	let (is_it, bytes) = match wanted {
		Wanted::Request => (call.request.hash() == hash, call.request.encode()),
		Wanted::Transcript => (transcript.hash() == hash, transcript.encode()),
		// Packages are kept elsewhere.
		Wanted::Package => (false, Vec::new()),
	};
	if !is_it {
		return Err(EvidenceError::Other { epoch, seq });
	}
	paid_for(bytes, paid)
}

fn paid_for(bytes: Vec<u8>, paid: u32) -> Result<Vec<u8>, EvidenceError> {
	match u32::try_from(bytes.len()) {
		Ok(size) if size <= paid => Ok(bytes),
		_ => Err(EvidenceError::Unpaid {
			size: bytes.len(),
			paid,
		}),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		ledger::{tests::call, Call},
		receipts::Finished,
		report::{Capacity, Tally},
	};
	use millrace_primitives::{
		challenge::Charge,
		effects::{effect_hash, EffectRecord, Transcript},
		execution::{response_hash, CallStatus, Receipt, SignedReceipt},
		merkle,
		peer::PeerId,
	};
	use std::{path::Path, sync::Arc};

	fn transcript() -> Transcript {
		Transcript(vec![EffectRecord {
			request: effect_hash(b"asked"),
			reply: b"told".to_vec(),
		}])
	}

	fn receipt(call: &Call) -> Receipt {
		Receipt {
			genesis: H256::zero(),
			seed: call.seed,
			deal: call.terms.deal,
			peer: PeerId::default(),
			epoch: call.epoch,
			seq: call.seq,
			package: call.terms.package,
			profile: call.terms.profile,
			terms: call.terms.hash(H256::zero()),
			request: call.request.hash(),
			response: response_hash(b""),
			transcript: transcript().hash(),
			status: CallStatus::Exited(0),
			gas: 1,
			block: call.block,
		}
	}

	/// Calls 0 to 2 of epoch 5, of which the last one ended after the report.
	fn store(dir: &Path) -> (ReceiptStore, Vec<Call>) {
		let store = ReceiptStore::open(dir, H256::zero(), PeerId::default(), 1 << 20);
		let store = store.expect("it opens");
		let calls: Vec<Call> = (0..3).map(|seq| Call { seq, ..call(5, 1) }).collect();
		let finished = |call: &Call| {
			let signed = SignedReceipt {
				receipt: receipt(call),
				signature: [1; 64],
			};
			Finished::new(Arc::new(call.clone()), &signed, b"", &transcript())
		};
		let batch: Vec<_> = calls[..2].iter().map(finished).collect();
		store.commit(batch, &[]).expect("stores");
		let make = |tally: Tally| tally.into_report(5, &Capacity::none());
		store.report_once(5, make).expect("stores");
		(store, calls)
	}

	fn case(call: &Call) -> CaseId {
		CaseId {
			peer: PeerId::default(),
			epoch: call.epoch,
			charge: Charge::Omitted,
			subject: receipt(call).hash(),
		}
	}

	#[test]
	fn what_is_reported_can_be_shown_and_what_is_not_cannot() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, calls) = store(dir.path());
		let elsewhere = CaseId {
			epoch: 9,
			..case(&calls[0])
		};
		let cases = [case(&calls[1]), case(&calls[2]), elsewhere];
		let shown = shown(&store, &cases).expect("reads");
		assert_eq!(shown.len(), 1);
		let (of, Shown { report, path }) = &shown[0];
		assert_eq!(*of, cases[0]);
		let count = u64::from(report.receipts);
		let leaf = cases[0].subject;
		assert!(merkle::verify(
			report.receipts_root,
			count,
			1,
			leaf.as_bytes(),
			path
		));
	}

	#[test]
	fn demanded_data_are_posted_only_as_demanded() {
		let dir = tempfile::tempdir().expect("a directory");
		let (store, calls) = store(dir.path());
		let of = |wanted, hash, paid| record(&store, (5, 1), wanted, hash, paid);
		let request = calls[1].request.encode();
		let size = request.len() as u32;
		let hash = calls[1].request.hash();
		assert_eq!(
			of(Wanted::Request, hash, size).expect("it is kept"),
			request
		);
		assert!(matches!(
			of(Wanted::Request, hash, size - 1),
			Err(EvidenceError::Unpaid { .. })
		));
		let bytes = of(Wanted::Transcript, transcript().hash(), 1_000);
		assert_eq!(bytes.expect("it is kept"), transcript().encode());
		for wanted in [Wanted::Request, Wanted::Transcript, Wanted::Package] {
			let other = of(wanted, H256::zero(), 1_000);
			assert!(
				matches!(other, Err(EvidenceError::Other { .. })),
				"{wanted:?}"
			);
		}
		let missing = record(&store, (5, 2), Wanted::Request, hash, 1_000);
		assert!(matches!(
			missing,
			Err(EvidenceError::NotKept { epoch: 5, seq: 2 })
		));
	}
}
