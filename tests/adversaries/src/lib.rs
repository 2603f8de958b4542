//! # Millrace adversaries
//!
//! Peers, proxies and challengers that cheat, for tests of what cheating costs. They are programs of
//! their own: no program of the network has an option that does any of this.
//!
//! - [`liar`] is a worker that signs something else than came of the call.
//! - [`proxy`] stands before an honest worker, holds its key, and signs or withholds what the worker
//!   would not.
//! - [`challenger`] challenges what is true, copies what others have found, or charges its own peer.

pub mod challenger;
pub mod liar;
pub mod proxy;

mod fetch;

/// Begins to log to standard error.
pub fn log() {
	tracing_subscriber::fmt()
		.with_writer(std::io::stderr)
		.with_ansi(false)
		.with_max_level(tracing::Level::INFO)
		.init();
}
