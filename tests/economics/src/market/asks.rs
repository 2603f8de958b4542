//! Ways of providers with offers: many of them, dead ones, and asks that do not last.

use super::{
	flt, gain, one_unit,
	town::{in_town, Seller, Town},
	Case, PRICE,
};
use crate::chain::Wanted;
use millrace_primitives::{
	market::{Worker, WorkerStatus},
	Balance, DealId,
};
use pallet_capacity::CapacityParams;
use pallet_market::{MarketParams, MAX_LOOKS_PER_VISIT, MAX_OVERLAP};
use std::collections::BTreeSet;

/// Ask below everybody's.
const CHEAP: Balance = PRICE / 10;
/// Epochs at the ceiling that escrows cover: more than any deal here lasts.
const ESCROW_EPOCHS: u32 = 50;
/// Epochs after which a deal that still waits would show that a rule does not hold.
const PATIENCE: u32 = 40;

/// What a flooded book comes to.
struct Flooded {
	/// Blocks until a deal is matched that takes none of the flood.
	behind: u32,
	/// Blocks until a deal is matched that was ordered after that one.
	other: u32,
}

/// Offers of one unit below all others, where somebody wants two.
fn flooded(offers: usize) -> Flooded {
	let mut units = vec![1; offers];
	units.push(2);
	in_town(&units, |town| {
		for number in 0..offers {
			town.post(number, CHEAP, 0);
		}
		town.post(offers, PRICE, 0);
		let wanted = Wanted {
			units: 2,
			..one_unit(PRICE, ESCROW_EPOCHS)
		};
		let clients = [town.client(0), town.client(1)];
		let behind = town.world.place_order(clients[0], wanted);
		let other = one_unit(PRICE, ESCROW_EPOCHS);
		let other = town.world.place_order(clients[1], other);
		let (mut blocks, mut matched) = (0, [None; 2]);
		// Everything happens long before the epoch ends.
		while matched.contains(&None) && blocks < PATIENCE {
			town.blocks(1);
			blocks += 1;
			for (deal, matched) in [behind, other].into_iter().zip(&mut matched) {
				if matched.is_none() && !town.world.workers(deal).is_empty() {
					*matched = Some(blocks);
				}
			}
		}
		let [behind, other] = matched.map(|blocks| blocks.unwrap_or(PATIENCE));
		Flooded { behind, other }
	})
}

/// Floods of the book.
pub(super) fn floods() -> Vec<Case> {
	let unit = CapacityParams::default().stake_per_unit + MarketParams::default().offer_deposit;
	let mut cases = Vec::new();
	for offers in [64u32, 640] {
		let Flooded { behind, other } = flooded(offers as usize);
		let case = |measure: &'static str, found: f64, bound: f64| Case {
			cheat: "book_flooding",
			point: format!("offers {offers}"),
			measure,
			found,
			bound,
		};
		let most = offers / MAX_LOOKS_PER_VISIT + 1;
		cases.push(case(
			"blocks until a deal behind it is matched",
			behind.into(),
			most.into(),
		));
		cases.push(case("blocks until another is", other.into(), 2.0));
		let bound_up = flt(unit) * f64::from(offers);
		cases.push(case(
			"blocks of delay for a million FLT on hold",
			f64::from(behind - 1) / bound_up * 1e6,
			1e6 / (f64::from(MAX_LOOKS_PER_VISIT) * flt(unit)),
		));
	}
	cases
}

/// The only worker of a deal, if it has one.
fn worker_of(town: &Town<'_>, deal: DealId) -> Option<Worker> {
	town.world.workers(deal).first().copied()
}

/// Dead offers before that of a peer which serves: epochs and blocks until that one is assigned, and
/// what the client has lost until then. It waits, or ends whoever is not live.
fn dead_before(dead: usize, ends: bool) -> (u32, u32, f64) {
	in_town(&vec![1; dead + 1], |town| {
		for number in 0..dead {
			town.post(number, CHEAP, 0);
		}
		town.post(dead, PRICE, 0);
		let (client, serving) = (town.client(0), town.sellers[dead].peer);
		let before = town.world.cash(client, &[]);
		let deal = town
			.world
			.place_order(client, one_unit(PRICE, ESCROW_EPOCHS));
		let (ordered, mut blocks) = (town.world.epoch(), 0);
		while blocks < PATIENCE {
			town.blocks(1);
			blocks += 1;
			match worker_of(town, deal) {
				Some(worker) if worker.peer == serving => break,
				Some(worker) if ends => town.world.end_worker(client, deal, worker.peer),
				_ => town.pass(&[]),
			}
		}
		let lost = -gain(town.world.cash(client, &[deal]), before);
		(town.world.epoch() - ordered, blocks, lost)
	})
}

/// Deals that wait for one dead offer of so many units until it is closed.
fn kept_waiting(units: u32) -> usize {
	const DEALS: u32 = 16;
	in_town(&[units], |town| {
		let Seller { peer, .. } = town.sellers[0];
		town.post(0, CHEAP, 0);
		let client = town.client(0);
		let deals: Vec<DealId> = (0..DEALS)
			.map(|_| {
				town.world
					.place_order(client, one_unit(CHEAP, ESCROW_EPOCHS))
			})
			.collect();
		town.blocks(4);
		let mut waited = BTreeSet::<DealId>::new();
		for _ in 0..PATIENCE {
			waited.extend(deals.iter().copied().filter(|deal| town.works(*deal, peer)));
			if !town.world.is_offered(peer) {
				break;
			}
			town.pass(&[]);
		}
		waited.len()
	})
}

