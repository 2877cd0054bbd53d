#!/usr/bin/env bash
# redis-benchmark's default run: check.sh HOST PORT CHECK... (see Tests/ClientTests/ClientCheck.swift).
#
# BENCHMARK_REQUESTS says how many requests each of its tests makes; 400 unless given.
set -euo pipefail

HOST=$1
PORT=$2
shift 2

# What the run without -t consists of, in its order.
TESTS='PING_INLINE
PING_MBULK
SET
GET
INCR
LPUSH
RPUSH
LPOP
RPOP
SADD
HSET
SPOP
ZADD
ZPOPMIN
LPUSH (needed to benchmark LRANGE)
LRANGE_100 (first 100 elements)
LRANGE_300 (first 300 elements)
LRANGE_500 (first 500 elements)
LRANGE_600 (first 600 elements)
MSET (10 keys)'

# run OPTION…: a run whose tests have to have a result each, with more than 0 requests a second; "inf" is what it prints
# when they took less than a millisecond. An error reply ends redis-benchmark with exit code 1.
run() {
  local output seen
  output=$(timeout 100 redis-benchmark -h "$HOST" -p "$PORT" -n "${BENCHMARK_REQUESTS:-400}" --csv "$@")
  seen=$(sed -nE '2,$ s/^"([^"]+)","([0-9]*[1-9][0-9]*\.[0-9]+|[0-9]+\.[0-9]*[1-9][0-9]*|inf)",.*/\1/p' <<<"$output")
  [[ $seen == "$TESTS" ]] || {
    echo "These tests were to have results: $TESTS. It printed: $output" >&2
    return 1
  }
}

check_default() { run; }

check_pipelined() { run -P 16; }

check_random_keys() { run -r 500 -d 100; }

for check in "$@"; do
  "check_$check"
  echo "ok $check"
done
echo "done"
