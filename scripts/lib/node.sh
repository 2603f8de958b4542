# Node.js for the anchor's contracts and the JavaScript clients: sourced by scripts/setup.sh.
#
# The compiler and the chain that the contracts are tested with ask for 20.19, which is newer than
# Debian 12's. Where Debian's is too old it fetches a newer one, from the registry that the contracts'
# own packages come from, which keeps a hash of each. scripts/lib/wasm-env.sh puts it on the PATH.

node_version=22.23.3

# has_node COMMAND: whether it is as new as the contracts' packages ask for.
has_node() {
	"$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' \
		2>/dev/null
}

# install_node: installs Node.js and npm where they are missing, and a newer Node.js where it is old.
install_node() {
	local tool arch
	# Both often come from elsewhere than Debian, so the commands count rather than the packages.
	for tool in node:nodejs npm:npm; do
		command -v "${tool%%:*}" >/dev/null 2>&1 || install_packages "${tool##*:}"
	done
	! has_node node || return 0
	case $(uname -m) in
	x86_64) arch=x64 ;;
	aarch64) arch=arm64 ;;
	*) fail "Node.js $(node --version) is older than 20.19, which the anchor's contracts ask for" \
		"install a newer one from nodejs.org, then run this again" ;;
	esac
	say "installing Node.js $node_version beside $(node --version), which is too old for the anchor's contracts"
	mkdir -p "$millrace_node"
	npm install --prefix "$millrace_node" --no-save --no-audit --no-fund --loglevel error \
		"node-linux-$arch@$node_version" >&2 ||
		fail "npm could not install Node.js $node_version" \
			"install 20.19 or newer from nodejs.org, then run this again"
	# shellcheck source=wasm-env.sh
	. "$root/scripts/lib/wasm-env.sh"
	has_node node || fail "Node.js $node_version does not run here" "install 20.19 or newer from nodejs.org"
}
