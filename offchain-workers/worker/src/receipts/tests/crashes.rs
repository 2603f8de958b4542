//! Random batches and crashes against a model: what was promised is there again, whole, and nothing
//! else is.

use super::{
	promises::{killed, with_blocks},
	*,
};
use crate::ledger::Key;
use proptest::{prelude::*, sample::Index};
use std::fs;
use tempfile::TempDir;

const EPOCH: EpochIndex = 5;
/// Few, so that the journal is full often, and some batches are longer than half of it.
const BLOCKS: usize = 8;
/// What a disk writes whole.
const SECTOR: usize = 512;

/// Calls that begin: whether each goes on to run, and how long its response is if it ends.
type Calls = Vec<(bool, usize)>;

#[derive(Clone, Debug)]
enum Step {
	/// Calls begin, and those that end are stored.
	Batch(Calls),
	/// A call that has run for longer ends.
	End(Index),
	/// The database catches up.
	Settle,
	/// It does with one half of the journal.
	Relieve,
	/// The store is closed and opened again.
	Stop,
	/// The process is killed.
	Kill,
	/// Power fails while a batch is written: of its sectors, the disk has some.
	Tear(Calls, u64),
}

fn calls() -> impl Strategy<Value = Calls> {
	let response = prop_oneof![4 => 0usize..300, 1 => 0usize..20_000];
	prop::collection::vec((prop::bool::weighted(0.2), response), 1..6)
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		6 => calls().prop_map(Step::Batch),
		2 => any::<Index>().prop_map(Step::End),
		1 => Just(Step::Settle),
		1 => Just(Step::Relieve),
		1 => Just(Step::Stop),
		2 => Just(Step::Kill),
		3 => (calls(), any::<u64>()).prop_map(|(calls, sectors)| Step::Tear(calls, sectors)),
	]
}

struct World {
	store: Option<ReceiptStore>,
	dir: TempDir,
	ledger: Ledger,
	running: Vec<Arc<Call>>,
	/// Responses of the calls whose receipts were promised.
	receipts: BTreeMap<u32, Vec<u8>>,
	/// Calls that were stored without a receipt.
	open: BTreeSet<u32>,
}

impl World {
	fn new() -> Self {
		let dir = tempfile::tempdir().expect("a directory");
		let store = with_blocks(dir.path(), BLOCKS);
		let ledger = Ledger::default();
		ledger.open_epoch(EPOCH, 0);
		Self {
			store: Some(store),
			dir,
			ledger,
			running: Vec::new(),
			receipts: BTreeMap::new(),
			open: BTreeSet::new(),
		}
	}

	fn store(&self) -> &ReceiptStore {
		self.store.as_ref().expect("it is open")
	}

	fn step(&mut self, step: Step) {
		match step {
			Step::Batch(calls) => {
				let ended = self.begin(calls);
				self.promise(&ended);
			}
			Step::End(_) if self.running.is_empty() => {}
			Step::End(which) => {
				let which = which.index(self.running.len());
				let ended = vec![(self.running.remove(which), vec![7; 40])];
				self.promise(&ended);
			}
			Step::Settle => self.store().settle().expect("stores"),
			Step::Relieve => self.store().relieve().expect("stores"),
			Step::Stop => {
				self.store = None;
				self.reopen();
			}
			Step::Kill => {
				let left = killed(self.dir.path());
				self.go_on_in(left);
			}
			Step::Tear(calls, sectors) => self.tear(calls, sectors),
		}
	}

	/// Calls begin; those that end, with their responses.
	fn begin(&mut self, calls: Calls) -> Vec<(Arc<Call>, Vec<u8>)> {
		let mut ended = Vec::new();
		for (runs_on, length) in calls {
			let call = self.ledger.begin(call(EPOCH, 1)).expect("it is open");
			if runs_on {
				self.running.push(call);
			} else {
				let response = vec![call.seq as u8; length];
				ended.push((call, response));
			}
		}
		ended
	}

	/// Stores receipts; the calls that were stored with them.
	fn commit(&self, ended: &[(Arc<Call>, Vec<u8>)]) -> Vec<Arc<Call>> {
		let keys: Vec<Key> = ended.iter().map(|(call, _)| call.key()).collect();
		let below = self.ledger.unwritten_below(&keys);
		let batch = ended
			.iter()
			.map(|(call, response)| finished(call, response))
			.collect();
		let committed = self.store().commit(batch, &below).expect("stores");
		assert_eq!(committed.outcomes, vec![Stored::Durable; ended.len()]);
		self.ledger.written(&below);
		self.ledger.close(&keys);
		below
	}

