//! Books of their own: what the market says that it did, worked out again and held against the
//! balances.

use super::{
	probes::Open,
	rows::{gas_of, provider_of, Row, Seat},
};
use crate::{mock::*, Event, GraceSpan, HoldReason, Notice, Params, ReleaseReason, Specs};
use frame_support::traits::fungible::Inspect;
use millrace_primitives::{peer::PeerId, traits::EpochClock, Balance, DealId, EpochIndex};
use std::collections::{BTreeMap, BTreeSet};

/// What is held is kept in this order.
const REASONS: [HoldReason; 5] = [
	HoldReason::Escrow,
	HoldReason::DealDeposit,
	HoldReason::OfferDeposit,
	HoldReason::WorkerBond,
	HoldReason::Probe,
];
const ESCROW: usize = 0;
const DEAL: usize = 1;
const OFFER: usize = 2;
const BOND: usize = 3;
pub(super) const PROBE: usize = 4;

/// The books.
pub(super) struct Ledger {
	free: BTreeMap<u64, Balance>,
	held: BTreeMap<u64, [Balance; 5]>,
	issued: Balance,
	/// Offers with their provider and deposit.
	pub(super) offers: BTreeMap<PeerId, (u64, Balance)>,
	pub(super) deals: BTreeMap<DealId, Row>,
	/// Deals that a peer served in an epoch by its report, unless that is void.
	pub(super) served: BTreeMap<(PeerId, EpochIndex), Vec<DealId>>,
	/// Deals that a peer's report lists, void or not.
	pub(super) listed: BTreeMap<(PeerId, EpochIndex), Vec<DealId>>,
	paid: BTreeSet<(DealId, PeerId, EpochIndex)>,
	/// The last epoch of each peer that is settled.
	pub(super) settled: BTreeMap<PeerId, EpochIndex>,
	/// Who points to a lost worker, in the call that is booked.
	pub(super) pusher: Option<u64>,
	/// Open probes of workers.
	pub(super) probes: BTreeMap<(DealId, PeerId), Open>,
	/// Up to when it is remembered that a peer failed a deal's probe.
	pub(super) failures: BTreeMap<(DealId, PeerId), EpochIndex>,
	/// What peers served and have left: the deal, the first epoch and the last.
	pub(super) left: BTreeMap<PeerId, Vec<(DealId, EpochIndex, EpochIndex)>>,
}

