"""Points: parses ``--at``, ``--grid`` and ``--fill`` strictly and makes the grid for given variables."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from gradcli.caret import Source, Span
from gradcli.compute.grid import Axis, Column, Grid, Index, Linear, Log, Values
from gradcli.errors import GradError
from gradcli.expr import Expr, apply, spell_name, substitute, var, variables

if TYPE_CHECKING:
    from gradcli.language import Parsed

INDICES = "ijklmnop"
"""The names of a shape's indices in ``--fill``, first to last; a shape has at most this many dimensions."""
LENGTH_LIMIT = 2**53
"""The longest axis: beyond 2**53 neighbouring indices are the same double."""


# Reading numbers.

PLAIN = re.compile(r"[+-]?([0-9]++(\.[0-9]*+)?|\.[0-9]++)([eE][+-]?[0-9]++)?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_COUNT = re.compile(r"[0-9]+")


def number(text: str, option: str, what: str) -> float:
    """The value of a constant expression; ``what`` names it in errors. Raises GradError if it is not a number."""
    text = text.strip()
    if PLAIN.fullmatch(text):
        value = float(text)
        # Overflow and underflow go to the parser, which raises the error for them.
        if not math.isinf(value) and (value or not re.match("[+-]?[0.]*[1-9]", text)):
            return value
    if not text:
        raise GradError(f"{option}: {what} is missing")
    source = Source(text)
    try:
        parsed, root = single(source, "and here is a single number")
        if parsed.variables:
            raise GradError(f"it depends on '{parsed.variables[0]}'", span=Span(0, len(text)), source=source)
        return _evaluated(root)
    except GradError as e:
        message = f"{option}: {what} is not a number: {e.message}"
        raise GradError(message, hint=e.hint, span=e.span, source=e.source) from None


def single(source: Source, reason: str) -> tuple[Parsed, Expr]:
    """A parsed text and its only expression, without derivatives. Raises GradError for several or named ones."""
    from gradcli.calculus.derive import expand
    from gradcli.language import parse

    parsed = parse(source).pointwise(reason)
    if len(parsed.outputs) != 1 or parsed.outputs[0][0] is not None:
        raise GradError("one expression is needed")
    return parsed, expand([parsed.outputs[0][1]])[0]


def _evaluated(constant: Expr) -> float:
    from gradcli.compute.backends.scalar import at_point

    return at_point([constant], {})[0]


def split(text: str, separator: str) -> list[str]:
    """The pieces of ``text`` between separators outside brackets and backquotes, without surrounding blanks."""
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


_SURROGATE = re.compile("[\ud800-\udfff]")
"""Surrogate escapes, which Python puts in place of bytes that are not UTF-8."""


def read_name(text: str, option: str) -> str:
    """The name of a variable, an identifier or any text in backquotes. Raises GradError for anything else."""
    if len(text) > 2 and text[0] == text[-1] == "`" and "`" not in text[1:-1] and not _SURROGATE.search(text):
        return text[1:-1]
    if not _NAME.fullmatch(text):
        quoted = text.strip() and not {"`", "="} & set(text) and not _SURROGATE.search(text)
        hint = f"if it is one: '`{text}`', in backquotes and, for the shell, single quotes" if quoted else None
        raise GradError(f"{option}: '{text}' is not the name of a variable", hint=hint)
    return text


# Reading options.


class Points:
    """The parsed ``--at``, ``--grid`` and ``--fill``, before the variables of the expressions are known.

    ``at``: values by name; ``grids``: (name, column) pairs; ``shape``: the lengths of a shape. ``texts``: by name and
    value, the texts of values. Raises GradError, naming
    the option, for malformed text.
    """

    def __init__(self, at: Sequence[str] = (), grids: Sequence[str] = (), fill: str | None = None) -> None:
        self.at: dict[str, float] = {}
        self.grids: list[tuple[str, Column]] = []
        self.shape: tuple[int, ...] = ()
        self.before_shape = 0
        self._known: set[str] = set()
        self.texts: dict[tuple[str, float], str] = {}
        for text in at:
            for piece in split(text, ","):
                name, value = _binding(piece, "--at", "NAME=VALUE, such as x=1")
                self._check_new(name, "--at")
                self.at[name] = number(value, "--at", f"the value of '{name}'")
                self.texts[name, self.at[name]] = value.strip()
        for text in grids:
            if re.fullmatch(r"[0-9]+(x[0-9]+)*", text.strip()):
                self._read_shape(text.strip())
                continue
            wanted = "NAME=START:STOP:COUNT, NAME=V1,V2,... or a shape such as 3x4"
            name, values = _binding(text, "--grid", wanted)
            self._check_new(name, "--grid")
            column = _column(name, values, f"--grid {text.strip()}")
            self.grids.append((name, column))
            if isinstance(column, Values):
                self.texts.update({(name, v): t for v, t in zip(column.values, split(values, ","), strict=True)})
        if fill is not None and not self.shape:
            raise GradError("--fill needs a shape to fill, such as --grid 3x4")
        self.fill = fill

    def __bool__(self) -> bool:
        return bool(self.at or self.grids or self.shape)

    @property
    def names(self) -> list[str]:
        return [*self.at, *[name for name, _ in self.grids]]

    def _check_new(self, name: str, option: str) -> None:
        if name in self._known:
            raise GradError(f"{option}: '{name}' is given twice")
        self._known.add(name)

    def _read_shape(self, text: str) -> None:
        if self.shape:
            raise GradError(f"--grid {text}: a shape is given twice")
        lengths = text.split("x")
        if len(lengths) > len(INDICES):
            raise GradError(f"--grid {text}: a shape has at most {len(INDICES)} dimensions")
        self.shape = tuple([_length(n, f"--grid {text}", "each length") for n in lengths])
        self.before_shape = len(self.grids)

    def bind(
        self, names: Sequence[str], *, counted: bool = False, rows: Axis | None = None
    ) -> tuple[Grid, dict[str, Expr]]:
        """The grid for the variables ``names``, and the expressions of those that a shape fills.

        The indices of a shape are variables of the grid whose names contain a NUL, so they cannot be typed.
        ``counted``: results depend on the number of points, so a shape may fill no variable. ``rows`` is one more
        axis, the slowest. Raises GradError if a variable has no value.
        """
        hidden = [f"\0{k}" for k in INDICES[: len(self.shape)]]
        constants = dict(self.at)
        filled: dict[str, Expr] = {}
        bound = {*self.names, *(rows.names if rows is not None else ())}
        free = [n for n in names if n not in bound]
        if free and not self.shape:
            from gradcli.language.names import glued

            missing = spell_name(free[0])
            hint = f"give it one: --at {missing}=..., or several: --grid {missing}=0:1:11"
            note = glued(free[:1])
            raise GradError(f"variable '{free[0]}' has no value", hint=f"{note}; or {hint}" if note else hint)
        if names and not free and self.shape and not counted:
            raise GradError(f"--grid {'x'.join(map(str, self.shape))} fills nothing: every variable has its value")
        for name, rule in self._rules(free).items():
            if rule.variables:
                filled[name] = substitute([rule], {k: var(h) for k, h in zip(INDICES, hidden, strict=False)})[0]
            else:
                # Treat a constant rule as --at does, which rounds the value first: a substituted number would be
                # folded exactly, and results could differ.
                constants[name] = _evaluated(rule)
        axes = [Axis([n], [column]) for n, column in self.grids]
        axes[self.before_shape : self.before_shape] = [
            Axis([h], [Index(n)]) for h, n in zip(hidden, self.shape, strict=True)
        ]
        if rows is not None:
            axes.insert(0, rows)
        if constants:
            axes.insert(0, Axis(list(constants), [Values([v]) for v in constants.values()], fixed=True))
        return Grid(axes), filled

    def _rules(self, free: Sequence[str]) -> dict[str, Expr]:
        """The expression in the indices for each free variable, from ``--fill`` or i+j+... by default."""
        if not free:
            return {}
        indices = [var(k) for k in INDICES[: len(self.shape)]]
        if self.fill is None:
            total = indices[0]
            for k in indices[1:]:
                total = apply("add", total, k)
            return dict.fromkeys(free, total)
        from gradcli.calculus.derive import expand
        from gradcli.language import parse

        source = Source(self.fill)
        try:
            parsed = parse(source).pointwise("and a rule says what one of them is")
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
        elif option == "--at" and PLAIN.fullmatch(text.strip()):
            hint = "for several values of a variable: --grid NAME=V1,V2,..."
        elif _NAME.fullmatch(text.strip()):
            hint = "it is one word, without blanks around the ="
        raise GradError(f"{option} needs {wanted}, not '{text.strip()}'", hint=hint)
    return read_name(name.strip(), option), value


def _length(text: str, option: str, what: str) -> int:
    if not _COUNT.fullmatch(text):
        value = number(text, option, what)
        if not value.is_integer():
            raise GradError(f"{option}: {what} must be an integer, not {text}")
        count = int(value)
    else:
        # int() refuses texts of more than 4300 digits.
        count = int(text) if len(text) < 100 else LENGTH_LIMIT + 1
    if count < 1:
        raise GradError(f"{option}: {what} must be at least 1")
    if count > LENGTH_LIMIT:
        raise GradError(f"{option}: too many points, the limit is {LENGTH_LIMIT}")
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
