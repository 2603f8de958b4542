//! Counts what the profile limits, over a whole module.

use super::Reason;
use crate::limits;
use wasmparser::{
	BinaryReaderError, BlockType, Element, ElementItems, FuncType, FunctionBody, Operator,
};

/// How much of everything there is. What is counted in each function or signature is kept for the
/// greatest one: one of them is enough to be refused.
#[derive(Debug, Default)]
pub(super) struct Counts {
	pub(super) types: usize,
	parameters: usize,
	results: usize,
	pub(super) functions: usize,
	pub(super) globals: usize,
	pub(super) tables: usize,
	pub(super) exports: usize,
	pub(super) data_segments: usize,
	element_segments: usize,
	elements: usize,
	locals: usize,
	all_locals: usize,
	locals_by_branches: usize,
	nesting: usize,
	loop_nesting: usize,
	block_parameters: usize,
	table_targets: usize,
	targets: usize,
	moved: usize,
}

/// What functions and blocks take and give, in numbers. What cannot be found takes and gives nothing:
/// it does not validate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signatures<'a> {
	/// All of the module.
	pub(super) types: &'a [FuncType],
	/// Type of every function.
	pub(super) functions: &'a [u32],
}

impl Signatures<'_> {
	/// Parameters and results of a type.
	fn of_type(&self, ty: u32) -> (usize, usize) {
		self.types
			.get(ty as usize)
			.map_or((0, 0), |ty| (ty.params().len(), ty.results().len()))
	}

	/// Parameters and results of a function.
	fn of_function(&self, index: u32) -> (usize, usize) {
		self.functions
			.get(index as usize)
			.map_or((0, 0), |ty| self.of_type(*ty))
	}

	/// Parameters and results of a block.
	fn of_block(&self, ty: BlockType) -> (usize, usize) {
		match ty {
			BlockType::Empty => (0, 0),
			BlockType::Type(_) => (0, 1),
			BlockType::FuncType(ty) => self.of_type(ty),
		}
	}
}

/// A label that a branch can name.
#[derive(Clone, Copy, Debug)]
struct Label {
	/// Values that a branch to it carries.
	values: usize,
	/// Whether it is a loop's.
	again: bool,
}

/// Values that a branch carries.
fn carried(labels: &[Label], depth: u32) -> usize {
	let index = labels.len().checked_sub(1 + depth as usize);
	let label = index.and_then(|index| labels.get(index));
	label.map_or(0, |label| label.values)
}

impl Counts {
	/// Counts a signature.
	pub(super) fn signature(&mut self, signature: &FuncType) {
		self.types += 1;
		self.parameters = self.parameters.max(signature.params().len());
		self.results = self.results.max(signature.results().len());
	}

	/// Counts an element segment.
	pub(super) fn elements(&mut self, segment: &Element<'_>) {
		self.element_segments += 1;
		self.elements += match &segment.items {
			ElementItems::Functions(items) => items.count() as usize,
			ElementItems::Expressions(_, items) => items.count() as usize,
		};
	}

