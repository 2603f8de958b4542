//! Vouchers on their way from gateways to workers: what a client signs for the gas of its calls.

use crate::keys::{verify_peer_signature, PeerKeypair};
use codec::{DecodeAll, Encode};
use http::{HeaderMap, HeaderName, HeaderValue};
use millrace_primitives::{
	billing::{voucher_hash, Voucher, VoucherKey},
	peer::PeerId,
	DealId, EpochIndex, Gas, H256,
};

/// Carries a [`Voucher`]: SCALE in hexadecimal. A client sends one with a call; a worker that lacks gas
/// shows the highest one that it has.
pub const VOUCHER_HEADER: HeaderName = HeaderName::from_static("x-millrace-voucher");

/// Whose gas is signed for: a worker of a deal, since it went live.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Payee {
	/// Genesis hash of the chain.
	pub genesis: H256,
	/// The deal.
	pub deal: DealId,
	/// The worker.
	pub peer: PeerId,
	/// The first epoch that it is paid for.
	pub since: EpochIndex,
}

impl Payee {
	fn hash(&self, cumulative: Gas) -> H256 {
		voucher_hash(self.genesis, self.deal, self.peer, self.since, cumulative)
	}

	/// A voucher for so much gas, signed by a key.
	pub fn sign(&self, key: &PeerKeypair, cumulative: Gas) -> Voucher {
		Voucher {
			cumulative,
			signature: key.sign_hash(self.hash(cumulative)),
		}
	}

	/// Whether a key has signed a voucher.
	pub fn is_signed(&self, key: &VoucherKey, voucher: &Voucher) -> bool {
		verify_peer_signature(key, self.hash(voucher.cumulative), &voucher.signature)
	}
}

/// A voucher as a header's value.
pub fn to_header(voucher: &Voucher) -> HeaderValue {
	let text = format!("0x{}", hex::encode(voucher.encode()));
	// Digits and letters alone.
	HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("0x"))
}

/// The voucher of a message; `None`: there is none, or none that can be read.
pub fn from_headers(headers: &HeaderMap) -> Option<Voucher> {
	let text = headers.get(VOUCHER_HEADER)?.to_str().ok()?;
	let bytes = hex::decode(text.strip_prefix("0x").unwrap_or(text)).ok()?;
	Voucher::decode_all(&mut &bytes[..]).ok()
}

#[cfg(test)]
mod tests {
	use super::*;

	const PAYEE: Payee = Payee {
		genesis: H256::zero(),
		deal: 7,
		peer: PeerId(H256::repeat_byte(1)),
		since: 5,
	};

	#[test]
	fn a_voucher_is_read_as_it_was_sent() {
		let key = PeerKeypair::from_seed([1; 32], None);
		let voucher = PAYEE.sign(&key, 9);
		let mut headers = HeaderMap::new();
		assert_eq!(from_headers(&headers), None);
		headers.insert(VOUCHER_HEADER, to_header(&voucher));
		assert_eq!(from_headers(&headers), Some(voucher));
		for wrong in ["", "0x", "0xzz", "0x00"] {
			headers.insert(VOUCHER_HEADER, HeaderValue::from_static(wrong));
			assert_eq!(from_headers(&headers), None, "{wrong}");
		}
	}

	#[test]
	fn a_voucher_is_for_one_payee_and_by_one_key() {
		let key = PeerKeypair::from_seed([1; 32], None);
		let voucher = PAYEE.sign(&key, 9);
		assert!(PAYEE.is_signed(&key.public(), &voucher));
		let other = PeerKeypair::from_seed([2; 32], None);
		assert!(!PAYEE.is_signed(&other.public(), &voucher));
		for payee in [
			Payee { deal: 8, ..PAYEE },
			Payee { since: 6, ..PAYEE },
			Payee {
				peer: PeerId(H256::zero()),
				..PAYEE
			},
		] {
			assert!(!payee.is_signed(&key.public(), &voucher));
		}
		let raised = Voucher {
			cumulative: 10,
			..voucher
		};
		assert!(!PAYEE.is_signed(&key.public(), &raised));
	}
}
