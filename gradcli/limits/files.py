"""How many files may be open at a time."""

from __future__ import annotations

from contextlib import suppress

_OTHERS = 100
"""Files that are open beside those: libraries, the output."""


def allow(count: int) -> None:
    """Let this process open so many files together, if the system lets it: often 1024 are a default alone."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        unlimited = resource.RLIM_INFINITY
        needed = count + _OTHERS
        if soft != unlimited and soft < needed:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed if hard == unlimited else min(needed, hard), hard))
