"""The limit of memory that may be held at once, and the detection of failed allocations.

Layer: must not know what the memory is for.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress

from gradcli.errors import GradError

_DEFAULT = 8 << 30
"""Bytes of memory assumed where the operating system does not report any."""
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""Files with the memory limit of a container: Linux control groups, version 2 and version 1."""


def limit() -> int:
    """Return the bytes that may be held: three quarters of physical memory, or of the container's limit if smaller."""
    try:
        size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        size = 0
    if size <= 0:
        size = _DEFAULT
    for path in _CONTAINER:
        try:
            with open(path) as file:
                size = min(size, int(file.read()))
        except (OSError, ValueError):
            continue
    return size // 4 * 3


def check(size: int, what: str, hint: str) -> None:
    """Raise GradError if the ``size`` bytes that ``what`` would take exceed ``limit()``."""
    if size > (allowed := limit()):
        raise GradError(
            f"{what} would take {_gigabytes(size)} of memory, and the limit is {_gigabytes(allowed)} here", hint=hint
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"


_MB = 1 << 20
IMPORTS = {
    "numpy": 120 * _MB, "pyarrow": 300 * _MB, "pyarrow.parquet": 120 * _MB, "pyarrow.csv": 100 * _MB,
    "llvmlite": 220 * _MB, "scipy.special": 120 * _MB,
}  # fmt: skip
"""Upper bounds of the address space in bytes that the import of a library takes, including the threads it starts.

Measured on Linux as the growth of VmPeak (NumPy 80 MB, pyarrow 223, its readers 63 each, llvmlite 157, SciPy 83), plus
a third as a margin for other releases.
"""


class Room:
    """An import hook that raises MemoryError for a library that does not fit into the address space (``ulimit -v``).

    It stands in ``sys.meta_path`` before the finders of modules. Libraries whose allocations fail during loading end
    the process: OpenBLAS calls exit, the C library aborts if thread-local storage does not fit, Arrow aborts.
    """

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> None:
        """Return None always, so that the next finder finds the module. Raise MemoryError if ``name`` does not fit."""
        if name in IMPORTS:
            if limited():
                _share_heap()
            spare(IMPORTS[name])


def limited() -> bool:
    """Return whether the address space of this process is limited (RLIMIT_AS, as ``ulimit -v`` sets it)."""
    try:
        import resource

        return resource.getrlimit(resource.RLIMIT_AS)[0] != resource.RLIM_INFINITY
    except (ImportError, AttributeError):
        return False


_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1
"""Parameters of mallopt(3)."""


def _share_heap() -> None:
    """Make all threads share one malloc arena: glibc reserves 64 to 128 MB of address space for each further arena."""
    _mallopt(_ARENA_MAX, 1)


def keep_freed() -> None:
    """Keep freed memory in this process, for one that makes the same again and again.

    Otherwise glibc gives the blocks of a part back, and the next part pays for each of their pages anew: 0.4 s of
    3.6 s of processor time for 24 parts of 35 MB. The peak stays what it is, 260 MB.
    """
    _mallopt(_MMAP_THRESHOLD, 1 << 25)
    _mallopt(_TRIM_THRESHOLD, 1 << 30)


def _mallopt(parameter: int, value: int) -> None:
    import ctypes

    # mallopt exists in glibc only: other C libraries, macOS and Windows have no such parameters.
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).mallopt(parameter, value)


def spare(size: int) -> None:
    """Raise MemoryError unless ``size`` more bytes of address space are available; no limit, no check.

    Called before a library allocates that ends the process when an allocation fails. The check maps the bytes and
    unmaps them again.
    """
    if not limited():
        return
    import mmap

    try:
        mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
    except OSError:
        raise MemoryError from None


_MESSAGES = (
    "failed to map segment", "annot allocate memory", "malloc of size", "bad_alloc", "launch worker thread",
    "nable to allocate", "ut of memory", "return without exception set",
)  # fmt: skip
"""Parts of the messages by which libraries report a failed allocation, whatever the class of the exception."""


def lacking(error: BaseException | None) -> bool:
    """Return whether an error, its cause or its context reports a failed allocation, whatever its class."""
    while error is not None:
        if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
            return True
        # strerror leaves out the file name, which could contain one of the messages.
        message = str(getattr(error, "strerror", None) or error)
        if any(fragment in message for fragment in _MESSAGES):
            return True
        # With a limited address space: a library loaded in part, or no space for the stack of a thread.
        partly_loaded = isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError)
        if (partly_loaded or "can't start new thread" in message) and limited():
            return True
        error = error.__cause__ or error.__context__
    return False
