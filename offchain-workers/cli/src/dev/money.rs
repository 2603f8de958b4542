//! The demo's own books: balances before and after, and what the rules give.

use super::{
	expect::{self, WorkerTerm},
	network::Running,
	report::Money,
};
use crate::{
	commands::deal::{missing_event, Closed},
	errors::{CliError, Result},
};
use millrace_client::{AccountId, AccountKey, Included, View};
use millrace_primitives::{
	market::{DealStatus, DealTerms, WorkerStatus},
	peer::PeerId,
	views::{CommitmentView, DealView},
	Balance, DealId, EpochIndex,
};

/// What is known of the deal's money.
#[derive(Debug)]
pub(crate) struct Books {
	provider: AccountId,
	client: AccountId,
	bystander: AccountId,
	/// All that they owned before the deal.
	provider_before: Balance,
	client_before: Balance,
	bystander_before: Balance,
	/// All FLT that there was then.
	issuance_before: Balance,
	escrow: Balance,
	closing_deposit: Balance,
	/// What the client's account lost by the deal's creation, and what the rules say.
	prepaid: (Balance, Balance),
	/// Fees of the client's own transactions.
	fees: Balance,
	workers: Vec<WorkerTerm>,
	/// What the deal keeps of the parameters that it was made under.
	terms: DealTerms,
	/// What the rules give.
	expected: expect::Outcome,
	/// What the chain says.
	actual: expect::Outcome,
	/// What the provider's account grew by.
	received: Balance,
}

impl Books {
	/// Notes what they own. From now on the provider sends nothing, so that its account moves by
	/// payments and rewards alone.
	pub(crate) async fn open(
		running: &Running,
		provider: &AccountKey,
		client: &AccountKey,
		bystander: &AccountKey,
	) -> Result<Self> {
		let view = running.chain.latest().await?;
		let (provider, client) = (provider.account(), client.account());
		let bystander = bystander.account();
		Ok(Self {
			provider,
			client,
			bystander,
			provider_before: view.balance(&provider).await?.total(),
			client_before: view.balance(&client).await?.total(),
			bystander_before: view.balance(&bystander).await?.total(),
			issuance_before: view.total_issuance().await?,
			escrow: 0,
			closing_deposit: 0,
			prepaid: (0, 0),
			fees: 0,
			workers: Vec::new(),
			terms: DealTerms::default(),
			expected: expect::Outcome::default(),
			actual: expect::Outcome::default(),
			received: 0,
		})
	}

	/// Escrow and closing deposit.
	pub(crate) fn escrowed(&self) -> Balance {
		self.escrow.saturating_add(self.closing_deposit)
	}

	/// The deal was created: escrow and closing deposit have left the client's account for the pot.
	pub(crate) async fn created(
		&mut self,
		running: &Running,
		included: &Included,
	) -> Result<DealId> {
		let (deal, _, escrow, closing_deposit): (DealId, AccountId, Balance, Balance) = included
			.find("Market", "DealCreated")
			.ok_or_else(|| missing_event("DealCreated"))?;
		self.escrow = escrow;
		self.closing_deposit = closing_deposit;
		self.add_fee(included)?;
		let view = running.chain.at(included.block).await?;
		let left = view.balance(&self.client).await?.total();
		self.prepaid = (
			self.client_before.saturating_sub(left),
			self.escrowed().saturating_add(self.fees),
		);
		Ok(deal)
	}

	/// The deal was stopped, and its workers are those that are paid for its last epoch.
	pub(crate) fn stopped(
		&mut self,
		included: &Included,
		deal: &DealView<AccountId>,
	) -> Result<EpochIndex> {
		self.add_fee(included)?;
		let DealStatus::Ending { last } = deal.status else {
			return Err(missing_event("DealStopped"));
		};
		self.terms = deal.terms;
		self.workers = deal
			.workers
			.iter()
			.filter_map(|view| match view.worker.status {
				WorkerStatus::Live { since } | WorkerStatus::Draining { since, .. } => {
					Some(WorkerTerm {
						peer: view.worker.peer,
						epoch_price: view.worker.epoch_price(),
						since,
					})
				}
				WorkerStatus::Assigned { .. } => None,
			})
			.collect();
		Ok(last)
	}

	/// The workers of the deal.
	pub(crate) fn workers(&self) -> &[WorkerTerm] {
		&self.workers
	}

	/// The deal was closed.
	pub(crate) fn closed(&mut self, (_, paid, burnt, refunded): Closed) {
		self.actual = expect::Outcome {
			paid,
			burnt,
			refunded,
		};
	}

