//! A naive ledger of what is burnt, kept by events alone: it knows the rules that burn FLT, and no rule
//! that makes any.

use millrace_primitives::{peer::PeerId, Balance, EpochIndex};
use millrace_runtime::{Runtime, RuntimeEvent, System};
use pallet_anchor::Event as Anchor;
use pallet_capacity::Event as Capacity;
use pallet_market::Event as Market;
use pallet_receipts::Event as Receipts;
use std::collections::BTreeMap;

/// What the events have declared so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
	burnt: BTreeMap<&'static str, Balance>,
	/// Events of the block that are read.
	read: usize,
	/// Bounties since the last settlement: what is slashed at once burns but for them.
	bounties: Balance,
	/// The slash that began to wait last: what waits does not burn.
	waits: Option<(PeerId, EpochIndex, Balance)>,
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
				let bounties = std::mem::take(&mut self.bounties);
				let burnt = slashed.checked_sub(bounties);
				self.burn("slashes", burnt.expect("bounties are parts of slashes"));
			}
			Capacity::SlashWaits {
				peer,
				epoch,
				amount,
				..
			} => self.waits = Some((peer, epoch, amount)),
			Capacity::OffenceCharged {
				peer,
				epoch,
				amount,
			}
			| Capacity::EquivocationCharged {
				peer,
				epoch,
				amount,
			} => {
				// What is charged waits, as a rule, and burns when it is applied.
				if self.waits.take() != Some((peer, epoch, amount)) {
					self.burn("slashes", amount);
				}
			}
			Capacity::SlashApplied { burnt, .. } => self.burn("slashes", burnt),
			_ => {}
		}
	}
}
