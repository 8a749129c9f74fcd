"""Colours: those of curves (Okabe and Ito 2008) and those of surfaces, from dark blue to yellow.

Both are told apart by people who see red and green as one.
"""

from __future__ import annotations

from collections.abc import Sequence

LIGHT = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
DARK = ("#56b4e9", "#e69f00", "#2fc499", "#e39fc6", "#f0e442", "#f07830")
"""The colours of curves on light and on dark paper; the third and the last are lighter than in the publication."""
DASHES = ("", "7 3", "2 3", "9 3 2 3")
"""The lines of curves that share a colour, as SVG has them: the second six, the third."""
TERMINAL = (33, 208, 36, 175, 178, 81)
"""The colours of curves among the 256 of a terminal, which are seen on black and on white."""
_ENDS = ((0, 34, 78), (124, 123, 120), (254, 232, 56))
"""The ends and the middle of the colours of surfaces (cividis: Nunez, Anderton and Renslow 2018), sRGB."""


def curve(number: int, colors: Sequence[str] = LIGHT) -> str:
    return colors[number % len(colors)]


def dash(number: int) -> str:
    return DASHES[number // len(LIGHT) % len(DASHES)]


def surface(part: float) -> tuple[int, int, int]:
    """The colour of a part of the range from 0 to 1: lightness grows evenly.

    >>> surface(0), surface(0.5), surface(1)
    ((0, 34, 78), (124, 123, 120), (254, 232, 56))
    """
    twice = min(max(part, 0.0), 1.0) * 2
    first, second = (_ENDS[0], _ENDS[1]) if twice <= 1 else (_ENDS[1], _ENDS[2])
    t = twice if twice <= 1 else twice - 1
    a, b = _lab(first), _lab(second)
    return _rgb((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]), a[2] + t * (b[2] - a[2])))


def css(color: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)


def terminal(color: tuple[int, int, int]) -> int:
    """The nearest of a terminal's 6x6x6 colours."""
    steps = (0, 95, 135, 175, 215, 255)
    red, green, blue = (min(range(6), key=lambda k: abs(steps[k] - part)) for part in color)
    return 16 + 36 * red + 6 * green + blue


# Oklab (Ottosson 2020): a space in which equal distances look equal.


def _lab(color: tuple[int, int, int]) -> tuple[float, float, float]:
    r, g, b = (c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in color)
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def _rgb(lab: tuple[float, float, float]) -> tuple[int, int, int]:
    lightness, a, b = lab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )
    parts = [12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in (max(v, 0.0) for v in linear)]
    red, green, blue = (min(round(255 * c), 255) for c in parts)
    return red, green, blue
