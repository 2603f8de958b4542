//! What the meter takes, when it takes it, and when it stops a guest.

mod bare;
mod common;
mod evaluator;

use bare::{with_stack, Bare};
use common::{command, limits, module, request, run, run_with};
use evaluator::{program, Evaluator};
use millrace_executor::limits::MAX_STACK;
use millrace_executor::{validate, Reason};
use millrace_primitives::execution::CallStatus;
use proptest::prelude::*;
use wasmparser::{Parser, Payload};
use wasmtime::{Extern, Func, Global, GlobalType, Mutability, Trap, Val, ValType};

/// Gas that is plenty for everything here.
const PLENTY: i64 = 1_000_000_000;

/// An empty loop: it costs nothing, and puts its function into the mode of functions with loops.
const LOOP: &str = "(loop)";

#[test]
fn a_loop_is_paid_at_its_head() {
	// Five in each round up to the branch; the last round traps behind it.
	let wat = r#"(module (memory 1) (func (export "f") (param i32)
		(loop
			(br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))
			(drop (i32.load (i32.const -1))))))"#;
	for rounds in 1..6 {
		let mut bare = Bare::new(wat, 1_000);
		assert_eq!(
			bare.call("f", &[rounds]),
			Err(Some(Trap::MemoryOutOfBounds))
		);
		assert_eq!(bare.gas(), 1_000 - 5 * i64::from(rounds - 1), "{rounds}");
	}
	// One too little for three rounds: the head of the fourth stops it.
	let mut bare = Bare::new(wat, 5 * 3 - 1);
	assert_eq!(
		bare.call("f", &[100]),
		Err(Some(Trap::UnreachableCodeReached))
	);
	assert_eq!(bare.gas(), -1);
}

/// Code that goes on behind itself, or back to the label `$round`.
fn circle() -> impl Strategy<Value = String> {
	let leaf = prop_oneof![
		Just(String::new()),
		Just("nop ".to_owned()),
		Just("(br $round)".to_owned()),
	];
	leaf.prop_recursive(4, 24, 3, |inner| {
		prop_oneof![
			inner.clone().prop_map(|code| format!("(block {code})")),
			inner.clone().prop_map(|code| format!("(loop {code})")),
			inner
				.clone()
				.prop_map(|code| format!("(block (br 0) {code})")),
			inner
				.clone()
				.prop_map(|code| format!("(block {code} (br_if $round (i32.const 1)))")),
			inner
				.clone()
				.prop_map(|code| format!("(loop (br_if 1 (i32.const 0)) {code})")),
			inner
				.clone()
				.prop_map(|code| format!("(if (i32.const 1) (then {code}))")),
			inner
				.clone()
				.prop_map(|code| format!("(block (br_table 0 $round (i32.const 0)) {code})")),
			(inner.clone(), inner).prop_map(|(one, two)| format!("{one} {two}")),
		]
	})
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

	#[test]
	fn nothing_is_free_in_a_circle(code in circle()) {
		let wat = format!("(module (func (export \"f\") (loop $round {code} (br $round))))");
		let mut bare = Bare::new(&wat, 2_000);
		prop_assert_eq!(bare.call("f", &[]), Err(Some(Trap::UnreachableCodeReached)));
		// Less than nothing, by no more than a round takes.
		prop_assert!((-500..0).contains(&bare.gas()), "{}", bare.gas());
	}

	#[test]
	fn gas_of_both_modes_is_the_analysis(
		choices in prop::collection::vec(any::<u8>(), 0..500),
		first in -2i32..8,
		second in any::<i32>(),
	) {
		let wat = program(&choices);
		let module = wat::parse_str(&wat).unwrap();
		let Some((results, gas)) = Evaluator::new(&module, 50_000).run(&[first, second]) else {
			// It does not end.
			return Ok(());
		};
		let results: Vec<i64> = results.into_iter().map(i64::from).collect();
		let gas = i64::try_from(gas).unwrap();
		let mut bare = Bare::new(&wat, PLENTY);
		prop_assert_eq!(bare.call("main", &[first, second]), Ok(results.clone()));
		prop_assert_eq!(PLENTY - bare.gas(), gas);
		prop_assert_eq!(bare.stack(), MAX_STACK);

		// That much is enough. With less it may come to its end, but never without telling.
		let mut bare = Bare::new(&wat, gas);
		prop_assert_eq!(bare.call("main", &[first, second]), Ok(results));
		prop_assert_eq!(bare.gas(), 0);
		let mut bare = Bare::new(&wat, gas - 1);
		let short = bare.call("main", &[first, second]);
		prop_assert!(bare.gas() < 0, "{short:?} with {} left", bare.gas());
	}
}

