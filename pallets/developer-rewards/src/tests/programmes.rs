//! How programmes begin and end, and what is swept.

use crate::{
	mock::*, Claimed, Error, Event, Leftovers, NewProgramme, NextNumber, Programme, Standing,
	WeightInfo, MAX_REWARDS, ROWS_PER_SWEEP,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::{fungible::Mutate, Get},
	weights::{RuntimeDbWeight, Weight},
};
use millrace_primitives::H256;

fn terms() -> NewProgramme {
	List::new(&[(1, 100), (2, 200)]).terms(50)
}

#[test]
fn only_root_starts_a_programme_that_makes_sense() {
	ExtBuilder::default().build_and_execute(|| {
		assert!(Rewards::start(signed(STRANGER), terms()).is_err());
		let refused = |terms: NewProgramme, reason| {
			let outcome = Rewards::start(RuntimeOrigin::root(), terms);
			assert_eq!(outcome, Err(error(reason)));
			assert_eq!(Standing::<Test>::get(), None);
		};
		for rewards in [0, MAX_REWARDS + 1] {
			let bad = NewProgramme { rewards, ..terms() };
			refused(bad, Error::BadSize);
		}
		let unpaid = NewProgramme {
			total: 0,
			..terms()
		};
		refused(unpaid, Error::BadSize);
		let over = NewProgramme { ends: 1, ..terms() };
		refused(over, Error::EndsTooSoon);
		let endless = NewProgramme {
			ends: 1 + LONGEST + 1,
			..terms()
		};
		refused(endless, Error::EndsTooLate);
		let rich = NewProgramme {
			total: POT + 1,
			..terms()
		};
		refused(rich, Error::PotTooSmall);

		// Each bound itself is allowed.
		let most = NewProgramme {
			root: H256::zero(),
			rewards: MAX_REWARDS,
			total: POT,
			ends: 1 + LONGEST,
		};
		assert_ok!(start(most));
		assert_noop!(
			Rewards::start(RuntimeOrigin::root(), terms()),
			Error::<Test>::ProgrammeStands
		);
	});
}

#[test]
fn a_chain_can_begin_with_a_programme() {
	ExtBuilder::default()
		.programme(terms())
		.build_and_execute(|| {
			let expected = Programme {
				number: 0,
				terms: terms(),
				paid: 0,
				claims: 0,
			};
			assert_eq!(Standing::<Test>::get(), Some(expected));
		});
}

#[test]
#[should_panic(expected = "the programme of rewards cannot begin")]
fn no_chain_begins_with_a_programme_that_its_pot_cannot_pay() {
	let terms = NewProgramme {
		total: POT + 1,
		..terms()
	};
	ExtBuilder::default().programme(terms).build();
}

#[test]
fn what_is_not_claimed_goes_to_the_treasury_after_the_last_block() {
	let list = List::new(&[(1, 100), (2, 200)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(Rewards::end(signed(STRANGER)), Error::<Test>::NoProgramme);
		assert_ok!(start(list.terms(50)));
		assert_ok!(list.claim(0));
		go_to(50);
		assert_noop!(Rewards::end(signed(STRANGER)), Error::<Test>::ProgrammeRuns);
		go_to(51);
		assert_noop!(list.claim(1), Error::<Test>::ProgrammeOver);
		assert_ok!(Rewards::end(signed(STRANGER)));
		assert_eq!(Balances::free_balance(TREASURY), EXISTENTIAL_DEPOSIT + 200);
		assert_eq!(Rewards::payable(), POT - 300);
		System::assert_last_event(
			Event::<Test>::ProgrammeEnded {
				number: 0,
				claims: 1,
				paid: 100,
				to_treasury: 200,
			}
			.into(),
		);
		assert_noop!(list.claim(1), Error::<Test>::NoProgramme);
	});
}

#[test]
fn a_programme_ends_also_where_the_treasury_cannot_hold_what_is_left() {
	let list = List::new(&[(1, 100), (2, EXISTENTIAL_DEPOSIT - 1)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(Balances::transfer_all(signed(TREASURY), STRANGER, false));
		assert_ok!(start(list.terms(50)));
		assert_ok!(list.claim(0));
		go_to(51);
		assert_ok!(Rewards::end(signed(STRANGER)));
		assert_eq!(Balances::free_balance(TREASURY), 0);
		// It is there for the next programme.
		assert_eq!(Rewards::payable(), POT - 100);
	});
}

