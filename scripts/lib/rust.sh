# Rust and its Wasm targets: sourced by scripts/setup.sh after wasm-env.sh and packages.sh.

# The oldest compiler that the workspace builds with: rust-version in Cargo.toml.
rust_minimum=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml" | head -n 1)

# rust_is_recent: cargo and rustc are there and at least as new as the workspace asks for.
rust_is_recent() {
	local version
	command -v cargo >/dev/null 2>&1 || return 1
	version=$(rustc --version 2>/dev/null | sed -n 's/^rustc \([0-9.]*\).*/\1/p') || return 1
	[ -n "$version" ] &&
		[ "$(printf '%s\n%s\n' "$rust_minimum" "$version" | sort -V | head -n 1)" = "$rust_minimum" ]
}

# install_rust: rustup where it can be fetched, else Debian's compiler.
install_rust() {
	rust_is_recent && return
	if command -v cargo >/dev/null 2>&1; then
		say "$(rustc --version 2>/dev/null || echo "this Rust") is older than $rust_minimum"
		if command -v rustup >/dev/null 2>&1 &&
			timeout 600 rustup toolchain install stable --profile minimal >&2 2>&1; then
			rustup default stable >&2 2>&1 || true
			rust_is_recent && return
		fi
	fi
	# A distribution's cargo may stay: rustup's comes before it on our PATH.
	if ! command -v rustup >/dev/null 2>&1 && install_rustup; then
		hash -r
		return
	fi
	say "taking Debian's Rust"
	install_packages "${rust_packages[@]}"
	rust_is_recent || fail "there is no Rust of version $rust_minimum or newer" \
		"install it from https://rustup.rs, then run this again"
}

# install_rustup: the official installer, given up early where its server cannot be reached.
install_rustup() {
	local installer
	say "installing Rust by rustup"
	installer=$(mktemp)
	if timeout 30 curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs -o "$installer" 2>/dev/null &&
		RUSTUP_INIT_SKIP_PATH_CHECK=yes timeout 600 sh "$installer" -y --profile minimal --component rustfmt \
			--default-toolchain stable >&2; then
		rm -f "$installer"
		rust_is_recent
	else
		rm -f "$installer"
		say "rustup cannot be fetched from here"
		return 1
	fi
}

# install_wasm_targets: by rustup, else libraries built once from Debian's sources.
install_wasm_targets() {
	has_rustup_targets && return
	if command -v rustup >/dev/null 2>&1 && ! has_debian_toolchain; then
		say "adding the Wasm targets by rustup"
		# shellcheck disable=SC2086 # two words on purpose
		if timeout 60 rustup target add $millrace_wasm_targets >/dev/null 2>&1 && has_rustup_targets; then
			return
		fi
		say "rustup cannot fetch them from here; building them from Debian's sources"
	fi
	if ! has_debian_toolchain; then
		install_packages "${rust_packages[@]}"
		[ -x "$debian_rustc" ] && [ -x "$debian_cargo" ] || fail "Debian's Rust is not in /usr/bin" \
			"run 'rustup target add $millrace_wasm_targets' where rustup can fetch, then run this again"
		say "building the libraries of $millrace_wasm_targets into $millrace_toolchain"
		make_debian_toolchain "$millrace_toolchain" >&2 && has_debian_toolchain ||
			fail "the libraries of the Wasm targets could not be built" \
				"run 'rustup target add $millrace_wasm_targets' where rustup can fetch, then run this again"
	fi
	if command -v rustup >/dev/null 2>&1 &&
		[ "$(rustup run millrace-wasm rustc --print sysroot 2>/dev/null)" != "$millrace_toolchain" ]; then
		rustup toolchain link millrace-wasm "$millrace_toolchain" >&2 ||
			fail "rustup refused to link $millrace_toolchain" "remove its toolchain millrace-wasm and run this again"
	fi
}
