"""Claims: texts and columns -> pairs of expressions to compare, the claimed and the true one.

Claims may use the names that the expressions and --let define. Layer: must not know points or numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from gradcli.calculus.derive import derivatives, expand
from gradcli.calculus.forward import Partial
from gradcli.calculus.leibniz import derivative_name, readings
from gradcli.caret import Source, Span, printable
from gradcli.errors import GradError, meant
from gradcli.expr import ZERO, Expr, reachable, substitute, text, var, variables
from gradcli.job.parse_at_grid_fill import read_name
from gradcli.job.request import RESERVED, Expressions, Rows, check_order, read_expression
from gradcli.language import Parsed
from gradcli.verify.given import Texts, in_memory
from gradcli.verify.statements import readable, statements

if TYPE_CHECKING:
    pass


class Place(NamedTuple):
    """The position of a claim: the name of its file, line and column, both from 1."""

    file: str
    line: int
    column: int


class Claim(NamedTuple):
    """The claim that ``claimed`` equals ``truth``, which has the name ``name``, such as df_dx.

    ``truth`` is the derivative ``partial`` of ``output``; ``partial`` is None for --equals.
    ``typed`` is the claim's text; ``column``: the claim is data, not a formula, with the relative error ``rtol``.
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
    rtol: float = 0.0


class Claims:
    """The checked ``claims`` of a request, with the ``variables`` of its expressions and its ``outputs`` by name.

    ``parsed`` are all texts, parsed; ``bound`` and ``rows`` bind names as in `Expressions`. ``errors`` are those of the
    claims that cannot be read, or that are about anything but these expressions; the first is raised if no claim is
    left.
    """

    def __init__(
        self, expressions: Sequence[str | Source], texts: Texts, bound: Sequence[str] = (), rows: Rows | None = None
    ) -> None:
        known = [*bound]

        def read(text: str | Source) -> Parsed:
            names = known if isinstance(text, Source) and text.natural else bound
            self.parsed.append(parsed := read_expression(text, names, rows))
            return parsed

        self.parsed: list[Parsed] = []
        self.lets: dict[str, Expr] = {}
        self.let_variables: dict[str, list[str]] = {}
        for let in texts.lets:
            self._let(read(let))
            known += [name for name in self.lets if name not in RESERVED]
        natural = any(isinstance(text, Source) and text.natural for text in expressions)
        request = Expressions(expressions, known if natural else bound, rows)
        self.parsed = [*request.parsed, *self.parsed]
        # In natural notation claims may have the words of the expressions, which nothing else names.
        words = [*request.variables, *[name for parsed in request.parsed for name in parsed.names]]
        known += [name for name in words if name not in RESERVED]
        for parsed in request.parsed:
            _pointwise(parsed)
        self.variables = self._without_lets(request.variables)
        names = [name for name, _ in request.outputs]
        self.outputs = dict(zip(names, self._expanded([e for _, e in request.outputs]), strict=True))
        request.check_columns(names, [])
        self.defined = {name: e for parsed in request.parsed for name, e in parsed.names.items()}
        self.defined |= dict(request.outputs)
        self.claims: list[Claim] = []
        self.errors: list[GradError] = []
        for equal in texts.equals:
            self._equal(read(equal))
        claims: list[Claim] = []
        for claim in texts.claims:
            text, errors = readable(claim if isinstance(claim, Source) else Source(claim), read)
            self.errors += errors
            claims += self._formulas(text) if text is not None else []
        for column in texts.columns:
            with self._collected():
                claims.append(self._column(column))
        for name, typed, _, rtol in texts.data:
            claims.append(self._claim(name, var(in_memory(name)), typed, None, column=True)._replace(rtol=rtol))
        self.claims += self._with_truths(claims)
        if self.errors and not self.claims:
            raise self.errors[0]
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
        self._check_variables(parsed, parsed.variables)
        roots = self._expanded([e for _, e in parsed.outputs])
        names = [name for name, _ in parsed.outputs]
        if len(names) == 1 and len(self.outputs) == 1:
            names = list(self.outputs)
        for name, e, (_, root) in zip(names, roots, parsed.outputs, strict=True):
            if name is None or name not in self.outputs:
                name = name or "f"
                known = ", ".join(self.outputs)
                raise GradError(
                    f"--equals: there is no output '{name}' to be equal to", hint=f"the outputs are {known}"
                )
            typed, span = _typed(parsed, root)
            place = _place(parsed.source, span)
            self.claims.append(Claim(name, e, self.outputs[name], name, None, typed, place, root=self.outputs[name]))

    @contextmanager
    def _collected(self, span: Span | None = None, source: Source | None = None) -> Iterator[None]:
        """Collects the error of a claim, with its place in a file, so that the other claims are judged."""
        try:
            yield
        except GradError as error:
            if span is not None and source is not None and source.name is not None:
                error.at(span, source)
            self.errors.append(error)

    def _formulas(self, parsed: Parsed) -> list[Claim]:
        claims: list[Claim] = []
        places = {s.name: s.body for s in statements(parsed.source.text)}
        # A derivative that another claim refers to is no output, but still a claim.
        used = [(name, e) for name, e in parsed.names.items() if (name, e) not in parsed.outputs and self._find(name)]
        seen = set[str]()
        for name, e in [*used, *parsed.outputs]:
            typed, span = _typed(parsed, e, places.get(name or ""))
            seen.update(variables(e))
            with self._collected(span, parsed.source):
                nodes = set(reachable([e]))
                _pointwise(parsed._replace(reductions={r: s for r, s in parsed.reductions.items() if r in nodes}))
                self._check_variables(parsed, variables(e))
                claimed = self._expanded(substitute([e], self.defined))[0]
                claims.append(self._claim(name, claimed, typed, _place(parsed.source, span), column=False))
        # A variable that simplification dropped is in no claim's graph.
        with self._collected():
            self._check_variables(parsed, [name for name in parsed.variables if name not in seen])
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

    def _check_variables(self, parsed: Parsed, names: Iterable[str]) -> None:
        for name in self._without_lets([v for v in names if v not in self.defined]):
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


def _typed(parsed: Parsed, e: Expr, defined: Span | None = None) -> tuple[str, Span | None]:
    """The text of an expression as typed, and its span; ``defined`` is that of the definition of its name, if any."""
    span = parsed.spans.get(e)
    # Equal expressions are one node, whose span is that of the first.
    if defined is not None and (span is None or not defined.start <= span.start < defined.end):
        span = defined
    if span is None:
        return (text(e, 400) if len(reachable([e])) < 200 else parsed.source.text.strip()), None
    return parsed.source.text[span.start : span.end], span


def _place(source: Source, span: Span | None) -> Place | None:
    """The position of a span if it is in a file."""
    if span is None or source.name is None:
        return None
    line, column, _ = source.place(span.start)
    return Place(source.name, line, column)
