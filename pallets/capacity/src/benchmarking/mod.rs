//! Benchmarks of the calls and hooks, and of the parts that settlements are made of, each at its bounds.

mod scenes;

use self::scenes::*;
use crate::{
	Amnesties, Amnesty, Audits, Bucket, Call, Commitments, Config, Departures, Draw, EpochRows,
	Ledgers, Listed, OngoingDraw, Outcome, Pallet, Params, ReportList, Rounds, SlashReason,
	WaitingSlashes, MAX_BUCKETS, MAX_PARTS, REMEMBERED_EPOCHS,
};
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::{Authorize, EnsureOrigin},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	audit::{Audit, AuditStatus},
	commitment::{MAX_DELEGATORS, MAX_STAKERS},
	peer::{PeerId, PeerSignature},
	report::MAX_DEALS_PER_PEER,
	traits::{Emission, EpochClock, OnEpoch, RandomX},
	views::CommitmentStatus,
	EpochIndex, FLT, H256,
};
use sp_runtime::Perbill;

/// What benchmarks need of the runtime around the pallet.
pub trait BenchmarkHelper<AccountId> {
	/// Registers a new peer of the provider, whose key [`Self::sign`] signs with.
	fn register_peer(provider: &AccountId) -> PeerId;
	/// Signature of a peer's key.
	fn sign(peer: PeerId, hash: H256) -> PeerSignature;
	/// Puts the clock on a position of an epoch, with its seed and the draw of the one before,
	/// without running any hook.
	fn set_clock(epoch: EpochIndex, position: u32);
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create() -> Result<(), BenchmarkError> {
		let (provider, peer) = provider::<T>()?;
		let duration = Params::<T>::get().min_duration_epochs;

		#[extrinsic_call]
		_(
			RawOrigin::Signed(provider),
			peer,
			4,
			duration,
			offer::<T>(true),
		);

		assert!(Rounds::<T>::contains_key(peer));
		Ok(())
	}

	/// The last delegator that there can be signs; the provider is still to come.
	#[benchmark]
	fn stake() -> Result<(), BenchmarkError> {
		let (provider, peer) = provider::<T>()?;
		let duration = Params::<T>::get().min_duration_epochs;
		Pallet::<T>::do_create(provider, peer, UNITS, duration, offer::<T>(true))?;
		let amount = stake_of::<T>(DELEGATED);
		for index in 1..MAX_DELEGATORS {
			sign::<T>(&funded::<T>("staker", index)?, peer, 0, amount)?;
		}
		let last = funded::<T>("staker", 0)?;
		let terms = Rounds::<T>::get(peer).ok_or("it is open")?.terms;

		#[extrinsic_call]
		_(RawOrigin::Signed(last), peer, terms, 0, amount);

		assert!(Rounds::<T>::get(peer)
			.is_some_and(|round| round.pledges.len() == MAX_DELEGATORS as usize));
		Ok(())
	}

	/// The last of so many stakers signs, so that the commitment binds.
	#[benchmark]
	fn agree(s: Linear<1, MAX_STAKERS>) -> Result<(), BenchmarkError> {
		let (provider, peer) = provider::<T>()?;
		let duration = Params::<T>::get().min_duration_epochs;
		Pallet::<T>::do_create(provider.clone(), peer, UNITS, duration, offer::<T>(false))?;
		let delegators = s.saturating_sub(1);
		let others = stake_of::<T>(DELEGATED.saturating_mul(delegators));
		let own = stake_of::<T>(UNITS).saturating_sub(others);
		let mut last = (provider.clone(), own);
		if delegators > 0 {
			sign::<T>(&provider, peer, 0, own)?;
			for index in 1..delegators {
				let who = funded::<T>("staker", index)?;
				sign::<T>(&who, peer, 0, stake_of::<T>(DELEGATED))?;
			}
			last = (funded::<T>("staker", 0)?, stake_of::<T>(DELEGATED));
		}
		let terms = Rounds::<T>::get(peer).ok_or("it is open")?.terms;

		#[block]
		{
			Pallet::<T>::do_stake(last.0, peer, terms, 0, last.1)?;
		}

		assert!(Commitments::<T>::get(peer).is_some_and(|row| row.is_active()));
		Ok(())
	}

