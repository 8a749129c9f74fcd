"""Compiled code kept from one run to the next, in a folder that only its owner can write.

Loaded code runs as the user: what anyone else could have put there is not read. Whatever goes wrong, there is only no
kept code. Must not know what the code does.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""No link is followed, and no pipe of that name waited for."""
_MOST = 200
"""Files, of which the oldest go."""
_LARGEST = 1 << 26
"""Bytes of one file."""
_STALE = 3600.0
"""Seconds after which a temporary file belongs to nobody any more."""
_MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\x64\x86", b"\x64\xaa")
"""How object files begin: ELF, Mach-O of 64 bits, COFF for x86-64 and for ARM."""


def folder() -> Path | None:
    """Where code is kept, or None where it is not to be: only with GRADCLI_CACHE=1."""
    if os.environ.get("GRADCLI_CACHE") != "1":
        return None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(base) / "gradcli" if os.path.isabs(base) else None


def _owned(status: os.stat_result) -> bool:
    """Whether it is this user's, and nobody else can write to it."""
    if not hasattr(os, "getuid"):
        return True  # Windows: the folder of local data is closed to others
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def key(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _digest(name: str, code: bytes) -> bytes:
    """Of the code and of what it was compiled from: a file under another's name is not its code."""
    return hashlib.sha256(name.encode() + code).digest()


def load(name: str) -> bytes | None:
    """The code kept by that name, where it is whole and the owner's."""
    place = folder()
    if place is None:
        return None
    try:
        above = os.lstat(place)
        if not (stat.S_ISDIR(above.st_mode) and _owned(above)):
            return None
        with open(os.open(place / name, _READ), "rb") as file:
            status = os.fstat(file.fileno())
            if not (stat.S_ISREG(status.st_mode) and _owned(status) and status.st_size <= _LARGEST):
                return None
            digest, code = file.read(32), file.read()
    except OSError:
        return None
    return code if code.startswith(_MAGIC) and _digest(name, code) == digest else None


def save(name: str, code: bytes) -> None:
    place = folder()
    if place is None:
        return
    with suppress(OSError):
        # mkdir gives its mode to the last folder alone: who may write to one above could exchange this one.
        for part in reversed([part for part in (place, *place.parents) if not part.exists()]):
            part.mkdir(mode=0o700, exist_ok=True)
        above = os.lstat(place)
        if not (stat.S_ISDIR(above.st_mode) and _owned(above)):
            return
        handle, beside = tempfile.mkstemp(dir=place)
        try:
            with open(handle, "wb") as file:
                file.write(_digest(name, code) + code)
            os.replace(beside, place / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise
        kept = [file for file in place.iterdir() if len(file.name) == len(name) and file.is_file()]
        files = sorted(kept, key=lambda file: file.stat().st_mtime)
        # Beside the oldest, what runs that were killed have left.
        left = [
            file for file in place.glob(f"{tempfile.gettempprefix()}*") if time.time() - file.lstat().st_mtime > _STALE
        ]
        for old in (*files[:-_MOST], *left):
            old.unlink()
