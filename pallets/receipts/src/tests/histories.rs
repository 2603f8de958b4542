//! Challenges in any order: three peers, of which one is honest and answers everything, one lies, leaves
//! out and signs twice, and one is honest but silent; three accounts that challenge whatever there is.
//!
//! After each step the invariants hold, nobody has paid twice for one offence, the honest peer has paid
//! nothing, and all FLT there is belongs to somebody.

use super::*;
use crate::{ReceiptsParams, Shows};
use millrace_primitives::{execution::response_hash, peer::PeerId};
use proptest::{
	prelude::*,
	sample::Index,
	test_runner::{Config, TestRunner},
};
use sp_core::ed25519;
use sp_runtime::Perbill;
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
	time::Instant,
};

/// The peer that is honest and awake.
const HONEST: usize = 0;
/// The one that lies.
const LIAR: usize = 1;
/// Whoever challenges.
const CHALLENGERS: [u64; 3] = [ALICE, BOB, STRANGER];

/// What must have come to something in a run, or it says nothing.
const NAMES: [&str; 14] = [
	"committed",
	"forfeited",
	"proven",
	"joined",
	"moot",
	"refuted by a replay",
	"refuted by a leaf",
	"asked",
	"closed",
	"concluded",
	"posted",
	"withheld",
	"withdrawn",
	"migrated",
];

#[derive(Clone, Debug)]
enum Op {
	Commit {
		who: usize,
		peer: usize,
		ago: u32,
		charge: u8,
		seq: u32,
	},
	/// What somebody else has committed to already.
	Copy(usize, Index),
	/// One of all commitments, with evidence or without.
	Reveal(Index, bool),
	Forget(Index),
	Conclude(usize, Index),
	CloseShow(usize, Index),
	Demand {
		who: usize,
		peer: usize,
		ago: u32,
		seq: u32,
		wanted: Wanted,
	},
	Expire(usize, Index),
	Blocks(u32),
	Epoch,
	/// The deal is closed, or stands.
	Deal(bool),
	Migration(u32),
	/// A peer's stake leaves, if it may, and another comes.
	Withdraw(usize),
}

fn op() -> impl Strategy<Value = Op> {
	let n = || 0usize..3;
	let wanted = prop_oneof![
		Just(Wanted::Package),
		Just(Wanted::Request),
		Just(Wanted::Transcript)
	];
	prop_oneof![
		12 => (n(), n(), 0u32..6, 0u8..4, 0u32..5).prop_map(
			|(who, peer, ago, charge, seq)| Op::Commit { who, peer, ago, charge, seq }
		),
		4 => (n(), any::<Index>()).prop_map(|(who, i)| Op::Copy(who, i)),
		16 => (any::<Index>(), prop::bool::weighted(0.9)).prop_map(|(i, with)| Op::Reveal(i, with)),
		2 => any::<Index>().prop_map(Op::Forget),
		5 => (n(), any::<Index>()).prop_map(|(peer, i)| Op::Conclude(peer, i)),
		5 => (n(), any::<Index>()).prop_map(|(peer, i)| Op::CloseShow(peer, i)),
		4 => (n(), n(), 0u32..5, 0u32..3, wanted).prop_map(
			|(who, peer, ago, seq, wanted)| Op::Demand { who, peer, ago, seq, wanted }
		),
		4 => (n(), any::<Index>()).prop_map(|(peer, i)| Op::Expire(peer, i)),
		10 => (1u32..5).prop_map(Op::Blocks),
		3 => Just(Op::Epoch),
		1 => any::<bool>().prop_map(Op::Deal),
		1 => (1u32..20).prop_map(Op::Migration),
		1 => n().prop_map(Op::Withdraw),
	]
}

/// How often what succeeded.
type Tally = RefCell<BTreeMap<&'static str, u32>>;

