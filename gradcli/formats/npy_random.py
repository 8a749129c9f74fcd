"""Random access to the numbers of a .npy file, which are read, not mapped.

A file that shrinks while it is read is therefore an error, whereas access to mapped memory would end the process.
"""

from __future__ import annotations

import os
import stat
import threading
import weakref
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, BinaryIO

from gradcli.errors import GradError
from gradcli.formats.input import failed, file_size, opened, unopened
from gradcli.formats.npy_header import Header
from gradcli.storage import is_url

if TYPE_CHECKING:
    from numpy import dtype, float64
    from numpy.typing import NDArray

    Array = NDArray[float64]

_PIECE = 2**20
"""Numbers read at a time if only every n-th of them is used."""


class _File:
    """A file for reading at any offset from any thread; it is closed when it is garbage collected."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self.path, self.file, self.lock = path, file, threading.Lock()
        self.local = hasattr(os, "preadv") and not is_url(path)
        weakref.finalize(self, file.close)

    def fill(self, array: Any, offset: int) -> None:
        """Fill an array with the bytes from ``offset`` on. Raise GradError (exit code 3) if the file is too short."""
        buffer = memoryview(array).cast("B")
        done = 0
        try:
            while done < len(buffer) and (count := self._read(buffer[done:], offset + done)):
                done += count
        except OSError as e:
            raise failed(self.path, e) from None
        if done < len(buffer):
            raise GradError(f"{self.path}: the file became shorter while it was read", exit_code=3)

    def _read(self, buffer: memoryview, offset: int) -> int:
        if self.local:
            # preadv takes an offset: the file position is shared by all threads, and by processes after a fork.
            return os.preadv(self.file.fileno(), [buffer], offset)
        with self.lock:
            self.file.seek(offset)
            count: int = self.file.readinto(buffer)  # type: ignore[attr-defined]
            return count


class Stored:
    """An array in a file, or a view of it: ``strides`` and ``start``, the first element, are in units of elements."""

    def __init__(
        self, file: _File, kind: dtype[Any], offset: int, shape: Sequence[int], strides: Sequence[int], start: int = 0
    ) -> None:
        self.file, self.kind, self.offset = file, kind, offset
        self.shape, self.strides, self.start = tuple(shape), tuple(strides), start

    @property
    def ndim(self) -> int:
        return len(self.shape)

    def __getitem__(self, first: int) -> Stored:
        """Return the view at an index of the first axis."""
        start = self.start + first * self.strides[0]
        return Stored(self.file, self.kind, self.offset, self.shape[1:], self.strides[1:], start)

    def __float__(self) -> float:
        """Return the number of an array without axes."""
        return float(self.box(())[()])

    def transpose(self, order: Sequence[int]) -> Stored:
        """Return the view with axes in another order."""
        shape, strides = [self.shape[k] for k in order], [self.strides[k] for k in order]
        return Stored(self.file, self.kind, self.offset, shape, strides, self.start)

    def box(self, ranges: tuple[tuple[int, int], ...]) -> Array:
        """Read the numbers in a half-open range of each axis."""
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
            # No axis is contiguous: read along the axis of the smallest stride, with the numbers between.
            outer -= 1
            run, step = lengths[outer], strides[outer]
        values = np.empty((prod(lengths[:outer]), run))
        for row, index in zip(values, product(*map(range, lengths[:outer])), strict=True):
            at = first + sum(k * stride for k, stride in zip(index, strides, strict=False))
            self._read(row, at, step)
        return values.reshape(lengths).transpose([order.index(k) for k in range(self.ndim)])

    def _read(self, out: Array, first: int, step: int) -> None:
        """Read every ``step``-th number, beginning with number ``first``."""
        import numpy as np

        most = max(_PIECE // step, 1)
        for lo in range(0, len(out), most):
            part = out[lo : lo + most]
            numbers = np.empty((len(part) - 1) * step + 1, self.kind)
            self.file.fill(numbers.view(np.uint8), self.offset + (first + lo * step) * self.kind.itemsize)
            part[:] = numbers[::step]


def stored(path: str) -> Stored:
    """Return the array in a .npy file. Raise GradError unless it is a complete file of real numbers."""
    try:
        # Opening a named pipe would block.
        if not is_url(path) and not stat.S_ISREG(os.stat(path).st_mode):
            raise GradError(f"{path}: not a regular file")
        file: Any = opened(path) if is_url(path) else open(path, "rb", buffering=0)  # noqa: SIM115 - closed by _File
        handle = _File(path, file)
        size = file_size(file)
        if size is None:
            raise GradError(f"{path}: its store does not tell its size")
        header = Header(file, path)
        offset = file.tell()
    except OSError as e:
        raise unopened(path, e) from None
    except ValueError as e:
        raise GradError(f"{path}: {e}") from None
    shape, kind = header.shape, header.item
    if kind.kind not in "iuf" or kind.itemsize > 8:
        description = "complex numbers" if kind.kind == "c" else f"{kind}"
        raise GradError(f"{path}: holds {description}, not real numbers of at most 8 bytes")
    expected = offset + prod(shape) * kind.itemsize
    if size < expected:
        raise GradError(f"{path}: the file is cut off: it holds {size} bytes, its header says {expected}")
    strides = _strides(shape[::-1])[::-1] if header.fortran else _strides(shape)
    return Stored(handle, kind, offset, shape, strides)


def _strides(shape: Sequence[int]) -> list[int]:
    return [prod(shape[k + 1 :]) for k in range(len(shape))]


_WINDOW = 2**20
"""Maximum of numbers of a column that are held in memory."""


class Along:
    """A column of the numbers of a stored array, with its axes in another ``order``, the first slowest."""

    def __init__(self, array: Stored, order: Sequence[int]) -> None:
        self.values = array.transpose(order)
        self.length = prod(self.values.shape)
        self.window: tuple[int, Array] | None = None

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        parts = []
        while lo < hi:
            # Copy the reference first, since another thread may replace the window at any time.
            window = self.window
            if window is None or not 0 <= lo - window[0] < len(window[1]):
                window = self.window = self._around(lo)
            first, numbers = window
            parts.append(numbers[lo - first : hi - first])
            lo += len(parts[-1])
        return np.concatenate(parts) if parts else np.empty(0)

    def floats(self, lo: int, hi: int) -> list[float]:
        values: list[float] = self.array(lo, hi).tolist()
        return values

    def _around(self, at: int) -> tuple[int, Array]:
        """Return the start and the numbers of a window around ``at``.

        The window is a single index of leading axes, a range of one axis, and the axes after it in full.
        """
        ranges: list[tuple[int, int]] = []
        rest, inner, first, offset = list(self.values.shape), self.length, 0, at
        while rest:
            length = rest.pop(0)
            inner //= length
            index = offset // inner
            offset -= index * inner
            if inner <= _WINDOW:
                step = min(_WINDOW // inner, length)
                lo = index - index % step
                ranges += [(lo, min(lo + step, length)), *[(0, n) for n in rest]]
                first += lo * inner
                break
            ranges.append((index, index + 1))
            first += index * inner
        return first, self.values.box(tuple(ranges)).reshape(-1)
