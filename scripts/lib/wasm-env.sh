# Environment of every build: sourced by the scripts, or by hand, in bash, before a plain
# `cargo build`.
#
# Says where build output goes, and which compiler knows the Wasm targets: the machine's own where
# rustup has them, else the one that scripts/setup.sh made of Debian's packages.
#
#   CARGO_TARGET_DIR        build output, outside the clone unless it is set already
#   WASM_BUILD_TOOLCHAIN    read by substrate-wasm-builder for the runtime
#   MILLRACE_WASM_CARGO     cargo (a command with its arguments) that builds for wasm32-wasip1
#   MILLRACE_WASI_RUSTFLAGS what that cargo needs in RUSTFLAGS to link against Debian's wasi-libc

millrace_cache=${XDG_CACHE_HOME:-$HOME/.cache}/millrace
millrace_toolchain=$millrace_cache/toolchain
millrace_node=$millrace_cache/node
millrace_wasm_targets="wasm32v1-none wasm32-wasip1"

CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$millrace_cache/target}
case $CARGO_TARGET_DIR in
/*) ;;
*) CARGO_TARGET_DIR=$PWD/$CARGO_TARGET_DIR ;;
esac
export CARGO_TARGET_DIR
# The builder looks for Cargo.lock above the build output, which lies elsewhere.
WASM_BUILD_WORKSPACE_HINT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export WASM_BUILD_WORKSPACE_HINT

# Rust that was installed in this very session is not on the caller's PATH yet.
case ":$PATH:" in
*":${CARGO_HOME:-$HOME/.cargo}/bin:"*) ;;
*) export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH" ;;
esac

# Node.js that scripts/setup.sh has fetched because the system's is too old.
if [ -x "$millrace_node/node_modules/.bin/node" ]; then
	case ":$PATH:" in
	*":$millrace_node/node_modules/.bin:"*) ;;
	*) export PATH="$millrace_node/node_modules/.bin:$PATH" ;;
	esac
fi

# has_rustup_targets: rustup's present toolchain has both Wasm targets.
has_rustup_targets() {
	local installed target
	command -v rustup >/dev/null 2>&1 || return 1
	installed=$(rustup target list --installed 2>/dev/null) || return 1
	for target in $millrace_wasm_targets; do
		grep -qx "$target" <<<"$installed" || return 1
	done
}

# has_debian_toolchain: scripts/setup.sh has made a toolchain with both Wasm targets.
has_debian_toolchain() {
	local target compiler
	compiler=$(/usr/bin/rustc --version 2>/dev/null) || return 1
	for target in $millrace_wasm_targets; do
		# Libraries of another compiler than the present one are of no use.
		[ "$(cat "$millrace_toolchain/lib/rustlib/$target/lib/.complete" 2>/dev/null)" = "$compiler" ] ||
			return 1
	done
}

# use_wasm_toolchain: sets the variables above; fails where neither toolchain is there.
use_wasm_toolchain() {
	if has_rustup_targets; then
		[ "${WASM_BUILD_TOOLCHAIN-}" != millrace-wasm ] || unset WASM_BUILD_TOOLCHAIN
		export MILLRACE_WASM_CARGO=cargo MILLRACE_WASI_RUSTFLAGS=
		return
	fi
	has_debian_toolchain || return 1
	local wasi=/usr/lib/wasm32-wasi
	export MILLRACE_WASI_RUSTFLAGS="-C link-self-contained=no -L$wasi -C link-arg=$wasi/crt1-command.o"
	if command -v rustup >/dev/null 2>&1; then
		export WASM_BUILD_TOOLCHAIN=millrace-wasm
		export MILLRACE_WASM_CARGO="rustup run millrace-wasm cargo"
	else
		case ":$PATH:" in
		*":$millrace_toolchain/bin:"*) ;;
		*) export PATH="$millrace_toolchain/bin:$PATH" ;;
		esac
		export MILLRACE_WASM_CARGO=cargo
	fi
}

use_wasm_toolchain || true
