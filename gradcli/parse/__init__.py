"""Text to Expr: the driver of the tables. Bottom-up, on explicit stacks; no tree in between, no recursion.

Every distinct spelling is looked at once, every chain of one-for-one reductions (a name is an atom is a power is
a product is a sum) is folded into one step, and a rule's meaning is applied as soon as its last token is read.
What the rules mean is said in `meaning`, what errors say in `wording`. Must not know derivatives or numbers.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, NamedTuple

from gradcli import memory
from gradcli.cycles import unsought
from gradcli.errors import GradError, Source, Span
from gradcli.expr import Expr
from gradcli.parse import wording
from gradcli.parse.meaning import ACTIONS, BINARY, LEAVES, Meaning
from gradcli.tables import END, Rule, Tables, load
from gradcli.work import earn


class Parsed(NamedTuple):
    """What a text says.

    ``outputs`` are its unnamed expressions (name None) and the names no later statement uses, in order.
    ``names`` are all that its statements define. ``variables`` are the variables' names in order of first appearance,
    also those that simplification dropped. ``spans`` says where each node first came from, ``reductions`` where each
    node that takes all points at once did.
    """

    source: Source
    outputs: list[tuple[str | None, Expr]]
    names: dict[str, Expr]
    variables: tuple[str, ...]
    spans: dict[Expr, Span]
    reductions: dict[Expr, Span]

    def pointwise(self, why: str, hint: str | None = None) -> Parsed:
        """Itself. Raises GradError at the first reduction, if there is one: ``why`` not."""
        for e, span in self.reductions.items():
            raise GradError(wording.all_points(e, why), hint=hint, span=span, source=self.source)
        return self


_WATCHED = frozenset({"", "NEWLINE", "LPAR", "RPAR"})


_LONG = 100_000
"""Characters from which it is asked whether memory holds what a text says."""
_NODES = 400
"""Bytes that the nodes of a character take at most: 393 were measured of x+x+x."""
_SHORT_TERM = 6
"""Characters of a term with a name of its own, whose node has one bit for every name."""
_AFTER = 400
"""How far an error looks past the place where a text went wrong."""


class _Unexpected(Exception):
    """No action for a token: the text is wrong here."""


_Step = tuple[bool, Rule | None, "_Row", "_Row"]


class _Row(dict[str, _Step]):
    """An edge of the automaton (a state and the one below it on the stack), and what each next symbol does there.

    The answer is (leaf, rule, here, there): make the token on top an expression; then, with a rule, reduce by
    it, else let this edge become ``here`` and push the symbol as ``there``. Answers are found once and kept.
    """

    __slots__ = ("below", "machine", "state")

    def __init__(self, machine: _Machine, below: int, state: int) -> None:
        self.machine = machine
        self.below = below
        self.state = state

    def __missing__(self, symbol: str) -> _Step:
        machine, below, state = self.machine, self.below, self.state
        states = machine.tables.states
        leaf = False
        while True:
            action = states[state].get(symbol)
            if action is None:
                raise _Unexpected
            if action >= 0:
                step: _Step = leaf, None, machine.edge(below, state), machine.edge(state, action)
                break
            rule = machine.tables.rules[~action]
            if rule.meaning in LEAVES:
                leaf = True
            elif rule.size != 1 or rule.meaning:
                step = leaf, rule, self, self
                break
            state = states[below][rule.origin]
        self[symbol] = step
        return step


class _Kinds(dict[str, str]):
    """The terminal of each spelling, "" for white space."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables.strings)
        self.patterns = [(name, re.compile(pattern).fullmatch) for name, pattern in tables.patterns.items()]
        self.ignored = tables.ignored

    def __missing__(self, spelled: str) -> str:
        name = next((name for name, matches in self.patterns if matches(spelled)), wording.STRANGE)
        kind = "" if name in self.ignored else name
        if len(self) < 100_000:
            self[spelled] = kind
        return kind


