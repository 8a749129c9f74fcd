"""The request to propagate uncertainties, as typed. Layer: must not know what its texts mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gradcli.caret import Source
from gradcli.job.choices import Choice, Hard, How, Where
from gradcli.language import Parsed


class Estimates(NamedTuple):
    """What a file says of several inputs together, as plain numbers, which go to other processes with the request.

    ``option`` and ``where`` begin messages. ``values``, in the units of the inputs, are empty where those come from
    elsewhere. ``u``: standard uncertainties in the same units. ``r``: the correlation matrix, row by row.
    ``readings``: their number, 0 where there are none.
    """

    option: str
    where: str
    names: list[str]
    values: list[float]
    u: list[float]
    r: list[list[float]]
    readings: int


@dataclass(frozen=True)
class PropagateJob(Where, How, Choice, Hard):
    """A request for results with uncertainties, as texts typed on the command line; checked when it is run.

    ``at`` may hold measured values, ``L=1.020±0.005``. ``u``: ``L=0.005`` or ``L=COLUMN``. ``dist``: ``T=R(1.9,2.1)``.
    ``df``: ``L=9``, degrees of freedom. ``corr``: ``L,T=0.3``. ``second_order`` adds the columns of second order,
    ``budget`` those of sensitivities and shares, ``correlations`` those of the correlations of results. ``estimates``:
    what the files of ``--samples`` and ``--cov`` say, read already. ``coverage``, the probability of an interval in
    percent, or ``k``, the factor of its half-width, ask for expanded uncertainties. ``mc``: the trials of a simulation,
    ``1e6`` or ``auto``, and ``seed`` that of its random numbers.
    """

    expressions: Sequence[str | Source | Parsed]
    kink: str = field(default="convention", kw_only=True)
    u: Sequence[str] = ()
    dist: Sequence[str] = ()
    df: Sequence[str] = ()
    corr: Sequence[str] = ()
    estimates: Sequence[Estimates] = ()
    second_order: bool = False
    budget: bool = False
    correlations: bool = False
    coverage: str | None = None
    k: float | None = None
    mc: str | None = None
    seed: int = 0
