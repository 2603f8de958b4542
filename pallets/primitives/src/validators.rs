//! Validators: what clients see of seats and of those who want one.

use crate::{Balance, EpochIndex};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_arithmetic::Perbill;

/// Index of a session.
pub type SessionIndex = u32;

/// A seat of the present session.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SeatView<AccountId> {
	/// Who sits on it.
	pub who: AccountId,
	/// Stake behind the account's active commitments.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub stake: Balance,
	/// Blocks that it wrote in this session.
	pub authored: u32,
	/// Whether it may write and vote no more until the session ends.
	pub disabled: bool,
}

/// Who validates, and what a seat takes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ValidatorsView<AccountId> {
	/// The present session.
	pub session: SessionIndex,
	/// Whether seats are given by stake yet.
	pub bootstrapped: bool,
	/// Stake behind all active commitments.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub total_stake: Balance,
	/// That of the candidates who could sit: with keys and without ban.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub standing_stake: Balance,
	/// Standing stake from which on seats are given by stake.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub bootstrap_stake: Balance,
	/// Stake that the last seat would need if seats were given now.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub needed: Balance,
	/// Most seats that there can be.
	pub max_validators: u32,
	/// Accounts that want a seat.
	pub candidates: u32,
	/// Blocks that each seat is expected to have written so far in this session.
	pub expected: u32,
	/// Seats of the present session.
	pub seats: Vec<SeatView<AccountId>>,
	/// Seats of the session that was planned last.
	pub planned: Vec<AccountId>,
}

/// One equivocation that an account answers for.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EquivocationView {
	/// Session in which it happened.
	pub session: SessionIndex,
	/// Epoch whose stake answers for it.
	pub epoch: EpochIndex,
	/// Part of the stake that it takes.
	pub part: Perbill,
}

/// Where one account stands.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ValidatorView {
	/// Stake behind its active commitments.
	#[cfg_attr(feature = "serde", serde(with = "crate::decimal"))]
	pub active_stake: Balance,
	/// Place among the candidates, from 0 on.
	pub rank: Option<u32>,
	/// Its session keys as they count for later sessions, SCALE-encoded.
	#[cfg_attr(feature = "serde", serde(with = "keys_as_hex"))]
	pub keys: Option<Vec<u8>>,
	/// Whether it has a seat in the present session.
	pub seated: bool,
	/// Whether it has a seat in the session that was planned last.
	pub planned: bool,
	/// Whether it may write and vote no more until the session ends.
	pub disabled: bool,
	/// Sessions in a row in which it wrote too little.
	pub silent_sessions: u32,
	/// First session for which it may stand again after an equivocation.
	pub banned_until: Option<SessionIndex>,
	/// Blocks that it wrote in this session.
	pub authored: u32,
	/// Blocks that it was expected to have written so far in this session.
	pub expected: u32,
	/// Equivocations that it answers for.
	pub equivocations: Vec<EquivocationView>,
}

/// Serde helper: session keys as `0x`-prefixed hexadecimal, or null.
#[cfg(feature = "serde")]
mod keys_as_hex {
	use alloc::{format, string::String, vec::Vec};
	use serde::{de::Error, Deserialize, Deserializer, Serialize, Serializer};

	pub(super) fn serialize<S: Serializer>(
		keys: &Option<Vec<u8>>,
		serializer: S,
	) -> Result<S::Ok, S::Error> {
		keys.as_ref()
			.map(|bytes| format!("0x{}", hex::encode(bytes)))
			.serialize(serializer)
	}

	pub(super) fn deserialize<'de, D: Deserializer<'de>>(
		deserializer: D,
	) -> Result<Option<Vec<u8>>, D::Error> {
		let Some(text) = Option::<String>::deserialize(deserializer)? else {
			return Ok(None);
		};
		let wrong = "session keys are written in hexadecimal, after 0x";
		let digits = text
			.strip_prefix("0x")
			.ok_or_else(|| Error::custom(wrong))?;
		hex::decode(digits)
			.map(Some)
			.map_err(|_| Error::custom(wrong))
	}
}

#[cfg(all(test, feature = "serde"))]
mod tests {
	use super::*;

	#[test]
	fn keys_are_hexadecimal_and_amounts_decimal_in_json() {
		let view = ValidatorView {
			active_stake: 1_u128 << 100,
			rank: Some(0),
			keys: Some([0xab, 0x01].to_vec()),
			seated: true,
			planned: false,
			disabled: false,
			silent_sessions: 0,
			banned_until: None,
			authored: 3,
			expected: 4,
			equivocations: Vec::new(),
		};
		let json = serde_json::to_value(&view).unwrap();
		assert_eq!(json["keys"], "0xab01");
		assert_eq!(json["active_stake"], "1267650600228229401496703205376");
		assert_eq!(serde_json::from_value::<ValidatorView>(json).unwrap(), view);

		let without = ValidatorView { keys: None, ..view };
		let json = serde_json::to_value(&without).unwrap();
		assert!(json["keys"].is_null());
		assert_eq!(
			serde_json::from_value::<ValidatorView>(json.clone()).unwrap(),
			without
		);
		let mut wrong = json;
		wrong["keys"] = "ab01".into();
		assert!(serde_json::from_value::<ValidatorView>(wrong).is_err());
	}
}
