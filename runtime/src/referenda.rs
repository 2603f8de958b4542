//! What clients read of referenda and votes: the SDK's pallets keep them, and tell nobody where a
//! referendum stands now, what it misses and when that changes.

use crate::{
	configs::governance::origins::Origin, AccountId, Balance, BlockNumber, OriginCaller, Preimage,
	Runtime, RuntimeCall, Scheduler, System,
};
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use frame_support::traits::{
	schedule::{v3::Named, DispatchTime},
	Bounded, Get, QueryPreimage, VoteTally,
};
use millrace_primitives::{
	referenda::{
		Ballot, DelegationView, DepositView, Enactment, OngoingView, ReferendumIndex,
		ReferendumPhase, ReferendumView, TallyView, TrackId, TrackLock, TrackView, VoteLock,
		VoteView, VotingRules, VotingView, MAX_REFERENDA_PAGE, MAX_SHOWN_CALL,
	},
	H256,
};
use pallet_conviction_voting::{
	AccountVote, Casting, ClassLocksFor, Conviction, Delegating, Voting, VotingFor,
};
use pallet_referenda::{
	BoundedCallOf, DecidingCount, Deposit, ReferendumCount, ReferendumInfo, ReferendumInfoFor,
	ReferendumStatusOf, TrackInfoOf, TrackQueue, TracksInfo,
};
use sp_runtime::Perbill;

type Tracks = <Runtime as pallet_referenda::Config>::Tracks;
type Electorate = <Runtime as pallet_conviction_voting::Config>::MaxTurnout;
type LockPeriod = <Runtime as pallet_conviction_voting::Config>::VoteLockingPeriod;
type Undecided = <Runtime as pallet_referenda::Config>::UndecidingTimeout;
type SubmissionDeposit = <Runtime as pallet_referenda::Config>::SubmissionDeposit;
type Status = ReferendumStatusOf<Runtime, ()>;

/// First part of the name under which pallet-referenda schedules what was approved.
const ENACTMENT: [u8; 8] = *b"assembly";

sp_api::decl_runtime_apis! {
	/// Referenda, and who votes how.
	pub trait ReferendaApi {
		/// What every referendum and vote is under.
		fn rules() -> VotingRules;
		/// A referendum, with the call that it proposes.
		fn referendum(index: ReferendumIndex) -> Option<ReferendumView<AccountId>>;
		/// Referenda in ascending order from an index on, at most
		/// [`millrace_primitives::referenda::MAX_REFERENDA_PAGE`].
		fn referenda(from: ReferendumIndex, limit: u32) -> Vec<ReferendumView<AccountId>>;
		/// How an account votes, and what that locks.
		fn voting(account: AccountId) -> VotingView<AccountId>;
		/// Whether the chain has the call of a hash.
		fn has_preimage(hash: H256) -> bool;
	}
}

/// What every referendum and vote is under.
pub fn rules() -> VotingRules {
	let tracks = Tracks::tracks().filter_map(|track| {
		let (id, info) = (track.id, &track.info);
		let name = info.name.iter().take_while(|byte| **byte != 0);
		Some(TrackView {
			id,
			name: String::from_utf8_lossy(&name.copied().collect::<Vec<u8>>()).into_owned(),
			origin: origin_of(id)?.encode(),
			decision_deposit: info.decision_deposit,
			max_deciding: info.max_deciding,
			deciding: DecidingCount::<Runtime>::get(id),
			prepare_blocks: info.prepare_period,
			decision_blocks: info.decision_period,
			confirm_blocks: info.confirm_period,
			enactment_blocks: info.min_enactment_period,
		})
	});
	VotingRules {
		referenda: ReferendumCount::<Runtime>::get(),
		submission_deposit: SubmissionDeposit::get(),
		undecided_blocks: Undecided::get(),
		lock_blocks: LockPeriod::get(),
		tracks: tracks.collect(),
	}
}

/// The origin that a track gives.
fn origin_of(track: TrackId) -> Option<OriginCaller> {
	[
		OriginCaller::system(frame_system::RawOrigin::Root),
		OriginCaller::GovernanceOrigins(Origin::Treasurer),
		OriginCaller::GovernanceOrigins(Origin::Parameters),
		OriginCaller::GovernanceOrigins(Origin::Capacity),
		OriginCaller::GovernanceOrigins(Origin::Market),
		OriginCaller::GovernanceOrigins(Origin::Emergency),
	]
	.into_iter()
	.find(|origin| Tracks::track_for(origin) == Ok(track))
}

/// A referendum, with the call that it proposes.
pub fn referendum(index: ReferendumIndex) -> Option<ReferendumView<AccountId>> {
	view(index, true)
}

/// A page of referenda. Calls that stand elsewhere are left out: each can be megabytes long.
pub fn referenda(from: ReferendumIndex, limit: u32) -> Vec<ReferendumView<AccountId>> {
	let to = from
		.saturating_add(limit.min(MAX_REFERENDA_PAGE))
		.min(ReferendumCount::<Runtime>::get());
	(from..to).filter_map(|index| view(index, false)).collect()
}

