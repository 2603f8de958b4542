//! What goes on while the brakes are on: all that somebody would be slashed for leaving undone. Duties
//! go through the runtime's own door, with real work in them.

use super::{emergency, enacted, has, propose, vote_aye};
use crate::{
	blocks,
	errors::scene::{
		account, answer, answered, asked, by, deal, done, genesis_hash, go_live, go_to, hand_in,
		is_drawn, make, now, offering, on_dev_chain, order, paid, pass_audit, peer, report,
		reported, ALICE, BOB, CHARLIE, EVE,
	},
};
use frame_support::{
	traits::{fungible::InspectHold, GetCallMetadata},
	BoundedVec,
};
use millrace_primitives::{
	audit::AuditStatus,
	capacity::{meets, Puzzle},
	market::split_payment,
	traits::{EpochClock, RandomX},
	Balance, DealId, EpochIndex, FLT, H256,
};
use millrace_runtime::{
	configs::governance::origins::Origin, timing::GovernanceHourBlocks, Balances, Capacity, Epochs,
	Runtime, RuntimeCall, RuntimeOrigin, System,
};
use pallet_capacity::Config;
use pallet_conviction_voting::Conviction;
use pallet_safe_mode::EnteredUntil;
use pallet_tx_pause::RuntimeCallNameOf;
use sp_runtime::DispatchError;

/// Blocks of governance's hour here: an epoch, as on the mainnet.
const HOUR: u32 = 20;
/// The machine's idle units, and those at work.
const UNITS: (u32, u32) = (1, 1);

/// Nonces that solve all that the machine owes for an epoch, in their order: by the real RandomX.
fn mined(epoch: EpochIndex) -> Vec<u64> {
	let (idle, busy) = UNITS;
	let row = Capacity::row(epoch).expect("the epoch has begun");
	let seed = <Epochs as EpochClock>::seed(epoch).expect("the epoch has begun");
	let solve = |index| {
		let (unit, k) = row.rates.leaf(idle, busy, index).expect("it is owed");
		let puzzle = Puzzle {
			genesis: genesis_hash(),
			peer: peer(1),
			unit,
			k,
		};
		let solves = |nonce: &u64| {
			let hash = <Runtime as Config>::RandomX::hash(seed, puzzle.input(*nonce));
			meets(&hash.expect("a block is always answered"), row.target)
		};
		(0..).find(solves).expect("there are many")
	};
	(0..row.rates.leaves(idle, busy)).map(solve).collect()
}

fn settle() {
	let settle = pallet_capacity::Call::<Runtime>::settle { peer: peer(1) };
	done(by(EVE), settle);
}

/// Alice's machine serves a deal of Bob's, and whole blocks have begun, in the midst of epoch 3.
fn at_work(test: impl FnOnce(DealId)) {
	on_dev_chain(|| {
		GovernanceHourBlocks::<Runtime>::put(HOUR);
		let (idle, busy) = UNITS;
		offering(ALICE, 1, idle + busy);
		let deal = deal(order(1, 1));
		done(by(BOB), pallet_market::Call::<Runtime>::match_deal { deal });
		go_live(1, deal);
		go_to(3, 0);
		hand_in(1, &report(idle + busy, 0, &[0], &[]));
		go_to(3, 8);
		pass_audit(1);
		go_to(3, 16);
		settle();
		blocks::begin();
		test(deal);
	});
}

/// From the first block of an epoch on: the machine reports the epoch before, proves what is drawn of
/// it, and is settled and paid.
#[track_caller]
fn serve(deal: DealId) {
	let (epoch, position) = now();
	assert_eq!(position, 0);
	let before = paid(deal);
	let nonces = mined(epoch - 1);
	let report = report(UNITS.0, UNITS.1, &nonces, &[deal]);
	blocks::fulfil(&reported(1, &report));
	blocks::go_to(epoch, 8);
	assert!(is_drawn(1));
	blocks::fulfil(&answered(1, &answer(1, &report, &nonces)));
	let audit = Capacity::audit_of(peer(1)).expect("it was drawn");
	assert_eq!(audit.status, AuditStatus::Passed);
	blocks::go_to(epoch, 16);
	settle();
	let (due, _) = split_payment(asked().ask);
	assert_eq!(paid(deal) - before, due);
}

fn staked() -> Balance {
	let reason = pallet_capacity::HoldReason::Stake.into();
	Balances::balance_on_hold(&reason, &account(ALICE))
}

/// Serves these epochs under the brakes, and sees that nothing is taken of the stake.
fn live_through(epochs: impl Iterator<Item = EpochIndex>, deal: DealId) {
	let (stake, all) = (staked(), has(ALICE));
	assert!(stake > 0);
	for epoch in epochs {
		blocks::go_to(epoch, 0);
		serve(deal);
	}
	assert_eq!(staked(), stake);
	assert!(has(ALICE) >= all);
	let waiting = pallet_capacity::WaitingSlashes::<Runtime>::iter_key_prefix(peer(1));
	assert_eq!(waiting.count(), 0, "slashes wait");
}

fn transfer() -> RuntimeCall {
	let to = account(CHARLIE);
	RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
		dest: to.into(),
		value: FLT,
	})
}

