//! Reports, openings that hold and that do not, and peers that come and go, in any order.

use crate::{mock::*, Event, OpeningError, RING};
use millrace_primitives::{
	audit::{drawn_receipts, ReceiptOpening},
	execution::{empty_transcript, CallStatus, Receipt, SignedReceipt, PROFILE_V1},
	merkle::Tree,
	peer::PeerId,
	report::Report,
	traits::{EpochClock, PeerUse, ReceiptLedger},
	EpochIndex, H256,
};
use proptest::{
	prelude::*,
	test_runner::{Config, TestRunner},
};
use sp_core::{ed25519, Pair};
use std::{cell::RefCell, collections::BTreeMap, time::Instant};

const PEERS: u8 = 3;
const LEN: u32 = 20;

/// What must have come to something in a run, or it says nothing.
const NAMES: [&str; 9] = [
	"report",
	"nothing drawn",
	"all held",
	"some held",
	"none held",
	"forget",
	"register",
	"epochs",
	"commit",
];

/// What is wrong with an opening, or with the receipt in it, before it is signed and reported.
#[derive(Clone, Copy, Debug)]
enum Flaw {
	None,
	/// One is missing.
	Fewer,
	/// One is opened that was not drawn.
	More,
	/// Changed after the report.
	Changed,
	Signature(u8),
	Sequence,
	Genesis,
	Peer,
	Epoch,
	Seed,
	/// Before or after the epoch.
	Block(bool),
	Deal,
	Package,
	Gas,
	Profile,
	Terms,
	/// A call that failed with a response, or one with outside effects.
	Outcome(bool),
}

#[derive(Clone, Debug)]
enum Op {
	Report {
		peer: u8,
		hash: u8,
	},
	/// A report of so many receipts is audited; of those that are drawn, one has the flaw, or all.
	Open {
		peer: u8,
		receipts: u32,
		flaw: Flaw,
		at: Option<u8>,
	},
	/// A peer is removed.
	Forget(u8),
	Register(u8),
	Epochs(u32),
	/// The deal is closed, or another has taken its place.
	Deal(bool),
	/// What was written goes into the database, as between blocks.
	Commit,
}

fn flaw() -> impl Strategy<Value = Flaw> {
	prop_oneof![
		12 => Just(Flaw::None),
		1 => Just(Flaw::Fewer),
		1 => Just(Flaw::More),
		1 => Just(Flaw::Changed),
		1 => any::<u8>().prop_map(Flaw::Signature),
		1 => Just(Flaw::Sequence),
		1 => Just(Flaw::Genesis),
		1 => Just(Flaw::Peer),
		1 => Just(Flaw::Epoch),
		1 => Just(Flaw::Seed),
		1 => any::<bool>().prop_map(Flaw::Block),
		1 => Just(Flaw::Deal),
		1 => Just(Flaw::Package),
		1 => Just(Flaw::Gas),
		1 => Just(Flaw::Profile),
		1 => Just(Flaw::Terms),
		1 => any::<bool>().prop_map(Flaw::Outcome),
	]
}

fn op() -> impl Strategy<Value = Op> {
	let n = || 0..PEERS;
	let epochs = prop_oneof![20 => 1u32..3, 1 => RING - 1..RING + 2, 1 => Just(3 * RING)];
	prop_oneof![
		8 => (n(), any::<u8>()).prop_map(|(peer, hash)| Op::Report { peer, hash }),
		10 => (n(), 0u32..6, flaw(), prop::option::weighted(0.7, 0u8..2)).prop_map(
			|(peer, receipts, flaw, at)| Op::Open { peer, receipts, flaw, at }
		),
		1 => n().prop_map(Op::Forget),
		2 => n().prop_map(Op::Register),
		6 => epochs.prop_map(Op::Epochs),
		1 => any::<bool>().prop_map(Op::Deal),
		1 => Just(Op::Commit),
	]
}