/// Offers of peers that never go live.
pub(super) fn dead_offers() -> Vec<Case> {
	let assignment = MarketParams::default().assignment_epochs;
	let mut cases = Vec::new();
	let case = |point: String, measure: &'static str, found: f64, bound: f64| Case {
		cheat: "dead_offers",
		point,
		measure,
		found,
		bound,
	};
	for dead in [1u32, 3] {
		let point = format!("offers {dead}");
		let (epochs, _, lost) = dead_before(dead as usize, false);
		cases.push(case(
			point.clone(),
			"epochs until a worker is assigned, the client waits",
			epochs.into(),
			(dead * (assignment + 1)).into(),
		));
		cases.push(case(point.clone(), "client's loss, FLT", lost, 0.0));
		let (_, blocks, _) = dead_before(dead as usize, true);
		cases.push(case(
			point,
			"blocks until one is, the client ends each",
			blocks.into(),
			(dead + 1).into(),
		));
	}
	for units in [1u32, 8] {
		cases.push(case(
			format!("units {units}"),
			"deals that wait for an offer until it is closed",
			kept_waiting(units) as f64,
			(units + MarketParams::default().max_lapses - 1).into(),
		));
	}
	cases
}

/// Lets everybody go live who is assigned to a deal.
fn all_go_live(town: &mut Town<'_>, deal: DealId) {
	for worker in town.world.workers(deal) {
		if let WorkerStatus::Assigned { .. } = worker.status {
			town.world.goes_live(worker.peer, deal);
		}
	}
}

/// What somebody has from a deal for which another asks [`PRICE`], and epochs in which it had no worker
/// from the first one on. A bait asks half, raises its ask above the ceiling as soon as it is paid, and
/// lowers it again when it is gone; whoever is honest asks for a little less than the other.
fn baited(raises: bool) -> (f64, u32) {
	const EPOCHS: u32 = 8;
	in_town(&[1, 1], |town| {
		let (bait, client) = (town.sellers[0], town.client(0));
		let before = town.world.cash(bait.owner, &[]);
		let low = if raises {
			PRICE / 2
		} else {
			PRICE - MarketParams::default().ask_tick
		};
		town.post(0, low, 0);
		town.post(1, PRICE, 0);
		let deal = town
			.world
			.place_order(client, one_unit(PRICE, ESCROW_EPOCHS));
		town.blocks(2);
		all_go_live(town, deal);
		let (mut without, mut ask) = (0, low);
		for _ in 0..EPOCHS {
			town.pass(&[]);
			without += u32::from(town.due(deal, town.world.epoch()) == 0);
			if raises {
				let wanted = match town.works(deal, bait.peer) {
					true => 2 * PRICE,
					false => low,
				};
				if wanted != ask {
					town.world.change_ask(bait.owner, bait.peer, wanted);
					ask = wanted;
				}
			}
			town.blocks(2);
			all_go_live(town, deal);
		}
		(gain(town.world.cash(bait.owner, &[]), before), without)
	})
}

/// How a worker of a hand leaves as soon as it is live.
#[derive(Clone, Copy, Debug)]
enum Leaving {
	ByNotice,
	ByRaise,
}

/// What a client pays for one epoch of one place, in prices, where a hand of peers leaves it one after
/// the other as soon as each is live.
fn relayed(peers: usize, leaving: Leaving) -> f64 {
	in_town(&vec![1; peers], |town| {
		for number in 0..peers {
			town.post(number, PRICE, 0);
		}
		let (hand, client) = (town.sellers.clone(), town.client(0));
		let deal = town
			.world
			.place_order(client, one_unit(PRICE, ESCROW_EPOCHS));
		for _ in 0..2 * peers {
			town.blocks(1);
			for Seller { owner, peer } in &hand {
				let assigned = town.world.workers(deal).into_iter().any(|worker| {
					worker.peer == *peer && matches!(worker.status, WorkerStatus::Assigned { .. })
				});
				if !assigned {
					continue;
				}
				town.world.goes_live(*peer, deal);
				match leaving {
					Leaving::ByNotice => town.world.leaves(*peer, deal),
					Leaving::ByRaise => town.world.change_ask(*owner, *peer, 2 * PRICE),
				}
			}
		}
		// All that are live are paid for the next epoch alone, which is settled in the one after it.
		town.pass(&[]);
		town.pass(&[]);
		town.world.cost_of(deal) as f64 / PRICE as f64
	})
}

/// Asks that do not last.
pub(super) fn baits() -> Vec<Case> {
	let case = |point: String, measure: &'static str, found: f64, bound: f64| Case {
		cheat: "price_baiting",
		point,
		measure,
		found,
		bound,
	};
	let ((bait, without), (honest, _)) = (baited(true), baited(false));
	let point = "ask half, then above the ceiling".to_owned();
	let mut cases = vec![
		case(
			point.clone(),
			"gain over asking less than others, FLT",
			bait - honest,
			0.0,
		),
		case(point, "epochs without a worker", without.into(), 0.0),
	];
	for (name, leaving) in [("notice", Leaving::ByNotice), ("raise", Leaving::ByRaise)] {
		cases.push(case(
			format!("peers 6, {name} when live"),
			"paid for one place and epoch, prices",
			relayed(6, leaving),
			MAX_OVERLAP as f64,
		));
	}
	cases
}
