//! Calls of the Validators pallet: how a provider comes by a seat, and leaves it.

use super::Call;

const PALLET: &str = "Validators";

/// Stands for a seat with the signer's active stake. Its session keys must be set.
pub fn validate() -> Call {
	Call::new(PALLET, "validate", ())
}

/// Stands no longer. A seat stays until the set has changed.
pub fn chill() -> Call {
	Call::new(PALLET, "chill", ())
}

/// Forgets the session keys of a signer that neither stands nor sits, and gives their deposit back.
pub fn purge_keys() -> Call {
	Call::new(PALLET, "purge_keys", ())
}
