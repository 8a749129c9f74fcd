"""The failures of object stores as those of a file system.

Layer: must not know fsspec.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from gradcli.errors import GradError

_LONGEST = 300
"""Characters of an error message of a store that are shown."""
_KINDS: list[tuple[type[Exception], int]] = [
    (FileNotFoundError, errno.ENOENT), (PermissionError, errno.EACCES), (IsADirectoryError, errno.EISDIR),
    (NotADirectoryError, errno.ENOTDIR), (FileExistsError, errno.EEXIST), (TimeoutError, errno.ETIMEDOUT),
    (NotImplementedError, errno.EINVAL), (ValueError, errno.EINVAL),
]  # fmt: skip
_NAMED = {
    "NoCredentialsError": errno.EACCES, "PartialCredentialsError": errno.EACCES, "ProfileNotFound": errno.EACCES,
    "NoAuthTokenError": errno.EACCES, "ParamValidationError": errno.EINVAL,
}  # fmt: skip
"""Errors of botocore, by the names of their classes: they derive from Exception alone."""


@contextmanager
def failures() -> Iterator[None]:
    """Raise every exception but GradError and MemoryError as an OSError with an ``errno`` and a ``strerror``."""
    try:
        yield
    except (GradError, MemoryError):
        raise
    except Exception as error:
        raise _failure(error) from None


def _failure(error: Exception) -> OSError:
    kind = type(error).__name__
    if kind == "FileExpired":
        return OSError(errno.EBUSY, "it was replaced while it was read")
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        number = next((code for known, code in _KINDS if isinstance(error, known)), _NAMED.get(kind, errno.EIO))
    text = error.strerror if isinstance(error, OSError) else None
    if text is None:
        # Without words of the store, which come as a cause, what does not exist is told by its name alone.
        named = isinstance(error, FileNotFoundError | IsADirectoryError) and error.__cause__ is None
        text = os.strerror(number) if named else str(error)
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return OSError(number, text or (kind if number == errno.EIO else os.strerror(number)))
