//! A guest process that lies: it speaks the protocol and runs nothing.
//!
//! How it lies is its own name, since a process of the sandbox is told nothing else.

use codec::{Decode, DecodeAll};
use millrace_executor::ModuleInfo;
use millrace_primitives::execution::CallStatus;
use millrace_sandbox::protocol::{
	descriptors, frame, Answer, Attempt, FromGuest, Hello, Order, Output, ToGuest, MAX_CODE,
	MAX_ORDER,
};
use rustix::fd::OwnedFd;
use std::io::{stdin, Result};
use std::path::Path;
use std::process::exit;
use std::sync::Once;
use std::thread::{sleep, spawn};
use std::time::Duration;

fn main() -> Result<()> {
	let name = std::env::args().next().unwrap_or_default();
	let how = Path::new(&name).file_name().unwrap_or_default();
	let how = how.to_string_lossy().into_owned();
	let (header, mut lines) = descriptors::receive(stdin())?;
	let mut order = vec![0; frame::length(header, MAX_ORDER)?];
	frame::read_exact(stdin(), &mut order)?;
	let mut order = &order[..];
	let mut hello = Hello::decode(&mut order).expect("the daemon greets");
	match Order::decode_all(&mut order).expect("the daemon gives an order") {
		Order::Probe { .. } => {
			if how == "other-version" {
				hello.version = "0.0.0".into();
			}
			let worked = match how.as_str() {
				"unprotected" => vec![Attempt::Socket, Attempt::Fork],
				_ => Vec::new(),
			};
			let probed = Answer::Probed {
				landlock_abi: 7,
				worked,
			};
			frame::write(stdin(), &frame::encode(&(hello, probed)))?;
			if how != "immortal" {
				// SAFETY: it ends this process.
				unsafe { libc::raise(libc::SIGSYS) };
			}
			Ok(())
		}
		Order::Prepare { .. } => prepare(&how, hello),
		Order::Execute { .. } => {
			frame::write(stdin(), &frame::encode(&(hello, Answer::Ready)))?;
			// The first is the package.
			let line = lines.pop().expect("there is a line");
			spawn(move || serve(&how, &line));
			frame::read_exact(stdin(), &mut [0])?;
			exit(0)
		}
	}
}

fn prepare(how: &str, hello: Hello) -> Result<()> {
	let package = frame::read(stdin(), MAX_ORDER)?.expect("the package comes");
	let code = b"not code";
	let code_bytes = match how {
		"endless-code" => MAX_CODE + 1,
		"short-code" => 1_000,
		_ => code.len() as u64,
	};
	if how == "dies-preparing" {
		exit(4);
	}
	let info = ModuleInfo {
		size: package.len() as u32,
		memory_pages: 1,
		functions: 1,
		imports: Vec::new(),
		files: 0,
	};
	let prepared = Answer::Prepared {
		info,
		files: Vec::new(),
		code_bytes,
	};
	frame::write(stdin(), &frame::encode(&(hello, prepared)))?;
	frame::write(stdin(), code)
}

/// Has a thread compute from now on. A real process could have one do so that waits for its daemon.
fn spin() {
	static ONCE: Once = Once::new();
	ONCE.call_once(|| {
		spawn(|| loop {
			std::hint::spin_loop();
		});
	});
}

fn serve(how: &str, line: &OwnedFd) -> Result<()> {
	while let Some(call) = frame::read(line, MAX_ORDER)? {
		let Ok(ToGuest::Call { limits, .. }) = ToGuest::decode_all(&mut &call[..]) else {
			continue;
		};
		let mut output = Output {
			status: CallStatus::Exited(0),
			response: b"as told".to_vec(),
			stderr: Vec::new(),
			gas: 1,
			transcript: Default::default(),
		};
		match how {
			"long-frame" => frame::write(line, &[255; 64])?,
			"nonsense" => frame::write(line, &frame::finish(vec![9; 64]))?,
			"dies" => exit(3),
			"spins" => spin(),
			"silent" => sleep(Duration::from_secs(3_600)),
			"hangs-up" => return Ok(()),
			"more-gas" => output.gas = limits.gas + 1,
			"other-gas" => {
				output.status = CallStatus::OutOfGas;
				output.response.clear();
			}
			"more-response" => output.response = vec![0; limits.response_bytes as usize + 1],
			"endless-effects" => loop {
				let ask = FromGuest::Effect(b"GET http://a.example/\r\n\r\n".to_vec());
				frame::write(line, &frame::encode(&ask))?;
				if frame::read(line, MAX_ORDER)?.is_none() {
					return Ok(());
				}
			},
			_ => {}
		}
		frame::write(line, &frame::encode(&FromGuest::Done(Ok(output))))?;
	}
	Ok(())
}
