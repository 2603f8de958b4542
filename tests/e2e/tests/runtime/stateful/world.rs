//! Who lives on the chain, and what they do in a block.

use super::{
	anchor::There,
	chain::{send_duty, Chain},
	dice::Dice,
	invariants,
	ledger::Ledger,
	seldom::OTHER,
	work::GAS,
};
use crate::errors::scene::{
	going_live, is_drawn, now, pass_audit, peer, report, reported, ALICE, BOB, CHARLIE, DAVE, EVE,
};
use frame_support::traits::fungible::Inspect;
use millrace_client::calls;
use millrace_primitives::{
	challenge::{CaseId, Evidence},
	commitment::StakerTerms,
	market::WorkerStatus,
	peer::PeerId,
	Balance, DealId,
};
use millrace_runtime::{AccountId, Balances, Capacity, DeveloperRewards, Market, System};
use std::collections::BTreeMap;

/// A sixth of those that are rich at genesis.
pub(super) const FERDIE: &str = "//Ferdie";
/// Accounts that own machines, in turn.
const OWNERS: [&str; 4] = [ALICE, CHARLIE, DAVE, FERDIE];
/// Accounts that order deals, and delegate stake.
pub(super) const CLIENTS: [&str; 2] = [BOB, EVE];
/// Everybody, each of whom votes, pushes what is due and challenges.
pub(super) const ALL: [&str; 6] = [ALICE, BOB, CHARLIE, DAVE, EVE, FERDIE];
/// Machines, numbered from 1 on.
const MACHINES: u32 = 12;
/// Position in an epoch from which on audits of the one before are not answered: it is closed.
const AUDITS_END: u32 = 16;
/// A machine is dishonest or away in one epoch of so many.
const LAPSES: u32 = 9;

/// Kinds of steps that a long life has, each at least once with success.
pub(crate) const KINDS: [&str; 43] = [
	"begin",
	"end",
	"commit",
	"stake",
	"cancel",
	"settle",
	"withdraw",
	"claim",
	"apply_slash",
	"cancel_slash",
	"report",
	"offer",
	"create_deal",
	"top_up",
	"go_live",
	"match_deal",
	"push_worker",
	"take_deal",
	"redeem",
	"stop",
	"close",
	"probe",
	"answer_probe",
	"commit_challenge",
	"reveal_challenge",
	"forget_challenge",
	"transfer",
	"dust",
	"submit",
	"vote",
	"unvote",
	"lock",
	"set_parameter",
	"payout",
	"start_programme",
	"claim_reward",
	"end_programme",
	"equivocate",
	"anchor_withdraw",
	"anchor_send",
	"anchor_vote",
	"anchor_deliver",
	"anchor_release",
];

/// A chain and those who live on it.
#[derive(Debug)]
pub(crate) struct World {
	chain: Chain,
	pub(crate) ledger: Ledger,
	pub(super) dice: Dice,
	/// Of what chance alone brings about too seldom, and of how deals are billed.
	pub(super) rare: Dice,
	/// The anchor.
	pub(super) there: There,
	/// All FLT at genesis.
	supply: Balance,
	/// What the pot of developer rewards had then.
	pot: Balance,
	pub(crate) steps: u32,
	done: BTreeMap<&'static str, u32>,
	/// Terms of the last round of each machine.
	pub(super) rounds: BTreeMap<u16, StakerTerms>,
	/// Challenges that Ferdie has committed to and not revealed.
	pub(super) promised: Vec<(CaseId, Evidence)>,
	/// Cases that were proven and not concluded.
	pub(super) proven: Vec<CaseId>,
}

impl World {
	pub(super) fn new(seed: u64) -> Self {
		Self {
			chain: Chain::new(),
			ledger: Ledger::default(),
			dice: Dice::new(seed),
			rare: Dice::new(seed ^ OTHER),
			there: There::new(seed),
			supply: Balances::total_issuance(),
			pot: in_pot(),
			steps: 0,
			done: BTreeMap::new(),
			rounds: BTreeMap::new(),
			promised: Vec::new(),
			proven: Vec::new(),
		}
	}

	/// How often a kind of step succeeded.
	pub(crate) fn done(&self, name: &str) -> u32 {
		self.done.get(name).copied().unwrap_or_default()
	}

