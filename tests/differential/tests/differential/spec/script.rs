//! Obeys the commands of one script on both engines.

use millrace_differential::bare::End;
use millrace_differential::stage::{Compiled, Interpreted, Stage, Stop, Value};
use millrace_executor::inject;
use std::collections::{BTreeMap, HashMap};
use wasmparser::{Parser, Payload};
use wast::core::{
	Export, ExportKind, ModuleField, ModuleKind, NanPattern, WastArgCore, WastRetCore,
};
use wast::token::Id;
use wast::{QuoteWat, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

/// Gas of each command.
const PLENTY: i64 = 1 << 40;

/// Calls to functions of a module that could not be instantiated but had put them into another one's
/// table. Wasmi 2.0.0 reads such a module's globals through a null pointer. No package can come to
/// that: it imports no table, and nothing is called once it could not be instantiated.
const OF_NO_INSTANCE: &[&str] = &["wasm-v2/linking.wast:275", "wasm-v2/linking.wast:288"];

/// Name under which start functions are exported.
const START: &str = "the start function of this module";

/// What scripts may import from the host.
const HOST: &str = r#"(module
	(func (export "print"))
	(func (export "print_i32") (param i32))
	(func (export "print_i64") (param i64))
	(func (export "print_f32") (param f32))
	(func (export "print_f64") (param f64))
	(func (export "print_i32_f32") (param i32 f32))
	(func (export "print_f64_f64") (param f64 f64))
	(global (export "global_i32") i32 (i32.const 666))
	(global (export "global_i64") i64 (i64.const 666))
	(global (export "global_f32") f32 (f32.const 666.6))
	(global (export "global_f64") f64 (f64.const 666.6))
	(table (export "table") 10 20 funcref)
	(memory (export "memory") 1 2))"#;

/// What came of the scripts.
#[derive(Debug, Default)]
pub(super) struct Report {
	/// Commands that ran on both engines.
	pub(super) run: usize,
	/// How many did not, by the reason.
	pub(super) skipped: BTreeMap<String, usize>,
	/// Where an engine said something else than the other, or both than the script.
	pub(super) differences: Vec<String>,
}

impl Report {
	pub(super) fn skip(&mut self, reason: impl Into<String>) {
		*self.skipped.entry(reason.into()).or_default() += 1;
	}

	fn differ(&mut self, place: &str, what: impl std::fmt::Debug, wanted: impl std::fmt::Debug) {
		self.differences
			.push(format!("{place}: {what:?} instead of {wanted:?}"));
	}
}

/// What a command came to.
enum Came {
	/// Both engines agree on it.
	To(End),
	/// It was not run, and why.
	Nowhere(&'static str),
	/// They do not agree.
	Apart(String),
}

/// Both engines, and the instances of a script.
pub(super) struct Script {
	compiled: Compiled,
	interpreted: Interpreted,
	names: HashMap<String, usize>,
	current: Option<usize>,
}

impl Script {
	pub(super) fn new() -> Self {
		let mut script = Self {
			compiled: Compiled::new(true),
			interpreted: Interpreted::new(true),
			names: HashMap::new(),
			current: None,
		};
		let host = wat::parse_str(HOST).expect("the host's module is well-formed");
		let Ok(Ok(instance)) = script.instantiate(&host) else {
			panic!("the host's module cannot be instantiated")
		};
		script
			.register("spectest", instance)
			.expect("the host's module can be registered");
		script
	}

	pub(super) fn obey(&mut self, directive: WastDirective<'_>, place: &str, report: &mut Report) {
		if OF_NO_INSTANCE.contains(&place) {
			return report.skip("a call to a function whose module could not be instantiated");
		}
		match directive {
			WastDirective::Module(module) => self.module(module, place, report),
			WastDirective::Register { name, module, .. } => {
				let registered = self
					.find(module)
					.ok_or_else(|| "there is no such instance".to_owned())
					.and_then(|instance| self.register(name, instance));
				if registered.is_err() {
					report.skip("a name for a module that is not run");
				}
			}
			WastDirective::Invoke(invoke) => {
				let came = self.invoke(&invoke);
				judge(came, place, report, |_| true, "anything");
			}
			WastDirective::AssertReturn { exec, results, .. } => {
				let came = self.execute(exec);
				judge(came, place, report, |end| returned(end, &results), &results);
			}
			WastDirective::AssertTrap { exec, message, .. } => {
				let came = self.execute(exec);
				let fits = |end: &End| matches!(end, End::Trap(kind) if kind.fits(message));
				judge(came, place, report, fits, message);
			}
			WastDirective::AssertExhaustion { call, message, .. } => {
				let came = self.invoke(&call);
				judge(
					came,
					place,
					report,
					|end| *end == End::StackOverflow,
					message,
				);
			}
			_ => report.skip("a command that runs nothing"),
		}
	}

