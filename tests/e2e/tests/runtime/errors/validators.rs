//! Errors of the candidates' list.

use super::scene::{
	account, assert_all_raised, by, commit, done, on_dev_chain, refuses, ALICE, BOB,
};
use millrace_runtime::{AccountId, Runtime};
use pallet_validators::{Candidate, Candidates, MAX_CANDIDATES};
use sp_runtime::Perbill;

type Validators = pallet_validators::Call<Runtime>;

/// A full list of strangers that have so much at stake.
fn fill_list(stake: u128) {
	let rows: Vec<Candidate<AccountId>> = (0..MAX_CANDIDATES)
		.map(|n| {
			let mut name = [7; 32];
			name[..4].copy_from_slice(&n.to_le_bytes());
			Candidate {
				who: AccountId::from(name),
				stake,
				since: 0,
			}
		})
		.collect();
	Candidates::<Runtime>::mutate(|list| *list = rows.try_into().expect("they just fit"));
}

#[test]
fn every_error_of_validators_is_raised() {
	on_dev_chain(|| {
		// Alice has the keys of the one genesis validator, Bob has none.
		let (alice, bob) = (by(ALICE), by(BOB));
		refuses!(
			Validators::StakeTooLow,
			alice.clone(),
			Validators::validate {}
		);
		refuses!(
			Validators::NotCandidate,
			alice.clone(),
			Validators::chill {}
		);
		commit(ALICE, 1, 1, 6);
		commit(BOB, 2, 1, 6);
		refuses!(Validators::NoKeys, bob.clone(), Validators::validate {});
		refuses!(Validators::NoKeys, bob, Validators::purge_keys {});

		let stake = pallet_capacity::ActiveStakes::<Runtime>::get(account(ALICE));
		fill_list(stake);
		refuses!(Validators::ListFull, alice.clone(), Validators::validate {});
		Candidates::<Runtime>::kill();

		done(alice.clone(), Validators::validate {});
		refuses!(
			Validators::AlreadyCandidate,
			alice.clone(),
			Validators::validate {}
		);
		refuses!(
			Validators::IsCandidate,
			alice.clone(),
			Validators::purge_keys {}
		);
		done(alice.clone(), Validators::chill {});
		refuses!(
			Validators::StillSeated,
			alice.clone(),
			Validators::purge_keys {}
		);
		millrace_runtime::Validators::on_equivocation(&account(ALICE), Perbill::from_percent(1), 0);
		refuses!(Validators::Banned, alice, Validators::validate {});
		assert_all_raised("Validators", &[]);
	});
}
