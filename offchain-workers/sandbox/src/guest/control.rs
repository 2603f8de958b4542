//! The control socket, which is the standard input.

use crate::protocol::{descriptors, frame, Answer, Hello, MAX_ORDER};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use std::io::{ErrorKind, Result, Stdin};

/// The control socket.
pub(super) struct Control(Stdin);

impl Control {
	pub(super) fn new() -> Self {
		Self(std::io::stdin())
	}

	/// The order, and the descriptors that came with its first bytes.
	pub(super) fn receive(&self) -> Result<(Vec<u8>, Vec<OwnedFd>)> {
		let (header, sent) = descriptors::receive(self)?;
		let mut order = vec![0; frame::length(header, MAX_ORDER)?];
		frame::read_exact(self, &mut order)?;
		Ok((order, sent))
	}

	/// Answers the order.
	pub(super) fn answer(&self, ours: &Hello, answer: &Answer) -> std::result::Result<(), String> {
		self.send(&frame::encode(&(ours, answer)))
	}

	/// Sends bytes as they are.
	pub(super) fn send(&self, bytes: &[u8]) -> std::result::Result<(), String> {
		frame::write(self, bytes).map_err(|error| format!("the daemon cannot be told: {error}"))
	}

	/// Reads the frame that follows an order.
	pub(super) fn next(&self) -> Result<Vec<u8>> {
		frame::read(self, MAX_ORDER)?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
	}

	/// Waits until the daemon closes the socket. Nothing more comes on it.
	pub(super) fn wait(&self) {
		let _ = frame::read_exact(self, &mut [0]);
	}
}

impl AsFd for Control {
	fn as_fd(&self) -> BorrowedFd<'_> {
		self.0.as_fd()
	}
}
