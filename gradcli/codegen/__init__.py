"""`code`, the source code of a value and its derivatives in another language.

`LANGUAGES` is the table, one row per language. `printer` writes expressions, `fallbacks` replaces the operations that
a language lacks by others.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from functools import reduce
from operator import or_

from gradcli.codegen import languages_compiled, languages_query, languages_scripting
from gradcli.codegen.fallbacks import FORMS
from gradcli.codegen.identifiers import comment, identifiers
from gradcli.codegen.language import Language, fill
from gradcli.codegen.printer import Line, Unsupported, fold, form, lines, resolve
from gradcli.codegen.sql import staged_query
from gradcli.compute.program import lower
from gradcli.errors import GradError
from gradcli.expr import Expr, apply, post_order, reachable, text, var
from gradcli.functions import LOWERED, TABLE

LANGUAGES: dict[str, Language] = {
    row.name: row for row in (*languages_scripting.ROWS, *languages_compiled.ROWS, *languages_query.ROWS)
}

SUFFIXES = {suffix: row.name for row in LANGUAGES.values() for suffix in row.suffixes}
"""The language of a file, by its suffix."""
_LONG = 60
"""The most operations of an expression that the comment quotes."""


def code(
    language: str, named: Sequence[tuple[str, Expr]], variables: Sequence[str], *, all_columns: bool = False
) -> str:
    """A complete source text: a function of ``variables``, in this order, that returns every expression of ``named``.

    ``all_columns``: a query or filter carries all columns or keys of its input through, in front of the results.
    Raises GradError for an unknown language, or one that cannot express one of the functions.
    """
    row = LANGUAGES.get(language)
    if row is None:
        raise GradError(f"there is no language '{language}'", hint=f"there are {', '.join(LANGUAGES)}")
    if all_columns and not row.carry:
        able = ", ".join(row.name for row in LANGUAGES.values() if row.carry)
        raise GradError(f"--all-columns is for {able}, not for {language}")
    try:
        return _code(row, named, variables, all_columns)
    except Unsupported as e:
        raise _refused(e.args[0], language, [e for _, e in named]) from None


def _refused(op: str, language: str, roots: Sequence[Expr]) -> GradError:
    """The error for an operation that ``language`` lacks: it names the function of ``roots`` that is made of it.

    The hint names the languages that have the operation.
    """
    name = op.removeprefix("bare_")
    able = [row.name for row in LANGUAGES.values() if op in row.spelled or (op in FORMS and name != op)]
    rows = ((e, TABLE[e.op]) for e in reachable(roots) if op not in LOWERED and e.op in TABLE)
    public = ((e, row.word.partition(" ")[0] or e.op) for e, row in rows if row.word or not row.internal)
    made_of_it = (word for e, word in public if op in _parts([e], LANGUAGES[language]))
    name = next(made_of_it, name.removesuffix("_gauss"))
    return GradError(f"{language} cannot say {name}", hint=f"{', '.join(able)} can" if able else None)


def _parts(roots: Sequence[Expr], row: Language) -> set[str]:
    """The operations that expressions are lowered to, and those in the forms of what the language lacks."""
    seen: set[str] = set()
    rest = lower(roots)
    while rest:
        new = {e.op: e for e in reachable(rest) if e.op not in seen}
        seen.update(new)
        rest = [form(e, row) for e in new.values() if e.args and e.op in FORMS and e.op not in row.spelled]
    return seen


def _code(row: Language, named: Sequence[tuple[str, Expr]], variables: Sequence[str], all_columns: bool) -> str:
    lowered = lower(fold(e for _, e in named))
    roots = resolve(lowered, row)
    functions = _Functions(row)
    functions.need(roots)
    reserved = row.words() | set(functions.names.values())
    names = {v: row.quote(v) for v in variables} if row.quoted else identifiers(variables, reserved, row.folds)
    if row.quoted and row.folds and len({v.lower() for v in variables}) < len(variables):
        raise GradError(f"{row.name} has no columns that differ by the case of letters alone", hint="rename a variable")
    misread = [v for v in variables if row.quoted and v.lower() in row.keywords.split()]
    if misread:
        raise GradError(f"{row.name} cannot read a column '{misread[0]}'", hint="rename the variable")
    temporaries, values = lines(roots, row, names, {*variables, *names.values(), *reserved}, functions.calls(roots))
    operations = {"", *[e.op for e in reachable(lowered)]}
    caveats = dict.fromkeys(sentence for op, sentence in row.caveats.items() if op in operations)
    notes = comment(row.comment, [*_notes(named, names, row), *caveats])
    results = [(row.quote(name), value) for (name, _), value in zip(named, values, strict=True)]
    if row.quoted:
        return staged_query(row, notes, temporaries, results, list(names.values()), all_columns)
    everything = reduce(or_, [var(v).variables for v in variables], 0)
    partial = [bool(row.spread) and root.variables != everything for root in roots]
    shown = row.between.join(
        fill(
            row.result,
            value=fill(row.spread, value=value.text) if part else value.text,
            name=name, index=str(k), place=str(k + 1),
        )
        for k, ((name, value), part) in enumerate(zip(results, partial, strict=True))
    )  # fmt: skip
    count = str(len(results))
    extra = [fill(row.extra, count=count)] if row.extra else []
    body = _body(row, names, temporaries)
    if any(partial):
        shapes = ", ".join(fill(row.shape_of, name=name) for name in names.values())
        body["read"] += fill(row.shape, shapes=shapes)
    parts = {
        "helpers": "".join(functions.texts), **body, "results": shown, "count": count,
        "comma": "," if count == "1" else "", "parameters": ", ".join([*_parameters(row, names), *extra]),
        "carried": row.carry if all_columns else "",
    }  # fmt: skip
    prelude = _prelude(row, " ".join(parts.values()))
    whole = fill(row.frame, comment=notes, prelude=prelude, **parts)
    return _wrapped(whole, row.wrap) if row.wrap else whole


def _parameters(row: Language, names: dict[str, str]) -> list[str]:
    return [row.parameter.replace("{0}", name) for name in names.values()]


def _body(row: Language, names: dict[str, str], temporaries: Sequence[Line]) -> dict[str, str]:
    """The parts of a function's frame before its results: what reads variables, declares and assigns temporaries."""
    body = "".join(
        fill((line.truth and row.assign_truth) or row.assign, name=line.name, value=line.text) for line in temporaries
    )
    return {
        "body": body,
        "inner": textwrap.indent(body, "    "),
        "read": "".join(
            fill(row.read, key=row.quote(key), name=name, place=str(place))
            for place, (key, name) in enumerate(names.items(), 1)
        ),
        "declared": "".join(
            fill((line.truth and row.declare_truth) or row.declare, name=line.name) for line in temporaries
        ),
    }


