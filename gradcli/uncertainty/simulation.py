"""The Monte Carlo simulation of a request at its point, and its comparison with the law of propagation.

Layer: must not know how a simulation runs.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from gradcli.errors import GradError
from gradcli.uncertainty.coverage import effective, factor, probability
from gradcli.uncertainty.distributions import Distribution
from gradcli.uncertainty.draws import Draws, Sides
from gradcli.uncertainty.inputs import Uncertain
from gradcli.uncertainty.montecarlo import MonteCarlo, Plan, Validation, simulate, validate
from gradcli.uncertainty.outcome import Outcome
from gradcli.uncertainty.request import PropagateJob
from gradcli.uncertainty.run import Prepared

_TRIALS = re.compile(r"[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{1,18})?[eE]\+?[0-9]{1,2}")


class Simulation(NamedTuple):
    """The simulation of an output; ``validation`` compares its symmetric interval with that of the law of propagation.

    None where the law gives no interval: correlated inputs with finite degrees of freedom (JCGM 100, G.4.1), and an
    uncertainty that is not finite.
    """

    result: MonteCarlo
    validation: Validation | None


def simulated(
    job: PropagateJob, prepared: Prepared, outcomes: Sequence[Outcome], numbers: Mapping[str, float],
    watch: Callable[[int], None] | None = None,
) -> list[Simulation]:  # fmt: skip
    """Return the simulation of each outcome. ``numbers``: the values of all variables. ``watch``: see `simulate`.

    Raises GradError for a number of trials that is none, and as `simulate` does.
    """
    assert job.mc is not None
    coverage = Fraction(95, 100) if job.coverage is None else probability(job.coverage, "--coverage")
    plan = Plan(trials(job.mc), job.seed, coverage, job.engine, job.threads)
    uncertain = prepared.uncertain
    random = {
        name: _distribution(name, numbers[name], numbers[own], uncertain)
        for name, own in uncertain.u.items()
        if numbers[own] > 0
    }
    fixed = {name: numbers[name] for name in prepared.request.variables if name not in random}
    pairs = {pair: r for pair, r in uncertain.given.corr.items() if random.keys() >= set(pair)}
    found = simulate([f.y for f in prepared.formulas], Draws(random, pairs), fixed, plan, watch)
    return [
        Simulation(result, _validation(result, outcome, job, uncertain, coverage))
        for result, outcome in zip(found, outcomes, strict=True)
    ]


def trials(text: str) -> int | None:
    """Return the number of trials of ``--mc``, None for ``auto``. Raises GradError for another text."""
    plain = text.strip()
    if plain == "auto":
        return None
    number = float(plain) if _TRIALS.fullmatch(plain) else 0.0
    if not (1 <= number < 2**53 and number.is_integer()):
        raise GradError(
            f"--mc: '{plain[:40]}' is no number of trials",
            hint="a whole number, such as 1e6, or auto: as many as needed",
        )
    return int(number)


def _distribution(name: str, value: float, u: float, uncertain: Uncertain) -> Distribution | Sides:
    """The distribution of an input: as it was given, Student's t where degrees of freedom are known, else normal.

    JCGM 101, table 1; of two-sided inputs half a normal distribution lies on each side.
    """
    given = uncertain.given
    shape, known = given.shapes.get(name), given.measured.get(name)
    if shape is not None:
        return shape.at(value, u)
    if known is not None and known.dist is not None:
        return known.dist
    if known is not None and known.plus is not None and known.minus is not None:
        return Sides(value, known.plus, known.minus)
    if name in given.df:
        return Distribution("t", value, u, given.df[name])
    return Distribution("N", value, u)


def _validation(
    result: MonteCarlo, outcome: Outcome, job: PropagateJob, uncertain: Uncertain, coverage: Fraction
) -> Validation | None:
    """Whether the interval of the law of propagation, of second order if that was asked for, is right (clause 8)."""
    try:
        df = effective({line.name: line.share for line in outcome.budget.values()}, uncertain.df, uncertain.inputs.r)
    except GradError:
        return None
    value, u = outcome.value, outcome.u
    if job.second_order and outcome.second is not None:
        value, u, _ = outcome.second
    if not math.isfinite(u):
        return None
    return validate(result, value, u, factor(coverage, df) * u)