#[test]
fn the_programs_of_the_evaluator_are_no_trifles() {
	let mut ended = 0;
	let mut loops = 0;
	for seed in 0..60u8 {
		let choices: Vec<u8> = (0..400u32)
			.map(|index| (index.wrapping_mul(2_654_435_761) >> 13) as u8 ^ seed.wrapping_mul(37))
			.collect();
		let wat = program(&choices);
		let module = wat::parse_str(&wat).unwrap();
		if let Some((_, gas)) = Evaluator::new(&module, 50_000).run(&[3, 5]) {
			ended += u32::from(gas > 30);
			loops += u32::from(wat.contains("(loop"));
		}
	}
	assert!(ended >= 10 && loops >= 5, "{ended} {loops}");
}

#[test]
fn locals_are_paid_before_the_function_runs() {
	let locals = "i64 ".repeat(16_000);
	// A constant and the call, and a gas for four.
	for (mode, cost) in [("", 5 + 4_000), (LOOP, 5 + 4_000), ("nop", 5 + 4_001)] {
		let wat = format!(
			"(module (func $leaf (param i64) (local {locals}) {mode}) \
			(func (export \"f\") (call $leaf (i64.const 1))))"
		);
		let mut bare = Bare::new(&wat, cost);
		assert_eq!(bare.call("f", &[]), Ok(vec![]), "{mode}");
		assert_eq!(bare.gas(), 0, "{mode}");
		let mut bare = Bare::new(&wat, cost - 1);
		assert_eq!(
			bare.call("f", &[]),
			Err(Some(Trap::UnreachableCodeReached)),
			"{mode}"
		);
		assert_eq!(bare.gas(), -1, "{mode}");
	}
}

#[test]
fn what_moves_at_once_is_paid_by_its_number() {
	let (eight, push) = ("i32 ".repeat(8), "(i32.const 1)".repeat(8));
	let drop = "drop ".repeat(8);
	for (mode, code, gas) in [
		("", format!("(call $many) {drop}"), 4 + 2 + 8 + 8),
		(LOOP, format!("(call $many) {drop}"), 4 + 2 + 8 + 8),
		// Once with the branch and once with the drops.
		(
			"",
			format!("(block (result {eight}) {push} (br 0)) {drop}"),
			8 + 1 + 2 + 8,
		),
		(
			LOOP,
			format!("(block (result {eight}) {push} (br_if 0 (i32.const 1))) {drop}"),
			8 + 2 + 2 + 8,
		),
	] {
		let wat = format!(
			"(module (func $many (result {eight}) {push}) (func (export \"f\") {mode} {code}))"
		);
		let mut bare = Bare::new(&wat, gas);
		assert_eq!(bare.call("f", &[]), Ok(vec![]), "{mode} {code}");
		assert_eq!(bare.gas(), 0, "{mode} {code}");
	}
}

#[test]
fn loads_and_calls_do_not_split_a_run() {
	// The load traps; what stands behind it was paid with it.
	for (rest, gas) in [("", 1 + 4 + 1), ("nop nop (call $nothing) nop", 6 + 3 + 4)] {
		let wat = format!(
			"(module (memory 1) (func $nothing) \
			(func (export \"f\") (drop (i32.load (i32.const -1))) {rest}))"
		);
		let mut bare = Bare::new(&wat, 1_000);
		assert_eq!(bare.call("f", &[]), Err(Some(Trap::MemoryOutOfBounds)));
		assert_eq!(1_000 - bare.gas(), gas, "{rest}");
	}
}

