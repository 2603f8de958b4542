//! Voters, the treasury, and whoever moves FLT.

use super::{
	chain::send,
	world::{World, ALL},
};
use crate::errors::scene::{account, ALICE};
use codec::Encode;
use frame_support::traits::{schedule::DispatchTime, Bounded};
use millrace_primitives::{Balance, FLT};
use millrace_runtime::{
	configs::governance::origins::Origin,
	parameters::{dynamic_params::market, RuntimeParameters},
	OriginCaller, Runtime, RuntimeCall, RuntimeEvent, System,
};
use pallet_conviction_voting::{AccountVote, Call as Voting, Conviction, Vote};
use pallet_referenda::{Call as Referenda, ReferendumCount, ReferendumIndex};
use pallet_vesting::VestingInfo;
use sp_runtime::MultiAddress;

/// Track of the treasurer.
const TREASURER: u16 = 1;
/// Convictions that votes are cast with.
const CONVICTIONS: [Conviction; 3] = [Conviction::None, Conviction::Locked1x, Conviction::Locked2x];

impl World {
	/// Somebody wants the treasury to spend, or places the deposit without which nobody decides.
	pub(super) fn submit(&mut self) -> bool {
		let who = self.anybody();
		if self.dice.one_in(2) {
			return self.referendum().is_some_and(|index| {
				send(who, refer(Referenda::place_decision_deposit { index }))
			});
		}
		let spend = RuntimeCall::Treasury(pallet_treasury::Call::spend {
			asset_kind: Box::new(()),
			amount: Balance::from(self.dice.from_to(1, 100)) * FLT,
			beneficiary: Box::new(account(who)),
			valid_from: None,
		});
		let origin = OriginCaller::GovernanceOrigins(Origin::Treasurer);
		send(
			who,
			refer(Referenda::submit {
				proposal_origin: Box::new(origin),
				proposal: Bounded::Inline(spend.encode().try_into().expect("it is short")),
				enactment_moment: DispatchTime::After(0),
			}),
		)
	}

	/// Somebody votes with up to half of what it may have, or lets another vote.
	pub(super) fn vote(&mut self) -> bool {
		let (who, to) = (self.anybody(), self.anybody());
		let balance = Balance::from(self.dice.from_to(1, 50_000)) * 1_000 * FLT;
		let conviction = self.dice.pick(&CONVICTIONS).unwrap_or(Conviction::None);
		if self.dice.one_in(6) {
			let delegate = Voting::delegate {
				class: TREASURER,
				to: MultiAddress::Id(account(to)),
				conviction,
				balance,
			};
			return send(who, RuntimeCall::ConvictionVoting(delegate));
		}
		let Some(poll_index) = self.referendum() else {
			return false;
		};
		let aye = !self.dice.one_in(5);
		let vote = AccountVote::Standard {
			vote: Vote { aye, conviction },
			balance,
		};
		send(
			who,
			RuntimeCall::ConvictionVoting(Voting::vote { poll_index, vote }),
		)
	}

	/// Somebody takes back a vote, a delegation, a lock or a deposit.
	pub(super) fn unvote(&mut self) -> bool {
		let (who, class) = (self.anybody(), TREASURER);
		let Some(index) = self.referendum() else {
			return false;
		};
		let target = MultiAddress::Id(account(who));
		let call = match self.dice.below(5) {
			0 => RuntimeCall::ConvictionVoting(Voting::remove_vote {
				class: Some(class),
				index,
			}),
			1 => RuntimeCall::ConvictionVoting(Voting::undelegate { class }),
			2 => RuntimeCall::ConvictionVoting(Voting::unlock { class, target }),
			3 => refer(Referenda::refund_decision_deposit { index }),
			_ => refer(Referenda::refund_submission_deposit { index }),
		};
		send(who, call)
	}

	/// Somebody claims for its beneficiary what the treasury was told to spend.
	pub(super) fn payout(&mut self) -> bool {
		let who = self.anybody();
		let all: Vec<_> = pallet_treasury::Spends::<Runtime>::iter_keys().collect();
		self.dice.pick(&all).is_some_and(|index| {
			let call = pallet_treasury::Call::payout { index };
			send(who, RuntimeCall::Treasury(call))
		})
	}

	/// FLT goes to another, by itself, or in a batch that fails and undoes it.
	pub(super) fn transfer(&mut self) -> bool {
		let (from, to) = (self.anybody(), ALL[self.dice.below(6) as usize]);
		let value = Balance::from(self.dice.from_to(1, 1_000)) * FLT / 10;
		let pay = |value| {
			RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
				dest: MultiAddress::Id(account(to)),
				value,
			})
		};
		if self.dice.one_in(4) {
			let calls = vec![pay(value), pay(Balance::MAX)];
			let batch = pallet_utility::Call::<Runtime>::batch_all { calls };
			assert!(!send(from, batch), "nobody has so much");
			return false;
		}
		send(from, pay(value))
	}

	/// Root locks FLT in an account, or somebody frees what has unlocked.
	pub(super) fn lock(&mut self) -> bool {
		let (from, to) = (self.anybody(), self.anybody());
		if self.dice.one_in(2) {
			return send(to, RuntimeCall::Vesting(pallet_vesting::Call::vest {}));
		}
		let begins = System::block_number() + self.dice.from_to(1, 40);
		by_root(RuntimeCall::Vesting(
			pallet_vesting::Call::force_vested_transfer {
				source: MultiAddress::Id(account(from)),
				target: MultiAddress::Id(account(to)),
				schedule: VestingInfo::new(1_000 * FLT, 20 * FLT, begins),
			},
		))
	}

	/// Root changes what new asks are multiples of, from the next epoch on.
	pub(super) fn set_parameter(&mut self) -> bool {
		let tick = 1_000_000_000_000 >> self.dice.below(3);
		let value = market::Parameters::AskTick(market::AskTick, Some(tick));
		let parameter = RuntimeParameters::Market(value);
		by_root(RuntimeCall::Governed(pallet_governed::Call::set {
			parameter,
		}))
	}

	/// One of the last referenda.
	fn referendum(&mut self) -> Option<ReferendumIndex> {
		let next = ReferendumCount::<Runtime>::get();
		let back = self.dice.from_to(1, 6).min(next);
		next.checked_sub(back.max(1))
	}
}

/// Sends a call by the sudo key; whether the call succeeded. Its transaction does, whatever becomes of it.
pub(super) fn by_root(call: RuntimeCall) -> bool {
	let call = Box::new(call);
	let sent = send(ALICE, RuntimeCall::Sudo(pallet_sudo::Call::sudo { call }));
	let outcome = |event: RuntimeEvent| match event {
		RuntimeEvent::Sudo(pallet_sudo::Event::Sudid { sudo_result }) => Some(sudo_result.is_ok()),
		_ => None,
	};
	let events = System::events();
	let last = events
		.into_iter()
		.rev()
		.find_map(|record| outcome(record.event));
	sent && last == Some(true)
}

fn refer(call: Referenda<Runtime>) -> RuntimeCall {
	RuntimeCall::Referenda(call)
}
