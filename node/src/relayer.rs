//! The anchor's relayer beside the node.
//!
//! It is a process of its own: it speaks to servers of strangers, and a fault of theirs, or of what reads
//! them, must not reach a validator. It has no state, so it is killed with the node and started again when it
//! ends.

use sc_service::config::RpcConfiguration;
use std::{
	net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
	path::{Path, PathBuf},
	process::{Command, Stdio},
	thread,
	time::Duration,
};

/// The program, beside this one or on the PATH.
const PROGRAM: &str = "millrace";
/// Pause before it is started again.
const PAUSE: Duration = Duration::from_secs(5);

/// Where this node's RPC can be reached from its own machine.
pub(crate) fn rpc_address(rpc: &RpcConfiguration) -> SocketAddr {
	let listening = rpc.addr.iter().flatten().map(|end| end.listen_addr);
	let address = listening.clone().find(|address| is_near(address.ip()));
	let address = address.or_else(|| listening.clone().next());
	let mut address = address.unwrap_or_else(|| (Ipv4Addr::LOCALHOST, rpc.port).into());
	if address.ip().is_unspecified() {
		address.set_ip(match address.ip() {
			IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
			IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
		});
	}
	address
}

fn is_near(address: IpAddr) -> bool {
	address.is_loopback() || address.is_unspecified()
}

/// Keeps a relayer running, by a configuration, on this node's RPC.
pub(crate) fn start(settings: PathBuf, rpc: SocketAddr) -> sc_cli::Result<()> {
	if !settings.is_file() {
		let message = format!("--anchor-relay: there is no file {}", settings.display());
		return Err(sc_cli::Error::Input(message));
	}
	let program = program();
	// A thread of its own, which lives as long as the node: the kernel counts the thread that starts a
	// child as its parent.
	thread::Builder::new()
		.name("anchor-relay".into())
		.spawn(move || keep(&program, &settings, rpc))?;
	Ok(())
}

fn keep(program: &Path, settings: &Path, rpc: SocketAddr) {
	loop {
		match command(program, settings, rpc).status() {
			Ok(status) => log::warn!("The anchor's relayer has ended ({status})"),
			Err(error) => {
				log::error!(
					"Cannot run the anchor's relayer ({}): {error}",
					program.display()
				);
			}
		}
		thread::sleep(PAUSE);
	}
}

/// The program under a tether, by which it ends with this process.
fn command(program: &Path, settings: &Path, rpc: SocketAddr) -> Command {
	let mut command = Command::new(program);
	command
		.args(["tether", "--"])
		.arg(program)
		.args(["anchor", "relay", "--config"])
		.arg(settings)
		.arg("--node")
		.arg(format!("ws://{rpc}"))
		.stdin(Stdio::null());
	command
}

fn program() -> PathBuf {
	let beside = std::env::current_exe()
		.ok()
		.map(|own| own.with_file_name(PROGRAM))
		.filter(|program| program.is_file());
	beside.unwrap_or_else(|| PROGRAM.into())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_relayer_asks_this_node_and_is_tied_to_it() {
		let rpc = (Ipv4Addr::LOCALHOST, 9_944).into();
		let command = command(Path::new("/p/millrace"), Path::new("/c.toml"), rpc);
		let arguments: Vec<_> = command
			.get_args()
			.map(|text| text.to_string_lossy())
			.collect();
		let expected =
			"tether -- /p/millrace anchor relay --config /c.toml --node ws://127.0.0.1:9944";
		assert_eq!(arguments.join(" "), expected);
	}

	#[test]
	fn a_configuration_that_is_not_there_is_an_error_at_the_start() {
		let error = start("no-such-file.toml".into(), (Ipv4Addr::LOCALHOST, 1).into())
			.expect_err("there is none");
		assert!(error.to_string().contains("no-such-file.toml"), "{error}");
	}
}
