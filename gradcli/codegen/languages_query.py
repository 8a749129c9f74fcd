"""Rows of the query languages: SQL in three dialects, jq, awk, Miller."""

from __future__ import annotations

from gradcli.codegen.identifiers import field, key, quoted
from gradcli.codegen.language import Language, Spelled
from gradcli.codegen.languages_compiled import INFIX, calls

_QUERY = "<comment><head>SELECT\n<carried><results>\nFROM <source>;\n"
_COLUMN = "  <value> AS <name>"
_SQL: Spelled = {
    **INFIX, "ne": ("{0:5} <> {1:5}", 4), "eq": ("{0:5} = {1:5}", 4), "and": ("{0:2} AND {1:3}", 2),
    "or": ("{0:1} OR {1:2}", 1), "where": "CASE WHEN {0} THEN {1} ELSE {2} END", "not": "NOT ({0})",
}  # fmt: skip
_NO_NEGATIVE_ZERO = "{} has no negative zero: -0.0 is 0.0 there."
# PostgreSQL and DuckDB order nan: equal to itself and greater than every other value.
_NAN_AWARE: Spelled = {
    "lt": "({0:5} < {1:9} AND {1:9} <> <nan>)", "le": "({0:5} <= {1:9} AND {1:9} <> <nan>)",
    "gt": "({0:9} > {1:5} AND {0:9} <> <nan>)", "ge": "({0:9} >= {1:5} AND {0:9} <> <nan>)",
    "eq": "({0:9} = {1:5} AND {0:9} <> <nan>)", "ne": "({0:9} <> {1:5} OR {0:9} = <nan>)",
}  # fmt: skip


def _aware(nan: str) -> dict[str, str | tuple[str, int]]:
    careful = {op: str(template).replace("<nan>", nan) for op, template in _NAN_AWARE.items()}
    return {**careful, **{f"bare_{op}": _SQL[op] for op in ("lt", "le", "gt", "ge", "eq")}}


_POSTGRES = Language(
    "sql", "one SELECT over the table points, as PostgreSQL spells it", "--",
    {
        **{op: form for op, form in _SQL.items() if op != "div"}, **_aware("'NaN'::float8"),
        "inf": "'Infinity'::float8", "nan": "'NaN'::float8", "-0": "'-0'::float8",
        # A literal is of type numeric, and a CASE of literals too: its arithmetic is decimal.
        "where": "CASE WHEN {0} THEN CAST({1} AS double precision) ELSE {2} END", "bare_where": _SQL["where"],
        "bare_div": ("{0:6}/{1:7}", 6), "bare_power": "power({0}, {1})",
        **calls("F({0})", "abs floor ceil trunc round atan tanh asinh cbrt_near=cbrt bare_exp=exp bare_sqrt=sqrt"
                " bare_log=ln bare_log10=log bare_sin=sin bare_cos=cos"),
        "atan2": "atan2({0}, {1})", "max": "greatest({0}, {1})",
    },
    frame=_QUERY, result=_COLUMN, between=",\n", whole=True, width=600, quoted=True, quote=quoted,
    read='CAST(points.<key> AS double precision) AS <name>', row_of="points", carry="  (<row>).*,\n",
    suffixes=(".sql",), caveats={
        "": "PostgreSQL ends the query with an error where an operation overflows or underflows.",
        **dict.fromkeys(("fmod", "mod"), "A remainder is NaN where the quotient is 2**100 or more."),
    },
)  # fmt: skip

