#!/usr/bin/env bash
# Feeds the request parser, the reply decoder and whole sidecars with what nobody would think of.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: Tests/fuzz.sh [--seconds N | --runs N] [--seeded] [TARGET …]

Builds the targets with libFuzzer and AddressSanitizer, and runs one after the other. What makes one fail is left in
Tests/Fuzz/Corpus/TARGET, from where the test suite replays it from then on; other inputs that are of use are kept in
.build-fuzz/corpus. The exit code is 0 if nothing was found.

  TARGET        requests (the parser of what clients send), replies (the decoder of what stores send), upgrades (of what
                stores send to RESP3), session (a whole sidecar between two real servers, and two clients that say
                anything); all of them without it
  --seconds N   how long each target runs; 60 unless said otherwise
  --runs N      how many inputs each target gets instead
  --seeded      random inputs from a fixed seed instead of libFuzzer; needs --runs, or takes 100000 (session: 1000).
                So it is done as well where the toolchain has no libFuzzer
  --help        this text
TEXT
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."

SEED=1
SCRATCH=.build-fuzz
# shellcheck disable=SC2054  # The commas belong to one argument.
# What libFuzzer has to see of the code, and what makes the programs libFuzzer's.
INSTRUMENTED=(
  --sanitize fuzzer --sanitize address -Xswiftc -DFUZZING -Xswiftc -parse-as-library
  -Xswiftc -sanitize-coverage=edge,trace-cmp,inline-8bit-counters,pc-table
)

seconds=60 runs="" seeded=false targets=()
while (($# > 0)); do
  case $1 in
    --seconds | --runs)
      [[ $# -ge 2 && $2 =~ ^[1-9][0-9]*$ ]] || { usage >&2 && exit 2; }
      if [[ $1 == --runs ]]; then runs=$2; else seconds=$2; fi
      shift 2
      ;;
    --seeded)
      seeded=true
      shift
      ;;
    --help)
      usage
      exit 0
      ;;
    requests | replies | upgrades | session)
      targets+=("$1")
      shift
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done
((${#targets[@]} > 0)) || targets=(requests replies upgrades session)

# A whole sidecar is built without optimisation: that is done sooner, and the servers are what takes the time.
configuration() { if [[ $1 == session ]]; then echo debug; else echo release; fi; }
product() { if [[ $1 == session ]]; then echo FuzzSession; else echo FuzzInput; fi; }

# build TARGET FLAG…: builds the target's program, and says nothing unless that fails.
build() {
  local log code=0
  log=$(mktemp)
  swift build --configuration "$(configuration "$1")" --scratch-path "$SCRATCH" --product "$(product "$1")" "${@:2}" \
    >"$log" 2>&1 || code=$?
  if ((code != 0)); then tail -20 "$log" >&2; fi
  rm -f "$log"
  return "$code"
}

run_seeded() {
  local target=$1 count=${runs:-100000}
  if [[ $target == session && -z $runs ]]; then count=1000; fi
  SCRATCH=.build build "$target"
  FUZZ_TARGET=$target ".build/$(configuration "$target")/$(product "$target")" "$count" "$SEED"
}

run_libfuzzer() {
  local target=$1 corpus=$SCRATCH/corpus/$1 found=Tests/Fuzz/Corpus/$1 limit=(-max_total_time="$seconds")
  if [[ -n $runs ]]; then limit=(-runs="$runs"); fi
  mkdir -p "$corpus" "$found"
  # The conversations' memory is in the servers and in the sidecar's buffers; 1 GiB is far above what they need.
  FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no "$SCRATCH/$(configuration "$target")/$(product "$target")" \
    "${limit[@]}" -max_len=512 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/" "$corpus" "$found"
}

for target in "${targets[@]}"; do
  echo "==> $target"
  if $seeded; then
    run_seeded "$target"
  elif build "$target" "${INSTRUMENTED[@]}"; then
    run_libfuzzer "$target"
  else
    echo "libFuzzer can't be used here; random inputs instead" >&2
    run_seeded "$target"
  fi
done
