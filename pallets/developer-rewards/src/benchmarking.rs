//! Benchmarks: the longest path, and accounts with as many schedules as there can be.

use super::*;
use crate::types::rows_of;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	Get,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use millrace_primitives::{hash::blake2_256, merkle::leaf_hash, rewards, FLT};
use sp_runtime::transaction_validity::TransactionSource;

/// Signs for benchmarks.
pub trait BenchmarkHelper<AccountId, Signature> {
	/// An account that can sign.
	fn signer() -> AccountId;
	/// Its signature.
	fn sign(signer: &AccountId, message: &[u8]) -> Signature;
}

/// What every reward is.
const AMOUNT: Balance = FLT;
/// Rewards of the tree: its paths are as long as those of the largest one.
const SIBLINGS: u32 = 19;

const _: () = assert!(1 << SIBLINGS == MAX_REWARDS);

/// A root and the path to it from a leaf that is the first of as many as there can be. No other leaf is
/// known, so that there is no tree to build.
fn path_from<T: Config>(account: &T::AccountId) -> (H256, Path) {
	let mut hash = leaf_hash(&rewards::leaf(0, account, AMOUNT));
	let mut path = Vec::new();
	for level in 0..SIBLINGS {
		let sibling = H256::repeat_byte(u8::try_from(level).unwrap_or_default());
		path.push(sibling);
		hash = node_hash(hash, sibling);
	}
	(hash, Path::truncate_from(path))
}

/// Hash of an inner node, as trees have it: claims of the benchmarks would fail otherwise.
fn node_hash(left: H256, right: H256) -> H256 {
	let mut bytes = Vec::from([1u8]);
	bytes.extend_from_slice(left.as_bytes());
	bytes.extend_from_slice(right.as_bytes());
	blake2_256(&bytes)
}

/// The largest programme there can be, in which the account's reward is the first one.
fn begin<T: Config>(account: &T::AccountId) -> Result<Path, BenchmarkError> {
	let (root, path) = path_from::<T>(account);
	fill_pot::<T>()?;
	Standing::<T>::kill();
	Leftovers::<T>::kill();
	Pallet::<T>::begin(terms(root)).map_err(|_| BenchmarkError::Stop("no programme"))?;
	Ok(path)
}

fn terms(root: H256) -> NewProgramme {
	NewProgramme {
		root,
		rewards: MAX_REWARDS,
		total: AMOUNT,
		ends: 10,
	}
}

fn fill_pot<T: Config>() -> Result<(), BenchmarkError> {
	T::Currency::mint_into(&Pallet::<T>::pot(), AMOUNT.saturating_mul(2))?;
	Ok(())
}

/// An account with so many schedules, which lock until a block.
fn locked<T: Config>(locks: u32, until: BlockNumber) -> Result<T::AccountId, BenchmarkError> {
	let who = T::BenchmarkHelper::signer();
	for _ in 0..locks {
		T::Currency::mint_into(&who, AMOUNT)?;
		T::Locks::lock(&who, AMOUNT, until)?;
	}
	Ok(who)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn start() -> Result<(), BenchmarkError> {
		fill_pot::<T>()?;
		Standing::<T>::kill();
		let terms = terms(H256::repeat_byte(1));

		#[extrinsic_call]
		_(RawOrigin::Root, terms);

		assert!(Standing::<T>::exists());
		Ok(())
	}

	#[benchmark]
	fn claim() -> Result<(), BenchmarkError> {
		let who = locked::<T>(T::Locks::MOST.saturating_sub(1), 1_000)?;
		let path = begin::<T>(&who)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), 0, AMOUNT, path);

		assert!(Pallet::<T>::is_claimed(0));
		Ok(())
	}

	#[benchmark]
	fn authorize_claim_for() -> Result<(), BenchmarkError> {
		let who = locked::<T>(T::Locks::MOST.saturating_sub(1), 1_000)?;
		let path = begin::<T>(&who)?;
		let programme = Standing::<T>::get().ok_or("it has begun")?;
		let (number, root) = (programme.number, programme.terms.root);
		let hash = rewards::claim_hash(T::Genesis::get(), number, root, 0, &who, AMOUNT);
		// The form that is tried last.
		let message = [&b"<Bytes>"[..], hash.as_bytes(), &b"</Bytes>"[..]].concat();
		let signature = T::BenchmarkHelper::sign(&who, &message);
		let source = TransactionSource::External;
		let answer;

		#[block]
		{
			answer = Pallet::<T>::authorize_claim_for(source, &who, &0, &AMOUNT, &path, &signature);
		}

		assert!(answer.is_ok());
		Ok(())
	}

	#[benchmark]
	fn claim_for() -> Result<(), BenchmarkError> {
		let who = locked::<T>(T::Locks::MOST.saturating_sub(1), 1_000)?;
		let path = begin::<T>(&who)?;
		let signature = T::BenchmarkHelper::sign(&who, &[]);

		#[extrinsic_call]
		_(
			RawOrigin::Authorized,
			who.clone(),
			0,
			AMOUNT,
			path,
			signature,
		);

		assert!(Pallet::<T>::is_claimed(0));
		Ok(())
	}

	#[benchmark]
	fn authorize_release() -> Result<(), BenchmarkError> {
		let who = locked::<T>(T::Locks::MOST, 1_000)?;
		frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::from(2_000u32));
		let answer;

		#[block]
		{
			answer = Pallet::<T>::authorize_release(TransactionSource::External, &who);
		}

		assert!(answer.is_ok());
		Ok(())
	}

	#[benchmark]
	fn release() -> Result<(), BenchmarkError> {
		let who = locked::<T>(T::Locks::MOST, 1_000)?;
		frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::from(2_000u32));

		#[extrinsic_call]
		_(RawOrigin::Authorized, who.clone());

		assert!(!T::Locks::is_over(&who));
		Ok(())
	}

	#[benchmark]
	fn end() -> Result<(), BenchmarkError> {
		let who = T::BenchmarkHelper::signer();
		begin::<T>(&who)?;
		frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::from(11u32));
		let treasury = T::Treasury::get();
		T::Currency::mint_into(&treasury, AMOUNT)?;
		let before = T::Currency::total_balance(&treasury);

		#[extrinsic_call]
		_(RawOrigin::Signed(who));

		let given = T::Currency::total_balance(&treasury).saturating_sub(before);
		assert_eq!(given, AMOUNT);
		Ok(())
	}

	#[benchmark]
	fn sweep(r: Linear<1, ROWS_PER_SWEEP>) {
		let rows = rows_of(MAX_REWARDS);
		NextNumber::<T>::put(1);
		Leftovers::<T>::put(Leftover {
			number: 0,
			next: 0,
			rows,
		});
		for row in 0..rows {
			Claimed::<T>::insert(0, row, [1; 128]);
		}

		#[block]
		{
			Pallet::<T>::sweep_rows(r);
		}

		assert!(Claimed::<T>::iter_keys().count() as u32 == rows.saturating_sub(r));
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::mock::ExtBuilder::default().build(),
		crate::mock::Test
	);
}
