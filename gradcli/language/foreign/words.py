"""Words of other languages: operators, constants, modules, units, and functions that have no like here.

Layer: data, must not know how a text is read.
"""

from __future__ import annotations

_INTEGRALS = "-- there are no integrals here: the slope of the integral of f(t) from a to x is f(x)"
COMPLEX = "-- there are no complex numbers here"
_VECTORS = "-- there are no vectors and matrices here: spell it out in their elements"
_RANDOM = "-- there are no random numbers here: the same input has the same answer"
_SOLVING = "-- there are no equations to solve here, only derivatives and values"
_ONE_FUNCTION = "-- there is no function here that is the same"

NOTHING: dict[str, str] = {
    word: reason
    for words, reason in (
        ("integral integrate int nintegrate quad quadgk trapz antiderivative primitive laplace fourier", _INTEGRALS),
        ("det determinant inv transpose trace dot cross matmul eig matrix array vector linsolve norm2 kron softmax "
         "logsoftmax ones zeros linspace arange range eye", _VECTORS),
        ("solve fsolve dsolve nsolve root findroot roots minimize maximize fmin argmin argmax odeint", _SOLVING),
        ("limit lim", "-- limits: --at x=0 --kink limit, and series: gradcli explain --at x=0"),
        ("series taylor", "-- gradcli taylor gives Taylor polynomials, gradcli explain --at x=0 series at poles"),
        ("complex cis csgn polar", COMPLEX),
        ("rand random randn randint runif rnorm randbetween", _RANDOM),
        ("gradient jacobian hessian laplacian nabla curl divergence grad",
         "-- diff(f, x) is the derivative in one variable, and gradcli grad gives all"),
        ("plot plot3d graph", "-- gradcli plot draws: gradcli plot \"sin(x)\" --grid x=-5:5"),
        ("exp1 expm logm sqrtm gammaincinv gammainv betaincinv betainv expint ei e1 expn li si ci shi chi sinint "
         "cosint sinhint coshint sici shichi logint logintegral expintegral expintegralei expintegrale sinintegral "
         "cosintegral fresnel fresnels fresnelc zeta polylog dilog li2 spence erfi dawson dawsn dawsonf elliptick "
         "elliptice ellipticf ellipticpi ellipk ellipe ellipj ellipkinc jacobisn legendre legendrep hermite "
         "hermiteh laguerre laguerrel chebyshev chebyshevt chebyt chebyu gegenbauer jacobi jacobip hyp2f1 hyp1f1 "
         "hyp0f1 hypergeom hypergeometric2f1 meijerg struve struveh hankel hankelh1 hankel1 kelvin whittaker "
         "barnesg hurwitzzeta lerchphi voigt owent marcumq theta doublefactorial subfactorial fibonacci bernoulli "
         "euler stirling wofz dirac diracdelta delta kroneckerdelta levicivita sawtooth triangle median quantile "
         "percentile mode gcd lcm isprime bitand bitor bitxor count len cumsum", _ONE_FUNCTION),
    )
    for word in words.split()
}  # fmt: skip
"""Names in lower case of which no use can be written here, with the reason."""

_CIRCLE = "sin cos tan sec csc cot sinh cosh tanh sech csch coth"
INVERSES = {name: f"a{name}" for name in _CIRCLE.split()} | {
    "tg": "atan", "ctg": "acot", "cosec": "acsc", "sh": "asinh", "ch": "acosh", "th": "atanh", "exp": "log",
    "log": "exp", "ln": "exp", "erf": "erfinv",
}  # fmt: skip
"""The inverse of a function by its name."""

_MODULES = (
    "np numpy math cmath Math std torch tf jnp jax sp sympy scipy special mpmath mp numexpr ne cupy cp pl polars F nn "
    "functional T theano K keras tensorflow autograd anp sm Base SpecialFunctions Maths MathF System linalg stats "
    "casadi ca pyomo pyo pm stan global self"
)
MODULES = frozenset(_MODULES.split())
"""Modules and namespaces before the name of a function."""

CONSTANT_WORDS = {
    "Pi": "pi", "PI": "pi", "M_PI": "pi", "%pi": "pi", "M_E": "e", "%e": "e", "Infinity": "inf", "infinity": "inf",
    "Inf": "inf", "INFINITY": "inf", "NaN": "nan", "NAN": "nan", "infty": "inf", "M_SQRT2": "sqrt(2)", "%inf": "inf",
    "INF": "inf", "GoldenRatio": "(1 + sqrt(5))/2", "Degree": "pi/180", "M_PI_2": "pi/2", "M_PI_4": "pi/4",
    "M_LN2": "log(2)",
}  # fmt: skip
"""Constants by other names."""

_FOREIGN_WORDS = "lambda for in import from def return while class with let then print begin end do yield del global"
FOREIGN_WORDS = frozenset(_FOREIGN_WORDS.split())
"""Words that mean something in other languages, and nothing here."""

_GREEK = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega infty hbar ell"
)
GREEK = frozenset(_GREEK.split())
"""Letters that LaTeX has a command for."""

_UNITS = (
    "km m cm mm um nm kg g mg s ms us ns min h Hz kHz MHz GHz N kN J kJ MJ W kW MW V mV kV A mA K Pa kPa MPa bar eV "
    "keV MeV GeV mol L ml mL ft in lb lbs mph deg rad degC ohm T mT C F"
)
UNITS = frozenset(_UNITS.split())
"""Units of measurement, which follow a number and a blank."""

OPERATORS = {
    "mod": "%", "%%": "%", "times": "*", "equals": "==", "is": "==", "xor": "!=", ".*": "*", "./": "/",
    ".+": "+", ".-": "-", "=<": "<=", "=>": ">=", "<>": "!=", "===": "==", "!==": "!=", "/=": "!=", "~=": "!=",
    "&&": "and", "&": "and", "and": "and", "or": "or", "not": "not", ".^": "^", ".**": "**", ".eq.": "==",
    ".ne.": "!=", ".lt.": "<", ".le.": "<=", ".gt.": ">", ".ge.": ">=", ".and.": "and", ".or.": "or", ".not.": "not",
    r"\cdot": "*", r"\times": "*", r"\ast": "*", r"\div": "/", r"\le": "<=", r"\leq": "<=", r"\leqslant": "<=",
    r"\ge": ">=", r"\geq": ">=", r"\geqslant": ">=", r"\ne": "!=", r"\neq": "!=", r"\lt": "<", r"\gt": ">",
    r"\land": "and", r"\wedge": "and", r"\lor": "or", r"\vee": "or", r"\lnot": "not", r"\neg": "not", r"\bmod": "%",
    r"\mod": "%",
}  # fmt: skip
"""Operators by other spellings."""
