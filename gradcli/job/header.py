"""The columns of a file that is read, before its rows are.

Which inputs have uncertainties, and what a word in natural notation means, may depend on the header. Layer: must not
know expressions.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO, cast

from gradcli.formats import open_table
from gradcli.formats.columns import key_of
from gradcli.formats.input import opened
from gradcli.job.input_paths import matching
from gradcli.job.request import Rows
from gradcli.storage import is_url


class _Recorded(io.RawIOBase):
    """A stream that keeps the bytes that are read from it, and that is not closed by its reader."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.bytes = stream, bytearray()

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.stream.fileno()

    def read(self, size: int = -1) -> bytes:
        data = self.stream.read(size) or b""
        self.bytes += data
        return data


class _Replayed(io.RawIOBase):
    """The bytes of a recorded stream, then the rest of that stream."""

    def __init__(self, recorded: _Recorded) -> None:
        self._stream, self._again = recorded.stream, memoryview(bytes(recorded.bytes))

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._stream.fileno()

    def read(self, size: int = -1) -> bytes:
        if not self._again:
            return self._stream.read(size) or b""
        size = len(self._again) if size < 0 else size
        data, self._again = bytes(self._again[:size]), self._again[size:]
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()


def with_known(rows: Rows) -> Rows:
    """The rows with the columns of their first table as ``known`` names. Raises GradError if it cannot be opened."""
    names, rows = header_of(rows)
    return replace(rows, known=names)


def header_of(rows: Rows) -> tuple[Sequence[str], Rows]:
    """Return the names of the columns of the first table, and the rows to read: stdin and pipes begin again.

    Raises GradError if the table cannot be opened.
    """
    if rows.header is not None:
        return list(rows.header), rows
    path = matching(rows.paths[0])[0]
    stream = rows.stdin if path == "-" else rows.begun.get(path)
    if stream is None and path != "-" and not is_url(path) and os.path.exists(path) and not os.path.isfile(path):
        # A pipe cannot be opened again: what has been read of it would be lost.
        stream = opened(path)
    recorded = None if stream is None else _Recorded(stream)
    source = opened(path) if recorded is None else cast("BinaryIO", recorded)
    try:
        table = open_table(
            path, source, format=rows.format, max_bytes=rows.max_bytes, dialect=rows.dialect, span=rows.span
        )
        names = list(map(key_of, table.names))
    finally:
        if recorded is None:
            source.close()
    if recorded is not None:
        again = cast("BinaryIO", _Replayed(recorded))
        rows = replace(rows, stdin=again) if path == "-" else replace(rows, begun={**rows.begun, path: again})
    return names, rows
