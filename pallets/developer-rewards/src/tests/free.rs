//! Transactions without a fee: what is admitted is paid, and nothing is admitted twice.

use crate::{mock::*, refusal, Call};
use frame_support::{assert_ok, dispatch::GetDispatchInfo, pallet_prelude::DispatchClass};
use millrace_primitives::merkle::Path;
use sp_runtime::testing::TestSignature;

#[test]
fn an_account_that_has_nothing_claims_without_a_fee() {
	let list = List::new(&[(1, 100), (2, 200)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(start(list.terms(500)));
		assert_eq!(Balances::free_balance(2), 0);
		let call = list.free_claim(0, 1);
		let validity = authorize(&call).expect("it is signed");
		assert_eq!(validity.priority, 0);
		assert_eq!(validity.longevity, 499);
		assert_eq!(validity.provides.len(), 1);
		let info = RuntimeCall::Rewards(call.clone()).get_dispatch_info();
		assert_eq!(info.class, DispatchClass::Normal);

		assert_eq!(free(call.clone()), Ok(()));
		assert_eq!((Balances::free_balance(2), spendable(2)), (200, 0));
		assert_eq!(free(call), Err(refusal::CLAIMED_ALREADY));
		// The signed way pays for the same rewards.
		assert!(list.claim(1).is_err());
		assert_ok!(list.claim(0));
		assert_eq!(free(list.free_claim(0, 0)), Err(refusal::CLAIMED_ALREADY));
	});
}

#[test]
fn a_free_claim_must_be_signed_by_its_account_for_its_programme() {
	let list = List::new(&[(1, 100), (2, 200), (1, 300)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_eq!(free(list.free_claim(0, 0)), Err(refusal::NO_PROGRAMME));
		assert_ok!(start(list.terms(50)));
		// Another programme's, another reward's of the same account, and another account's.
		assert_eq!(free(list.free_claim(1, 0)), Err(refusal::BAD_SIGNATURE));
		let with = |signature: TestSignature| match list.free_claim(0, 0) {
			Call::claim_for {
				account,
				index,
				amount,
				path,
				..
			} => Call::claim_for {
				account,
				index,
				amount,
				path,
				signature,
			},
			other => panic!("{other:?}"),
		};
		let message = |index| list.hash(0, index).as_bytes().to_vec();
		let refused = [
			TestSignature(1, message(2)),
			TestSignature(2, message(0)),
			TestSignature(1, Vec::new()),
		];
		for signature in refused {
			assert_eq!(free(with(signature)), Err(refusal::BAD_SIGNATURE));
		}
		// Wallets put brackets around what they sign.
		let brackets = [b"<Bytes>".to_vec(), message(0), b"</Bytes>".to_vec()].concat();
		assert_eq!(free(with(TestSignature(1, brackets))), Ok(()));
		go_to(51);
		assert_eq!(free(list.free_claim(0, 1)), Err(refusal::PROGRAMME_OVER));
	});
}

#[test]
fn whatever_would_fail_in_a_block_is_refused_before() {
	let rewards = [(1, 100), (1, 101), (1, 102), (1, 103), (2, 1), (3, 900)];
	let list = List::new(&rewards);
	ExtBuilder::default().build_and_execute(|| {
		let mut terms = list.terms(500);
		terms.total = 1_000;
		assert_ok!(start(terms));
		for index in 0..MOST_LOCKS {
			assert_eq!(free(list.free_claim(0, index)), Ok(()));
		}
		assert_eq!(free(list.free_claim(0, 3)), Err(refusal::TOO_MANY_LOCKS));
		assert_eq!(free(list.free_claim(0, 4)), Err(refusal::NOT_PAYABLE));
		assert_eq!(free(list.free_claim(0, 5)), Err(refusal::POOL_EXHAUSTED));
		let call = Call::claim_for {
			account: 1,
			index: 3,
			amount: 103,
			path: Path::default(),
			signature: TestSignature(1, Vec::new()),
		};
		assert_eq!(free(call), Err(refusal::NOT_IN_TREE));
	});
}

#[test]
fn locks_that_are_over_are_taken_away_once_without_a_fee() {
	let list = List::new(&[(1, 100), (1, 200)]);
	ExtBuilder::default().build_and_execute(|| {
		let release = || free(Call::release { account: 1 });
		assert_eq!(release(), Err(refusal::NOTHING_TO_RELEASE));
		assert_ok!(start(list.terms(500)));
		assert_ok!(list.claim(0));
		go_to(11);
		assert_ok!(list.claim(1));
		go_to(1 + LOCK);
		assert_eq!(release(), Err(refusal::NOTHING_TO_RELEASE));
		go_to(2 + LOCK);
		assert!(Rewards::is_releasable(&1));
		assert_eq!(spendable(1), 0);
		assert_eq!(release(), Ok(()));
		assert_eq!(spendable(1), 100);
		assert_eq!(release(), Err(refusal::NOTHING_TO_RELEASE));
		go_to(12 + LOCK);
		assert_eq!(release(), Ok(()));
		assert_eq!(spendable(1), 300);
		assert_eq!(release(), Err(refusal::NOTHING_TO_RELEASE));
	});
}

#[test]
fn nobody_signs_or_sends_what_is_authorised_by_its_content() {
	let list = List::new(&[(1, 100)]);
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(start(list.terms(500)));
		let Call::claim_for {
			account,
			index,
			amount,
			path,
			signature,
		} = list.free_claim(0, 0)
		else {
			panic!("it is a claim");
		};
		for origin in [signed(1), RuntimeOrigin::none(), RuntimeOrigin::root()] {
			let outcome = Rewards::claim_for(
				origin.clone(),
				account,
				index,
				amount,
				path.clone(),
				signature.clone(),
			);
			assert!(outcome.is_err());
			assert!(Rewards::release(origin, 1).is_err());
		}
	});
}
