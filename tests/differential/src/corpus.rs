//! Inputs: the committed ones, and noise.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The committed inputs of a kind, in the order of their names.
pub fn committed(kind: &str) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
	let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
		.join("corpus")
		.join(kind);
	let mut paths = fs::read_dir(folder)?
		.map(|entry| entry.map(|entry| entry.path()))
		.collect::<io::Result<Vec<_>>>()?;
	paths.sort();
	paths
		.into_iter()
		.map(|path| fs::read(&path).map(|bytes| (path, bytes)))
		.collect()
}

/// Numbers that look random and follow from a seed: SplitMix64.
#[derive(Clone, Debug)]
pub struct Noise {
	state: u64,
}

impl Noise {
	/// The stream of a seed.
	pub fn new(seed: u64) -> Self {
		Self { state: seed }
	}

	/// The next number.
	pub fn number(&mut self) -> u64 {
		self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut value = self.state;
		value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		value ^ (value >> 31)
	}

	/// The next number, below a bound that is not zero.
	pub fn below(&mut self, bound: u64) -> u64 {
		self.number() % bound
	}

	/// So many bytes.
	pub fn bytes(&mut self, count: usize) -> Vec<u8> {
		let mut bytes: Vec<u8> = (0..count.div_ceil(8))
			.flat_map(|_| self.number().to_le_bytes())
			.collect();
		bytes.truncate(count);
		bytes
	}

	/// Some of the bytes changed, left out or doubled.
	pub fn mutated(&mut self, bytes: &[u8]) -> Vec<u8> {
		let mut bytes = bytes.to_vec();
		for _ in 0..=self.below(8) {
			if bytes.is_empty() {
				break;
			}
			let at = self.below(bytes.len() as u64) as usize;
			let end = (at + 1 + self.below(16) as usize).min(bytes.len());
			match self.below(4) {
				0 => bytes[at] ^= 1 << self.below(8),
				1 => bytes[at] = self.number() as u8,
				2 => drop(bytes.drain(at..end)),
				_ => {
					let piece = bytes[at..end].to_vec();
					drop(bytes.splice(at..at, piece));
				}
			}
		}
		bytes
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn noise_follows_from_its_seed() {
		assert_eq!(Noise::new(7).bytes(13), Noise::new(7).bytes(13));
		assert_ne!(Noise::new(7).bytes(13), Noise::new(8).bytes(13));
		assert_eq!(Noise::new(7).bytes(13).len(), 13);
	}

	#[test]
	fn the_committed_inputs_are_few_and_small() {
		for kind in ["smith", "world"] {
			let files = committed(kind).unwrap();
			assert!(!files.is_empty() && files.len() <= 400, "{kind}");
			let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
			assert!(bytes <= 1024 * 1024, "{kind}: {bytes} bytes");
		}
	}
}