/// Whether the chain has the call of a hash.
pub fn has_preimage(hash: H256) -> bool {
	<Preimage as QueryPreimage>::len(&hash).is_some()
}

fn view(index: ReferendumIndex, with_call: bool) -> Option<ReferendumView<AccountId>> {
	use ReferendumInfo::{Approved, Cancelled, Killed, Ongoing, Rejected, TimedOut};
	let mut ongoing = None;
	let (phase, submission, decision) = match ReferendumInfoFor::<Runtime>::get(index)? {
		Ongoing(status) => {
			ongoing = Some(ongoing_view(&status, with_call));
			let phase = phase_of(index, &status);
			let submission = Some(status.submission_deposit);
			(phase, submission, status.decision_deposit)
		}
		Approved(at, submission, decision) => {
			let enacts = enacts(index);
			let phase = ReferendumPhase::Approved { at, enacts };
			(phase, submission, decision)
		}
		Rejected(at, submission, decision) => {
			(ReferendumPhase::Rejected { at }, submission, decision)
		}
		Cancelled(at, submission, decision) => {
			(ReferendumPhase::Cancelled { at }, submission, decision)
		}
		TimedOut(at, submission, decision) => {
			(ReferendumPhase::TimedOut { at }, submission, decision)
		}
		Killed(at) => (ReferendumPhase::Killed { at }, None, None),
	};
	Some(ReferendumView {
		referendum: index,
		phase,
		ongoing,
		submission_deposit: submission.map(deposit),
		decision_deposit: decision.map(deposit),
	})
}

fn deposit(deposit: Deposit<AccountId, Balance>) -> DepositView<AccountId> {
	DepositView {
		who: deposit.who,
		amount: deposit.amount,
	}
}

/// Block for which what was approved is scheduled, until it has been enacted.
fn enacts(index: ReferendumIndex) -> Option<BlockNumber> {
	let name = (ENACTMENT, "enactment", index).using_encoded(sp_io::hashing::blake2_256);
	<Scheduler as Named<BlockNumber, RuntimeCall, OriginCaller>>::next_dispatch_time(name).ok()
}

fn phase_of(index: ReferendumIndex, status: &Status) -> ReferendumPhase {
	let track = Tracks::info(status.track);
	let period =
		|of: fn(&TrackInfoOf<Runtime>) -> BlockNumber| track.as_ref().map_or(0, |track| of(track));
	let submitted = status.submitted;
	match &status.deciding {
		Some(deciding) => match deciding.confirming {
			Some(until) => ReferendumPhase::Confirming {
				since: deciding.since,
				until,
			},
			None => ReferendumPhase::Deciding {
				since: deciding.since,
				until: deciding
					.since
					.saturating_add(period(|track| track.decision_period)),
			},
		},
		None if status.in_queue => {
			// The one with the most votes stands last, and is the first to leave.
			let queue = TrackQueue::<Runtime>::get(status.track);
			let before = queue.iter().rev().take_while(|(other, _)| *other != index);
			let place = (before.count() as u32).saturating_add(1);
			ReferendumPhase::Queued { place }
		}
		None if status.decision_deposit.is_none() => ReferendumPhase::NeedsDeposit {
			until: submitted.saturating_add(Undecided::get()),
		},
		None => ReferendumPhase::Preparing {
			until: submitted.saturating_add(period(|track| track.prepare_period)),
		},
	}
}

fn ongoing_view(status: &Status, with_call: bool) -> OngoingView {
	let proposal = &status.proposal;
	OngoingView {
		track: status.track,
		submitted: status.submitted,
		enactment: match status.enactment {
			DispatchTime::At(block) => Enactment::At(block),
			DispatchTime::After(blocks) => Enactment::After(blocks),
		},
		proposal: proposal.hash(),
		proposal_bytes: proposal.len(),
		has_preimage: match proposal {
			Bounded::Inline(_) => true,
			Bounded::Legacy { hash, .. } => <Preimage as QueryPreimage>::len(hash).is_some(),
			Bounded::Lookup { hash, len } => <Preimage as QueryPreimage>::len(hash) == Some(*len),
		},
		call: call_of(proposal, with_call),
		tally: tally_of(status),
	}
}

/// The proposed call, or the beginning of a long one.
fn call_of(proposal: &BoundedCallOf<Runtime, ()>, look_up: bool) -> Vec<u8> {
	let mut bytes = match proposal {
		Bounded::Inline(bytes) => bytes.to_vec(),
		Bounded::Lookup { hash, len } if look_up => {
			<Preimage as QueryPreimage>::fetch(hash, Some(*len))
				.map(|bytes| bytes.into_owned())
				.unwrap_or_default()
		}
		_ => Vec::new(),
	};
	bytes.truncate(MAX_SHOWN_CALL as usize);
	bytes
}

