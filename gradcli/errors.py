"""`GradError`, the only exception that a public function raises, the nearest known name, and optional imports.

Layer: must not know expressions, files or terminals, only a message, a span of a text and a hint.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcli.caret import Source, Span, picture


class GradError(Exception):
    """Anything that keeps gradcli from answering, in words for the person who asked.

    ``message`` is one sentence, ``hint`` what to do about it or None. ``span`` is a half-open range of character
    offsets in ``source.text``; both are None where no text is at fault. ``exit_code`` is the status of the command
    line: 1 (the answer is no), 2 (the input is wrong, or beyond a limit) or 3 (could not finish: system, memory, I/O).
    ``str(error)`` is the message, the source line with a caret below the span, and the hint. In Python an error is also
    of the built-in class a caller expects: ``ValueError``, ``TypeError``, ``IndexError`` or ``RuntimeError``.

    >>> from gradcli.errors import GradError, Source, Span
    >>> print(GradError("unknown name 'y'", hint="did you mean 'x'?", span=Span(4, 5), source=Source("x + y")))
    unknown name 'y'
      x + y
          ^
      did you mean 'x'?
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        span: Span | None = None,
        source: Source | None = None,
        exit_code: int = 2,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.span = span
        self.source = source
        self.exit_code = exit_code

    def at(self, span: Span, source: Source) -> GradError:
        """Set ``span`` and ``source`` unless an inner call has set them; return the error, ready to be raised."""
        if self.span is None:
            self.span, self.source = span, source
        return self

    def __str__(self) -> str:
        return picture(self.message, self.hint, self.span, self.source)


class BadValue(GradError, ValueError):
    """An argument of the right type with a value or shape that does not fit."""


class BadType(GradError, TypeError):
    """An argument of the wrong type, or one that is missing."""


_COMPARED = 2000
"""Known names that an unknown one is compared with: a comparison takes 10 us, and a file may have a million columns."""


def meant(name: str, known: Sequence[str], lead: str, spell: Callable[[str], str] = str) -> str:
    """The hint for an unknown name: the nearest known name, else ``lead`` and the first ten known names.

    ``spell`` turns a known name into the text that is shown.
    """
    from difflib import get_close_matches

    if not known:
        return f"{lead} none"
    near = [spell(match) for match in get_close_matches(name, known[:_COMPARED], 1)]
    if near:
        quote = "" if near[0].startswith(("`", "-")) else "'"
        return f"did you mean {quote}{near[0]}{quote}?"
    return f"{lead} {', '.join(map(spell, known[:10]))}" + (" ..." if len(known) > 10 else "")


def missing(error: ImportError, package: str) -> bool:
    """Whether an import failed because ``package`` is not installed: not for lack of memory, nor for a damaged file."""
    return isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] == package


def optional(module: str, extra: str, message: str) -> Any:
    """Import and return a module of an optional package.

    Raise GradError with ``message``, and the command that installs ``extra``, if the package is not installed; the
    ImportError passes if it is installed but cannot be imported: for lack of memory, or because a file is damaged.
    """
    from importlib import import_module

    try:
        return import_module(module)
    except ImportError as error:
        if not missing(error, module.partition(".")[0]):
            raise
        raise GradError(message, hint=f"pip install 'gradcli[{extra}]'") from None