_DUCKDB = Language(
    "duckdb", "one SELECT over the table points, for DuckDB", "--",
    {
        # A literal is of type DECIMAL, as in PostgreSQL.
        **_SQL, "where": "CASE WHEN {0} THEN CAST({1} AS DOUBLE) ELSE {2} END", "bare_where": _SQL["where"],
        **_aware("'nan'::DOUBLE"), "inf": "'inf'::DOUBLE", "nan": "'nan'::DOUBLE", "-0": "'-0'::DOUBLE",
        **calls("F({0})", "sqrt exp log=ln log2 log10 sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh abs"
                " floor ceil trunc gamma lgamma cbrt_near=cbrt"),
        "atan2": "atan2({0}, {1})", "power": "pow({0}, {1})", "fmod": ("{0:6} % {1:7}", 6), "max": "greatest({0}, {1})",
        "round": "round_even({0}, 0)",
    },
    frame=_QUERY, result=_COLUMN, between=",\n", width=600, quoted=True, quote=quoted, folds=True,
    read="CAST(points.<key> AS DOUBLE) AS <name>", row_of="points", carry="  <row>.*,\n",
)  # fmt: skip

_SQLITE = Language(
    "sqlite", "one SELECT over the table points, for SQLite with its mathematics; NULL stands for nan", "--",
    {
        **{op: form for op, form in _SQL.items() if op != "div"},
        "inf": "9e999", "nan": "NULL", "ne": "({0:5} = {1:5}) IS NOT TRUE", "not": "({0}) IS NOT TRUE",
        "bare_div": ("{0:6}/{1:7}", 6),
        **calls("F({0})", "sqrt exp sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh abs floor ceil trunc"
                " bare_log=ln bare_log10=log10"),
        **calls("F({0}, {1})", "atan2 power=pow fmod=mod min max"),
    },
    # The stack of SQLite's parser has 100 entries, and a nested CASE takes five of them.
    frame=_QUERY, result=_COLUMN, between=",\n", width=600, depth=12, quoted=True, quote=quoted, folds=True,
    # SQLite reads these two as truth values even in double quotes.
    read="CAST(points.<key> AS REAL) AS <name>", keywords="true false",
    caveats={"copysign": _NO_NEGATIVE_ZERO.format("SQLite"), "atan2": _NO_NEGATIVE_ZERO.format("SQLite")},
    row_of="points._rowid_", carry="  points.*,\n", rejoined=True,
)  # fmt: skip

_JQ = Language(
    "jq", "a filter from an object of the variables to one of the results; null stands for nan and infinities", "#",
    {
        **{op: form for op, form in INFIX.items() if op not in ("div", "gt", "ge")},
        "inf": "infinite", "nan": "nan", "neg": "(-{0:9})", "lt": "lt({0}; {1})", "le": "le({0}; {1})",
        "and": ("{0:4} and {1:4}", 2), "or": ("{0:4} or {1:4}", 1), "not": ("{0} | not", 0),
        "where": "if {0} then {1} else {2} end", "bare_div": ("{0:6}/{1:7}", 6),
        **calls("{0} | F", "sqrt exp exp2 expm1 log log2 log10 log1p sin cos tan asin acos atan sinh cosh tanh asinh"
                " acosh atanh abs=fabs floor ceil round=rint trunc cbrt_near=cbrt lgamma gamma=tgamma", 0),
        **calls("F({0}; {1})", "atan2 power=pow fmod bare_copysign=copysign"),
    },
    frame="<comment>\n<prelude><helpers><read><body><carried>{<results>}\n", result="<name>: (<value> | finite)",
    carry=". + ", suffixes=(".jq",),
    helper="def <function>(<parameters>):\n<body>  <value>;\n\n", parameter="${0}", separator="; ", reads="${0}",
    assign="  (<value>) as $<name> |\n", read="  (.<key> // nan) as $<name> |\n", whole=True, minus=0, width=600,
    # jq would print an infinity as 1.797e308.
    prelude={"finite": "def finite: if isinfinite then null else . end;\n\n",
             "lt": "def lt($a; $b): ($a | isnan | not) and ($b | isnan | not) and $a < $b;\n\n",
             "le": "def le($a; $b): ($a | isnan | not) and ($b | isnan | not) and $a <= $b;\n\n"},
    keywords="""__loc__ ENV module def if then elif else end as reduce foreach try catch label break import include and
    or not gauss mod fma hypot""", quote=key,
)  # fmt: skip

