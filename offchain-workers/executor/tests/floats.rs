//! Floats that are no numbers look the same on both engines, wherever their bits can be seen.

mod common;
mod float_programs;

use common::{limits, module, request, run, run_with, PLENTY};
use float_programs::Float::{self, F32, F64};
use float_programs::{data, program, F64_INPUTS};
use millrace_primitives::execution::CallStatus;
use proptest::prelude::*;

/// Indices of inputs.
const SIGNALLING: usize = 3;
const PAYLOAD: usize = 4;
const INFINITY: usize = 5;
const ZERO: usize = 7;
const NEGATIVE: usize = 10;

/// Expressions of every operator of arithmetic whose result is a NaN: made anew, and of others.
fn makers(float: Float) -> Vec<String> {
	let name = float.name();
	let mut makers = Vec::new();
	let mut binary = |operator: &str, left: usize, right: usize| {
		let (left, right) = (float.input(left), float.input(right));
		makers.push(format!("({name}.{operator} {left} {right})"));
	};
	binary("sub", INFINITY, INFINITY);
	binary("mul", ZERO, INFINITY);
	binary("div", ZERO, ZERO);
	for operator in ["add", "sub", "mul", "div", "min", "max"] {
		binary(operator, SIGNALLING, NEGATIVE);
		binary(operator, NEGATIVE, PAYLOAD);
		binary(operator, SIGNALLING, PAYLOAD);
	}
	makers.push(format!("({name}.sqrt {})", float.input(NEGATIVE)));
	for operator in ["sqrt", "ceil", "floor", "trunc", "nearest"] {
		for index in [SIGNALLING, PAYLOAD] {
			makers.push(format!("({name}.{operator} {})", float.input(index)));
		}
	}
	for index in [SIGNALLING, PAYLOAD] {
		makers.push(match float {
			F32 => format!("(f32.demote_f64 {})", F64.input(index)),
			F64 => format!("(f64.promote_f32 {})", F32.input(index)),
		});
	}
	makers
}

/// Ways in which the bits of `MAKE` come to `OUT`, and what they are then. `T` is the type, `I` the
/// integer of its size, `$x` a local, `$n` an integer that is zero.
fn observers(float: Float) -> Vec<(&'static str, u64)> {
	let (nan, sign) = (float.canonical(), float.sign());
	let one = match float {
		F32 => 0x3f80_0000,
		F64 => 0x3ff0_0000_0000_0000,
	};
	vec![
		("(T.store OUT MAKE)", nan),
		("(I.store OUT (I.reinterpret_T MAKE))", nan),
		("(local.set $x MAKE) (T.store OUT (local.get $x))", nan),
		(
			"(drop (local.tee $x MAKE)) (T.store OUT (local.get $x))",
			nan,
		),
		("(T.store OUT (local.tee $x MAKE))", nan),
		("(global.set $g MAKE) (T.store OUT (global.get $g))", nan),
		("(T.store OUT (call $same MAKE))", nan),
		("(T.store OUT (call $returned))", nan),
		("(T.store OUT (call $left))", nan),
		("(T.store OUT (block (result T) MAKE))", nan),
		("(T.store OUT (block (result T) (br 0 MAKE)))", nan),
		(
			"(T.store OUT (block (result T) (br_if 0 MAKE (i32.eqz (local.get $n)))))",
			nan,
		),
		(
			"(T.store OUT (block (result T) (br_table 0 0 MAKE (local.get $n))))",
			nan,
		),
		(
			"(T.store OUT (if (result T) (local.get $n) (then (T.const 0)) (else MAKE)))",
			nan,
		),
		(
			"(T.store OUT (select (T.const 0) MAKE (local.get $n)))",
			nan,
		),
		(
			"(T.store OUT (select (result T) (T.const 0) MAKE (local.get $n)))",
			nan,
		),
		(
			// What is read in the second round was set in the first.
			"(loop (T.store OUT (local.get $x)) (local.set $x MAKE) \
			(br_if 0 (local.tee $n (i32.eqz (local.get $n)))))",
			nan,
		),
		(
			"(if (local.get $n) (then (local.set $x (T.const 1))) (else (local.set $x MAKE))) \
			(T.store OUT (local.get $x))",
			nan,
		),
		("(T.store OUT (T.abs MAKE))", nan),
		("(T.store OUT (T.neg MAKE))", nan | sign),
		(
			"(local.set $x (T.neg MAKE)) (T.store OUT (T.neg (local.get $x)))",
			nan,
		),
		("(T.store OUT (T.copysign MAKE (T.const -1)))", nan | sign),
		// The canonical NaN has no sign to give.
		("(T.store OUT (T.copysign (T.const -1) MAKE))", one),
		("(T.store OUT (T.add (T.neg MAKE) (T.const 1)))", nan),
	]
}

