"""An object of a store as a file that can be sought, read ahead where it is read in order.

Layer: must not know fsspec.
"""

from __future__ import annotations

import io
import os
from typing import Any

from gradcli.storage.remote_errors import failures

_LEAST, _MOST = 1 << 18, 1 << 24
"""Bytes asked for at once, at least and where the object is read in order: a request takes as long as 2 MB or so."""


class RemoteFile(io.RawIOBase):
    """An object as a file for reading: ``read(n)`` gives ``n`` bytes, fewer at the end alone.

    ``size``: its bytes; None if they are unknown, and then it is read from its beginning to its end. A read that
    follows the one before it asks for twice as much ahead, as an operating system does with files; another asks for
    what is wanted, so that a few columns of a wide table are not paid for with the whole.
    """

    def __init__(self, file: Any, size: int | None) -> None:
        super().__init__()
        self.size = size
        self._file, self._at = file, 0
        self._start, self._window, self._next = 0, b"", _LEAST // 2

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self.size is not None

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if self.size is None:
            raise io.UnsupportedOperation("seek")
        at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if at < 0:
            raise OSError(22, "Invalid argument")
        self._at = at
        return at

    def tell(self) -> int:
        self._check_open()
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        self._check_open()
        if self.size is None:
            with failures():
                data: bytes = self._file.read(-1 if size is None else size)
            self._at += len(data)
            return data
        left = max(0, self.size - self._at)
        want = left if size is None or size < 0 else min(size, left)
        offset = self._at - self._start
        here = self._window[offset : offset + want] if 0 <= offset <= len(self._window) else b""
        self._at += len(here)
        if len(here) == want:
            return here
        rest = self._fetched(want - len(here))
        self._at += len(rest)
        return here + rest if here else rest

    def readall(self) -> bytes:
        return self.read()

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def _fetched(self, want: int) -> bytes:
        """Return the next bytes, and keep those that are read ahead."""
        assert self.size is not None
        in_order = self._at == self._start + len(self._window)
        self._next = min(2 * self._next, _MOST) if in_order else _LEAST
        asked = min(max(want, self._next), self.size - self._at)
        with failures():
            self._file.seek(self._at)
            data: bytes = self._file.read(asked)
        if len(data) < asked:
            raise OSError(5, "it became shorter while it was read")
        # The window is what was read ahead; it ends where the next read in order begins.
        self._start, self._window = self._at + want, data[want:]
        return data[:want] if asked > want else data

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def close(self) -> None:
        if not self.closed:
            super().close()
            self._window = b""
            with failures():
                self._file.close()
