//! Puts the meter into a module.
//!
//! Two mutable globals are added: the gas that is left and the stack that is left. Each straight run
//! of code takes its gas at its beginning, each function that calls takes its frame on entry and
//! gives it back on leaving, and bulk instructions take gas for their length. Who takes more than
//! there is leaves the global negative and hits `unreachable`; the sign tells which of the two ran
//! out. finite-wasm says where gas is to be taken and how large frames are; the code is ours and runs
//! inline, without calls to the host.

use crate::cost::{growth, FrameSizes, Growth, OperatorCosts, BULK_BYTES_SHIFT};
use crate::error::InstrumentError;
use crate::limits::{CODE_BYTES_PER_FRAME_BYTE, MAX_STACK};
use finite_wasm::gas::InstrumentationKind;
use finite_wasm::{Analysis, AnalysisOutcome};
use std::collections::BTreeMap;
use wasm_encoder::reencode::{Reencode, RoundtripReencoder};
use wasm_encoder::{
	BlockType, CodeSection, ConstExpr, DataCountSection, DataSection, ElementSection, ExportKind,
	ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
	InstructionSink, MemorySection, Module, TableSection, TypeSection, ValType,
};
use wasmparser::{FuncType, FunctionBody, Operator, Parser, Payload};

/// Export of the global that holds the gas that is left; negative when it ran out.
pub const GAS_EXPORT: &str = "millrace:gas";
/// Export of the global that holds the stack that is left; negative when it ran out.
pub const STACK_EXPORT: &str = "millrace:stack";

/// Validates a module and puts the meter in. Custom sections are dropped.
pub fn instrument(module: &[u8]) -> Result<Vec<u8>, InstrumentError> {
	crate::validate(module).map_err(InstrumentError::Refused)?;
	inject(module)
}

/// Puts the meter into a module that validates.
pub(crate) fn inject(module: &[u8]) -> Result<Vec<u8>, InstrumentError> {
	let analysis = Analysis::new()
		.with_stack(FrameSizes)
		.with_gas(OperatorCosts)
		.analyze(module)
		.map_err(|error| InstrumentError::Analysis(error.to_string()))?;
	let mut rewriter = Rewriter::new(module, analysis);
	for payload in Parser::new(0).parse_all(module) {
		rewriter.payload(payload?)?;
	}
	Ok(rewriter.finish())
}

/// The sections of the new module, filled while the old one is read.
struct Rewriter<'a> {
	source: &'a [u8],
	analysis: AnalysisOutcome,
	signatures: Vec<FuncType>,
	/// Types without parameters and with several results, by those results.
	result_types: BTreeMap<Vec<ValType>, u32>,
	function_types: Vec<u32>,
	types: TypeSection,
	imports: ImportSection,
	functions: FunctionSection,
	tables: TableSection,
	memories: MemorySection,
	globals: GlobalSection,
	exports: ExportSection,
	elements: ElementSection,
	data_count: Option<u32>,
	code: CodeSection,
	data: DataSection,
	bodies: usize,
}

impl<'a> Rewriter<'a> {
	fn new(source: &'a [u8], analysis: AnalysisOutcome) -> Self {
		Self {
			source,
			analysis,
			signatures: Vec::new(),
			result_types: BTreeMap::new(),
			function_types: Vec::new(),
			types: TypeSection::new(),
			imports: ImportSection::new(),
			functions: FunctionSection::new(),
			tables: TableSection::new(),
			memories: MemorySection::new(),
			globals: GlobalSection::new(),
			exports: ExportSection::new(),
			elements: ElementSection::new(),
			data_count: None,
			code: CodeSection::new(),
			data: DataSection::new(),
			bodies: 0,
		}
	}

	/// Index of the gas global. Globals cannot be imported, so the module's own come first.
	fn gas_global(&self) -> u32 {
		self.globals.len()
	}

	/// Index of the stack global.
	fn stack_global(&self) -> u32 {
		self.globals.len() + 1
	}

