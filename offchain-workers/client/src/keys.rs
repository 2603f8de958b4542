//! Keys: of accounts (sr25519, owns money) and of peers (ed25519, signs reports and receipts).
//!
//! A key lies in a JSON file that only its owner may read. Secrets stay in wiped memory, and no
//! `Debug` shows them.

use crate::AccountId;
use millrace_primitives::{
	peer::{PeerId, PeerKey, PeerSignature},
	H256,
};
use secrecy::{zeroize::Zeroizing, ExposeSecret, SecretBox, SecretString};
use serde::{Deserialize, Serialize};
use std::{
	fmt,
	fs::{self, File, OpenOptions},
	io::{self, Read, Write},
	path::{Path, PathBuf},
	str::FromStr,
};
use subxt_signer::{sr25519, SecretUri};

/// Bytes of a key file that are read: far more than one has.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
	/// The text names no key.
	#[error("that is neither a phrase, a 0x seed nor a development name such as //Alice: {0}")]
	BadSecret(String),
	/// A secret itself was given where others can read it.
	#[error(
		"a seed or phrase is not taken here: command lines and environments can be read by others. \
		 Write it into a key file by `millrace key import FILE`, and name the file"
	)]
	SecretInTheOpen,
	/// The file holds something else.
	#[error("{path} is no {expected} key file: {reason}")]
	BadFile {
		/// The file.
		path: PathBuf,
		/// The kind of key that was looked for.
		expected: &'static str,
		/// What is wrong with it.
		reason: String,
	},
	/// Others may read the file.
	#[error("others can read {path}; run: chmod 600 {path}")]
	Exposed {
		/// The file.
		path: PathBuf,
	},
	/// There is a key already.
	#[error("{path} exists already; a key is never overwritten")]
	Exists {
		/// The file.
		path: PathBuf,
	},
	/// The file system refuses.
	#[error("{path}: {source}")]
	Io {
		/// The file.
		path: PathBuf,
		/// What it says.
		source: io::Error,
	},
	/// The system has no randomness.
	#[error("the system gave no randomness: {0}")]
	NoRandomness(String),
}

/// Key of an account.
#[derive(Clone)]
pub struct AccountKey {
	pair: sr25519::Keypair,
	secret: SecretString,
}

impl AccountKey {
	/// Reads a phrase, a seed in hexadecimal or a development name, each with derivations:
	/// `//Alice`, `0x…//stash`, `word word … word`.
	pub fn from_suri(suri: &str) -> Result<Self, KeyError> {
		let uri = SecretUri::from_str(suri).map_err(|e| KeyError::BadSecret(e.to_string()))?;
		let pair =
			sr25519::Keypair::from_uri(&uri).map_err(|e| KeyError::BadSecret(e.to_string()))?;
		Ok(Self {
			pair,
			secret: suri.into(),
		})
	}

	/// Makes a new key.
	pub fn generate() -> Result<Self, KeyError> {
		let seed = random_seed()?;
		Self::from_suri(&seed_text(&seed))
	}

	/// Reads a key file.
	pub fn load(path: &Path) -> Result<Self, KeyError> {
		let file: AccountFile = read_secret(path, AccountFile::KIND)?;
		let bad = |reason: String| KeyError::BadFile {
			path: path.into(),
			expected: AccountFile::KIND,
			reason,
		};
		if file.kind != AccountFile::KIND {
			return Err(bad(format!("its kind is {}", file.kind)));
		}
		let key = Self::from_suri(&file.secret).map_err(|error| bad(error.to_string()))?;
		if key.address() != file.address {
			return Err(bad("its secret gives another address".into()));
		}
		Ok(key)
	}

	/// Writes a new key file; never over another one.
	pub fn save(&self, path: &Path) -> Result<(), KeyError> {
		write_secret(
			path,
			&AccountFile {
				kind: AccountFile::KIND.into(),
				address: self.address(),
				secret: Zeroizing::new(self.secret.expose_secret().into()),
			},
		)
	}

	/// Reads a development name such as `//Alice`, or else the key file at this path: what tools
	/// take on their command lines. Secrets themselves are not taken there.
	pub fn from_name_or_file(text: &str) -> Result<Self, KeyError> {
		if text.starts_with("//") {
			return Self::from_suri(text);
		}
		let path = Path::new(text);
		if !path.exists() && is_secret(text) {
			return Err(KeyError::SecretInTheOpen);
		}
		Self::load(path)
	}

	/// The account.
	pub fn account(&self) -> AccountId {
		self.pair.public_key().to_account_id()
	}

