//! Receipts that were received, against what their peer reported: none may be left out, and each
//! stands under its own number.

use crate::{
	inspect::is_authentic,
	records::StoreError,
	shared::{Fault, Shared, NEXT},
	sources::Sources,
};
use millrace_client::{ReadError, ReceiptProof, View};
use millrace_primitives::{
	challenge::Evidence, execution::SignedReceipt, merkle, peer::PeerId, report::Report,
	views::ReportRecord, BlockNumber, EpochIndex,
};

/// Receipts of a peer and epoch whose leaves are asked for, drawn by nobody but this process: each
/// costs the peer a proof. Numbers beyond the report are seen without.
const SAMPLE: usize = 64;
/// Attempts to learn what a peer reported.
const TRIES: u32 = 6;
/// Blocks between them.
const PAUSE: BlockNumber = 2;

/// What a peer shows under the number of a receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Leaf {
	/// The receipt itself.
	Same,
	/// Another one, which stands in the report.
	Other(Box<SignedReceipt>),
	/// Nothing that proves anything.
	Nothing,
}

impl Shared {
	/// Compares the receipts of a peer and epoch with its report, once it is final. The block at which
	/// to try again; `None` when it is done, [`NEXT`] where nothing was tried.
	pub(crate) async fn compare(
		&self,
		view: &View,
		peer: PeerId,
		epoch: EpochIndex,
		tries: u32,
	) -> Result<Option<BlockNumber>, Fault> {
		let now = view.block().number;
		let present = view.epoch().await?.info.index;
		let record = view.report(peer, epoch).await?;
		let Some(record) = record.filter(|record| record.epoch == epoch) else {
			// Nobody can leave anything out of a report that there is not.
			if present > epoch.saturating_add(1) {
				self.let_go(peer, epoch).await?;
				return Ok(None);
			}
			return Ok(Some(NEXT));
		};
		let held = self
			.store
			.with(move |records| records.held(peer, epoch))
			.await?;
		if held.is_empty() {
			return Ok(None);
		}
		let mut left = sample(held.clone(), SAMPLE)?;
		let first = held.first().map_or(0, |signed| signed.receipt.seq);
		let sources = &self.sources;
		let found = find_report(view, sources, &record, peer, first).await?;
		let Some(report) = found else {
			return self.give_up(peer, epoch, now, tries).await;
		};
		if let Some(beyond) = held
			.iter()
			.find(|signed| signed.receipt.seq >= report.receipts)
		{
			let evidence = Evidence::Omitted {
				receipt: beyond.clone(),
				report,
			};
			self.suspect(evidence, "the report has no such number")
				.await?;
			self.let_go(peer, epoch).await?;
			return Ok(None);
		}
		let mut unproven = 0u32;
		while let Some(signed) = left.pop() {
			match leaf(view, sources, &report, &signed).await? {
				Leaf::Same => {}
				Leaf::Other(other) => {
					let evidence = against(view, signed, *other, report).await?;
					self.suspect(evidence, "the report has another receipt under its number")
						.await?;
					self.let_go(peer, epoch).await?;
					return Ok(None);
				}
				Leaf::Nothing => unproven = unproven.saturating_add(1),
			}
		}
		if unproven > 0 {
			return self.give_up(peer, epoch, now, tries).await;
		}
		self.let_go(peer, epoch).await?;
		Ok(None)
	}

	async fn give_up(
		&self,
		peer: PeerId,
		epoch: EpochIndex,
		now: BlockNumber,
		tries: u32,
	) -> Result<Option<BlockNumber>, Fault> {
		if tries < TRIES {
			return Ok(Some(now.saturating_add(PAUSE)));
		}
		// The peer may prove on chain what it does not prove here, and the bond would be lost.
		tracing::warn!(
			%peer,
			epoch,
			"a peer does not prove the receipts that it gave; `millrace receipt challenge` makes it"
		);
		self.metrics.checked.with_label_values(&["unproven"]).inc();
		self.let_go(peer, epoch).await?;
		Ok(None)
	}

	async fn let_go(&self, peer: PeerId, epoch: EpochIndex) -> Result<(), StoreError> {
		self.store
			.with(move |records| records.let_go(peer, epoch))
			.await
	}
}

/// What a peer's report says of a receipt that the peer signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
	/// There is no report: it cannot leave anything out.
	NoReport,
	/// The receipt stands in it.
	Stands,
	/// It is left out, or another receipt has its number; this proves it.
	LeftOut(Box<Evidence>),
	/// The peer does not prove that it stands there. It may do so before the chain.
	Unproven(Box<Report>),
	/// The report is not to be had.
	Unknown,
}

/// Looks for a receipt in the report of its peer.
pub async fn look_in_report(
	view: &View,
	sources: &Sources,
	signed: &SignedReceipt,
) -> Result<Reported, ReadError> {
	let receipt = &signed.receipt;
	let record = view.report(receipt.peer, receipt.epoch).await?;
	let Some(record) = record.filter(|record| record.epoch == receipt.epoch) else {
		return Ok(Reported::NoReport);
	};
	let found = find_report(view, sources, &record, receipt.peer, receipt.seq).await?;
	let Some(report) = found else {
		return Ok(Reported::Unknown);
	};
	if receipt.seq >= report.receipts {
		return Ok(Reported::LeftOut(Box::new(Evidence::Omitted {
			receipt: signed.clone(),
			report,
		})));
	}
	Ok(match leaf(view, sources, &report, signed).await? {
		Leaf::Same => Reported::Stands,
		Leaf::Nothing => Reported::Unproven(Box::new(report)),
		Leaf::Other(other) => {
			let evidence = against(view, signed.clone(), *other, report).await?;
			Reported::LeftOut(Box::new(evidence))
		}
	})
}

