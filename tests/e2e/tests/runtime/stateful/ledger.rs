//! A naive ledger of what is burnt, kept by events alone: it knows the rules that burn FLT, and no rule
//! that makes any.

use millrace_primitives::{commitment::SlashId, peer::PeerId, Balance, EpochIndex};
use millrace_runtime::{Runtime, RuntimeEvent, System};
use pallet_anchor::Event as Anchor;
use pallet_capacity::Event as Capacity;
use pallet_developer_rewards::Event as Rewards;
use pallet_market::Event as Market;
use pallet_receipts::Event as Receipts;
use std::collections::{BTreeMap, BTreeSet};

/// What the events have declared so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
	burnt: BTreeMap<&'static str, Balance>,
	/// Events of the block that are read.
	read: usize,
	/// Bounties since the last settlement: what is slashed at once burns but for them.
	bounties: Balance,
	/// The slash that began to wait last: what waits does not burn.
	waits: Option<(SlashId, (PeerId, EpochIndex, Balance))>,
	/// Slashes that wait because a provider equivocated.
	equivocations: BTreeSet<SlashId>,
	/// What has left the pot of developer rewards.
	rewarded: Balance,
}

impl Ledger {
	/// All that was declared as burnt.
	pub(crate) fn burnt(&self) -> Balance {
		self.burnt.values().sum()
	}

	/// What a rule has burnt.
	pub(crate) fn burnt_by(&self, rule: &str) -> Balance {
		self.burnt.get(rule).copied().unwrap_or_default()
	}

	/// What has left the pot of developer rewards: none of it burns.
	pub(super) fn rewarded(&self) -> Balance {
		self.rewarded
	}

	/// A block has begun: its events are counted from the first.
	pub(super) fn begin_block(&mut self) {
		self.read = 0;
	}

	/// Reads the events that came since it last read; what they are.
	pub(super) fn read(&mut self) -> Vec<RuntimeEvent> {
		let events: Vec<RuntimeEvent> = System::events()
			.into_iter()
			.skip(self.read)
			.map(|record| record.event)
			.collect();
		self.read += events.len();
		(self.bounties, self.waits) = (0, None);
		for event in &events {
			self.note(event);
		}
		events
	}

	fn burn(&mut self, rule: &'static str, amount: Balance) {
		*self.burnt.entry(rule).or_default() += amount;
	}

	fn note(&mut self, event: &RuntimeEvent) {
		match event {
			RuntimeEvent::TransactionPayment(
				pallet_transaction_payment::Event::TransactionFeePaid { actual_fee, .. },
			) => self.burn("fees", *actual_fee),
			RuntimeEvent::Balances(pallet_balances::Event::DustLost { amount, .. }) => {
				self.burn("dust", *amount);
			}
			RuntimeEvent::Market(event) => self.note_market(event),
			RuntimeEvent::Anchor(event) => self.note_anchor(event),
			RuntimeEvent::Capacity(event) => self.note_capacity(event),
			RuntimeEvent::DeveloperRewards(
				Rewards::Claimed { amount, .. }
				| Rewards::ProgrammeEnded {
					to_treasury: amount,
					..
				},
			) => self.rewarded += amount,
			RuntimeEvent::Receipts(
				Receipts::CommitForfeited { burnt, .. } | Receipts::ChallengeRefuted { burnt, .. },
			) => self.burn("challenges", *burnt),
			_ => {}
		}
	}

	fn note_market(&mut self, event: &Market<Runtime>) {
		match event {
			Market::ReportPaid { burnt, .. } | Market::ClosingPaid { burnt, .. } => {
				self.burn("payments", *burnt);
			}
			Market::BondForfeited { burnt, .. } => self.burn("bonds", *burnt),
			Market::ProbeAnswered { burnt, .. } => self.burn("probes", *burnt),
			_ => {}
		}
	}

	/// What is locked for the anchor stays FLT of this chain; what a message costs does not.
	fn note_anchor(&mut self, event: &Anchor<Runtime>) {
		match event {
			Anchor::WithdrawalSent { fee, .. } | Anchor::MessageSent { fee, .. } => {
				self.burn("messages", *fee);
			}
			Anchor::ForcedCalled { burnt, .. } | Anchor::ForcedRefused { burnt, .. } => {
				self.burn("forced", *burnt);
			}
			_ => {}
		}
	}

	fn note_capacity(&mut self, event: &Capacity<Runtime>) {
		match *event {
			Capacity::BountyPaid { amount, .. } => self.bounties += amount,
			Capacity::EpochSettled { slashed, .. } | Capacity::SilenceSettled { slashed, .. } => {
				self.burn_at_once("slashes", slashed);
			}
			Capacity::SlashWaits {
				peer,
				slash,
				epoch,
				amount,
				..
			} => self.waits = Some((slash, (peer, epoch, amount))),
			Capacity::OffenceCharged {
				peer,
				epoch,
				amount,
			} => {
				// What is charged waits, as a rule, and burns when it is applied.
				if self.waiting((peer, epoch, amount)).is_none() {
					self.burn("slashes", amount);
				}
			}
			Capacity::EquivocationCharged {
				peer,
				epoch,
				amount,
			} => match self.waiting((peer, epoch, amount)) {
				Some(slash) => {
					self.equivocations.insert(slash);
				}
				None => self.burn_at_once("equivocations", amount),
			},
			Capacity::SlashApplied { slash, burnt, .. } => {
				let rule = match self.equivocations.remove(&slash) {
					true => "equivocations",
					false => "slashes",
				};
				self.burn(rule, burnt);
			}
			_ => {}
		}
	}

	/// What is taken at once burns but for its bounties, of which events tell before.
	fn burn_at_once(&mut self, rule: &'static str, taken: Balance) {
		let bounties = std::mem::take(&mut self.bounties);
		let burnt = taken.checked_sub(bounties);
		self.burn(rule, burnt.expect("bounties are parts of slashes"));
	}

	/// The slash that began to wait last, if it is this one.
	fn waiting(&mut self, charged: (PeerId, EpochIndex, Balance)) -> Option<SlashId> {
		let (slash, waits) = self.waits.take()?;
		(waits == charged).then_some(slash)
	}
}
