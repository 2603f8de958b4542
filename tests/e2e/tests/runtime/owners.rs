//! Deals that no key owns: several people together do, or an account that somebody else acts for.

use crate::errors::scene::{
	account, by, deal, done, on_dev_chain, order, refuses, BOB, CHARLIE, DAVE, EVE, METADATA,
};
use codec::{DecodeAll, Encode};
use frame_support::{
	traits::fungible::{Inspect, InspectHold, Mutate},
	weights::Weight,
};
use millrace_client::calls;
use millrace_primitives::{Balance, DealId, FLT};
use millrace_runtime::{
	AccountId, Balances, BlockNumber, Market, Multisig, Proxy, Runtime, RuntimeCall, System,
};
use pallet_market::{Call, HoldReason};
use sp_runtime::MultiAddress;

fn has(who: &AccountId) -> Balance {
	<Balances as Inspect<AccountId>>::total_balance(who)
}

/// What is held of an account for its deals.
fn deposit(who: &AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::DealDeposit.into(), who)
}

/// A call by its names and its encoded arguments, which may have another call at their end.
fn encoded(pallet: &str, name: &str, args: impl Encode) -> RuntimeCall {
	let call = calls::Call::new(pallet, name, args);
	let bytes = call.encode(&METADATA).expect("the runtime has this call");
	RuntimeCall::decode_all(&mut &bytes[..]).expect("that is a call")
}

/// Bob hands a new deal to an account, which pays for it, ends it and has back all that is in it.
#[track_caller]
fn owns_a_deal(owner: &AccountId, act: impl Fn(RuntimeCall)) {
	Balances::mint_into(owner, 10 * FLT).expect("anybody can be given FLT");
	let before = has(owner);
	let spec = order(1, 1);
	let closing_deposit = spec.price_ceiling;
	let deal = deal(spec);
	let heir = Some(owner.clone());
	done(by(BOB), Call::<Runtime>::name_heir { deal, heir });

	act(Call::<Runtime>::take_deal { deal }.into());
	assert_eq!(of(owner), [deal]);
	assert!(of(&account(BOB)).is_empty());
	assert!(deposit(owner) > 0);
	assert_eq!(deposit(&account(BOB)), 0);
	refuses!(Market::NotOwner, by(BOB), Call::<Runtime>::stop { deal });

	let amount = 2 * FLT;
	act(Call::<Runtime>::top_up { deal, amount }.into());
	assert_eq!(has(owner), before - amount);
	act(Call::<Runtime>::stop { deal }.into());
	done(by(BOB), Call::<Runtime>::close { deal });
	// Nobody has served: there is what Bob has put in, besides.
	assert_eq!(has(owner), before + FLT + closing_deposit);
	assert_eq!(deposit(owner), 0);
	assert!(of(owner).is_empty());
}

/// The deals of an account.
fn of(owner: &AccountId) -> Vec<DealId> {
	Market::deal_ids(Some(owner.clone()), 0, 9)
}

#[test]
fn two_who_sign_together_own_a_deal() {
	on_dev_chain(|| {
		let mut both = [account(CHARLIE), account(DAVE)];
		both.sort();
		let owner = Multisig::multi_account_id(&both, 2);
		owns_a_deal(&owner, |call| {
			let agreed = |other: &str, first: Option<(BlockNumber, u32)>| {
				let others = vec![account(other)];
				let args = (2u16, others, first, call.clone(), Weight::MAX);
				encoded("Multisig", "as_multi", args)
			};
			let first = (System::block_number(), 0);
			done(by(CHARLIE), agreed(DAVE, None));
			done(by(DAVE), agreed(CHARLIE, Some(first)));
		});
	});
}

#[test]
fn an_account_without_a_key_owns_a_deal_by_its_proxy() {
	on_dev_chain(|| {
		let any = Default::default();
		let owner = Proxy::pure_account(&account(EVE), &any, 0, None);
		let (delay, index): (BlockNumber, u16) = (0, 0);
		done(
			by(EVE),
			encoded("Proxy", "create_pure", (any, delay, index)),
		);
		owns_a_deal(&owner, |call| {
			let real: MultiAddress<AccountId, ()> = MultiAddress::Id(owner.clone());
			done(by(EVE), encoded("Proxy", "proxy", (real, None::<u8>, call)));
		});
	});
}
