"""What the options of a request say: values, uncertainties, distributions, degrees of freedom and correlations.

Layer: must not know expressions or columns.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from math import isfinite

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.job.parse_at_grid_fill import PLAIN, number, read_name, split
from gradcli.uncertainty.distributions import Shape, distribution
from gradcli.uncertainty.measured import Measured, measured, read
from gradcli.uncertainty.request import Estimates, PropagateJob
from gradcli.uncertainty.rounding import rounded


@dataclass
class Given:
    """What the options of a request say, before its expressions and columns are known.

    ``at``: the texts of ``--at`` with values alone. ``measured``: inputs with an uncertainty that is a number, and
    ``columns`` those that name the column with it; ``typed`` and ``typed_u``: decimal texts of values and of
    uncertainties that stand apart. ``shapes`` and ``df`` by input, ``corr`` by pairs. ``matrix``: the names of --cov.
    """

    at: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)
    typed_u: dict[str, str] = field(default_factory=dict)
    measured: dict[str, Measured] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    columns: dict[str, str] = field(default_factory=dict)
    shapes: dict[str, Shape] = field(default_factory=dict)
    df: dict[str, float] = field(default_factory=dict)
    corr: dict[tuple[str, str], float] = field(default_factory=dict)
    matrix: list[str] = field(default_factory=list)


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
    for estimates in job.estimates:
        # JSON, which carries a request to other processes, has lists for tuples.
        _take(Estimates(*estimates), given)
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


def _take(estimates: Estimates, given: Given) -> None:
    """Take the values, uncertainties and correlations of several inputs from a file."""
    option, where, names, values, u, r, count = estimates
    given.matrix += [] if values else names
    for k, name in enumerate(names):
        shape = given.shapes.get(name)
        twice = name in given.measured or name in given.numbers or name in given.columns
        if twice or (shape is not None and shape.fixed is not None):
            raise GradError(f"{option}: '{name}' has its uncertainty from {where} and from another option too",
                            hint="give it once")  # fmt: skip
        if not values:
            given.numbers[name], given.typed_u[name] = u[k], f"{u[k]:.6g}"
            continue
        if name in given.names:
            raise GradError(f"{option}: '{name}' is a column of {where}, and has a value in --at too",
                            hint="give it once")  # fmt: skip
        known = measured(values[k], u[k], f"{option} {where}: '{name}'")
        given.measured[name] = known._replace(typed=rounded(values[k], u[k]).pair)
        given.names.append(name)
        given.at.append(f"{spell_name(name)}={values[k]!r}")
        given.df[name] = count - 1.0
    for i, a in enumerate(names):
        for j in range(i):
            if r[i][j]:
                given.corr[names[j], a] = r[i][j]


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
            name = read_name(name.strip(), "--at")
            given.names.append(name)
            if PLAIN.fullmatch(value.strip()):
                given.typed[name] = value.strip()
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
    if PLAIN.fullmatch(value):
        given.typed_u[name] = value


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
