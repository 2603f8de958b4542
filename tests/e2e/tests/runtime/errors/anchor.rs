//! Errors of messages to the anchor and from it.

use super::scene::{
	account, assert_all_raised, by, done, duty, genesis_hash, on_dev_chain, refuses, root, ALICE,
	BOB,
};
use frame_support::BoundedVec;
use millrace_primitives::{
	anchor::{AnchorId, InboxMark, SignedVote, Vote, VoterKey, H160, MAX_OUTGOING_PER_BLOCK},
	Balance, FLT, H256,
};
use millrace_runtime::{validators::KeyOwners, Balances, Runtime};
use pallet_anchor::{
	AnchorParams, Deposit, Flow, Flows, ForcedQueue, Ledger, Locked, NextNonce, Parked, Pending,
	MAX_FORCED,
};
use sp_core::{ecdsa, Pair};
use sp_session::MembershipProof;

type Anchor = pallet_anchor::Call<Runtime>;

const ADDRESS: H160 = H160([7; 20]);

fn pair(name: &str) -> ecdsa::Pair {
	ecdsa::Pair::from_string(name, None).expect("that is a development name")
}

fn key(name: &str) -> VoterKey {
	pair(name).public().0
}

/// A validator's word on the first message.
fn signed(name: &str, acc: u8) -> SignedVote {
	let vote = Vote {
		round: 0,
		session: 0,
		nonce: 1,
		acc: H256::repeat_byte(acc),
		epoch: 1,
	};
	let anchor = pallet_anchor::Anchor::<Runtime>::get().expect("the preset names it");
	let hash = vote.hash(genesis_hash(), &anchor);
	SignedVote {
		vote,
		signature: pair(name).sign(hash.as_bytes()).0,
	}
}

fn proof(name: &str) -> MembershipProof {
	use frame_support::traits::KeyOwnerProofSystem;
	KeyOwners::prove((sp_consensus_beefy::KEY_TYPE, key(name))).expect("the key has a seat")
}

fn withdraw(amount: Balance) -> Anchor {
	Anchor::withdraw {
		recipient: ADDRESS,
		amount,
	}
}

fn report(name: &str, first: SignedVote, second: SignedVote) -> Anchor {
	Anchor::report_conflict {
		key: key(name),
		first,
		second,
		proof: proof(ALICE),
	}
}

fn deliver(messages: &[&[u8]]) -> Anchor {
	let messages = messages
		.iter()
		.map(|message| BoundedVec::truncate_from(message.to_vec()))
		.collect();
	Anchor::deliver {
		messages: BoundedVec::truncate_from(messages),
	}
}

#[test]
fn every_error_of_the_anchor_is_raised() {
	on_dev_chain(|| {
		sending();
		voting();
		receiving();
		governing();
		assert_all_raised("Anchor", &[]);
	});
}

fn sending() {
	let alice = by(ALICE);
	refuses!(Anchor::TooLittle, alice.clone(), withdraw(1));
	let nowhere = Anchor::withdraw {
		recipient: H160::zero(),
		amount: FLT,
	};
	refuses!(Anchor::ZeroAddress, alice.clone(), nowhere);
	let limit = AnchorParams::default().withdraw_per_epoch;
	refuses!(Anchor::OutflowLimit, alice.clone(), withdraw(limit + 1));
	let poor = "//Poor";
	super::scene::endow(poor, FLT);
	refuses!(Anchor::FundsTooLow, by(poor), withdraw(2 * FLT));

	let full = vec![H256::zero(); MAX_OUTGOING_PER_BLOCK as usize];
	Pending::<Runtime>::put(BoundedVec::truncate_from(full));
	refuses!(Anchor::OutboxFull, alice.clone(), withdraw(FLT));
	Pending::<Runtime>::kill();

	NextNonce::<Runtime>::put(u64::MAX);
	refuses!(Anchor::Arithmetic, alice.clone(), withdraw(FLT));
	NextNonce::<Runtime>::kill();

	let anchor = pallet_anchor::Anchor::<Runtime>::take();
	refuses!(Anchor::NoAnchor, alice, withdraw(FLT));
	pallet_anchor::Anchor::<Runtime>::set(anchor);
}

fn voting() {
	let bob = by(BOB);
	let (first, second) = (signed(ALICE, 1), signed(ALICE, 2));
	refuses!(Anchor::NoConflict, bob.clone(), report(ALICE, first, first));
	refuses!(
		Anchor::BadSignature,
		bob.clone(),
		report(ALICE, first, signed(BOB, 2))
	);
	// Bob is no validator.
	refuses!(
		Anchor::NoVoter,
		bob.clone(),
		report(BOB, signed(BOB, 1), signed(BOB, 2))
	);
	done(bob.clone(), report(ALICE, first, second));
	refuses!(Anchor::KnownConflict, bob, report(ALICE, first, second));
	assert_eq!(
		millrace_runtime::Validators::validator(&account(ALICE))
			.equivocations
			.len(),
		1
	);

	let vote = |signed: SignedVote| Anchor::vote {
		voter: 0,
		vote: signed.vote,
		signature: signed.signature,
	};
	// The only voter decides at once, so that its vote is never found again: it is put there.
	pallet_anchor::Votes::<Runtime>::insert(
		1,
		pallet_anchor::Tally {
			session: 0,
			round: 0,
			votes: BoundedVec::truncate_from(vec![millrace_primitives::anchor::CastVote {
				voter: 0,
				acc: first.vote.acc,
				epoch: 1,
				conflicted: false,
			}]),
		},
	);
	refuses!(Anchor::AlreadyVoted, duty(), vote(first));
	pallet_anchor::Votes::<Runtime>::remove(1);
}

fn receiving() {
	refuses!(Anchor::NotAttested, duty(), deliver(&[b"message"]));
	let full: Vec<u64> = (0..u64::from(MAX_FORCED)).collect();
	ForcedQueue::<Runtime>::put(BoundedVec::truncate_from(full));
	refuses!(Anchor::ForcedQueueFull, duty(), deliver(&[&[0x11]]));
	ForcedQueue::<Runtime>::kill();

	let bob = by(BOB);
	let release = Anchor::release { nonce: 3 };
	refuses!(Anchor::NotParked, bob.clone(), release.clone());
	done(by(ALICE), withdraw(FLT));
	Ledger::<Runtime>::put(Locked {
		there: FLT - 1,
		parked: 1,
	});
	let nobody = account("//Nobody");
	assert_eq!(Balances::free_balance(&nobody), 0);
	Parked::<Runtime>::insert(
		3,
		Deposit {
			recipient: nobody,
			amount: 1,
		},
	);
	refuses!(Anchor::CannotReceive, bob.clone(), release.clone());
	let flow = Flows::<Runtime>::get();
	Flows::<Runtime>::put(Flow {
		epoch: super::scene::now().0,
		released: AnchorParams::default().release_per_epoch,
		..flow
	});
	refuses!(Anchor::InflowLimit, bob, release);
}

fn governing() {
	refuses!(Anchor::NotPaused, root(), Anchor::resume {});
	refuses!(
		Anchor::PauseTooLong,
		root(),
		Anchor::pause { blocks: u32::MAX }
	);
	done(root(), Anchor::pause { blocks: 5 });
	refuses!(Anchor::Paused, by(ALICE), withdraw(FLT));
	let anchor = AnchorId {
		chain_id: 1,
		contract: ADDRESS,
	};
	refuses!(Anchor::AnchorInUse, root(), Anchor::set_anchor { anchor });
	// What governance can always do, whatever is paused.
	done(
		root(),
		Anchor::set_inbox {
			mark: InboxMark::default(),
		},
	);
}
