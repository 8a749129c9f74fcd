"""Decoding of texts: UTF-8, what a byte order mark tells, or the encoding that is asked for."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from itertools import chain

from gradcli.errors import GradError

_MARKS = {
    b"\xef\xbb\xbf": "utf-8", b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}  # fmt: skip
"""Encodings by their byte order mark; a mark stands before another that it begins with."""


def decoded(parts: Iterator[bytes], encoding: str | None, name: str, before: int | None = None) -> Iterator[bytes]:
    """Yield a text as UTF-8 without its byte order mark, in pieces as they arrive.

    ``encoding`` None: that of the byte order mark, else UTF-8, whose bytes pass unchecked. ``before``: the number of
    lines before the parts, which then lie behind any mark in a text in UTF-8; None: they are at its start. Raise
    GradError for bytes that are not in the encoding, after the text before them, and for an unknown encoding.
    """
    if encoding is not None:
        return _decoded(parts, known(encoding), name, before)
    if before is not None:
        return parts
    start = b""
    while any(mark.startswith(start) and mark != start for mark in _MARKS) and (part := next(parts, b"")):
        start += part
    mark = next((mark for mark in _MARKS if start.startswith(mark)), b"")
    if _MARKS.get(mark, "utf-8") == "utf-8":
        start = start[len(mark) :]
        return chain([start] if start else [], parts)
    return _decoded(chain([start], parts), _MARKS[mark], name)


def utf8_start(start: bytes, encoding: str | None) -> int | None:
    """Return the offset of a text, behind its byte order mark, by its first four bytes; None if it is not UTF-8."""
    if encoding is not None and codecs.lookup(known(encoding)).name != "utf-8":
        return None
    mark = next((mark for mark in _MARKS if start.startswith(mark)), b"")
    if encoding is None and _MARKS.get(mark, "utf-8") != "utf-8":
        return None
    return len(mark) if _MARKS.get(mark) == "utf-8" else 0


def known(encoding: str) -> str:
    """Return the name of an encoding of texts. Raise GradError if there is no such encoding."""
    try:
        codecs.getincrementaldecoder(encoding)
        # Codecs between bytes, such as zlib, refuse this.
        b"abcd".decode(encoding, "replace")
    except (LookupError, ValueError):
        raise GradError(
            f"--encoding: '{encoding}' is no encoding of texts", hint="such as latin-1, cp1252, utf-16-le, shift_jis"
        ) from None
    return encoding


def _decoded(parts: Iterator[bytes], encoding: str, name: str, before: int | None = None) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    line, first = (before or 0) + 1, before is None
    for part, final in chain(((part, False) for part in parts), [(b"", True)]):
        state = decoder.getstate()
        error: UnicodeError | None = None
        try:
            text = decoder.decode(part, final).encode()
        except UnicodeDecodeError as problem:
            error = problem
            decoder.setstate(state)
            good = max(0, problem.start - len(problem.object) + len(part))
            text = decoder.decode(part[:good]).encode()
        except UnicodeError as problem:
            error, text = problem, b""
        if first and text:
            text, first = text.removeprefix(b"\xef\xbb\xbf"), False
        if text:
            yield text
        line += text.count(b"\n")
        if error is not None:
            raise GradError(f"{name}:{line}: not {encoding}", hint="give the --encoding of the text")
