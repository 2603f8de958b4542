#!/usr/bin/env bash
# Measurements that are too heavy for the tests: the inputs of docs/MEASUREMENTS.md, and the weights
# of our pallets.
#
#   scripts/bench.sh [build|demo|bench|reports|market|governance|anchor|prover|execution|differential|
#                     adjudication|economics|bars|weights]...        default: demo bench
#
# build     the node from nothing, once, in a target folder of its own
# demo      the whole demo, warm, RUNS times (default 5): elapsed time, latency, gas
# bench     every ignored test whose name begins with bench_, one at a time, but for those of the next
#           eight; each prints one JSON line of medians. Half an hour and more: the stateful tests of
#           all pallets are among them
# reports   reports that a node takes in: full blocks, exported and imported
# market    the matcher in books of 10,000 offers, the market's operations by weight, what is left of
#           deals and peers that are gone, what locked FLT pays, how soon a deal serves and whether
#           clients notice that a worker is killed: some minutes
# governance  the life of a whole chain at random, in which no FLT is made or lost but by the rules;
#           MILLRACE_FUZZ_SEED lives another
# anchor    gas of checkpoints on anvil, which npm brings, and how soon a withdrawal can be claimed there
# prover    the prover's rate against RandomX' own, in both modes; fast mode takes 2.3 GiB
# execution calls against plain wasmtime, calls a second, first calls, restarts, memory, and others
#           served beside hostile guests: some ten minutes
# differential  both engines on 100,000 programs and on the tests of the specification; MILLRACE_FUZZ_SEED
#           begins another sequence
# adjudication  searches the program that takes the judge longest for its gas, for
#           MILLRACE_SEARCH_GENERATIONS rounds (default 60, an hour and more), measures the cap on it and
#           on the sample functions, and then blocks in which a call is run again. What the search finds
#           stands in tests/differential/worst.wat
# economics every way to cheat, over its whole grid: less than an hour on two cores. Goes on where
#           it was ended, from OUT.economics; writes the tables of docs/ECONOMICS.md
# bars      measures nothing: holds what is in OUT against the bars, prints one line for each, and
#           fails if one is missed or was not measured
# weights   every benchmark of our pallets, at STEPS values of a component (default 10), REPEAT times
#           each (default 15), analysed by ANALYSIS (default median-slopes, also min-squares or max);
#           writes runtime/src/weights/*.rs. Builds a node with runtime-benchmarks first, which takes
#           as long as a first build and as much room besides; then about a quarter of an hour
#
# Each line of the result is one JSON object; it goes to standard output and is kept in OUT
# (default: bench.jsonl beside the target folder), from which the bars are read. OUT begins anew,
# unless APPEND=1 says that it goes on or bars alone is asked for. Everything else goes to standard
# error.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

scripts/setup.sh >&2
# shellcheck source=lib/wasm-env.sh
. scripts/lib/wasm-env.sh

runs=${RUNS:-5}
out=${OUT:-$(dirname "$CARGO_TARGET_DIR")/bench.jsonl}
[ $# -gt 0 ] || set -- demo bench
if [ "$*" != bars ] && [ "${APPEND:-0}" != 1 ]; then : >"$out"; fi

emit() { tee -a "$out"; }

machine() {
	local model memory
	model=$(sed -n '/^model name/{s/^[^:]*: *//p;q}' /proc/cpuinfo)
	memory=$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)
	printf '{"measure":"machine","date":"%s","cpu":"%s","cores":%s,"memory_gib":%s,"kernel":"%s","rustc":"%s","commit":"%s"}\n' \
		"$(date -u +%F)" "${model:-unknown}" "$(nproc)" "$memory" "$(uname -sr)" "$(rustc --version)" \
		"$(git describe --always --dirty 2>/dev/null || echo unknown)" | emit
}

# The whole workspace is named in every build: a single package would be built with fewer features of
# its dependencies, and so twice.
bench_build() {
	local folder start
	# Downloads are no part of a build.
	cargo fetch --locked >&2
	folder=$(mktemp -d "$(dirname "$CARGO_TARGET_DIR")/bench-build.XXXXXX")
	start=$SECONDS
	CARGO_TARGET_DIR=$folder cargo build --release --locked --workspace --bin millrace-node >&2 ||
		{ rm -rf "$folder"; return 1; }
	printf '{"measure":"node_build_from_nothing","seconds":%s}\n' $((SECONDS - start)) | emit
	rm -rf "$folder"
}

bench_demo() {
	local run results
	results=$(mktemp)
	scripts/demo.sh --json >/dev/null # the first run builds and warms
	for run in $(seq "$runs"); do
		echo "bench: demo $run of $runs" >&2
		scripts/demo.sh --json | tr -d '\n' >>"$results"
		echo >>"$results"
	done
	python3 - "$results" <<-'PYTHON' | emit
		import json, statistics, sys
		rows = [json.loads(line) for line in open(sys.argv[1])]
		median = lambda pick: statistics.median(pick(row) for row in rows)
		print(json.dumps({
			"measure": "demo_warm",
			"runs": len(rows),
			"ok": all(row["ok"] for row in rows),
			"elapsed_seconds": median(lambda row: row["elapsed_seconds"]),
			"latency_p50_ms": median(lambda row: row["latency_ms"]["p50"]),
			"latency_p99_ms": median(lambda row: row["latency_ms"]["p99"]),
			"finality_lag_blocks": median(lambda row: row["finality_lag_blocks"]),
			"gas_per_call": median(lambda row: row["gas_total"] / row["calls"]),
		}))
	PYTHON
	rm -f "$results"
}

