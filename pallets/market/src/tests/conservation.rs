//! Money to the unit: whatever becomes of a deal, what was put into it is what is paid, burnt and
//! refunded.

use crate::{mock::*, *};
use frame_support::{assert_ok, traits::fungible::Inspect};
use millrace_primitives::{
	market::{split_payment, DealStatus, Worker, WorkerStatus},
	peer::PeerId,
	traits::WorkLedger,
	Balance, DealId, EpochIndex,
};
use proptest::prelude::*;

const CEILING: Balance = 3_000;

/// What happens in an epoch: which peers report, whose reports are void, which call is made of which
/// peer, with which number and amount.
type Step = (u8, u8, (u8, usize), u32, Balance);

/// A deal, and books of its own.
struct Books {
	deal: DealId,
	peers: Vec<PeerId>,
	put_in: Balance,
	paid: Balance,
	burnt: Balance,
	/// Every grace that there was.
	spans: Vec<GraceSpan>,
	/// Last epoch of a grace that was not ended.
	grace_until: Option<EpochIndex>,
}

impl Books {
	fn open(asks: &[Balance]) -> Self {
		let peers = (0u8..)
			.zip(asks)
			.map(|(index, ask)| offer(index, PROVIDER + u64::from(index), 1, *ask))
			.collect();
		let wanted = asks.len() as u32;
		let escrow = 2 * CEILING * Balance::from(wanted);
		let books = Self {
			deal: create(spec(wanted, CEILING), escrow),
			peers,
			put_in: escrow + CEILING * Balance::from(wanted),
			paid: 0,
			burnt: 0,
			spans: Vec::new(),
			grace_until: None,
		};
		books.fill();
		books
	}

	fn row(&self) -> Deal<u64> {
		Market::deal_of(self.deal).expect("it stands")
	}

	/// Everybody who can be found is found, and goes live.
	fn fill(&self) {
		run_matcher();
		for worker in Market::worker_rows(self.deal) {
			if let WorkerStatus::Assigned { .. } = worker.status {
				go_live(worker.peer, self.deal);
			}
		}
	}

	fn book(&mut self, amount: Balance) {
		let (paid, burnt) = split_payment(amount);
		(self.paid, self.burnt) = (self.paid + paid, self.burnt + burnt);
	}

	/// Settles an epoch of a peer: full price from the escrow, or half of it from the deposit.
	fn settle(&mut self, peer: PeerId, epoch: EpochIndex, reports: bool, void: bool) {
		let before = self.row();
		let worker = Workers::<Test>::get(self.deal, peer);
		let price = worker
			.filter(|worker| worker.is_due(epoch))
			.map_or(0, |worker| worker.ask);
		let in_time = self.grace_until.is_none_or(|until| epoch <= until);
		let price = if reports && !void && in_time {
			price
		} else {
			0
		};
		let (of_escrow, of_deposit) = match self.spans.iter().any(|span| span.contains(epoch)) {
			true => (0, (price / 2).min(before.closing_deposit)),
			false => (price.min(before.escrow), 0),
		};
		if reports {
			report(peer, epoch, &[self.deal]);
		}
		Market::on_settled(peer, epoch, void);
		let after = self.row();
		assert_eq!(before.escrow - after.escrow, of_escrow);
		assert_eq!(before.closing_deposit - after.closing_deposit, of_deposit);
		self.book(of_escrow + of_deposit);
	}

	fn call(&mut self, (call, pick): (u8, usize), number: u32, amount: Balance) {
		let (deal, peer) = (self.deal, self.peers[pick % self.peers.len()]);
		let client = RuntimeOrigin::signed(CLIENT);
		let stranger = || RuntimeOrigin::signed(STRANGER);
		let before = self.row();
		match call {
			0 | 1 => {
				if Market::begin_grace(stranger(), deal).is_ok() {
					let span = self.row().grace.expect("it began");
					assert_eq!(span.from, Epoch::get() + 1);
					self.grace_until = Some(span.until);
					self.spans.push(span);
				}
			}
			2 | 3 => {
				if Market::top_up(stranger(), deal, amount).is_ok() {
					self.put_in += amount;
					self.end_grace();
				}
			}
			4 => {
				if Market::resize(client, deal, 1, number).is_ok() {
					self.put_in += self.row().closing_deposit - before.closing_deposit;
				}
			}
			5 => {
				let _ = Market::end_worker(client, deal, peer);
			}
			6 => {
				let origin = frame_system::RawOrigin::Authorized.into();
				let _ = Market::drain(origin, peer, deal, [0; 64]);
			}
			_ => {}
		}
		let _ = Market::release_worker(stranger(), deal, peer);
	}