/// A part of a payment burns, rounded up.
fn split(row: &Row, amount: Balance) -> (Balance, Balance) {
	let part = Balance::from(row.terms.payment_burn.deconstruct());
	let burnt = (amount * part).div_ceil(1_000_000_000);
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
			held: free.keys().map(|who| (*who, [0; 5])).collect(),
			issued: free.values().sum(),
			free,
			offers: BTreeMap::new(),
			deals: BTreeMap::new(),
			served: BTreeMap::new(),
			listed: BTreeMap::new(),
			paid: BTreeSet::new(),
			settled: BTreeMap::new(),
			pusher: None,
			probes: BTreeMap::new(),
			failures: BTreeMap::new(),
			left: BTreeMap::new(),
		}
	}

	/// What an account can spend and live on.
	pub(super) fn spendable(&self, who: u64) -> Balance {
		self.free[&who].saturating_sub(EXISTENTIAL_DEPOSIT)
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
		served.retain(|deal| listed.contains(deal));
		self.listed.insert((peer, epoch), served.clone());
		served.retain(|_| !void);
		let before = self.served.insert((peer, epoch), served);
		assert!(before.is_none(), "an epoch is reported once");
	}

	pub(super) fn transfer(&mut self, from: u64, to: u64, amount: Balance) {
		self.spend(from, amount);
		self.earn(to, amount);
	}

	fn spend(&mut self, who: u64, amount: Balance) {
		less(self.free.get_mut(&who).expect("it is known"), amount);
	}

	fn earn(&mut self, who: u64, amount: Balance) {
		*self.free.entry(who).or_default() += amount;
	}

	fn of(&mut self, who: u64, reason: usize) -> &mut Balance {
		&mut self.held.get_mut(&who).expect("it is known")[reason]
	}

	pub(super) fn hold(&mut self, who: u64, reason: usize, amount: Balance) {
		self.spend(who, amount);
		*self.of(who, reason) += amount;
	}

	pub(super) fn release(&mut self, who: u64, reason: usize, amount: Balance) {
		less(self.of(who, reason), amount);
		self.earn(who, amount);
	}

	fn pay_out(&mut self, who: u64, paid: Balance, burnt: Balance) {
		less(self.of(Market::pot(), ESCROW), paid + burnt);
		less(&mut self.issued, burnt);
		self.earn(who, paid);
	}

	/// Books a probe's bond, of which a provider has one part and nobody the other.
	pub(super) fn part(&mut self, from: u64, to: u64, (paid, burnt): (Balance, Balance)) {
		less(self.of(from, PROBE), paid + burnt);
		less(&mut self.issued, burnt);
		self.earn(to, paid);
	}

	pub(super) fn row(&mut self, deal: DealId) -> &mut Row {
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
				self.top_up(deal, amount);
				"a deal topped up"
			}
			Event::DealStopped { deal, last, early } => {
				assert_eq!(last, Epoch::get());
				let row = self.row(deal);
				assert_eq!(row.last.replace(last), None);
				row.early = early;
				"a deal stopped"
			}
			Event::GraceBegun { deal, from, until } => {
				self.begin_grace(deal, GraceSpan { from, until });
				"a grace begun"
			}
			Event::GraceEnded { deal, from } => {
				let row = self.row(deal);
				assert!(row.in_grace && from == Epoch::get() + 1);
				row.in_grace = false;
				// One that had not begun is as if it had never been.
				row.grace = row
					.grace
					.filter(|span| span.from < from)
					.map(|span| GraceSpan {
						until: span.until.min(from - 1),
						..span
					});
				"a grace ended"
			}
			Event::DealResized {
				deal,
				min_workers,
				target_workers,
				added,
			} => {
				let row = self.row(deal);
				assert!(row.last.is_none() && !row.in_grace);
				row.spec.min_workers = min_workers;
				row.spec.target_workers = target_workers;
				row.closing += added;
				let least = row.ceiling();
				assert!(row.closing >= least);
				assert!(added == 0 || row.closing <= least + row.most_in_grace());
				let owner = row.owner;
				self.spend(owner, added);
				*self.of(Market::pot(), ESCROW) += added;
				"a deal resized"
			}
			Event::PackageUpdated {
				deal,
				package,
				before,
				until,
			} => {
				let now = Epoch::get();
				let row = self.row(deal);
				assert!(row.last.is_none() && !row.in_grace);
				assert_eq!(row.spec.package.hash, before);
				let ordered = Specs::<Test>::get(deal).expect("it was ordered").package;
				assert_eq!(ordered.hash, package);
				let is_other = (ordered.hash, ordered.size) != (before, row.spec.package.size);
				row.spec.package = ordered;
				assert_eq!(until, is_other.then_some(now + 1));
				if is_other {
					let updated = row.packages.last().filter(|(_, since, _)| *since > 0);
					assert!(updated.is_none_or(|(_, _, epoch)| *epoch < now));
					row.packages.push((package, System::block_number(), now));
				}
				"a package updated"
			}
			Event::HeirNamed { deal, heir } => {
				self.row(deal).heir = heir;
				"an heir named"
			}
			Event::OwnerChanged { deal, from, to } => {
				let row = self.row(deal);
				assert_eq!((row.owner, row.heir), (from, Some(to)));
				(row.owner, row.heir) = (to, None);
				let deposit = row.deposit;
				if from != to {
					self.hold(to, DEAL, deposit);
					self.release(from, DEAL, deposit);
				}
				"an owner changed"
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
				seat.bond = bond;
				self.hold(provider_of(peer), BOND, bond);
				"a worker live"
			}
			Event::RematchBegun { deal, from, .. } => {
				let row = self.row(deal);
				assert!(row.last.is_none() && !row.in_grace && row.moving.is_none());
				row.moving = Some(from);
				"a rematch begun"
			}
			Event::WorkerDraining {
				deal,
				peer,
				last,
				notice,
			} => {
				assert_eq!(last, Epoch::get() + 1);
				let row = self.row(deal);
				assert!(row.last.is_none());
				let moving = row.moving.take();
				if notice == Notice::Rematch {
					assert_eq!(moving, Some(peer));
					// Whoever takes over serves from the next epoch on.
					assert!(row.workers.values().any(|seat| seat.since == Some(last)));
				}
				let seat = row.workers.get_mut(&peer).expect("it works");
				assert!(seat.since.is_some_and(|since| since <= last));
				assert_eq!(seat.last.replace(last), None);
				"a worker draining"
			}
			Event::BondForfeited {
				deal,
				peer,
				bounty,
				to_escrow,
				burnt,
			} => {
				self.forfeit(deal, peer, (bounty, to_escrow, burnt));
				"a bond forfeited"
			}
			Event::WorkerReleased { deal, peer, reason } => self.release_worker(deal, peer, reason),
			Event::ReportPaid {
				peer,
				epoch,
				paid,
				burnt,
			} => {
				let (mut of_all, mut burnt_of_all) = (0, 0);
				let mut name = "an epoch paid";
				for (deal, amount, is_grace) in self.dues(peer, epoch) {
					assert!(self.paid.insert((deal, peer, epoch)));
					let row = self.row(deal);
					let (paid, burnt) = split(row, amount);
					if row.spec.billing.full_gas().is_some() {
						name = "an epoch paid by gas";
					}
					let source = if is_grace {
						name = "an epoch paid in grace";
						&mut row.closing
					} else {
						&mut row.escrow
					};
					less(source, amount);
					self.note_payment(deal, peer, paid, burnt);
					(of_all, burnt_of_all) = (of_all + paid, burnt_of_all + burnt);
				}
				assert_eq!((paid, burnt), (of_all, burnt_of_all));
				assert!(paid + burnt > 0);
				name
			}
			Event::ClosingPaid {
				deal,
				peer,
				paid,
				burnt,
			} => {
				let now = Epoch::get();
				let row = self.row(deal);
				assert!(row.last.is_none() || row.early);
				let seat = &row.workers[&peer];
				// It would have been paid for the epoch after the last one.
				assert!(seat.serves(row.last.unwrap_or(now) + 1));
				assert_eq!((paid, burnt), split(row, seat.price.min(row.closing)));
				less(&mut row.closing, paid + burnt);
				self.note_payment(deal, peer, paid, burnt);
				"a closing epoch paid"
			}
			Event::VoucherRedeemed {
				deal,
				peer,
				cumulative,
			} => {
				let row = self.row(deal);
				assert!(row.spec.billing.full_gas().is_some());
				let seat = row.workers.get_mut(&peer).expect("it works");
				assert!(seat.since.is_some() && cumulative > seat.vouchered);
				seat.vouchered = cumulative;
				assert_ne!(seat.redeemed.replace(Epoch::get()), Some(Epoch::get()));
				"a voucher redeemed"
			}
			event @ (Event::ProbeMade { .. }
			| Event::ProbeAnswered { .. }
			| Event::ProbeFailed { .. }
			| Event::ProbeDropped { .. }) => self.note_probe(event),
			_ => "nothing of money",
		}
	}

	/// Books what is billed of a served epoch that is settled, whatever it comes to in money.
	pub(super) fn note_billed(&mut self, peer: PeerId, epoch: EpochIndex) {
		for deal in self.served.get(&(peer, epoch)).into_iter().flatten() {
			let Some(row) = self.deals.get_mut(deal) else {
				continue;
			};
			let pays = row.pays(epoch) && row.spec.billing.full_gas().is_some();
			let seat = row.workers.get_mut(&peer).filter(|_| pays);
			if let Some(seat) = seat.filter(|seat| seat.serves(epoch)) {
				let gas = seat.bills(epoch, gas_of(*deal, epoch));
				seat.billed.insert(epoch, gas);
			}
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
		let params = Params::<Test>::get();
		let deposit = params.deal_deposit;
		let price = spec.price_ceiling
			* Balance::from(spec.units_per_worker)
			* Balance::from(spec.target_workers);
		assert_eq!(closing, price);
		assert!(escrow >= Balance::from(params.min_escrow_epochs) * price);
		self.spend(owner, escrow + closing);
		*self.of(Market::pot(), ESCROW) += escrow + closing;
		self.hold(owner, DEAL, deposit);
		let packages = vec![(spec.package.hash, 0, Epoch::get())];
		let row = Row {
			owner,
			term_end: spec.term_epochs.map(|epochs| Epoch::get() + epochs),
			spec,
			last: None,
			early: false,
			grace: None,
			in_grace: false,
			terms: params.terms(),
			heir: None,
			moving: None,
			packages,
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
		assert!(row.last.is_none() && !row.in_grace && ask <= spec.price_ceiling);
		let stays = |seat: &&Seat| seat.last.is_none();
		let staying = row.workers.values().filter(stays).count() as u32;
		if let Some(from) = row.moving {
			assert_eq!(staying, spec.target_workers);
			row.check_rematch(from, ask);
		} else {
			assert!(staying < spec.target_workers);
		}
		let most = spec.max_workers_per_provider as usize;
		assert!(row.seats_of(provider_of(peer)) < most);
		let seat = Seat {
			price: ask * Balance::from(spec.units_per_worker),
			deadline,
			since: None,
			last: None,
			failed: None,
			bond: 0,
			vouchered: 0,
			redeemed: None,
			billed: BTreeMap::new(),
		};
		assert!(row.workers.insert(peer, seat).is_none());
	}

	/// Books what was added. In grace the closing deposit comes first: the deal says how much of it
	/// that took, which is never more than it needs, and what the rest pays.
	fn top_up(&mut self, deal: DealId, amount: Balance) {
		let seen = Market::deal_of(deal).expect("it stands");
		let now = Epoch::get();
		let row = self.row(deal);
		assert!(row.last.is_none());
		let begun = row.grace.filter(|span| row.in_grace && span.from <= now);
		let restored = match begun {
			Some(_) => seen.closing_deposit - row.closing,
			None => 0,
		};
		row.closing += restored;
		row.escrow += amount - restored;
		if begun.is_some() {
			let least = row.ceiling();
			assert!(row.closing >= least);
			assert!(restored == 0 || row.closing <= least + row.most_in_grace());
		}
	}

	fn begin_grace(&mut self, deal: DealId, span: GraceSpan) {
		let row = self.row(deal);
		assert!(row.last.is_none() && !row.in_grace);
		assert_eq!(span.from, Epoch::get() + 1);
		let most = Epoch::get() + row.terms.grace_epochs;
		let last = row.term_end.map_or(most, |end| end.min(most));
		assert_eq!(span.until, last);
		// It cannot pay the next epoch of those that serve it.
		let serve = row.workers.values().filter(|seat| seat.serves(span.from));
		assert!(serve.count() > 0);
		(row.grace, row.in_grace) = (Some(span), true);
	}

	/// Books a bond that is forfeited: a hundredth at most to whoever pointed to it, a price of an epoch
	/// at most to the client.
	fn forfeit(
		&mut self,
		deal: DealId,
		peer: PeerId,
		(bounty, to_escrow, burnt): (Balance, Balance, Balance),
	) {
		let (provider, pusher) = (provider_of(peer), self.pusher);
		let row = self.row(deal);
		let seat = row.workers.get_mut(&peer).expect("it works");
		let bond = std::mem::take(&mut seat.bond);
		assert!(bond > 0);
		assert!(bounty <= bond / 100);
		assert_eq!(to_escrow, seat.price.min(bond - bounty));
		assert_eq!(bounty + to_escrow + burnt, bond);
		row.escrow += to_escrow;
		less(self.of(provider, BOND), bond);
		*self.of(Market::pot(), ESCROW) += to_escrow;
		less(&mut self.issued, burnt);
		match pusher {
			Some(who) => self.earn(who, bounty),
			None => assert_eq!(bounty, 0),
		}
	}

	fn release_worker(
		&mut self,
		deal: DealId,
		peer: PeerId,
		reason: ReleaseReason,
	) -> &'static str {
		let is_over = matches!(
			reason,
			ReleaseReason::CommitmentOver | ReleaseReason::CommitmentFailed
		);
		assert!(is_over || !self.owes(deal, peer), "{reason:?}");
		let now = Epoch::get();
		let row = &self.deals[&deal];
		let seat = &row.workers[&peer];
		let (bond, provider) = (seat.bond, provider_of(peer));
		let name = match reason {
			ReleaseReason::Lost => {
				assert!(row.is_due(peer, now - 1) && self.is_late(deal, peer));
				assert_eq!(bond, 0);
				"a worker lost"
			}
			ReleaseReason::CommitmentFailed => {
				assert_eq!(bond, 0);
				"a commitment failed"
			}
			ReleaseReason::Drained => {
				let closed = MockEpochs::last_closed();
				assert!(row.last.is_none() && seat.last.is_some());
				assert!(seat.leaves() <= closed);
				"a worker drained"
			}
			ReleaseReason::DealOver => {
				let grace = row.grace.filter(|_| row.in_grace);
				let end = grace.map(|span| span.until).or(row.term_end);
				assert!(row.last.is_none() && seat.since.is_some() && seat.last.is_none());
				assert!(end.is_some() && end <= MockEpochs::last_closed());
				"a deal's time over"
			}
			ReleaseReason::NotLive | ReleaseReason::BondUnavailable | ReleaseReason::Ended => {
				assert_eq!(seat.since, None);
				"an assignment ended"
			}
			ReleaseReason::DealStopped
			| ReleaseReason::DealClosed
			| ReleaseReason::CommitmentOver => "a worker released",
		};
		let served: Vec<_> = (0..=now)
			.filter(|epoch| row.answers(peer, *epoch))
			.collect();
		if let (Some(first), Some(last)) = (served.first(), served.last()) {
			let left = self.left.entry(peer).or_default();
			left.push((deal, *first, *last));
		}
		self.release(provider, BOND, bond);
		let row = self.row(deal);
		row.workers.remove(&peer);
		row.moving = None;
		name
	}

	/// Whether the accounts have what the books say, and nobody has anything else.
	pub(super) fn check(&self) {
		for (who, free) in &self.free {
			assert_eq!(Balances::free_balance(who), *free, "of {who}");
			let of_reasons = self.held.get(who).copied().unwrap_or_default();
			for (reason, amount) in REASONS.into_iter().zip(of_reasons) {
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
