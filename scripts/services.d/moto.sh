# shellcheck shell=bash
# moto: a stand-in for AWS, in a virtual environment with pinned packages.

requirements=$project/scripts/services.d/moto-requirements.txt

bring_moto() {
  local into=$cache/moto stamp
  stamp="moto $(cksum <"$requirements") $project"
  if stamped "$into" "$stamp" && "$into/venv/bin/python" -c '' 2>/dev/null; then return; fi
  rm -rf "$into"
  mkdir -p "$into"
  python3 -c 'import venv, ensurepip' 2>/dev/null || install moto python3 python3-venv
  say "making .cache/moto/venv"
  python3 -m venv "$into/venv" >"$into/install.log" 2>&1 || fail moto "python3 -m venv failed, see $into/install.log"
  "$into/venv/bin/python" -m pip install -q --disable-pip-version-check -r "$requirements" >>"$into/install.log" 2>&1 ||
    fail moto "pip install -r scripts/services.d/moto-requirements.txt failed, see $into/install.log"
  "$into/venv/bin/moto_server" --help >/dev/null 2>&1 || fail moto "moto_server does not start here"
  printf '%s' "$stamp" >"$into/.stamp"
  say "moto $("$into/venv/bin/python" -c 'import moto; print(moto.__version__)')"
}
