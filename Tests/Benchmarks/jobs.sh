#!/usr/bin/env bash
# Measures backfill and verification beside MIGRATE … COPY KEYS in batches of 100, between the same two servers:
# jobs.sh [KEYS]. It builds the sidecar with optimisation, unless MULTISTORE_EXPORTER names one.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
keys=${1:-1000000}
exporter=${MULTISTORE_EXPORTER:-}
if [[ -z $exporter ]]; then
  build=(swift build --package-path "$root" --configuration release --static-swift-stdlib)
  "${build[@]}" >&2
  exporter=$("${build[@]}" --show-bin-path)/multistore-exporter
fi

place=$(mktemp -d)
processes=()
finish() {
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  rm -rf "$place"
}
trap finish EXIT

# A port that is free now.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
until_true() { for _ in {1..200}; do "$@" >/dev/null 2>&1 && return; sleep 0.05; done; echo "gave up: $*" >&2; exit 1; }
now() { date +%s.%N; }
since() { python3 -c "print(f'{$(now) - $1:.2f}')"; }
# The processor time of the processes so far, in seconds.
processor() {
  for process in "${processes[@]}"; do
    awk -v tick="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); printf "%.2f ", ($12 + $13) / tick }' "/proc/$process/stat"
  done
}

store() {
  redis-server --port "$1" --save "" --appendonly no --enable-debug-command local --loglevel warning --dir "$place" >/dev/null 2>&1 &
  processes+=($!)
  until_true redis-cli -p "$1" PING
}

old=$(port)
store "$old"
new=$(port)
store "$new"
redis-cli -p "$old" DEBUG POPULATE "$keys" key 64 >/dev/null

awk -v keys="$keys" -v port="$new" 'BEGIN {
  for (first = 0; first < keys; first += 100) {
    printf "MIGRATE 127.0.0.1 %d \"\" 0 60000 COPY KEYS", port
    for (key = first; key < first + 100 && key < keys; key++) printf " key:%d", key
    print ""
  }
}' >"$place/migrate"
start=$(now)
redis-cli -p "$old" <"$place/migrate" >/dev/null
migrate=$(since "$start")
[[ $(redis-cli -p "$new" DBSIZE) == "$keys" ]] || { echo "MIGRATE did not copy all keys" >&2; exit 1; }
echo "MIGRATE: $migrate s; processor time (old, new): $(processor)"
redis-cli -p "$new" FLUSHALL >/dev/null

cat >"$place/flags.yml" <<END
use_primary_and_secondary_stores_for_jobs: true
use_primary_store_as_default_for_jobs: false
END
cat >"$place/sidecar.yml" <<END
feature_flags: { file: $place/flags.yml }
instances:
  - name: jobs
    listen: unix:$place/jobs.sock
    primary: { url: "redis://127.0.0.1:$new/0" }
    secondary: { url: "redis://127.0.0.1:$old/0" }
END
"$exporter" --config.file="$place/sidecar.yml" --web.listen-address="unix:$place/web.sock" \
  --admin.listen-address="unix:$place/admin.sock" --log.file="$place/log" &
sidecar=$!
processes+=("$sidecar")
until_true redis-cli -s "$place/jobs.sock" PING

memory() { awk '/VmRSS/ { print $2 }' "/proc/$sidecar/status"; }
job() {
  local start before after
  before=$(memory)
  start=$(now)
  "$exporter" "$1" start --instance=jobs --rate=1000000 --wait --admin.listen-address="unix:$place/admin.sock" \
    >"$place/$1" 2>&1 || { cat "$place/$1" >&2; exit 1; }
  taken=$(since "$start")
  after=$(memory)
  echo "$1: $taken s; processor time (old, new, sidecar): $(processor); memory +$(((after - before) / 1024)) MiB"
}

job backfill
[[ $(redis-cli -p "$new" DBSIZE) == "$keys" ]] || { echo "the backfill did not copy all keys" >&2; exit 1; }
backfill=$taken
job verify
python3 -c "
print(f'MIGRATE / backfill: {$migrate / $backfill:.2f} (at least 1)')
print(f'MIGRATE / verification: {$migrate / $taken:.2f} (at least 2)')"
