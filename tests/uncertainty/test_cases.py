"""The law of propagation on the examples of the GUM, Eurachem, NIST and others, with values of 50 digits."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from gradcli.uncertainty.budget import Answer, at_point
from gradcli.uncertainty.request import PropagateJob

pytestmark = pytest.mark.quick

CASES = [json.loads(line) for line in (Path(__file__).parents[1] / "data" / "gum.jsonl").read_text().splitlines()]
POINTS = [c for c in CASES if c["kind"] in ("first", "second", "asymmetric")]


def answer(case: dict[str, Any], **options: Any) -> Answer:
    words = case["args"]

    def values(option: str) -> list[str]:
        return [words[k + 1] for k, word in enumerate(words) if word == option]

    known = case["true"].get("u_second_order") is not None
    return at_point(PropagateJob(
        [case["expression"]], at=values("--at"), corr=values("--corr"), df=values("--df"), second_order=known,
        **options,
    ))  # fmt: skip


def close(value: float, true: float, rtol: float, u: float = 0) -> bool:
    """Whether a value agrees, relatively; a true 0 within that part of the uncertainty."""
    return abs(value - true) <= rtol * (abs(true) or u)


@pytest.mark.parametrize("case", POINTS, ids=lambda case: case["id"])
def test_values_and_uncertainties(case):
    true, (outcome,) = case["true"], answer(case).outcomes
    rtol = min(case["rtol"], 1e-11) if case["kind"] != "first" else min(case["rtol"], 1e-12)
    assert close(outcome.value, true["y"], rtol, true.get("u", 0))
    if "u" in true:
        assert close(outcome.u, true["u"], rtol)
    for side in ("plus", "minus"):
        if side in true:
            assert close(getattr(outcome, side), true[side], rtol)
    for name, sensitivity in true.get("sensitivity", {}).items():
        assert close(outcome.budget[name].sensitivity, sensitivity, rtol), name
    for name, contribution in true.get("contribution", {}).items():
        assert close(outcome.budget[name].contribution, contribution, rtol), name
    if true.get("u_second_order") is not None:
        value, u, ratio = outcome.second
        assert close(value, true["y_second_order"], 1e-10)
        assert close(u, true["u_second_order"], 1e-10)
        assert ratio == pytest.approx(u / outcome.u if outcome.u else math.inf if u else 1)


@pytest.mark.parametrize("case", [c for c in POINTS if "exact" in c], ids=lambda case: case["id"])
def test_second_order_is_nearer_to_the_exact_moments(case):
    (outcome,) = answer(case).outcomes
    value, u, _ = outcome.second
    exact = case["exact"]
    assert abs(value - exact["mean"]) <= abs(outcome.value - exact["mean"])
    assert abs(u - exact["u"]) <= abs(outcome.u - exact["u"])


@pytest.mark.parametrize("case", POINTS, ids=lambda case: case["id"])
def test_flags_of_cases(case):
    true, kinds = case["true"], {flag.kind for flag in answer(case).flags}
    second, u = true.get("u_second_order"), true.get("u")
    if second is not None:
        assert ("not-linear" in kinds) == (second > 0 if not u else abs(second / u - 1) > 0.05)
    smooth = ("H2-", "H3-", "H4-", "A1-", "A2-", "A3-", "A4-", "A5-", "pendulum", "G42-", "snell")
    if case["id"].startswith(smooth):
        assert not kinds
    assert not kinds & {"edge", "kink", "jump"}
    hidden = [name for name, c in true.get("sensitivity", {}).items() if c == 0]
    assert ("no-effect" in kinds) >= bool(hidden)


def test_expanded_uncertainty():
    case = next(c for c in CASES if c["id"] == "G42-welch")
    true = case["true"]
    for coverage in ("95", "99"):
        (outcome,) = answer(case, coverage=coverage).outcomes
        assert outcome.expanded.degrees_of_freedom == pytest.approx(true["df_effective"], rel=1e-12)
        assert outcome.expanded.k == pytest.approx(true[f"k{coverage}"], rel=1e-12)
        assert outcome.expanded.k_truncated == pytest.approx(true[f"k{coverage}_df_truncated"], rel=1e-12)
        assert outcome.expanded.U == pytest.approx(true[f"k{coverage}"] * true["u"], rel=1e-12)


def test_correlations_of_results():
    case = next(c for c in CASES if c["kind"] == "matrix")
    data, n = case["data"], 5
    mean = {name: math.fsum(column) / n for name, column in data.items()}
    centred = {name: [v - mean[name] for v in column] for name, column in data.items()}

    def covariance(a: str, b: str) -> float:
        return math.fsum(p * q for p, q in zip(centred[a], centred[b], strict=True)) / (n - 1) / n

    u = {name: math.sqrt(covariance(name, name)) for name in data}
    names = [*data]
    result = at_point(PropagateJob(
        [case["args"][1]], at=[f"{name}={mean[name]!r}" for name in names], u=[f"{name}={u[name]!r}" for name in names],
        corr=[f"{a},{b}={covariance(a, b) / u[a] / u[b]!r}" for k, a in enumerate(names) for b in names[k + 1 :]],
        correlations=True,
    ))  # fmt: skip
    for key, true in case["true"].items():
        a, b = key[2:-1].split(",")
        assert result.correlations[a, b] == pytest.approx(true, rel=1e-8)
        assert result.members["correlations"][b][a] == result.correlations[a, b]
