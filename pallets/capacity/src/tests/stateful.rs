//! Anything that anybody may do, in any order: calls may be refused, books may not disagree.

use super::*;
use crate::{CapacityParams, Params, WaitingSlashes};
use frame_support::traits::fungible::Inspect;
use millrace_primitives::{
	commitment::{Invited, RoundKind, StakeOffer},
	traits::{Offence, StakeSlasher},
	FLT,
};
use proptest::{
	prelude::*,
	test_runner::{Config, TestRunner},
};
use sp_runtime::Perbill;
use std::{collections::BTreeMap, time::Instant};

const PEERS: u8 = 5;
/// Owners of the five peers.
const OWNERS: [u64; 5] = [1, 1, 2, 3, 3];
/// Three providers, and six delegators besides.
const ACCOUNTS: u64 = 9;

/// How much a staker brings.
#[derive(Clone, Copy, Debug)]
enum Amount {
	Nothing,
	Least,
	UnderLeast,
	Room,
	OverRoom,
	/// What only the provider can bring.
	Reserved,
	/// What is missing.
	Missing,
	/// So many thousandths of what is needed.
	Part(u16),
	Everything,
}

#[derive(Clone, Debug)]
enum Op {
	Create {
		peer: u8,
		owned: bool,
		units: u32,
		duration: u32,
		own: u32,
		commission: u32,
		invites: bool,
	},
	Stake {
		peer: u8,
		who: u64,
		owned: bool,
		keep: u8,
		add: Amount,
		spoilt: bool,
	},
	/// The provider brings its part, and two delegators the rest.
	Fill {
		peer: u8,
		who: u64,
		keep: bool,
	},
	Cancel {
		peer: u8,
		who: u64,
	},
	Grow {
		peer: u8,
		more: u32,
	},
	Extend {
		peer: u8,
		duration: u32,
		own: u32,
		commission: u32,
	},
	Withdraw {
		peer: u8,
		who: u64,
	},
	Settle {
		peer: u8,
		who: u64,
	},
	Report {
		peer: u8,
		missing: u32,
		solves: bool,
	},
	Answer {
		peer: u8,
		garbled: bool,
	},
	/// An epoch in which those of the mask do all that they owe.
	Serve {
		mask: u8,
	},
	Claim {
		who: u64,
	},
	Apply {
		peer: u8,
		who: u64,
	},
	CancelSlash {
		peer: u8,
		who: u64,
	},
	Offend {
		peer: u8,
		back: u32,
		permille: u32,
		fails: bool,
		reporter: Option<u64>,
	},
	Equivocate {
		who: u64,
		back: u32,
		percent: u32,
	},
	SetParams {
		which: u8,
	},
	Blocks(u32),
	Epochs(u32),
}

fn amount() -> impl Strategy<Value = Amount> {
	prop_oneof![
		Just(Amount::Nothing),
		Just(Amount::Least),
		Just(Amount::UnderLeast),
		Just(Amount::Room),
		Just(Amount::OverRoom),
		Just(Amount::Reserved),
		Just(Amount::Missing),
		(0u16..1_100).prop_map(Amount::Part),
		Just(Amount::Everything),
	]
}

