//! The provider's rewards, from the pools of the epochs over the ledger to its account.

use super::{
	expect::{self, WorkerTerm},
	money::{commitment, compare, fee},
	network::{Network, Running},
	rpc::RewardRow,
};
use crate::{
	commands::{deal::missing_event, provider::Claimed},
	errors::{CliError, Kind, Result},
};
use millrace_client::{calls, AccountId, AccountKey, View};
use millrace_primitives::{
	epoch::Phase,
	peer::PeerId,
	views::{CommitmentStatus, CommitmentView},
	Balance, EpochIndex,
};
use std::{collections::BTreeMap, time::Duration};

/// Longest wait for a part of an epoch in which nothing is settled.
const QUIET_LIMIT: Duration = Duration::from_secs(90);
/// Blocks that an epoch must still have then: a transaction takes some.
const QUIET_BLOCKS: u32 = 8;

/// What the peers of this network had to do.
#[derive(Debug)]
pub(crate) struct Work<'a> {
	/// The peers, which are all that there are.
	pub(crate) peers: &'a [PeerId],
	/// Units of each.
	pub(crate) units: u32,
	/// Units at work, one a worker.
	pub(crate) workers: &'a [WorkerTerm],
	/// The epoch in which their deal was closed, the last one in which they were at work.
	pub(crate) closed: EpochIndex,
}

/// Rewards, as they were credited and claimed.
#[derive(Debug)]
pub(crate) struct Rewards {
	/// Rewards of all commitments together.
	pub(crate) credited: Balance,
	/// What was paid to the provider.
	pub(crate) claimed: Balance,
	/// What differs from the rules.
	pub(crate) mismatches: Vec<String>,
	/// The block of the claim.
	pub(crate) end: View,
}

/// What the rules give for all settled epochs.
#[derive(Debug, Default)]
struct Expected {
	credited: Balance,
	stake: Balance,
	/// By the first epoch in which it vests: amount, time in which it does, and what was taken.
	ledger: BTreeMap<EpochIndex, (Balance, u32, Balance)>,
}

impl Work<'_> {
	/// Units of a peer that were idle in an epoch.
	fn idle(&self, peer: PeerId, epoch: EpochIndex) -> Balance {
		let at_work = |worker: &&WorkerTerm| {
			worker.peer == peer && (worker.since..=self.closed).contains(&epoch)
		};
		let busy = self.workers.iter().filter(at_work).count() as Balance;
		Balance::from(self.units).saturating_sub(busy)
	}
}

/// The bystander claims for the provider, which anybody may. Then stakes, rewards, ledger, claim and
/// new FLT are compared with what the rules give for the blocks before and after the claim.
pub(crate) async fn claim(
	network: &mut Network,
	running: &Running,
	provider: &AccountKey,
	bystander: &AccountKey,
	work: &Work<'_>,
) -> Result<Rewards> {
	until_quiet(network, running, work.peers).await?;
	let (provider, by) = (provider.account(), bystander.account());
	let included = running
		.chain
		.submit(bystander, calls::capacity::claim(&provider))
		.await?;
	let (_, claimed): Claimed = included
		.find("Capacity", "RewardClaimed")
		.ok_or_else(|| missing_event("RewardClaimed"))?;
	let fee = fee(&included)?;
	let parent = running
		.rpc
		.block_hash(included.number.saturating_sub(1))
		.await?;
	let (before, after) = (
		running.chain.at(parent).await?,
		running.chain.at(included.block).await?,
	);

	let mut mismatches = Vec::new();
	let expected = expect_all(running, &before, work, &mut mismatches).await?;
	let earnings = before.earnings(&provider).await?;
	let ledger: BTreeMap<_, _> = earnings
		.buckets
		.iter()
		.map(|bucket| (bucket.start, (bucket.amount, bucket.epochs, bucket.taken)))
		.collect();
	if ledger != expected.ledger {
		let (found, by_the_rules) = (ledger, &expected.ledger);
		mismatches.push(format!(
			"the provider's ledger: {found:?}, but the rules give {by_the_rules:?}"
		));
	}
	let vested = |now| expect::vested(&earnings.buckets, now).ok_or_else(overflow);
	let claimable = vested(before.epoch().await?.info.index)?;
	let due = vested(after.epoch().await?.info.index)?;

	let (own, others, issuance) = money_at(&before, &provider, &by).await?;
	let (own_after, others_after, issuance_after) = money_at(&after, &provider, &by).await?;
	let (stake, deposit) = held(&before, &provider).await?;
	for (what, found, by_the_rules) in [
		("reward that can be claimed", earnings.claimable, claimable),
		("reward claimed", claimed, due),
		(
			"reward that can be claimed afterwards",
			after.earnings(&provider).await?.claimable,
			0,
		),
		(
			"growth of the provider's account by the claim",
			own_after.saturating_sub(own),
			due,
		),
		(
			"cost of the claim to the bystander",
			others.saturating_sub(others_after),
			fee,
		),
		(
			"new FLT by the claim",
			issuance_after.saturating_add(fee).saturating_sub(issuance),
			0,
		),
		("stake held of the provider", stake, expected.stake),
		("deposit for the ledger", deposit, earnings.deposit),
	] {
		compare(&mut mismatches, what, found, by_the_rules);
	}
	Ok(Rewards {
		credited: expected.credited,
		claimed,
		mismatches,
		end: after,
	})
}

