//! Benchmarks of the calls and hooks.

use crate::{
	Audits, Call, Commitments, Config, Draw, EpochRows, Listed, OngoingDraw, Pallet, Params,
	ReportList, MAX_SETTLED_PER_STEP,
};
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::{fungible::Mutate, Authorize},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	audit::{drawn_solutions, Audit, AuditAnswer, AuditStatus, SolutionOpening},
	merkle::Tree,
	peer::{PeerId, PeerSignature},
	report::{Report, Served, MAX_DEALS_PER_PEER},
	traits::{EpochClock, OnEpoch, RandomX},
	views::CommitmentStatus,
	EpochIndex, FLT, H256, U256,
};

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

/// A funded provider with a peer, in epoch 0.
fn provider<T: Config>() -> Result<(T::AccountId, PeerId), BenchmarkError> {
	T::BenchmarkHelper::set_clock(0, 0);
	let provider: T::AccountId = whitelisted_caller();
	T::Currency::mint_into(&provider, FLT.saturating_mul(1_000_000))?;
	let peer = T::BenchmarkHelper::register_peer(&provider);
	Ok((provider, peer))
}

/// A peer with a staked commitment of four units, that owes from epoch 1 on.
fn committed<T: Config>() -> Result<PeerId, BenchmarkError> {
	let (provider, peer) = provider::<T>()?;
	let duration = Params::<T>::get().min_duration_epochs;
	Pallet::<T>::do_create(provider.clone(), peer, 4, duration)?;
	Pallet::<T>::do_stake(provider, peer)?;
	Ok(peer)
}

/// Puts the clock on a position of epoch 2, with the totals of the epochs before and a target that
/// every hash meets.
fn in_epoch_two<T: Config>(position: u32) {
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

fn answer_position<T: Config>() -> u32 {
	let lengths = T::Clock::current().lengths;
	lengths.report_window.saturating_add(lengths.fold_window)
}

/// A report of epoch 1 over four units and so many deals, with the tree that proves it.
fn full_report<T: Config>(served: u32) -> Result<(Report, Tree), BenchmarkError> {
	let rates = Params::<T>::get().rates;
	let tree = Tree::new((0..rates.leaves(4, 0)).map(u64::to_le_bytes));
	let served: Vec<_> = (0..served)
		.map(|deal| Served {
			deal: deal.into(),
			calls: 1,
			gas: 1,
		})
		.collect();
	let report = Report {
		proven_idle: 4,
		proofs_root: tree.root(),
		served: served.try_into().map_err(|_| "more deals than fit")?,
		..Report::empty(1)
	};
	Ok((report, tree))
}

fn report_signature<T: Config>(peer: PeerId, report: &Report) -> PeerSignature {
	T::BenchmarkHelper::sign(peer, report.hash(T::Clock::genesis(), peer))
}

/// A drawn peer's right answer, with its signature.
fn due_answer<T: Config>() -> Result<(PeerId, AuditAnswer, PeerSignature), BenchmarkError> {
	let peer = committed::<T>()?;
	in_epoch_two::<T>(0);
	let (report, tree) = full_report::<T>(MAX_DEALS_PER_PEER)?;
	let _ = Pallet::<T>::do_report(peer, report.clone());
	in_epoch_two::<T>(answer_position::<T>());
	Audits::<T>::insert(
		peer,
		Audit {
			epoch: 1,
			status: AuditStatus::Open,
		},
	);
	// The first hash under a key fills its cache, which nodes do ahead of the answers.
	let seed = T::Clock::seed(1).ok_or("the seed is folded")?;
	let _ = T::RandomX::hash(seed, vec![0]);
	let draw = T::Clock::draw(1).ok_or("the draw is folded")?;
	let mut solutions = Vec::new();
	for index in drawn_solutions(draw, peer, tree.count()) {
		let path = tree.path(index).ok_or("the index is below all")?;
		solutions.push(SolutionOpening { nonce: index, path });
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

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn create() -> Result<(), BenchmarkError> {
		let (provider, peer) = provider::<T>()?;
		let duration = Params::<T>::get().min_duration_epochs;

		#[extrinsic_call]
		_(RawOrigin::Signed(provider), peer, 4, duration);

		assert!(Commitments::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn stake() -> Result<(), BenchmarkError> {
		let (provider, peer) = provider::<T>()?;
		let duration = Params::<T>::get().min_duration_epochs;
		Pallet::<T>::do_create(provider.clone(), peer, 4, duration)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(provider), peer);

		Ok(())
	}

	#[benchmark]
	fn cancel() -> Result<(), BenchmarkError> {
		let (provider, peer) = provider::<T>()?;
		let duration = Params::<T>::get().min_duration_epochs;
		Pallet::<T>::do_create(provider.clone(), peer, 4, duration)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(provider), peer);

		assert!(!Commitments::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn authorize_report() -> Result<(), BenchmarkError> {
		let peer = committed::<T>()?;
		in_epoch_two::<T>(0);
		let (full, _) = full_report::<T>(MAX_DEALS_PER_PEER)?;
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
		let peer = committed::<T>()?;
		in_epoch_two::<T>(0);
		let (full, _) = full_report::<T>(s)?;
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

	#[benchmark]
	fn answer_audit() -> Result<(), BenchmarkError> {
		let (peer, answer, signature) = due_answer::<T>()?;

		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, answer, signature);

		assert!(Audits::<T>::get(peer).is_some_and(|audit| audit.status == AuditStatus::Passed));
		Ok(())
	}

	#[benchmark]
	fn settle(n: Linear<1, MAX_SETTLED_PER_STEP>) -> Result<(), BenchmarkError> {
		let peer = committed::<T>()?;
		// Whatever the shortest commitment is, this one lasts.
		Commitments::<T>::mutate(peer, |commitment| {
			if let Some(commitment) = commitment {
				commitment.status = CommitmentStatus::Active {
					start: 1,
					end: 1_000,
				};
			}
		});
		let caller = whitelisted_caller();
		T::BenchmarkHelper::set_clock(n.saturating_add(2), 0);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), peer);

		assert!(Commitments::<T>::get(peer).is_some_and(|row| row.next_to_settle > n));
		Ok(())
	}

	#[benchmark]
	fn withdraw() -> Result<(), BenchmarkError> {
		let peer = committed::<T>()?;
		Commitments::<T>::mutate(peer, |commitment| {
			if let Some(commitment) = commitment {
				commitment.status = CommitmentStatus::Unbonding {
					until: 0,
					failed: false,
				};
			}
		});
		let caller = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), peer);

		assert!(!Commitments::<T>::contains_key(peer));
		Ok(())
	}

	#[benchmark]
	fn set_params() {
		let params = Params::<T>::get();

		#[extrinsic_call]
		_(RawOrigin::Root, params);
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
		let peer = committed::<T>()?;
		in_epoch_two::<T>(0);
		let (full, _) = full_report::<T>(0)?;
		let _ = Pallet::<T>::do_report(peer, full);
		in_epoch_two::<T>(answer_position::<T>());

		#[block]
		{
			let _ = <Pallet<T> as OnEpoch>::on_draw(1, H256::repeat_byte(1));
		}

		assert!(OngoingDraw::<T>::exists());
		Ok(())
	}

	/// A draw that is over, so that all is read and the draw forgotten.
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
		let peer = committed::<T>()?;
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