	/// The account in SS58.
	pub fn address(&self) -> String {
		self.account().to_string()
	}

	/// Signs a message that is no transaction, in the context that wallets sign in.
	pub fn sign(&self, message: &[u8]) -> [u8; 64] {
		self.pair.sign(message).0
	}

	pub(crate) fn pair(&self) -> &sr25519::Keypair {
		&self.pair
	}
}

impl fmt::Debug for AccountKey {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("AccountKey")
			.field("account", &self.address())
			.finish_non_exhaustive()
	}
}

/// Key of a peer, with the peer's name, which outlives its keys.
pub struct PeerKeypair {
	peer: PeerId,
	public: PeerKey,
	secret: SecretBox<ed25519_zebra::SigningKey>,
}

impl PeerKeypair {
	/// Makes the first key of a new peer.
	pub fn generate() -> Result<Self, KeyError> {
		Ok(Self::from_seed(*random_seed()?, None))
	}

	/// Makes another key for a peer, to be rotated to.
	pub fn generate_for(peer: PeerId) -> Result<Self, KeyError> {
		Ok(Self::from_seed(*random_seed()?, Some(peer)))
	}

	/// The key of a seed; without a name, of the peer whose first key it is.
	pub fn from_seed(seed: [u8; 32], peer: Option<PeerId>) -> Self {
		let seed = Zeroizing::new(seed);
		let secret = SecretBox::new(Box::new(ed25519_zebra::SigningKey::from_bytes(&seed)));
		let public: PeerKey = secret.expose_secret().verification_key().into();
		Self {
			peer: peer.unwrap_or_else(|| PeerId::from_key(&public)),
			public,
			secret,
		}
	}

	/// Reads a key file.
	pub fn load(path: &Path) -> Result<Self, KeyError> {
		let file: PeerFile = read_secret(path, PeerFile::KIND)?;
		let bad = |reason: String| KeyError::BadFile {
			path: path.into(),
			expected: PeerFile::KIND,
			reason,
		};
		if file.kind != PeerFile::KIND {
			return Err(bad(format!("its kind is {}", file.kind)));
		}
		let mut seed = Zeroizing::new([0u8; 32]);
		hex::decode_to_slice(file.secret.trim_start_matches("0x"), &mut seed[..])
			.map_err(|error| bad(format!("its secret is no seed: {error}")))?;
		Ok(Self::from_seed(*seed, Some(file.peer)))
	}

	/// Writes a new key file; never over another one.
	pub fn save(&self, path: &Path) -> Result<(), KeyError> {
		let seed = Zeroizing::new(self.secret.expose_secret().to_bytes());
		write_secret(
			path,
			&PeerFile {
				kind: PeerFile::KIND.into(),
				peer: self.peer,
				secret: seed_text(&seed),
			},
		)
	}

	/// Reads the key file, or makes a key and writes it where there is none.
	pub fn load_or_generate(path: &Path) -> Result<Self, KeyError> {
		if path.exists() {
			return Self::load(path);
		}
		let key = Self::generate()?;
		match key.save(path) {
			// Another process was faster: its key counts.
			Err(KeyError::Exists { .. }) => Self::load(path),
			outcome => outcome.map(|()| key),
		}
	}

	/// Name of the peer.
	pub fn id(&self) -> PeerId {
		self.peer
	}

	/// The public key.
	pub fn public(&self) -> PeerKey {
		self.public
	}

	/// Signs a hash.
	pub fn sign_hash(&self, hash: H256) -> PeerSignature {
		self.secret.expose_secret().sign(&hash.0).to_bytes()
	}
}

impl fmt::Debug for PeerKeypair {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.debug_struct("PeerKeypair")
			.field("peer", &self.peer)
			.finish_non_exhaustive()
	}
}

/// Whether `signature` over `hash` is the key's, by the rules of ZIP 215 that the chain applies.
pub fn verify_peer_signature(key: &PeerKey, hash: H256, signature: &PeerSignature) -> bool {
	ed25519_zebra::VerificationKey::try_from(*key)
		.and_then(|key| key.verify(&ed25519_zebra::Signature::from_bytes(signature), &hash.0))
		.is_ok()
}

#[derive(Serialize, Deserialize)]
struct AccountFile {
	kind: String,
	address: String,
	#[serde(with = "wiped")]
	secret: Zeroizing<String>,
}

impl AccountFile {
	const KIND: &'static str = "sr25519 account";
}

#[derive(Serialize, Deserialize)]
struct PeerFile {
	kind: String,
	peer: PeerId,
	#[serde(with = "wiped")]
	secret: Zeroizing<String>,
}

