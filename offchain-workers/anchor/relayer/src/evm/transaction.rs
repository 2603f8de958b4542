//! Transactions of type 2 (EIP-1559), which Ethereum's chains and Filecoin's take alike.

use super::{keccak, rlp, Address, AnchorKey, Fees};
use millrace_primitives::{H256, U256};
use serde_json::Value;

/// Type of the transaction.
const TYPE: u8 = 2;

/// A transaction before it is signed. None has a value: nothing here is paid in the anchor's coin but gas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
	/// Chain id of the anchor.
	pub chain_id: u64,
	/// Transactions of the account before it.
	pub nonce: u64,
	/// Prices of gas.
	pub fees: Fees,
	/// Most gas.
	pub gas: u64,
	/// The contract; nobody where one is deployed.
	pub to: Option<Address>,
	/// The call.
	pub data: Vec<u8>,
}

/// A transaction as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedTransaction {
	/// Its bytes.
	pub raw: Vec<u8>,
	/// Its hash, by which it is found.
	pub hash: H256,
}

impl Transaction {
	fn fields(&self) -> Vec<Vec<u8>> {
		let to = self.to.map_or_else(Vec::new, |to| to.0.to_vec());
		vec![
			rlp::number(self.chain_id.into()),
			rlp::number(self.nonce.into()),
			rlp::number(self.fees.priority),
			rlp::number(self.fees.max),
			rlp::number(self.gas.into()),
			rlp::bytes(&to),
			rlp::number(U256::zero()),
			rlp::bytes(&self.data),
			rlp::list(&[]),
		]
	}

	/// Signs it. `None` is so unlikely as to find the secret by chance.
	pub fn sign(&self, key: &AnchorKey) -> Option<SignedTransaction> {
		let mut fields = self.fields();
		let payload = [vec![TYPE], rlp::list(&fields)].concat();
		let (r, s, parity) = key.sign(keccak(&payload))?;
		fields.push(rlp::number(parity.into()));
		fields.push(rlp::number(U256::from_big_endian(&r)));
		fields.push(rlp::number(U256::from_big_endian(&s)));
		let raw = [vec![TYPE], rlp::list(&fields)].concat();
		let hash = keccak(&raw);
		Some(SignedTransaction { raw, hash })
	}
}

/// What became of a transaction that is in a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
	/// Whether it did what was asked.
	pub ok: bool,
	/// Number of the block.
	pub block: u64,
	/// Gas that it took.
	pub gas: u64,
	/// Price of each unit of it.
	pub price: U256,
	/// The contract that it deployed.
	pub created: Option<Address>,
}

impl Receipt {
	/// Reads a server's answer; `None` if it is none. Logs are not read: servers leave them out at times.
	pub fn read(answer: &Value) -> Option<Self> {
		let field = |name: &str| answer.get(name).and_then(Value::as_str);
		let created = field("contractAddress").and_then(|text| text.parse().ok());
		Some(Self {
			ok: quantity(answer.get("status")?)? == U256::one(),
			block: u64::try_from(quantity(answer.get("blockNumber")?)?).ok()?,
			gas: u64::try_from(quantity(answer.get("gasUsed")?)?).ok()?,
			price: answer
				.get("effectiveGasPrice")
				.and_then(quantity)
				.unwrap_or_default(),
			created,
		})
	}
}

/// A number as JSON-RPC has it: hexadecimal without leading zeros.
pub(crate) fn quantity(value: &Value) -> Option<U256> {
	let digits = value.as_str()?.strip_prefix("0x")?;
	U256::from_str_radix(digits, 16).ok()
}

/// The same that must fit in 64 bits.
pub(crate) fn small_quantity(value: &Value) -> Option<u64> {
	quantity(value).and_then(|number| number.try_into().ok())
}

/// Bytes as JSON-RPC has them.
pub(crate) fn hex_bytes(value: &Value) -> Option<Vec<u8>> {
	hex::decode(value.as_str()?.strip_prefix("0x")?).ok()
}

/// 32 bytes as JSON-RPC has them.
pub(crate) fn hex_hash(value: &Value) -> Option<H256> {
	let bytes: [u8; 32] = hex_bytes(value)?.try_into().ok()?;
	Some(H256(bytes))
}

/// Bytes for JSON-RPC.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

#[cfg(test)]
mod tests {
	use super::*;
	use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
	use serde_json::json;

	fn transaction() -> Transaction {
		Transaction {
			chain_id: 31_337,
			nonce: 7,
			fees: Fees {
				priority: 1.into(),
				max: 1_000_000_000u64.into(),
			},
			gas: 100_000,
			to: Some(Address([0x11; 20])),
			data: vec![1, 2, 3],
		}
	}

	#[test]
	fn fields_stand_in_the_order_of_eip_1559() {
		let expected = concat!(
			"e9827a690701843b9aca00830186a0",
			"941111111111111111111111111111111111111111",
			"8083010203c0"
		);
		let list = rlp::list(&transaction().fields());
		assert_eq!(hex::encode(list), expected);
	}

	#[test]
	fn a_signature_is_by_the_key_and_low() {
		let key = AnchorKey::development(0).expect("there is one");
		let payload = [vec![TYPE], rlp::list(&transaction().fields())].concat();
		let hash = keccak(&payload);
		let (r, s, parity) = key.sign(hash).expect("it is signed");
		assert!(s[0] < 0x80, "the upper half has a twin");
		let signature = Signature::from_scalars(r, s).expect("it is one");
		let id = RecoveryId::from_byte(parity).expect("it is one");
		let signer = VerifyingKey::recover_from_prehash(&hash.0, &signature, id);
		assert_eq!(Address::of(&signer.expect("it is one")), key.address());
		let signed = transaction().sign(&key).expect("it is signed");
		assert_eq!(signed.raw[0], TYPE);
		assert_eq!(signed.hash, keccak(&signed.raw));
	}

	#[test]
	fn a_receipt_is_read_or_refused() {
		let answer = json!({"status": "0x1", "blockNumber": "0x10", "gasUsed": "0x5208",
			"effectiveGasPrice": "0x7", "contractAddress": null, "logs": []});
		let receipt = Receipt::read(&answer).expect("it is one");
		assert_eq!((receipt.ok, receipt.block, receipt.gas), (true, 16, 21_000));
		assert_eq!(receipt.created, None);
		assert_eq!(Receipt::read(&Value::Null), None);
		assert_eq!(quantity(&json!("12")), None);
	}
}
