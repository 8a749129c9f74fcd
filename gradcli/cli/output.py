"""Where results leave: stdout, or a file that appears whole or not at all.

A signal ends the process by that signal: after the line being written, with no temporary file left.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Any, NoReturn

from gradcli.cli.replacement import Replacement
from gradcli.errors import GradError
from gradcli.formats import Start

_BUFFER = 1 << 16
_PATIENCE = 0.5
"""Seconds that a reader has to take the rest of a line once a signal has come."""


def die(signum: int) -> NoReturn:
    """End by the signal itself, so that whoever waits for this process can tell."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
    # Only where the signal is blocked.
    os._exit(128 + signum)


class Door:
    """A context that takes bytes: ``door(data)``. Raises GradError, exit code 3, where they cannot be written.

    A descriptor that is open already, stdout unless another is named. ``whole``: whether all is out.
    """

    rewinds = False
    """Whether a ``Start`` may come last."""

    def __init__(self, name: str = "stdout", fd: int = 1) -> None:
        self.name, self.fd = name, fd
        self.whole = False
        self.held: list[bytes] = []
        self.size = 0
        self.midline = False
        self.dying = 0
        self.previous: dict[int, Any] = {}

    def __call__(self, data: bytes) -> None:
        if isinstance(data, Start):
            self.flush()
            os.lseek(self.fd, 0, os.SEEK_SET)
        self.held.append(data)
        self.size += len(data)
        if self.size >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        data = b"".join(self.held)
        self.held, self.size = [], 0
        at, end = 0, len(data)
        view = memoryview(data)
        try:
            while at < end:
                self.midline = True
                at += os.write(self.fd, view[at:end])
                self.midline = data[at - 1] != 10
                if self.dying:
                    end = data.find(b"\n", at - 1, end) + 1
        except OSError as e:
            raise self.refused(e) from None
        if self.dying:
            self.leave(self.dying)

    def refused(self, e: OSError) -> GradError:
        return GradError(f"cannot write to {self.name}: {e.strerror or e}", exit_code=3)

    def stands(self) -> os.stat_result | None:
        """The file that is written to as it stands; None where it is replaced, or not open."""
        try:
            return os.fstat(self.fd)
        except OSError:
            return None

    @property
    def terminal(self) -> bool:
        return self.fd >= 0 and os.isatty(self.fd)

    def leave(self, signum: int) -> NoReturn:
        try:
            self.discard()
        finally:
            die(signum)

    def open(self) -> None:
        if self.fd in (1, 2):
            stream = sys.stdout if self.fd == 1 else sys.stderr
            if stream is None:
                raise GradError(f"cannot write to {self.name}: it is closed", exit_code=3)
            # What click or Python may have printed comes first.
            stream.flush()
            self.fd = stream.fileno()

    def close(self) -> None:
        self.flush()
        self.whole = True

    def discard(self) -> None:
        """Undo what can be undone."""

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self.midline and not self.dying and hasattr(signal, "setitimer"):
            # Half a line is out. Let it end, but not at the mercy of a reader that has stopped reading.
            self.dying = signum
            signal.signal(signal.SIGALRM, lambda *_: self.leave(signum))
            signal.setitimer(signal.ITIMER_REAL, _PATIENCE)
        else:
            self.leave(signum)

    def __enter__(self) -> Door:
        hangup = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []
        for signum in (signal.SIGINT, signal.SIGTERM, *hangup):
            # One who asked to be spared, as nohup does, is spared.
            if signal.getsignal(signum) is not signal.SIG_IGN:
                self.previous[signum] = signal.signal(signum, self._on_signal)
        try:
            self.open()
        except BaseException:
            self.discard()
            self._restore()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        try:
            if e is None:
                self.close()
            elif isinstance(e, GradError):
                # Whole rows that came before the error are results.
                self.flush()
        finally:
            self.discard()
            self._restore()

    def _restore(self) -> None:
        for signum, handler in self.previous.items():
            signal.signal(signum, handler)


class FileDoor(Door):
    """A file that is replaced when the new one is complete; a device or a pipe is written to.

    ``append``: write at the end of what is there, since another process has it open.
    """

    def __init__(self, target: str, *, append: bool = False) -> None:
        super().__init__(target, -1)
        self.append = append
        self.file: Replacement | None = None
        try:
            self.target = os.path.realpath(target)
        except OSError as e:
            # A relative path where the working directory is gone.
            raise self.refused(e) from None

    def stands(self) -> os.stat_result | None:
        with suppress(OSError):
            return os.stat(self.name) if self.append else None
        return None

    def open(self) -> None:
        try:
            if self.append:
                self.fd = os.open(self.name, os.O_WRONLY | os.O_APPEND)
                return
            if os.path.isdir(self.target) or self.name.endswith(os.sep):
                raise IsADirectoryError(21, "Is a directory")
            if os.path.islink(self.target):
                raise OSError(40, "Too many levels of symbolic links")
            # By the name given: what a descriptor of another process leads to may have no name of its own.
            there = os.stat(self.name) if os.path.exists(self.name) else None
            if there is not None and not stat.S_ISREG(there.st_mode):
                # A device or a pipe cannot be replaced, only written to.
                self.fd = os.open(self.name, os.O_WRONLY)
                return
            if there is not None and not os.access(self.target, os.W_OK):
                raise PermissionError(13, "Permission denied")
            self.file = Replacement(self.target)
            self.fd = self.file.open()
            self.rewinds = True
        except OSError as e:
            raise self.refused(e) from None

    def refused(self, e: OSError) -> GradError:
        return GradError(f"{self.name}: {e.strerror or e}", exit_code=3)

    def close(self) -> None:
        self.flush()
        try:
            if self.file is not None:
                self.file.commit()
            else:
                # Closed even where closing fails.
                fd, self.fd = self.fd, -1
                os.close(fd)
                self.whole = True
        except OSError as e:
            raise self.refused(e) from None
        finally:
            if self.file is not None:
                self.whole = self.file.whole

    def discard(self) -> None:
        if self.file is not None:
            self.file.discard()
        elif self.fd >= 0:
            # What failed before is the error to tell.
            with suppress(OSError):
                fd, self.fd = self.fd, -1
                os.close(fd)


def emit(text: str) -> None:
    """Print text that is a result: help, versions, tables."""
    with Door() as door:
        door(text.encode())
