"""The commands that tell about gradcli itself: functions, version and help."""

from __future__ import annotations

import json
from typing import Any

import click

from gradcli import __version__
from gradcli.cli import options
from gradcli.cli.door import emit
from gradcli.errors import GradError

_LIBRARIES = ("click", "lark", "numpy", "orjson", "llvmlite", "scipy", "pyarrow", "zstandard")


def _version(name: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _tell_version(**given: Any) -> None:
    import platform

    from gradcli.formats import FORMATS
    from gradcli.job import ENGINES

    versions = {"gradcli": __version__, "python": platform.python_version()}
    versions |= {name: _version(name) or "" for name in _LIBRARIES}
    if given["json"]:
        found: dict[str, object] = {name: v or None for name, v in versions.items()}
        found |= {"engines": list(ENGINES[1:]), "formats": list(FORMATS)}
        emit(json.dumps(found) + "\n")
    else:
        emit("".join(f"{name} {v or '(not installed)'}\n" for name, v in versions.items()))


def _tell_functions(**given: Any) -> None:
    from gradcli.functions import SPELLED, TABLE

    name = given["name"]
    if name is None:
        rows = [row for row in TABLE.values() if not row.internal and row.name in SPELLED]
        calls = [_call(row) for row in rows]
        width = max(map(len, calls))
        emit("".join(f"{call.ljust(width)}  {row.doc}\n" for call, row in zip(calls, rows, strict=True)))
        return
    row = SPELLED.get(name)
    if row is None:
        from difflib import get_close_matches

        close = get_close_matches(name, [s for s, r in SPELLED.items() if not r.internal], 1)
        hint = f"did you mean '{close[0]}'?" if close else "see: gradcli functions"
        raise GradError(f"unknown function '{name}'", hint=hint)
    lines = [f"{_call(row)}  {row.doc}", f"domain: {row.domain}"]
    others = [word for word in row.synonyms if word != row.name]
    if others:
        lines.append(f"also written: {', '.join(others)}")
    lines += _slopes(row)
    if row.notes:
        lines.append(row.notes)
    if row.needs:
        lines.append(f"needs: {row.needs}")
    emit("\n".join(lines) + "\n")


def _call(row: Any) -> str:
    names = [*(["n"] if row.parameter else []), *row.arguments, *(["..."] if row.arity[1] is None else [])]
    return f"{row.name}({', '.join(names)})"


def _slopes(row: Any) -> list[str]:
    """The derivative in each argument as the user would read it; n is taken as 1 where it is a parameter."""
    from gradcli.derive import derive
    from gradcli.expr import apply, text, var
    from gradcli.functions import NONLOCAL

    if row.name == "where" or row.arity[1] is None or row.reduces or row.name in NONLOCAL:
        return []
    names = row.arguments
    e = apply(row.name, *map(var, names), value=1 if row.parameter else None)
    example = "  (for n = 1)" if row.parameter else ""
    return [f"{n} = {text(d)}{example}" for n, d in derive([(row.name, e)], names, 1)[1:]]


def _tell_help(ctx: click.Context, **given: Any) -> None:
    from gradcli.cli import COMMANDS, group
    from gradcli.cli.topics import TOPICS

    topic = given["topic"]
    outer = click.Context(group(), info_name="gradcli")
    if topic is None:
        width = max(map(len, TOPICS))
        lines = [f"  {name.ljust(width)}  {title}" for name, (title, _) in TOPICS.items()]
        emit(outer.get_help() + "\n\nTopics (gradcli help TOPIC):\n" + "\n".join(lines) + "\n")
    elif topic in COMMANDS:
        command = group().get_command(outer, topic)
        assert command is not None
        emit(click.Context(command, info_name=topic, parent=outer).get_help() + "\n")
    elif topic in TOPICS:
        title, body = TOPICS[topic]
        emit(f"{title}\n\n{body()}")
    else:
        from difflib import get_close_matches

        close = get_close_matches(topic, [*TOPICS, *COMMANDS], 1)
        known = ", ".join([*TOPICS, *COMMANDS])
        raise GradError(
            f"no help on '{topic}'", hint=f"did you mean '{close[0]}'?" if close else f"there is help on {known}"
        )


def functions() -> click.Command:
    return options.Command(
        "functions",
        examples=("gradcli functions", "gradcli functions erf", "gradcli functions arcsin"),
        help="All functions, or one with its domain, derivatives and conventions.",
        params=[click.Argument(["name"], required=False)],
        callback=_tell_functions,
    )


def version() -> click.Command:
    return options.Command(
        "version",
        examples=("gradcli version", "gradcli version --json"),
        help="Versions of gradcli, Python and the libraries.",
        params=[click.Option(["--json"], is_flag=True, help="As one JSON object, with engines and formats.")],
        callback=_tell_version,
    )


def help_() -> click.Command:
    return options.Command(
        "help",
        examples=("gradcli help", "gradcli help diff", "gradcli help grammar"),
        help="Help on a command or a topic.",
        params=[click.Argument(["topic"], required=False)],
        callback=click.pass_context(_tell_help),
    )