# Runs ignored tests: arguments are those of the test harness, at last parts of their names.
run_tests() { run_harness --ignored "$@"; }

# run_harness ARGUMENT...: runs tests one at a time, and emits what they measure.
run_harness() {
	local log status=0
	log=$(mktemp)
	cargo test --release --locked --no-fail-fast --workspace --lib --bins --tests -- \
		--nocapture --test-threads 1 "$@" 2>&1 | tee "$log" >&2 || status=1
	# The test harness leaves the cursor behind the test's name, so an object may not begin its line.
	grep -oE '\{.*"measure":.*\}$' "$log" | emit || true
	rm -f "$log"
	return "$status"
}

# Some tests start these.
build_programs() {
	cargo build --release --locked --workspace --bins >&2
}

# What the part `execution` measures.
execution_tests=(bench_receipted_call bench_calls bench_first_call bench_restart bench_idle_memory
	bench_hostile_calls bench_instantiate bench_respawn bench_sandbox bench_against_plain_wasmtime)

bench_tests() {
	local name skipped=()
	for name in bench_reports bench_market bench_governance bench_anchor bench_prover_rate \
		bench_differential bench_adjudication "${execution_tests[@]}"; do
		skipped+=(--skip "$name")
	done
	scripts/guests.sh >&2
	build_programs
	run_tests "${skipped[@]}" bench_
}

bench_reports() {
	build_programs
	run_tests bench_reports
}

bench_market() {
	local status=0
	scripts/guests.sh >&2
	build_programs
	run_tests bench_market || status=1
	# Ordinary tests, which say how much is left, and how much is missing.
	run_harness rows_stay_for_ever vote_locked || status=1
	return "$status"
}

bench_governance() {
	run_tests bench_governance
}

bench_anchor() {
	local status=0
	build_programs
	run_tests bench_anchor || status=1
	# An ordinary test, which says what a checkpoint takes.
	run_harness contracts_are_the_committed_ones || status=1
	return "$status"
}

bench_prover() {
	run_tests bench_prover_rate
}

bench_execution() {
	local status=0
	scripts/guests.sh >&2
	build_programs
	run_tests "${execution_tests[@]}" || status=1
	# An ordinary test, which says how much longer others take.
	run_harness the_daemon_serves_others || status=1
	return "$status"
}

bench_differential() {
	local status=0
	run_tests bench_differential || status=1
	# Ordinary tests, which say how many commands of the specification's scripts ran.
	run_harness kept_with_the_meter || status=1
	return "$status"
}

bench_adjudication() {
	scripts/guests.sh >&2
	build_programs
	run_tests bench_adjudication
}

bench_economics() {
	local status=0
	build_programs
	"$CARGO_TARGET_DIR/release/millrace-economics" --json \
		--resume "$out.economics" --update docs/ECONOMICS.md >&2 || status=$?
	# What an earlier run has found counts, too.
	if [ -f "$out.economics" ]; then emit <"$out.economics"; fi
	return "$status"
}

bench_bars() {
	python3 scripts/lib/bars.py --check
	python3 scripts/lib/bars.py "$out"
}

bench_weights() {
	local pallet folder start=$SECONDS
	local pallets=(pallet_epochs pallet_providers pallet_capacity pallet_market pallet_receipts
		pallet_validators pallet_emission pallet_developer_rewards pallet_governed pallet_anchor)
	# The benchmarking tool comes with a runtime of its own for a command that our node has not. The
	# next build of the workspace puts the usual node in the place of the one that is built here.
	SKIP_FRAME_STORAGE_ACCESS_TEST_RUNTIME_WASM_BUILD=1 \
		cargo build --release --locked --package millrace-node --features runtime-benchmarks >&2
	folder=$(mktemp -d)
	for pallet in "${pallets[@]}"; do
		# Proofs are of no use to a chain of its own, and recording them takes time.
		"$CARGO_TARGET_DIR/release/millrace-node" benchmark pallet --dev \
			--genesis-builder spec-runtime --disable-proof-recording \
			--pallet "$pallet" --extrinsic '*' \
			--steps "${STEPS:-10}" --repeat "${REPEAT:-15}" \
			--output-analysis "${ANALYSIS:-median-slopes}" \
			--template scripts/lib/weights.hbs --output "$folder/$pallet.rs" >&2 ||
			{ rm -rf "$folder"; return 1; }
	done
	# All of one machine and one build, or none.
	mv "$folder"/*.rs runtime/src/weights/
	rmdir "$folder"
	printf '{"measure":"weights","pallets":%s,"seconds":%s}\n' "${#pallets[@]}" $((SECONDS - start)) | emit
}

[ "$*" = bars ] || machine
for part in "$@"; do
	case $part in
	build) bench_build ;;
	demo) bench_demo ;;
	bench) bench_tests ;;
	reports) bench_reports ;;
	market) bench_market ;;
	governance) bench_governance ;;
	anchor) bench_anchor ;;
	prover) bench_prover ;;
	execution) bench_execution ;;
	differential) bench_differential ;;
	adjudication) bench_adjudication ;;
	economics) bench_economics ;;
	bars) bench_bars ;;
	weights) bench_weights ;;
	*)
		echo "bench: unknown part $part; known are build, demo, bench, reports, market, governance, anchor, prover, execution, differential, adjudication, economics, bars and weights" >&2
		exit 2
		;;
	esac
done
