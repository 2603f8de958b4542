//! Anything that anybody may do, in any order: calls may be refused, books and money may not
//! disagree.

mod deals;
mod ledger;
mod lists;
mod ops;
mod probes;
mod rows;
mod workers;
mod world;

use crate::{mock::*, Params};
use deals::package_of;
use frame_support::{
	dispatch::{DispatchResult, DispatchResultWithPostInfo},
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	market::WorkerStatus,
	traits::{Capacity, PeerUse, WorkInspector},
};
use ops::{op, Op, Order, Sum};
use proptest::{
	prelude::*,
	test_runner::{Config, TestRunner},
};
use std::{cell::RefCell, collections::BTreeMap, time::Instant};
use world::World;

/// What must have come to something in a run, or it says nothing.
const NAMES: &[&str] = &[
	"post offer",
	"update offer",
	"withdraw offer",
	"create deal",
	"top up",
	"stop",
	"go live",
	"drain",
	"redeem",
	"end worker",
	"release worker",
	"replace",
	"resize",
	"name heir",
	"take deal",
	"begin grace",
	"update package",
	"close",
	"match deal",
	"set params",
	"poll",
	"idle",
	"patrol",
	"report",
	"settle",
	"commit",
	"units",
	"end",
	"fail",
	"register",
	"leave",
	"transfer",
	"ask",
	"blocks",
	"a commitment over",
	"a commitment failed",
	"an offer posted",
	"an offer gone",
	"a deal created",
	"a deal topped up",
	"a deal stopped",
	"a deal closed",
	"a deal resized",
	"an heir named",
	"a package updated",
	"an owner changed",
	"a grace begun",
	"a grace ended",
	"a rematch begun",
	"a worker matched",
	"a worker live",
	"a worker draining",
	"a worker released",
	"a worker lost",
	"a worker drained",
	"an assignment ended",
	"a bond forfeited",
	"an epoch paid",
	"an epoch paid in grace",
	"an epoch paid by gas",
	"a voucher redeemed",
	"a closing epoch paid",
	"probe",
	"answer probe",
	"fail probe",
	"a probe made",
	"a probe answered",
	"a probe failed",
	"a probe dropped",
	"a refusal",
];

/// How often what succeeded.
type Tally = RefCell<BTreeMap<&'static str, u32>>;

/// The result of a call without the weight that it took, which its bound covers.
fn within(bound: Weight, result: DispatchResultWithPostInfo) -> DispatchResult {
	result
		.map(|info| {
			let took = info.actual_weight.expect("it is weighed");
			assert!(took.all_lte(bound), "{took:?} is more than {bound:?}");
		})
		.map_err(|refused| refused.error)
}

fn weight(time: u64) -> Weight {
	Weight::from_parts(time, u64::MAX)
}

