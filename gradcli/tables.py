"""The parser's tables: made from grammar/expression.lark by Lark, or read from what a build wrote.

Importing Lark and compiling the grammar costs more than parsing any usual expression, so a wheel carries the tables
as a plain Python literal (gradcli/_tables.py, written by hatch_build.py). A checkout has no such file and makes them
at first use. Lark is known here only. Must not know what the rules mean.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

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
        return _named(written.TABLES)
    if grammar is None:
        raise FileNotFoundError(f"{GRAMMAR} is missing from this installation of gradcli")
    return make(grammar)


def _named(literal: tuple[Any, ...]) -> Tables:
    """Tables from the tuple of tuples that a build writes."""
    patterns, strings, ignored, rules, states = literal
    return Tables(patterns, strings, ignored, tuple([Rule(*rule) for rule in rules]), states)


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
    ignored = sorted(data["parser"]["lexer_conf"]["ignore"])
    return _named(plain((patterns, strings, tuple(ignored), rules, tuple(states))))


def _name(terminal: dict[str, Any]) -> str:
    return str(terminal["name"])


def plain(value: Any) -> Any:
    """The same value in built-in types, whose repr is a Python literal. Raises TypeError where there is none.

    Subclasses lose their class: Lark before 1.3 has names of a subclass of str, whose repr is a call.
    """
    match value:
        case str():
            return str.__str__(value)
        case tuple():
            return tuple([plain(one) for one in value])
        case list():
            return [plain(one) for one in value]
        case dict():
            return {plain(key): plain(one) for key, one in value.items()}
        case None | bool():
            return value
        case int():
            return int.__int__(value)
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be written as a Python literal")


def source(grammar: str) -> str:
    """The text of gradcli/_tables.py: nothing but literals, and the grammar they were made from."""
    return (
        f'"""Written by the build (see hatch_build.py). Do not edit."""\n\nFORMAT = {FORMAT}\n'
        f"GRAMMAR = {grammar!r}\nTABLES = {plain(make(grammar))!r}\n"
    )
