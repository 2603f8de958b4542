//! Living on grace: a client lets its escrow run out again and again, and pays halves.

use super::{one_unit, town::in_town, Case, PRICE};

/// Epochs that are looked at: a whole number of rounds, whether these take three or four.
const EPOCHS: u32 = 12;
/// Epochs until the first grace has come and the deal was topped up.
const FIRST: u32 = 8;

/// Part of the price that such a client saves. `pushed`: whether somebody begins each grace as soon as
/// it can begin, rather than wait for the patrol.
fn saved(pushed: bool) -> f64 {
	in_town(&[1], |town| {
		let (client, other) = (town.client(0), town.client(1));
		town.post(0, PRICE, 0);
		let deal = town.world.place_order(client, one_unit(PRICE, 2));
		town.blocks(2);
		town.world.goes_live(town.sellers[0].peer, deal);
		let mut epoch = || {
			town.pass(&[]);
			if pushed {
				town.world.begin_grace(other, deal);
			}
			if town.world.grace_until(deal) == Some(town.world.epoch()) {
				// What the deposit lacks, and one epoch: less is not taken.
				town.world.top_up(client, deal, 2 * PRICE);
			}
			town.world.cost_of(deal)
		};
		let before = (0..FIRST).fold(0, |_, _| epoch());
		let after = (0..EPOCHS).fold(before, |_, _| epoch());
		1.0 - (after - before) as f64 / (PRICE * u128::from(EPOCHS)) as f64
	})
}

/// Clients that live on grace.
pub(super) fn abuses() -> Vec<Case> {
	let case = |point: &str, pushed: bool, bound: f64| Case {
		cheat: "grace_abuse",
		point: point.into(),
		measure: "part of the price that is saved",
		found: saved(pushed),
		bound,
	};
	vec![
		// Two epochs at half the price, and one at the whole of it.
		case("workers begin each grace", true, 1.0 / 3.0),
		// One more that is not paid, because the patrol comes before the last grace is settled.
		case("nobody does", false, 0.5),
	]
}
