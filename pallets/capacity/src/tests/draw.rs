//! The draw: distinct, by weight, bounded in every block, and over in time.

use super::*;
use crate::{
	Audits, CapacityParams, EpochRows, OngoingDraw, WeightInfo, ATTEMPTS_PER_AUDIT,
	ATTEMPTS_PER_BLOCK,
};
use frame_support::weights::Weight;
use millrace_primitives::{audit::AuditStatus, hash, traits::OnEpoch, FLT, H256};

/// Peers drawn for an epoch.
fn drawn(epoch: EpochIndex) -> usize {
	Audits::<Test>::iter()
		.filter(|(_, audit)| audit.epoch == epoch)
		.count()
}

fn few_audits(audits_per_epoch: u32) -> CapacityParams {
	CapacityParams {
		audits_per_epoch,
		..params()
	}
}

/// All peers commit and report one unit of epoch 1.
fn report_all(peers: u8) {
	for n in 1..=peers {
		commit(n, 1);
	}
	go_to(2, 0);
	for n in 1..=peers {
		send(report_call(n, claim(1, 1, 0))).expect("the report is due");
	}
}

#[test]
fn with_few_reports_all_are_audited() {
	ExtBuilder::default().peers(5).build_and_execute(|| {
		report_all(5);
		go_to(2, 7);
		assert_eq!(drawn(1), 0);
		go_to_answers(1);
		assert_eq!(drawn(1), 5);
		assert_eq!(OngoingDraw::<Test>::get(), None);
		assert!(Audits::<Test>::iter().all(|(_, audit)| audit.status == AuditStatus::Open));
	});
}

#[test]
fn the_market_is_told_of_each_who_is_drawn_once() {
	ExtBuilder::default().peers(5).build_and_execute(|| {
		report_all(5);
		go_to(2, 7);
		assert_eq!(ToldDrawn::get(), vec![]);
		go_to_answers(1);
		let mut told = ToldDrawn::get();
		told.sort();
		let mut drawn: Vec<_> = Audits::<Test>::iter_keys().collect();
		drawn.sort();
		assert_eq!(told, drawn);
	});
}

#[test]
fn no_reports_no_draw() {
	ExtBuilder::default().build_and_execute(|| {
		commit(1, 1);
		go_to_answers(1);
		assert_eq!(drawn(1), 0);
		assert_eq!(OngoingDraw::<Test>::get(), None);
	});
}

#[test]
fn distinct_peers_are_drawn_up_to_the_number_asked_for() {
	ExtBuilder::default()
		.peers(40)
		.params(few_audits(7))
		.build_and_execute(|| {
			report_all(40);
			go_to_answers(1);
			// One entry for each peer, so seven audits are seven peers.
			assert_eq!(drawn(1), 7);
		});
}

#[test]
fn the_draw_is_by_units() {
	ExtBuilder::default()
		.peers(3)
		.params(few_audits(1))
		.build_and_execute(|| {
			let units = [1, 2, 7];
			for (n, units) in (1..).zip(units) {
				commit(n, units);
			}
			go_to(2, 0);
			for (n, units) in (1..).zip(units) {
				send(report_call(n, claim(1, units, 0))).expect("the report is due");
			}
			go_to(2, 8);
			let mut hits = [0u32; 3];
			for round in 0..2_000u32 {
				for n in 1..=3 {
					Audits::<Test>::remove(peer(n));
				}
				Capacity::on_draw(1, hash::tagged("round", &round));
				next_poll();
				for (n, hit) in (1..).zip(hits.iter_mut()) {
					*hit += u32::from(Audits::<Test>::contains_key(peer(n)));
				}
			}
			assert_eq!(hits.iter().sum::<u32>(), 2_000);
			// Five standard deviations of binomials with 1/10, 2/10 and 7/10.
			for (hit, (expected, five_sigma)) in
				hits.into_iter().zip([(200, 68), (400, 90), (1_400, 103)])
			{
				assert!(u32::abs_diff(hit, expected) < five_sigma, "{hits:?}");
			}
		});
}

/// `on_poll` once more in this block.
fn next_poll() {
	use frame_support::{traits::Hooks, weights::WeightMeter};
	Capacity::on_poll(
		System::block_number(),
		&mut WeightMeter::with_limit(PollWeight::get()),
	);
}

#[test]
fn a_walk_over_all_that_is_cut_short_is_a_uniform_choice() {
	ExtBuilder::default().peers(6).build_and_execute(|| {
		report_all(6);
		let one = <() as WeightInfo>::on_poll().saturating_add(<() as WeightInfo>::draw_attempt());
		PollWeight::set(one);
		go_to(2, 8);
		let mut hits = [0u32; 6];
		for round in 0..1_200u32 {
			for n in 1..=6 {
				Audits::<Test>::remove(peer(n));
			}
			Capacity::on_draw(1, hash::tagged("round", &round));
			next_poll();
			assert_eq!(drawn(1), 1);
			for (n, hit) in (1..).zip(hits.iter_mut()) {
				*hit += u32::from(Audits::<Test>::contains_key(peer(n)));
			}
		}
		// Five standard deviations of a binomial with 1/6.
		assert!(hits.iter().all(|hit| hit.abs_diff(200) < 65), "{hits:?}");
	});
}

