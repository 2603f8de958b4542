//! Binds [`crate::wasi`] to wasmi.

use crate::growth::GrowthLimits;
use crate::wasi::table::with_functions;
use crate::wasi::{preview1, Errno, Exit, Meter, Wasi};
use millrace_primitives::Gas;
use wasmi::errors::HostError;
use wasmi::{Caller, Error, FuncType, Global, Linker, Memory, Val, ValType};

/// What a store holds for one replay.
#[derive(Debug)]
pub(super) struct Host {
	/// The guest's world.
	pub(super) wasi: Wasi,
	/// Bounds of what the guest may grow.
	pub(super) growth: GrowthLimits,
	/// The guest's memory and gas, once there is an instance.
	pub(super) guest: Option<(Memory, Global)>,
}

impl HostError for Exit {}

/// Works for the guest: with its gas taken out of the global before, and put back after.
fn enter(
	mut caller: Caller<'_, Host>,
	work: impl FnOnce(&mut Wasi, &mut Meter, &mut [u8]) -> Result<Errno, Exit>,
) -> Result<i32, Error> {
	let (memory, gas) = caller
		.data()
		.guest
		.ok_or_else(|| Error::new("a host call before the guest's start"))?;
	let left = gas.get(&caller).i64().unwrap_or(0);
	// It took too much since the last test, which this is.
	let left = Gas::try_from(left).map_err(|_| Error::host(Exit::OutOfGas))?;
	let mut meter = Meter::new(left);
	let (bytes, host) = memory.data_and_store_mut(&mut caller);
	let answer = work(&mut host.wasi, &mut meter, bytes);
	gas.set(&mut caller, Val::I64(meter.left() as i64))?;
	answer.map(Errno::raw).map_err(Error::host)
}

macro_rules! define {
	($linker:expr; $( $module:literal { $( $name:ident ( $($arg:ident : $ty:ty),* ); )* } )*) => {
		/// The functions that do something.
		const DEFINED: &[&str] = &[$( $( stringify!($name), )* )*];
		$( $(
			$linker.func_wrap(
				$module,
				stringify!($name),
				|caller: Caller<'_, Host>, $( $arg: $ty ),*| -> Result<i32, Error> {
					enter(caller, |wasi, meter, memory| wasi.$name(meter, memory, $( $arg ),*))
				},
			)?;
		)* )*
	};
}

/// Defines every function that a guest may import.
pub(super) fn link(linker: &mut Linker<Host>) -> Result<(), Error> {
	with_functions!(define, linker);
	linker.func_wrap(
		preview1::MODULE,
		"proc_exit",
		|caller: Caller<'_, Host>, code: u32| -> Result<(), Error> {
			enter(caller, |wasi, meter, _| Err(wasi.proc_exit(meter, code))).map(drop)
		},
	)?;
	for (name, parameters, results) in preview1::FUNCTIONS {
		if DEFINED.contains(&name) || name == "proc_exit" {
			continue;
		}
		let changed = preview1::changes_files(name);
		linker.func_new(
			preview1::MODULE,
			name,
			FuncType::new(types(parameters), types(results)),
			move |caller: Caller<'_, Host>, arguments: &[Val], results: &mut [Val]| {
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

fn types(letters: &str) -> Vec<ValType> {
	letters
		.chars()
		.map(|letter| {
			if letter == 'i' {
				ValType::I32
			} else {
				ValType::I64
			}
		})
		.collect()
}
