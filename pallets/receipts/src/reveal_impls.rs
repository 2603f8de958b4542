//! What becomes of a challenge that is revealed.

use crate::{
	judge_impls::Verdict, Case, Cases, Commit, Commits, Config, Error, Event, HoldReason,
	OpenCases, Pallet, Params, Show, Shows, ShowsOf, WeightInfo, MAX_SHOWS,
};
use frame_support::{
	dispatch::WithPostDispatchInfo,
	ensure,
	pallet_prelude::{DispatchResultWithPostInfo, Weight},
	weights::WeightToFee,
};
use millrace_primitives::{
	challenge::{commitment, CaseId, Charge, Evidence, OffenceKind},
	effects::MAX_TRANSCRIPT_BYTES,
	execution::{
		arbitration_gas, replay_ps, ARBITRATION_PS, MAX_PACKAGE_BYTES, MAX_REQUEST_RECORD,
	},
	peer::PeerId,
	traits::{EpochClock, StakeSlasher},
	BlockNumber, EpochIndex, Gas, H256,
};
use sp_runtime::{DispatchError, Perbill};

/// Picoseconds to read and hash a byte that somebody brings.
const READING_PS_PER_BYTE: u64 = 10_000;

impl<T: Config> Pallet<T> {
	/// Reveals a challenge and settles it. Nothing that costs a replay ends in an error: the block's
	/// turn would be free again.
	pub(crate) fn do_reveal(
		who: T::AccountId,
		case: CaseId,
		salt: H256,
		evidence: Option<&Evidence>,
	) -> DispatchResultWithPostInfo {
		let mut weight = T::WeightInfo::reveal();
		match Self::settle_reveal(who, case, salt, evidence, &mut weight) {
			Ok(()) => Ok(Some(weight).into()),
			Err(error) => Err(error.with_weight(weight)),
		}
	}

	fn settle_reveal(
		who: T::AccountId,
		case: CaseId,
		salt: H256,
		evidence: Option<&Evidence>,
		weight: &mut Weight,
	) -> Result<(), DispatchError> {
		let name = commitment(T::Clock::genesis(), &who, &case, salt);
		let commit = Commits::<T>::get(&who, name).ok_or(Error::<T>::NoCommit)?;
		let now = Self::now();
		ensure!(now >= commit.opens, Error::<T>::TooEarly);
		ensure!(now <= commit.closes, Error::<T>::TooLate);
		Self::remove_commit(&who, name);

		let kind = case.charge.kind();
		if let Some(standing) = Self::standing_case(case.peer, case.epoch, kind)? {
			Self::join_case(who, case, commit, standing);
			return Ok(());
		}
		if case.charge == Charge::Omitted {
			if let Some(show) = Shows::<T>::get(case.peer, case.subject) {
				Self::join_show(who, case, commit, show);
				return Ok(());
			}
		}

		let evidence = evidence.ok_or(Error::<T>::NoEvidence)?;
		*weight = Self::looking_weight(evidence);
		match Self::judge(&case, evidence)? {
			Verdict::Proven => Self::prove(who, case, commit),
			Verdict::Asks { seq } => Self::ask_leaf(who, case, commit, seq)?,
			Verdict::Replayed { agrees, spent } => {
				weight.saturating_accrue(spent);
				Self::settle_replay(who, case, commit, agrees, spent);
			}
		}
		Ok(())
	}

	/// A challenge is proven by its own reveal.
	fn prove(who: T::AccountId, case: CaseId, commit: Commit) {
		Self::release(HoldReason::Challenge, &who, commit.bond);
		OpenCases::<T>::mutate(case.peer, |open| *open = open.saturating_add(1));
		let params = Params::<T>::get();
		let part = params.part_of(case.charge.kind());
		Self::open_case(case, who, commit.block, part, params.reward);
	}

