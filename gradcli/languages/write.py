"""The one printer: lowered expressions as lines of a language, every long or shared part under a name of its own.

It knows a language only by its row. Nothing here recurses over the depth of an expression, and no expression that it
writes nests deeper than its row allows. Must not know files, the command line or any single language.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from gradcli.backends import scalar
from gradcli.errors import GradError
from gradcli.expr import BOOLEANS, CONSTANTS, Expr, apply, const, exact, post_order, reachable, rebuild
from gradcli.functions import LOWERED, NONLOCAL, positive, reduces
from gradcli.languages.forms import FORMS
from gradcli.languages.row import Language
from gradcli.program import build

_SHARE = 5
_INLINE = frozenset({"defined", "gt", "ge"})
"""Forms too short to be functions."""


# What a language can say.


def fold(roots: Iterable[Expr]) -> list[Expr]:
    """``roots`` with what depends on no variable as its number.

    Raises GradError for a function of all points at once.
    """
    roots = list(roots)
    new: dict[Expr, Expr] = {}
    for e in reachable(roots):
        if e.op in NONLOCAL or reduces(e):
            raise GradError(f"{e.op} takes all points at once: code for one point cannot say it")
        # A constant is evaluated whole, by the steps that the scalar kernel takes.
        new[e] = _folded(rebuild(e, tuple([_number(new[a]) for a in e.args]))) if e.variables else e
    return [_number(new[r]) for r in roots]


def resolve(roots: Sequence[Expr], language: Language) -> list[Expr]:
    """``roots`` in operations that have a spelling or, where the language has functions, a form.

    Raises GradError for what can be said neither way.
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
            made = _folded(rebuild(e, tuple([done[a] for a in e.args])))
            if made is e and _said(e, language):
                done[e] = e
            else:
                form_of[e] = form(e, language) if made is e else made
                stack.append(form_of[e])
    return [done[r] for r in roots]


def _said(e: Expr, language: Language) -> bool:
    if _bare(e, language):
        return False
    return not e.args or e.op in language.spelled or (_as_function(e.op, language) and e.op not in _INLINE)


def _bare(e: Expr, language: Language) -> bool:
    """Whether the language's own operation will do, though its row has a careful one beside."""
    if f"bare_{e.op}" not in language.spelled or not e.variables:
        return False
    if e.op == "div":
        return _never_zero(e.args[1])
    if e.op == "copysign":
        return exact(e.args[1]) is not None
    if e.op == "where":
        return bool(e.args[1].variables)
    # A nan counts as greater than all else: it spoils only the side that is asked to be greater.
    places = {"lt": (1,), "le": (1,), "gt": (0,), "ge": (0,), "eq": (0, 1)}.get(e.op, ())
    return any(exact(e.args[k]) is not None for k in places)


def _as_function(op: str, language: Language) -> bool:
    return bool(language.helper) and op in FORMS


def form(e: Expr, language: Language) -> Expr:
    """One operation by means of others."""
    if _bare(e, language):
        return apply(f"bare_{e.op}", *e.args)
    build_form = FORMS.get(e.op)
    if build_form is None:
        raise _unsayable(e, language)
    return build_form(*e.args) if e.value is None else build_form(*e.args, e.value)


def _unsayable(e: Expr, language: Language) -> GradError:
    name = e.op.removeprefix("bare_")
    from gradcli.languages import LANGUAGES

    able = [row.name for row in LANGUAGES.values() if e.op in row.spelled or (e.op in FORMS and name != e.op)]
    hint = f"{', '.join(able)} can" if able else None
    return GradError(f"{language.name} cannot say {name.removesuffix('_gauss')}", hint=hint)


def _never_zero(e: Expr) -> bool:
    number = exact(e)
    return float(number) != 0 if number is not None else _at_least_one(e)


def _at_least_one(e: Expr) -> bool:
    number = exact(e)
    if number is not None:
        return number >= 1
    if e.op == "add":
        return any((n := exact(a)) is not None and n >= 1 and positive(b) for a, b in (e.args, e.args[::-1]))
    # As deep as the sum squared under a root, and no deeper: a product of thousands is walked once a factor.
    return e.op in ("constant", "cosh") or (
        e.op in ("mul", "sqrt") and all(a.op in ("add", "const", "constant") and _at_least_one(a) for a in e.args)
    )


def _folded(e: Expr) -> Expr:
    """What depends on no variable as its number; conditions without what is always true."""
    if e.op == "where" and not e.args[0].variables:
        return e.args[1] if _value(e.args[0]) else e.args[2]
    if e.op in ("and", "or"):
        for known, other in (e.args, e.args[::-1]):
            if not known.variables:
                return other if _value(known) == (e.op == "and") else known
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
    """An expression written out: how tightly it binds, how deep it nests and which names it reads."""

    text: str
    binds: int
    depth: int
    reads: frozenset[str]


class Line(NamedTuple):
    """``name = text``; ``truth`` where it is a truth value."""

    name: str
    text: str
    truth: bool
    reads: frozenset[str]


_HOLE = re.compile(r"\{(\d|n)(?::(\d))?\}")


def _truth(e: Expr) -> bool:
    return e.op.removeprefix("bare_") in BOOLEANS


@lru_cache(maxsize=1000)
def _holes(template: str) -> list[tuple[str, str, int]]:
    """The text before each hole, the argument it holds and how tightly that must bind; the rest at last."""
    parts, at = [], 0
    for match in _HOLE.finditer(template):
        parts.append((template[at : match.start()], match[1], int(match[2] or 0)))
        at = match.end()
    return [*parts, (template[at:], "", 0)]


def number(e: Expr, language: Language) -> tuple[str, int]:
    """A constant as the shortest text that reads back to its double, and how tightly it binds."""
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
    """The temporaries that ``roots`` need, in order, and the roots in terms of them.

    ``names`` are the identifiers of the variables; ``call`` has the function's name for each operation without a
    spelling.
    """
    made: list[Line] = []
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
        made.append(Line(f"t{count}", text[e].text, _truth(e), text[e].reads))
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
            places = [place for _, place, _ in holes]
            for k, a in enumerate(e.args):
                if places.count(str(k)) > 1 and len(text[a].text) > language.width // 4:
                    name_it(a)
            parts: list[str] = []
            for before, place, least in holes:
                parts.append(before)
                if place == "n":
                    parts.append(str(e.value))
                elif place:
                    inner = text[e.args[int(place)]]
                    # Two signs in a row are an error or a comment somewhere.
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
    return made, [text[r] for r in roots]
