"""The garbage collector, paused while many nodes are made: they form no cycles, and its searches would double the time.

A pause in one thread is one for all.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

_pauses: list[None] = []
"""One entry for each pause that this process has to end."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collection within, where there was one before."""
    if not gc.isenabled():
        yield
        return
    _pauses.append(None)
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        if _pauses:
            _pauses.pop()


def _resume() -> None:
    """Enable the collector in a forked child: the threads that would have ended their pauses are not there."""
    if _pauses:
        _pauses.clear()
        gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_resume)
