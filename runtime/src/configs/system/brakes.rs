//! What neither brake stops, by name. Safe mode and tx-pause read the same list.

use crate::{Runtime, RuntimeCall};
use frame_support::traits::{CallMetadata, Contains, GetCallMetadata};

/// Calls of a pallet.
pub(super) enum Calls {
	/// All that it has.
	All,
	/// Only these.
	Only(&'static [&'static str]),
}

/// Pallets and those of their calls that pass whatever is paused.
///
/// Whoever must act or is slashed can act; whoever was wronged can prove it; whoever wants out can
/// leave; and governance goes on. New bonds between people wait, and so does money that changes hands
/// outside of deals. A hook asks nobody, so matching and settlement go on by themselves.
pub(super) const PASSING: &[(&str, Calls)] = &[
	// The block's own.
	("System", Calls::All),
	("Timestamp", Calls::All),
	("Babe", Calls::All),
	("Grandpa", Calls::All),
	// Reports of false votes on checkpoints, as those on blocks and finality.
	("Beefy", Calls::All),
	// Governance: what ends the emergency, and what a vote has decided. A call that is refused when its
	// block comes is lost, and with it the vote.
	("Referenda", Calls::All),
	("ConvictionVoting", Calls::All),
	("Preimage", Calls::All),
	("Scheduler", Calls::All),
	("SafeMode", Calls::All),
	("TxPause", Calls::All),
	("Sudo", Calls::All),
	("Governed", Calls::All),
	(
		"Treasury",
		Calls::Only(&["spend_local", "spend", "void_spend", "remove_approval"]),
	),
	// Duties, challenges, probes and ways out.
	(
		"Providers",
		Calls::Only(&[
			"remove_provider",
			"set_endpoint",
			"rotate_key",
			"remove_peer",
		]),
	),
	(
		"Capacity",
		Calls::Only(&[
			"report",
			"answer_audit",
			"cancel",
			"settle",
			"withdraw",
			"claim",
			"apply_slash",
			"cancel_slash",
		]),
	),
	(
		"Market",
		Calls::Only(&[
			"go_live",
			"redeem",
			"drain",
			"probe",
			"answer_probe",
			"fail_probe",
			"withdraw_offer",
			"release_worker",
			"end_worker",
			"replace",
			"top_up",
			"begin_grace",
			"stop",
			"close",
		]),
	),
	(
		"Receipts",
		Calls::Only(&[
			"commit",
			"reveal",
			"conclude",
			"forget_commit",
			"show",
			"close_show",
			"demand",
			"post",
			"expire_demand",
		]),
	),
	("Validators", Calls::Only(&["chill", "purge_keys"])),
	// The pallet has a brake of its own, which must be within reach. What comes from the anchor was burnt
	// there already.
	(
		"Anchor",
		Calls::Only(&[
			"vote",
			"deliver",
			"release",
			"report_conflict",
			"pause",
			"resume",
		]),
	),
	// A reward has a last block, too. Two of these calls are free, and a free call that the filter refuses
	// could be put into every block.
	(
		"DeveloperRewards",
		Calls::Only(&["claim", "claim_for", "release", "end", "sweep"]),
	),
	// What has unlocked is its owner's.
	("Vesting", Calls::Only(&["vest", "vest_other"])),
];

/// Whether a call passes whatever is paused.
fn passes(pallet: &[u8], call: &[u8]) -> bool {
	PASSING.iter().any(|(name, calls)| {
		name.as_bytes() == pallet
			&& match calls {
				Calls::All => true,
				Calls::Only(names) => names.iter().any(|name| name.as_bytes() == call),
			}
	})
}

/// What safe mode lets pass: the list, and the wrappers that carry calls for others. What they carry is
/// asked about in its turn, so that stake behind a multisig or a proxy has the same ways out.
#[derive(Debug)]
pub struct AlwaysAllowed;

impl Contains<RuntimeCall> for AlwaysAllowed {
	fn contains(call: &RuntimeCall) -> bool {
		use pallet_proxy::Call as Proxy;
		let CallMetadata {
			pallet_name,
			function_name,
		} = call.get_call_metadata();
		passes(pallet_name.as_bytes(), function_name.as_bytes())
			|| matches!(
				call,
				RuntimeCall::Utility(_)
					| RuntimeCall::Multisig(_)
					| RuntimeCall::Proxy(Proxy::proxy { .. } | Proxy::proxy_announced { .. })
			)
	}
}

/// What tx-pause cannot pause: the list.
#[derive(Debug)]
pub struct NeverPaused;

impl Contains<pallet_tx_pause::RuntimeCallNameOf<Runtime>> for NeverPaused {
	fn contains((pallet, call): &pallet_tx_pause::RuntimeCallNameOf<Runtime>) -> bool {
		passes(pallet, call)
	}
}
