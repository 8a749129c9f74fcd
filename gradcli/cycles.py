"""Python's search for cycles, put off while many objects without any are made: it would double the time.

A pause in one thread is one for all. Must not know what is made.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

_pauses: list[None] = []
"""One entry for each pause that this process has to end."""


@contextmanager
def unsought() -> Iterator[None]:
    """No search within, where there was one before."""
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
    """The threads that would have ended their pauses are not in a forked child."""
    if _pauses:
        _pauses.clear()
        gc.enable()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_resume)
