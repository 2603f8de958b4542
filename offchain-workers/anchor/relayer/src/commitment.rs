//! What validators sign: 83 bytes, and the signatures that a node keeps with a block.

use crate::{
	contract::AuthoritySet,
	evm::{keccak, Address},
	tree,
};
use codec::{Decode, DecodeAll};
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use millrace_primitives::{BlockNumber, H256, U256};

/// Bytes of a commitment.
pub const COMMITMENT_BYTES: usize = 83;
/// Begins a commitment: two entries, the first being the genesis hash, of 32 bytes.
const GENESIS_ENTRY: [u8; 4] = *b"\x08ch\x80";
/// Begins the second entry: the MMR root.
const ROOT_ENTRY: [u8; 3] = *b"mh\x80";
/// The only version of what nodes keep.
const VERSION: u8 = 1;
/// Authorities in a word of the bitmap.
pub(crate) const WORD: usize = 256;

/// A signature: r, s, and which of two points it is.
pub type BeefySignature = [u8; 65];

/// A commitment, decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commitment {
	/// Hash of the chain's first block.
	pub genesis: H256,
	/// MMR root of the block.
	pub root: H256,
	/// The block.
	pub block: BlockNumber,
	/// The set that signs.
	pub set: u64,
}

/// Why bytes are no commitment of a Millrace chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
	/// They have another length, or other entries.
	#[error("that is no commitment to a genesis hash and an MMR root")]
	Form,
	/// The signatures are encoded in another way.
	#[error("that is no signed commitment of BEEFY's version 1: {0}")]
	Signed(String),
}

impl Commitment {
	/// Reads the 83 bytes.
	pub fn read(raw: &[u8]) -> Result<Self, CommitmentError> {
		let raw: &[u8; COMMITMENT_BYTES] = raw.try_into().map_err(|_| CommitmentError::Form)?;
		if raw[..4] != GENESIS_ENTRY || raw[36..39] != ROOT_ENTRY {
			return Err(CommitmentError::Form);
		}
		let form = |_| CommitmentError::Form;
		Ok(Self {
			genesis: H256(raw[4..36].try_into().map_err(form)?),
			root: H256(raw[39..71].try_into().map_err(form)?),
			block: u32::from_le_bytes(raw[71..75].try_into().map_err(form)?),
			set: u64::from_le_bytes(raw[75..83].try_into().map_err(form)?),
		})
	}

	/// The 83 bytes.
	pub fn encode(&self) -> Vec<u8> {
		let mut raw = Vec::with_capacity(COMMITMENT_BYTES);
		raw.extend(GENESIS_ENTRY);
		raw.extend(self.genesis.0);
		raw.extend(ROOT_ENTRY);
		raw.extend(self.root.0);
		raw.extend(self.block.to_le_bytes());
		raw.extend(self.set.to_le_bytes());
		raw
	}

	/// What is signed.
	pub fn digest(&self) -> H256 {
		keccak(&self.encode())
	}
}

/// A commitment with a signature, or none, for each authority of the set in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
	/// The commitment.
	pub commitment: Commitment,
	/// The signatures.
	pub signatures: Vec<Option<BeefySignature>>,
}

/// The same as the contract takes it: a bit for each who signed, and the signatures with the point's parity
/// in the highest bit of s (EIP-2098).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SignedForm {
	/// The 83 bytes.
	pub commitment: Vec<u8>,
	/// Bit i of word w is authority 256·w + i.
	pub bitmap: Vec<U256>,
	/// One pair for each bit.
	pub signatures: Vec<[[u8; 32]; 2]>,
}

/// How a node encodes the signatures behind the commitment.
#[derive(Decode)]
struct Compact {
	bits: Vec<u8>,
	authorities: u32,
	signatures: Vec<BeefySignature>,
}

