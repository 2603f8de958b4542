//! The processes' side: all of the program `millrace-guest`.
//!
//! A process gets one order on its standard input, makes ready what it needs for it, gives everything
//! else away and only then looks at the first byte that a stranger may have written. What it has left
//! is memory, time, and the sockets that came with the order. It keeps nothing: when its daemon closes
//! the control socket, or dies, it ends.

mod control;
mod execute;
mod filter;
mod lock;
mod prepare;
mod probe;

use crate::protocol::{Answer, Hello, Order};
use codec::{Decode, DecodeAll};
use control::Control;
use millrace_executor::{Engine, EngineConfig};
use std::process::ExitCode;

/// Runs the program. Its argument says to people what the process is for; the order says it to the
/// process.
pub fn main() -> ExitCode {
	if std::env::args().len() != 2 {
		eprintln!(
			"millrace-guest runs functions for Millrace's daemons, which start it themselves."
		);
		return ExitCode::from(2);
	}
	let control = Control::new();
	match lock::begin(&control).and_then(|()| follow(&control)) {
		Ok(()) => ExitCode::SUCCESS,
		Err(reason) => {
			eprintln!("{reason}");
			ExitCode::FAILURE
		}
	}
}

fn follow(control: &Control) -> Result<(), String> {
	let (order, descriptors) = control
		.receive()
		.map_err(|error| format!("no order came: {error}"))?;
	let mut order = &order[..];
	let theirs = Hello::decode(&mut order).map_err(|error| format!("no greeting: {error}"))?;
	let ours = Hello::without_engine();
	if (&theirs.version, theirs.instrumentation) != (&ours.version, ours.instrumentation) {
		return control.answer(&ours, &Answer::OtherVersion);
	}
	let order = Order::decode_all(&mut order).map_err(|error| format!("no order: {error}"))?;
	let done = match order {
		Order::Prepare {
			tier,
			cpu_seconds,
			memory_bytes,
		} => prepare::run(control, &theirs, tier, cpu_seconds, memory_bytes),
		Order::Execute {
			places,
			info,
			files,
		} => execute::run(control, &theirs, places, (info, files), descriptors),
		Order::Probe { last } => probe::run(control, last),
	};
	done.or_else(|reason| control.answer(&ours, &Answer::Failed(reason)))
}

/// An engine for so many calls at once, and what this program is by it. `None`: the daemon was told
/// that it is another one.
fn engine(
	control: &Control,
	theirs: &Hello,
	places: u32,
) -> Result<Option<(Engine, Hello)>, String> {
	let config = EngineConfig {
		max_concurrent_calls: places,
		// Whoever takes too long is ended with the process.
		max_wall_clock: None,
		cached_modules: 1,
		..EngineConfig::default()
	};
	let engine = Engine::new(config).map_err(|error| error.to_string())?;
	let ours = Hello::own(&engine);
	if ours != *theirs {
		control.answer(&ours, &Answer::OtherVersion)?;
		return Ok(None);
	}
	Ok(Some((engine, ours)))
}
