"""A drawing of the shared graph as SVG, with a layered layout: columns by longest paths, ordered for few crossings.

(Sugiyama, Tagawa and Toda, Methods for visual understanding of hierarchical system structures, 1981.)
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple
from xml.sax.saxutils import escape

from gradcli.caret import printable
from gradcli.errors import GradError
from gradcli.expr import Expr, post_order, readable
from gradcli.notation.graphviz import is_number, label, ordered

NODE_LIMIT = 500
_BEND_LIMIT = 20_000
"""The most bends of edges that cross several columns; beyond it edges are straight."""
_SWEEPS = 24
"""Passes of the barycenter heuristic."""
_COLUMN, _ROW, _HIGH, _MARGIN = 130, 44, 28, 20
"""The widths of a column and the heights of a row and a node, and the margin, in pixels."""
_LETTERS = 14
"""Characters of a label that are shown; its title element has all of it."""


class _Node(NamedTuple):
    label: str
    kind: str


class _Layout:
    """Columns of nodes; an edge that spans several columns has a bend (a dummy node) in each column between.

    ``rows`` are the nodes of each column from top to bottom, ``height`` the vertical position of each node in rows.
    """

    def __init__(self, edges: Sequence[tuple[int, int]], column: list[int]) -> None:
        self.column = column
        self.bends: dict[tuple[int, int], int] = {}
        self.links: list[tuple[int, int]] = []
        span = sum(column[b] - column[a] - 1 for a, b in edges)
        for a, b in edges:
            last = a
            for c in range(column[a] + 1, column[b] if span <= _BEND_LIMIT else 0):
                if (a, c) not in self.bends:
                    self.bends[a, c] = len(self.column)
                    self.column.append(c)
                    self.links.append((last, self.bends[a, c]))
                last = self.bends[a, c]
            self.links.append((last, b))
        self.rows: list[list[int]] = [[] for _ in range(max(self.column, default=0) + 1)]
        for i, c in enumerate(self.column):
            self.rows[c].append(i)
        self.height = [0.0] * len(self.column)
        self._order()

    def _order(self) -> None:
        """Order each column by the barycenters of its neighbors, in sweeps, and keep the order of fewest crossings."""
        before: dict[int, list[int]] = {}
        after: dict[int, list[int]] = {}
        for a, b in self.links:
            before.setdefault(b, []).append(a)
            after.setdefault(a, []).append(b)
        self._number(self.rows)
        fewest, best = self._crossings(), [row.copy() for row in self.rows]
        for sweep in range(_SWEEPS):
            near = before if sweep % 2 == 0 else after
            for row in self.rows if sweep % 2 == 0 else reversed(self.rows):
                middle = {i: sum(self.height[j] for j in near[i]) / len(near[i]) for i in row if i in near}
                row.sort(key=lambda i: middle.get(i, self.height[i]))
                self._number([row])
            crossings = self._crossings()
            if crossings < fewest:
                fewest, best = crossings, [row.copy() for row in self.rows]
        self.rows = best
        self._number(self.rows)

    def _number(self, rows: Sequence[Sequence[int]]) -> None:
        """Set the heights of the nodes in these columns, each column centered."""
        widest = max(len(row) for row in self.rows)
        for row in rows:
            for k, i in enumerate(row):
                self.height[i] = k + (widest - len(row)) / 2

    def _crossings(self) -> int:
        """The number of pairs of edges that cross."""
        count = 0
        ends: list[float] = []
        last = -1
        for column, _, end in sorted((self.column[a], self.height[a], self.height[b]) for a, b in self.links):
            if column != last:
                ends, last = [], column
            count += len(ends) - bisect_right(ends, end)
            insort(ends, end)
        return count

    def at(self, i: int) -> tuple[float, float]:
        """The center of a node in pixels."""
        return _MARGIN + (self.column[i] + 0.5) * _COLUMN, _MARGIN + (self.height[i] + 0.5) * _ROW

    def line(self, a: int, b: int) -> str:
        """The SVG path of an edge, through its bends."""
        points = [self.at(a)]
        points += [self.at(self.bends[a, c]) for c in range(self.column[a] + 1, self.column[b]) if (a, c) in self.bends]
        points.append(self.at(b))
        path = f"M{points[0][0]:g},{points[0][1]:g}"
        for (x1, y1), (x2, y2) in pairwise(points):
            path += f" C{(x1 + x2) / 2:g},{y1:g} {(x1 + x2) / 2:g},{y2:g} {x2:g},{y2:g}"
        return path


def write(named: Sequence[tuple[str, Expr]], order: Sequence[str]) -> str:
    """The graph as an SVG document. Raises GradError for more than NODE_LIMIT nodes."""
    roots = readable([e for _, e in named])
    tape = post_order(roots)
    if len(tape) + len(roots) > NODE_LIMIT:
        raise GradError(
            f"a drawing of {len(tape) + len(roots)} nodes (the limit is {NODE_LIMIT})",
            hint="write dot, and have Graphviz draw it",
        )
    number = {e: i for i, e in enumerate(tape)}
    shown = [_Node(label(e), "input" if e.op == "var" else "number" if is_number(e) else "") for e in tape]
    edges = [(number[a], number[e], i + 1 if ordered(e) else 0) for e in tape for i, a in enumerate(e.args)]
    column = [0] * len(tape)
    for a, b, _ in edges:
        column[b] = max(column[b], column[a] + 1)
    for e in reversed(tape):
        # A constant is drawn in the column before its first user.
        if is_number(e) and (users := [column[b] for a, b, _ in edges if a == number[e]]):
            column[number[e]] = min(users) - 1
    last = max(column, default=0) + 1
    for (name, _), e in zip(named, roots, strict=True):
        edges.append((number[e], len(shown), 0))
        shown.append(_Node(name, "output"))
        column.append(last)
    layout = _Layout(list(dict.fromkeys([(a, b) for a, b, _ in edges])), column)
    return _drawn(shown, edges, layout, [name for name, _ in named])


def _text(text: str) -> str:
    return escape(printable(text), {'"': "&quot;"})


def _drawn(shown: Sequence[_Node], edges: Sequence[tuple[int, int, int]], layout: _Layout, names: list[str]) -> str:
    width = 2 * _MARGIN + len(layout.rows) * _COLUMN
    height = 2 * _MARGIN + max(len(row) for row in layout.rows) * _ROW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="monospace" font-size="13" text-anchor="middle">',
        f"<title>{_text(', '.join(names))}</title>",
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        '<g fill="none" stroke="#667">',
    ]
    for a, b, _ in edges:
        lines.append(f'<path d="{layout.line(a, b)}"/>')
    lines.append("</g>")
    for i, node in enumerate(shown):
        x, y = layout.at(i)
        text = node.label if len(node.label) <= _LETTERS else node.label[: _LETTERS - 1] + "\u2026"
        wide = max(_HIGH, 9 * len(text) + 14)
        fill = {"input": "#dceeff", "output": "#dff5dd", "number": "#f4f4f4"}.get(node.kind, "#fff4d6")
        radius = 4 if node.kind == "input" else _HIGH / 2
        box = f'x="{x - wide / 2:g}" y="{y - _HIGH / 2:g}" width="{wide}" height="{_HIGH}" rx="{radius:g}"'
        lines.append(f"<g><title>{_text(node.label)}</title>")
        lines.append(f'<rect {box} fill="{fill}" stroke="#334"/>')
        if node.kind == "output":
            inner = f'x="{x - wide / 2 + 3:g}" y="{y - _HIGH / 2 + 3:g}" width="{wide - 6}" height="{_HIGH - 6}"'
            lines.append(f'<rect {inner} rx="{_HIGH / 2 - 3:g}" fill="none" stroke="#334"/>')
        lines.append(f'<text x="{x:g}" y="{y + 4.5:g}">{_text(text)}</text></g>')
    for a, b, argument in edges:
        if argument:
            # The number of the argument is drawn on its edge, a third of the way back: edges to one node meet closer.
            x1, y1 = layout.at(layout.bends.get((a, layout.column[b] - 1), a))
            x2, y2 = layout.at(b)
            lines.append(
                f'<text x="{x2 + 0.384 * (x1 - x2):g}" y="{y2 + 0.282 * (y1 - y2) - 2:g}" '
                f'font-size="9" fill="#667">{argument}</text>'
            )
    return "\n".join([*lines, "</svg>", ""])
