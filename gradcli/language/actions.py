"""Semantic actions of the grammar's rules: each makes an Expr or raises GradError.

They check what a context-free grammar cannot: numbers against conditions, the arguments of a call, which names may be
defined. Layer: must not know the parser's tables or its automaton.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from typing import Any, NamedTuple, NoReturn

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, COMPARISONS, CONSTANTS, WORDS, Expr, apply, const, constant, exact, reachable, var
from gradcli.functions import NONLOCAL, SPELLED, Function, reduces
from gradcli.language.tokens import NAME_STARTS, short

LEAVES = frozenset({"number", "name"})
BINARY = frozenset({"add", "sub", "mul", "div", "mod", "power"})
HIGHEST = 1000
"""The largest n in diff(f, x, n) and besselj(n, x)."""

_COMPARES = {spelled: op for op, spelled in COMPARISONS.items()}
NUMBERS = {"inf": float("inf"), "nan": float("nan")}
_DIGITS = 640
"""Significant digits of a number: int() reads as many under every setting of Python's limit on digits."""


class Chain(NamedTuple):
    """A chained comparison such as 0 < x < 1 so far: its condition, and the operand of the next comparison."""

    condition: Expr
    last: Expr
    start: int


class Argument(NamedTuple):
    """An argument of a call and its span."""

    value: Expr
    span: Span


