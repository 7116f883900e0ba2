# shellcheck shell=bash
# systemd: its own judgement of our unit (systemd-analyze), and users made below another root (systemd-sysusers).
# Only the programs are needed; systemd itself is never started.

bring_systemd() {
  local program
  for program in systemd-analyze systemd-sysusers deb-systemd-helper; do
    command -v "$program" >/dev/null || install systemd systemd init-system-helpers
    command -v "$program" >/dev/null || fail systemd "the package systemd is installed, and there still is no $program"
  done
}
