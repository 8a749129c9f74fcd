"""The texts of ``gradcli help TOPIC``; what a table knows comes from the table."""

from __future__ import annotations

from collections.abc import Callable

EXIT_CODES = {
    "0": "done; values that are not finite are results, counted in one line on stderr",
    "1": "the answer is no: --strict met a value that is not finite, check found a claim that is wrong",
    "2": "what was given is wrong: options, expression, points, input data, a limit exceeded",
    "3": "could not finish: write error, full disk, closed stdout, out of memory, internal error",
    "130": "died by SIGINT",
    "141": "died by SIGPIPE: the reader left",
    "143": "died by SIGTERM",
}


def _grammar() -> str:
    return """\
Numbers     1  .5  5.  1e-3
Constants   pi  e  tau  inf  nan
Operators   + - * / % **   (^ means **; -2**2 is -4, 2**3**2 is 2**9)
Calls       sin(x), atan2(y, x), max(a, b, c) ...   see: gradcli functions
Selection   where(x > 0, sqrt(x), 0)   or   sqrt(x) if x > 0 else 0
            with < <= > >= == != and or not
Derivative  diff(x**3, x)   diff(x**3, x, 2)
Reductions  sum(x) mean(x) prod(x) max(x) min(x) norm(x) over all points, in eval and grad
Names       letters, digits and _; anything else in backquotes: `temp C`
Statements  r = sqrt(x*x + y*y); u = log(r)    separated by ; or by newlines
            A name that a later statement uses is an intermediate; the others are outputs.
Comments    # to the end of the line
"""


def _points() -> str:
    return """\
--at x=1,y=pi/2            one point
--grid x=0:1:11            11 values from 0 to 1, ends included
--grid x=log:1:1000:4      1, 10, 100, 1000
--grid x=1,2,5             these values
--grid 3x4                 a shape: every variable without a value is filled with i + j
--fill "10*i + j"          another rule for it, in the indices i, j, k ...
--fill "x = i; y = j"      a rule for each variable
Several grids make the outer product, the first one slowest.
"""


def _names() -> str:
    return """\
The output is f, several are f1, f2 ...; y = x**2 names it y.
Derivatives are df_dx, d2f_dx2, d2f_dxdy, d3f_dx2dy ... in the order of --wrt; what grad gives is grad_x.
A result and a variable of the same name are an error: name the output.
"""


def _formats() -> str:
    from gradcli.formats import FORMATS

    lines = [f"{'':9} {'suffixes':15} {'--input':8} {'memory':9} what it is"]
    for row in FORMATS.values():
        read, held = "read" if row.reader else "", "held" if row.held else "streamed"
        extra = f" (needs gradcli[{row.needs}])" if row.needs else ""
        lines.append(f"{row.name:9} {' '.join(row.suffixes):15} {read:8} {held:9} {row.doc}{extra}")
    return (
        "\n".join(lines)
        + """

All are written, and packed where the name goes on with .gz, or .zst (needs gradcli[zstd]).
streamed: rows are read, computed and written as they come, however many there are. held: all numbers are in memory
at once; what would not fit is refused before anything is written. A shape such as --grid 3x4 is held for a table, too.
A number is the shortest text that reads back to the same double, in every format alike; npy, npz and parquet hold the
double itself.
Not finite: nan, inf, -inf; in json and jsonl null, and json counts them under nonfinite.
What --keep carries stays as it was spelled; npy and npz hold numbers alone. gradcli help input tells how to read.
"""
    )


def _input() -> str:
    return """\
-i runs.csv                  every column is a variable; columns that no expression names are left aside
-i a.csv -i b.csv            one table, in this order; columns are matched by name, each file has all that are used
-i "runs/*.csv"              all files of a pattern, sorted by name
-i runs.csv.gz               .gz and .zst are read through
-i - --input-format jsonl    stdin, csv where nothing is said; packed or not
`temp C`                     a column whose name is no identifier, in the expression and in --wrt
--columns a,b,c              names for the columns of a .npy array that has none; an array of one dimension is the only
                             variable without a value
--at a=2                     a variable that is no column: one value for all rows
--grid b=1,2,3               several values: every row with each of them, rows slowest
--keep                       the other columns come along, before the results, spelled as they were
--na nan                     empty cells, NA, N/A, NaN and null are nan; otherwise they are errors
--max-bytes 1e9              refuses what is larger; packed inputs count as unpacked
Rows leave in the order they came. A bad row is an error (exit code 2) that names file, line and column; the rows before
it have been written to stdout, a file named by -o is left as it was.
JSON may be records [{"x": 1}, ...], columns {"x": [1, ...]}, or what --json writes.
A slow producer has each answer before its next line: tail -f log.csv | gradcli eval "x**2" -i - --jsonl
sum(x), mean(x) ... and gradcli grad take all rows at once: their columns are held in memory.
"""


