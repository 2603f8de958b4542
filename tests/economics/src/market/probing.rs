//! Probes to harm a worker, or to keep others from probing it.

use super::{
	flt, gain, one_unit,
	town::{in_town, Seller, Town},
	Case, PRICE,
};
use crate::chain::Wanted;
use millrace_primitives::{Balance, DealId, FLT};
use pallet_market::{MarketParams, MAX_PROBES_PER_EPOCH};

/// Epochs at the ceiling that escrows cover: more than any deal here lasts.
const ESCROW_EPOCHS: u32 = 10;
/// What the worker has at stake.
const BOND: Balance = FLT;
/// Number of the deal's client; the accounts before it probe.
const CLIENT: u64 = MAX_PROBES_PER_EPOCH as u64 + 1;

/// A worker that serves and is paid for the present epoch: its deal.
fn serving(town: &mut Town<'_>) -> DealId {
	let (client, peer) = (town.client(CLIENT), town.sellers[0].peer);
	town.post(0, PRICE, BOND);
	let wanted = Wanted {
		bond: BOND,
		..one_unit(PRICE, ESCROW_EPOCHS)
	};
	let deal = town.world.place_order(client, wanted);
	town.blocks(2);
	town.world.goes_live(peer, deal);
	town.pass(&[]);
	deal
}

/// What as many probes as there can be in an epoch come to, all of them answered.
struct Answered {
	/// How many there were.
	probes: u32,
	/// FLT that the probers have more than before, all together.
	probers: f64,
	/// The same of the worker's provider.
	provider: f64,
}

fn answered() -> Answered {
	in_town(&[1], |town| {
		let deal = serving(town);
		let Seller { owner, peer } = town.sellers[0];
		let accounts: Vec<u64> = (0..CLIENT).map(|number| town.client(number)).collect();
		let wealth = |town: &Town<'_>| -> Balance {
			let cash = accounts
				.iter()
				.map(|account| town.world.cash(*account, &[]));
			cash.sum()
		};
		let (before, of_owner) = (wealth(town), town.world.cash(owner, &[]));
		let mut probes = 0;
		// One account more than can probe it: the last one is refused.
		for account in &accounts {
			if town.world.probe(*account, deal, peer) {
				probes += 1;
				town.blocks(1);
				town.world.answer_probe(peer, deal);
			}
		}
		Answered {
			probes,
			probers: gain(wealth(town), before),
			provider: gain(town.world.cash(owner, &[]), of_owner),
		}
	})
}

/// What one probe comes to that is not answered, of a worker that had answered all before.
struct Failed {
	/// FLT that the prober has more than before.
	prober: f64,
	/// FLT that the worker's bond has less.
	bond: f64,
	/// Epochs that the worker has served, whole or in part, and is not paid for.
	unpaid: f64,
}

fn failed() -> Failed {
	in_town(&[1], |town| {
		let deal = serving(town);
		let (prober, Seller { owner, peer }) = (town.client(0), town.sellers[0]);
		let begun = town.world.epoch();
		town.pass(&[]);
		let served = town.world.epoch() - begun + 1;
		let (before, of_owner) = (town.world.cash(prober, &[]), town.world.cash(owner, &[]));
		let taken = town.world.probe(prober, deal, peer);
		// No receipt comes; what the probe was for is reported all the same.
		(0..2).for_each(|_| town.pass(&[]));
		let bond = -gain(town.world.cash(owner, &[]), of_owner);
		let paid = town.world.cost_of(deal) as f64 / PRICE as f64;
		Failed {
			// A probe that was not taken would show nothing.
			prober: if taken {
				gain(town.world.cash(prober, &[]), before)
			} else {
				f64::INFINITY
			},
			bond,
			unpaid: f64::from(served) - paid,
		}
	})
}

/// Probes that are not meant to find anything out.
pub(super) fn griefs() -> Vec<Case> {
	let case = |point: &str, measure: &'static str, found: f64, bound: f64| Case {
		cheat: "probe_griefing",
		point: point.into(),
		measure,
		found,
		bound,
	};
	let bond = flt(MarketParams::default().probe_bond);
	let most = f64::from(MAX_PROBES_PER_EPOCH);
	let (answered, failed) = (answered(), failed());
	let asked = format!("probers {}, all answered", answered.probes);
	let own = format!("own accounts {}, all answered", answered.probes);
	let silent = "one probe, not answered";
	vec![
		case(
			&asked,
			"gain of the probers, FLT",
			answered.probers,
			-most * bond,
		),
		case(
			&asked,
			"loss of who answers, FLT",
			-answered.provider,
			-most * bond / 2.0,
		),
		// Who probes its own worker as often as can be keeps all others out.
		case(
			&own,
			"gain of who shields its worker, FLT",
			answered.probers + answered.provider,
			-most * bond / 2.0,
		),
		case(silent, "gain of the prober, FLT", failed.prober, 0.0),
		case(silent, "worker's bond lost, FLT", failed.bond, 0.0),
		case(silent, "epochs served and not paid", failed.unpaid, 1.0),
	]
}
