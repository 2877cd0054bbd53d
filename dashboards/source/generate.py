#!/usr/bin/env python3
"""Writes the dashboards: dashboards/source/generate.py [FOLDER]

FOLDER is the folder above this script unless another is given. What is written is committed, and a test compares it.
Needs grafana-foundation-sdk, which Tests/setup.sh puts into ~/.cache/multistore-exporter.
"""

import json
import os
import pathlib
import sys

# Nothing but the dashboards is to be left behind.
sys.dont_write_bytecode = True
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "multistore-exporter"
sys.path.append(str(CACHE / "python-grafana-foundation-sdk"))

try:
    from grafana_foundation_sdk.cog.encoder import JSONEncoder
except ImportError:
    sys.exit("generate.py: grafana-foundation-sdk is not there: run Tests/setup.sh, which puts it where this looks.")

import instance
import overview
import panels


def main() -> None:
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).resolve().parent.parent
    for made in (overview.dashboard(), instance.dashboard()):
        built = panels.finished(made)
        text = json.dumps(built, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False)
        (folder / f"{built.uid}.json").write_text(text + "\n", encoding="utf-8")


main()
