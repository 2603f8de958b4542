//! No vote makes what is held or burnt for rows less than their price.

use super::on_chain;
use crate::{configs::money::deposit, Balance, Governed, Runtime};
use codec::MaxEncodedLen;
use frame_support::traits::StorageInfoTrait;
use millrace_primitives::{
	anchor::MAX_DATA_BYTES,
	market::{Region, ResourceClass},
	U256,
};
use pallet_anchor::Sent;
use pallet_market::{Book, Offers, OpenProbes, Probes};
use pallet_receipts::{
	Commits, CommitsOf, Demands, OpenCases, Posted, Shows, ShowsOf, POSTED_PRICE,
};

/// Bytes of a map's longest row, with what names it.
fn longest<Map: StorageInfoTrait>() -> u32 {
	let infos = Map::storage_info();
	let bytes = infos.iter().map(|info| info.max_size);
	bytes.sum::<Option<u32>>().expect("every row has a bound")
}

/// What rows of so many bytes cost.
fn price(rows: &[u32]) -> Balance {
	deposit(rows.len() as u32, rows.iter().sum())
}

/// The least that a parameter can be voted to.
fn least(name: &str) -> U256 {
	let all = Governed::parameters();
	let info = all.iter().find(|info| info.name == name);
	info.unwrap_or_else(|| panic!("there is no parameter {name}"))
		.least
}

#[test]
fn no_vote_makes_a_bond_less_than_its_rows_cost() {
	// The row of a class, if the offer is alone in it: each brings one region at most.
	let region = (8 + ResourceClass::max_encoded_len())
		+ (1 + Region::max_encoded_len() + u32::max_encoded_len());
	let offer = [
		longest::<Offers<Runtime>>(),
		longest::<Book<Runtime>>(),
		region as u32,
	];
	let probe = [
		longest::<Probes<Runtime>>(),
		longest::<OpenProbes<Runtime>>(),
	];
	let commit = [
		longest::<Commits<Runtime>>(),
		longest::<CommitsOf<Runtime>>(),
	];
	let claim = [
		longest::<Shows<Runtime>>(),
		longest::<ShowsOf<Runtime>>(),
		longest::<OpenCases<Runtime>>(),
	];
	let demand = [
		longest::<Demands<Runtime>>(),
		longest::<OpenCases<Runtime>>(),
	];
	on_chain(|| {
		for (name, rows) in [
			("market.offer_deposit", &offer[..]),
			("market.probe_bond", &probe[..]),
			("receipts.bond", &commit[..]),
			("receipts.bond", &claim[..]),
			("receipts.bond", &demand[..]),
		] {
			let price = U256::from(price(rows));
			assert!(least(name) >= price, "{name}: {rows:?} cost {price}");
		}
	});
}

#[test]
fn no_vote_makes_a_message_to_the_anchor_cheaper_than_a_row_and_its_bytes() {
	on_chain(|| {
		let row = longest::<Sent<Runtime>>() - MAX_DATA_BYTES;
		assert!(least("anchor.message_fee") >= U256::from(price(&[row])));
		assert!(least("anchor.byte_fee") >= U256::from(deposit(0, 1)));
	});
}

#[test]
fn a_posted_package_costs_no_less_than_its_row() {
	let row = price(&[longest::<Posted<Runtime>>()]);
	assert!(POSTED_PRICE >= row, "{row}");
	// No more than rounding above it.
	assert!(POSTED_PRICE < row + deposit(0, 10), "{row}");
}
