"""A Dask cluster whose workers make parts: the door of distributed.

A task is the call of a function of this package, by its name, with JSON, and its result is JSON: the scheduler needs
nothing of gradcli. The workers need it in the same version, and the files by the same names.
"""

from __future__ import annotations

import logging
import operator
import pkgutil
import warnings
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from queue import Empty, SimpleQueue
from time import monotonic, sleep
from typing import Any

from gradcli import __version__
from gradcli.errors import GradError, missing, optional
from gradcli.parts.plan import Part
from gradcli.parts.task import Fault, Outcome, outcome

PATIENCE = 30.0
"""Seconds for which a scheduler is waited for, and for workers while it has none."""
_TASK = "gradcli.parts.task:answered"
_AHEAD = 5000
"""Parts that the scheduler holds at a time: a million would take more memory than it may have."""
_NAP = 0.5
"""Seconds after which a wait lets signals be handled, and looks at the connection."""
_CLOSING = 1
"""Seconds that the scheduler has to take leave. It drops the tasks of a client that is gone in any case."""


class Cluster:
    """The workers of a Dask scheduler; see `pool.Pool`. Raise GradError, exit code 3, if there are none.

    ``common`` is what `task.told` returns. Until it is closed, nothing is logged in this process: distributed prints
    the failures that are told here.
    """

    def __init__(self, address: str, common: str, patience: float | None = None) -> None:
        self._address, self._common = address, common
        self._patience = PATIENCE if patience is None else patience
        self._waiting: deque[Part] = deque()
        self._running: dict[str, tuple[Part, Any]] = {}
        self._ended: SimpleQueue[str] = SimpleQueue()
        self._outcomes: deque[Outcome] = deque()
        self._numbers = count()
        self._seen = 0.0
        self._client: Any = None
        self._level = logging.root.manager.disable
        distributed = optional("distributed", "cluster", "--cluster tcp:// needs the package distributed")
        self._killed = distributed.scheduler.KilledWorker
        logging.disable(logging.CRITICAL)
        try:
            self._connect(distributed)
        except BaseException:
            self.close()
            raise

    def _connect(self, distributed: Any) -> None:
        try:
            with warnings.catch_warnings():
                # Dask's packages may differ in their versions: what does not work is told where it fails.
                warnings.simplefilter("ignore")
                self._client = distributed.Client(self._address, timeout=self._patience, set_as_default=False)
        except Exception as error:
            lines = str(error).splitlines() or [type(error).__name__]
            raise self._failed(
                f"does not answer ({lines[0][:200]})", "start one, dask scheduler, and workers: dask worker ADDRESS"
            ) from None
        self._seen = monotonic()
        while not self._looked():
            sleep(_NAP / 5)

    def submit(self, part: Part) -> None:
        self._waiting.append(part)

    def outcome(self) -> Outcome:
        while not self._outcomes:
            self._send()
            if names := self._arrived():
                self._outcomes.extend(self._read([self._running.pop(name) for name in names]))
            else:
                self._looked()
        return self._outcomes.popleft()

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                client.close(timeout=_CLOSING)
        logging.disable(self._level)

    def _failed(self, what: str, hint: str) -> GradError:
        return GradError(f"--cluster: the scheduler at {self._address} {what}", hint=hint, exit_code=3)

    def _send(self) -> None:
        """Give the scheduler as many parts as it may hold."""
        number = min(len(self._waiting), _AHEAD - len(self._running))
        if number < 1:
            return
        parts = [self._waiting.popleft() for _ in range(number)]
        # Each attempt has a name of its own, since Dask gives the results that it has for those that it knows.
        names = [f"{part.name}-{self._client.id}-{next(self._numbers)}" for part in parts]
        call = (operator.call, (pkgutil.resolve_name, _TASK), self._common)
        graph = {name: (*call, part.told()) for name, part in zip(names, parts, strict=True)}
        futures = self._client.get(graph, names, sync=False)
        self._running.update(zip(names, zip(parts, futures, strict=True), strict=True))
        for name, future in zip(names, futures, strict=True):
            future.add_done_callback(lambda _, name=name: self._ended.put(name))

    def _arrived(self) -> list[str]:
        """Wait a moment for tasks to end; return the names of those that have."""
        names = []
        with suppress(Empty):
            names.append(self._ended.get(timeout=_NAP))
            while True:
                names.append(self._ended.get_nowait())
        return names

    def _looked(self) -> bool:
        """Return whether there are workers. Raise GradError if there have been none for too long, or no scheduler."""
        self._check()
        workers = None
        # The scheduler may end before the client knows that it has.
        with suppress(Exception):
            workers = self._client.nthreads()
        if workers:
            self._seen = monotonic()
        elif monotonic() - self._seen > self._patience:
            self._check()
            raise self._failed("has no workers", f"start some with gradcli: dask worker {self._address}")
        return bool(workers)

    def _check(self) -> None:
        if self._client.status != "running":
            raise self._failed("is gone", "the parts that are made stand, and the same command goes on with the others")

    def _read(self, ended: Sequence[tuple[Part, Any]]) -> list[Outcome]:
        """Return the outcomes of tasks that have ended."""
        done = [future for _, future in ended if future.status == "finished"]
        answers = {}
        # Together, since each takes two requests. A worker that has ended meanwhile takes its results with it.
        with suppress(Exception):
            if done:
                answers = dict(zip(done, self._client.gather(done), strict=True))
        return [self._outcome(part, future, answers.get(future)) for part, future in ended]

    def _outcome(self, part: Part, future: Any, answer: dict[str, Any] | None) -> Outcome:
        if answer is None:
            try:
                return outcome(part, future.result())
            except Exception as error:
                # The futures of a client that has lost its scheduler end at once.
                self._check()
                return Outcome(part, None, self._fault(error))
        return outcome(part, answer)

    def _fault(self, error: Exception) -> Fault:
        if isinstance(error, self._killed):
            hint = "if memory ran out: workers with more, or smaller parts: --part-bytes"
            return Fault("the workers that made it ended", hint, 3)
        if isinstance(error, ImportError) and missing(error, "gradcli"):
            return Fault("a worker has no gradcli", f"install gradcli {__version__} where the workers are", 3)
        return Fault(f"{type(error).__name__}: {str(error)[:300]}", None, 3)