	fn module(&mut self, mut module: QuoteWat<'_>, place: &str, report: &mut Report) {
		let name = module.name().map(|id| id.name().to_owned());
		self.current = None;
		if let Some(name) = &name {
			self.names.remove(name);
		}
		let starts = match &mut module {
			QuoteWat::Wat(wat) => export_start(wat),
			_ => false,
		};
		let Ok(bytes) = module.encode() else {
			return report.skip("a module that does not assemble");
		};
		let metered = match metered(&bytes) {
			Ok(metered) => metered,
			Err(reason) => return report.skip(reason),
		};
		match self.instantiate(&metered) {
			Ok(Ok(instance)) => {
				let came = if starts {
					self.call(instance, START, &[])
				} else {
					Came::To(End::Values(Vec::new()))
				};
				judge(
					came,
					place,
					report,
					|end| *end == End::Values(Vec::new()),
					"a start",
				);
				self.current = Some(instance);
				if let Some(name) = name {
					self.names.insert(name, instance);
				}
			}
			Ok(Err(Stop::Broken(_))) => report.skip("a module that cannot be linked here"),
			Ok(Err(stop)) => report.differ(place, stop, "an instance"),
			Err(apart) => report.differ(place, apart, "the same"),
		}
	}

	/// An instance on both engines, under the same number; or why there is none on either.
	fn instantiate(&mut self, metered: &[u8]) -> Result<Result<usize, Stop>, String> {
		let compiled = instantiate(&mut self.compiled, metered);
		let interpreted = instantiate(&mut self.interpreted, metered);
		match (compiled, interpreted) {
			(Err(Stop::Broken(one)), Err(Stop::Broken(_))) => Ok(Err(Stop::Broken(one))),
			(one, other) if one == other => Ok(one),
			(one, other) => Err(format!("compiled: {one:?}, interpreted: {other:?}")),
		}
	}

	fn register(&mut self, name: &str, instance: usize) -> Result<(), String> {
		self.compiled.register(name, instance)?;
		self.interpreted.register(name, instance)
	}

	fn find(&self, name: Option<Id<'_>>) -> Option<usize> {
		match name {
			Some(name) => self.names.get(name.name()).copied(),
			None => self.current,
		}
	}

	fn execute(&mut self, execute: WastExecute<'_>) -> Came {
		match execute {
			WastExecute::Invoke(invoke) => self.invoke(&invoke),
			WastExecute::Wat(wat) => self.begin(wat),
			WastExecute::Get { module, global, .. } => {
				let Some(instance) = self.find(module) else {
					return Came::Nowhere("a command to a module that is not run");
				};
				let compiled = self.compiled.global(instance, global);
				let interpreted = self.interpreted.global(instance, global);
				match compiled {
					Some(value) if compiled == interpreted => Came::To(End::Values(vec![value])),
					_ => Came::Apart(format!("{compiled:?} and {interpreted:?}")),
				}
			}
		}
	}

	/// Instantiates a module of which nothing is wanted but how that ends.
	fn begin(&mut self, mut wat: Wat<'_>) -> Came {
		let starts = export_start(&mut wat);
		let Ok(bytes) = wat.encode() else {
			return Came::Nowhere("a module that does not assemble");
		};
		let metered = match metered(&bytes) {
			Ok(metered) => metered,
			Err(reason) => return Came::Nowhere(reason),
		};
		match self.instantiate(&metered) {
			Ok(Ok(instance)) if starts => self.call(instance, START, &[]),
			Ok(Ok(_)) => Came::To(End::Values(Vec::new())),
			Ok(Err(Stop::Broken(_))) => Came::Nowhere("a module that cannot be linked here"),
			Ok(Err(stop)) => Came::To(End::of(Err(stop), 0, 0)),
			Err(apart) => Came::Apart(apart),
		}
	}

	fn invoke(&mut self, invoke: &WastInvoke<'_>) -> Came {
		let Some(instance) = self.find(invoke.module) else {
			return Came::Nowhere("a command to a module that is not run");
		};
		let Some(arguments) = invoke.args.iter().map(argument).collect::<Option<Vec<_>>>() else {
			return Came::Nowhere("an argument that the profile has no type for");
		};
		self.call(instance, invoke.name, &arguments)
	}

