#!/usr/bin/env bash
# Measures what the sidecar costs beside no proxy, twemproxy and Envoy: run.sh --help.
set -euo pipefail

folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Asking for help installs nothing, as long as there is a Python to say it.
case " $* " in
  *" --help "* | *" -h "*) command -v python3 >/dev/null || "$folder/../setup.sh" --benchmarks ;;
  *) "$folder/../setup.sh" --benchmarks ;;
esac

# Nothing but the report is to be left behind.
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$folder"
exec python3 -m benchmark "$@"
