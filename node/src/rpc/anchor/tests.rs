//! What a node signs, and what it never signs again.

use super::*;
use millrace_primitives::anchor::H160;
use sp_core::Pair;
use sp_keystore::{testing::MemoryKeystore, Keystore};
use std::{collections::BTreeMap, sync::Arc};

const GENESIS: Hash = Hash::repeat_byte(7);
const ANCHOR: AnchorId = AnchorId {
	chain_id: 314,
	contract: H160::repeat_byte(1),
};

/// What a node has on disk, or a disk that is full.
#[derive(Default)]
struct Disk {
	rows: Mutex<BTreeMap<Vec<u8>, Vec<u8>>>,
	is_full: bool,
}

impl AuxStore for Disk {
	fn insert_aux<
		'a,
		'b: 'a,
		'c: 'a,
		I: IntoIterator<Item = &'a (&'c [u8], &'c [u8])>,
		D: IntoIterator<Item = &'a &'b [u8]>,
	>(
		&self,
		insert: I,
		delete: D,
	) -> sp_blockchain::Result<()> {
		if self.is_full {
			return Err(sp_blockchain::Error::Backend("no space is left".into()));
		}
		let mut rows = self.rows.lock().expect("nobody panics with it");
		for (name, value) in insert {
			rows.insert(name.to_vec(), value.to_vec());
		}
		for name in delete {
			rows.remove(*name);
		}
		Ok(())
	}

	fn get_aux(&self, name: &[u8]) -> sp_blockchain::Result<Option<Vec<u8>>> {
		let rows = self.rows.lock().expect("nobody panics with it");
		Ok(rows.get(name).cloned())
	}
}

/// The keys of two validators.
fn keystore() -> MemoryKeystore {
	let keystore = MemoryKeystore::new();
	for name in ["//Alice", "//Bob"] {
		keystore
			.ecdsa_generate_new(KEY_TYPE, Some(name))
			.expect("it has room");
	}
	keystore
}

/// A node that has just started, with these keys.
fn started(keystore: &MemoryKeystore) -> Signer {
	Signer {
		keystore: Arc::new(keystore.clone()),
	}
}

fn vote(round: u32, nonce: u64, acc: u8) -> Vote {
	Vote {
		round,
		session: 3,
		nonce,
		acc: Hash::repeat_byte(acc),
		epoch: 90,
	}
}

/// Signs, and sees that the signature is the key's over this vote.
fn signs(signer: &Signer, disk: &Disk, key: &ecdsa::Public, vote: &Vote) -> Result<(), Error> {
	let signature = signer.sign(disk, key, GENESIS, &ANCHOR, vote)?;
	let signature = signature.expect("the keystore has the key");
	let hash = vote.hash(GENESIS, &ANCHOR);
	assert!(ecdsa::Pair::verify(&signature, hash.as_bytes(), key));
	Ok(())
}

#[test]
fn a_strangers_connection_is_refused() {
	let mut extensions = Extensions::new();
	assert!(matches!(allowed(&extensions), Err(Error::Unsafe)));
	extensions.insert(DenyUnsafe::Yes);
	assert!(matches!(allowed(&extensions), Err(Error::Unsafe)));
	extensions.insert(DenyUnsafe::No);
	assert!(allowed(&extensions).is_ok());
}

#[test]
fn a_second_accumulator_for_one_number_is_never_signed() {
	let (disk, keystore) = (Disk::default(), keystore());
	let signer = started(&keystore);
	let key = signer.keys()[0];
	assert!(signs(&signer, &disk, &key, &vote(0, 5, 1)).is_ok());
	let refused = signs(&signer, &disk, &key, &vote(0, 5, 2));
	assert!(matches!(refused, Err(Error::OtherVote(5))), "{refused:?}");
	// Nor in another session, nor as of another block of the anchor.
	let later = Vote {
		session: 4,
		epoch: 91,
		..vote(0, 5, 2)
	};
	let refused = signs(&signer, &disk, &key, &later);
	assert!(matches!(refused, Err(Error::OtherVote(5))), "{refused:?}");
	// A refusal changes nothing: what was signed first is what is signed.
	assert!(signs(&signer, &disk, &key, &vote(0, 5, 1)).is_ok());
}

#[test]
fn the_same_accumulator_is_signed_again_in_every_session() {
	let (disk, keystore) = (Disk::default(), keystore());
	let signer = started(&keystore);
	let key = signer.keys()[0];
	for session in [3, 3, 4] {
		let again = Vote {
			session,
			epoch: 90 + u64::from(session),
			..vote(0, 5, 1)
		};
		assert!(signs(&signer, &disk, &key, &again).is_ok());
	}
}

#[test]
fn another_round_another_number_and_another_key_are_free() {
	let (disk, keystore) = (Disk::default(), keystore());
	let signer = started(&keystore);
	let [first, second] = signer.keys()[..] else {
		panic!("there are two keys");
	};
	assert!(signs(&signer, &disk, &first, &vote(0, 5, 1)).is_ok());
	assert!(signs(&signer, &disk, &first, &vote(1, 5, 2)).is_ok());
	assert!(signs(&signer, &disk, &first, &vote(0, 6, 2)).is_ok());
	assert!(signs(&signer, &disk, &second, &vote(0, 5, 2)).is_ok());
	// Each of them stands for itself from then on.
	for (key, other) in [
		(first, vote(1, 5, 1)),
		(first, vote(0, 6, 1)),
		(second, vote(0, 5, 1)),
	] {
		assert!(matches!(
			signs(&signer, &disk, &key, &other),
			Err(Error::OtherVote(_))
		));
	}
}

#[test]
fn a_restart_forgets_nothing_that_was_signed() {
	let (disk, keystore) = (Disk::default(), keystore());
	let before = started(&keystore);
	let key = before.keys()[0];
	assert!(signs(&before, &disk, &key, &vote(0, 5, 1)).is_ok());
	drop(before);
	let after = started(&keystore);
	let refused = signs(&after, &disk, &key, &vote(0, 5, 2));
	assert!(matches!(refused, Err(Error::OtherVote(5))), "{refused:?}");
	assert!(signs(&after, &disk, &key, &vote(0, 5, 1)).is_ok());
}

#[test]
fn what_cannot_be_kept_is_not_signed() {
	let disk = Disk {
		is_full: true,
		..Disk::default()
	};
	let keystore = keystore();
	let signer = started(&keystore);
	let key = signer.keys()[0];
	let failed = signs(&signer, &disk, &key, &vote(0, 5, 1));
	assert!(matches!(failed, Err(Error::Node(_))), "{failed:?}");
}
