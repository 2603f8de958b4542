//! The rules once more, written from their definitions: every epoch of every peer is settled when it
//! closes, everything is kept in plain sight, and nothing is shared with the pallet.

use super::peer::{part_up, Epoch, Money, Peer, Report, Who};
use std::collections::BTreeMap;

/// What holds for the whole chain.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
	pub(super) pool_floor: Money,
	pub(super) pool_limit: Money,
	pub(super) reward_target: Money,
	pub(super) unbonding: Epoch,
	pub(super) slash_delay: Epoch,
	pub(super) vesting: Epoch,
	pub(super) amnesty: u32,
}

/// What an account earned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
	pub(super) free: Money,
	/// Start, length, amount, and what of it was taken.
	pub(super) buckets: Vec<(Epoch, Epoch, Money, Money)>,
}

/// One epoch of the network.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Row {
	pub(super) pool: Money,
	pub(super) carried: Money,
	pub(super) idle: u64,
	pub(super) units: u64,
	pub(super) excused: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Model {
	pub(super) rules: Rules,
	pub(super) peers: Vec<Peer>,
	pub(super) rows: Vec<Row>,
	pub(super) ledgers: BTreeMap<Who, Ledger>,
	pub(super) burnt: Money,
	pub(super) minted: Money,
	slashes: u64,
	ordinary_units: u64,
	excused_in_a_row: u32,
}

impl Row {
	pub(super) fn reward(&self, rules: &Rules) -> Money {
		if self.idle == 0 {
			return 0;
		}
		((self.pool + self.carried) / Money::from(self.idle)).min(rules.max_reward())
	}

	pub(super) fn dust(&self, rules: &Rules) -> Money {
		let idle = Money::from(self.idle);
		let all = self.pool + self.carried;
		if idle == 0 || all / idle > rules.max_reward() {
			return 0;
		}
		all % idle
	}
}

impl Rules {
	pub(super) fn max_reward(&self) -> Money {
		self.reward_target + self.reward_target / 10
	}
}

impl Ledger {
	fn vested((start, epochs, amount, _): (Epoch, Epoch, Money, Money), now: Epoch) -> Money {
		let elapsed = now.saturating_sub(start).min(epochs);
		amount * Money::from(elapsed) / Money::from(epochs)
	}

	fn add(&mut self, start: Epoch, epochs: Epoch, amount: Money, now: Epoch) {
		if amount == 0 {
			return;
		}
		if let Some(bucket) = self.buckets.iter_mut().find(|bucket| bucket.0 == start) {
			bucket.2 += amount;
			return;
		}
		if self.buckets.len() == 32 {
			let (done, vesting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.buckets)
				.into_iter()
				.partition(|bucket| Self::vested(*bucket, now) == bucket.2);
			self.free += done.iter().map(|bucket| bucket.2 - bucket.3).sum::<Money>();
			self.buckets = vesting;
		}
		assert!(self.buckets.len() < 32, "thirty periods are all that vests");
		self.buckets.push((start, epochs, amount, 0));
		self.buckets.sort();
	}

	fn claim(&mut self, now: Epoch) -> Money {
		let mut amount = std::mem::take(&mut self.free);
		for bucket in &mut self.buckets {
			let vested = Self::vested(*bucket, now);
			amount += vested - bucket.3;
			bucket.3 = vested;
		}
		self.buckets.retain(|bucket| bucket.3 < bucket.2);
		amount
	}
}

impl Model {
	pub(super) fn new(rules: Rules, peers: Vec<Peer>) -> Self {
		let mut model = Self {
			rules,
			peers,
			rows: Vec::new(),
			ledgers: BTreeMap::new(),
			burnt: 0,
			minted: 0,
			slashes: 0,
			ordinary_units: 0,
			excused_in_a_row: 0,
		};
		model.open();
		model
	}

	/// The next epoch begins.
	pub(super) fn open(&mut self) {
		let rules = &self.rules;
		let before = self.rows.len().checked_sub(2).map(|index| self.rows[index]);
		let pool = match self.rows.last() {
			None => rules.pool_floor,
			Some(previous) => {
				let idle = before.map_or(0, |row| row.idle);
				let wanted = (rules.reward_target * Money::from(idle)).max(rules.pool_floor);
				let step = previous.pool.max(rules.pool_floor) / 100;
				wanted.clamp(previous.pool - step, previous.pool + step)
			}
		};
		self.rows.push(Row {
			pool: pool.min(rules.pool_limit),
			carried: before.map_or(0, |row| row.dust(rules)),
			..Row::default()
		});
	}

