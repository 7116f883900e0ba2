# shellcheck shell=bash
# schemathesis: asks the REST API everything that its own description allows, in a virtual environment with pinned packages.

schemathesis_requirements=$project/scripts/services.d/schemathesis-requirements.txt

bring_schemathesis() {
  local into=$cache/schemathesis stamp
  stamp="schemathesis $(cksum <"$schemathesis_requirements") $project"
  if stamped "$into" "$stamp" && "$into/venv/bin/python" -c '' 2>/dev/null; then return; fi
  rm -rf "$into"
  mkdir -p "$into"
  python3 -c 'import venv, ensurepip' 2>/dev/null || install schemathesis python3 python3-venv
  say "making .cache/schemathesis/venv"
  python3 -m venv "$into/venv" >"$into/install.log" 2>&1 ||
    fail schemathesis "python3 -m venv failed, see $into/install.log"
  "$into/venv/bin/python" -m pip install -q --disable-pip-version-check -r "$schemathesis_requirements" \
    >>"$into/install.log" 2>&1 ||
    fail schemathesis "pip install -r scripts/services.d/schemathesis-requirements.txt failed, see $into/install.log"
  "$into/venv/bin/schemathesis" --version >/dev/null 2>&1 || fail schemathesis "schemathesis does not start here"
  printf '%s' "$stamp" >"$into/.stamp"
  say "$("$into/venv/bin/schemathesis" --version)"
}
