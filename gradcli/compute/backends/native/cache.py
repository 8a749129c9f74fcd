"""The cache of compiled code on disk, in a directory that only its owner can write.

Cached code runs with the rights of the user, so a file that others could have written is never loaded. Failures are not
errors: the code is compiled again.
Layer: must not know what the code does.
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
"""Flags to open a file of the cache: symbolic links are refused, and opening a named pipe does not block."""
_MAX_FILES = 200
"""Maximum of files in the cache; the oldest are removed."""
_MAX_BYTES = 1 << 26
"""Maximum of bytes of a file that is loaded."""
_STALE = 3600.0
"""Age in seconds from which a temporary file is the remainder of a killed process."""
_MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\x64\x86", b"\x64\xaa")
"""The first bytes of object files: ELF, 64-bit Mach-O, COFF for x86-64 and for ARM64."""


def folder() -> Path | None:
    """Return the directory of the cache; None unless GRADCLI_CACHE=1, or if no absolute path is known."""
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
    """Return whether this user owns a file or directory and no other user can write to it."""
    if not hasattr(os, "getuid"):
        return True  # on Windows the directory of local application data is private
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def key(*parts: str) -> str:
    """Return the name of the file for code that is determined by ``parts``."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _digest(name: str, code: bytes) -> bytes:
    """Return the checksum of code and its name, so that a file renamed to another name is refused."""
    return hashlib.sha256(name.encode() + code).digest()


def load(name: str) -> bytes | None:
    """Return the cached code of that name, or None if there is none, it is damaged, or others could have written it."""
    directory = folder()
    if directory is None:
        return None
    try:
        status_of_directory = os.lstat(directory)
        if not (stat.S_ISDIR(status_of_directory.st_mode) and _owned(status_of_directory)):
            return None
        with open(os.open(directory / name, _READ), "rb") as file:
            status = os.fstat(file.fileno())
            if not (stat.S_ISREG(status.st_mode) and _owned(status) and status.st_size <= _MAX_BYTES):
                return None
            digest, code = file.read(32), file.read()
    except OSError:
        return None
    return code if code.startswith(_MAGIC) and _digest(name, code) == digest else None


def save(name: str, code: bytes) -> None:
    """Write code to the cache, atomically, and remove the oldest and the abandoned files."""
    directory = folder()
    if directory is None:
        return
    with suppress(OSError):
        # Create each missing directory with mode 0700: mkdir(parents=True) applies the mode to the last one only, and a
        # user who can write to a parent could replace this one.
        for missing in reversed([missing for missing in (directory, *directory.parents) if not missing.exists()]):
            missing.mkdir(mode=0o700, exist_ok=True)
        status_of_directory = os.lstat(directory)
        if not (stat.S_ISDIR(status_of_directory.st_mode) and _owned(status_of_directory)):
            return
        handle, temporary = tempfile.mkstemp(dir=directory)
        try:
            with open(handle, "wb") as file:
                file.write(_digest(name, code) + code)
            os.replace(temporary, directory / name)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        cached = [file for file in directory.iterdir() if len(file.name) == len(name) and file.is_file()]
        files = sorted(cached, key=lambda file: file.stat().st_mtime)
        # Temporary files of killed processes.
        abandoned = [
            file
            for file in directory.glob(f"{tempfile.gettempprefix()}*")
            if time.time() - file.lstat().st_mtime > _STALE
        ]
        for old in (*files[:-_MAX_FILES], *abandoned):
            old.unlink()
