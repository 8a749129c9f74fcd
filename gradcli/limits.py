"""How much may be held in memory at once. Must not know what for."""

from __future__ import annotations

import os

from gradcli.errors import GradError

_UNTOLD = 8 << 30
"""Bytes of memory where the system does not tell."""
_CONTAINER = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
"""What a container may have, by Linux's second and first way of saying it."""


def limit() -> int:
    """Bytes that may be held: three quarters of the memory there is."""
    try:
        found = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        found = 0
    if found <= 0:
        found = _UNTOLD
    for path in _CONTAINER:
        try:
            with open(path) as file:
                found = min(found, int(file.read()))
        except (OSError, ValueError):
            continue
    return found // 4 * 3


def check(size: int, what: str, hint: str) -> None:
    """Raises GradError where ``size`` bytes, which ``what`` would take, are beyond the limit."""
    if size > (most := limit()):
        raise GradError(f"{what} would take {_told(size)} of memory, and the limit is {_told(most)} here", hint=hint)


def _told(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"
