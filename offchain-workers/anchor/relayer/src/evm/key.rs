//! The key that pays on the anchor.

use super::Address;
use k256::ecdsa::{RecoveryId, Signature, SigningKey};
use millrace_client::keys::{read_secret, write_secret, KeyError};
use millrace_primitives::H256;
use serde::{Deserialize, Serialize};
use std::{fmt, path::Path};

/// Begins the name of a key that everybody knows.
const DEVELOPMENT: &str = "dev:";
/// What a key file says that it has.
const KIND: &str = "anchor";
/// The accounts that development anchors give coins to at their start: of the phrase "test test test test
/// test test test test test test test junk".
const DEVELOPMENT_KEYS: [&str; 10] = [
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
	"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
	"5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
	"7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
	"47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
	"8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
	"92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
	"4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
	"dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
	"2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
];

/// Key of an account on the anchor.
#[derive(Clone)]
pub struct AnchorKey {
	secret: SigningKey,
	address: Address,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum AnchorKeyError {
	/// The file cannot be used.
	#[error(transparent)]
	File(#[from] KeyError),
	/// The secret is none.
	#[error("that is no secret of secp256k1: {0}")]
	Secret(&'static str),
	/// There is no such development key.
	#[error("{0} names no development key; there are dev:0 to dev:9")]
	Development(String),
}

#[derive(Serialize, Deserialize)]
struct KeyFile {
	kind: String,
	address: Address,
	secret: String,
}

impl AnchorKey {
	/// Reads `dev:0` to `dev:9`, which everybody knows, or the key file at a path.
	pub fn from_name_or_file(text: &str) -> Result<Self, AnchorKeyError> {
		match text.strip_prefix(DEVELOPMENT) {
			Some(number) => number
				.parse()
				.ok()
				.and_then(Self::development)
				.ok_or_else(|| AnchorKeyError::Development(text.into())),
			None => Self::load(Path::new(text)),
		}
	}

	/// One of the keys that everybody knows.
	pub fn development(number: usize) -> Option<Self> {
		let secret = hex::decode(DEVELOPMENT_KEYS.get(number)?).ok()?;
		Self::from_secret(&secret).ok()
	}

	/// The addresses of all of them.
	pub fn development_addresses() -> Vec<Address> {
		(0..DEVELOPMENT_KEYS.len())
			.filter_map(|number| Self::development(number).map(|key| key.address()))
			.collect()
	}

	/// The key of a secret of 32 bytes.
	pub fn from_secret(secret: &[u8]) -> Result<Self, AnchorKeyError> {
		let secret = SigningKey::from_slice(secret)
			.map_err(|_| AnchorKeyError::Secret("32 bytes below the order are expected"))?;
		let address = Address::of(secret.verifying_key());
		Ok(Self { secret, address })
	}

	/// Makes a new key and writes it to a file; never over another one.
	pub fn create(path: &Path) -> Result<Self, AnchorKeyError> {
		let seed = millrace_client::keys::random_seed()?;
		let key = Self::from_secret(&seed[..])?;
		let file = KeyFile {
			kind: KIND.into(),
			address: key.address,
			secret: format!("0x{}", hex::encode(key.secret.to_bytes())),
		};
		write_secret(path, &file)?;
		Ok(key)
	}

	/// Reads a key file.
	pub fn load(path: &Path) -> Result<Self, AnchorKeyError> {
		let file: KeyFile = read_secret(path, KIND)?;
		let bad = |reason: String| KeyError::BadFile {
			path: path.into(),
			expected: KIND,
			reason,
		};
		if file.kind != KIND {
			return Err(bad(format!("its kind is {}", file.kind)).into());
		}
		let digits = file.secret.strip_prefix("0x").unwrap_or(&file.secret);
		let secret = hex::decode(digits).map_err(|_| bad("its secret is no hexadecimal".into()))?;
		let key = Self::from_secret(&secret)?;
		match key.address == file.address {
			true => Ok(key),
			false => Err(bad("its secret gives another address".into()).into()),
		}
	}

	/// The account.
	pub fn address(&self) -> Address {
		self.address
	}

	/// Signs a hash: r, s, and which of the two points it is. `None` is so unlikely as to find the
	/// secret by chance.
	pub fn sign(&self, hash: H256) -> Option<([u8; 32], [u8; 32], u8)> {
		let (signature, id): (Signature, RecoveryId) =
			self.secret.sign_prehash_recoverable(&hash.0).ok()?;
		let (r, s) = signature.split_bytes();
		Some((r.into(), s.into(), id.to_byte()))
	}
}

impl fmt::Debug for AnchorKey {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("AnchorKey")
			.field("address", &self.address)
			.finish_non_exhaustive()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_keys_of_development_are_those_of_other_tools() {
		let addresses = AnchorKey::development_addresses();
		assert_eq!(addresses.len(), 10);
		assert_eq!(
			addresses[0].to_string(),
			"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
		);
		assert_eq!(
			addresses[9].to_string(),
			"0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"
		);
		assert!(AnchorKey::from_name_or_file("dev:9").is_ok());
		assert!(matches!(
			AnchorKey::from_name_or_file("dev:10"),
			Err(AnchorKeyError::Development(_))
		));
	}

	#[test]
	fn a_key_comes_back_from_its_file_and_shows_no_secret() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("anchor.json");
		let key = AnchorKey::create(&path).expect("it is made");
		let text = path.display().to_string();
		let again = AnchorKey::from_name_or_file(&text).expect("it is read");
		assert_eq!(again.address(), key.address());
		assert!(AnchorKey::create(&path).is_err(), "no key is overwritten");
		assert!(!format!("{:?}", AnchorKey::development(0)).contains("ac0974"));
	}
}
