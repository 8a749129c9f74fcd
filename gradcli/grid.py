"""Grid: where to evaluate, as an outer product of axes that is never expanded.

Reads ``--at``, ``--grid`` and ``--fill``; hands out columns of values a slice at a time, the same doubles as lists and
as arrays. Must not know what is computed at the points, nor how.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Protocol

from gradcli.errors import GradError, Source, Span
from gradcli.expr import CONSTANTS, Expr, apply, spell_name, substitute, var, variables

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

    Array = NDArray[float64]

INDICES = "ijklmnop"
"""What ``--fill`` calls the axes of a shape, first to last: at most this many."""
MOST = 2**53
"""Longest axis: beyond it neighbouring indices are the same double."""
RESERVED = frozenset(CONSTANTS) | {"inf", "nan"}


# Columns: the values of one variable along an axis.


class Column(Protocol):
    """``length`` values, of which ``floats(lo, hi)`` and ``array(lo, hi)`` give the half-open range."""

    @property
    def length(self) -> int: ...
    def floats(self, lo: int, hi: int) -> list[float]: ...
    def array(self, lo: int, hi: int) -> Array: ...


class Values:
    """Values given one by one."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values = list(values)
        self.length = len(self.values)

    def floats(self, lo: int, hi: int) -> list[float]:
        return self.values[lo:hi]

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        return np.array(self.values[lo:hi], dtype=np.float64)


class Index:
    """0, 1, 2 ... ``length - 1``."""

    def __init__(self, length: int) -> None:
        self.length = length

    def floats(self, lo: int, hi: int) -> list[float]:
        return [float(k) for k in range(lo, hi)]

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        return np.arange(lo, hi, dtype=np.float64)


class Linear:
    """``length`` equally spaced values from ``start`` to ``stop``, both exactly met.

    Value k is (start*(n-k) + stop*k)/n with n = length-1: one rounding less than start + k*step, so that
    0:1:11 holds 0.3 itself.
    """

    def __init__(self, start: float, stop: float, length: int) -> None:
        self.start, self.stop, self.length = start, stop, length
        n = length - 1
        # Where the products overflow, weights between 0 and 1 serve.
        self.scaled = math.isinf(start * n) or math.isinf(stop * n)

    def floats(self, lo: int, hi: int) -> list[float]:
        start, stop, n = self.start, self.stop, float(self.length - 1)
        if self.scaled:
            values = [start * ((n - k) / n) + stop * (k / n) for k in map(float, range(lo, hi))]
        else:
            values = [(start * (n - k) + stop * k) / (n or 1.0) for k in map(float, range(lo, hi))]
        self._meet_ends(values, lo, hi)
        return values

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        start, stop, n = self.start, self.stop, float(self.length - 1)
        k = np.arange(lo, hi, dtype=np.float64)
        if self.scaled:
            values: Array = start * ((n - k) / n) + stop * (k / n)
        else:
            values = (start * (n - k) + stop * k) / (n or 1.0)
        self._meet_ends(values, lo, hi)
        return values

    def _meet_ends(self, values: list[float] | Array, lo: int, hi: int) -> None:
        if lo < hi and lo == 0:
            values[0] = self.start
        if lo < hi == self.length:
            values[-1] = self.stop


class Log:
    """``length`` values from ``start`` to ``stop``, both > 0 and exactly met, with equally spaced logarithms."""

    def __init__(self, start: float, stop: float, length: int) -> None:
        self.ends = start, stop
        self.powers = Linear(math.log10(start), math.log10(stop), length)
        self.length = length

    def floats(self, lo: int, hi: int) -> list[float]:
        low, high = min(self.ends), max(self.ends)
        # Rounded logarithms may step over an end by an ulp, at the largest double into infinity.
        values = [min(max(_ten_to(p), low), high) for p in self.powers.floats(lo, hi)]
        if lo < hi and lo == 0:
            values[0] = self.ends[0]
        if lo < hi == self.length:
            values[-1] = self.ends[1]
        return values

    def array(self, lo: int, hi: int) -> Array:
        import numpy as np

        # Through the same function of the C library, one by one: NumPy's own power may differ in the last digit.
        return np.array(self.floats(lo, hi), dtype=np.float64)


