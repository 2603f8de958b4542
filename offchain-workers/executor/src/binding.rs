//! Binds [`crate::wasi`] to wasmtime.

use crate::limits::{MAX_TABLE_ELEMENTS, PAGE_BYTES};
use crate::wasi::{preview1, Errno, Exit, Meter, Wasi};
use millrace_primitives::execution::MAX_MEMORY_BYTES;
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

/// Decides what a guest may grow, from its own limits alone.
///
/// What is granted must then succeed: if the host has no memory left for it, the guest must not see
/// that, so the call ends as the host's failure.
#[derive(Debug)]
pub struct GrowthLimits {
	memory_bytes: usize,
	failure: Option<String>,
}

impl GrowthLimits {
	/// Limits for a call with so much memory, rounded down to whole pages.
	pub fn new(memory_bytes: u32) -> Self {
		let pages = memory_bytes.min(MAX_MEMORY_BYTES) / PAGE_BYTES;
		Self {
			memory_bytes: (pages * PAGE_BYTES) as usize,
			failure: None,
		}
	}

	/// Bytes that the guest's memory may have.
	pub fn memory_bytes(&self) -> usize {
		self.memory_bytes
	}

	/// What the host could not give although it was granted.
	pub fn failure(&self) -> Option<&str> {
		self.failure.as_deref()
	}

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
		Ok(desired <= self.memory_bytes && maximum.is_none_or(|maximum| desired <= maximum))
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
		// The pool says its own limit where the table has none.
		let allowed = desired <= MAX_TABLE_ELEMENTS as usize;
		Ok(allowed && maximum.is_none_or(|maximum| desired <= maximum))
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
		// Never negative here: a guest that took too much has trapped.
		Some(global) => global.get(&mut caller).i64().unwrap_or(0).max(0) as u64,
		None => u64::MAX,
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
	($linker:ident, $( $name:ident ( $($arg:ident : $ty:ty),* ); )*) => {
		/// The functions that do something.
		const DEFINED: &[&str] = &[$( stringify!($name) ),*];
		$(
			$linker.func_wrap(
				preview1::MODULE,
				stringify!($name),
				|caller: Caller<'_, Host>, $( $arg: $ty ),*| {
					enter(caller, |wasi, meter, memory| wasi.$name(meter, memory, $( $arg ),*))
				},
			)?;
		)*
	};
}

/// Defines every function of preview1.
pub fn link(linker: &mut Linker<Host>) -> wasmtime::Result<()> {
	define! { linker,
		args_get(pointers: u32, buffer: u32);
		args_sizes_get(count: u32, size: u32);
		clock_res_get(clock: u32, resolution: u32);
		clock_time_get(clock: u32, precision: u64, time: u32);
		environ_get(pointers: u32, buffer: u32);
		environ_sizes_get(count: u32, size: u32);
		fd_close(fd: u32);
		fd_fdstat_get(fd: u32, stat: u32);
		fd_prestat_dir_name(fd: u32, name: u32, length: u32);
		fd_prestat_get(fd: u32, stat: u32);
		fd_read(fd: u32, vectors: u32, count: u32, read: u32);
		fd_seek(fd: u32, offset: u64, whence: u32, position: u32);
		fd_tell(fd: u32, position: u32);
		fd_write(fd: u32, vectors: u32, count: u32, written: u32);
		random_get(buffer: u32, length: u32);
		sched_yield();
	}
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
		linker.func_new(preview1::MODULE, name, ty, |caller, _, results| {
			let errno = enter(caller, |wasi, meter, _| wasi.not_supported(meter))?;
			if let Some(result) = results.first_mut() {
				*result = Val::I32(errno);
			}
			Ok(())
		})?;
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
