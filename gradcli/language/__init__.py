"""`parse`, text to Expr: an LALR(1) shift-reduce parser on explicit stacks, without a parse tree or recursion.

Each distinct spelling is classified once. A chain of unit reductions (name -> atom -> power -> product -> sum) is
folded into one memoized step. A rule's action runs as soon as its last token is read. `actions` holds the actions,
`messages` the text of errors. Layer: must not know derivatives or numbers of points.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Any, NamedTuple

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.expr import Expr
from gradcli.expr.node import collector_paused
from gradcli.language.actions import ACTIONS, BINARY, LEAVES, Meaning
from gradcli.language.tables import END, Rule, Tables, load
from gradcli.language.tokens import STRANGE, Token
from gradcli.limits import memory
from gradcli.limits.work import earn


class Parsed(NamedTuple):
    """The result of parsing a text.

    ``outputs`` are its unnamed expressions (name None) and the definitions that no later statement uses, in order.
    ``names`` are all definitions. ``variables`` are the names of the variables in order of first occurrence, with those
    that simplification dropped. ``spans`` and ``reductions`` give the span of the first occurrence of each node, and of
    each reduction over all points; ``constants`` and ``uncalled`` those of the constants, and of the functions that are
    not called and so are variables, if a column binds them. ``read_as`` is the strict text of natural notation where it
    differs from what was typed; ``source`` and all spans are those of the typed text.
    """

    source: Source
    outputs: list[tuple[str | None, Expr]]
    names: dict[str, Expr]
    variables: tuple[str, ...]
    spans: dict[Expr, Span]
    reductions: dict[Expr, Span]
    constants: dict[str, Span]
    uncalled: dict[str, Span]
    read_as: str | None = None

    def pointwise(self, why: str, hint: str | None = None) -> Parsed:
        """The object itself. Raises GradError, with the reason ``why``, at the first reduction if there is one."""
        for e, span in self.reductions.items():
            from gradcli.language.names import all_points

            raise GradError(all_points(e, why), hint=hint, span=span, source=self.source)
        return self

    def check_columns(self, path: str, columns: Collection[str], kept: Collection[str]) -> None:
        """Raises GradError for a constant, not in ``kept``, that is a column too, and for a function that is neither
        called nor a column.
        """
        for name, span in self.constants.items():
            if name in columns and name not in kept:
                from gradcli.language.names import column_too

                raise column_too(name, path).at(span, self.source)
        self.check_called(columns)

    def check_called(self, bound: Collection[str] = ()) -> None:
        """Raises GradError for a function that is not called, and whose name is not ``bound`` as that of a variable."""
        for name, span in self.uncalled.items():
            if name not in bound:
                from gradcli.language.names import not_called

                raise not_called(name).at(span, self.source)


_LAYOUT = frozenset({"", "NEWLINE", "LPAR", "RPAR"})
"""Terminals that decide whether a newline ends a statement."""
_CHECKED = 100_000
"""Characters from which the memory that the nodes of a text will take is checked before parsing."""
_CHARACTER_BYTES = 400
"""Bytes of nodes a character makes at most: 393 measured for x+x+x."""
_TERM = 6
"""Characters of a short term with a name of its own; its node has one bit for every name."""
_AFTER = 400
"""Characters past an error that its message may look at."""


class _Unexpected(Exception):
    """The automaton has no action for a token: a syntax error."""


_Names = Collection[str]
_Step = tuple[bool, Rule | None, "_Edge", "_Edge"]


class _Edge(dict[str, _Step]):
    """An edge of the parser's stack (a state and the state below it), with the step that each next symbol causes.

    A step is (leaf, rule, replaced, pushed). ``leaf``: first turn the token on top into a node. With a rule, reduce by
    it; else replace this edge by ``replaced`` and push the symbol with ``pushed``. Steps are computed once and kept.
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
    """The terminal of each spelling, "" for white space; classified at first use and kept."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables.strings)
        self.patterns = [(name, re.compile(pattern).fullmatch) for name, pattern in tables.patterns.items()]
        self.ignored = tables.ignored

    def __missing__(self, spelled: str) -> str:
        name = next((name for name, matches in self.patterns if matches(spelled)), STRANGE)
        kind = "" if name in self.ignored else name
        if len(self) < 100_000:
            self[spelled] = kind
        return kind


class _Machine:
    """The parser's tables with the memoized edges and terminals."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.edges: dict[tuple[int, int], _Edge] = {}
        fixed = sorted(tables.strings, key=len, reverse=True)
        # The last alternative matches any character, so that the pieces always add up to the whole text.
        pieces = [*tables.patterns.values(), *map(re.escape, fixed), r"[\s\S]"]
        self.split = re.compile("|".join(pieces)).findall
        self.kinds = _Kinds(tables)
        self.kinds[""] = END

    def edge(self, below: int, state: int) -> _Edge:
        edge = self.edges.get((below, state))
        if edge is None:
            edge = self.edges[below, state] = _Edge(self, below, state)
        return edge

    def run(self, source: Source, bound: Collection[str]) -> Meaning:
        """Run the automaton over a text. Raises GradError at the first error, with its span."""
        text = source.text
        meaning = Meaning(source, bound)
        leaves, operations, binary = meaning.leaves, meaning.operations, meaning.binary
        kinds, states = self.kinds, self.tables.states
        edge = self.edge(0, 0)
        edges = [edge]
        values: list[Any] = [None]
        starts = [0]
        at = last = depth = 0  # start of this token, end of the previous one, number of open '('
        try:
            for spelled in [*self.split(text), ""]:
                kind = kinds[spelled]
                if kind in _LAYOUT:
                    depth += 1 if kind == "LPAR" else -1 if kind == "RPAR" else 0
                    # A newline is white space inside brackets, and wherever a statement cannot end.
                    if not kind or (kind == "NEWLINE" and (depth or "NEWLINE" not in states[edge.state])):
                        at += len(spelled)
                        continue
                    if kind == "NEWLINE" and text.startswith("+", at + len(spelled)) and last and text[last - 1] != ";":
                        from gradcli.language.syntax_errors import begins_line

                        raise begins_line(source, at + len(spelled))
                while True:
                    leaf, rule, replaced, pushed = edge[kind]
                    if leaf:
                        top = values[-1]
                        values[-1] = leaves.get(top) or meaning.leaf(top, starts[-1])
                    if rule is None:
                        edges[-1] = replaced
                        edge = pushed
                        edges.append(edge)
                        values.append(spelled)
                        starts.append(at)
                        break
                    origin, size, name = rule
                    if name in BINARY:
                        b = values.pop()
                        del values[-1]
                        a = values[-1]
                        values[-1] = operations.get((name, a, b)) or binary(name, a, b, starts, last)
                        del edges[-3:], starts[-2:]
                    elif size:
                        values[-size:] = [ACTIONS[name](meaning, values[-size:], starts[-size:], last)]
                        del edges[-size:], starts[len(starts) - size + 1 :]
                    else:
                        values.append(None)
                        starts.append(at)
                    edge = edges[-1][origin][3]
                    edges.append(edge)
                at += len(spelled)
                last = at
        except _Unexpected:
            from gradcli.language.syntax_errors import unexpected

            tokens = self.tokens(text[: at + _AFTER])
            raise unexpected(source, tokens, at, last, states[edges[-1].state]) from None
        return meaning

    def tokens(self, text: str) -> list[Token]:
        """The tokens of a text without white space, for the message of an error."""
        tokens, at = [], 0
        for spelled in self.split(text):
            kind = self.kinds[spelled]
            if kind:
                tokens.append(Token(kind, spelled, at))
            at += len(spelled)
        return tokens


