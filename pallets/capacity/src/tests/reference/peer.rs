//! One peer of the model: what it promised, what stands behind it, and what an epoch makes of both.

use super::{
	model::{Row, Rules},
	numbers::{divided, multiplied, plus, Words},
};

pub(super) type Who = u64;
pub(super) type Epoch = u32;
pub(super) type Money = u128;

const BILLION: u128 = 1_000_000_000;

/// What holds for one commitment; parts are in billionths.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
	pub(super) stake_per_unit: Money,
	pub(super) slash_rate: u128,
	pub(super) own_floor: u128,
	pub(super) commission: u128,
}

/// One staker's money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holding {
	pub(super) who: Who,
	pub(super) left: Money,
	pub(super) share: Money,
	pub(super) added: Money,
	pub(super) dust: u128,
}

impl Holding {
	pub(super) fn new(who: Who, amount: Money) -> Self {
		Self {
			who,
			left: amount,
			share: amount,
			added: 0,
			dust: 0,
		}
	}
}

/// A slash that waits. When somebody looks at it, it gets its index and the epoch in which it is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
	pub(super) seen: Option<(u64, Epoch)>,
	pub(super) epoch: Epoch,
	pub(super) parts: Vec<(Who, Money)>,
}

impl Waiting {
	pub(super) fn sum(&self) -> Money {
		self.parts.iter().map(|(_, amount)| amount).sum()
	}
}

/// What one staker signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pledge {
	pub(super) who: Who,
	pub(super) keep: Money,
	pub(super) add: Money,
}

/// A change that all have signed, or that has come to nothing since.
#[derive(Clone, Debug)]
pub(super) struct Change {
	pub(super) renewal: bool,
	pub(super) at: Epoch,
	pub(super) units: u32,
	pub(super) end: Epoch,
	pub(super) terms: Terms,
	pub(super) pledges: Vec<Pledge>,
	pub(super) void: bool,
}

/// What a peer said of an epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Report {
	pub(super) epoch: Epoch,
	pub(super) idle: u32,
	pub(super) busy: u32,
	pub(super) holds: bool,
}

/// A reward on its way to a ledger.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
	pub(super) who: Who,
	pub(super) start: Epoch,
	pub(super) amount: Money,
}

#[derive(Clone, Debug)]
pub(super) struct Peer {
	pub(super) units: u32,
	pub(super) busy: u32,
	pub(super) terms: Terms,
	pub(super) start: Epoch,
	pub(super) end: Epoch,
	/// The provider's first.
	pub(super) holdings: Vec<Holding>,
	pub(super) leavers: Vec<(Who, Money)>,
	pub(super) left_at: Epoch,
	pub(super) slashed: Money,
	pub(super) rewarded: Money,
	pub(super) waiting: Vec<Waiting>,
	pub(super) next: Epoch,
	pub(super) score: u128,
	/// Whether it failed, and until when the stake stays.
	pub(super) over: Option<(bool, Epoch)>,
	pub(super) change: Option<Change>,
	pub(super) changed: Option<Epoch>,
	pub(super) committed_before: Money,
	pub(super) per_share: Words,
	pub(super) carry: u128,
	pub(super) period: u32,
	pub(super) entries: Vec<Entry>,
	pub(super) report: Option<Report>,
}

pub(super) fn part_up(amount: Money, billionths: u128) -> Money {
	(amount * billionths).div_ceil(BILLION)
}

/// What a miss weighs in an epoch: twice as much a day later.
pub(super) fn weight(epoch: Epoch) -> u128 {
	(2f64.powi(32) * 2f64.powf(f64::from(epoch % 24) / 24.0)).floor() as u128
}

impl Peer {
	pub(super) fn new(
		units: u32,
		busy: u32,
		terms: Terms,
		end: Epoch,
		holdings: Vec<Holding>,
	) -> Self {
		Self {
			units,
			busy,
			terms,
			start: 1,
			end,
			holdings,
			leavers: Vec::new(),
			left_at: 0,
			slashed: 0,
			rewarded: 0,
			waiting: Vec::new(),
			next: 1,
			score: 0,
			over: None,
			change: None,
			changed: None,
			committed_before: 0,
			per_share: [0; 4],
			carry: 0,
			period: 0,
			entries: Vec::new(),
			report: None,
		}
	}

