//! # Millrace executor
//!
//! Runs a deal's function so that everybody who runs it gets the same answer: status, response, gas
//! and traps depend only on the module, the request, the limits, the clock, the seed, and on what was
//! replied to its effects.
//!
//! - [`validate()`] says whether a package can run at all, with every reason why not.
//! - [`instrument()`] adds the meter for gas and stack to the bytecode, so that both are functions of
//!   the module and not of the compiler below.
//! - `canonical()` makes of that what is compiled: floats look the same on every processor then
//!   (feature `engine`).
//! - `Engine` compiles, caches and runs (feature `engine`); a [`CallOutput`] is the guest's doing, an
//!   [`EngineError`] is the host's and must never be signed.
//! - `replay()` judges: it interprets the same module in block import (feature `replay`).
//! - [`wasi`] is the guest's world, written once over guest memory of any engine; [`effects`] is what
//!   leads out of it.
//!
//! Together they are engine profile 1 ([`millrace_primitives::execution::PROFILE_V1`]): the constants
//! in [`limits`] and [`cost`], the injected code and the behaviour of [`wasi`]. Changing any of them
//! makes another profile.

pub mod archive;
#[cfg(feature = "engine")]
pub mod binding;
pub mod cost;
pub mod effects;
pub mod limits;
pub mod validate;
pub mod wasi;

#[cfg(feature = "engine")]
mod artifact;
#[cfg(feature = "engine")]
mod cache;
mod call;
#[cfg(feature = "engine")]
mod engine;
mod error;
#[cfg(any(feature = "engine", feature = "replay"))]
mod growth;
mod instrument;
#[cfg(feature = "engine")]
mod nan;
#[cfg(any(feature = "engine", feature = "replay"))]
mod outcome;
#[cfg(feature = "replay")]
mod replay;
#[cfg(feature = "engine")]
mod run;
#[cfg(feature = "engine")]
mod runners;

pub use archive::{Files, FILES_SECTION};
#[cfg(feature = "engine")]
pub use artifact::{Artifact, ArtifactError, ArtifactFolder};
pub use call::{CallInput, CallOutput, OwnedInput};
pub use effects::{EffectFailure, Effects, HttpFault, HttpReply, HttpRequest, NoEffects};
#[cfg(feature = "engine")]
pub use engine::{settings, Engine, EngineConfig, Module, QuickCompiler};
pub use error::{EngineError, InstrumentError, LoadError};
pub use instrument::{inject, instrument, GAS_EXPORT, STACK_EXPORT};
#[cfg(feature = "engine")]
pub use nan::canonical;
#[cfg(feature = "replay")]
pub use replay::{config as replay_config, replay, translate};
#[cfg(feature = "replay")]
pub use validate::whole;
pub use validate::{validate, ModuleInfo, Reason};

/// Number of the instrumentation: of the injected code and where it stands. Part of profile 1; what
/// was compiled under another number is compiled again.
pub const INSTRUMENTATION: u32 = 2;