@cache
def _machine() -> _Machine:
    return _Machine(load())


def _check_size(text: str) -> None:
    """Raise GradError if the nodes of a text need more memory than there is."""
    if len(text) < _CHECKED:
        return
    names = len({match[0] for match in re.finditer(r"[^\W\d]\w*", text)})
    size = len(text) * _CHARACTER_BYTES + len(text) // _TERM * names // 8
    memory.check(size, f"expressions of {len(text):,} characters and {names:,} names", "give them in parts")


def parse(
    source: str | Source, bound: _Names = (), *, columns: bool | _Names = False, natural: bool | None = None
) -> Parsed:
    """Parse a text in gradcli's language. Raises GradError, with the span of the error.

    Names in ``bound`` are variables, even those of constants and of functions that are not called. ``columns``, those
    of a table or True for those not known yet, may bind names too; then call ``check_columns``. ``natural``: the text
    is natural notation, which knows these names. If False, errors that it settles say so; None: no such option.
    """
    source = Source(source) if isinstance(source, str) else source
    try:
        source.text.encode()
    except UnicodeEncodeError as e:
        # Arguments of a shell that are not UTF-8 arrive as lone surrogates.
        c = f"U+{ord(source.text[e.start]):04X}"
        raise GradError(f"{c} is no character: not UTF-8", span=Span(e.start, e.start + 1), source=source) from None
    _check_size(source.text)
    natural = source.natural if natural is None else natural
    if natural:
        from gradcli.language.natural.reading import read

        return read(source, (bound, columns), lambda strict: parse(strict, bound, columns=columns))
    # The work allowed grows with the length of the text, for parsing and for everything done with the result.
    earn(len(source.text) ** 2)
    try:
        return _parsed(source, bound, columns is not False)
    except GradError as error:
        from gradcli.language.foreign.advice import advised

        advice = advised(error, lambda text: _parsed(Source(text), bound, columns is not False))
        if natural is False:
            from gradcli.language.natural.offer import offered

            advice = offered(advice, source.text, bound, columns, parse)
        raise advice from None


def _parsed(source: Source, bound: Collection[str], columns: bool) -> Parsed:
    with collector_paused():
        meaning = _machine().run(source, bound)
    outputs = [(name, e) for name, e in meaning.statements if name is None or name not in meaning.used]
    if not outputs:
        raise GradError("empty expression", span=Span(0, 0), source=source)
    parsed = Parsed(
        source, outputs, meaning.names, tuple(meaning.variables), meaning.spans, meaning.reductions, meaning.constants,
        meaning.uncalled,
    )  # fmt: skip
    if not columns:
        parsed.check_called()
    return parsed