	pub(super) fn committed(&self) -> Money {
		self.terms.stake_per_unit * Money::from(self.units)
	}

	pub(super) fn left(&self) -> Money {
		self.holdings.iter().map(|holding| holding.left).sum()
	}

	pub(super) fn shares(&self) -> Money {
		self.holdings.iter().map(|holding| holding.share).sum()
	}

	pub(super) fn is_short(&self) -> bool {
		let committed = self.committed();
		self.holdings[0].left < part_up(committed, self.terms.own_floor)
			|| 2 * self.left() <= committed
	}

	/// Units that are owed in an epoch that is not closed: (idle, at work).
	pub(super) fn owed(&self, epoch: Epoch) -> Option<(u32, u32)> {
		let change = self.change.as_ref().filter(|change| !change.void);
		let end = change.map_or(self.end, |change| change.end);
		if self.over.is_some() || epoch < self.start || epoch >= end {
			return None;
		}
		let units = change
			.filter(|change| change.at <= epoch)
			.map_or(self.units, |change| change.units);
		let busy = self.busy.min(units);
		Some((units - busy, busy))
	}

	/// Takes stake that answers for an epoch: the provider's first, then the others' in proportion.
	pub(super) fn take(&mut self, due: Money, epoch: Epoch) -> Vec<(Who, Money)> {
		let before = self.changed.is_some_and(|at| epoch < at);
		let gone_stays = epoch < self.left_at;
		let provider = self.holdings[0].who;
		let answers = |holding: &Holding| match before {
			true => holding.left.saturating_sub(holding.added),
			false => holding.left,
		};

		let mut parts = Vec::new();
		let mut rest = due;
		let own = answers(&self.holdings[0]).min(rest);
		rest -= own;
		parts.push((provider, own));
		self.holdings[0].left -= own;
		for (who, left) in &mut self.leavers {
			if gone_stays && *who == provider {
				let amount = rest.min(*left);
				*left -= amount;
				rest -= amount;
				parts.push((provider, amount));
			}
		}

		let of_holdings: Money = self.holdings[1..].iter().map(&answers).sum();
		let of_leavers: Money = self
			.leavers
			.iter()
			.filter(|(who, _)| gone_stays && *who != provider)
			.map(|(_, left)| left)
			.sum();
		let all = of_holdings + of_leavers;
		let loss = rest.min(all);
		if loss > 0 {
			for holding in &mut self.holdings[1..] {
				let amount = (loss * answers(holding))
					.div_ceil(all)
					.min(answers(holding));
				holding.left -= amount;
				parts.push((holding.who, amount));
			}
			for (who, left) in &mut self.leavers {
				if gone_stays && *who != provider {
					let amount = (loss * *left).div_ceil(all).min(*left);
					*left -= amount;
					parts.push((*who, amount));
				}
			}
		}
		for holding in &mut self.holdings {
			holding.added = holding.added.min(holding.left);
		}
		parts.retain(|(_, amount)| *amount > 0);
		self.slashed += parts.iter().map(|(_, amount)| amount).sum::<Money>();
		parts
	}

	pub(super) fn wait(&mut self, epoch: Epoch, parts: Vec<(Who, Money)>) {
		if !parts.is_empty() {
			self.waiting.push(Waiting {
				seen: None,
				epoch,
				parts,
			});
		}
	}

	pub(super) fn credit(&mut self, rules: &Rules, epoch: Epoch, reward: Money) {
		let period = epoch / rules.vesting.div_ceil(30);
		if period != self.period {
			self.flush(rules);
			self.period = period;
		}
		self.rewarded += reward;
		let (each, carry) = divided(reward, self.carry, self.shares());
		self.per_share = plus(self.per_share, each);
		self.carry = carry;
	}

	/// Sends what has accrued on its way to the ledgers.
	pub(super) fn flush(&mut self, rules: &Rules) {
		if self.per_share == [0; 4] {
			return;
		}
		let start = (self.period + 1) * rules.vesting.div_ceil(30);
		let mut of_provider = 0;
		for (index, holding) in self.holdings.iter_mut().enumerate() {
			let amount;
			(amount, holding.dust) = multiplied(holding.share, self.per_share, holding.dust);
			if index == 0 {
				of_provider += amount;
				continue;
			}
			let commission = amount * self.terms.commission / BILLION;
			of_provider += commission;
			self.entries.push(Entry {
				who: holding.who,
				start,
				amount: amount - commission,
			});
		}
		self.entries.push(Entry {
			who: self.holdings[0].who,
			start,
			amount: of_provider,
		});
		self.per_share = [0; 4];
	}