	fn note(&mut self, ended: &[(Arc<Call>, Vec<u8>)], below: &[Arc<Call>]) {
		self.open.extend(below.iter().map(|call| call.seq));
		for (call, response) in ended {
			self.open.remove(&call.seq);
			self.receipts.insert(call.seq, response.clone());
		}
	}

	fn promise(&mut self, ended: &[(Arc<Call>, Vec<u8>)]) {
		if !ended.is_empty() {
			let below = self.commit(ended);
			self.note(ended, &below);
		}
	}

	fn tear(&mut self, calls: Calls, sectors: u64) {
		let ended = self.begin(calls);
		let Some((first, _)) = ended.first() else {
			return;
		};
		let key = first.key();
		let old = fs::read(self.dir.path().join("receipts.journal")).expect("a file");
		let below = self.commit(&ended);
		let left = killed(self.dir.path());
		// What went into the database instead is there in any case.
		if !self.store().is_settled() {
			let path = left.path().join("receipts.journal");
			let mut torn = fs::read(&path).expect("a file");
			let sides = torn.chunks_mut(SECTOR).zip(old.chunks(SECTOR));
			let changed = sides.filter(|(new, old)| **new != **old);
			for (number, (new, old)) in changed.enumerate() {
				if sectors >> (number % 64) & 1 == 0 {
					new.copy_from_slice(old);
				}
			}
			fs::write(&path, torn).expect("a file");
		}
		// Nobody was answered: all of the batch is there, or nothing of it.
		self.store = None;
		self.dir = left;
		self.store = Some(with_blocks(self.dir.path(), BLOCKS));
		if self.store().receipt(key).expect("reads").is_some() {
			self.note(&ended, &below);
		}
		self.restart();
	}

	fn go_on_in(&mut self, dir: TempDir) {
		self.store = None;
		self.dir = dir;
		self.reopen();
	}

	fn reopen(&mut self) {
		self.store = Some(with_blocks(self.dir.path(), BLOCKS));
		self.restart();
	}

	/// What a process does with what it finds, which is all that was promised.
	fn restart(&mut self) {
		self.check();
		let open = self.store().open_calls().expect("reads");
		let found: BTreeSet<u32> = open.iter().map(|call| call.seq).collect();
		assert_eq!(found, self.open);
		let next = self.store().next_seq(EPOCH).expect("reads");
		for seq in 0..next {
			let is_stored = self.receipts.contains_key(&seq);
			assert_ne!(is_stored, found.contains(&seq), "number {seq}");
		}
		self.running = open.iter().cloned().map(Arc::new).collect();
		self.ledger = Ledger::default();
		self.ledger.restore(open);
		self.ledger.open_epoch(EPOCH, next);
	}

	/// Readers see what was promised, and nothing besides.
	fn check(&self) {
		let last = self.receipts.keys().chain(&self.open).max();
		let next = last.map_or(0, |seq| seq + 1);
		let store = self.store();
		assert_eq!(store.next_seq(EPOCH).expect("reads"), next);
		for seq in 0..next + 5 {
			let receipt = store.receipt((EPOCH, seq)).expect("reads");
			let body = store.body((EPOCH, seq)).expect("reads");
			match (self.receipts.get(&seq), body) {
				(Some(response), Some(body)) => {
					assert_eq!(receipt, Some(signed(&body.call, response)));
					assert_eq!(body.response, *response);
				}
				(expected, body) => {
					assert_eq!((expected, body), (None, None), "number {seq}");
					assert_eq!(receipt, None, "number {seq}");
				}
			}
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig {
		cases: 64,
		// A case costs a second: a smaller counterexample is not worth minutes.
		max_shrink_iters: 64,
		..ProptestConfig::default()
	})]

	#[test]
	fn what_was_promised_survives_every_crash(
		steps in prop::collection::vec(step(), 1..24),
	) {
		let mut world = World::new();
		for step in steps {
			world.step(step);
			world.check();
		}
		world.step(Step::Kill);
	}
}
