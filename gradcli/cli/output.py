"""Outputs of results: stdout or another open descriptor, or a file that is replaced atomically.

SIGINT, SIGTERM and SIGHUP end the process by the same signal, after the current line is written and the temporary
file is removed.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
from contextlib import suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from gradcli.cli.stderr import fitted, text_width
from gradcli.errors import GradError
from gradcli.formats import Start

if TYPE_CHECKING:
    from gradcli.storage.replacement import Replacement

_BUFFER = 1 << 16
_GRACE = 0.5
"""Seconds in which a reader can take the rest of a line after a signal has arrived."""


def die(signum: int) -> NoReturn:
    """End the process by a signal, so that the parent process sees it in the wait status."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)
    # Reached only if the signal is blocked.
    os._exit(128 + signum)


class Output:
    """A buffered output to an open descriptor, stdout by default: ``with output: output(data)``.

    Raises GradError, exit code 3, if a write fails. ``complete``: all data is written.
    """

    rewinds = False
    """Whether the last piece of data may be a ``Start``, which overwrites the beginning."""

    def __init__(self, name: str = "stdout", fd: int = 1) -> None:
        self.name, self.fd = name, fd
        self.complete = False
        self.buffer: list[bytes] = []
        self.size = 0
        self.partial_line = False
        self.pending_signal = 0
        self.previous: dict[int, Any] = {}

    def __call__(self, data: bytes) -> None:
        if isinstance(data, Start):
            self.flush()
            os.lseek(self.fd, 0, os.SEEK_SET)
        if len(data) >= _BUFFER:
            # Keep it apart from what is before it: joining would copy it.
            self.flush()
        self.buffer.append(data)
        self.size += len(data)
        if self.size >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        data = b"".join(self.buffer)
        self.buffer, self.size = [], 0
        written, end = 0, len(data)
        view = memoryview(data)
        try:
            while written < end:
                self.partial_line = True
                written += os.write(self.fd, view[written:end])
                self.partial_line = data[written - 1] != 10
                if self.pending_signal:
                    end = data.find(b"\n", written - 1, end) + 1
        except OSError as e:
            raise self.failure(e) from None
        if self.pending_signal:
            self.abort(self.pending_signal)

    def failure(self, e: OSError) -> GradError:
        return GradError(f"cannot write to {self.name}: {e.strerror or e}", exit_code=3)

    def in_place(self) -> os.stat_result | None:
        """The status of the file if it is written in place; None if it is replaced or the descriptor is not open."""
        try:
            return os.fstat(self.fd)
        except OSError:
            return None

    @property
    def terminal(self) -> bool:
        return self.fd >= 0 and os.isatty(self.fd)

    def abort(self, signum: int) -> NoReturn:
        """Discard the output and end by the signal."""
        try:
            self.discard()
        finally:
            die(signum)

    def open(self) -> None:
        if self.fd in (1, 2):
            stream = sys.stdout if self.fd == 1 else sys.stderr
            if stream is None:
                raise GradError(f"cannot write to {self.name}: it is closed", exit_code=3)
            # Flush first, so that text printed by click or Python stays in order.
            stream.flush()
            self.fd = stream.fileno()

    def close(self) -> None:
        self.flush()
        self.complete = True

    def discard(self) -> None:
        """Release the resources; an incomplete file is removed. A plain descriptor has nothing to release."""

    def _on_signal(self, signum: int, frame: FrameType | None) -> None:
        if self.partial_line and not self.pending_signal and hasattr(signal, "setitimer"):
            # A partial line has been written. Finish it before dying, within 0.5 s, in case the reader has stopped
            # reading.
            self.pending_signal = signum
            signal.signal(signal.SIGALRM, lambda *_: self.abort(signum))
            signal.setitimer(signal.ITIMER_REAL, _GRACE)
        else:
            self.abort(signum)

    def __enter__(self) -> Output:
        hangup = [signal.SIGHUP] if hasattr(signal, "SIGHUP") else []
        # Outside the main thread Python sets no handlers: there signals are the program's that called `run`.
        with suppress(ValueError):
            for signum in (signal.SIGINT, signal.SIGTERM, *hangup):
                # Leave ignored signals ignored (nohup sets SIGHUP to SIG_IGN).
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
                # The complete rows before the error are valid results.
                self.flush()
        finally:
            self.discard()
            self._restore()

    def _restore(self) -> None:
        for signum, handler in self.previous.items():
            signal.signal(signum, handler)


