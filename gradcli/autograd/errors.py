"""Errors of tensors beside BadType and BadValue: each a GradError, and of the built-in class that a caller expects."""

from __future__ import annotations

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
