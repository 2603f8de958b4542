//! Settlement against a naive model that keeps everything in plain sight and settles at once.

use super::*;
use crate::Credited;
use millrace_primitives::{views::CommitmentStatus, Balance, FLT};
use proptest::prelude::*;

/// Units of the peers 1, 2 and 3, and how many of them are at work.
const UNITS: [(u32, u32); 3] = [(2, 0), (3, 2), (7, 1)];

/// How a drawn peer answers.
#[derive(Clone, Copy, Debug)]
enum Answer {
	Right,
	Wrong,
	Missing,
}

/// What a peer does about an epoch.
#[derive(Clone, Copy, Debug)]
struct Deed {
	reports: bool,
	missing_idle: u32,
	missing_busy: u32,
	answer: Answer,
	settles: bool,
}

fn deed() -> impl Strategy<Value = Deed> {
	let answer = prop_oneof![
		6 => Just(Answer::Right),
		1 => Just(Answer::Wrong),
		1 => Just(Answer::Missing),
	];
	(
		prop::bool::weighted(0.8),
		0u32..3,
		0u32..2,
		answer,
		any::<bool>(),
	)
		.prop_map(
			|(reports, missing_idle, missing_busy, answer, settles)| Deed {
				reports,
				missing_idle,
				missing_busy,
				answer,
				settles,
			},
		)
}

#[derive(Clone, Debug, Default)]
struct Peer {
	stake: Balance,
	slashed: Balance,
	rewarded: Balance,
	score: f64,
	over: bool,
}

impl Peer {
	fn slash(&mut self, amount: Balance) {
		let burnt = amount.min(self.stake);
		self.stake -= burnt;
		self.slashed += burnt;
	}
}

/// What the n-th peer claims for an epoch: (idle, busy).
fn claimed(n: usize, deed: &Deed) -> (u32, u32) {
	let (units, busy) = UNITS[n];
	(
		(units - busy).saturating_sub(deed.missing_idle),
		busy.saturating_sub(deed.missing_busy),
	)
}

fn pool_after(pool: Balance, idle: u32) -> Balance {
	let wanted = (Balance::from(idle) * FLT).clamp(10 * FLT, 1_000 * FLT);
	wanted.clamp(pool - pool / 100, pool + pool / 100)
}

/// The model: settles every epoch at once, with all audits drawn, since there are few peers.
fn expected(history: &[[Deed; 3]]) -> [Peer; 3] {
	let mut peers = UNITS.map(|(units, _)| Peer {
		stake: Balance::from(units) * 1_000 * FLT,
		..Default::default()
	});
	// Of the epochs −1, 0 and so on, so that epoch e finds e − 2 at its own index.
	let mut idle_totals = vec![0, 0];
	let mut pool = 10 * FLT;
	for (index, deeds) in history.iter().enumerate() {
		pool = pool_after(pool, idle_totals[index]);
		let reports: Vec<Option<(u32, u32)>> = (0..3)
			.map(|n| (deeds[n].reports && !peers[n].over).then(|| claimed(n, &deeds[n])))
			.collect();
		let idle_total: u32 = reports.iter().flatten().map(|(idle, _)| idle).sum();
		idle_totals.push(idle_total);
		let reward = pool
			.checked_div(Balance::from(idle_total))
			.unwrap_or(0)
			.min(FLT * 11 / 10);

		for (n, peer) in peers.iter_mut().enumerate().filter(|(_, peer)| !peer.over) {
			let units = UNITS[n].0;
			let committed = Balance::from(units) * 1_000 * FLT;
			let (idle, busy) = reports[n].unwrap_or((0, 0));
			let drawn = idle + busy > 0;
			let void = drawn && !matches!(deeds[n].answer, Answer::Right);
			let missed = if void { units } else { units - idle - busy };
			if void {
				let saved = 3 * Balance::from(units) * (reward + 10 * FLT);
				peer.slash(saved.clamp(committed / 20, committed));
			} else {
				peer.rewarded += reward * Balance::from(idle);
			}
			peer.slash(Balance::from(missed) * 10 * FLT);
			peer.score =
				peer.score * 0.5f64.powf(1.0 / 24.0) + f64::from(missed) / f64::from(units);
			peer.over = peer.score > 24.0 || peer.slashed * 2 >= committed;
		}
	}
	peers
}

/// Lives through one epoch on the chain.
fn live(epoch: EpochIndex, deeds: &[Deed; 3], over: &[bool; 3]) {
	go_to(epoch + 1, 0);
	let mut done = Vec::new();
	for (n, deed) in (1u8..).zip(deeds) {
		let index = usize::from(n) - 1;
		if !deed.reports || over[index] {
			continue;
		}
		let (idle, busy) = claimed(index, deed);
		let work = work(n, epoch, idle, busy);
		send(report_call(n, work.report.clone())).expect("the report is due");
		done.push((n, deed.answer, work));
	}
	go_to_answers(epoch);
	for (n, how, work) in done {
		let mut answer = answer(n, &work);
		if work.tree.count() == 0 {
			continue;
		}
		match how {
			Answer::Right => {}
			Answer::Wrong => drop(answer.solutions.pop()),
			Answer::Missing => continue,
		}
		send(answer_call(n, answer)).expect("the answer is due");
	}
	close(epoch);
	for (n, deed) in (1u8..).zip(deeds) {
		if deed.settles {
			// Nothing to settle once the commitment is over.
			let _ = Capacity::settle(RuntimeOrigin::signed(STRANGER), peer(n));
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(12))]

	#[test]
	fn stakes_slashes_and_rewards_agree_to_the_unit(
		history in prop::collection::vec([deed(), deed(), deed()], 1..30),
	) {
		ExtBuilder::default().peers(3).build_and_execute(|| {
			let issuance = Balances::total_issuance();
			for (n, (units, busy)) in (1..).zip(UNITS) {
				commit(n, units);
				BusyUnits::mutate(|ledger| ledger.insert(peer(n), busy));
			}
			for (index, deeds) in history.iter().enumerate() {
				let over = expected(&history[..index]).map(|peer| peer.over);
				live(1 + index as EpochIndex, deeds, &over);
			}
			let mut slashed = 0;
			let mut rewarded = 0;
			for (n, expected) in (1..).zip(expected(&history)) {
				let _ = Capacity::settle(RuntimeOrigin::signed(STRANGER), peer(n));
				let found = Capacity::commitment(peer(n)).expect("it stands");
				let over = matches!(found.status, CommitmentStatus::Unbonding { failed: true, .. });
				assert_eq!(
					(found.stake, found.slashed, found.rewarded, over),
					(expected.stake, expected.slashed, expected.rewarded, expected.over),
				);
				slashed += expected.slashed;
				rewarded += expected.rewarded;
			}
			assert_eq!(Balances::total_issuance(), issuance - slashed);
			assert_eq!(Credited::<Test>::get(PROVIDER), rewarded);
		});
	}
}
