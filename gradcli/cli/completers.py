"""What may be typed for an option or an argument: files, topics, functions, variables and columns, for completion.

Layer: must not know any shell.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

from gradcli.caret import Source
from gradcli.errors import GradError
from gradcli.expr import CONSTANTS, spell_name

_READ = 1 << 24
"""The largest file, in bytes, that is read for its names while a key is pressed."""
_Items = list[CompletionItem]


def offered(ctx: click.Context, param: click.Parameter, incomplete: str) -> _Items:
    """The completions of the value of a parameter."""
    completer = _COMPLETERS.get(param.name or "")
    if completer is not None:
        return completer(ctx, incomplete)
    return param.type.shell_complete(ctx, param, incomplete)


def _files(ctx: click.Context, incomplete: str) -> _Items:
    return [CompletionItem(incomplete, type="file")]


def _models(ctx: click.Context, incomplete: str) -> _Items:
    return _files(ctx, incomplete) if ctx.info_name == "check" else []


def _topics(ctx: click.Context, incomplete: str) -> _Items:
    from gradcli.cli.topics import SYNONYMS, topics

    titles = topics()
    titles |= {word: titles[page] for word, page in SYNONYMS.items()}
    commands = ctx.find_root().command
    names = commands.list_commands(ctx) if isinstance(commands, click.Group) else []
    known = {**dict.fromkeys(names, ""), **titles}
    return [CompletionItem(name, help=title or None) for name, title in known.items() if name.startswith(incomplete)]


def _functions(ctx: click.Context, incomplete: str) -> _Items:
    from gradcli.functions import SPELLED

    rows = [(name, row) for name, row in SPELLED.items() if not row.internal and name.startswith(incomplete)]
    return [CompletionItem(name, help=row.doc) for name, row in rows]


def _variables(ctx: click.Context) -> list[str]:
    """The variables of the expressions typed before the cursor, and of --file."""
    from gradcli.language import parse

    # click stops at an option whose value is still to come: the operands before it are in `args`.
    words = [*ctx.params.get("expr", ()), *ctx.params.get("outputs", ()), *ctx.args]
    texts = [word.removeprefix("\0") for word in words]
    for path in filter(_readable, ctx.params.get("file", ())):
        with open(path, encoding="utf-8", errors="replace") as file:
            texts.append(file.read())
    names: list[str] = []
    for text in texts:
        try:
            names += parse(Source(text, natural=ctx.params.get("natural") or None)).variables
        except GradError:
            continue
    return names


def _columns(ctx: click.Context) -> list[str]:
    """The columns of the files of --input."""
    from gradcli.formats import open_table

    names: list[str] = []
    for path in filter(_readable, ctx.params.get("input", ())):
        try:
            names += open_table(path, None, format=ctx.params.get("input_format")).names
        except GradError:
            continue
    return names


def _readable(path: str) -> bool:
    """Whether a name is that of a file that can be read at once: neither stdin nor a pipe."""
    return os.path.isfile(path) and (os.path.getsize(path) <= _READ or not path.endswith(".json"))


def _list_of(names: Iterable[str], incomplete: str, end: str = "") -> _Items:
    """The completions of a list such as ``x,y``; ``end`` follows each name."""
    before, comma, typed = incomplete.rpartition(",")
    used = {piece.partition("=")[0].strip() for piece in before.split(",")}
    spelled = dict.fromkeys(map(spell_name, names))
    return [
        CompletionItem(before + comma + name + end) for name in spelled if name.startswith(typed) and name not in used
    ]


def _wrt(ctx: click.Context, incomplete: str) -> _Items:
    return _list_of(_variables(ctx) or _columns(ctx), incomplete)


def _bindings(ctx: click.Context, incomplete: str) -> _Items:
    return _list_of(_variables(ctx) or _columns(ctx), incomplete, "=")


def _axis(ctx: click.Context, incomplete: str) -> _Items:
    return [] if "=" in incomplete else _bindings(ctx, incomplete)


def _chosen(ctx: click.Context, incomplete: str) -> _Items:
    return _list_of(_columns(ctx), incomplete)


def _claimed(ctx: click.Context, incomplete: str) -> _Items:
    name, equals, typed = incomplete.partition("=")
    return [CompletionItem(f"{name}={column}") for column in _columns(ctx) if equals and column.startswith(typed)]


def _constants(ctx: click.Context, incomplete: str) -> _Items:
    return [CompletionItem(name) for name in CONSTANTS if name.startswith(incomplete)]


_COMPLETERS: dict[str, Callable[[click.Context, str], _Items]] = {
    **dict.fromkeys(("file", "input", "output", "claims", "junit", "data"), _files),
    "expr": _models, "topic": _topics, "name": _functions, "wrt": _wrt, "at": _bindings, "grid": _axis,
    "select": _chosen, "drop": _chosen, "claim_column": _claimed, "constant": _constants,
}  # fmt: skip
