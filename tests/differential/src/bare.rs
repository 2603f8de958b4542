//! Modules without a world: their exports are called in turn on both engines, and everything that
//! can be seen from outside is compared.

use crate::stage::{Compiled, Interpreted, Stage, Stop, TrapKind, Value};
use crate::Tally;
use millrace_executor::{inject, translate, GAS_EXPORT, STACK_EXPORT};
use millrace_primitives::H256;
use wasmparser::{ExternalKind, Parser, Payload, TypeRef, ValType};

/// A function that a module exports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
	/// Its name.
	pub name: String,
	/// Types of its parameters.
	pub parameters: Vec<ValType>,
}

/// A metered module and what it exports.
#[derive(Clone, Debug)]
pub struct Module {
	metered: Vec<u8>,
	functions: Vec<Function>,
	memories: Vec<String>,
	globals: Vec<String>,
}

/// Why a module cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
	/// The meter does not take it.
	Meter(String),
	/// The judge does not take it: a package of it would be refused, so there is nothing to compare.
	Judge(String),
}

impl Module {
	/// Puts the meter in.
	pub fn new(module: &[u8]) -> Result<Self, Unusable> {
		let metered = inject(module).map_err(|error| Unusable::Meter(format!("{error:?}")))?;
		translate(&metered).map_err(|reason| Unusable::Judge(format!("{reason:?}")))?;
		let mut this = Self {
			metered,
			functions: Vec::new(),
			memories: Vec::new(),
			globals: Vec::new(),
		};
		this.read_exports()
			.map_err(|error| Unusable::Meter(format!("its output cannot be read: {error}")))?;
		Ok(this)
	}

	/// The functions that it exports.
	pub fn functions(&self) -> &[Function] {
		&self.functions
	}

	fn read_exports(&mut self) -> wasmparser::Result<()> {
		let mut types = Vec::new();
		let mut functions = Vec::new();
		for payload in Parser::new(0).parse_all(&self.metered) {
			match payload? {
				Payload::TypeSection(section) => {
					for ty in section.into_iter_err_on_gc_types() {
						types.push(ty?);
					}
				}
				Payload::ImportSection(section) => {
					for import in section {
						if let TypeRef::Func(ty) = import?.ty {
							functions.push(ty);
						}
					}
				}
				Payload::FunctionSection(section) => {
					for ty in section {
						functions.push(ty?);
					}
				}
				Payload::ExportSection(section) => {
					for export in section {
						let export = export?;
						let name = export.name.to_owned();
						match export.kind {
							ExternalKind::Func => {
								let ty = &types[functions[export.index as usize] as usize];
								self.functions.push(Function {
									name,
									parameters: ty.params().to_vec(),
								});
							}
							ExternalKind::Memory => self.memories.push(name),
							ExternalKind::Global if name == GAS_EXPORT || name == STACK_EXPORT => {}
							ExternalKind::Global => self.globals.push(name),
							_ => {}
						}
					}
				}
				_ => {}
			}
		}
		Ok(())
	}
}

/// What to do with a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
	/// Exports to call, one after the other in the same instance.
	pub calls: Vec<(String, Vec<Value>)>,
	/// Gas for all of them together.
	pub gas: u64,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
	/// It returned.
	Values(Vec<Value>),
	/// It trapped.
	Trap(TrapKind),
	/// It took more gas than there was.
	OutOfGas,
	/// It took more stack than there was.
	StackOverflow,
	/// The engine did not do its part. That is never the same on both sides.
	Broken(String),
}

impl End {
	/// What an outcome means, by what the counters say.
	pub fn of(outcome: Result<Vec<Value>, Stop>, gas: i64, stack: i64) -> Self {
		match outcome {
			Err(Stop::Broken(message)) => Self::Broken(message),
			_ if gas < 0 => Self::OutOfGas,
			Err(Stop::Trap(TrapKind::Unreachable)) if stack < 0 => Self::StackOverflow,
			Err(Stop::Trap(kind)) => Self::Trap(kind),
			Ok(values) => Self::Values(values),
		}
	}
}

/// Everything that can be seen of a plan's execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
	/// How each call ended. Nothing is called after gas ran out, or if there is no instance.
	pub steps: Vec<End>,
	/// Gas and stack that were left after each of them.
	pub counters: Vec<(i64, i64)>,
	/// Fingerprints of the memories at the end.
	pub memory: Vec<Option<H256>>,
	/// Globals at the end.
	pub globals: Vec<Option<Value>>,
}

impl Observed {
	/// Gas that all calls took.
	pub fn used(&self, plan: &Plan) -> u64 {
		let left = self.counters.last().map_or(plan.gas as i64, |last| last.0);
		plan.gas.saturating_sub(left.max(0) as u64)
	}

	/// The case, counted.
	pub fn tally(&self) -> Tally {
		let any = |wanted: fn(&End) -> bool| u64::from(self.steps.iter().any(wanted));
		Tally {
			cases: 1,
			traps: any(|end| matches!(end, End::Trap(_))),
			out_of_gas: any(|end| *end == End::OutOfGas),
			stack_overflows: any(|end| *end == End::StackOverflow),
		}
	}
}

