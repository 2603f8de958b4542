//! Addresses of an EVM.

use super::keccak;
use k256::ecdsa::VerifyingKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{fmt, str::FromStr};

/// An account or a contract of an EVM. Shown with the capitals of EIP-55.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub [u8; 20]);

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
	/// It is something else.
	#[error("\"{0}\" is no address: 0x and 40 hexadecimal digits are expected")]
	Form(String),
	/// Its capitals are not those of its digits.
	#[error("\"{0}\" is mistyped: its capitals say that another address is meant")]
	Checksum(String),
	/// It is one of Filecoin's own forms.
	#[error("\"{0}\" is an address of Filecoin that no contract can pay; give the 0x form")]
	Filecoin(String),
}

impl Address {
	/// The address of a public key.
	pub fn of(key: &VerifyingKey) -> Self {
		let point = key.to_encoded_point(false);
		// The first byte says only that the point is not compressed.
		let hash = keccak(point.as_bytes().get(1..).unwrap_or_default());
		let mut address = [0; 20];
		address.copy_from_slice(&hash.0[12..]);
		Self(address)
	}

	/// The address of a compressed public key, as BEEFY's keys are; `None` if it is no point.
	pub fn of_compressed(key: &[u8]) -> Option<Self> {
		VerifyingKey::from_sec1_bytes(key)
			.ok()
			.map(|key| Self::of(&key))
	}

	/// Whether nobody can have it.
	pub fn is_zero(&self) -> bool {
		*self == Self::default()
	}
}

impl fmt::Display for Address {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let digits = hex::encode(self.0);
		let hash = hex::encode(keccak(digits.as_bytes()).0);
		f.write_str("0x")?;
		for (digit, judge) in digits.chars().zip(hash.chars()) {
			let shown = match judge >= '8' {
				true => digit.to_ascii_uppercase(),
				false => digit,
			};
			write!(f, "{shown}")?;
		}
		Ok(())
	}
}

impl fmt::Debug for Address {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		fmt::Display::fmt(self, f)
	}
}

impl FromStr for Address {
	type Err = AddressError;

	fn from_str(text: &str) -> Result<Self, AddressError> {
		let filecoin = ["f0", "f1", "f2", "f3", "f4", "t0", "t1", "t2", "t3", "t4"];
		if filecoin.iter().any(|start| text.starts_with(start)) {
			return Err(AddressError::Filecoin(text.into()));
		}
		let form = || AddressError::Form(text.into());
		let digits = text.strip_prefix("0x").ok_or_else(form)?;
		let bytes = hex::decode(digits).map_err(|_| form())?;
		let address = Self(bytes.try_into().map_err(|_| form())?);
		let mixed = digits.chars().any(|digit| digit.is_ascii_uppercase())
			&& digits.chars().any(|digit| digit.is_ascii_lowercase());
		match mixed && address.to_string() != text {
			true => Err(AddressError::Checksum(text.into())),
			false => Ok(address),
		}
	}
}

impl Serialize for Address {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Address {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		text.parse().map_err(serde::de::Error::custom)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn capitals_are_those_of_eip_55() {
		for text in [
			"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
			"0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
			"0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
			"0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
		] {
			let address: Address = text.parse().expect("it is an example of the standard");
			assert_eq!(address.to_string(), text);
			assert_eq!(text.to_lowercase().parse(), Ok(address));
		}
	}

	#[test]
	fn a_mistyped_address_is_refused() {
		let swapped = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAde";
		assert_eq!(
			swapped.parse::<Address>(),
			Err(AddressError::Checksum(swapped.into()))
		);
		for text in ["", "0x", "0x00", "5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"] {
			assert_eq!(
				text.parse::<Address>(),
				Err(AddressError::Form(text.into()))
			);
		}
		assert!(matches!(
			"f410fabc".parse::<Address>(),
			Err(AddressError::Filecoin(_))
		));
	}
}
