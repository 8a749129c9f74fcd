"""The kernels over arrays that need SciPy, by function name.

Layer: must not know programs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gradcli.compute.backends import airy, incomplete, lambertw
from gradcli.compute.backends.bessel import bessel
from gradcli.compute.backends.polygamma import polygamma
from gradcli.compute.backends.special import scipy
from gradcli.functions.bessel import REAL_ORDER

Array = NDArray[np.float64]


def _airy(name: str, value: None, x: Array) -> Array:
    return airy.airy(name, x)


def erfinv_gauss(x: Array) -> Array:
    """Return exp(erfinv(x)**2) at each element of ``x``, to full accuracy although y = erfinv(x) is rounded.

    A relative error of an ulp in y changes exp(y*y) by 2*y*y ulp. A Newton step removes it: with the residual
    r = erf(y) - x the inverse is y - r*exp(y*y)*sqrt(pi)/2, and exp(y*y) is corrected to second order in that step.
    """
    special = scipy()
    x = np.asarray(x, dtype=np.float64)
    size = np.abs(x)
    y = special.erfinv(size)
    # Use the C library's erfc, since its relative error carries over to the result.
    erfc = np.frompyfunc(math.erfc, 1, 1)
    with np.errstate(all="ignore"):
        lead = np.rint(y * 2.0**20) / 2.0**20
        growth = np.exp(lead * lead) * np.exp((y - lead) * (y + lead))
        residual = np.where(size > 0.5, (1 - size) - np.asarray(erfc(y), dtype=np.float64), special.erf(y) - size)
        step = -residual * growth * (math.sqrt(math.pi) / 2)
        corrected = growth * (1 + 2 * y * step + (1 + 2 * y * y) * step * step)
    return np.where(size == 1, math.inf, corrected)


def scipy_kernel(name: str) -> Callable[..., Array]:
    """Return the kernel ``(value, *x) -> array`` of a function; ``value`` is its integer parameter, if it has one.

    Raise GradError if SciPy is not installed.
    """
    special = scipy(name)
    if name in REAL_ORDER or name in REAL_ORDER.values():
        return bessel(name)
    kernels: dict[str, Callable[..., Array]] = {
        "digamma": lambda value, x: polygamma(0, x),
        "polygamma": polygamma, "polygamma_gap": incomplete.polygamma_gap,
        "erfinv": lambda value, x: special.erfinv(x), "erfinv_gauss": lambda value, x: erfinv_gauss(x),
        "beta": lambda value, x, y: incomplete.beta(x, y), "betaln": lambda value, x, y: incomplete.betaln(x, y),
        "betainc": lambda value, a, b, x: special.betainc(a, b, x),
        "betapdf": incomplete.betapdf,
        "gammainc": lambda value, a, x: special.gammainc(a, x),
        "gammaincc": lambda value, a, x: special.gammaincc(a, x),
        "gammapdf": incomplete.gammapdf,
        "lambertw": lambda value, x: lambertw.lambertw(0, x), "lambertw_low": lambda value, x: lambertw.lambertw(1, x),
        "lambertw_above": lambertw.above,
        **{f"airy{kind}": partial(_airy, f"airy{kind}") for kind in ("ai", "aiprime", "bi", "biprime")},
    }  # fmt: skip
    kernel = kernels[name]

    def run(value: int | None, *x: Array) -> Array:
        with np.errstate(all="ignore"):
            return kernel(value, *np.broadcast_arrays(*[np.asarray(a, dtype=np.float64) for a in x]))

    return run