	/// Compares all that with the rules, at the block in which the deal was closed.
	pub(crate) async fn compare(
		&mut self,
		end: &View,
		peers: &[PeerId],
		last: EpochIndex,
	) -> Result<Vec<String>> {
		self.expected = expect::stopped_deal(
			self.escrow,
			self.closing_deposit,
			&self.terms,
			last,
			&self.workers,
		)
		.ok_or_else(|| CliError::from(anyhow::anyhow!("the payments overflow")))?;
		let mut mismatches = Vec::new();
		let first = self
			.workers
			.iter()
			.map(|worker| worker.since)
			.min()
			.unwrap_or(last);
		for peer in peers {
			for epoch in first..=last {
				if end.report(*peer, epoch).await?.is_none() {
					mismatches.push(format!("peer {peer} did not report epoch {epoch}"));
				}
			}
			let slashed = commitment(end, *peer).await?.slashed;
			if slashed != 0 {
				mismatches.push(format!("peer {peer} was slashed by {slashed}"));
			}
		}
		let provider_after = end.balance(&self.provider).await?.total();
		let client_after = end.balance(&self.client).await?.total();
		self.received = provider_after.saturating_sub(self.provider_before);
		let spent = self.client_before.saturating_sub(client_after);
		let (expected, actual) = (self.expected, self.actual);
		let fees_and_price = expected
			.paid
			.saturating_add(expected.burnt)
			.saturating_add(self.fees);
		let accounted = actual
			.paid
			.saturating_add(actual.burnt)
			.saturating_add(actual.refunded);
		let (prepaid, into_the_pot) = self.prepaid;
		for (what, found, by_the_rules) in [
			("prepaid by the client, fee included", prepaid, into_the_pot),
			("paid", actual.paid, expected.paid),
			("burnt", actual.burnt, expected.burnt),
			("refunded", actual.refunded, expected.refunded),
			(
				"paid, burnt and refunded together",
				accounted,
				self.escrowed(),
			),
			("received by the provider", self.received, expected.paid),
			("spent by the client, fees included", spent, fees_and_price),
		] {
			compare(&mut mismatches, what, found, by_the_rules);
		}
		Ok(mismatches)
	}

	/// Compares all FLT that there is with what there was before the deal: payments burn in part, and so
	/// do the fees of the client and of the bystander, whose account moves by nothing else. Rewards are
	/// paid from a reserve and make none.
	pub(crate) async fn compare_issuance(&self, end: &View) -> Result<Vec<String>> {
		let bystander_after = end.balance(&self.bystander).await?.total();
		let spent = self.bystander_before.saturating_sub(bystander_after);
		let burnt = self.actual.burnt.saturating_add(self.fees);
		let by_the_rules = self
			.issuance_before
			.saturating_sub(burnt)
			.saturating_sub(spent);
		let mut mismatches = Vec::new();
		let found = end.total_issuance().await?;
		compare(&mut mismatches, "all FLT there is", found, by_the_rules);
		Ok(mismatches)
	}

	/// The amounts of the report.
	pub(crate) fn report(&self, reward_credited: Balance, reward_claimed: Balance) -> Money {
		Money {
			escrowed: self.escrowed(),
			paid_to_provider: self.received,
			burnt: self.actual.burnt,
			expected_paid: self.expected.paid,
			refunded: self.actual.refunded,
			reward_credited,
			reward_claimed,
		}
	}

	fn add_fee(&mut self, included: &Included) -> Result<()> {
		self.fees = self.fees.saturating_add(fee(included)?);
		Ok(())
	}
}

/// The fee of a transaction.
pub(crate) fn fee(included: &Included) -> Result<Balance> {
	let (_, fee, _): (AccountId, Balance, Balance) = included
		.find("TransactionPayment", "TransactionFeePaid")
		.ok_or_else(|| missing_event("TransactionFeePaid"))?;
	Ok(fee)
}

/// The commitment of a peer that has one.
pub(crate) async fn commitment(view: &View, peer: PeerId) -> Result<CommitmentView<AccountId>> {
	view.commitment(peer).await?.ok_or_else(|| {
		CliError::not_found(
			"commitment_unknown",
			format!("peer {peer} has no commitment"),
		)
	})
}

/// Notes an amount that differs from what the rules give, be it by one unit.
pub(crate) fn compare(
	mismatches: &mut Vec<String>,
	what: &str,
	found: Balance,
	by_the_rules: Balance,
) {
	if found != by_the_rules {
		mismatches.push(format!(
			"{what}: {found}, but the rules give {by_the_rules}"
		));
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn one_unit_is_a_mismatch() {
		let mut mismatches = Vec::new();
		compare(&mut mismatches, "paid", 7, 7);
		assert!(mismatches.is_empty());
		compare(&mut mismatches, "paid", 7, 8);
		compare(&mut mismatches, "burnt", 8, 7);
		assert_eq!(
			mismatches,
			[
				"paid: 7, but the rules give 8",
				"burnt: 8, but the rules give 7"
			]
		);
	}
}
