"""What goes to stderr: errors, notes and progress, in colour where that is wanted."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from time import monotonic
from typing import IO, Any

from gradcli.errors import GradError, picture, printable


def colored(stream: IO[Any] | None, choice: str | None) -> bool:
    """Whether to colour a stream: --color, then NO_COLOR, FORCE_COLOR and TERM=dumb, then whether it is a terminal."""
    if stream is None or choice == "never":
        return False
    if choice == "always":
        return True
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def _say(text: str) -> None:
    """One message to stderr; where that is impossible there is nobody left to tell."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def error(e: GradError, color: str | None = None) -> None:
    """``gradcli: error: ...`` with the place and the way out."""
    label = "\x1b[1;31merror:\x1b[0m" if colored(sys.stderr, color) else "error:"
    _say(f"gradcli: {label} {picture(e)}\n")


def note(text: str, color: str | None = None) -> None:
    label = "\x1b[1;33mnote:\x1b[0m" if colored(sys.stderr, color) else "note:"
    _say(f"gradcli: {label} {printable(text)}\n")


def nonfinite(counts: Mapping[str, int]) -> str:
    """``1 non-finite value in f, 2 in df_dx``"""
    pieces = [f"{n} in {name}" for name, n in counts.items()]
    first = next(iter(counts.values()))
    pieces[0] = pieces[0].replace(" ", f" non-finite value{'' if first == 1 else 's'} ", 1)
    more = len(pieces) - 8
    return ", ".join(pieces[:8]) + (f" and {sum(list(counts.values())[8:])} in {more} more columns" if more > 0 else "")


def progress(total: int) -> tuple[Callable[[int], None], Callable[[], None]]:
    """(watch, erase): a line on a terminal once the work has taken a second, and its removal."""
    started = monotonic()
    shown = 0.0

    def watch(done: int) -> None:
        nonlocal shown
        now = monotonic()
        if now - started > 1 and now - shown > 0.1:
            shown = now
            _say(f"\rgradcli: {100 * done // total} % of {total} points")

    def erase() -> None:
        if shown:
            _say("\r\x1b[K")

    return watch, erase
