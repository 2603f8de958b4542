//! Scenes that benchmarks play in.

use crate::{
	Audits, BenchmarkHelper, CommitmentOf, Commitments, Config, Departures, EpochRows, HoldReason,
	Leaver, Leaving, NextSlash, Pallet, Params, Rounds, SlashReason, WaitingSlash, WaitingSlashes,
};
use alloc::{collections::BTreeMap, vec::Vec};
use frame_benchmarking::{account, whitelisted_caller, BenchmarkError};
use frame_support::traits::fungible::{Mutate, MutateHold};
use millrace_primitives::{
	audit::{drawn_solutions, Audit, AuditAnswer, AuditStatus, SolutionOpening},
	commitment::{StakeOffer, MAX_DELEGATORS},
	hash::blake2_256,
	merkle::{self, Tree},
	peer::{PeerId, PeerSignature},
	report::{Report, Served, MAX_DEALS_PER_PEER},
	traits::{EpochClock, ReceiptLedger},
	Balance, FLT, H256, U256,
};
use sp_runtime::Perbill;

/// Units of a commitment with delegators, of which the provider backs a fifth itself at least.
pub(super) const UNITS: u32 = 70;
/// Units that each delegator backs: a seventh of the rest.
pub(super) const DELEGATED: u32 = 8;

pub(super) fn funded<T: Config>(
	name: &'static str,
	index: u32,
) -> Result<T::AccountId, BenchmarkError> {
	let who: T::AccountId = account(name, index, 0);
	T::Currency::mint_into(&who, FLT.saturating_mul(10_000_000))?;
	Ok(who)
}

/// A funded provider with a peer, in epoch 0.
pub(super) fn provider<T: Config>() -> Result<(T::AccountId, PeerId), BenchmarkError> {
	T::BenchmarkHelper::set_clock(0, 0);
	let provider: T::AccountId = whitelisted_caller();
	T::Currency::mint_into(&provider, FLT.saturating_mul(10_000_000))?;
	let peer = T::BenchmarkHelper::register_peer(&provider);
	Ok((provider, peer))
}

/// An offer to seven accounts that are invited, if they are asked for.
pub(super) fn offer<T: Config>(invites: bool) -> StakeOffer<T::AccountId> {
	let invited: Vec<T::AccountId> = (0..MAX_DELEGATORS)
		.filter(|_| invites)
		.map(|index| account("staker", index, 0))
		.collect();
	StakeOffer {
		own_part: Perbill::from_percent(20),
		commission: Perbill::from_percent(10),
		invited: invited.try_into().unwrap_or_default(),
	}
}

/// Stake of so many units.
pub(super) fn stake_of<T: Config>(units: u32) -> Balance {
	let each = Params::<T>::get().stake_per_unit;
	each.saturating_mul(Balance::from(units))
}

/// Signs the round of a peer as it stands.
pub(super) fn sign<T: Config>(
	who: &T::AccountId,
	peer: PeerId,
	keep: Balance,
	add: Balance,
) -> Result<(), BenchmarkError> {
	let round = Rounds::<T>::get(peer).ok_or("the round is open")?;
	Pallet::<T>::do_stake(who.clone(), peer, round.terms, keep, add)?;
	Ok(())
}

/// A peer with a commitment of so many units that its provider stakes alone, from epoch 1 on.
pub(super) fn committed<T: Config>(units: u32) -> Result<PeerId, BenchmarkError> {
	let (provider, peer) = provider::<T>()?;
	let duration = Params::<T>::get().max_duration_epochs;
	Pallet::<T>::do_create(provider.clone(), peer, units, duration, offer::<T>(false))?;
	sign::<T>(&provider, peer, 0, stake_of::<T>(units))?;
	Ok(peer)
}

