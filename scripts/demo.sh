#!/usr/bin/env bash
# Builds everything and runs the demo: a chain, a provider, a deal, receipts, payment.
#
# Takes the options of `millrace dev` (--json, --keep, --data-dir, ...). Standard output carries the
# result alone, so `scripts/demo.sh --json | jq .ok` works.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

"$root/scripts/setup.sh" >&2
# shellcheck source=lib/wasm-env.sh
. "$root/scripts/lib/wasm-env.sh"

"$root/scripts/guests.sh" >&2
(cd "$root" && cargo build --release --locked --workspace --bins) >&2

exec "$CARGO_TARGET_DIR/release/millrace" dev \
	--node-binary "$CARGO_TARGET_DIR/release/millrace-node" \
	--package "$root/tests/guests/out/thumbnail.wasm" \
	--input "$root/tests/guests/samples/photo.png" \
	"$@"