#[test]
fn the_totals_say_what_was_drawn_whatever_ended_the_draw() {
	ExtBuilder::default().peers(6).build_and_execute(|| {
		let row = || Capacity::row(1).expect("the epoch is remembered");
		report_all(6);
		PollWeight::set(
			<() as WeightInfo>::on_poll()
				.saturating_add(<() as WeightInfo>::draw_attempt().saturating_mul(2)),
		);
		go_to_answers(1);
		assert_eq!((row().audits, row().drawn), (6, 2));
		next_block();
		assert_eq!((row().audits, row().drawn), (6, 4));
		// The blocks are full until the second half of the window, in which nobody is drawn.
		PollWeight::set(Weight::zero());
		go_to(2, 12);
		PollWeight::set(Weight::MAX);
		next_block();
		assert_eq!((drawn(1), row().drawn), (4, 4));
		assert_eq!(OngoingDraw::<Test>::get(), None);
	});
}

#[test]
fn as_many_are_drawn_as_deter_and_else_rewards_are_capped() {
	ExtBuilder::default().build_and_execute(|| {
		go_to(4, 0);
		let plan = |units: u64, reports: u32| {
			EpochRows::<Test>::mutate(1, |row| {
				let row = row.as_mut().expect("the epoch is remembered");
				(row.units, row.idle, row.reports) = (units, units, reports);
				row.audits = params().audits_per_epoch;
				row.max_reward_per_unit = FLT * 11 / 10;
			});
			Capacity::on_draw(1, H256::repeat_byte(3));
			let row = Capacity::row(1).expect("the epoch is remembered");
			(row.audits, row.reward_per_unit())
		};
		// The pool is 10 FLT, a miss costs 10 FLT of a stake of 1,000. Three times 10.0125 FLT are
		// 3.1 % of what else is left of the stake: 25 of 800 units are drawn, not 20.
		assert_eq!(plan(100, 90), (20, FLT / 10));
		assert_eq!(plan(800, 300), (25, FLT / 80));
		// Where 28 can be answered and 311 would be needed, nothing is paid that could be faked for.
		assert_eq!(plan(10_000, 5_000), (28, 0));
	});
}

#[test]
fn a_draw_resumes_where_weight_stopped_it() {
	ExtBuilder::default().peers(6).build_and_execute(|| {
		report_all(6);
		PollWeight::set(
			<() as WeightInfo>::on_poll()
				.saturating_add(<() as WeightInfo>::draw_attempt().saturating_mul(2)),
		);
		go_to_answers(1);
		assert_eq!(drawn(1), 2);
		next_block();
		assert_eq!(drawn(1), 4);
		next_block();
		assert_eq!(drawn(1), 6);
		assert_eq!(OngoingDraw::<Test>::get(), None);
	});
}

#[test]
fn nobody_is_drawn_in_the_second_half_of_the_answer_window() {
	ExtBuilder::default().peers(2).build_and_execute(|| {
		report_all(2);
		PollWeight::set(Weight::zero());
		go_to(2, 11);
		PollWeight::set(Weight::MAX);
		next_block();
		assert_eq!(drawn(1), 0);
		assert_eq!(OngoingDraw::<Test>::get(), None);
	});
}

#[test]
fn one_peer_with_nearly_all_units_does_not_keep_the_draw_going() {
	ExtBuilder::default()
		.peers(21)
		.params(few_audits(20))
		.build_and_execute(|| {
			for n in 1..=20 {
				commit(n, 1);
			}
			commit(21, 500);
			go_to(2, 0);
			for n in 1..=20 {
				send(report_call(n, claim(1, 1, 0))).expect("the report is due");
			}
			send(report_call(21, claim(1, 500, 0))).expect("the report is due");

			go_to_answers(1);
			let first = OngoingDraw::<Test>::get().expect("64 attempts do not hit 20 peers");
			assert_eq!(first.attempts, ATTEMPTS_PER_BLOCK);
			next_block();
			// 20 × 4 attempts are all that are made; whoever was hit until then is audited.
			assert_eq!(20 * ATTEMPTS_PER_AUDIT, 80);
			assert_eq!(OngoingDraw::<Test>::get(), None);
			assert!((1..20).contains(&drawn(1)));
		});
}

#[test]
fn no_more_are_drawn_than_half_of_the_answer_window_can_take() {
	ExtBuilder::default()
		.peers(60)
		.params(few_audits(60))
		.build_and_execute(|| {
			report_all(60);
			go_to_answers(1);
			// A block of one second holds 7 answers of three RandomX hashes; 8 blocks, half of them.
			assert_eq!(
				Capacity::row(1).expect("the epoch is remembered").audits,
				28
			);
			next_block();
			next_block();
			assert!(drawn(1) <= 28);
		});
}

#[test]
fn the_same_randomness_draws_the_same_peers() {
	let run = || {
		let mut peers = Vec::new();
		ExtBuilder::default()
			.peers(30)
			.params(few_audits(3))
			.build_and_execute(|| {
				report_all(30);
				go_to(2, 8);
				for n in 1..=30 {
					Audits::<Test>::remove(peer(n));
				}
				Capacity::on_draw(1, H256::repeat_byte(9));
				next_poll();
				peers = (1..=30)
					.filter(|n| Audits::<Test>::contains_key(peer(*n)))
					.collect();
			});
		peers
	};
	let first: Vec<u8> = run();
	assert_eq!(first.len(), 3);
	assert_eq!(first, run());
}
