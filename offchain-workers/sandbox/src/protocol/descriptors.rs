//! Descriptors that go with the header of a frame.

use super::frame::HEADER;
use super::MAX_DESCRIPTORS;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::retry_on_intr;
use rustix::net::{
	recvmsg, sendmsg, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
	SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
};
use std::io::{Error, ErrorKind, IoSlice, IoSliceMut, Result};
use std::mem::MaybeUninit;

/// Sends a header with descriptors. It is the first that goes over the socket, and fits.
pub fn send(socket: impl AsFd, header: &[u8], descriptors: &[BorrowedFd<'_>]) -> Result<()> {
	let length = rustix::cmsg_space!(ScmRights(descriptors.len()));
	let mut space = vec![MaybeUninit::<u8>::uninit(); length];
	let mut ancillary = SendAncillaryBuffer::new(&mut space);
	let message = SendAncillaryMessage::ScmRights(descriptors);
	if !descriptors.is_empty() && !ancillary.push(message) {
		return Err(Error::other("too many descriptors for one message"));
	}
	let header = [IoSlice::new(header)];
	let sent = sendmsg(socket, &header, &mut ancillary, SendFlags::NOSIGNAL)?;
	if sent != header[0].len() {
		return Err(Error::other("the socket is full already"));
	}
	Ok(())
}

/// Receives a header, blocking, and the descriptors that come with it.
pub fn receive(socket: impl AsFd) -> Result<([u8; HEADER], Vec<OwnedFd>)> {
	let mut header = [0; HEADER];
	let length = rustix::cmsg_space!(ScmRights(MAX_DESCRIPTORS));
	let mut space = vec![MaybeUninit::<u8>::uninit(); length];
	let mut ancillary = RecvAncillaryBuffer::new(&mut space);
	let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::WAITALL;
	let received = retry_on_intr(|| {
		recvmsg(
			&socket,
			&mut [IoSliceMut::new(&mut header)],
			&mut ancillary,
			flags,
		)
	})?;
	let mut descriptors = Vec::new();
	for message in ancillary.drain() {
		if let RecvAncillaryMessage::ScmRights(sent) = message {
			descriptors.extend(sent);
		}
	}
	if received.bytes != HEADER {
		return Err(ErrorKind::UnexpectedEof.into());
	}
	if received.flags.contains(ReturnFlags::CTRUNC) {
		return Err(Error::other("descriptors were lost on the way"));
	}
	Ok((header, descriptors))
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::protocol::frame;
	use std::os::unix::net::UnixStream;

	#[test]
	fn descriptors_arrive_with_the_header() {
		let (ours, theirs) = UnixStream::pair().unwrap();
		let (kept, sent) = UnixStream::pair().unwrap();
		let many = vec![sent.as_fd(); MAX_DESCRIPTORS];
		send(&ours, &7u32.to_le_bytes(), &many).unwrap();
		let (header, received) = receive(&theirs).unwrap();
		assert_eq!(header, 7u32.to_le_bytes());
		assert_eq!(received.len(), MAX_DESCRIPTORS);
		frame::write(&received[0], b"here").unwrap();
		let mut heard = [0; 4];
		frame::read_exact(&kept, &mut heard).unwrap();
		assert_eq!(&heard, b"here");
	}

	#[test]
	fn there_may_be_none() {
		let (ours, theirs) = UnixStream::pair().unwrap();
		send(&ours, &[1; HEADER], &[]).unwrap();
		let (header, received) = receive(&theirs).unwrap();
		assert_eq!((header, received.len()), ([1; HEADER], 0));
		drop(ours);
		assert!(receive(&theirs).is_err());
	}
}
