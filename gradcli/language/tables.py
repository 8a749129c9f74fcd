"""The parser's LALR(1) tables: compiled from grammar/expression.lark by Lark, or read from a file of the build.

Importing Lark and compiling the grammar costs more than parsing any usual expression. A wheel therefore carries the
tables as a Python literal (gradcli/_tables.py, written by hatch_build.py); a checkout compiles them at first use.
Only this file imports Lark. Layer: must not know the meaning of rules.
"""

from __future__ import annotations

import os
from operator import itemgetter
from typing import Any, NamedTuple

FORMAT = 1
"""The version of the literal's layout."""
END = "$END"
GRAMMAR = "expression.lark"


class Rule(NamedTuple):
    """A reduction of ``size`` symbols to ``origin``; ``meaning`` is its alias in the grammar, "" for no action."""

    origin: str
    size: int
    meaning: str


class Tables(NamedTuple):
    """The compiled grammar: a tokenizer and an LALR(1) automaton.

    ``patterns`` are regular expressions by terminal, ``strings`` the terminal of each fixed spelling (these take
    precedence), ``ignored`` the terminals that are white space. ``states[s][symbol]`` is the next state, or ``~r`` to
    reduce by rule r. The automaton starts in state 0 and has an action for END wherever a text may end.
    """

    patterns: dict[str, str]
    strings: dict[str, str]
    ignored: tuple[str, ...]
    rules: tuple[Rule, ...]
    states: tuple[dict[str, int], ...]


def grammar_text() -> str | None:
    """The text of the grammar: from inside the package in an installation, from beside it in a checkout; else None."""
    package = os.path.dirname(os.path.dirname(__file__))
    for folder in (os.path.join(package, "_grammar"), os.path.join(package, os.pardir, "grammar")):
        try:
            with open(os.path.join(folder, GRAMMAR), encoding="utf-8") as file:
                return file.read()
        except OSError:
            continue
    return None


def load() -> Tables:
    """The tables of the grammar: those of the build if they were made from the same text, else compiled now.

    Raises FileNotFoundError if neither the tables nor the grammar are there.
    """
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
    """`Tables` from the nested tuples that the build writes."""
    patterns, strings, ignored, rules, states = literal
    return Tables(patterns, strings, ignored, tuple([Rule(*rule) for rule in rules]), states)


def make(grammar: str) -> Tables:
    """Compile a grammar. States are numbered in the order they are reached, so that builds are reproducible."""
    from lark import Lark
    from lark.grammar import Rule as LarkRule
    from lark.lexer import TerminalDef

    lark = Lark(grammar, parser="lalr", lexer="basic", start="program", keep_all_tokens=True, maybe_placeholders=False)
    data, memo = lark.memo_serialize([TerminalDef, LarkRule])
    patterns, strings = {}, {}
    lexer = data["parser"]["lexer_conf"]
    for terminal in sorted((memo[ref["@"]] for ref in lexer["terminals"]), key=itemgetter("name")):
        pattern = terminal["pattern"]
        if pattern["__type__"] == "PatternStr":
            strings[pattern["value"]] = terminal["name"]
        else:
            patterns[terminal["name"]] = pattern["value"]
    written = sorted(
        (memo[ref["@"]] for ref in data["rules"]), key=lambda rule: (rule["origin"]["name"], rule["order"])
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
        actions = automaton["states"][state].items()
        for symbol, (reduces, target) in sorted((symbols[n], action) for n, action in actions):
            if reduces:
                rule = memo[target["@"]]
                row[symbol] = ~numbers[rule["origin"]["name"], rule["order"]]
            else:
                if target not in renumbered:
                    renumbered[target] = len(order)
                    order.append(target)
                row[symbol] = renumbered[target]
        if state == end:
            row[END] = 0
        states.append(row)
    return _named(plain((patterns, strings, tuple(sorted(lexer["ignore"])), rules, tuple(states))))


def plain(value: Any) -> Any:
    """The value in built-in types, whose repr is a Python literal. Raises TypeError for a type without a literal.

    Subclasses are converted: names of Lark before 1.3 are of a subclass of str whose repr is no literal.
    """
    match value:
        case str():
            return str.__str__(value)
        case tuple():
            return tuple([plain(item) for item in value])
        case list():
            return [plain(item) for item in value]
        case dict():
            return {plain(key): plain(item) for key, item in value.items()}
        case None | bool():
            return value
        case int():
            return int.__int__(value)
    raise TypeError(f"{value!r} of type {type(value).__name__} cannot be written as a Python literal")


def source(grammar: str) -> str:
    """The text of gradcli/_tables.py: literals alone, and the grammar that they were made from."""
    return (
        f'"""Written by the build (see hatch_build.py). Do not edit."""\n\nFORMAT = {FORMAT}\n'
        f"GRAMMAR = {grammar!r}\nTABLES = {plain(make(grammar))!r}\n"
    )
