"""Messages on stderr: errors, notes and the progress line, in colour if wanted."""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic
from typing import IO, TYPE_CHECKING, Any

from gradcli.caret import counted, inert, picture, printable, wrapped
from gradcli.errors import GradError

if TYPE_CHECKING:
    from gradcli.cli.options import CommandLine

_NARROW, _WIDE = 40, 100
_STATEMENTS = 400
"""Characters of strict texts that a note shows."""
_COMMENT = re.compile(r"((?:`[^`\n]*`|[^`#\n])*+)#[^\n]*")


def colored(stream: IO[Any] | None, choice: str | None) -> bool:
    """Whether to colour a stream: by --color, then NO_COLOR, FORCE_COLOR, TERM=dumb and isatty, in this order."""
    if stream is None or choice == "never":
        return False
    if choice == "always":
        return True
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and stream.isatty()


def screen(fd: int) -> tuple[int, int]:
    """The columns and lines of the terminal that a descriptor is open on; COLUMNS and LINES go first."""
    try:
        size = os.get_terminal_size(fd)
    except OSError:
        size = os.terminal_size((0, 0))
    columns, lines = (os.environ.get(name, "") for name in ("COLUMNS", "LINES"))
    return (
        int(columns) if columns.isdecimal() and int(columns) else size.columns or 80,
        int(lines) if lines.isdecimal() and int(lines) else size.lines or 24,
    )


def text_width(stream: IO[Any] | None) -> int | None:
    """The width to which text for a stream is fitted: that of a terminal, at least 40 and at most 100; None for others.

    A line of a pipe or a file stays a line.
    """
    try:
        if stream is None or not stream.isatty():
            return None
        return min(max(screen(stream.fileno())[0], _NARROW), _WIDE)
    except (OSError, ValueError):
        return None


def fitted(text: str, width: int | None) -> str:
    return "\n".join([piece for line in text.split("\n") for piece in wrapped(line, width)])


def tell(text: str) -> None:
    """Write one message to stderr. A failing write is ignored: there is no other channel to report it on."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        pass


def _message(label: str, code: str, text: str, color: str | None) -> None:
    lead = f"gradcli: {label}"
    text = fitted(f"{lead} {text}", text_width(sys.stderr)).removeprefix(lead)
    tell(f"gradcli: {code}{label}\x1b[0m{text}\n" if colored(sys.stderr, color) else f"{lead}{text}\n")


def error(e: GradError, color: str | None = None) -> None:
    """Print ``gradcli: error: ...``, the marked place in the source and the hint."""
    _message("error:", "\x1b[1;31m", _pictured(e), color)


def certificate(e: GradError, color: str | None = None) -> None:
    """Print ``gradcli: note: ...`` with a picture, as that of an error."""
    _message("note:", "\x1b[1;33m", _pictured(e), color)


def _pictured(e: GradError) -> str:
    width = text_width(sys.stderr)
    # Two blanks before the line, and three points where it is cut on either side.
    return str(e) if width is None else picture(e.message, e.hint, e.span, e.source, width - 8)


def note(text: str, color: str | None = None) -> None:
    _message("note:", "\x1b[1;33m", inert(printable(text)), color)


def read_as(text: str | None, line: CommandLine) -> None:
    """The note on how natural notation was read, unless --quiet or where it is strict already."""
    if text is None or line.quiet:
        return
    statements, depth = "", 0
    for row in _COMMENT.sub(r"\1", text).split("\n"):
        if row.strip():
            statements += ("; " if statements and not depth else " " if statements else "") + row.strip()
            depth += row.count("(") - row.count(")")
    shown = statements if len(statements) <= _STATEMENTS else f"{statements[:_STATEMENTS]} ..."
    note(f"read as {shown}", line.color)


def waiting(what: str, color: str | None = None) -> None:
    """The note that input comes from the keyboard, if stdin and stderr are a terminal."""
    with suppress(AttributeError, OSError, ValueError):
        if sys.stdin.isatty() and sys.stderr.isatty():
            end = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
            note(f"waiting for {what} from the keyboard; {end} ends them", color)


def nonfinite(counts: Mapping[str, int]) -> str:
    """The note on non-finite values by column, such as ``1 non-finite value in f, 2 in df_dx``."""
    pieces = [f"{n:,} in {name}" for name, n in counts.items()]
    first = next(iter(counts.values()))
    pieces[0] = pieces[0].replace(" ", f" non-finite value{'' if first == 1 else 's'} ", 1)
    more = len(pieces) - 8
    rest = f" and {sum(list(counts.values())[8:]):,} in {more} more columns" if more > 0 else ""
    return ", ".join(pieces[:8]) + rest


def _span(seconds: float) -> str:
    """A time for a reader, such as ``40 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, seconds = divmod(whole, 60)
    return f"{minutes} min {seconds} s" if minutes < 60 else f"{minutes // 60:,} h {minutes % 60} min"


class Progress:
    """A progress line, shown once the work has taken a second: the rows or points done, and how many a second.

    If the part of the work that is done is known, so are the percentage and the time that the rest will take.
    """

    def __init__(self, word: str) -> None:
        self.word, self.started, self.shown, self.width = word, monotonic(), 0.0, 0

    def __call__(self, done: int, part: float | None, lead: str = "") -> None:
        now = monotonic()
        if now - self.started > 1 and now - self.shown > 0.1:
            self.shown = now
            passed = now - self.started
            percent = f", {math.floor(100 * part)} %" if part is not None else ""
            rest = f", {_span(passed * (1 - part) / part)} left" if part and part < 1 else ""
            text = f"gradcli: {lead}{counted(done, self.word)}{percent}, {done / passed:,.0f} a second{rest}"
            # A line that is wider than the terminal would stay when the next one is written over it.
            text = text[: (text_width(sys.stderr) or _WIDE) - 1]
            tell(f"\r{text.ljust(self.width)}")
            self.width = len(text)

    def erase(self) -> None:
        if self.width:
            tell(f"\r{' ' * self.width}\r")
            self.width = 0


def progress(word: str) -> Progress | None:
    """A progress line; None unless stderr is a terminal."""
    return Progress(word) if sys.stderr is not None and sys.stderr.isatty() else None


def summary(done: int, word: str, seconds: float, steps: int, engine: str, threads: int) -> str:
    """The note of --verbose, such as ``3 rows in 0.0124 s (242 a second), steps 4, engine vector, threads 1``."""
    pace = f"{done / seconds:,.0f}" if seconds > 0 else "no telling how many"
    took = f"{seconds:.3g}" if seconds < 100 else f"{seconds:,.0f}"
    return f"{counted(done, word)} in {took} s ({pace} a second), steps {steps}, engine {engine}, threads {threads}"
