//! Errors of developer rewards, and claims by accounts that have nothing.

use super::scene::{
	account, assert_all_raised, by, done, duty, endow, genesis_hash, on_dev_chain, pooled,
	refusal_of, refuses, root, tick, BOB, EVE,
};
use frame_support::traits::{
	fungible::Inspect,
	tokens::{Fortitude, Preservation},
};
use millrace_client::{
	calls::{self, Call},
	AccountKey,
};
use millrace_primitives::{
	merkle::Tree,
	rewards::{claim_hash, leaf},
	Balance, BlockNumber, FLT, H256,
};
use millrace_runtime::{AccountId, Balances, DeveloperRewards, Runtime, System};
use pallet_developer_rewards::{refusal, Leftovers, Locks, NewProgramme, VestingLocks};

type Rewards = pallet_developer_rewards::Call<Runtime>;

/// Who has nothing, not even an account.
const NEW: &str = "//New";
/// Who has too small a reward to begin with.
const SMALL: &str = "//Small";

/// Whose the rewards of the list are, and how much.
fn list() -> Vec<(AccountId, Balance)> {
	[(NEW, 5 * FLT), (BOB, 7 * FLT), (SMALL, 1), (EVE, 9 * FLT)]
		.map(|(name, amount)| (account(name), amount))
		.to_vec()
}

fn tree() -> Tree {
	Tree::new(
		(0u32..)
			.zip(list())
			.map(|(index, (account, amount))| leaf(index, &account, amount)),
	)
}

/// A programme over the list that lasts so many blocks, and is a little short of what it promises.
fn programme(blocks: BlockNumber) -> NewProgramme {
	NewProgramme {
		root: tree().root(),
		rewards: 4,
		total: 20 * FLT,
		ends: System::block_number() + blocks,
	}
}

/// The claim that the account of a reward sends and pays for.
fn claim(index: u32) -> Rewards {
	let (_, amount) = list().remove(index as usize);
	let path = tree().path(index.into()).expect("it is in the list");
	Rewards::claim {
		index,
		amount,
		path,
	}
}

/// The claim of a reward that its account signed with this key, as the client makes it.
fn free_claim(index: u32, signer: &str) -> Call {
	let key = AccountKey::from_suri(signer).expect("that is a development name");
	let (who, amount) = list().remove(index as usize);
	let hash = claim_hash(genesis_hash(), 0, tree().root(), index, &who, amount);
	let who: [u8; 32] = who.into();
	let path = tree().path(index.into()).expect("it is in the list");
	calls::rewards::claim_for(&who.into(), index, amount, &path, key.sign(&hash.0))
}

/// The pool lets a call pass, and a block makes it.
#[track_caller]
fn pass(call: &Call) {
	let pooled = pooled(call);
	assert!(pooled.is_ok(), "{call}: {pooled:?}");
	let bytes = call.encode(&super::METADATA).expect("the runtime has it");
	let call: millrace_runtime::RuntimeCall =
		codec::DecodeAll::decode_all(&mut &bytes[..]).expect("it is a call");
	done(duty(), call);
}

fn spendable(name: &str) -> Balance {
	let who = account(name);
	Balances::reducible_balance(&who, Preservation::Expendable, Fortitude::Polite)
}

