//! Who is let in: callers of deals, and those who ask for what calls were of.
//!
//! A gateway has checked its clients already, and is believed nothing: whoever may call a deal shows it
//! to the worker, too. What calls of a deal were of is shown to those alone who may call it. That is
//! remembered for as long as receipts are, since receipts outlive deals.

use crate::{
	errors::{Refusal, StoreError},
	receipts::ReceiptStore,
};
use axum::http::{request::Parts, HeaderMap};
use millrace_client::access::{client_address, now_seconds, Claim, Rates};
use millrace_http::server::Caller;
use millrace_primitives::{
	access::{Access, RateLimit},
	execution::{Receipt, Request},
	views::Assignment,
	DealId, EpochIndex, H256,
};
use std::{
	collections::BTreeMap,
	net::IpAddr,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::Duration,
};
use tokio::task::{spawn_blocking, JoinError};

/// Deals that are not open, or once were not, each with the last epoch in which the peer worked for it.
pub(crate) type PrivateDeals = BTreeMap<DealId, (EpochIndex, Access)>;

/// Lets callers in.
#[derive(Debug)]
pub struct Doorkeeper {
	genesis: H256,
	/// Whose word counts for where a call comes from.
	proxies: Vec<IpAddr>,
	rates: Rates,
	private: Mutex<PrivateDeals>,
}

/// A caller that is to be let in once its request is here.
#[derive(Clone, Copy, Debug)]
pub struct Visitor {
	deal: DealId,
	claim: Claim,
	rate: Option<RateLimit>,
}

impl Doorkeeper {
	/// Knows what the store knows of deals, and counts so many callers. Reads the disk.
	pub fn new(
		genesis: H256,
		proxies: Vec<IpAddr>,
		counted_invokers: usize,
		store: &ReceiptStore,
	) -> Result<Self, StoreError> {
		Ok(Self {
			genesis,
			proxies,
			rates: Rates::new(counted_invokers),
			private: Mutex::new(store.private_deals()?),
		})
	}

	/// Sees by the head of a request whether its caller may be one of a deal's.
	pub fn meet(&self, assignment: &Assignment, parts: &Parts) -> Result<Visitor, Refusal> {
		let from = Caller::of(&parts.extensions).0;
		let address = client_address(from, &parts.headers, &self.proxies);
		Ok(Visitor {
			deal: assignment.deal,
			claim: Claim::of(&assignment.access, &parts.headers, address)?,
			rate: assignment.rate,
		})
	}

	/// Lets a caller in whose request is here, unless it has made as many calls as it may.
	pub fn let_in(&self, visitor: &Visitor, request: &Request) -> Result<(), Refusal> {
		let Visitor { deal, claim, rate } = visitor;
		let invoker = claim.confirm(self.genesis, *deal, || request.hash(), now_seconds())?;
		let taken = self.rates.take(*deal, invoker, *rate);
		taken.map_err(|wait| Refusal::RateLimited {
			seconds: whole_seconds(wait),
		})
	}

	/// Sees whether somebody may have what a receipt is of. Who holds a key signs the request again,
	/// by the hash that the receipt names.
	pub fn shows(&self, receipt: &Receipt, headers: &HeaderMap) -> Result<(), Refusal> {
		let noted = self.private().get(&receipt.deal).cloned();
		let Some((_, access)) = noted else {
			return Ok(());
		};
		let nowhere = IpAddr::from([0; 4]);
		let claim = Claim::of(&access, headers, nowhere)?;
		claim.confirm(
			self.genesis,
			receipt.deal,
			|| receipt.request,
			now_seconds(),
		)?;
		Ok(())
	}

	/// Notes which deals are not open, before any call of them is answered by what is noted here.
	/// Nothing is written where nothing is new.
	pub async fn note(
		&self,
		epoch: EpochIndex,
		assignments: &[Assignment],
		store: &Arc<ReceiptStore>,
	) -> Result<Result<(), StoreError>, JoinError> {
		let news = news(epoch, assignments, &self.private());
		if news.is_empty() {
			return Ok(Ok(()));
		}
		let (store, noted) = (store.clone(), news.clone());
		let stored = spawn_blocking(move || store.set_private(&noted)).await?;
		if stored.is_ok() {
			self.private().extend(news);
		}
		Ok(stored)
	}

	/// Forgets deals whose receipts are not kept any more.
	pub fn forget(&self, oldest: EpochIndex) {
		self.private().retain(|_, (epoch, _)| *epoch >= oldest);
	}

