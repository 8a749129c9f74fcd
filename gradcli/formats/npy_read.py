"""Readers of NumPy's files: npy, with or without named fields, and npz, an array for each column. Never unpickles."""

from __future__ import annotations

import errno
import io
import math
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gradcli.errors import GradError
from gradcli.formats.columns import Chunk, Table
from gradcli.formats.input import WHOLE_LIMIT, Input, checked_names, column_indices, failed
from gradcli.formats.npy_header import Header
from gradcli.formats.passthrough import Kept, Texts
from gradcli.formats.print_numbers import number_cells
from gradcli.limits import memory

if TYPE_CHECKING:
    import numpy as np

_BYTES = 1 << 20
"""Bytes of rows in a chunk."""
EXACT = 2**53
"""The largest size of integers that are all exact as doubles."""


class SequentialFile:
    """A sequential file made of pieces of bytes."""

    def __init__(self, parts: Iterator[bytes]) -> None:
        self._parts, self._buffer = parts, b""

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes, fewer at the end."""
        # getvalue of BytesIO does not copy.
        data = io.BytesIO()
        data.write(self._buffer[:size])
        self._buffer = self._buffer[size:]
        while (left := size - data.tell()) and (part := next(self._parts, b"")):
            data.write(part[:left])
            self._buffer = part[left:]
        return data.getvalue()

    def some(self, unit: int, most: int) -> bytes:
        """Return available bytes, a multiple of ``unit`` and about ``most`` at most.

        At the end of the file return a truncated unit or nothing.
        """
        while len(self._buffer) < unit and (part := next(self._parts, None)) is not None:
            self._buffer += part
        size = min(len(self._buffer) // unit * unit, max(unit, most // unit * unit)) or len(self._buffer)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


class Npy(Table):
    """An array as a table; see ``Table``.

    An element is a row if the array has fields or one dimension; else a row of the array is one.
    """

    def __init__(self, source: Input) -> None:
        self.name, self.notes = source.name, list[str]()
        self._file = SequentialFile(source.parts())
        header = Header(self._file, self.name)
        shape, item = header.shape, header.item
        if item.names is not None:
            if source.columns is not None:
                raise GradError(f"{self.name}: its columns have names: --columns is for arrays that have none")
            if len(shape) != 1:
                raise GradError(f"{self.name}: an array with fields has one dimension here, not {len(shape)}")
            names: Sequence[str] = item.names
        elif len(shape) not in (1, 2):
            raise GradError(f"{self.name}: an array of one or two dimensions is expected, not {len(shape)}")
        else:
            width = shape[1] if len(shape) == 2 else 1
            if len(shape) == 2 and source.columns is None:
                example = ",".join("abcdefgh"[:width]) + (",..." if width > 8 else "")
                raise GradError(
                    f"{self.name}: an array of {width} columns without names", hint=f"give --columns {example}"
                )
            names = [""] if source.columns is None else source.columns
            if len(names) != width:
                given = "1 name" if len(names) == 1 else f"{len(names)} names"
                raise GradError(f"{self.name}: --columns gives {given}, and the array has {width} columns")
        self.names = ("",) if list(names) == [""] else checked_names(self.name, names)
        self.rows: int | None = shape[0]
        self._plain = item.names is None
        self.source = source
        self._header = header

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        at = column_indices(self.name, self.names, [*wanted, *keep])
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
        """Yield rows as they arrive, of shape (rows, columns) for an array without fields."""
        import numpy as np

        item, rows = self._header.item, self.rows or 0
        width = len(self.names) if self._plain else 1
        unit = item.itemsize * width
        if self._plain and self._header.fortran and width > 1:
            yield from self._fortran_rows()
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

    def _fortran_rows(self) -> Iterator[Any]:
        """Yield the rows of an array in Fortran order, which is held in memory since it is stored column by column."""
        import numpy as np

        item, rows, width = self._header.item, self.rows or 0, len(self.names)
        size = rows * width * item.itemsize
        check_held(size, self.name, self.source.limit)
        data = self._file.read(size)
        if len(data) < size:
            raise truncated(self.name, len(data) // (width * item.itemsize), rows)
        self._end()
        table = np.frombuffer(data, item).reshape(width, rows).T
        step = max(1, _BYTES // (item.itemsize * width))
        for lo in range(0, rows, step):
            yield table[lo : lo + step]

    def _end(self) -> None:
        """Raise GradError unless the file ends here."""
        if self._file.read(1):
            raise GradError(f"{self.name}: there are bytes behind the array: not a .npy file of one array")


_DAMAGE_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError)


class Npz(Table):
    """An archive of arrays of equal shape, each a column in C order; see ``Table``."""

    def __init__(self, source: Input) -> None:
        self.name, self.notes, self.source = source.name, list[str](), source
        stream = source.seekable()
        try:
            self._archive = zipfile.ZipFile(stream)
            members = self._archive.infolist()
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise self._refused(error, "not an .npz file") from None
        self.names = checked_names(self.name, [m.filename.removesuffix(".npy") for m in members])
        self._members = dict(zip(self.names, members, strict=True))
        check_held(sum(m.file_size for m in members), self.name, source.limit)
        shapes = {name: self._open(name)[1].shape for name in self.names}
        first = next(iter(shapes), "")
        for name, shape in shapes.items():
            if shape != shapes[first]:
                raise GradError(f"{self.name}: '{first}' has the shape {shapes[first]}, '{name}' has {shape}")
        self.rows: int | None = math.prod(shapes[first]) if shapes else 0

    def _refused(self, error: Exception, words: str) -> GradError:
        # zipfile reports a failed read as a damaged archive: look at the cause.
        for cause in (error, error.__context__):
            # EINVAL comes from a seek to a negative offset, which a damaged archive contains.
            if isinstance(cause, OSError) and cause.errno != errno.EINVAL:
                return failed(self.name, cause)
        return GradError(f"{self.name}: {words}")

    def _open(self, name: str) -> tuple[Any, Header]:
        try:
            file = self._archive.open(self._members[name])
            return file, Header(file, f"{self.name}: {name}")
        except (*_DAMAGE_ERRORS, NotImplementedError, RuntimeError, ValueError) as error:
            raise self._refused(error, f"column '{name}' is damaged") from None

    def _array(self, name: str) -> Any:
        import numpy as np

        file, header = self._open(name)
        check_item(header.item, self.name, name)
        rows, data = self.rows or 0, bytearray()
        try:
            # Read in pieces, since a member may expand to less than the archive's directory says; zipfile compares the
            # checksum at the end of the member.
            while piece := file.read(_BYTES):
                data += piece
        except _DAMAGE_ERRORS as error:
            raise self._refused(error, f"column '{name}' is damaged") from None
        if len(data) != rows * header.item.itemsize:
            raise truncated(f"{self.name}: '{name}'", len(data) // header.item.itemsize, rows)
        array = np.frombuffer(data, header.item)
        return array.reshape(header.shape, order="F").ravel() if header.fortran else array

    def chunks(self, wanted: Sequence[str], keep: Sequence[str]) -> Iterator[Chunk]:
        column_indices(self.name, self.names, [*wanted, *keep])
        arrays = {name: self._array(name) for name in [*wanted, *keep]}
        step = _BYTES // 8
        for lo in range(0, self.rows or 0, step):
            columns = [as_floats(arrays[n][lo : lo + step], self.name, n, self.notes) for n in wanted]
            yield Chunk(lo, columns, [kept_numbers(arrays[n][lo : lo + step]) for n in keep])


def check_held(size: int, name: str, limit: int | None) -> None:
    """Raise GradError if arrays of ``size`` bytes held in memory exceed the limit."""
    limit = WHOLE_LIMIT if limit is None else limit
    memory.check(size, f"{name}: the arrays of this format, which is held in memory,", "convert it to npy or parquet")
    if size > limit:
        raise GradError(
            f"{name}: too large: {size:,} bytes of arrays are held in memory, the limit is {limit:,} bytes",
            hint="raise it by --max-bytes",
        )


def truncated(name: str, done: int, rows: int) -> GradError:
    """Return the error for a file that ends after ``done`` of ``rows`` rows."""
    return GradError(f"{name}: truncated: it ends after {done:,} of {rows:,} rows")


def check_item(item: np.dtype[Any], name: str, column: str) -> None:
    """Raise GradError unless the dtype is one of integers or floats of at most 64 bits."""
    if item.kind not in "fiu" or item.itemsize > 8 or item.shape:
        raise GradError(
            f"{name}: {_described(column)} has the dtype {item}: integers and floats up to 64 bits are read"
        )


def _described(column: str) -> str:
    return f"column '{column}'" if column else "the column"


def as_floats(values: Any, name: str, column: str, notes: list[str]) -> Any:
    """Return numbers as the nearest doubles; add a note if integers lose precision."""
    import numpy as np

    if values.dtype.kind in "iu" and values.dtype.itemsize == 8 and len(values):
        beyond = (values > EXACT) | (values < -EXACT) if values.dtype.kind == "i" else values > EXACT
        if beyond.any():
            note = f"{name}: {_described(column)} has integers beyond 2**53: they lose precision as doubles"
            if note not in notes:
                notes.append(note)
    return np.ascontiguousarray(values, dtype=np.float64)


def kept_numbers(values: Any) -> Kept:
    """Return numbers as a column carried through, in the byte order of this machine."""
    return Kept(array=values.astype(values.dtype.newbyteorder("=")), texts=_cells)


def _cells(values: Any) -> Texts:
    """Return numbers as text: floats as every format writes them, integers with all digits."""
    if values.dtype.kind in "iu":
        return [b"%d" % v for v in values.tolist()], False
    return [*number_cells([values.astype("f8")], None)], False
