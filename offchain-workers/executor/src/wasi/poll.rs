//! Waiting: for a descriptor, which is always ready, or for a time, which then has come.

use super::descriptors::Fd;
use super::functions::CLOCKS;
use super::memory::element;
use super::{answer, Answer, Errno, GuestMemory, Meter, Stop, Wasi};
use crate::cost;
use millrace_primitives::Gas;

/// Most things that are waited for at a time.
const MAX_SUBSCRIPTIONS: u32 = 64;
/// Bytes of a subscription and of an event.
const SUBSCRIPTION: usize = 48;
const EVENT: usize = 32;

/// What is waited for, as preview1 numbers it.
const CLOCK: u8 = 0;
const READ: u8 = 1;
const WRITE: u8 = 2;
/// The time is one of the clock, not from now.
const ABSOLUTE: u16 = 1;

/// Something that the guest waits for.
struct Subscription {
	/// What the guest knows it by.
	name: [u8; 8],
	kind: u8,
	/// Descriptor or clock.
	subject: u32,
	/// When the time has come; of a clock only.
	deadline: u64,
}

impl Subscription {
	fn read(record: &[u8; SUBSCRIPTION], now: u64) -> Result<Self, Errno> {
		let time = number(record, 24);
		let absolute = u16::from_le_bytes([record[40], record[41]]) & ABSOLUTE != 0;
		let kind = record[8];
		if kind > WRITE {
			return Err(Errno::INVAL);
		}
		let mut name = [0; 8];
		name.copy_from_slice(&record[..8]);
		Ok(Self {
			name,
			kind,
			subject: number(record, 16) as u32,
			deadline: if absolute {
				time
			} else {
				now.saturating_add(time)
			},
		})
	}
}

/// The 64-bit number at a place that is inside of the record.
fn number(record: &[u8; SUBSCRIPTION], at: usize) -> u64 {
	let mut bytes = [0; 8];
	bytes.copy_from_slice(&record[at..at + 8]);
	u64::from_le_bytes(bytes)
}

impl Wasi {
	/// Waits for the first of several things. Descriptors are ready at once, and times that have
	/// passed are over; if nothing else is waited for, the clock moves on to the earliest time. Events
	/// are in the order of what was waited for.
	pub fn poll_oneoff<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		subscriptions: u32,
		events: u32,
		count: u32,
		happened: u32,
	) -> Answer {
		answer(self.poll(meter, memory, (subscriptions, count), events, happened))
	}

	fn poll<M: GuestMemory + ?Sized>(
		&mut self,
		meter: &mut Meter,
		memory: &mut M,
		(subscriptions, count): (u32, u32),
		events: u32,
		happened: u32,
	) -> Result<(), Stop> {
		meter.take(cost::HOST_CALL)?;
		if !(1..=MAX_SUBSCRIPTIONS).contains(&count) {
			return Err(Errno::INVAL.into());
		}
		meter.take(Gas::from(count).saturating_mul(cost::SUBSCRIPTION))?;
		let mut wanted = Vec::with_capacity(count as usize);
		for index in 0..count {
			let mut record = [0; SUBSCRIPTION];
			memory.read(
				element(subscriptions, index, SUBSCRIPTION as u32)?,
				&mut record,
			)?;
			wanted.push(Subscription::read(&record, self.clock_ns)?);
		}
		let sleeps = |wanted: &&Subscription| wanted.kind == CLOCK && wanted.subject < CLOCKS;
		let awake = wanted
			.iter()
			.any(|one| !sleeps(&one) || one.deadline <= self.clock_ns);
		let earliest = wanted.iter().filter(sleeps).map(|one| one.deadline).min();
		let now = match earliest {
			Some(earliest) if !awake => earliest,
			_ => self.clock_ns,
		};

		let mut written = 0u32;
		for one in &wanted {
			let Some((errno, bytes)) = self.event(one, now) else {
				continue;
			};
			let mut record = [0; EVENT];
			record[..8].copy_from_slice(&one.name);
			record[8..10].copy_from_slice(&(errno.raw() as u16).to_le_bytes());
			record[10] = one.kind;
			record[16..24].copy_from_slice(&bytes.to_le_bytes());
			memory.write(element(events, written, EVENT as u32)?, &record)?;
			written += 1;
		}
		memory.write_u32(happened, written)?;
		self.clock_ns = now;
		Ok(())
	}

	/// What happened to something that is waited for, if anything: an error, and bytes to be read.
	fn event(&self, wanted: &Subscription, now: u64) -> Option<(Errno, u64)> {
		if wanted.kind == CLOCK {
			return match wanted.subject {
				CLOCKS.. => Some((Errno::INVAL, 0)),
				_ => (wanted.deadline <= now).then_some((Errno::SUCCESS, 0)),
			};
		}
		Some(match self.descriptors.get(wanted.subject) {
			Err(errno) => (errno, 0),
			Ok(Fd::Stdin | Fd::File { .. }) if wanted.kind == READ => {
				let rest = self.rest(wanted.subject).unwrap_or_default();
				(Errno::SUCCESS, rest.len() as u64)
			}
			Ok(_) => (Errno::SUCCESS, 0),
		})
	}
}
