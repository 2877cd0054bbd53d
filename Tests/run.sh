#!/usr/bin/env bash
# Installs what is missing and runs the whole suite: lint, a build in which a warning is an error, all tests.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: Tests/run.sh [--filter PATTERN] [--clients]

Installs what is missing (see Tests/setup.sh --help), checks the formatting, builds with warnings as errors and runs
all tests. The exit code is 0 if, and only if, all of that succeeded.

  --filter PATTERN   run only the tests whose Target.Suite/test matches the regular expression
  --clients          install all clients that Tests/ClientTests runs; without this those that are missing are skipped
  --help             this text
TEXT
}

# A process of tests that hangs is cut off here. On two quiet cores it takes a few minutes; beside other work it may
# take several times as long, and has to be let finish.
TEST_LIMIT_SECONDS=1200
# Processes that run tests at once. A test blocks its thread, of which Swift's pool has one for each processor, and most
# of the time it waits for servers and timeouts: a single process leaves the processors half idle.
TEST_PROCESSES=5
# Parts into which the suites are dealt out, each for a process of its own. With a few large ones, those that end early
# would leave the processors to the last one.
TEST_PARTS=20
# Tests of a process that have begun. Without a limit Swift Testing begins them all: hundreds of servers, and what one
# test awaits stands in line behind all the others, for longer than any sensible deadline.
TEST_WIDTH=4
# The scripts of real clients keep their threads for minutes, and tests with deadlines would wait for one: they have a
# process of their own.
CLIENTS='ClientTests.ClientTests'
# They measure how long clients wait, for which other tests may not keep the processors: one after the other.
ALONE='EndToEndTests.(MemoryLimitTests|ProbeStarvationTests)|FaultTests.FaultTests|HTTPServerTests.StarvationTests'

cd "$(dirname "${BASH_SOURCE[0]}")/.."

filter=()
setup=()
while (($# > 0)); do
  case $1 in
    --filter)
      [[ $# -ge 2 ]] || { usage >&2 && exit 2; }
      filter=(--filter "$2")
      shift 2
      ;;
    --clients)
      setup=(--clients)
      # A client that is missing fails its tests.
      export MULTISTORE_CLIENTS=required
      shift
      ;;
    --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done

# step NAME COMMAND…: runs the command, says how long it took, and ends everything if it failed.
step() {
  local name=$1 start=$SECONDS code=0
  shift
  echo "==> $name"
  "$@" || code=$?
  if ((code != 0)); then
    echo "==> $name failed after $((SECONDS - start)) s" >&2
    exit "$code"
  fi
  echo "==> $name: $((SECONDS - start)) s"
}

build() { swift build --build-tests -Xswiftc -warnings-as-errors; }

# The part of the suites that each process runs.
declare -A part_of=()

# begin NUMBER PATTERN: runs a part in the background.
begin() {
  "${tests[@]}" "$TEST_WIDTH" --filter "$2" >"$OUTPUTS/$1" 2>&1 &
  part_of[$!]=$1
}

# end_one: waits for one of the processes, and shows its output if a test failed.
end_one() {
  local process code=0
  wait -n -p process || code=$?
  if ((code == 0)); then
    tail -n 1 "$OUTPUTS/${part_of[$process]}"
  else
    cat "$OUTPUTS/${part_of[$process]}"
    failed=1
  fi
  unset "part_of[$process]"
}

# run_all: all suites. Neighbours, which are alike, go to different parts.
run_all() {
  local suites number failed=0
  suites=$("${tests[@]}" 1 --list-tests | sed 's|/.*||' | sort -u |
    grep --invert-match --line-regexp --extended-regexp "$CLIENTS|$ALONE")
  begin 0 "^$CLIENTS/"
  for ((number = 1; number <= TEST_PARTS; number++)); do
    if ((${#part_of[@]} == TEST_PROCESSES)); then end_one; fi
    begin "$number" "^($(awk "NR % $TEST_PARTS == $number % $TEST_PARTS" <<<"$suites" | paste -s -d '|'))/"
  done
  while ((${#part_of[@]} > 0)); do end_one; done
  return "$failed"
}

# Tests with thousands of clients need more descriptors than the usual 1024.
raise_descriptor_limit() {
  local hard
  hard=$(ulimit -Hn)
  if [[ $hard == unlimited ]] || ((hard > 65536)); then hard=65536; fi
  ulimit -Sn "$hard"
}

raise_descriptor_limit
step setup ./Tests/setup.sh "${setup[@]}"
step lint swift format lint --strict --parallel --recursive Package.swift Sources Tests
step build build
# What `swift test` would run; but of that, one waits for the other. The width comes next.
tests=(
  timeout --verbose --kill-after=10 "$TEST_LIMIT_SECONDS"
  "$(swift build --show-bin-path)/multistore-exporterPackageTests.xctest" --testing-library swift-testing
  --experimental-maximum-parallelization-width
)
if ((${#filter[@]} > 0)); then
  step tests "${tests[@]}" "$TEST_WIDTH" "${filter[@]}"
else
  OUTPUTS=$(mktemp -d)
  # Processes that still run when this is cut short would go on beside its successor.
  trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$OUTPUTS"' EXIT
  step tests run_all
  step "waits of clients" "${tests[@]}" 1 --filter "^($ALONE)/"
fi
