"""Recipes: all that a function is made of, plain data that is pickled and compared; and the model made from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

from gradcli.calculus.derive import derivatives, expand
from gradcli.calculus.leibniz import derivative_name
from gradcli.callables.model import Model
from gradcli.callables.python_errors import in_python
from gradcli.caret import Source
from gradcli.compute import engine
from gradcli.errors import BadType, BadValue, meant
from gradcli.expr import ZERO
from gradcli.expr.node import collector_paused
from gradcli.job.request import Job, Request, check_order
from gradcli.language import Parsed, parse
from gradcli.language.names import product
from gradcli.limits import work

Text = str | Source
Names = str | Sequence[str]


@dataclass(frozen=True)
class Recipe:
    """``texts``: (name or None, text) pairs; ``steps``: what is derived from them, by the name of a method."""

    texts: tuple[tuple[str | None, Text], ...]
    wrt: tuple[str, ...] | None = None
    args: tuple[str, ...] | None = None
    kink: str = "derivative"
    careful: bool = False
    exact: bool = False
    engine: str = "auto"
    threads: int | None = None
    natural: bool = False
    steps: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        for option, value in (("kink", self.kink), ("engine", self.engine)):
            if not isinstance(value, str):
                raise BadType(f"{option} is a text, not {type(value).__name__}")
        if self.threads is not None and (isinstance(self.threads, bool) or not isinstance(self.threads, int)):
            raise BadType(f"threads is a whole number, not {type(self.threads).__name__}")

    def changes(self) -> dict[str, Any]:
        """The fields that are not those of a plain function, which is what a pickle holds."""
        plain = Recipe(self.texts)
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != getattr(plain, f.name)}

    def spelled(self) -> str:
        """The arguments with which `function` makes a plain function, as Python spells them."""
        texts = [text if isinstance(text, str) else text.text for _, text in self.texts]
        if any(name is not None for name, _ in self.texts):
            shown = repr(dict(zip([name for name, _ in self.texts], texts, strict=True)))
        else:
            shown = repr(texts[0] if len(texts) == 1 else texts)
        options = {k: v for k, v in self.changes().items() if k not in ("steps", "texts")}
        return ", ".join(
            [shown, *[f"{k}={_typed(v) if isinstance(v, tuple) else repr(v)}" for k, v in options.items()]]
        )


def _typed(names: tuple[str, ...]) -> str:
    """Names as an argument: "a,b", or a list where that could be read otherwise."""
    return repr(",".join(names) if all(name.isidentifier() for name in names) else list(names))


def texts_of(expression: Text | Sequence[Text] | Mapping[str, Text]) -> tuple[tuple[str | None, Text], ...]:
    """The texts of a function with the names of their outputs. Raises BadType for anything else."""
    if isinstance(expression, (str, Source)):
        return ((None, expression),)
    if isinstance(expression, Mapping):
        pairs: list[tuple[Any, Any]] = list(expression.items())
    else:
        try:
            pairs = [(None, text) for text in expression]
        except TypeError:
            pairs = [(None, expression)]
    for name, text in pairs:
        if not isinstance(text, (str, Source)) or not isinstance(name, (str, type(None))):
            wrong = text if isinstance(name, (str, type(None))) else name
            raise BadType(f"an expression is a text, not {type(wrong).__name__}", hint=_text_hint(wrong))
        if name is not None and (not name or {*name} & {*"`\n\r"}):
            raise BadValue(f"{name!r} is no name of an output" if name else "the name of an output is missing")
    return tuple(pairs)


def _text_hint(given: Any) -> str:
    if hasattr(given, "read_text"):
        return "the text of a file: path.read_text()"
    if hasattr(given, "expressions"):
        return "it is a function already: it has the methods table, check and diff"
    return "for code that calls NumPy: gradcli.tensor" if callable(given) else 'such as "a*exp(-b*x)"'


def names_of(names: Names | None, option: str) -> tuple[str, ...] | None:
    """Names given as "a,b" or as a sequence. Raises BadType for anything else, BadValue for an empty one."""
    if names is None:
        return None
    if isinstance(names, str):
        from gradcli.job.parse_at_grid_fill import split

        listed = [piece.strip().strip("`") for piece in split(names, ",")] if names.strip() else []
    else:
        try:
            listed = list(names)
        except TypeError:
            raise BadType(f'{option}: names as "a,b" or a list of names, not {type(names).__name__}') from None
    for name in listed:
        if not isinstance(name, str):
            raise BadType(f"{option}: a name is a text, not {type(name).__name__}")
        if not name:
            raise BadValue(f"{option}: a name is missing in {names!r}")
    return tuple(listed)


# Functions are made again and again in loops and notebooks: the same text is not read twice.
@lru_cache(256)
def model_of(recipe: Recipe) -> Model:
    """The model of a recipe. Raises GradError for a text, a name or an option that does not fit."""
    with in_python():
        return _made(recipe)


def _made(recipe: Recipe) -> Model:
    engine.check(recipe.engine)
    if recipe.threads is not None and recipe.threads < 1:
        raise BadValue(f"threads is a number of threads from 1, not {recipe.threads!r}")
    with collector_paused(), work.request():
        known = {*(recipe.args or ()), *(recipe.wrt or ())}
        parsed = [_named(name, parse(text, known, natural=recipe.natural or None)) for name, text in recipe.texts]
        model = _with(recipe, parsed, recipe.args, recipe.wrt)
        for step, detail in recipe.steps:
            args, wrt = detail if step == "over" else (model.args, model.wrt)
            if step == "propagate":
                args = (*args, *_added(detail))
            of = tuple([name for name, _ in model.outputs]) if step == "diff" else model.of
            model = _with(recipe, [_STEPS[step](model, detail)], args, wrt, derived=True)
            model.of = () if step == "derivatives" else of
    return model


def _with(
    recipe: Recipe, parsed: Sequence[Parsed], args: Sequence[str] | None, wrt: Sequence[str] | None,
    derived: bool = False,
) -> Model:  # fmt: skip
    """The model of expressions; ``derived``: they come from another model, and may lack some of ``args``.

    So may expressions whose arguments are all listed: the slopes of a system may not depend on each of its variables.
    """
    used = list(dict.fromkeys(name for p in parsed for name in p.variables))
    listed = args is not None and {*used} <= {*args}
    known = args if listed and args is not None else used
    odd = next((name for name in wrt or () if name not in known), None)
    if odd is not None:
        hint = product(used, [odd]) or meant(odd, known, "its arguments are" if listed else "its variables are")
        if not listed and hint.startswith("its"):
            hint += f'; to have it all the same: function(..., args="{",".join([*used, odd])}")'
        raise BadValue(f"wrt: '{odd}' is not used in the expression", hint=hint)
    job = Job(
        parsed, wrt, 0, derived or listed, kink=recipe.kink, careful=recipe.careful or None, exact=recipe.exact,
        engine=recipe.engine, threads=recipe.threads,
    )  # fmt: skip
    return Model(job, args)


def _named(name: str | None, parsed: Parsed) -> Parsed:
    if name is None:
        return parsed
    if len(parsed.outputs) != 1:
        raise BadValue(
            f"'{name}' stands for one expression, and its text has {len(parsed.outputs)}", source=parsed.source,
            hint="give the texts as a list; each names its own outputs",
        )  # fmt: skip
    return parsed._replace(outputs=[(name, parsed.outputs[0][1])])


def _diff(model: Model, powers: Sequence[tuple[str, int]]) -> Parsed:
    """Every output differentiated, as often in each variable as ``powers`` tell."""
    wrt = [name for name, _ in powers]
    check_order(sum(times for _, times in powers), len(wrt), len(model.outputs))
    partial = tuple([k for k, (_, times) in enumerate(powers) for _ in range(times)])
    outputs = []
    roots = expand([e for _, e in model.outputs])
    for (name, _), e in zip(model.outputs, roots, strict=True):
        d = derivatives(e, wrt, len(partial)).get(partial, ZERO) if partial else e
        outputs.append((derivative_name(name, wrt, partial), d))
    return _replaced(model, outputs)


def _partials(model: Model, asked: tuple[int, Sequence[str]]) -> Parsed:
    """The outputs and all their partials up to an order in some variables, as outputs."""
    order, wrt = asked
    return _replaced(model, Request(replace(model.job, order=order, wrt=wrt), model.args).derived)


def _over(model: Model, _: tuple[Sequence[str], Sequence[str]]) -> Parsed:
    """The same outputs, of arguments in another order and differentiated in other variables."""
    return _replaced(model, model.outputs)


def _simplify(model: Model, _: None) -> Parsed:
    """The outputs in textbook form."""
    from gradcli.job.textbook import simplified
    from gradcli.verify import differing

    roots = expand([e for _, e in model.outputs])
    named = list(zip([name for name, _ in model.outputs], roots, strict=True))
    return _replaced(model, simplified(named, named, model.args, differing).named)


def _uncertain(model: Model, asked: tuple[Sequence[tuple[str, str]], Sequence[Any], bool, bool, bool]) -> Parsed:
    """The outputs and their uncertainties, of the arguments and of the uncertainties of some of them."""
    from gradcli.expr import const, var
    from gradcli.uncertainty.formula import Inputs, propagate
    from gradcli.uncertainty.outputs import columns
    from gradcli.uncertainty.request import PropagateJob

    own, r, second, budget, correlations = asked
    for name, u in own:
        if u in model.args:
            raise BadValue(f"'{u}' is an argument, and would be the uncertainty of '{name}' too")
    inputs = Inputs(
        {name: var(u) for name, u in own},
        {pair: var(value) if isinstance(value, str) else const(value) for pair, value in r},
    )
    formulas = propagate(model.outputs, inputs, second=second)
    job = PropagateJob((), second_order=second, budget=budget, correlations=correlations)
    made = _replaced(model, columns(job, formulas, inputs, point=False))
    return made._replace(variables=(*model.args, *_added(asked)))


def _added(asked: Sequence[Any]) -> list[str]:
    """The arguments that uncertainties, and correlations that are not the same everywhere, add to those of a model."""
    return [*[u for _, u in asked[0]], *[r for _, r in asked[1] if isinstance(r, str)]]


def _replaced(model: Model, outputs: Sequence[tuple[str, Any]]) -> Parsed:
    return model.parsed[0]._replace(outputs=list(outputs), names={}, variables=model.args)


_STEPS: dict[str, Any] = {"diff": _diff, "derivatives": _partials, "simplify": _simplify, "over": _over,
                          "propagate": _uncertain}  # fmt: skip
