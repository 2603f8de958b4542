//! Chain specifications: the runtime's genesis presets, with what only a node needs to know.

use millrace_runtime::{genesis_presets::TESTNET, opaque::Block, WASM_BINARY};
use sc_chain_spec::{
	ChainSpecExtension, ChainType, GenericChainSpec, Properties, DEV_RUNTIME_PRESET,
	LOCAL_TESTNET_RUNTIME_PRESET,
};
use serde::{Deserialize, Serialize};

/// What a specification may carry besides genesis. All of it is absent from the presets.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Extensions {
	/// Blocks that a node insists on, by height.
	pub(crate) fork_blocks: sc_client_api::ForkBlocks<Block>,
	/// Blocks that a node refuses.
	pub(crate) bad_blocks: sc_client_api::BadBlocks<Block>,
	/// Where light clients start; `sync_state_genSyncSpec` fills it in.
	pub(crate) light_sync_state: sc_sync_state_rpc::LightSyncStateExtension,
}

/// A specification. Building its genesis may call the runtime, so it knows our host functions.
pub(crate) type ChainSpec = GenericChainSpec<Extensions, millrace_host::HostFunctions>;

/// One validator (Alice) and sudo, for development.
pub(crate) fn development() -> Result<ChainSpec, String> {
	preset(
		"Millrace Development",
		"millrace_dev",
		ChainType::Development,
		DEV_RUNTIME_PRESET,
	)
}

/// Four validators (Alice, Bob, Charlie, Dave), for networks on one machine.
pub(crate) fn local() -> Result<ChainSpec, String> {
	preset(
		"Millrace Local",
		"millrace_local",
		ChainType::Local,
		LOCAL_TESTNET_RUNTIME_PRESET,
	)
}

/// The mainnet but for its people: four validators (Alice, Bob, Charlie, Dave) and no sudo. Whoever
/// starts a network writes it to a file and puts other keys in the place of these.
pub(crate) fn testnet() -> Result<ChainSpec, String> {
	preset(
		"Millrace Testnet",
		"millrace_testnet",
		ChainType::Live,
		TESTNET,
	)
}

fn preset(name: &str, id: &str, kind: ChainType, preset: &str) -> Result<ChainSpec, String> {
	let wasm = WASM_BINARY.ok_or(
		"This node was built with SKIP_WASM_BUILD and has no runtime for a preset. Build it \
		 without, or name a specification file with --chain.",
	)?;
	Ok(ChainSpec::builder(wasm, Extensions::default())
		.with_name(name)
		.with_id(id)
		.with_protocol_id("millrace")
		.with_chain_type(kind)
		.with_properties(properties())
		.with_genesis_config_preset_name(preset)
		.build())
}

fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "FLT".into());
	properties.insert("tokenDecimals".into(), 18.into());
	properties
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn presets_build_genesis_and_survive_json() {
		for spec in [development(), local(), testnet()] {
			let spec = spec.expect("tests are built with the runtime");
			let raw = spec.as_json(true).expect("the preset builds a genesis");
			let read = ChainSpec::from_json_bytes(raw.clone().into_bytes())
				.expect("what was written can be read");
			assert_eq!(read.as_json(true).expect("raw stays raw"), raw);
			assert_eq!(read.id(), spec.id());
		}
	}
}
