#!/usr/bin/env bash
# Counts what a command costs the sidecar, and compares that with what is committed: cost.sh --help.
set -euo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

"$folder/../setup.sh" --cost

export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$folder"
exec python3 -m cost "$@"