struct World<'a> {
	pairs: Vec<ed25519::Pair>,
	peers: Vec<PeerId>,
	/// What was reported, with its tree.
	reports: BTreeMap<(PeerId, EpochIndex), (Report, Tree)>,
	/// What was committed to, and what would prove it.
	commits: Vec<(u64, CaseId, Evidence)>,
	tally: &'a Tally,
}

impl<'a> World<'a> {
	fn new(tally: &'a Tally) -> Self {
		Registered::set(Vec::new());
		StakesOf::set(BTreeMap::new());
		let pairs: Vec<_> = (1..=3)
			.map(|seed| ed25519::Pair::from_seed(&[seed; 32]))
			.collect();
		// So that each offence is known by what it costs.
		Params::<Test>::put(ReceiptsParams {
			withholding: Perbill::from_percent(6),
			..params()
		});
		let mut world = Self {
			peers: pairs.iter().map(register).collect(),
			pairs,
			reports: BTreeMap::new(),
			commits: Vec::new(),
			tally,
		};
		world.epoch();
		world
	}

	fn note(&self, name: &'static str) {
		*self.tally.borrow_mut().entry(name).or_default() += 1;
	}

	/// Notes what the pallet says.
	fn note_events(&self) {
		for event in events() {
			let name = match event {
				Event::ChallengeCommitted { .. } => "committed",
				Event::CommitForfeited { .. } => "forfeited",
				Event::ChallengeProven { .. } => "proven",
				Event::ChallengeJoined { .. } => "joined",
				Event::ChallengeMoot { .. } => "moot",
				Event::ChallengeRefuted { case, .. } if case.charge == Charge::Replay => {
					"refuted by a replay"
				}
				Event::ChallengeRefuted { .. } => "refuted by a leaf",
				Event::LeafAsked { .. } => "asked",
				Event::CaseConcluded { .. } => "concluded",
				Event::DataPosted { .. } => "posted",
				Event::DataWithheld { .. } => "withheld",
				_ => "else",
			};
			self.note(name);
		}
	}

	/// A receipt as the peer signs it. The liar tells of another response under 0 and bills more under
	/// 1; only three are reported.
	fn receipt(&self, n: usize, epoch: EpochIndex, seq: u32) -> Receipt {
		let mut receipt = receipt_of(self.peers[n], epoch, seq);
		if n == LIAR {
			match seq {
				0 => receipt.response = response_hash(b"a lie"),
				1 => receipt.gas = MOST_GAS + 1,
				_ => {}
			}
		}
		receipt
	}

	fn signed(&self, n: usize, receipt: Receipt) -> SignedReceipt {
		sign_by(&self.pairs[n], receipt)
	}

	/// The next epoch: all report the last one, and open two of its receipts.
	fn epoch(&mut self) {
		let epoch = CurrentEpoch::get();
		CurrentEpoch::set(epoch + 1);
		for n in 0..self.peers.len() {
			let peer = self.peers[n];
			let count = if n == LIAR { 3 } else { 5 };
			let receipts: Vec<_> = (0..count).map(|seq| self.receipt(n, epoch, seq)).collect();
			let tree = Tree::new(receipts.iter().map(Receipt::hash));
			let report = Report {
				receipts: count,
				receipts_root: tree.root(),
				..Report::empty(epoch)
			};
			Receipts::on_report(peer, epoch, report.hash(MockClock::genesis(), peer));
			self.reports.insert((peer, epoch), (report, tree));
			let opened: Vec<_> = [0, 2]
				.map(|seq: usize| self.signed(n, receipts[seq].clone()))
				.into();
			let opening = Opening {
				epoch,
				receipts: opened.try_into().expect("two fit"),
			};
			Opened::<Test>::insert(peer, Receipts::slot_of(epoch), opening);
		}
	}