impl World<'_> {
	fn transfer(&mut self, from: u64, to: u64, sum: Sum) {
		let has = self.ledger.spendable(from);
		let amount = match sum {
			Sum::Half => has / 2,
			Sum::AllBut(rest) => has.saturating_sub(rest),
			Sum::Exactly(amount) => amount,
		};
		let origin = RuntimeOrigin::signed(from);
		let sent = Balances::transfer_keep_alive(origin, to, amount).is_ok();
		if sent {
			self.ledger.transfer(from, to, amount);
		}
		self.note("transfer", sent);
	}

	/// A peer leaves: its offer is withdrawn, and if nothing stands on it, it is removed.
	fn leave(&mut self, n: u8) {
		let n = self.pick(n, |n| {
			self.provider(n).is_some() && !self.commitments.contains_key(&n)
		});
		let peer = self.peer(n);
		let Some(provider) = self
			.provider(n)
			.filter(|_| !self.commitments.contains_key(&n))
		else {
			return self.note("leave", false);
		};
		let origin = RuntimeOrigin::signed(provider);
		let stands = self.ledger.offers.contains_key(&peer);
		assert_eq!(Market::withdraw_offer(origin, peer).is_ok(), stands);
		self.sync();
		// Its workers ended with its commitment.
		assert!(!Market::in_use(peer));
		Market::forget(peer);
		unregister(peer);
		self.forget_work(peer);
		self.ledger.left.remove(&peer);
		self.note("leave", true);
	}

	/// The commitment of a peer fails by an offence, which is charged after everything that is closed.
	pub(super) fn fail(&mut self, n: u8) {
		let peer = self.peer(n);
		self.settle(peer);
		let stood = self.commitments.remove(&n).is_some();
		if stood {
			fail_commitment(peer);
			self.sync();
			self.forget_work(peer);
		}
		self.note("fail", stood);
	}

	/// What others ask changes nothing but for settlements, and agrees with what happened.
	fn ask(&mut self, order: &Order, n: u8) {
		let (spec, peer) = (order.spec(), self.peer(n));
		let quote = Market::quote(spec.clone(), 0);
		assert!(quote.workers.len() as u32 <= spec.target_workers);
		for offer in &quote.workers {
			assert_eq!(why_not(spec.clone(), offer.peer), None);
			assert!(offer.free_units >= spec.units_per_worker);
		}
		let _ = why_not(spec, peer);
		self.sync();

		let stand: Vec<_> = self.ledger.deals.keys().copied().collect();
		assert_eq!(Market::deal_ids(None, 0, 100), stand);
		let now = Epoch::get();
		for (id, row) in &self.ledger.deals {
			let view = Market::deal_view(*id, |_| None).expect("it stands");
			assert_eq!((view.owner, &view.spec), (row.owner, &row.spec));
			for epoch in [now - 1, now] {
				let left = self.ledger.left.get(&peer).into_iter().flatten();
				let answered = left
					.copied()
					.any(|(deal, first, last)| deal == *id && first <= epoch && epoch <= last);
				let answers = answered || row.answers(peer, epoch);
				assert_eq!(Market::is_worker(peer, *id, epoch), answers);
			}
			let block = System::block_number();
			for package in (1..4)
				.map(|n| package_of(n).hash)
				.chain([row.packages[0].0])
			{
				let known = Market::call_terms(*id, package, now, block);
				assert_eq!(known.is_ok(), row.counts(package, now, block));
			}
		}
		for assignment in Market::assignments(peer) {
			let told = match assignment.worker.status {
				WorkerStatus::Assigned { .. } => (None, None),
				WorkerStatus::Live { since } => (Some(since), None),
				WorkerStatus::Draining { since, last } => (Some(since), Some(last)),
			};
			let seat = &self.ledger.deals[&assignment.deal].workers[&peer];
			assert_eq!((seat.since, seat.last), told);
			let redeemed = assignment.redeemed;
			let billed = seat.billed.values().sum::<u64>();
			assert_eq!(
				(redeemed.cumulative, redeemed.billed),
				(seat.vouchered, billed)
			);
		}
		self.note("ask", true);
	}

	fn poll(&self, time: u64) {
		let mut meter = WeightMeter::with_limit(weight(time));
		Market::on_poll(System::block_number(), &mut meter);
		assert!(meter.consumed().all_lte(weight(time)));
	}

	fn idle(&self, time: u64) {
		let took = Market::on_idle(System::block_number(), weight(time));
		assert!(took.all_lte(weight(time)));
	}

	/// With all the time that it needs, the patrol leaves nobody who did not report, and nobody whose
	/// notice is over. All that is closed was settled before.
	fn patrol(&mut self) {
		let ended = Epoch::get() - 1;
		let mut lost = self.ledger.silent();
		lost.retain(|(_, peer)| MockCapacity::missed(*peer, ended));
		self.idle(u64::MAX);
		self.sync();
		for (deal, peer) in lost {
			let row = &self.ledger.deals[&deal];
			assert!(!row.is_due(peer, ended), "{peer:?} in {deal}");
		}
		for (deal, peer, last) in self.ledger.draining() {
			assert!(last > ended, "{peer:?} in {deal}");
		}
		let now = Market::moment();
		// Not even those of this block, which is at its end.
		assert!(self.ledger.probes.values().all(|open| open.deadline > now));
		self.note("patrol", true);
	}

	/// What the pallet is asked by accounts, governance and the matcher.
	fn apply(&mut self, op: Op) {
		match op {
			Op::PostOffer {
				caller,
				peer: n,
				terms,
			} => {
				let owner = self.provider(n).unwrap_or(PROVIDER);
				let result = Market::post_offer(caller.origin(owner), self.peer(n), terms);
				self.called("post offer", caller, result);
			}
			Op::WithdrawOffer { caller, peer: n } => {
				let owner = self.provider(n).unwrap_or(PROVIDER);
				let result = Market::withdraw_offer(caller.origin(owner), self.peer(n));
				self.called("withdraw offer", caller, result);
			}
			Op::CreateDeal {
				caller,
				owner,
				order,
				epochs,
				missing,
			} => self.create(caller, owner, &order, epochs, missing),
			Op::UpdateOffer {
				caller,
				peer: n,
				terms,
			} => self.update_offer(caller, n, terms),
			Op::TopUp {
				caller,
				deal,
				amount,
				in_grace,
			} => self.top_up(caller, deal, amount, in_grace),
			Op::Stop { caller, deal } => {
				let deal = self.deal(deal);
				let owner = self.ledger.deals.get(&deal).map_or(CLIENT, |row| row.owner);
				let result = Market::stop(caller.origin(owner), deal);
				self.called("stop", caller, within(Market::stop_weight(), result));
			}
			Op::GoLive { pick, duty } => self.go_live(pick, duty),
			Op::Release { caller, pick, late } => self.release(caller, pick, late),
			Op::Close { caller, deal } => {
				let result = Market::close(caller.origin(STRANGER), self.deal(deal));
				self.called("close", caller, within(Market::close_weight(), result));
			}
			Op::Drain { pick, duty } => self.drain(pick, duty),
			Op::Redeem { pick, duty, more } => self.redeem(pick, duty, more),
			Op::EndWorker { caller, pick } => self.end_worker(caller, pick),
			Op::Replace {
				caller,
				pick,
				misses,
			} => {
				if misses {
					self.miss(pick);
				}
				self.replace(caller, pick);
			}
			Op::Resize {
				caller,
				deal,
				least,
				target,
			} => self.resize(caller, deal, (least, target)),
			Op::NameHeir { caller, deal, heir } => self.name_heir(caller, deal, heir),
			Op::TakeDeal { caller, deal } => self.take_deal(caller, deal),
			Op::BeginGrace { caller, deal } => {
				self.begin_grace(caller, self.deal(deal));
			}
			Op::UseUp {
				caller,
				pick,
				epochs,
				brings,
			} => self.use_up(caller, pick, epochs, brings),
			Op::Cheapen { pick, peer } => self.cheapen(pick, peer),
			Op::Probe {
				caller,
				pick,
				bytes,
			} => self.probe(caller, pick, bytes),
			Op::AnswerProbe { pick, duty } => self.answer_probe(pick, duty),
			Op::FailProbe {
				caller,
				pick,
				late,
				gone,
			} => {
				if gone {
					self.fail_asked(pick);
				}
				self.fail_probe(caller, pick, late);
			}
			Op::UpdatePackage {
				caller,
				deal,
				package,
			} => self.update_package(caller, deal, package),
			Op::Match { caller, deal } => {
				let result = Market::match_deal(caller.origin(STRANGER), self.deal(deal));
				let result = within(Market::match_deal_weight(), result);
				self.called("match deal", caller, result);
			}
			Op::SetParams(params) => {
				let before = Params::<Test>::get();
				let keeps_owners = params.deal_deposit >= EXISTENTIAL_DEPOSIT;
				let grace =
					u64::from(params.grace_epochs) * u64::from(params.grace_price.deconstruct());
				let burns = params.probe_burn.deconstruct() > 0;
				let set = Market::apply_params(params.clone()).is_ok();
				assert_eq!(set, keeps_owners && burns && grace <= 1_000_000_000);
				let after = if set { params } else { before };
				assert_eq!(Params::<Test>::get(), after);
				self.note("set params", set);
			}
			Op::Transfer { from, to, sum } => self.transfer(from, to, sum),
			Op::Poll(time) => {
				self.poll(time);
				self.note("poll", true);
			}
			Op::Idle(time) => {
				self.idle(time);
				self.note("idle", true);
			}
			Op::Ask { order, peer: n } => self.ask(&order, n),
			op => self.turn(op),
		}
		self.sync();
	}

	/// What goes on around the pallet.
	fn turn(&mut self, op: Op) {
		match op {
			Op::Report {
				peer: n,
				missing,
				void,
				mask,
			} => {
				let reported = self.report(n, missing, void, mask);
				self.note("report", reported);
			}
			Op::Serve { mask, settles } => {
				self.serve(mask, settles);
				if settles && SettlesAtOnce::get() {
					self.patrol();
				}
			}
			Op::Settle(n) => {
				let settled = self.settle(self.peer(n));
				self.note("settle", settled);
			}
			Op::Commit { pick, units } => {
				let n = self.pick(pick, |n| self.is_free(n));
				let commits = self.commit(n, units);
				self.note("commit", commits);
			}
			Op::Units { peer: n, units } => {
				let commitment = self.commitments.get_mut(&n);
				let changed = commitment.map(|commitment| commitment.units = units.max(1));
				self.note("units", changed.is_some());
			}
			Op::End { peer: n, fails } => {
				let stands = self.commitments.contains_key(&n);
				match fails {
					_ if !stands => {}
					true => fail_with_settlement(self.peer(n)),
					false => end_with_settlement(self.peer(n)),
				}
				self.note("end", stands);
			}
			Op::Fail(n) => self.fail(n),
			Op::Register { pick, provider } => {
				let n = self.pick(pick, |n| self.provider(n).is_none());
				let is_new = self.provider(n).is_none();
				if is_new {
					register(n, provider, 0);
				}
				self.note("register", is_new);
			}
			Op::Leave(n) => self.leave(n),
			Op::Blocks { blocks, time } => {
				for _ in 0..blocks {
					self.next_block();
					self.poll(time);
					self.sync();
				}
				self.note("blocks", true);
			}
			Op::Epochs(epochs) => {
				let end = Epoch::get() + epochs;
				while Epoch::get() < end {
					self.next_block();
				}
			}
			_ => unreachable!("calls are made elsewhere"),
		}
	}
}