class Meaning:
    """The state of parsing one text.

    ``statements`` are its expressions in order, ``names`` its definitions, ``used`` the defined names that later
    statements use. ``variables``, ``spans`` and ``reductions`` map each variable, node and reduction over all points
    to the span where it first occurs; ``constants`` and ``uncalled`` map the names of constants, and of functions that
    are not called, unless they are ``bound``: names in ``bound`` are variables. ``leaves`` and ``operations`` memoize
    the node of a spelling, and of a binary operation on two nodes.
    """

    def __init__(self, source: Source, bound: Collection[str]) -> None:
        self.source = source
        self.bound = bound
        self.constants: dict[str, Span] = {}
        self.uncalled: dict[str, Span] = {}
        self.statements: list[tuple[str | None, Expr]] = []
        self.names: dict[str, Expr] = {}
        self.used: set[str] = set()
        self.variables: dict[str, Span] = {}
        self.spans: dict[Expr, Span] = {}
        self.reductions: dict[Expr, Span] = {}
        self.leaves: dict[str, Expr] = {}
        self.operations: dict[tuple[str, Expr, Expr], Expr] = {}

    # Leaves and operators.

    def leaf(self, spelled: str, start: int) -> Expr:
        """The node of one number or name."""
        span = Span(start, start + len(spelled))
        if spelled[0] in NAME_STARTS:
            e = self._name(spelled, span)
        else:
            e = const(int(spelled)) if len(spelled) < 16 and spelled.isdigit() else self._number(spelled, span)
        self.leaves[spelled] = e
        self.spans.setdefault(e, span)
        return e

    def _number(self, spelled: str, span: Span) -> Expr:
        mantissa, _, exponent = spelled.lower().partition("e")
        whole, _, part = mantissa.partition(".")
        digits = (whole + part).lstrip("0")
        short = digits.rstrip("0")
        if not short:
            return const(0)
        if len(short) > _DIGITS:
            self._fail(f"a number of {len(short)} digits (the limit is {_DIGITS})", span)
        # An exponent of 9 digits or more is out of range; as an integer it would take quadratic time to read.
        tens = int(exponent or 0) if len(exponent) < 9 else 10**9 * (-1 if exponent[0] == "-" else 1)
        tens += len(digits) - len(short) - len(part)
        size = tens + len(short)
        whole_number, tens = (int(short), tens) if abs(size) < 400 else (1, 400 if size > 0 else -400)
        value = Fraction(whole_number * 10**tens) if tens >= 0 else Fraction(whole_number, 10**-tens)
        try:
            return const(value)
        except GradError as error:
            raise error.at(span, self.source) from None

    def _name(self, spelled: str, span: Span) -> Expr:
        name = spelled.strip("`")
        if name == spelled and name in WORDS and name not in self.bound and name not in self.names:
            if name in CONSTANTS or name in NUMBERS:
                self.constants.setdefault(name, span)
                return constant(name) if name in CONSTANTS else const(NUMBERS[name])
            self.uncalled.setdefault(name, span)
        if name in self.names:
            self.used.add(name)
            return self.names[name]
        self.variables.setdefault(name, span)
        return var(name)

    def binary(self, op: str, a: Expr, b: Expr, starts: list[int], end: int) -> Expr:
        """The node of ``a op b``; the last three of ``starts`` are the offsets of a, the operator and b."""
        if a.op in BOOLEANS or b.op in BOOLEANS:
            self._check_number(a, self._operand_span(starts[-3], starts[-2]))
            self._check_number(b, Span(starts[-1], end))
        try:
            e = apply(op, a, b)
        except GradError as error:
            raise error.at(Span(starts[-3], end), self.source) from None
        self.operations[op, a, b] = e
        if e not in self.spans:
            self.spans[e] = Span(starts[-3], end)
        return e

    def sign(self, values: list[Any], starts: list[int], end: int) -> Expr:
        self._check_number(values[1], Span(starts[1], end))
        return self._make("neg", (values[1],), Span(starts[0], end)) if values[0] == "-" else values[1]

    # Conditions.

    def compare(self, values: list[Any], starts: list[int], end: int) -> Chain:
        a, operator, b = values
        self._check_number(b, Span(starts[2], end))
        if isinstance(a, Chain):
            this = self._make(_COMPARES[operator], (a.last, b), Span(a.start, end))
            return Chain(self._make("and", (a.condition, this), Span(starts[0], end)), b, starts[2])
        self._check_number(a, self._operand_span(starts[0], starts[1]))
        return Chain(self._make(_COMPARES[operator], (a, b), Span(starts[0], end)), b, starts[2])

    def junction(self, values: list[Any], starts: list[int], end: int) -> Expr:
        a, operator, b = values
        self._check_condition(a, self._operand_span(starts[0], starts[1]), f"on the left of '{operator}'")
        self._check_condition(b, Span(starts[2], end), f"on the right of '{operator}'")
        return self._make(operator, (a, b), Span(starts[0], end))

    def negation(self, values: list[Any], starts: list[int], end: int) -> Expr:
        self._check_condition(values[1], Span(starts[1], end), "after 'not'")
        return self._make("not", (values[1],), Span(starts[0], end))

    def conditional(self, values: list[Any], starts: list[int], end: int) -> Expr:
        a, _, condition, _, b = values
        self._check_number(a, self._operand_span(starts[0], starts[1]))
        self._check_condition(condition, self._operand_span(starts[2], starts[3]), "between 'if' and 'else'")
        self._check_number(b, Span(starts[4], end))
        return self._make("where", (condition, a, b), Span(starts[0], end))

    # Calls.

    def first(self, values: list[Any], starts: list[int], end: int) -> list[Argument]:
        return [Argument(values[0], Span(starts[0], end))]

    def further(self, values: list[Any], starts: list[int], end: int) -> list[Argument]:
        arguments: list[Argument] = values[0]
        arguments.append(Argument(values[2], Span(starts[2], end)))
        return arguments

    def call(self, values: list[Any], starts: list[int], end: int) -> Expr:
        name: str = values[0]
        arguments: list[Argument] = values[2] if len(values) == 4 else []
        span, word = Span(starts[0], end), Span(starts[0], starts[0] + len(name))
        if name == "diff":
            return self._diff(arguments, span)
        row = SPELLED.get(name)
        if row is None:
            from gradcli.language.names import unknown_function

            known = name in self.names or name in self.variables
            self._fail(unknown_function(name, self.source.text[starts[1] : end], len(arguments), known), word)
        self._check_count(row, name, len(arguments), span)
        value = None
        if row.parameter and row.made is None:
            order, *arguments = arguments
            value = self._order(order, f"the first argument of {name}")
        for index, argument in enumerate(arguments):
            if row.name in ("where", "instead") and index == 0:
                self._check_condition(*argument, f"as the first argument of {row.name}")
            else:
                self._check_number(*argument)
        e = self._make(row.made or row.name, [argument.value for argument in arguments], span, value)
        if reduces(e) or row.name in NONLOCAL:
            self.reductions.setdefault(e, span)
        return e

    def _check_count(self, row: Function, name: str, count: int, span: Span) -> None:
        least, most = row.arity
        extra = 1 if row.parameter else 0
        least, most = least + extra, None if most is None else most + extra + row.more
        if count < least or (most is not None and count > most):
            expected = f"at least {least}" if most is None else f"{least}" if least == most else f"{least} to {most}"
            word = "argument" if (most or least) == 1 else "arguments"
            hint = f"its form is {row.call(name)}"
            self._fail(f"{name} takes {expected} {word}, {count} given", span, hint)

    def _diff(self, arguments: list[Argument], span: Span) -> Expr:
        if len(arguments) not in (2, 3):
            self._fail(
                f"diff takes 2 or 3 arguments, {len(arguments)} given", span,
                hint="its forms are diff(expression, x), and diff(expression, x, n) for the n-th derivative",
            )  # fmt: skip
        (e, e_span), (x, x_span) = arguments[:2]
        self._check_number(e, e_span)
        if x.op != "var":
            self._fail(f"diff needs a variable as its second argument, not {self._text(x_span)}", x_span)
        n = self._order(arguments[2], "the third argument of diff") if len(arguments) == 3 else 1
        if self.reductions:
            reduction = next((node for node in reachable([e]) if node in self.reductions), None)
            if reduction is not None:
                from gradcli.language.names import all_points

                why = "and diff is the derivative at one"
                self._fail(all_points(reduction, why), e_span, hint="its gradient is what gradcli grad gives")
        return self._make("diff", (e, x), span, n) if n else e

    def _order(self, argument: Argument, role: str) -> int:
        n = exact(argument.value)
        if n is None or n.denominator != 1 or not 0 <= n <= HIGHEST:
            self._fail(f"{role} must be an integer from 0 to {HIGHEST}, not {self._text(argument.span)}", argument.span)
        return int(n)

    # Statements.

    def unnamed(self, values: list[Any], starts: list[int], end: int) -> None:
        self._check_number(values[0], Span(starts[0], end))
        self.statements.append((None, values[0]))

    def named(self, values: list[Any], starts: list[int], end: int) -> None:
        spelled, _, e = values
        name = spelled.strip("`")
        span = Span(starts[0], starts[0] + len(spelled))
        if name == spelled and name in WORDS and name not in self.bound:
            kind = "constant" if name in CONSTANTS or name in NUMBERS else "function"
            self._fail(f"'{name}' is a {kind}: choose another name", span)
        if name in self.names:
            self._fail(f"'{name}' is defined already: choose another name for this one, such as {name}2", span)
        if name in self.variables:
            if self.variables[name].start > starts[0]:
                self._fail(f"'{name}' is defined by itself: choose another name, such as {name}2", self.variables[name])
            self._fail(f"'{name}' is used before it is defined: move its definition up", span)
        self._check_number(e, Span(starts[2], end))
        self.names[name] = e
        self.statements.append((name, e))

    # Checks.

    def _make(self, op: str | Callable[..., Expr], args: Sequence[Expr], span: Span, value: int | None = None) -> Expr:
        try:
            e = op(*args) if callable(op) else apply(op, *args, value=value)
        except GradError as error:
            raise error.at(span, self.source) from None
        self.spans.setdefault(e, span)
        return e

    def _check_number(self, e: Expr, span: Span) -> None:
        if e.op in BOOLEANS:
            self._fail(
                "a comparison is not a number", span,
                hint="a condition stands only in where(condition, a, b), or in: a if condition else b",
            )  # fmt: skip

    def _check_condition(self, e: Expr, span: Span, where: str) -> None:
        if e.op not in BOOLEANS:
            self._fail(f"a number is not a condition, and one is expected {where}", span, hint="compare it: x > 0")

    def _operand_span(self, start: int, end: int) -> Span:
        """The span of an operand, without the white space before the operator at ``end``."""
        return Span(start, start + max(1, len(self.source.text[start:end].rstrip())))

    def _text(self, span: Span) -> str:
        return short(self.source.text[span.start : span.end])

    def _fail(self, message: str, span: Span, hint: str | None = None) -> NoReturn:
        raise GradError(message, hint=hint, span=span, source=self.source)


ACTIONS: dict[str, Callable[[Meaning, list[Any], list[int], int], Any]] = {
    "next": lambda *_: None, "nothing": lambda *_: None, "unnamed": Meaning.unnamed, "named": Meaning.named,
    "conditional": Meaning.conditional, "or": Meaning.junction, "and": Meaning.junction, "not": Meaning.negation,
    "compare": Meaning.compare, "compare_on": Meaning.compare, "compared": lambda _, values, *__: values[0].condition,
    "neg": Meaning.sign, "plus": Meaning.sign, "inside": lambda _, values, *__: values[1],
    "call": Meaning.call, "first": Meaning.first, "further": Meaning.further,
}  # fmt: skip
"""The action of each rule; called with the values of its symbols, the offset of each, and the end of the last."""
