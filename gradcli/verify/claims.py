"""What is claimed of which derivative: texts and columns -> pairs of expressions to compare.

Claims may use what the expressions define, and what --let does. Must not know points or numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gradcli.calculus.derive import derivatives, expand
from gradcli.calculus.forward import Partial
from gradcli.calculus.leibniz import derivative_name, readings
from gradcli.errors import GradError, Source, meant, printable
from gradcli.expr import ZERO, Expr, reachable, substitute, text, var
from gradcli.job.points import read_name
from gradcli.job.request import Asked, check_order
from gradcli.language import Parsed, parse


class Place(NamedTuple):
    """Where a claim is written: the file's name, line and column from 1."""

    file: str
    line: int
    column: int


class Claim(NamedTuple):
    """``claimed`` is said to be ``truth``, which is what is called ``name``.

    ``output`` and ``partial`` say what that is; ``partial`` is None where two expressions are said to be equal.
    ``column``: the claim is data, not a formula.
    """

    name: str
    claimed: Expr
    truth: Expr
    output: str
    partial: Partial | None
    said: str
    place: Place | None = None
    column: bool = False
    root: Expr = ZERO
    """What is differentiated: where it has no value there is nothing to claim."""


class Texts(NamedTuple):
    """What is claimed, as typed: formulas, what they are ``equals`` to, columns, and names that stand for others."""

    claims: Sequence[str | Source] = ()
    equals: Sequence[str | Source] = ()
    columns: Sequence[str] = ()
    lets: Sequence[str | Source] = ()