fn op() -> impl Strategy<Value = Op> {
	let n = || 1..=PEERS;
	let who = || 1..=ACCOUNTS;
	prop_oneof![
		4 => (n(), prop::bool::weighted(0.9), 0u32..7, 4u32..30, 15u32..=100, 0u32..=100, prop::bool::weighted(0.1))
			.prop_map(|(peer, owned, units, duration, own, commission, invites)| Op::Create {
				peer, owned, units, duration, own, commission, invites,
			}),
		6 => (n(), who(), any::<bool>(), 0u8..5, amount(), prop::bool::weighted(0.05))
			.prop_map(|(peer, who, owned, keep, add, spoilt)| Op::Stake {
				peer, who, owned, keep, add, spoilt,
			}),
		8 => (n(), who(), any::<bool>()).prop_map(|(peer, who, keep)| Op::Fill { peer, who, keep }),
		2 => (n(), who()).prop_map(|(peer, who)| Op::Cancel { peer, who }),
		3 => (n(), 0u32..4).prop_map(|(peer, more)| Op::Grow { peer, more }),
		3 => (n(), 7u32..20, 15u32..=100, 0u32..=100)
			.prop_map(|(peer, duration, own, commission)| Op::Extend { peer, duration, own, commission }),
		3 => (n(), who()).prop_map(|(peer, who)| Op::Withdraw { peer, who }),
		3 => (n(), who()).prop_map(|(peer, who)| Op::Settle { peer, who }),
		3 => (n(), 0u32..3, prop::bool::weighted(0.8))
			.prop_map(|(peer, missing, solves)| Op::Report { peer, missing, solves }),
		3 => (n(), prop::bool::weighted(0.2)).prop_map(|(peer, garbled)| Op::Answer { peer, garbled }),
		8 => any::<u8>().prop_map(|mask| Op::Serve { mask }),
		2 => who().prop_map(|who| Op::Claim { who }),
		3 => (n(), who()).prop_map(|(peer, who)| Op::Apply { peer, who }),
		1 => (n(), prop_oneof![who(), Just(GOVERNOR)]).prop_map(|(peer, who)| Op::CancelSlash { peer, who }),
		2 => (n(), 0u32..7, 0u32..400, prop::bool::weighted(0.1), prop::option::of(who()))
			.prop_map(|(peer, back, permille, fails, reporter)| Op::Offend {
				peer, back, permille, fails, reporter,
			}),
		1 => (1u64..=3, 0u32..7, 0u32..=60)
			.prop_map(|(who, back, percent)| Op::Equivocate { who, back, percent }),
		1 => (0u8..4).prop_map(|which| Op::SetParams { which }),
		4 => (1u32..30).prop_map(Op::Blocks),
		2 => (1u32..9).prop_map(Op::Epochs),
	]
}

/// What peers did last, so that they can answer for it.
type Done = BTreeMap<u8, Work>;

fn owner(n: u8) -> u64 {
	OWNERS[usize::from(n) - 1]
}

fn offer(own: u32, commission: u32, invites: bool) -> StakeOffer<u64> {
	let invited = if invites {
		vec![4, 5].try_into().expect("two fit")
	} else {
		Invited::default()
	};
	StakeOffer {
		invited,
		..shared(own, commission)
	}
}

/// Dispatches a duty if it is due, as a block does.
fn submit(call: Call<Test>) {
	let authorized = call
		.authorize(TransactionSource::External)
		.expect("the call is a duty");
	if authorized.is_ok() {
		// An answer that is wrong on its face is an error.
		let _ = duty(call);
	}
}

fn stake_of(n: u8, who: u64) -> Balance {
	let Some(row) = Commitments::<Test>::get(peer(n)) else {
		return 0;
	};
	if row.provider == who {
		return row.own.left;
	}
	crate::Delegations::<Test>::get(peer(n))
		.iter()
		.find(|stake| stake.staker == who)
		.map_or(0, |stake| stake.part.left)
}

fn stake(n: u8, who: u64, keep: u8, add: Amount, spoilt: bool) {
	let Some(seen) = Capacity::round(peer(n)) else {
		return;
	};
	let mut terms = seen.terms;
	terms.units += u32::from(spoilt);
	let least = seen.least.unwrap_or(0);
	let add = match add {
		Amount::Nothing => 0,
		Amount::Least => least,
		Amount::UnderLeast => least.saturating_sub(1),
		Amount::Room => seen.room,
		Amount::OverRoom => seen.room + 1,
		Amount::Reserved => seen.reserved,
		Amount::Missing => seen.needed - seen.pledged,
		Amount::Part(part) => seen.needed / 1_000 * Balance::from(part),
		Amount::Everything => Balance::MAX,
	};
	// Mostly nothing, else a part of what is there, all of it, or more.
	let keep = match keep {
		0 | 1 => 0,
		4 => stake_of(n, who) + 1,
		quarters => stake_of(n, who) / 3 * Balance::from(quarters),
	};
	let _ = Capacity::stake(signed(who), peer(n), terms, keep, add);
}

