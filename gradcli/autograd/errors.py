"""Errors of the Python door: each is a GradError, and of the built-in kind a caller may be waiting for."""

from __future__ import annotations

from gradcli.errors import GradError


class Refused(GradError, RuntimeError):
    """What the graph cannot do."""


class BadValue(GradError, ValueError):
    """An argument of the right kind that does not fit."""


class BadType(GradError, TypeError):
    """An argument of the wrong kind."""


class BadIndex(GradError, IndexError):
    """An index outside the array."""


class NotATensor(GradError, AssertionError):
    """Something else where only a tensor can stand."""
