"""Rows of the compiled languages: C, Rust, Fortran, Julia."""

from __future__ import annotations

from typing import Literal

from gradcli.codegen.language import Language, Spelled
from gradcli.functions import TABLE

INFIX: Spelled = {
    "add": ("{0:5} + {1:6}", 5), "sub": ("{0:5} - {1:6}", 5), "mul": ("{0:6}*{1:7}", 6), "div": ("{0:6}/{1:7}", 6),
    "neg": ("-{0:6}", 6), "lt": ("{0:5} < {1:5}", 4), "le": ("{0:5} <= {1:5}", 4), "gt": ("{0:5} > {1:5}", 4),
    "ge": ("{0:5} >= {1:5}", 4), "eq": ("{0:5} == {1:5}", 4), "ne": ("{0:5} != {1:5}", 4),
    "and": ("{0:4} && {1:4}", 2), "or": ("{0:4} || {1:4}", 1), "not": "!({0})",
    "where": ("{0:1} ? {1:1} : {2}", 0),
}  # fmt: skip
"""Operators as C spells them, which most languages share."""


def calls(template: str, names: str, binds: int = 9) -> dict[str, str | tuple[str, int]]:
    """Spellings of functions by one template with F for the name; ``op=F`` where the language's name differs."""
    pairs = [word.partition("=") for word in names.split()]
    return {op: (template.replace("F", name or op), binds) for op, _, name in pairs}


def from_rows(prefix: str, fact: Literal["libm", "numpy"]) -> dict[str, str]:
    """Calls of the functions with a kernel that have a name in the C library or in NumPy, with a prefix before it."""
    return {
        # copysign reads the sign bit of a nan, which differs between machines: a guarded form wraps it.
        "bare_copysign" if row.name == "copysign" else row.name:
        f"{prefix}{name}({', '.join([f'{{{k}}}' for k in range(len(row.arguments))])})"
        for row in TABLE.values() if (name := getattr(row, fact)) and (row.expansion is None or row.selects)
    }  # fmt: skip


_C = Language(
    "c", "a C99 function that fills an array", "//",
    {
        **INFIX, "inf": "INFINITY", "nan": "NAN", "cbrt_near": "cbrt({0})", **from_rows("", "libm"),
    },
    frame="<comment>// Build with -ffp-contract=off and without -ffast-math.\n\n#include <math.h>\n\n<helpers>"
    "void f(<parameters>)\n{\n<body><results>}\n",
    result="    out[<index>] = <value>;\n", between="", extra="double out[<count>]", suffixes=(".c",),
    helper="static double <function>(<parameters>)\n{\n<body>    return <value>;\n}\n\n",
    assign="    const double <name> = <value>;\n", assign_truth="    const int <name> = <value>;\n",
    parameter="double {0}",
    keywords="""auto break case char const continue default do double else enum extern float for goto if inline int
    long register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    _Bool bool true false class new delete this template namespace alignas alignof asm typeof linux unix i386 NULL EOF
    HUGE HUGE_VAL HUGE_VALF HUGE_VALL FP_NAN FP_INFINITE FP_ZERO FP_SUBNORMAL FP_NORMAL FP_ILOGB0 FP_ILOGBNAN
    MATH_ERRNO MATH_ERREXCEPT math_errhandling M_E M_PI DOMAIN SING OVERFLOW UNDERFLOW PLOSS TLOSS MAXFLOAT errno
    FP_FAST_FMA FP_FAST_FMAF FP_FAST_FMAL main signgam constexpr nullptr thread_local static_assert SNAN SNANF SNANL
    M_LOG2E M_LOG10E M_LN2 M_LN10 M_PI_2 M_PI_4 M_1_PI M_2_PI M_2_SQRTPI M_SQRT2 M_SQRT1_2 X_TLOSS min max""",
)  # fmt: skip