/// Fills a round: the provider brings what is its own, two delegators the rest.
fn fill(n: u8, who: u64, keep: bool) {
	let Some(seen) = Capacity::round(peer(n)) else {
		return;
	};
	let keeps = |who| {
		if keep && seen.terms.kind == RoundKind::Renewal {
			stake_of(n, who)
		} else {
			0
		}
	};
	let provider = owner(n);
	let kept = keeps(provider).min(seen.needed);
	let own = seen.reserved.max(kept);
	let _ = pledge(provider, n, kept, own - kept);
	let other = who % ACCOUNTS + 1;
	for who in [who, other] {
		let Some(seen) = Capacity::round(peer(n)) else {
			return;
		};
		let kept = keeps(who).min(seen.room);
		let half = if who == other {
			seen.room
		} else {
			seen.room / 2
		};
		let _ = pledge(who, n, kept, half.saturating_sub(kept));
	}
	if let Some(seen) = Capacity::round(peer(n)) {
		let _ = pledge(provider, n, 0, seen.needed - seen.pledged);
	}
}

fn report(n: u8, missing: u32, solves: bool, done: &mut Done) {
	let (Some(epoch), Some(row)) = (
		CurrentEpoch::get().checked_sub(1),
		Commitments::<Test>::get(peer(n)),
	) else {
		return;
	};
	let units = row.units_at(epoch).saturating_sub(missing);
	let work = work_that(solves, n, epoch, units, 0);
	submit(report_call(n, work.report.clone()));
	done.insert(n, work);
}

fn answers(n: u8, garbled: bool, done: &Done) {
	let Some(work) = done.get(&n) else { return };
	let ended = CurrentEpoch::get().checked_sub(1);
	if ended == Some(work.report.epoch) {
		let mut answer = answer(n, work);
		if garbled {
			answer.report.proven_idle += 1;
		}
		submit(answer_call(n, answer));
	}
}

fn parameters(which: u8) -> CapacityParams {
	let normal = CapacityParams {
		amnesty_epochs: 2,
		..params()
	};
	match which {
		0 => normal,
		1 => CapacityParams {
			stake_per_unit: 700 * FLT + 1,
			own_floor: Perbill::from_percent(15),
			vesting_epochs: 7,
			stake_floor: Perbill::from_percent(70),
			least_audit_slash: Perbill::from_percent(12),
			pool_step: Perbill::from_percent(3),
			reward_headroom: Perbill::zero(),
			..normal
		},
		2 => CapacityParams {
			slash_rate: Perbill::from_parts(49_999_999),
			challenge_epochs: 5,
			slash_delay_epochs: 7,
			amnesty_epochs: 0,
			bounty_fees: 5,
			bounty_part: Perbill::from_percent(10),
			..normal
		},
		_ => CapacityParams {
			stake_per_unit: 0,
			..normal
		},
	}
}

fn first_slash(n: u8) -> u64 {
	WaitingSlashes::<Test>::iter_prefix(peer(n))
		.map(|(slash, _)| slash)
		.min()
		.unwrap_or(0)
}