	fn call(&mut self, instance: usize, export: &str, arguments: &[Value]) -> Came {
		let compiled = act(&mut self.compiled, instance, export, arguments);
		let interpreted = act(&mut self.interpreted, instance, export, arguments);
		match compiled {
			(End::Broken(message), _) => Came::Apart(message),
			_ if compiled != interpreted => {
				Came::Apart(format!("{compiled:?} and {interpreted:?}"))
			}
			(end, _) => Came::To(end),
		}
	}
}

/// Checks what a command came to, and counts it.
fn judge(
	came: Came,
	place: &str,
	report: &mut Report,
	fits: impl FnOnce(&End) -> bool,
	wanted: impl std::fmt::Debug,
) {
	match came {
		Came::To(end) => {
			report.run += 1;
			if !fits(&end) {
				report.differ(place, end, wanted);
			}
		}
		Came::Nowhere(reason) => report.skip(reason),
		Came::Apart(apart) => report.differ(place, apart, "the same"),
	}
}

/// Exports the start function of a module in its place, since no package may have one; says whether
/// there was any.
fn export_start(wat: &mut Wat<'_>) -> bool {
	let Wat::Module(module) = wat else {
		return false;
	};
	let span = module.span;
	let ModuleKind::Text(fields) = &mut module.kind else {
		return false;
	};
	for field in fields {
		if let ModuleField::Start(item) = *field {
			*field = ModuleField::Export(Export {
				span,
				name: START,
				kind: ExportKind::Func,
				item,
			});
			return true;
		}
	}
	false
}

/// A module with its meter, or why it gets none.
fn metered(module: &[u8]) -> Result<Vec<u8>, &'static str> {
	for payload in Parser::new(0).parse_all(module) {
		if matches!(payload, Ok(Payload::StartSection { .. })) {
			return Err("a module with a start section, which no package may have");
		}
	}
	inject(module).map_err(|_| "a module that needs more than the profile has")
}

fn instantiate<S: Stage>(stage: &mut S, metered: &[u8]) -> Result<usize, Stop> {
	let code = stage.compile(metered).map_err(Stop::Broken)?;
	stage.instantiate(&code)
}

/// Calls an export; and what is left of gas and stack in all instances.
fn act<S: Stage>(
	stage: &mut S,
	instance: usize,
	export: &str,
	arguments: &[Value],
) -> (End, Vec<(i64, i64)>) {
	stage.refill(PLENTY);
	let outcome = stage.invoke(instance, export, arguments);
	let counters: Vec<_> = stage
		.counters()
		.iter()
		.map(|counters| (counters.gas, counters.stack))
		.collect();
	let gas = counters.iter().map(|counters| counters.0).min();
	let stack = counters.iter().map(|counters| counters.1).min();
	let end = End::of(outcome, gas.unwrap_or(0), stack.unwrap_or(0));
	(end, counters)
}

fn argument(argument: &WastArg<'_>) -> Option<Value> {
	let WastArg::Core(argument) = argument else {
		return None;
	};
	match argument {
		WastArgCore::I32(number) => Some(Value::I32(*number as u32)),
		WastArgCore::I64(number) => Some(Value::I64(*number as u64)),
		WastArgCore::F32(number) => Some(Value::F32(number.bits)),
		WastArgCore::F64(number) => Some(Value::F64(number.bits)),
		WastArgCore::RefNull(_) => Some(Value::Function(false)),
		_ => None,
	}
}

fn returned(end: &End, results: &[WastRet<'_>]) -> bool {
	let End::Values(values) = end else {
		return false;
	};
	values.len() == results.len()
		&& values
			.iter()
			.zip(results)
			.all(|(value, result)| match result {
				WastRet::Core(result) => is(*value, result),
				_ => false,
			})
}

fn is(value: Value, result: &WastRetCore<'_>) -> bool {
	match (value, result) {
		(Value::I32(bits), WastRetCore::I32(number)) => bits == *number as u32,
		(Value::I64(bits), WastRetCore::I64(number)) => bits == *number as u64,
		(Value::F32(bits), WastRetCore::F32(pattern)) => match pattern {
			// The profile knows one NaN, whatever the script would take.
			NanPattern::CanonicalNan | NanPattern::ArithmeticNan => bits == 0x7fc0_0000,
			NanPattern::Value(number) => bits == number.bits,
		},
		(Value::F64(bits), WastRetCore::F64(pattern)) => match pattern {
			NanPattern::CanonicalNan | NanPattern::ArithmeticNan => bits == 0x7ff8_0000_0000_0000,
			NanPattern::Value(number) => bits == number.bits,
		},
		(Value::Function(there), WastRetCore::RefNull(_)) => !there,
		(Value::Function(there), WastRetCore::RefFunc(_)) => there,
		(value, WastRetCore::Either(results)) => results.iter().any(|result| is(value, result)),
		_ => false,
	}
}
