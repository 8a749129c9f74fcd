"""Processes of this machine that make parts; one that dies is replaced, and its part is told as not made."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import IO, Protocol

import gradcli
from gradcli.limits.files import allow
from gradcli.parts.part import make
from gradcli.parts.plan import Part
from gradcli.parts.task import Fault, Outcome, fault, outcome
from gradcli.parts.work import Work
from gradcli.storage.folder import Folder

_MAIN = "import sys; sys.path[:0] = {*sys.argv[1:]} - {*sys.path}; from gradcli.parts.worker import main; main()"
_WORKER = [sys.executable, "-P", "-c", _MAIN, os.path.dirname(next(iter(gradcli.__path__)))]
"""The package that runs here is what a process runs, from wherever it was imported; by -P no other of the working
directory."""
_GRACE = 5
"""Seconds in which a process that was killed ends."""
_NAP = 0.5
"""Seconds after which a wait lets signals be handled, where it would not by itself."""


class Pool(Protocol):
    """What makes parts."""

    def submit(self, part: Part) -> None:
        """Take a part to be made."""

    def outcome(self) -> Outcome:
        """Wait for a part of those submitted, and return what became of it."""

    def close(self) -> None:
        """Stop: parts that are being made are left unmade."""


class Here:
    """This process; see `Pool`."""

    def __init__(self, work: Work, folder: Folder) -> None:
        self._work, self._folder = work, folder
        self._parts: deque[Part] = deque()

    def submit(self, part: Part) -> None:
        self._parts.append(part)

    def outcome(self) -> Outcome:
        part = self._parts.popleft()
        try:
            return Outcome(part, make(self._work, part, self._folder), None)
        except Exception as error:
            return Outcome(part, None, fault(error))

    def close(self) -> None:
        self._parts.clear()


class Local:
    """Processes of this machine, which take their parts from a queue; see `Pool`. They start at once."""

    def __init__(self, common: str, count: int) -> None:
        self._common = common
        self._parts: SimpleQueue[Part | None] = SimpleQueue()
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._processes: list[subprocess.Popen[bytes] | None] = [None] * count
        self._closed = False
        self._lock, self._without = threading.Lock(), 0
        allow(2 * count)
        self._threads = [threading.Thread(target=self._serve, args=(k,), daemon=True) for k in range(count)]
        for thread in self._threads:
            thread.start()

    def submit(self, part: Part) -> None:
        self._parts.put(part)

    def outcome(self) -> Outcome:
        while True:
            with suppress(Empty):
                return self._outcomes.get(timeout=_NAP)

    def close(self) -> None:
        self._closed = True
        for _ in self._threads:
            self._parts.put(None)
        for process in self._processes:
            if process is not None:
                process.kill()
        for thread in self._threads:
            # A process that waits for a disk outlives the signal.
            thread.join(_GRACE)

    def _serve(self, k: int) -> None:
        """Give parts to a process, one at a time, and start another if it dies."""
        if hasattr(signal, "pthread_sigmask"):
            # Inherited by the processes: Ctrl-C is for the one that started them, which ends them.
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        while not self._closed:
            try:
                process = subprocess.Popen(_WORKER, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            except OSError as error:
                with self._lock:
                    self._without += 1
                    last = self._without == len(self._threads)
                if not last:
                    # The others make all parts.
                    return
                if (part := self._parts.get()) is not None:
                    what = f"no process starts: {error.strerror or error}"
                    self._outcomes.put(Outcome(part, None, Fault(what, None, 3)))
                with self._lock:
                    self._without -= 1
                continue
            self._processes[k] = process
            # The input of a process that has ended cannot be flushed.
            with suppress(OSError), process:
                self._give(process)

    def _give(self, process: subprocess.Popen[bytes]) -> None:
        """Give parts to a process until it dies, or there are none."""
        assert process.stdin is not None and process.stdout is not None
        _asked(process.stdin, None, self._common)
        while (part := self._parts.get()) is not None:
            answer = _asked(process.stdin, process.stdout, json.dumps(part.told()))
            if answer is None:
                self._outcomes.put(Outcome(part, None, _death(process.wait())))
                return
            self._outcomes.put(outcome(part, json.loads(answer)))


def _asked(requests: IO[bytes], answers: IO[bytes] | None, line: str) -> bytes | None:
    """Return the answer to a line, if there is to be one; None if the process has ended."""
    try:
        requests.write(line.encode() + b"\n")
        requests.flush()
    except OSError:
        return None
    answer = b"" if answers is None else answers.readline()
    return answer if answer.endswith(b"\n") else None


def _death(code: int) -> Fault:
    how = f"exit code {code}"
    if code < 0 and os.name == "posix":
        with suppress(ValueError):
            how = signal.Signals(-code).name
    hint = "if memory ran out: fewer processes at a time, or smaller parts: --part-bytes"
    return Fault(f"the process that made it ended ({how})", hint, 3)
