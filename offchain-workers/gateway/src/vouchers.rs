//! Vouchers for the gas of calls: the gateway signs, with each call of a deal that is billed by gas and
//! names its key, for what the worker has answered so far and for one call more.
//!
//! Nothing is kept over a restart. A worker that has a higher voucher than the gateway knows of shows it
//! with its refusal, and the gateway knows its own signature: from then on it goes on from there. Calls
//! whose answers were lost explain as much as they may have used; what nothing explains is believed once
//! a minute. So a worker that takes vouchers and answers nobody gains a call's gas a minute besides those
//! of the calls that it loses, and never more in an epoch than its price. A key is for one gateway.

use crate::routing::{LiveWorker, Route};
use millrace_client::{vouchers::Payee, PeerKeypair};
use millrace_primitives::{billing::Voucher, Gas, H256};
use std::{
	collections::HashMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};

/// Shortest time between two vouchers that are learnt of a worker and that no lost call explains.
const LEARNING_PAUSE: Duration = Duration::from_secs(60);
/// Time without a call after which a worker's account is forgotten: it will show its voucher again.
const IDLE: Duration = Duration::from_secs(24 * 60 * 60);

/// What is signed for one worker.
#[derive(Debug)]
struct Account {
	/// Gas of the receipts that it gave, or what an own voucher says that it shows.
	spent: Gas,
	/// Most that the calls under way may use.
	open: Gas,
	/// Most that calls may have used which it was sent and gave no receipt for.
	lost: Gas,
	/// When it was last believed without such calls.
	learnt: Option<Instant>,
	used: Instant,
}

type Book = Mutex<HashMap<Payee, Account>>;

/// The key, and what it has signed for.
#[derive(Debug)]
pub struct Vouchers {
	genesis: H256,
	key: Arc<PeerKeypair>,
	book: Arc<Book>,
}

/// A voucher for a call that is under way. Dropped, the call is lost: nobody knows whether it ran.
#[derive(Debug)]
pub struct Drawn {
	payee: Payee,
	key: Arc<PeerKeypair>,
	book: Arc<Book>,
	limit: Gas,
	voucher: Voucher,
}

impl Vouchers {
	/// Signs with a key for workers of one chain.
	pub fn new(genesis: H256, key: PeerKeypair) -> Self {
		Self {
			genesis,
			key: Arc::new(key),
			book: Arc::default(),
		}
	}

	/// A voucher for a call at a worker; `None`: the deal is not billed by gas, or names another key.
	pub fn draw(&self, route: &Route, worker: &LiveWorker) -> Option<Drawn> {
		if route.billing.voucher_key()? != self.key.public() {
			return None;
		}
		let payee = Payee {
			genesis: self.genesis,
			deal: route.deal,
			peer: worker.peer,
			since: worker.since,
		};
		let limit = route.limits.gas;
		let cumulative = {
			let mut book = lock(&self.book);
			let account = book.entry(payee).or_insert_with(|| Account {
				spent: 0,
				open: 0,
				lost: 0,
				learnt: None,
				used: Instant::now(),
			});
			account.used = Instant::now();
			account.open = account.open.saturating_add(limit);
			account.spent.saturating_add(account.open)
		};
		Some(Drawn {
			payee,
			key: self.key.clone(),
			book: self.book.clone(),
			limit,
			voucher: payee.sign(&self.key, cumulative),
		})
	}

	/// Forgets workers that were not called for long.
	pub fn forget_idle(&self) {
		lock(&self.book).retain(|_, account| account.open > 0 || account.used.elapsed() < IDLE);
	}
}

impl Drawn {
	/// What the worker is sent.
	pub fn voucher(&self) -> &Voucher {
		&self.voucher
	}

	/// The worker answered, with a receipt for so much gas.
	pub fn spend(self, gas: Gas) {
		self.end(|account| account.spent = account.spent.saturating_add(gas));
	}

	/// The call did not run.
	pub fn release(self) {
		self.end(|_| ());
	}

	/// The worker refused, and shows the highest voucher that it has. Whether another one is worth a try.
	pub fn learn(self, shown: &Voucher) -> bool {
		let is_own = self.payee.is_signed(&self.key.public(), shown);
		self.end(|account| is_own && account.learn(shown.cumulative))
			.unwrap_or(false)
	}

	/// Closes the call in its account.
	fn end<R>(mut self, change: impl FnOnce(&mut Account) -> R) -> Option<R> {
		let mut book = lock(&self.book);
		let changed = book.get_mut(&self.payee).map(|account| {
			account.open = account.open.saturating_sub(self.limit);
			change(account)
		});
		drop(book);
		self.limit = 0;
		changed
	}
}

impl Account {
	/// Goes on from what the worker has, if that is to be believed.
	fn learn(&mut self, cumulative: Gas) -> bool {
		let ahead = cumulative.saturating_sub(self.spent);
		let is_explained = ahead <= self.lost;
		let pauses = |at: Instant| at.elapsed() < LEARNING_PAUSE;
		if !is_explained && self.learnt.is_some_and(pauses) {
			return false;
		}
		if !is_explained {
			self.learnt = Some(Instant::now());
		}
		self.spent = self.spent.max(cumulative);
		self.lost = self.lost.saturating_sub(ahead);
		true
	}
}

