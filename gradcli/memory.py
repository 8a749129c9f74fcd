"""How much may be held in memory at once, and whether there is none left. Must not know what for."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress

from gradcli.errors import GradError

_UNTOLD = 8 << 30
"""Bytes of memory where the system does not tell."""
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""What a container may have, by Linux's second and first way of saying it."""


def limit() -> int:
    """Bytes that may be held: three quarters of the memory there is."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        found = 0
    if found <= 0:
        found = _UNTOLD
    for path in _CONTAINER:
        try:
            with open(path) as file:
                found = min(found, int(file.read()))
        except (OSError, ValueError):
            continue
    return found // 4 * 3


def check(size: int, what: str, hint: str) -> None:
    """Raises GradError where ``size`` bytes, which ``what`` would take, are beyond the limit."""
    if size > (most := limit()):
        raise GradError(f"{what} would take {_told(size)} of memory, and the limit is {_told(most)} here", hint=hint)


def _told(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


_MB = 1 << 20
IMPORTS = {
    "numpy": 120 * _MB, "pyarrow": 300 * _MB, "pyarrow.parquet": 120 * _MB, "pyarrow.csv": 100 * _MB,
    "llvmlite": 220 * _MB, "scipy.special": 120 * _MB,
}  # fmt: skip
"""Bytes of address space that a library takes at most while it is imported, with the threads that it starts.

Measured on Linux by VmPeak, with a third for other releases (NumPy 80 MB, pyarrow 223, its readers 63 each, llvmlite
157, SciPy 83).
"""


class Room:
    """Refuses to import a library that the address space would not hold (``ulimit -v``), by MemoryError.

    For ``sys.meta_path``, ahead of what finds modules. Libraries that cannot allocate while they are loaded end the
    process themselves: OpenBLAS by exit, the C library where thread-local data have no room, Arrow by abort.
    """

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> None:
        """Finds nothing: the next finder is asked."""
        if name in IMPORTS:
            if limited():
                _share_heap()
            spare(IMPORTS[name])


def limited() -> bool:
    """Whether the address space has a limit of its own."""
    try:
        import resource

        return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
    except (ImportError, AttributeError):
        return False


_ARENA_MAX = -8


def _share_heap() -> None:
    """Let all threads have one heap: glibc sets aside 64 to 128 MB of address space for that of each."""
    import ctypes

    # Other libraries have no such setting.
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def spare(size: int) -> None:
    """Map so many bytes and release them, where the address space has a limit. Raises MemoryError.

    For what a library does that ends the process where it cannot allocate.
    """
    if not limited():
        return
    import mmap

    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        raise MemoryError from None


_WORDS = (
    "failed to map segment", "annot allocate memory", "malloc of size", "bad_alloc", "launch worker thread",
    "nable to allocate", "ut of memory", "return without exception set",
)  # fmt: skip
"""How libraries tell that there is no memory, in the words of any exception."""


def lacking(error: BaseException | None) -> bool:
    """Whether an error is want of memory, or came of it, whatever kind a library makes of that."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        # The name of a file is none of the words.
        words = str(getattr(error, "strerror", None) or error)
        if any(word in words for word in _WORDS):
            return True
        # Under a limit of its own: a library that was loaded in part, a thread without a stack.
        part = isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError)
        if (part or "can't start new thread" in words) and limited():
            return True
        error = error.__cause__ or error.__context__
    return False
