//! Verdicts that stand: a judge that finds another one is another profile.
//!
//! Each file of `tests/vectors` holds a package, what it is judged by, and what comes of it. They are
//! written once, by `cargo test -p millrace-executor --test vectors -- --ignored`, and never again
//! for the same profile.

mod common;

use codec::{DecodeAll, Encode};
use common::{both, command, for_judge, input, limits, module, package, request};
use millrace_executor::{archive, replay, NoEffects};
use millrace_primitives::replay::{ReplayInput, Replayed};
use std::path::{Path, PathBuf};

/// A package, what it is judged by, and what comes of it.
type Vector = (Vec<u8>, ReplayInput, Replayed);

/// Fewest vectors that there are.
const LEAST: usize = 40;

fn folder() -> PathBuf {
	Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors")
}

#[test]
fn verdicts_are_those_that_were_written_down() {
	let mut count = 0;
	for entry in std::fs::read_dir(folder()).expect("the vectors are in the repository") {
		let path = entry.expect("it can be read").path();
		let bytes = std::fs::read(&path).expect("it can be read");
		let (package, input, replayed) =
			Vector::decode_all(&mut &bytes[..]).expect("it is a vector");
		assert_eq!(replay(&package, &input), replayed, "{}", path.display());
		count += 1;
	}
	assert!(count >= LEAST, "{count} vectors; there were {LEAST}");
}

