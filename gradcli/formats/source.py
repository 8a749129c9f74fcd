"""Bytes of an input as they come, and where they stand: FILE:LINE:COLUMN. Knows no format.

A column counts bytes from 1, as editors and compilers do.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Any, BinaryIO, cast

from gradcli import memory
from gradcli.errors import GradError
from gradcli.formats.packed import begun, packing_of, unpacked

STDIN = "stdin"
"""What messages call it; it has no suffix, so that its first bytes tell whether it is packed."""
PIECE = 1 << 20
"""Bytes read at a time from what is fast."""
LINE_LIMIT = 1 << 24
"""Bytes of one row of text: more than any table has, and a bound for memory."""
WHOLE_LIMIT = (1 << 30) // 5 * 4
"""Bytes of an input that must be held, unless --max-bytes says otherwise: with room to grow, a GiB of memory."""


class Input:
    """One input: ``name`` for messages, the stream, and what was said about it.

    ``na``: whether empty cells and NA are nan. ``limit``: --max-bytes. ``columns``: names for an array without names.
    """

    def __init__(
        self, name: str, stream: BinaryIO, *, packing: str | None = None, na: bool = False, limit: int | None = None,
        columns: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self.name, self.stream, self.packing = name, stream, packing
        self.na, self.limit, self.columns = na, limit, columns
        if limit is not None and packing is None and (size := file_size(stream)) is not None and size > limit:
            raise self._too_large()

    def parts(self) -> Iterator[bytes]:
        """The bytes as they come, unpacked."""
        parts = pieces(self.stream, self.name)
        packing = self.packing
        if self.name == STDIN:
            start = begun(parts)
            packing, parts = packing_of(start), chain([start] if start else [], parts)
        if packing is not None:
            return unpacked(parts, packing, self.name, self.limit)
        return parts if self.limit is None else self._limited(parts, self.limit)

    def _limited(self, parts: Iterator[bytes], limit: int) -> Iterator[bytes]:
        size = 0
        for piece in parts:
            size += len(piece)
            if size > limit:
                raise self._too_large()
            yield piece

    def _too_large(self) -> GradError:
        return GradError(f"{self.name}: too large: the limit is {self.limit:,} bytes", hint="raise it by --max-bytes")

    def whole(self) -> bytes:
        """All bytes, unpacked. Raises GradError past the limit, before more is read."""
        limit = min(WHOLE_LIMIT if self.limit is None else self.limit, memory.limit() // 5 * 4)
        # It grows by an eighth at a time and gives what it holds without a copy.
        held, size = io.BytesIO(), 0
        for piece in self.parts():
            size += len(piece)
            if size > limit:
                raise GradError(
                    f"{self.name}: too large: this format is held in memory, the limit is {limit:,} bytes",
                    hint="raise it by --max-bytes, or convert to csv, jsonl, npy or parquet, which are streamed",
                )
            held.write(piece)
        return held.getvalue()

    def refuse_columns(self) -> None:
        """Raises GradError where names are given for columns that have names."""
        if self.columns is not None:
            raise GradError(f"{self.name}: its columns have names: --columns is for arrays that have none")


def file_size(stream: BinaryIO) -> int | None:
    """The bytes of a file; None where it is no file."""
    try:
        told = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return None
    return told.st_size if stat.S_ISREG(told.st_mode) else None


class _File(io.FileIO):
    """A file that closes itself with the table that reads it. Raises GradError (exit code 3) where that fails."""

    def close(self) -> None:
        try:
            super().close()
        except OSError as error:
            raise failed(str(self.name), error) from None

    def __del__(self) -> None:
        self.close()


def opened(path: str) -> BinaryIO:
    """A file to read. Raises GradError where it cannot be opened."""
    try:
        return cast(BinaryIO, _File(path))
    except OSError as error:
        raise unopened(path, error) from None
    except ValueError as error:
        raise GradError(f"{path}: {error}") from None


def pieces(stream: BinaryIO, name: str) -> Iterator[bytes]:
    """What is there, as soon as it is there: never waits for more than one byte, gathers what is ready.

    Raises GradError (exit code 3) where reading fails.
    """
    # read1 asks the system once; a raw stream's read does as well.
    take: Callable[[int], bytes | None] = getattr(stream, "read1", stream.read)
    try:
        while data := take(PIECE):
            parts, size = [data], len(data)
            while size < PIECE and _ready(stream) and (data := take(PIECE)):
                parts.append(data)
                size += len(data)
            yield parts[0] if len(parts) == 1 else b"".join(parts)
    except OSError as error:
        raise failed(name, error) from None
    finally:
        stream.close()


def _ready(stream: Any) -> bool:
    """Whether the next read will not wait. Unknown counts as no."""
    import select

    try:
        return bool(select.select([stream.fileno()], [], [], 0)[0])
    except (OSError, ValueError, AttributeError):
        return False


_NAMED = {
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL,
    errno.ENXIO, errno.ENODEV, errno.EILSEQ,
}  # fmt: skip
"""Errors that lie in what was named; all others in the system."""


def unopened(name: str, error: OSError) -> GradError:
    """What to say of a file that cannot be opened: exit code 2 where the name is wrong, 3 where the system fails."""
    return GradError(f"{name}: {error.strerror or error}") if error.errno in _NAMED else failed(name, error)


def failed(name: str, error: OSError) -> GradError:
    return GradError(f"{name}: reading failed: {error.strerror or error}", exit_code=3)


def fault(name: str, line: int, column: int, message: str, hint: str | None = None) -> GradError:
    return GradError(f"{name}:{line}:{column}: {message}", hint=hint)


def shown(cell: bytes | str) -> str:
    """A cell in quotes, for messages; a long one is cut."""
    text = cell.decode("utf-8", "replace") if isinstance(cell, bytes) else cell
    return f"'{text}'" if len(text) <= 40 else f"'{text[:40]}...'"


def places(name: str, names: tuple[str, ...], asked: Sequence[str]) -> list[int]:
    """Where the asked columns stand. Raises GradError for one that is not there."""
    index = {column: k for k, column in enumerate(names)}
    for column in asked:
        if column not in index:
            raise GradError(f"{name}: no column {shown(column)} ({_near(column, names)})")
    return [index[column] for column in asked]


def _near(column: str, names: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    from gradcli.expr import spell_name

    near = get_close_matches(column, names, 1)
    if near:
        return f"did you mean {spell_name(near[0])}?"
    few = ", ".join([spell_name(n) for n in names[:10]]) + (", ..." if len(names) > 10 else "")
    return f"the columns are {few}" if names else "it has no columns"


def checked_names(name: str, names: Sequence[str], line: int | None = None) -> tuple[str, ...]:
    """Headers, none empty and none twice. Raises GradError."""
    where = f"{name}:{line}" if line is not None else name
    first: dict[str, int] = {}
    for k, column in enumerate(names):
        if not column:
            raise GradError(f"{where}: column {k + 1} of {len(names)} has no name in the header")
        try:
            column.encode()
        except UnicodeEncodeError:
            raise GradError(f"{where}: the name of column {k + 1} is no text: half a surrogate pair") from None
        if first.setdefault(column, k) < k:
            raise GradError(f"{where}: columns {first[column] + 1} and {k + 1} are both named {shown(column)}")
    return tuple(names)