_NUMBER = r"""# A field as a number; what is none, such as a header, is nan.
function number(s,  x, e, part) {
  if (s ~ /^[-+]?[iI][nN][fF]([iI][nN][iI][tT][yY])?$/) return s ~ /^-/ ? -inf : inf
  if (s !~ /^[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)?$/) return nan
  x = s * 1
  if (x != 0 || s !~ /^[^eE]*[1-9][^eE]*[eE]/) return x
  # The one true awk reads 1e400 and 1e-310 as 0.
  split(s, part, /[eE]/)
  e = part[2] + 0
  return e > 0 ? (s ~ /^-/ ? -inf : inf) : (part[1] "e" (e + 200)) * 1e-200
}

"""
_FMOD = """# Long division in binary, each step of which is exact.
function fmod(x, y,  a, b, c) {
  a = x < 0 ? -x : x
  b = y < 0 ? -y : y
  if (isnan(x) || isnan(y) || b == 0 || a == inf) return nan
  if (a < b) return x
  for (c = b; c <= a / 2; c *= 2) continue
  for (; c >= b; c /= 2) if (a >= c) a -= c
  return x < 0 ? -a : a
}

"""
_EXPONENTIAL = """function exponential(x,  h) {
  if (isnan(x)) return nan
  if (x > -700 && x < 700) return exp(x)
  h = x > 800 ? inf : x < -800 ? 0 : exp(x / 2)
  return h * h
}

"""
_RAISED = """# x ^ n for x > 0, or x < 0 and an integer n.
function raised(x, n,  a, e, p) {
  if (x == 1) return 1
  if (isnan(n)) return nan
  a = x < 0 ? -x : x
  e = n * log(a)
  if (isnan(e)) return 1
  if (e > 800 || e < -800) p = e > 0 ? inf : 0
  else if (e > 700 || e < -700) p = a ^ (n / 2) * a ^ (n / 2)
  else if (n > 4e15 || n < -4e15) p = exp(e)
  # Implementations multiply repeatedly for an integer exponent, and lose digits where it is large.
  else p = n % 1 == 0 && (n > 16 || n < -16) ? a ^ (n - 0.5) * sqrt(a) : a ^ n
  return x < 0 && n > -4e15 && n < 4e15 && n % 2 != 0 ? -p : p
}

"""

_AWK = Language(
    "awk", "a program that reads the variables as fields and prints the results; for any awk with mathematics", "#",
    {
        **{op: form for op, form in INFIX.items() if op not in ("div", "gt", "ge")},
        "inf": "inf", "nan": "nan", "lt": "lt({0}, {1})", "le": "le({0}, {1})", "eq": "eq({0}, {1})",
        "ne": "!eq({0}, {1})", "bare_div": ("{0:6}/{1:7}", 6), "bare_power": "raised({0}, {1})",
        # The one true awk takes 1 for a result out of the range of exp, log and sqrt, and BusyBox rounds x % y.
        "exp": "exponential({0})", "fmod": "fmod({0}, {1})",
        **calls("F({0})", "bare_log=log bare_sqrt=sqrt sin cos"), "atan2": "atan2({0}, {1})",
    },
    frame="<comment>\n<prelude><helpers>{\n<read><body>  print <results>\n}\n", result="shown(<value>)",
    between=", ", suffixes=(".awk",),
    helper="function <function>(<parameters><declared>) {\n<body>  return <value>\n}\n\n",
    declare=", <name>", assign="  <name> = <value>\n", read="  <name> = number($<place>)\n", whole=True,
    prelude={
        # Implementations differ in how they read and compare nan and inf, but not in how nan is printed.
        "inf": "BEGIN { inf = 1e308 * 10 }\n\n", "nan": "BEGIN { nan = inf - inf }\n\n",
        "isnan": "function isnan(x) {\n  return (x \"\") ~ /[nN][aA]/\n}\n\n",
        "number": _NUMBER,
        "shown": "function shown(x) {\n  if (isnan(x)) return \"nan\"\n  if (x == inf) return \"inf\"\n"
        "  return x == -inf ? \"-inf\" : sprintf(\"%.17g\", x)\n}\n\n",
        "lt": "function lt(x, y) {\n  return !isnan(x) && !isnan(y) && x < y\n}\n\n",
        "le": "function le(x, y) {\n  return !isnan(x) && !isnan(y) && !(x > y)\n}\n\n",
        "eq": "function eq(x, y) {\n  return le(x, y) && le(y, x)\n}\n\n",
        "fmod": _FMOD, "exponential": _EXPONENTIAL, "raised": _RAISED,
    },
    caveats={op: _NO_NEGATIVE_ZERO.format("The one true awk") for op in ("copysign", "atan2")},
    keywords="""BEGIN END function func if else while for do break continue next nextfile exit return delete in getline
    print printf NR NF FS RS OFS ORS FILENAME FNR RSTART RLENGTH SUBSEP ENVIRON ARGC ARGV CONVFMT OFMT RT IGNORECASE
    FIELDWIDTHS FPAT BINMODE LINT TEXTDOMAIN PROCINFO ERRNO ARGIND SYMTAB FUNCTAB int rand srand length substr index
    split sub gsub match sprintf sin cos atan2 exp log sqrt close fflush system tolower toupper gensub strftime systime
    mktime and or xor compl lshift rshift strtonum asort asorti switch case default isarray typeof patsplit
    bindtextdomain dcgettext dcngettext namespace include load BEGINFILE ENDFILE mkbool nan inf""",
)  # fmt: skip

