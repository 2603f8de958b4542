//! Session keys of the present session's seats, as they were when it was planned.
//!
//! They stand under the name of `pallet-validators`, whose storage version says in which form.

#![warn(missing_docs, unreachable_pub)]

use crate::{AccountId, SessionKeys};
use alloc::vec::Vec;
use sp_staking::SessionIndex;

/// Seats with their keys, at most [`pallet_validators::MAX_VALIDATORS`].
pub(crate) type Keys = Vec<(AccountId, SessionKeys)>;

/// Storage version 0: the keys alone.
pub(crate) mod v0 {
	use super::Keys;
	use frame_support::pallet_prelude::ValueQuery;

	/// The keys.
	#[frame_support::storage_alias(verbatim)]
	pub(crate) type SeatedKeys = StorageValue<Validators, Keys, ValueQuery>;
}

/// Storage version 1: the keys with their session.
pub(crate) mod v1 {
	use super::Keys;
	use codec::{Decode, Encode};
	use frame_support::pallet_prelude::ValueQuery;
	use sp_staking::SessionIndex;

	/// Keys of a session's seats.
	#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
	pub(crate) struct Seated {
		/// The session.
		pub(crate) session: SessionIndex,
		/// Its seats with their keys.
		pub(crate) keys: Keys,
	}

	/// The keys, under the key that they had before.
	#[frame_support::storage_alias(verbatim)]
	pub(crate) type SeatedKeys = StorageValue<Validators, Seated, ValueQuery>;
}

/// A session begins, whose seats sign with these keys.
pub(crate) fn put(session: SessionIndex, keys: Keys) {
	if cfg!(feature = "upgrade-rehearsal") {
		v1::SeatedKeys::put(v1::Seated { session, keys });
	} else {
		v0::SeatedKeys::put(keys);
	}
}

/// Keys with which the present session's seats sign.
pub(crate) fn get() -> Keys {
	if cfg!(feature = "upgrade-rehearsal") {
		v1::SeatedKeys::get().keys
	} else {
		v0::SeatedKeys::get()
	}
}
