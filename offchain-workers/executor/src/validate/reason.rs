//! Why a package cannot run.

use crate::wasi::preview1;
use thiserror::Error;
use wasmparser::BinaryReaderError;

/// Why a package cannot run.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Reason {
	/// The bytes do not begin like a Wasm module.
	#[error("not a Wasm module: it does not begin with \"\\0asm\" and version 1")]
	NotWasm,
	/// The bytes are a component.
	#[error("a Wasm component, where a core module is wanted: build for wasm32-wasip1")]
	ComponentNotModule,
	/// The module is larger than the profile allows.
	#[error("{size} bytes; the most is {max}: strip it and build for size")]
	TooLarge {
		/// Size in bytes.
		size: usize,
		/// Most bytes.
		max: usize,
	},
	/// The module does not validate under any proposal.
	#[error("invalid at byte {offset}: {message}")]
	Malformed {
		/// Where.
		offset: usize,
		/// What is wrong.
		message: String,
	},
	/// The module needs a proposal that the profile turns off.
	#[error("needs a Wasm proposal that is off, at byte {offset}: {message}")]
	ProposalOff {
		/// Where.
		offset: usize,
		/// What the validator says.
		message: String,
	},
	/// The module imports something else than a function of its host.
	#[error(
		"imports {module}.{name}; only functions of {} and {} are there",
		preview1::MODULE,
		preview1::MILLRACE
	)]
	ForbiddenImport {
		/// Module of the import.
		module: String,
		/// Name of the import.
		name: String,
	},
	/// The module imports a function of its host with other parameters or results than it has.
	#[error("imports {name} with a signature that it does not have")]
	ImportSignature {
		/// Name of the import.
		name: String,
	},
	/// The module is not a command.
	#[error(
		"exports no function _start without parameters and results: build a command, not a library"
	)]
	NoStart,
	/// The module does not export its memory.
	#[error("exports no memory named \"memory\"")]
	NoMemory,
	/// The module has a start section, which would run before the call is set up.
	#[error("has a start section; only _start may run code")]
	StartSection,
	/// The module begins with more memory than any call may have.
	#[error("begins with {pages} pages of memory; the most is {max}")]
	MemoryTooLarge {
		/// Pages at the start.
		pages: u64,
		/// Most pages.
		max: u32,
	},
	/// A table begins with more elements than the profile allows.
	#[error("has a table of {elements} elements; the most is {max}")]
	TableTooLarge {
		/// Elements at the start.
		elements: u64,
		/// Most elements.
		max: u32,
	},
	/// The module has more of something than the profile allows.
	#[error("has {count} {what}; the most is {max}")]
	TooMany {
		/// Of what.
		what: &'static str,
		/// How many.
		count: usize,
		/// How many there may be.
		max: usize,
	},
	/// A function is larger than the profile allows.
	#[error("function {index} has {size} bytes; the most is {max}")]
	FunctionTooLarge {
		/// Index of the function among the defined ones.
		index: usize,
		/// Size of its body in bytes.
		size: usize,
		/// Most bytes.
		max: usize,
	},
	/// The module exports a name that the meter needs.
	#[error("exports {name}, a name that is kept for the meter")]
	ReservedExport {
		/// The name.
		name: String,
	},
	/// The package has more than one section of files.
	#[error("has more than one section {}", crate::archive::FILES_SECTION)]
	DuplicateSection,
	/// The files of the package break a rule.
	#[error("its files: {message}")]
	Files {
		/// Which one.
		message: String,
	},
	/// The chain could not replay a call of it.
	#[error("a challenge could not replay it: {message}")]
	NotReplayable {
		/// What the judge says.
		message: String,
	},
}

impl Reason {
	/// What is wrong with a module that is none under any proposal.
	pub(super) fn malformed(error: &BinaryReaderError) -> Self {
		Self::Malformed {
			offset: error.offset(),
			message: error.message().into(),
		}
	}

	/// A stable name for programs.
	pub fn code(&self) -> &'static str {
		match self {
			Self::NotWasm => "not_wasm",
			Self::ComponentNotModule => "component_not_module",
			Self::TooLarge { .. } => "too_large",
			Self::Malformed { .. } => "malformed",
			Self::ProposalOff { .. } => "proposal_off",
			Self::ForbiddenImport { .. } => "forbidden_import",
			Self::ImportSignature { .. } => "import_signature",
			Self::NoStart => "no_start",
			Self::NoMemory => "no_memory",
			Self::StartSection => "start_section",
			Self::MemoryTooLarge { .. } => "memory_too_large",
			Self::TableTooLarge { .. } => "table_too_large",
			Self::TooMany { .. } => "too_many",
			Self::FunctionTooLarge { .. } => "function_too_large",
			Self::ReservedExport { .. } => "reserved_export",
			Self::DuplicateSection => "duplicate_section",
			Self::Files { .. } => "files",
			Self::NotReplayable { .. } => "not_replayable",
		}
	}
}
