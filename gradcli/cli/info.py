"""The commands about gradcli itself: functions, version and help."""

from __future__ import annotations

import json
import sys
from itertools import groupby
from typing import TYPE_CHECKING

import click

from gradcli import __version__
from gradcli.cli import options
from gradcli.cli.options import CommandLine
from gradcli.cli.output import emit
from gradcli.cli.stderr import text_width
from gradcli.errors import GradError, meant

if TYPE_CHECKING:
    from gradcli.functions import Function

_LIBRARIES = ("click", "lark", "numpy", "orjson", "python-flint", "llvmlite", "scipy", "pyarrow", "zstandard")


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


@options.command(
    "version",
    examples=("gradcli version", "gradcli version --json"),
    help="Versions of gradcli, Python and the libraries.",
    params=[click.Option(["--json"], is_flag=True, help="As one JSON object, with engines and formats.")],
)
def version(ctx: click.Context, line: CommandLine) -> None:
    import platform

    from gradcli.formats import FORMATS
    from gradcli.job import ENGINES

    versions = {"gradcli": __version__, "python": platform.python_version()}
    versions |= {name: _version(name) or "" for name in _LIBRARIES}
    if line.json:
        fields: dict[str, object] = {name: v or None for name, v in versions.items()}
        fields |= {"engines": list(ENGINES[1:]), "formats": list(FORMATS)}
        emit(json.dumps(fields) + "\n", fit=False)
    else:
        emit("".join(f"{name} {v or '(not installed)'}\n" for name, v in versions.items()))


_GROUPS = {
    "Arithmetic and choice": "power", "Roots": "sqrt", "Exponentials and logarithms": "exp", "Trigonometric": "sin",
    "Hyperbolic": "sinh", "Soft steps": "sigmoid", "Absolute value, steps, remainders": "abs", "Special": "sinc",
    "Bessel": "besselj", "Over all points": "sum",
}  # fmt: skip
"""The groups of functions, each with its first one in the order of the table."""


@options.command(
    "functions",
    examples=("gradcli functions", "gradcli functions erf arcsin", "gradcli functions bessel --json"),
    help="All functions; or those named, or found by a word, with domains, derivatives and conventions.",
    params=[
        options.argument("name", nargs=-1),
        *options.named("json"),
    ],
)
def functions(ctx: click.Context, line: CommandLine) -> None:
    rows = list(dict.fromkeys(row for name in line.name for row in _found(name))) if line.name else list(_public())
    groups = _public()
    if line.json:
        entries = [_fields(row, groups[row]) for row in rows]
        emit(json.dumps({"schema": "gradcli-functions/1", "functions": entries}) + "\n", fit=False)
    elif line.name:
        emit("\n".join(map(_entry, rows)))
    else:
        width = max(len(row.call(row.name)) for row in rows)
        for group, members in groupby(rows, groups.__getitem__):
            lines = [f"{row.call(row.name).ljust(width)}  {row.doc}{_where(row)}\n" for row in members]
            emit(f"{'' if group == groups[rows[0]] else chr(10)}{group}\n{''.join(lines)}")


def _public() -> dict[Function, str]:
    """The functions that can be called, each with its group."""
    from gradcli.functions import SPELLED, TABLE

    first = {name: group for group, name in _GROUPS.items()}
    groups, group = {}, ""
    for row in TABLE.values():
        group = first.get(row.name, group)
        if not row.internal and row.name in SPELLED:
            groups[row] = group
    return groups


def _found(word: str) -> list[Function]:
    """The function of that name, or all with the word in a name, else in the description or the group.

    Raises GradError, with what is meant, if there is none.
    """
    from gradcli.functions import SPELLED
    from gradcli.language.foreign.meaning import instead

    groups = _public()
    word = word.partition("(")[0].rstrip() or word  # sin(x) is sin
    if (row := SPELLED.get(word)) in groups:
        return [row]
    hint, low = instead(word), word.lower()
    named = [row for row in groups if low and any(low in name.lower() for name in (row.name, *row.synonyms))]
    rows = named or [row for row, group in groups.items() if low and low in f"{row.doc} {group}".lower()]
    if hint or not rows:
        known = [name for name, row in SPELLED.items() if not row.internal]
        raise GradError(f"unknown function '{word}'", hint=hint or meant(word, known, "there are"))
    return rows


