"""Errors of the rooms below as a Python program has them: a ValueError that names arguments, not options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from gradcli.errors import BadValue, GradError

_OPTION = re.compile(
    r"--(at|grid|points|thorough|seed|rtol|atol|max-ulp|equals|let|wrt|kink|digits|u|dist|df|corr|coverage|mc|second-order)\b"
)
_VALUE_OF_A_NAME = "; or give a value: --at "
"""What a command line may do about a name of a result that is one of a variable; a function has no values."""


@contextmanager
def in_python() -> Iterator[None]:
    """Makes a GradError, but for one of the system, a ValueError that names ``max_ulp``, not ``--max-ulp``."""
    try:
        yield
    except GradError as error:
        if isinstance(error, TypeError | ValueError) or error.exit_code == 3:
            raise
        message, hint = (python_words(text) for text in (error.message, _without_value(error.hint or "")))
        raise BadValue(
            message, hint=hint or None, span=error.span, source=error.source, exit_code=error.exit_code
        ) from None


def python_words(text: str) -> str:
    """A message with arguments for the options of the command line."""
    return _OPTION.sub(_argument, text)


def _without_value(hint: str) -> str:
    return hint.partition(_VALUE_OF_A_NAME)[0]


def _argument(option: re.Match[str]) -> str:
    return option[1].replace("-", "_")