class Claims:
    """The claims of a request, checked. ``variables`` are those of the expressions; ``outputs`` their names and roots.

    Raises GradError for claims that say nothing of these expressions.
    """

    def __init__(self, expressions: Sequence[str | Source], texts: Texts) -> None:
        asked = Asked(expressions)
        self.lets: dict[str, Expr] = {}
        self.inside: dict[str, list[str]] = {}
        for one in texts.lets:
            self._let(parse(one))
        for p in asked.parsed:
            _pointwise(p)
        self.variables = self._seen(asked.variables)
        self.outputs = dict(zip([n for n, _ in asked.outputs], self._meant([e for _, e in asked.outputs]), strict=True))
        asked.check_columns([n for n, _ in asked.outputs], [], [n for n, _ in asked.outputs])
        self.defined = {name: e for p in asked.parsed for name, e in p.names.items()}
        self.defined |= dict(asked.outputs)
        self.found: list[Claim] = []
        for one in texts.equals:
            self._equal(parse(one))
        claims = [claim for one in texts.claims for claim in self._formulas(parse(one))]
        self.found += self._with_truths([*claims, *map(self._column, texts.columns)])
        if not self.found:
            raise GradError(
                "nothing is claimed", hint='such as: gradcli check "x**2" --claim "df_dx = 2*x", or --equals "x*x"'
            )
        twice = [c.name for k, c in enumerate(self.found) if c.name in [d.name for d in self.found[:k]]]
        if twice and not texts.equals:
            raise GradError(f"'{twice[0]}' is claimed twice")

    def _let(self, parsed: Parsed) -> None:
        _pointwise(parsed)
        if any(name is None for name, _ in parsed.outputs):
            raise GradError(f"--let needs NAME = EXPRESSION, not '{parsed.source.text.strip()}'")
        for name, e in parsed.names.items():
            if name in self.lets:
                raise GradError(f"--let: '{name}' is given twice")
            self.inside[name] = self._seen([v for v in parsed.variables if v in _used(e)])
            self.lets[name] = substitute([e], self.lets)[0]

    def _seen(self, names: Sequence[str]) -> list[str]:
        """The variables, those of --let in the place of its names."""
        return list(dict.fromkeys(v for name in names for v in self.inside.get(name, [name])))

    def _meant(self, roots: Sequence[Expr]) -> list[Expr]:
        return expand(substitute(roots, self.lets))

    def _equal(self, parsed: Parsed) -> None:
        _pointwise(parsed)
        self._check_variables(parsed)
        roots = self._meant([e for _, e in parsed.outputs])
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
            self.found.append(
                Claim(name, e, self.outputs[name], name, None, *_written(parsed, typed), root=self.outputs[name])
            )

    def _formulas(self, parsed: Parsed) -> list[Claim]:
        _pointwise(parsed)
        self._check_variables(parsed)
        found = []
        # A claim that another one uses is a claim still.
        used = [(name, e) for name, e in parsed.names.items() if (name, e) not in parsed.outputs and self._read(name)]
        for name, e in [*used, *parsed.outputs]:
            meant = self._meant(substitute([e], self.defined))[0]
            found.append(self._claim(name, meant, *_written(parsed, e), column=False))
        return found

    def _column(self, given: str) -> Claim:
        name, equals, column = given.partition("=")
        if not equals:
            raise GradError(f"--claim-column needs DERIVATIVE=COLUMN, such as df_dx=grad_x, not '{given}'")
        read = read_name(column.strip(), "--claim-column")
        return self._claim(name.strip(), var(read), f"column {column.strip()}", None, column=True)

    def _claim(self, name: str | None, meant: Expr, said: str, place: Place | None, *, column: bool) -> Claim:
        if name is None:
            if len(self.outputs) != 1 or len(self.variables) != 1:
                raise GradError(
                    f"which derivative is '{said}' claimed to be?",
                    hint=f"name it: {self._example()} = ...",
                )
            name = self._example()
        output, partial = self._named(name)
        return Claim(
            derivative_name(output, self.variables, partial), meant, ZERO, output, partial, said, place, column
        )

    def _example(self) -> str:
        return derivative_name(next(iter(self.outputs)), self.variables, (0,) if self.variables else ())

    def _named(self, name: str) -> tuple[str, Partial]:
        """The output and the variables that a derivative's name says, in any order: d2f_dydx is d2f_dxdy."""
        found = self._read(name)
        if found is not None:
            return found
        known = [
            derivative_name(o, self.variables, p)
            for o in self.outputs
            for p in [(), *[(k,) for k in range(len(self.variables))]]
        ]
        hint = meant(name, known, "there are")
        raise GradError(f"no value and no derivative of these expressions is called '{printable(name)}'", hint=hint)

    def _read(self, name: str) -> tuple[str, Partial] | None:
        for output in self.outputs:
            if name == output:
                return output, ()
            for partial in readings(name, output, self.variables):
                return output, tuple(sorted(partial))
        return None

    def _check_variables(self, parsed: Parsed) -> None:
        for name in self._seen([v for v in parsed.variables if v not in self.defined]):
            if name not in self.variables:
                hint = meant(name, [*self.variables, *self.defined], "its variables are")
                first = next((e for e in parsed.spans if e.op == "var" and e.value == name), None)
                raise GradError(
                    f"'{name}' is in the claim and not in the expression", hint=hint,
                    span=parsed.spans[first] if first is not None else None, source=parsed.source,
                )  # fmt: skip

    def _with_truths(self, claims: Sequence[Claim]) -> list[Claim]:
        """The claims with the true derivative in each."""
        truths: dict[tuple[str, Partial], Expr] = {(output, ()): root for output, root in self.outputs.items()}
        for output, root in self.outputs.items():
            asked = [claim.partial for claim in claims if claim.output == output and claim.partial]
            if asked:
                order = max(map(len, asked))
                places = sorted({k for partial in asked for k in partial})
                check_order(order, len(places), 1)
                found = derivatives(root, [self.variables[k] for k in places], order)
                for partial in asked:
                    truths[output, partial] = found.get(tuple([places.index(k) for k in partial]), ZERO)
        return [
            claim._replace(truth=truths[claim.output, claim.partial or ()], root=self.outputs[claim.output])
            for claim in claims
        ]


def _pointwise(parsed: Parsed) -> None:
    parsed.pointwise("and derivatives here are of each point alone", hint="gradients through it: gradcli grad")


def _used(e: Expr) -> set[str]:
    return {str(node.value) for node in reachable([e]) if node.op == "var"}


def _written(parsed: Parsed, e: Expr) -> tuple[str, Place | None]:
    """An expression as it is typed, and where in which file."""
    span = parsed.spans.get(e)
    if span is None:
        return (text(e, 400) if len(reachable([e])) < 200 else parsed.source.text.strip()), None
    said = parsed.source.text[span.start : span.end]
    if parsed.source.name is None:
        return said, None
    line, column, _ = parsed.source.place(span.start)
    return said, Place(parsed.source.name, line, column)
