"""A pause of the garbage collector while many nodes are made: they form no cycles, and its passes double the time.

The pause holds for all threads of the process.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

_pauses: list[None] = []
"""One entry for each pause that a thread of this process has to end."""


@contextmanager
def collector_paused() -> Iterator[None]:
    """Disable the collector inside the block, if it is enabled, and enable it afterwards."""
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
    """Enable the collector in a forked child: the threads that would end the pauses do not exist there."""
    if _pauses:
        _pauses.clear()
        gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_resume)