/// How often what succeeded.
type Tally = RefCell<BTreeMap<&'static str, u32>>;

struct World<'a> {
	pairs: Vec<ed25519::Pair>,
	peers: Vec<PeerId>,
	/// All that was ever kept, by peer and epoch.
	reports: BTreeMap<(PeerId, EpochIndex), H256>,
	openings: BTreeMap<(PeerId, EpochIndex), Vec<SignedReceipt>>,
	tally: &'a Tally,
}

/// What a ring keeps of a peer and an epoch: nothing once a later one has its slot.
fn in_ring<V: Clone>(
	all: &BTreeMap<(PeerId, EpochIndex), V>,
	peer: PeerId,
	epoch: EpochIndex,
) -> Option<V> {
	let later = all
		.range((peer, epoch + 1)..=(peer, EpochIndex::MAX))
		.any(|((_, other), _)| (other - epoch).is_multiple_of(RING));
	all.get(&(peer, epoch)).filter(|_| !later).cloned()
}

/// Puts a flaw into a receipt before it is signed and reported, and tells why it will be refused.
fn spoil(receipt: &mut Receipt, flaw: Flaw) -> Option<OpeningError> {
	let first = 1 + receipt.epoch * LEN;
	match flaw {
		Flaw::None | Flaw::Fewer | Flaw::More => None,
		// These two come after the report.
		Flaw::Changed => Some(OpeningError::Path),
		Flaw::Signature(_) => Some(OpeningError::Signature),
		Flaw::Sequence => {
			receipt.seq += 1;
			Some(OpeningError::Sequence)
		}
		Flaw::Genesis => {
			receipt.genesis = H256::zero();
			Some(OpeningError::Genesis)
		}
		Flaw::Peer => {
			receipt.peer = other();
			Some(OpeningError::Peer)
		}
		Flaw::Epoch => {
			receipt.epoch -= 1;
			Some(OpeningError::Epoch)
		}
		Flaw::Seed => {
			receipt.seed = H256::zero();
			Some(OpeningError::Seed)
		}
		Flaw::Block(after) => {
			receipt.block = if after { first + LEN } else { first - 1 };
			Some(OpeningError::Block)
		}
		Flaw::Deal => {
			receipt.deal += 1;
			Some(OpeningError::Worker)
		}
		// The terms of a deal that is gone are not known.
		Flaw::Package => {
			receipt.package = H256::zero();
			DealStands::get().then_some(OpeningError::Package)
		}
		Flaw::Gas => {
			receipt.gas = MOST_GAS + 1;
			DealStands::get().then_some(OpeningError::Gas)
		}
		Flaw::Profile => {
			receipt.profile += 1;
			Some(OpeningError::Profile)
		}
		Flaw::Terms => {
			receipt.terms = H256::zero();
			DealStands::get().then_some(OpeningError::Terms)
		}
		Flaw::Outcome(true) => {
			receipt.status = CallStatus::Trapped;
			Some(OpeningError::Outcome)
		}
		Flaw::Outcome(false) => {
			receipt.transcript = H256::zero();
			DealStands::get().then_some(OpeningError::Outcome)
		}
	}
}

impl<'a> World<'a> {
	fn new(tally: &'a Tally) -> Self {
		let seeds = 1..=PEERS;
		let pairs: Vec<_> = seeds
			.map(|seed| ed25519::Pair::from_seed(&[seed; 32]))
			.collect();
		Registered::set(Vec::new());
		Self {
			peers: pairs.iter().map(register).collect(),
			pairs,
			reports: BTreeMap::new(),
			openings: BTreeMap::new(),
			tally,
		}
	}

	fn note(&self, name: &'static str) {
		*self.tally.borrow_mut().entry(name).or_default() += 1;
	}

	fn is_registered(&self, n: usize) -> bool {
		Registered::get()
			.iter()
			.any(|(peer, _)| *peer == self.peers[n])
	}

