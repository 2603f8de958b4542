//! Who votes, with what, and what a vote can do.

use super::{emergency, enacted, has, propose, support, vote_aye};
use crate::{
	blocks,
	errors::scene::{
		account, by, commit, deal, done, go_to, hand_in, make, on_dev_chain, order, peer, report,
		ALICE, BOB, CHARLIE, DAVE, EVE,
	},
};
use frame_support::traits::{
	fungible::{Inspect, InspectHold},
	tokens::{Fortitude, Preservation},
};
use millrace_primitives::{Balance, FLT};
use millrace_runtime::{
	configs::governance::origins::Origin, AccountId, Balances, Runtime, RuntimeCall, RuntimeOrigin,
	Treasury,
};
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use sp_runtime::{DispatchError, DispatchResult};

/// Somebody who is paid by the treasury and has nothing else.
const PAYEE: &str = "//Payee";

fn staked(name: &str) -> Balance {
	let reason = pallet_capacity::HoldReason::Stake.into();
	Balances::balance_on_hold(&reason, &account(name))
}

fn spendable(name: &str) -> Balance {
	let who = account(name);
	Balances::reducible_balance(&who, Preservation::Preserve, Fortitude::Polite)
}

/// The slashes of the first machine that wait.
fn waiting() -> Vec<u64> {
	pallet_capacity::WaitingSlashes::<Runtime>::iter_key_prefix(peer(1)).collect()
}

/// Alice's machine has reported, was drawn, did not answer, and is settled: a slash waits.
fn slashed() {
	commit(ALICE, 1, 10, 100);
	go_to(2, 0);
	hand_in(1, &report(10, 0, &[0], &[]));
	go_to(2, 16);
	let settle = pallet_capacity::Call::<Runtime>::settle { peer: peer(1) };
	done(by(EVE), settle);
	assert_eq!(waiting().len(), 1);
}

fn cancel(slash: u64) -> pallet_capacity::Call<Runtime> {
	pallet_capacity::Call::<Runtime>::cancel_slash {
		peer: peer(1),
		slash,
	}
}

#[test]
fn a_slash_that_waits_is_cancelled_by_a_vote() {
	on_dev_chain(|| {
		slashed();
		let slash = waiting()[0];
		blocks::begin();
		let referendum = propose(BOB, Origin::Emergency, cancel(slash));
		for name in [ALICE, BOB, CHARLIE] {
			vote_aye(name, referendum, Conviction::None);
		}
		let free = || Balances::free_balance(account(ALICE));
		let before = free();
		assert_eq!(enacted(referendum), Ok(()));
		assert!(waiting().is_empty());
		assert!(free() > before, "it comes back as free balance");
	});
}

/// Twice over the same scene: what Alice loses does not depend on what she has voted with.
#[test]
fn staked_flt_votes_and_answers_as_if_it_had_not() {
	let lost = |votes: bool| {
		on_dev_chain(|| {
			commit(ALICE, 1, 10, 100);
			let (all, stake) = (has(ALICE), staked(ALICE));
			assert!(stake > 0);
			if votes {
				blocks::begin();
				let call = pallet_safe_mode::Call::<Runtime>::force_enter {};
				let referendum = propose(BOB, Origin::Emergency, call);
				vote_aye(ALICE, referendum, Conviction::Locked6x);
				// Deposits and stake too.
				assert_eq!(support(referendum), all);
				assert_eq!(spendable(ALICE), 0);
			}
			go_to(2, 0);
			hand_in(1, &report(10, 0, &[0], &[]));
			go_to(2, 16);
			let settle = pallet_capacity::Call::<Runtime>::settle { peer: peer(1) };
			done(by(EVE), settle);
			let slash = waiting()[0];
			go_to(8, 0);
			let peer = peer(1);
			let apply = pallet_capacity::Call::<Runtime>::apply_slash { peer, slash };
			done(by(EVE), apply);
			(stake - staked(ALICE), all - has(ALICE))
		})
	};
	let (stake, all) = lost(false);
	assert!(stake > 0 && stake == all, "{stake} of {all}");
	assert_eq!(lost(true), (stake, all));
}

