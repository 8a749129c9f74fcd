"""Which door the name of an output leads to: a descriptor that is open, or a file that is replaced.

What is both read and written as it stands is refused, before anything is read.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from gradcli.cli.output import Door, FileDoor
from gradcli.errors import GradError

_LINKS = 40
"""Symbolic links that a name may lead through, as on Linux."""
_DESCRIPTORS = re.compile(r"/proc/[0-9]+(/task/[0-9]+)?/fd")
"""Where Linux names the descriptors of each process."""


class Doors:
    """The doors of a run, and its exit code once all is out through them, whatever fails after that."""

    def __init__(self) -> None:
        self.opened: list[Door] = []
        self.code = 0

    @property
    def whole(self) -> bool:
        return bool(self.opened) and all(door.whole for door in self.opened)

    def to(self, path: str | None, given: dict[str, Any]) -> Door:
        """The door to the file of that name, or to stdout. ``given`` names what is read.

        Raises GradError where a file would be both read and written as it stands.
        """
        door = Door() if path is None or path == "-" else _door(path)
        _refuse_inputs(door.stands(), given)
        self.opened.append(door)
        return door


def _door(path: str) -> Door:
    fd, of_another = None, False
    # A relative path where the working directory is gone: FileDoor tells it.
    with suppress(OSError):
        fd, of_another = _descriptor(path)
    if fd is None:
        return FileDoor(path, append=of_another)
    door = Door("stdout" if fd == 1 else path, fd)
    if fd not in (1, 2) and door.stands() is None:
        # A file opened later would get that number.
        raise door.refused(OSError(errno.EBADF, os.strerror(errno.EBADF)))
    return door


def _descriptor(path: str) -> tuple[int | None, bool]:
    """The open descriptor that a name stands for, or else whether it is a name of another process's.

    It is one of the system's names for it, or a name of the file behind 1 or 2. Such a file is never replaced: others
    may write to it before and after.
    """
    of_another = False
    if os.name == "posix":
        own = {os.path.realpath(name) for name in ("/dev/fd", "/proc/self/fd", "/proc/thread-self/fd")}
        here, links = path, 0
        while links < _LINKS:
            folder, name = os.path.split(here)
            if re.fullmatch("0|[1-9][0-9]{0,8}", name):
                folder = os.path.realpath(folder)
                if folder in own:
                    return int(name), False
                of_another = _DESCRIPTORS.fullmatch(folder) is not None
            if of_another or not os.path.islink(here):
                break
            here, links = os.path.join(folder, os.readlink(here)), links + 1
    for name in (path, os.path.realpath(path)):
        for fd in (1, 2):
            with suppress(OSError, ValueError):
                found = os.stat(name)
                # Windows has no number for what is no file.
                if found.st_ino and os.path.samestat(found, os.fstat(fd)):
                    return fd, False
    return None, of_another


def _refuse_inputs(output: os.stat_result | None, given: dict[str, Any]) -> None:
    """Raises GradError where a regular file is read from and written to as it stands: it would be read for ever."""
    if output is None or not stat.S_ISREG(output.st_mode):
        return
    for name in _inputs(given):
        # What cannot be read is told by who reads it.
        with suppress(OSError, ValueError, AttributeError):
            found = os.fstat(sys.stdin.fileno()) if name == "-" else os.stat(name)
            if os.path.samestat(found, output):
                raise GradError(
                    f"{'stdin' if name == '-' else name}: this input is the output too",
                    hint="by its name, as -o FILE, it is replaced when all has been read",
                )


def _inputs(given: dict[str, Any]) -> Iterator[str]:
    """The files that the options of a command name."""
    yield from given.get("file", ())
    yield from given.get("claims", ())
    if given.get("input"):
        from gradcli.job.tables import matching

        for path in given["input"]:
            yield from matching(path)
    if given.get("grad_outputs"):
        from gradcli.job.cotangents import files

        yield from files(given["grad_outputs"])
