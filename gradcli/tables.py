"""The parser's tables: made from grammar/expression.lark by Lark, or read from what a build wrote.

Importing Lark and compiling the grammar costs more than parsing any usual expression, so a wheel carries the tables
as a plain Python literal (gradcli/_tables.py, written by the build hook at the end of this file). A checkout
has no such file and makes them at first use. Lark and hatchling are known here only. Must not know what the rules mean.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FORMAT = 1
END = "$END"
GRAMMAR = "expression.lark"


class Rule(NamedTuple):
    """``size`` symbols become one ``origin``; ``meaning`` is the grammar's name for it, "" where nothing happens."""

    origin: str
    size: int
    meaning: str


class Tables(NamedTuple):
    """The grammar, compiled: how to cut a text into tokens, and an LALR(1) automaton over them.

    ``patterns`` are regular expressions by terminal, ``strings`` the terminal of each fixed spelling (these win),
    ``ignored`` the terminals that are white space. ``states[s][symbol]`` is the next state, or ``~r`` for "reduce by
    rule r"; the automaton starts in state 0 and takes END where the text may end.
    """

    patterns: dict[str, str]
    strings: dict[str, str]
    ignored: tuple[str, ...]
    rules: tuple[Rule, ...]
    states: tuple[dict[str, int], ...]


def grammar_text() -> str | None:
    """The grammar: beside the package's files where it is installed, beside the package in a checkout."""
    here = os.path.dirname(__file__)
    for folder in (os.path.join(here, "_grammar"), os.path.join(here, os.pardir, "grammar")):
        try:
            with open(os.path.join(folder, GRAMMAR), encoding="utf-8") as file:
                return file.read()
        except OSError:
            continue
    return None


def load() -> Tables:
    """The tables of the grammar that lies here, from the written file where it was made from the same text."""
    grammar = grammar_text()
    written: Any = None
    try:
        from gradcli import _tables

        written = _tables
    except ImportError:
        pass
    if written is not None and written.FORMAT == FORMAT and grammar in (None, written.GRAMMAR):
        patterns, strings, ignored, rules, states = written.TABLES
        return Tables(patterns, strings, ignored, tuple([Rule(*rule) for rule in rules]), states)
    if grammar is None:
        raise FileNotFoundError(f"{GRAMMAR} is missing from this installation of gradcli")
    return make(grammar)


def make(grammar: str) -> Tables:
    """Compile a grammar. The numbering follows from the grammar alone, so the same text gives the same tables."""
    from lark import Lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    lark = Lark(grammar, parser="lalr", lexer="basic", start="program", keep_all_tokens=True, maybe_placeholders=False)
    data, memo = lark.memo_serialize([TerminalDef, LarkRule])
    patterns, strings = {}, {}
    for terminal in sorted((memo[one["@"]] for one in data["parser"]["lexer_conf"]["terminals"]), key=_name):
        pattern = terminal["pattern"]
        if pattern["__type__"] == "PatternStr":
            strings[pattern["value"]] = terminal["name"]
        else:
            patterns[terminal["name"]] = pattern["value"]
    written = sorted(
        (memo[one["@"]] for one in data["rules"]), key=lambda rule: (rule["origin"]["name"], rule["order"])
    )
    numbers = {(rule["origin"]["name"], rule["order"]): number for number, rule in enumerate(written)}
    rules = tuple([Rule(r["origin"]["name"], len(r["expansion"]), r["alias"] or "") for r in written])

    automaton = data["parser"]["parser"]
    symbols = automaton["tokens"]
    start, end = automaton["start_states"]["program"], automaton["end_states"]["program"]
    order = [start]
    renumbered = {start: 0}
    states: list[dict[str, int]] = []
    for state in order:
        row = {}
        for symbol, (reduces, what) in sorted((symbols[n], action) for n, action in automaton["states"][state].items()):
            if reduces:
                rule = memo[what["@"]]
                row[symbol] = ~numbers[rule["origin"]["name"], rule["order"]]
            else:
                if what not in renumbered:
                    renumbered[what] = len(order)
                    order.append(what)
                row[symbol] = renumbered[what]
        if state == end:
            row[END] = 0
        states.append(row)
    return Tables(patterns, strings, tuple(sorted(data["parser"]["lexer_conf"]["ignore"])), rules, tuple(states))


def _name(terminal: dict[str, Any]) -> str:
    return str(terminal["name"])


def source(grammar: str) -> str:
    """The text of gradcli/_tables.py: nothing but literals, and the grammar they were made from."""
    patterns, strings, ignored, rules, states = make(grammar)
    plain = patterns, strings, ignored, tuple([tuple(rule) for rule in rules]), states
    return (
        f'"""Written by the build (see gradcli/tables.py). Do not edit."""\n\nFORMAT = {FORMAT}\n'
        f"GRAMMAR = {grammar!r}\nTABLES = {plain!r}\n"
    )


def get_build_hook() -> type[BuildHookInterface[Any]]:
    """Where hatchling asks: a hook that puts _tables.py into the wheel, and never into the source tree."""
    import tempfile

    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class WriteTables(BuildHookInterface[Any]):
        def initialize(self, version: str, build_data: dict[str, Any]) -> None:
            if version == "editable":
                return
            with open(os.path.join(self.root, "grammar", GRAMMAR), encoding="utf-8") as file:
                text = source(file.read())
            self.folder = tempfile.TemporaryDirectory()
            path = os.path.join(self.folder.name, "_tables.py")
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            build_data["force_include"][path] = "gradcli/_tables.py"

        def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
            if version != "editable":
                self.folder.cleanup()

    return WriteTables
