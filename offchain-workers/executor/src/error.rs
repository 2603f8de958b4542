//! Errors. What a guest does wrong is no error but a status: see [`crate::CallOutput`].

use crate::effects::EffectFailure;
use crate::validate::Reason;
use thiserror::Error;

/// Why a module cannot be instrumented.
#[derive(Debug, Error)]
pub enum InstrumentError {
	/// It does not run under the profile at all.
	#[error("the module cannot run: {}", listed(.0))]
	Refused(Vec<Reason>),
	/// It does not validate with the proposals of the profile.
	#[error("the module does not validate: {0}")]
	Invalid(String),
	/// It could not be written again.
	#[error("the module could not be rewritten: {0}")]
	Encoding(String),
}

impl From<wasmparser::BinaryReaderError> for InstrumentError {
	fn from(error: wasmparser::BinaryReaderError) -> Self {
		Self::Invalid(error.to_string())
	}
}

impl From<wasm_encoder::reencode::Error> for InstrumentError {
	fn from(error: wasm_encoder::reencode::Error) -> Self {
		Self::Encoding(error.to_string())
	}
}

/// Why a module cannot be loaded.
#[derive(Debug, Error)]
pub enum LoadError {
	/// The package is at fault; every reason is listed.
	#[error("the module cannot run: {}", listed(.0))]
	Refused(Vec<Reason>),
	/// The meter could not be put in, or what gives NaNs one form.
	#[error(transparent)]
	Instrument(#[from] InstrumentError),
	/// The module could not be compiled.
	#[error("the module could not be compiled: {0}")]
	Compile(String),
}

/// Trouble of the host. A call that ends so has no result: nothing about it may be signed.
#[derive(Debug, Error)]
pub enum EngineError {
	/// The engine cannot run on this host.
	#[error("the engine cannot be set up: {0}")]
	Setup(String),
	/// As many calls run as the engine was set up for; try again.
	#[error("all {0} places for calls are taken")]
	Busy(u32),
	/// The caller let a body through that is over the call's limit.
	#[error("the request has {size} bytes; the limit of the call is {max}")]
	RequestTooLarge {
		/// Bytes of the body.
		size: usize,
		/// Most bytes.
		max: u32,
	},
	/// The call took longer than this host allows, whatever gas it had left.
	#[error("the call was ended after {0:?} of wall-clock time")]
	TimedOut(std::time::Duration),
	/// An effect that the guest asked for could not be performed nor refused.
	#[error("an effect of the call failed: {0}")]
	Effect(#[from] EffectFailure),
	/// The host could not give the guest what the profile promises, or the engine failed.
	#[error("the host failed: {0}")]
	Host(String),
}

fn listed(reasons: &[Reason]) -> String {
	reasons
		.iter()
		.map(ToString::to_string)
		.collect::<Vec<_>>()
		.join("; ")
}
