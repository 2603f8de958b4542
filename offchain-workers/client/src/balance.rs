//! What accounts own, read from storage: the layout of pallet-balances, which every wallet knows.

use codec::{Decode, DecodeAll};
use millrace_primitives::Balance;
use scale_info::{form::PortableForm, Type, TypeDef, Variant};
use serde::Serialize;
use subxt::Metadata;

/// Balance of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AccountBalance {
	/// What is not held.
	#[serde(with = "millrace_primitives::decimal")]
	pub free: Balance,
	/// What is held: stakes, bonds and deposits. Escrow is not: it stands in the chain's pot.
	#[serde(with = "millrace_primitives::decimal")]
	pub held: Balance,
	/// Of all of it, what locks and freezes keep from being spent.
	#[serde(with = "millrace_primitives::decimal")]
	pub frozen: Balance,
}

impl AccountBalance {
	/// Everything the account owns.
	pub fn total(&self) -> Balance {
		self.free.saturating_add(self.held)
	}
}

/// One reason for which some of an account's balance is held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hold {
	/// The pallet that holds it.
	pub pallet: String,
	/// Its reason.
	pub reason: String,
	/// How much.
	#[serde(with = "millrace_primitives::decimal")]
	pub amount: Balance,
}

/// Nonce and three reference counters, then free, reserved, frozen and flags.
type AccountInfo = ([u32; 4], Balance, Balance, Balance, u128);

pub(crate) fn decode_account(bytes: &[u8]) -> Result<AccountBalance, codec::Error> {
	let (_, free, held, frozen, _) = AccountInfo::decode_all(&mut &bytes[..])?;
	Ok(AccountBalance { free, held, frozen })
}

/// A reason is a pallet's index in the enum of all reasons, then its own reason's.
type RawHold = ((u8, u8), Balance);

pub(crate) fn decode_holds(bytes: &[u8], metadata: &Metadata) -> Result<Vec<Hold>, codec::Error> {
	let holds = Vec::<RawHold>::decode(&mut &bytes[..])?;
	Ok(holds
		.into_iter()
		.map(|((pallet, reason), amount)| {
			let (pallet, reason) = reason_name(metadata, pallet, reason)
				.unwrap_or_else(|| (pallet.to_string(), reason.to_string()));
			Hold {
				pallet,
				reason,
				amount,
			}
		})
		.collect())
}

/// Names of a reason, from the enums that the runtime put together of all pallets' reasons.
fn reason_name(metadata: &Metadata, pallet: u8, reason: u8) -> Option<(String, String)> {
	let all = metadata.types().types.iter().find(|entry| {
		entry
			.ty
			.path
			.segments
			.last()
			.is_some_and(|name| name == "RuntimeHoldReason")
	})?;
	let pallet = variant(&all.ty, pallet)?;
	let own = metadata.types().resolve(pallet.fields.first()?.ty.id)?;
	Some((pallet.name.clone(), variant(own, reason)?.name.clone()))
}

fn variant(ty: &Type<PortableForm>, index: u8) -> Option<&Variant<PortableForm>> {
	match &ty.type_def {
		TypeDef::Variant(def) => def.variants.iter().find(|variant| variant.index == index),
		_ => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Encode;

	#[test]
	fn an_account_is_read_from_its_fixed_layout() {
		let bytes = ([7u32, 1, 1, 0], 10u128, 20u128, 5u128, 1u128 << 127).encode();
		let balance = decode_account(&bytes).expect("that is the layout");
		assert_eq!(
			balance,
			AccountBalance {
				free: 10,
				held: 20,
				frozen: 5
			}
		);
		assert_eq!(balance.total(), 30);
		assert!(decode_account(&bytes[1..]).is_err());
	}
}
