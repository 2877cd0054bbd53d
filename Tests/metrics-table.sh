#!/usr/bin/env bash
# Builds the program and replaces the table of metrics in deploy/observability.md by the program's own.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

document=deploy/observability.md
# The warnings flag is the test suite's, so that nothing is built twice.
swift build --product multistore-exporter -Xswiftc -warnings-as-errors
table=$(mktemp)
new=$(mktemp)
trap 'rm -f "$table" "$new"' EXIT
"$(swift build --show-bin-path)/multistore-exporter" describe-metrics --format markdown >"$table"
# The table begins with its head and ends before the next empty line.
awk -v table="$table" '
  FNR == 1 { while ((getline line < table) > 0) lines = lines line "\n" }
  substr(lines, 1, length($0) + 1) == $0 "\n" && /^\| name / { printf "%s", lines; skipping = 1; found = 1 }
  /^$/ { skipping = 0 }
  !skipping
  END { exit !found }
' "$document" >"$new" || {
  echo "$document has no table that begins like the one of describe-metrics." >&2
  exit 1
}
cat "$new" >"$document"