	/// An honest receipt of the epoch that has ended.
	fn receipt(&self, n: usize, seq: u32) -> Receipt {
		let epoch = CurrentEpoch::get() - 1;
		Receipt {
			genesis: MockClock::genesis(),
			seed: MockClock::seed(epoch).expect("the mock knows all seeds"),
			deal: DEAL,
			peer: self.peers[n],
			epoch,
			seq,
			package: package(),
			profile: PROFILE_V1,
			terms: terms().hash(MockClock::genesis()),
			request: H256::repeat_byte(4),
			response: H256::repeat_byte(5),
			transcript: empty_transcript(),
			status: CallStatus::Exited(0),
			gas: MOST_GAS,
			// Where the key counts also in the first of these epochs.
			block: 1 + epoch * LEN + KEY_SINCE % LEN,
		}
	}

	fn open(&mut self, n: usize, count: u32, flaw: Flaw, at: Option<u8>) {
		let (peer, epoch) = (self.peers[n], CurrentEpoch::get() - 1);
		let draw = MockClock::draw(epoch).expect("the mock knows all draws");
		let drawn = drawn_receipts(draw, peer, u64::from(count));
		let mut receipts: Vec<_> = (0..count).map(|seq| self.receipt(n, seq)).collect();
		let is_spoilt = |at_drawn: usize| at.is_none_or(|at| usize::from(at) == at_drawn);
		let mut errors = vec![None; drawn.len()];
		for (i, index) in drawn.iter().enumerate().filter(|(i, _)| is_spoilt(*i)) {
			errors[i] = spoil(&mut receipts[*index as usize], flaw);
		}
		let tree = Tree::new(receipts.iter().map(Receipt::hash));
		let report = Report {
			receipts: count,
			receipts_root: tree.root(),
			..Report::empty(epoch)
		};
		let mut openings: Vec<ReceiptOpening> = drawn
			.iter()
			.map(|index| {
				let receipt = receipts[*index as usize].clone();
				let signature = self.pairs[n].sign(receipt.hash().as_bytes()).0;
				let path = tree.path(*index).expect("the index is below all");
				ReceiptOpening {
					receipt: SignedReceipt { receipt, signature },
					path,
				}
			})
			.collect();
		for (at_drawn, opening) in openings.iter_mut().enumerate() {
			let signed = &mut opening.receipt;
			match flaw {
				Flaw::Changed if is_spoilt(at_drawn) => signed.receipt.response = H256::zero(),
				Flaw::Signature(bit) if is_spoilt(at_drawn) => {
					signed.signature[usize::from(bit % 64)] ^= 1 << (bit / 64);
				}
				_ => {}
			}
		}
		match flaw {
			Flaw::Fewer => {
				let _ = openings.pop();
			}
			Flaw::More => {
				let receipt = SignedReceipt {
					receipt: self.receipt(n, count),
					signature: [0; 64],
				};
				let path = Default::default();
				openings.push(ReceiptOpening { receipt, path });
			}
			_ => {}
		}

		let kept: Vec<_> = openings
			.iter()
			.zip(&errors)
			.filter(|(_, error)| error.is_none())
			.map(|(opening, _)| opening.receipt.clone())
			.collect();
		let first = errors.iter().flatten().next().copied();
		let miscounted = openings.len() != drawn.len();
		let reason = miscounted.then_some(OpeningError::Count).or(first);
		System::reset_events();
		let holds = Receipts::open(peer, &report, draw, &openings);
		assert_eq!(holds, reason.is_none());
		self.check_events(peer, epoch, kept.len() as u32, reason);
		if kept.is_empty() {
			self.note(if drawn.is_empty() {
				"nothing drawn"
			} else {
				"none held"
			});
		} else {
			self.openings.insert((peer, epoch), kept);
			self.note(if holds { "all held" } else { "some held" });
		}
	}