	fn payload(&mut self, payload: Payload<'a>) -> Result<(), InstrumentError> {
		let copy = &mut RoundtripReencoder;
		match payload {
			Payload::TypeSection(section) => {
				for signature in section.into_iter_err_on_gc_types() {
					let signature = signature?;
					self.types
						.ty()
						.func_type(&copy.func_type(signature.clone())?);
					self.signatures.push(signature);
				}
			}
			Payload::ImportSection(section) => {
				copy.parse_import_section(&mut self.imports, section)?;
			}
			Payload::FunctionSection(section) => {
				for ty in section {
					let ty = ty?;
					self.function_types.push(ty);
					self.functions.function(ty);
				}
			}
			Payload::TableSection(section) => {
				copy.parse_table_section(&mut self.tables, section)?
			}
			Payload::MemorySection(section) => {
				copy.parse_memory_section(&mut self.memories, section)?;
			}
			Payload::GlobalSection(section) => {
				copy.parse_global_section(&mut self.globals, section)?;
			}
			Payload::ExportSection(section) => {
				copy.parse_export_section(&mut self.exports, section)?;
			}
			Payload::ElementSection(section) => {
				copy.parse_element_section(&mut self.elements, section)?;
			}
			Payload::DataCountSection { count, .. } => self.data_count = Some(count),
			Payload::CodeSectionEntry(body) => self.body(&body)?,
			Payload::DataSection(section) => copy.parse_data_section(&mut self.data, section)?,
			_ => {}
		}
		Ok(())
	}

	fn body(&mut self, body: &FunctionBody<'_>) -> Result<(), InstrumentError> {
		let index = self.bodies;
		self.bodies += 1;
		let signature = self
			.function_types
			.get(index)
			.and_then(|ty| self.signatures.get(*ty as usize))
			.ok_or_else(|| InstrumentError::Encoding(format!("function {index} has no type")))?
			.clone();

		let mut locals = Vec::new();
		let mut count = signature.params().len() as u32;
		for group in body.get_locals_reader()? {
			let (many, ty) = group?;
			locals.push((many, RoundtripReencoder.val_type(ty)?));
			count += many;
		}
		let meter = Meter {
			gas: self.gas_global(),
			stack: self.stack_global(),
			left: count,
			length: count + 1,
		};
		locals.push((1, ValType::I64));
		locals.push((1, ValType::I32));
		let mut function = Function::new(locals);

		let frame = if calls(body)? {
			Some(self.frame(index, body)?)
		} else {
			None
		};
		if let Some(frame) = frame {
			let block = self.block_of(&signature)?;
			let mut code = function.instructions();
			meter.take(&mut code, meter.stack, frame);
			// Leaving by a branch to the function's own label ends in this block instead.
			code.block(block);
		}

		let mut points = self.points(index)?.into_iter().peekable();
		let mut operators = body.get_operators_reader()?;
		while !operators.eof() {
			let (operator, start) = operators.read_with_offset()?;
			let end = operators.original_position();
			while let Some((_, gas)) = points.next_if(|(offset, _)| *offset <= start) {
				meter.take(&mut function.instructions(), meter.gas, gas);
			}
			match (&operator, frame) {
				(Operator::Return, Some(frame)) => {
					let mut code = function.instructions();
					meter.give_back(&mut code, frame);
					code.return_();
				}
				(Operator::End, Some(frame)) if operators.eof() => {
					let mut code = function.instructions();
					code.end();
					meter.give_back(&mut code, frame);
					code.end();
				}
				_ => {
					if let Some(growth) = growth(&operator) {
						meter.take_length(&mut function.instructions(), growth);
					}
					// No index changes, so the instruction stays as it is, to the byte.
					let bytes = self.source.get(start..end).unwrap_or_default();
					function.raw(bytes.iter().copied());
				}
			}
		}
		self.code.function(&function);
		Ok(())
	}

