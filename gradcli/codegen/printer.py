"""The printer of all languages: lowered expressions as lines of code, with temporaries for long or shared parts.

No function recurses over the depth of an expression, and no written expression nests deeper than `Language.depth`.
Layer: must not know files, the command line or any particular language, which it knows by its row alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gradcli.codegen.fallbacks import FORMS
from gradcli.codegen.language import Language
from gradcli.compute.backends import scalar
from gradcli.compute.program import build
from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, CONSTANTS, Expr, apply, const, exact, post_order, reachable, rebuild
from gradcli.functions import LOWERED, NONLOCAL, positive, reduces

_SHARE = 5
"""Characters above which a shared expression gets a name."""
_INLINE = frozenset({"defined", "gt", "ge"})
"""Forms that are written out instead of called: they are shorter than a call."""


# Operations that a language has.


class Unsupported(Exception):
    """The language has neither a spelling nor a form for the operation named by the argument."""


def fold(roots: Iterable[Expr]) -> list[Expr]:
    """``roots`` with every node that depends on no variable folded to its number.

    Raises GradError for a reduction over all points.
    """
    roots = list(roots)
    new: dict[Expr, Expr] = {}
    for e in reachable(roots):
        if e.op in NONLOCAL or reduces(e):
            raise GradError(f"{e.op} takes all points at once: code for one point cannot say it")
        # A constant subexpression is evaluated by the scalar kernel as a whole, so that it rounds as there.
        new[e] = _folded(rebuild(e, tuple([_number(new[a]) for a in e.args]))) if e.variables else e
    return [_number(new[r]) for r in roots]


def resolve(roots: Sequence[Expr], language: Language) -> list[Expr]:
    """``roots`` in operations that the language can spell or, if it has functions, call as a helper.

    Raises Unsupported for an operation without spelling and form.
    """
    done: dict[Expr, Expr] = {}
    form_of: dict[Expr, Expr] = {}
    stack = list(roots)
    while stack:
        e = stack[-1]
        if e in done:
            stack.pop()
        elif e in form_of and form_of[e] in done:
            done[e] = done[form_of[e]]
        elif missing := [a for a in e.args if a not in done]:
            stack += missing
        else:
            simpler = _folded(rebuild(e, tuple([done[a] for a in e.args])))
            if simpler is e and _supported(e, language):
                done[e] = e
            else:
                form_of[e] = form(e, language) if simpler is e else simpler
                stack.append(form_of[e])
    return [done[r] for r in roots]


def _supported(e: Expr, language: Language) -> bool:
    """Whether a node is written as it is: as a leaf, by its spelling or by a call of its helper."""
    if _bare(e, language):
        return False
    called = bool(language.helper) and e.op in FORMS and e.op not in _INLINE
    return not e.args or e.op in language.spelled or called


def _bare(e: Expr, language: Language) -> bool:
    """Whether the language's own operation, without the guards of its row, is right for these arguments."""
    if f"bare_{e.op}" not in language.spelled or not e.variables:
        return False
    if e.op == "div":
        return _never_zero(e.args[1])
    if e.op == "copysign":
        return exact(e.args[1]) is not None
    if e.op == "where":
        return bool(e.args[1].variables)
    # Where nan compares as the greatest value, only a nan on the greater side gives a wrong "true".
    greater = {"lt": (1,), "le": (1,), "gt": (0,), "ge": (0,), "eq": (0, 1)}.get(e.op, ())
    return any(exact(e.args[k]) is not None for k in greater)


def form(e: Expr, language: Language) -> Expr:
    """The fallback form of an operation, in other operations. Raises Unsupported if it has none."""
    if _bare(e, language):
        return apply(f"bare_{e.op}", *e.args)
    build_form = FORMS.get(e.op)
    if build_form is None:
        raise Unsupported(e.op)
    return build_form(*e.args) if e.value is None else build_form(*e.args, e.value)


def _never_zero(e: Expr) -> bool:
    number = exact(e)
    return float(number) != 0 if number is not None else _at_least_one(e)


def _at_least_one(e: Expr) -> bool:
    number = exact(e)
    if number is not None:
        return number >= 1
    if e.op == "add":
        return any((n := exact(a)) is not None and n >= 1 and positive(b) for a, b in (e.args, e.args[::-1]))
    # At most as deep as sqrt((1 + x)*(1 + y)): without a bound, a chain of n factors would take n**2 steps.
    return e.op in ("constant", "cosh") or (
        e.op in ("mul", "sqrt") and all(a.op in ("add", "const", "constant") and _at_least_one(a) for a in e.args)
    )


def _folded(e: Expr) -> Expr:
    """A node folded: constants to numbers, choices with a constant condition, `and` and `or` with a constant side.

    The sign of a constant is given by what copies it: -0.0 is 0.0 in some languages.
    """
    if e.op == "where" and not e.args[0].variables:
        return e.args[1] if _value(e.args[0]) else e.args[2]
    if e.op in ("and", "or"):
        for known, other in (e.args, e.args[::-1]):
            if not known.variables:
                return other if _value(known) == (e.op == "and") else known
    if e.op.removeprefix("bare_") == "copysign" and not e.args[1].variables and e.variables:
        size, sign = apply("abs", e.args[0]), float(_value(e.args[1]))
        return e if math.isnan(sign) else size if math.copysign(1, sign) > 0 else -size
    return _number(e)


