//! Errors of commitments, their rounds, slashes and audits.

use super::scene::{
	account, answer, answer_call, assert_all_raised, by, commit, done, duty, endow, go_to, hand_in,
	is_drawn, offer, on_dev_chain, peer, refuses, register, report, root, ALICE, BOB, CHARLIE,
	DAVE, EVE,
};
use millrace_primitives::{
	audit::AuditAnswer,
	capacity::MAX_UNITS,
	commitment::{StakeOffer, StakerTerms, MAX_DELEGATORS},
	Balance, FLT,
};
use millrace_runtime::{AccountId, Capacity as Chain, Runtime};
use pallet_capacity::{CapacityParams, Params};
use sp_runtime::Perbill;

type Capacity = pallet_capacity::Call<Runtime>;

fn create(n: u16, units: u32, duration_epochs: u32, offer: StakeOffer<AccountId>) -> Capacity {
	Capacity::create {
		peer: peer(n),
		units,
		duration_epochs,
		offer,
	}
}

fn stake(n: u16, terms: StakerTerms, keep: Balance, add: Balance) -> Capacity {
	Capacity::stake {
		peer: peer(n),
		terms,
		keep,
		add,
	}
}

fn grow(n: u16, more_units: u32) -> Capacity {
	Capacity::grow {
		peer: peer(n),
		more_units,
		invited: Default::default(),
	}
}

fn extend(n: u16, duration_epochs: u32, offer: StakeOffer<AccountId>) -> Capacity {
	Capacity::extend {
		peer: peer(n),
		duration_epochs,
		offer,
	}
}

fn cancel(n: u16) -> Capacity {
	Capacity::cancel { peer: peer(n) }
}

fn settle(n: u16) -> Capacity {
	Capacity::settle { peer: peer(n) }
}

fn withdraw(n: u16) -> Capacity {
	Capacity::withdraw { peer: peer(n) }
}

fn apply(n: u16, slash: u64) -> Capacity {
	Capacity::apply_slash {
		peer: peer(n),
		slash,
	}
}

/// An offer of a provider that brings everything.
fn alone() -> StakeOffer<AccountId> {
	offer(100, 0, &[])
}

#[test]
fn every_error_of_capacity_is_raised() {
	for scene in [creation, rounds, places, changes, ends, slashes, answers] {
		on_dev_chain(scene);
	}
	let unreachable = "for what cannot be; seen by pallet tests' invariants alone";
	assert_all_raised("Capacity", &[("Defensive", unreachable)]);
}

fn creation() {
	let (alice, bob) = (by(ALICE), by(BOB));
	register(ALICE, 1);
	refuses!(
		Capacity::UnknownPeer,
		alice.clone(),
		create(9, 1, 6, alone())
	);
	refuses!(Capacity::NotProvider, bob.clone(), create(1, 1, 6, alone()));
	for units in [0, MAX_UNITS + 1, u32::MAX] {
		let call = create(1, units, 6, alone());
		refuses!(Capacity::UnitsOutOfRange, alice.clone(), call);
	}
	for epochs in [0, 4, 17_521, u32::MAX] {
		let call = create(1, 1, epochs, alone());
		refuses!(Capacity::DurationOutOfRange, alice.clone(), call);
	}
	let too_little = offer(19, 0, &[]);
	refuses!(
		Capacity::OwnPartOutOfRange,
		alice.clone(),
		create(1, 1, 6, too_little)
	);

	let terms = Chain::start_terms(1, 6, Perbill::one(), Perbill::zero());
	for call in [
		stake(1, terms, 0, FLT),
		settle(1),
		withdraw(1),
		settle(9),
		withdraw(9),
	] {
		refuses!(Capacity::NoCommitment, bob.clone(), call);
	}
	refuses!(Capacity::NoCommitment, alice.clone(), grow(1, 1));
	refuses!(Capacity::NoCommitment, alice.clone(), extend(1, 8, alone()));
	refuses!(Capacity::NoRound, alice.clone(), cancel(1));
	refuses!(Capacity::UnknownSlash, bob.clone(), apply(1, 0));
	refuses!(
		Capacity::UnknownSlash,
		root(),
		Capacity::cancel_slash {
			peer: peer(1),
			slash: 0
		}
	);
	let who = account(ALICE);
	refuses!(
		Capacity::NothingToClaim,
		bob.clone(),
		Capacity::claim { who }
	);

	let sound = Params::<Runtime>::get();
	let dear = CapacityParams {
		stake_per_unit: Balance::MAX,
		..sound
	};
	Chain::apply_params(dear).expect("they fit each other");
	refuses!(
		Capacity::StakeTooLarge,
		alice.clone(),
		create(1, 2, 6, alone())
	);
	Chain::apply_params(sound).expect("they fit each other");
	done(alice.clone(), create(1, 2, 6, alone()));
	refuses!(Capacity::AlreadyCommitted, alice, create(1, 2, 6, alone()));
}

