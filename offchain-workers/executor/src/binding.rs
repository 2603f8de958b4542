//! Binds [`crate::wasi`] to wasmtime.

pub use crate::growth::GrowthLimits;

use crate::wasi::table::with_functions;
use crate::wasi::{preview1, Errno, Exit, Meter, Wasi};
use millrace_primitives::Gas;
use wasmtime::{Caller, FuncType, Global, Linker, Memory, ResourceLimiter, Val, ValType};

/// What a store holds for one call.
#[derive(Debug)]
pub struct Host {
	/// The guest's world.
	pub wasi: Wasi,
	/// Bounds of what the guest may grow.
	pub growth: GrowthLimits,
	/// The guest's memory, once there is an instance.
	pub memory: Option<Memory>,
	/// The gas global, once there is an instance; a module without a meter has none.
	pub gas: Option<Global>,
}

impl Host {
	/// The host's side of a call, before there is an instance.
	pub fn new(wasi: Wasi, memory_bytes: u32) -> Self {
		Self {
			wasi,
			growth: GrowthLimits::new(memory_bytes),
			memory: None,
			gas: None,
		}
	}
}

impl GrowthLimits {
	fn failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
		self.failure = Some(format!("{error:#}"));
		Err(error)
	}
}

impl ResourceLimiter for GrowthLimits {
	fn memory_growing(
		&mut self,
		_current: usize,
		desired: usize,
		maximum: Option<usize>,
	) -> wasmtime::Result<bool> {
		Ok(self.memory_may_grow(desired, maximum))
	}

	fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
		self.failed(error)
	}

	fn table_growing(
		&mut self,
		_current: usize,
		desired: usize,
		maximum: Option<usize>,
	) -> wasmtime::Result<bool> {
		Ok(self.table_may_grow(desired, maximum))
	}

	fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
		self.failed(error)
	}
}

/// Works for the guest: with its gas taken out of the global before, and put back after.
fn enter(
	mut caller: Caller<'_, Host>,
	work: impl FnOnce(&mut Wasi, &mut Meter, &mut [u8]) -> Result<Errno, Exit>,
) -> wasmtime::Result<i32> {
	let (memory, gas) = (caller.data().memory, caller.data().gas);
	let memory =
		memory.ok_or_else(|| wasmtime::Error::msg("a host call before the guest's start"))?;
	let left = match gas {
		Some(global) => {
			let left = global.get(&mut caller).i64().unwrap_or(0);
			// It took too much since the last test, which this is.
			Gas::try_from(left).map_err(|_| Exit::OutOfGas)?
		}
		None => Gas::MAX,
	};
	let mut meter = Meter::new(left);
	let (bytes, host) = memory.data_and_store_mut(&mut caller);
	let answer = work(&mut host.wasi, &mut meter, bytes);
	if let Some(global) = gas {
		global.set(&mut caller, Val::I64(meter.left() as i64))?;
	}
	Ok(answer?.raw())
}

macro_rules! define {
	($linker:expr; $( $module:literal { $( $name:ident ( $($arg:ident : $ty:ty),* ); )* } )*) => {
		/// The functions that do something.
		const DEFINED: &[&str] = &[$( $( stringify!($name), )* )*];
		$( $(
			$linker.func_wrap(
				$module,
				stringify!($name),
				|caller: Caller<'_, Host>, $( $arg: $ty ),*| {
					enter(caller, |wasi, meter, memory| wasi.$name(meter, memory, $( $arg ),*))
				},
			)?;
		)* )*
	};
}

/// Defines every function that a guest may import.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
	with_functions!(define, linker);
	linker.func_wrap(
		preview1::MODULE,
		"proc_exit",
		|caller: Caller<'_, Host>, code: u32| -> wasmtime::Result<()> {
			enter(caller, |wasi, meter, _| Err(wasi.proc_exit(meter, code))).map(drop)
		},
	)?;
	for (name, parameters, results) in preview1::FUNCTIONS {
		if DEFINED.contains(&name) || name == "proc_exit" {
			continue;
		}
		let ty = FuncType::new(linker.engine(), types(parameters), types(results));
		let changed = preview1::changes_files(name);
		linker.func_new(
			preview1::MODULE,
			name,
			ty,
			move |caller, arguments, results| {
				let argument = changed.and_then(|index| arguments.get(index));
				let fd = argument.and_then(Val::i32).map(|fd| fd as u32);
				let errno = enter(caller, |wasi, meter, _| wasi.not_supported(meter, fd))?;
				if let Some(result) = results.first_mut() {
					*result = Val::I32(errno);
				}
				Ok(())
			},
		)?;
	}
	Ok(())
}

fn types(letters: &'static str) -> impl Iterator<Item = ValType> {
	letters.chars().map(|letter| {
		if letter == 'i' {
			ValType::I32
		} else {
			ValType::I64
		}
	})
}
