#!/usr/bin/env bash
# Sets the machine up, builds everything and runs every test; says at the end which were slowest.
#
# Arguments go to the test runner, so `scripts/test.sh --workspace market` runs the tests so named.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

scripts/setup.sh
# shellcheck source=lib/wasm-env.sh
. scripts/lib/wasm-env.sh
# shellcheck source=lib/test-report.sh
. scripts/lib/test-report.sh

if cargo fmt --version >/dev/null 2>&1; then
	cargo fmt --all --check
else
	echo "test: no rustfmt here, so the format is not checked" >&2
fi
for script in scripts/*.sh scripts/lib/*.sh .ci/run; do bash -n "$script"; done

scripts/guests.sh
# The tests over real processes start these. The whole workspace is named here and everywhere: a
# single package would be built with fewer features of its dependencies, and so twice.
cargo build --release --locked --workspace --bins

[ $# -gt 0 ] || set -- --workspace
log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
if cargo nextest --version >/dev/null 2>&1; then
	kind=nextest
	# Whole networks of processes run after the rest and by three, each in two of six places: they wait
	# more than they compute.
	run=(cargo nextest run --release --locked --color never --no-fail-fast --status-level all
		--final-status-level fail --no-tests pass "$@")
	"${run[@]}" -E 'not package(millrace-e2e)' 2>&1 | tee -a "$log" || status=1
	"${run[@]}" -E 'package(millrace-e2e)' -j 6 2>&1 | tee -a "$log" || status=1
else
	kind=libtest
	# Times need an unstable option of the test harness. The variable that admits it is set where a
	# test binary runs and nowhere else: set for cargo, it would change what is built.
	host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
	export "CARGO_TARGET_${host}_RUNNER=env RUSTC_BOOTSTRAP=1"
	cargo test --release --locked --no-fail-fast --lib --bins --tests "$@" -- \
		-Zunstable-options --report-time --test-threads 2 2>&1 | tee -a "$log" || status=1
fi

report_tests "$kind" "$log"
exit "$status"
