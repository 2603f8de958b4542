//! Large books: what the matcher takes of blocks in which ten thousand offers stand. Run by
//! scripts/bench.sh.

use crate::{mock::*, Event, Workers};
use frame_support::{
	assert_ok,
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight},
};
use millrace_primitives::{
	market::{DealSpec, OfferTerms},
	peer::PeerId,
	Balance, DealId,
};
use std::{
	collections::BTreeMap,
	time::{Duration, Instant},
};

const OFFERS: u32 = 10_000;
const DEALS: u32 = 1_000;
/// Workers of each of them.
const WORKERS: u32 = 4;
/// What matcher and patrol have of a block on poll: a tenth of a second and a half.
const POLL: Weight = Weight::from_parts(150 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX);
/// Above every ask.
const CEILING: Balance = 20_000;
/// A capability that offers of these tests do not have.
const RARE: u64 = 1 << 9;

/// The n-th peer, of one unit, with its offer.
fn post(n: u32, terms: OfferTerms) -> PeerId {
	let mut key = [0; 32];
	key[..4].copy_from_slice(&n.to_le_bytes());
	let provider = PROVIDER + u64::from(n) % PROVIDERS;
	let peer = register_key(key, provider, 1);
	let origin = RuntimeOrigin::signed(provider);
	assert_ok!(Market::post_offer(origin, peer, terms));
	peer
}

fn order(workers: u32) -> DealSpec<u64> {
	DealSpec {
		worker_bond: 0,
		..spec(workers, CEILING)
	}
}

fn ordered(spec: DealSpec<u64>) -> DealId {
	let price = spec.epoch_price_ceiling().expect("it is small");
	create(spec, 4 * price)
}

/// The next block, with nothing in it but what the market does on poll: how long that took, and who was
/// matched.
fn block() -> (Duration, Vec<(DealId, PeerId)>) {
	System::reset_events();
	System::set_block_number(System::block_number() + 1);
	let begun = Instant::now();
	let weight = Market::work_within(POLL, Market::moment());
	let took = begun.elapsed();
	assert!(weight.all_lte(POLL), "{weight:?}");
	let events = System::read_events_for_pallet::<Event<Test>>();
	let matched = events.into_iter().filter_map(|event| match event {
		Event::WorkerMatched { deal, peer, .. } => Some((deal, peer)),
		_ => None,
	});
	(took, matched.collect())
}

fn millis(time: Duration) -> f64 {
	time.as_secs_f64() * 1e3
}

#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_market_match() {
	build_and_execute(|| {
		let mut book = Vec::new();
		for n in 0..OFFERS {
			// Many are as dear as others, and the age decides.
			let ask = 2 + Balance::from(n * 7_919 % 5_003);
			book.push((ask, n, post(n, terms(ask))));
		}
		book.sort();
		for _ in 0..DEALS {
			ordered(order(WORKERS));
		}
		let wanted = (DEALS * WORKERS) as usize;
		let (mut found, mut blocks) = (BTreeMap::<PeerId, DealId>::new(), 0u32);
		let (mut all, mut longest) = (Duration::ZERO, Duration::ZERO);
		while found.len() < wanted {
			let (took, matched) = block();
			for (deal, peer) in matched {
				assert_eq!(found.insert(peer, deal), None);
			}
			(all, longest, blocks) = (all + took, longest.max(took), blocks + 1);
			assert!(blocks < DEALS, "it does not come to an end");
		}
		// Those are the cheapest, and nobody else.
		for (ask, _, peer) in &book[..wanted] {
			assert!(
				found.contains_key(peer),
				"the offer at {ask} was passed over"
			);
		}
		println!(
			r#"{{"measure":"market_match","offers":{OFFERS},"deals":{DEALS},"workers":{wanted},"blocks":{blocks},"seconds":{:.2},"max_block_ms":{:.1}}}"#,
			all.as_secs_f64(),
			millis(longest),
		);
	});
}

#[test]
#[ignore = "a measurement, run by scripts/bench.sh"]
fn bench_market_picky() {
	build_and_execute(|| {
		for n in 1..OFFERS {
			post(n, terms(2 + Balance::from(n)));
		}
		// The dearest of all is the only one that fits.
		let rare = OfferTerms {
			capabilities: RARE,
			..terms(2 + Balance::from(OFFERS))
		};
		let last = post(OFFERS, rare);
		let picky = ordered(DealSpec {
			capabilities: RARE,
			..order(1)
		});
		// Meanwhile another deal is ordered in every block.
		let mut waiting = BTreeMap::<DealId, u32>::new();
		let (mut blocks, mut delay, mut longest) = (0u32, 0u32, Duration::ZERO);
		while !Workers::<Test>::contains_key(picky, last) {
			waiting.insert(ordered(order(1)), blocks);
			let (took, matched) = block();
			for (deal, peer) in matched {
				go_live(peer, deal);
				// One that is matched in the next block waits for nobody.
				let since = waiting.remove(&deal).unwrap_or(blocks);
				delay = delay.max(blocks - since);
			}
			(longest, blocks) = (longest.max(took), blocks + 1);
			assert!(blocks < OFFERS, "it does not come to an end");
		}
		for since in waiting.into_values() {
			delay = delay.max(blocks - since);
		}
		println!(
			r#"{{"measure":"market_picky","offers":{OFFERS},"blocks":{blocks},"delay_blocks":{delay},"max_block_ms":{:.1}}}"#,
			millis(longest),
		);
	});
}
