"""The calls behind ``Function.propagate``: inputs and options as Python has them, and results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gradcli.callables.arguments import bound, number
from gradcli.callables.options import flag
from gradcli.callables.python_errors import in_python, python_words
from gradcli.callables.quantities import (
    Pair,
    Quantity,
    correlations,
    correlations_of_ufloats,
    matrix,
    quantity,
    readings,
)
from gradcli.callables.results import values
from gradcli.callables.uncertain import Sources, Uncertain, UncertainArray
from gradcli.errors import BadType, BadValue, meant
from gradcli.expr import spell_name
from gradcli.uncertainty.outcome import BudgetLine
from gradcli.uncertainty.request import PropagateJob

if TYPE_CHECKING:
    from gradcli.callables.function import Function
    from gradcli.callables.model import Model


@dataclass(frozen=True)
class Options:
    """The options of a propagation, checked."""

    df: Mapping[str, float]
    second_order: bool
    coverage: str | None
    k: float | None
    mc: str | None
    seed: int


def options(df: Any, second_order: Any, coverage: Any, k: Any, mc: Any, seed: Any) -> Options:
    """The options of a call. Raises BadType or BadValue."""
    if df is not None and not isinstance(df, Mapping):
        raise BadType(f"df is a dict of degrees of freedom by input, not {type(df).__name__}")
    told = {str(name): _one(value, f"df of {name}") for name, value in (df or {}).items()}
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise BadValue(f"seed is a whole number, 0 or more, not {seed!r}")
    trials = None if mc is None else mc if isinstance(mc, str) else _digits(mc)
    percent = None if coverage is None else coverage if isinstance(coverage, str) else repr(_one(coverage, "coverage"))
    return Options(told, flag(second_order, "second_order"), percent, None if k is None else _one(k, "k"), trials, seed)


def _one(given: Any, name: str) -> float:
    value = number(given, name)
    if value is None:
        raise BadType(f"{name} is a number, not {type(given).__name__}")
    return value


def _digits(mc: Any) -> str:
    trials = _one(mc, "mc")
    if not (1 <= trials < 2**53 and trials.is_integer()):
        raise BadValue(f"mc is a number of trials, such as 1e6, or 'auto', not {mc!r}")
    return str(int(trials))


class Inputs:
    """The inputs of a call: quantities by argument, their correlations ``r``, and degrees of freedom."""

    def __init__(
        self, args: Sequence[Any], named: Mapping[str, Any], names: Sequence[str], corr: Any, cov: Any, samples: Any,
    ) -> None:  # fmt: skip
        self.df: dict[str, float] = {}
        told = None if samples is None else readings(samples)
        own = [name for name in told.names if name in names] if told else []
        twice = next((name for name in own if name in named), None)
        if twice is not None:
            raise BadValue(f"'{twice}' is given twice, in samples too")
        given = bound(args, named, [name for name in names if name not in own])
        rest = iter(given)
        self.quantities = {name: Quantity(0.0, None) if name in own else quantity(next(rest), name) for name in names}
        shared: dict[Pair, float] = {}
        for estimates in filter(None, (told, None if cov is None else matrix(cov))):
            for k, name in enumerate(estimates.names):
                if name not in names:
                    if estimates.values:
                        continue
                    raise BadValue(f"cov: '{name}' is not an argument", hint=meant(name, names, "the arguments are"))
                known = self.quantities[name]
                if known.u is not None:
                    raise BadValue(f"the uncertainty of '{name}' is given twice, in cov too")
                value = estimates.values[k] if estimates.values else known.value
                self.quantities[name] = Quantity(value, estimates.u[k])
                if estimates.readings:
                    self.df[name] = estimates.readings - 1.0
                for j, other in enumerate(estimates.names[:k]):
                    if other in names and estimates.r[k][j]:
                        shared[other, name] = estimates.r[k][j]
        self.u = [name for name, q in self.quantities.items() if q.u is not None]
        if not self.u:
            first = names[0] if names else "x"
            raise BadValue("no input has an uncertainty", hint=f'such as {first}=(1.02, 0.005) or {first}="1.020(5)"')
        ufloats = correlations_of_ufloats(self.quantities)
        self.r = {**correlations(corr, self.u)}
        for pair, r in (*shared.items(), *ufloats.items()):
            if pair in self.r or pair[::-1] in self.r:
                raise BadValue(f"corr: the correlation of '{pair[0]}' and '{pair[1]}' is known already")
            self.r[pair] = r

    @property
    def single(self) -> bool:
        """Whether all inputs are single numbers."""
        return all(q.single for q in self.quantities.values())


def at_numbers(model: Model, inputs: Inputs, asked: Options) -> Any:
    """The result at one point; of several outputs a tuple of these with names."""
    from gradcli.uncertainty.budget import at_point

    used = {name for parsed in model.parsed for name in parsed.variables}
    job = _job(model, inputs, asked, used)
    with in_python():
        answer = at_point(job)
    names = [outcome.name for outcome in answer.outcomes]
    origin = Sources(inputs.quantities, inputs.r)
    both = {**answer.correlations, **{(b, a): r for (a, b), r in answer.correlations.items()}}
    results = []
    for outcome in answer.outcomes:
        told = {name: getattr(outcome, name) for name in outcome.__dataclass_fields__}
        if not asked.second_order:
            told["second"] = None
        results.append(Uncertain(
            **told, flags=tuple([flag._replace(text=python_words(flag.text)) for flag in answer.flags]),
            simulation=answer.simulations.get(outcome.name),
            correlations={b: both[outcome.name, b] for b in names if (outcome.name, b) in both}, origin=origin,
        ))  # fmt: skip
    return results[0] if len(results) == 1 else values(names, results)


def _job(model: Model, inputs: Inputs, asked: Options, used: set[str]) -> PropagateJob:
    """The request as the command line has it: texts of numbers are read back as the same doubles."""
    at, u, dist = [], [], []
    for name, q in inputs.quantities.items():
        if name not in used:
            continue
        spelled = spell_name(name)
        if q.shape is not None:
            dist.append(f"{spelled}={q.shape}")
        elif q.text is not None:
            at.append(f"{spelled}={q.text}")
        else:
            at.append(f"{spelled}={q.value!r}")
            if name in inputs.u:
                u.append(f"{spelled}={q.u!r}")
    unknown = next((name for name in asked.df if name not in inputs.u), None)
    if unknown is not None:
        raise BadValue(f"df: '{unknown}' is not an argument with an uncertainty")
    if not used & {*inputs.u}:
        raise BadValue("no input with an uncertainty is used in the expression")
    own = model.job
    kink = "convention" if own.kink == "derivative" else own.kink
    return PropagateJob(
        model.parsed, at=at, u=u, dist=dist,
        df=[f"{spell_name(name)}={df!r}" for name, df in {**inputs.df, **asked.df}.items() if name in used],
        corr=[f"{spell_name(a)},{spell_name(b)}={r!r}" for (a, b), r in inputs.r.items() if {a, b} <= used],
        second_order=asked.second_order, correlations=len(model.outputs) > 1, coverage=asked.coverage, k=asked.k,
        mc=asked.mc, seed=asked.seed, kink=kink, careful=own.careful, exact=own.exact, engine=own.engine,
        threads=own.threads,
    )  # fmt: skip


def at_frame(f: Function, df: Any, named: Mapping[str, Any], corr: Any, asked: Options) -> Any:
    """The frame with results and uncertainties as new columns.

    Columns L and u_L, sL or L_std hold an input and its uncertainty; ``named`` gives those that all rows share.
    """
    from gradcli.callables.frame_columns import numbers
    from gradcli.callables.frame_kinds import opened
    from gradcli.uncertainty.inputs import COLUMNS

    _no_point(asked)
    frame = opened(df)
    columns = {name for name in frame.names if isinstance(name, str)}
    fixed: dict[str, Any] = {}
    own: dict[str, str] = {}
    for name, given in named.items():
        if name not in f.args:
            raise BadType(f"the function has no argument '{name}'", hint=meant(name, f.args, "its arguments are"))
        q = quantity(given, name)
        if not q.single:
            raise BadType(f"argument '{name}' is an array, and beside a frame it is one for all rows")
        fixed[name] = q.value
        if q.u is not None:
            own[name], fixed[f"u_{name}"] = f"u_{name}", q.u
    for name in f.args:
        known = [c for form in COLUMNS if (c := form.format(name)) in columns and c not in f.args]
        if len(known) > 1 or (known and name in own):
            raise BadValue(f"'{known[-1]}' and '{own.get(name, known[0])}' may both be the uncertainty of '{name}'")
        if known and name not in fixed:
            own[name] = known[0]
            u = numbers(frame.column(known[0]), known[0], None)
            if not (u >= 0).all():
                row = int((~(u >= 0)).argmax())
                raise BadValue(f"row {row + 1}: {known[0]} is {float(u[row])!r}, and an uncertainty is 0 or more")
    if not own:
        raise BadValue(
            "no column has an uncertainty", hint=f"a column u_{f.args[0] if f.args else 'x'} beside its value"
        )
    r = tuple(sorted(correlations(corr, [*own]).items()))
    detail = (tuple(own.items()), r, asked.second_order, False, False)
    return f._propagated(detail).table(df, 0, at=fixed)


def _no_point(asked: Options) -> None:
    """Raises BadValue for an option of a result at one point."""
    if asked.coverage is not None or asked.k is not None or asked.mc is not None:
        raise BadValue("coverage, k and mc are for a result at one point", hint="for arrays: 2*result.u")
    if asked.df:
        raise BadValue("df is for coverage, and that for a result at one point")


def at_arrays(f: Function, inputs: Inputs, asked: Options) -> Any:
    """The results at arrays of points; of several outputs a tuple of these with names."""
    import numpy as np

    _no_point(asked)
    several = len(f.outputs) > 1
    own = tuple([(name, f"u_{name}") for name in inputs.u])
    detail = (own, tuple(sorted(inputs.r.items())), asked.second_order, True, several)
    numbers = f._propagated(detail).partials(
        *[q.value for q in inputs.quantities.values()], *[inputs.quantities[name].u for name in inputs.u], order=0
    )
    shape = np.shape(next(iter(numbers.values())))
    shared = {x: [np.broadcast_to(v, shape) for v in inputs.quantities[x][:2]] for x in inputs.u}
    results = []
    for name in f.outputs:
        of = f"_{name}" if several else ""
        budget = {}
        for x, (value, u) in shared.items():
            c = numbers[f"c{of}_{x}"]
            with np.errstate(all="ignore"):
                columns: list[Any] = [value, u, c, np.abs(c * u), numbers[f"share{of}_{x}"]]
            budget[x] = BudgetLine(x, *columns)
        second = None
        if asked.second_order:
            second = numbers[f"{name}_second"], numbers[f"u_{name}_second"], numbers[f"linear{of}"]
        pairs = {b: numbers[key] for b in f.outputs for key in (f"r_{name}_{b}", f"r_{b}_{name}") if key in numbers}
        results.append(UncertainArray(name, numbers[name], numbers[f"u_{name}"], budget, second, pairs))
    return results[0] if not several else values(f.outputs, results)
