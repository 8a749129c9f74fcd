"""A Dask cluster whose workers make parts: the door of distributed.

A task is the call of a function of this package with JSON. The workers need gradcli in the same version, and the files
by the same names.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from gradcli.errors import GradError, optional
from gradcli.parts.plan import Part
from gradcli.parts.task import Fault, Outcome, answered, of, outcome

_PATIENCE = 30
"""Seconds for which a scheduler is waited for, and a first worker."""


class Cluster:
    """The workers of a Dask scheduler; see `pool.Pool`. Raise GradError, exit code 3, if it cannot be reached."""

    def __init__(self, address: str, common: str) -> None:
        distributed = optional("distributed", "cluster", "--cluster tcp:// needs the package distributed")
        try:
            self._client = distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise GradError(
                f"--cluster: no scheduler answers at {address} ({str(error).splitlines()[0][:200]})",
                hint="start one, dask scheduler, and workers with gradcli: dask worker ADDRESS", exit_code=3,
            ) from None  # fmt: skip
        self._common = common
        self._parts: dict[Any, Part] = {}
        self._done = distributed.as_completed()
        self._killed = distributed.scheduler.KilledWorker
        with suppress(TimeoutError):
            self._client.wait_for_workers(1, timeout=_PATIENCE)
            return
        self._client.close()
        raise GradError(
            f"--cluster: the scheduler at {address} has no workers", hint=f"dask worker {address}", exit_code=3
        )

    def submit(self, part: Part) -> None:
        future = self._client.submit(answered, self._common, of(part), pure=False)
        self._parts[future.key] = part
        self._done.add(future)

    def outcome(self) -> Outcome:
        future = next(self._done)
        part = self._parts.pop(future.key)
        error = future.exception()
        if error is None:
            return outcome(part, future.result())
        hint = "if memory ran out: workers with more, or smaller parts: --part-bytes"
        died = isinstance(error, self._killed)
        what = "the workers that made it ended" if died else f"{type(error).__name__}: {str(error)[:300]}"
        return Outcome(part, None, Fault(what, hint if died else None, 3, died))

    def close(self) -> None:
        with suppress(Exception):
            self._client.cancel([*self._done.futures])
        with suppress(Exception):
            self._client.close(timeout=5)