/// Programs over all that a verdict depends on: kinds of instructions, both modes of the meter, the
/// host's functions, and ways to end.
fn programs() -> Vec<(&'static str, Vec<u8>)> {
	let compute = module(
		"2",
		r#"(func $fib (param i32) (result i32)
			(if (result i32) (i32.lt_u (local.get 0) (i32.const 2))
				(then (local.get 0))
				(else (i32.add
					(call $fib (i32.sub (local.get 0) (i32.const 1)))
					(call $fib (i32.sub (local.get 0) (i32.const 2)))))))
		(func (export "_start")
			(i32.store (i32.const 100) (call $fib (i32.const 12)))
			(i64.store (i32.const 104) (i64.rem_u (i64.const -1) (i64.const 1000003)))
			(i32.store (i32.const 112) (i32.popcnt (i32.const 0x12345678)))
			(i64.store (i32.const 116) (i64.rotl (i64.const 0x123456789) (i64.const 17)))
			(call $write (i32.const 1) (i32.const 100) (i32.const 24)))"#,
	);
	let floats = command(
		r#"(f64.store (i32.const 100) (f64.div (f64.const 0) (f64.const 0)))
		(f32.store (i32.const 108) (f32.demote_f64 (f64.const -nan:0x4000000000123)))
		(f64.store (i32.const 112) (f64.nearest (f64.const 2.5)))
		(f64.store (i32.const 120) (f64.min (f64.const -0.0) (f64.const 0.0)))
		(f64.store (i32.const 128) (f64.sqrt (f64.const 2)))
		(i32.store (i32.const 136) (i32.trunc_sat_f64_s (f64.const 1e300)))
		(call $write (i32.const 1) (i32.const 100) (i32.const 40))"#,
	);
	let bulk = command(
		r#"(memory.fill (i32.const 100) (i32.const 7) (i32.const 1000))
		(memory.copy (i32.const 200) (i32.const 150) (i32.const 500))
		(i32.store (i32.const 100) (memory.grow (i32.const 2)))
		(i32.store (i32.const 104) (memory.grow (i32.const 300)))
		(i32.store (i32.const 108) (memory.size))
		(call $write (i32.const 1) (i32.const 100) (i32.const 700))"#,
	);
	let indirect = module(
		"",
		r#"(table 4 funcref) (type $t (func (param i32) (result i32)))
		(elem (i32.const 0) $a $b $a)
		(func $a (type $t) (i32.mul (local.get 0) (i32.const 3)))
		(func $b (type $t) (i32.add (local.get 0) (i32.const 1)))
		(func (export "_start") (local i32 i32)
			(loop $more
				(local.set 1 (call_indirect (type $t)
					(local.get 1) (i32.rem_u (local.get 0) (i32.const 3))))
				(local.set 0 (i32.add (local.get 0) (i32.const 1)))
				(br_if $more (i32.lt_u (local.get 0) (i32.const 100))))
			(i32.store (i32.const 100) (local.get 1))
			(call $write (i32.const 1) (i32.const 100) (i32.const 4))
			(drop (call_indirect (type $t) (i32.const 0) (i32.const 3))))"#,
	);
	let world = command(
		r#"(drop (call $random_get (i32.const 100) (i32.const 40)))
		(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 140)))
		(drop (call $environ_get (i32.const 300) (i32.const 400)))
		(i32.store (i32.const 0) (i32.const 150))
		(i32.store (i32.const 4) (i32.const 4))
		(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
		(call $write (i32.const 1) (i32.const 100) (i32.const 500))
		(call $write (i32.const 2) (i32.const 100) (i32.const 500))"#,
	);
	let sleep = command(
		r#"(i64.store (i32.const 1024) (i64.const 5000000000))
		(drop (call $poll_oneoff
			(i32.const 1000) (i32.const 2000) (i32.const 1) (i32.const 3000)))
		(drop (call $clock_time_get (i32.const 0) (i64.const 0) (i32.const 100)))
		(call $write (i32.const 1) (i32.const 100) (i32.const 8))"#,
	);
	let branches = command(
		r#"(local i32 i32)
		(block $out (loop $more
			(block $c (block $b (block $a
				(br_table $a $b $c (i32.rem_u (local.get 0) (i32.const 5))))
				(local.set 1 (i32.add (local.get 1) (i32.const 7))))
				(local.set 1 (i32.xor (local.get 1) (i32.const 99))))
			(br_if $out (i32.ge_u (local.tee 0 (i32.add (local.get 0) (i32.const 1)))
				(i32.const 50)))
			(br $more)))
		(call $proc_exit (local.get 1))"#,
	);
	let recursion = module(
		"",
		"(func $f (param i64) (call $f (i64.add (local.get 0) (i64.const 1)))) \
		(func (export \"_start\") (call $f (i64.const 0)))",
	);
	let endless = command("(loop (br 0))");
	let late = command(
		"(loop (br_if 0 (i32.lt_u (i32.load (i32.const 0)) (i32.const 0)))) \
		(drop (i32.div_u (i32.const 1) (i32.const 0)))",
	);
	let flood =
		command("(loop (call $write (i32.const 1) (i32.const 0) (i32.const 60000)) (br 0))");
	let outside = command("(drop (i64.load (i32.const 65530)))");
	let segment = module(
		"",
		"(data (i32.const 65535) \"ab\") (func (export \"_start\"))",
	);
	let text = [
		("compute", compute),
		("floats", floats),
		("bulk", bulk),
		("indirect", indirect),
		("world", world),
		("sleep", sleep),
		("branches", branches),
		("recursion", recursion),
		("endless", endless),
		("late", late),
		("flood", flood),
		("outside", outside),
		("segment", segment),
	];
	let mut programs: Vec<_> = text
		.iter()
		.map(|(name, text)| (*name, package(text)))
		.collect();
	let prestat = package(&command(
		"(call $proc_exit (call $fd_prestat_get (i32.const 3) (i32.const 100)))",
	));
	let files = [("a".to_owned(), b"content".to_vec())];
	programs.push((
		"files",
		archive::attach(&prestat, &files).expect("the file goes in"),
	));
	programs
}

#[test]
#[ignore = "writes the vectors; once for a profile"]
fn write_the_vectors() {
	std::fs::create_dir_all(folder()).expect("the folder can be made");
	for (name, package) in programs() {
		let input = input(&request(b"body"), limits(3_000_000));
		let output = both(&package, input.clone(), Box::new(NoEffects)).expect("it has an end");
		let exact = for_judge(&input, &output);
		let mut less = exact.clone();
		less.claimed_gas -= 1;
		let mut more = exact.clone();
		more.claimed_gas = more.limits.gas;
		for (kind, input) in [("exact", exact), ("less", less), ("more", more)] {
			let vector = (&package, &input, replay(&package, &input));
			std::fs::write(
				folder().join(format!("{name}-{kind}.scale")),
				vector.encode(),
			)
			.expect("the folder is writable");
		}
	}
}