	/// Where a function takes gas, and how much: offset in the module and amount, in order.
	fn points(&self, index: usize) -> Result<Vec<(usize, i64)>, InstrumentError> {
		let (Some(offsets), Some(costs), Some(kinds)) = (
			self.analysis.gas_offsets.get(index),
			self.analysis.gas_costs.get(index),
			self.analysis.gas_kinds.get(index),
		) else {
			return Err(InstrumentError::Analysis(format!(
				"function {index} was not analysed"
			)));
		};
		Ok(offsets
			.iter()
			.zip(costs.iter())
			.zip(kinds.iter())
			.filter(|((_, cost), kind)| {
				cost.constant > 0 && **kind != InstrumentationKind::Unreachable
			})
			.map(|((offset, cost), _)| (*offset, cost.constant as i64))
			.collect())
	}

	/// Counted size of a function's frame.
	fn frame(&self, index: usize, body: &FunctionBody<'_>) -> Result<i64, InstrumentError> {
		let (Some(frame), Some(operands)) = (
			self.analysis.function_frame_sizes.get(index),
			self.analysis.function_operand_stack_sizes.get(index),
		) else {
			return Err(InstrumentError::Analysis(format!(
				"function {index} was not analysed"
			)));
		};
		let code = body.range().len() as u64 / CODE_BYTES_PER_FRAME_BYTE;
		Ok((frame + operands + code) as i64)
	}

	/// Type of a block that leaves what the function returns.
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

	fn finish(mut self) -> Vec<u8> {
		let (gas, stack) = (self.gas_global(), self.stack_global());
		let counter = GlobalType {
			val_type: ValType::I64,
			mutable: true,
			shared: false,
		};
		self.globals.global(counter, &ConstExpr::i64_const(0));
		self.globals
			.global(counter, &ConstExpr::i64_const(MAX_STACK));
		self.exports.export(GAS_EXPORT, ExportKind::Global, gas);
		self.exports.export(STACK_EXPORT, ExportKind::Global, stack);

		let mut module = Module::new();
		module
			.section(&self.types)
			.section(&self.imports)
			.section(&self.functions);
		module
			.section(&self.tables)
			.section(&self.memories)
			.section(&self.globals);
		module.section(&self.exports).section(&self.elements);
		if let Some(count) = self.data_count {
			module.section(&DataCountSection { count });
		}
		module.section(&self.code).section(&self.data);
		module.finish()
	}
}

/// Whether a function calls anything. One that does not adds a single frame to the stack, for which
/// the native stack has room beside everything that is counted.
fn calls(body: &FunctionBody<'_>) -> Result<bool, InstrumentError> {
	let mut operators = body.get_operators_reader()?;
	while !operators.eof() {
		if matches!(
			operators.read()?,
			Operator::Call { .. } | Operator::CallIndirect { .. }
		) {
			return Ok(true);
		}
	}
	Ok(false)
}

/// The injected code of one function.
struct Meter {
	gas: u32,
	stack: u32,
	/// An `i64` local: what is left after taking.
	left: u32,
	/// An `i32` local: the length operand of a bulk instruction.
	length: u32,
}

impl Meter {
	/// Takes a fixed amount from a counter.
	fn take(&self, code: &mut InstructionSink<'_>, counter: u32, amount: i64) {
		code.global_get(counter).i64_const(amount).i64_sub();
		self.settle(code, counter);
	}

	/// Takes gas for the length on top of the operand stack, and leaves it there.
	fn take_length(&self, code: &mut InstructionSink<'_>, growth: Growth) {
		code.local_tee(self.length).global_get(self.gas);
		code.local_get(self.length).i64_extend_i32_u();
		match growth {
			Growth::Bytes => code.i64_const(i64::from(BULK_BYTES_SHIFT)).i64_shr_u(),
			Growth::Units(gas) => code.i64_const(gas as i64).i64_mul(),
		};
		code.i64_sub();
		self.settle(code, self.gas);
	}

	/// Stores what is left of a counter, and traps if that is less than nothing.
	fn settle(&self, code: &mut InstructionSink<'_>, counter: u32) {
		code.local_tee(self.left).global_set(counter);
		code.local_get(self.left).i64_const(0).i64_lt_s();
		code.if_(BlockType::Empty).unreachable().end();
	}

	/// Gives a frame back.
	fn give_back(&self, code: &mut InstructionSink<'_>, frame: i64) {
		code.global_get(self.stack)
			.i64_const(frame)
			.i64_add()
			.global_set(self.stack);
	}
}
