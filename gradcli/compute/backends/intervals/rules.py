"""The rules of the function table: for each function the range of its values over boxes."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from gradcli.compute.backends.intervals.arithmetic import absolute, copysign, div, fmod, inverse, mod, power
from gradcli.compute.backends.intervals.bessel import BESSEL
from gradcli.compute.backends.intervals.decisions import (
    GREATEST,
    LEAST,
    clip,
    equal,
    heaviside,
    less,
    where,
)
from gradcli.compute.backends.intervals.functions import atan2, cot, dsinc, gauss, hermite, hypot, tan
from gradcli.compute.backends.intervals.ranges import (
    Ranges,
    Rule,
    above,
    even,
    late,
    monotone,
    positive,
    product,
    rising,
    row,
    stepped,
    turning,
    wave,
)
from gradcli.compute.backends.intervals.special import SPECIAL

SAMPLED = dict.fromkeys(("sum", "mean", "prod", "norm"), "it takes all points at once")
"""Functions without a rule, and why: curves with them are sampled at equal distances."""

RULES: dict[str, Rule] = {
    "add": lambda x, y: Ranges(x.low + y.low, x.high + y.high),
    "sub": lambda x, y: Ranges(x.low - y.high, x.high - y.low),
    "mul": lambda x, y: Ranges(*product(x.low, x.high, y.low, y.high)),
    "neg": lambda x: Ranges(-x.high, -x.low),
    "div": div, "power": power, "mod": mod, "fmod": fmod,
    "lt": lambda x, y: less(x, y, True), "le": lambda x, y: less(x, y, False),
    "gt": lambda x, y: less(y, x, True), "ge": lambda x, y: less(y, x, False),
    "eq": lambda x, y: equal(x, y, True), "ne": lambda x, y: equal(x, y, False),
    "and": lambda x, y: Ranges(np.minimum(x.low, y.low), np.minimum(x.high, y.high)),
    "or": lambda x, y: Ranges(np.maximum(x.low, y.low), np.maximum(x.high, y.high)),
    "not": lambda x: Ranges(1 - x.high, 1 - x.low),
    "where": where, "defined": lambda y, slope: Ranges(slope.low, slope.high, np.isnan(y.low)),
    "min": LEAST, "max": GREATEST, "clip": clip, "heaviside": heaviside,
    "abs": absolute, "copysign": copysign,
    "sign": stepped(np.sign), "floor": stepped(np.floor), "ceil": stepped(np.ceil), "round": stepped(np.rint),
    "trunc": stepped(np.trunc),
    "sqrt": above(np.sqrt, 0), "log": above(np.log, 0), "log2": above(np.log2, 0), "log10": above(np.log10, 0),
    "log1p": above(np.log1p, -1), "acosh": above(np.arccosh, 1), "asin": above(np.arcsin, -1, 1),
    "acos": above(np.arccos, -1, 1, falling=True), "atanh": above(np.arctanh, -1, 1),
    "logit": above(late("logit"), 0, 1), "erfinv": above(late("erfinv"), -1, 1),
    "cbrt": lambda x: Ranges(np.cbrt(x.low), np.cbrt(x.high), (x.low <= 0) & (x.high >= 0)),
    "exp": positive(np.exp), "exp2": positive(np.exp2), "expm1": rising(np.expm1), "sinh": rising(np.sinh),
    "tanh": rising(np.tanh), "asinh": rising(np.arcsinh), "atan": rising(np.arctan),
    "sigmoid": monotone("sigmoid"), "softplus": monotone("softplus"), "exprel": monotone("exprel"),
    "erf": monotone("erf"), "erfc": monotone("erfc", True), "erfcx": monotone("erfcx", True),
    "normcdf": monotone("normcdf"),
    "dexprel": lambda n, x: Ranges(row("dexprel", n)(x.low), row("dexprel", n)(x.high)),
    "dgauss": turning("dgauss", lambda n: hermite(n + 1)),
    "dnormpdf": turning("dnormpdf", lambda n: [math.sqrt(2) * t for t in hermite(n + 1)]),
    "dsinc": dsinc, "sinc": partial(dsinc, 0),
    "sinhc": lambda x: even(x, row("sinhc"), 1.0),
    "normpdf": lambda x: even(x, row("normpdf"), 1 / math.sqrt(2 * math.pi), top=True),
    "logaddexp": lambda x, y: Ranges(np.logaddexp(x.low, y.low), np.logaddexp(x.high, y.high)),
    "sin": lambda x: wave(x, math.pi / 2), "cos": lambda x: wave(x, 0.0), "tan": tan,
    "sec": inverse(lambda x: wave(x, 0.0)), "csc": inverse(lambda x: wave(x, math.pi / 2)), "cot": cot,
    "sech": lambda x: even(x, lambda v: 1 / np.cosh(v), 1.0, top=True), "csch": inverse(rising(np.sinh)),
    "coth": inverse(rising(np.tanh)), "cosh": lambda x: even(x, np.cosh, 1.0), "gauss": gauss,
    "hypot": hypot, "atan2": atan2, "fma": lambda x, y, z: RULES["add"](RULES["mul"](x, y), z),
    **SPECIAL, **BESSEL,
}  # fmt: skip

LENIENT = frozenset(
    RULES[name] for name in ("where", "defined", "and", "or", "not", "lt", "le", "gt", "ge", "eq", "ne")
)
"""The rules of functions that may have a value where an argument has none."""