def _number(e: Expr) -> Expr:
    if e.variables or not e.args or _truth(e) or e.op in LOWERED:
        return e
    if e.op.startswith("bare_"):
        e = apply(e.op.removeprefix("bare_"), *e.args, value=e.value if isinstance(e.value, int) else None)
    return const(float(_value(e))) if e.args else e


def _value(e: Expr) -> float | bool:
    return scalar.function(build([e], []), [])()


# Text.


class Text(NamedTuple):
    """The text of an expression, how tightly it binds, how deep it nests, and the names it reads."""

    text: str
    binds: int
    depth: int
    reads: frozenset[str]


class Line(NamedTuple):
    """The assignment of a temporary, ``name = text``; ``truth``: it is a truth value."""

    name: str
    text: str
    truth: bool
    reads: frozenset[str]


_HOLE = re.compile(r"\{(\d|n)(?::(\d))?\}")


def _truth(e: Expr) -> bool:
    return e.op.removeprefix("bare_") in BOOLEANS


@lru_cache(maxsize=1000)
def _holes(template: str) -> list[tuple[str, str, int]]:
    """For each placeholder of a template: the text before it, its argument and how tightly that must bind.

    The last entry has the text after the last placeholder and an empty argument.
    """
    parts, at = [], 0
    for match in _HOLE.finditer(template):
        parts.append((template[at : match.start()], match[1], int(match[2] or 0)))
        at = match.end()
    return [*parts, (template[at:], "", 0)]


def number(e: Expr, language: Language) -> tuple[str, int]:
    """The shortest text that reads back to the double of a constant, and how tightly it binds."""
    spelled = language.spelled
    value = CONSTANTS[str(e.value)] if e.op == "constant" else e.value
    if e.op == "constant" and e.value in spelled:
        return _form(spelled[str(e.value)])
    assert isinstance(value, Fraction | float)
    value = float(value)
    if math.isnan(value):
        return _form(spelled["nan"])
    if value == 0 and math.copysign(1, value) < 0 and "-0" in spelled:
        return _form(spelled["-0"])
    size = abs(value)
    if math.isinf(size):
        word, binds = _form(spelled["inf"])
    else:
        whole = language.whole and (size or math.copysign(1, value) > 0)
        plain = repr(size).removesuffix(".0") if whole else repr(size)
        word, binds = language.literal.replace("{0}", plain), 9
    return (f"-{word}", min(binds, language.minus)) if math.copysign(1, value) < 0 else (word, binds)


def _form(spelled: str | tuple[str, int]) -> tuple[str, int]:
    return (spelled, 9) if isinstance(spelled, str) else spelled


def lines(
    roots: Sequence[Expr], language: Language, names: Mapping[str, str], taken: Iterable[str], call: Mapping[Expr, str]
) -> tuple[list[Line], list[Text]]:
    """The temporaries that ``roots`` need, in order, and the texts of the roots.

    ``names`` are the identifiers of the variables, ``taken`` names that no temporary may have; ``call`` has a template
    for each node that a helper computes.
    """
    temporaries: list[Line] = []
    text: dict[Expr, Text] = {}
    used = {name.lower() for name in taken}
    nodes = post_order(roots)
    uses: dict[Expr, int] = {}
    for e in (*roots, *[a for node in nodes for a in node.args]):
        uses[e] = uses.get(e, 0) + 1
    ends = set(roots)
    count = 0

    def name_it(e: Expr) -> None:
        nonlocal count
        count += 1
        while f"t{count}" in used:
            count += 1
        temporaries.append(Line(f"t{count}", text[e].text, _truth(e), text[e].reads))
        text[e] = Text(language.reads.replace("{0}", f"t{count}"), 9, 0, frozenset([f"t{count}"]))

    for e in nodes:
        if e.op == "var":
            name = names[str(e.value)]
            text[e] = Text(language.reads.replace("{0}", name), 9, 0, frozenset([name]))
        elif not e.args:
            text[e] = Text(*number(e, language), 0, frozenset())
        else:
            template, binds = _form(language.spelled[e.op]) if e.op in language.spelled else (call[e], 9)
            holes = _holes(template)
            arguments = [argument for _, argument, _ in holes]
            for k, a in enumerate(e.args):
                if arguments.count(str(k)) > 1 and len(text[a].text) > language.width // 4:
                    name_it(a)
            parts: list[str] = []
            for before, argument, least in holes:
                parts.append(before)
                if argument == "n":
                    parts.append(str(e.value))
                elif argument:
                    inner = text[e.args[int(argument)]]
                    # `--` starts a comment in SQL and is an operator in C.
                    bare = inner.binds >= least and not (before.endswith("-") and inner.text.startswith("-"))
                    parts.append(inner.text if bare else f"({inner.text})")
            inside = [text[a] for a in e.args]
            text[e] = Text(
                "".join(parts), binds, 1 + max(t.depth for t in inside), frozenset().union(*[t.reads for t in inside])
            )
            size = len(text[e].text)
            shared = uses[e] > 1 and size > _SHARE and not _truth(e)
            once = uses[e] == 1 and e in ends
            if shared or (size > language.width and not once) or text[e].depth >= language.depth:
                name_it(e)
    return temporaries, [text[r] for r in roots]
