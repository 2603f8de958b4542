//! Every error that a call of ours can be refused with, raised through the whole runtime: each
//! leaves the state as it was, to the byte.

mod anchor;
mod capacity;
mod developer_rewards;
mod governed;
mod market;
mod providers;
mod receipts;
mod refusals;
pub(crate) mod scene;
mod validators;

pub(crate) use scene::refuses;
use scene::METADATA;

/// Pallets of ours that can refuse a call, each with a test of its own here.
const PALLETS: [&str; 8] = [
	"DeveloperRewards",
	"Governed",
	"Providers",
	"Capacity",
	"Market",
	"Receipts",
	"Validators",
	"Anchor",
];

#[test]
fn no_pallet_of_ours_is_forgotten() {
	// Those of the SDK, whose errors are tested there.
	let foreign = [
		"System",
		"Babe",
		"Grandpa",
		"Beefy",
		"Session",
		"Balances",
		"Vesting",
		"Utility",
		"Proxy",
		"Multisig",
		"Preimage",
		"Scheduler",
		"Referenda",
		"ConvictionVoting",
		"Treasury",
		"SafeMode",
		"TxPause",
		"Sudo",
	];
	for pallet in METADATA.pallets() {
		let errors = pallet.error_variants().map_or(0, <[_]>::len);
		let name = pallet.name();
		let known = PALLETS.contains(&name) || foreign.contains(&name);
		assert!(errors == 0 || known, "nobody raises the errors of {name}");
	}
}
