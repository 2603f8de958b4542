# System packages: sourced by scripts/setup.sh.

# What the build needs on Debian and Ubuntu: a C and C++ compiler with cmake for RandomX, protoc for
# the node's network messages, clang with wasi-libc and its Wasm builtins for the C guest.
build_packages=(
	build-essential cmake protobuf-compiler clang libclang-dev lld pkg-config curl git
	ca-certificates wasi-libc libclang-rt-dev-wasm32 python3
)
# Debian's Rust whose library sources fit its compiler, and the linker that it names rust-lld.
rust_packages=(rustc-web cargo-web rust-web-src lld-22)

# as_root COMMAND...: runs a command as root, through sudo where that is needed.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		fail "installing packages needs root, and there is no sudo" \
			"run as root: apt-get update && apt-get install -y ${missing[*]-}"
	fi
}

# missing_packages PACKAGE...: fills the array `missing` with those that are not installed.
missing_packages() {
	local package
	missing=()
	for package in "$@"; do
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) missing+=("$package") ;;
		esac
	done
}

# require_commands COMMAND...: for systems without dpkg, where nothing can be installed here.
require_commands() {
	local command absent=()
	for command in "$@"; do
		command -v "$command" >/dev/null 2>&1 || absent+=("$command")
	done
	[ ${#absent[@]} -eq 0 ] || fail "this system has no apt, and these commands are missing: ${absent[*]}" \
		"install them, with wasi-libc and clang's builtins for wasm32, then run this again"
}

# install_packages PACKAGE...: installs those that dpkg does not know as installed.
install_packages() {
	if ! command -v dpkg-query >/dev/null 2>&1 || ! command -v apt-get >/dev/null 2>&1; then
		require_commands cc c++ cmake protoc clang pkg-config curl git python3
		return
	fi
	missing_packages "$@"
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	if [ -z "${apt_updated-}" ]; then
		as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2 ||
			say "apt-get update failed; trying with the package lists that are there"
		apt_updated=1
	fi
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 ||
		fail "apt-get could not install: ${missing[*]}" \
			"see its messages above; mend the package sources or install them by hand, then run this again"
}
