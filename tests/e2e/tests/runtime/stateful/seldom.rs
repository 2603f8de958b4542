//! What chance alone brings about too seldom: it is tried where it can succeed.

use super::{
	capacity::name_of,
	chain::send,
	votes::by_root,
	world::{World, ALL, CLIENTS},
};
use crate::{
	checkpoints::{early_vote, vote},
	errors::scene::{account, BOB},
};
use millrace_primitives::{
	market::{DealStatus, WorkerStatus},
	peer::PeerId,
	Balance, DealId, FLT, H256,
};
use millrace_runtime::{
	configs::money::ExistentialDeposit, AccountId, Beefy, Runtime, RuntimeCall, System,
};
use pallet_capacity::{Commitments, Rounds, WaitingSlashes};
use pallet_market::{DealKey, Deals, Specs, Unfilled, Workers};
use pallet_treasury::{PaymentState, SpendIndex, Spends};
use sp_consensus_beefy::test_utils::Keyring;
use sp_runtime::MultiAddress;

type Market = pallet_market::Call<Runtime>;
type Capacity = pallet_capacity::Call<Runtime>;
type Balances = pallet_balances::Call<Runtime>;

/// Sets this chance apart from that of all others.
pub(super) const OTHER: u64 = 1 << 33;
/// An account that is never there for long.
const SMALL: &str = "//Small";

impl World {
	/// What happens of it in a block, if anything does.
	pub(super) fn seldom(&mut self) -> Option<(&'static str, bool)> {
		if let Some(worked) = self.answer_probe() {
			return Some(("answer_probe", worked));
		}
		if !(self.promised.is_empty() && self.proven.is_empty()) && self.rare.one_in(4) {
			return Some(("reveal_challenge", self.reveal_challenge()));
		}
		Some(match self.rare.below(64) {
			0..=4 => ("probe", self.probe_who_serves()),
			5..=8 => ("redeem", self.redeem()),
			9..=12 => self.reward_developers(),
			13..=14 => ("payout", self.spend()),
			15..=16 => ("cancel", self.cancel_round()),
			17..=18 => ("take_deal", self.give_deal_away()),
			19..=20 => ("dust", self.lose_dust()),
			21..=22 => ("apply_slash", self.apply_oldest_slash()),
			23 => ("cancel_slash", self.cancel_some_slash()),
			24 => ("match_deal", self.match_unfilled()),
			25 => ("push_worker", self.end_some_worker()),
			26 => ("equivocate", self.equivocate()),
			_ => return None,
		})
	}