_MILLER_EXPONENTIAL = """# Miller's own exp is infinite from 709.44.
func exponential(x) {
    if (x > 700.0) {
        return exp(x / 2) * exp(x / 2);
    }
    return exp(x);
}

"""
_MILLER_REMAINDER = """# Long division in binary, each step of which is exact.
func remainder(x, y) {
    var a = abs(x);
    var b = abs(y);
    var c = b;
    if (!(a < 1.0/0.0) || !(b > 0.0)) {
        return 0.0/0.0;
    }
    if (a < b || b == 1.0/0.0) {
        return x;
    }
    while (c <= a / 2.0) {
        c = c * 2.0;
    }
    while (c >= b) {
        if (a >= c) {
            a = a - c;
        }
        c = c / 2.0;
    }
    return x < 0.0 ? -a : a;
}

"""

_MILLER = Language(
    "mlr", "a text for mlr put -f that assigns a field for each result", "#",
    {
        # asin, acos, sinh and cosh are left to their forms: Miller's lose digits near 1, and overflow early.
        **INFIX, "inf": "(1.0/0.0)", "nan": "(0.0/0.0)", "pi": "M_PI", "e": "M_E",
        **calls("F({0})", "sqrt exp=exponential expm1 log log10 log1p sin cos tan atan tanh asinh acosh atanh"
                " abs floor erf erfc cbrt_near=cbrt"),
        "atan2": "atan2({0}, {1})", "fmod": "remainder({0}, {1})", "power": ("{0:9} ** {1:9}", 8),
    },
    frame="<comment>\n<prelude><helpers><read><body><results>", result="<name> = <value>;\n", between="",
    suffixes=(".mlr",),
    helper="func <function>(<parameters>) {\n<inner>    return <value>;\n}\n\n",
    assign="var <name> = <value>;\n", read="var <name> = float(<key>);\n", quote=field,
    caveats={"power": "Miller's ** may be off by some 50 units in the last place."},
    prelude={"exponential": _MILLER_EXPONENTIAL, "remainder": _MILLER_REMAINDER},
    keywords="""all begin bool break call continue do dump edump elif else emit1 emit emitf emitp end eprint eprintn
    null NaN Inf false
    filter float for func funct if in int map num print printn return stderr stdout str subr tee true unset var
    while ENV FILENAME FILENUM FNR IFS IPS IRS M_E M_PI NF NR OFS OPS ORS arr any min max round sgn mod sign trunc ceil
    ceiling truncate exec gamma string boolean asin acos sinh cosh percentile strlen""",
)  # fmt: skip

ROWS = (_POSTGRES, _DUCKDB, _SQLITE, _JQ, _AWK, _MILLER)
