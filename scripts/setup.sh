#!/usr/bin/env bash
# Brings a machine to where Millrace builds: packages, Rust, Wasm targets. Safe to run again.
#
# On Debian and Ubuntu it installs what is missing, as root or through sudo; elsewhere it says what
# is missing. Everything it reports goes to standard error.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf 'setup: %s\n' "$*" >&2; }
# fail WHAT REMEDY: ends with both.
fail() {
	printf 'setup: error: %s\nsetup: remedy: %s\n' "$1" "$2" >&2
	exit 1
}

# shellcheck source=lib/wasm-env.sh
. "$root/scripts/lib/wasm-env.sh"
# shellcheck source=lib/toolchain.sh
. "$root/scripts/lib/toolchain.sh"
# shellcheck source=lib/packages.sh
. "$root/scripts/lib/packages.sh"
# shellcheck source=lib/node.sh
. "$root/scripts/lib/node.sh"
# shellcheck source=lib/rust.sh
. "$root/scripts/lib/rust.sh"

install_packages "${build_packages[@]}"
install_node
# Tests of what guests ask other hosts make a network of their own. Its tools are part of most systems.
for tool in ip:iproute2 unshare:util-linux mount:mount; do
	PATH=$PATH:/usr/sbin:/sbin command -v "${tool%%:*}" >/dev/null 2>&1 ||
		install_packages "${tool##*:}"
done
unshare --user --map-root-user --net --mount true 2>/dev/null ||
	say "warning: users of this machine may not make namespaces, so the tests of outbound HTTP fail:" \
		"see kernel.unprivileged_userns_clone, or kernel.apparmor_restrict_unprivileged_userns on Ubuntu"
install_rust
install_wasm_targets
use_wasm_toolchain || fail "no compiler here knows the Wasm targets" \
	"run 'rustup target add $millrace_wasm_targets', then run this again"

mkdir -p "$CARGO_TARGET_DIR" || fail "$CARGO_TARGET_DIR cannot be written" "set CARGO_TARGET_DIR to another folder"
free_gib=$(df -Pk "$CARGO_TARGET_DIR" | awk 'NR == 2 { print int($4 / 1048576) }')
[ "${free_gib:-0}" -ge 10 ] || [ -e "$CARGO_TARGET_DIR/release/millrace-node" ] ||
	say "warning: a build takes about 10 GiB in $CARGO_TARGET_DIR, and $free_gib GiB are free"
say "ready: $(rustc --version), Wasm by ${WASM_BUILD_TOOLCHAIN:-the same}, output in $CARGO_TARGET_DIR"
