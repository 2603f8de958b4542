//! What stands in the bodies of blocks: data that peers posted, and reports.
//!
//! No form of transactions is parsed. What is looked for begins behind bytes that are known, and a
//! hash says whether it is the right thing.

use codec::{Decode, Encode};
use millrace_primitives::{
	challenge::Wanted, execution::package_hash, peer::PeerId, report::Report, EpochIndex, H256,
};

/// How every module begins.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";
/// The signature that ends a transaction that posts data.
const SIGNATURE: usize = 64;

/// Data that a peer posted for a receipt, if a transaction can be one that does. Whether they are
/// the right ones is the caller's to see.
pub(crate) fn posted(
	transaction: &[u8],
	peer: PeerId,
	epoch: EpochIndex,
	seq: u32,
	wanted: Wanted,
) -> Option<Vec<u8>> {
	// Nothing that others can choose stands before it in a transaction that posts, so the first
	// place is the one.
	let mut rest = behind(transaction, &(peer, epoch, seq, wanted).encode())?;
	Vec::decode(&mut rest).ok()
}

/// A package that any peer posted for any receipt, if the transaction posts it.
pub(crate) fn posted_package(transaction: &[u8], hash: H256) -> Option<Vec<u8>> {
	let start = position(transaction, MODULE)?;
	let end = transaction.len().checked_sub(SIGNATURE)?;
	let module = transaction.get(start..end)?;
	(package_hash(module) == hash).then(|| module.to_vec())
}

/// The report of a peer of which the chain keeps this hash, if the transaction holds it.
pub(crate) fn report(
	transaction: &[u8],
	genesis: H256,
	peer: PeerId,
	hash: H256,
) -> Option<Report> {
	let mut rest = behind(transaction, &peer.encode())?;
	let report = Report::decode(&mut rest).ok()?;
	(report.hash(genesis, peer) == hash).then_some(report)
}

fn behind<'a>(bytes: &'a [u8], needle: &[u8]) -> Option<&'a [u8]> {
	let start = position(bytes, needle)?;
	bytes.get(start.checked_add(needle.len())?..)
}

fn position(bytes: &[u8], needle: &[u8]) -> Option<usize> {
	bytes
		.windows(needle.len())
		.position(|window| window == needle)
}

#[cfg(test)]
mod tests {
	use super::*;

	const PEER: PeerId = PeerId(H256::repeat_byte(7));
	const GENESIS: H256 = H256::repeat_byte(1);

	/// A transaction as it stands in a body: a head, two indices, arguments.
	fn transaction(arguments: impl Encode) -> Vec<u8> {
		let mut bytes = vec![0x45, 0, 0, 0, 12, 3];
		bytes.extend(arguments.encode());
		bytes
	}

	#[test]
	fn posted_data_are_found_by_what_they_answer() {
		let data = b"data".to_vec();
		let post = transaction((PEER, 4u32, 5u32, Wanted::Request, data.clone(), [9u8; 64]));
		assert_eq!(posted(&post, PEER, 4, 5, Wanted::Request), Some(data));
		for (epoch, seq, wanted) in [
			(3, 5, Wanted::Request),
			(4, 6, Wanted::Request),
			(4, 5, Wanted::Transcript),
		] {
			assert_eq!(posted(&post, PEER, epoch, seq, wanted), None);
		}
		assert_eq!(
			posted(&post, PeerId::default(), 4, 5, Wanted::Request),
			None
		);
		// A demand has the same words and no data.
		let demand = transaction((PEER, 4u32, 5u32, Wanted::Request));
		assert_eq!(posted(&demand, PEER, 4, 5, Wanted::Request), None);
	}

	#[test]
	fn a_package_is_found_whoever_posted_it() {
		let module = [MODULE, b"rest"].concat();
		let hash = package_hash(&module);
		let post = transaction((PEER, 4u32, 5u32, Wanted::Package, module.clone(), [9u8; 64]));
		assert_eq!(posted_package(&post, hash), Some(module));
		assert_eq!(posted_package(&post, H256::zero()), None);
		assert_eq!(posted_package(MODULE, hash), None);
		assert_eq!(posted_package(&[], hash), None);
	}

	#[test]
	fn a_report_is_found_by_its_hash() {
		let mut expected = Report::empty(4);
		expected.receipts = 3;
		let sent = transaction((PEER, expected.clone(), [9u8; 64]));
		let hash = expected.hash(GENESIS, PEER);
		assert_eq!(report(&sent, GENESIS, PEER, hash), Some(expected));
		assert_eq!(report(&sent, GENESIS, PEER, H256::zero()), None);
		assert_eq!(report(&sent, GENESIS, PeerId::default(), hash), None);
		assert_eq!(report(&sent[..40], GENESIS, PEER, hash), None);
	}
}