/// What another receipt under the number of one that a peer has signed proves.
async fn against(
	view: &View,
	ours: SignedReceipt,
	other: SignedReceipt,
	report: Report,
) -> Result<Evidence, ReadError> {
	let same_number = other.receipt.peer == ours.receipt.peer
		&& other.receipt.epoch == ours.receipt.epoch
		&& other.receipt.seq == ours.receipt.seq;
	Ok(match same_number && is_authentic(view, &other).await? {
		true => Evidence::DoubleSeq {
			first: ours,
			second: other,
		},
		false => Evidence::Omitted {
			receipt: ours,
			report,
		},
	})
}

/// A report: from the peer's door, by the proof of a number, or from the block that holds it.
async fn find_report(
	view: &View,
	sources: &Sources,
	record: &ReportRecord,
	peer: PeerId,
	seq: u32,
) -> Result<Option<Report>, ReadError> {
	let (genesis, epoch) = (view.genesis(), record.epoch);
	let proof = sources.proof(view, peer, epoch, seq).await?;
	let report = proof.map(|proof| proof.report);
	if let Some(report) = report.filter(|report| report.hash(genesis, peer) == record.hash) {
		return Ok(Some(report));
	}
	// Whoever leaves a receipt out will not show the report that shows it; the chain does.
	let Some(info) = view.past_epoch(epoch.saturating_add(1)).await? else {
		return Ok(None);
	};
	let next = view.past_epoch(epoch.saturating_add(2)).await?;
	let last = next.map_or(view.block().number, |next| next.start);
	for number in info.start..=last {
		if let Some(report) = sources.report(number, peer, record.hash).await? {
			return Ok(Some(report));
		}
	}
	Ok(None)
}

/// What the peer shows under the number of a receipt.
async fn leaf(
	view: &View,
	sources: &Sources,
	report: &Report,
	signed: &SignedReceipt,
) -> Result<Leaf, ReadError> {
	let receipt = &signed.receipt;
	let proof = sources
		.proof(view, receipt.peer, receipt.epoch, receipt.seq)
		.await?;
	Ok(proof.map_or(Leaf::Nothing, |proof| leaf_of(report, signed, proof)))
}

/// What a proof shows under the number of a receipt.
fn leaf_of(report: &Report, signed: &SignedReceipt, proof: ReceiptProof) -> Leaf {
	let shown = &proof.receipt.receipt;
	let stands = merkle::verify(
		report.receipts_root,
		report.receipts.into(),
		signed.receipt.seq.into(),
		shown.hash().as_bytes(),
		&proof.path,
	);
	match (stands, *shown == signed.receipt) {
		(false, _) => Leaf::Nothing,
		(true, true) => Leaf::Same,
		(true, false) => Leaf::Other(Box::new(proof.receipt)),
	}
}

/// So many of the receipts, that nobody can tell beforehand.
fn sample(mut receipts: Vec<SignedReceipt>, most: usize) -> Result<Vec<SignedReceipt>, StoreError> {
	let mut chosen = Vec::new();
	while chosen.len() < most && !receipts.is_empty() {
		let mut bytes = [0; 8];
		getrandom::fill(&mut bytes).map_err(|error| StoreError::Thread(error.to_string()))?;
		// The bias of a remainder of 64 bits is nothing.
		let place = u64::from_le_bytes(bytes) % receipts.len() as u64;
		chosen.push(receipts.swap_remove(place as usize));
	}
	Ok(chosen)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::records::tests::signed;
	use millrace_primitives::{merkle::Tree, H256};

	const PEER: PeerId = PeerId(H256::repeat_byte(7));

	/// A report of three receipts, with the proof of each.
	fn reported() -> (Report, Vec<ReceiptProof>) {
		let receipts: Vec<_> = (0..3).map(|seq| signed(PEER, 4, seq, b"a")).collect();
		let tree = Tree::new(receipts.iter().map(|signed| signed.receipt.hash()));
		let mut report = Report::empty(4);
		report.receipts = 3;
		report.receipts_root = tree.root();
		let proofs = (0u64..)
			.zip(&receipts)
			.map(|(index, receipt)| ReceiptProof {
				report: report.clone(),
				receipt: receipt.clone(),
				path: tree.path(index).expect("there are three"),
			})
			.collect();
		(report, proofs)
	}

	#[test]
	fn a_leaf_is_ours_or_another_or_nothing() {
		let (report, proofs) = reported();
		let ours = proofs[1].receipt.clone();
		assert_eq!(leaf_of(&report, &ours, proofs[1].clone()), Leaf::Same);
		// The peer gave us one and reported the other.
		let given = signed(PEER, 4, 1, b"b");
		assert_eq!(
			leaf_of(&report, &given, proofs[1].clone()),
			Leaf::Other(Box::new(ours.clone()))
		);
		// A proof of another number, or of something that is not reported.
		assert_eq!(leaf_of(&report, &ours, proofs[2].clone()), Leaf::Nothing);
		let mut forged = proofs[1].clone();
		forged.receipt = given.clone();
		assert_eq!(leaf_of(&report, &given, forged), Leaf::Nothing);
	}

	#[test]
	fn a_sample_has_no_receipt_twice_and_all_if_they_are_few() {
		let receipts: Vec<_> = (0..10).map(|seq| signed(PEER, 4, seq, b"a")).collect();
		for (most, expected) in [(4, 4), (10, 10), (64, 10)] {
			let chosen = sample(receipts.clone(), most).expect("there is randomness");
			let numbers: std::collections::BTreeSet<u32> =
				chosen.iter().map(|signed| signed.receipt.seq).collect();
			assert_eq!((chosen.len(), numbers.len()), (expected, expected));
		}
	}
}