class _Functions:
    """The helper functions of the text, one for each fallback form that is used, callees before callers.

    ``names`` are their names by operation and parameter, ``texts`` their source.
    """

    def __init__(self, row: Language) -> None:
        self.row = row
        self.names: dict[tuple[str, object], str] = {}
        self.texts: list[str] = []

    def need(self, roots: Sequence[Expr]) -> None:
        """Define the helper of every operation in ``roots`` that the language has no spelling for."""
        for e in post_order(roots):
            if e.args and e.op not in self.row.spelled and (e.op, e.value) not in self.names:
                self.define(e)

    def define(self, e: Expr) -> None:
        name = e.op.replace("bare_", "plain_") + ("" if e.value is None else str(e.value))
        row, free = self.row, [var(letter) for letter in "xyz"[: len(e.args)]]
        self.names[e.op, e.value] = f"{name}_" if name in row.words() else name
        example = apply(e.op, *free, value=e.value if isinstance(e.value, int) else None)
        body = resolve([form(example, row)], row)
        self.need(body)
        letters = {str(v.value): str(v.value) for v in free}
        temporaries, values = lines(body, row, letters, {*letters, *row.words()}, self.calls(body))
        self.texts.append(
            fill(
                row.helper,
                function=self.names[e.op, e.value],
                parameters=row.separator.join(_parameters(row, letters)),
                value=values[0].text,
                **_body(row, letters, temporaries),
            )
        )

    def calls(self, roots: Sequence[Expr]) -> dict[Expr, str]:
        """The template of a call for each node of ``roots`` that a helper computes."""
        return {
            e: f"{self.names[e.op, e.value]}({self.row.separator.join(f'{{{k}}}' for k in range(len(e.args)))})"
            for e in reachable(roots)
            if (e.op, e.value) in self.names
        }


def _prelude(row: Language, whole: str) -> str:
    """The texts that precede the function: those of the words in ``whole``, and of the words in these texts."""
    seen: set[str] = set()
    order: list[str] = []

    def visit(source: str) -> None:
        for word in re.findall(r"\w+", source):
            if word in row.prelude and word not in seen:
                seen.add(word)
                visit(row.prelude[word])
                order.append(row.prelude[word])

    visit(whole)
    return "".join(sorted(order, key=lambda part: not part.startswith(("using", "from"))))


def _notes(named: Sequence[tuple[str, Expr]], names: dict[str, str], row: Language) -> Iterator[str]:
    # Two fixed lines without the user's text: some readers take instructions there (Python: the encoding, PEP 263).
    yield f"gradcli: {row.doc}."
    yield "Expressions as gradcli reads them, with escapes for what is not ASCII:"
    outputs: list[str] = []
    for name, e in named:
        # Derivatives follow their output and contain its name: only outputs are quoted.
        if not any(re.match(rf"d\d*{re.escape(output)}_d", name) for output in outputs):
            outputs.append(name)
            if _size(e) <= _LONG:
                yield f"{name} = {text(e)}"
    yield f"Gives {', '.join(name for name, _ in named)}, in this order."
    for name, identifier in names.items():
        if identifier != name and not row.quoted:
            yield f"{identifier} is `{name}`"


def _size(e: Expr) -> int:
    """The number of operations of an expression with shared nodes written out."""
    sizes: dict[Expr, int] = {}
    for node in reachable([e]):
        sizes[node] = 1 + sum(sizes[a] for a in node.args)
    return sizes[e]


def _wrapped(whole: str, mark: str) -> str:
    """Lines over 110 characters cut after a blank, comma, bracket or product, with the continuation ``mark``."""
    lines: list[str] = []
    for line in whole.split("\n"):
        rest = line
        while len(rest) > 110 and not rest.startswith("!"):
            cut = max(rest.rfind(sign, 20, 108) for sign in " ,(*") + 1
            lines.append(rest[:cut] + mark)
            rest = "      " + rest[cut:].lstrip()
        lines.append(rest)
    return "\n".join(lines)
