//! # Millrace executor
//!
//! Runs a deal's function so that everybody who runs it gets the same answer: status, response, gas
//! and traps depend only on the module, the request, the limits, the clock and the seed.
//!
//! - [`validate()`] says whether a package can run at all, with every reason why not.
//! - [`instrument()`] adds the meter for gas and stack to the bytecode, so that both are functions of
//!   the module and not of the compiler below.
//! - [`Engine`] compiles, caches and runs; a [`CallOutput`] is the guest's doing, an [`EngineError`]
//!   is the host's and must never be signed.
//! - [`wasi`] is the guest's world, written once over guest memory of any engine.
//!
//! Together they are engine profile 1 ([`millrace_primitives::execution::PROFILE_V1`]): the constants
//! in [`limits`] and [`cost`], the injected code and the behaviour of [`wasi`]. Changing any of them
//! makes another profile.

pub mod binding;
pub mod cost;
pub mod limits;
pub mod validate;
pub mod wasi;

mod cache;
mod call;
mod engine;
mod error;
mod instrument;
mod runners;

pub use call::{CallInput, CallOutput};
pub use engine::{Engine, EngineConfig, Module};
pub use error::{EngineError, InstrumentError, LoadError};
pub use instrument::{instrument, GAS_EXPORT, STACK_EXPORT};
pub use validate::{validate, ModuleInfo, Reason};
