"""flint's precision, one for all threads: set and restored under one lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flint import ctx

LOCK = threading.RLock()
"""Held wherever balls are computed."""
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=LOCK._at_fork_reinit)  # type: ignore[attr-defined]


@contextmanager
def arithmetic(bits: int = 128) -> Iterator[None]:
    """Compute balls with so many bits inside the block, one thread at a time."""
    with LOCK:
        before = ctx.prec, ctx.cap
        ctx.prec = bits
        try:
            yield
        finally:
            ctx.prec, ctx.cap = before
