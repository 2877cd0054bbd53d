#!/usr/bin/env bash
# Brings faults about in the stores and in the sidecar while clients work, and shows what these clients see of it.
set -euo pipefail

usage() {
  cat <<'TEXT'
Usage: Tests/faults.sh [--all] [--only PATTERN] [--seconds N] [--jobs N] [--document]

Runs each fault of the other store, of the default store and of the sidecar in both states with dual write, between two
real servers, and compares each answer, and both stores afterwards, with what was acknowledged. Prints a Markdown table
of errors, wrong answers, the longest wait of a client, the half-seconds without service and the keys that differ. The
exit code is 1 if a promise of deploy/semantics.md was broken.

  --all           with every combination of write_acknowledgement and read_policy, instead of two of them
  --only PATTERN  only the cases whose name matches the regular expression; a case is named such as
                  "other store/stopped/old is default/both/fallback"
  --seconds N     how long each fault lasts; 8 unless said otherwise
  --jobs N        how many cases run at a time; 3 unless said otherwise
  --document      also write the table into deploy/semantics.md
  --help          this text
TEXT
}

cd "$(dirname "${BASH_SOURCE[0]}")/.."

selection=shown pattern=. seconds=8 jobs=3 document=()
while (($# > 0)); do
  case $1 in
    --all)
      selection=all
      shift
      ;;
    --document)
      document=(deploy/semantics.md)
      shift
      ;;
    --only)
      [[ $# -ge 2 ]] || { usage >&2 && exit 2; }
      pattern=$2
      shift 2
      ;;
    --seconds | --jobs)
      [[ $# -ge 2 && $2 =~ ^[1-9][0-9]*$ ]] || { usage >&2 && exit 2; }
      if [[ $1 == --seconds ]]; then seconds=$2; else jobs=$2; fi
      shift 2
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

./Tests/setup.sh
# The warnings flag is the test suite's, so that nothing is built twice.
swift build --product multistore-exporter -Xswiftc -warnings-as-errors >&2
swift build --product FaultTable -Xswiftc -warnings-as-errors >&2
"$(swift build --show-bin-path)/FaultTable" "$seconds" "$jobs" "$selection" "$pattern" "${document[@]}"