	fn check_events(
		&self,
		peer: PeerId,
		epoch: EpochIndex,
		kept: u32,
		reason: Option<OpeningError>,
	) {
		let mut expected: Vec<Event<Test>> = Vec::new();
		if kept > 0 {
			expected.push(Event::ReceiptsOpened { peer, epoch, kept });
		}
		if let Some(reason) = reason {
			expected.push(Event::OpeningRefused {
				peer,
				epoch,
				reason,
			});
		}
		assert_eq!(System::read_events_for_pallet::<Event<Test>>(), expected);
	}

	fn apply(&mut self, op: Op) {
		match op {
			Op::Report { peer: n, hash } => {
				let (n, epoch) = (usize::from(n), CurrentEpoch::get() - 1);
				if self.is_registered(n) {
					let (peer, hash) = (self.peers[n], H256::repeat_byte(hash));
					Receipts::on_report(peer, epoch, hash);
					self.reports.insert((peer, epoch), hash);
					self.note("report");
				}
			}
			Op::Open {
				peer,
				receipts,
				flaw,
				at,
			} => {
				if self.is_registered(peer.into()) {
					self.open(peer.into(), receipts, flaw, at);
				}
			}
			Op::Forget(n) => {
				let peer = self.peers[usize::from(n)];
				assert!(!<Receipts as PeerUse>::in_use(peer));
				Receipts::forget(peer);
				Registered::mutate(|registered| registered.retain(|(other, _)| *other != peer));
				self.reports.retain(|(other, _), _| *other != peer);
				self.openings.retain(|(other, _), _| *other != peer);
				self.note("forget");
			}
			Op::Register(n) => {
				if !self.is_registered(n.into()) {
					register(&self.pairs[usize::from(n)]);
					self.note("register");
				}
			}
			Op::Epochs(epochs) => {
				let epoch = CurrentEpoch::get() + epochs;
				CurrentEpoch::set(epoch);
				System::set_block_number(1 + epoch * LEN + 8);
				self.note("epochs");
			}
			Op::Deal(stands) => DealStands::set(stands),
			Op::Commit => self.note("commit"),
		}
	}

	/// The rings have what they should have, as far back as they go and a bit more.
	fn check(&self) {
		Receipts::do_try_state().unwrap();
		let now = CurrentEpoch::get();
		for peer in self.peers.iter().copied() {
			let recent = now.saturating_sub(RING + 2)..=now;
			let kept = self.reports.keys().chain(self.openings.keys());
			let kept = kept.filter(|(of, _)| *of == peer).map(|(_, epoch)| *epoch);
			for epoch in recent.step_by(7).chain(kept) {
				let hash = in_ring(&self.reports, peer, epoch);
				assert_eq!(Receipts::report_hash(peer, epoch), hash);
				let opened = in_ring(&self.openings, peer, epoch);
				assert_eq!(Receipts::opened(peer, epoch), opened.unwrap_or_default());
			}
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
	let outcome = runner.run(&prop::collection::vec(op(), steps), |ops| {
		let mut ext = new_test_ext();
		let mut world = World::new(&tally);
		for op in ops {
			if matches!(op, Op::Commit) {
				ext.commit_all().expect("nothing is open");
			}
			ext.execute_with(|| {
				world.apply(op);
				world.check();
			});
		}
		Ok(())
	});
	if let Err(error) = outcome {
		panic!("{error}");
	}
	tally.into_inner()
}

#[test]
fn anything_may_happen_in_any_order() {
	let tally = run(24, 120);
	for name in NAMES {
		assert!(tally.contains_key(name), "never: {name}, of {tally:?}");
	}
}

#[test]
#[ignore = "long, run by scripts/bench.sh"]
fn bench_stateful_receipts() {
	let begun = Instant::now();
	let (runs, steps) = (256, 500);
	run(runs, steps);
	println!(
		r#"{{"measure":"stateful","pallet":"receipts","runs":{runs},"steps":{steps},"seconds":{:.1}}}"#,
		begun.elapsed().as_secs_f64()
	);
}
