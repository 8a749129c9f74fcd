"""Enclosures of expressions over many intervals at once."""

from gradcli.compute.backends.intervals.enclosing import Enclosing, without_rule
from gradcli.compute.backends.intervals.ranges import Array, Mask
from gradcli.compute.backends.intervals.rules import SAMPLED

__all__ = ["SAMPLED", "Array", "Enclosing", "Mask", "without_rule"]
