//! Settings of the judge's engine.

use crate::growth::GrowthLimits;
use crate::limits::MAX_TABLES;
use wasmi::errors::{MemoryError, TableError};
use wasmi::{CompilationMode, Config, ResourceLimiter};
use wasmi_core::LimiterError;

/// Calls that may be live in the judge. The counted stack ends far before: each call takes at least
/// [`crate::limits::FRAME_BYTES`] of [`crate::limits::MAX_STACK`].
const MAX_RECURSION: usize = 32_768;
/// Bytes of the judge's stack: eight for each that is counted, and a function with all its locals
/// that is not, with room to spare.
const MAX_STACK_BYTES: usize = 64 * 1024 * 1024;

/// The settings of wasmi. Proposals are those of [`crate::validate()`]; its own limits lie above the
/// counted ones, so that no guest ever meets them.
pub fn config() -> Config {
	let mut config = Config::default();
	config
		.consume_fuel(false)
		.compilation_mode(CompilationMode::Eager)
		.set_max_recursion_depth(MAX_RECURSION)
		.set_max_stack_height(MAX_STACK_BYTES)
		.set_max_cached_stacks(0)
		.ignore_custom_sections(true)
		.allow_start_fn(false);
	config
		.wasm_mutable_global(true)
		.wasm_sign_extension(true)
		.wasm_saturating_float_to_int(true)
		.wasm_multi_value(true)
		.wasm_bulk_memory(true)
		.wasm_reference_types(true)
		.wasm_extended_const(true)
		.floats(true);
	config
		.wasm_multi_memory(false)
		.wasm_tail_call(false)
		.wasm_custom_page_sizes(false)
		.wasm_wide_arithmetic(false);
	config
}

impl ResourceLimiter for GrowthLimits {
	fn memory_growing(
		&mut self,
		_current: usize,
		desired: usize,
		maximum: Option<usize>,
	) -> Result<bool, LimiterError> {
		Ok(self.memory_may_grow(desired, maximum))
	}

	fn table_growing(
		&mut self,
		_current: usize,
		desired: usize,
		maximum: Option<usize>,
	) -> Result<bool, LimiterError> {
		Ok(self.table_may_grow(desired, maximum))
	}

	fn memory_grow_failed(&mut self, error: &MemoryError) -> Result<(), LimiterError> {
		self.failure = Some(error.to_string());
		Err(LimiterError::ResourceLimiterDeniedAllocation)
	}

	fn table_grow_failed(&mut self, error: &TableError) -> Result<(), LimiterError> {
		self.failure = Some(error.to_string());
		Err(LimiterError::ResourceLimiterDeniedAllocation)
	}

	fn instances(&self) -> usize {
		1
	}

	fn tables(&self) -> usize {
		MAX_TABLES
	}

	fn memories(&self) -> usize {
		1
	}
}
