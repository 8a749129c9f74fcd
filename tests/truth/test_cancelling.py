"""Formulas whose doubles lose digits or overflow in between come right by balls: losing_digits.jsonl."""

import json
import math
from collections import Counter

import pytest
from checkout import DATA
from mpmath import mp

from gradcli.language import parse

repair = pytest.importorskip("gradcli.truth.repair")
pytest.importorskip("flint")
pytestmark = pytest.mark.quick

LINES = (DATA / "losing_digits.jsonl").read_text().splitlines()
BUDGET = 100_000


def allowed(computed: float, true: str) -> bool:
    """Whether it is the nearest double; a rest of 1e-3 ulp is left to the 22 digits of the reference."""
    with mp.workdps(40):
        t = mp.mpf(true)
        if abs(t) >= mp.mpf(2) ** 1024:
            return math.isinf(computed) and computed * t > 0
        if math.isinf(computed):
            return bool(abs(t) >= mp.mpf(2) ** 1024 - mp.mpf(2) ** 970)
        return bool(abs(computed - t) <= math.ulp(computed) * mp.mpf("0.501"))


@pytest.mark.parametrize("part", range(4))
def test_every_number_is_its_correctly_rounded_double(part: int) -> None:
    bad = []
    for line in map(json.loads, LINES[part::4]):
        ((_, root),) = parse(line["expr"]).outputs
        mended = repair.Repair(root)
        at = {name: float(x) for name, x in line["at"].items()}
        for key, true in line["partials"].items():
            number = mended.number(at, dict(Counter(key)), BUDGET)
            if number.value is None or not allowed(number.value, true):
                bad.append(f"{line['expr']} at {line['at']} {key or 'value'}: {number} is not {true}")
    assert not bad, "\n".join(bad[:20])
