"""Reductions, which take one number from all points of a grid, and the internal rows of their slopes."""

from __future__ import annotations

from gradcli.expr import ONE
from gradcli.functions.row import define

# min and max of one argument are reductions too; their rows are in `kinks`.
define("sum", "sum over all points", None, reduces=True, notes="rounded once, whatever the order of the points")
define("mean", "mean over all points", None, reduces=True, notes="rounded once")
define("prod", "product over all points", None, reduces=True, notes="slopes exact where factors are 0")
define(
    "norm", "Euclidean norm over all points", None, reduces=True, notes="slopes 0 where all points are 0",
    nonnegative=True, math="‖‖",
)  # fmt: skip

# Internal rows of their slopes: reductions, and values at each point that depend on all points.
for _name, _doc in (
    ("sum_lost", "what the sum over all points lost in rounding"),
    ("norm_lead", "the norm over all points without its power of two"),
    ("norm_scale", "the power of two whose square takes norm to norm_lead"),
    ("prod_lead", "the product over all points that are not 0, without its power of two"),
    ("prod_scale", "the power of two whose fourth power goes with prod_lead"),
):
    define(_name, _doc, None, reduces=True, internal=True)
define(
    "along", "the second, which is one number, at every point of the first", None, lambda z, x, y: ONE, internal=True,
    expansion=lambda x, y: y,
)  # fmt: skip
define("unit", "x over the norm of all points; 0 where that is 0", None, internal=True)
define("cofactor", "product over all other points", None, internal=True)
define("cofactor_along", "slope of cofactor(x) where x moves by v at all points", None, None, internal=True)
