"""Claims: texts and columns -> pairs of expressions to compare, the claimed and the true one.

Claims may use the names that the expressions and --let define. Layer: must not know points or numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gradcli.calculus.derive import derivatives, expand
from gradcli.calculus.forward import Partial
from gradcli.calculus.leibniz import derivative_name, readings
from gradcli.caret import Source, printable
from gradcli.errors import GradError, meant
from gradcli.expr import ZERO, Expr, reachable, substitute, text, var, variables
from gradcli.job.parse_at_grid_fill import read_name
from gradcli.job.request import Expressions, Rows, check_order
from gradcli.language import Parsed, parse


class Place(NamedTuple):
    """The position of a claim: the name of its file, line and column, both from 1."""

    file: str
    line: int
    column: int


class Claim(NamedTuple):
    """The claim that ``claimed`` equals ``truth``, which has the name ``name``, such as df_dx.

    ``truth`` is the derivative ``partial`` of ``output``; ``partial`` is None for --equals.
    ``typed`` is the claim's text; ``column``: the claim is data, not a formula.
    """

    name: str
    claimed: Expr
    truth: Expr
    output: str
    partial: Partial | None
    typed: str
    place: Place | None = None
    column: bool = False
    root: Expr = ZERO
    """The expression that is differentiated: points at which it has no value are not compared."""


class Texts(NamedTuple):
    """The texts of claims as typed: --claim and --claims, --equals, --claim-column, --let."""

    claims: Sequence[str | Source] = ()
    equals: Sequence[str | Source] = ()
    columns: Sequence[str] = ()
    lets: Sequence[str | Source] = ()


class Claims:
    """The checked ``claims`` of a request, with the ``variables`` of its expressions and its ``outputs`` by name.

    ``parsed`` are all texts, parsed; ``bound`` and ``rows`` bind names as in `Expressions`. Raises GradError for a
    claim about anything but these expressions.
    """

    def __init__(
        self, expressions: Sequence[str | Source], texts: Texts, bound: Sequence[str] = (), rows: Rows | None = None
    ) -> None:
        request = Expressions(expressions, bound, rows)
        self.parsed = list(request.parsed)

        def read(text: str | Source) -> Parsed:
            self.parsed.append(parsed := parse(text, bound, columns=rows is not None))
            return parsed

        self.lets: dict[str, Expr] = {}
        self.let_variables: dict[str, list[str]] = {}
        for let in texts.lets:
            self._let(read(let))
        for parsed in request.parsed:
            _pointwise(parsed)
        self.variables = self._without_lets(request.variables)
        names = [name for name, _ in request.outputs]
        self.outputs = dict(zip(names, self._expanded([e for _, e in request.outputs]), strict=True))
        request.check_columns(names, [])
        self.defined = {name: e for parsed in request.parsed for name, e in parsed.names.items()}
        self.defined |= dict(request.outputs)
        self.claims: list[Claim] = []
        for equal in texts.equals:
            self._equal(read(equal))
        claims = [claim for text in texts.claims for claim in self._formulas(read(text))]
        self.claims += self._with_truths([*claims, *map(self._column, texts.columns)])
        if not self.claims:
            raise GradError(
                "nothing is claimed", hint='such as: gradcli check "x**2" --claim "df_dx = 2*x", or --equals "x*x"'
            )
        twice = [c.name for k, c in enumerate(self.claims) if c.name in [d.name for d in self.claims[:k]]]
        if twice and not texts.equals:
            raise GradError(f"'{twice[0]}' is claimed twice")

    def _let(self, parsed: Parsed) -> None:
        _pointwise(parsed)
        if any(name is None for name, _ in parsed.outputs):
            raise GradError(f"--let needs NAME = EXPRESSION, not '{parsed.source.text.strip()}'")
        for name, e in parsed.names.items():
            if name in self.lets:
                raise GradError(f"--let: '{name}' is given twice")
            self.let_variables[name] = self._without_lets([v for v in parsed.variables if v in variables(e)])
            self.lets[name] = substitute([e], self.lets)[0]

    def _without_lets(self, names: Sequence[str]) -> list[str]:
        """The variables, each name of --let replaced by the variables of its expression."""
        return list(dict.fromkeys(v for name in names for v in self.let_variables.get(name, [name])))

    def _expanded(self, roots: Sequence[Expr]) -> list[Expr]:
        return expand(substitute(roots, self.lets))

    def _equal(self, parsed: Parsed) -> None:
        _pointwise(parsed)
        self._check_variables(parsed)
        roots = self._expanded([e for _, e in parsed.outputs])
        names = [name for name, _ in parsed.outputs]
        if len(names) == 1 and len(self.outputs) == 1:
            names = list(self.outputs)
        for name, e, (_, typed) in zip(names, roots, parsed.outputs, strict=True):
            if name is None or name not in self.outputs:
                name = name or "f"
                known = ", ".join(self.outputs)
                raise GradError(
                    f"--equals: there is no output '{name}' to be equal to", hint=f"the outputs are {known}"
                )
            self.claims.append(
                Claim(name, e, self.outputs[name], name, None, *_typed(parsed, typed), root=self.outputs[name])
            )

    def _formulas(self, parsed: Parsed) -> list[Claim]:
        _pointwise(parsed)
        self._check_variables(parsed)
        claims = []
        # A derivative that another claim refers to is no output, but still a claim.
        used = [(name, e) for name, e in parsed.names.items() if (name, e) not in parsed.outputs and self._find(name)]
        for name, e in [*used, *parsed.outputs]:
            claimed = self._expanded(substitute([e], self.defined))[0]
            claims.append(self._claim(name, claimed, *_typed(parsed, e), column=False))
        return claims

    def _column(self, text: str) -> Claim:
        name, equals, column = text.partition("=")
        if not equals:
            raise GradError(f"--claim-column needs DERIVATIVE=COLUMN, such as df_dx=grad_x, not '{text}'")
        variable = var(read_name(column.strip(), "--claim-column"))
        return self._claim(name.strip(), variable, f"column {column.strip()}", None, column=True)

    def _claim(self, name: str | None, claimed: Expr, typed: str, place: Place | None, *, column: bool) -> Claim:
        if name is None:
            if len(self.outputs) != 1 or len(self.variables) != 1:
                raise GradError(
                    f"which derivative is '{typed}' claimed to be?",
                    hint=f"name it: {self._example()} = ...",
                )
            name = self._example()
        output, partial = self._derivative(name)
        return Claim(
            derivative_name(output, self.variables, partial), claimed, ZERO, output, partial, typed, place, column
        )

    def _example(self) -> str:
        return derivative_name(next(iter(self.outputs)), self.variables, (0,) if self.variables else ())

    def _derivative(self, name: str) -> tuple[str, Partial]:
        """The output and the variables in a derivative's name, in any order: d2f_dydx is d2f_dxdy.

        Raises GradError for a name of another form.
        """
        derivative = self._find(name)
        if derivative is not None:
            return derivative
        known = [
            derivative_name(o, self.variables, p)
            for o in self.outputs
            for p in [(), *[(k,) for k in range(len(self.variables))]]
        ]
        hint = meant(name, known, "there are")
        raise GradError(f"no value and no derivative of these expressions is called '{printable(name)}'", hint=hint)

    def _find(self, name: str) -> tuple[str, Partial] | None:
        for output in self.outputs:
            if name == output:
                return output, ()
            for partial in readings(name, output, self.variables):
                return output, tuple(sorted(partial))
        return None

    def _check_variables(self, parsed: Parsed) -> None:
        for name in self._without_lets([v for v in parsed.variables if v not in self.defined]):
            if name not in self.variables:
                hint = meant(name, [*self.variables, *self.defined], "its variables are")
                raise GradError(
                    f"'{name}' is in the claim and not in the expression", hint=hint,
                    span=parsed.spans.get(var(name)), source=parsed.source,
                )  # fmt: skip

    def _with_truths(self, claims: Sequence[Claim]) -> list[Claim]:
        """The claims, each with its true derivative."""
        truths: dict[tuple[str, Partial], Expr] = {(output, ()): root for output, root in self.outputs.items()}
        for output, root in self.outputs.items():
            partials = [claim.partial for claim in claims if claim.output == output and claim.partial]
            if partials:
                order = max(map(len, partials))
                wrt = sorted({k for partial in partials for k in partial})
                check_order(order, len(wrt), 1)
                by_partial = derivatives(root, [self.variables[k] for k in wrt], order)
                for partial in partials:
                    truths[output, partial] = by_partial.get(tuple([wrt.index(k) for k in partial]), ZERO)
        return [
            claim._replace(truth=truths[claim.output, claim.partial or ()], root=self.outputs[claim.output])
            for claim in claims
        ]


def _pointwise(parsed: Parsed) -> None:
    parsed.pointwise("and derivatives here are of each point alone", hint="gradients through it: gradcli grad")


def _typed(parsed: Parsed, e: Expr) -> tuple[str, Place | None]:
    """The text of an expression as typed, and its position if it comes from a file."""
    span = parsed.spans.get(e)
    if span is None:
        return (text(e, 400) if len(reachable([e])) < 200 else parsed.source.text.strip()), None
    typed = parsed.source.text[span.start : span.end]
    if parsed.source.name is None:
        return typed, None
    line, column, _ = parsed.source.place(span.start)
    return typed, Place(parsed.source.name, line, column)
