"""Rows of the interpreted languages: Python, NumPy, JavaScript."""

from __future__ import annotations

from gradcli.codegen.language import Language
from gradcli.codegen.languages_compiled import INFIX, calls, from_rows


def _guarded(name: str, error: str, otherwise: str, arguments: str = "x") -> str:
    return (
        f"def {name}({arguments}):\n    try:\n        return math.{name}({arguments})\n"
        f"    except {error}:\n        return {otherwise}\n\n\n"
    )


def _logarithm(name: str, pole: str) -> str:
    return (
        f"def {name}(x):\n    if x > {pole}:\n        return math.{name}(x)\n"
        f"    return -math.inf if x == {pole} else math.nan\n\n\n"
    )


_OVERFLOWS = {"exp", "exp2", "expm1", "cosh"}
_REFUSES = {"sqrt", "sin", "cos", "tan", "asin", "acos", "acosh"}
_PYTHON = Language(
    "python", "a Python function of numbers (3.11 or later), math alone", "#",
    {
        **INFIX, "inf": "math.inf", "nan": "math.nan", "pi": "math.pi", "e": "math.e", "tau": "math.tau",
        "and": ("{0:2} and {1:3}", 2), "or": ("{0:1} or {1:2}", 1), "not": ("not {0:4}", 3),
        "where": ("{1:1} if {0:1} else {2}", 0), "abs": "abs({0})", "div": "div({0}, {1})",
        "bare_div": ("{0:6}/{1:7}", 6),
        **calls("math.F({0})", "atan tanh asinh erf erfc cbrt_near=cbrt"),
        **calls("math.F({0}, {1})", "atan2 hypot bare_copysign=copysign"),
        **calls("F({0})", "exp exp2 expm1 cosh sqrt sin cos tan asin acos acosh sinh atanh log log2 log10 log1p gamma"
                " lgamma floor ceil trunc round=nearest"),
        **calls("F({0}, {1})", "fmod power mod"), "fma": "fma({0}, {1}, {2})",
    },
    frame="<comment>\nimport math\n\n\n<prelude><helpers>def f(<parameters>):\n<body>    return (<results><comma>)\n",
    result="<value>", helper="def <function>(<parameters>):\n<body>    return <value>\n\n\n", whole=True,
    suffixes=(".py",), prelude={
        "div": "def div(x, y):\n    if y:\n        return x / y\n"
        "    return x * math.copysign(math.inf, y)\n\n\n",
        **{f: _guarded(f, "OverflowError", "math.inf") for f in _OVERFLOWS},
        **{f: _guarded(f, "ValueError", "math.nan") for f in _REFUSES},
        "sinh": _guarded("sinh", "OverflowError", "math.copysign(math.inf, x)"),
        "atanh": _guarded("atanh", "ValueError", "x * math.inf if abs(x) == 1 else math.nan"),
        "fmod": _guarded("fmod", "ValueError", "math.nan", "x, y"),
        **{f: _logarithm(f, "-1" if f == "log1p" else "0") for f in ("log", "log2", "log10", "log1p")},
        "gamma": "def gamma(x):\n    if x == 0:\n        return math.copysign(math.inf, x)\n    try:\n"
        "        return math.gamma(x)\n    except ValueError:\n        return math.nan\n    except OverflowError:\n"
        "        return math.inf\n\n\n",
        "lgamma": _guarded("lgamma", "(OverflowError, ValueError)", "math.inf"),
        "mod": "def mod(x, y):\n    return x % y if y else math.nan\n\n\n",
        "power": "def power(x, n):\n    odd = n % 2 == 1 if abs(n) < math.inf else False\n    try:\n"
        "        return math.pow(x, n)\n    except OverflowError:\n"
        "        return -math.inf if x < 0 and odd else math.inf\n    except ValueError:\n"
        "        return math.nan if x else math.copysign(math.inf, x) if odd else math.inf\n\n\n",
        **{f: f"def {f}(x):\n    return math.copysign(math.{f}(x), x) if abs(x) < 2.0**52 else x\n\n\n"
           for f in ("floor", "ceil", "trunc")},
        "nearest": "def nearest(x):\n    return math.copysign(round(x), x) if abs(x) < 2.0**52 else x\n\n\n",
        "fma": "def fma(x, y, z):\n    if not math.isfinite(x * y + z) or not x or not y:\n        return x * y + z\n"
        "    total = Fraction(x) * Fraction(y) + Fraction(z)\n    return float(total) if total else x * y + z\n\n\n",
        "Fraction": "from fractions import Fraction\n\n\n",
    },
    keywords="""False None True and as assert async await break class continue def del elif else except finally for
    from global if import in is lambda nonlocal not or pass raise return try while with yield match case type float abs
    round print""",
)  # fmt: skip

