//! What a report takes of a block.

use crate::errors::scene::{
	by, deal, done, duty, go_live, go_to, hand_in, make, offering, on_dev_chain, order, paid,
	pass_audit, report, report_call, reported, ALICE, BOB, METADATA,
};
use codec::DecodeAll;
use frame_support::dispatch::{DispatchClass, GetDispatchInfo};
use millrace_e2e::rpc;
use millrace_primitives::DealId;
use millrace_runtime::{Runtime, UncheckedExtrinsic};

/// Deals that the peer of the protocol's bar serves.
const DEALS: u32 = 8;
/// Reports of such peers that a block of three seconds must hold: 200 a second.
const REPORTS: u64 = 600;

/// A report of a peer that serves eight deals, and that settles an epoch in which it served as many:
/// as they come, epoch after epoch.
#[test]
fn reports_fit() {
	on_dev_chain(|| {
		let units = DEALS + 1;
		offering(ALICE, 1, units);
		let deals: Vec<DealId> = (0..DEALS).map(|_| deal(order(1, 1))).collect();
		for deal in &deals {
			let deal = *deal;
			done(by(BOB), pallet_market::Call::<Runtime>::match_deal { deal });
			go_live(1, deal);
		}
		go_to(4, 0);
		hand_in(1, &report(1, DEALS, &[0], &deals));
		go_to(4, 8);
		pass_audit(1);
		go_to(5, 0);

		let due = report(1, DEALS, &[0], &deals);
		let bytes = rpc::duty(&METADATA, &reported(1, &due), 0);
		let transaction = UncheckedExtrinsic::decode_all(&mut &bytes[..]).expect("it is one");
		let around = transaction.get_dispatch_info().extension_weight;
		let post = make(duty(), report_call(1, &due)).expect("a report cannot fail");
		let call = post.actual_weight.expect("a report says what it took");
		assert!(
			deals.iter().all(|deal| paid(*deal) > 0),
			"the settlement pays all deals"
		);

		let weights = <Runtime as frame_system::Config>::BlockWeights::get();
		let base = weights.get(DispatchClass::Operational).base_extrinsic;
		let whole = base.saturating_add(around).saturating_add(call);
		let (time, most) = (whole.ref_time(), weights.max_block.ref_time());
		assert!(
			time * REPORTS <= most,
			"a report takes {time} ps, a block has {most}: {} reports a second",
			most / time / 3,
		);
		// The block's other dimension is its length.
		let room = weights.max_block.proof_size();
		let length = whole.proof_size() + bytes.len() as u64;
		assert!(length * REPORTS <= room, "{length} bytes of {room}");
	});
}
