//! Says whether a package can run, with every reason why not.

use crate::instrument::{GAS_EXPORT, STACK_EXPORT};
use crate::limits;
use crate::wasi::preview1;
use thiserror::Error;
use wasmparser::{
	BinaryReaderError, ExternalKind, FuncType, FunctionBody, Import, Parser, Payload, TypeRef,
	Validator, WasmFeatures,
};

/// What compilers of today put out by default, and no more: the MVP, sign extension, saturating
/// conversions, bulk memory, several results, mutable globals, function references in tables.
/// `GC_TYPES` is left out, which keeps `externref` off.
const FEATURES: WasmFeatures = WasmFeatures::FLOATS
	.union(WasmFeatures::MUTABLE_GLOBAL)
	.union(WasmFeatures::SIGN_EXTENSION)
	.union(WasmFeatures::SATURATING_FLOAT_TO_INT)
	.union(WasmFeatures::BULK_MEMORY)
	.union(WasmFeatures::MULTI_VALUE)
	.union(WasmFeatures::REFERENCE_TYPES);

/// What is known of a module that can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleInfo {
	/// Size of the module in bytes.
	pub size: u32,
	/// Pages of memory that it begins with: a call with less memory traps at once.
	pub memory_pages: u32,
	/// Functions that it defines.
	pub functions: u32,
	/// Names of the WASI functions that it imports.
	pub imports: Vec<String>,
}

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
	/// The module imports something else than a function of WASI preview1.
	#[error(
		"imports {module}.{name}; only functions of {} are there",
		preview1::MODULE
	)]
	ForbiddenImport {
		/// Module of the import.
		module: String,
		/// Name of the import.
		name: String,
	},
	/// The module imports a WASI function with other parameters or results than it has.
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
}

impl Reason {
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
		}
	}
}

/// Checks that the profile can run a module.
///
/// Everything that is wrong is listed, as far as the module can be read at all.
pub fn validate(module: &[u8]) -> Result<ModuleInfo, Vec<Reason>> {
	if module.len() > limits::MAX_MODULE_BYTES {
		return Err(vec![Reason::TooLarge {
			size: module.len(),
			max: limits::MAX_MODULE_BYTES,
		}]);
	}
	if Parser::is_component(module) {
		return Err(vec![Reason::ComponentNotModule]);
	}
	if !Parser::is_core_wasm(module) {
		return Err(vec![Reason::NotWasm]);
	}
	let mut scan = Scan::default();
	let read = scan.read(module);
	let mut reasons = scan.reasons;
	match validate_with(module, FEATURES) {
		Err(error) if validate_with(module, WasmFeatures::all()).is_ok() => {
			reasons.push(Reason::ProposalOff {
				offset: error.offset(),
				message: error.message().into(),
			})
		}
		Err(error) => reasons.push(Reason::Malformed {
			offset: error.offset(),
			message: error.message().into(),
		}),
		// What a scan cannot read does not validate either; said once, it is enough.
		Ok(()) => {
			if let Err(error) = read {
				reasons.push(Reason::Malformed {
					offset: error.offset(),
					message: error.message().into(),
				});
			}
		}
	}
	if !reasons.is_empty() {
		return Err(reasons);
	}
	Ok(ModuleInfo {
		size: module.len() as u32,
		memory_pages: scan.memory_pages as u32,
		functions: scan.bodies as u32,
		imports: scan.imports,
	})
}

fn validate_with(module: &[u8], features: WasmFeatures) -> Result<(), BinaryReaderError> {
	Validator::new_with_features(features)
		.validate_all(module)
		.map(drop)
}

/// What is gathered in one pass over the sections.
#[derive(Default)]
struct Scan {
	reasons: Vec<Reason>,
	types: Vec<FuncType>,
	/// Type of every function, imported ones first.
	functions: Vec<u32>,
	/// How many of them are imported.
	imported: usize,
	imports: Vec<String>,
	tables: usize,
	globals: usize,
	memory_pages: u64,
	bodies: usize,
	start: Option<u32>,
	memory: bool,
}

