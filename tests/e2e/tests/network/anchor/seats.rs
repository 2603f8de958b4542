//! Other members take seats, and then there are fewer: by stake, with keys that nodes make which run
//! already.

use super::scene::{Scene, SHORT, WAIT};
use codec::Encode;
use millrace_anchor::{
	commitment::{address_of, authority_set},
	evm::Address,
};
use millrace_client::View;
use millrace_e2e::{command::millrace, eventually, network::account, until, validator::stake};
use millrace_primitives::Balance;
use serde_json::json;
use sp_consensus_beefy::{ecdsa_crypto::AuthorityId, test_utils::Keyring};
use tokio::join;

/// Seats in the end: those of the three who stake.
const SEATS: usize = 3;
/// How many of them had none at genesis.
const NEW: usize = 2;

/// Alice, Eve and Ferdie stake and stand. One seat changes in a session: Eve takes Bob's, then Ferdie takes
/// Charlie's, and then Dave's is given up.
///
/// Bob's node has Eve's keys, and Charlie's has Ferdie's, so that no node has two seats, and none more has to
/// run. Alice stands first: else her seat would be the first that somebody takes.
pub(super) async fn change(scene: &Scene) {
	let chain = &scene.chain;
	let (_, eve, ferdie) = join!(
		stake(chain, "//Alice", 3, true),
		stake(chain, "//Eve", 4, false),
		stake(chain, "//Ferdie", 3, false),
	);
	join!(
		stand(scene, "//Eve", eve.stake, &scene.urls[1]),
		stand(scene, "//Ferdie", ferdie.stake, &scene.urls[2]),
	);
}

/// Has a node make keys for an account, which then stands.
async fn stand(scene: &Scene, name: &str, stake: Balance, node: &str) {
	let validator = async |what: &str| {
		let arguments = ["--json", "--node", node, "--key", name, "validator", what];
		let ran = millrace(&scene.path, SHORT, arguments).await;
		ran.succeeded().json()
	};
	let what = format!("the node knows the stake of {name}");
	eventually(&what, SHORT, async || {
		let found = validator("status").await;
		match found["account"]["active_stake"] == stake.to_string() {
			true => Ok(()),
			false => Err(found.to_string()),
		}
	})
	.await;
	let made = validator("keys").await;
	assert_eq!(made["candidate"], true, "{made}");
	assert_eq!(made["account"], json!(account(name).account()), "{made}");
}

/// Waits until somebody signs who did not at genesis.
pub(super) async fn until_changed(scene: &Scene) {
	let what = "somebody else has a seat";
	until(&scene.chain, what, WAIT, async |view: &View| {
		let set = view.checkpoint_set().await?;
		Ok(set
			.is_some_and(|set| newcomers(&set.keys) > 0)
			.then_some(()))
	})
	.await;
}

/// Waits until the chain has the last of these sets and the contract believes it: another root, and another
/// length.
pub(super) async fn until_followed(scene: &Scene) {
	let what = "those who stake have the seats, and nobody else";
	let set = until(&scene.chain, what, WAIT, async |view: &View| {
		let set = view.checkpoint_set().await?;
		Ok(set.filter(|set| set.keys.len() == SEATS))
	})
	.await;
	assert_eq!(newcomers(&set.keys), NEW);
	let addresses: Vec<Address> = set.keys.iter().map(address_of).collect();
	let expected = authority_set(set.id, &addresses);
	let (len, root) = (json!(expected.len), json!(expected.root));
	eventually("the contract believes them", WAIT, async || {
		let status = scene.try_status().await?;
		let current = &status["contract"]["sets"]["current"];
		match current["len"] == len && current["root"] == root {
			true => Ok(()),
			false => Err(format!("{current}, and not {expected:?}")),
		}
	})
	.await;
}

/// How many of these keys are of nobody who had a seat at genesis.
fn newcomers(keys: &[[u8; 33]]) -> usize {
	let genesis = [
		Keyring::Alice,
		Keyring::Bob,
		Keyring::Charlie,
		Keyring::Dave,
	]
	.map(|who: Keyring<AuthorityId>| who.public().encode());
	let is_new = |key: &&[u8; 33]| !genesis.iter().any(|known| known[..] == key[..]);
	keys.iter().filter(is_new).count()
}
