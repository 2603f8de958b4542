//! What is left in the state of those that are gone: nothing that grows.

use crate::errors::scene::{
	account, asked, by, commit, deal, done, endow, go_live, go_to, hand_in, now, on_dev_chain,
	order, paid, pass_audit, peer, report, state, BOB, EVE,
};
use codec::Encode;
use millrace_primitives::{DealId, FLT};
use millrace_runtime::{Capacity, Runtime};

/// A provider that comes and goes.
const GUEST: &str = "//Guest";
/// Epochs that its machine is committed for.
const TERM: u32 = 6;

/// The hash that the keys of a pallet begin with.
fn prefix(pallet: &str) -> [u8; 16] {
	sp_crypto_hashing::twox_128(pallet.as_bytes())
}

/// Hands in the report of the epoch before, with a deal or without, and has it settled.
fn serve(epoch: u32, deal: Option<DealId>) {
	go_to(epoch + 1, 0);
	let busy = u32::from(deal.is_some());
	let listed: Vec<DealId> = deal.into_iter().collect();
	hand_in(1, &report(1 - busy, busy, &[0], &listed));
	go_to(epoch + 1, 8);
	pass_audit(1);
	go_to(epoch + 1, 16);
	let settle = pallet_capacity::Call::<Runtime>::settle { peer: peer(1) };
	done(by(EVE), settle);
}

/// There, every deal, match and machine leaves rows behind for ever. Here a deal, an offer, a peer and a
/// provider that are gone leave none, and get all deposits back.
#[test]
fn known_flaw_rows_stay_for_ever() {
	on_dev_chain(|| {
		endow(GUEST, 10_000 * FLT);
		endow(BOB, FLT);
		let before = state();

		commit(GUEST, 1, 1, TERM);
		serve(1, None);
		let offer = pallet_market::Call::<Runtime>::post_offer {
			peer: peer(1),
			terms: asked(),
		};
		done(by(GUEST), offer);
		let deal = deal(order(1, 1));
		done(by(EVE), pallet_market::Call::<Runtime>::match_deal { deal });
		go_live(1, deal);
		serve(2, None);
		serve(3, Some(deal));
		done(by(BOB), pallet_market::Call::<Runtime>::stop { deal });
		serve(4, Some(deal));
		assert!(paid(deal) > 0);
		done(by(EVE), pallet_market::Call::<Runtime>::close { deal });
		let withdraw = pallet_market::Call::<Runtime>::withdraw_offer { peer: peer(1) };
		done(by(GUEST), withdraw);
		for epoch in 5..=TERM {
			serve(epoch, None);
		}

		// All that binds the stake is over, and what was earned has vested.
		go_to(now().0 + 40, 0);
		let withdraw = pallet_capacity::Call::<Runtime>::withdraw { peer: peer(1) };
		done(by(GUEST), withdraw);
		go_to(now().0 + 40, 0);
		let who = account(GUEST);
		if Capacity::earnings(&who).claimable > 0 {
			done(by(EVE), pallet_capacity::Call::<Runtime>::claim { who });
		}
		let remove = pallet_providers::Call::<Runtime>::remove_peer { peer: peer(1) };
		done(by(GUEST), remove);
		done(
			by(GUEST),
			pallet_providers::Call::<Runtime>::remove_provider {},
		);

		// Single values of a pallet have keys of two hashes; rows have more.
		let names = [peer(1).encode(), account(GUEST).encode()];
		let pallets = ["Market", "Providers", "Receipts"].map(prefix);
		let is_theirs = |key: &[u8]| {
			let row_of_pallet =
				key.len() > 32 && pallets.iter().any(|pallet| key.starts_with(pallet));
			let named = names
				.iter()
				.any(|name| key.windows(name.len()).any(|part| part == name));
			row_of_pallet || named
		};
		let after = state();
		let left: Vec<String> = after
			.keys()
			.filter(|key| !before.contains_key(*key) && is_theirs(key.as_slice()))
			.map(hex::encode)
			.collect();
		println!(
			r#"{{"measure":"market_rows","left":{},"rows":{}}}"#,
			left.len(),
			after.len(),
		);
		assert!(left.is_empty(), "{left:#?}");
		let gone: Vec<String> = before
			.keys()
			.filter(|key| !after.contains_key(*key) && is_theirs(key.as_slice()))
			.map(hex::encode)
			.collect();
		assert!(
			gone.is_empty(),
			"it took along what it did not bring: {gone:#?}"
		);
	});
}