/// Runs histories; how often what succeeded in them.
fn run(cases: u32, steps: usize) -> BTreeMap<&'static str, u32> {
	let tally = Tally::default();
	let mut runner = TestRunner::new(Config {
		cases,
		source_file: Some(file!()),
		..Config::default()
	});
	let histories = (
		prop::bool::weighted(0.7),
		prop::collection::vec(op(), steps),
	);
	let outcome = runner.run(&histories, |(at_once, ops)| {
		build_and_execute(|| {
			SettlesAtOnce::set(at_once);
			let mut world = World::new(&tally);
			for op in ops {
				world.apply(op);
				world.check();
			}
		});
		Ok(())
	});
	if let Err(error) = outcome {
		panic!("{error}");
	}
	tally.into_inner()
}

/// Histories are random, and some events are rare: as many are played as it takes to see each, up to
/// a bound at which it is not chance any more.
#[test]
fn anything_may_happen_in_any_order() {
	let mut tally = BTreeMap::new();
	let mut unseen = NAMES.to_vec();
	for _ in 0..32 {
		for (name, times) in run(16, 120) {
			*tally.entry(name).or_insert(0) += times;
		}
		unseen.retain(|name| !tally.contains_key(name));
		if unseen.is_empty() {
			return;
		}
	}
	panic!("never: {unseen:?}, but {tally:?}");
}

#[test]
#[ignore = "long, run by scripts/bench.sh"]
fn bench_stateful_market() {
	let begun = Instant::now();
	let (runs, steps) = (256, 500);
	run(runs, steps);
	println!(
		r#"{{"measure":"stateful","pallet":"market","runs":{runs},"steps":{steps},"seconds":{:.1}}}"#,
		begun.elapsed().as_secs_f64()
	);
}