impl Drop for Drawn {
	fn drop(&mut self) {
		if let Some(account) = lock(&self.book).get_mut(&self.payee) {
			account.open = account.open.saturating_sub(self.limit);
			account.lost = account.lost.saturating_add(self.limit);
		}
	}
}

fn lock(book: &Book) -> MutexGuard<'_, HashMap<Payee, Account>> {
	// Each change is one of a whole account.
	book.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use crate::{routing, verify::tests::live};
	use millrace_primitives::billing::Billing;

	pub(crate) fn key() -> PeerKeypair {
		PeerKeypair::from_seed([77; 32], None)
	}

	/// A deal whose calls use at most 1,000 gas and are billed by it.
	pub(crate) fn billed(voucher_key: [u8; 32]) -> Route {
		let mut view = routing::tests::deal(7, Vec::new());
		view.spec.billing = Billing::Gas {
			full_gas: 5_000,
			voucher_key,
		};
		Route::new(H256::zero(), &view, Arc::default())
	}

	fn worker() -> LiveWorker {
		live(&PeerKeypair::from_seed([1; 32], None), "")
	}

	fn payee() -> Payee {
		Payee {
			genesis: H256::zero(),
			deal: 7,
			peer: worker().peer,
			since: worker().since,
		}
	}

	/// Gas of the voucher that the next call would bring.
	fn next(vouchers: &Vouchers, route: &Route) -> Gas {
		let drawn = vouchers.draw(route, &worker()).expect("it is billed");
		let cumulative = drawn.voucher().cumulative;
		drawn.release();
		cumulative
	}

	#[test]
	fn a_voucher_is_for_all_receipts_and_for_the_calls_under_way() {
		let vouchers = Vouchers::new(H256::zero(), key());
		let route = billed(key().public());
		let draw = || vouchers.draw(&route, &worker()).expect("it is billed");
		let (one, two) = (draw(), draw());
		assert_eq!(one.voucher().cumulative, 1_000);
		assert_eq!(two.voucher().cumulative, 2_000);
		assert!(payee().is_signed(&key().public(), two.voucher()));
		one.spend(300);
		assert_eq!(next(&vouchers, &route), 2_300);
		// One that did not run is free again.
		two.release();
		assert_eq!(next(&vouchers, &route), 1_300);
	}

	#[test]
	fn only_deals_that_name_the_key_have_vouchers() {
		let vouchers = Vouchers::new(H256::zero(), key());
		let other = PeerKeypair::from_seed([3; 32], None);
		let route = billed(other.public());
		assert!(vouchers.draw(&route, &worker()).is_none());
		let reserved = crate::verify::tests::route();
		assert!(vouchers.draw(&reserved, &worker()).is_none());
	}

	#[test]
	fn what_was_signed_before_a_restart_is_learnt_of_the_worker() {
		let vouchers = Vouchers::new(H256::zero(), key());
		let route = billed(key().public());
		let draw = || vouchers.draw(&route, &worker()).expect("it is billed");
		let shown = payee().sign(&key(), 9_000);
		// Calls at the same time learn it once, and all are worth another try.
		let (one, two) = (draw(), draw());
		assert!(one.learn(&shown) && two.learn(&shown));
		assert_eq!(next(&vouchers, &route), 10_000);
		// Not twice in a minute, whatever it answers in between.
		draw().spend(10);
		let higher = payee().sign(&key(), 10_000);
		assert!(!draw().learn(&higher));
		assert_eq!(next(&vouchers, &route), 10_010);
	}

	#[test]
	fn a_lost_call_explains_what_it_may_have_used_and_no_more() {
		let vouchers = Vouchers::new(H256::zero(), key());
		let route = billed(key().public());
		let draw = || vouchers.draw(&route, &worker()).expect("it is billed");
		let learns = |cumulative| draw().learn(&payee().sign(&key(), cumulative));
		assert!(learns(5_000));
		for round in 1..4 {
			drop(draw());
			assert!(!learns(5_000 + round * 1_000 + 1));
			assert!(learns(5_000 + round * 1_000));
			// Explained once.
			assert!(!learns(5_000 + round * 1_000 + 1));
		}
		assert_eq!(next(&vouchers, &route), 9_000);
	}

	#[test]
	fn nobody_elses_word_is_learnt() {
		let vouchers = Vouchers::new(H256::zero(), key());
		let route = billed(key().public());
		let draw = || vouchers.draw(&route, &worker()).expect("it is billed");
		let other = PeerKeypair::from_seed([3; 32], None);
		assert!(!draw().learn(&payee().sign(&other, 9_000)));
		// Of another assignment of the same worker.
		let before = Payee {
			since: worker().since + 1,
			..payee()
		};
		assert!(!draw().learn(&before.sign(&key(), 9_000)));
		assert_eq!(next(&vouchers, &route), 1_000);
	}

	#[test]
	fn accounts_that_were_used_lately_are_not_forgotten() {
		let vouchers = Vouchers::new(H256::zero(), key());
		let route = billed(key().public());
		let drawn = vouchers.draw(&route, &worker()).expect("it is billed");
		drawn.spend(300);
		vouchers.forget_idle();
		assert_eq!(next(&vouchers, &route), 1_300);
	}
}
