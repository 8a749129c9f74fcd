"""THE TABLE: every function, one row with every fact about it.

Must not know parsing, evaluation or how derivatives are combined.
"""

from gradcli.expr import WORDS

# The order of the imports is the order of the table.
# isort: off
from gradcli.functions import arithmetic, elementary, kinks, special, bessel, reductions  # noqa: F401

# isort: on
from gradcli.functions.row import (
    LOWERED,
    NONLOCAL,
    SPELLED,
    TABLE,
    Function,
    expansion,
    guarded,
    positive,
    reduces,
    slopes,
    vanishes,
)

__all__ = [
    "LOWERED", "NONLOCAL", "SPELLED", "TABLE", "Function", "expansion", "guarded", "positive", "reduces", "slopes",
    "vanishes",
]  # fmt: skip

_NAMES_TOO = frozenset({
    "beta", "gamma", "psi", "th", "sh", "ch", "tg", "lb", "lg", "mod", "power", "sum", "mean", "prod", "norm",
    "factorial", "logit",
})  # fmt: skip
"""Functions spelled like everyday variables: these are functions only where they are called."""
WORDS.update(word for word, row in SPELLED.items() if not row.internal and word not in _NAMES_TOO)
