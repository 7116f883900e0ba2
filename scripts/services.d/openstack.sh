# shellcheck shell=bash
# OpenStack's services for `make test-openstack`. Debian's packages, installed: the services want Debian's Python and their own
# places. None of these packages holds a daemon that would start by itself; those are in packages of their own.

openstack_packages=(python3-keystone python3-placement python3-glance glance-common python3-nova nova-common python3-neutron
  neutron-common python3-cinder cinder-common python3-heat heat-common uwsgi-core uwsgi-plugin-python3 python3-psycopg2
  python3-requests)

bring_openstack() {
  local package
  local -a missing=()
  command -v dpkg-query >/dev/null ||
    fail openstack "its services are tried as Debian's packages (${openstack_packages[*]}), and this machine has no dpkg"
  for package in "${openstack_packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  ((${#missing[@]} == 0)) || install openstack --no-install-recommends "${missing[@]}"
}