	/// What a replay says of a challenge: proven where it does not agree with the receipt.
	fn settle_replay(
		who: T::AccountId,
		case: CaseId,
		commit: Commit,
		agrees: Option<bool>,
		spent: Weight,
	) {
		match agrees {
			Some(false) => Self::prove(who, case, commit),
			Some(true) => {
				let cost = T::WeightToFee::weight_to_fee(&spent);
				let Commit {
					bond, compensation, ..
				} = commit;
				let (burnt, provider) =
					Self::forfeit_bond(&who, bond, compensation, cost, case.peer);
				Self::deposit_event(Event::ChallengeRefuted {
					case,
					who,
					burnt,
					provider,
				});
			}
			None => {
				Self::release(HoldReason::Challenge, &who, commit.bond);
				Self::deposit_event(Event::ChallengeInconclusive { case, who });
			}
		}
	}

	/// The case of a peer, epoch and kind, whether concluded or not.
	pub(crate) fn standing_case(
		peer: PeerId,
		epoch: EpochIndex,
		kind: OffenceKind,
	) -> Result<Option<Case<T::AccountId>>, Error<T>> {
		let Some(row) = Cases::<T>::get(peer, (Self::slot_of(epoch), kind)) else {
			return Ok(None);
		};
		if row.epoch == epoch {
			return Ok(Some(row));
		}
		ensure!(row.epoch < epoch, Error::<T>::PeriodOver);
		ensure!(row.concluded, Error::<T>::OlderCaseOpen);
		Ok(None)
	}

	/// Notes a case as proven.
	pub(crate) fn open_case(
		case: CaseId,
		leader: T::AccountId,
		committed: BlockNumber,
		part: Perbill,
		reward: Perbill,
	) {
		let contest = Params::<T>::get().contest_blocks;
		let contest_until = Self::now().saturating_add(contest);
		Cases::<T>::insert(
			case.peer,
			(Self::slot_of(case.epoch), case.charge.kind()),
			Case {
				epoch: case.epoch,
				charge: case.charge,
				subject: case.subject,
				proven: Self::height(),
				leader: leader.clone(),
				committed,
				contest_until,
				part,
				reward,
				concluded: false,
			},
		);
		Self::deposit_event(Event::ChallengeProven {
			case,
			leader,
			contest_until: Self::height_at(contest_until),
		});
	}

	/// A commitment to a case that is proven leads if it is earlier. Of another receipt, or after the
	/// contest, it comes to nothing. Its bond is free either way: it may well be right.
	///
	/// What is compared is the receipt, not the charge: else whoever sees a reveal could shut it out
	/// by proving the same receipt false in another way first.
	fn join_case(
		who: T::AccountId,
		case: CaseId,
		commit: Commit,
		mut standing: Case<T::AccountId>,
	) {
		Self::release(HoldReason::Challenge, &who, commit.bond);
		let is_open = !standing.concluded && Self::now() <= standing.contest_until;
		if !is_open || standing.subject != case.subject {
			Self::deposit_event(Event::ChallengeMoot { case, who });
			return;
		}
		let leads = commit.block < standing.committed;
		if leads {
			standing.leader = who.clone();
			standing.committed = commit.block;
			let slot = Self::slot_of(case.epoch);
			Cases::<T>::insert(case.peer, (slot, case.charge.kind()), standing);
		}
		Self::deposit_event(Event::ChallengeJoined { case, who, leads });
	}

	/// An earlier commitment to a claim that waits takes its place, with its own bond; a later one
	/// comes to nothing.
	fn join_show(who: T::AccountId, case: CaseId, commit: Commit, show: Show<T::AccountId>) {
		if commit.block >= show.committed {
			Self::release(HoldReason::Challenge, &who, commit.bond);
			Self::deposit_event(Event::ChallengeMoot { case, who });
			return;
		}
		Self::release(HoldReason::Challenge, &show.who, show.bond);
		let show = Show {
			who: who.clone(),
			committed: commit.block,
			bond: commit.bond,
			compensation: commit.compensation,
			..show
		};
		Shows::<T>::insert(case.peer, case.subject, show);
		let leads = true;
		Self::deposit_event(Event::ChallengeJoined { case, who, leads });
	}

