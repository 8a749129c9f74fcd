"""An output beside a point: a headline, a sentence, and the series of both sides.

Layer: must not know how they are found.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.expr import spell_name
from gradcli.truth.words import SIDES, plain, sentence, verdict_words

if TYPE_CHECKING:
    from gradcli.truth.verdict import Truth


class Near(NamedTuple):
    """An output beside a point along a variable: its truth to ``order``, and the series of the sides that there are.

    ``place`` is the point as text; ``series``: left and right, "" where there is none.
    """

    output: str
    wrt: str
    place: str
    order: int
    truth: Truth
    series: tuple[str, str]

    @property
    def sentence(self) -> str:
        """What the verdict says, in words."""
        why = self.truth.why if self.truth.verdict in ("unknown", "undefined") else ""
        return sentence(self.truth, self.output, self.order) + (f": {why}" if why else "")

    @property
    def lines(self) -> list[str]:
        """A headline with the verdict, a sentence, and the series: one where the point is smooth, else those of both
        sides.
        """
        left, right = self.series
        verdict = verdict_words(self.truth)
        lines = [f"{spell_name(self.output)} near {self.place}: {verdict}", f"  {self.sentence}"]
        if self.truth.verdict == "smooth" and left == right:
            return [*lines, f"  {right}"] if right else lines
        return lines + [f"  {f'{side}:':6} {text}" for side, text in zip(SIDES, self.series, strict=True) if text]

    def member(self) -> dict[str, Any]:
        """The same as names, texts and numbers; a number that is not finite is a text, None what is not there."""
        truth = self.truth
        sides = zip(SIDES, (truth.limit_left, truth.limit_right), (truth.left, truth.right), self.series, strict=True)
        return {
            "verdict": truth.verdict, "breaks": truth.breaks, "proved": truth.proved, "text": self.sentence,
            "value": None if math.isnan(truth.value) else plain(truth.value),
            **{
                side: None if slopes is None else {
                    "limit": plain(limit), "derivatives": [plain(v) for v in slopes[:self.order]],
                    "series": series or None,
                }
                for side, limit, slopes, series in sides
            },
        }  # fmt: skip