def _exit_codes() -> str:
    return "".join(f"{code:>3}  {meaning}\n" for code, meaning in EXIT_CODES.items())


def _environment() -> str:
    return """\
Options can come from the environment: --max-points from GRADCLI_MAX_POINTS, --format from GRADCLI_FORMAT (which also
serves for the one-word switches such as --csv).
What is typed goes first. Flags are 1 or 0; --at and --grid take several words separated by blanks.
Colour: --color, then NO_COLOR, FORCE_COLOR and TERM=dumb, then whether it is a terminal.
"""


def _gradients() -> str:
    return """\
gradcli grad: the gradients of all outputs, weighted by cotangents and summed, as torch.autograd.grad gives them.
Outputs     tensors over the grid; one made of single numbers and reductions alone is a single number.
Reductions  sum mean prod max min norm, with one argument, take all points: x - mean(x)
Inputs      --wrt x,y: one given by --at is a single number and gets the sum over all points, one given by one
            of several --grid gets the sum over the others.
Cotangents  --grad-outputs y=ones, "y = i + j" (a rule in the indices of y's shape), y=FILE.npy (of y's shape)
            --is-grads-batched: the first dimension of every FILE.npy is a batch.
Again       --create-graph prints expressions: gradcli grad "y = x**3" --wrt x --create-graph | gradcli grad -f - ...
            A cotangent that is a rule or a file is the variable v_y there.
            defined(a, b) is b, but nan where a is; instead(c, a, b) is b, and a where c holds; unit(x) is x/norm(x);
            cofactor(x) is the product over all other points; along(x, a) is the number a at every point of x.
Unused      inputs are an error; --allow-unused makes their gradients null, --materialize-grads 0.
"""


def _claims() -> str:
    from gradcli.verify.verdict import POINTS, THOROUGH

    return f"""\
gradcli check EXPR --claim "df_dx = ..."    a formula; d2f_dxdy and d2f_dydx are one; f = ... claims the value
--claims FILE                               claims, one a line; a name that no derivative has is an intermediate
--claim-column df_dx=COLUMN --input FILE    a column of data
--equals EXPR                               another expression that has the same value
--let "u = exp(-k*t)*sin(x)"                a name for all of them; diff(u, x, 2) differentiates it
Claims may use the names that the expressions define: r = sqrt(x*x + y*y); u = log(r) and du_dx = x/r**2.

Compared with the exact derivative, never with a difference quotient: as graphs first, which needs no points, then at
those of --at, --grid and --input, or at {POINTS} ({THOROUGH} with --thorough) chosen ones: moderate and other doubles,
0, -0, 1, the tiny and the huge, and both neighbours of every kink, pole and end of a domain that a search finds.
--seed chooses others; the same seed gives the same points everywhere.

They agree where they differ by no more than rounding may add to both formulas, by running error analysis: x*(x + 1) and
x**2 + x pass, a factor of 1.000000001 does not. --rtol, --atol and --max-ulp decide otherwise; a column may be off by
some more ulp. Where the derivative is not finite nothing is compared, nor where the claim leaves the range of a double;
a claim without a value inside the domain is wrong, unless it is so at single points. At a kink it may take a side.
Exit code 0: all agree; 1: some do not; 2: some could not be checked.
"""


TOPICS: dict[str, tuple[str, Callable[[], str]]] = {
    "grammar": ("What an expression may say", _grammar),
    "points": ("Where to evaluate", _points),
    "gradients": ("The vector-Jacobian product", _gradients),
    "claims": ("What check compares, and how", _claims),
    "names": ("What results are called", _names),
    "input": ("How the rows of a file are points", _input),
    "formats": ("What is read and written", _formats),
    "exit-codes": ("What the exit code means", _exit_codes),
    "environment": ("Options and colour from the environment", _environment),
}
