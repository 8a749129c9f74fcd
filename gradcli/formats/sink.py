"""``out`` as a file that is written from the front, for libraries that write files."""

from __future__ import annotations

import io
from typing import Any

from gradcli.formats.given import Out


class Sink(io.RawIOBase):
    """A context: what is written after it, as by a library's destructor once writing has failed, goes nowhere."""

    def __init__(self, out: Out) -> None:
        self._out, self._at = out, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._out(piece)
        self._at += len(piece)
        return len(piece)

    def __exit__(self, *_: object) -> None:
        self._out = len
