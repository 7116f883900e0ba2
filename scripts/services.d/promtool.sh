# shellcheck shell=bash
# promtool: out of Debian's package `prometheus`, unpacked and never installed. It alone is kept of 50 MB.

bring_promtool() {
  local into=$cache/promtool stamp trial
  stamp="promtool $(cksum <"${BASH_SOURCE[0]}")"
  if stamped "$into" "$stamp" && "$into/promtool" --version >/dev/null 2>&1; then return; fi
  rm -rf "$into" "$into.new"
  mkdir -p "$into" "$into.new"
  if command -v apt-get >/dev/null && command -v dpkg >/dev/null && unpack "$into.new" prometheus; then
    mv "$into.new/usr/bin/promtool" "$into/promtool"
  elif command -v promtool >/dev/null; then
    say "nothing could be downloaded; using the installed promtool"
    ln -s "$(command -v promtool)" "$into/promtool"
  else
    fail promtool "Debian's package prometheus cannot be downloaded with apt-get (see $cache/download.log), and no promtool is installed"
  fi
  rm -rf "$into.new" "$into.new.debs"
  trial=$("$into/promtool" --version 2>&1) || fail promtool "it does not start here: $trial"
  printf '%s' "$stamp" >"$into/.stamp"
  say "${trial%%$'\n'*}"
}