	/// What would prove a charge, if it was true.
	fn evidence(
		&self,
		n: usize,
		epoch: EpochIndex,
		charge: Charge,
		seq: u32,
	) -> (CaseId, Evidence) {
		let one = self.receipt(n, epoch, seq);
		let case = case_of(charge, &one);
		let receipt = self.signed(n, one.clone());
		let report = self.reports.get(&(self.peers[n], epoch));
		let evidence = match charge {
			Charge::Inspection => Evidence::Inspection {
				receipt,
				leaf: None,
			},
			Charge::Replay => replay_of(receipt),
			Charge::Omitted => Evidence::Omitted {
				receipt,
				report: report.map_or(Report::empty(epoch), |(report, _)| report.clone()),
			},
			Charge::DoubleSeq => {
				let other = Receipt {
					gas: 7,
					// Only the liar signs a number twice.
					seq: if n == LIAR { seq } else { seq + 1 },
					..one.clone()
				};
				let subject = one.hash().min(other.hash());
				let second = self.signed(n, other);
				let first = receipt;
				return (
					CaseId { subject, ..case },
					Evidence::DoubleSeq { first, second },
				);
			}
		};
		(case, evidence)
	}

	/// The honest peer shows and posts what it owes.
	fn do_duties(&self) {
		let (peer, pair) = (self.peers[HONEST], &self.pairs[HONEST]);
		let genesis = MockClock::genesis();
		let owed = Receipts::owed_evidence(peer);
		for case in owed.show {
			let (report, tree) = &self.reports[&(peer, case.epoch)];
			let seq = Shows::<Test>::get(peer, case.subject)
				.expect("it is owed")
				.seq;
			let shown = Shown {
				report: report.clone(),
				path: tree.path(seq.into()).expect("the report is whole"),
			};
			let hash = shown_hash(genesis, &case, &shown);
			let signature = pair.sign(hash.as_bytes()).0;
			assert_ok!(send(Call::show {
				peer,
				case,
				shown,
				signature
			}));
		}
		while let Some((epoch, seq, wanted, hash, _)) = Receipts::owed_evidence(peer).post {
			let data = match wanted {
				Wanted::Package => PACKAGE.to_vec(),
				Wanted::Request => request().encode(),
				Wanted::Transcript => Transcript::default().encode(),
			};
			let signed = posted_hash(genesis, peer, epoch, seq, wanted, hash);
			assert_ok!(send(Call::post {
				peer,
				epoch,
				seq,
				wanted,
				data: data.try_into().expect("it is small"),
				signature: pair.sign(signed.as_bytes()).0,
			}));
		}
	}

	fn blocks(&self, blocks: u32) {
		for _ in 0..blocks {
			self.do_duties();
			pass(1);
		}
	}

