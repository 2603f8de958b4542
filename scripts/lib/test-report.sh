# What a test run says at its end: sourced by scripts/test.sh.

# slowest_of_nextest LOG, slowest_of_libtest LOG: "seconds name" of each test, slowest first.
slowest_of_nextest() {
	sed -nE 's/^ *(PASS|FAIL|SLOW|LEAK|TIMEOUT|SIGNAL)? *\[ *([0-9.]+)s\] (\([^)]*\) )?(.*)$/\2 \4/p' "$1" |
		sort -rn | awk '!seen[$0]++'
}
slowest_of_libtest() {
	sed -nE 's/^test (.*) \.\.\. [a-zA-Z]+ <([0-9.]+)s>$/\2 \1/p' "$1" | sort -rn
}

# counts_of_nextest LOG, counts_of_libtest LOG: "passed failed", summed over all runs in the log.
counts_of_nextest() {
	sed -n 's/^ *Summary \[[^]]*\] *//p' "$1" | awk '
		{
			for (i = 2; i <= NF; i++) {
				if ($i ~ /^passed/) passed += $(i - 1)
				if ($i ~ /^failed/ || $i ~ /^timed/ ) failed += $(i - 1)
			}
		}
		END { print passed + 0, failed + 0 }'
}
counts_of_libtest() {
	awk '
		/^test result:/ {
			for (i = 2; i <= NF; i++) {
				if ($i == "passed;") passed += $(i - 1)
				if ($i == "failed;") failed += $(i - 1)
			}
		}
		END { print passed + 0, failed + 0 }' "$1"
}

# report_tests KIND LOG: the ten slowest tests and a closing line with the counts.
report_tests() {
	local kind=$1 log=$2 passed failed
	printf '\nslowest tests (seconds):\n'
	"slowest_of_$kind" "$log" | awk 'NR <= 10 { time = $1; $1 = ""; printf "%10.2f %s\n", time, $0 }'
	read -r passed failed <<<"$("counts_of_$kind" "$log")"
	printf '\n%s passed, %s failed\n' "$passed" "$failed"
}
