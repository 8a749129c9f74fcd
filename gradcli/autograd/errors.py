"""Errors of tensors beside BadType and BadValue: each a GradError, and of the built-in class that a caller expects."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from gradcli.errors import GradError


class Refused(GradError, RuntimeError):
    """An operation that the graph does not allow (RuntimeError, as in PyTorch)."""


class BadIndex(GradError, IndexError):
    """An index that does not fit the array."""


class NotATensor(GradError, AssertionError):
    """An output that is no tensor (AssertionError, as in PyTorch)."""


def lost_in_an_array() -> Refused:
    """The refusal to become an array, by which NumPy would lose the graph, as in np.array([a, b])."""
    return Refused(
        "a Tensor that requires grad cannot become an array: its gradient would be lost",
        hint="join tensors by gradcli.stack([...]) or gradcli.concatenate; for the values alone take x.detach()",
    )


_TOLD: ContextVar[bool] = ContextVar("told", default=True)


@contextmanager
def untold() -> Iterator[None]:
    """A block in which no loss of a gradient is told, since it is found otherwise."""
    token = _TOLD.set(False)
    try:
        yield
    finally:
        _TOLD.reset(token)


def warn_of_loss(kind: str) -> None:
    """Warn, as torch does, that a number made of a tensor has no gradient."""
    if not _TOLD.get():
        return
    import warnings

    warnings.warn(
        f"a Tensor that requires grad became a {kind}, which has no gradient: np.sin(x) in place of math.sin(x), a "
        "list and gradcli.stack in place of assignments to an array; x.item() is the number",
        UserWarning,
        stacklevel=4,
    )
