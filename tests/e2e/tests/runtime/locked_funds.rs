//! FLT that is locked: by a vote, or because it vests. Both can be staked, and answer for what was staked;
//! neither is ever spent.

use crate::errors::{
	refuses,
	scene::{
		account, asked, by, commit, deal, done, go_live, go_to, hand_in, make, offering,
		on_dev_chain, order, paid, pass_audit, peer, report, root, ALICE, BOB, CHARLIE, DAVE, EVE,
	},
};
use codec::{DecodeAll, Encode};
use frame_support::traits::{
	fungible::{Inspect, InspectHold},
	tokens::{Fortitude, Preservation},
	PalletInfoAccess, VestingSchedule,
};
use millrace_primitives::{market::split_payment, Balance, DealId, FLT};
use millrace_runtime::{
	Balances, BlockNumber, ConvictionVoting, Runtime, RuntimeCall, System, Vesting,
};
use pallet_market::Call;
use pallet_vesting::VestingInfo;
use sp_runtime::MultiAddress;

/// Whose FLT vests.
const VESTING: &str = "//Vesting";
/// A block that no test reaches.
const LATER: BlockNumber = 1_000_000;

fn has(name: &str) -> Balance {
	<Balances as Inspect<_>>::total_balance(&account(name))
}

fn spendable(name: &str) -> Balance {
	let who = account(name);
	Balances::reducible_balance(&who, Preservation::Preserve, Fortitude::Polite)
}

/// Locks all that an account has for as long as a vote can: it delegates its vote to Dave.
fn vote_with_all(name: &str) {
	let index = <ConvictionVoting as PalletInfoAccess>::index() as u8;
	// The first track, an account, and the longest lock.
	let (delegate, track, id, longest) = (1u8, 0u16, 0u8, 6u8);
	let bytes = (
		index,
		delegate,
		track,
		(id, account(DAVE)),
		longest,
		has(name),
	)
		.encode();
	let call = RuntimeCall::decode_all(&mut &bytes[..]).expect("it is a call");
	assert!(format!("{call:?}").contains("delegate"), "{call:?}");
	done(by(name), call);
	assert_eq!(spendable(name), 0);
}

/// Locks all that an account has by a schedule that has not begun.
fn vest_all(name: &str) {
	let all = has(name);
	Vesting::add_vesting_schedule(&account(name), all, 1, LATER).expect("it has room");
	assert_eq!(spendable(name), 0);
}

/// The only machine reports the epoch before with a deal, and is settled.
pub(crate) fn serve(epoch: u32, deal: DealId) {
	go_to(epoch + 1, 0);
	hand_in(1, &report(0, 1, &[0], &[deal]));
	go_to(epoch + 1, 8);
	pass_audit(1);
	go_to(epoch + 1, 16);
	let settle = pallet_capacity::Call::<Runtime>::settle { peer: peer(1) };
	done(by(EVE), settle);
}

