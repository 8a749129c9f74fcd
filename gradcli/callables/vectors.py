"""A vector as arguments: which elements stand for which variables, and which arguments are fixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gradcli.callables.arguments import array, broadcast, number
from gradcli.errors import BadType, BadValue, meant

if TYPE_CHECKING:
    from gradcli.callables.arguments import Array
    from gradcli.callables.function import Function


class Vectors:
    """The arguments of a function as fixed ones, followed by the time and by the elements of one vector.

    ``wrt``: the variables of the vector, in order; ``time``: the name of the time, or None; ``fixed``: the other
    arguments by name, floats and arrays, which are copied; ``points``: the shape that these arrays broadcast to;
    ``function``: the function of all arguments.
    """

    def __init__(
        self, function: Function, wrt: Sequence[str] | None, time: Any, fixed: Mapping[str, Any]
    ) -> None:  # fmt: skip
        if time is not None and not isinstance(time, str):  # a number or an array for an argument of that name
            time, fixed = None, {**fixed, "time": time}
        self.wrt, self.time = _variables(function, wrt, time, fixed), time
        self.function = function
        order = [*fixed, *([] if time is None else [time]), *self.wrt]
        self._ordered = function._over(self.wrt, order)
        given = broadcast(list(fixed.values()), list(fixed))
        self.fixed = {name: a.copy() if a.ndim else float(a) for name, a in zip(fixed, given.arrays, strict=True)}
        self.points = given.shape
        self._head = [
            np.broadcast_to(a, self.points).ravel() if isinstance(a, np.ndarray) else a for a in self.fixed.values()
        ]
        self._shape = (len(self.wrt),)
        self._outputs = len(function.outputs)
        self._single = self._outputs == 1 and not self.points
        if time is not None:
            self._square(f"packed(time={time!r})")

    # Arguments.

    def _vector(self, z: Any) -> list[float]:
        """The elements of z. A number counts as a vector of one element."""
        vector, _ = array(z, "z")
        if vector.shape != self._shape and (vector.shape or self._shape != (1,)):
            names = ", ".join(self.wrt[:10]) + (" ..." if len(self.wrt) > 10 else "")
            raise BadValue(f"z has the shape {vector.shape}, and {self._shape} is needed: {names}")
        elements: list[float] = vector.reshape(-1).tolist()
        return elements

    def _vectors(self, z: Any) -> list[Any]:
        """The elements of z, or of several vectors, one a column: then each is an array."""
        vectors, _ = array(z, "z")
        if vectors.ndim == 2 and vectors.shape[:1] == self._shape and not self.points:
            return list(vectors)
        return list(self._vector(vectors))

    def _now(self, t: Any) -> tuple[float, ...]:
        now = number(t, self.time or "")
        if now is None:
            raise BadType(f"the time {self.time} is a number, not {type(t).__name__}")
        return (now,)

    def _weighted(self, hessians: Array, v: Any) -> Any:
        """The sum of Hessians, of shape points + (outputs, n, n), by the weights of the results."""
        n = len(self.wrt)
        weights, _ = array(v, "v")
        if self.points and self._outputs > 1:
            hessians = hessians.swapaxes(0, 1)
        each = hessians.reshape(-1, n * n)
        if weights.shape != (len(each),):
            raise BadValue(f"v has the shape {weights.shape}, and {(len(each),)} is needed")
        with np.errstate(over="ignore", invalid="ignore"):
            return (weights @ each).reshape(n, n)

    # Errors.

    def _several(self, method: str, hint: str) -> BadValue:
        here = f"{self._outputs} outputs" if self._outputs > 1 else f"the points {self.points} of {self._arrays()}"
        return BadValue(f"{method} is of a single result, and here are {here}", hint=hint)

    def _arrays(self) -> str:
        return ", ".join(name for name, a in self.fixed.items() if isinstance(a, np.ndarray))

    def _timeless(self, method: str, other: str) -> None:
        if self.time is not None:
            raise BadValue(f"{method} has no time {self.time}", hint=f"with the time: {other}")

    def _square(self, method: str) -> None:
        """Raise BadValue if this is no system of differential equations."""
        if self.points:
            raise BadValue(f"{method} is of one point of time, and here are arrays: {self._arrays()}")
        if self._outputs != len(self.wrt):
            raise BadValue(
                f"{method} needs an output for each variable, and here are {self._outputs} for {', '.join(self.wrt)}",
                hint="fix the other arguments, or name the variables of state in wrt",
            )

    def __reduce__(self) -> tuple[type[Self], tuple[Any, ...]]:
        return type(self), (self.function, self.wrt, self.time, self.fixed)

    def __repr__(self) -> str:
        parts = [f"packed {', '.join(self.wrt)}"]
        if self.time is not None:
            parts.append(f"time {self.time}")
        if self.fixed:
            fixed = [f"{k}={a!r}" if isinstance(a, float) else f"{k}={a.shape}" for k, a in self.fixed.items()]
            parts.append(f"fixed {', '.join(fixed)}")
        return f"<{'; '.join(parts)}: {self.function}>"


def _variables(
    function: Function, wrt: Sequence[str] | None, time: str | None, fixed: Mapping[str, Any]
) -> tuple[str, ...]:
    """The variables that are packed. Raises BadType if an argument is unknown, missing, or there twice."""
    args = function.args
    asked = [("wrt", name) for name in wrt or ()] + ([("time", time)] if time is not None else [])
    for option, name in [*asked, *[("", name) for name in fixed]]:
        if name not in args:
            hint = meant(name, args, "its arguments are") if args else "it has no arguments"
            if option == "time":
                hint += "; a system that does not depend on time needs no time"
            raise BadType(f"{option and option + ': '}the function has no argument '{name}'", hint=hint)
    named = [name for _, name in asked]
    for k, name in enumerate(named):
        if name in named[:k]:
            raise BadType(f"'{name}' is there twice among the variables and the time")
        if name in fixed:
            others = ",".join([other for other in wrt or () if other not in fixed])
            raise BadType(
                f"'{name}' is {'the time' if name == time else 'one of the variables'}, and is fixed, too",
                hint=f"vary the others alone: packed({others!r}, ...)" if others else None,
            )
    if wrt is None:
        return _some([name for name in args if name not in fixed and name not in named])
    missing = [name for name in args if name not in fixed and name not in named]
    if missing:
        verb = "are" if len(missing) > 1 else "is"
        raise BadType(
            f"argument{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))} {verb} missing",
            hint=f"fix it, such as packed({missing[0]}=1), or name it among the variables: "
            f"packed({','.join([*wrt, missing[0]])!r})",
        )
    return _some(wrt)


def _some(variables: Sequence[str]) -> tuple[str, ...]:
    if not variables:
        raise BadType("no variable is left to pack", hint="a solver varies at least one argument: fix fewer")
    return tuple(variables)
