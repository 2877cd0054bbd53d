"""Measures what a sidecar costs, beside other proxies and no proxy at all; see run.sh --help."""
