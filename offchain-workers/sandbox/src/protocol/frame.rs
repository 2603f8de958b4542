//! Frames: a length in four bytes, little endian, then as many bytes.

use codec::Encode;
use rustix::fd::AsFd;
use rustix::io::{read as read_some, retry_on_intr, write as write_some};
use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Bytes of a frame's length.
pub const HEADER: usize = 4;

/// A message as a frame.
pub fn encode(message: &impl Encode) -> Vec<u8> {
	let mut frame = vec![0; HEADER];
	message.encode_to(&mut frame);
	finish(frame)
}

/// Writes the length into the header of a frame whose rest is whole.
pub fn finish(mut frame: Vec<u8>) -> Vec<u8> {
	let length = frame.len().saturating_sub(HEADER);
	// All that is sent is far below; a length that did not fit would be noticed on the other side.
	let length = u32::try_from(length).unwrap_or(u32::MAX);
	frame[..HEADER].copy_from_slice(&length.to_le_bytes());
	frame
}

/// The length in a header, if it is no more than allowed.
pub fn length(header: [u8; HEADER], max: usize) -> Result<usize> {
	let length = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
	if length > max {
		let message = format!("a frame of {length} bytes, where {max} are the most");
		return Err(Error::new(ErrorKind::InvalidData, message));
	}
	Ok(length)
}

/// Reads a frame, blocking. `None`: the other side has closed, between frames.
pub fn read(socket: impl AsFd, max: usize) -> Result<Option<Vec<u8>>> {
	let mut header = [0; HEADER];
	if !read_exact(&socket, &mut header)? {
		return Ok(None);
	}
	let mut frame = vec![0; length(header, max)?];
	if !read_exact(&socket, &mut frame)? && !frame.is_empty() {
		return Err(ErrorKind::UnexpectedEof.into());
	}
	Ok(Some(frame))
}

/// Fills a buffer, blocking. `false`: the other side has closed before the first byte, or the buffer
/// is empty.
pub fn read_exact(socket: impl AsFd, buffer: &mut [u8]) -> Result<bool> {
	let mut filled = 0;
	while filled < buffer.len() {
		match retry_on_intr(|| read_some(&socket, &mut buffer[filled..]))? {
			0 if filled == 0 => return Ok(false),
			0 => return Err(ErrorKind::UnexpectedEof.into()),
			count => filled += count,
		}
	}
	Ok(filled > 0)
}

/// Writes all of some bytes, blocking.
pub fn write(socket: impl AsFd, mut bytes: &[u8]) -> Result<()> {
	while !bytes.is_empty() {
		let written = retry_on_intr(|| write_some(&socket, bytes))?;
		bytes = &bytes[written..];
	}
	Ok(())
}

/// Reads a frame. It is an error that the other side has closed.
pub async fn receive(socket: &mut (impl AsyncRead + Unpin), max: usize) -> Result<Vec<u8>> {
	let mut header = [0; HEADER];
	socket.read_exact(&mut header).await?;
	let mut frame = vec![0; length(header, max)?];
	socket.read_exact(&mut frame).await?;
	Ok(frame)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::os::unix::net::UnixStream;

	#[test]
	fn frames_arrive_whole_and_in_order() {
		let (ours, theirs) = UnixStream::pair().unwrap();
		write(&ours, &encode(&7u32)).unwrap();
		write(&ours, &encode(&vec![1u8; 300])).unwrap();
		write(&ours, &finish(vec![0; HEADER])).unwrap();
		drop(ours);
		assert_eq!(read(&theirs, 4).unwrap().unwrap(), 7u32.encode());
		assert_eq!(
			read(&theirs, 400).unwrap().unwrap(),
			vec![1u8; 300].encode()
		);
		assert_eq!(read(&theirs, 0).unwrap().unwrap(), b"");
		assert!(read(&theirs, 400).unwrap().is_none());
	}

	#[test]
	fn frames_that_are_too_long_or_cut_short_are_errors() {
		let (ours, theirs) = UnixStream::pair().unwrap();
		write(&ours, &encode(&[0u8; 5])).unwrap();
		assert_eq!(read(&theirs, 4).unwrap_err().kind(), ErrorKind::InvalidData);
		for cut in [2, 6] {
			let (ours, theirs) = UnixStream::pair().unwrap();
			write(&ours, &encode(&[0u8; 5])[..cut]).unwrap();
			drop(ours);
			assert_eq!(
				read(&theirs, 8).unwrap_err().kind(),
				ErrorKind::UnexpectedEof
			);
		}
	}

	#[tokio::test]
	async fn both_sides_read_the_same() {
		let mut sent = &encode(&(1u8, vec![2u8; 9]))[..];
		let frame = receive(&mut sent, 64).await.unwrap();
		assert_eq!(frame, (1u8, vec![2u8; 9]).encode());
		let mut sent = &encode(&[0u8; 65])[..];
		assert!(receive(&mut sent, 64).await.is_err());
	}
}
