//! Benchmarks of the calls and hooks, each at its bounds.

use crate::{
	Anchor, AnchorParams, Attested, Batch, Call, Config, Flows, Forced, ForcedMessage, ForcedQueue,
	Ledger, Locked, NextNonce, OutboxRoot, Pallet, Params, Parked, PausedUntil, Pending, Round,
	Sent, Taken, Tally, Voters, Votes, MAX_BATCH, MAX_FORCED, MAX_OUTGOING_PER_BLOCK,
};
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::{EnsureOrigin, TransactionSource},
	traits::{
		fungible::{Inspect, Mutate},
		Authorize,
	},
	weights::WeightMeter,
	BoundedVec,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	anchor::{
		accumulate,
		messages::{ForcedData, Incoming, MessageData},
		quorum, AnchorId, Attestation, CastVote, InboxMark, SignedVote, Vote, VoterKey,
		VoterSignature, H160, MAX_FORCED_BYTES,
	},
	traits::EpochClock,
	Balance, FLT, H256,
};

/// What benchmarks need of the runtime around the pallet.
pub trait BenchmarkHelper<Proof> {
	/// Seats as many voters as there can be, whose keys sign; their keys in order.
	fn voters() -> Vec<VoterKey>;
	/// Signature of a voter's key.
	fn sign(key: &VoterKey, hash: H256) -> VoterSignature;
	/// Shows whose key it is in the present session.
	fn prove(key: &VoterKey) -> Proof;
}

/// The contract.
const ANCHOR: AnchorId = AnchorId {
	chain_id: 314,
	contract: H160([1; 20]),
};
/// FLT of the accounts of benchmarks.
const FUNDS: Balance = FLT.saturating_mul(1_000);

/// An account with FLT.
fn funded<T: Config>(name: &'static str) -> Result<T::AccountId, BenchmarkError> {
	let who: T::AccountId = account(name, 0, 0);
	T::Currency::mint_into(&who, FUNDS)?;
	Ok(who)
}

/// A chain that knows its anchor, with FLT there.
fn begin<T: Config>() -> Result<(), BenchmarkError> {
	Params::<T>::put(AnchorParams::default());
	Anchor::<T>::put(ANCHOR);
	let _ = T::Currency::mint_into(&Pallet::<T>::pot(), T::Currency::minimum_balance());
	let who = funded::<T>("locker")?;
	Pallet::<T>::lock(&who, FUNDS / 2)?;
	Ok(())
}

/// A vote on one more message than is taken.
fn vote<T: Config>(nonce: u64, acc: u8) -> Vote {
	Vote {
		round: Round::<T>::get(),
		session: T::Voters::session(),
		nonce,
		acc: H256::repeat_byte(acc),
		epoch: 1,
	}
}

fn sign<T: Config>(key: &VoterKey, vote: Vote) -> SignedVote {
	let hash = vote.hash(T::Clock::genesis(), &ANCHOR);
	SignedVote {
		vote,
		signature: T::BenchmarkHelper::sign(key, hash),
	}
}

/// So many votes on a number, from the second voter on.
fn tally<T: Config>(votes: u32, acc: u8) -> Tally {
	let votes = (1..=votes)
		.map(|voter| CastVote {
			voter,
			acc: H256::repeat_byte(acc),
			epoch: 1,
			conflicted: false,
		})
		.collect::<Vec<_>>();
	Tally {
		session: T::Voters::session(),
		round: Round::<T>::get(),
		votes: BoundedVec::truncate_from(votes),
	}
}

/// Attests messages and gives them back as a batch.
fn attested<T: Config>(messages: Vec<Incoming>) -> Batch {
	let genesis = T::Clock::genesis();
	let messages: Vec<BoundedVec<u8, _>> = messages
		.into_iter()
		.zip(0..)
		.map(|(message, nonce)| BoundedVec::truncate_from(message.bytes(genesis, &ANCHOR, nonce)))
		.collect();
	let acc = messages
		.iter()
		.fold(H256::zero(), |acc, message| accumulate(acc, message));
	let mark = InboxMark {
		nonce: messages.len() as u64,
		acc,
	};
	Attested::<T>::put(BoundedVec::truncate_from(
		[Attestation {
			mark,
			epoch: 1,
			block: 0,
		}]
		.to_vec(),
	));
	BoundedVec::truncate_from(messages)
}