impl PeerFile {
	const KIND: &'static str = "ed25519 peer";
}

/// Serde helper: a text that is wiped from memory when it is dropped.
mod wiped {
	use secrecy::zeroize::Zeroizing;
	use serde::{Deserialize, Deserializer, Serializer};

	pub(super) fn serialize<S: Serializer>(
		text: &Zeroizing<String>,
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(text)
	}

	pub(super) fn deserialize<'de, D: Deserializer<'de>>(
		deserializer: D,
	) -> Result<Zeroizing<String>, D::Error> {
		String::deserialize(deserializer).map(Zeroizing::new)
	}
}

/// Whether a text looks like a phrase or a seed rather than like a path: it must not be shown then.
fn is_secret(text: &str) -> bool {
	let seed = text.strip_prefix("0x").unwrap_or(text);
	let digits = seed.bytes().take_while(u8::is_ascii_hexdigit).count();
	text.split_whitespace().count() > 2 || text.starts_with("0x") || digits >= 32
}

fn seed_text(seed: &[u8; 32]) -> Zeroizing<String> {
	let digits = Zeroizing::new(hex::encode(seed));
	Zeroizing::new(format!("0x{}", *digits))
}

/// Randomness of the system, for a new key.
pub fn random_seed() -> Result<Zeroizing<[u8; 32]>, KeyError> {
	let mut seed = Zeroizing::new([0u8; 32]);
	getrandom::fill(&mut seed[..]).map_err(|e| KeyError::NoRandomness(e.to_string()))?;
	Ok(seed)
}

/// Reads a key file of whatever kind, which others must not be able to read.
pub fn read_secret<T: for<'de> Deserialize<'de>>(
	path: &Path,
	expected: &'static str,
) -> Result<T, KeyError> {
	let io = |source| KeyError::Io {
		path: path.into(),
		source,
	};
	#[cfg(unix)]
	{
		use std::os::unix::fs::PermissionsExt;
		let mode = fs::metadata(path).map_err(io)?.permissions().mode();
		if mode & 0o077 != 0 {
			return Err(KeyError::Exposed { path: path.into() });
		}
	}
	let mut text = Zeroizing::new(Vec::<u8>::with_capacity(4 * 1024));
	File::open(path)
		.and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut text))
		.map_err(io)?;
	serde_json::from_slice(&text).map_err(|error| KeyError::BadFile {
		path: path.into(),
		expected,
		reason: error.to_string(),
	})
}

/// Writes a key file, which its owner alone can read.
///
/// Writes a whole file or none, and none over another: it is written beside its place, brought to
/// the disk, and then linked to its name, which fails where the name is taken.
pub fn write_secret<T: Serialize>(path: &Path, content: &T) -> Result<(), KeyError> {
	let io = |source: io::Error| match source.kind() {
		io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.into() },
		_ => KeyError::Io {
			path: path.into(),
			source,
		},
	};
	let text = Zeroizing::new(
		serde_json::to_vec_pretty(content).map_err(|error| io(io::Error::other(error)))?,
	);
	let folder = match path.parent() {
		Some(folder) if !folder.as_os_str().is_empty() => folder,
		_ => Path::new("."),
	};
	fs::create_dir_all(folder).map_err(io)?;
	let mut name = path.file_name().unwrap_or_default().to_os_string();
	name.push(format!(".{}.tmp", std::process::id()));
	let beside = folder.join(name);
	let outcome = write_private(&beside, &text).and_then(|()| fs::hard_link(&beside, path));
	let removed = fs::remove_file(&beside);
	outcome.map_err(io)?;
	removed.map_err(io)?;
	File::open(folder)
		.and_then(|folder| folder.sync_all())
		.map_err(io)
}

fn write_private(path: &Path, text: &[u8]) -> io::Result<()> {
	// Left behind by a process of the same number that was killed here.
	match fs::remove_file(path) {
		Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
		_ => {}
	}
	let mut options = OpenOptions::new();
	options.write(true).create_new(true);
	#[cfg(unix)]
	{
		use std::os::unix::fs::OpenOptionsExt;
		options.mode(0o600);
	}
	let mut file = options.open(path)?;
	file.write_all(text)?;
	file.sync_all()
}

#[cfg(test)]
mod tests {
	use super::*;

	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

	#[test]
	fn development_names_are_the_usual_accounts() {
		let alice = AccountKey::from_suri("//Alice").expect("that is a development name");
		assert_eq!(alice.address(), ALICE);
		assert!(matches!(
			AccountKey::from_suri("no such phrase"),
			Err(KeyError::BadSecret(_))
		));
	}

