//! Guests in the text format, which tests of others use, too.
#![allow(
	dead_code,
	unreachable_pub,
	reason = "every test file uses another part of this module"
)]

/// Gas that is plenty for every test.
pub const PLENTY: u64 = 1_000_000_000;

/// A command with imports that tests use, two pages of memory, and this body of `_start`. `$write`
/// writes a piece of memory to standard output.
pub fn command(body: &str) -> String {
	module("2", &format!("(func (export \"_start\") {body})"))
}

/// The same with other items, and so much memory.
pub fn module(memory: &str, items: &str) -> String {
	format!(
		r#"(module
			(import "wasi_snapshot_preview1" "fd_write"
				(func $fd_write (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "fd_read"
				(func $fd_read (param i32 i32 i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "random_get"
				(func $random_get (param i32 i32) (result i32)))
			(import "wasi_snapshot_preview1" "clock_time_get"
				(func $clock_time_get (param i32 i64 i32) (result i32)))
			(import "wasi_snapshot_preview1" "path_open" (func $path_open
				(param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
			(import "millrace" "effect_call" (func $ask (param i32 i32 i32) (result i32)))
			(import "millrace" "effect_read" (func $reply (param i32 i32) (result i32)))
			(memory (export "memory") {memory})
			(func $write (param $at i32) (param $length i32)
				(i32.store (i32.const 0) (local.get $at))
				(i32.store (i32.const 4) (local.get $length))
				(drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
			(func $read (param $at i32) (param $length i32) (result i32)
				(i32.store (i32.const 0) (local.get $at))
				(i32.store (i32.const 4) (local.get $length))
				(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
				(i32.load (i32.const 8)))
			{items})"#
	)
}

/// Writes what it reads.
pub fn echo() -> String {
	command("(call $write (i32.const 1024) (call $read (i32.const 1024) (i32.const 60000)))")
}

/// Computes for ever, if there is a body. Without one, asks a host and writes its reply.
pub fn asks_or_spins() -> String {
	module(
		"2",
		r#"(data (i32.const 64) "GET http://a.example/\0d\0a\0d\0a")
		(func (export "_start")
			(if (call $read (i32.const 1024) (i32.const 60000))
				(then (loop $for_ever (br $for_ever))))
			(if (call $ask (i32.const 64) (i32.const 25) (i32.const 16)) (then (unreachable)))
			(if (call $reply (i32.const 1024) (i32.load (i32.const 16))) (then (unreachable)))
			(call $write (i32.const 1024) (i32.load (i32.const 16))))"#,
	)
}

/// Computes for a few milliseconds.
pub fn works() -> String {
	command(
		r#"(local $left i32) (local $sum i64)
		(local.set $left (i32.const 5000000))
		(loop $more
			(local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 6364136223846793005))
				(i64.extend_i32_u (local.get $left))))
			(local.set $left (i32.sub (local.get $left) (i32.const 1)))
			(br_if $more (local.get $left)))
		(i64.store (i32.const 1024) (local.get $sum))
		(call $write (i32.const 1024) (i32.const 8))"#,
	)
}

/// A module of about so many bytes, of functions as compilers make them; it calls one of them.
pub fn large(bytes: usize) -> Vec<u8> {
	let function = |number: usize| {
		format!(
			"(func $f{number} (param $a i32) (param $b i64) (result i64) (local $i i32) (local $s i64)
			(local.set $s (i64.const {number}))
			(block $out (loop $more
				(br_if $out (i32.ge_u (local.get $i) (local.get $a)))
				(local.set $s (i64.add (i64.mul (local.get $s) (i64.const 6364136223846793005))
					(i64.load (i32.and (i32.shl (local.get $i) (i32.const 3)) (i32.const 65528)))))
				(if (i64.eqz (i64.and (local.get $s) (i64.const {}))) (then
					(i64.store offset=8 (i32.and (local.get $i) (i32.const 32760)) (local.get $s)))
				(else
					(local.set $b (i64.xor (local.get $b) (i64.rotl (local.get $s) (i64.const 17))))))
				(local.set $i (i32.add (local.get $i) (i32.const 1)))
				(br $more)))
			(if (result i64) (i32.gt_s (local.get $a) (i32.const {}))
				(then (call $f{} (i32.shr_u (local.get $a) (i32.const 1)) (local.get $b)))
				(else (i64.add (local.get $s) (local.get $b)))))",
			number % 255 + 1,
			number + 100,
			number.saturating_sub(1),
		)
	};
	// A first try says how long one is.
	let build = |functions: usize| {
		let all: String = (0..functions).map(function).collect();
		let start = "(func (export \"_start\") (drop (call $f0 (i32.const 9) (i64.const 1))))";
		wat::parse_str(module("2", &format!("{all}{start}"))).expect("it is well-formed")
	};
	let (few, more) = (build(100).len(), build(200).len());
	build(bytes * 100 / (more - few))
}