impl Signed {
	/// Reads what a node keeps with a block.
	pub fn read(justification: &[u8]) -> Result<Self, CommitmentError> {
		let signed = |reason: &str| CommitmentError::Signed(reason.into());
		let (version, rest) = justification.split_first().ok_or(CommitmentError::Form)?;
		if *version != VERSION {
			return Err(signed("another version"));
		}
		let (raw, rest) = rest
			.split_at_checked(COMMITMENT_BYTES)
			.ok_or(CommitmentError::Form)?;
		let commitment = Commitment::read(raw)?;
		let compact = Compact::decode_all(&mut &rest[..])
			.map_err(|error| CommitmentError::Signed(error.to_string()))?;
		let count = usize::try_from(compact.authorities).map_err(|_| signed("too many"))?;
		if count > compact.bits.len().saturating_mul(8) {
			return Err(signed("it has fewer bits than authorities"));
		}
		let mut rest = compact.signatures.into_iter();
		let mut signatures = Vec::with_capacity(count);
		for index in 0..count {
			// The first authority is the highest bit.
			let byte = compact.bits.get(index / 8).copied().unwrap_or_default();
			let has = (byte >> (7 - index % 8)) & 1 == 1;
			let signature = match has {
				true => Some(canonical(
					rest.next()
						.ok_or_else(|| signed("a signature is missing"))?,
				)),
				false => None,
			};
			signatures.push(signature);
		}
		match rest.next() {
			None => Ok(Self {
				commitment,
				signatures,
			}),
			Some(_) => Err(signed("it has more signatures than bits")),
		}
	}

	/// How many signed.
	pub fn count(&self) -> usize {
		self.signatures.iter().flatten().count()
	}

	/// Whether the list is the whole set in its order, and so many of it signed as must. Signatures that are
	/// wrong count for nothing.
	pub fn has_quorum(&self, authorities: &[Address]) -> bool {
		authorities.len() == self.signatures.len()
			&& self.signers(authorities).len() >= required(authorities.len())
	}

	/// Places of those whose signature is right.
	pub fn signers(&self, authorities: &[Address]) -> Vec<usize> {
		let digest = self.commitment.digest();
		let pairs = authorities.iter().zip(&self.signatures).enumerate();
		pairs
			.filter(|(_, (address, signature))| {
				let recovered = signature.as_ref().and_then(|raw| recover(digest, raw));
				recovered == Some(**address) && !address.is_zero()
			})
			.map(|(index, _)| index)
			.collect()
	}

	/// The same with one place for each of these authorities, and without what is no signature of theirs. A
	/// node keeps all that it is sent with a block as soon as enough of it is right, and whoever shows
	/// signatures to the contract says himself how long the set is; the contract refuses all of it for one
	/// that is wrong, and for one place more or less.
	pub fn right(&self, authorities: &[Address]) -> Self {
		let mut signatures = vec![None; authorities.len()];
		for index in self.signers(authorities) {
			let places = (signatures.get_mut(index), self.signatures.get(index));
			if let (Some(place), Some(signature)) = places {
				*place = *signature;
			}
		}
		Self {
			commitment: self.commitment,
			signatures,
		}
	}

	/// As the contract takes it.
	pub fn form(&self) -> SignedForm {
		let mut bitmap = vec![U256::zero(); self.signatures.len().div_ceil(WORD)];
		let mut signatures = Vec::new();
		for (index, signature) in self.signatures.iter().enumerate() {
			let (Some(raw), Some(word)) = (signature, bitmap.get_mut(index / WORD)) else {
				continue;
			};
			*word = *word | (U256::one() << (index % WORD));
			signatures.push(packed(raw));
		}
		SignedForm {
			commitment: self.commitment.encode(),
			bitmap,
			signatures,
		}
	}
}

impl SignedForm {
	/// The signatures in their places, for a set of this size. `None` if it is none of ours.
	pub fn signed(&self, authorities: usize) -> Option<Signed> {
		let commitment = Commitment::read(&self.commitment).ok()?;
		if self.bitmap.len() != authorities.div_ceil(WORD) {
			return None;
		}
		let mut rest = self.signatures.iter();
		let mut signatures = Vec::with_capacity(authorities);
		for index in 0..authorities {
			let word = self.bitmap.get(index / WORD)?;
			let signature = match word.bit(index % WORD) {
				true => Some(unpacked(rest.next()?)),
				false => None,
			};
			signatures.push(signature);
		}
		rest.next().is_none().then_some(Signed {
			commitment,
			signatures,
		})
	}
}

/// How many of a set must sign.
pub fn required(authorities: usize) -> usize {
	authorities.saturating_sub(authorities.saturating_sub(1) / 3)
}

/// The set of a list of addresses.
pub fn authority_set(id: u64, authorities: &[Address]) -> AuthoritySet {
	AuthoritySet {
		id,
		len: u32::try_from(authorities.len()).unwrap_or(u32::MAX),
		root: tree::root(authorities.iter().map(|address| address.0)),
	}
}

/// The address of BEEFY's key; that of nobody if it is no point of the curve, as the chain has it.
pub fn address_of(key: &[u8; 33]) -> Address {
	Address::of_compressed(key).unwrap_or_default()
}

