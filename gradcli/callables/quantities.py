"""Inputs of a propagation as Python has them: numbers, pairs, texts, arrays, and ufloats of the package uncertainties.

Layer: must not know expressions.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.callables.arguments import array, number
from gradcli.callables.python_errors import in_python
from gradcli.errors import BadType, BadValue

if TYPE_CHECKING:
    from gradcli.uncertainty.request import Estimates

Pair = tuple[str, str]
_WANTED = 'a pair (1.02, 0.005), a text such as "1.020(5)", or a number without uncertainty'
_DISTRIBUTION = re.compile(r"\s*[NRTUt]\s*(\(.*\))?\s*", re.DOTALL)


class Quantity(NamedTuple):
    """An input: its value and its standard uncertainty in the same unit, floats or arrays that broadcast.

    ``u`` None: a number without uncertainty. ``text``: what was typed, where it was a text; ``shape``: the text of a
    distribution. ``ufloat``: the object of the package uncertainties that it was.
    """

    value: Any
    u: Any
    text: str | None = None
    shape: str | None = None
    ufloat: Any = None

    @property
    def single(self) -> bool:
        """Whether it is one number, no array."""
        return isinstance(self.value, float) and (self.u is None or isinstance(self.u, float))


def quantity(given: Any, name: str) -> Quantity:
    """The input that an argument tells. Raises BadType for what is none, BadValue for a wrong uncertainty.

    >>> quantity((1.02, 0.005), "L")[:2], quantity("1.020(5)", "L")[:2]
    ((1.02, 0.005), (1.02, 0.005))
    """
    if isinstance(given, str):
        return _text(given, name)
    if is_ufloat(given):
        return _checked(Quantity(float(given.nominal_value), float(given.std_dev), ufloat=given), name)
    if isinstance(given, tuple):
        if len(given) != 2:
            raise BadType(f"argument '{name}' is a tuple of {len(given)}", hint=f"an input is {_WANTED}")
        value, u = [_numbers(part, name if not k else f"u_{name}") for k, part in enumerate(given)]
        return _checked(Quantity(value, u), name)
    if hasattr(given, "budget") and hasattr(given, "u"):
        raise BadType(f"argument '{name}' is a result, and how it is correlated with others is not known",
                      hint=f"({name}.value, {name}.u) is it alone, {name}.ufloat keeps its correlations")  # fmt: skip
    return Quantity(_numbers(given, name), None)


def is_ufloat(given: Any) -> bool:
    """Whether an object is a number with uncertainty of the package uncertainties, which is not imported for it."""
    return hasattr(given, "nominal_value") and hasattr(given, "std_dev")


def _numbers(given: Any, name: str) -> Any:
    single = number(given, name)
    if single is not None:
        return single
    try:
        return array(given, name)[0]
    except BadType as error:
        if (isinstance(given, list) or getattr(given, "ndim", 0) == 1) and is_ufloat(next(iter(given), None)):
            error.hint = (
                "a pair of arrays: (unumpy.nominal_values(x), unumpy.std_devs(x)), from the package uncertainties"
            )
        raise


def _text(text: str, name: str) -> Quantity:
    from gradcli.uncertainty.distributions import distribution
    from gradcli.uncertainty.measured import read

    with in_python():
        known = read(text, name)
        if known is not None:
            return Quantity(known.value, known.u, text)
        if _DISTRIBUTION.fullmatch(text):
            fixed = distribution(text, name).fixed
            if fixed is not None:
                return Quantity(fixed.mean, fixed.u, shape=text)
    raise BadValue(f"argument '{name}': {text[:60]!r} is no measured value", hint=f"an input is {_WANTED}")


def _checked(given: Quantity, name: str) -> Quantity:
    if given.single:
        wrong = not 0 <= given.u < math.inf
        shown, value = given.u, math.isfinite(given.value)
    else:
        import numpy as np

        u = np.asarray(given.u)
        bad = ~((u >= 0) & (u < math.inf))
        wrong, shown, value = bool(bad.any()), float(u[bad].flat[0]) if bad.any() else 0.0, True
    if wrong:
        raise BadValue(f"argument '{name}': an uncertainty is a finite number, 0 or more, and not {shown!r}")
    if not value:
        raise BadValue(f"argument '{name}': the value {given.value!r} is not finite, and has no uncertainty")
    return given


def correlations(given: Any, names: Sequence[str]) -> dict[Pair, float]:
    """Correlations by pairs, from a dict by pairs of names or by texts "L,T". Raises BadType or BadValue."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise BadType(f"corr is a dict such as {{'L,T': 0.3}}, not {type(given).__name__}")
    pairs: dict[Pair, float] = {}
    for key, value in given.items():
        pair = tuple([part.strip() for part in key.split(",")]) if isinstance(key, str) else key
        r = number(value, "corr")
        if not isinstance(pair, tuple) or len(pair) != 2 or r is None:
            raise BadType(f"corr: {key!r}: {value!r} is not the correlation of two inputs", hint="{'L,T': 0.3}")
        unknown = next((name for name in pair if name not in names), None)
        if unknown is not None:
            raise BadValue(f"corr: {unknown!r} is not an argument with an uncertainty")
        if not -1 <= r <= 1:
            raise BadValue(f"corr: a correlation lies between -1 and 1, and that of {key!r} is {r!r}")
        if pair[0] == pair[1] or pair in pairs or pair[::-1] in pairs:
            raise BadValue(f"corr: {key!r} is given twice, or is an input with itself")
        pairs[pair] = r
    return pairs


