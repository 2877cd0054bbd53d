#!/usr/bin/env bash
# The checks of redis-cli's modes: check.sh HOST PORT CHECK... (see Tests/ClientTests/ClientCheck.swift).
set -euo pipefail

HOST=$1
PORT=$2
shift 2
# With MULTISTORE_CA it uses TLS, and the server's certificate has to lead to the one in that file.
TLS=()
if [[ -n ${MULTISTORE_CA:-} ]]; then TLS=(--tls --cacert "$MULTISTORE_CA"); fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Bounded, so that a mode that never ends fails instead. Lines are not held back, so that others can wait for them.
cli() { timeout 20 stdbuf -oL redis-cli -h "$HOST" -p "$PORT" "${TLS[@]}" "$@"; }

# listen FILE ARGUMENT…: redis-cli in the background, with its output in a file; sets "listener" to its process.
listen() {
  local file=$1
  shift
  # Not in a shell of its own, which would be killed in place of redis-cli.
  timeout 60 stdbuf -oL redis-cli -h "$HOST" -p "$PORT" "${TLS[@]}" "$@" >"$file" 2>&1 </dev/null &
  listener=$!
}

fail() {
  echo "$*" >&2
  exit 1
}

# expect WANTED COMMAND…: the command succeeds and prints just that.
expect() {
  local wanted=$1 seen
  shift
  seen=$("$@") || fail "'$*' ended with $?"
  [[ $seen == "$wanted" ]] || fail "'$*': expected '$wanted', got '$seen'"
}

# expect_part WANTED COMMAND…: the command succeeds and prints that among other things.
expect_part() {
  local wanted=$1 seen
  shift
  seen=$("$@") || fail "'$*' ended with $?"
  [[ $seen == *"$wanted"* ]] || fail "'$*': expected '$wanted' in '$seen'"
}

# wait_until COMMAND…: tries until it succeeds, 20 s at most.
wait_until() {
  local end=$((SECONDS + 20))
  until "$@"; do ((SECONDS < end)) || fail "waited for '$*' in vain"; done
}

check_arguments() {
  expect OK cli SET arguments:a "1 2"
  expect "1 2" cli GET arguments:a
  expect "" cli GET arguments:none
  expect 3 cli RPUSH arguments:list a b c
  expect $'a\nb\nc' cli LRANGE arguments:list 0 -1
  expect_part WRONGTYPE cli INCR arguments:list
  if cli -e INCR arguments:list >"$folder/error"; then fail "-e: an error was a success"; fi
  expect_part "unknown command" cli NO-SUCH-COMMAND
}

check_output_forms() {
  cli RPUSH forms:list a 'b"c' >"$folder/out"
  cli HSET forms:hash f 1 >"$folder/out"
  expect $'1) "a"\n2) "b\\"c"' cli --no-raw LRANGE forms:list 0 -1
  expect $'a\nb"c' cli --raw LRANGE forms:list 0 -1
  expect '"a","b\"c"' cli --csv LRANGE forms:list 0 -1
  expect '"f","1"' cli --csv HGETALL forms:hash
  expect '(integer) 1' cli --no-raw HLEN forms:hash
  expect '(nil)' cli --no-raw GET forms:none
  expect_part '(error) WRONGTYPE' cli --no-raw GET forms:list
  expect 'a;b"c' cli -d ';' LRANGE forms:list 0 -1
}

check_standard_input() {
  printf 'line\0\r\n\xff' | cli -x SET input:x >"$folder/out"
  expect 8 cli STRLEN input:x
  printf 'tagged' | cli -X tag MSET input:a 1 input:b tag >"$folder/out"
  expect tagged cli GET input:b
  printf 'SET input:c "a\\x00b"\nSTRLEN input:c\nMULTI\nINCR input:n\nINCR input:n\nEXEC\n' >"$folder/commands"
  expect $'OK\n3\nOK\nQUEUED\nQUEUED\n1\n2' cli <"$folder/commands"
}

check_repeat() {
  expect $'1\n2\n3\n4\n5' cli -r 5 -i 0.01 INCR repeat:n
  printf '3 INCR repeat:n\n' >"$folder/commands"
  expect $'6\n7\n8' cli <"$folder/commands"
}

check_eval() {
  echo 'redis.call("SET", KEYS[1], ARGV[1]); return {KEYS[1], redis.call("GET", KEYS[1])}' >"$folder/script.lua"
  expect $'eval:k\nv' cli --eval "$folder/script.lua" eval:k , v
  expect v cli GET eval:k
}