	/// A peer reports an epoch; `holds`: what it is asked to open will be right.
	pub(super) fn report(&mut self, index: usize, epoch: Epoch, idle: u32, busy: u32, holds: bool) {
		let peer = &mut self.peers[index];
		if peer.owed(epoch).is_none() {
			return;
		}
		peer.report = Some(Report {
			epoch,
			idle,
			busy,
			holds,
		});
		let row = &mut self.rows[epoch as usize];
		row.idle += u64::from(idle);
		row.units += u64::from(idle + busy);
	}

	/// All reports of an epoch are there.
	pub(super) fn judge(&mut self, epoch: Epoch) {
		let row = &mut self.rows[epoch as usize];
		if epoch == 0 {
			return;
		}
		row.excused =
			3 * row.units < 2 * self.ordinary_units && self.excused_in_a_row < self.rules.amnesty;
		if row.excused {
			self.excused_in_a_row += 1;
		} else {
			self.excused_in_a_row = 0;
			self.ordinary_units = row.units;
		}
	}

	/// An epoch closes.
	pub(super) fn close(&mut self, epoch: Epoch) {
		let row = self.rows[epoch as usize];
		for peer in &mut self.peers {
			if peer.over.is_none() && peer.start <= epoch {
				assert_eq!(peer.next, epoch);
				self.burnt += peer.settle(&self.rules, &row);
			}
		}
	}

	/// Somebody looks at a peer.
	pub(super) fn touch(&mut self, index: usize, now: Epoch) {
		let peer = &mut self.peers[index];
		for waiting in &mut peer.waiting {
			if waiting.seen.is_none() {
				waiting.seen = Some((self.slashes, now + self.rules.slash_delay));
				self.slashes += 1;
			}
		}
		for entry in std::mem::take(&mut peer.entries) {
			let ledger = self.ledgers.entry(entry.who).or_default();
			ledger.add(entry.start, self.rules.vesting, entry.amount, now);
		}
	}

	/// An offence in an epoch costs a part, in billionths, of what was committed then.
	pub(super) fn offend(
		&mut self,
		index: usize,
		epoch: Epoch,
		part: u128,
		fails: bool,
		now: Epoch,
	) {
		self.touch(index, now);
		let peer = &mut self.peers[index];
		if peer.over.is_none() && epoch < peer.start {
			return;
		}
		let committed = match peer.changed {
			Some(at) if epoch < at => peer.committed_before,
			_ => peer.committed(),
		};
		let due = part_up(committed, part);
		let parts = peer.take(due, epoch);
		if 20 * due >= committed {
			peer.wait(epoch, parts);
		} else {
			self.burnt += parts.iter().map(|(_, amount)| amount).sum::<Money>();
		}
		if peer.over.is_none() && (fails || peer.is_short()) {
			peer.conclude(&self.rules, true);
		}
		self.touch(index, now);
	}

	/// A slash that waits is applied, or sent back.
	pub(super) fn end_slash(&mut self, index: usize, slash: u64, applied: bool) {
		let waiting = &mut self.peers[index].waiting;
		let place = waiting
			.iter()
			.position(|one| one.seen.is_some_and(|(id, _)| id == slash))
			.expect("it waits");
		let gone = waiting.remove(place);
		if applied {
			self.burnt += gone.sum();
		}
	}

	pub(super) fn claim(&mut self, who: Who, now: Epoch) -> Money {
		let amount = self
			.ledgers
			.get_mut(&who)
			.map_or(0, |ledger| ledger.claim(now));
		self.minted += amount;
		amount
	}

	/// What must be on hold of an account for stakes.
	pub(super) fn held(&self, who: Who) -> Money {
		self.peers
			.iter()
			.map(|peer| {
				let holdings = peer.holdings.iter().map(|one| (one.who, one.left));
				let leavers = peer.leavers.iter().copied();
				let waiting = peer.waiting.iter().flat_map(|one| one.parts.clone());
				let pledges = peer
					.change
					.iter()
					.flat_map(|change| change.pledges.iter().map(|one| (one.who, one.add)));
				holdings
					.chain(leavers)
					.chain(waiting)
					.chain(pledges)
					.filter(|(of, _)| *of == who)
					.map(|(_, amount)| amount)
					.sum::<Money>()
			})
			.sum()
	}
}