	#[test]
	fn names_and_files_are_taken_on_command_lines_and_secrets_are_not() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("my own key.json");
		let key = AccountKey::generate().expect("randomness");
		key.save(&path).expect("it is written");
		for (text, address) in [
			("//Alice", ALICE.to_string()),
			(&path.display().to_string()[..], key.address()),
		] {
			let found = AccountKey::from_name_or_file(text).expect("that is a name or file");
			assert_eq!(found.address(), address);
		}
		let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
		let seed = "e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a";
		for secret in [
			phrase.to_string(),
			format!("{phrase}//Alice"),
			format!("0x{seed}"),
			format!("0x{seed}//stash"),
			seed.to_string(),
			"0x00".to_string(),
		] {
			let error = AccountKey::from_name_or_file(&secret).expect_err("that is a secret");
			assert!(matches!(error, KeyError::SecretInTheOpen), "{error}");
			let told = error.to_string();
			assert!(
				told.contains("key import") && !told.contains(&secret),
				"{told}"
			);
		}
		assert!(matches!(
			AccountKey::from_name_or_file("no-such-file.json"),
			Err(KeyError::Io { .. })
		));
	}

	#[test]
	fn an_account_key_comes_back_from_its_file_and_is_never_overwritten() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("keys").join("owner.json");
		let key = AccountKey::generate().expect("randomness");
		key.save(&path).expect("it is written");
		assert_eq!(
			AccountKey::load(&path).expect("it is read").address(),
			key.address()
		);
		assert!(matches!(key.save(&path), Err(KeyError::Exists { .. })));
		let left = fs::read_dir(path.parent().expect("a folder"))
			.expect("it is listed")
			.count();
		assert_eq!(left, 1, "nothing is left beside the file");
	}

	#[test]
	fn a_peer_keeps_its_name_over_a_new_key() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("peer.json");
		let first = PeerKeypair::load_or_generate(&path).expect("it is made");
		let again = PeerKeypair::load_or_generate(&path).expect("it is read");
		assert_eq!((first.id(), first.public()), (again.id(), again.public()));
		assert_eq!(first.id(), PeerId::from_key(&first.public()));

		let next = PeerKeypair::generate_for(first.id()).expect("randomness");
		let path = folder.path().join("next.json");
		next.save(&path).expect("it is written");
		let next = PeerKeypair::load(&path).expect("it is read");
		assert_eq!(next.id(), first.id());
		assert_ne!(next.public(), first.public());
	}

	#[cfg(unix)]
	#[test]
	fn a_file_that_others_can_read_is_refused() {
		use std::os::unix::fs::PermissionsExt;
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("peer.json");
		PeerKeypair::generate()
			.expect("randomness")
			.save(&path)
			.expect("it is written");
		let mode = fs::metadata(&path).expect("it exists").permissions().mode();
		assert_eq!(mode & 0o777, 0o600);
		fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("it is ours");
		assert!(matches!(
			PeerKeypair::load(&path),
			Err(KeyError::Exposed { .. })
		));
	}

	#[test]
	fn a_file_of_another_kind_is_refused() {
		let folder = tempfile::tempdir().expect("a temporary folder");
		let path = folder.path().join("peer.json");
		PeerKeypair::generate()
			.expect("randomness")
			.save(&path)
			.expect("it is written");
		assert!(matches!(
			AccountKey::load(&path),
			Err(KeyError::BadFile { .. })
		));
	}

	#[test]
	fn a_signature_counts_for_its_hash_and_key_alone() {
		let key = PeerKeypair::from_seed([1; 32], None);
		let other = PeerKeypair::from_seed([2; 32], None);
		let signature = key.sign_hash(H256::zero());
		assert!(verify_peer_signature(
			&key.public(),
			H256::zero(),
			&signature
		));
		assert!(!verify_peer_signature(
			&other.public(),
			H256::zero(),
			&signature
		));
		assert!(!verify_peer_signature(
			&key.public(),
			H256::repeat_byte(1),
			&signature
		));
	}

	#[test]
	fn debug_output_shows_no_secret() {
		let shown = format!("{:?}", PeerKeypair::from_seed([0xab; 32], None));
		assert!(
			!shown.contains("abababab") && !shown.contains("171, 171"),
			"{shown}"
		);
		let shown = format!("{:?}", AccountKey::from_suri("//Alice").expect("a name"));
		assert!(!shown.contains("//Alice"), "{shown}");
	}
}