_METHODS = {
    **calls("f64::F({0})", "sqrt exp exp2 expm1=exp_m1 log=ln log2 log10 log1p=ln_1p sin cos tan asin acos atan"
            " sinh cosh tanh abs floor ceil round=round_ties_even trunc cbrt_near=cbrt"),
    **calls("f64::F({0}, {1})", "atan2 hypot bare_copysign=copysign power=powf"),
    "fmod": ("{0:6} % {1:7}", 6), "fma": "f64::mul_add({0}, {1}, {2})",
}  # fmt: skip
_LIBM = {op: call for op, call in from_rows("libm_", "libm").items() if op not in _METHODS}
_RUST = Language(
    "rust", "a Rust function that returns an array (1.82 or later, the C library's erf and gamma)", "//",
    {
        **INFIX, "inf": "f64::INFINITY", "nan": "f64::NAN", "where": ("if {0} { {1} } else { {2} }", 0),
        "pi": "std::f64::consts::PI", "e": "std::f64::consts::E", "tau": "std::f64::consts::TAU",
        **_METHODS, **_LIBM,
    },
    frame="<comment>\n<prelude><helpers>#[allow(non_snake_case, unused_variables, unused_parens)]\n"
    "pub fn f(<parameters>) -> [f64; <count>] {\n<body>    [\n<results>    ]\n}\n",
    result="        <value>,\n", between="",
    helper="fn <function>(<parameters>) -> f64 {\n<body>    <value>\n}\n\n",
    assign="    let <name> = <value>;\n", parameter="{0}: f64", suffixes=(".rs",),
    prelude={
        f"libm_{f}": f'fn libm_{f}(x: f64) -> f64 {{\n    unsafe extern "C" {{\n'
        f"        fn {f}(x: f64) -> f64;\n    }}\n    unsafe {{ {f}(x) }}\n}}\n\n"
        for f in [TABLE[op].libm for op in _LIBM]
    },
    keywords="""as break const continue crate dyn else enum extern false fn for if impl in let loop match mod move mut
    pub ref return self Self static struct super trait true type unsafe use where while async await abstract become box
    do final macro override priv typeof unsized virtual yield try gen union std core i8 u8 f32 None Some Ok Err main""",
)  # fmt: skip


def _interface(name: str, symbol: str, arguments: str) -> str:
    names = ", ".join(arguments)
    return (
        f'  interface\n    pure function {name}({names}) result(r) bind(c, name="{symbol}")\n'
        f"      import :: c_double\n      real(c_double), value :: {names}\n      real(c_double) :: r\n"
        "    end function\n  end interface\n"
    )


_INTRINSIC = {
    **calls("F({0})", "sqrt exp log log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh abs erf erfc"
            " gamma lgamma=log_gamma"),
    **calls("F({0}, {1})", "atan2 hypot bare_copysign=sign"),
    **calls("F({n}, {0})", "besselj=bessel_jn bessely=bessel_yn"),
}  # fmt: skip
_FROM_C = {op: call for op, call in from_rows("c_", "libm").items() if op not in _INTRINSIC}
_FORTRAN = Language(
    "fortran", "a Fortran 2008 module with a pure subroutine", "!",
    {
        **INFIX, "neg": ("-{0:6}", 5), "ne": ("{0:5} /= {1:5}", 4), "and": ("{0:4} .and. {1:4}", 2),
        "or": ("{0:4} .or. {1:4}", 1), "not": ".not. ({0})", "where": "merge({1}, {2}, {0})",
        "inf": "ieee_value(0.0_dp, ieee_positive_inf)", "nan": "ieee_value(0.0_dp, ieee_quiet_nan)",
        **_INTRINSIC, **_FROM_C, "cbrt_near": "c_cbrt({0})",
    },
    frame="<comment>! Build with -ffp-contract=off and without -ffast-math.\n"
    "module derivatives\n  use, intrinsic :: iso_c_binding, only: c_double\n"
    "  use, intrinsic :: iso_fortran_env, only: dp => real64\n  use, intrinsic :: ieee_arithmetic\n  implicit none\n"
    "  private\n  public :: f\n<prelude>contains\n\n<helpers>  pure subroutine f(<parameters>)\n<read>"
    "    real(dp), intent(out) :: out(<count>)\n<declared><body><results>  end subroutine f\nend module derivatives\n",
    suffixes=(".f90", ".f95", ".f03", ".f08"),
    result="    out(<place>) = <value>\n", between="", extra="out",
    helper="  pure real(dp) function <function>(<parameters>) result(r)\n<read><declared><body>    r = <value>\n"
    "  end function <function>\n\n",
    declare="    real(dp) :: <name>\n", declare_truth="    logical :: <name>\n",
    read="    real(dp), intent(in) :: <name>\n", literal="{0}_dp", minus=5, folds=True, wrap="&",
    prelude={
        f"c_{name}": _interface(f"c_{name}", name, arguments)
        for name, arguments in [("cbrt", "x"), *[(TABLE[op].libm, "xyz"[: TABLE[op].arity[0]]) for op in _FROM_C]]
    },
    keywords="round min max mod sign floor gauss r real64 merge if then else end do call use only kind real"
    " integer logical function subroutine module contains pure result ieee_arithmetic",
)  # fmt: skip