/// Refused by a brake.
#[track_caller]
fn stopped(origin: RuntimeOrigin, call: impl Into<RuntimeCall>) {
	let call = call.into();
	let name = call.get_call_metadata().function_name;
	let refusal = make(origin, call).expect_err(name).error;
	let filtered: DispatchError = frame_system::Error::<Runtime>::CallFiltered.into();
	assert_eq!(refusal, filtered, "{name}");
}

/// Challenges are begun and workers probed, deals are kept alive and left, while what is new waits.
fn brakes_hold(deal: DealId) {
	let peer = peer(1);
	let commitment = H256::repeat_byte(7);
	let commit = pallet_receipts::Call::<Runtime>::commit { commitment };
	done(by(EVE), commit);
	let top_up = pallet_market::Call::<Runtime>::top_up { deal, amount: FLT };
	done(by(BOB), top_up);
	let body = Default::default();
	let probe = pallet_market::Call::<Runtime>::probe { deal, peer, body };
	done(by(BOB), probe);
	done(by(BOB), pallet_market::Call::<Runtime>::stop { deal });
	let withdraw = pallet_market::Call::<Runtime>::withdraw_offer { peer };
	done(by(ALICE), withdraw);

	let create = pallet_market::Call::<Runtime>::create_deal {
		spec: order(1, 1),
		escrow: FLT,
	};
	stopped(by(BOB), create);
	let offer = pallet_market::Call::<Runtime>::post_offer {
		peer,
		terms: asked(),
	};
	stopped(by(ALICE), offer);
	stopped(by(BOB), transfer());
}

#[test]
fn safe_mode_slashes_nobody_for_whole_epochs() {
	at_work(|deal| {
		blocks::go_to(4, 0);
		done(
			emergency(),
			pallet_safe_mode::Call::<Runtime>::force_enter {},
		);
		let until = System::block_number() + 4 * HOUR;
		assert_eq!(EnteredUntil::<Runtime>::get(), Some(until));
		live_through(4..7, deal);
		assert!(EnteredUntil::<Runtime>::exists());
		brakes_hold(deal);

		// A wrapper passes, and what it carries does not.
		let calls = vec![transfer()];
		let batch = pallet_utility::Call::<Runtime>::batch_all { calls };
		stopped(by(BOB), batch);
		let commitment = H256::repeat_byte(8);
		let commit = pallet_receipts::Call::<Runtime>::commit { commitment };
		let calls = vec![commit.into()];
		done(
			by(EVE),
			pallet_utility::Call::<Runtime>::batch_all { calls },
		);

		// It ends by itself.
		while System::block_number() <= until {
			assert!(EnteredUntil::<Runtime>::exists());
			blocks::next();
		}
		assert!(!EnteredUntil::<Runtime>::exists());
		done(by(BOB), transfer());
	});
}

fn name(pallet: &str, call: &str) -> RuntimeCallNameOf<Runtime> {
	let bounded = |text: &str| BoundedVec::truncate_from(text.as_bytes().to_vec());
	(bounded(pallet), bounded(call))
}

/// Every call of the runtime that can be paused is.
fn pause_everything() {
	let unpausable: DispatchError = pallet_tx_pause::Error::<Runtime>::Unpausable.into();
	let mut paused = 0;
	for pallet in RuntimeCall::get_module_names() {
		for call in RuntimeCall::get_call_names(pallet) {
			let full_name = name(pallet, call);
			let pause = pallet_tx_pause::Call::<Runtime>::pause { full_name };
			match make(emergency(), pause) {
				Ok(_) => paused += 1,
				Err(refusal) => assert_eq!(refusal.error, unpausable, "{pallet}.{call}"),
			}
		}
	}
	assert!(paused > 30, "{paused}");
}

#[test]
fn with_everything_paused_nobody_is_slashed() {
	at_work(|deal| {
		blocks::go_to(4, 0);
		pause_everything();
		live_through(4..5, deal);
		brakes_hold(deal);
		let ident = name("Balances", "transfer_keep_alive");
		let unpause = pallet_tx_pause::Call::<Runtime>::unpause { ident };
		done(emergency(), unpause);
		done(by(BOB), transfer());
	});
}

#[test]
fn safe_mode_is_entered_and_left_by_votes_and_never_bought() {
	on_dev_chain(|| {
		GovernanceHourBlocks::<Runtime>::put(HOUR);
		blocks::begin();
		let buy = pallet_safe_mode::Call::<Runtime>::enter {};
		let refusal = make(by(ALICE), buy).expect_err("nobody can buy it").error;
		let expected: DispatchError = pallet_safe_mode::Error::<Runtime>::NotConfigured.into();
		assert_eq!(refusal, expected);

		let by_vote = |call: pallet_safe_mode::Call<Runtime>| {
			let referendum = propose(EVE, Origin::Emergency, call);
			for name in [ALICE, BOB, CHARLIE] {
				vote_aye(name, referendum, Conviction::Locked1x);
			}
			assert_eq!(enacted(referendum), Ok(()));
		};
		by_vote(pallet_safe_mode::Call::force_enter {});
		let until = EnteredUntil::<Runtime>::get().expect("it was entered");
		stopped(by(BOB), transfer());
		// Those who are stopped can vote the brake away.
		by_vote(pallet_safe_mode::Call::force_exit {});
		assert!(!EnteredUntil::<Runtime>::exists());
		assert!(System::block_number() < until);
		done(by(EVE), transfer());
	});
}
