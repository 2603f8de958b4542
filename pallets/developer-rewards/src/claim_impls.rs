//! Claims, and what becomes of their locks.

use crate::{
	pallet::*,
	refusal,
	types::{place_of, Programme, EMPTY_ROW},
	Locks,
};
use codec::Encode;
use frame_support::{
	ensure,
	pallet_prelude::{
		DispatchResult, Get, InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction, Weight,
	},
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Preservation, Provenance},
	},
};
use millrace_primitives::{
	merkle::{self, Path},
	rewards, Balance, H256,
};
use sp_runtime::traits::Verify;

/// Blocks for which pools keep a free transaction that releases locks.
const RELEASE_LONGEVITY: u64 = 64;

impl<T: Config> Pallet<T> {
	/// The programme that pays this reward now, or why none does. Whatever could refuse the claim in a
	/// block is found here.
	pub(crate) fn check_claim(
		index: u32,
		account: &T::AccountId,
		amount: Balance,
		path: &Path,
	) -> Result<Programme, Error<T>> {
		let programme = Standing::<T>::get().ok_or(Error::<T>::NoProgramme)?;
		let terms = programme.terms;
		ensure!(Self::now() <= terms.ends, Error::<T>::ProgrammeOver);
		let leaf = rewards::leaf(index, account, amount);
		let (count, index64) = (terms.rewards.into(), index.into());
		let is_in_tree = merkle::verify(terms.root, count, index64, &leaf, path);
		ensure!(is_in_tree, Error::<T>::NotInTree);
		let is_claimed = Self::is_claimed_of(programme.number, index);
		ensure!(!is_claimed, Error::<T>::ClaimedAlready);
		ensure!(amount <= programme.left(), Error::<T>::PoolExhausted);
		ensure!(T::Locks::has_room(account), Error::<T>::TooManyLocks);
		let takes = T::Currency::can_deposit(account, amount, Provenance::Extant)
			.into_result()
			.is_ok();
		ensure!(takes && amount > 0, Error::<T>::NotPayable);
		Ok(programme)
	}

	/// Pays a reward to its account and locks it there.
	pub(crate) fn do_claim(
		index: u32,
		account: T::AccountId,
		amount: Balance,
		path: &Path,
	) -> DispatchResult {
		let mut programme = Self::check_claim(index, &account, amount, path)?;
		let number = programme.number;
		let locked_until = Self::now()
			.checked_add(T::LockBlocks::get())
			.ok_or(Error::<T>::Arithmetic)?;
		programme.paid = programme
			.paid
			.checked_add(amount)
			.ok_or(Error::<T>::Arithmetic)?;
		programme.claims = programme
			.claims
			.checked_add(1)
			.ok_or(Error::<T>::Arithmetic)?;
		// The pot keeps its existential deposit: dust of it would be destroyed.
		T::Currency::transfer(&Self::pot(), &account, amount, Preservation::Preserve)?;
		T::Locks::lock(&account, amount, locked_until)?;
		Self::note_claim(number, index);
		Standing::<T>::put(programme);
		Self::deposit_event(Event::Claimed {
			number,
			index,
			account,
			amount,
			locked_until,
		});
		Ok(())
	}

	/// Whether a reward of a programme was claimed.
	pub(crate) fn is_claimed_of(number: u32, index: u32) -> bool {
		let (row, byte, mask) = place_of(index);
		Claimed::<T>::get(number, row)
			.and_then(|row| row.get(byte).copied())
			.is_some_and(|bits| bits & mask != 0)
	}

	fn note_claim(number: u32, index: u32) {
		let (row, byte, mask) = place_of(index);
		let mut bits = Claimed::<T>::get(number, row).unwrap_or(EMPTY_ROW);
		if let Some(byte) = bits.get_mut(byte) {
			*byte |= mask;
		}
		Claimed::<T>::insert(number, row, bits);
	}

	/// Whether a free claim may enter a block now. The signature is checked last, as it costs most.
	pub(crate) fn authorize_claim_for(
		_source: TransactionSource,
		account: &T::AccountId,
		index: &u32,
		amount: &Balance,
		path: &Path,
		signature: &T::Signature,
	) -> TransactionValidityWithRefund {
		let programme = Self::check_claim(*index, account, *amount, path)
			.map_err(|error| refuse(refusal::of_claim(&error)))?;
		let (number, terms) = (programme.number, programme.terms);
		let genesis = T::Genesis::get();
		let hash = rewards::claim_hash(genesis, number, terms.root, *index, account, *amount);
		if !Self::is_signed_by(account, hash, signature) {
			return Err(refuse(refusal::BAD_SIGNATURE));
		}
		let blocks_left = terms.ends.saturating_sub(Self::now());
		let validity = ValidTransaction {
			// Whoever pays comes first: a claim can wait.
			priority: 0,
			requires: Default::default(),
			provides: alloc::vec![("millrace-reward", number, index).encode()],
			longevity: u64::from(blocks_left).max(1),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Whether an account signed a hash: as it is, or in the brackets that wallets put around what they
	/// are asked to sign.
	fn is_signed_by(account: &T::AccountId, hash: H256, signature: &T::Signature) -> bool {
		let message = hash.as_bytes();
		let in_brackets = [&b"<Bytes>"[..], message, &b"</Bytes>"[..]].concat();
		signature.verify(message, account) || signature.verify(&in_brackets[..], account)
	}

	/// Whether a free release may enter a block now.
	pub(crate) fn authorize_release(
		_source: TransactionSource,
		account: &T::AccountId,
	) -> TransactionValidityWithRefund {
		if !T::Locks::is_over(account) {
			return Err(refuse(refusal::NOTHING_TO_RELEASE));
		}
		let validity = ValidTransaction {
			priority: 0,
			requires: Default::default(),
			provides: alloc::vec![("millrace-reward", account, "release").encode()],
			longevity: RELEASE_LONGEVITY,
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// Takes away an account's locks that are over.
	pub(crate) fn do_release(account: T::AccountId) -> DispatchResult {
		ensure!(T::Locks::is_over(&account), Error::<T>::NothingToRelease);
		T::Locks::release(&account)?;
		Self::deposit_event(Event::Released { account });
		Ok(())
	}
}

fn refuse(code: u8) -> TransactionValidityError {
	InvalidTransaction::Custom(code).into()
}
