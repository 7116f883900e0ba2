# shellcheck shell=bash
# axe-core, which looks for barriers in pages (WCAG): one file of the npm package, whose content is pinned.

axe_version=4.14.1
axe_sha512=1477dafa598d8d065f273d6af302aa203c02e83131707b7fa648cd41bd3d6b734f8c22a0dab86ee6a6f64b8afbe804b214d36db85a2826965edfb3a0b9d546b5

# With npm where it is; it is nothing but this one file that is wanted.
download_axe() {
  if command -v npm >/dev/null; then
    (cd "$1" && npm pack --silent "axe-core@$axe_version" >/dev/null)
  else
    curl -fsSL -o "$1/axe-core-$axe_version.tgz" "https://registry.npmjs.org/axe-core/-/axe-core-$axe_version.tgz"
  fi
}

bring_axe() {
  local into=$cache/axe stamp="axe $axe_version"
  if stamped "$into" "$stamp" && [[ -s $into/axe.min.js ]]; then return; fi
  rm -rf "$into"
  mkdir -p "$into"
  command -v npm >/dev/null || command -v curl >/dev/null || install axe curl
  download_axe "$into" 2>"$cache/axe.log" || fail axe "axe-core $axe_version cannot be downloaded from npm, see $cache/axe.log"
  sha512sum --status --check <<<"$axe_sha512  $into/axe-core-$axe_version.tgz" ||
    fail axe "what npm gave for axe-core $axe_version is not what it was when it was pinned"
  tar -xzf "$into/axe-core-$axe_version.tgz" -C "$into" --strip-components=1 package/axe.min.js package/LICENSE
  rm "$into/axe-core-$axe_version.tgz"
  printf '%s' "$stamp" >"$into/.stamp"
  say "axe-core $axe_version"
}