#[test]
fn rows_are_swept_before_the_next_programme_begins() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			Rewards::sweep(signed(STRANGER)),
			Error::<Test>::NothingToSweep
		);
		let most = NewProgramme {
			rewards: MAX_REWARDS,
			..terms()
		};
		assert_ok!(start(most));
		go_to(51);
		assert_ok!(Rewards::end(signed(STRANGER)));
		let mut calls = 0;
		while Leftovers::<Test>::exists() {
			assert_noop!(
				Rewards::start(
					RuntimeOrigin::root(),
					NewProgramme {
						ends: 90,
						..terms()
					}
				),
				Error::<Test>::RowsLeft
			);
			assert_ok!(Rewards::sweep(signed(STRANGER)));
			Rewards::do_try_state().unwrap();
			calls += 1;
		}
		assert_eq!(calls, MAX_REWARDS / 1_024 / ROWS_PER_SWEEP);
		System::assert_last_event(Event::<Test>::ProgrammeSwept { number: 0 }.into());
		assert_ok!(start(NewProgramme {
			ends: 90,
			..terms()
		}));
		assert_eq!(NextNumber::<Test>::get(), 2);
	});
}

#[test]
fn idle_blocks_sweep_within_their_weight() {
	let list = List::new(&[(1, 100)]);
	ExtBuilder::default().build_and_execute(|| {
		let db: RuntimeDbWeight = <Test as frame_system::Config>::DbWeight::get();
		let read = db.reads(1);
		assert_eq!(idle(Weight::zero()), Weight::zero());
		assert_eq!(idle(Weight::MAX), read);
		assert_ok!(start(list.terms(50)));
		assert_ok!(list.claim(0));
		assert_eq!(Claimed::<Test>::iter().count(), 1);
		go_to(51);
		assert_ok!(Rewards::end(signed(STRANGER)));
		assert_eq!(idle(read), read);
		assert!(Leftovers::<Test>::exists());
		let enough = read.saturating_add(<() as WeightInfo>::sweep(1));
		assert!(idle(enough).all_lte(enough));
		assert!(!Leftovers::<Test>::exists());
		assert_eq!(Claimed::<Test>::iter().count(), 0);
	});
}

#[test]
fn flt_that_no_programme_promised_stays_in_the_pot() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(start(terms()));
		<Balances as Mutate<u64>>::transfer(
			&STRANGER,
			&Rewards::pot(),
			1_000,
			frame_support::traits::tokens::Preservation::Preserve,
		)
		.unwrap();
		go_to(51);
		assert_ok!(Rewards::end(signed(STRANGER)));
		assert_eq!(Rewards::payable(), POT - 300 + 1_000);
	});
}

#[test]
fn clients_see_how_it_stands() {
	let list = List::new(&[(1, 100), (2, 200)]);
	ExtBuilder::default().build_and_execute(|| {
		let view = Rewards::rewards();
		assert_eq!(
			(view.programme, view.pot, view.sweeping),
			(None, POT, false)
		);
		assert_eq!(view.lock_blocks, LOCK);
		assert_ok!(start(list.terms(50)));
		assert_ok!(list.claim(1));
		let programme = Rewards::rewards().programme.expect("it has begun");
		assert_eq!((programme.total, programme.paid), (300, 200));
		assert_eq!((programme.rewards, programme.claims), (2, 1));
		assert!(Rewards::is_claimed(1) && !Rewards::is_claimed(0));
		assert!(!Rewards::is_claimed(u32::MAX));
	});
}

#[test]
fn broken_books_are_noticed() {
	let list = List::new(&[(1, 100), (2, 200)]);
	let broken = |change: fn()| {
		ExtBuilder::default().build().execute_with(|| {
			assert_ok!(start(list.terms(50)));
			assert_ok!(list.claim(0));
			Rewards::do_try_state().unwrap();
			change();
			assert!(Rewards::do_try_state().is_err());
		});
	};
	broken(|| {
		Standing::<Test>::mutate(|programme| programme.as_mut().unwrap().paid = 301);
	});
	broken(|| {
		Standing::<Test>::mutate(|programme| programme.as_mut().unwrap().claims = 2);
	});
	// A bit of a reward that there is not.
	broken(|| {
		Claimed::<Test>::mutate(0, 0, |row| row.as_mut().unwrap()[0] = 0b100);
	});
	broken(|| {
		Claimed::<Test>::insert(1, 0, [0; 128]);
	});
	broken(|| {
		NextNumber::<Test>::put(0);
	});
	broken(|| {
		let pot = Rewards::pot();
		let expendable = frame_support::traits::tokens::Preservation::Expendable;
		let all = Balances::free_balance(pot) - EXISTENTIAL_DEPOSIT;
		<Balances as Mutate<u64>>::transfer(&pot, &STRANGER, all, expendable).unwrap();
	});
}
