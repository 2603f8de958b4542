//! Seats by stake through the whole runtime: many small accounts in one hand get few seats, or none.

use crate::errors::scene::{account, by, commit, done, endow, on_chain, refuses};
use codec::Decode;
use millrace_primitives::{Balance, FLT};
use millrace_runtime::{AccountId, Capacity, Runtime, Session, SessionKeys, Validators as Seats};
use pallet_capacity::TotalActiveStake;
use pallet_validators::ValidatorsParams;
use sp_crypto_hashing::twox_128;
use std::collections::BTreeSet;

type Validators = pallet_validators::Call<Runtime>;

/// Accounts of one unit each.
const SYBILS: u16 = 91;
/// Stake of a unit on the main network.
const UNIT: Balance = 100 * FLT;
/// Sessions that are looked at: more than all seats need to change hands.
const SESSIONS: usize = 60;

fn honest(n: u16) -> String {
	format!("//Honest{n}")
}

fn sybil(n: u16) -> String {
	format!("//Sybil{n}")
}

/// An account commits its machine and sets session keys.
fn provide(name: &str, machine: u16, units: u32) {
	let stake = UNIT * Balance::from(units);
	// Deposits besides.
	endow(name, stake + 1_000 * FLT);
	commit(name, machine, units, 720);
	let mut keys = [0; 32 + 32 + 33];
	keys[..2].copy_from_slice(&machine.to_le_bytes());
	keys[32..34].copy_from_slice(&machine.to_le_bytes());
	let keys = SessionKeys::decode(&mut &keys[..]).expect("any bytes are keys");
	pallet_session::NextKeys::<Runtime>::insert(account(name), keys);
}

/// So many honest providers of so many units each, and the others, under the main network's rules for
/// capacity.
fn everybody(providers: u16, units: u32) {
	Capacity::apply_params(Default::default()).expect("they fit each other");
	for n in 1..=providers {
		provide(&honest(n), n, units);
	}
	for n in 1..=SYBILS {
		provide(&sybil(n), providers + n, 1);
	}
	let all = UNIT * (Balance::from(providers) * Balance::from(units) + Balance::from(SYBILS));
	assert_eq!(TotalActiveStake::<Runtime>::get(), all);
}

/// The next session begins; who sits in it.
fn rotate() -> Vec<AccountId> {
	// BABE has looked at the block's digest.
	let initialized = [twox_128(b"Babe"), twox_128(b"Initialized")].concat();
	sp_io::storage::set(&initialized, &[0]);
	Session::rotate_session();
	Session::validators()
}

/// Turns sessions, in each of which `check` gets the number of seats and how many are Sybils'; who sits
/// in the last one.
fn turn(check: impl Fn(usize, usize)) -> BTreeSet<AccountId> {
	let sybils: BTreeSet<AccountId> = (1..=SYBILS).map(|n| account(&sybil(n))).collect();
	let mut before = Session::validators();
	for _ in 0..SESSIONS {
		let seats = rotate();
		let changes = (before.len() / 6).max(1);
		let entered = seats.iter().filter(|who| !before.contains(who)).count();
		let left = before.iter().filter(|who| !seats.contains(who)).count();
		assert!(
			entered <= changes && left <= changes,
			"{entered} and {left}"
		);
		check(
			seats.len(),
			seats.iter().filter(|who| sybils.contains(who)).count(),
		);
		before = seats;
	}
	before.into_iter().collect()
}

fn names(providers: u16) -> BTreeSet<AccountId> {
	(1..=providers).map(|n| account(&honest(n))).collect()
}

#[test]
fn one_unit_is_not_enough_to_stand_on_the_main_network() {
	const PROVIDERS: u16 = 20;
	on_chain("local_testnet", || {
		let params = ValidatorsParams::default();
		Seats::apply_params(params).expect("they fit each other");
		everybody(PROVIDERS, 512);
		assert!(TotalActiveStake::<Runtime>::get() >= params.bootstrap_stake);
		for n in 1..=PROVIDERS {
			done(by(&honest(n)), Validators::validate {});
		}
		for n in 1..=SYBILS {
			refuses!(
				Validators::StakeTooLow,
				by(&sybil(n)),
				Validators::validate {}
			);
		}
		let seated = turn(|_, sybils| assert_eq!(sybils, 0));
		assert_eq!(seated, names(PROVIDERS), "stake alone decides in the end");
	});
}

/// With no more than a unit asked for, so that nothing but shares of the stake keeps them out.
fn sybils_against(providers: u16, units: u32) {
	on_chain("local_testnet", || {
		let params = ValidatorsParams {
			min_seat_stake: UNIT,
			bootstrap_stake: UNIT,
			..Default::default()
		};
		Seats::apply_params(params).expect("they fit each other");
		everybody(providers, units);
		// They come first, so that nothing is due to who was there before.
		for n in 1..=SYBILS {
			done(by(&sybil(n)), Validators::validate {});
		}
		for n in 1..=providers {
			done(by(&honest(n)), Validators::validate {});
		}
		let seated = turn(|seats, sybils| {
			assert!(3 * sybils < seats, "{sybils} of {seats} seats");
		});
		assert!(names(providers).is_subset(&seated), "{seated:?}");
	});
}

#[test]
fn ninety_one_unit_sybils_do_not_get_a_third() {
	sybils_against(20, 64);
}

/// Fewer than four have a share of all stake, so that none is asked for: then the mean decides.
#[test]
fn ninety_one_unit_sybils_do_not_get_a_third_from_three() {
	sybils_against(3, 256);
}
