//! Anything in any order, against an anchor that keeps books of its own: errors are allowed, panics, broken
//! invariants and FLT that is in two places or none are not.

use crate::{mock::*, AnchorParams, Ledger, Parked, MAX_BATCH};
use codec::Encode;
use millrace_primitives::{
	anchor::{InboxMark, H160},
	Balance, H256,
};
use proptest::{
	prelude::*,
	test_runner::{Config, TestRunner},
};
use std::time::Instant;

/// What can happen.
#[derive(Clone, Debug)]
enum Op {
	Withdraw {
		who: u64,
		amount: Balance,
	},
	Send(u8),
	/// FLT that was sent is minted on the anchor.
	Mint(Balance),
	/// FLT is burnt on the anchor for an account, as far as there is some.
	Deposit {
		to: u64,
		amount: Balance,
	},
	/// A call is forced with a fee, or bytes that are none.
	Force {
		fee: Balance,
		transfer: Option<Balance>,
	},
	/// A voter sees all but so many messages.
	Vote {
		voter: u32,
		unseen: u64,
	},
	/// A voter lies.
	Lie {
		voter: u32,
		nonce: u64,
	},
	Attest,
	Deliver(usize),
	Release(u64),
	Blocks(u32),
	Epoch,
	Session,
	Pause(u32),
	Resume,
	SetBack(u64),
	SetParams {
		withdraw: Balance,
		release: Balance,
	},
}

fn op() -> impl Strategy<Value = Op> {
	let amount =
		|| prop_oneof![1 => 0u128..20, 6 => 100u128..5_000, 2 => 2_000_000_000u128..6_000_000_000];
	let fee = prop_oneof![1 => 0u128..2_000, 2 => 1_300_000_000u128..3_000_000_000];
	let to = || prop_oneof![3 => Just(BOB), 1 => 70u64..75];
	prop_oneof![
		6 => (1u64..=2, amount()).prop_map(|(who, amount)| Op::Withdraw { who, amount }),
		2 => any::<u8>().prop_map(Op::Send),
		4 => amount().prop_map(Op::Mint),
		6 => (to(), amount()).prop_map(|(to, amount)| Op::Deposit { to, amount }),
		2 => (fee, prop::option::of(amount()))
			.prop_map(|(fee, transfer)| Op::Force { fee, transfer }),
		6 => (0u32..4, 0u64..3).prop_map(|(voter, unseen)| Op::Vote { voter, unseen }),
		1 => (0u32..1, 0u64..40).prop_map(|(voter, nonce)| Op::Lie { voter, nonce }),
		4 => Just(Op::Attest),
		6 => (0usize..8).prop_map(Op::Deliver),
		3 => (0u64..30).prop_map(Op::Release),
		4 => (1u32..6).prop_map(Op::Blocks),
		2 => Just(Op::Epoch),
		1 => Just(Op::Session),
		1 => (0u32..60).prop_map(Op::Pause),
		1 => Just(Op::Resume),
		1 => (0u64..5).prop_map(Op::SetBack),
		1 => (100u128..20_000_000_000, 1u128..5_000_000_000)
			.prop_map(|(withdraw, release)| Op::SetParams { withdraw, release }),
	]
}

/// The anchor's own books.
#[derive(Default)]
struct There {
	/// FLT that was sent and is not minted yet.
	claimable: Balance,
	/// FLT that is minted.
	supply: Balance,
	/// FLT that was burnt, by message.
	burnt: Vec<Balance>,
	/// How many of them were delivered at most so far: later ones alone are on their way.
	delivered: u64,
}

impl There {
	fn burn(&mut self, amount: Balance) -> Option<Balance> {
		self.supply = self.supply.checked_sub(amount)?;
		self.burnt.push(amount);
		Some(amount)
	}

	/// FLT that is there or on its way, whichever way.
	fn all(&self) -> Balance {
		let on_the_way: Balance = self.burnt[self.delivered as usize..].iter().sum();
		self.claimable + self.supply + on_the_way
	}
}

