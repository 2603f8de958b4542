//! A deal that is billed by gas: calls are paid with the gateway's vouchers, the worker redeems them by
//! itself, and what is paid is right to the unit.

use crate::one_worker::Scene;
use millrace_client::AccountId;
use millrace_e2e::{
	deal::specification,
	events::fields,
	eventually,
	load::call,
	network::Stored,
	provider::{settle, ASK, EPOCHS},
	Deal,
};
use millrace_primitives::{
	billing::{gas_share, Billing, VoucherKey},
	market::{split_payment, DealSpec, GAS_BILLED},
	peer::PeerId,
	Balance, DealId, EpochIndex, Gas,
};
use std::collections::BTreeMap;

/// Latest position in an epoch at which the deal is first called.
const LATE: u32 = 16;
/// Far more than the calls of the test use, so that each of them shows in what is paid.
const FULL_GAS: Gas = 1_000_000_000_000;
/// Calls of each of two epochs.
const CALLS: u32 = 5;

/// An order that is billed by gas.
pub(crate) fn order(package: &Stored, voucher_key: VoucherKey) -> DealSpec<AccountId> {
	DealSpec {
		capabilities: GAS_BILLED,
		billing: Billing::Gas {
			full_gas: FULL_GAS,
			voucher_key,
		},
		..specification(package, 1)
	}
}

/// Calls it in two epochs, and sees what is paid.
pub(crate) async fn calls_are_paid_by_their_gas(scene: &Scene, deal: &Deal) {
	let Scene {
		events,
		provider,
		gateway,
		network,
		..
	} = scene;
	let mut gas = BTreeMap::<EpochIndex, Gas>::new();
	for round in 0..2 {
		deal.until_live(network, 1, LATE).await;
		if let Some(last) = gas.keys().next_back() {
			settle(network, &provider.ids(), *last).await;
			deal.until_live(network, 1, LATE).await;
		}
		for number in 0..CALLS {
			let text = format!("call {number} of round {round}");
			let answer = eventually("the call is answered", EPOCHS, async || {
				call(&network.http, &gateway.deal(deal.id), &text).await
			});
			let receipt = answer.await.receipt;
			*gas.entry(receipt.epoch).or_default() += receipt.gas;
		}
	}
	// Without a voucher the worker answers nobody.
	let peer = &provider.peers[0];
	let direct = format!("{}/deals/{}", peer.url, deal.id);
	let answer = network.http.post(&direct, "hello").await;
	let answer = answer.expect("the worker answers");
	assert_eq!(answer.error(), (402, "payment_required".into()));

	let last = *gas.keys().next_back().expect("calls were answered");
	let view = settle(network, &provider.ids(), last).await;
	let (mut paid, mut burnt): (Balance, Balance) = (0, 0);
	for used in gas.values() {
		let share = gas_share(ASK, *used, FULL_GAS);
		assert!(share > 0 && share < ASK);
		let (to_provider, fire) = split_payment(share);
		(paid, burnt) = (paid + to_provider, burnt + fire);
	}
	let found = deal.view(&view).await;
	assert_eq!((found.paid, found.burnt), (paid, burnt), "{gas:?}");
	assert_eq!(found.escrow, deal.escrow - paid - burnt);
	let read = |event: &_| fields::<(DealId, PeerId, Gas)>(event, "Market", "VoucherRedeemed");
	let (_, first) = events.until("a voucher is redeemed", EPOCHS, read).await;
	assert_eq!((first.0, first.1), (deal.id, peer.id()));
	let all: Gas = gas.values().sum();
	let told = view.duties(peer.id()).await.expect("they can be read");
	let mut assignments = told.assignments.iter();
	let own = assignments.find(|assignment| assignment.deal == deal.id);
	let redeemed = own.expect("it serves the deal").redeemed;
	assert_eq!(redeemed.billed, all);
	assert!(redeemed.cumulative >= all);
}