def _ten_to(power: float) -> float:
    try:
        return math.pow(10.0, power)
    except OverflowError:
        return math.inf


class Axis:
    """One direction of a grid, along which one or more named columns run together.

    ``fixed``: a single point that is no dimension of the result, as ``--at`` makes.
    """

    def __init__(self, names: Sequence[str], columns: Sequence[Column], *, fixed: bool = False) -> None:
        self.names, self.columns, self.fixed = tuple(names), tuple(columns), fixed
        self.length = self.columns[0].length


Ranges = tuple[tuple[int, int], ...]


class Grid:
    """Outer product of axes, the first one slowest."""

    def __init__(self, axes: Sequence[Axis]) -> None:
        self.axes = tuple(axes)
        self.shape = tuple([a.length for a in self.axes if not a.fixed])
        self.size = math.prod(self.shape)

    def blocks(self, target: int) -> Iterator[Ranges]:
        """The grid in order, cut into blocks of at most ``target`` points: one half-open range per axis.

        Each block is contiguous in C order: leading axes at one point, one axis in pieces of equal length, the
        axes after it whole.
        """
        lengths = [a.length for a in self.axes]
        cut, inner = len(lengths), 1
        while cut and inner * lengths[cut - 1] <= target:
            cut -= 1
            inner *= lengths[cut]
        whole = [(0, n) for n in lengths]
        if not cut:
            yield tuple(whole)
            return
        cut -= 1
        pieces = -(-lengths[cut] // max(1, target // inner))
        step = -(-lengths[cut] // pieces)
        for place in product(*map(range, lengths[:cut])):
            for lo in range(0, lengths[cut], step):
                yield (*[(k, k + 1) for k in place], (lo, min(lo + step, lengths[cut])), *whole[cut + 1 :])


# Reading numbers.

_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COUNT = re.compile(r"[0-9]+")


def number(text: str, option: str, what: str) -> float:
    """The value of a constant expression, given for ``what``. Raises GradError where it is none."""
    text = text.strip()
    if _PLAIN.fullmatch(text):
        value = float(text)
        # What a double cannot hold goes to the parser, which has the words for it.
        if not math.isinf(value) and (value or not re.match("[+-]?[0.]*[1-9]", text)):
            return value
    return _constant(text, option, what)


def _constant(text: str, option: str, what: str) -> float:
    from gradcli.derive import expand
    from gradcli.parse import parse

    if not text:
        raise GradError(f"{option}: {what} is missing")
    source = Source(text)
    try:
        parsed = parse(source)
        if len(parsed.outputs) != 1 or parsed.outputs[0][0] is not None:
            raise GradError("one expression is needed")
        roots = expand([parsed.outputs[0][1]])
        if parsed.variables:
            raise GradError(f"it depends on '{parsed.variables[0]}'", span=Span(0, len(text)), source=source)
        return _evaluated(roots[0])
    except GradError as e:
        message = f"{option}: {what} is not a number: {e.message}"
        raise GradError(message, hint=e.hint, span=e.span, source=e.source) from None


def _evaluated(constant: Expr) -> float:
    from gradcli.backends.scalar import kernel
    from gradcli.program import build

    out = [0.0]
    kernel(build([constant], []))([], [out], ())
    return out[0]


def split(text: str, separator: str) -> list[str]:
    """Pieces of ``text`` between separators that stand outside brackets and backquotes, stripped of blanks."""
    pieces, depth, quoted, start = [], 0, False, 0
    for k, c in enumerate(text):
        if c == "`":
            quoted = not quoted
        elif quoted:
            continue
        elif c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
        elif c == separator and depth <= 0:
            pieces.append(text[start:k].strip())
            start = k + 1
    pieces.append(text[start:].strip())
    return pieces


def read_name(text: str, option: str) -> str:
    """The variable that ``text`` names: an identifier, or anything in backquotes."""
    if len(text) > 2 and text[0] == text[-1] == "`" and "`" not in text[1:-1]:
        return text[1:-1]
    if not _NAME.fullmatch(text):
        raise GradError(f"{option}: '{text}' is not the name of a variable")
    if text in RESERVED:
        raise GradError(f"{option}: '{text}' is a constant, not a variable")
    return text


# Reading options.


class Points:
    """What ``--at``, ``--grid`` and ``--fill`` say, before the variables are known.

    Raises GradError, naming the option, for anything malformed.
    """

    def __init__(self, at: Sequence[str] = (), grids: Sequence[str] = (), fill: str | None = None) -> None:
        self.at: dict[str, float] = {}
        self.grids: list[tuple[str, Column]] = []
        self.shape: tuple[int, ...] = ()
        self.before_shape = 0
        for text in at:
            for piece in split(text, ","):
                name, value = _binding(piece, "--at", "NAME=VALUE, such as x=1")
                self._claim(name, "--at")
                self.at[name] = number(value, "--at", f"the value of '{name}'")
        for text in grids:
            if re.fullmatch(r"[0-9]+(x[0-9]+)*", text.strip()):
                self._read_shape(text.strip())
                continue
            wanted = "NAME=START:STOP:COUNT, NAME=V1,V2,... or a shape such as 3x4"
            name, values = _binding(text, "--grid", wanted)
            self._claim(name, "--grid")
            self.grids.append((name, _column(name, values, f"--grid {text.strip()}")))
        if fill is not None and not self.shape:
            raise GradError("--fill needs a shape to fill, such as --grid 3x4")
        self.fill = fill

    def __bool__(self) -> bool:
        return bool(self.at or self.grids or self.shape)

    @property
    def names(self) -> list[str]:
        return [*self.at, *[name for name, _ in self.grids]]

    def _claim(self, name: str, option: str) -> None:
        if name in self.names:
            raise GradError(f"{option}: '{name}' is given twice")

    def _read_shape(self, text: str) -> None:
        if self.shape:
            raise GradError(f"--grid {text}: a shape is given twice")
        lengths = text.split("x")
        if len(lengths) > len(INDICES):
            raise GradError(f"--grid {text}: a shape has at most {len(INDICES)} dimensions")
        self.shape = tuple([_length(n, f"--grid {text}", "each length") for n in lengths])
        self.before_shape = len(self.grids)

    def bind(self, names: Sequence[str]) -> tuple[Grid, dict[str, Expr]]:
        """The grid for these variables, and what to put for those that a shape fills.

        The indices of a shape are variables of the grid under names that nobody can type.
        """
        hidden = [f"\0{k}" for k in INDICES[: len(self.shape)]]
        constants = dict(self.at)
        filled: dict[str, Expr] = {}
        free = [n for n in names if n not in self.names]
        if free and not self.shape:
            missing = free[0]
            raise GradError(
                f"variable '{missing}' has no value",
                hint=f"give it one: --at {spell_name(missing)}=..., or several: --grid {spell_name(missing)}=0:1:11",
            )
        if names and not free and self.shape:
            raise GradError(f"--grid {'x'.join(map(str, self.shape))} fills nothing: every variable has its value")
        for name, rule in self._rules(free).items():
            if rule.variables:
                filled[name] = substitute([rule], {k: var(h) for k, h in zip(INDICES, hidden, strict=False)})[0]
            else:
                # Put in as a number it would be folded exactly; given by --at it is rounded first. One way only.
                constants[name] = _evaluated(rule)
        axes = [Axis([n], [column]) for n, column in self.grids]
        axes[self.before_shape : self.before_shape] = [
            Axis([h], [Index(n)]) for h, n in zip(hidden, self.shape, strict=True)
        ]
        if constants:
            axes.insert(0, Axis(list(constants), [Values([v]) for v in constants.values()], fixed=True))
        return Grid(axes), filled

    def _rules(self, free: Sequence[str]) -> dict[str, Expr]:
        """The expression in the indices that fills each free variable."""
        if not free:
            return {}
        indices = [var(k) for k in INDICES[: len(self.shape)]]
        if self.fill is None:
            total = indices[0]
            for k in indices[1:]:
                total = apply("add", total, k)
            return dict.fromkeys(free, total)
        from gradcli.derive import expand
        from gradcli.parse import parse

        source = Source(self.fill)
        try:
            parsed = parse(source)
            rules = dict(zip([n for n, _ in parsed.outputs], expand(e for _, e in parsed.outputs), strict=True))
            for name, rule in rules.items():
                for used in variables(rule):
                    if used not in INDICES[: len(self.shape)]:
                        known = ", ".join(INDICES[: len(self.shape)])
                        raise GradError(f"'{used}' is not an index; the indices of this shape are {known}")
                if name is not None and name not in free:
                    raise GradError(f"'{name}' is not a variable to fill")
            if len(rules) < len(parsed.outputs):
                raise GradError("one rule is needed, or one for each variable: x = i; y = j")
            unfilled = [n for n in free if n not in rules]
            if unfilled and None not in rules:
                raise GradError(f"no rule for '{unfilled[0]}'")
        except GradError as e:
            raise GradError(f"--fill: {e.message}", hint=e.hint, span=e.span, source=e.source) from None
        return {n: rules[n if n in rules else None] for n in free}


def _binding(text: str, option: str, wanted: str) -> tuple[str, str]:
    name, equals, value = text.strip().partition("=")
    if not equals or not name:
        hint = None
        if option == "--grid" and re.fullmatch(r"[0-9]+([*X\u00d7, ]+[0-9]+)+", text.strip()):
            hint = f"write the shape as {'x'.join(re.findall('[0-9]+', text))}"
        elif option == "--at" and _PLAIN.fullmatch(text.strip()):
            hint = "for several values of a variable: --grid NAME=V1,V2,..."
        raise GradError(f"{option} needs {wanted}, not '{text.strip()}'", hint=hint)
    return read_name(name.strip(), option), value


def _length(text: str, option: str, what: str) -> int:
    if not _COUNT.fullmatch(text):
        value = number(text, option, what)
        if not value.is_integer():
            raise GradError(f"{option}: {what} must be an integer, not {text}")
        count = int(value)
    else:
        # Python refuses to read integers of thousands of digits.
        count = int(text) if len(text) < 100 else MOST + 1
    if count < 1:
        raise GradError(f"{option}: {what} must be at least 1")
    if count > MOST:
        raise GradError(f"{option}: too many points, the limit is {MOST}")
    return count


def _column(name: str, text: str, option: str) -> Column:
    values = split(text, ",")
    parts = split(text, ":")
    what = f"the value of '{name}'"
    if len(parts) == 1:
        return Values([number(v, option, what) for v in values])
    scale = parts.pop(0) if len(parts) == 4 and parts[0] == "log" else None
    if len(parts) != 3 or len(values) > 1:
        raise GradError(f"{option}: a range is START:STOP:COUNT or log:START:STOP:COUNT")
    start, stop = (number(bound, option, what) for bound in parts[:2])
    count = _length(parts[2], option, "the count")
    if not math.isfinite(start) or not math.isfinite(stop):
        raise GradError(f"{option}: the bounds must be finite")
    if scale and (start <= 0 or stop <= 0):
        raise GradError(f"{option}: log needs both bounds > 0")
    if count == 1 and start != stop:
        raise GradError(f"{option}: one point cannot be at both ends", hint="ask for at least 2, or give one value")
    return Log(start, stop, count) if scale else Linear(start, stop, count)