class _Machine:
    """The tables, ready to run."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.edges: dict[tuple[int, int], _Row] = {}
        fixed = sorted(tables.strings, key=len, reverse=True)
        # The last alternative takes any one character, so that the pieces always add up to the whole text.
        pieces = [*tables.patterns.values(), *map(re.escape, fixed), r"[\s\S]"]
        self.split = re.compile("|".join(pieces)).findall
        self.kinds = _Kinds(tables)
        self.kinds[""] = END

    def edge(self, below: int, state: int) -> _Row:
        row = self.edges.get((below, state))
        if row is None:
            row = self.edges[below, state] = _Row(self, below, state)
        return row

    def run(self, source: Source) -> Meaning:
        """Drive the automaton over a text. Raises GradError at the first thing that is wrong."""
        text = source.text
        meaning = Meaning(source)
        leaves, made, binary = meaning.leaves, meaning.made, meaning.binary
        kinds, states = self.kinds, self.tables.states
        row = self.edge(0, 0)
        rows = [row]
        values: list[Any] = [None]
        starts = [0]
        at = last = depth = 0  # where this token starts, where the one before ended, how many '(' are open
        try:
            for spelled in [*self.split(text), ""]:
                kind = kinds[spelled]
                if kind in _WATCHED:
                    depth += 1 if kind == "LPAR" else -1 if kind == "RPAR" else 0
                    # A newline is white space inside brackets, and where no statement can end.
                    if not kind or (kind == "NEWLINE" and (depth or "NEWLINE" not in states[row.state])):
                        at += len(spelled)
                        continue
                    if kind == "NEWLINE" and text.startswith("+", at + len(spelled)) and last and text[last - 1] != ";":
                        raise wording.begins_line(source, at + len(spelled))
                while True:
                    leaf, rule, here, there = row[kind]
                    if leaf:
                        top = values[-1]
                        values[-1] = leaves.get(top) or meaning.leaf(top, starts[-1])
                    if rule is None:
                        rows[-1] = here
                        row = there
                        rows.append(row)
                        values.append(spelled)
                        starts.append(at)
                        break
                    origin, size, name = rule
                    if name in BINARY:
                        b = values.pop()
                        del values[-1]
                        a = values[-1]
                        values[-1] = made.get((name, a, b)) or binary(name, a, b, starts, last)
                        del rows[-3:], starts[-2:]
                    elif size:
                        values[-size:] = [ACTIONS[name](meaning, values[-size:], starts[-size:], last)]
                        del rows[-size:], starts[len(starts) - size + 1 :]
                    else:
                        values.append(None)
                        starts.append(at)
                    row = rows[-1][origin][3]
                    rows.append(row)
                at += len(spelled)
                last = at
        except _Unexpected:
            tokens = self.tokens(text[: at + _AFTER])
            raise wording.unexpected(source, tokens, at, last, states[rows[-1].state]) from None
        return meaning

    def tokens(self, text: str) -> list[wording.Token]:
        """Every token of a text that is not white space: for errors, which may look around."""
        found, at = [], 0
        for spelled in self.split(text):
            kind = self.kinds[spelled]
            if kind:
                found.append(wording.Token(kind, spelled, at))
            at += len(spelled)
        return found


@cache
def _machine() -> _Machine:
    return _Machine(load())


def _check_size(text: str) -> None:
    """Raises GradError where the nodes of a text are beyond what memory holds."""
    if len(text) < _LONG:
        return
    names = len({found[0] for found in re.finditer(r"[^\W\d]\w*", text)})
    size = len(text) * _NODES + len(text) // _SHORT_TERM * names // 8
    memory.check(size, f"expressions of {len(text):,} characters and {names:,} names", "give them in parts")


def parse(source: str | Source) -> Parsed:
    """Read a text in gradcli's language. Raises GradError, with the place, where it is wrong."""
    if isinstance(source, str):
        source = Source(source)
    try:
        source.text.encode()
    except UnicodeEncodeError as e:
        # What a shell passes that is no UTF-8.
        raise GradError(
            f"U+{ord(source.text[e.start]):04X} is no character: not UTF-8",
            span=Span(e.start, e.start + 1),
            source=source,
        ) from None
    _check_size(source.text)
    # A long text may take longer, to be parsed and for all that is done with it.
    earn(len(source.text) ** 2)
    with unsought():
        meaning = _machine().run(source)
    outputs = [(name, e) for name, e in meaning.statements if name is None or name not in meaning.used]
    if not outputs:
        raise GradError("empty expression", span=Span(0, 0), source=source)
    return Parsed(source, outputs, meaning.names, tuple(meaning.variables), meaning.spans, meaning.reductions)