#[test]
fn every_result_is_canonical_wherever_it_can_be_seen() {
	for float in [F32, F64] {
		let (name, integer) = (float.name(), ["i32", "i64"][usize::from(float == F64)]);
		let observers = observers(float);
		for make in makers(float) {
			let mut body = String::new();
			for (index, (observer, _)) in observers.iter().enumerate() {
				let code = observer
					.replace("MAKE", &make)
					.replace("OUT", &format!("(i32.const {})", 1024 + 8 * index))
					.replace("T.", &format!("{name}."))
					.replace("I.", &format!("{integer}."))
					.replace("reinterpret_T", &format!("reinterpret_{name}"))
					.replace("(result T)", &format!("(result {name})"));
				body.push_str(&code);
			}
			let length = 8 * observers.len();
			let items = format!(
				"{} (global $g (mut {name}) ({name}.const 0)) \
				(func $same (param {name}) (result {name}) (local.get 0)) \
				(func $returned (result {name}) {make}) \
				(func $left (result {name}) (return {make})) \
				(func (export \"_start\") (local $x {name}) (local $n i32) {body} \
				(call $write (i32.const 1) (i32.const 1024) (i32.const {length})))",
				data()
			);
			let output = run(&module("", &items));
			assert_eq!(output.status, CallStatus::Exited(0), "{make}");
			assert_eq!(output.response.len(), length);
			for (bytes, (observer, expected)) in output.response.chunks(8).zip(&observers) {
				let bits = u64::from_le_bytes(bytes.try_into().unwrap());
				assert_eq!(bits, *expected, "{bits:#x}: {observer} of {make}");
			}
		}
	}
}

#[test]
fn what_is_not_computed_keeps_its_bits() {
	let signalling = F64.input(SIGNALLING);
	let bits = F64_INPUTS[SIGNALLING];
	let number = F64_INPUTS[NEGATIVE];
	let sum = format!("(f64.add {signalling} {signalling})");
	for (value, expected) in [
		(signalling.clone(), bits),
		(format!("(f64.neg {signalling})"), bits ^ F64.sign()),
		(format!("(f64.abs {signalling})"), bits & !F64.sign()),
		(
			format!("(f64.copysign {} {signalling})", F64.input(INFINITY)),
			F64_INPUTS[INFINITY] | F64.sign(),
		),
		(format!("(call $f {signalling})"), bits),
		// Beside a result in a local, in a choice, and where control joins.
		(
			format!("(local.tee 0 {sum}) (local.set 0 {signalling}) drop (local.get 0)"),
			bits,
		),
		(format!("(select {signalling} {sum} (i32.const 1))"), bits),
		(
			format!("(if (result f64) (i32.const 1) (then {signalling}) (else {sum}))"),
			bits,
		),
		(
			format!("(f64.min {} {})", F64.input(NEGATIVE), F64.input(ZERO)),
			number,
		),
		("(f64.const -nan:0x123)".to_owned(), 0xfff0_0000_0000_0123),
	] {
		let items = format!(
			"{} (func $f (param f64) (result f64) (local.get 0)) \
			(func $value (result f64) (local f64) {value}) \
			(func (export \"_start\") (f64.store (i32.const 1024) (call $value)) \
			(call $write (i32.const 1) (i32.const 1024) (i32.const 8)))",
			data()
		);
		let output = run(&module("", &items));
		assert_eq!(output.response, expected.to_le_bytes(), "{value}");
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

	#[test]
	fn programs_do_the_same_on_both_engines(
		choices in prop::collection::vec(any::<u8>(), 0..600),
	) {
		// It compares the responses, which hold all that was stored.
		let output = run_with(&program(&choices), &request(b""), limits(PLENTY)).unwrap();
		prop_assert_eq!(output.status, CallStatus::Exited(0));
		prop_assert_eq!(output.response.len(), 512);
	}
}
