#!/usr/bin/env bash
# Shows a whole migration on this machine: two throwaway Redis servers, the sidecar between them and an "application"
# (redis-cli), the two feature flags flipped through their four states, a backfill and a verification. Every number is
# held against the one that has to be there.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: deploy/quickstart.sh [--once] [--tls]

Installs what is missing, builds multistore-exporter, starts it between two throwaway Redis servers in a temporary
folder, and goes through a migration step by step. Then everything keeps running for experiments, until Ctrl-C.
Other processes on this machine are not touched; the folder is removed at the end.

  --once   end after the last step. The exit code is 0 if, and only if, every number was the expected one
  --tls    reach the new store over TLS, as a managed service
  --help   this text
TEXT
}

# The keys that the old store has to begin with, besides one cart.
SESSIONS=1000
# How long a process may take to start, or a line of the log to be written, in seconds.
PATIENCE=20

once=false
tls=false
while (($# > 0)); do
  case $1 in
    --once) once=true ;;
    --tls) tls=true ;;
    --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
  shift
done

project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

if [[ -t 1 && ${TERM:-dumb} != dumb && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold="" dim="" green="" red="" plain=""
fi

# Settings for other servers must not apply here.
unset REDISCLI_AUTH REDISCLI_HISTFILE
while IFS='=' read -r name _; do unset "$name"; done < <(env | grep '^MULTISTORE_' || true)

# --- Processes -------------------------------------------------------------------------------------------------------

folder=""
processes=()

clean_up() {
  local code=$? index process
  trap - EXIT
  trap '' INT TERM HUP
  # The sidecar was started last and goes first.
  for ((index = ${#processes[@]} - 1; index >= 0; index--)); do
    process=${processes[index]}
    kill "$process" 2>/dev/null || true
    wait "$process" 2>/dev/null || true
  done
  if [[ -n $folder ]]; then rm -rf "$folder"; fi
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
  echo "${red}quickstart: $*${plain}" >&2
  exit 1
}

# start NAME COMMAND…: a process in the background, its output in NAME.out.
start() {
  local name=$1
  shift
  "$@" >"$name.out" 2>&1 &
  processes+=("$!")
}

# eventually WHAT FILE COMMAND…: waits until the command succeeds; FILE is shown if it never does.
eventually() {
  local what=$1 file=$2 deadline=$((SECONDS + PATIENCE)) process
  shift 2
  until "$@" >/dev/null 2>&1; do
    for process in "${processes[@]}"; do
      kill -0 "$process" 2>/dev/null || deadline=0
    done
    if ((SECONDS >= deadline)); then
      if [[ -s $file ]]; then sed 's/^/  /' "$file" >&2; fi
      fail "$what did not happen; the output meanwhile is above."
    fi
    sleep 0.05
  done
}

# --- Output, and its comparison with the expected values -------------------------------------------------------------

numbers=0
wrong=0

title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# The text of a step comes as a here-document.
explain() { sed 's/^./  &/'; }

# check EXPECTED SEEN: ends the line with a mark, or with the difference.
check() {
  numbers=$((numbers + 1))
  if [[ $1 == "$2" ]]; then
    printf ' %s✓%s\n' "$green" "$plain"
  else
    wrong=$((wrong + 1))
    printf '\n    %sWRONG: expected %s%s\n' "$red" "${1//$'\n'/ }" "$plain"
    printf '    %s       seen     %s%s\n' "$red" "${2//$'\n'/ }" "$plain"
  fi
}

# ask SERVER EXPECTED COMMAND…: a command to the sidecar, or directly to one of the stores, and the reply.
ask() {
  local server=$1 expected=$2 reply
  shift 2
  reply=$(redis-cli --no-raw -s "$server.sock" "$@" 2>&1) || true
  printf '  %s%7s>%s %s\n' "$dim" "$server" "$plain" "$*"
  printf '           %s' "${reply//$'\n'/$'\n'           }"
  check "$expected" "$reply"
}

# pipeline WHAT REPLIES: commands from standard input, all written at once, like an application's pipeline.
pipeline() {
  local what=$1 expected="errors: 0, replies: $2" seen
  seen=$(redis-cli -s sidecar.sock --pipe 2>&1 | tail -n 1) || true
  printf '  %ssidecar>%s %s\n           %s' "$dim" "$plain" "$what" "$seen"
  check "$expected" "$seen"
}

# feature NAME VALUE: sets a flag with the operator's command.
feature() {
  local seen expected="$1: on"
  if [[ $2 == false ]]; then expected="$1: off"; fi
  printf '  %s$%s multistore-exporter feature set %s %s\n' "$bold" "$plain" "$1" "$2"
  seen=$("$program" feature set --admin.listen-address="unix:$folder/admin.sock" "$1" "$2" 2>&1) || true
  printf '    %s' "$seen"
  check "$expected" "$seen"
}

# operator CODE COMMAND…: another command of the operator, with its output and its exit code.
operator() {
  local expected=$1 code=0
  shift
  printf '  %s$%s multistore-exporter %s\n' "$bold" "$plain" "$*"
  "$program" "$@" --instance sessions --admin.listen-address="unix:$folder/admin.sock" | sed 's/^/    /' || code=$?
  printf '    exit code %s' "$code"
  check "$expected" "$code"
}

# fetch PATH: a page of the sidecar's HTTP listener.
fetch() { curl --silent --show-error --fail --max-time 10 --noproxy '*' "http://$web$1"; }

# remember: stores the counters; the next ones are shown as changes from these.
remember() { fetch /metrics >before.txt; }

# value FILE SERIES: one sample of a page.
value() { SERIES=$2 awk 'index($0, ENVIRON["SERIES"] " ") == 1 { print $NF }' "$1"; }

# total FILE NAME [PATTERN]: the sum of a metric's samples whose labels match.
total() {
  NAME=$2 PATTERN=${3:-.} awk 'index($0, ENVIRON["NAME"] "{") == 1 && $0 ~ ENVIRON["PATTERN"] { n += $NF }
    END { print n + 0 }' "$1"
}

# counter EXPECTED SERIES: its value at the last look, and its value now.
counter() {
  local shown=${2//,instance_name=\"sessions\"/} seen
  shown=${shown//instance_name=\"sessions\",/}
  fetch /metrics >now.txt
  seen=$(value now.txt "$2")
  printf '  %s%s%s  %s → %s' "$dim" "$shown" "$plain" "$(value before.txt "$2")" "$seen"
  mv now.txt before.txt
  check "$1" "$seen"
}

# number WHAT EXPECTED SEEN: any other number.
number() {
  printf '  %s: %s' "$1" "$3"
  check "$2" "$3"
}

# event CLASS: the last event of a class in the JSON log.
event() {
  eventually "the event $1" events.jsonl grep --quiet "MultiStore::$1" events.jsonl
  printf '  %s%s%s\n' "$dim" "$(grep "MultiStore::$1" events.jsonl | tail -n 1)" "$plain"
}

has_value() { fetch /metrics >now.txt && [[ $(value now.txt "$1") == "$2" ]]; }

# sessions FIRST LAST FORMAT: commands for many sessions; % in the format stands for the number.
sessions() { seq "$1" "$2" | FORMAT=$3 awk '{ line = ENVIRON["FORMAT"]; gsub(/%/, $1, line); printf "%s\r\n", line }'; }

# --- Getting ready ---------------------------------------------------------------------------------------------------

prepare() {
  title "Getting ready"
  "$project/Tests/setup.sh" --quickstart
  local build=(swift build --package-path "$project" --configuration release --static-swift-stdlib)
  build+=(--product multistore-exporter)
  echo "  Building the release binary. The first time takes some minutes."
  "${build[@]}"
  program=$("${build[@]}" --show-bin-path)/multistore-exporter

  # The path of a unix socket may have 107 bytes.
  local parent=${TMPDIR:-/tmp}
  if ((${#parent} > 60)); then parent=/tmp; fi
  folder=$(mktemp -d "$parent/multistore.XXXXXX")
  cd "$folder"
}

# make_certificate: a certificate for 127.0.0.1, signed by itself: cert.pem and key.pem.
make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=quickstart \
    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>openssl.out ||
    fail "openssl made no certificate: $(tail -n 1 openssl.out)"
}

# free_port: a port of 127.0.0.1 on which nobody listens.
free_port() {
  local port
  while port=$((20000 + RANDOM % 10000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

start_stores() {
  local store secured=()
  new_url="unix://$folder/new.sock"
  new_tls=""
  if $tls; then
    make_certificate
    local port
    port=$(free_port)
    secured=(--tls-port "$port" --tls-cert-file cert.pem --tls-key-file key.pem --tls-ca-cert-file cert.pem
      --tls-auth-clients no --bind 127.0.0.1)
    new_url="rediss://127.0.0.1:$port"
    new_tls=", tls: { ca_file: cert.pem }"
  fi
  local settings=(--port 0 --unixsocketperm 700 --dir "$folder" --save "" --appendonly no --daemonize no)
  start old redis-server --unixsocket "$folder/old.sock" "${settings[@]}"
  start new redis-server --unixsocket "$folder/new.sock" "${settings[@]}" "${secured[@]}"
  for store in old new; do
    eventually "the start of the $store redis-server" "$store.out" redis-cli -s "$store.sock" PING
  done
  sessions 1 "$SESSIONS" "SET session:% user-%" | redis-cli -s old.sock --pipe >/dev/null
  redis-cli -s old.sock HSET cart:7 apples 3 pears 1 >/dev/null
}

start_sidecar() {
  cat >sidecar.yml <<CONFIGURATION
instances:
  - name: sessions
    listen: unix:$folder/sidecar.sock
    primary:   { url: "$new_url"$new_tls }
    secondary: { url: "unix://$folder/old.sock" }
state_directory: $folder/state
feature_flags:
  file: $folder/feature_flags.yml
CONFIGURATION
  sed 's/^/    /' sidecar.yml
  start sidecar "$program" --config.file="$folder/sidecar.yml" --web.listen-address=127.0.0.1:0 \
    --admin.listen-address="unix:$folder/admin.sock" --log.file="$folder/events.jsonl"
  eventually "the start of the sidecar" sidecar.out grep --quiet '"message":"Started"' events.jsonl
  # The kernel chose the port; the log says which.
  web=$(sed -n '/"listener":"metrics"/s/.*"address":"\([^"]*\)".*/\1/p' events.jsonl)
  [[ -n $web ]] || fail "the log does not say where /metrics is: $folder/events.jsonl"
  local store
  for store in primary secondary; do
    eventually "the connection to the $store store" events.jsonl \
      has_value "multistore_store_up{instance_name=\"sessions\",store=\"$store\"}" 1
  done
}

# --- The four states -------------------------------------------------------------------------------------------------

DUAL=use_primary_and_secondary_stores_for_sessions
DEFAULT=use_primary_store_as_default_for_sessions
OF_SESSIONS='instance_name="sessions"'
FALLBACKS=gitlab_redis_multi_store_read_fallback_total
DIFFS="gitlab_redis_multi_store_pipelined_diff_error_total{command=\"pipelined\",$OF_SESSIONS}"
CONFIG_MISSING="gitlab_redis_multi_store_method_missing_total{command=\"config\",$OF_SESSIONS}"
OLD_STORE="multistore_commands_total{$OF_SESSIONS,store=\"secondary\",outcome=\"ok\"}"

introduce() {
  title "The old store has $SESSIONS sessions and a cart, the new one nothing; the sidecar stands between"
  explain <<'TEXT'
sidecar> is the application's connection; old> and new> are connected to the stores directly.
The primary is the new store, the secondary the old one. Configuration of the sidecar:
TEXT
  start_sidecar
  if $tls; then
    number "TLS of the connections to the new store" TLS1.3 \
      "$(sed -n 's/^multistore_store_tls_info{.*store="primary".*version="\([^"]*\)".*/\1/p' now.txt)"
  fi
  ask old "(integer) $((SESSIONS + 1))" DBSIZE
  ask new "(integer) 0" DBSIZE
}

pass_through() {
  title "1. Both flags off: nothing changes"
  explain <<'TEXT'
Reads and writes go to the old store alone. Only the application's Redis address was changed.
TEXT
  remember
  ask sidecar '"user-1"' GET session:1
  ask sidecar OK SET session:$((SESSIONS + 1)) user-$((SESSIONS + 1))
  ask new "(integer) 0" DBSIZE
  explain <<'TEXT'

A command that is neither a known read nor a known write goes to the default store alone. It is counted in every
state: this counter has to stay constant before the first flag is flipped.
TEXT
  ask sidecar $'1) "unixsocket"\n2) "'"$folder/old.sock\"" CONFIG GET unixsocket
  counter 1 "$CONFIG_MISSING"
  event MethodMissingError
  counter 0 "$FALLBACKS{command=\"get\",$OF_SESSIONS}"
}

dual_write() {
  title "2. Dual write on: every write goes to both stores, reads try the new one first"
  feature "$DUAL" true
  explain <<'TEXT'

The new store lacks older keys. The old one answers for these: a fallback, counted and logged.
TEXT
  ask sidecar '"user-1"' GET session:1
  event ReadFromPrimaryError
  local replies
  replies=$(seq 101 120 | xargs -I '{}' redis-cli -s sidecar.sock GET 'session:{}' | grep --count '^user-1[0-2][0-9]$')
  number "20 more sessions read, found by fallback" 20 "$replies"
  counter 21 "$FALLBACKS{command=\"get\",$OF_SESSIONS}"
  explain <<'TEXT'

A key that neither store has is an ordinary miss, and no fallback.
TEXT
  ask sidecar "(nil)" GET session:nobody
  counter 1 "multistore_true_misses_total{$OF_SESSIONS}"
  counter 21 "$FALLBACKS{command=\"get\",$OF_SESSIONS}"
  explain <<'TEXT'

A write is answered by the default store, still the old one, and copied to the new one.
TEXT
  ask sidecar OK SET session:2001 anne
  ask old '"anne"' GET session:2001
  ask new '"anne"' GET session:2001
  explain <<'TEXT'

Of several values only those that the new store lacks are requested from the old one.
TEXT
  ask new $'1) "anne"\n2) (nil)\n3) (nil)' MGET session:2001 session:1 session:nobody
  ask sidecar $'1) "anne"\n2) "user-1"\n3) (nil)' MGET session:2001 session:1 session:nobody
  counter 1 "$FALLBACKS{command=\"mget\",$OF_SESSIONS}"
  explain <<'TEXT'

A pipeline is executed on both stores and compared. Only the old one has this cart, so the replies differ. The event
names the command and shows no value.
TEXT
  printf 'HGETALL cart:7\r\nSET session:2002 bert\r\n' | pipeline "HGETALL cart:7 and SET session:2002 bert, at once" 2
  counter 1 "$DIFFS"
  event PipelinedDiffError
  ask new '"bert"' GET session:2002
}

backfill_and_verify() {
  title "3. Backfill and verification: keys that nobody writes again are copied, and both stores proved equal"
  explain <<'TEXT'
The new store still lacks what was not written since. It is copied while clients go on.
TEXT
  local all=$((SESSIONS + 4))
  ask old "(integer) $all" DBSIZE
  ask new "(integer) 2" DBSIZE
  operator 0 backfill start --wait
  ask new "(integer) $all" DBSIZE
  explain <<'TEXT'

Somebody changes a key of the new store behind the sidecar's back. A verification finds it, mends it, and looks again.
TEXT
  ask new OK SET session:7 mallory
  operator 3 verify start --wait --show-keys
  operator 0 verify start --wait --heal
  ask new '"user-7"' GET session:7
  operator 0 verify start --wait
}

new_default() {
  title "4. The new store becomes the default: its replies count from here on"
  feature "$DEFAULT" true
  explain <<'TEXT'

Commands for the default store alone show which store answers: this one returns the server's own socket.
TEXT
  ask sidecar $'1) "unixsocket"\n2) "'"$folder/new.sock\"" CONFIG GET unixsocket
  counter 2 "$CONFIG_MISSING"
  explain <<'TEXT'

The old store still gets every write and still answers fallback reads. So this step can be taken back without loss.
TEXT
  ask sidecar OK SET session:2003 cleo
  ask old '"cleo"' GET session:2003
  ask sidecar $'1) "apples"\n2) "3"\n3) "pears"\n4) "1"' HGETALL cart:7
  counter 0 "$FALLBACKS{command=\"hgetall\",$OF_SESSIONS}"
  explain <<'TEXT'

Now all keys are read from both stores in pipelines. No fallback and no diff: the new store has everything.
TEXT
  local all=$((SESSIONS + 1))
  sessions 1 "$all" "GET session:%" | pipeline "GET session:1, and so on to session:$all" "$all"
  counter 1 "$DIFFS"
  counter 21 "$FALLBACKS{command=\"get\",$OF_SESSIONS}"
}

old_store_goes() {
  title "5. Dual write off: the new store alone"
  feature "$DUAL" false
  remember
  ask sidecar OK SET session:2004 dora
  ask sidecar '"dora"' GET session:2004
  ask sidecar '"user-500"' GET session:500
  ask new "(integer) 1" EXISTS session:2004
  ask old "(integer) 0" EXISTS session:2004
  explain <<'TEXT'

The sidecar no longer uses the old store. It can be removed, and later the sidecar, too.
TEXT
  counter "$(value before.txt "$OLD_STORE")" "$OLD_STORE"
}

add_up() {
  title "Sums"
  fetch /metrics >now.txt
  local written suppressed
  written=$(total now.txt multistore_events_total ReadFromPrimaryError)
  suppressed=$(total now.txt multistore_events_suppressed_total ReadFromPrimaryError)
  number "fallbacks of all commands" 22 "$(total now.txt $FALLBACKS)"
  number "their events: $written written, $suppressed suppressed by the rate limit; together" 22 \
    $((written + suppressed))
  number "commands that a store refused or did not answer" 0 \
    "$(total now.txt multistore_commands_total 'outcome="(error|unavailable|lost|timeout|queue_full)"')"
  number "writes that did not reach the other store" 0 "$(total now.txt multistore_copy_failures_total)"
  number "changes of feature flags" 3 "$(value now.txt multistore_feature_flag_changes_total)"
  number "lines that the JSON log lost" 0 "$(total now.txt multistore_log_lines_dropped_total)"
}

play() {
  title "Everything keeps running for experiments. In another terminal:"
  cat <<TEXT

  cd $folder
  redis-cli -s sidecar.sock                   # the application's side; sends COMMAND DOCS first: method missing
  redis-cli -s old.sock DBSIZE                # directly to a store; new.sock likewise
  curl -s http://$web/metrics | grep ^gitlab | grep -v ' 0\$'
  curl http://$web/-/ready
  tail -f events.jsonl

  export MULTISTORE_ADMIN_LISTEN_ADDRESS=unix:$folder/admin.sock
  $program feature get
  $program feature set $DUAL true
  curl --unix-socket admin.sock http://localhost/api/v4/features

TEXT
  echo "${bold}Ctrl-C ends it all and removes the folder.${plain}"
  trap 'echo; exit $((wrong > 0))' INT
  wait -n "${processes[@]}" || true
  tail -n 5 ./*.out >&2
  fail "one of the servers has ended by itself; the last output of each is above."
}

prepare
start_stores
introduce
pass_through
dual_write
backfill_and_verify
new_default
old_store_goes
add_up

if ((wrong > 0)); then
  printf '\n%s%s of %s numbers are wrong; they are marked above.%s\n' "$red$bold" "$wrong" "$numbers" "$plain" >&2
else
  printf '\n%sAll %s numbers are as expected.%s\n' "$green$bold" "$numbers" "$plain"
fi
if ! $once; then play; fi
((wrong == 0))