#[test]
fn a_guest_that_ends_overdrawn_ran_out() {
	for (first, last) in [
		("", ""),
		(LOOP, ""),
		("", "(call $proc_exit (i32.const 0))"),
	] {
		// The second half is a run of its own, which nothing behind it tests.
		let text = command(&format!(
			"{first} (if (i32.const 1) (then nop)) nop nop nop nop {last}"
		));
		let gas = run(&text).gas;
		let with = |gas| run_with(&text, &request(b""), limits(gas)).unwrap();
		assert_eq!(with(gas).status, CallStatus::Exited(0));
		// By a little, and by more than the last host call takes.
		for less in [1, 2, 3, 4, 202, 204] {
			let output = with(gas - less);
			assert_eq!(
				(output.status, output.gas),
				(CallStatus::OutOfGas, gas - less),
				"{first} {last}"
			);
			assert!(output.response.is_empty());
		}
	}
}

#[test]
fn an_early_exit_pays_what_it_passed() {
	for mode in ["", LOOP] {
		let wat = format!(
			r#"(module (import "host" "exit" (func $exit)) (func (export "f") (param i32)
				{mode}
				(if (local.get 0) (then (call $exit) nop nop)) nop nop nop))"#
		);
		let bare = || {
			Bare::with_imports(&wat, 1_000, |store| {
				let exit = Func::wrap(store, || -> wasmtime::Result<()> {
					Err(wasmtime::Error::msg("the guest ended"))
				});
				vec![Extern::Func(exit)]
			})
		};
		let mut whole = bare();
		assert_eq!(whole.call("f", &[0]), Ok(vec![]));
		assert_eq!(1_000 - whole.gas(), 2 + 3);
		// The run of the call was paid to its end; what would have followed was not.
		let mut early = bare();
		assert_eq!(early.call("f", &[1]), Err(None));
		assert_eq!(1_000 - early.gas(), 2 + 4 + 2);
	}
}

#[test]
fn a_trap_by_the_guest_itself_is_billed_to_that_point() {
	for (mode, before) in [("", 0), (LOOP, 0), ("(loop nop)", 1)] {
		let wat = format!("(module (func (export \"f\") {mode} nop nop unreachable nop))");
		let mut bare = Bare::new(&wat, 1_000);
		assert_eq!(bare.call("f", &[]), Err(Some(Trap::UnreachableCodeReached)));
		assert_eq!(1_000 - bare.gas(), before + 3, "{mode}");
	}
}

#[test]
fn bulk_lengths_are_paid_before_they_move() {
	for mode in ["", LOOP] {
		let wat = format!(
			r#"(module (memory (export "memory") 1) (table 10 20 funcref)
				(func (export "fill") (param i32) {mode}
					(memory.fill (i32.const 0) (i32.const 7) (local.get 0)))
				(func (export "copy") (param i32) {mode}
					(memory.copy (i32.const 0) (i32.const 8) (local.get 0)))
				(func (export "grow") (param i32) (result i32) {mode}
					(memory.grow (local.get 0)))
				(func (export "table") (param i32) (result i32) {mode}
					(table.grow (ref.null func) (local.get 0))))"#
		);
		for (name, units, fixed, each) in [
			("fill", 8_000, 3 + 40, 1_000),
			("copy", 8_007, 3 + 40, 1_000),
			("grow", 1, 1 + 1_000, 8_192),
			("table", 10, 2 + 1_000, 20),
		] {
			let cost = fixed + each;
			let mut bare = Bare::new(&wat, cost);
			assert!(bare.call(name, &[units]).is_ok(), "{name}");
			assert_eq!(bare.gas(), 0, "{name}");
			let mut bare = Bare::new(&wat, cost - 1);
			assert_eq!(
				bare.call(name, &[units]),
				Err(Some(Trap::UnreachableCodeReached)),
				"{name}"
			);
			assert_eq!(bare.gas(), -1, "{name}");
			assert_eq!(bare.memory(), vec![0; 65_536], "nothing has moved or grown");
		}
		// A length is a number without sign.
		let mut bare = Bare::new(&wat, PLENTY);
		assert!(bare.call("fill", &[-1]).is_err());
		assert_eq!(PLENTY - bare.gas(), 43 + i64::from(u32::MAX >> 3));
	}
}

