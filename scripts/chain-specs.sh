#!/usr/bin/env bash
# Writes the specification of a test network, with the runtime of this tree in it, for whoever starts one:
#
#   scripts/chain-specs.sh DIR     DIR/testnet.json, to put people's keys into; docs/TOKENOMICS.md tells where
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: scripts/chain-specs.sh DIR" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
mkdir -p "$1"
file=$(cd "$1" && pwd)/testnet.json

"$root/scripts/setup.sh" >&2
# shellcheck source=lib/wasm-env.sh
. "$root/scripts/lib/wasm-env.sh"
(cd "$root" && cargo build --release --locked --workspace --bins) >&2

"$CARGO_TARGET_DIR/release/millrace-node" export-chain-spec --chain testnet >"$file.new"
mv "$file.new" "$file"
echo "$file"