	/// Somebody else cancels a growth that has lapsed.
	#[benchmark]
	fn cancel(p: Linear<0, MAX_STAKERS>) -> Result<(), BenchmarkError> {
		let (provider, peer) = backed::<T>(MAX_STAKERS)?;
		let none = Default::default();
		Pallet::<T>::do_grow(provider.clone(), peer, UNITS, none)?;
		// All of them have stakes already, so that any amount will do.
		for index in 1..p {
			let who = account("staker", index.saturating_sub(1), 0);
			sign::<T>(&who, peer, 0, stake_of::<T>(1))?;
		}
		if p > 0 {
			sign::<T>(&provider, peer, 0, stake_of::<T>(14))?;
		}
		Rounds::<T>::mutate(peer, |round| {
			if let Some(round) = round {
				round.deadline = 0;
			}
		});
		T::BenchmarkHelper::set_clock(1, 0);
		let caller = funded::<T>("caller", 0)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), peer);

		assert!(!Rounds::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn grow() -> Result<(), BenchmarkError> {
		let (provider, peer) = backed::<T>(MAX_STAKERS)?;

		#[extrinsic_call]
		_(
			RawOrigin::Signed(provider),
			peer,
			UNITS,
			offer::<T>(true).invited,
		);

		assert!(Rounds::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn extend() -> Result<(), BenchmarkError> {
		let (provider, peer) = backed::<T>(MAX_STAKERS)?;
		let duration = Params::<T>::get().max_duration_epochs;

		#[extrinsic_call]
		_(
			RawOrigin::Signed(provider),
			peer,
			duration,
			offer::<T>(true),
		);

		assert!(Rounds::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn authorize_report() -> Result<(), BenchmarkError> {
		let peer = committed::<T>(4)?;
		in_epoch_two::<T>(0);
		let full = full_report::<T>(MAX_DEALS_PER_PEER)?;
		let signature = report_signature::<T>(peer, &full);
		let call = Call::<T>::report {
			peer,
			report: full,
			signature,
		};

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call is a duty")??;
		}

		Ok(())
	}

	#[benchmark]
	fn report(s: Linear<0, MAX_DEALS_PER_PEER>) -> Result<(), BenchmarkError> {
		let peer = committed::<T>(4)?;
		in_epoch_two::<T>(0);
		let full = full_report::<T>(s)?;
		let signature = report_signature::<T>(peer, &full);

		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, full, signature);

		assert!(Commitments::<T>::get(peer).is_some_and(|row| row.outcome(1).is_some()));
		Ok(())
	}

	#[benchmark]
	fn authorize_answer() -> Result<(), BenchmarkError> {
		let (peer, answer, signature) = due_answer::<T>()?;
		let call = Call::<T>::answer_audit {
			peer,
			answer,
			signature,
		};

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call is a duty")??;
		}

		Ok(())
	}

	/// All of an answer but its hashes and receipts, which are weighed for themselves.
	#[benchmark]
	fn answer_checks() -> Result<(), BenchmarkError> {
		let (peer, answer, _) = due_answer::<T>()?;
		let opened;

		#[block]
		{
			opened = Pallet::<T>::opened_work(peer, &answer).is_ok();
			Pallet::<T>::judge(peer, 1, Ok(()));
		}

		assert!(opened, "the answer opens what was drawn");
		assert!(Audits::<T>::get(peer).is_some_and(|audit| audit.status == AuditStatus::Passed));
		Ok(())
	}

	#[benchmark]
	fn randomx_hash() -> Result<(), BenchmarkError> {
		in_epoch_two::<T>(answer_position::<T>());
		// The first hash under a key fills its cache, which nodes do ahead of the answers.
		let seed = T::Clock::seed(1).ok_or("the seed is folded")?;
		let _ = T::RandomX::hash(seed, vec![0; 80]);
		let hash;

		#[block]
		{
			hash = T::RandomX::hash(seed, vec![1; 80]);
		}

		assert!(hash.is_some());
		Ok(())
	}

	/// A reported epoch and a silence over all epochs that amnesties remember. Misses cost nothing,
	/// and four of five epochs are excused, so that it goes to its end.
	#[benchmark]
	fn settle() -> Result<(), BenchmarkError> {
		let peer = committed::<T>(4)?;
		in_epoch_two::<T>(0);
		Commitments::<T>::mutate(peer, |commitment| {
			if let Some(commitment) = commitment {
				commitment.terms.slash_rate = Perbill::zero();
				commitment.status = CommitmentStatus::Active {
					start: 1,
					end: 10_000,
				};
				commitment.reported = Some(Outcome {
					epoch: 1,
					idle: 0,
					busy: 0,
				});
			}
		});
		Audits::<T>::insert(
			peer,
			Audit {
				epoch: 1,
				status: AuditStatus::Passed,
			},
		);
		let last = REMEMBERED_EPOCHS.saturating_add(1);
		let mut amnesty = Amnesty::default();
		for epoch in 1..=last {
			// Nothing is proven any more, and something always was usual.
			amnesty.judge(epoch, 0, sp_runtime::Perbill::one(), 4);
			amnesty.base = 1;
		}
		Amnesties::<T>::put(amnesty);
		assert!(Pallet::<T>::row(1).is_some());
		let caller = funded::<T>("caller", 0)?;
		T::BenchmarkHelper::set_clock(last.saturating_add(2), 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), peer);

		assert!(Commitments::<T>::get(peer)
			.is_some_and(|row| row.is_active() && row.next_to_settle > last));
		Ok(())
	}

	#[benchmark]
	fn slash(s: Linear<1, MAX_STAKERS>) -> Result<(), BenchmarkError> {
		let (_, peer) = backed::<T>(s)?;
		let mut commitment = Commitments::<T>::get(peer).ok_or("it stands")?;
		let due = commitment.committed();
		let caller = funded::<T>("caller", 0)?;
		let taken;

		#[block]
		{
			taken = Pallet::<T>::slash_now(peer, &mut commitment, due, Some(&caller));
		}

		assert_eq!(taken, due);
		Ok(())
	}

	#[benchmark]
	fn wait_slash(s: Linear<1, MAX_STAKERS>) -> Result<(), BenchmarkError> {
		let (_, peer) = backed::<T>(s)?;
		let mut commitment = Commitments::<T>::get(peer).ok_or("it stands")?;
		let due = commitment.committed();
		let reporter = (funded::<T>("caller", 0)?, Perbill::from_percent(20));
		let taken;

		#[block]
		{
			let reason = SlashReason::Audit;
			taken =
				Pallet::<T>::slash_later(peer, &mut commitment, reason, 1, due, Some(&reporter));
		}

		assert_eq!(taken, due);
		Ok(())
	}

	/// A renewal in which all others leave and as many come, after one whose leavers are paid.
	#[benchmark]
	fn change(s: Linear<1, MAX_PARTS>) -> Result<(), BenchmarkError> {
		let before = s.div_ceil(2);
		let newcomers = s.saturating_div(2).min(MAX_DELEGATORS);
		let (provider, peer) = backed::<T>(before)?;
		let duration = Params::<T>::get().max_duration_epochs;
		Pallet::<T>::do_extend(provider.clone(), peer, duration, offer::<T>(false))?;
		// Until its last epoch the round would keep the places of those who leave.
		Rounds::<T>::mutate(peer, |round| {
			if let Some(round) = round {
				round.deadline = T::Clock::current().index;
			}
		});
		let others = stake_of::<T>(DELEGATED.saturating_mul(newcomers));
		let own = stake_of::<T>(UNITS).saturating_sub(others);
		sign::<T>(&provider, peer, 0, own)?;
		for index in 0..newcomers {
			let who = funded::<T>("newcomer", index)?;
			sign::<T>(&who, peer, 0, stake_of::<T>(DELEGATED))?;
		}
		departed::<T>(peer, before)?;
		let mut commitment = rewarded::<T>(peer)?;
		let agreed = commitment.change.ok_or("all have signed")?;
		commitment.next_to_settle = agreed.at;
		let applied;

		#[block]
		{
			applied = Pallet::<T>::apply_change(peer, &mut commitment);
		}

		assert!(applied);
		assert!(Departures::<T>::get(peer).is_some_and(|row| row.rows.len() == before as usize));
		Ok(())
	}

	#[benchmark]
	fn flush(s: Linear<1, MAX_STAKERS>) -> Result<(), BenchmarkError> {
		let (provider, peer) = backed::<T>(s)?;
		let mut commitment = rewarded::<T>(peer)?;

		#[block]
		{
			Pallet::<T>::flush(peer, &mut commitment);
		}

		assert!(Ledgers::<T>::get(provider).is_some_and(|ledger| !ledger.buckets.is_empty()));
		Ok(())
	}

	#[benchmark]
	fn conclude() -> Result<(), BenchmarkError> {
		let (_, peer) = backed::<T>(MAX_STAKERS)?;
		let mut commitment = Commitments::<T>::get(peer).ok_or("it stands")?;

		#[block]
		{
			Pallet::<T>::conclude(peer, &mut commitment, true);
		}

		assert!(!commitment.is_active());
		Ok(())
	}

	/// All of a commitment that is over, and of those who left it before.
	#[benchmark]
	fn withdraw(s: Linear<1, MAX_PARTS>) -> Result<(), BenchmarkError> {
		let stakers = s.min(MAX_STAKERS);
		let (_, peer) = backed::<T>(stakers)?;
		departed::<T>(peer, s.saturating_sub(stakers))?;
		Commitments::<T>::mutate(peer, |commitment| {
			if let Some(commitment) = commitment {
				commitment.status = CommitmentStatus::Unbonding {
					until: 0,
					failed: false,
				};
			}
		});
		let caller = funded::<T>("caller", 0)?;
		T::BenchmarkHelper::set_clock(200, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), peer);

		assert!(!Commitments::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn claim(b: Linear<1, MAX_BUCKETS>) -> Result<(), BenchmarkError> {
		let who = funded::<T>("staker", 0)?;
		Pallet::<T>::take_place(&who)?;
		Ledgers::<T>::mutate(&who, |ledger| {
			let Some(ledger) = ledger else { return };
			for start in 0..b {
				let bucket = Bucket {
					start,
					epochs: 1_000,
					amount: FLT,
					taken: 0,
				};
				let _ = ledger.buckets.try_push(bucket);
			}
		});
		// Rewards are parts of pools.
		T::Emission::promise(FLT.saturating_mul(b.into()));
		let caller = funded::<T>("caller", 0)?;
		T::BenchmarkHelper::set_clock(100, 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), who.clone());

		assert!(Ledgers::<T>::get(who)
			.is_some_and(|ledger| ledger.buckets.iter().all(|bucket| bucket.taken > 0)));
		Ok(())
	}

	#[benchmark]
	fn apply_slash(p: Linear<1, MAX_PARTS>) -> Result<(), BenchmarkError> {
		let peer = waiting::<T>(p)?;
		let caller = funded::<T>("caller", 0)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), peer, 0);

		assert!(!WaitingSlashes::<T>::contains_key(peer, 0));
		Ok(())
	}

	#[benchmark]
	fn cancel_slash(p: Linear<1, MAX_PARTS>) -> Result<(), BenchmarkError> {
		let peer = waiting::<T>(p)?;
		let origin =
			T::CancelOrigin::try_successful_origin().map_err(|()| "somebody may cancel")?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, peer, 0);

		assert!(!WaitingSlashes::<T>::contains_key(peer, 0));
		Ok(())
	}

	#[benchmark]
	fn on_epoch_start() {
		in_epoch_two::<T>(0);

		#[block]
		{
			Pallet::<T>::open_row(3);
		}

		assert!(Pallet::<T>::row(3).is_some());
	}

	#[benchmark]
	fn on_draw() -> Result<(), BenchmarkError> {
		let peer = committed::<T>(4)?;
		in_epoch_two::<T>(0);
		let _ = Pallet::<T>::do_report(peer, full_report::<T>(0)?);
		in_epoch_two::<T>(answer_position::<T>());

		#[block]
		{
			let _ = <Pallet<T> as OnEpoch>::on_draw(1, H256::repeat_byte(1));
		}

		assert!(OngoingDraw::<T>::exists());
		Ok(())
	}

	/// A draw that is over, so that all is read, noted and the draw forgotten.
	#[benchmark]
	fn on_poll() {
		in_epoch_two::<T>(answer_position::<T>());
		EpochRows::<T>::mutate(Pallet::<T>::slot_of(1), |row| {
			if let Some(row) = row {
				(row.reports, row.units, row.audits) = (1, 1, 1);
			}
		});
		OngoingDraw::<T>::put(Draw {
			epoch: 1,
			draw: H256::repeat_byte(1),
			attempts: 1,
			drawn: 1,
		});
		let mut meter = WeightMeter::new();

		#[block]
		{
			Pallet::<T>::continue_draw(&mut meter);
		}

		assert!(!OngoingDraw::<T>::exists());
	}

	#[benchmark]
	fn draw_attempt() -> Result<(), BenchmarkError> {
		let peer = committed::<T>(4)?;
		in_epoch_two::<T>(0);
		// Many entries and one audit, so that the search halves as often as it can.
		let reports: u32 = 1 << 16;
		for index in 0..reports {
			let running_total = u64::from(index).saturating_add(1);
			ReportList::<T>::insert(
				(Pallet::<T>::list_of(1), index),
				Listed {
					peer,
					running_total,
				},
			);
		}
		EpochRows::<T>::mutate(Pallet::<T>::slot_of(1), |row| {
			if let Some(row) = row {
				(row.reports, row.units, row.audits) = (reports, reports.into(), 1);
			}
		});
		in_epoch_two::<T>(answer_position::<T>());
		let draw = Draw {
			epoch: 1,
			draw: H256::repeat_byte(1),
			attempts: 0,
			drawn: 0,
		};
		OngoingDraw::<T>::put(draw);
		let mut meter = WeightMeter::new();

		#[block]
		{
			Pallet::<T>::continue_draw(&mut meter);
		}

		assert!(Audits::<T>::contains_key(peer));
		Ok(())
	}
}
