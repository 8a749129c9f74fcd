"""Reads NumPy's files: npy with named fields or plain, npz with one array a column. Never unpickles."""

from __future__ import annotations

import errno
import io
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from gradcli import memory
from gradcli.errors import GradError
from gradcli.formats.given import Chunk
from gradcli.formats.kept import Kept
from gradcli.formats.source import WHOLE_LIMIT, Input, checked_names, failed, places

if TYPE_CHECKING:
    import numpy as np

_BYTES = 1 << 20
"""Bytes of rows given at a time."""
_HEADER = 1 << 16
"""Bytes of a header that are read at most."""
EXACT = 2**53


class Taken:
    """Pieces of bytes as a file that is read from the front."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._held = parts, b""

    def read(self, size: int) -> bytes:
        """So many bytes; fewer at the end."""
        # It gives what it holds without a copy.
        found = io.BytesIO()
        found.write(self._held[:size])
        self._held = self._held[size:]
        while (left := size - found.tell()) and (part := next(self._parts, b"")):
            found.write(part[:left])
            self._held = part[left:]
        return found.getvalue()

    def some(self, unit: int, most: int) -> bytes:
        """What is there without waiting, in multiples of ``unit``; a cut unit or nothing at the end."""
        while len(self._held) < unit and (part := next(self._parts, None)) is not None:
            self._held += part
        size = min(len(self._held) // unit * unit, max(unit, most // unit * unit)) or len(self._held)
        found, self._held = self._held[:size], self._held[size:]
        return found


class Header:
    """What stands before an array's numbers. ``item``: one row's type."""

    def __init__(self, file: Any, name: str) -> None:
        import numpy as np

        if not (start := file.read(8)):
            raise GradError(f"{name}: the file is empty")
        if not start.startswith(b"\x93NUMPY"):
            raise GradError(f"{name}: not a .npy file")
        if len(start) < 8:
            raise GradError(f"{name}: truncated in the header")
        version = (start[6], start[7])
        if version not in ((1, 0), (2, 0), (3, 0)):
            raise GradError(f"{name}: version {version[0]}.{version[1]} of .npy is not known")
        width = 2 if version == (1, 0) else 4
        length = file.read(width)
        size = int.from_bytes(length, "little")
        if size > _HEADER:
            raise GradError(f"{name}: a header of {size:,} bytes is beyond the limit of {_HEADER:,}")
        text = file.read(size)
        if len(text) < size or len(length) < width:
            raise GradError(f"{name}: truncated in the header")
        read = np.lib.format.read_array_header_1_0 if width == 2 else np.lib.format.read_array_header_2_0
        try:
            shape, fortran, item = read(io.BytesIO(length + text), max_header_size=_HEADER)
            if version == (3, 0) and item.names:
                # Read as Latin-1; the third version is UTF-8.
                item.names = tuple(n.encode("latin-1").decode() for n in item.names)
        except Exception as error:
            if memory.lacking(error):
                raise
            # NumPy reads the header as a Python literal: what it raises for a damaged one has no common kin.
            raise GradError(f"{name}: the header of the array is damaged") from None
        if item.hasobject:
            raise GradError(f"{name}: an object array (dtype {item}) would have to be unpickled: it is never read")
        if any(n < 0 for n in shape) or len(shape) > 32:
            raise GradError(f"{name}: the header of the array is damaged")
        self.shape: tuple[int, ...] = shape
        self.fortran: bool = fortran
        self.item: np.dtype[Any] = item


class Npy:
    """One array as a table: a row an element where it has fields or one dimension, else a row a row; see ``Table``."""

    def __init__(self, given: Input) -> None:
        self.name, self.notes = given.name, list[str]()
        self._file = Taken(given.parts())
        header = Header(self._file, self.name)
        shape, item = header.shape, header.item
        if item.names is not None:
            given.refuse_columns()
            if len(shape) != 1:
                raise GradError(f"{self.name}: an array with fields has one dimension here, not {len(shape)}")
            names: Sequence[str] = item.names
        elif len(shape) == 1:
            names = [""] if given.columns is None else given.columns
            self._expect(len(names), 1)
        elif len(shape) == 2:
            if given.columns is None:
                example = ",".join("abcdefgh"[: shape[1]]) + (",..." if shape[1] > 8 else "")
                raise GradError(
                    f"{self.name}: an array of {shape[1]} columns without names", hint=f"give --columns {example}"
                )
            names = given.columns
            self._expect(len(names), shape[1])
        else:
            raise GradError(f"{self.name}: an array of one or two dimensions is expected, not {len(shape)}")
        self.names = ("",) if list(names) == [""] else checked_names(self.name, names)
        self.rows: int | None = shape[0]
        self._plain = item.names is None
        self._given = given
        self._header = header

    def _expect(self, given: int, there: int) -> None:
        if given != there:
            names = "1 name" if given == 1 else f"{given} names"
            raise GradError(f"{self.name}: --columns gives {names}, and the array has {there} columns")

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        at = places(self.name, self.names, [*wanted, *keep])
        item = self._header.item
        for k, column in zip(at, [*wanted, *keep], strict=True):
            check_item(item if self._plain else item[k], self.name, column)
        start = 0
        for rows in self._blocks():
            picked = [rows[:, k] if self._plain else rows[self.names[k]] for k in at]
            columns = [as_floats(p, self.name, n, self.notes) for p, n in zip(picked, wanted, strict=False)]
            yield Chunk(start, columns, [kept_numbers(p) for p in picked[len(wanted) :]])
            start += len(rows)

    def _blocks(self) -> Iterator[Any]:
        """Rows as they come: of shape (rows, columns) where the array is plain."""
        import numpy as np

        item, rows = self._header.item, self.rows or 0
        width = len(self.names) if self._plain else 1
        unit = item.itemsize * width
        if self._plain and self._header.fortran and width > 1:
            yield from self._turned()
            return
        done = 0
        while done < rows and unit:
            data = self._file.some(unit, min(_BYTES, (rows - done) * unit))
            if not data or len(data) % unit:
                raise truncated(self.name, done, rows)
            block = np.frombuffer(data, item)
            yield block.reshape(-1, width) if self._plain else block
            done += len(data) // unit
        self._end()

    def _turned(self) -> Iterator[Any]:
        """An array in Fortran's order stands column by column: it is held whole."""
        import numpy as np

        item, rows, width = self._header.item, self.rows or 0, len(self.names)
        size = rows * width * item.itemsize
        held(size, self.name, self._given.limit)
        data = self._file.read(size)
        if len(data) < size:
            raise truncated(self.name, len(data) // (width * item.itemsize), rows)
        self._end()
        table = np.frombuffer(data, item).reshape(width, rows).T
        step = max(1, _BYTES // (item.itemsize * width))
        for lo in range(0, rows, step):
            yield table[lo : lo + step]

    def _end(self) -> None:
        if self._file.read(1):
            raise GradError(f"{self.name}: there are bytes behind the array: not a .npy file of one array")


_DAMAGES = (zipfile.BadZipFile, zlib.error, EOFError, OSError)


class Npz:
    """An archive of arrays of one shape, a column each, in C's order; see ``Table``."""

    def __init__(self, given: Input) -> None:
        given.refuse_columns()
        self.name, self.notes, self._given = given.name, list[str](), given
        stream: BinaryIO = given.stream
        if given.packing is not None or not stream.seekable():
            stream = io.BytesIO(given.whole())
        try:
            self._archive = zipfile.ZipFile(stream)
            members = self._archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise self._refused(error, "not an .npz file") from None
        self.names = checked_names(self.name, [m.filename.removesuffix(".npy") for m in members])
        self._members = dict(zip(self.names, members, strict=True))
        held(max((m.file_size for m in members), default=0), self.name, given.limit)
        shapes = {name: self._open(name)[1].shape for name in self.names}
        first = next(iter(shapes), "")
        for name, shape in shapes.items():
            if shape != shapes[first]:
                raise GradError(f"{self.name}: '{first}' has the shape {shapes[first]}, '{name}' has {shape}")
        self.rows: int | None = math.prod(shapes[first]) if shapes else 0

    def _refused(self, error: Exception, words: str) -> GradError:
        # The archive's reader takes a failing file for a damaged one.
        for cause in (error, error.__context__):
            # A damaged archive sends it to places before the start: not a failure of the file.
            if isinstance(cause, OSError) and cause.errno != errno.EINVAL:
                return failed(self.name, cause)
        return GradError(f"{self.name}: {words}")

    def _open(self, name: str) -> tuple[Any, Header]:
        try:
            file = self._archive.open(self._members[name])
            return file, Header(file, f"{self.name}: {name}")
        except (*_DAMAGES, NotImplementedError, RuntimeError, ValueError) as error:
            raise self._refused(error, f"'{name}' is damaged") from None

    def _array(self, name: str) -> Any:
        import numpy as np

        file, header = self._open(name)
        check_item(header.item, self.name, name)
        rows, data = self.rows or 0, bytearray()
        try:
            # Piece by piece: what is packed may hold more than the archive tells.
            while piece := file.read(_BYTES):
                data += piece
        except _DAMAGES as error:
            raise self._refused(error, f"'{name}' is damaged") from None
        if len(data) != rows * header.item.itemsize:
            raise truncated(f"{self.name}: '{name}'", len(data) // header.item.itemsize, rows)
        array = np.frombuffer(data, header.item)
        return array.reshape(header.shape, order="F").ravel() if header.fortran else array

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        places(self.name, self.names, [*wanted, *keep])
        held(sum(self._members[name].file_size for name in [*wanted, *keep]), self.name, self._given.limit)
        arrays = {name: self._array(name) for name in [*wanted, *keep]}
        step = _BYTES // 8
        for lo in range(0, self.rows or 0, step):
            columns = [as_floats(arrays[n][lo : lo + step], self.name, n, self.notes) for n in wanted]
            yield Chunk(lo, columns, [kept_numbers(arrays[n][lo : lo + step]) for n in keep])


def held(size: int, name: str, limit: int | None) -> None:
    """Raises GradError where an array that is held in memory is beyond the limit."""
    limit = min(WHOLE_LIMIT if limit is None else limit, memory.limit())
    if size > limit:
        raise GradError(
            f"{name}: too large: {size:,} bytes of arrays are held in memory, the limit is {limit:,} bytes",
            hint="raise it by --max-bytes",
        )


def truncated(name: str, done: int, rows: int) -> GradError:
    return GradError(f"{name}: truncated: it ends after {done:,} of {rows:,} rows")


def check_item(item: np.dtype[Any], name: str, column: str) -> None:
    """Raises GradError unless the type is one of real numbers that a double can hold."""
    if item.kind not in "fiu" or item.itemsize > 8 or item.shape:
        raise GradError(f"{name}: {_told(column)} has the dtype {item}: integers and floats up to 64 bits are read")


def _told(column: str) -> str:
    return f"column '{column}'" if column else "the column"


def as_floats(values: Any, name: str, column: str, notes: list[str]) -> Any:
    """Numbers as doubles, each the nearest; integers that lose digits are noted."""
    import numpy as np

    if values.dtype.kind in "iu" and values.dtype.itemsize == 8 and len(values):
        beyond = (values > EXACT) | (values < -EXACT) if values.dtype.kind == "i" else values > EXACT
        if beyond.any():
            note = f"{name}: {_told(column)} has integers beyond 2**53: they lose precision as doubles"
            if note not in notes:
                notes.append(note)
    return np.ascontiguousarray(values, dtype=np.float64)


def kept_numbers(values: Any) -> Kept:
    """Numbers to carry through: floats in the one spelling, integers with all digits."""
    from gradcli.formats.numbers import number_cells

    if values.dtype.kind in "iu":
        return Kept([b"%d" % v for v in values.tolist()])
    return Kept(number_cells([values.astype("f8")], None))
