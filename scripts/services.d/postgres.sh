# shellcheck shell=bash
# PostgreSQL: Debian's packages, unpacked beside the project, never installed.

oldest_postgresql=15

# Prints 15 when apt has it, else the lowest version above.
postgresql_version() {
  apt-cache "${apt[@]}" --names-only search '^postgresql-[0-9]+$' | sed -n 's/^postgresql-\([0-9]*\) .*/\1/p' |
    sort -n | awk -v oldest="$oldest_postgresql" '$1 >= oldest { print; exit }'
}

# unresolved BIN LIB: whether a program or module wants a library that this machine has not.
unresolved() {
  find "$1" "$2" -type f \( -perm -u+x -o -name '*.so' \) -exec ldd {} + 2>/dev/null | grep -q 'not found'
}

# The libraries that postgresql-VERSION depends on, near and far, and that are not installed.
missing_libraries() {
  local package
  apt-cache "${apt[@]}" depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces \
    --no-enhances "postgresql-$1" | grep -E '^lib[a-z0-9.+-]+$' | sort -u |
    grep -vE '^(libc6|libc-bin|libllvm.*|libelogind0|lib.*-perl|libc-l10n|libgcc-s1|libcrypt1|libnewt.*|libdebian-.*)$' |
    while read -r package; do
      dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}

# wrap_programs BIN MACHINE: lets the programs in BIN find the libraries unpacked beside them (in lib/MACHINE), without any
# environment variable of the caller's.
wrap_programs() {
  local bin=$1 machine=$2 program
  mkdir -p "$bin/../programs"
  for program in "$bin"/*; do
    [[ $(head -c 4 "$program") == $'\x7fELF' ]] || continue
    mv "$program" "$bin/../programs/"
    # shellcheck disable=SC2016 # expands when the wrapper runs
    printf '%s\n' '#!/usr/bin/env bash' 'here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)' \
      'root=$here/../../../../..' \
      "export LD_LIBRARY_PATH=\$root/usr/lib/$machine:\$root/lib/$machine\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}" \
      'exec -a "$here/${0##*/}" "$here/../programs/${0##*/}" "$@"' >"$program"
    chmod 755 "$program"
  done
}

download_postgresql() {
  local into=$1 version programs libraries
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || return 1
  version=$(postgresql_version)
  if [[ -z $version ]]; then
    private_apt_lists || return 1
    version=$(postgresql_version)
    [[ -n $version ]] || return 1
  fi
  unpack "$into" "postgresql-$version" || return 1
  programs=$into/usr/lib/postgresql/$version
  rm -rf "$programs"/lib/llvmjit* "$programs/lib/bitcode" # jit wants the whole of LLVM; without its module it is off
  if unresolved "$programs/bin" "$programs/lib"; then
    mapfile -t libraries < <(missing_libraries "$version")
    unpack "$into" "${libraries[@]}" || return 1
    wrap_programs "$programs/bin" "$(cd "$into/usr/lib" && echo *-linux-gnu*)"
  fi
  [[ $version == 15 ]] || ln -s "$version" "$into/usr/lib/postgresql/15"
}

# The machine's own PostgreSQL, for when nothing can be downloaded.
link_installed_postgresql() {
  local into=$1 bin version
  for bin in /usr/lib/postgresql/*/bin "$(dirname "$(readlink -f "$(command -v initdb || echo /none/initdb)")")"; do
    [[ -x $bin/initdb && -x $bin/postgres ]] || continue
    version=$("$bin/postgres" --version | sed 's/[^0-9]*\([0-9]*\).*/\1/')
    ((version >= oldest_postgresql)) || continue
    say "nothing could be downloaded; using the installed PostgreSQL $version in $bin"
    mkdir -p "$into/usr/lib/postgresql/15"
    ln -s "$bin" "$into/usr/lib/postgresql/15/bin"
    return 0
  done
  return 1
}

# Root may not run PostgreSQL, so another user must be able to reach its programs: from below a closed folder
# (a clone in /root, say) they move to where everybody may go, and .cache/postgresql becomes a link.
open_to_all() {
  local folder=$1
  while [[ $folder != / ]]; do
    [[ $(stat -c %A "$folder") == *[xt] ]] || return 1
    folder=$(dirname "$folder")
  done
}

bring_postgres() {
  local into=$cache/postgresql home stamp
  stamp="postgresql $(cksum <"${BASH_SOURCE[0]}") $project"
  if stamped "$into" "$stamp" && "$into/usr/lib/postgresql/15/bin/postgres" --version >/dev/null 2>&1; then return; fi
  [[ -e /usr/share/zoneinfo/UTC ]] || install postgres tzdata
  home=$into
  if [[ $EUID -eq 0 ]] && ! open_to_all "$cache"; then
    home=/var/tmp/catchall-postgresql-$(cksum <<<"$project" | cut -d' ' -f1)
  fi
  rm -rf "$into" "$home" "$home.new" "$home.new.debs"
  mkdir -p "$home.new"
  download_postgresql "$home.new" || { rm -rf "$home.new" && link_installed_postgresql "$home.new"; } ||
    fail postgres "no PostgreSQL $oldest_postgresql or newer can be downloaded with apt-get (see $cache/download.log), and none is installed"
  chmod -R a+rX "$home.new"
  mv "$home.new" "$home"
  [[ $home == "$into" ]] || ln -s "$home" "$into"
  local trial
  trial=$("$into/usr/lib/postgresql/15/bin/postgres" --version 2>&1) ||
    fail postgres "its programs do not start here: $trial"
  "$into/usr/lib/postgresql/15/bin/initdb" --version >/dev/null || fail postgres "initdb does not start here"
  printf '%s' "$stamp" >"$into/.stamp"
  say "$trial"
}