/// Does it, and checks what it may change.
fn apply(op: Op, there: &mut There) {
	let status = Anchor::status();
	match op {
		Op::Withdraw { who, amount } => {
			if withdraw(who, EVE, amount).is_ok() {
				there.claimable += amount;
				assert!(amount >= Anchor::params().min_withdrawal && !Anchor::is_paused());
			}
		}
		Op::Send(byte) => {
			let data = vec![byte; 3].try_into().unwrap();
			let _ = Anchor::send(signed(ALICE), H160::repeat_byte(byte), data);
		}
		Op::Mint(amount) => {
			let amount = amount.min(there.claimable);
			there.claimable -= amount;
			there.supply += amount;
		}
		Op::Deposit { to, amount } => {
			if let Some(amount) = there.burn(amount.min(there.supply)) {
				deposit(to, amount);
			}
		}
		Op::Force { fee, transfer } => {
			let data = match transfer {
				Some(value) => {
					let call = pallet_balances::Call::transfer_allow_death { dest: BOB, value };
					RuntimeCall::Balances(call).encode()
				}
				None => vec![0xff],
			};
			if let Some(fee) = there.burn(fee) {
				force(fee, data);
			}
		}
		Op::Vote { voter, unseen } => {
			let seen = mark().nonce.saturating_sub(unseen).min(status.votable);
			let _ = cast(voter, vote_on(seen, acc(seen)));
		}
		Op::Lie { voter, nonce } => {
			let _ = cast(voter, vote_on(nonce, H256::repeat_byte(nonce as u8)));
		}
		Op::Attest => {
			let seen = mark().nonce.min(status.votable);
			for voter in 1..4 {
				let _ = cast(voter, vote_on(seen, acc(seen)));
			}
		}
		Op::Deliver(count) => {
			if deliver(count).is_ok() {
				let taken = Anchor::status().taken;
				assert_eq!(taken.acc, acc(taken.nonce));
				there.delivered = there.delivered.max(taken.nonce);
			}
		}
		Op::Release(nonce) => {
			let before = Parked::<Test>::get(nonce).map_or(0, |deposit| deposit.amount);
			let accepted = Anchor::release(signed(ALICE), nonce).is_ok();
			let after = Parked::<Test>::get(nonce).map_or(0, |deposit| deposit.amount);
			assert_eq!(accepted, after < before);
		}
		Op::Blocks(count) => blocks(count),
		Op::Epoch => CurrentEpoch::mutate(|epoch| *epoch += 1),
		Op::Session => CurrentSession::mutate(|session| *session += 1),
		Op::Pause(count) => {
			let accepted = Anchor::pause(RuntimeOrigin::root(), count).is_ok();
			assert_eq!(accepted, count <= Anchor::params().max_pause_blocks);
		}
		Op::Resume => {
			let _ = Anchor::resume(RuntimeOrigin::root());
		}
		Op::SetBack(by) => {
			let nonce = status.taken.nonce.saturating_sub(by);
			let mark = InboxMark {
				nonce,
				acc: acc(nonce),
			};
			Anchor::set_inbox(RuntimeOrigin::root(), mark).unwrap();
		}
		Op::SetParams { withdraw, release } => {
			let params = AnchorParams {
				withdraw_per_epoch: withdraw,
				release_per_epoch: release,
				..params()
			};
			Anchor::apply_params(params).unwrap();
		}
	}
	check(there);
}

fn check(there: &There) {
	Anchor::do_try_state().unwrap();
	assert_eq!(
		Ledger::<Test>::get().there,
		there.all(),
		"what is locked for there is what is there or on its way"
	);
	assert!(Anchor::status().attested.len() as u32 <= MAX_BATCH);
	// One of four lies, and the others never do.
	for place in Anchor::status().attested {
		assert_eq!(place.mark.acc, acc(place.mark.nonce));
	}
	for (who, ..) in Punished::get() {
		assert_eq!(who, account_of_seat(1));
	}
}

fn run(cases: u32, steps: usize) {
	let mut runner = TestRunner::new(Config {
		cases,
		source_file: Some(file!()),
		..Config::default()
	});
	let histories = prop::collection::vec(op(), steps);
	let outcome = runner.run(&histories, |ops| {
		new_test_ext().execute_with(|| {
			let mut there = There::default();
			let (withdraw, release) = (10_000_000_000, 1_000_000_000);
			apply(Op::SetParams { withdraw, release }, &mut there);
			for op in ops {
				apply(op, &mut there);
			}
			settle(&mut there);
		});
		Ok(())
	});
	if let Err(error) = outcome {
		panic!("{error}");
	}
}

/// Whatever has happened, all that is on its way arrives in the end, and nothing waits.
fn settle(there: &mut There) {
	let params = AnchorParams {
		release_per_epoch: ENDOWMENT * 10,
		..params()
	};
	Anchor::apply_params(params).unwrap();
	let _ = Anchor::resume(RuntimeOrigin::root());
	CurrentEpoch::mutate(|epoch| *epoch += 1);
	CurrentSession::mutate(|session| *session += 1);
	while Anchor::status().taken.nonce < mark().nonce {
		apply(Op::Attest, there);
		let taken = Anchor::status().taken.nonce;
		let last = Anchor::status().attested.last().unwrap().mark.nonce;
		apply(Op::Deliver((last - taken) as usize), there);
		// Where the queue is full, it empties.
		apply(Op::Blocks(16), there);
	}
	apply(Op::Blocks(16), there);
	for recipient in 70..75 {
		Balances::transfer_allow_death(signed(ALICE), recipient, EXISTENTIAL_DEPOSIT).unwrap();
	}
	for row in Anchor::parked(0, 100) {
		if free(row.recipient) > 0 || row.amount >= EXISTENTIAL_DEPOSIT {
			Anchor::release(signed(BOB), row.nonce).unwrap();
		}
	}
	check(there);
	assert_eq!(Anchor::status().forced, 0);
	assert_eq!(there.all(), there.claimable + there.supply);
}

#[test]
fn nothing_that_happens_loses_or_doubles_anything() {
	run(48, 120);
}

#[test]
#[ignore = "long, run by scripts/bench.sh"]
fn bench_stateful_anchor() {
	let begun = Instant::now();
	let (runs, steps) = (256, 500);
	run(runs, steps);
	println!(
		r#"{{"measure":"stateful","pallet":"anchor","runs":{runs},"steps":{steps},"seconds":{:.1}}}"#,
		begun.elapsed().as_secs_f64()
	);
}
