//! Anything in any order: errors are allowed, but only those that a naive ledger expects.

use crate::{mock::*, Call, Leftovers, NewProgramme, Standing};
use frame_support::weights::Weight;
use millrace_primitives::{Balance, BlockNumber};
use proptest::{
	prelude::*,
	test_runner::{Config, TestRunner},
};
use std::collections::{BTreeMap, BTreeSet};

/// Accounts that are rewarded. Some are twice on a list.
const ACCOUNTS: u64 = 6;

/// What can happen.
#[derive(Clone, Debug)]
enum Op {
	Start {
		amounts: Vec<Balance>,
		blocks: BlockNumber,
		/// Taken off the total, so that a list can promise too much.
		short: Balance,
	},
	Claim(usize),
	ClaimFree(usize),
	/// A free claim that is signed for a programme before.
	ClaimOld(usize),
	Release(u64),
	Spend(u64),
	End,
	Sweep,
	Idle,
	Blocks(BlockNumber),
}

fn op() -> impl Strategy<Value = Op> {
	let amount = prop_oneof![
		1 => 0u128..EXISTENTIAL_DEPOSIT,
		8 => EXISTENTIAL_DEPOSIT..5_000,
		1 => Just(POT / 2),
	];
	let start = (
		prop::collection::vec(amount, 0..12),
		0u32..120,
		prop_oneof![3 => Just(0u128), 1 => 0u128..3_000],
	);
	let who = || 1..=ACCOUNTS;
	prop_oneof![
		3 => start.prop_map(|(amounts, blocks, short)| Op::Start { amounts, blocks, short }),
		8 => (0usize..12).prop_map(Op::Claim),
		8 => (0usize..12).prop_map(Op::ClaimFree),
		1 => (0usize..12).prop_map(Op::ClaimOld),
		4 => who().prop_map(Op::Release),
		2 => who().prop_map(Op::Spend),
		3 => Just(Op::End),
		2 => Just(Op::Sweep),
		1 => Just(Op::Idle),
		5 => (1u32..40).prop_map(Op::Blocks),
	]
}

/// What the test itself keeps.
#[derive(Default)]
struct Ledger {
	number: u32,
	list: Option<List>,
	total: Balance,
	paid: Balance,
	ends: BlockNumber,
	claimed: BTreeSet<usize>,
	/// By account: until when so much is locked.
	locks: BTreeMap<u64, Vec<(BlockNumber, Balance)>>,
	pot: Balance,
	treasury: Balance,
	reached: BTreeMap<&'static str, u32>,
}

impl Ledger {
	fn count(&mut self, name: &'static str) {
		*self.reached.entry(name).or_default() += 1;
	}

	fn locked(&self, who: u64) -> Balance {
		let now = System::block_number();
		self.locks.get(&who).map_or(0, |locks| {
			let live = locks.iter().filter(|(until, _)| now <= *until);
			live.map(|(_, amount)| amount).sum()
		})
	}

	/// Whether the reward of that place can be claimed now.
	fn may_claim(&self, index: usize) -> bool {
		let Some(list) = &self.list else {
			return false;
		};
		let (account, amount) = list.rewards[index];
		let now = System::block_number();
		let live = self.locks.get(&account).map_or(0, |locks| {
			locks.iter().filter(|(until, _)| now <= *until).count()
		});
		let takes = amount > 0 && Balances::free_balance(account) + amount >= EXISTENTIAL_DEPOSIT;
		now <= self.ends
			&& !self.claimed.contains(&index)
			&& amount <= self.total - self.paid
			&& live < MOST_LOCKS as usize
			&& takes
	}

	fn note_claim(&mut self, index: usize) {
		let (account, amount) = self.list.as_ref().expect("it was claimed").rewards[index];
		self.claimed.insert(index);
		self.paid += amount;
		self.pot -= amount;
		let until = System::block_number() + LOCK;
		self.locks.entry(account).or_default().push((until, amount));
	}