	/// How often each of them did.
	pub(crate) fn all_done(&self) -> &BTreeMap<&'static str, u32> {
		&self.done
	}

	/// A block: duties, and transactions of whoever wants something.
	pub(super) fn block(&mut self) {
		self.chain.begin_block();
		self.ledger.begin_block();
		self.note("begin", true);
		for n in 1..=MACHINES as u16 {
			self.serve(n);
		}
		for _ in 0..self.dice.below(7) {
			let (name, worked) = self.act();
			self.note(name, worked);
		}
		if let Some((name, worked)) = self.cross() {
			self.note(name, worked);
		}
		if let Some((name, worked)) = self.seldom() {
			self.note(name, worked);
		}
		self.chain.end_block();
		self.note("end", true);
		invariants::check();
		self.there.check();
	}

	/// A step is done: the issuance has to be what the ledger says, and so has the pot of developer rewards.
	pub(super) fn note(&mut self, name: &'static str, worked: bool) {
		self.steps += 1;
		*self.done.entry(name).or_default() += u32::from(worked);
		let events = self.ledger.read();
		assert_eq!(
			Balances::total_issuance() + self.ledger.burnt(),
			self.supply,
			"{name}, in block {}: {events:#?}",
			System::block_number(),
		);
		assert_eq!(
			in_pot() + self.ledger.rewarded(),
			self.pot,
			"{name}, in block {}: {events:#?}",
			System::block_number(),
		);
	}

	/// What a machine owes in this block.
	fn serve(&mut self, n: u16) {
		let (epoch, position) = now();
		let lapses = (u32::from(n) * 5 + epoch) % LAPSES;
		let id = peer(n);
		if lapses != 0 && Capacity::report_due(id) && self.dice.one_in(2) {
			self.report(n);
		}
		// RandomX takes its time, so that who passes is decided here.
		let drawn = Capacity::audit_of(id).is_some_and(|audit| audit.epoch + 1 == epoch);
		if lapses != 1 && drawn && is_drawn(n) && position < AUDITS_END {
			pass_audit(n);
		}
		for assignment in Market::assignments(id) {
			let assigned = matches!(assignment.worker.status, WorkerStatus::Assigned { .. });
			let deal = assignment.deal;
			if assigned && self.dice.one_in(4) {
				let call = calls::market::go_live(id, deal, going_live(n, deal));
				let worked = send_duty(&call);
				self.note("go_live", worked);
			}
		}
	}

	fn report(&mut self, n: u16) {
		let last = now().0 - 1;
		let Some(owed) = Capacity::work_of(peer(n), last) else {
			return;
		};
		let mut deals: Vec<DealId> = Market::assignments(peer(n))
			.iter()
			.filter(|assignment| assignment.worker.is_due(last))
			.map(|assignment| assignment.deal)
			.collect();
		deals.sort_unstable();
		let missed = self.dice.below(2).min(owed.idle);
		let mut report = report(owed.idle - missed, owed.busy, &[0], &deals);
		for served in report.served.iter_mut() {
			served.gas = GAS;
		}
		let worked = send_duty(&reported(n, &report));
		self.note("report", worked);
	}

	/// Somebody sends a transaction: what kind, and whether it succeeded.
	fn act(&mut self) -> (&'static str, bool) {
		match self.dice.below(42) {
			0..=4 => ("commit", self.commit()),
			5..=8 => ("stake", self.stake()),
			9 => ("cancel", self.cancel()),
			10..=12 => ("settle", self.settle()),
			13..=14 => ("withdraw", self.withdraw()),
			15..=16 => ("claim", self.claim()),
			17 => ("apply_slash", self.apply_slash()),
			18 => ("cancel_slash", self.cancel_slash()),
			19..=21 => ("offer", self.offer()),
			22..=23 => ("create_deal", self.create_deal()),
			24 => ("top_up", self.top_up()),
			25 => ("stop", self.stop()),
			26 => ("close", self.close()),
			27 => ("match_deal", self.match_deal()),
			28 => ("push_worker", self.push_worker()),
			29 => ("probe", self.probe()),
			30 => ("commit_challenge", self.commit_challenge()),
			31 => ("reveal_challenge", self.reveal_challenge()),
			32 => ("forget_challenge", self.forget_challenge()),
			33 => ("transfer", self.transfer()),
			34..=35 => ("submit", self.submit()),
			36..=37 => ("vote", self.vote()),
			38 => ("unvote", self.unvote()),
			39 => ("lock", self.lock()),
			40 => ("set_parameter", self.set_parameter()),
			_ => ("payout", self.payout()),
		}
	}

	/// A machine by chance, and whose it is.
	pub(super) fn machine(&mut self) -> (u16, &'static str) {
		let n = self.dice.from_to(1, MACHINES) as u16;
		(n, OWNERS[usize::from(n) % OWNERS.len()])
	}

	/// Somebody by chance.
	pub(super) fn anybody(&mut self) -> &'static str {
		ALL[self.dice.below(ALL.len() as u32) as usize]
	}

	/// A client by chance.
	pub(super) fn client(&mut self) -> &'static str {
		CLIENTS[self.dice.below(CLIENTS.len() as u32) as usize]
	}
}

/// The number of a machine.
pub(super) fn machine_of(id: PeerId) -> Option<u16> {
	(1..=MACHINES as u16).find(|n| peer(*n) == id)
}

/// What developers can still be rewarded from.
fn in_pot() -> Balance {
	<Balances as Inspect<AccountId>>::total_balance(&DeveloperRewards::pot())
}
