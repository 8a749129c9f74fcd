"""The picture of docs/hard-points.md: a small graph of each kind of hard point.

``python tests/docs/test_docs.py --write`` writes it anew.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from checkout import ROOT

PATH = ROOT / "docs" / "pictures" / "hard-points.svg"
WIDTH, HEIGHT = 190, 150
"""Of a graph with its two lines of words."""
ACROSS = 3
LEFT, RIGHT, TOP, BOTTOM = 20, 170, 38, 138
"""The edges of a graph: x from -1 to 1, y from -1 to 1."""
_STYLE = """
  .paper { fill: #ffffff; stroke: #d0d7de }
  .axis { stroke: #8c959f; stroke-width: 1; fill: none }
  .curve { stroke: #0a58ca; stroke-width: 2; fill: none; stroke-linejoin: round }
  .asymptote { stroke: #bf3989; stroke-width: 1; stroke-dasharray: 3 3 }
  .dot { fill: #0a58ca; stroke: #0a58ca; stroke-width: 1.5 }
  .open { fill: #ffffff; stroke: #0a58ca; stroke-width: 1.5 }
  text { font: 12px sans-serif; fill: #1f2328 }
  .name { font-weight: bold }
  .formula { font: 11px monospace; fill: #59636e }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; stroke: #3d444d }
    .axis { stroke: #6e7681 }
    .curve { stroke: #58a6ff }
    .asymptote { stroke: #f778ba }
    .dot { fill: #58a6ff; stroke: #58a6ff }
    .open { fill: #0d1117; stroke: #58a6ff }
    text { fill: #f0f6fc }
    .formula { fill: #9198a1 }
  }
"""

Point = tuple[float, float]


class Graph(NamedTuple):
    """A graph around x = 0. ``left`` and ``right``: f beside 0, None where it is not there.

    ``dots``: points that belong to the graph; ``holes``: those that it only comes close to.
    """

    name: str
    formula: str
    left: Callable[[float], float] | None
    right: Callable[[float], float] | None
    dots: Sequence[Point] = ()
    holes: Sequence[Point] = ()
    asymptote: bool = False
    oscillates: bool = False


GRAPHS = [
    Graph("kink", "abs(x)", abs, abs),
    Graph("jump", "floor(x)", lambda x: -0.6, lambda x: 0.2, [(0, 0.2)], [(0, -0.6)]),
    Graph("hole (removable)", "sin(x)/x", lambda x: math.sin(7 * x) / (9 * x), lambda x: math.sin(7 * x) / (9 * x),
          holes=[(0, 7 / 9)]),
    Graph("misplaced value", "where(x==0, 2, 1+x**2)", lambda x: 0.4 + 0.4 * x * x, lambda x: 0.4 + 0.4 * x * x,
          [(0, 0.8)], [(0, 0.4)]),
    Graph("pole", "1/x", lambda x: 0.06 / x, lambda x: 0.06 / x, asymptote=True),
    Graph("cusp", "cbrt(abs(x))", lambda x: 0.9 * math.cbrt(-x), lambda x: 0.9 * math.cbrt(x)),
    Graph("vertical tangent", "cbrt(x)", lambda x: 0.9 * math.cbrt(x), lambda x: 0.9 * math.cbrt(x)),
    Graph("edge", "x**1.5", None, lambda x: 0.9 * x**1.5, [(0, 0)]),
    Graph("oscillation", "sin(1/x)", lambda x: 0.9 * math.sin(0.25 / x), lambda x: 0.9 * math.sin(0.25 / x),
          oscillates=True),
]  # fmt: skip


def _at(x: float, y: float) -> Point:
    return (LEFT + (x + 1) / 2 * (RIGHT - LEFT), BOTTOM - (y + 1) / 2 * (BOTTOM - TOP))


def _curve(f: Callable[[float], float], sign: int, oscillates: bool) -> str:
    """The line of a side: points close together next to 0, left out where they leave the graph."""
    steps = 240 if oscillates else 48
    first = steps // 10 if oscillates else 1
    places = [sign * (k / steps) ** 2 for k in range(first, steps + 1)]
    inside = [_at(x, y) for x in places if abs(y := f(x)) <= 1]
    if not oscillates and abs(y := f(sign * 1e-9)) <= 1:
        inside.insert(0, _at(0, y))
    return f'<polyline class="curve" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in inside)}"/>'


def _dot(kind: str, point: Point) -> str:
    x, y = _at(*point)
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="3.2"/>'


def _graph(graph: Graph) -> list[str]:
    (x0, y0), (x1, _), (_, y1) = _at(0, 0), _at(1, 0), _at(0, 1)
    lines = [
        f'<text class="name" x="{LEFT}" y="16">{graph.name}</text>',
        f'<text class="formula" x="{LEFT}" y="31">{graph.formula}</text>',
        f'<path class="axis" d="M{LEFT} {y0:.1f}H{x1:.1f}M{x0:.1f} {BOTTOM}V{y1:.1f}"/>',
    ]
    if graph.asymptote:
        lines[-1] = f'<path class="axis" d="M{LEFT} {y0:.1f}H{x1:.1f}"/>'
        lines.append(f'<path class="asymptote" d="M{x0:.1f} {BOTTOM}V{y1:.1f}"/>')
    lines += [_curve(f, sign, graph.oscillates) for f, sign in ((graph.left, -1), (graph.right, 1)) if f is not None]
    lines += [_dot("open", point) for point in graph.holes]
    return lines + [_dot("dot", point) for point in graph.dots]


def sheet() -> str:
    """All graphs on one sheet, which is light or dark as the reader's screen is."""
    rows = -(-len(GRAPHS) // ACROSS)
    width, height = ACROSS * WIDTH + 10, rows * HEIGHT + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="paper" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="6"/>',
    ]
    for k, graph in enumerate(GRAPHS):
        row, column = divmod(k, ACROSS)
        parts.append(f'<g transform="translate({5 + column * WIDTH} {5 + row * HEIGHT})">')
        parts += [*_graph(graph), "</g>"]
    return "\n".join([*parts, "</svg>", ""])
