"""Which uncertainty each input of a request has: a variable beside it, ``u_L`` beside ``L``.

It takes its numbers from the command line or from a column, as every variable does. Layer: must not know formats.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from gradcli.errors import GradError, meant
from gradcli.expr import Expr, const, spell_name, var
from gradcli.job.request import Expressions
from gradcli.uncertainty.formula import Inputs, Moments
from gradcli.uncertainty.given import Given
from gradcli.uncertainty.matrices import LARGEST, factor

COLUMNS = ("u_{}", "s{}", "{}_std")
"""Names of the column with the uncertainties of a column."""


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
        taken = set(self.request.variables)
        number = given.measured[name].u if name in given.measured else given.numbers.get(name)
        if number is not None:
            if own in bound and own not in taken:
                raise GradError(f"the uncertainty of '{name}' is given twice, once as '{own}'", hint="give it once")
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
            "--cov": given.matrix,
            "--at": [name for name in given.measured if name not in given.shapes],
            "--u": [*given.numbers, *given.columns], "--dist": given.shapes, "--df": given.df,
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
    def df(self) -> dict[str, float]:
        """The degrees of freedom of inputs, from --df, or from Student's t as their distribution."""
        shapes = {name: shape.df for name, shape in self.given.shapes.items() if shape.kind == "t"}
        return {**shapes, **self.given.df}

    @property
    def at_names(self) -> list[str]:
        return self.given.names

    def _correlate(self, columns: Collection[str]) -> None:
        names = [*self.u]
        for column in columns:
            pair = correlated(column, self.u)
            if pair is None or column in self.request.variables:
                continue
            twin = next((p for p in (pair, pair[::-1]) if p in self.r or p in self.given.corr), None)
            if twin is not None:
                raise GradError(
                    f"the correlation of '{pair[0]}' and '{pair[1]}' is given twice: '{column}' is a column",
                    hint="leave out --corr" if twin in self.given.corr else f"it and '{self.r[twin]}' say the same",
                )
            self.r[pair] = column
            self.names.append(column)
        if (count := len({name for pair in (*self.r, *self.given.corr) for name in pair})) > LARGEST:
            raise GradError(f"{count} correlated inputs are beyond the limit of {LARGEST}")
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


def correlated(column: str, names: Collection[str]) -> tuple[str, str] | None:
    """Return the inputs whose correlation a column named ``r_A_B`` holds, if there are such.

    >>> correlated("r_L_T", ["L", "T"])
    ('L', 'T')
    """
    pieces = column[2:].split("_") if column.startswith("r_") else []
    for k in range(1, len(pieces)):
        a, b = "_".join(pieces[:k]), "_".join(pieces[k:])
        if a in names and b in names and a != b:
            return a, b
    return None


def _check_matrix(names: Sequence[str], corr: Mapping[tuple[str, str], float]) -> None:
    """Raises GradError unless the correlation matrix of constants is positive semidefinite, to 1e-12."""
    inner = [name for name in names if any(name in pair for pair in corr)]
    found = factor([[1.0 if a == b else corr.get((a, b), corr.get((b, a), 0.0)) for b in inner] for a in inner])
    if isinstance(found, tuple):
        a, b = sorted(found)
        raise GradError(
            f"the correlations of {', '.join(inner[:6])}{' ...' if len(inner) > 6 else ''} contradict each other at "
            f"'{inner[a]}' and '{inner[b]}': their matrix is not positive semidefinite",
            hint="check the coefficients and their signs",
        )