_NAN_BELOW = {"sqrt": "x < 0", "log": "x < 0", "log2": "x < 0", "log10": "x < 0", "log1p": "x < -1",
              "asin": "abs(x) > 1", "acos": "abs(x) > 1", "acosh": "x < 1", "atanh": "abs(x) > 1",
              "sin": "isinf(x)", "cos": "isinf(x)", "tan": "isinf(x)",
              "gamma": "x == -Inf || (x < 0 && isinteger(x))"}  # fmt: skip
_SPECIAL = "using SpecialFunctions: "
_JULIA = Language(
    "julia", "a Julia function that returns a tuple", "#",
    {
        **INFIX, "inf": "Inf", "nan": "NaN", "where": "ifelse({0}, {1}, {2})", "pi": "Float64(pi)",
        **calls("F({0})", "exp exp2 expm1 atan sinh cosh tanh asinh abs sign floor ceil round trunc cbrt_near=cbrt"
                " erf erfc erfinv digamma lgamma"),
        **calls("nan_F({0})", " ".join(_NAN_BELOW)),
        **calls("F({0}, {1})", "atan2=atan hypot bare_copysign=copysign min max mod"), "fmod": "rem({0}, {1})",
        "power": "nan_power({0}, {1})", "fma": "fma({0}, {1}, {2})", "bare_polygamma": "polygamma({n}, {0})",
        **calls("F({n}, {0})", "besselj bessely besseli besselk"),
        **calls("F({0}, {1})", "jv=besselj yv=bessely iv=besseli kv=besselk beta betaln=logbeta"),
        **calls("F({0})", "airyai airyaiprime airybi airybiprime"), "betainc": "first(beta_inc({0}, {1}, {2}))",
        "gammainc": "first(gamma_inc({0}, {1}))", "gammaincc": "last(gamma_inc({0}, {1}))",
    },
    frame="<comment>\n<prelude><helpers>function f(<parameters>)\n<read><body>    return (<results><comma>)\nend\n",
    result="<value>", helper="function <function>(<parameters>)\n<body>    return <value>\nend\n\n",
    read="    <name> = Float64(<name>)\n", suffixes=(".jl",),
    prelude={
        **{word: f"{_SPECIAL}{word}\n\n" for word in
           ("erf", "erfc", "erfinv", "digamma", "polygamma", "besselj", "bessely", "besseli", "besselk", "beta",
            "logbeta", "airyai", "airyaiprime", "airybi", "airybiprime", "beta_inc", "gamma_inc")},
        "lgamma": f"{_SPECIAL}logabsgamma\n\nlgamma(x) = first(logabsgamma(x))\n\n",
        **{f"nan_{f}": f"nan_{f}(x) = {test} ? NaN : {f}(x)\n\n" for f, test in _NAN_BELOW.items() if f != "gamma"},
        "nan_gamma": f"{_SPECIAL}gamma\n\nnan_gamma(x) = {_NAN_BELOW['gamma']} ? NaN : gamma(x)\n\n",
        "nan_power": "nan_power(x, n) = x < 0 && isfinite(n) && !isinteger(n) ? NaN : x^n\n\n",
    },
    keywords="""baremodule begin break catch const continue do else elseif end export false finally for function global
    if import in isa let local macro module quote return struct true try using while where abstract mutable primitive
    type outer pi e im nothing missing gauss""",
)  # fmt: skip

ROWS = (_C, _RUST, _FORTRAN, _JULIA)