fn apply(op: Op, done: &mut Done) {
	match op {
		Op::Create {
			peer: n,
			owned,
			units,
			duration,
			own,
			commission,
			invites,
		} => {
			let who = if owned { owner(n) } else { 4 };
			let offer = offer(own, commission, invites);
			let _ = Capacity::create(signed(who), peer(n), units, duration, offer);
		}
		Op::Stake {
			peer: n,
			who,
			owned,
			keep,
			add,
			spoilt,
		} => stake(n, if owned { owner(n) } else { who }, keep, add, spoilt),
		Op::Fill { peer, who, keep } => fill(peer, who, keep),
		Op::Cancel { peer: n, who } => {
			let _ = Capacity::cancel(signed(who), peer(n));
		}
		Op::Grow { peer: n, more } => {
			let _ = Capacity::grow(signed(owner(n)), peer(n), more, Invited::default());
		}
		Op::Extend {
			peer: n,
			duration,
			own,
			commission,
		} => {
			let offer = offer(own, commission, false);
			let _ = Capacity::extend(signed(owner(n)), peer(n), duration, offer);
		}
		Op::Withdraw { peer: n, who } => {
			let _ = Capacity::withdraw(signed(who), peer(n));
		}
		Op::Settle { peer: n, who } => {
			let _ = Capacity::settle(signed(who), peer(n));
		}
		Op::Report {
			peer,
			missing,
			solves,
		} => report(peer, missing, solves, done),
		Op::Answer { peer, garbled } => answers(peer, garbled, done),
		Op::Serve { mask } => {
			let epoch = CurrentEpoch::get();
			jump(epoch + 1);
			let serving = (1..=PEERS).filter(|n| (mask >> n) & 1 == 1);
			serving.clone().for_each(|n| report(n, 0, true, done));
			go_to_answers(epoch);
			serving.for_each(|n| answers(n, false, done));
			close(epoch);
		}
		Op::Claim { who } => {
			let before = Balances::free_balance(who);
			let claimable = Capacity::earnings(&who).claimable;
			if Capacity::claim(signed(STRANGER), who).is_ok() {
				let deposit = Balances::free_balance(who) - before - claimable;
				assert!(deposit == 0 || deposit == LEDGER_DEPOSIT);
			} else {
				assert_eq!(claimable, 0);
			}
		}
		Op::Apply { peer: n, who } => {
			let _ = Capacity::apply_slash(signed(who), peer(n), first_slash(n));
		}
		Op::CancelSlash { peer: n, who } => {
			let _ = Capacity::cancel_slash(signed(who), peer(n), first_slash(n));
		}
		Op::Offend {
			peer: n,
			back,
			permille,
			fails,
			reporter,
		} => {
			let offence = Offence {
				epoch: CurrentEpoch::get().saturating_sub(back),
				part: Perbill::from_parts(permille * 1_000_000),
				fails,
				reporter: reporter.map(|who| (who, Perbill::from_percent(30))),
			};
			Capacity::slash(peer(n), offence);
		}
		Op::Equivocate { who, back, percent } => {
			equivocate(who, CurrentEpoch::get().saturating_sub(back), percent);
		}
		Op::SetParams { which } => {
			let before = Params::<Test>::get();
			if Capacity::apply_params(parameters(which)).is_err() {
				assert_eq!(Params::<Test>::get(), before);
			}
		}
		Op::Blocks(blocks) => (0..blocks).for_each(|_| next_block()),
		Op::Epochs(epochs) => jump(CurrentEpoch::get() + epochs),
	}
}

/// Nothing is made but what was claimed, and nobody has less than its stakes and deposits.
fn check(issued: Balance) {
	Capacity::do_try_state().expect("the invariants hold");
	let all: Balance = (1..=ACCOUNTS)
		.map(|who| <Balances as Inspect<u64>>::total_balance(&who))
		.sum();
	assert_eq!(<Balances as Inspect<u64>>::total_issuance(), all);
	let made: Balance = events()
		.into_iter()
		.map(|event| match event {
			crate::Event::RewardClaimed { amount, .. } => amount,
			_ => 0,
		})
		.sum();
	assert!(all <= issued + made);
}

fn run(cases: u32, steps: usize) {
	let mut runner = TestRunner::new(Config {
		cases,
		source_file: Some(file!()),
		..Config::default()
	});
	let outcome = runner.run(&prop::collection::vec(op(), steps), |ops| {
		ExtBuilder::default()
			.peers(PEERS)
			.params(parameters(0))
			.build_and_execute(|| {
				Registered::mutate(|peers| {
					for n in 1..=PEERS {
						peers.get_mut(&peer(n)).expect("it is registered").0 = owner(n);
					}
				});
				let mut done = Done::new();
				for op in ops {
					let issued = <Balances as Inspect<u64>>::total_issuance();
					apply(op, &mut done);
					check(issued);
					WorkCalls::set(Vec::new());
					StakeCalls::set(Vec::new());
				}
			});
		Ok(())
	});
	if let Err(error) = outcome {
		panic!("{error}");
	}
}

#[test]
fn anything_may_happen_in_any_order() {
	run(24, 120);
}

#[test]
#[ignore = "long, run by scripts/bench.sh"]
fn bench_stateful_capacity() {
	let begun = Instant::now();
	let (runs, steps) = (256, 500);
	run(runs, steps);
	println!(
		r#"{{"measure":"stateful","pallet":"capacity","runs":{runs},"steps":{steps},"seconds":{:.1}}}"#,
		begun.elapsed().as_secs_f64()
	);
}