	fn apply(&mut self, op: Op) {
		match op {
			Op::Start {
				amounts,
				blocks,
				short,
			} => self.start(&amounts, blocks, short),
			Op::Claim(index) => self.claim(index, |list, index| list.claim(index).is_ok()),
			Op::ClaimFree(index) => {
				let number = self.number;
				self.claim(index, |list, index| {
					free(list.free_claim(number, index)).is_ok()
				});
			}
			Op::ClaimOld(index) => {
				let number = self.number.wrapping_sub(1);
				if let Some(list) = self.list.clone().filter(|list| index < list.rewards.len()) {
					assert!(free(list.free_claim(number, index as u32)).is_err());
				}
			}
			Op::Release(account) => {
				let now = System::block_number();
				let locks = self.locks.entry(account).or_default();
				let before = locks.len();
				locks.retain(|(until, _)| now <= *until);
				let is_over = locks.len() < before;
				// Those that a claim took away are not over any more, for pool and block alike.
				let released = free(Call::release { account }).is_ok();
				assert!(!released || is_over, "nothing was over");
				if released {
					self.count("release");
				}
			}
			Op::Spend(account) => {
				let amount = spendable(account);
				let kept = Balances::free_balance(account) - amount;
				assert!(kept >= self.locked(account), "what is locked can be spent");
				let spent = Balances::transfer_allow_death(signed(account), STRANGER, amount);
				if amount > 0 && spent.is_ok() {
					self.count("spend");
				}
			}
			Op::End => {
				let over = self.list.is_some() && System::block_number() > self.ends;
				assert_eq!(Rewards::end(signed(STRANGER)).is_ok(), over);
				if over {
					let left = self.total - self.paid;
					self.pot -= left;
					self.treasury += left;
					self.list = None;
					self.count("end");
				}
			}
			Op::Sweep => {
				let left = Leftovers::<Test>::exists();
				assert_eq!(Rewards::sweep(signed(STRANGER)).is_ok(), left);
				if left {
					self.count("sweep");
				}
			}
			Op::Idle => {
				idle(Weight::MAX);
			}
			Op::Blocks(blocks) => go_to(System::block_number() + blocks),
		}
	}

	fn start(&mut self, amounts: &[Balance], blocks: BlockNumber, short: Balance) {
		let accounts = (1..=ACCOUNTS).cycle();
		let rewards: Vec<(u64, Balance)> = accounts.zip(amounts.iter().copied()).collect();
		let list = List::new(&rewards);
		let now = System::block_number();
		let mut terms: NewProgramme = list.terms(now + blocks);
		terms.total = terms.total.saturating_sub(short);
		let may = self.list.is_none()
			&& !Leftovers::<Test>::exists()
			&& !rewards.is_empty()
			&& terms.total > 0
			&& blocks > 0
			&& terms.total <= self.pot;
		assert_eq!(start(terms).is_ok(), may);
		if may {
			let begun = Standing::<Test>::get().expect("it has begun");
			self.number = begun.number;
			self.list = Some(list);
			(self.total, self.paid, self.ends) = (terms.total, 0, terms.ends);
			self.claimed.clear();
			self.count("start");
		}
	}

	fn claim(&mut self, index: usize, call: impl Fn(&List, u32) -> bool) {
		let Some(list) = self.list.clone() else {
			return;
		};
		if index >= list.rewards.len() {
			return;
		}
		let may = self.may_claim(index);
		assert_eq!(call(&list, index as u32), may, "the reward {index}");
		if may {
			self.note_claim(index);
			self.count("claim");
		}
	}

	/// What must hold after each step.
	fn check(&self) {
		Rewards::do_try_state().unwrap();
		assert_eq!(Rewards::payable(), self.pot);
		let treasury = Balances::free_balance(TREASURY);
		assert_eq!(treasury, EXISTENTIAL_DEPOSIT + self.treasury);
		for who in 1..=ACCOUNTS {
			let kept = Balances::free_balance(who) - spendable(who);
			assert!(kept >= self.locked(who), "{who} can spend what is locked");
		}
	}
}

#[test]
fn programmes_claims_and_ends_in_any_order_pay_to_the_unit() {
	let mut runner = TestRunner::new(Config {
		cases: 48,
		source_file: Some(file!()),
		..Config::default()
	});
	let reached = std::cell::RefCell::new(BTreeMap::<&str, u32>::new());
	let histories = prop::collection::vec(op(), 150);
	let outcome = runner.run(&histories, |ops| {
		ExtBuilder::default().build_and_execute(|| {
			let mut ledger = Ledger {
				pot: POT,
				..Default::default()
			};
			for op in ops {
				ledger.apply(op);
				ledger.check();
			}
			for (name, count) in ledger.reached {
				*reached.borrow_mut().entry(name).or_default() += count;
			}
		});
		Ok(())
	});
	if let Err(error) = outcome {
		panic!("{error}");
	}
	let reached = reached.into_inner();
	for name in ["start", "claim", "release", "spend", "end", "sweep"] {
		assert!(
			reached.get(name).is_some_and(|count| *count > 0),
			"no {name}"
		);
	}
}
