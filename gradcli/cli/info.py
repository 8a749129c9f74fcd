"""The commands about gradcli itself: functions, version and help."""

from __future__ import annotations

import json
from typing import Any

import click

from gradcli import __version__
from gradcli.cli import options
from gradcli.cli.options import CommandLine
from gradcli.cli.output import emit
from gradcli.errors import GradError, meant

_LIBRARIES = ("click", "lark", "numpy", "orjson", "llvmlite", "scipy", "pyarrow", "zstandard")


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
        emit(json.dumps(fields) + "\n")
    else:
        emit("".join(f"{name} {v or '(not installed)'}\n" for name, v in versions.items()))


@options.command(
    "functions",
    examples=("gradcli functions", "gradcli functions erf", "gradcli functions arcsin"),
    help="All functions, or one with its domain, derivatives and conventions.",
    params=[click.Argument(["name"], required=False)],
)
def functions(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.functions import SPELLED, TABLE

    name = line.name
    if name is None:
        rows = [row for row in TABLE.values() if not row.internal and row.name in SPELLED]
        calls = [row.call(row.name) for row in rows]
        width = max(map(len, calls))
        emit("".join(f"{call.ljust(width)}  {row.doc}\n" for call, row in zip(calls, rows, strict=True)))
        return
    row = SPELLED.get(name)
    if row is None:
        hint = meant(name, [s for s, r in SPELLED.items() if not r.internal], "there are")
        raise GradError(f"unknown function '{name}'", hint=hint)
    lines = [f"{row.call(row.name)}  {row.doc}", f"domain: {row.domain}"]
    others = [word for word in row.synonyms if word != row.name]
    if others:
        lines.append(f"also written: {', '.join(others)}")
    lines += _slopes(row)
    if row.notes:
        lines.append(row.notes)
    if row.needs:
        lines.append(f"needs: {row.needs}")
    emit("\n".join(lines) + "\n")


def _slopes(row: Any) -> list[str]:
    """One line per argument with the derivative in it; an integer parameter n is shown for n = 1."""
    from gradcli.calculus.derive import derive
    from gradcli.expr import apply, text, var
    from gradcli.functions import NONLOCAL

    if row.name == "where" or row.arity[1] is None or row.reduces or row.name in NONLOCAL:
        return []
    names = row.arguments
    e = apply(row.name, *map(var, names), value=1 if row.parameter else None)
    example = "  (for n = 1)" if row.parameter else ""
    lines = []
    for name in names:
        if name in row.unknown:
            lines.append(f"d{row.name}_d{name} has no closed form")
        else:
            lines += [f"{n} = {text(d)}{example}" for n, d in derive([(row.name, e)], [name], 1)[1:]]
    return lines


@options.command(
    "help",
    examples=("gradcli help", "gradcli help diff", "gradcli help language --full"),
    help="Help on a command or a topic.",
    params=[click.Argument(["topic"], required=False), *options.named("full")],
)
def help_(ctx: click.Context, line: CommandLine) -> None:
    from gradcli.cli import COMMANDS, group
    from gradcli.cli.topics import SYNONYMS, page_text, topics

    topic = line.topic
    outer = click.Context(group(), info_name="gradcli")
    pages = topics()
    if topic is None:
        names = {page: [page, *(s for s, of in SYNONYMS.items() if of == page)] for page in pages}
        spelled = {page: ", ".join(words) for page, words in names.items()}
        width = max(map(len, spelled.values()))
        lines = [f"  {spelled[page].ljust(width)}  {title}" for page, title in pages.items()]
        heading = "Topics (gradcli help TOPIC; with --full all that there is):"
        emit(f"{outer.get_help()}\n\n{heading}\n" + "\n".join(lines) + "\n")
    elif topic in COMMANDS and not (line.full and topic in pages):
        command = group().get_command(outer, topic)
        assert command is not None
        emit(click.Context(command, info_name=topic, parent=outer).get_help() + "\n")
    elif topic in pages or topic in SYNONYMS:
        emit(page_text(topic, full=line.full))
    else:
        known = [*pages, *SYNONYMS, *COMMANDS]
        raise GradError(f"no help on '{topic}'", hint=meant(topic, known, "there is help on"))