check_pipe() {
  # In the protocol and as inline commands, with binary data; one of them fails.
  {
    # shellcheck disable=SC2016 # The dollar signs are the protocol's.
    for i in {1..500}; do printf '*3\r\n$3\r\nSET\r\n$%d\r\npipe:%d\r\n$4\r\n\r\n\xff\x01\r\n' $((${#i} + 5)) "$i"; done
    printf 'RPUSH pipe:list a b c\r\nINCR pipe:list\r\n'
  } >"$folder/commands"
  cli --pipe <"$folder/commands" >"$folder/out" 2>&1 && fail "--pipe: an error was a success"
  expect_part "errors: 1, replies: 502" cat "$folder/out"
  expect 4 cli STRLEN pipe:500
  expect 3 cli LLEN pipe:list
}

check_scan() {
  for i in {1..300}; do echo "SET scan:$i $i"; done | cli >"$folder/out"
  cli --scan --pattern 'scan:*' | sort -u >"$folder/keys"
  expect 300 sed -n '$=' "$folder/keys"
  cli --scan --pattern 'scan:29?' | sort -u >"$folder/keys"
  expect 10 sed -n '$=' "$folder/keys"
}

# Keys of each size, for the modes that look for the largest ones.
fill_sizes() {
  cli SET sizes:text "$(printf '%0999d' 0)" >"$folder/out"
  cli DEL sizes:list >"$folder/out"
  for _ in {1..5}; do echo "RPUSH sizes:list $(seq -s ' ' 1000)"; done | cli >"$folder/out"
}

check_bigkeys() {
  fill_sizes
  expect_part 'list found "sizes:list" has 5000 items' normalised --bigkeys
  expect_part 'string found "sizes:text" has 999 bytes' normalised --bigkeys
}

check_memkeys() {
  fill_sizes
  expect_part 'list found "sizes:list" has ' normalised --memkeys
}

# A mode's output without what depends on the width of columns.
normalised() { cli "$@" | tr -s ' ' | tr -d "'"; }

# Needs a store that counts how often keys are used (maxmemory-policy allkeys-lfu).
check_hotkeys() {
  # Writes, since reads need not go to the default store, whose counts these are.
  for _ in {1..2000}; do echo 'INCR hot:a'; done | cli --pipe >"$folder/out"
  expect_part 'keyname: "hot:a"' normalised --hotkeys
}

check_latency() {
  # Least, most and mean time in milliseconds, and how many were measured.
  cli --latency --raw -i 0.2 >"$folder/out"
  grep -qE '^[0-9]+ [0-9]+ [0-9]+\.[0-9]+ [1-9][0-9]*$' "$folder/out" || fail "--latency: $(cat "$folder/out")"
}

check_stat() {
  listen "$folder/stat" --stat -i 0.05
  wait_until grep -qE '^[0-9]+ +[0-9.]+[KM] +[0-9]+ +[0-9]+ +[0-9]+ \(\+[0-9]+\)' "$folder/stat"
  kill "$listener"
}

check_interactive() {
  # In a terminal, the prompt names the address, and help and hints come from the server's COMMAND DOCS.
  printf '%s\n' 'help SET' 'help @list' 'SET terminal:a 1' MULTI 'INCR terminal:a' DISCARD 'GET terminal:a' exit |
    timeout 20 python3 "$(dirname "$0")/terminal.py" redis-cli -h "$HOST" -p "$PORT" "${TLS[@]}" >"$folder/out"
  local part
  for part in "$HOST:$PORT> " "Set the string value of a key" "LPUSH" "$HOST:$PORT(TX)> " '"1"'; do
    expect_part "$part" cat "$folder/out"
  done
  expect 1 cli GET terminal:a
}

check_databases() {
  expect OK cli -n 1 SET databases:a one
  expect OK cli -n 0 SET databases:a zero
  expect one cli -n 1 GET databases:a
  expect zero cli GET databases:a
  expect one timeout 20 redis-cli "${TLS[@]}" -u "redis${TLS:+s}://$HOST:$PORT/1" GET databases:a
  printf 'SELECT 1\nGET databases:a\nSELECT 0\nGET databases:a\n' >"$folder/commands"
  expect $'OK\none\nOK\nzero' cli <"$folder/commands"
}

# True if a message was published to a listener.
published() { [[ $(cli PUBLISH "$@") == 1 ]]; }

check_pubsub() {
  listen "$folder/channel" SUBSCRIBE pubsub:a
  local first=$listener
  listen "$folder/pattern" PSUBSCRIBE 'pubsub:p*'
  local second=$listener
  wait_until published pubsub:a one
  wait_until published pubsub:pattern "two words"
  wait_until grep -q 'two words' "$folder/pattern"
  wait_until grep -q one "$folder/channel"
  kill "$first" "$second"
  expect $'subscribe\npubsub:a\n1\nmessage\npubsub:a\none' cat "$folder/channel"
  expect $'psubscribe\npubsub:p*\n1\npmessage\npubsub:p*\npubsub:pattern\ntwo words' cat "$folder/pattern"
}

check_resp3() {
  cli HSET resp3:hash f 1 g 2 >"$folder/out"
  cli ZADD resp3:zset 1.5 a 2 b >"$folder/out"
  cli SADD resp3:set m >"$folder/out"
  expect $'1# "f" => "1"\n2# "g" => "2"' cli -3 --no-raw HGETALL resp3:hash
  expect $'1) 1) "a"\n   2) (double) 1.5\n2) 1) "b"\n   2) (double) 2' cli -3 --no-raw ZRANGE resp3:zset 0 -1 WITHSCORES
  expect '1~ "m"' cli -3 --no-raw SMEMBERS resp3:set
  expect '(nil)' cli -3 --no-raw GET resp3:none
  printf 'HELLO 3\nMULTI\nHGETALL resp3:hash\nEXEC\nHELLO 2\nHGETALL resp3:hash\n' | cli --no-raw >"$folder/out"
  expect_part $'1) 1# "f" => "1"\n   2# "g" => "2"' cat "$folder/out"
  expect $'1) "f"\n2) "1"\n3) "g"\n4) "2"' tail -n 4 "$folder/out"
  listen "$folder/push" -3 SUBSCRIBE resp3:a
  wait_until published resp3:a one
  wait_until grep -q one "$folder/push"
  kill "$listener"
  expect $'subscribe\nresp3:a\n1\nmessage\nresp3:a\none' cat "$folder/push"
}

check_json() {
  cli HSET json:hash f 1 g 2 >"$folder/out"
  cli ZADD json:zset 1.5 a 2 b >"$folder/out"
  expect '{"f":"1","g":"2"}' cli --json HGETALL json:hash
  expect '[["a",1.5],["b",2]]' cli --json ZRANGE json:zset 0 -1 WITHSCORES
  expect null cli --json GET json:none
  expect_part '"maxmemory-policy":' cli --json CONFIG GET 'maxmemory*'
}

for check in "$@"; do
  "check_$check"
  echo "ok $check"
done
echo "done"
