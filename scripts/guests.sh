#!/usr/bin/env bash
# Builds the sample functions under tests/guests to tests/guests/out/*.wasm.
#
# What is newer than its sources is left alone. Needs what scripts/setup.sh installs.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=scripts/lib/wasm-env.sh
source "$root/scripts/lib/wasm-env.sh"

guests=$root/tests/guests
out=$guests/out
mkdir -p "$out"

say() { printf '%s\n' "guests: $*" >&2; }
fail() {
	say "$1"
	say "remedy: $2"
	exit 1
}

# up_to_date MODULE SOURCE...: the module exists and no source, file or folder, is newer.
up_to_date() {
	local module=$1
	shift
	[ -s "$module" ] && [ -z "$(find "$@" -type f -newer "$module" -not -path '*/target/*' -print -quit)" ]
}

# rust_guest NAME [COMMAND...]: builds the package tests/guests/NAME, whose binary has the same name.
# COMMAND BUILT MODULE makes the module of what was built; by default it is copied.
rust_guest() {
	local name=$1 built
	local source=$guests/$name module=$out/$1.wasm
	shift
	up_to_date "$module" "$source" && return
	[ -n "${MILLRACE_WASM_CARGO-}" ] || fail "no Rust here builds for wasm32-wasip1" "run scripts/setup.sh"
	say "building $name"
	# shellcheck disable=SC2086 # a command with its arguments
	(
		cd "$source"
		env -u CARGO_ENCODED_RUSTFLAGS CARGO_TARGET_DIR="$target" RUSTFLAGS="${MILLRACE_WASI_RUSTFLAGS-}" \
			$MILLRACE_WASM_CARGO build --release --locked --target wasm32-wasip1 --quiet
	)
	built=$target/wasm32-wasip1/release/$name.wasm
	[ $# -gt 0 ] || set -- cp
	# By rename: a build that is stopped half-way leaves no module behind.
	"$@" "$built" "$module.new" && mv "$module.new" "$module"
}

# c_guest NAME: builds tests/guests/NAME/NAME.c.
c_guest() {
	local name=$1 sysroot=()
	local source=$guests/$name/$name.c module=$out/$1.wasm
	up_to_date "$module" "$guests/$name" && return
	command -v clang >/dev/null 2>&1 || fail "there is no clang" "run scripts/setup.sh"
	# Debian lays wasi-libc out under /usr; a WASI SDK's clang knows its own.
	[ -d /usr/include/wasm32-wasi ] && sysroot=(--sysroot=/usr)
	say "building $name"
	clang --target=wasm32-wasi "${sysroot[@]}" -std=c11 -O2 -Wall -Wextra -Werror -Wl,--strip-all \
		-o "$module.new" "$source"
	mv "$module.new" "$module"
}

target=$CARGO_TARGET_DIR/guests
rust_guest markdown
rust_guest thumbnail
rust_guest search python3 "$guests/search/make_library.py"
c_guest checksum
c_guest solver