/// Waits until all peers are settled up to the same epoch, at a block after which nothing is for a
/// while: peers settle when they report.
async fn until_quiet(network: &mut Network, running: &Running, peers: &[PeerId]) -> Result<()> {
	let what = "all peers are settled up to the same epoch";
	network
		.until(&running.chain, what, QUIET_LIMIT, async |view: &View| {
			let status = view.epoch().await?;
			let left = status.info.lengths.len.saturating_sub(status.position);
			if status.phase == Phase::Report || left < QUIET_BLOCKS {
				return Ok(None);
			}
			let mut settled = Vec::new();
			for peer in peers {
				settled.push(commitment(view, *peer).await?.next_to_settle);
			}
			settled.dedup();
			Ok((settled.len() == 1).then_some(()))
		})
		.await
}

/// Computes stakes, rewards and ledger from the pools and from who was idle when, and compares what
/// the commitments say of them.
///
/// Every peer of this network is the provider's, so each epoch's whole reward is.
async fn expect_all(
	running: &Running,
	view: &View,
	work: &Work<'_>,
	mismatches: &mut Vec<String>,
) -> Result<Expected> {
	let mut commitments = Vec::new();
	for peer in work.peers {
		commitments.push(commitment(view, *peer).await?);
	}
	let next = commitments.iter().map(|found| found.next_to_settle).max();
	let mut rows = Vec::new();
	for epoch in 0..next.unwrap_or(0) {
		rows.extend(running.rpc.reward_row(epoch, view.block().hash).await?);
	}

	let mut expected = Expected::default();
	let mut idle: BTreeMap<EpochIndex, Balance> = BTreeMap::new();
	for found in &commitments {
		let earned = earned(found, &rows, work)?;
		for (epoch, _) in &earned {
			let units = idle.entry(*epoch).or_default();
			*units = units.saturating_add(work.idle(found.peer, *epoch));
		}
		let rewarded = earned
			.iter()
			.try_fold(0 as Balance, |sum, (_, reward)| sum.checked_add(*reward))
			.ok_or_else(overflow)?;
		let stake = Balance::from(work.units)
			.checked_mul(found.terms.stake_per_unit)
			.ok_or_else(overflow)?;
		let peer = found.peer;
		for (what, amount, by_the_rules) in [
			("rewards", found.rewarded, rewarded),
			("stake", found.stake, stake),
			("own stake", found.own, stake),
			("slashes", found.slashed, 0),
		] {
			compare(
				mismatches,
				&format!("{what} of peer {peer}"),
				amount,
				by_the_rules,
			);
		}
		expected.credited = expected.credited.saturating_add(rewarded);
		expected.stake = expected.stake.saturating_add(stake);
		let vesting = found.terms.vesting_epochs;
		let ledger = expect::ledger(&earned, stake, vesting).ok_or_else(overflow)?;
		for (start, amount) in ledger {
			let (sum, ..) = expected.ledger.entry(start).or_insert((0, vesting, 0));
			*sum = sum.saturating_add(amount);
		}
	}

	for row in &rows {
		let units = idle.get(&row.epoch).copied().unwrap_or(0);
		let what = format!("idle units proven in epoch {}", row.epoch);
		compare(mismatches, &what, row.idle.into(), units);
	}
	let pools = expect::rewards(&rows).ok_or_else(overflow)?;
	let what = "rewards of the commitments together";
	compare(mismatches, what, expected.credited, pools);
	if expected.credited == 0 {
		mismatches.push("no reward was credited".into());
	}
	Ok(expected)
}

/// What a commitment earned in each epoch that is settled.
fn earned(
	found: &CommitmentView<AccountId>,
	rows: &[RewardRow],
	work: &Work<'_>,
) -> Result<Vec<(EpochIndex, Balance)>> {
	let peer = found.peer;
	let CommitmentStatus::Active { start, .. } = found.status else {
		let message = format!("the commitment of peer {peer} does not stand any more");
		return Err(CliError::new(Kind::Verification, "not_active", message));
	};
	let settled = start..found.next_to_settle;
	rows.iter()
		.filter(|row| settled.contains(&row.epoch))
		.map(|row| {
			let idle = work.idle(peer, row.epoch);
			let reward = expect::reward_per_unit(row)?.checked_mul(idle)?;
			Some((row.epoch, reward))
		})
		.collect::<Option<_>>()
		.ok_or_else(overflow)
}

/// What provider and bystander own at a block, and all FLT there is.
async fn money_at(
	view: &View,
	provider: &AccountId,
	bystander: &AccountId,
) -> Result<(Balance, Balance, Balance)> {
	Ok((
		view.balance(provider).await?.total(),
		view.balance(bystander).await?.total(),
		view.total_issuance().await?,
	))
}

/// What is held of an account as stake, and for its ledger.
async fn held(view: &View, account: &AccountId) -> Result<(Balance, Balance)> {
	let holds = view.holds(account).await?;
	let held = |reason: &str| -> Balance {
		holds
			.iter()
			.filter(|hold| hold.pallet == "Capacity" && hold.reason == reason)
			.map(|hold| hold.amount)
			.sum()
	};
	Ok((held("Stake"), held("Deposit")))
}

fn overflow() -> CliError {
	CliError::from(anyhow::anyhow!("the rewards overflow"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_unit_is_at_work_until_the_deal_is_closed() {
		let peer = PeerId::default();
		let workers = [WorkerTerm {
			peer,
			epoch_price: 1,
			since: 4,
		}];
		let work = Work {
			peers: &[peer],
			units: 2,
			workers: &workers,
			closed: 6,
		};
		let idle = [3, 4, 6, 7].map(|epoch| work.idle(peer, epoch));
		assert_eq!(idle, [2, 1, 1, 2]);
		let stranger = PeerId(millrace_primitives::H256::repeat_byte(1));
		assert_eq!(work.idle(stranger, 5), 2);
	}
}