def correlations_of_ufloats(inputs: Mapping[str, Quantity]) -> dict[Pair, float]:
    """The correlations of ufloats, from the derivatives that each has of its independent variables."""
    known = {
        name: {v: float(d) * float(v.std_dev) / q.u for v, d in getattr(q.ufloat, "derivatives", {}).items()}
        for name, q in inputs.items() if q.ufloat is not None and q.u
    }  # fmt: skip
    pairs = {}
    names = [*known]
    for k, a in enumerate(names):
        for b in names[:k]:
            r = math.fsum([part * known[b][v] for v, part in known[a].items() if v in known[b]])
            if r:
                pairs[b, a] = max(-1.0, min(r, 1.0))
    return pairs


def matrix(given: Any) -> Estimates:
    """Uncertainties and correlations of a covariance matrix: a pair (names, matrix), or a data frame with names."""
    import numpy as np

    from gradcli.callables.recipe import names_of
    from gradcli.uncertainty.covariance import covariance

    if hasattr(given, "columns") and hasattr(given, "to_numpy"):
        names: Any = [str(name) for name in given.columns]
        numbers = given.to_numpy()
    elif isinstance(given, tuple) and len(given) == 2:
        names, numbers = names_of(given[0], "cov"), given[1]
    else:
        raise BadType('cov is a pair of names and a matrix, such as ("a,b", pcov), or a data frame')
    rows = np.atleast_2d(array(numbers, "cov")[0])
    with in_python():
        return covariance(list(names or ()), rows.tolist(), "cov")


def readings(given: Any) -> Estimates:
    """What repeated readings tell, from a dict of sequences of equal length, or a data frame."""
    from gradcli.uncertainty.samples import estimates

    if hasattr(given, "columns"):
        columns = {str(name): given[name] for name in given.columns}
    elif isinstance(given, Mapping):
        columns = {str(name): column for name, column in given.items()}
    else:
        raise BadType("samples is a dict of readings by the names of inputs, or a data frame")
    arrays = [array(column, str(name))[0].ravel() for name, column in columns.items()]
    if len({len(a) for a in arrays}) > 1:
        raise BadValue("samples: each reading is of all inputs, and their numbers differ")
    with in_python():
        return estimates([*columns], [arrays], "samples")
