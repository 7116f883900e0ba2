# shellcheck shell=bash
# Chromium and its WebDriver: Debian's packages with the libraries that this machine lacks, unpacked beside the project, and
# a font, so that pictures look the same everywhere.

chromium_packages=(chromium chromium-driver fonts-inter fonts-dejavu-core)

# Prints chromium_packages and all that they need and that is not installed; asks apt without changing anything.
chromium_closure() {
  apt-get "${apt[@]}" --simulate --no-install-recommends install "${chromium_packages[@]}" 2>/dev/null |
    sed -n 's/^Inst \([^ ]*\).*/\1/p'
}

# The programs find their libraries and fonts beside them, and the environment of whoever calls them stays as it is.
write_chromium_wrapper() {
  local root=$1 name=$2 program=$3 library
  library=$(cd "$root/usr/lib" && echo *-linux-gnu)
  # shellcheck disable=SC2016 # expands when the wrapper runs
  printf '%s\n' '#!/usr/bin/env bash' 'root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)' \
    "export LD_LIBRARY_PATH=\$root/usr/lib/$library:\$root/usr/lib/$library/pulseaudio:\$root/lib/$library\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" \
    'export FONTCONFIG_FILE=$root/fonts.conf' "exec \"\$root/$program\" \"\$@\"" >"$root/bin/$name"
  chmod 755 "$root/bin/$name"
}

write_chromium_fonts() {
  cat >"$1/fonts.conf" <<'FONTS'
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">usr/share/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <alias binding="strong"><family>system-ui</family><prefer><family>Inter</family></prefer></alias>
  <alias binding="strong"><family>sans-serif</family><prefer><family>Inter</family></prefer></alias>
  <alias binding="strong"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
FONTS
}

# Our own lists when the machine's are too old, or there are none.
download_chromium() {
  local into=$1 wanted
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  mapfile -t wanted < <(chromium_closure)
  if ((${#wanted[@]} == 0)); then
    private_apt_lists || return 1
    mapfile -t wanted < <(chromium_closure)
  fi
  # What is installed already is not in the list, and is unpacked all the same.
  unpack "$into" $(printf '%s\n' "${wanted[@]}" "${chromium_packages[@]}" | sort -u)
}

bring_chromium() {
  local into=$cache/chromium stamp trial
  stamp="chromium $(cksum <"${BASH_SOURCE[0]}")"
  if stamped "$into" "$stamp" && "$into/bin/chromedriver" --version >/dev/null 2>&1; then return; fi
  rm -rf "$into" "$into.debs"
  mkdir -p "$into/bin"
  download_chromium "$into" ||
    fail chromium "Debian's packages ${chromium_packages[*]} cannot be downloaded with apt-get, see $cache/download.log"
  write_chromium_fonts "$into"
  write_chromium_wrapper "$into" chromium usr/lib/chromium/chromium
  write_chromium_wrapper "$into" chromedriver usr/bin/chromedriver
  trial=$("$into/bin/chromedriver" --version 2>&1) || fail chromium "chromedriver does not start here: $trial"
  trial=$("$into/bin/chromium" --version 2>&1) || fail chromium "chromium does not start here: $trial"
  printf '%s' "$stamp" >"$into/.stamp"
  say "$trial"
}