fn rounds() {
	let (alice, bob) = (by(ALICE), by(BOB));
	let (own_part, commission) = (Perbill::from_percent(50), Perbill::from_percent(10));
	let terms = Chain::start_terms(2, 6, own_part, commission);
	let half = 100 * FLT;
	register(ALICE, 1);
	done(
		alice.clone(),
		create(1, 2, 6, offer(50, 10, &[BOB, CHARLIE])),
	);

	let mut cheaper = terms;
	cheaper.terms.commission = Perbill::from_percent(9);
	for other in [
		cheaper,
		StakerTerms { units: 3, ..terms },
		StakerTerms { end: 1, ..terms },
		StakerTerms {
			duration_epochs: 7,
			..terms
		},
	] {
		refuses!(Capacity::TermsDiffer, bob.clone(), stake(1, other, 0, half));
	}
	refuses!(Capacity::NotInvited, by(DAVE), stake(1, terms, 0, half));
	for amount in [0, FLT] {
		let call = stake(1, terms, 0, amount);
		refuses!(Capacity::StakeTooSmall, bob.clone(), call);
	}
	for amount in [half + 1, Balance::MAX] {
		let call = stake(1, terms, 0, amount);
		refuses!(Capacity::StakeTooMuch, bob.clone(), call);
	}
	refuses!(
		Capacity::StakeTooMuch,
		alice.clone(),
		stake(1, terms, 0, 2 * half + 1)
	);
	refuses!(
		Capacity::OwnPartTooSmall,
		alice.clone(),
		stake(1, terms, 0, half - 1)
	);
	refuses!(
		Capacity::KeepTooMuch,
		alice.clone(),
		stake(1, terms, 1, half)
	);
	refuses!(Capacity::NotActive, alice.clone(), grow(1, 1));
	refuses!(Capacity::NotActive, alice.clone(), extend(1, 8, alone()));
	refuses!(Capacity::NotLapsed, bob.clone(), cancel(1));
	refuses!(Capacity::StillActive, bob.clone(), withdraw(1));
	done(bob.clone(), stake(1, terms, 0, half));

	go_to(3, 0);
	refuses!(Capacity::Lapsed, alice, stake(1, terms, 0, half));
	done(by(EVE), cancel(1));
	refuses!(Capacity::NoRound, bob, cancel(1));
}

fn places() {
	let alice = by(ALICE);
	let terms = Chain::start_terms(2, 6, Perbill::from_percent(50), Perbill::zero());
	register(ALICE, 1);
	done(alice.clone(), create(1, 2, 6, offer(50, 0, &[])));
	for n in 0..MAX_DELEGATORS {
		let name = format!("//Delegator{n}");
		endow(&name, 1_000 * FLT);
		let round = Chain::round(peer(1)).expect("the round is open");
		let least = round.least.expect("a place is free");
		if n > 0 {
			refuses!(
				Capacity::StakeTooSmall,
				by(&name),
				stake(1, terms, 0, least - 1)
			);
		}
		done(by(&name), stake(1, terms, 0, least));
	}
	refuses!(Capacity::NoPlace, by(BOB), stake(1, terms, 0, FLT));
	done(alice.clone(), stake(1, terms, 0, 100 * FLT));
	refuses!(Capacity::NoRound, alice, stake(1, terms, 0, FLT));
}

