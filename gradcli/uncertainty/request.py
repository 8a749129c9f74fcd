"""The request to propagate uncertainties: its options as typed, and which uncertainty each input has.

An uncertainty is a variable beside its input, ``u_L`` beside ``L``; it takes its numbers from the command line or from
a column, as every variable does. Layer: must not know formats or terminals.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite

from gradcli.caret import Source, Span
from gradcli.errors import GradError, meant
from gradcli.expr import Expr, const, spell_name, var
from gradcli.job.choices import Choice, Hard, How, Where
from gradcli.job.parse_at_grid_fill import number, read_name, split
from gradcli.job.request import Expressions
from gradcli.language import Parsed
from gradcli.uncertainty.distributions import Shape, distribution
from gradcli.uncertainty.formula import Inputs, Moments
from gradcli.uncertainty.measured import Measured, measured, read

COLUMNS = ("u_{}", "s{}", "{}_std")
"""Names of the column with the uncertainties of a column."""


@dataclass(frozen=True)
class PropagateJob(Where, How, Choice, Hard):
    """A request for results with uncertainties, as texts typed on the command line; checked when it is run.

    ``at`` may hold measured values, ``L=1.020±0.005``. ``u``: ``L=0.005`` or ``L=COLUMN``. ``dist``: ``T=R(1.9,2.1)``.
    ``df``: ``L=9``, degrees of freedom. ``corr``: ``L,T=0.3``. ``second_order`` adds the columns of second order,
    ``budget`` those of sensitivities and shares, ``correlations`` those of the correlations of results.
    """

    expressions: Sequence[str | Source | Parsed]
    kink: str = field(default="convention", kw_only=True)
    u: Sequence[str] = ()
    dist: Sequence[str] = ()
    df: Sequence[str] = ()
    corr: Sequence[str] = ()
    second_order: bool = False
    budget: bool = False
    correlations: bool = False


@dataclass
class Given:
    """What the options of a request say, before its expressions and columns are known.

    ``at``: the texts of ``--at`` with values alone. ``measured``: inputs with an uncertainty that is a number, and
    ``columns`` those that name the column with it. ``shapes`` and ``df`` by input, ``corr`` by pairs.
    """

    at: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    df: dict[str, float] = field(default_factory=dict)
    corr: dict[tuple[str, str], float] = field(default_factory=dict)


def read_given(job: PropagateJob) -> Given:
    """Return what the options say. Raises GradError, which names the option, for one that is malformed."""
    given = Given()
    for text in job.at:
        for piece in split(text, ","):
            _read_value(piece, given)
    for text in job.dist:
        name, value = _binding(text, "--dist", "NAME=DISTRIBUTION, such as T=R(1.98,2.02)", given.shapes)
        given.shapes[name] = distribution(value, "--dist")
    for text in job.u:
        for piece in split(text, ","):
            _read_u(piece, given)
    for name, shape in given.shapes.items():
        _place(name, shape, given)
    for text in job.df:
        for piece in split(text, ","):
            name, value = _binding(piece, "--df", "NAME=NUMBER, such as L=9", given.df)
            df = number(value, "--df", f"the degrees of freedom of '{name}'")
            if not df >= 1:
                raise GradError(f"--df {piece}: degrees of freedom are at least 1, or inf")
            given.df[name] = df
    for text in job.corr:
        _read_corr(text, given)
    return given


def _binding(text: str, option: str, wanted: str, known: Collection[str]) -> tuple[str, str]:
    name, equals, value = text.strip().partition("=")
    if not equals or not name.strip():
        raise GradError(f"{option} needs {wanted}, not '{text.strip()}'")
    name = read_name(name.strip(), option)
    if name in known:
        raise GradError(f"{option}: '{name}' is given twice")
    return name, value.strip()


def _read_value(piece: str, given: Given) -> None:
    name, equals, value = piece.partition("=")
    found = read(value, f"--at {name.strip()}") if equals and name.strip() else None
    if found is None:
        # A constant expression, or an error of --at, which the points tell.
        given.at.append(piece)
        if equals and name.strip():
            given.names.append(read_name(name.strip(), "--at"))
        return
    name = read_name(name.strip(), "--at")
    if name in given.names:
        raise GradError(f"--at: '{name}' is given twice")
    given.names.append(name)
    given.measured[name] = found
    given.at.append(f"{spell_name(name)}={found.typed[0]}")


def _read_u(piece: str, given: Given) -> None:
    name, value = _binding(piece, "--u", "NAME=NUMBER or NAME=COLUMN, such as L=0.005", given.columns)
    if name in given.numbers:
        raise GradError(f"--u: '{name}' is given twice")
    if name in given.measured:
        raise GradError(
            f"--u: '{name}' has its uncertainty in --at already",
            hint=f"give it once: --at {spell_name(name)}=VALUE and --u {piece}",
        )
    shape = given.shapes.get(name)
    if shape is not None and shape.fixed is not None:
        raise GradError(f"--u: the distribution of '{name}' has a width already", hint="leave out --u, or --dist")
    if not value:
        raise GradError(f"--u: the uncertainty of '{name}' is missing")
    if _is_column(value):
        given.columns[name] = read_name(value, "--u")
        return
    u = number(value, "--u", f"the uncertainty of '{name}'")
    if not (u >= 0 and isfinite(u)):
        wrong = "negative" if u < 0 else "not a finite number"
        raise GradError(
            f"--u {piece}: the uncertainty is {wrong}", hint="it is a standard deviation, 0 or more",
            span=Span(0, len(value)), source=Source(value),
        )  # fmt: skip
    given.numbers[name] = u


def _is_column(text: str) -> bool:
    """Whether a text names a column: a name in backquotes, or one that is no number such as inf or pi."""
    if text.startswith("`"):
        return True
    return text.isidentifier() and text not in ("inf", "nan", "pi", "e", "tau")


def _place(name: str, shape: Shape, given: Given) -> None:
    """Give an input the value and the uncertainty of its distribution, or the distribution that of --at."""
    known = given.measured.get(name)
    if shape.fixed is None:
        if known is not None:
            if known.dist is not None:
                raise GradError(f"--dist: '{name}' has its distribution in --at already")
            given.measured[name] = known._replace(dist=shape.at(known.value, known.u))
        return
    if known is not None or name in given.names:
        raise GradError(
            f"--dist: {shape.kind}(a,b) gives '{name}' its value and its uncertainty, and --at does too",
            hint=f"leave it out of --at, or write the half-width there: --at {spell_name(name)}=1.02\u00b10.005:rect",
        )
    dist = shape.fixed
    given.measured[name] = measured(dist.mean, dist.u, f"--dist {name}")._replace(dist=dist)
    given.names.append(name)
    given.at.append(f"{spell_name(name)}={dist.mean!r}")


def _read_corr(text: str, given: Given) -> None:
    pair, equals, value = text.strip().rpartition("=")
    names = split(pair, ",")
    if not equals or len(names) != 2:
        raise GradError(f"--corr needs A,B=R, such as L,T=0.3, not '{text.strip()}'")
    a, b = (read_name(name, "--corr") for name in names)
    if a == b:
        raise GradError(f"--corr: '{a}' is correlated with itself by 1")
    if (a, b) in given.corr or (b, a) in given.corr:
        raise GradError(f"--corr: the correlation of '{a}' and '{b}' is given twice")
    r = number(value, "--corr", f"the correlation of '{a}' and '{b}'")
    if not -1 <= r <= 1:
        raise GradError(f"--corr {text.strip()}: a correlation lies between -1 and 1, and this is {r:g}")
    given.corr[a, b] = r


class Uncertain:
    """The uncertain inputs of a request: which variable holds each uncertainty, and the values that options give.

    ``inputs``: what the formula takes. ``u``: by input the variable with its uncertainty. ``r``: by pair the variable
    with the correlation, from a column; constants stand in ``given.corr``. ``at``: texts of ``--at`` for all values
    and uncertainties that options give. ``names``: the variables that were added.
    """

    def __init__(self, given: Given, request: Expressions, bound: Collection[str], columns: Collection[str]) -> None:
        self.given, self.request = given, request
        variables = request.variables
        self.at, self.names = list(given.at), []
        self.u: dict[str, str] = {}
        self.sides: dict[str, tuple[str, str]] = {}
        for name in variables:
            found = self._u_of(name, bound, columns)
            if found is not None:
                self.u[name] = found
                self.names += [found, *self.sides.get(name, ())]
        self._check_used(columns)
        self.r: dict[tuple[str, str], str] = {}
        self._correlate(columns)
        self.names = list(dict.fromkeys(self.names))
        self.inputs = self._inputs()

    def _u_of(self, name: str, bound: Collection[str], columns: Collection[str]) -> str | None:
        given = self.given
        own = f"u_{name}"
        number = given.measured[name].u if name in given.measured else given.numbers.get(name)
        if number is not None:
            self._check_free(own, name, columns)
            self._bind(own, number)
            known = given.measured.get(name)
            if known is not None and known.plus is not None and known.minus is not None:
                self.sides[name] = (f"{own}_plus", f"{own}_minus")
                for side, width in zip(self.sides[name], (known.plus, known.minus), strict=True):
                    self._check_free(side, name, columns)
                    self._bind(side, width)
            return own
        if name in given.columns:
            return given.columns[name]
        taken = set(self.request.variables)
        if own in bound and own not in taken:
            return own
        if name in bound and name not in columns:
            return None
        known_columns = [c for form in COLUMNS if (c := form.format(name)) in columns and c not in taken]
        if len(known_columns) > 1:
            raise GradError(
                f"both columns '{known_columns[0]}' and '{known_columns[1]}' may be the uncertainty of '{name}'",
                hint=f"say which: --u {spell_name(name)}={spell_name(known_columns[0])}",
            )
        return known_columns[0] if known_columns else None

    def _check_free(self, own: str, name: str, columns: Collection[str]) -> None:
        """Raises GradError if the name of an uncertainty is that of a variable or of a column."""
        if own in self.request.variables:
            raise GradError(
                f"'{own}' is a variable of the expression, and would be the uncertainty of '{name}' too",
                hint=f"write another name for the variable '{own}'",
            )
        if own in columns:
            raise GradError(
                f"the uncertainty of '{name}' is given on the command line, and as the column '{own}' too",
                hint="give it once",
            )

    def _bind(self, name: str, value: float) -> None:
        self.at.append(f"{spell_name(name)}={value!r}")

    def _check_used(self, columns: Collection[str]) -> None:
        """Raises GradError for an option about a name that is no variable, or that has no uncertainty."""
        given, request = self.given, self.request
        about: dict[str, Collection[str]] = {
            "--at": given.measured, "--u": [*given.numbers, *given.columns], "--dist": given.shapes, "--df": given.df,
            "--corr": [name for pair in given.corr for name in pair],
        }  # fmt: skip
        for option, names in about.items():
            request.unused(list(names), f"{option}: ", False)
            for name in names:
                if name not in self.u:
                    raise GradError(
                        f"{option}: '{name}' has no uncertainty",
                        hint=f"give it one: --u {spell_name(name)}=0.005, or --at {spell_name(name)}=1.02\u00b10.005",
                    )
        for name, column in given.columns.items():
            if column not in columns and column not in self.at_names:
                known = meant(column, [*columns], "its columns are", spell_name) if columns else None
                raise GradError(
                    f"--u: '{column}', the uncertainty of '{name}', is no column" + ("" if columns else " of a file"),
                    hint=known or f"a number is the uncertainty itself: --u {spell_name(name)}=0.005",
                )
        if not self.u:
            first = spell_name(request.variables[0]) if request.variables else "x"
            hint = f"give it to a value: --at {first}=1.020\u00b10.005, or --u {first}=0.005"
            if columns:
                hint = f"a column u_{first} beside the column {first}, or --u {first}=COLUMN, or --u {first}=0.005"
            raise GradError("no input has an uncertainty", hint=hint)

    @property
    def at_names(self) -> list[str]:
        return self.given.names

    def _correlate(self, columns: Collection[str]) -> None:
        names = [*self.u]
        for k, a in enumerate(names):
            for b in names[k + 1 :] if columns else ():
                found = [c for c in (f"r_{a}_{b}", f"r_{b}_{a}") if c in columns]
                if len(found) > 1 or (found and not {(a, b), (b, a)}.isdisjoint(self.given.corr)):
                    raise GradError(f"the correlation of '{a}' and '{b}' is given twice: '{found[0]}' is a column")
                if found:
                    self.r[a, b] = found[0]
                    self.names.append(found[0])
        _check_matrix(names, self.given.corr)

    def _inputs(self) -> Inputs:
        r: dict[tuple[str, str], Expr] = {pair: var(name) for pair, name in self.r.items()}
        r |= {pair: const(value) for pair, value in self.given.corr.items() if value}
        moments = {}
        for name in self.u:
            known = self.given.measured.get(name)
            dist = known.dist if known is not None else None
            if dist is not None and dist.kind in ("R", "T", "U"):
                moments[name] = Moments(0, dist.kurtosis)
        return Inputs(
            {name: var(u) for name, u in self.u.items()}, r, moments,
            {name: (var(plus), var(minus)) for name, (plus, minus) in self.sides.items()},
        )  # fmt: skip


_TOLERANCE = 1e-12


def _check_matrix(names: Sequence[str], corr: Mapping[tuple[str, str], float]) -> None:
    """Raises GradError unless the correlation matrix of constants is positive semidefinite, to rounding.

    By Cholesky's decomposition (Higham, Accuracy and Stability, 10.3), which names the first input that fails.
    """
    inner = [name for name in names if any(name in pair for pair in corr)]
    if len(inner) < 3:
        return
    lower: list[list[float]] = []
    for i, name in enumerate(inner):
        row: list[float] = []
        for j in range(i):
            other = inner[j]
            r = corr.get((name, other), corr.get((other, name), 0.0))
            rest = r - sum(a * b for a, b in zip(row, lower[j], strict=False))
            pivot = lower[j][j]
            if pivot <= _TOLERANCE**0.5:
                if abs(rest) > _TOLERANCE**0.5:
                    raise _indefinite(inner, name, other)
                row.append(0.0)
            else:
                row.append(rest / pivot)
        left = 1 - sum(a * a for a in row)
        if left < -_TOLERANCE:
            culprit = max(range(i), key=lambda j: abs(row[j]))
            raise _indefinite(inner, name, inner[culprit])
        row.append(max(left, 0.0) ** 0.5)
        lower.append(row)


def _indefinite(names: Sequence[str], a: str, b: str) -> GradError:
    return GradError(
        f"the correlations of {', '.join(names[:6])}{' ...' if len(names) > 6 else ''} contradict each other at "
        f"'{b}' and '{a}': their matrix is not positive semidefinite",
        hint="check the coefficients and their signs",
    )
