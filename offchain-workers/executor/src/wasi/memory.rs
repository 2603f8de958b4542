//! Guest memory, of whatever engine.

/// An access outside the guest's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

/// Memory of a guest, addressed by its own 32-bit pointers.
pub trait GuestMemory {
	/// Fills `into` from address `at`.
	fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Fault>;

	/// Writes `bytes` at address `at`; all of them or, on a fault, none.
	fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault>;

	/// Reads a little-endian number of 32 bits.
	fn read_u32(&self, at: u32) -> Result<u32, Fault> {
		let mut bytes = [0; 4];
		self.read(at, &mut bytes)?;
		Ok(u32::from_le_bytes(bytes))
	}

	/// Writes a little-endian number of 32 bits.
	fn write_u32(&mut self, at: u32, value: u32) -> Result<(), Fault> {
		self.write(at, &value.to_le_bytes())
	}

	/// Writes a little-endian number of 64 bits.
	fn write_u64(&mut self, at: u32, value: u64) -> Result<(), Fault> {
		self.write(at, &value.to_le_bytes())
	}
}

/// Engines that hand out guest memory as a slice need nothing more.
impl GuestMemory for [u8] {
	fn read(&self, at: u32, into: &mut [u8]) -> Result<(), Fault> {
		let start = at as usize;
		let end = start.checked_add(into.len()).ok_or(Fault)?;
		into.copy_from_slice(self.get(start..end).ok_or(Fault)?);
		Ok(())
	}

	fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Fault> {
		let start = at as usize;
		let end = start.checked_add(bytes.len()).ok_or(Fault)?;
		self.get_mut(start..end)
			.ok_or(Fault)?
			.copy_from_slice(bytes);
		Ok(())
	}
}

/// Address of the `index`th element of a table of `size`-byte elements at `base`.
pub(super) fn element(base: u32, index: u32, size: u32) -> Result<u32, Fault> {
	index
		.checked_mul(size)
		.and_then(|offset| base.checked_add(offset))
		.ok_or(Fault)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn accesses_outside_are_faults_and_change_nothing() {
		let mut bytes = [1u8, 2, 3, 4, 5];
		let memory = &mut bytes[..];
		assert_eq!(memory.read_u32(1), Ok(u32::from_le_bytes([2, 3, 4, 5])));
		assert_eq!(memory.read_u32(2), Err(Fault));
		assert_eq!(memory.read_u32(u32::MAX), Err(Fault));
		assert_eq!(memory.write(3, &[9, 9, 9]), Err(Fault));
		assert_eq!(memory.write(5, &[]), Ok(()));
		assert_eq!(bytes, [1, 2, 3, 4, 5]);
	}
}
