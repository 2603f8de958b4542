//! Reads the sections of a module and gathers every reason against it.

use super::limits::{Counts, Signatures};
use super::{ModuleInfo, Reason};
use crate::archive::{Files, FILES_SECTION};
use crate::instrument::{GAS_EXPORT, STACK_EXPORT};
use crate::limits;
use crate::wasi::preview1;
use wasmparser::{
	BinaryReaderError, ExternalKind, FuncType, FunctionBody, Import, Parser, Payload, TypeRef,
};

/// What a scan has against a module.
#[derive(Debug, Default)]
pub(crate) struct Faults {
	reasons: Vec<Reason>,
	/// Why it was not read to its end.
	unread: Option<BinaryReaderError>,
}

impl Faults {
	/// All of them, and why the module does not validate. What cannot be read does not validate either;
	/// said once, it is enough.
	pub(super) fn with(self, invalid: Option<Reason>) -> Vec<Reason> {
		let mut reasons = self.reasons;
		reasons.extend(invalid.or_else(|| self.unread.as_ref().map(Reason::malformed)));
		reasons
	}
}

/// Reads a module as far as it can be read. Whether it validates is another question.
pub(super) fn scan(module: &[u8]) -> Result<ModuleInfo, Faults> {
	let mut scan = Scan::default();
	let read = scan.read(module);
	if read.is_err() || !scan.reasons.is_empty() {
		return Err(Faults {
			reasons: scan.reasons,
			unread: read.err(),
		});
	}
	Ok(ModuleInfo {
		size: module.len() as u32,
		memory_pages: scan.memory_pages as u32,
		functions: scan.bodies as u32,
		imports: scan.imports,
		files: scan.files as u32,
	})
}

/// What is gathered in one pass over the sections.
#[derive(Debug, Default)]
struct Scan {
	reasons: Vec<Reason>,
	/// Names of the functions that are imported and may be.
	imports: Vec<String>,
	/// Functions that are defined.
	bodies: usize,
	/// Pages of memory at the start.
	memory_pages: u64,
	/// Files of the package.
	files: usize,
	counts: Counts,
	types: Vec<FuncType>,
	/// Type of every function, imported ones first.
	functions: Vec<u32>,
	/// How many of them are imported.
	imported: usize,
	start: Option<u32>,
	memory: bool,
	/// Whether the section of files was there, and whether something else came behind it.
	files_seen: bool,
	files_followed: bool,
}

impl Scan {
	/// Reads a module as far as it can be read.
	fn read(&mut self, module: &[u8]) -> Result<(), BinaryReaderError> {
		for payload in Parser::new(0).parse_all(module) {
			self.payload(payload?)?;
		}
		self.counts.functions = self.functions.len();
		self.counts.check(&mut self.reasons);
		let started = self.start.and_then(|index| self.signature_of(index));
		if !started.is_some_and(|ty| ty.params().is_empty() && ty.results().is_empty()) {
			self.reasons.push(Reason::NoStart);
		}
		if !self.memory {
			self.reasons.push(Reason::NoMemory);
		}
		if self.files_followed {
			self.reasons.push(Reason::Files {
				message: "other sections come behind them; theirs must be the last".into(),
			});
		}
		Ok(())
	}

	fn payload(&mut self, payload: Payload<'_>) -> Result<(), BinaryReaderError> {
		let of_files = matches!(
			&payload,
			Payload::CustomSection(section) if section.name() == FILES_SECTION
		);
		if self.files_seen && !of_files && payload.as_section().is_some() {
			self.files_followed = true;
		}
		match payload {
			Payload::TypeSection(section) => {
				for ty in section.into_iter_err_on_gc_types() {
					let ty = ty?;
					self.counts.signature(&ty);
					self.types.push(ty);
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
			Payload::GlobalSection(section) => self.counts.globals += section.count() as usize,
			Payload::ExportSection(section) => {
				self.counts.exports += section.count() as usize;
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
			Payload::ElementSection(section) => {
				for segment in section {
					self.counts.elements(&segment?);
				}
			}
			Payload::DataSection(section) => self.counts.data_segments += section.count() as usize,
			Payload::CodeSectionEntry(body) => self.body(&body)?,
			Payload::CustomSection(section) if of_files => self.files(section.data()),
			_ => {}
		}
		Ok(())
	}

	fn import(&mut self, import: Import<'_>) {
		let wanted = preview1::import(import.module, import.name);
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
		self.counts.tables += 1;
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
		let signatures = Signatures {
			types: &self.types,
			functions: &self.functions,
		};
		let function = (self.imported + index) as u32;
		self.counts.body(body, function, signatures)
	}

	fn files(&mut self, section: &[u8]) {
		if self.files_seen {
			self.reasons.push(Reason::DuplicateSection);
			return;
		}
		self.files_seen = true;
		match Files::read(section) {
			Ok(files) => self.files = files.len(),
			Err(reason) => self.reasons.push(reason),
		}
	}

	fn signature_of(&self, function: u32) -> Option<&FuncType> {
		self.types
			.get(*self.functions.get(function as usize)? as usize)
	}
}
