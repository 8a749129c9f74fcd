"""The result at one point: values, uncertainties, the budget of their sources, and flags.

Layer: must not know how they are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.compute.execute import Block
from gradcli.errors import GradError
from gradcli.expr import spell_name
from gradcli.job.choices import Choice
from gradcli.job.result import Computed, nonfinite_error
from gradcli.uncertainty.flags import Flag, flags
from gradcli.uncertainty.formula import Propagated
from gradcli.uncertainty.given import Given
from gradcli.uncertainty.measured import Measured, measured
from gradcli.uncertainty.outcome import BudgetLine, Outcome
from gradcli.uncertainty.outputs import HIDDEN, hidden_name, named
from gradcli.uncertainty.request import PropagateJob
from gradcli.uncertainty.run import Prepared, prepare, propagated

if TYPE_CHECKING:
    from gradcli.uncertainty.simulation import Simulation

_REPAIRED = 1000
"""Numbers that are not finite, times variables, up to which their values are looked for: half a second."""


@dataclass(frozen=True)
class Answer:
    """What a request says at its point.

    ``columns``: the result as columns, of one row, for the formats. ``inputs``: the uncertain inputs as measured.
    ``correlations`` of pairs of outputs, where they were asked for. ``prepared``: formulas and names.
    ``simulations`` by output, where they were asked for.
    """

    columns: Computed
    outcomes: list[Outcome]
    inputs: dict[str, Measured]
    correlations: dict[tuple[str, str], float]
    flags: list[Flag]
    prepared: Prepared
    simulations: dict[str, Simulation] = field(default_factory=dict)
    members: dict[str, Any] = field(default_factory=dict)
    """What JSON tells beside the columns; members that are added are told too."""


def is_point(job: PropagateJob, rows: object) -> bool:
    """Whether a request is about one point."""
    return rows is None and not job.grids and job.fill is None


def at_point(job: PropagateJob, watch: Callable[[int], None] | None = None) -> Answer:
    """Return the results of a request at its point. ``watch`` is called with the number of trials of a simulation done.

    Raises GradError if it is invalid.

    >>> answer = at_point(PropagateJob(["g = 4*pi**2*L/T**2"], at=["L=1.000(2),T=2.00(1)"]))
    >>> [(line.name, round(line.share, 3)) for line in answer.outcomes[0].sources]
    [('T', 0.962), ('L', 0.038)]
    """
    prepared = prepare(job, more=True)
    result = propagated(prepared).columns
    block = result.whole()
    numbers = {name: float(column[0]) for name, column in zip(result.names, block, strict=True)}
    notes = _repair(job, prepared, numbers)
    outcomes = [_expanded(_outcome(f, prepared, numbers), job, prepared) for f in prepared.formulas]
    for f, outcome in zip(prepared.formulas, outcomes, strict=True):
        if job.second_order and outcome.second is not None:
            numbers[named("linear", f, prepared.formulas)] = outcome.second[2]
    inputs = {
        name: prepared.uncertain.given.measured.get(name)
        or _measured(prepared.uncertain.given, name, numbers[name], numbers[u])
        for name, u in prepared.uncertain.u.items()
    }
    names = [f.name for f in prepared.formulas]
    pairs = [(a, b) for k, a in enumerate(names) for b in names[k + 1 :]] if job.correlations else []
    correlations = {(a, b): numbers[f"r_{a}_{b}"] for a, b in pairs}
    columns = _Row(result, numbers, notes, job, prepared)
    answer = Answer(columns, outcomes, inputs, correlations, _flags(prepared, outcomes, numbers), prepared)
    if job.mc is not None:
        from gradcli.uncertainty.simulation import simulated

        found = simulated(job, prepared, outcomes, numbers, watch)
        answer.simulations.update(zip([outcome.name for outcome in outcomes], found, strict=True))
    answer.members.update(_members(answer))
    columns.told_members = answer.members
    return answer


def _repair(job: PropagateJob, prepared: Prepared, numbers: dict[str, float]) -> list[str]:
    """Give numbers that are not finite their values where the formula alone is at fault, and return notes about others.

    Those are holes, poles and intermediate results that overflow; looking for them everywhere takes long.
    """
    broken = {
        name for name, value in numbers.items() if name not in prepared.linear and not math.isfinite(value)
    } - {hidden_name("contribution", f, x) for f in prepared.formulas for x in prepared.uncertain.u}  # fmt: skip
    variables = len(prepared.uncertain.at)
    if len(broken) * variables > _REPAIRED:
        broken &= {name for f in prepared.formulas for name in (f.name, f"u_{f.name}")}
    if not broken or len(broken) * variables > _REPAIRED or job.kink != "convention":
        return []
    try:
        again = propagated(prepare(replace(
            job, kink="derivative", strict=False, select=None, drop=(), coverage=None, k=None, mc=None,
            second_order=False,
        ), more=True, only=broken)).columns  # fmt: skip
        block = again.whole()
    except GradError:
        # It is an attempt: the numbers are those of the formula then, and a note counts those that are not finite.
        return []
    for name, column in zip(again.names, block, strict=True):
        if name in numbers and not math.isfinite(numbers[name]):
            numbers[name] = float(column[0])
    # Of results and their uncertainties, in the inputs: where a share breaks is of no use. The option for both sides is
    # that of `eval`.
    told = tuple([f"{spell_name(name)} " for f in prepared.formulas for name in (f.name, f"u_{f.name}")])
    widths = [f" along {spell_name(own)}" for own in prepared.uncertain.names]
    return [
        note.removesuffix("; --sides shows both sides") for note in again.notes[1:]
        if note.startswith(told) and not any(width in note.partition(":")[0] for width in widths)
    ]  # fmt: skip


def _measured(given: Given, name: str, value: float, u: float) -> Measured:
    """An input whose uncertainty stands apart from its value, with the texts that were typed for both."""
    typed = given.typed.get(name, repr(value)), given.typed_u.get(name, repr(u))
    return measured(value, u, f"'{name}'", typed)


def _outcome(f: Propagated, prepared: Prepared, numbers: Mapping[str, float]) -> Outcome:
    u = numbers[f"u_{f.name}"]
    budget = {}
    for name, own in prepared.uncertain.u.items():
        # A zero without its sign: -0.0 + 0.0 is 0.0.
        sensitivity = numbers[hidden_name("c", f, name)] + 0.0
        contribution = abs(sensitivity * numbers[own])
        if not math.isfinite(contribution):
            # The product may be a double where the sensitivity is none.
            product = numbers[hidden_name("contribution", f, name)]
            contribution = product if math.isfinite(product) else contribution
        share = 0.0 if contribution == 0 else (contribution / u) ** 2 if u else math.inf
        budget[name] = BudgetLine(name, numbers[name], numbers[own], sensitivity, contribution, share)
    second = None
    if f.second is not None:
        u_second = numbers[hidden_name("u_second", f)]
        ratio = 1.0 if u_second == u else u_second / u if u else math.inf * u_second
        second = (numbers[f"{f.name}_second"] if prepared.second else math.nan, u_second, ratio)
    plus = minus = None
    if f.plus is not None and f.minus is not None:
        plus, minus = (numbers[f"u_{f.name}_{side}"] for side in ("plus", "minus"))
    return Outcome(f.name, numbers[f.name], u, budget, plus, minus, second)


def _expanded(outcome: Outcome, job: PropagateJob, prepared: Prepared) -> Outcome:
    """The outcome with its expanded uncertainty, if it was asked for."""
    if job.k is None and job.coverage is None:
        return outcome
    from gradcli.uncertainty.coverage import effective, expanded, probability

    uncertain = prepared.uncertain
    coverage = None if job.coverage is None else probability(job.coverage, "--coverage")
    shares = {line.name: line.share for line in outcome.budget.values()}
    try:
        df = effective(shares, uncertain.df, uncertain.inputs.r)
    except GradError:
        if coverage is not None:
            raise
        df = math.nan
    return replace(outcome, expanded=expanded(outcome.u, df, coverage, job.k))


def _flags(prepared: Prepared, outcomes: list[Outcome], numbers: Mapping[str, float]) -> list[Flag]:
    point = {name: numbers[name] for name in prepared.request.variables}
    u = {name: numbers[own] for name, own in prepared.uncertain.u.items()}
    known = {}
    for outcome in outcomes:
        told = {
            "value": outcome.value,
            "u": outcome.u,
            **{f"c {name}": line.sensitivity for name, line in outcome.budget.items()},
        }
        if outcome.second is not None:
            told |= {"u_second": outcome.second[1], "linear": outcome.second[2]}
        known[outcome.name] = told
    return [*flags(prepared.formulas, point, u, known, second=prepared.second)]


def _members(answer: Answer) -> dict[str, Any]:
    """Budget, correlations and flags; with several outputs the budget has a level for them."""
    budgets = {
        outcome.name: {line.name: _plain(line) for line in outcome.budget.values()} for outcome in answer.outcomes
    }
    members: dict[str, Any] = {"budget": budgets if len(budgets) > 1 else next(iter(budgets.values()))}
    factors = {outcome.name: told(outcome.expanded) for outcome in answer.outcomes if outcome.expanded is not None}
    if factors:
        members["expanded"] = factors if len(answer.outcomes) > 1 else next(iter(factors.values()))
    made = {name: _simulation(found) for name, found in answer.simulations.items()}
    if made:
        members["monte_carlo"] = made if len(made) > 1 else next(iter(made.values()))
    if answer.correlations:
        names = [outcome.name for outcome in answer.outcomes]
        r = {**answer.correlations, **{(b, a): r for (a, b), r in answer.correlations.items()}}
        members["correlations"] = {a: {b: 1.0 if a == b else number(r[a, b]) for b in names} for a in names}
    members["flags"] = [flag._asdict() for flag in answer.flags]
    return members


def _simulation(found: Simulation) -> dict[str, Any]:
    result, validation, _ = found
    return {
        "mean": number(result.mean), "u": number(result.u), "symmetric": [*map(number, result.symmetric)],
        "shortest": [*map(number, result.shortest)],
        "validated": None if validation is None else validation.validated,
        "delta": None if validation is None else number(validation.delta),
        "coverage": result.coverage, "trials": result.trials, "nonfinite": result.nonfinite, "settled": result.settled,
        "seed": result.seed,
    }  # fmt: skip


def number(value: float) -> float | None:
    """Return a number as JSON can tell it: None for infinities and nan."""
    return value if math.isfinite(value) else None


def told(numbers: NamedTuple) -> dict[str, Any]:
    """Return the numbers of a named tuple as JSON can tell them."""
    return {key: None if value is None else number(value) for key, value in numbers._asdict().items()}


def _plain(line: BudgetLine) -> dict[str, Any]:
    return {key: number(value) for key, value in line._asdict().items() if key != "name"}


class _Row(Computed):
    """The columns of a point that are written, computed already."""

    def __init__(
        self, result: Computed, numbers: Mapping[str, float], notes: list[str], job: PropagateJob, prepared: Prepared
    ) -> None:
        self.__dict__.update(result.__dict__)
        self.names = tuple([name for name in result.names if not name.startswith(HIDDEN)])
        self.row: Block = [[numbers[name]] for name in self.names]
        # The quotient of both orders is infinite where first order sees nothing, which a flag tells.
        known = [name for name in self.names if name not in prepared.linear]
        self.nonfinite = {name: 1 for name in known if not math.isfinite(numbers[name])}
        self.told_members: dict[str, Any] = {}
        if job.strict and self.nonfinite:
            raise nonfinite_error(self.names, self.row, self.points)
        self.told_notes = notes
        self.note, self.read_as, self._output = prepared.request.note, prepared.request.read_as, None
        self.chosen(Choice(select=job.select, drop=job.drop).places((), self.names))

    @property
    def blocks(self) -> Iterator[Block]:
        yield self.row

    def whole(self) -> Block:
        return self.row

    @property
    def notes(self) -> list[str]:
        # What could not be proved in a column that is not written is not told, nor its name.
        return [*[note for note in super().notes if HIDDEN not in note], *self.told_notes]

    @property
    def members(self) -> dict[str, Any]:
        return {**super().members, **self.told_members}
