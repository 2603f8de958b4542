//! The ring of report hashes.

use crate::{mock::*, Ring, RING};
use millrace_primitives::{traits::ReceiptLedger, views::ReportRecord, H256};

#[test]
fn a_report_is_remembered_until_its_slot_is_used_again() {
	build_and_execute(|| {
		CurrentEpoch::set(4 + RING);
		let hash = H256::repeat_byte;
		Receipts::on_report(peer(), 3, hash(1));
		Receipts::on_report(peer(), 4, hash(2));
		assert_eq!(
			Receipts::report(peer(), 3),
			Some(ReportRecord {
				epoch: 3,
				hash: hash(1)
			})
		);
		assert_eq!(Receipts::report_hash(peer(), 4), Some(hash(2)));
		assert_eq!(Receipts::report_hash(peer(), 5), None);
		assert_eq!(Receipts::report_hash(Default::default(), 3), None);

		Receipts::on_report(peer(), 3 + RING, hash(3));
		assert_eq!(Receipts::report_hash(peer(), 3), None);
		assert_eq!(Receipts::report_hash(peer(), 3 + RING), Some(hash(3)));
		assert_eq!(Ring::<Test>::iter().count(), 2);
	});
}

#[test]
fn a_peer_never_takes_more_than_its_ring() {
	build_and_execute(|| {
		CurrentEpoch::set(3 * RING);
		for epoch in 0..3 * RING {
			Receipts::on_report(peer(), epoch, H256::zero());
		}
		assert_eq!(Ring::<Test>::iter().count(), RING as usize);
	});
}
