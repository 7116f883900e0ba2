# shellcheck shell=bash
# cargo-deb: packs the Debian package. Built from crates.io, with its own lock file.

cargo_deb_version=3.8.0

bring_cargo-deb() {
  local into=$cache/cargo-deb
  if stamped "$into" "cargo-deb $cargo_deb_version" && "$into/bin/cargo-deb" --version >/dev/null 2>&1; then return; fi
  command -v dpkg-deb >/dev/null || fail cargo-deb "dpkg-deb is missing: Debian packages can be made and opened where dpkg is installed"
  say "building cargo-deb $cargo_deb_version (some minutes, once)"
  rm -rf "$into"
  # A debug build is ready in half the time, and packs one package as well.
  CARGO_TARGET_DIR=$cache/cargo-deb.target cargo install cargo-deb --debug --locked --version "=$cargo_deb_version" --root "$into" \
    >"$cache/cargo-deb.log" 2>&1 || fail cargo-deb "cargo install failed, see $cache/cargo-deb.log"
  rm -rf "$cache/cargo-deb.target"
  printf '%s' "cargo-deb $cargo_deb_version" >"$into/.stamp"
}
