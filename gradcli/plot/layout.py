"""Layout: where the panels of a picture lie, from its size and what is written around them."""

from __future__ import annotations

from typing import Literal, NamedTuple

from gradcli.caret import display_width
from gradcli.plot.ticks import Tick, log_ticks, ticks


class Canvas(NamedTuple):
    """The size of a picture and of what is written on it, in pixels, or in dots of braille for a text.

    ``char`` and ``line``: the width of a character and the height of a line. ``side``: of a tick at the vertical axis.
    ``below``: of the ticks and numbers below the last panel. ``gap``: between panels. ``across`` and ``up``: the least
    distances of ticks. ``fine``: how many times finer, and higher, than the picture curves are sampled, to be zoomed.
    ``more``: the height that each panel beyond the first adds.
    """

    form: Literal["text", "pixels"]
    width: int
    height: int
    char: float
    line: int
    side: int
    below: int
    gap: int
    across: int
    up: int
    fine: int = 1
    more: int = 0

    def grown(self, panels: int) -> Canvas:
        """The canvas with room for panels beyond the first."""
        return self._replace(height=self.height + self.more * (panels - 1))


class Layout(NamedTuple):
    """The panels: their left edge and width, which they share, their height and the upper edge of each."""

    left: int
    width: int
    height: int
    tops: list[int]


DOTS_ACROSS, DOTS_UP = 2, 4
"""Dots of a character in braille."""
LEAST_COLUMNS, LEAST_ROWS = 24, 6
LEAST_WIDTH, LEAST_HEIGHT = 160, 120
MOST_COLUMNS, MOST_ROWS, MOST_PIXELS = 1000, 500, 8000
_LABEL = 8.5
"""Width of a character of a label beside a curve, in pixels."""
_SHORT = 8
"""Characters of the title of a horizontal axis that stands at its end."""
_LONGEST = 16
"""Characters of such a label that get room."""


def text_canvas(columns: int, rows: int, more: int = 0) -> Canvas:
    """The canvas of a text of so many characters, ``more`` lines for each panel beyond the first."""
    return Canvas("text", columns * DOTS_ACROSS, rows * DOTS_UP, DOTS_ACROSS, DOTS_UP, 2 * DOTS_ACROSS, 2 * DOTS_UP,
                  DOTS_UP, 24, 16, 1, more * DOTS_UP)  # fmt: skip


def pixel_canvas(width: int, height: int, fine: int = 1, more: int = 0) -> Canvas:
    """The canvas of a picture of so many pixels, ``more`` of them for each panel beyond the first."""
    return Canvas("pixels", width, height, 7.2, 18, 14, 24, 20, 80, 45, fine, more)


def ends_axis(title: str) -> bool:
    """Whether the title of a horizontal axis stands at its end in a text; else it has a line of its own."""
    return display_width(title) <= _SHORT


def arranged(
    canvas: Canvas, count: int, numbers: list[str], labels: list[str], above: int, titles: tuple[str, str]
) -> Layout:  # fmt: skip
    """The layout of ``count`` panels.

    ``numbers``: the texts at the vertical axis; ``labels``: those beside the ends of curves; ``above``: lines of text
    above the panels, in a text above and below them; ``titles``: those of both axes.
    """
    wide = max([len(text) for text in numbers], default=1)
    if canvas.form == "text":
        left = (wide + 2) * DOTS_ACROSS
        across = titles[0] if ends_axis(titles[0]) else ""
        right = max(2 if labels else 0, display_width(across) + 1 if across else 0) * DOTS_ACROSS
        below = canvas.below + above * DOTS_UP
        top = 0
    else:
        left = round(wide * canvas.char) + canvas.side + (canvas.line + 4 if titles[1] else 0)
        right = max([min(display_width(text), _LONGEST) for text in labels], default=0)
        right = round(right * _LABEL) + 18
        below = canvas.below + canvas.line
        top = 12 + above * canvas.line
    width = canvas.width - left - right
    room = canvas.height - top - below - canvas.gap * (count - 1)
    height = room // count
    if canvas.form == "text":
        width -= width % DOTS_ACROSS
        height = max(height // DOTS_UP * DOTS_UP, 3 * DOTS_UP)
        width = max(width, 8 * DOTS_ACROSS)
    width, height = max(width, 16), max(height, 12)
    return Layout(left, width, height, [top + k * (height + canvas.gap) for k in range(count)])


def axis_ticks(low: float, high: float, size: int, least: int, log: bool) -> list[Tick]:
    """The ticks of an axis of ``size`` pixels or dots, ``least`` apart, or nearer where there would be one alone."""
    most = max(size // least + 1, 2)
    if log:
        return log_ticks(low, high, most)
    found, densest = ticks(low, high, most), max(most + 2, size // DOTS_UP)
    while len(found) < 2 and most < densest:
        most += 1
        found = ticks(low, high, most)
    return found