/// What is in a pot has no owner who could vote with it.
#[test]
fn escrow_and_the_treasury_do_not_vote() {
	on_dev_chain(|| {
		let active = || <Balances as Inspect<AccountId>>::active_issuance();
		let before = active();
		blocks::begin();
		assert!(Treasury::pot() > 0);
		assert_eq!(active(), before - Treasury::pot());

		let call = pallet_safe_mode::Call::<Runtime>::force_exit {};
		let referendum = propose(EVE, Origin::Emergency, call);
		let before = has(BOB);
		deal(order(1, 1));
		let escrowed = before - has(BOB);
		assert!(escrowed >= FLT);
		let vote = Vote {
			aye: true,
			conviction: Conviction::None,
		};
		let balance = before;
		let with_escrow = pallet_conviction_voting::Call::<Runtime>::vote {
			poll_index: referendum,
			vote: AccountVote::Standard { vote, balance },
		};
		let refusal = make(by(BOB), with_escrow).expect_err("it is not his").error;
		let expected: DispatchError =
			pallet_conviction_voting::Error::<Runtime>::InsufficientFunds.into();
		assert_eq!(refusal, expected);
		vote_aye(BOB, referendum, Conviction::None);
		assert_eq!(support(referendum), before - escrowed);
	});
}

fn has_account(who: &AccountId) -> Balance {
	<Balances as Inspect<_>>::total_balance(who)
}

fn spend(amount: Balance) -> pallet_treasury::Call<Runtime> {
	pallet_treasury::Call::<Runtime>::spend {
		asset_kind: Box::new(()),
		amount,
		beneficiary: Box::new(account(PAYEE)),
		valid_from: None,
	}
}

#[test]
fn the_treasury_spends_by_a_vote_and_no_more_than_its_track_allows() {
	on_dev_chain(|| {
		blocks::begin();
		let too_much = pallet_treasury::Error::<Runtime>::InsufficientPermission;
		let cases: [(Balance, DispatchResult); 2] = [
			(5_000 * FLT, Ok(())),
			(1_000_001 * FLT, Err(too_much.into())),
		];
		for (amount, outcome) in cases {
			let referendum = propose(DAVE, Origin::Treasurer, spend(amount));
			for name in [ALICE, BOB, CHARLIE] {
				vote_aye(name, referendum, Conviction::Locked1x);
			}
			assert_eq!(enacted(referendum), outcome);
		}
		let before = has_account(&Treasury::account_id());
		// Anybody may have it paid out; it goes to whom the vote names.
		done(
			by(EVE),
			pallet_treasury::Call::<Runtime>::payout { index: 0 },
		);
		assert_eq!(has(PAYEE), 5_000 * FLT);
		assert_eq!(has_account(&Treasury::account_id()), before - 5_000 * FLT);
	});
}

#[test]
fn an_origin_does_its_own_and_nothing_else() {
	on_dev_chain(|| {
		slashed();
		let slash = waiting()[0];
		let others = [
			Origin::Treasurer,
			Origin::Parameters,
			Origin::Capacity,
			Origin::Market,
		];
		let refused = |origin: RuntimeOrigin, call: RuntimeCall| {
			let outcome = make(origin, call);
			assert_eq!(
				outcome.map_err(|refusal| refusal.error),
				Err(DispatchError::BadOrigin)
			);
		};
		for origin in others {
			refused(origin.into(), cancel(slash).into());
			let brake = pallet_safe_mode::Call::<Runtime>::force_enter {};
			refused(origin.into(), brake.into());
		}
		let upgrade = frame_system::Call::<Runtime>::set_code { code: vec![1] };
		refused(emergency(), upgrade.into());
		refused(emergency(), spend(1).into());
		done(emergency(), cancel(slash));
	});
}
