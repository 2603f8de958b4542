//! Vouchers: what clients of deals that are billed by gas have signed for the gas of their calls.
//!
//! A call of such a deal brings a voucher, and is taken when the highest one covers all calls before it,
//! those under way at the most that they may use, and this one at that. So the worker never does more
//! than what it can redeem. The highest voucher of each deal is on the disk before a call that it
//! covers is answered; it is redeemed once an epoch, see [`crate::reconcile`].
//!
//! What was spent is on the disk as it was when a voucher was last stored: after a crash the calls that
//! ran at the time are not counted, to the client's gain.

use crate::errors::{Refusal, StoreError};
use codec::{Decode, DecodeAll, Encode};
use millrace_client::vouchers::Payee;
use millrace_primitives::{
	billing::Voucher,
	market::WorkerStatus,
	peer::PeerId,
	views::{Assignment, PeerDuties},
	DealId, EpochIndex, Gas, H256,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	fs::{self, File},
	io::{self, Write},
	path::{Path, PathBuf},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::task::spawn_blocking;
use tracing::error;

/// What is kept of a deal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
struct Row {
	/// The first epoch that the peer is paid for: names the assignment that the voucher is for.
	since: EpochIndex,
	/// The highest voucher.
	voucher: Voucher,
	/// Gas of the calls that it paid for and that have ended.
	spent: Gas,
}

impl Row {
	fn mark(&self) -> Mark {
		(self.since, self.voucher.cumulative)
	}
}

/// A row, and the most that the calls under way may use.
#[derive(Debug)]
struct Till {
	row: Row,
	open: Gas,
}

/// Which voucher of a deal: later assignments before earlier ones, then more gas before less.
type Mark = (EpochIndex, Gas);
type Book = Mutex<BTreeMap<DealId, Till>>;

/// The highest voucher of each deal, and what is spent of it.
#[derive(Debug)]
pub struct Vouchers {
	genesis: H256,
	peer: PeerId,
	path: PathBuf,
	book: Arc<Book>,
	/// What the disk has. Who holds this may write.
	stored: Arc<tokio::sync::Mutex<BTreeMap<DealId, Mark>>>,
}

/// What pays for one call: as much gas as it may use, until it has ended.
#[derive(Debug)]
pub struct Payment {
	book: Arc<Book>,
	deal: DealId,
	since: EpochIndex,
	limit: Gas,
}

impl Vouchers {
	/// Those of a data directory.
	pub fn open(dir: &Path, genesis: H256, peer: PeerId) -> Result<Self, StoreError> {
		let path = dir.join("vouchers");
		let rows = match fs::read(&path) {
			Ok(bytes) => Vec::<(DealId, Row)>::decode_all(&mut &bytes[..])
				.map_err(|_| StoreError::Damaged("voucher"))?,
			Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
			Err(source) => return Err(StoreError::Directory { path, source }),
		};
		let stored = rows.iter().map(|(deal, row)| (*deal, row.mark())).collect();
		let tills = rows
			.into_iter()
			.map(|(deal, row)| (deal, Till { row, open: 0 }))
			.collect();
		Ok(Self {
			genesis,
			peer,
			path,
			book: Arc::new(Mutex::new(tills)),
			stored: Arc::new(tokio::sync::Mutex::new(stored)),
		})
	}

	/// Takes what pays for a call with the voucher that it brings; `None`: the deal is not billed by gas.
	pub fn take(
		&self,
		assignment: &Assignment,
		brought: Option<Voucher>,
	) -> Result<Option<Payment>, Refusal> {
		let (deal, limit) = (assignment.deal, assignment.limits.gas);
		let Some(key) = assignment.billing.voucher_key() else {
			return Ok(None);
		};
		let since = since(assignment).ok_or(Refusal::NotLive(deal))?;
		let payee = self.payee(deal, since);
		// Whoever has no voucher at all is not shown any.
		let brought = brought
			.filter(|voucher| payee.is_signed(&key, voucher))
			.ok_or(Refusal::PaymentRequired { deal, shown: None })?;

		let mut book = lock(&self.book);
		let new = || Till {
			row: Row {
				since,
				voucher: brought,
				spent: 0,
			},
			open: 0,
		};
		let till = book.entry(deal).or_insert_with(new);
		if till.row.since != since {
			*till = new();
		}
		if till.row.voucher.cumulative < brought.cumulative {
			till.row.voucher = brought;
		}
		let row = &till.row;
		let open = till.open.saturating_add(limit);
		if row.spent.saturating_add(open) > row.voucher.cumulative {
			let shown = Some(row.voucher);
			return Err(Refusal::PaymentRequired { deal, shown });
		}
		till.open = open;
		Ok(Some(Payment {
			book: self.book.clone(),
			deal,
			since,
			limit,
		}))
	}

	/// Brings the present voucher of a deal to the disk, unless it is there. Who waits meanwhile finds its
	/// own there as well.
	pub async fn store(&self, deal: DealId) -> Result<(), StoreError> {
		let Some(wanted) = lock(&self.book).get(&deal).map(|till| till.row.mark()) else {
			return Ok(());
		};
		let mut stored = self.stored.clone().lock_owned().await;
		if stored.get(&deal).is_some_and(|known| *known >= wanted) {
			return Ok(());
		}
		let rows: Vec<(DealId, Row)> = lock(&self.book)
			.iter()
			.map(|(deal, till)| (*deal, till.row))
			.collect();
		let path = self.path.clone();
		// The lock goes along, so that nobody else writes even if nobody waits for this any more.
		let writing = spawn_blocking(move || {
			let written = write(&path, &rows.encode());
			written.map_err(|source| StoreError::Directory { path, source })?;
			*stored = rows.iter().map(|(deal, row)| (*deal, row.mark())).collect();
			Ok(())
		});
		match writing.await {
			Ok(outcome) => outcome,
			Err(failed) => {
				error!("a thread failed: {failed}");
				Err(StoreError::Stopped)
			}
		}
	}

	/// The voucher to redeem in a deal, with the first epoch that the peer is paid for: where it has a
	/// higher one than the chain knows.
	pub fn redeemable(&self, assignment: &Assignment) -> Option<(EpochIndex, Voucher)> {
		let since = since(assignment)?;
		let row = lock(&self.book)
			.get(&assignment.deal)
			.map(|till| till.row)
			.filter(|row| row.since == since)?;
		let is_more = row.voucher.cumulative > assignment.redeemed.cumulative;
		is_more.then_some((since, row.voucher))
	}

	/// What is to be redeemed now, once an epoch: in each deal the highest voucher, if the peer was paid in
	/// the epoch before. That one is settled at the end of this one at the earliest, and all of its calls
	/// have brought their vouchers.
	pub fn due(&self, duties: &PeerDuties) -> Vec<(DealId, EpochIndex, Voucher)> {
		let assignments = &duties.assignments;
		self.keep(
			&assignments
				.iter()
				.map(|assignment| assignment.deal)
				.collect(),
		);
		let now = duties.epoch.info.index;
		let Some(before) = now.checked_sub(1) else {
			return Vec::new();
		};
		let is_due = |assignment: &&Assignment| {
			let known = &assignment.redeemed;
			let is_done = known.cumulative > 0 && known.epoch >= now;
			!is_done && assignment.worker.began_by(before)
		};
		assignments
			.iter()
			.filter(is_due)
			.filter_map(|assignment| {
				let (since, voucher) = self.redeemable(assignment)?;
				Some((assignment.deal, since, voucher))
			})
			.collect()
	}

	/// Forgets deals that the peer does not work for any more.
	pub fn keep(&self, deals: &BTreeSet<DealId>) {
		lock(&self.book).retain(|deal, till| till.open > 0 || deals.contains(deal));
	}

	fn payee(&self, deal: DealId, since: EpochIndex) -> Payee {
		Payee {
			genesis: self.genesis,
			deal,
			peer: self.peer,
			since,
		}
	}
}

impl Payment {
	/// The call has ended, and used so much gas.
	pub fn spend(mut self, gas: Gas) {
		let mut book = lock(&self.book);
		let till = book.get_mut(&self.deal);
		if let Some(till) = till.filter(|till| till.row.since == self.since) {
			till.open = till.open.saturating_sub(self.limit);
			till.row.spent = till.row.spent.saturating_add(gas);
		}
		self.limit = 0;
	}
}

impl Drop for Payment {
	fn drop(&mut self) {
		let mut book = lock(&self.book);
		let till = book.get_mut(&self.deal);
		if let Some(till) = till.filter(|till| till.row.since == self.since) {
			till.open = till.open.saturating_sub(self.limit);
		}
	}
}

/// The first epoch that a worker is paid for, once it is live.
fn since(assignment: &Assignment) -> Option<EpochIndex> {
	match assignment.worker.status {
		WorkerStatus::Live { since } | WorkerStatus::Draining { since, .. } => Some(since),
		WorkerStatus::Assigned { .. } => None,
	}
}

/// Written beside its place, brought to the disk and renamed: it is there whole or not.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
	let new = path.with_extension("new");
	let mut file = File::create(&new)?;
	file.write_all(bytes)?;
	file.sync_all()?;
	fs::rename(&new, path)?;
	match path.parent() {
		Some(folder) => File::open(folder)?.sync_all(),
		None => Ok(()),
	}
}