	/// Somebody by this chance.
	pub(super) fn passer(&mut self) -> &'static str {
		self.rare.pick(&ALL).expect("there are some")
	}

	/// Somebody claims what the treasury was told to spend; if there is nothing, root tells it to, first.
	fn spend(&mut self) -> bool {
		let (who, beneficiary) = (self.passer(), account(self.passer()));
		let pending = || {
			let mut all = Spends::<Runtime>::iter();
			all.find(|(_, spend)| matches!(spend.status, PaymentState::Pending))
		};
		if pending().is_none() {
			let spend = pallet_treasury::Call::<Runtime>::spend {
				asset_kind: Box::new(()),
				amount: Balance::from(self.rare.from_to(1, 100)) * FLT,
				beneficiary: Box::new(beneficiary),
				valid_from: None,
			};
			if !by_root(RuntimeCall::Treasury(spend)) {
				return false;
			}
		}
		let index: Option<SpendIndex> = pending().map(|(index, _)| index);
		index.is_some_and(|index| {
			let call = pallet_treasury::Call::<Runtime>::payout { index };
			send(who, RuntimeCall::Treasury(call))
		})
	}

	/// A provider gives up a round that is not full.
	fn cancel_round(&mut self) -> bool {
		let open: Vec<(PeerId, AccountId)> = Rounds::<Runtime>::iter_keys()
			.filter_map(|peer| Commitments::<Runtime>::get(peer).map(|row| (peer, row)))
			.filter(|(_, commitment)| commitment.change.is_none())
			.map(|(peer, commitment)| (peer, commitment.provider))
			.collect();
		self.rare
			.pick(&open)
			.is_some_and(|(peer, provider)| send(name_of(&provider), Capacity::cancel { peer }))
	}

	/// A client gives a deal to the other one, who takes it.
	fn give_deal_away(&mut self) -> bool {
		let all: Vec<DealId> = Specs::<Runtime>::iter_keys().collect();
		let Some(deal) = self.rare.pick(&all) else {
			return false;
		};
		let Some(from) = owner(deal) else {
			return false;
		};
		let to = CLIENTS
			.into_iter()
			.find(|name| *name != from)
			.unwrap_or(BOB);
		let heir = Some(account(to));
		send(from, Market::name_heir { deal, heir }) && send(to, Market::take_deal { deal })
	}

	/// An account gets some FLT, and all but what no account can consist of is taken from it.
	fn lose_dust(&mut self) -> bool {
		let who = self.passer();
		let least = u32::try_from(ExistentialDeposit::get() / 1_000_000_000).unwrap_or(u32::MAX);
		let dust = Balance::from(self.rare.from_to(1, least - 1)) * 1_000_000_000 - 1;
		let small = || MultiAddress::Id(account(SMALL));
		let pay = Balances::transfer_keep_alive {
			dest: small(),
			value: FLT,
		};
		let take = Balances::force_transfer {
			source: small(),
			dest: MultiAddress::Id(account(who)),
			value: FLT - dust,
		};
		send(who, pay) && by_root(RuntimeCall::Balances(take))
	}

	/// Somebody applies the slash that is due for longest.
	fn apply_oldest_slash(&mut self) -> bool {
		let who = self.passer();
		let oldest = WaitingSlashes::<Runtime>::iter()
			.min_by_key(|(_, slash, row)| (row.due, *slash))
			.map(|(peer, slash, _)| (peer, slash));
		oldest.is_some_and(|(peer, slash)| send(who, Capacity::apply_slash { peer, slash }))
	}

	/// Governance sends a slash back.
	fn cancel_some_slash(&mut self) -> bool {
		let all: Vec<_> = WaitingSlashes::<Runtime>::iter_keys().collect();
		self.rare.pick(&all).is_some_and(|(peer, slash)| {
			by_root(RuntimeCall::Capacity(Capacity::cancel_slash {
				peer,
				slash,
			}))
		})
	}

	/// Somebody has workers looked for where some are missing.
	fn match_unfilled(&mut self) -> bool {
		let who = self.passer();
		let all: Vec<DealId> = Unfilled::<Runtime>::iter_keys()
			.map(|key| key.id())
			.collect();
		self.rare
			.pick(&all)
			.is_some_and(|deal| send(who, Market::match_deal { deal }))
	}

	/// An owner ends a worker of a deal that goes on.
	fn end_some_worker(&mut self) -> bool {
		let all: Vec<(DealId, PeerId)> = Workers::<Runtime>::iter()
			.filter(|(deal, _, worker)| {
				goes_on(*deal) && !matches!(worker.status, WorkerStatus::Draining { .. })
			})
			.map(|(deal, peer, _)| (deal, peer))
			.collect();
		let Some((deal, peer)) = self.rare.pick(&all) else {
			return false;
		};
		owner(deal).is_some_and(|name| send(name, Market::end_worker { deal, peer }))
	}

	/// The only validator signs a block that is not there, and somebody reports it: its commitments pay
	/// when they are settled next.
	fn equivocate(&mut self) -> bool {
		let who = self.passer();
		let Some(set) = Beefy::validator_set() else {
			return false;
		};
		let block = System::block_number() + self.rare.from_to(1, 10_000);
		let signed = vote(&Keyring::Alice, set.id(), block, H256::repeat_byte(1));
		send(who, early_vote(signed))
	}
}

/// Whether a deal is not ending.
pub(super) fn goes_on(deal: DealId) -> bool {
	Deals::<Runtime>::get(DealKey::from(deal))
		.is_some_and(|deal| !matches!(deal.status, DealStatus::Ending { .. }))
}

/// The name of a deal's owner.
fn owner(deal: DealId) -> Option<&'static str> {
	Deals::<Runtime>::get(DealKey::from(deal)).map(|deal| name_of(&deal.owner))
}
