# shellcheck shell=bash
# RabbitMQ: Debian's packages and the Erlang that they need, unpacked beside the project, never installed.
#
# .cache/rabbitmq/bin has erl, epmd, rabbitmq-server, rabbitmqctl and rabbitmq-diagnostics. They start from wherever they
# lie, read nothing in /etc, and take the rest (node name, ports, cookie, folders) from RabbitMQ's own environment variables.

# What rabbitmq-server depends on of Erlang, near and far, and itself.
rabbitmq_packages() {
  apt-cache "${apt[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances rabbitmq-server 2>/dev/null | grep -E '^(rabbitmq-server|erlang-[a-z0-9-]+)$' | sort -u
}

# Libraries that Erlang's programs want and a bare machine may lack.
erlang_libraries=(libtinfo6 libstdc++6 libgcc-s1 zlib1g libsystemd0 libcap2 libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1 libssl3)

# starter FILE LINE...: a program that knows where it lies ($root).
starter() {
  local file=$1
  shift
  # shellcheck disable=SC2016 # expands when the program runs
  printf '%s\n' '#!/bin/sh' 'root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)' \
    'for folder in "$root"/usr/lib/*-linux-gnu* "$root"/lib/*-linux-gnu*; do' \
    '  [ -d "$folder" ] && LD_LIBRARY_PATH=$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}' \
    'done' '[ -z "$LD_LIBRARY_PATH" ] || export LD_LIBRARY_PATH' "$@" >"$file"
  chmod 755 "$file"
}

# Erlang's own launchers hold the path of the installed one, so ours take their place.
rabbitmq_starters() {
  local root=$1 bin=$1/bin program
  local -a erts=("$root"/usr/lib/erlang/erts-*)
  mkdir -p "$bin"
  # shellcheck disable=SC2016 # expands when the program runs
  starter "$bin/erl" 'ROOTDIR=$root/usr/lib/erlang' "BINDIR=\$ROOTDIR/$(basename "${erts[0]}")/bin" \
    'EMU=beam PROGNAME=erl' 'export ROOTDIR BINDIR EMU PROGNAME' 'exec "$BINDIR/erlexec" "$@"'
  # shellcheck disable=SC2016
  starter "$bin/epmd" "exec \"\$root/usr/lib/erlang/$(basename "${erts[0]}")/bin/epmd\" \"\$@\""
  for program in rabbitmq-server rabbitmqctl rabbitmq-diagnostics; do
    # shellcheck disable=SC2016
    starter "$bin/$program" 'PATH=$root/bin:$PATH' 'RABBITMQ_CONF_ENV_FILE=${RABBITMQ_CONF_ENV_FILE:-/dev/null}' \
      'export PATH RABBITMQ_CONF_ENV_FILE' "exec \"\$root/usr/lib/rabbitmq/bin/$program\" \"\$@\""
  done
}

download_rabbitmq() {
  local into=$1
  local -a packages
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  mapfile -t packages < <(rabbitmq_packages)
  if ((${#packages[@]} < 2)); then
    private_apt_lists || return 1
    mapfile -t packages < <(rabbitmq_packages)
    ((${#packages[@]} >= 2)) || return 1
  fi
  unpack "$into" "${packages[@]}" || return 1
  if unresolved "$into/usr/lib/erlang/bin" "$into/usr/lib/erlang"; then unpack "$into" "${erlang_libraries[@]}" || return 1; fi
  rabbitmq_starters "$into"
}

# The machine's own RabbitMQ, for when nothing can be downloaded.
link_installed_rabbitmq() {
  local into=$1 home
  command -v erl >/dev/null && command -v epmd >/dev/null || return 1
  for home in /usr/lib/rabbitmq/bin /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin /opt/rabbitmq/sbin; do
    [[ -x $home/rabbitmq-server ]] || continue
    say "nothing could be downloaded; using the installed RabbitMQ in $home"
    mkdir -p "$into/bin"
    ln -s "$home/rabbitmq-server" "$home/rabbitmqctl" "$home/rabbitmq-diagnostics" "$(command -v erl)" "$(command -v epmd)" "$into/bin/"
    return 0
  done
  return 1
}

bring_rabbitmq() {
  local into=$cache/rabbitmq stamp trial
  stamp="rabbitmq $(cksum <"$project/scripts/services.d/rabbitmq.sh")"
  if stamped "$into" "$stamp" && [[ -x $into/bin/rabbitmq-server ]]; then return; fi
  rm -rf "$into" "$into.new" "$into.new.debs"
  mkdir -p "$into.new"
  download_rabbitmq "$into.new" || { rm -rf "$into.new" && link_installed_rabbitmq "$into.new"; } ||
    fail rabbitmq "rabbitmq-server and its Erlang cannot be downloaded with apt-get (see $cache/download.log), and none is installed"
  chmod -R a+rX "$into.new"
  mv "$into.new" "$into"
  # Loads the one library of the machine's that it may miss, OpenSSL's.
  trial=$("$into/bin/erl" -boot start_clean -noinput -noshell -eval \
    '{ok, _} = application:ensure_all_started(crypto), io:format("Erlang/OTP ~s", [erlang:system_info(otp_release)]), halt().' 2>&1) ||
    fail rabbitmq "its Erlang does not start here: $trial"
  printf '%s' "$stamp" >"$into/.stamp"
  say "RabbitMQ $(basename "$(readlink -f "$into"/usr/lib/rabbitmq/lib/rabbitmq_server-* 2>/dev/null || echo installed)") on $trial"
}
