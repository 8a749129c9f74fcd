"""The texts of ``gradcli help TOPIC``; what a table knows comes from the table."""

from __future__ import annotations

from collections.abc import Callable

EXIT_CODES = {
    "0": "done; values that are not finite are results, counted in one line on stderr",
    "1": "the answer is no: --strict met a value that is not finite",
    "2": "what was given is wrong: options, expression, points, a limit exceeded",
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

    lines = [f"{row.name:9} {' '.join(row.suffixes):15} {row.doc}" for row in FORMATS.values()]
    return "\n".join(lines) + (
        "\n\nA number is the shortest text that reads back to the same double, in every format alike.\n"
        "Not finite: nan, inf, -inf; in json and jsonl null, and json counts them under nonfinite.\n"
    )


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


TOPICS: dict[str, tuple[str, Callable[[], str]]] = {
    "grammar": ("What an expression may say", _grammar),
    "points": ("Where to evaluate", _points),
    "gradients": ("The vector-Jacobian product", _gradients),
    "names": ("What results are called", _names),
    "formats": ("How results are written", _formats),
    "exit-codes": ("What the exit code means", _exit_codes),
    "environment": ("Options and colour from the environment", _environment),
}
