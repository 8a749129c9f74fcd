"""Ranges of bytes of a file that is read in parts: its header, and the text of a span."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from gradcli.errors import GradError
from gradcli.formats.columns import Span
from gradcli.formats.encoding import decoded
from gradcli.formats.input import PIECE, Input, failed

_HEAD = 1 << 16
"""Bytes read at a time for a header: many parts read it, and few headers are longer."""


def head(source: Input) -> Iterator[bytes]:
    """Yield the text of a file from its start, in pieces that are read as they are taken."""
    return decoded(ranged(source.stream, source.name, 0, piece=_HEAD), source.dialect.encoding, source.name)


def text_of(source: Input, span: Span) -> Iterator[bytes]:
    """Yield the text of a span. Raise GradError if the file ends before it."""
    parts = ranged(source.stream, source.name, span.start, span.stop)
    return decoded(parts, source.dialect.encoding, source.name, before=span.before)


def ranged(stream: BinaryIO, name: str, start: int, stop: int | None = None, *, piece: int = PIECE) -> Iterator[bytes]:
    """Yield the bytes from ``start`` to ``stop``, by default the end of the file, wherever the stream stands.

    The stream is left open. Raise GradError if the file ends before ``stop``, or, with exit code 3, if reading fails.
    """
    at = start
    try:
        while stop is None or at < stop:
            stream.seek(at)
            data = stream.read(piece if stop is None else min(piece, stop - at))
            if not data:
                break
            at += len(data)
            yield data
    except OSError as error:
        raise failed(name, error) from None
    if stop is not None and at < stop:
        raise shorter(name)


def shorter(name: str) -> GradError:
    """Return the error for a file that lacks rows that it had when its parts were planned."""
    return GradError(f"{name}: the file has become shorter than its parts", hint="plan its parts again: rerun")