fn lock(book: &Book) -> MutexGuard<'_, BTreeMap<DealId, Till>> {
	// Each change is one of a whole till.
	book.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::snapshot::tests::{assignment, duties};
	use millrace_client::PeerKeypair;
	use millrace_primitives::billing::{Billing, Redeemed};

	const GENESIS: H256 = H256::repeat_byte(1);

	fn client() -> PeerKeypair {
		PeerKeypair::from_seed([9; 32], None)
	}

	/// A deal whose calls use at most 1,000 gas and are billed by it.
	fn billed(since: EpochIndex) -> Assignment {
		Assignment {
			billing: Billing::Gas {
				full_gas: 5_000,
				voucher_key: client().public(),
			},
			..assignment(7, WorkerStatus::Live { since })
		}
	}

	fn open(dir: &Path) -> Vouchers {
		Vouchers::open(dir, GENESIS, PeerId::default()).expect("it can be read")
	}

	fn signed(since: EpochIndex, cumulative: Gas) -> Option<Voucher> {
		let payee = Payee {
			genesis: GENESIS,
			deal: 7,
			peer: PeerId::default(),
			since,
		};
		Some(payee.sign(&client(), cumulative))
	}

	fn take(vouchers: &Vouchers, cumulative: Gas) -> Result<Payment, Refusal> {
		let payment = vouchers.take(&billed(5), signed(5, cumulative));
		payment.map(|payment| payment.expect("the deal is billed by gas"))
	}

	#[test]
	fn calls_are_taken_as_far_as_vouchers_go() {
		let dir = tempfile::tempdir().expect("a directory");
		let vouchers = open(dir.path());
		let short = |shown| Refusal::PaymentRequired {
			deal: 7,
			shown: signed(5, shown),
		};
		assert_eq!(take(&vouchers, 999).err(), Some(short(999)));
		let one = take(&vouchers, 1_000).expect("one call is covered");
		assert_eq!(take(&vouchers, 1_000).err(), Some(short(1_000)));
		// What a call leaves of its limit is there for the next one.
		one.spend(400);
		assert_eq!(take(&vouchers, 1_399).err(), Some(short(1_399)));
		let two = take(&vouchers, 1_400).expect("the rest and one call more");
		// A lower voucher that comes later counts for as much as the highest.
		drop(two);
		let three = take(&vouchers, 1).expect("nothing came of the other");
		assert_eq!(take(&vouchers, 1).err(), Some(short(1_400)));
		drop(three);
	}

	#[test]
	fn only_the_clients_word_for_this_assignment_counts() {
		let dir = tempfile::tempdir().expect("a directory");
		let vouchers = open(dir.path());
		let nothing = Refusal::PaymentRequired {
			deal: 7,
			shown: None,
		};
		let other = PeerKeypair::from_seed([8; 32], None);
		let payee = vouchers.payee(7, 5);
		for brought in [
			None,
			Some(payee.sign(&other, 9_000)),
			signed(4, 9_000),
			Some(vouchers.payee(8, 5).sign(&client(), 9_000)),
		] {
			let outcome = vouchers.take(&billed(5), brought);
			assert_eq!(outcome.err(), Some(nothing.clone()));
		}
		let reserved = assignment(7, WorkerStatus::Live { since: 5 });
		assert!(matches!(vouchers.take(&reserved, None), Ok(None)));
		// When the peer comes back to the deal, all begins anew.
		let payment = take(&vouchers, 1_000).expect("it is covered");
		let again = vouchers.take(&billed(9), signed(9, 1_000));
		assert!(again.is_ok());
		payment.spend(1_000);
		let more = vouchers.take(&billed(9), signed(9, 2_000));
		assert!(more.is_ok());
	}

	#[tokio::test]
	async fn the_highest_voucher_and_what_is_spent_outlive_the_daemon() {
		let dir = tempfile::tempdir().expect("a directory");
		let vouchers = open(dir.path());
		take(&vouchers, 1_000).expect("it is covered").spend(600);
		let under_way = take(&vouchers, 3_000).expect("it is covered");
		vouchers.store(7).await.expect("it is written");
		drop((vouchers, under_way));

		let vouchers = open(dir.path());
		assert_eq!(
			vouchers.redeemable(&billed(5)),
			Some((5, signed(5, 3_000).expect("signed")))
		);
		// 600 are spent, and the call that ran is not counted.
		let taken = [take(&vouchers, 1), take(&vouchers, 1)];
		assert!(taken.iter().all(Result::is_ok));
		assert!(take(&vouchers, 1).is_err());
	}

	#[tokio::test]
	async fn many_are_stored_at_once() {
		let dir = tempfile::tempdir().expect("a directory");
		let vouchers = Arc::new(open(dir.path()));
		let storing = (1..=32u64).map(|number| {
			let vouchers = vouchers.clone();
			tokio::spawn(async move {
				let payment = take(&vouchers, number * 1_000);
				vouchers.store(7).await.expect("it is written");
				payment.is_ok()
			})
		});
		let storing: Vec<_> = storing.collect();
		for task in storing {
			task.await.expect("it ends");
		}
		let known = open(dir.path()).redeemable(&billed(5));
		assert_eq!(known, signed(5, 32_000).map(|voucher| (5, voucher)));
	}

	#[test]
	fn what_the_chain_has_is_not_redeemed_again_and_what_is_over_is_forgotten() {
		let dir = tempfile::tempdir().expect("a directory");
		let vouchers = open(dir.path());
		take(&vouchers, 1_000).expect("it is covered").spend(1);
		let redeemed = |cumulative| Assignment {
			redeemed: Redeemed {
				cumulative,
				..Default::default()
			},
			..billed(5)
		};
		assert!(vouchers.redeemable(&redeemed(999)).is_some());
		assert_eq!(vouchers.redeemable(&redeemed(1_000)), None);
		assert_eq!(vouchers.redeemable(&billed(6)), None);
		vouchers.keep(&BTreeSet::from([8]));
		assert_eq!(vouchers.redeemable(&billed(5)), None);
	}

	#[test]
	fn vouchers_are_redeemed_once_an_epoch_from_the_second_paid_one_on() {
		let dir = tempfile::tempdir().expect("a directory");
		let vouchers = open(dir.path());
		take(&vouchers, 3_000).expect("it is covered").spend(1);
		let due = |now, redeemed| {
			let deal = Assignment {
				redeemed,
				..billed(5)
			};
			vouchers.due(&duties(now, vec![deal]))
		};
		let never = Redeemed::default();
		assert!(due(5, never).is_empty());
		let expected = signed(5, 3_000).map(|voucher| (7, 5, voucher));
		assert_eq!(due(6, never), Vec::from_iter(expected));
		let before = Redeemed {
			cumulative: 1_000,
			billed: 0,
			epoch: 6,
		};
		assert!(due(6, before).is_empty());
		assert_eq!(due(7, before).len(), 1);
		// The peer works for the deal no more.
		assert!(vouchers.due(&duties(8, Vec::new())).is_empty());
		assert!(due(8, never).is_empty());
	}

	#[test]
	fn a_file_that_is_no_list_of_vouchers_is_damaged() {
		let dir = tempfile::tempdir().expect("a directory");
		fs::write(dir.path().join("vouchers"), [9, 9]).expect("it is written");
		let outcome = Vouchers::open(dir.path(), GENESIS, PeerId::default());
		assert!(matches!(outcome, Err(StoreError::Damaged("voucher"))));
	}
}