#[test]
fn imported_globals_shift_the_counters() {
	let wat = r#"(module
		(import "host" "a" (global $a i32))
		(import "host" "f" (func $f))
		(import "host" "b" (global $b (mut i64)))
		(global $own (export "own") (mut i32) (i32.const 7))
		(func (export "f") (result i32)
			(call $f)
			(global.set $b (i64.const 5))
			(global.set $own (i32.add (global.get $own) (global.get $a)))
			(global.get $own)))"#;
	let mut kept = None;
	let mut bare = Bare::with_imports(wat, 1_000, |store| {
		let number = GlobalType::new(ValType::I32, Mutability::Const);
		let a = Global::new(&mut *store, number, Val::I32(3)).unwrap();
		let number = GlobalType::new(ValType::I64, Mutability::Var);
		let b = Global::new(&mut *store, number, Val::I64(1)).unwrap();
		kept = Some(b);
		let nothing = Func::wrap(&mut *store, || {});
		vec![Extern::Global(a), Extern::Func(nothing), Extern::Global(b)]
	});
	assert_eq!(bare.call("f", &[]), Ok(vec![10]));
	assert_eq!(bare.number("own"), 10);
	assert_eq!(bare.value_of(kept.unwrap()), 5);
	assert_eq!(1_000 - bare.gas(), 4 + 2 + 4 + 1);
	assert_eq!(bare.stack(), MAX_STACK);
}

/// Counted size of the frame of a module's first function, from its binary.
fn frame(wat: &str, values: i64) -> i64 {
	let module = wat::parse_str(wat).unwrap();
	let size = Parser::new(0)
		.parse_all(&module)
		.find_map(|payload| match payload.unwrap() {
			Payload::CodeSectionEntry(body) => Some(body.range().len()),
			_ => None,
		})
		.unwrap();
	64 + 8 * values + size as i64 / 16
}

#[test]
fn recursion_of_leaf_and_inner_functions_ends_at_the_same_depth() {
	with_stack(|| {
		for mode in ["", LOOP] {
			let mut depths = Vec::new();
			// Leaves have room of their own, however large they are.
			for leaf in [
				"",
				"(local i64 i64 i64 i64 i64 i64 i64 i64) nop nop nop",
				LOOP,
			] {
				// Two values on the stack at most, and no local.
				let wat = format!(
					r#"(module (global $depth (export "depth") (mut i32) (i32.const 0))
						(func $f {mode}
							(global.set $depth (i32.add (global.get $depth) (i32.const 1)))
							(call $leaf) (call $f))
						(func $leaf {leaf})
						(func (export "f") (call $f)))"#
				);
				let mut bare = Bare::new(&wat, PLENTY);
				assert_eq!(bare.call("f", &[]), Err(Some(Trap::UnreachableCodeReached)));
				assert!(bare.gas() > 0);
				let frame = frame(&wat, 2);
				assert!((-frame..0).contains(&bare.stack()), "{}", bare.stack());
				// Whoever calls it first has a frame, too.
				let depth = bare.number("depth");
				assert!((MAX_STACK / frame - 2..=MAX_STACK / frame).contains(&depth));
				depths.push(depth);
			}
			assert!(
				depths.windows(2).all(|pair| pair[0] == pair[1]),
				"{depths:?}"
			);
		}
	});
}