def _where(row: Function) -> str:
    return "" if row.domain == "all x" else f"; {row.domain}"


def _entry(row: Function) -> str:
    """All about one function."""
    lines = [f"{row.call(row.name)}  {row.doc}", f"domain: {row.domain}"]
    others = [word for word in row.synonyms if word != row.name]
    if others:
        lines.append(f"also written: {', '.join(others)}")
    example = "  (for n = 1)" if row.parameter else ""
    lines += [f"d{row.name}_d{x} = {slope}{example}" for x, slope in _slopes(row).items()]
    if row.notes:
        lines.append(row.notes)
    if row.needs:
        lines.append(f"needs: {row.needs}")
    return "\n".join(lines) + "\n"


def _fields(row: Function, group: str) -> dict[str, object]:
    return {
        "name": row.name, "call": row.call(row.name), "doc": row.doc, "group": group, "domain": row.domain,
        "slopes": _slopes(row), "synonyms": [word for word in row.synonyms if word != row.name],
        "notes": row.notes or None, "needs": row.needs,
    }  # fmt: skip


def _slopes(row: Function) -> dict[str, str]:
    """The derivative in each argument; an integer parameter n is 1."""
    from gradcli.calculus.derive import derive
    from gradcli.expr import apply, text, var
    from gradcli.functions import NONLOCAL

    if row.name == "where" or row.arity[1] is None or row.reduces or row.name in NONLOCAL:
        return {}
    names = row.arguments
    e = apply(row.name, *map(var, names), value=1 if row.parameter else None)
    return {x: "no closed form" if x in row.unknown else text(derive([(row.name, e)], [x], 1)[1][1]) for x in names}


@options.command(
    "help",
    examples=("gradcli help", "gradcli help diff sin", "gradcli help language --full"),
    help="Help on commands, topics and functions, or on what a word is found in.",
    params=[options.argument("topic", nargs=-1), *options.named("full")],
)
def help_(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.cli import group
    from gradcli.cli.topics import SYNONYMS, topics

    if line.topic:
        emit("\n".join([_help(topic, line.full) for topic in line.topic]))
        return
    pages = topics()
    names = {page: [page, *(s for s, of in SYNONYMS.items() if of == page)] for page in pages}
    heading = "Topics (gradcli help TOPIC; with --full all that there is):"
    listed = _titles({", ".join(words): pages[page] for page, words in names.items()})
    emit(f"{click.Context(group(), info_name='gradcli').get_help()}\n\n{heading}\n{listed}")


def _titles(titles: dict[str, str]) -> str:
    width = max(map(len, titles))
    return "".join(f"  {name.ljust(width)}  {title}\n" for name, title in titles.items())


def _help(topic: str, full: bool) -> str:
    """The help on a command, a topic, a function, or the pages with a word in a heading.

    Raises GradError, with what is meant, if there is none.
    """
    from gradcli.cli import COMMANDS, group, takers_of
    from gradcli.cli.topics import SYNONYMS, TASKS, found, page_text, topics
    from gradcli.functions import SPELLED

    pages = topics()
    outer = click.Context(group(), info_name="gradcli")
    if topic in COMMANDS and not (full and topic in pages):
        command = group().get_command(outer, topic)
        assert command is not None
        return click.Context(command, info_name=topic, parent=outer).get_help() + "\n"
    if topic in pages or topic in SYNONYMS:
        return page_text(topic, full=full, width=text_width(sys.stdout))
    if topic in SPELLED and SPELLED[topic] in _public():
        return _entry(SPELLED[topic])
    if topic in TASKS:
        raise GradError(f"no help on '{topic}'", hint=TASKS[topic])
    if titles := found(topic):
        return _titles(titles)
    if takers := takers_of(topic):
        hint = f"that is an option: gradcli {takers[0]} --help, or all of them: gradcli help options --full"
        raise GradError(f"no help on '{topic}'", hint=hint)
    known = [*pages, *SYNONYMS, *COMMANDS]
    raise GradError(f"no help on '{topic}'", hint=meant(topic, known, "there is help on"))
