//! Books of their own: what the market says that it did, worked out again and held against the
//! balances.

use crate::{mock::*, Event, HoldReason, Params, Specs};
use frame_support::traits::fungible::Inspect;
use millrace_primitives::{
	market::DealSpec, peer::PeerId, traits::PeerRegistry, Balance, DealId, EpochIndex,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is held is kept in this order.
const REASONS: [HoldReason; 4] = [
	HoldReason::Escrow,
	HoldReason::DealDeposit,
	HoldReason::OfferDeposit,
	HoldReason::WorkerBond,
];
const ESCROW: usize = 0;
const DEAL: usize = 1;
const OFFER: usize = 2;
const BOND: usize = 3;

/// A worker as the events tell of it.
pub(super) struct Seat {
	pub(super) price: Balance,
	/// Last epoch in which it can go live.
	pub(super) deadline: EpochIndex,
	/// First epoch that it is paid for, once it is live.
	pub(super) since: Option<EpochIndex>,
}

/// A deal as the events tell of it.
pub(super) struct Row {
	pub(super) owner: u64,
	pub(super) spec: DealSpec<u64>,
	/// Last epoch of its term.
	term_end: Option<EpochIndex>,
	/// Last epoch at all, once it is stopped.
	pub(super) last: Option<EpochIndex>,
	early: bool,
	escrow: Balance,
	closing: Balance,
	deposit: Balance,
	paid: Balance,
	burnt: Balance,
	pub(super) workers: BTreeMap<PeerId, Seat>,
}

impl Row {
	fn pays(&self, epoch: EpochIndex) -> bool {
		self.term_end.is_none_or(|end| epoch <= end) && self.last.is_none_or(|last| epoch <= last)
	}

	/// Workers of a provider.
	fn seats_of(&self, provider: u64) -> usize {
		self.workers
			.keys()
			.filter(|peer| provider_of(**peer) == provider)
			.count()
	}
}

/// The books.
pub(super) struct Ledger {
	free: BTreeMap<u64, Balance>,
	held: BTreeMap<u64, [Balance; 4]>,
	issued: Balance,
	/// Offers with their provider and deposit.
	pub(super) offers: BTreeMap<PeerId, (u64, Balance)>,
	pub(super) deals: BTreeMap<DealId, Row>,
	/// Deals that a peer served in an epoch by its report, unless that is void.
	served: BTreeMap<(PeerId, EpochIndex), Vec<DealId>>,
	paid: BTreeSet<(DealId, PeerId, EpochIndex)>,
}

fn provider_of(peer: PeerId) -> u64 {
	MockPeers::provider_of(peer).expect("whoever is in use is registered")
}

/// Of a payment 2 % burn, rounded up.
fn split(amount: Balance) -> (Balance, Balance) {
	let burnt = (amount * 2).div_ceil(100);
	(amount - burnt, burnt)
}

fn less(from: &mut Balance, amount: Balance) {
	*from = from
		.checked_sub(amount)
		.expect("nobody pays more than it has");
}

impl Ledger {
	/// The books of a chain on which nothing has happened.
	pub(super) fn new() -> Self {
		let accounts = [CLIENT, STRANGER, Market::pot()]
			.into_iter()
			.chain(PROVIDER..PROVIDER + PROVIDERS);
		let free: BTreeMap<u64, Balance> = accounts
			.map(|who| (who, Balances::free_balance(who)))
			.collect();
		Self {
			held: free.keys().map(|who| (*who, [0; 4])).collect(),
			issued: free.values().sum(),
			free,
			offers: BTreeMap::new(),
			deals: BTreeMap::new(),
			served: BTreeMap::new(),
			paid: BTreeSet::new(),
		}
	}

	/// What an account can spend and live on.
	pub(super) fn spendable(&self, who: u64) -> Balance {
		self.free[&who].saturating_sub(EXISTENTIAL_DEPOSIT)
	}

	/// Workers that are not live yet.
	pub(super) fn assigned(&self) -> Vec<(DealId, PeerId, EpochIndex)> {
		let mut assigned = Vec::new();
		for (id, row) in &self.deals {
			for (peer, seat) in &row.workers {
				if seat.since.is_none() {
					assigned.push((*id, *peer, seat.deadline));
				}
			}
		}
		assigned
	}

	/// Deals that a peer works for.
	pub(super) fn deals_of(&self, peer: PeerId) -> Vec<DealId> {
		let works = |(_, row): &(&DealId, &Row)| row.workers.contains_key(&peer);
		self.deals.iter().filter(works).map(|(id, _)| *id).collect()
	}

	/// Units of a peer that are at work from the next epoch on.
	pub(super) fn at_work(&self, peer: PeerId) -> u32 {
		self.deals
			.values()
			.filter(|row| row.last.is_none())
			.filter(|row| {
				let seat = row.workers.get(&peer);
				seat.is_some_and(|seat| seat.since.is_some())
			})
			.map(|row| row.spec.units_per_worker)
			.sum()
	}

	/// Books what a peer reported to have served.
	pub(super) fn note_report(
		&mut self,
		peer: PeerId,
		epoch: EpochIndex,
		listed: &[DealId],
		void: bool,
	) {
		let mut served = self.deals_of(peer);
		served.retain(|deal| !void && listed.contains(deal));
		let before = self.served.insert((peer, epoch), served);
		assert!(before.is_none(), "an epoch is reported once");
	}

	/// What a peer is owed for an epoch that is settled now.
	pub(super) fn dues(
		&self,
		peer: PeerId,
		epoch: EpochIndex,
	) -> Vec<(DealId, EpochIndex, Balance)> {
		let served = self.served.get(&(peer, epoch)).into_iter().flatten();
		served
			.filter_map(|id| {
				let row = self.deals.get(id)?;
				let seat = row.workers.get(&peer)?;
				let due = seat.since.is_some_and(|since| since <= epoch) && row.pays(epoch);
				let amount = seat.price.min(row.escrow);
				(due && amount > 0).then_some((*id, epoch, amount))
			})
			.collect()
	}

	pub(super) fn transfer(&mut self, from: u64, to: u64, amount: Balance) {
		self.spend(from, amount);
		self.earn(to, amount);
	}

	fn spend(&mut self, who: u64, amount: Balance) {
		less(self.free.get_mut(&who).expect("it is known"), amount);
	}

	fn earn(&mut self, who: u64, amount: Balance) {
		*self.free.get_mut(&who).expect("it is known") += amount;
	}

	fn of(&mut self, who: u64, reason: usize) -> &mut Balance {
		&mut self.held.get_mut(&who).expect("it is known")[reason]
	}

	fn hold(&mut self, who: u64, reason: usize, amount: Balance) {
		self.spend(who, amount);
		*self.of(who, reason) += amount;
	}

	fn release(&mut self, who: u64, reason: usize, amount: Balance) {
		less(self.of(who, reason), amount);
		self.earn(who, amount);
	}

	fn pay_out(&mut self, who: u64, paid: Balance, burnt: Balance) {
		less(self.of(Market::pot(), ESCROW), paid + burnt);
		less(&mut self.issued, burnt);
		self.earn(who, paid);
	}

	fn row(&mut self, deal: DealId) -> &mut Row {
		self.deals.get_mut(&deal).expect("the deal stands")
	}

	/// Books an event, after it was checked; the name of what happened.
	pub(super) fn apply(&mut self, event: Event<Test>) -> &'static str {
		match event {
			Event::OfferPosted { peer, .. } => {
				let provider = provider_of(peer);
				let deposit = Params::<Test>::get().offer_deposit;
				self.hold(provider, OFFER, deposit);
				assert_eq!(self.offers.insert(peer, (provider, deposit)), None);
				"an offer posted"
			}
			Event::OfferWithdrawn { peer, .. } | Event::OfferClosed { peer, .. } => {
				let (provider, deposit) = self.offers.remove(&peer).expect("it stood");
				self.release(provider, OFFER, deposit);
				"an offer gone"
			}
			Event::DealCreated {
				deal,
				owner,
				escrow,
				closing_deposit,
			} => {
				self.create(deal, owner, escrow, closing_deposit);
				"a deal created"
			}
			Event::DealToppedUp { deal, from, amount } => {
				self.spend(from, amount);
				*self.of(Market::pot(), ESCROW) += amount;
				self.row(deal).escrow += amount;
				"a deal topped up"
			}
			Event::DealStopped { deal, last, early } => {
				assert_eq!(last, Epoch::get());
				let row = self.row(deal);
				assert_eq!(row.last.replace(last), None);
				row.early = early;
				"a deal stopped"
			}
			Event::DealClosed {
				deal,
				paid,
				burnt,
				refunded,
			} => {
				self.close(deal, (paid, burnt, refunded));
				"a deal closed"
			}
			Event::WorkerMatched { deal, peer, ask } => {
				self.assign(deal, peer, ask);
				"a worker matched"
			}
			Event::WorkerLive { deal, peer, since } => {
				assert_eq!(since, Epoch::get() + 1);
				let row = self.row(deal);
				let bond = row.spec.worker_bond;
				let seat = row.workers.get_mut(&peer).expect("it works");
				assert_eq!(seat.since.replace(since), None);
				self.hold(provider_of(peer), BOND, bond);
				"a worker live"
			}
			Event::WorkerReleased { deal, peer, .. } => {
				let row = self.row(deal);
				let bond = row.spec.worker_bond;
				let seat = row.workers.remove(&peer).expect("it works");
				if seat.since.is_some() {
					self.release(provider_of(peer), BOND, bond);
				}
				"a worker released"
			}
			Event::ReportPaid {
				peer,
				epoch,
				paid,
				burnt,
			} => {
				let (mut of_all, mut burnt_of_all) = (0, 0);
				for (deal, epoch, amount) in self.dues(peer, epoch) {
					assert!(self.paid.insert((deal, peer, epoch)));
					let (paid, burnt) = split(amount);
					self.row(deal).escrow -= amount;
					self.note_payment(deal, peer, paid, burnt);
					(of_all, burnt_of_all) = (of_all + paid, burnt_of_all + burnt);
				}
				assert_eq!((paid, burnt), (of_all, burnt_of_all));
				assert!(paid + burnt > 0);
				"an epoch paid"
			}
			Event::ClosingPaid {
				deal,
				peer,
				paid,
				burnt,
			} => {
				let row = self.row(deal);
				assert!(row.last.is_none() || row.early);
				let seat = &row.workers[&peer];
				assert!(seat.since.is_some());
				assert_eq!((paid, burnt), split(seat.price));
				less(&mut row.closing, paid + burnt);
				self.note_payment(deal, peer, paid, burnt);
				"a closing epoch paid"
			}
			_ => "nothing of money",
		}
	}

	fn note_payment(&mut self, deal: DealId, peer: PeerId, paid: Balance, burnt: Balance) {
		let row = self.row(deal);
		row.paid += paid;
		row.burnt += burnt;
		self.pay_out(provider_of(peer), paid, burnt);
	}

	fn create(&mut self, deal: DealId, owner: u64, escrow: Balance, closing: Balance) {
		let spec = Specs::<Test>::get(deal).expect("it was ordered");
		let deposit = Params::<Test>::get().deal_deposit;
		let price = spec.price_ceiling
			* Balance::from(spec.units_per_worker)
			* Balance::from(spec.target_workers);
		assert_eq!(closing, price);
		assert!(escrow >= 2 * price);
		self.spend(owner, escrow + closing);
		*self.of(Market::pot(), ESCROW) += escrow + closing;
		self.hold(owner, DEAL, deposit);
		let row = Row {
			owner,
			term_end: spec.term_epochs.map(|epochs| Epoch::get() + epochs),
			spec,
			last: None,
			early: false,
			escrow,
			closing,
			deposit,
			paid: 0,
			burnt: 0,
			workers: BTreeMap::new(),
		};
		assert!(self.deals.insert(deal, row).is_none());
	}

	fn close(&mut self, deal: DealId, (paid, burnt, refunded): (Balance, Balance, Balance)) {
		let row = self.deals.remove(&deal).expect("the deal stood");
		assert!(row.last.is_some() && row.workers.is_empty());
		assert_eq!((paid, burnt), (row.paid, row.burnt));
		assert_eq!(refunded, row.escrow + row.closing);
		self.pay_out(row.owner, refunded, 0);
		self.release(row.owner, DEAL, row.deposit);
	}

	fn assign(&mut self, deal: DealId, peer: PeerId, ask: Balance) {
		let deadline = Epoch::get().saturating_add(Params::<Test>::get().assignment_epochs);
		let row = self.row(deal);
		let spec = &row.spec;
		assert!(row.last.is_none() && ask <= spec.price_ceiling);
		assert!((row.workers.len() as u32) < spec.target_workers);
		let most = spec.max_workers_per_provider as usize;
		assert!(row.seats_of(provider_of(peer)) < most);
		let seat = Seat {
			price: ask * Balance::from(spec.units_per_worker),
			deadline,
			since: None,
		};
		assert!(row.workers.insert(peer, seat).is_none());
	}

	/// Whether the accounts have what the books say, and nobody has anything else.
	pub(super) fn check(&self) {
		for (who, free) in &self.free {
			assert_eq!(Balances::free_balance(who), *free, "of {who}");
			for (reason, amount) in REASONS.into_iter().zip(self.held[who]) {
				assert_eq!(held(reason, *who), amount, "of {who}: {reason:?}");
			}
		}
		for (id, row) in &self.deals {
			let deal = Market::deal_of(*id).expect("it stands");
			let seen = (deal.escrow, deal.closing_deposit, deal.paid, deal.burnt);
			assert_eq!(seen, (row.escrow, row.closing, row.paid, row.burnt), "{id}");
		}
		let all: Balance = self.free.values().sum();
		let held: Balance = self.held.values().flatten().sum();
		assert_eq!(all + held, self.issued);
		assert_eq!(<Balances as Inspect<u64>>::total_issuance(), self.issued);
	}
}
