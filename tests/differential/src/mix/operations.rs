//! What a mix is made of: at least one entry for each class of instruction, and for each way in which
//! one is known to be slow.
//!
//! Every entry is a statement over the locals of [`super::Genome::text`]. In its text `{n}` is the
//! slot's number, `{k}` names the slot, `{a}` is an address by the genome's pattern, `{o}` an offset
//! that may lie across a line or a page, `{d}` and `{e}` are places for bulk instructions with room
//! for `{l}` bytes, and `{t}` is a place that nothing else writes to. `{locals}` are as many locals as
//! the number says. `{results}` are as many types as a block may give, `{values}` those values from the
//! locals, and `{same}` the same from a function's parameter.

/// One entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
	/// Its name.
	pub name: &'static str,
	/// The statement.
	pub body: &'static str,
	/// A function that it needs, or nothing.
	pub function: &'static str,
}

const fn plain(name: &'static str, body: &'static str) -> Operation {
	Operation {
		name,
		body,
		function: "",
	}
}

const fn with(name: &'static str, body: &'static str, function: &'static str) -> Operation {
	Operation {
		name,
		body,
		function,
	}
}

/// All entries.
pub const OPERATIONS: &[Operation] = &[
	plain("nop", "(nop)"),
	// Integers.
	plain("add", "(local.set $a (i64.add (local.get $a) (local.get $b)))"),
	plain("add_32", "(local.set $n (i32.add (local.get $n) (i32.const {n})))"),
	plain("mul", "(local.set $a (i64.mul (local.get $a) (i64.const 0x9e3779b97f4a7c15)))"),
	plain("shift", "(local.set $a (i64.rotl (local.get $a) (local.get $b)))"),
	plain("div", "(local.set $b (i64.div_u (i64.const -1) (i64.or (local.get $a) (i64.const 3))))"),
	plain(
		"div_signed",
		"(local.set $b (i64.div_s (i64.const 0x7fffffffffffffff) (i64.const {n}7)))",
	),
	plain("rem", "(local.set $b (i64.rem_u (i64.const -1) (i64.or (local.get $a) (i64.const 3))))"),
	plain(
		"div_32",
		"(local.set $n (i32.div_u (i32.const -1) (i32.or (local.get $s) (i32.const 3))))",
	),
	plain("clz", "(local.set $a (i64.clz (local.get $a)))"),
	plain("ctz", "(local.set $a (i64.ctz (local.get $a)))"),
	plain("popcnt", "(local.set $a (i64.popcnt (local.get $a)))"),
	plain("popcnt_32", "(local.set $n (i32.popcnt (local.get $n)))"),
	plain("extend", "(local.set $a (i64.extend8_s (i64.extend32_s (local.get $a))))"),
	plain("compare", "(local.set $n (i64.lt_s (local.get $a) (local.get $b)))"),
	plain("wrap", "(local.set $a (i64.extend_i32_u (i32.wrap_i64 (local.get $a))))"),
	// Floats; those of no ordinary size take many processors a hundred times as long.
	plain("float_add", "(local.set $x (f64.add (local.get $x) (local.get $y)))"),
	plain("float_mul", "(local.set $x (f64.mul (local.get $x) (local.get $y)))"),
	plain("float_div", "(local.set $x (f64.div (local.get $y) (local.get $x)))"),
	plain("float_sqrt", "(local.set $x (f64.sqrt (local.get $y)))"),
	plain("float_min", "(local.set $x (f64.min (local.get $x) (local.get $y)))"),
	plain("float_nearest", "(local.set $x (f64.nearest (local.get $y)))"),
	plain("float_floor_32", "(local.set $f (f32.floor (local.get $f)))"),
	plain("float_copysign", "(local.set $x (f64.copysign (local.get $x) (local.get $y)))"),
	plain("float_compare", "(local.set $n (f64.lt (local.get $x) (local.get $y)))"),
	plain("convert", "(local.set $x (f64.convert_i64_u (local.get $a)))"),
	plain("convert_32", "(local.set $f (f32.convert_i64_u (local.get $a)))"),
	plain("truncate", "(local.set $a (i64.trunc_f64_u (local.get $y)))"),
	plain("truncate_sat", "(local.set $a (i64.trunc_sat_f64_u (local.get $x)))"),
	plain("truncate_sat_32", "(local.set $n (i32.trunc_sat_f32_s (local.get $f)))"),
	plain("promote", "(local.set $x (f64.promote_f32 (f32.demote_f64 (local.get $x))))"),
	plain("reinterpret", "(local.set $a (i64.reinterpret_f64 (local.get $x)))"),
	plain("tiny_add", "(local.set $z (f64.add (local.get $tiny) (local.get $tiny)))"),
	plain("tiny_mul", "(local.set $z (f64.mul (local.get $tiny) (local.get $y)))"),
	plain("tiny_div", "(local.set $z (f64.div (local.get $tiny) (local.get $y)))"),
	plain("tiny_sqrt", "(local.set $z (f64.sqrt (local.get $tiny)))"),
	plain("tiny_demote", "(local.set $f (f32.demote_f64 (local.get $small)))"),
	plain("tiny_promote", "(local.set $x (f64.promote_f32 (f32.const 0x1p-149)))"),
	plain("nan", "(local.set $x (f64.mul (f64.const nan) (local.get $y)))"),
	// Variables.
	plain("global", "(global.set $g (i64.add (global.get $g) (i64.const 1)))"),
	plain("global_read", "(local.set $a (global.get $g))"),
	plain("move", "(local.set $a (local.get $b)) (local.set $b (local.get $a))"),
	plain("select", "(local.set $a (select (local.get $a) (local.get $b) (local.get $n)))"),
	// A value that is on the stack while its local changes.
	plain(
		"preserve",
		"(local.set $b (i64.add (local.get $a) \
		(block (result i64) (local.set $a (local.get $b)) (local.get $a))))",
	),
	plain(
		"step",
		"(local.set $s (i32.add (i32.mul (local.get $s) (i32.const 1664525)) (i32.const \
		1013904223)))",
	),
	// Branches.
	plain("branch", "(block (br 0))"),
	plain("branch_if_always", "(block (br_if 0 (i32.const 1)))"),
	plain("branch_if_never", "(block (br_if 0 (i32.const 0)))"),
	plain(
		"branch_if_by_chance",
		"(block (br_if 0 (i32.lt_s (local.get $s) (i32.const 0))) (local.set $n \
		(i32.const {n})))",
	),
	plain(
		"if",
		"(if (local.get $n) (then (local.set $n (i32.const 0))) (else (local.set $n \
		(i32.const 1))))",
	),
	plain(
		"branch_table",
		"(block (block (block (block (br_table 0 1 2 3 (i32.shr_u (local.get $s) (i32.const 30)))))))",
	),
	plain(
		"branch_with_values",
		"(block (result i64 i64 i64 i64) (br 0 (local.get $a) (local.get $b) (local.get $a) (local.get $b))) \
		drop drop drop drop",
	),
	// What lies below the values is thrown away, so that all of them move; the outer block throws them
	// away again.
	plain(
		"branch_with_most",
		"(block (block (result {results}) (i64.const 1) {values} (br 0)) (br 0))",
	),
	plain(
		"branch_if_with_most",
		"(block (block (result {results}) (i64.const 1) {values} \
		(br_if 0 (i32.or (local.get $s) (i32.const 1))) (br 1)) (br 0))",
	),
	plain(
		"branch_if_never_with_most",
		"(block (block (result {results}) (i64.const 1) {values} \
		(br_if 0 (i32.and (local.get $s) (i32.const 0))) (br 1)) (br 0))",
	),
	plain(
		"branch_table_with_most",
		"(block (block (result {results}) (block (result {results}) (i64.const 1) {values} \
		(br_table 0 1 (i32.shr_u (local.get $s) (i32.const 31))))) (br 0))",
	),
	with(
		"branch_with_most_of_a_call",
		"(block (block (result {results}) (i64.const 1) (call $f{k} (local.get $a)) (br 0)) (br 0))",
		"(func $f{k} (param i64) (result {results}) {same})",
	),
	with(
		"return_most",
		"(block (call $f{k} (local.get $a)) (br 0))",
		"(func $f{k} (param i64) (result {results}) (i64.const 1) {same} (return))",
	),
	plain(
		"loop",
		"(local.set $m (i32.const {n})) \
		(loop (br_if 0 (i32.gt_s (local.tee $m (i32.sub (local.get $m) (i32.const 1))) (i32.const 0))))",
	),
	// Calls.
	with(
		"call",
		"(local.set $a (call $f{k} (local.get $a)))",
		"(func $f{k} (param i64) (result i64) (i64.add (local.get 0) (i64.const {n})))",
	),
	with(
		"call_empty",
		"(call $f{k})",
		"(func $f{k})",
	),
	with(
		"call_loop",
		"(call $f{k})",
		"(func $f{k} (loop))",
	),
	with(
		"call_inner",
		"(local.set $a (call $f{k} (local.get $a)))",
		"(func $g{k} (param i64) (result i64) (local.get 0)) \
		(func $f{k} (param i64) (result i64) (call $g{k} (local.get 0)))",
	),
	with(
		"call_deep",
		"(call $f{k} (i32.const {n}))",
		"(func $f{k} (param i32) (if (local.get 0) (then \
		(call $f{k} (i32.sub (local.get 0) (i32.const 1))))))",
	),
	// An interpreter clears the locals of each call.
	with("call_locals", "(call $f{k})", "(func $f{k} (local {locals}))"),
	// As many as are cleared for nothing.
	with("call_locals_few", "(call $f{k})", "(func $f{k} (local i64 i64 i64))"),
	with("call_locals_loop", "(call $f{k})", "(func $f{k} (local {locals}) (loop))"),
	with(
		"call_locals_used",
		"(local.set $a (call $f{k} (local.get $a)))",
		"(func $f{k} (param i64) (result i64) (local {locals}) \
		(local.set 1 (local.get 0)) (local.get 1))",
	),
	with(
		"call_locals_bulk",
		"(call $f{k} (i32.const {t}))",
		"(func $f{k} (param i32) (local {locals}) \
		(memory.fill (local.get 0) (i32.const 0) (i32.const 8)))",
	),
	with(
		"call_locals_inner",
		"(call $f{k})",
		"(func $g{k}) (func $f{k} (local {locals}) (call $g{k}))",
	),
	with(
		"call_wide",
		"(local.get $a) (local.get $b) (local.get $a) (local.get $b) \
		(local.get $a) (local.get $b) (local.get $a) (local.get $b) (call $f{k}) \
		drop drop drop drop drop drop drop drop",
		"(func $f{k} (param i64 i64 i64 i64 i64 i64 i64 i64) \
		(result i64 i64 i64 i64 i64 i64 i64 i64) \
		(local.get 7) (local.get 6) (local.get 5) (local.get 4) \
		(local.get 3) (local.get 2) (local.get 1) (local.get 0))",
	),
	plain(
		"call_indirect",
		"(local.set $a (call_indirect (type $i64) (local.get $a) \
		(i32.and (i32.shr_u (local.get $s) (i32.const 16)) (i32.const 62))))",
	),
	plain(
		"call_indirect_other",
		"(local.set $x (call_indirect (type $f64) (local.get $x) \
		(i32.or (i32.and (i32.shr_u (local.get $s) (i32.const 16)) (i32.const 62)) (i32.const 1))))",
	),
	// Memory.
	plain("load", "(local.set $a (i64.load offset={o} {a}))"),
	plain("load_8", "(local.set $n (i32.load8_u offset={o} {a}))"),
	plain("load_sum", "(local.set $a (i64.add (local.get $a) (i64.load offset={o} {a})))"),
	plain("load_float", "(local.set $x (f64.load offset=8 {a}))"),
	plain("store", "(i64.store offset=8 {a} (local.get $a))"),
	plain("store_8", "(i32.store8 offset=8 {a} (local.get $n))"),
	plain("touch", "(drop {a})"),
	plain(
		"touch_16",
		"(drop {a}) (drop {a}) (drop {a}) (drop {a}) (drop {a}) (drop {a}) (drop {a}) \
		(drop {a}) (drop {a}) (drop {a}) (drop {a}) (drop {a}) (drop {a}) (drop {a}) \
		(drop {a}) (drop {a})",
	),
	plain("load_fixed", "(local.set $n (i32.load (i32.const {t})))"),
	plain("memory_size", "(local.set $n (memory.size))"),
	plain("memory_copy", "(memory.copy {d} {e} (i32.const {l}))"),
	plain(
		"memory_copy_near",
		"(memory.copy (i32.const {t}) (i32.add (i32.const {t}) (i32.const 1)) (i32.const \
		{l}))",
	),
	plain("memory_fill", "(memory.fill {d} (local.get $n) (i32.const {l}))"),
	plain("memory_init", "(memory.init $passive {d} (i32.const 0) (i32.const 0))"),
	plain("memory_grow", "(local.set $n (memory.grow (i32.const 1)))"),
	plain("memory_grow_none", "(local.set $n (memory.grow (i32.const 0)))"),
	plain("data_drop", "(data.drop $passive)"),
	// The table.
	plain("table_get", "(drop (table.get $t (i32.const 1)))"),
	plain("table_set", "(table.set $t (i32.const 64) (ref.func $leaf))"),
	plain("table_size", "(local.set $n (table.size $t))"),
	plain("table_copy", "(table.copy $t $t (i32.const 100) (i32.const 90) (i32.const 40))"),
	plain("table_fill", "(table.fill $t (i32.const 64) (ref.null func) (i32.const 60))"),
	plain("table_grow", "(drop (table.grow $t (ref.null func) (i32.const 1)))"),
	plain("ref_func", "(drop (ref.func $leaf))"),
	// The host.
	plain("yield", "(drop (call $sched_yield))"),
	plain("clock", "(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const {t})))"),
	plain("random", "(drop (call $random_get (i32.const {t}) (i32.const {n})))"),
	plain("random_far", "(drop (call $random_get {d} (i32.const 8)))"),
	plain(
		"environment",
		"(drop (call $environ_get (i32.const {t}) (i32.add (i32.const {t}) (i32.const \
		64))))",
	),
	plain(
		"write",
		"(drop (call $fd_write (i32.const 2) (i32.add (i32.const {t}) (i32.const 4096)) \
		(i32.const 1) (i32.const {t})))",
	),
	plain(
		"write_many",
		"(drop (call $fd_write (i32.const 2) (i32.add (i32.const {t}) (i32.const 8192)) \
		(i32.const {n}) (i32.const {t})))",
	),
	plain(
		"read",
		"(drop (call $fd_read (i32.const 0) (i32.add (i32.const {t}) (i32.const 4096)) \
		(i32.const 1) (i32.const {t})))",
	),
	plain(
		"poll",
		"(drop (call $poll_oneoff (i32.add (i32.const {t}) (i32.const 16384)) (i32.const \
		{t}) (i32.const 64) (i32.const {t})))",
	),
	plain(
		"folder",
		"(drop (call $fd_readdir (i32.const 3) (i32.const {t}) (i32.const {n}) (i64.const \
		0) (i32.const {t})))",
	),
	plain(
		"open",
		"(drop (call $path_open (i32.const 3) (i32.const 0) (i32.add (i32.const {t}) \
		(i32.const 12288)) (i32.const 3) (i32.const 0) (i64.const -1) (i64.const -1) \
		(i32.const 0) (i32.const {t})))",
	),
	plain(
		"stat",
		"(drop (call $path_filestat_get (i32.const 3) (i32.const 0) (i32.add (i32.const \
		{t}) (i32.const 12288)) (i32.const 3) (i32.const {t})))",
	),
	plain("missing", "(drop (call $fd_sync (i32.const 1)))"),
	plain("effect", "(drop (call $effect_read (i32.const {t}) (i32.const {n})))"),
];

/// The numbers that slots choose from.
pub const NUMBERS: &[u32] = &[
	0, 1, 2, 3, 7, 8, 15, 31, 63, 64, 100, 255, 256, 1_000, 1_023, 4_096, 16_000, 32_768, 65_535,
];