_NUMPY = Language(
    "numpy", "a Python function of NumPy arrays, SciPy where NumPy lacks a function", "#",
    {
        **from_rows("np.", "numpy"), **INFIX, "inf": "np.inf", "nan": "np.nan",
        "pi": "np.pi", "e": "np.e", "tau": "(2*np.pi)",
        "and": ("({0}) & ({1})", 3), "or": ("({0}) | ({1})", 2), "not": "~({0})",
        "where": "np.where({0}, {1}, {2})",
        **calls("np.F({0})", "abs cbrt_near=cbrt"), "mod": "np.mod({0}, {1})",
        **calls("special.F({0})", "erf erfc gamma lgamma=gammaln digamma erfinv"),
        "bare_polygamma": "special.polygamma({n}, {0})",
        **calls("special.F({n}, {0})", "besselj=jv bessely=yn besseli=iv besselk=kn"),
        **calls("special.F({0}, {1})", "jv yv iv kv beta betaln gammainc gammaincc"),
        "betainc": "special.betainc({0}, {1}, {2})",
        **{op: f"special.airy({{0}})[{k}]" for k, op in enumerate(("airyai", "airyaiprime", "airybi", "airybiprime"))},
        "lambertw": "real_lambertw({0}, 0)", "lambertw_low": "real_lambertw({0}, -1)",
    },
    frame="<comment>\nimport numpy as np\n<prelude>\n\n<helpers>def f(<parameters>):\n<read>"
    '    with np.errstate(all="ignore"):\n<inner>        return (<results><comma>)\n',
    result="<value>", helper="def <function>(<parameters>):\n<body>    return <value>\n\n\n",
    read="    <name> = np.asarray(<name>, dtype=float)\n", spread="np.full(shape, <value>)",
    shape="    shape = np.broadcast_shapes(<shapes>)\n", shape_of="<name>.shape", prelude={
        "special": "from scipy import special\n",
        "real_lambertw": "\n\ndef real_lambertw(x, k):\n    w = special.lambertw(x, k)\n"
        "    return np.where(w.imag == 0, w.real, np.nan)\n",
    },
    keywords=_PYTHON.keywords,
)  # fmt: skip

_JAVASCRIPT = Language(
    "javascript", "a JavaScript function that returns an array", "//",
    {
        **INFIX, "eq": ("{0:5} === {1:5}", 4), "ne": ("{0:5} !== {1:5}", 4), "inf": "Infinity", "nan": "NaN",
        "pi": "Math.PI", "e": "Math.E", "tau": "(2*Math.PI)",
        **calls("Math.F({0})", "sqrt exp expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh"
                " acosh atanh abs sign floor ceil trunc cbrt_near=cbrt"),
        **calls("Math.F({0}, {1})", "atan2 hypot min max"),
        # ECMAScript: Math.pow(1, Infinity) is NaN; IEEE 754 says 1.
        "power": "power({0}, {1})", "fmod": ("{0:6} % {1:7}", 6),
    },
    frame="<comment>\n<prelude><helpers>function f(<parameters>) {\n<body>  return [<results>];\n}\n",
    result="<value>", helper="function <function>(<parameters>) {\n<body>  return <value>;\n}\n\n", whole=True,
    assign="  const <name> = <value>;\n", suffixes=(".js", ".mjs"),
    prelude={"power": "function power(x, n) {\n  if (x === 1 || (x === -1 && Math.abs(n) === Infinity)) return 1;\n"
             "  return Math.pow(x, n);\n}\n\n"},
    keywords="""arguments await break case catch class const continue debugger default delete do else enum eval export
    extends false finally for function if implements import in instanceof interface let new null package private
    protected public return static super switch this throw true try typeof undefined var void while with yield async of
    get set module exports require globalThis window""",
)  # fmt: skip

ROWS = (_PYTHON, _NUMPY, _JAVASCRIPT)