#[test]
fn every_error_of_developer_rewards_is_raised() {
	on_dev_chain(|| {
		let start = |terms| Rewards::start { terms };
		let end = Rewards::end {};
		refuses!(DeveloperRewards::NoProgramme, by(BOB), claim(1));
		refuses!(DeveloperRewards::NoProgramme, by(BOB), end.clone());
		refuses!(DeveloperRewards::NothingToSweep, by(BOB), Rewards::sweep {});
		let account_of_bob = account(BOB);
		refuses!(
			DeveloperRewards::NothingToRelease,
			duty(),
			Rewards::release {
				account: account_of_bob.clone()
			}
		);

		let good = programme(3);
		let empty = NewProgramme { rewards: 0, ..good };
		refuses!(DeveloperRewards::BadSize, root(), start(empty));
		let over = NewProgramme { ends: 1, ..good };
		refuses!(DeveloperRewards::EndsTooSoon, root(), start(over));
		let endless = NewProgramme {
			ends: BlockNumber::MAX,
			..good
		};
		refuses!(DeveloperRewards::EndsTooLate, root(), start(endless));
		let rich = NewProgramme {
			total: DeveloperRewards::payable() + 1,
			..good
		};
		refuses!(DeveloperRewards::PotTooSmall, root(), start(rich));
		done(root(), start(good));
		refuses!(DeveloperRewards::ProgrammeStands, root(), start(good));
		refuses!(DeveloperRewards::ProgrammeRuns, by(BOB), end.clone());

		refuses!(DeveloperRewards::NotInTree, by(EVE), claim(1));
		refuses!(DeveloperRewards::NotPayable, by(SMALL), claim(2));
		let until = System::block_number() + 2;
		for _ in 0..<VestingLocks<Runtime> as Locks<AccountId>>::MOST {
			VestingLocks::<Runtime>::lock(&account_of_bob, FLT, until).expect("there is room");
		}
		refuses!(DeveloperRewards::TooManyLocks, by(BOB), claim(1));
		done(by(EVE), claim(3));
		refuses!(DeveloperRewards::ClaimedAlready, by(EVE), claim(3));
		pass(&free_claim(0, NEW));
		refuses!(DeveloperRewards::PoolExhausted, by(BOB), claim(1));
		while System::block_number() <= good.ends {
			tick();
		}
		refuses!(DeveloperRewards::ProgrammeOver, by(BOB), claim(1));
		done(by(BOB), end);
		refuses!(DeveloperRewards::RowsLeft, root(), start(programme(3)));
		done(by(BOB), Rewards::sweep {});
		assert!(!Leftovers::<Runtime>::exists());
		let exempt = [("Arithmetic", "no amount and no block is that large")];
		assert_all_raised("DeveloperRewards", &exempt);
	});
}

#[test]
fn who_has_nothing_claims_and_is_unlocked_without_a_fee() {
	on_dev_chain(|| {
		let lock = <Runtime as pallet_developer_rewards::Config>::LockBlocks::get();
		done(
			root(),
			Rewards::start {
				terms: programme(10),
			},
		);
		let issuance = Balances::total_issuance();
		assert_eq!(Balances::total_balance(&account(NEW)), 0);
		pass(&free_claim(0, NEW));
		assert_eq!(Balances::total_balance(&account(NEW)), 5 * FLT);
		assert_eq!(spendable(NEW), 0);

		let who: [u8; 32] = account(NEW).into();
		let release = calls::rewards::release(&who.into());
		assert_eq!(refusal_of(&release), refusal::NOTHING_TO_RELEASE);
		let last = System::block_number() + lock;
		// The pool looks at the block after this one.
		System::set_block_number(last - 1);
		assert_eq!(refusal_of(&release), refusal::NOTHING_TO_RELEASE);
		System::set_block_number(last + 1);
		pass(&release);
		assert_eq!(spendable(NEW), 5 * FLT);
		assert_eq!(refusal_of(&release), refusal::NOTHING_TO_RELEASE);
		assert_eq!(Balances::total_issuance(), issuance);
	});
}

#[test]
fn free_claims_are_refused_by_their_own_codes() {
	on_dev_chain(|| {
		let code = |index, signer| refusal_of(&free_claim(index, signer));
		assert_eq!(code(0, NEW), refusal::NO_PROGRAMME);
		let terms = programme(3);
		done(root(), Rewards::start { terms });
		assert_eq!(code(0, BOB), refusal::BAD_SIGNATURE);
		assert_eq!(code(2, SMALL), refusal::NOT_PAYABLE);
		let who: [u8; 32] = account(NEW).into();
		let path = [H256::zero(); 2];
		let forged = calls::rewards::claim_for(&who.into(), 0, 5 * FLT, &path, [0; 64]);
		assert_eq!(refusal_of(&forged), refusal::NOT_IN_TREE);
		let bob = account(BOB);
		for _ in 0..<VestingLocks<Runtime> as Locks<AccountId>>::MOST {
			VestingLocks::<Runtime>::lock(&bob, FLT, 100).expect("there is room");
		}
		assert_eq!(code(1, BOB), refusal::TOO_MANY_LOCKS);
		pass(&free_claim(3, EVE));
		assert_eq!(code(3, EVE), refusal::CLAIMED_ALREADY);
		endow(SMALL, FLT);
		pass(&free_claim(2, SMALL));
		pass(&free_claim(0, NEW));
		assert_eq!(code(1, BOB), refusal::POOL_EXHAUSTED);
		while System::block_number() <= terms.ends {
			tick();
		}
		assert_eq!(code(1, BOB), refusal::PROGRAMME_OVER);
	});
}