	fn apply(&mut self, op: Op) {
		let before = |ago: u32| CurrentEpoch::get().saturating_sub(ago).max(2);
		match op {
			Op::Commit {
				who,
				peer,
				ago,
				charge,
				seq,
			} => {
				let charge = [
					Charge::Inspection,
					Charge::Replay,
					Charge::Omitted,
					Charge::DoubleSeq,
				][usize::from(charge)];
				let who = CHALLENGERS[who];
				let (case, evidence) = self.evidence(peer, before(ago), charge, seq);
				if Receipts::commit(by(who), name_of(who, case)).is_ok() {
					self.commits.push((who, case, evidence));
				}
			}
			Op::Copy(who, at) => {
				if !self.commits.is_empty() {
					let who = CHALLENGERS[who];
					let (_, case, evidence) = self.commits[at.index(self.commits.len())].clone();
					if Receipts::commit(by(who), name_of(who, case)).is_ok() {
						self.commits.push((who, case, evidence));
					}
				}
			}
			Op::Reveal(at, with) => {
				if !self.commits.is_empty() {
					let at = at.index(self.commits.len());
					let (who, case, evidence) = self.commits[at].clone();
					if reveal(who, case, with.then_some(evidence)).is_ok() {
						self.commits.swap_remove(at);
					}
				}
			}
			Op::Forget(at) => {
				if !self.commits.is_empty() {
					let at = at.index(self.commits.len());
					let (who, case, _) = self.commits[at];
					if Receipts::forget_commit(by(ALICE), who, name_of(who, case)).is_ok() {
						self.commits.swap_remove(at);
					}
				}
			}
			Op::Conclude(peer, at) => {
				let mut cases = Receipts::cases(self.peers[peer]);
				cases.retain(|view| view.proven && !view.concluded);
				if !cases.is_empty() {
					let CaseId {
						peer,
						epoch,
						charge,
						..
					} = cases[at.index(cases.len())].case;
					let _ = Receipts::conclude(by(BOB), peer, epoch, charge.kind());
				}
			}
			Op::CloseShow(peer, at) => {
				let peer = self.peers[peer];
				let subjects: Vec<_> = Shows::<Test>::iter_key_prefix(peer).collect();
				if !subjects.is_empty() {
					let subject = subjects[at.index(subjects.len())];
					if Receipts::close_show(by(BOB), peer, subject).is_ok() {
						self.note("closed");
					}
				}
			}
			Op::Demand {
				who,
				peer,
				ago,
				seq,
				wanted,
			} => {
				let (who, peer) = (by(CHALLENGERS[who]), self.peers[peer]);
				let _ = Receipts::demand(who, peer, before(ago), seq, wanted);
			}
			Op::Expire(peer, at) => {
				let peer = self.peers[peer];
				let demands = Receipts::demands(peer);
				if !demands.is_empty() {
					let (epoch, seq, wanted, _) = demands[at.index(demands.len())];
					let _ = Receipts::expire_demand(by(BOB), peer, epoch, seq, wanted);
				}
			}
			Op::Blocks(blocks) => self.blocks(blocks),
			Op::Epoch => {
				self.epoch();
				self.blocks(1);
			}
			Op::Deal(stands) => DealStands::set(stands),
			Op::Migration(blocks) => {
				Migrating::set(true);
				pass(blocks);
				Migrating::set(false);
				self.note("migrated");
			}
			Op::Withdraw(peer) => {
				let peer = self.peers[peer];
				if !Receipts::has_open_case(peer) {
					StakesOf::mutate(|stakes| {
						let stake = stakes.get_mut(&peer).expect("it has some");
						stake.began = CurrentEpoch::get();
					});
					self.note("withdrawn");
				}
			}
		}
		self.note_events();
	}

	fn check(&self) {
		Receipts::do_try_state().unwrap();
		let mut paid = BTreeSet::new();
		for Slash { peer, offence, .. } in Slashes::get() {
			assert_ne!(peer, self.peers[HONEST], "{offence:?}");
			if peer != self.peers[LIAR] {
				assert_ne!(offence.part, params().fraud, "{offence:?}");
			}
			let part = offence.part.deconstruct();
			assert!(paid.insert((peer, offence.epoch, part)), "{offence:?}");
		}
		let all: Balance = (PROVIDER..=STRANGER)
			.map(|who| <Balances as Inspect<u64>>::total_balance(&who))
			.sum();
		assert_eq!(all, issuance());
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
	let outcome = runner.run(&prop::collection::vec(op(), steps), |ops| {
		new_test_ext().execute_with(|| {
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

#[test]
fn anything_may_be_charged_in_any_order() {
	// What is rare gets more chances: most runs see everything.
	let mut tally = BTreeMap::<_, u32>::new();
	for _ in 0..10 {
		for (name, times) in run(24, 120) {
			*tally.entry(name).or_default() += times;
		}
		if NAMES.iter().all(|name| tally.contains_key(name)) {
			break;
		}
	}
	for name in NAMES {
		assert!(tally.contains_key(name), "never: {name}, of {tally:?}");
	}
}

#[test]
#[ignore = "long, run by scripts/bench.sh"]
fn bench_stateful_challenges() {
	let begun = Instant::now();
	let (runs, steps) = (256, 500);
	run(runs, steps);
	println!(
		r#"{{"measure":"stateful","pallet":"challenges","runs":{runs},"steps":{steps},"seconds":{:.1}}}"#,
		begun.elapsed().as_secs_f64()
	);
}
