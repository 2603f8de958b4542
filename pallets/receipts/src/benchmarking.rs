//! Benchmarks of the calls, and of what the pallet does for others.
//!
//! What a replay takes is no part of them: `reveal_replay` brings a package of one byte, which the
//! judge refuses at once.

use crate::{
	Answered, Answers, Call, Case, Cases, Clients, Commits, Config, Demand, Demands, HoldReason,
	Opened, Opening, OpeningClients, Pallet, Params, Ring, Show, Shows, RING,
};
use alloc::{boxed::Box, vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::TransactionSource,
	traits::{
		fungible::{Mutate, MutateHold},
		Authorize,
	},
};
use frame_system::RawOrigin;
use millrace_primitives::{
	audit::{drawn_receipts, ReceiptOpening},
	challenge::{
		commitment, posted_hash, shown_hash, CaseId, Charge, Evidence, OffenceKind, Shown, Wanted,
	},
	effects::Transcript,
	execution::{
		empty_transcript, package_hash, CallStatus, CallTerms, Receipt, Request, SignedReceipt,
		PROFILE_V1,
	},
	market::CallLimits,
	merkle::Tree,
	peer::{PeerId, PeerSignature},
	report::Report,
	traits::{EpochClock, PeerUse, ReceiptLedger, WorkInspector},
	views::ReportRecord,
	BlockNumber, DealId, EpochIndex, FLT, H256,
};
use sp_runtime::traits::SaturatedConversion;

/// Receipts in a report: more than four a second in an epoch of an hour.
const RECEIPTS: u32 = 1 << 14;
/// A peer that nobody knows: what it would be charged is another pallet's weight.
const NOBODY: PeerId = PeerId(H256::repeat_byte(9));
const SALT: H256 = H256::repeat_byte(8);

/// What benchmarks need of the runtime around the pallet.
pub trait BenchmarkHelper {
	/// Puts the clock into the answer window of epoch 2, and brings into being a peer whose key
	/// counts since epoch 0, whose stake answers for epoch 1 and that works since then for a deal.
	fn worker() -> (PeerId, DealId);
	/// Hash of the package of that deal.
	fn package() -> H256;
	/// Signature of such a peer's key.
	fn sign(peer: PeerId, hash: H256) -> PeerSignature;
}

/// A receipt of the last block before the present epoch.
fn receipt<T: Config>(peer: PeerId, deal: DealId, epoch: EpochIndex, seq: u32) -> Receipt {
	let genesis = T::Clock::genesis();
	let package = T::BenchmarkHelper::package();
	let block = T::Clock::current().start.saturating_sub(1);
	let terms = T::Work::call_terms(deal, package, epoch, block).ok();
	Receipt {
		genesis,
		seed: T::Clock::seed(epoch).unwrap_or_default(),
		deal,
		peer,
		epoch,
		seq,
		package,
		profile: terms.as_ref().map_or(PROFILE_V1, |terms| terms.profile),
		terms: terms.map_or(H256::zero(), |terms| terms.hash(genesis)),
		request: Request::default().hash(),
		response: H256::zero(),
		transcript: empty_transcript(),
		status: CallStatus::Exited(0),
		gas: 0,
		block,
	}
}

fn signed<T: Config>(receipt: Receipt) -> SignedReceipt {
	let signature = T::BenchmarkHelper::sign(receipt.peer, receipt.hash());
	SignedReceipt { receipt, signature }
}

/// A report over so many receipts, of which the chain knows, and the tree of them.
fn reported<T: Config>(first: &Receipt) -> (Report, Tree) {
	let with_seq = |seq| Receipt {
		seq,
		..first.clone()
	};
	let tree = Tree::new((0..RECEIPTS).map(|seq| with_seq(seq).hash()));
	let report = Report {
		receipts: RECEIPTS,
		receipts_root: tree.root(),
		..Report::empty(first.epoch)
	};
	let hash = report.hash(T::Clock::genesis(), first.peer);
	Pallet::<T>::on_report(first.peer, first.epoch, hash);
	(report, tree)
}

/// An account with more than enough.
fn funded<T: Config>(name: &'static str) -> Result<T::AccountId, BenchmarkError> {
	let who: T::AccountId = account(name, 0, 0);
	T::Currency::mint_into(&who, FLT.saturating_mul(1_000_000))?;
	Ok(who)
}

