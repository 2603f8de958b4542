//! What a module may be under engine profile 1. Part of the profile: see the crate's page.

use millrace_primitives::execution::{MAX_MEMORY_BYTES, MAX_PACKAGE_BYTES};
use millrace_primitives::Gas;

/// Largest module in bytes: what a challenge can bring before the chain.
pub const MAX_MODULE_BYTES: usize = MAX_PACKAGE_BYTES as usize;
/// Most function signatures.
pub const MAX_TYPES: usize = 4_096;
/// Most functions, imported and defined: their records must fit in an instance of the pool.
pub const MAX_FUNCTIONS: usize = 20_000;
/// Most globals, for the same reason.
pub const MAX_GLOBALS: usize = 4_096;
/// Largest body of a function in bytes: compile time grows faster than the size of a function.
pub const MAX_FUNCTION_BYTES: usize = 256 * 1024;
/// Most locals of a function, parameters included.
pub const MAX_LOCALS: u32 = 16_384;
/// Most tables; compilers make one.
pub const MAX_TABLES: usize = 1;
/// Most elements of a table, now or after growing.
pub const MAX_TABLE_ELEMENTS: u32 = 16_384;
/// Bytes of a page of guest memory.
pub const PAGE_BYTES: u32 = 64 * 1024;
/// Most pages of guest memory.
pub const MAX_MEMORY_PAGES: u32 = MAX_MEMORY_BYTES / PAGE_BYTES;

/// Stack that all live calls of a guest may take together, in counted bytes.
pub const MAX_STACK: i64 = 1024 * 1024;
/// Counted bytes of any call, whatever it holds: return address, saved registers, alignment.
pub const FRAME_BYTES: u64 = 64;
/// Counted bytes of a local or operand.
pub const VALUE_BYTES: u8 = 8;
/// Bytes of a function's body that count as one byte of its frame. A compiler may keep values in the
/// frame that the code only computes in passing; their number is bounded by the size of the code.
pub const CODE_BYTES_PER_FRAME_BYTE: u64 = 16;
/// Native stack behind [`MAX_STACK`]. Compiled frames are larger than counted ones, by less than
/// this factor of 64, so that a guest always meets the counted limit first.
pub const NATIVE_STACK_BYTES: usize = 64 * 1024 * 1024;

/// Most gas of a call: what the meter, a signed 64-bit global, can hold.
pub const MAX_GAS: Gas = i64::MAX as Gas;

/// Most buffers in one read or write.
pub const MAX_IO_VECTORS: u32 = 1_024;
/// Standard error that is kept, in bytes; the rest is dropped without telling the guest.
pub const MAX_STDERR_BYTES: usize = 8 * 1024;
