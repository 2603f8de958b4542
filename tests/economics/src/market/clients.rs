//! Ways of clients: deals with oneself, and deals that nobody can serve.

use super::{
	flt, gain, one_unit,
	town::{in_town, Seller},
	Case, PRICE,
};
use crate::chain::Wanted;
use millrace_primitives::{Balance, DealId, FLT};

/// Epochs at the ceiling that escrows cover: more than any deal here lasts.
const ESCROW_EPOCHS: u32 = 10;
/// Part of a payment that is burnt.
const BURNT: f64 = 0.02;

/// What a worker does about a deal.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Conduct {
	/// Never goes live.
	NotLive,
	/// Goes live and gives notice at once.
	Leaves,
	/// Goes live, and reports so many epochs.
	Serves(u32),
	/// Goes live and does not report.
	Silent,
}

impl Conduct {
	fn name(self) -> String {
		match self {
			Self::NotLive => "worker does not go live".into(),
			Self::Leaves => "worker gives notice".into(),
			Self::Serves(epochs) => format!("epochs {epochs}"),
			Self::Silent => "worker is silent".into(),
		}
	}
}

/// What came of a deal that was stopped by its owner.
#[derive(Clone, Copy, Debug)]
struct Outcome {
	/// FLT that the client has more than before.
	client: f64,
	/// The same of the provider.
	provider: f64,
	/// Epochs between the order and the moment in which the worker was gone, if it never went live.
	taken: u32,
}

/// One deal of one worker, from the order to its closing.
fn deal(price: Balance, bond: Balance, conduct: Conduct) -> Outcome {
	in_town(&[1], |town| {
		let (client, Seller { owner, peer }) = (town.client(0), town.sellers[0]);
		let before = [client, owner].map(|account| town.world.cash(account, &[]));
		town.post(0, price, bond);
		let wanted = Wanted {
			bond,
			..one_unit(price, ESCROW_EPOCHS)
		};
		let deal: DealId = town.world.place_order(client, wanted);
		town.blocks(2);
		let ordered = town.world.epoch();
		let mut taken = 0;
		if conduct != Conduct::NotLive {
			town.world.goes_live(peer, deal);
		}
		match conduct {
			Conduct::NotLive => {
				while town.works(deal, peer) {
					town.pass(&[]);
				}
				taken = town.world.epoch() - ordered;
			}
			Conduct::Leaves => {
				town.world.leaves(peer, deal);
				// It serves one epoch, is paid for it in the next one and gone in that after it.
				(0..3).for_each(|_| town.pass(&[]));
			}
			Conduct::Serves(epochs) => (0..epochs).for_each(|_| town.pass(&[])),
			Conduct::Silent => {
				town.pass(&[]);
				town.pass(&[peer]);
			}
		}
		town.world.stop(client, deal);
		town.pass(&[]);
		town.world.close(client, deal);
		let after = [client, owner].map(|account| town.world.cash(account, &[]));
		Outcome {
			client: gain(after[0], before[0]),
			provider: gain(after[1], before[1]),
			taken,
		}
	})
}

/// Deals of a provider with itself: served and stopped early, or with a bond that it forfeits.
pub(super) fn wash_deals() -> Vec<Case> {
	let case = |point: String, outcome: Outcome, bound: f64| Case {
		cheat: "wash_deal",
		point,
		measure: "gain of both accounts, FLT",
		found: outcome.client + outcome.provider,
		bound,
	};
	let mut cases = Vec::new();
	for price in [PRICE, 10 * FLT] {
		for epochs in [1, 4] {
			let outcome = deal(price, 0, Conduct::Serves(epochs));
			// An early end is paid as one epoch more.
			let paid = flt(price) * f64::from(epochs + 1);
			let point = format!("price {}, epochs {epochs}", flt(price));
			cases.push(case(point, outcome, -BURNT * paid));
		}
	}
	for bond in [PRICE, 100 * FLT] {
		let outcome = deal(PRICE, bond, Conduct::Silent);
		let point = format!("price {}, forfeited bond {}", flt(PRICE), flt(bond));
		// What is above the price burns; a missed epoch costs the unit its slash besides.
		cases.push(case(point, outcome, -flt(bond - PRICE)));
	}
	cases
}

/// Deals that no worker can serve, with a bond that is meant to be forfeited.
pub(super) fn undeployable_deals() -> Vec<Case> {
	let assignment = pallet_market::MarketParams::default().assignment_epochs;
	let mut cases = Vec::new();
	for bond in [FLT, 1_000 * FLT] {
		for conduct in [
			Conduct::NotLive,
			Conduct::Leaves,
			Conduct::Serves(2),
			Conduct::Silent,
		] {
			let outcome = deal(PRICE, bond, conduct);
			let case = |measure: &'static str, found: f64, bound: f64| Case {
				cheat: "undeployable_deal",
				point: format!("bond {}, {}", flt(bond), conduct.name()),
				measure,
				found,
				bound,
			};
			let does_its_part = conduct != Conduct::Silent;
			// Whoever says nothing of a deal in which it went live has nobody else to blame.
			let most = if does_its_part { 0.0 } else { flt(PRICE) };
			cases.push(case("client's gain, FLT", outcome.client, most));
			if does_its_part {
				let lost = -outcome.provider;
				cases.push(case("loss of who reports or leaves, FLT", lost, 0.0));
			}
			if conduct == Conduct::NotLive {
				let (found, bound) = (outcome.taken.into(), (assignment + 1).into());
				cases.push(case("epochs that units are kept", found, bound));
			}
		}
	}
	cases
}