/// A peer with a commitment of [`UNITS`] that so many stakers back, from epoch 1 on.
pub(super) fn backed<T: Config>(stakers: u32) -> Result<(T::AccountId, PeerId), BenchmarkError> {
	let (provider, peer) = provider::<T>()?;
	let duration = Params::<T>::get().max_duration_epochs;
	Pallet::<T>::do_create(provider.clone(), peer, UNITS, duration, offer::<T>(false))?;
	let delegators = stakers.saturating_sub(1).min(MAX_DELEGATORS);
	let others = stake_of::<T>(DELEGATED.saturating_mul(delegators));
	let own = stake_of::<T>(UNITS).saturating_sub(others);
	sign::<T>(&provider, peer, 0, own)?;
	for index in 0..delegators {
		let who = funded::<T>("staker", index)?;
		sign::<T>(&who, peer, 0, stake_of::<T>(DELEGATED))?;
	}
	Ok((provider, peer))
}

/// The commitment of a peer, with rewards that no ledger has yet.
pub(super) fn rewarded<T: Config>(peer: PeerId) -> Result<CommitmentOf<T>, BenchmarkError> {
	let mut commitment = Commitments::<T>::get(peer).ok_or("it stands")?;
	// A thousandth of each share.
	commitment.accrual.per_share = U256([0, 0, 1, 0])
		.checked_div(U256::from(1_000u32))
		.unwrap_or_default();
	Ok(commitment)
}

/// So many accounts with so much on hold as stake, besides all others.
fn holders<T: Config>(
	number: u32,
	amount: Balance,
) -> Result<Vec<(T::AccountId, Balance)>, BenchmarkError> {
	let mut rows = Vec::new();
	for index in 0..number {
		let who = funded::<T>("holder", index)?;
		T::Currency::hold(&HoldReason::Stake.into(), &who, amount)?;
		rows.push((who, amount));
	}
	Ok(rows)
}

/// Stakes of so many accounts that left with a renewal, and can be withdrawn.
pub(super) fn departed<T: Config>(peer: PeerId, number: u32) -> Result<(), BenchmarkError> {
	if number == 0 {
		return Ok(());
	}
	let mut leavers = Vec::new();
	for (staker, left) in holders::<T>(number, FLT)? {
		Pallet::<T>::take_place(&staker)?;
		leavers.push(Leaver { staker, left });
	}
	let leaving = Leaving {
		at: 0,
		until: 0,
		rows: leavers.try_into().map_err(|_| "more leave than can")?,
	};
	Departures::<T>::insert(peer, leaving);
	Ok(())
}

/// A slash of so many parts that is due.
pub(super) fn waiting<T: Config>(parts: u32) -> Result<PeerId, BenchmarkError> {
	let peer = committed::<T>(4)?;
	let parts = holders::<T>(parts, FLT.saturating_mul(100))?;
	let amount = parts
		.iter()
		.fold(0, |sum: Balance, (_, part)| sum.saturating_add(*part));
	let reporter = funded::<T>("reporter", 0)?;
	let row = WaitingSlash {
		epoch: 0,
		due: 0,
		reason: SlashReason::Offence,
		parts: parts
			.try_into()
			.map_err(|_| "more parts than there can be")?,
		reporter: Some((reporter, FLT)),
	};
	WaitingSlashes::<T>::insert(peer, 0, row);
	NextSlash::<T>::put(1);
	Commitments::<T>::mutate(peer, |commitment| {
		if let Some(commitment) = commitment {
			(commitment.slashed, commitment.waiting) = (amount, amount);
			commitment.waiting_slashes = 1;
		}
	});
	Ok(peer)
}

/// Puts the clock on a position of epoch 2, with the totals of the epochs before and a target that
/// every hash meets.
pub(super) fn in_epoch_two<T: Config>(position: u32) {
	for epoch in 0..=2 {
		Pallet::<T>::open_row(epoch);
		EpochRows::<T>::mutate(Pallet::<T>::slot_of(epoch), |row| {
			if let Some(row) = row {
				row.target = U256::MAX;
			}
		});
	}
	T::BenchmarkHelper::set_clock(2, position);
}

pub(super) fn answer_position<T: Config>() -> u32 {
	let lengths = T::Clock::current().lengths;
	lengths.report_window.saturating_add(lengths.fold_window)
}

