//! What a node's pool answers to a transaction, by the codes of Substrate's author RPC.

use crate::submit::{DutySent, SubmitError};
use millrace_primitives::H256;
use subxt::rpcs::UserError;

/// Refusals by which the runtime says that a duty is done: a report or audit answer that it has, a
/// worker that is live, one that has notice, one that has redeemed a voucher in this epoch, a validator
/// that has voted on a number of the anchor's messages, and a reward that was claimed.
const DONE_ALREADY: [u8; 6] = [5, 14, 17, 31, 56, 63];

/// What a pool says to a transaction.
pub(crate) enum PoolAnswer {
	Accepted(H256),
	/// It has it.
	Known,
	/// It has another one with the same nonce or of the same duty.
	Outbid,
	/// It has seen these very bytes lately and does not want them again.
	Banned,
	/// The nonce was used.
	Stale,
	Refused {
		code: Option<u8>,
		reason: String,
	},
}

/// What a pool's answer to a duty means to whoever owes it.
pub(crate) fn duty_sent(answer: PoolAnswer) -> Result<DutySent, SubmitError> {
	let refused = |reason: &str| SubmitError::Refused {
		code: None,
		reason: reason.into(),
	};
	match answer {
		PoolAnswer::Accepted(hash) => Ok(DutySent::Accepted(hash)),
		PoolAnswer::Known | PoolAnswer::Outbid => Ok(DutySent::Already),
		PoolAnswer::Refused {
			code: Some(code), ..
		} if DONE_ALREADY.contains(&code) => Ok(DutySent::Already),
		PoolAnswer::Refused { code, reason } => Err(SubmitError::Refused { code, reason }),
		PoolAnswer::Banned => Err(refused("the pool bars it until the next block")),
		PoolAnswer::Stale => Err(refused("its time is over")),
	}
}

/// Reads a pool's refusal by the codes of Substrate's author RPC.
pub(crate) fn pool_answer(error: &UserError) -> PoolAnswer {
	let data = error
		.data
		.as_ref()
		.map(|data| data.get().trim_matches('"'))
		.unwrap_or_default();
	match error.code {
		1012 => PoolAnswer::Banned,
		1013 => PoolAnswer::Known,
		1014 => PoolAnswer::Outbid,
		1010 if data == "Transaction is outdated" => PoolAnswer::Stale,
		_ => {
			let code = data
				.strip_prefix("Custom error: ")
				.and_then(|code| code.parse().ok());
			let reason = match data {
				"" => error.message.clone(),
				data => format!("{}: {data}", error.message),
			};
			PoolAnswer::Refused { code, reason }
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn user_error(code: i32, data: Option<&str>) -> UserError {
		let object = serde_json::json!({
			"code": code,
			"message": "Invalid Transaction",
			"data": data,
		});
		serde_json::from_str(&object.to_string()).expect("that is an error object")
	}

	#[test]
	fn a_pools_refusals_are_told_apart() {
		assert!(matches!(
			pool_answer(&user_error(1013, None)),
			PoolAnswer::Known
		));
		assert!(matches!(
			pool_answer(&user_error(1012, None)),
			PoolAnswer::Banned
		));
		assert!(matches!(
			pool_answer(&user_error(1014, Some("x"))),
			PoolAnswer::Outbid
		));
		let stale = user_error(1010, Some("Transaction is outdated"));
		assert!(matches!(pool_answer(&stale), PoolAnswer::Stale));
		let sent = user_error(1010, Some("Custom error: 5"));
		assert!(matches!(
			pool_answer(&sent),
			PoolAnswer::Refused { code: Some(5), .. }
		));
	}

	#[test]
	fn a_duty_that_pool_or_chain_has_is_no_error() {
		let known = [
			(1010, Some("Custom error: 5")),
			(1010, Some("Custom error: 14")),
			(1010, Some("Custom error: 17")),
			(1010, Some("Custom error: 31")),
			(1010, Some("Custom error: 56")),
			(1010, Some("Custom error: 63")),
			(1013, Some("\"0x00\"")),
			(1014, Some("The transaction has too low priority")),
		];
		for (code, data) in known {
			let outcome = duty_sent(pool_answer(&user_error(code, data)));
			assert!(
				matches!(outcome, Ok(DutySent::Already)),
				"{code} {data:?}: {outcome:?}"
			);
		}
	}

	#[test]
	fn a_duty_that_is_not_in_the_pool_is_never_taken_for_sent() {
		let refused = [
			(1010, Some("Custom error: 4")),
			(1010, Some("Transaction is outdated")),
			(1011, Some("CannotLookup")),
			(1012, None),
			(1016, Some("The transaction couldn't enter the pool")),
			(-32000, None),
		];
		for (code, data) in refused {
			let outcome = duty_sent(pool_answer(&user_error(code, data)));
			assert!(
				matches!(outcome, Err(SubmitError::Refused { .. })),
				"{code} {data:?}: {outcome:?}"
			);
		}
	}

	#[test]
	fn a_duty_that_is_barred_has_other_bytes_in_every_block() {
		let call = [9, 3];
		let bytes = |nonce| {
			crate::extrinsic::general(&call, ["CheckNonce"], nonce).expect("the extension is known")
		};
		assert_ne!(bytes(0), bytes(7));
		assert_ne!(bytes(7), bytes(8));
	}

	#[test]
	fn a_refusal_says_what_the_node_says() {
		let poor = user_error(1010, Some("Inability to pay some fees"));
		let PoolAnswer::Refused { code: None, reason } = pool_answer(&poor) else {
			panic!("that is a refusal");
		};
		assert_eq!(reason, "Invalid Transaction: Inability to pay some fees");
	}
}