#[test]
fn vote_locked_escrow_pays_in_full_and_comes_back() {
	on_dev_chain(|| {
		offering(ALICE, 1, 1);
		let deal = deal(order(1, 1));
		vote_with_all(BOB);
		done(by(EVE), Call::<Runtime>::match_deal { deal });
		go_live(1, deal);
		let ask = asked().ask;
		let (due, _) = split_payment(ask);
		serve(3, deal);
		assert_eq!(paid(deal), due);

		let before = has(BOB);
		done(by(BOB), Call::<Runtime>::stop { deal });
		serve(4, deal);
		let unpaid = 2 * due - paid(deal);
		assert_eq!(unpaid, 0);
		done(by(EVE), Call::<Runtime>::close { deal });
		// Of the escrow two epochs, and one of the closing deposit, which was one at twice the price.
		assert_eq!(has(BOB) - before, FLT + 2 * ask - 3 * ask);
		println!(r#"{{"measure":"locked_funds","of":"escrow","short":{unpaid}}}"#);
	});
}

/// What a peer that does not answer its audit loses, of its stake and of all that its provider has.
fn lost_by_an_audit(lock: impl FnOnce(&str)) -> (Balance, Balance) {
	on_dev_chain(|| {
		commit(ALICE, 1, 10, 100);
		lock(ALICE);
		let staked = || {
			let reason = pallet_capacity::HoldReason::Stake.into();
			Balances::balance_on_hold(&reason, &account(ALICE))
		};
		let (stake, all) = (staked(), has(ALICE));
		go_to(2, 0);
		hand_in(1, &report(10, 0, &[0], &[]));
		go_to(2, 16);
		let settle = pallet_capacity::Call::<Runtime>::settle { peer: peer(1) };
		done(by(EVE), settle);
		// Large slashes wait.
		go_to(8, 0);
		let waiting: Vec<_> =
			pallet_capacity::WaitingSlashes::<Runtime>::iter_key_prefix(peer(1)).collect();
		for slash in waiting {
			let apply = pallet_capacity::Call::<Runtime>::apply_slash {
				peer: peer(1),
				slash,
			};
			done(by(EVE), apply);
		}
		(stake - staked(), all - has(ALICE))
	})
}

#[test]
fn vote_locked_stake_is_slashed_in_full() {
	let (stake, all) = lost_by_an_audit(|_| ());
	assert!(stake > 0 && all == stake, "{stake} of {all}");
	let (locked_stake, locked) = lost_by_an_audit(vote_with_all);
	let short = stake - locked_stake;
	println!(r#"{{"measure":"locked_funds","of":"stake","short":{short}}}"#);
	assert_eq!((locked_stake, locked), (stake, all));
}

#[test]
fn stake_that_vests_is_slashed_in_full() {
	let free = lost_by_an_audit(|_| ());
	assert_eq!(lost_by_an_audit(vest_all), free);
}

#[test]
fn vesting_flt_is_staked_and_voted_and_never_spent() {
	on_dev_chain(|| {
		let all = 1_000 * FLT;
		let who = account(VESTING);
		let each = all / 100;
		let grant = pallet_vesting::Call::<Runtime>::force_vested_transfer {
			source: MultiAddress::Id(account(CHARLIE)),
			target: MultiAddress::Id(who.clone()),
			schedule: VestingInfo::new(all, each, LATER),
		};
		done(root(), grant);
		assert_eq!(has(VESTING), all);
		let deal = deal(order(1, 1));
		let refuses_all = || {
			assert_eq!(spendable(VESTING), 0);
			let create = Call::<Runtime>::create_deal {
				spec: order(1, 1),
				escrow: FLT,
			};
			refuses!(Market::FundsTooLow, by(VESTING), create);
			let top_up = Call::<Runtime>::top_up { deal, amount: 1 };
			refuses!(Market::FundsTooLow, by(VESTING), top_up);
			let send = pallet_balances::Call::<Runtime>::transfer_allow_death {
				dest: MultiAddress::Id(account(BOB)),
				value: FLT,
			};
			assert!(make(by(VESTING), send).is_err());
		};
		refuses_all();
		vote_with_all(VESTING);
		refuses_all();
		commit(VESTING, 1, 1, 100);
		let reason = pallet_capacity::HoldReason::Stake.into();
		assert!(Balances::balance_on_hold(&reason, &who) > 0);
		// What is staked takes nothing out of the lock.
		refuses_all();
		let (peer, terms) = (peer(1), asked());
		refuses!(
			Market::FundsTooLow,
			by(VESTING),
			Call::<Runtime>::post_offer { peer, terms }
		);
		assert_eq!(has(VESTING), all);

		// Half of it unlocks, as soon as somebody says so; the vote holds it still.
		System::set_block_number(LATER + 50);
		let vest = pallet_vesting::Call::<Runtime>::vest_other {
			target: MultiAddress::Id(who.clone()),
		};
		done(by(EVE), vest);
		assert_eq!(Vesting::vesting_balance(&who), Some(50 * each));
		assert_eq!(spendable(VESTING), 0);
	});
}
