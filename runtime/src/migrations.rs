//! What an upgrade of the runtime does to the state, before anything else of its first block.
//!
//! A release that stores something in another form adds a [`VersionedMigration`] to [`Migrations`]: it
//! runs once, when the pallet's storage has the version that it starts from, and takes it to the next.
//! Everything runs in one block, so that it may touch no more than a bounded number of rows. Each has
//! checks of its own, `before` and `after`, which the hooks of `try-runtime` call, and so do tests over
//! the state of a chain.

#![warn(missing_docs, unreachable_pub)]

use frame_support::migrations::VersionedMigration;

/// What this release migrates: nothing.
#[cfg(not(feature = "upgrade-rehearsal"))]
pub type Migrations = ();

/// What the runtime that upgrades are rehearsed with migrates.
#[cfg(feature = "upgrade-rehearsal")]
pub type Migrations = NameSession;

/// Seated keys are stored with their session: storage of [`crate::Validators`] goes from 0 to 1.
pub type NameSession = VersionedMigration<
	0,
	1,
	name_session::Unchecked,
	crate::Validators,
	<crate::Runtime as frame_system::Config>::DbWeight,
>;

/// The migration [`NameSession`], and what must hold before and after it.
pub mod name_session {
	use crate::{
		seated_keys::{v0, v1, Keys},
		AccountId, Runtime, Session, Validators,
	};
	use alloc::vec::Vec;
	use codec::{DecodeAll, Encode};
	use frame_support::{
		ensure,
		traits::{GetStorageVersion, UncheckedOnRuntimeUpgrade},
		weights::Weight,
	};
	use sp_runtime::TryRuntimeError;
	use sp_staking::SessionIndex;

	/// The migration itself, whatever version the storage has.
	#[derive(Debug)]
	pub struct Unchecked(());

	impl UncheckedOnRuntimeUpgrade for Unchecked {
		fn on_runtime_upgrade() -> Weight {
			let session = Session::current_index();
			let keys = v0::SeatedKeys::get();
			v1::SeatedKeys::put(v1::Seated { session, keys });
			// One bounded value, and the index of the session.
			<Runtime as frame_system::Config>::DbWeight::get().reads_writes(2, 1)
		}

		#[cfg(feature = "try-runtime")]
		fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
			before()
		}

		#[cfg(feature = "try-runtime")]
		fn post_upgrade(state: Vec<u8>) -> Result<(), TryRuntimeError> {
			after(&state)
		}
	}

	/// What stands under the key of the seated keys: of all versions the same.
	fn stored() -> Result<Vec<u8>, TryRuntimeError> {
		let key = v0::SeatedKeys::hashed_key();
		let value = sp_io::storage::get(&key).ok_or("no keys of seats are stored")?;
		Ok(value.to_vec())
	}

	/// Before it: the keys are those of everybody who sits. Returns what [`after`] must be told.
	pub fn before() -> Result<Vec<u8>, TryRuntimeError> {
		ensure!(
			Validators::on_chain_storage_version() == 0,
			"the storage is not of version 0"
		);
		let keys = Keys::decode_all(&mut &stored()?[..])
			.map_err(|_| "the stored keys are not those of version 0")?;
		let has_keys = |seat: &AccountId| keys.iter().any(|(who, _)| who == seat);
		ensure!(
			Session::validators().iter().all(has_keys),
			"somebody sits without keys"
		);
		Ok((Session::current_index(), keys).encode())
	}

	/// After it: the same keys stand there, with the session that goes on.
	pub fn after(before: &[u8]) -> Result<(), TryRuntimeError> {
		let (session, keys) = <(SessionIndex, Keys)>::decode_all(&mut &before[..])
			.map_err(|_| "what was noted before does not decode")?;
		ensure!(
			Validators::on_chain_storage_version() == 1,
			"the storage is not of version 1"
		);
		let seated = v1::Seated::decode_all(&mut &stored()?[..])
			.map_err(|_| "the stored keys are not those of version 1")?;
		ensure!(
			seated == v1::Seated { session, keys },
			"the keys are others than before"
		);
		Ok(())
	}
}
