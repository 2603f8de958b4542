# Wasm toolchain without rustup's network: sourced by scripts/setup.sh.
#
# Debian ships a compiler and its library sources together (rustc-web, cargo-web, rust-web-src), so
# the libraries of the Wasm targets can be built from them once and laid beside the compiler in a
# sysroot of our own. The compiler and the sources must be of one version, which is why the host's
# own toolchain (often another version) is not used for this.

debian_rustc=/usr/bin/rustc
debian_cargo=/usr/bin/cargo

# build_wasm_libraries TARGET BUILD_STD RUSTFLAGS SYSROOT: the rlibs of one target, once.
build_wasm_libraries() {
	local target=$1 build_std=$2 flags=$3 sysroot=$4
	local destination="$sysroot/lib/rustlib/$target/lib" work
	[ "$(cat "$destination/.complete" 2>/dev/null)" = "$($debian_rustc --version)" ] && return 0
	rm -rf "$destination"
	work=$(mktemp -d)
	mkdir -p "$work/src" "$destination"
	printf '[package]\nname = "sysroot"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' \
		>"$work/Cargo.toml"
	if [ "$target" = wasm32v1-none ]; then
		printf '#![no_std]\n' >"$work/src/lib.rs"
	else
		: >"$work/src/lib.rs"
	fi
	(
		cd "$work" &&
			env -u CARGO_TARGET_DIR -u CARGO_ENCODED_RUSTFLAGS -u RUSTUP_TOOLCHAIN -u CARGO \
				RUSTC=$debian_rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS="$flags" \
				$debian_cargo build --release -Z"build-std=$build_std" --target "$target" --quiet
	) || { rm -rf "$work"; return 1; }
	find "$work/target/$target/release/deps" -name '*.rlib' ! -name 'libsysroot*' \
		-exec cp {} "$destination/" \;
	rm -rf "$work"
	$debian_rustc --version >"$destination/.complete"
}

# make_debian_toolchain DIR: a rustup-shaped toolchain folder around Debian's compiler.
make_debian_toolchain() {
	local dir=$1 host
	host=$($debian_rustc -vV | sed -n 's/^host: //p')
	mkdir -p "$dir/bin" "$dir/lib/rustlib/$host/bin"
	printf '#!/bin/sh\nexec %s --sysroot %s "$@"\n' "$debian_rustc" "$dir" >"$dir/bin/rustc"
	chmod +x "$dir/bin/rustc"
	ln -sfn "$debian_cargo" "$dir/bin/cargo"
	ln -sfn "/usr/lib/rustlib/$host/lib" "$dir/lib/rustlib/$host/lib"
	ln -sfn /usr/lib/llvm-22/bin/lld "$dir/lib/rustlib/$host/bin/rust-lld"
	# The runtime is linked with LTO, which reads the bitcode of the libraries.
	build_wasm_libraries wasm32v1-none core,alloc "-Cembed-bitcode=yes" "$dir" &&
		build_wasm_libraries wasm32-wasip1 std,panic_abort \
			"-Clink-self-contained=no -L/usr/lib/wasm32-wasi" "$dir"
}