/// A module that is ready on both engines.
#[derive(Debug)]
pub struct Pair {
	module: Module,
	compiled: (Compiled, wasmtime::Module),
	interpreted: (Interpreted, wasmi::Module),
}

impl Pair {
	/// Makes a module ready. Either engine's refusal is a difference: the other one took it.
	pub fn new(module: Module) -> Result<Self, String> {
		let compiled = Compiled::new(false);
		let code = compiled
			.compile(&module.metered)
			.map_err(|error| format!("the compiler refuses it: {error}"))?;
		let interpreted = Interpreted::new(false);
		let judged = interpreted
			.compile(&module.metered)
			.map_err(|error| format!("the interpreter refuses it: {error}"))?;
		Ok(Self {
			module,
			compiled: (compiled, code),
			interpreted: (interpreted, judged),
		})
	}

	/// Carries a plan out on both engines. The calling thread must have [`crate::STACK_BYTES`].
	pub fn run(&mut self, plan: &Plan) -> Result<Observed, String> {
		let (stage, code) = &mut self.compiled;
		let compiled = observe(stage, code, &self.module, plan);
		let (stage, code) = &mut self.interpreted;
		let interpreted = observe(stage, code, &self.module, plan);
		let broken = compiled
			.steps
			.iter()
			.any(|end| matches!(end, End::Broken(_)));
		if broken || compiled != interpreted {
			return Err(format!(
				"with {plan:?}\ncompiled:    {compiled:?}\ninterpreted: {interpreted:?}"
			));
		}
		Ok(compiled)
	}
}

fn observe<S: Stage>(stage: &mut S, code: &S::Code, module: &Module, plan: &Plan) -> Observed {
	let mut observed = Observed {
		steps: Vec::new(),
		counters: Vec::new(),
		memory: Vec::new(),
		globals: Vec::new(),
	};
	stage.clear();
	let instance = match stage.instantiate(code) {
		Ok(instance) => instance,
		Err(stop) => {
			// No code has run, so the counters cannot have gone down.
			observed.steps.push(End::of(Err(stop), 0, 0));
			return observed;
		}
	};
	let mut gas = plan.gas as i64;
	for (name, arguments) in &plan.calls {
		// The stack begins anew: a call that traps does not give its frames back.
		stage.refill(gas);
		let outcome = stage.invoke(instance, name, arguments);
		let (left, stack) = stage
			.counters()
			.first()
			.map_or((0, 0), |counters| (counters.gas, counters.stack));
		gas = left;
		observed.steps.push(End::of(outcome, left, stack));
		observed.counters.push((left, stack));
		if gas < 0 {
			break;
		}
	}
	observed.memory = module
		.memories
		.iter()
		.map(|name| stage.memory(instance, name))
		.collect();
	observed.globals = module
		.globals
		.iter()
		.map(|name| stage.global(instance, name))
		.collect();
	observed
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::deep;

	fn run(text: &str, calls: &[(&str, &[Value])], gas: u64) -> Observed {
		let module = Module::new(&wat::parse_str(text).unwrap()).unwrap();
		let plan = Plan {
			calls: calls
				.iter()
				.map(|(name, arguments)| ((*name).into(), arguments.to_vec()))
				.collect(),
			gas,
		};
		deep(|| Pair::new(module).unwrap().run(&plan).unwrap())
	}

	#[test]
	fn every_end_is_told_from_the_others() {
		let text = r#"(module
			(memory (export "m") 1)
			(func (export "add") (param i32 i32) (result i32)
				(i32.add (local.get 0) (local.get 1)))
			(func (export "divide") (param i32) (result i32)
				(i32.div_u (i32.const 1) (local.get 0)))
			(func $deeper (export "deeper") (call $deeper))
			(func (export "forever") (loop (br 0))))"#;
		let observed = run(
			text,
			&[
				("add", &[Value::I32(2), Value::I32(3)]),
				("divide", &[Value::I32(0)]),
				("deeper", &[]),
				("forever", &[]),
				("add", &[Value::I32(2), Value::I32(3)]),
			],
			10_000_000,
		);
		assert_eq!(
			observed.steps,
			[
				End::Values(vec![Value::I32(5)]),
				End::Trap(TrapKind::DivisionByZero),
				End::StackOverflow,
				End::OutOfGas,
			]
		);
		assert_eq!(observed.tally().traps, 1);
		assert_eq!(observed.memory.len(), 1);
	}

	#[test]
	fn data_outside_of_its_memory_traps_before_any_code_runs() {
		let text = r#"(module (memory 1) (data (i32.const 65535) "ab") (func (export "f")))"#;
		let observed = run(text, &[("f", &[])], 1_000);
		assert_eq!(observed.steps, [End::Trap(TrapKind::Memory)]);
		assert!(observed.counters.is_empty());
	}

	#[test]
	fn elements_outside_of_their_table_trap_alike() {
		let text =
			r#"(module (table 1 funcref) (func $f (export "f")) (elem (i32.const 1) func $f))"#;
		let observed = run(text, &[("f", &[])], 1_000);
		assert_eq!(observed.steps, [End::Trap(TrapKind::Table)]);
	}
}
