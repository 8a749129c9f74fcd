"""The options of a job as typed on the command line: where, how, which columns, and what about hard points."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from gradcli.errors import GradError, meant
from gradcli.expr import spell_name

POINT_LIMIT = 10**9
RULES = ("derivative", "convention", "limit", "left", "right", "mean", "nan", "error")
"""What the columns of values and derivatives may hold at hard points."""


@dataclass(frozen=True, kw_only=True)
class Where:
    """The points of a request, as texts typed on the command line, and their largest number."""

    at: Sequence[str] = ()
    grids: Sequence[str] = ()
    fill: str | None = None
    max_points: int = POINT_LIMIT


@dataclass(frozen=True, kw_only=True)
class How:
    """The options of every computation. ``threads`` None: as many as pay. ``strict``: refuse non-finite results."""

    engine: str = "auto"
    threads: int | None = None
    strict: bool = False


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The columns of the output: those that ``select`` names, in its order (None: all), without those of ``drop``."""

    select: Sequence[str] | None = None
    drop: Sequence[str] = ()

    def places(
        self, kept: Sequence[str], computed: Sequence[str], columns: Iterable[str] = (), hidden: Collection[str] = ()
    ) -> list[int]:
        """The places of the output's columns among those ``kept``, then ``computed``.

        ``columns``: those of an input. ``hidden``: the computed columns for which those of the input stand. Raises
        GradError for an unknown name, and if no column is left.
        """
        place = {name: k for k, name in enumerate(kept)}
        dropped = set(self.drop)
        for k, name in enumerate(computed, len(kept)):
            if name not in hidden and name not in dropped:
                place[name] = k
        known = dict.fromkeys([*place, *computed, *columns])
        for option, names in (("--select", self.select or ()), ("--drop", self.drop)):
            for name, times in Counter(names).items():
                if name not in known:
                    near = meant(name, [*known], "its columns are", spell_name)
                    raise GradError(f"{option}: the output has no column '{name}' ({near})")
                if times > 1:
                    raise GradError(f"{option}: '{name}' is given twice")
        places = [place[name] for name in (place if self.select is None else self.select) if name in place]
        if not places:
            raise GradError("--drop: no column is left")
        return places


@dataclass(frozen=True, kw_only=True)
class Hard:
    """The options about hard points. ``careful`` None: for points and small grids.

    ``proved_digits``: so many digits of each result, as texts.
    """

    kink: str = "derivative"
    sides: bool = False
    verdict: bool = False
    trust: bool = False
    careful: bool | None = None
    exact: bool = False
    proved_digits: int | None = None


def conflicts(job: Hard, reductions: bool) -> None:
    """Raises GradError for options that exclude each other, or that a job with reductions cannot answer."""
    if job.kink not in RULES:
        raise GradError(f"unknown rule '{job.kink}' for hard points (there are {', '.join(RULES)})")
    if job.careful is False and (job.exact or job.proved_digits):
        other = "--exact" if job.exact else f"--digits {job.proved_digits}"
        raise GradError(f"--no-careful and {other} exclude each other")
    options = {
        "--sides": job.sides, "--verdict": job.verdict, "--trust": job.trust, "--exact": job.exact,
        "--careful": job.careful, f"--digits {job.proved_digits}": job.proved_digits,
        f"--kink {job.kink}": job.kink not in ("derivative", "convention"),
    }  # fmt: skip
    asked = [option for option, given in options.items() if given]
    if reductions and asked:
        raise GradError(
            f"{asked[0]} is about single points, and a reduction such as sum or mean takes them all",
            hint="leave it out, or the reduction",
        )
