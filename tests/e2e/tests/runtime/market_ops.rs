//! What the market's operations weigh, through the real runtime: how many of each the blocks of three
//! seconds hold.

use crate::errors::scene::{
	by, deal, go_live, go_to, hand_in, make, offering, on_dev_chain, order, pass_audit, peer,
	report, ALICE, BOB, METADATA,
};
use codec::DecodeAll;
use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo},
	traits::Hooks,
	weights::Weight,
};
use millrace_client::calls;
use millrace_e2e::rpc;
use millrace_primitives::{DealId, FLT};
use millrace_runtime::{Market, Runtime, RuntimeCall, System, UncheckedExtrinsic};
use pallet_market::Call;

/// Seconds between blocks of the mainnet.
const SLOT: u64 = 3;
/// Deals that are matched at once.
const DEALS: u32 = 8;

/// What a call takes that Bob makes.
fn weight_of(call: impl Into<RuntimeCall>) -> Weight {
	let call = call.into();
	let most = call.get_dispatch_info().call_weight;
	let post = make(by(BOB), call).expect("it is right");
	post.actual_weight.unwrap_or(most)
}

/// Ordinary transactions a second whose call takes so much.
fn calls_per_second(call: Weight) -> u64 {
	let weights = <Runtime as frame_system::Config>::BlockWeights::get();
	let normal = weights.get(DispatchClass::Normal);
	// What surrounds a call is the same for all of them.
	let bytes = rpc::duty(&METADATA, &calls::market::stop(0), 0);
	let transaction = UncheckedExtrinsic::decode_all(&mut &bytes[..]).expect("it is one");
	let around = transaction.get_dispatch_info().extension_weight;
	let whole = normal
		.base_extrinsic
		.saturating_add(around)
		.saturating_add(call);
	let room = normal.max_total.unwrap_or(weights.max_block);
	room.ref_time() / whole.ref_time() / SLOT
}

fn idle() -> Weight {
	let most = <Runtime as frame_system::Config>::BlockWeights::get().max_block;
	Market::on_idle(System::block_number(), most)
}

/// Orders, matches, settlements of an epoch with a deal, and stops of a deal with a worker. Matches are
/// the chain's own: no transactions, but what the matcher takes of a block that is not full.
#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_market_ops() {
	on_dev_chain(|| {
		offering(ALICE, 1, DEALS + 1);
		let create = weight_of(Call::<Runtime>::create_deal {
			spec: order(1, 1),
			escrow: FLT,
		});
		let first: DealId = pallet_market::NextDeal::<Runtime>::get() - 1;

		// The first one, and what the patrol does, are not counted.
		idle();
		let deals: Vec<DealId> = (0..DEALS).map(|_| deal(order(1, 1))).collect();
		let matching = idle();
		for deal in &deals {
			let found = pallet_market::Workers::<Runtime>::contains_key(deal, peer(1));
			assert!(found, "deal {deal} is not matched");
		}
		let room = <Runtime as frame_system::Config>::BlockWeights::get().max_block;
		let matches = room.ref_time() * u64::from(DEALS) / matching.ref_time() / SLOT;

		go_live(1, first);
		go_to(4, 0);
		hand_in(1, &report(DEALS, 1, &[0], &[first]));
		go_to(4, 8);
		pass_audit(1);
		go_to(4, 16);
		let settle = weight_of(pallet_capacity::Call::<Runtime>::settle { peer: peer(1) });
		let row = Market::deal_view(first, |_| None).expect("it stands");
		assert!(row.paid > 0, "the settlement pays the deal");
		let stop = weight_of(Call::<Runtime>::stop { deal: first });

		println!(
			r#"{{"measure":"market_ops","create":{},"match":{matches},"settle":{},"stop":{}}}"#,
			calls_per_second(create),
			calls_per_second(settle),
			calls_per_second(stop),
		);
	});
}
