"""The numbers of a .npy file, read a box at a time: never mapped, so a file that shrinks is an error and no crash.

The header is read as data by rules of our own: nothing in it is unpickled or run.
"""

from __future__ import annotations

import ast
import os
import re
import stat
import threading
import weakref
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from gradcli.errors import GradError
from gradcli.formats.source import failed, unopened
from gradcli.grid import Ranges

if TYPE_CHECKING:
    from numpy import dtype, float64
    from numpy.typing import NDArray

    Array = NDArray[float64]

_MAGIC = b"\x93NUMPY"
_HEADER = 10_000
"""Bytes a header may have: those of arrays of numbers have some hundred."""
_SHORT = 1000
_DIMENSIONS = 64
_PIECE = 2**20
"""Numbers read at once where only some of them are wanted."""


class _File:
    """A file open for reading at any place, from any thread; closed when nobody holds it."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.path, self.file, self.lock = path, file, threading.Lock()
        weakref.finalize(self, file.close)

    def fill(self, array: Any, offset: int) -> None:
        """Raises GradError (exit code 3) where the bytes are not there."""
        room = memoryview(array).cast("B")
        done = 0
        try:
            while done < len(room) and (count := self._read(room[done:], offset + done)):
                done += count
        except OSError as e:
            raise failed(self.path, e) from None
        if done < len(room):
            raise GradError(f"{self.path}: the file became shorter while it was read", exit_code=3)

    def _read(self, room: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            # The place where a file is read next is shared by all threads, and by processes after a fork.
            return os.preadv(self.file.fileno(), [room], offset)
        with self.lock:
            self.file.seek(offset)
            count: int = self.file.readinto(room)  # type: ignore[attr-defined]
            return count


class Stored:
    """An array in a file, or a part of it: ``shape``, and the ``strides`` of its axes in numbers from ``start``."""

    def __init__(
        self, file: _File, kind: dtype[Any], offset: int, shape: Sequence[int], strides: Sequence[int], start: int = 0
    ) -> None:
        self.file, self.kind, self.offset = file, kind, offset
        self.shape, self.strides, self.start = tuple(shape), tuple(strides), start

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, first: int) -> Stored:
        """The part at one place of the first axis."""
        start = self.start + first * self.strides[0]
        return Stored(self.file, self.kind, self.offset, self.shape[1:], self.strides[1:], start)

    def __float__(self) -> float:
        """The number of an array without axes."""
        return float(self.box(())[()])

    def transpose(self, order: Sequence[int]) -> Stored:
        shape, strides = [self.shape[k] for k in order], [self.strides[k] for k in order]
        return Stored(self.file, self.kind, self.offset, shape, strides, self.start)

    def box(self, ranges: Ranges) -> Array:
        """The numbers between two places of each axis."""
        import numpy as np

        order = sorted(range(self.ndim), key=lambda k: -self.strides[k])
        lengths = [ranges[k][1] - ranges[k][0] for k in order]
        strides = [self.strides[k] for k in order]
        first = self.start + sum(lo * stride for (lo, _), stride in zip(ranges, self.strides, strict=True))
        outer, run, step = len(order), 1, 1
        while outer and (strides[outer - 1] == run or lengths[outer - 1] == 1):
            outer -= 1
            run *= lengths[outer]
        if outer and run == 1:
            # Numbers apart from each other along every axis: read with what lies between.
            outer -= 1
            run, step = lengths[outer], strides[outer]
        found = np.empty((prod(lengths[:outer]), run))
        for row, place in zip(found, product(*map(range, lengths[:outer])), strict=True):
            at = first + sum(k * stride for k, stride in zip(place, strides, strict=False))
            self._read(row, at, step)
        return found.reshape(lengths).transpose([order.index(k) for k in range(self.ndim)])

    def _read(self, out: Array, first: int, step: int) -> None:
        """Every ``step``-th number from the ``first`` one on."""
        import numpy as np

        most = max(_PIECE // step, 1)
        for lo in range(0, len(out), most):
            part = out[lo : lo + most]
            numbers = np.empty((len(part) - 1) * step + 1, self.kind)
            self.file.fill(numbers.view(np.uint8), self.offset + (first + lo * step) * self.kind.itemsize)
            part[:] = numbers[::step]


def stored(path: str) -> Stored:
    """The array in a .npy file. Raises GradError for anything else than a whole file of real numbers."""
    import numpy as np

    try:
        # A pipe would be waited for.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise GradError(f"{path}: not a regular file")
        file: Any = open(path, "rb", buffering=0)  # noqa: SIM115 - read as long as somebody holds it
        held = _File(path, file)
        header, offset = _header(file)
        size = os.fstat(file.fileno()).st_size
    except OSError as e:
        raise unopened(path, e) from None
    except ValueError as e:
        raise GradError(f"{path}: {e}") from None
    shape, backwards = header["shape"], header["fortran_order"]
    try:
        kind = np.dtype(header["descr"])
    except (TypeError, ValueError, SyntaxError):
        raise GradError(f"{path}: not a .npy file") from None
    if kind.hasobject:
        raise GradError(f"{path}: holds Python objects, not numbers")
    if kind.kind not in "iuf" or kind.itemsize > 8:
        said = "complex numbers" if kind.kind == "c" else f"{kind}"
        raise GradError(f"{path}: holds {said}, not real numbers of at most 8 bytes")
    promised = offset + prod(shape) * kind.itemsize
    if size < promised:
        raise GradError(f"{path}: the file is cut off: it holds {size} bytes, its header says {promised}")
    strides = _strides(shape[::-1])[::-1] if backwards else _strides(shape)
    return Stored(held, kind, offset, shape, strides)


def _strides(shape: Sequence[int]) -> list[int]:
    return [prod(shape[k + 1 :]) for k in range(len(shape))]


def _header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """What the header says, and where it ends. Raises ValueError, with the words for it."""
    start = file.read(12)
    if not start.startswith(_MAGIC):
        raise ValueError("not a .npy file")
    # The first format has two bytes for the header's length, the others four.
    width = 2 if start[6:7] == b"\x01" else 4
    length = int.from_bytes(start[8 : 8 + width], "little")
    if start[6:8] not in (b"\x01\0", b"\x02\0", b"\x03\0") or length > _HEADER:
        raise ValueError("not a .npy file whose header can be read")
    file.seek(8 + width)
    text = file.read(length)
    if len(start) < 8 + width or len(text) < length:
        raise ValueError("the file is cut off within its header")
    # Python 2 wrote long integers as 3L.
    text = re.sub(rb"([0-9])L\b", rb"\1", text)
    try:
        header = ast.literal_eval(text.decode("latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as e:
        # Python has no memory either for what is nested deep, which no header of numbers is.
        if isinstance(e, MemoryError) and len(text) < _SHORT:
            raise
        raise ValueError("not a .npy file whose header can be read") from None
    if not isinstance(header, dict) or set(header) != {"descr", "fortran_order", "shape"}:
        raise ValueError("not a .npy file whose header can be read")
    if not isinstance(header["fortran_order"], bool) or not _is_shape(header["shape"]):
        raise ValueError("not a .npy file whose header can be read")
    return header, 8 + width + length


def _is_shape(shape: Any) -> bool:
    return isinstance(shape, tuple) and len(shape) <= _DIMENSIONS and all(type(n) is int and n >= 0 for n in shape)


_WINDOW = 2**20
"""Numbers of an array that are held in memory."""


class Along:
    """A column: the numbers of a stored array along its axes joined in another ``order``, the first slowest."""

    def __init__(self, array: Stored, order: Sequence[int]) -> None:
        self.values = array.transpose(order)
        self.length = prod(self.values.shape)
        self.window: tuple[int, Array] | None = None

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        parts = []
        while lo < hi:
            # Taken before it is looked at: another thread may put its own there.
            window = self.window
            if window is None or not 0 <= lo - window[0] < len(window[1]):
                window = self.window = self._around(lo)
            first, numbers = window
            parts.append(numbers[lo - first : hi - first])
            lo += len(parts[-1])
        return np.concatenate(parts) if parts else np.empty(0)

    def floats(self, lo: int, hi: int) -> list[float]:
        found: list[float] = self.array(lo, hi).tolist()
        return found

    def _around(self, at: int) -> tuple[int, Array]:
        """Where a part that holds a place begins, and its numbers: axes at a point, one in part, the rest whole."""
        ranges: list[tuple[int, int]] = []
        rest, inner, first, offset = list(self.values.shape), self.length, 0, at
        while rest:
            length = rest.pop(0)
            inner //= length
            place = offset // inner
            offset -= place * inner
            if inner <= _WINDOW:
                step = min(_WINDOW // inner, length)
                lo = place - place % step
                ranges += [(lo, min(lo + step, length)), *[(0, n) for n in rest]]
                first += lo * inner
                break
            ranges.append((place, place + 1))
            first += place * inner
        return first, self.values.box(tuple(ranges)).reshape(-1)