	/// Asks a peer for the leaf of a receipt. The bond stays on hold.
	fn ask_leaf(who: T::AccountId, case: CaseId, commit: Commit, seq: u32) -> Result<(), Error<T>> {
		let others = ShowsOf::<T>::get(case.peer);
		ensure!(others < MAX_SHOWS, Error::<T>::TooManyShows);
		let params = Params::<T>::get();
		let deadline = Self::now().saturating_add(params.show_blocks);
		Shows::<T>::insert(
			case.peer,
			case.subject,
			Show {
				epoch: case.epoch,
				seq,
				who: who.clone(),
				committed: commit.block,
				bond: commit.bond,
				asked: Self::height(),
				deadline,
				compensation: commit.compensation,
				part: params.part_of(case.charge.kind()),
				reward: params.reward,
			},
		);
		ShowsOf::<T>::insert(case.peer, others.saturating_add(1));
		OpenCases::<T>::mutate(case.peer, |open| *open = open.saturating_add(1));
		Self::deposit_event(Event::LeafAsked {
			case,
			seq,
			who,
			deadline: Self::height_at(deadline),
		});
		Ok(())
	}

	/// Weight of running a call again: of so large a package, up to so much gas.
	pub fn replay_weight(package_bytes: u32, gas: Gas) -> Weight {
		Weight::from_parts(replay_ps(package_bytes, gas), 0)
	}

	/// Weight of reading and hashing so many bytes.
	pub(crate) fn reading_weight(bytes: usize) -> Weight {
		let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
		Weight::from_parts(READING_PS_PER_BYTE.saturating_mul(bytes), 0)
	}

	/// Weight of looking at evidence, without running anything again.
	fn looking_weight(evidence: &Evidence) -> Weight {
		let Evidence::Replay {
			package,
			request,
			transcript,
			..
		} = evidence
		else {
			return T::WeightInfo::reveal();
		};
		Self::looking_weight_of(package.len(), request.len(), transcript.len())
	}

	/// Requests and transcripts are read and hashed here, and written once more for the judge.
	fn looking_weight_of(package: usize, request: usize, transcript: usize) -> Weight {
		let twice = request.saturating_add(transcript).saturating_mul(2);
		let bytes = package.saturating_add(twice);
		T::WeightInfo::reveal_replay().saturating_add(Self::reading_weight(bytes))
	}

	/// Weight of a reveal, known before: a call is run no further than its receipt claims.
	pub(crate) fn reveal_weight(evidence: Option<&Evidence>) -> Weight {
		let Some(evidence) = evidence else {
			return T::WeightInfo::reveal();
		};
		let replay = match evidence {
			Evidence::Replay {
				receipt, package, ..
			} => {
				let package = u32::try_from(package.len()).unwrap_or(MAX_PACKAGE_BYTES);
				Self::replay_weight(package, receipt.receipt.gas.min(arbitration_gas(package)))
			}
			_ => Weight::zero(),
		};
		// Evidence of a case that stands is not looked at.
		let looking = Self::looking_weight(evidence).max(T::WeightInfo::reveal());
		looking.saturating_add(replay)
	}

	/// Weight of the dearest reveal that there can be.
	pub(crate) fn largest_reveal_weight() -> Weight {
		let [package, request, transcript] =
			[MAX_PACKAGE_BYTES, MAX_REQUEST_RECORD, MAX_TRANSCRIPT_BYTES]
				.map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
		Self::looking_weight_of(package, request, transcript)
			.saturating_add(Weight::from_parts(ARBITRATION_PS, 0))
	}

	/// Weight of the conclusion of a case.
	pub(crate) fn conclude_weight() -> Weight {
		T::WeightInfo::conclude().saturating_add(T::Slasher::slash_weight())
	}
}