/// So many blocks on.
fn pass<T: Config>(blocks: BlockNumber) {
	let height = Pallet::<T>::height().saturating_add(blocks);
	frame_system::Pallet::<T>::set_block_number(height.saturated_into());
}

/// An account that has committed to a case, and can reveal it.
fn committed<T: Config>(case: CaseId) -> Result<T::AccountId, BenchmarkError> {
	let who = funded::<T>("challenger")?;
	Pallet::<T>::do_commit(
		who.clone(),
		commitment(T::Clock::genesis(), &who, &case, SALT),
	)?;
	pass::<T>(Params::<T>::get().reveal_after_blocks);
	Ok(who)
}

fn case_of(charge: Charge, receipt: &Receipt) -> CaseId {
	CaseId {
		peer: receipt.peer,
		epoch: receipt.epoch,
		charge,
		subject: receipt.hash(),
	}
}

/// A claim against a peer, as it is made, and what refutes it.
fn claimed<T: Config>() -> Result<(PeerId, CaseId, Shown), BenchmarkError> {
	let (peer, deal) = T::BenchmarkHelper::worker();
	let receipt = receipt::<T>(peer, deal, 1, 0);
	let (report, tree) = reported::<T>(&receipt);
	let case = case_of(Charge::Omitted, &receipt);
	let who = committed::<T>(case)?;
	let evidence = Evidence::Omitted {
		receipt: signed::<T>(receipt),
		report: report.clone(),
	};
	Pallet::<T>::do_reveal(who, case, SALT, Some(&evidence))?;
	let path = tree.path(0).ok_or("the index is below all")?;
	Ok((peer, case, Shown { report, path }))
}

/// A receipt that a peer opened.
fn opened<T: Config>() -> Result<PeerId, BenchmarkError> {
	let (peer, deal) = T::BenchmarkHelper::worker();
	let opening = Opening {
		epoch: 1,
		receipts: vec![signed::<T>(receipt::<T>(peer, deal, 1, 0))]
			.try_into()
			.map_err(|_| "one fits")?,
	};
	Opened::<T>::insert(peer, 1, opening);
	Ok(peer)
}

