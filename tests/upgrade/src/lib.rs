//! # The runtime of the next version
//!
//! It differs from the present one by its version and by one migration: the feature
//! `upgrade-rehearsal` of `millrace-runtime`. Natively this crate is nothing but its Wasm, which its
//! build script makes; only tests depend on it, so that no other build pays for a second runtime.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	feature = "std",
	allow(missing_docs, reason = "of what the Wasm builder writes")
)]

#[cfg(substrate_runtime)]
pub use millrace_runtime::*;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
