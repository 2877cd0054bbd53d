"""Certificates for the benchmark's servers: an authority and one certificate for loopback, made with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from .processes import ServerError, program

# Elliptic curves: a handshake takes a small part of what it does with RSA, so that loads begin at once.
_NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_REQUEST = "[req]\ndistinguished_name = name\n[name]\n"
_EXTENSIONS = "extendedKeyUsage=serverAuth\nsubjectAltName=IP:127.0.0.1\n"
_DAYS = "2"


@dataclass(frozen=True)
class Certificates:
    """PEM files: the authority that clients trust, and the certificate and key of a server on 127.0.0.1."""

    authority: Path
    certificate: Path
    key: Path


def make_certificates(folder: Path) -> Certificates:
    """Writes the files into a folder; raises ServerError with openssl's words if it fails."""
    made = Certificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority_key, request = folder / "authority.key", folder / "server.csr"
    settings, extensions = folder / "openssl.cnf", folder / "server.ext"
    settings.write_text(_REQUEST)
    extensions.write_text(_EXTENSIONS)
    new = ["req", "-config", str(settings), *_NEW_KEY]
    purpose = ["-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign"]
    _openssl(
        *[*new, "-x509", "-subj", "/CN=authority", "-days", _DAYS, *purpose],
        *["-keyout", str(authority_key), "-out", str(made.authority)],
    )
    _openssl(*new, "-new", "-subj", "/CN=server", "-keyout", str(made.key), "-out", str(request))
    _openssl(
        *["x509", "-req", "-in", str(request), "-CA", str(made.authority), "-CAkey", str(authority_key)],
        *["-CAcreateserial", "-extfile", str(extensions), "-days", _DAYS, "-out", str(made.certificate)],
    )
    return made


def _openssl(*arguments: str) -> None:
    command = [program("openssl"), *arguments]
    outcome = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if outcome.returncode != 0:
        raise ServerError(f"openssl {arguments[0]}: {outcome.stderr.strip()}")