#[test]
fn deep_recursion_cannot_run_on_while_it_comes_back() {
	for mode in ["", LOOP] {
		let wat = format!(
			r#"(module (func $f (export "f") (param i32) {mode}
				(if (local.get 0) (then (call $f (i32.sub (local.get 0) (i32.const 1)))))
				{}))"#,
			"nop ".repeat(1_000)
		);
		// Enough for the way down.
		let mut bare = Bare::new(&wat, 1_000 * (2 + 7) + 2);
		assert_eq!(
			bare.call("f", &[1_000]),
			Err(Some(Trap::UnreachableCodeReached))
		);
		assert!((-1_000..0).contains(&bare.gas()), "{}", bare.gas());
	}
}

#[test]
fn branches_to_the_functions_label_give_the_frame_back() {
	for mode in ["", LOOP] {
		for leave in [
			"(return (i32.const 1) (i64.const 2))",
			"(br 0 (i32.const 1) (i64.const 2))",
			"(br_if 0 (i32.const 1) (i64.const 2) (i32.const 1)) drop drop",
			"(block (br 1 (i32.const 1) (i64.const 2)))",
			"(block (block (loop (return (i32.const 1) (i64.const 2)))))",
			"(block (br_table 1 1 (i32.const 1) (i64.const 2) (i32.const 7)))",
			"(if (i32.const 1) (then (return (i32.const 1) (i64.const 2))))",
			"(return (i32.const 9) (i32.const 1) (i64.const 2))",
			"",
		] {
			let wat = format!(
				r#"(module (func $inner)
					(func $f (export "f") (result i32 i64) {mode}
						(call $inner) {leave} (i32.const 1) (i64.const 2)))"#
			);
			let mut bare = Bare::new(&wat, PLENTY);
			for _ in 0..3 {
				assert_eq!(bare.call("f", &[]), Ok(vec![1, 2]), "{mode} {leave}");
				assert_eq!(bare.stack(), MAX_STACK, "{mode} {leave}");
			}
		}
	}
}

#[test]
fn a_function_without_a_frame_may_return_from_anywhere() {
	for mode in ["", LOOP] {
		for (leave, cost) in [
			("(return (i32.const 1))", 1 + 1),
			("(br 2 (i32.const 1))", 1 + 1),
			("(br_if 2 (i32.const 1) (i32.const 1)) drop", 2 + 1),
			("(br_table 2 2 (i32.const 1) (i32.const 0))", 2 + 2),
		] {
			let wat = format!(
				r#"(module (func (export "f") (param i32) (result i32) {mode}
					(block (if (local.get 0) (then {leave})))
					(i32.const 2)))"#
			);
			let mut bare = Bare::new(&wat, 1_000);
			assert_eq!(bare.call("f", &[1]), Ok(vec![1]), "{mode} {leave}");
			assert_eq!(1_000 - bare.gas(), 2 + cost, "{mode} {leave}");
			assert_eq!(bare.call("f", &[0]), Ok(vec![2]), "{mode} {leave}");
			assert_eq!(1_000 - bare.gas(), 2 + cost + 2 + 1, "{mode} {leave}");
		}
	}
}

#[test]
fn code_that_cannot_be_reached_stays_as_it_is() {
	for dead in [
		"(memory.grow (i32.const 1)) drop",
		"memory.grow drop",
		"(loop (call $f))",
		"(block (loop (br 0)))",
		"call_indirect (type 0)",
		"(memory.fill)",
	] {
		let wat = format!(
			"(module (type (func)) (memory 1) (table 1 funcref) \
			(func $f (export \"f\") (loop) (return) {dead}))"
		);
		let mut bare = Bare::new(&wat, 1_000);
		assert_eq!(bare.call("f", &[]), Ok(vec![]), "{dead}");
		assert_eq!(1_000 - bare.gas(), 1, "{dead}");
	}
}

#[test]
fn a_package_cannot_reach_its_counters() {
	// Behind the module's own globals there is nothing that it could name.
	let wat = module(
		"",
		"(global $own (mut i64) (i64.const 0)) (func (export \"_start\") (global.set 1 (i64.const 9)))",
	);
	assert!(wat::parse_str(&wat).is_ok_and(|module| matches!(
		validate(&module).unwrap_err()[..],
		[Reason::Malformed { .. }]
	)));
}
