"""A client of Redis that is just enough to fill stores and to ask them what they have done."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType

Reply = bytes | int | None | list["Reply"]

# A store that does not answer within this many seconds is broken.
REPLY_LIMIT_SECONDS = 60.0


class StoreError(Exception):
    """An error reply, or what is no reply."""


def encode(*arguments: bytes | str | int) -> bytes:
    """A command as it goes over the wire."""
    parts = [argument if isinstance(argument, bytes) else str(argument).encode() for argument in arguments]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


class Connection:
    """A connection to a store or a proxy on loopback; with TLS if there is the file of an authority to trust."""

    def __init__(self, port: int, authority: Path | None = None) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), REPLY_LIMIT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if authority is not None:
            context = ssl.create_default_context(cafile=str(authority))
            self._socket = context.wrap_socket(self._socket, server_hostname="127.0.0.1")
        self._replies = self._socket.makefile("rb")

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._replies.close()
        self._socket.close()

    def call(self, *arguments: bytes | str | int) -> Reply:
        """Sends a command and returns its reply; raises StoreError for an error."""
        self._socket.sendall(encode(*arguments))
        return self._read()

    def send_all(self, commands: Iterable[bytes], batch: int) -> None:
        """Sends encoded commands, a batch at a time, and reads their replies; raises StoreError for an error."""
        iterator: Iterator[bytes] = iter(commands)
        while chunk := list(islice(iterator, batch)):
            self._socket.sendall(b"".join(chunk))
            for _ in chunk:
                self._read()

    def _read(self) -> Reply:
        line = self._replies.readline()
        if not line.endswith(b"\r\n"):
            raise StoreError("the connection was closed")
        kind, text = line[:1], line[1:-2]
        match kind:
            case b"+":
                return text
            case b":":
                return int(text)
            case b"-":
                raise StoreError(text.decode(errors="replace"))
            case b"$":
                length = int(text)
                return None if length < 0 else self._replies.read(length + 2)[:-2]
            case b"*":
                return [self._read() for _ in range(int(text))]
            # RESP3: a null, and a map, whose keys and values are returned by turns.
            case b"_":
                return None
            case b"%":
                return [self._read() for _ in range(2 * int(text))]
        raise StoreError(f"not a reply: {line!r}")


def info_fields(text: bytes) -> dict[str, str]:
    """What INFO says, by name."""
    pairs = (line.partition(":") for line in text.decode().splitlines())
    return {name: value.strip() for name, colon, value in pairs if colon}