fn changes() {
	let (alice, bob) = (by(ALICE), by(BOB));
	commit(ALICE, 1, 1, 30);
	commit(ALICE, 2, 1, 6);
	go_to(1, 0);
	refuses!(Capacity::StillActive, bob.clone(), withdraw(1));
	refuses!(Capacity::NothingToSettle, bob.clone(), settle(1));
	refuses!(Capacity::UnknownPeer, alice.clone(), grow(9, 1));
	refuses!(Capacity::UnknownPeer, alice.clone(), extend(9, 8, alone()));
	refuses!(Capacity::NotProvider, bob.clone(), grow(1, 1));
	refuses!(Capacity::NotProvider, bob, extend(1, 8, alone()));
	for units in [0, MAX_UNITS, u32::MAX] {
		refuses!(Capacity::UnitsOutOfRange, alice.clone(), grow(1, units));
	}
	// Longer than the shortest commitment, and shorter than the unbonding of those who leave.
	refuses!(
		Capacity::DurationOutOfRange,
		alice.clone(),
		extend(1, 7, alone())
	);
	refuses!(
		Capacity::OwnPartOutOfRange,
		alice.clone(),
		extend(1, 8, offer(19, 0, &[]))
	);

	let terms = Chain::growth_terms(peer(1), 1).expect("the commitment stands");
	done(alice.clone(), grow(1, 1));
	refuses!(Capacity::RoundOpen, alice.clone(), grow(1, 1));
	refuses!(Capacity::RoundOpen, alice.clone(), extend(1, 8, alone()));
	refuses!(
		Capacity::KeepTooMuch,
		alice.clone(),
		stake(1, terms, 1, 99 * FLT)
	);
	done(alice.clone(), stake(1, terms, 0, 100 * FLT));
	refuses!(
		Capacity::RoundAgreed,
		alice.clone(),
		stake(1, terms, 0, FLT)
	);
	refuses!(Capacity::RoundAgreed, alice.clone(), cancel(1));
	refuses!(Capacity::RoundOpen, alice.clone(), grow(1, 1));

	// The growth is in effect from epoch 2 on, and its stake alone for seven epochs.
	go_to(3, 16);
	refuses!(Capacity::ChangedTooRecently, alice.clone(), grow(1, 1));
	go_to(6, 0);
	refuses!(
		Capacity::NoticeTooShort,
		alice.clone(),
		extend(2, 8, offer(100, 1, &[]))
	);
	go_to(7, 16);
	refuses!(Capacity::NotActive, alice, extend(2, 8, alone()));
}

fn ends() {
	let (alice, bob) = (by(ALICE), by(BOB));
	commit(ALICE, 1, 1, 6);
	go_to(5, 0);
	let terms = Chain::renewal_terms(peer(1), 8, Perbill::one(), Perbill::zero());
	let terms = terms.expect("the commitment stands");
	done(alice.clone(), extend(1, 8, alone()));
	refuses!(
		Capacity::KeepTooMuch,
		alice.clone(),
		stake(1, terms, 100 * FLT, 0)
	);

	// Nobody signs, so it ends with epoch 6.
	go_to(7, 16);
	done(bob.clone(), settle(1));
	refuses!(Capacity::NotActive, alice, stake(1, terms, FLT, 0));
	refuses!(Capacity::StillBonded, bob.clone(), withdraw(1));
	go_to(15, 0);
	refuses!(Capacity::RoundOpen, bob.clone(), withdraw(1));
	done(by(EVE), cancel(1));
	done(bob.clone(), withdraw(1));
	refuses!(Capacity::NoCommitment, bob, withdraw(1));
}

fn slashes() {
	let bob = by(BOB);
	commit(ALICE, 1, 1, 6);
	go_to(2, 0);
	hand_in(1, &report(1, 0, &[1, 2, 3, 4], &[]));
	go_to(2, 16);
	assert!(is_drawn(1), "nobody answers");
	done(bob.clone(), settle(1));
	let waiting = Chain::slashes(peer(1));
	assert_eq!(waiting.len(), 1, "{waiting:?}");
	let slash = waiting[0].slash;
	refuses!(Capacity::SlashNotDue, bob.clone(), apply(1, slash));
	refuses!(Capacity::UnknownSlash, bob.clone(), apply(1, slash + 1));
	refuses!(Capacity::UnknownSlash, bob.clone(), apply(2, slash));
	go_to(3, 19);
	refuses!(Capacity::SlashNotDue, bob.clone(), apply(1, slash));

	go_to(7, 16);
	done(bob.clone(), settle(1));
	go_to(15, 0);
	refuses!(Capacity::SlashesWait, bob.clone(), withdraw(1));
	done(bob.clone(), apply(1, slash));
	refuses!(Capacity::UnknownSlash, bob.clone(), apply(1, slash));
	done(bob, withdraw(1));
}

fn answers() {
	let nonces = [1, 2, 3, 4];
	commit(ALICE, 1, 1, 6);
	go_to(2, 0);
	let report = report(1, 0, &nonces, &[]);
	hand_in(1, &report);
	go_to(2, 8);
	let good = answer(1, &report, &nonces);

	let mut other_report = good.clone();
	other_report.report.receipts = 1;
	let mut too_few = good.clone();
	too_few.solutions.pop();
	let mut short = good.clone();
	short.solutions[1].path.pop();
	let mut other_nonce = good.clone();
	other_nonce.solutions[2].nonce += 1;
	let refused = |answer: &AuditAnswer| answer_call(1, answer);
	refuses!(Capacity::OtherReport, duty(), refused(&other_report));
	refuses!(Capacity::SolutionCount, duty(), refused(&too_few));
	refuses!(Capacity::SolutionPathLength, duty(), refused(&short));
	refuses!(Capacity::SolutionPath, duty(), refused(&other_nonce));
	assert!(is_drawn(1), "the audit stays open");
}
