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

# A suite that hangs is cut off here. It takes some five minutes on two quiet cores; beside other work it may take three
# times as long, and has to be let finish.
TEST_LIMIT_SECONDS=1200
# Tests that run at once. Without a limit Swift Testing begins them all: hundreds of servers, and what one test awaits
# stands in line behind all the others that block one of the few threads, for longer than any sensible deadline.
TEST_WIDTH=4

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

# run_tests OPTION…: those that the options of `swift test` name.
run_tests() {
  local code=0
  timeout --kill-after=10 "$TEST_LIMIT_SECONDS" \
    swift test --skip-build --disable-xctest -Xswiftc -warnings-as-errors \
    --experimental-maximum-parallelization-width "$TEST_WIDTH" "$@" || code=$?
  if ((code == 124)); then echo "The tests were cut off after $TEST_LIMIT_SECONDS s." >&2; fi
  return "$code"
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
if ((${#filter[@]} > 0)); then
  step tests run_tests "${filter[@]}"
else
  # The scripts of real clients keep the threads that run tests for minutes, and tests with deadlines would wait for one.
  step tests run_tests --skip ClientTests.ClientTests --skip EndToEndTests.MemoryLimitTests
  # They measure how long a client waits, for which other tests may not keep the processors.
  step "memory limit" run_tests --filter EndToEndTests.MemoryLimitTests
  step "real clients" run_tests --filter ClientTests.ClientTests
fi
