#!/usr/bin/env bash
# Builds the program and writes its own table of metrics into README.md, in the place of the one that is there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

swift build --product multistore-exporter
table=$(mktemp)
readme=$(mktemp)
trap 'rm -f "$table" "$readme"' EXIT
"$(swift build --show-bin-path)/multistore-exporter" describe-metrics --format markdown >"$table"
# The table begins with its head and ends before the next empty line.
awk -v table="$table" '
  FNR == 1 { while ((getline line < table) > 0) lines = lines line "\n" }
  substr(lines, 1, length($0) + 1) == $0 "\n" && /^\| name / { printf "%s", lines; skipping = 1; found = 1 }
  /^$/ { skipping = 0 }
  !skipping
  END { exit !found }
' README.md >"$readme" || {
  echo "README.md has no table that begins like the one of describe-metrics." >&2
  exit 1
}
cat "$readme" >README.md
