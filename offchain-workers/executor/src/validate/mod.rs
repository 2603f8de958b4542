//! Says whether a package can run, with every reason why not.

mod limits;
mod reason;
mod scan;

pub use reason::Reason;

#[cfg(any(feature = "engine", feature = "replay"))]
use crate::error::InstrumentError;
use crate::limits::MAX_MODULE_BYTES;
use codec::{Decode, Encode};
use scan::Faults;
use wasmparser::{BinaryReaderError, Parser, Validator, WasmFeatures};

/// What compilers of today put out by default, and no more: the MVP, sign extension, saturating
/// conversions, bulk memory, several results, mutable globals, function references in tables,
/// arithmetic in constant expressions. `GC_TYPES` is left out, which keeps `externref` off.
pub const FEATURES: WasmFeatures = WasmFeatures::FLOATS
	.union(WasmFeatures::MUTABLE_GLOBAL)
	.union(WasmFeatures::SIGN_EXTENSION)
	.union(WasmFeatures::SATURATING_FLOAT_TO_INT)
	.union(WasmFeatures::BULK_MEMORY)
	.union(WasmFeatures::MULTI_VALUE)
	.union(WasmFeatures::REFERENCE_TYPES)
	.union(WasmFeatures::EXTENDED_CONST);

/// What is known of a module that can run.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ModuleInfo {
	/// Size of the package in bytes: the module with its files.
	pub size: u32,
	/// Pages of memory that it begins with: a call with less memory traps at once.
	pub memory_pages: u32,
	/// Functions that it defines.
	pub functions: u32,
	/// Names of the host's functions that it imports.
	pub imports: Vec<String>,
	/// Number of its files.
	pub files: u32,
}

/// Checks that the profile can run a module, as far as the module alone says.
///
/// Everything that is wrong is listed, as far as the module can be read at all. [`whole`] also asks
/// whether the chain could judge its calls.
pub fn validate(module: &[u8]) -> Result<ModuleInfo, Vec<Reason>> {
	let candidate = Candidate::new(module)?;
	candidate.validated(candidate.scan())
}

/// The whole check of a package, the same at upload, in a worker and in the chain: [`validate`], the
/// meter put in, and every function of the result validated and translated by the judge.
///
/// Returns the module with its meter.
#[cfg(feature = "replay")]
pub fn whole(package: &[u8]) -> Result<(ModuleInfo, Vec<u8>), Vec<Reason>> {
	judged(package).map(|(info, metered, _)| (info, metered))
}

/// [`whole`], with the judge's translation.
#[cfg(feature = "replay")]
pub(crate) fn judged(package: &[u8]) -> Result<(ModuleInfo, Vec<u8>, wasmi::Module), Vec<Reason>> {
	let candidate = Candidate::new(package)?;
	let (info, metered) = candidate.metered(candidate.scan(), candidate.inject())?;
	let module = crate::replay::translate(&metered).map_err(|reason| vec![reason])?;
	Ok((info, metered, module))
}

/// What may be a module by its size and its first bytes.
///
/// What is found out about it in several ways has nothing to do with each other until it is put
/// together: one may be asked after the other, or all at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Candidate<'a>(&'a [u8]);

impl<'a> Candidate<'a> {
	pub(crate) fn new(module: &'a [u8]) -> Result<Self, Vec<Reason>> {
		if module.len() > MAX_MODULE_BYTES {
			return Err(vec![Reason::TooLarge {
				size: module.len(),
				max: MAX_MODULE_BYTES,
			}]);
		}
		if Parser::is_component(module) {
			return Err(vec![Reason::ComponentNotModule]);
		}
		if !Parser::is_core_wasm(module) {
			return Err(vec![Reason::NotWasm]);
		}
		Ok(Self(module))
	}

	/// Compares it with what the profile allows.
	pub(crate) fn scan(self) -> Result<ModuleInfo, Faults> {
		scan::scan(self.0)
	}

	/// Puts the meter in, and validates it on the way.
	#[cfg(feature = "replay")]
	fn inject(self) -> Result<Vec<u8>, InstrumentError> {
		crate::instrument::inject(self.0)
	}

	/// The same on all the threads that compile.
	#[cfg(feature = "engine")]
	pub(crate) fn inject_at_once(self) -> Result<Vec<u8>, InstrumentError> {
		crate::instrument::inject_at_once(self.0)
	}

	/// What a scan says, and a validator.
	fn validated(self, scanned: Result<ModuleInfo, Faults>) -> Result<ModuleInfo, Vec<Reason>> {
		let invalid = match validate_with(self.0, FEATURES) {
			Ok(()) => return scanned.map_err(|faults| faults.with(None)),
			Err(error) if validate_with(self.0, WasmFeatures::all()).is_ok() => {
				Reason::ProposalOff {
					offset: error.offset(),
					message: error.message().into(),
				}
			}
			Err(error) => Reason::malformed(&error),
		};
		Err(scanned.err().unwrap_or_default().with(Some(invalid)))
	}

	/// What comes before the judge and the compiler: what [`validate`] says, and the module with its
	/// meter, unless that has grown too much.
	///
	/// Only what does not validate is validated for itself, so that it is told why.
	#[cfg(any(feature = "engine", feature = "replay"))]
	pub(crate) fn metered(
		self,
		scanned: Result<ModuleInfo, Faults>,
		injected: Result<Vec<u8>, InstrumentError>,
	) -> Result<(ModuleInfo, Vec<u8>), Vec<Reason>> {
		match injected {
			Ok(metered) => {
				let info = scanned.map_err(|faults| faults.with(None))?;
				limits::growth(self.0.len(), metered.len()).map_err(|reason| vec![reason])?;
				Ok((info, metered))
			}
			Err(error) => {
				self.validated(scanned)?;
				Err(vec![Reason::NotReplayable {
					message: error.to_string(),
				}])
			}
		}
	}
}

fn validate_with(module: &[u8], features: WasmFeatures) -> Result<(), BinaryReaderError> {
	Validator::new_with_features(features)
		.validate_all(module)
		.map(drop)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_no_module_says_so() {
		assert_eq!(validate(b"<html>"), Err(vec![Reason::NotWasm]));
		assert_eq!(validate(b""), Err(vec![Reason::NotWasm]));
		assert_eq!(
			validate(b"\0asm\x0d\0\x01\0"),
			Err(vec![Reason::ComponentNotModule])
		);
	}

	#[test]
	fn an_empty_module_lacks_both_exports() {
		assert_eq!(
			validate(b"\0asm\x01\0\0\0"),
			Err(vec![Reason::NoStart, Reason::NoMemory])
		);
	}

	#[test]
	fn a_large_file_is_not_read() {
		let bytes = vec![0; MAX_MODULE_BYTES + 1];
		assert!(matches!(
			validate(&bytes).unwrap_err()[..],
			[Reason::TooLarge { .. }]
		));
	}

	#[test]
	fn a_module_that_ends_early_is_malformed() {
		let reasons = validate(b"\0asm\x01\0\0\0\x01\x7f").unwrap_err();
		assert!(
			matches!(reasons[..], [Reason::Malformed { .. }]),
			"{reasons:?}"
		);
	}
}
