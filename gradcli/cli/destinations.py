"""From the name of an output to an `Output`: an open descriptor, or a file or an object that is replaced.

A file that is both an input and written in place is refused before any input is read.
"""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from gradcli.cli.output import FileOutput, ObjectOutput, Output
from gradcli.errors import GradError

if TYPE_CHECKING:
    from gradcli.cli.options import CommandLine

_LINKS = 40
"""The most symbolic links followed for a name, as on Linux."""
_DESCRIPTORS = re.compile(r"/proc/[0-9]+(/task/[0-9]+)?/fd")
"""The folders in which Linux names the descriptors of each process."""


class Outputs:
    """The outputs of a run. ``code`` is its exit code once all of them are complete, even if later steps fail."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.code = 0

    @property
    def complete(self) -> bool:
        return bool(self.outputs) and all(output.complete for output in self.outputs)

    def to(self, path: str | None, line: CommandLine) -> Output:
        """The output to a path or URL; None and ``-`` are stdout. ``line`` names the inputs.

        Raises GradError if an input file would be written in place, or an input object replaced.
        """
        output = Output() if path is None or path == "-" else _output(path)
        if isinstance(output, ObjectOutput):
            _refuse_objects(output.name, line)
        else:
            _refuse_inputs(output.in_place(), line)
        self.outputs.append(output)
        return output


def _output(path: str) -> Output:
    from gradcli.storage import is_url

    if is_url(path):
        return ObjectOutput(path)
    fd, of_another = None, False
    # An OSError means a relative path in a deleted working directory: FileOutput reports it.
    with suppress(OSError):
        fd, of_another = _descriptor(path)
    if fd is None:
        return FileOutput(path, append=of_another)
    output = Output("stdout" if fd == 1 else path, fd)
    if fd not in (1, 2) and output.in_place() is None:
        # Refuse a closed descriptor now: a file opened later would get its number.
        raise output.failure(OSError(errno.EBADF, os.strerror(errno.EBADF)))
    return output


def _descriptor(path: str) -> tuple[int | None, bool]:
    """The open descriptor that a path names: /dev/fd/N and the like, or the file that stdout or stderr is open on.

    Else None, and whether the path names a descriptor of another process. Such files are written in place, never
    replaced: other processes may write to them before and after.
    """
    of_another = False
    if os.name == "posix":
        own = {os.path.realpath(name) for name in ("/dev/fd", "/proc/self/fd", "/proc/thread-self/fd")}
        current, links = path, 0
        while links < _LINKS:
            folder, name = os.path.split(current)
            if re.fullmatch("0|[1-9][0-9]{0,8}", name):
                folder = os.path.realpath(folder)
                if folder in own:
                    return int(name), False
                of_another = _DESCRIPTORS.fullmatch(folder) is not None
            if of_another or not os.path.islink(current):
                break
            current, links = os.path.join(folder, os.readlink(current)), links + 1
    for name in (path, os.path.realpath(path)):
        for fd in (1, 2):
            with suppress(OSError, ValueError):
                status = os.stat(name)
                # On Windows st_ino is 0 for pipes and consoles, which samestat would take for one file.
                if status.st_ino and os.path.samestat(status, os.fstat(fd)):
                    return fd, False
    return None, of_another


def _refuse_inputs(written: os.stat_result | None, line: CommandLine) -> None:
    """Raises GradError if an input is the regular file written in place: reading would never reach its end."""
    if written is None or not stat.S_ISREG(written.st_mode):
        return
    for name in _inputs(line):
        # An input that cannot be opened is reported by its reader.
        with suppress(OSError, ValueError, AttributeError):
            read = os.fstat(sys.stdin.fileno()) if name == "-" else os.stat(name)
            if os.path.samestat(read, written):
                raise GradError(
                    f"{'stdin' if name == '-' else name}: this input is the output too",
                    hint="by its name, as -o FILE, it is replaced when all has been read",
                )


def _refuse_objects(url: str, line: CommandLine) -> None:
    """Raises GradError if an input is the object to be replaced: the run, repeated, would read its own result."""
    from gradcli.storage import is_url
    from gradcli.storage.remote import same

    for name in _inputs(line):
        if is_url(name) and same(name, url):
            raise GradError(f"{name}: this input is the output too", hint="give the output another name")


def _inputs(line: CommandLine) -> Iterator[str]:
    """The paths of all input files that a command line names."""
    yield from line.file
    yield from line.claims
    if line.input or line.data:
        from gradcli.job.input_paths import matching

        for path in (*line.input, *line.data):
            yield from matching(path)
    if line.grad_outputs:
        from gradcli.job.cotangents import files

        yield from files(line.grad_outputs)
