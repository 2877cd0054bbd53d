"""Gets a sidecar's metrics page."""

from __future__ import annotations

import urllib.request

LIMIT_SECONDS = 30.0

# The page is on loopback, whatever proxy the environment names for the rest of the world.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def fetch(url: str) -> bytes:
    """The page; raises an OSError if it can't be had."""
    with _OPENER.open(url, timeout=LIMIT_SECONDS) as response:
        page: bytes = response.read()
        return page
