//! What a module may be under engine profile 1. Part of the profile: see the crate's page.

use millrace_primitives::execution::{MAX_MEMORY_BYTES, MAX_PACKAGE_BYTES};
use millrace_primitives::Gas;

/// Largest module in bytes: what a challenge can bring before the chain.
pub const MAX_MODULE_BYTES: usize = MAX_PACKAGE_BYTES as usize;
/// Most function signatures.
pub const MAX_TYPES: usize = 4_096;
/// Most parameters of a signature, of functions and of blocks: each is moved at each call.
pub const MAX_PARAMS: usize = 256;
/// Most results of a signature: a compiler moves all of them for every target of a `br_table`.
pub const MAX_RESULTS: usize = 32;
/// Most functions, imported and defined: their records must fit in an instance of the pool.
pub const MAX_FUNCTIONS: usize = 20_000;
/// Most globals, for the same reason.
pub const MAX_GLOBALS: usize = 4_096;
/// Most exports: their names are kept with every compiled module.
pub const MAX_EXPORTS: usize = 4_096;
/// Most data segments: every instance keeps a record of each.
pub const MAX_DATA_SEGMENTS: usize = 4_096;
/// Most element segments, for the same reason.
pub const MAX_ELEMENT_SEGMENTS: usize = 1_024;
/// Most elements of all segments together: active ones are copied whenever a call begins.
pub const MAX_SEGMENT_ELEMENTS: usize = 65_536;
/// Largest body of a function in bytes: compile time grows faster than the size of a function.
pub const MAX_FUNCTION_BYTES: usize = 256 * 1024;
/// Most locals of a function, parameters included.
pub const MAX_LOCALS: u32 = 16_384;
/// Most locals of all functions together, parameters included. A few bytes declare thousands, and
/// compiler and judge do something for each. Compilers' code has one for a hundred bytes.
pub const MAX_ALL_LOCALS: usize = MAX_MODULE_BYTES / 4;
/// Most that the locals of a function may be when multiplied with its labels and conditional
/// branches: a compiler remembers for a local, by four bytes, where in the function it stands.
pub const MAX_LOCALS_BY_BRANCHES: usize = 1 << 25;
/// Most labels around an instruction. A `switch` has one for each case, so there may be as many as
/// targets of a `br_table`; validator, judge and compiler keep them in a list and find each at once.
pub const MAX_NESTING: usize = MAX_TABLE_TARGETS;
/// Most loops around an instruction: a compiler goes from loop to loop outwards for what is in them,
/// and once more through all for each that is around others.
pub const MAX_LOOP_NESTING: usize = 256;
/// Most parameters of a block. Compilers give it none, and the judge takes a local that lies below
/// them for one of them: it would not see the value from before the block.
pub const MAX_BLOCK_PARAMS: usize = 0;
/// Most values that calls, blocks and branches of a module move, as their types say. Each is looked
/// at whenever the code is validated, and in code that is never reached, nobody has to push it first.
/// Compilers' code moves one for ten bytes.
pub const MAX_MOVED_VALUES: usize = MAX_MODULE_BYTES / 2;
/// Most targets of one `br_table`, the default included: each is an edge that a compiler follows.
pub const MAX_TABLE_TARGETS: usize = 16_384;
/// Most targets of all `br_table` instructions of a module.
pub const MAX_BR_TARGETS: usize = 65_536;
/// Bytes that a module may have with its meter, for each byte that it has without: real code grows
/// by about a half, and only code made of nothing but loop heads by more than this.
pub const MAX_CODE_GROWTH: usize = 4;
/// Bytes that any module may grow by on top of that.
pub const CODE_GROWTH_BYTES: usize = 64 * 1024;
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

/// Most files of a package.
pub const MAX_FILES: usize = 1_024;
/// Most folders of a package, the root included: a path of few bytes can name many.
pub const MAX_FOLDERS: usize = 1_024;
/// Most bytes of a file's path.
pub const MAX_PATH_BYTES: usize = 255;

/// Most gas of a call: what the meter, a signed 64-bit global, can hold.
pub const MAX_GAS: Gas = i64::MAX as Gas;

/// Most buffers in one read or write.
pub const MAX_IO_VECTORS: u32 = 1_024;
/// Standard error that is kept, in bytes; the rest is dropped without telling the guest.
pub const MAX_STDERR_BYTES: usize = 8 * 1024;
