"""Inputs: their bytes as they arrive, and error messages with positions, FILE:LINE:COLUMN.

Columns count bytes from 1, as in compilers.
Layer: must not know any format.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from math import inf
from time import monotonic
from typing import Any, BinaryIO, cast

from gradcli.errors import GradError, meant
from gradcli.expr import spell_name
from gradcli.formats.columns import PLAIN, Dialect, Span, Unnamed
from gradcli.formats.compression import EXPANDED_LIMIT, begun, packing_of, unpacked
from gradcli.limits import memory
from gradcli.storage import is_url

STDIN = "stdin"
"""The name of standard input in messages; its first bytes, not a suffix, tell whether it is compressed."""
ENCODING = "give its --encoding: latin-1, cp1252 or another"
"""The hint of an error for bytes that are not UTF-8."""
PIECE = 1 << 20
"""Maximum of bytes read at a time."""
LINE_LIMIT = 1 << 24
"""Maximum of bytes of a row of text, far above that of real tables; it bounds the memory of readers."""
WHOLE_LIMIT = (1 << 30) // 5 * 4
"""Maximum of bytes of an input held in memory, unless --max-bytes gives another: 4/5 GiB, which leaves the buffer
1/5 GiB to grow."""
_REST, _PATIENCE = 0.2, 2.0
"""Seconds without a byte after which a stream counts as one that rests, and seconds for which it is read ahead at most:
rows that are here are then answered, however many are to come."""


class Input:
    """An input: its ``name`` in messages, its stream, and the options for it.

    ``packing``: its compression. ``span``: the run of rows to read; None for all. ``limit``: --max-bytes. ``na``:
    whether missing numbers are read, as nan. ``size``: the unpacked bytes of a plain file, or of a span of text; None
    if that is not known.
    Raise GradError if a file is larger than the limit.
    """

    def __init__(
        self, name: str, stream: BinaryIO, *, packing: str | None = None, limit: int | None = None,
        dialect: Dialect = PLAIN, span: Span | None = None,
    ) -> None:  # fmt: skip
        self.span = span
        self.name, self.stream, self.packing = name, stream, packing
        self.limit, self.dialect, self.columns = limit, dialect, dialect.columns
        self.na = dialect.na != "error"
        self.size = None if packing is not None or name == STDIN else file_size(stream)
        if span is not None:
            self.size = span.stop - span.start
        self._unread: Iterator[bytes] = iter(())
        self._ahead: deque[bytes | GradError] = deque()
        self._taken = 0
        if limit is not None and packing is None and (size := file_size(stream)) is not None and size > limit:
            raise self.too_large(limit)

    def parts(self) -> Iterator[bytes]:
        """Yield the decompressed bytes as they arrive. Raise GradError if they exceed the limit or reading fails."""
        parts = pieces(self.stream, self.name)
        packing = self.packing
        if self.name == STDIN:
            start = begun(parts)
            packing, parts = packing_of(start), chain([start] if start else [], parts)
        if packing is not None:
            limit = EXPANDED_LIMIT if self.limit is None else self.limit
            parts = self._bounded(unpacked(parts, packing, self.name), limit, "it expands to more than the limit of")
        elif self.limit is not None:
            parts = self._bounded(parts, self.limit)
        self._unread = parts
        return self._read()

    def _read(self) -> Iterator[bytes]:
        """Yield the parts read ahead, then those unread. Raise an error where reading ahead met it."""
        while self._ahead or self._take():
            part = self._ahead.popleft()
            if isinstance(part, GradError):
                raise part
            yield part

    def _take(self) -> bool:
        """Read a part ahead. Return False at the end."""
        try:
            part = next(self._unread, None)
        except GradError as error:
            self._ahead.append(error)
            return True
        if part is not None:
            self._taken += len(part)
            self._ahead.append(part)
        return part is not None

    def at_least(self, size: int) -> int:
        """Return a number of unpacked bytes that the input holds: all of them if they are no more than ``size``.

        Reads ahead to know, and gives up on a stream that rests or takes long.
        """
        until = monotonic() + _PATIENCE
        while self._taken <= size and not self.rests(until) and self._take():
            if isinstance(self._ahead[-1], GradError):
                break
        return self._taken

    def rests(self, until: float = inf) -> bool:
        """Return whether a stream brings nothing for a while, or would be read beyond the moment ``until``."""
        try:
            if stat.S_ISREG(os.fstat(self.stream.fileno()).st_mode):
                return False
        except (OSError, ValueError, AttributeError):
            # It is closed, or no file but held in memory.
            return False
        return monotonic() > until or not _ready(self.stream, _REST)

    def _bounded(self, parts: Iterator[bytes], limit: int, *words: str) -> Iterator[bytes]:
        """Yield the parts. Raise GradError as soon as they exceed ``limit`` bytes."""
        size = 0
        for part in parts:
            size += len(part)
            if size > limit:
                raise self.too_large(limit, *words)
            yield part

    def too_large(self, limit: int, what: str = "the limit is", other: str = "") -> GradError:
        """Return the error for an input beyond the limit of its bytes."""
        return GradError(f"{self.name}: too large: {what} {limit:,} bytes", hint=f"raise it by --max-bytes{other}")

    def text(self) -> Iterator[bytes]:
        """Yield the text as UTF-8 without a byte order mark, as it arrives; bytes without a mark are not checked."""
        from gradcli.formats.encoding import decoded

        return decoded(self.parts(), self.dialect.encoding, self.name)

    def whole(self, text: bool = False) -> bytes:
        """Return all decompressed bytes, or the ``text``. Raise GradError as soon as they exceed the limit."""
        limit = min(WHOLE_LIMIT if self.limit is None else self.limit, memory.limit() // 5 * 4)
        # BytesIO grows by an eighth at a time, and getvalue does not copy.
        buffer = io.BytesIO()
        streamed = ", or convert to csv, jsonl, npy or parquet, which are streamed"
        parts = self.text() if text else self.parts()
        buffer.writelines(self._bounded(parts, limit, "this format is held in memory, the limit is", streamed))
        return buffer.getvalue()

    def seekable(self) -> BinaryIO:
        """Return the bytes as a file for random access, held in memory unless the input is one."""
        direct = self.packing is None and file_size(self.stream) is not None
        return self.stream if direct else io.BytesIO(self.whole())


def file_size(stream: BinaryIO) -> int | None:
    """Return the size in bytes of a regular file, or of an object of a store; None if the stream is neither."""
    try:
        status = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return getattr(stream, "size", None)
    return status.st_size if stat.S_ISREG(status.st_mode) else None


class _File(io.FileIO):
    """A file that is closed when the table that reads it is freed. Raise GradError (exit code 3) if closing fails."""

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:
            raise failed(str(self.name), error) from None

    def __del__(self) -> None:
        self.close()


def opened(path: str) -> BinaryIO:
    """Open a file, or the object of a URL, for reading. Raise GradError if that fails."""
    try:
        if is_url(path):
            from gradcli.storage import remote

            return remote.opened(path)
        return cast(BinaryIO, _File(path))
    except OSError as error:
        raise unopened(path, error) from None
    except ValueError as error:
        raise GradError(f"{path}: {error}") from None


def pieces(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """Yield the bytes of a stream as they arrive, in pieces of at most about 2*PIECE bytes; close it at the end.

    A piece holds all bytes that are available without waiting. Raise GradError (exit code 3) if reading fails.
    """
    # read1 of a buffered stream makes at most one system call, as does read of a raw stream.
    take: Callable[[int], bytes | None] = getattr(stream, "read1", stream.read)
    try:
        while data := take(PIECE):
            parts, size = [data], len(data)
            while size < PIECE and _ready(stream) and (data := take(PIECE)):
                parts.append(data)
                size += len(data)
            yield parts[0] if len(parts) == 1 else b"".join(parts)
            if not data:
                # A keyboard would be waited for again after its end.
                break
    except OSError as error:
        raise failed(name, error) from None
    finally:
        stream.close()


def _ready(stream: Any, seconds: float = 0) -> bool:
    """Return whether the next read does not block after so many seconds; False if that is unknown."""
    import select

    try:
        return bool(select.select([stream.fileno()], [], [], seconds)[0])
    except (OSError, ValueError, AttributeError):
        return False


_NAME_ERRORS = {
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL,
    errno.ENXIO, errno.ENODEV, errno.EILSEQ,
}  # fmt: skip
"""Errors caused by the name of the file; all others are failures of the system."""


def unopened(name: str, error: OSError) -> GradError:
    """Return the error for a file that cannot be opened: exit code 2 for a wrong name, 3 for a system failure."""
    return GradError(f"{name}: {error.strerror or error}") if error.errno in _NAME_ERRORS else failed(name, error)


def failed(name: str, error: OSError) -> GradError:
    """Return the error for a failed read, with exit code 3."""
    return GradError(f"{name}: reading failed: {error.strerror or error}", exit_code=3)


def fault(name: str, line: int, column: int, message: str, hint: str | None = None) -> GradError:
    """Return an error with a position in the input."""
    return GradError(f"{name}:{line}:{column}: {message}", hint=hint)


def shown(cell: bytes | str) -> str:
    """Return a cell in quotes, for messages; a long one is truncated."""
    text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
    return f"'{text}'" if len(text) <= 40 else f"'{text[:40]}...'"


def column_indices(name: str, names: tuple[str, ...], columns: Sequence[str]) -> list[int]:
    """Return the indices of ``columns``. Raise GradError for a column that does not exist, has no name, or is twice."""
    index: dict[str, int] = {}
    twice: dict[str, int] = {}
    for k, column in enumerate(names):
        if index.setdefault(column, k) < k:
            twice[column] = k
    for column in columns:
        if column not in index:
            near = meant(column, [n for n in names if not isinstance(n, Unnamed)], "its columns are", spell_name)
            raise GradError(f"{name}: there is no column {shown(column)} ({near})")
        if isinstance(names[index[column]], Unnamed) and not isinstance(column, Unnamed):
            raise GradError(
                f"{name}: there is no column {shown(column)}: column {index[column] + 1} has no name",
                hint="give it one in the header",
            )
        if column in twice:
            places = f"columns {index[column] + 1} and {twice[column] + 1}"
            raise GradError(f"{name}: {places} are both named {shown(column)}", hint="name them apart in the header")
    return [index[column] for column in columns]


def checked_names(name: str, names: Sequence[str], line: int | None = None) -> tuple[str, ...]:
    """Return the column names, `Unnamed` for empty ones. Raise GradError if one is not encodable as UTF-8."""
    taken, checked = set(names), list(names)
    for k, column in enumerate(names):
        if not column:
            label = f"column_{k + 1}"
            while label in taken:
                label += "_"
            checked[k] = Unnamed(label)
        try:
            column.encode()
        except UnicodeEncodeError:
            where = f"{name}:{line}" if line is not None else name
            raise GradError(f"{where}: the name of column {k + 1} is no text: half a surrogate pair") from None
    return tuple(checked)