/// A demand for a request, the data and the signature for them.
fn demanded<T: Config>() -> Result<(PeerId, Vec<u8>, PeerSignature), BenchmarkError> {
	use codec::Encode;

	let peer = opened::<T>()?;
	let wanted = Wanted::Request;
	Pallet::<T>::do_demand(funded::<T>("challenger")?, peer, 1, 0, wanted)?;
	let request = Request::default();
	let hash = posted_hash(T::Clock::genesis(), peer, 1, 0, wanted, request.hash());
	let signature = T::BenchmarkHelper::sign(peer, hash);
	Ok((peer, request.encode(), signature))
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// Everything that is opened holds, so that all of it is looked at.
	#[benchmark]
	fn open() -> Result<(), BenchmarkError> {
		let (peer, deal) = T::BenchmarkHelper::worker();
		let first = receipt::<T>(peer, deal, 1, 0);
		let (report, tree) = reported::<T>(&first);
		let draw = H256::repeat_byte(2);
		let mut openings = Vec::new();
		for index in drawn_receipts(draw, peer, RECEIPTS.into()) {
			let receipt = Receipt {
				seq: u32::try_from(index).map_err(|_| "the index is below all")?,
				..first.clone()
			};
			openings.push(ReceiptOpening {
				receipt: signed::<T>(receipt),
				path: tree.path(index).ok_or("the index is below all")?,
			});
		}

		#[block]
		{
			Pallet::<T>::open(peer, &report, draw, &openings);
		}

		assert_eq!(Pallet::<T>::opened(peer, 1).len(), openings.len());
		Ok(())
	}

	#[benchmark]
	fn forget() -> Result<(), BenchmarkError> {
		let (peer, deal) = T::BenchmarkHelper::worker();
		let leader: T::AccountId = account("challenger", 0, 0);
		for epoch in 0..RING {
			let hash = H256::repeat_byte(2);
			Ring::<T>::insert(peer, epoch, ReportRecord { epoch, hash });
			let opened = SignedReceipt {
				receipt: receipt::<T>(peer, deal, epoch, 0),
				signature: [0; 64],
			};
			let opening = Opening {
				epoch,
				receipts: vec![opened; 2].try_into().map_err(|_| "two fit")?,
			};
			Opened::<T>::insert(peer, epoch, opening);
			let clients = OpeningClients {
				epoch,
				clients: vec![(0, leader.clone()), (1, leader.clone())]
					.try_into()
					.map_err(|_| "two fit")?,
			};
			Clients::<T>::insert(peer, epoch, clients);
			let answers = Answers {
				epoch,
				withheld: false,
				data: Default::default(),
			};
			Answered::<T>::insert(peer, epoch, answers);
			for charge in [Charge::Replay, Charge::Omitted] {
				let case = Case {
					epoch,
					charge,
					subject: hash,
					proven: 1,
					leader: leader.clone(),
					committed: 0,
					contest_until: 1,
					part: Default::default(),
					reward: Default::default(),
					concluded: true,
				};
				Cases::<T>::insert(peer, (epoch, charge.kind()), case);
			}
		}

		#[block]
		{
			<Pallet<T> as PeerUse>::forget(peer);
		}

		assert!(Ring::<T>::iter_prefix(peer).next().is_none());
		assert!(Opened::<T>::iter_prefix(peer).next().is_none());
		assert!(Clients::<T>::iter_prefix(peer).next().is_none());
		assert!(Answered::<T>::iter_prefix(peer).next().is_none());
		assert!(Cases::<T>::iter_prefix(peer).next().is_none());
		Ok(())
	}

	#[benchmark]
	fn commit() -> Result<(), BenchmarkError> {
		let who = funded::<T>("challenger")?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), H256::zero());

		assert!(Commits::<T>::contains_key(&who, H256::zero()));
		Ok(())
	}

	/// Two receipts of one number: the most signatures.
	#[benchmark]
	fn reveal() -> Result<(), BenchmarkError> {
		let (peer, deal) = T::BenchmarkHelper::worker();
		let one = receipt::<T>(peer, deal, 1, 0);
		reported::<T>(&one);
		let other = Receipt {
			gas: 1,
			..one.clone()
		};
		let case = CaseId {
			subject: one.hash().min(other.hash()),
			..case_of(Charge::DoubleSeq, &one)
		};
		let who = committed::<T>(case)?;
		let evidence = Evidence::DoubleSeq {
			first: signed::<T>(one),
			second: signed::<T>(other),
		};

		#[extrinsic_call]
		_(RawOrigin::Signed(who), case, SALT, Some(Box::new(evidence)));

		assert!(Cases::<T>::contains_key(peer, (1, OffenceKind::Omission)));
		Ok(())
	}

	#[benchmark]
	fn reveal_replay() -> Result<(), BenchmarkError> {
		use codec::Encode;

		let (peer, deal) = T::BenchmarkHelper::worker();
		let package = vec![0];
		let terms = CallTerms {
			deal,
			package: package_hash(&package),
			package_bytes: 1,
			profile: PROFILE_V1,
			limits: CallLimits {
				gas: 1,
				memory_bytes: 65_536,
				request_bytes: 1,
				response_bytes: 1,
			},
			hosts: Default::default(),
		};
		let receipt = Receipt {
			package: terms.package,
			profile: terms.profile,
			terms: terms.hash(T::Clock::genesis()),
			..receipt::<T>(peer, deal, 1, 0)
		};
		let case = case_of(Charge::Replay, &receipt);
		let who = committed::<T>(case)?;
		let evidence = Evidence::Replay {
			receipt: signed::<T>(receipt),
			terms,
			package: package.try_into().map_err(|_| "one byte fits")?,
			request: Request::default()
				.encode()
				.try_into()
				.map_err(|_| "an empty request fits")?,
			transcript: Transcript::default()
				.encode()
				.try_into()
				.map_err(|_| "an empty transcript fits")?,
		};

		#[block]
		{
			Pallet::<T>::do_reveal(who, case, SALT, Some(&evidence))?;
		}

		assert!(Cases::<T>::contains_key(peer, (1, OffenceKind::Fraud)));
		Ok(())
	}

	#[benchmark]
	fn conclude() -> Result<(), BenchmarkError> {
		let who = funded::<T>("caller")?;
		let case = Case {
			epoch: 1,
			charge: Charge::Replay,
			subject: H256::zero(),
			proven: 0,
			leader: who.clone(),
			committed: 0,
			contest_until: 0,
			part: Default::default(),
			reward: Default::default(),
			concluded: false,
		};
		Cases::<T>::insert(NOBODY, (1, OffenceKind::Fraud), case);
		pass::<T>(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), NOBODY, 1, OffenceKind::Fraud);

		assert!(Cases::<T>::get(NOBODY, (1, OffenceKind::Fraud)).is_some_and(|case| case.concluded));
		Ok(())
	}

	#[benchmark]
	fn forget_commit() -> Result<(), BenchmarkError> {
		let who = funded::<T>("challenger")?;
		let caller = funded::<T>("caller")?;
		Pallet::<T>::do_commit(who.clone(), H256::zero())?;
		pass::<T>(Params::<T>::get().reveal_within_blocks.saturating_add(1));

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), who.clone(), H256::zero());

		assert!(!Commits::<T>::contains_key(&who, H256::zero()));
		Ok(())
	}

	#[benchmark]
	fn authorize_show() -> Result<(), BenchmarkError> {
		let (peer, case, shown) = claimed::<T>()?;
		let hash = shown_hash(T::Clock::genesis(), &case, &shown);
		let call = Call::<T>::show {
			peer,
			case,
			shown,
			signature: T::BenchmarkHelper::sign(peer, hash),
		};

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call is a duty")??;
		}

		Ok(())
	}

	#[benchmark]
	fn show() -> Result<(), BenchmarkError> {
		let (peer, case, shown) = claimed::<T>()?;

		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, case, shown, [0; 64]);

		assert!(!Shows::<T>::contains_key(peer, case.subject));
		Ok(())
	}

	#[benchmark]
	fn close_show() -> Result<(), BenchmarkError> {
		let (peer, case, _) = claimed::<T>()?;
		let caller = funded::<T>("caller")?;
		let row: Option<Show<T::AccountId>> = Shows::<T>::get(peer, case.subject);
		let deadline = row.ok_or("it waits for a leaf")?.deadline;
		pass::<T>(
			deadline
				.saturating_add(1)
				.saturating_sub(Pallet::<T>::now()),
		);

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), peer, case.subject);

		assert!(Cases::<T>::contains_key(peer, (1, OffenceKind::Omission)));
		Ok(())
	}

	#[benchmark]
	fn demand() -> Result<(), BenchmarkError> {
		let peer = opened::<T>()?;
		let who = funded::<T>("challenger")?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who), peer, 1, 0, Wanted::Package);

		assert!(Demands::<T>::contains_key(peer, (1, 0, Wanted::Package)));
		Ok(())
	}

	#[benchmark]
	fn authorize_post() -> Result<(), BenchmarkError> {
		let (peer, data, signature) = demanded::<T>()?;
		let call = Call::<T>::post {
			peer,
			epoch: 1,
			seq: 0,
			wanted: Wanted::Request,
			data: data.try_into().map_err(|_| "an empty request fits")?,
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
	fn post() -> Result<(), BenchmarkError> {
		let (peer, data, signature) = demanded::<T>()?;
		let data = data.try_into().map_err(|_| "an empty request fits")?;
		let wanted = Wanted::Request;

		#[extrinsic_call]
		_(RawOrigin::Authorized, peer, 1, 0, wanted, data, signature);

		assert!(!Demands::<T>::contains_key(peer, (1, 0, wanted)));
		Ok(())
	}

	/// The receipt is void, and the peer has not paid yet.
	#[benchmark]
	fn expire_demand() -> Result<(), BenchmarkError> {
		let who = funded::<T>("challenger")?;
		let wanted = Wanted::Package;
		let row = Demand {
			who: who.clone(),
			bond: FLT,
			byte_fee: 0,
			most_bytes: 0,
			hash: H256::zero(),
			deadline: 0,
			part: Default::default(),
			reward: Default::default(),
		};
		T::Currency::hold(&HoldReason::Demand.into(), &who, row.held(wanted))?;
		Demands::<T>::insert(NOBODY, (1, 0, wanted), row);
		let opened = SignedReceipt {
			receipt: receipt::<T>(NOBODY, 0, 1, 0),
			signature: [0; 64],
		};
		let opening = Opening {
			epoch: 1,
			receipts: vec![opened].try_into().map_err(|_| "one fits")?,
		};
		Opened::<T>::insert(NOBODY, 1, opening);
		pass::<T>(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), NOBODY, 1, 0, wanted);

		assert!(Pallet::<T>::opened(NOBODY, 1).is_empty());
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