	/// A top-up has ended the grace, if there was one.
	fn end_grace(&mut self) {
		if self.grace_until.take().is_none() {
			return;
		}
		assert_eq!(self.row().status, DealStatus::Active);
		let now = Epoch::get();
		let span = self.spans.last_mut().expect("it began");
		if span.from > now {
			self.spans.pop();
		} else {
			span.until = now;
		}
	}

	/// What the pot and the issuance have is what the books say.
	fn check(&self) {
		let row = self.row();
		assert_eq!((row.paid, row.burnt), (self.paid, self.burnt));
		assert_eq!(in_pot(), row.escrow + row.closing_deposit);
		assert_eq!(in_pot(), self.put_in - self.paid - self.burnt);
		assert_ok!(Market::do_try_state());
	}

	/// Pays the closing epoch of workers out of a deposit.
	fn pay_closing(&mut self, mut deposit: Balance, workers: &[Worker]) {
		for worker in workers {
			let amount = worker.ask.min(deposit);
			deposit -= amount;
			self.book(amount);
		}
	}

	/// Stops the deal, serves what is left, and closes it; what was burnt in all.
	fn close(mut self) -> Balance {
		let (deal, last) = (self.deal, Epoch::get());
		let rows = Market::worker_rows(deal);
		let deposit = self.row().closing_deposit;
		assert_ok!(Market::stop(RuntimeOrigin::signed(CLIENT), deal));
		let early = self.row().early;
		let (served, not_yet): (Vec<Worker>, Vec<Worker>) = rows
			.into_iter()
			.filter(|worker| early && worker.is_due(last + 1))
			.partition(|worker| worker.is_due(last));
		self.pay_closing(deposit, &not_yet);
		self.check();
		at_rest_of(last + 1);
		for peer in self.peers.clone() {
			self.settle(peer, last, true, false);
		}
		self.check();
		self.pay_closing(self.row().closing_deposit, &served);
		assert_ok!(Market::close(RuntimeOrigin::signed(STRANGER), deal));
		System::assert_last_event(
			Event::<Test>::DealClosed {
				deal,
				paid: self.paid,
				burnt: self.burnt,
				refunded: self.put_in - self.paid - self.burnt,
			}
			.into(),
		);
		assert_eq!(in_pot(), 0);
		assert!(Market::deal_of(deal).is_none());
		let earned: Balance = (0..self.peers.len() as u64)
			.map(|index| Balances::total_balance(&(PROVIDER + index)) - FUNDS)
			.sum();
		assert_eq!(earned, self.paid);
		self.burnt
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(96))]

	#[test]
	fn what_is_put_in_is_paid_burnt_and_refunded_whatever_happens(
		asks in proptest::collection::vec(1_000u128..CEILING, 1..5),
		steps in proptest::collection::vec(
			(any::<u8>(), 0u8..4, (0u8..9, 0usize..5), 1u32..6, 1u128..12_000),
			1..14,
		),
	) {
		let steps: Vec<Step> = steps;
		build_and_execute(|| {
			let issued = Balances::total_issuance();
			let mut books = Books::open(&asks);
			for (epoch, (reports, voids, call, number, amount)) in (6..).zip(steps) {
				at_rest_of(epoch + 1);
				for (index, peer) in books.peers.clone().into_iter().enumerate() {
					let bit = 1u8 << index;
					books.settle(peer, epoch, reports & bit != 0, voids & bit != 0);
				}
				books.call(call, number, amount);
				books.check();
				books.fill();
			}
			let burnt = books.close();
			assert_eq!(Balances::total_issuance(), issued - burnt);
		});
	}
}
