//! Runs the calls of one deal.

use super::control::Control;
use super::{engine, lock};
use crate::protocol::{frame, Answer, FromGuest, Hello, Output, ToGuest, MAX_ORDER, MAX_PLACES};
use codec::DecodeAll;
use millrace_executor::limits::NATIVE_STACK_BYTES;
use millrace_executor::{Artifact, EffectFailure, Effects, Engine, Module, ModuleInfo, OwnedInput};
use millrace_primitives::execution::MAX_MEMORY_BYTES;
use rustix::fd::OwnedFd;
use std::fs::File;
use std::io::{Error, Result};
use std::process::exit;
use std::sync::{Arc, Barrier};
use std::thread;

/// Stack of a thread: the guest's, and the host's beside it.
const STACK_BYTES: usize = NATIVE_STACK_BYTES + 8 * 1024 * 1024;
/// Memory of a place beside the guest's: its stack, its table, request and response.
const PLACE_BYTES: u64 = STACK_BYTES as u64 + 64 * 1024 * 1024;
/// Memory of the process beside its places.
const PROCESS_BYTES: u64 = 256 * 1024 * 1024;

pub(super) fn run(
	control: &Control,
	theirs: &Hello,
	places: u32,
	(info, files): (ModuleInfo, Vec<u8>),
	descriptors: Vec<OwnedFd>,
) -> std::result::Result<(), String> {
	let mut descriptors = descriptors.into_iter();
	let code = descriptors
		.next()
		.ok_or("the order came without a package")?;
	if !(1..=MAX_PLACES).contains(&places) || descriptors.len() != places as usize {
		return Err(format!("{} sockets for {places} places", descriptors.len()));
	}
	let Some((engine, ours)) = engine(control, theirs, places)? else {
		return Ok(());
	};
	let artifact = Artifact {
		info,
		files,
		code: Vec::new(),
	};
	// SAFETY: the daemon passes a file of its own folder, which holds what this very build compiled
	// in a process like this one; both sides have just compared their builds.
	let module = unsafe { engine.open(artifact, File::from(code)) };
	let module = Arc::new(module.map_err(lock::failed("the compiled package"))?);

	let place = PLACE_BYTES.saturating_add(u64::from(MAX_MEMORY_BYTES));
	let memory = lock::memory_in_use()?
		.saturating_add(PROCESS_BYTES)
		.saturating_add(place.saturating_mul(u64::from(places)));
	lock::landlock()?;
	let started = Arc::new(Barrier::new(places as usize + 1));
	for line in descriptors {
		let (engine, module, started) = (engine.clone(), module.clone(), started.clone());
		thread::Builder::new()
			.name("guest".into())
			.stack_size(STACK_BYTES)
			.spawn(move || {
				started.wait();
				// The daemon closes the line when it wants no more of it.
				let _ = serve(Arc::new(line), &engine, &module);
			})
			.map_err(lock::failed("threads"))?;
	}
	// A thread that has just been made does things for which there is no way afterwards.
	started.wait();
	lock::close(memory, None)?;
	control.answer(&ours, &Answer::Ready)?;
	control.wait();
	exit(0)
}

/// Runs the calls that come on a line, one after the other.
fn serve(line: Arc<OwnedFd>, engine: &Engine, module: &Module) -> Result<()> {
	while let Some(message) = frame::read(&*line, MAX_ORDER)? {
		let Ok(ToGuest::Call {
			request,
			limits,
			hosts,
			clock_ms,
			seed,
		}) = ToGuest::decode_all(&mut &message[..])
		else {
			return Err(Error::other("no call"));
		};
		let input = OwnedInput {
			request: Arc::new(request),
			limits,
			hosts,
			clock_ms,
			seed,
		};
		let effects = Box::new(Daemon(line.clone()));
		engine.call_here_then(module, input, effects, |result| {
			let done = result.map(Output::from).map_err(|error| error.to_string());
			frame::write(&*line, &frame::encode(&FromGuest::Done(done)))
		})?;
	}
	Ok(())
}

/// Has the daemon perform effects.
struct Daemon(Arc<OwnedFd>);

impl Effects for Daemon {
	fn perform(&mut self, request: &[u8]) -> std::result::Result<Vec<u8>, EffectFailure> {
		let asked = frame::encode(&FromGuest::Effect(request.to_vec()));
		let reply = frame::write(&*self.0, &asked).and_then(|()| frame::read(&*self.0, MAX_ORDER));
		let Ok(Some(reply)) = reply else {
			return Err(EffectFailure::Stopped);
		};
		match ToGuest::decode_all(&mut &reply[..]) {
			Ok(ToGuest::Effect(Ok(reply))) => Ok(reply),
			Ok(ToGuest::Effect(Err(code))) => Err(EffectFailure::from_code(code)),
			_ => Err(EffectFailure::Stopped),
		}
	}
}
