//! The sections of the new module, filled while the old one is read.

use super::body::Source;
use super::meter::Counters;
use super::{GAS_EXPORT, STACK_EXPORT};
use crate::error::InstrumentError;
use crate::limits::MAX_STACK;
use std::collections::BTreeMap;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
	BlockType, CodeSection, ConstExpr, ExportKind, ExportSection, Function, GlobalSection,
	GlobalType, Module, RawSection, SectionId, TypeSection, ValType,
};
use wasmparser::{FuncType, FunctionBody, GlobalSectionReader, Payload, TypeRef};

/// What the old module holds and what the new one will.
#[derive(Debug)]
pub(super) struct Sections<'a> {
	source: &'a [u8],
	signatures: Vec<FuncType>,
	types: TypeSection,
	/// Types without parameters and with several results, by those results.
	result_types: BTreeMap<Vec<ValType>, u32>,
	imported_globals: u32,
	globals: GlobalSection,
	exports: ExportSection,
	code: CodeSection,
	/// Sections that stay as they are, by their numbers.
	kept: BTreeMap<u8, &'a [u8]>,
}

impl<'a> Sections<'a> {
	pub(super) fn new(source: &'a [u8]) -> Self {
		Self {
			source,
			signatures: Vec::new(),
			types: TypeSection::new(),
			result_types: BTreeMap::new(),
			imported_globals: 0,
			globals: GlobalSection::new(),
			exports: ExportSection::new(),
			code: CodeSection::new(),
			kept: BTreeMap::new(),
		}
	}

	/// Takes a part of the old module that is no function.
	pub(super) fn payload(&mut self, payload: &Payload<'a>) -> Result<(), InstrumentError> {
		let copy = &mut RoundtripReencoder;
		match payload {
			Payload::TypeSection(section) => {
				for signature in section.clone().into_iter_err_on_gc_types() {
					let signature = signature?;
					self.types
						.ty()
						.func_type(&copy.func_type(signature.clone())?);
					self.signatures.push(signature);
				}
			}
			Payload::GlobalSection(section) => self.copy_globals(section.clone())?,
			Payload::ExportSection(section) => {
				copy.parse_export_section(&mut self.exports, section.clone())?;
			}
			Payload::CustomSection(_) | Payload::CodeSectionStart { .. } => {}
			other => {
				if let Payload::ImportSection(section) = other {
					for import in section.clone() {
						if matches!(import?.ty, TypeRef::Global(_)) {
							self.imported_globals += 1;
						}
					}
				}
				if let Some((id, range)) = other.as_section() {
					let bytes = self.bytes(range.start, range.end);
					self.kept.insert(id, bytes);
				}
			}
		}
		Ok(())
	}

	/// Copies globals to the byte: a float would go through the host's registers otherwise.
	fn copy_globals(&mut self, section: GlobalSectionReader<'a>) -> Result<(), InstrumentError> {
		let mut globals = section.into_iter();
		loop {
			let start = globals.original_position();
			let Some(global) = globals.next() else {
				return Ok(());
			};
			global?;
			let bytes = self.bytes(start, globals.original_position());
			self.globals.raw(bytes);
		}
	}

	/// What is needed to write a function of the old module, which has this type, again.
	pub(super) fn source(
		&mut self,
		ty: u32,
		body: FunctionBody<'a>,
	) -> Result<Source<'a>, InstrumentError> {
		let signature = self
			.signatures
			.get(ty as usize)
			.ok_or_else(|| InstrumentError::Encoding(format!("there is no type {ty}")))?
			.clone();
		Ok(Source {
			module: self.source,
			body,
			parameters: signature.params().len() as u32,
			results: self.block_of(&signature)?,
			counters: self.counters(),
		})
	}

	/// Takes the next function, with its meter.
	pub(super) fn body(&mut self, function: &Function) {
		self.code.function(function);
	}

	/// The new globals: behind the imported ones and the module's own.
	fn counters(&self) -> Counters {
		let gas = self.imported_globals + self.globals.len();
		Counters {
			gas,
			stack: gas + 1,
		}
	}

	/// Type of a block that leaves what a function returns.
	fn block_of(&mut self, signature: &FuncType) -> Result<BlockType, InstrumentError> {
		let mut results = Vec::new();
		for ty in signature.results() {
			results.push(RoundtripReencoder.val_type(*ty)?);
		}
		Ok(match results[..] {
			[] => BlockType::Empty,
			[ty] => BlockType::Result(ty),
			_ => {
				let types = &mut self.types;
				let index = *self.result_types.entry(results.clone()).or_insert_with(|| {
					let index = types.len();
					types.ty().function([], results.iter().copied());
					index
				});
				BlockType::FunctionType(index)
			}
		})
	}

	/// Puts the new module together.
	pub(super) fn finish(mut self) -> Vec<u8> {
		let counters = self.counters();
		let counter = GlobalType {
			val_type: ValType::I64,
			mutable: true,
			shared: false,
		};
		self.globals
			.global(counter, &ConstExpr::i64_const(0))
			.global(counter, &ConstExpr::i64_const(MAX_STACK));
		self.exports
			.export(GAS_EXPORT, ExportKind::Global, counters.gas)
			.export(STACK_EXPORT, ExportKind::Global, counters.stack);

		let mut module = Module::new();
		module.section(&self.types);
		self.keep(
			&mut module,
			&[
				SectionId::Import,
				SectionId::Function,
				SectionId::Table,
				SectionId::Memory,
			],
		);
		module.section(&self.globals).section(&self.exports);
		self.keep(
			&mut module,
			&[SectionId::Start, SectionId::Element, SectionId::DataCount],
		);
		module.section(&self.code);
		self.keep(&mut module, &[SectionId::Data]);
		module.finish()
	}

	/// Adds those sections of the old module that it has.
	fn keep(&self, module: &mut Module, sections: &[SectionId]) {
		for section in sections {
			let id = u8::from(*section);
			if let Some(data) = self.kept.get(&id) {
				module.section(&RawSection { id, data });
			}
		}
	}

	fn bytes(&self, start: usize, end: usize) -> &'a [u8] {
		self.source.get(start..end).unwrap_or_default()
	}
}