	/// Counts what is in a function.
	pub(super) fn body(
		&mut self,
		body: &FunctionBody<'_>,
		function: u32,
		signatures: Signatures<'_>,
	) -> Result<(), BinaryReaderError> {
		let (parameters, results) = signatures.of_function(function);
		let mut locals = parameters;
		for group in body.get_locals_reader()? {
			locals = locals.saturating_add(group?.0 as usize);
		}
		self.locals = self.locals.max(locals);
		self.all_locals = self.all_locals.saturating_add(locals);
		let (mut branches, mut loops) = (0usize, 0usize);
		// The function's own comes first.
		let mut labels = vec![Label {
			values: results,
			again: false,
		}];
		let mut operators = body.get_operators_reader()?;
		while !operators.eof() {
			let operator = operators.read()?;
			self.moved += match &operator {
				Operator::Block { blockty }
				| Operator::Loop { blockty }
				| Operator::If { blockty } => {
					let (parameters, results) = signatures.of_block(*blockty);
					let again = matches!(operator, Operator::Loop { .. });
					let values = if again { parameters } else { results };
					branches += 1;
					loops += usize::from(again);
					self.nesting = self.nesting.max(labels.len());
					self.loop_nesting = self.loop_nesting.max(loops);
					self.block_parameters = self.block_parameters.max(parameters);
					labels.push(Label { values, again });
					parameters + results
				}
				Operator::End => {
					loops -= usize::from(labels.pop().is_some_and(|label| label.again));
					0
				}
				Operator::Br { relative_depth } => carried(&labels, *relative_depth),
				Operator::BrIf { relative_depth } => {
					branches += 1;
					carried(&labels, *relative_depth)
				}
				Operator::BrTable { targets } => {
					let count = 1 + targets.len() as usize;
					self.table_targets = self.table_targets.max(count);
					self.targets += count;
					count * carried(&labels, targets.default())
				}
				Operator::Return => results,
				Operator::Call { function_index } => {
					let (parameters, results) = signatures.of_function(*function_index);
					parameters + results
				}
				Operator::CallIndirect { type_index, .. } => {
					let (parameters, results) = signatures.of_type(*type_index);
					parameters + results
				}
				_ => 0,
			};
		}
		let product = locals.saturating_mul(branches);
		self.locals_by_branches = self.locals_by_branches.max(product);
		Ok(())
	}

	/// Says what there is too much of.
	pub(super) fn check(&self, reasons: &mut Vec<Reason>) {
		for (what, count, max) in [
			("types", self.types, limits::MAX_TYPES),
			(
				"parameters in one signature",
				self.parameters,
				limits::MAX_PARAMS,
			),
			(
				"results in one signature",
				self.results,
				limits::MAX_RESULTS,
			),
			("functions", self.functions, limits::MAX_FUNCTIONS),
			("globals", self.globals, limits::MAX_GLOBALS),
			("tables", self.tables, limits::MAX_TABLES),
			("exports", self.exports, limits::MAX_EXPORTS),
			(
				"data segments",
				self.data_segments,
				limits::MAX_DATA_SEGMENTS,
			),
			(
				"element segments",
				self.element_segments,
				limits::MAX_ELEMENT_SEGMENTS,
			),
			(
				"elements in its segments",
				self.elements,
				limits::MAX_SEGMENT_ELEMENTS,
			),
			(
				"locals in one function",
				self.locals,
				limits::MAX_LOCALS as usize,
			),
			(
				"locals in all functions",
				self.all_locals,
				limits::MAX_ALL_LOCALS,
			),
			(
				"locals times branches in one function",
				self.locals_by_branches,
				limits::MAX_LOCALS_BY_BRANCHES,
			),
			(
				"labels around one instruction",
				self.nesting,
				limits::MAX_NESTING,
			),
			(
				"loops around one instruction",
				self.loop_nesting,
				limits::MAX_LOOP_NESTING,
			),
			(
				"parameters of one block",
				self.block_parameters,
				limits::MAX_BLOCK_PARAMS,
			),
			(
				"targets in one br_table",
				self.table_targets,
				limits::MAX_TABLE_TARGETS,
			),
			("targets of br_table", self.targets, limits::MAX_BR_TARGETS),
			(
				"values moved by calls, blocks and branches",
				self.moved,
				limits::MAX_MOVED_VALUES,
			),
		] {
			if count > max {
				reasons.push(Reason::TooMany { what, count, max });
			}
		}
	}
}

/// Says if a module has grown too much by its meter.
#[cfg(any(feature = "engine", feature = "replay"))]
pub(super) fn growth(module: usize, metered: usize) -> Result<(), Reason> {
	let max = module
		.saturating_mul(limits::MAX_CODE_GROWTH)
		.saturating_add(limits::CODE_GROWTH_BYTES);
	if metered > max {
		return Err(Reason::TooMany {
			what: "bytes with its meter",
			count: metered,
			max,
		});
	}
	Ok(())
}
