"""Errors of the Python interface: each is a GradError and of the built-in class that a caller expects."""

from __future__ import annotations

from gradcli.errors import GradError


class Refused(GradError, RuntimeError):
    """An operation that the graph does not allow (RuntimeError, as in PyTorch)."""


class BadValue(GradError, ValueError):
    """An argument of the right type with a value or shape that does not fit."""


class BadType(GradError, TypeError):
    """An argument of the wrong type."""


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


def lost_in_a_number(kind: str) -> Refused:
    """The refusal to become a number by ``float`` or ``complex``, which Python calls by itself in math.sin(x)."""
    return Refused(
        f"a Tensor that requires grad cannot become a {kind}: its gradient would be lost",
        hint="use np.sin(x) in place of math.sin(x); for the number alone take x.item()",
    )