fn tally_of(status: &Status) -> TallyView {
	let (track, votes) = (status.track, &status.tally);
	let approval = VoteTally::<Balance, TrackId>::approval(votes, track);
	let supported = VoteTally::<Balance, TrackId>::support(votes, track);
	let mut view = TallyView {
		ayes: votes.ayes,
		nays: votes.nays,
		support: votes.support,
		electorate: Electorate::get(),
		approval,
		approval_needed: Perbill::one(),
		supported,
		support_needed: Perbill::one(),
		passes_from: None,
	};
	let Some(info) = Tracks::info(track) else {
		return view;
	};
	let period = info.decision_period;
	let since = status.deciding.as_ref().map(|deciding| deciding.since);
	let elapsed = since.map_or(0, |since| System::block_number().saturating_sub(since));
	let part = Perbill::from_rational(elapsed.min(period), period);
	view.approval_needed = info.min_approval.threshold(part);
	view.support_needed = info.min_support.threshold(part);
	let whole = Perbill::one();
	let ever =
		info.min_approval.passing(whole, approval) && info.min_support.passing(whole, supported);
	view.passes_from = since.filter(|_| ever).map(|since| {
		let wait = info
			.min_approval
			.delay(approval)
			.max(info.min_support.delay(supported));
		since.saturating_add(wait.mul_ceil(period))
	});
	view
}

/// How an account votes, and what that locks.
pub fn voting(account: AccountId) -> VotingView<AccountId> {
	let mut view = VotingView {
		votes: Vec::new(),
		delegations: Vec::new(),
		locks: Vec::new(),
	};
	let locked = ClassLocksFor::<Runtime>::get(&account);
	for track in Tracks::track_ids() {
		let mut voting = VotingFor::<Runtime>::get(&account, track);
		voting.rejig(System::block_number());
		let needed = voting.locked_balance();
		let prior = match voting {
			Voting::Casting(Casting { votes, prior, .. }) => {
				view.votes
					.extend(votes.into_iter().map(|(referendum, vote)| VoteView {
						referendum,
						track,
						ballot: ballot(vote),
						lock: lock_of(referendum, vote),
					}));
				prior.encode()
			}
			Voting::Delegating(Delegating {
				balance,
				target,
				conviction,
				prior,
				..
			}) => {
				view.delegations.push(DelegationView {
					track,
					to: target,
					conviction: conviction.into(),
					balance,
				});
				prior.encode()
			}
		};
		// The lock's block is told to nobody, but stands before its amount.
		let (past_until, past) =
			<(BlockNumber, Balance)>::decode(&mut &prior[..]).unwrap_or_default();
		let locked = locked.iter().find(|(class, _)| *class == track);
		let locked = locked.map_or(0, |(_, amount)| *amount);
		if locked > 0 || needed > 0 {
			view.locks.push(TrackLock {
				track,
				locked,
				needed,
				past,
				past_until,
			});
		}
	}
	view
}

fn ballot(vote: AccountVote<Balance>) -> Ballot {
	match vote {
		AccountVote::Standard { vote, balance } => Ballot::Side {
			aye: vote.aye,
			conviction: vote.conviction.into(),
			balance,
		},
		AccountVote::Split { aye, nay } => Ballot::Split {
			aye,
			nay,
			abstain: 0,
		},
		AccountVote::SplitAbstain { aye, nay, abstain } => Ballot::Split { aye, nay, abstain },
	}
}

/// What keeps a vote locked: that its referendum goes on, or that it won with conviction.
fn lock_of(referendum: ReferendumIndex, vote: AccountVote<Balance>) -> VoteLock {
	let (end, approved) = match ReferendumInfoFor::<Runtime>::get(referendum) {
		Some(ReferendumInfo::Ongoing(_)) => return VoteLock::Ongoing,
		Some(ReferendumInfo::Approved(end, ..)) => (end, true),
		Some(ReferendumInfo::Rejected(end, ..)) => (end, false),
		_ => return VoteLock::Free,
	};
	match vote {
		AccountVote::Standard { vote, .. }
			if vote.aye == approved && vote.conviction != Conviction::None =>
		{
			let periods = vote.conviction.lock_periods();
			let until = end.saturating_add(LockPeriod::get().saturating_mul(periods));
			if until > System::block_number() {
				VoteLock::Until(until)
			} else {
				VoteLock::Free
			}
		}
		_ => VoteLock::Free,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::DecodeAll;

	#[test]
	fn every_track_names_the_origin_that_it_gives() {
		sp_io::TestExternalities::default().execute_with(|| {
			let rules = rules();
			assert_eq!(rules.tracks.len(), Tracks::tracks().count());
			for track in rules.tracks {
				let origin = OriginCaller::decode_all(&mut &track.origin[..])
					.expect("it is encoded as an origin");
				assert_eq!(Tracks::track_for(&origin), Ok(track.id), "{}", track.name);
				assert!(!track.name.is_empty() && !track.name.contains('\0'));
			}
		});
	}

	#[test]
	fn there_is_nothing_to_show_where_there_is_no_referendum() {
		sp_io::TestExternalities::default().execute_with(|| {
			assert_eq!(referendum(0), None);
			assert!(referenda(0, u32::MAX).is_empty());
			assert!(referenda(u32::MAX, u32::MAX).is_empty());
			let nobody = voting(AccountId::new([1; 32]));
			assert!(nobody.votes.is_empty() && nobody.locks.is_empty());
		});
	}
}