	fn private(&self) -> MutexGuard<'_, PrivateDeals> {
		// Each change is one insertion or removal.
		self.private.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// What is to be noted of these deals. One that is open now is as private as it was for the calls that
/// were made then.
fn news(epoch: EpochIndex, assignments: &[Assignment], noted: &PrivateDeals) -> PrivateDeals {
	let mut news = PrivateDeals::new();
	for Assignment { deal, access, .. } in assignments {
		let before = noted.get(deal);
		let access = match before {
			Some((_, last)) if access.is_open() => last,
			None if access.is_open() => continue,
			_ => access,
		};
		let row = (epoch, access.clone());
		if before != Some(&row) {
			news.insert(*deal, row);
		}
	}
	news
}

/// Rounded up, and at least one: who comes a moment too early is refused again.
fn whole_seconds(wait: Duration) -> u64 {
	let begun = u64::from(wait.subsec_nanos() > 0);
	wait.as_secs().saturating_add(begun).max(1)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::snapshot::tests::assignment;
	use millrace_primitives::{access::Invokers, market::WorkerStatus, peer::PeerId};

	fn listed(number: u8) -> Access {
		let one: Invokers = vec![H256::repeat_byte(number)]
			.try_into()
			.expect("one fits");
		Access::Tokens(one)
	}

	fn with(deal: DealId, access: Access) -> Assignment {
		Assignment {
			access,
			..assignment(deal, WorkerStatus::Live { since: 1 })
		}
	}

	#[test]
	fn what_was_private_stays_so_and_what_is_new_is_noted_once_an_epoch() {
		let mut noted = PrivateDeals::new();
		let mut note = |epoch, assignments: &[Assignment]| {
			let news = news(epoch, assignments, &noted);
			let deals: Vec<DealId> = news.keys().copied().collect();
			noted.extend(news);
			(deals, noted.get(&1).cloned())
		};
		let open = [with(1, Access::Open), with(2, Access::Open)];
		assert_eq!(note(5, &open), (vec![], None));
		let closed = [with(1, listed(1)), with(2, Access::Open)];
		assert_eq!(note(5, &closed), (vec![1], Some((5, listed(1)))));
		assert_eq!(note(5, &closed).0, Vec::<DealId>::new());
		assert_eq!(note(6, &closed), (vec![1], Some((6, listed(1)))));
		let other = [with(1, listed(2))];
		assert_eq!(note(6, &other), (vec![1], Some((6, listed(2)))));
		// Calls from before are still of those who might make them.
		assert_eq!(note(6, &open).0, Vec::<DealId>::new());
		assert_eq!(note(7, &open), (vec![1], Some((7, listed(2)))));
		// A deal that is over is not noted any more.
		assert_eq!(note(8, &[]), (vec![], Some((7, listed(2)))));
	}

	#[tokio::test]
	async fn private_deals_are_remembered_over_a_restart_for_as_long_as_their_receipts() {
		let dir = tempfile::tempdir().expect("a directory");
		let genesis = H256::zero();
		let open = || {
			let store = ReceiptStore::open(dir.path(), genesis, PeerId::default(), 1 << 20);
			Arc::new(store.expect("it opens"))
		};
		let store = open();
		let keeper = Doorkeeper::new(genesis, Vec::new(), 8, &store).expect("it reads");
		for (epoch, deal) in [(4, 1), (6, 2)] {
			let noted = keeper.note(epoch, &[with(deal, listed(1))], &store).await;
			noted.expect("no panic").expect("it is stored");
		}
		drop(store);
		let store = open();
		let keeper = Doorkeeper::new(genesis, Vec::new(), 8, &store).expect("it reads");
		let deals = || keeper.private().keys().copied().collect::<Vec<_>>();
		assert_eq!(deals(), [1, 2]);
		store.prune(5).expect("it is stored");
		keeper.forget(5);
		assert_eq!(deals(), [2]);
		let kept: Vec<DealId> = store
			.private_deals()
			.expect("it reads")
			.into_keys()
			.collect();
		assert_eq!(kept, [2]);
	}

	#[test]
	fn a_wait_is_told_in_whole_seconds() {
		for (millis, seconds) in [(0, 1), (1, 1), (1_000, 1), (1_001, 2)] {
			assert_eq!(whole_seconds(Duration::from_millis(millis)), seconds);
		}
	}
}
