//! Asking for effects.

use super::{answer, Answer, Errno, Exit, GuestMemory, Meter, Stop, Wasi};
use crate::cost;
use crate::effects::{EffectFailure, HttpRequest};
use codec::Encode;
use millrace_primitives::effects::{
	effect_hash, EffectRecord, MAX_EFFECTS, MAX_EFFECT_REPLY, MAX_EFFECT_REQUEST,
	MAX_TRANSCRIPT_BYTES,
};

/// Bytes of a record beside its reply: the hash of the request and the length of the reply.
const RECORD_HEAD: usize = 32 + 4;

impl Wasi {
	/// Has an effect performed, and tells the length of its reply.
	///
	/// What is refused is refused before anything happens, and leaves no record: another host than
	/// those that the deal lists, a request that is not of the form, more than a record can hold. The
	/// record must have room for the longest reply, whatever comes.
	pub fn effect_call<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		request: u32,
		length: u32,
		reply_length: u32,
	) -> Answer {
		answer(self.call(meter, memory, (request, length), reply_length))
	}

	fn call<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		(request, length): (u32, u32),
		reply_length: u32,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		if self.hosts.is_empty() {
			return Err(Errno::NOSYS.into());
		}
		if length > MAX_EFFECT_REQUEST {
			return Err(Errno::NOBUFS.into());
		}
		meter.take(cost::bytes(length))?;
		let mut bytes = vec![0; length as usize];
		memory.read(request, &mut bytes)?;
		if !HttpRequest::parse(&bytes)?.is_allowed(&self.hosts) {
			return Err(Errno::NOTCAPABLE.into());
		}
		if !self.has_room() {
			return Err(Errno::NOBUFS.into());
		}
		memory.write_u32(reply_length, 0)?;
		meter.take(cost::EFFECT)?;
		let reply = self.effects.perform(&bytes).map_err(Exit::Effect)?;
		let size = reply.len() as u32;
		if reply.len() > MAX_EFFECT_REPLY as usize {
			return Err(Exit::Effect(EffectFailure::ReplyTooLong).into());
		}
		self.transcript.0.push(EffectRecord {
			request: effect_hash(&bytes),
			reply,
		});
		self.reply_read = 0;
		// It has happened: who cannot pay for the reply has it on the record all the same.
		meter.take(cost::bytes(size))?;
		Ok(memory.write_u32(reply_length, size)?)
	}

	/// Copies as much of the last reply as the guest asks for, from where the last read ended. There
	/// must be so much.
	pub fn effect_read<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		buffer: u32,
		length: u32,
	) -> Answer {
		answer(self.read_reply(meter, memory, buffer, length))
	}

	fn read_reply<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		buffer: u32,
		length: u32,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		if self.hosts.is_empty() {
			return Err(Errno::NOSYS.into());
		}
		meter.take(cost::bytes(length))?;
		let reply = self.transcript.0.last().map(|record| &record.reply[..]);
		let rest = reply.and_then(|reply| reply.get(self.reply_read..));
		let part = rest
			.and_then(|rest| rest.get(..length as usize))
			.ok_or(Errno::INVAL)?;
		memory.write(buffer, part)?;
		self.reply_read += length as usize;
		Ok(())
	}

	/// Whether the record can take another effect with the longest reply.
	fn has_room(&self) -> bool {
		let longest = RECORD_HEAD + MAX_EFFECT_REPLY as usize;
		let size = self.transcript.encoded_size() + longest;
		self.transcript.0.len() < MAX_EFFECTS as usize && size <= MAX_TRANSCRIPT_BYTES as usize
	}
}