/// Who signed.
fn recover(digest: H256, raw: &BeefySignature) -> Option<Address> {
	recovered(digest, raw).map(|key| Address::of(&key))
}

/// The key that signed a digest, compressed, whichever of its forms the signature has.
pub(crate) fn key_of(digest: H256, raw: &BeefySignature) -> Option<[u8; 33]> {
	let key = recovered(digest, &canonical(*raw))?;
	key.to_encoded_point(true).as_bytes().try_into().ok()
}

fn recovered(digest: H256, raw: &BeefySignature) -> Option<VerifyingKey> {
	let signature = Signature::from_slice(raw.get(..64)?).ok()?;
	let id = RecoveryId::from_byte(raw[64])?;
	VerifyingKey::recover_from_prehash(&digest.0, &signature, id).ok()
}

/// The one form of a signature that the contract takes. Nodes take its twin with the greater s as well, and
/// 27 more in the last byte. Whoever signs so must not hold up those who sign with him.
fn canonical(mut raw: BeefySignature) -> BeefySignature {
	raw[64] = raw[64].checked_sub(27).unwrap_or(raw[64]);
	let signature = Signature::from_slice(&raw[..64]).ok();
	if let Some(low) = signature.and_then(|signature| signature.normalize_s()) {
		raw[..64].copy_from_slice(&low.to_bytes());
		raw[64] ^= 1;
	}
	raw
}

fn packed(raw: &BeefySignature) -> [[u8; 32]; 2] {
	let (mut r, mut s) = ([0; 32], [0; 32]);
	r.copy_from_slice(&raw[..32]);
	s.copy_from_slice(&raw[32..64]);
	s[0] |= (raw[64] & 1) << 7;
	[r, s]
}