	pub(super) fn conclude(&mut self, rules: &Rules, failed: bool) {
		self.flush(rules);
		self.over = Some((failed, self.next + rules.unbonding));
		if let Some(change) = &mut self.change {
			change.void = true;
		}
	}

	/// The agreed change, at its epoch: it comes into effect, or is void.
	pub(super) fn change(&mut self, rules: &Rules) {
		let Some(change) = self.change.clone() else {
			return;
		};
		let mut after = self.clone();
		after.flush(rules);
		after.committed_before = self.committed();
		after.units = change.units;
		after.terms = change.terms;
		after.end = change.end;
		let mut gone = Vec::new();
		for holding in &mut after.holdings {
			let pledge = change.pledges.iter().find(|one| one.who == holding.who);
			let add = pledge.map_or(0, |pledge| pledge.add);
			let kept = if change.renewal {
				pledge.map_or(0, |pledge| pledge.keep.min(holding.left))
			} else {
				holding.left
			};
			gone.push((holding.who, holding.left - kept));
			holding.left = kept + add;
			holding.added = add;
			if change.renewal {
				holding.share = kept + add;
			} else {
				holding.share += add;
			}
		}
		for pledge in &change.pledges {
			if !after.holdings.iter().any(|one| one.who == pledge.who) {
				after.holdings.push(Holding {
					added: pledge.add,
					..Holding::new(pledge.who, pledge.add)
				});
			}
		}
		if after.is_short() {
			if let Some(change) = &mut self.change {
				change.void = true;
			}
			return;
		}
		if change.renewal {
			gone.retain(|(_, left)| *left > 0);
			let stays = |who| change.pledges.iter().any(|pledge| pledge.who == who);
			let provider = after.holdings[0].who;
			after
				.holdings
				.retain(|holding| holding.who == provider || stays(holding.who));
			after.leavers = gone;
			after.left_at = change.at;
		}
		after.changed = Some(change.at);
		after.change = None;
		*self = after;
	}

	/// Settles the next epoch, which is closed; what burns.
	pub(super) fn settle(&mut self, rules: &Rules, row: &Row) -> Money {
		let epoch = self.next;
		let committed = self.committed();
		let each_miss = |missed: u32| {
			part_up(
				self.terms.stake_per_unit * Money::from(missed),
				self.terms.slash_rate,
			)
		};
		let one_miss = each_miss(1);
		let report = self.report.filter(|report| report.epoch == epoch);
		let void = report.is_some_and(|report| !report.holds);
		let proven = report
			.filter(|report| report.holds)
			.map_or(0, |report| report.idle + report.busy);
		let missed = self.units - proven;

		let mut burnt = 0;
		if epoch.is_multiple_of(24) {
			self.score = self.score.div_ceil(2);
		}
		if !row.excused {
			let parts = self.take(each_miss(missed), epoch);
			burnt = parts.iter().map(|(_, amount)| amount).sum();
			let part = ((1u128 << 32) * u128::from(missed)).div_ceil(u128::from(self.units));
			self.score += part * weight(epoch);
		}
		if void {
			// Everybody is drawn, so that the chance is one.
			let saved = 3 * Money::from(self.units) * (row.reward(rules) + one_miss);
			let parts = self.take(saved.clamp(committed.div_ceil(20), committed), epoch);
			self.wait(epoch, parts);
		}
		if let Some(report) = report.filter(|report| report.holds) {
			let reward = row.reward(rules) * Money::from(report.idle);
			if reward > 0 {
				self.credit(rules, epoch, reward);
			}
		}
		self.next = epoch + 1;

		if self.score > 24 * (1 << 32) * weight(epoch) || self.is_short() {
			self.conclude(rules, true);
			return burnt;
		}
		let due = |change: &Change| !change.void && change.at == self.next;
		if self.change.as_ref().is_some_and(due) {
			self.change(rules);
		}
		if self.next >= self.end {
			self.conclude(rules, false);
		} else if epoch / rules.vesting.div_ceil(30) > self.period {
			self.flush(rules);
		}
		burnt
	}
}