impl Scan {
	fn read(&mut self, module: &[u8]) -> Result<(), BinaryReaderError> {
		for payload in Parser::new(0).parse_all(module) {
			self.payload(payload?)?;
		}
		self.many("types", self.types.len(), limits::MAX_TYPES);
		self.many("functions", self.functions.len(), limits::MAX_FUNCTIONS);
		self.many("globals", self.globals, limits::MAX_GLOBALS);
		self.many("tables", self.tables, limits::MAX_TABLES);
		let started = self.start.and_then(|index| self.signature_of(index));
		if !started.is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty()) {
			self.reasons.push(Reason::NoStart);
		}
		if !self.memory {
			self.reasons.push(Reason::NoMemory);
		}
		Ok(())
	}

	fn payload(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
		match payload {
			Payload::TypeSection(section) => {
				for ty in section.into_iter_err_on_gc_types() {
					self.types.push(ty?);
				}
			}
			Payload::ImportSection(section) => {
				for import in section {
					self.import(import?);
				}
			}
			Payload::FunctionSection(section) => {
				for ty in section {
					self.functions.push(ty?);
				}
			}
			Payload::TableSection(section) => {
				for table in section {
					self.table(table?.ty.initial);
				}
			}
			Payload::MemorySection(section) => {
				for memory in section {
					self.pages(memory?.initial);
				}
			}
			Payload::GlobalSection(section) => self.globals += section.count() as usize,
			Payload::ExportSection(section) => {
				for export in section {
					let export = export?;
					match (export.name, export.kind) {
						("_start", ExternalKind::Func) => self.start = Some(export.index),
						("memory", ExternalKind::Memory) => self.memory = true,
						(GAS_EXPORT | STACK_EXPORT, _) => {
							self.reasons.push(Reason::ReservedExport {
								name: export.name.to_owned(),
							})
						}
						_ => {}
					}
				}
			}
			Payload::StartSection { .. } => self.reasons.push(Reason::StartSection),
			Payload::CodeSectionEntry(body) => self.body(&body)?,
			_ => {}
		}
		Ok(())
	}

	fn import(&mut self, import: Import<'_>) {
		let wanted = preview1::signature(import.name).filter(|_| import.module == preview1::MODULE);
		if let TypeRef::Func(ty) = import.ty {
			self.functions.push(ty);
			self.imported += 1;
		}
		let (Some(wanted), TypeRef::Func(ty)) = (wanted, import.ty) else {
			self.reasons.push(Reason::ForbiddenImport {
				module: import.module.to_owned(),
				name: import.name.to_owned(),
			});
			return;
		};
		if self
			.types
			.get(ty as usize)
			.is_some_and(|ty| wanted.matches(ty.params(), ty.results()))
		{
			self.imports.push(import.name.to_owned());
		} else {
			self.reasons.push(Reason::ImportSignature {
				name: import.name.to_owned(),
			});
		}
	}

	fn table(&mut self, elements: u64) {
		self.tables += 1;
		if elements > u64::from(limits::MAX_TABLE_ELEMENTS) {
			let max = limits::MAX_TABLE_ELEMENTS;
			self.reasons.push(Reason::TableTooLarge { elements, max });
		}
	}

	fn pages(&mut self, pages: u64) {
		self.memory_pages = pages;
		if pages > u64::from(limits::MAX_MEMORY_PAGES) {
			let max = limits::MAX_MEMORY_PAGES;
			self.reasons.push(Reason::MemoryTooLarge { pages, max });
		}
	}

	fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), BinaryReaderError> {
		let (index, size) = (self.bodies, body.range().len());
		self.bodies += 1;
		if size > limits::MAX_FUNCTION_BYTES {
			let max = limits::MAX_FUNCTION_BYTES;
			self.reasons
				.push(Reason::FunctionTooLarge { index, size, max });
		}
		let mut locals = self
			.signature_of((self.imported + index) as u32)
			.map_or(0, |ty| ty.params().len() as u64);
		for group in body.get_locals_reader()? {
			locals = locals.saturating_add(u64::from(group?.0));
		}
		self.many(
			"locals in one function",
			locals as usize,
			limits::MAX_LOCALS as usize,
		);
		Ok(())
	}

	fn signature_of(&self, function: u32) -> Option<&FuncType> {
		self.types
			.get(*self.functions.get(function as usize)? as usize)
	}

	fn many(&mut self, what: &'static str, count: usize, max: usize) {
		if count > max {
			self.reasons.push(Reason::TooMany { what, count, max });
		}
	}
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
		let bytes = vec![0; limits::MAX_MODULE_BYTES + 1];
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