/// The signature of a pair as the contract takes it.
pub(crate) fn unpacked([r, s]: &[[u8; 32]; 2]) -> BeefySignature {
	let mut raw = [0; 65];
	raw[..32].copy_from_slice(r);
	raw[32..64].copy_from_slice(s);
	raw[32] &= 0x7f;
	raw[64] = s[0] >> 7;
	raw
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;
	use crate::evm::AnchorKey;
	use codec::Encode;

	/// Keys of a set of a test.
	pub(crate) fn keys(count: usize) -> Vec<AnchorKey> {
		let key = |index: usize| {
			let secret = keccak(&index.to_le_bytes());
			AnchorKey::from_secret(&secret.0).expect("a hash is a secret")
		};
		(0..count).map(key).collect()
	}

	pub(crate) fn addresses(keys: &[AnchorKey]) -> Vec<Address> {
		keys.iter().map(AnchorKey::address).collect()
	}

	/// A commitment with the signatures of those at these places.
	pub(crate) fn signed(commitment: Commitment, keys: &[AnchorKey], who: &[usize]) -> Signed {
		let sign = |index: usize| {
			let (r, s, parity) = keys[index].sign(commitment.digest()).expect("it is signed");
			let mut raw = [parity; 65];
			raw[..32].copy_from_slice(&r);
			raw[32..64].copy_from_slice(&s);
			who.contains(&index).then_some(raw)
		};
		let signatures = (0..keys.len()).map(sign).collect();
		Signed {
			commitment,
			signatures,
		}
	}

	pub(crate) fn commitment(block: BlockNumber, set: u64) -> Commitment {
		Commitment {
			genesis: H256::repeat_byte(1),
			root: H256::repeat_byte(2),
			block,
			set,
		}
	}

	/// What a node would keep.
	fn justification(signed: &Signed) -> Vec<u8> {
		let mut bits = vec![0u8; signed.signatures.len() / 8 + 1];
		for (index, signature) in signed.signatures.iter().enumerate() {
			bits[index / 8] |= u8::from(signature.is_some()) << (7 - index % 8);
		}
		let signatures: Vec<BeefySignature> = signed.signatures.iter().flatten().copied().collect();
		let count = signed.signatures.len() as u32;
		[
			vec![VERSION],
			signed.commitment.encode(),
			(bits, count, signatures).encode(),
		]
		.concat()
	}

	#[test]
	fn a_commitment_is_83_bytes_in_their_places() {
		let commitment = commitment(0x0102_0304, 9);
		let raw = commitment.encode();
		assert_eq!(raw.len(), COMMITMENT_BYTES);
		assert_eq!(raw[..4], [8, b'c', b'h', 0x80]);
		assert_eq!(raw[36..39], [b'm', b'h', 0x80]);
		assert_eq!(raw[71..75], [4, 3, 2, 1]);
		assert_eq!(Commitment::read(&raw), Ok(commitment));
		assert_eq!(Commitment::read(&raw[1..]), Err(CommitmentError::Form));
		let mut third = raw;
		third[0] = 12;
		assert_eq!(Commitment::read(&third), Err(CommitmentError::Form));
	}

	#[test]
	fn signatures_stand_at_their_places_on_the_way_to_the_contract_and_back() {
		for count in [1, 4, 8, 9, 300] {
			let keys = keys(count);
			let who: Vec<usize> = (0..count).filter(|index| index % 3 != 1).collect();
			let signed = signed(commitment(5, 1), &keys, &who);
			assert_eq!(Signed::read(&justification(&signed)), Ok(signed.clone()));
			assert_eq!(signed.signers(&addresses(&keys)), who);
			let form = signed.form();
			assert_eq!(form.bitmap.len(), count.div_ceil(256));
			assert_eq!(form.signed(count), Some(signed));
			assert_eq!(form.signed(count + 256), None);
		}
	}

	#[test]
	fn a_quorum_is_more_than_two_thirds_and_wrong_signatures_are_none_of_it() {
		for (count, quorum) in [
			(1, 1),
			(2, 2),
			(3, 3),
			(4, 3),
			(7, 5),
			(100, 67),
			(256, 171),
		] {
			assert_eq!(required(count), quorum, "{count}");
		}
		let keys = keys(4);
		let list = addresses(&keys);
		assert!(signed(commitment(5, 1), &keys, &[0, 1, 3]).has_quorum(&list));
		assert!(!signed(commitment(5, 1), &keys, &[0, 1]).has_quorum(&list));
		let mut wrong = signed(commitment(5, 1), &keys, &[0, 1, 3]);
		wrong.commitment.block = 6;
		assert!(!wrong.has_quorum(&list));
		assert!(!signed(commitment(5, 1), &keys, &[0, 1, 3]).has_quorum(&list[..3]));
	}

	#[test]
	fn every_form_of_a_signature_that_nodes_take_is_brought_into_the_contracts() {
		let keys = keys(4);
		let list = addresses(&keys);
		let expected = signed(commitment(5, 1), &keys, &[0, 1, 2]);
		let order = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
		let order = U256::from_big_endian(&hex::decode(order).unwrap());
		let mut kept = expected.clone();
		let mut change = |index: usize, twin: bool, more: u8| {
			let raw = kept.signatures[index].as_mut().unwrap();
			if twin {
				let s = U256::from_big_endian(&raw[32..64]);
				raw[32..64].copy_from_slice(&(order - s).to_big_endian());
				raw[64] ^= 1;
			}
			raw[64] += more;
		};
		change(0, true, 0);
		change(1, false, 27);
		change(2, true, 27);
		assert!(kept.signers(&list).is_empty());
		let read = Signed::read(&justification(&kept)).unwrap();
		assert_eq!(read, expected);
		assert!(read.has_quorum(&list));
	}

	#[test]
	fn what_is_no_signature_of_theirs_is_not_submitted() {
		let keys = keys(4);
		let list = addresses(&keys);
		let right = signed(commitment(5, 1), &keys, &[0, 1, 3]);
		for wrong in [[0; 65], [7; 65], right.signatures[0].unwrap()] {
			let mut kept = right.clone();
			kept.signatures[2] = Some(wrong);
			let kept = Signed::read(&justification(&kept)).unwrap();
			assert!(kept.has_quorum(&list));
			assert_eq!(kept.right(&list), right);
		}
	}

	#[test]
	fn what_is_submitted_has_a_place_for_each_of_the_set() {
		for count in [3, 256, 257] {
			let keys = keys(count);
			let list = addresses(&keys);
			let right = signed(commitment(5, 1), &keys, &[0, 2]);
			for shown in [2, count + 1, count + 256] {
				let mut other = right.clone();
				other.signatures.resize(shown, Some([7; 65]));
				let cut = other.right(&list);
				assert_eq!(cut.signatures.len(), count, "{shown}");
				assert_eq!(cut.form().bitmap.len(), count.div_ceil(256), "{shown}");
				assert_eq!(
					cut.signers(&list),
					right.right(&list[..shown.min(count)]).signers(&list)
				);
			}
		}
	}

	#[test]
	fn what_is_cut_off_is_refused() {
		let keys = keys(9);
		let whole = justification(&signed(commitment(5, 1), &keys, &[0, 8]));
		for length in 0..whole.len() {
			assert!(Signed::read(&whole[..length]).is_err(), "{length}");
		}
	}
}