/// A report of epoch 1 over four units and so many deals.
pub(super) fn full_report<T: Config>(served: u32) -> Result<Report, BenchmarkError> {
	let rates = Params::<T>::get().rates;
	let tree = Tree::new((0..rates.leaves(4, 0)).map(u64::to_le_bytes));
	let served: Vec<_> = (0..served)
		.map(|deal| Served {
			deal: deal.into(),
			calls: 1,
			gas: 1,
		})
		.collect();
	Ok(Report {
		proven_idle: 4,
		proofs_root: tree.root(),
		served: served.try_into().map_err(|_| "more deals than fit")?,
		..Report::empty(1)
	})
}

pub(super) fn report_signature<T: Config>(peer: PeerId, report: &Report) -> PeerSignature {
	T::BenchmarkHelper::sign(peer, report.hash(T::Clock::genesis(), peer))
}

fn node_hash(left: &H256, right: &H256) -> H256 {
	blake2_256(&[&[1], left.as_bytes(), right.as_bytes()].concat())
}

/// Root of a tree of which only some leaves are known, each its own index, and the paths to those.
/// Whatever else there is may be anything.
fn sparse_tree(leaves: u64, known: &[u64]) -> (H256, Vec<Vec<H256>>) {
	let mut row: BTreeMap<u64, H256> = known
		.iter()
		.map(|index| (*index, merkle::leaf_hash(&index.to_le_bytes())))
		.collect();
	let mut ways: Vec<(u64, Vec<H256>)> = known.iter().map(|index| (*index, Vec::new())).collect();
	let mut last = leaves.saturating_sub(1);
	while last > 0 {
		let sibling = |place: u64| {
			let there = place ^ 1;
			(there <= last).then(|| row.get(&there).copied().unwrap_or_default())
		};
		for (place, path) in ways.iter_mut() {
			path.extend(sibling(*place));
			*place = place.saturating_div(2);
		}
		row = row
			.iter()
			.map(|(place, hash)| {
				let above = match sibling(*place) {
					None => *hash,
					Some(other) if place & 1 == 1 => node_hash(&other, hash),
					Some(other) => node_hash(hash, &other),
				};
				(place.saturating_div(2), above)
			})
			.collect();
		last = last.saturating_div(2);
	}
	let root = row.get(&0).copied().unwrap_or_default();
	(root, ways.into_iter().map(|(_, path)| path).collect())
}

/// A drawn peer's right answer, with its signature: the largest report, and paths of 32 hashes.
pub(super) fn due_answer<T: Config>() -> Result<(PeerId, AuditAnswer, PeerSignature), BenchmarkError>
{
	let peer = committed::<T>(4)?;
	in_epoch_two::<T>(0);
	let rates = Params::<T>::get().rates;
	let draw = T::Clock::draw(1).ok_or("the draw is folded")?;
	let mut report = full_report::<T>(MAX_DEALS_PER_PEER)?;
	let units = (1u64 << merkle::MAX_PATH).checked_div(rates.idle.into());
	report.proven_idle = units
		.and_then(|units| u32::try_from(units).ok())
		.unwrap_or(u32::MAX);
	let leaves = rates.leaves(report.proven_idle, 0);
	let drawn = drawn_solutions(draw, peer, leaves);
	let (root, paths) = sparse_tree(leaves, &drawn);
	report.proofs_root = root;
	T::Receipts::on_report(peer, 1, report.hash(T::Clock::genesis(), peer));
	in_epoch_two::<T>(answer_position::<T>());
	Audits::<T>::insert(
		peer,
		Audit {
			epoch: 1,
			status: AuditStatus::Open,
		},
	);
	let mut solutions = Vec::new();
	for (nonce, path) in drawn.into_iter().zip(paths) {
		let path = path
			.try_into()
			.map_err(|_| "a path has 32 hashes at most")?;
		solutions.push(SolutionOpening { nonce, path });
	}
	let answer = AuditAnswer {
		report,
		solutions: solutions
			.try_into()
			.map_err(|_| "more solutions than fit")?,
		receipts: Default::default(),
	};
	let signature = T::BenchmarkHelper::sign(peer, answer.hash(T::Clock::genesis(), peer));
	Ok((peer, answer, signature))
}