class FileOutput(Output):
    """A file that is replaced when the new content is complete; a device or a pipe is written in place.

    ``append``: write at the end of what is there, since another process has it open.
    """

    def __init__(self, target: str, *, append: bool = False) -> None:
        super().__init__(target, -1)
        self.append = append
        self.file: Replacement | None = None
        try:
            self.target = os.path.realpath(target)
        except OSError as e:
            # A relative path while the working directory has been deleted.
            raise self.failure(e) from None

    def in_place(self) -> os.stat_result | None:
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
            # Use the name given: the file behind /proc/PID/fd/N of another process may have no path of its own.
            status = os.stat(self.name) if os.path.exists(self.name) else None
            if status is not None and not stat.S_ISREG(status.st_mode):
                # A device or a pipe is written in place: replacing it would put a regular file there.
                self.fd = os.open(self.name, os.O_WRONLY)
                return
            if status is not None and not os.access(self.target, os.W_OK):
                raise PermissionError(13, "Permission denied")
            from gradcli.storage.replacement import Replacement

            self.file = Replacement(self.target)
            self.fd = self.file.open()
            self.rewinds = True
        except OSError as e:
            raise self.failure(e) from None

    def failure(self, e: OSError) -> GradError:
        return GradError(f"{self.name}: {e.strerror or e}", exit_code=3)

    def flush(self) -> None:
        size = self.size
        super().flush()
        if self.file is not None:
            self.file.wrote(size)

    def close(self) -> None:
        self.flush()
        try:
            if self.file is not None:
                self.file.commit()
            else:
                # Forget the descriptor first: close() releases it even if it reports an error.
                fd, self.fd = self.fd, -1
                os.close(fd)
                self.complete = True
        except OSError as e:
            raise self.failure(e) from None
        finally:
            if self.file is not None:
                self.complete = self.file.complete

    def discard(self) -> None:
        if self.file is not None:
            self.file.discard()
        elif self.fd >= 0:
            # An error of this close must not hide the error that led here.
            with suppress(OSError):
                fd, self.fd = self.fd, -1
                os.close(fd)


class ObjectOutput(Output):
    """An object of a store, named by a URL. It is replaced when the new content is complete, and not seen before."""

    def __init__(self, url: str) -> None:
        from gradcli.storage.remote import Upload

        super().__init__(url, -1)
        self.upload = Upload(url)

    def failure(self, e: OSError) -> GradError:
        return GradError(f"{self.name}: {e.strerror or e}", exit_code=3)

    def open(self) -> None:
        from gradcli.storage.remote import check_bucket

        try:
            check_bucket(self.name)
            self.upload.open()
        except OSError as e:
            raise self.failure(e) from None

    def flush(self) -> None:
        data = b"".join(self.buffer)
        self.buffer, self.size = [], 0
        try:
            if data:
                self.upload.write(data)
        except OSError as e:
            raise self.failure(e) from None

    def close(self) -> None:
        self.flush()
        try:
            self.upload.commit()
        except OSError as e:
            raise self.failure(e) from None
        finally:
            self.complete = self.upload.complete

    def discard(self) -> None:
        self.upload.discard()


def emit(text: str, *, fit: bool = True) -> None:
    """Print a result that is text: help, versions, tables. ``fit``: break its lines for a terminal."""
    with Output() as output:
        output(fitted(text, text_width(sys.stdout) if fit else None).encode())