fn deposit(to: u8) -> Incoming {
	Incoming::Deposit {
		sender: H160([2; 20]),
		recipient: [to; 32],
		amount: FLT,
	}
}

fn forced(bytes: u32) -> Incoming {
	Incoming::Forced {
		sender: H160([2; 20]),
		fee: FLT,
		data: ForcedData::truncate_from([0xff].repeat(bytes as usize)),
	}
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// A block full of messages ends, and another begins in which one is late.
	#[benchmark]
	fn on_initialize() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let ids = [H256::repeat_byte(3)].repeat(MAX_OUTGOING_PER_BLOCK as usize);
		Pending::<T>::put(BoundedVec::truncate_from(ids));
		attested::<T>([deposit(1)].to_vec());
		frame_system::Pallet::<T>::set_block_number(100_000u32.into());

		#[block]
		{
			Pallet::<T>::close_outbox();
			Pallet::<T>::note_overdue();
		}

		assert_ne!(OutboxRoot::<T>::get(), H256::zero());
		assert!(Pallet::<T>::status().overdue_since.is_some());
		Ok(())
	}

	#[benchmark]
	fn look_for_forced() {
		PausedUntil::<T>::put(0);
		let mut meter = WeightMeter::new();

		#[block]
		{
			Pallet::<T>::run_forced(&mut meter);
		}

		assert!(ForcedQueue::<T>::get().is_empty());
	}

	/// The longest message, of a full queue; its fee goes to an account that was not there.
	#[benchmark]
	fn run_forced() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		Ledger::<T>::mutate(|locked| {
			*locked = Locked {
				there: locked.there.saturating_sub(FLT),
				parked: FLT,
			};
		});
		let queue: Vec<u64> = (0..u64::from(MAX_FORCED)).collect();
		ForcedQueue::<T>::put(BoundedVec::truncate_from(queue));
		let data = [0xff].repeat(MAX_FORCED_BYTES as usize);
		let message = ForcedMessage {
			sender: H160([2; 20]),
			fee: FLT,
			data: ForcedData::truncate_from(data),
		};
		Forced::<T>::insert(0, message);
		let mut meter = WeightMeter::new();

		#[block]
		{
			Pallet::<T>::run_one(0, &mut meter);
		}

		assert!(!Forced::<T>::contains_key(0));
		Ok(())
	}

	#[benchmark]
	fn withdraw() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let who = funded::<T>("caller")?;
		let ids = [H256::zero()].repeat((MAX_OUTGOING_PER_BLOCK - 1) as usize);
		Pending::<T>::put(BoundedVec::truncate_from(ids));

		#[extrinsic_call]
		_(RawOrigin::Signed(who), H160([3; 20]), FLT);

		assert_eq!(NextNonce::<T>::get(), 1);
		Ok(())
	}

	#[benchmark]
	fn send() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let who = funded::<T>("caller")?;
		let ids = [H256::zero()].repeat((MAX_OUTGOING_PER_BLOCK - 1) as usize);
		Pending::<T>::put(BoundedVec::truncate_from(ids));
		let data = MessageData::truncate_from([1].repeat(1_024));

		#[extrinsic_call]
		_(RawOrigin::Signed(who), H160([3; 20]), data);

		assert!(Sent::<T>::contains_key(0));
		Ok(())
	}

	#[benchmark]
	fn authorize_vote() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let keys = T::BenchmarkHelper::voters();
		let last = keys.last().ok_or("there are voters")?;
		let signed = sign::<T>(last, super::vote::<T>(1, 1));
		Votes::<T>::insert(1, tally::<T>((keys.len() as u32).saturating_sub(2), 1));
		let call = Call::<T>::vote {
			voter: (keys.len() as u32).saturating_sub(1),
			vote: signed.vote,
			signature: signed.signature,
		};

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call is a duty")??;
		}

		Ok(())
	}

	/// It decides on the last number that is voted on, while there are votes on all others.
	#[benchmark]
	fn vote() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let keys = T::BenchmarkHelper::voters();
		let voters = keys.len() as u32;
		for nonce in 1..u64::from(MAX_BATCH) {
			Votes::<T>::insert(nonce, tally::<T>(voters.saturating_sub(1), 2));
		}
		let last = u64::from(MAX_BATCH);
		Votes::<T>::insert(last, tally::<T>(quorum(voters).saturating_sub(1), 1));
		let said = super::vote::<T>(last, 1);

		#[extrinsic_call]
		_(RawOrigin::Authorized, 0, said, [0; 65]);

		assert_eq!(Attested::<T>::get().len(), 1);
		assert_eq!(Votes::<T>::iter_keys().count(), 0);
		Ok(())
	}

	#[benchmark]
	fn authorize_deliver(b: Linear<4_000, 134_000>) -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let messages = (b / 4_201).clamp(1, MAX_BATCH);
		let each = b
			.checked_div(messages)
			.unwrap_or_default()
			.saturating_sub(105)
			.clamp(1, MAX_FORCED_BYTES);
		let messages = attested::<T>(vec![forced(each); messages as usize]);
		let call = Call::<T>::deliver { messages };

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call is a duty")??;
		}

		Ok(())
	}

	/// Deposits for accounts that were not there.
	#[benchmark]
	fn deliver(n: Linear<1, { MAX_BATCH }>) -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let messages = (100..n.saturating_add(100))
			.map(|to| deposit(to as u8))
			.collect();
		let messages = attested::<T>(messages);

		#[extrinsic_call]
		_(RawOrigin::Authorized, messages);

		assert_eq!(Taken::<T>::get().nonce, u64::from(n));
		assert_eq!(Parked::<T>::iter_keys().count(), 0);
		Ok(())
	}

	#[benchmark]
	fn release() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let most = Params::<T>::get().release_per_epoch;
		Flows::<T>::put(crate::Flow {
			epoch: T::Clock::current().index,
			withdrawn: 0,
			released: most,
		});
		let messages = attested::<T>([deposit(1)].to_vec());
		Pallet::<T>::do_deliver(messages)?;
		Flows::<T>::kill();
		let caller = funded::<T>("caller")?;

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), 0);

		assert!(!Parked::<T>::contains_key(0));
		Ok(())
	}

	#[benchmark]
	fn report_conflict() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let keys = T::BenchmarkHelper::voters();
		let key = *keys.last().ok_or("there are voters")?;
		let first = sign::<T>(&key, super::vote::<T>(1, 1));
		let second = sign::<T>(&key, super::vote::<T>(1, 2));
		let proof = T::BenchmarkHelper::prove(&key);
		let caller = funded::<T>("caller")?;

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), key, first, second, proof);

		Ok(())
	}

	#[benchmark]
	fn pause() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		let origin = T::PauseOrigin::try_successful_origin()
			.map_err(|()| BenchmarkError::Stop("somebody can pause"))?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, 1);

		assert!(Pallet::<T>::is_paused());
		Ok(())
	}

	#[benchmark]
	fn set_anchor() {
		#[extrinsic_call]
		_(RawOrigin::Root, ANCHOR);

		assert_eq!(Anchor::<T>::get(), Some(ANCHOR));
	}

	#[benchmark]
	fn set_inbox() -> Result<(), BenchmarkError> {
		begin::<T>()?;
		for nonce in 1..=u64::from(MAX_BATCH) {
			Votes::<T>::insert(nonce, tally::<T>(1, 1));
		}
		let mark = InboxMark {
			nonce: 5,
			acc: H256::repeat_byte(5),
		};

		#[extrinsic_call]
		_(RawOrigin::Root, mark);

		assert_eq!(Votes::<T>::iter_keys().count(), 0);
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
