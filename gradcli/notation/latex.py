"""LaTeX for math mode; `cases` and `operatorname` need amsmath."""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.calculus.leibniz import Derivative
from gradcli.caret import printable
from gradcli.expr import WORDS as RESERVED
from gradcli.expr import Expr, Parts
from gradcli.notation.typeset import GREEK, equations, split_name

_COMMANDS = {
    "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg", "det", "dim", "exp", "gcd", "hom",
    "ker", "lg", "ln", "log", "max", "min", "sec", "sin", "sinh", "sup", "tan", "tanh",
}  # fmt: skip
"""The functions that LaTeX has a command for, all of them but inf, which is the infinite here."""
_SIGNS = {
    "neg": "-", "+": " + ", "-": " - ", "<": " < ", ">": " > ", "≤": r" \le ", "≥": r" \ge ", "=": " = ",
    "≠": r" \ne ", "∧": r" \land ", "\u2228": r" \lor ", "¬": r"\lnot ", "mod": r" \bmod ", ",": ", ",
}  # fmt: skip
_FENCES = {"⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "‖": r"\| "}
_TEXT = {
    "\\": r"\textbackslash{}", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", '"': r"\textquotedbl{}", **{c: f"\\{c}" for c in "{}$&#%_"},
}  # fmt: skip


def _upright(word: str) -> str:
    return r"\mathrm{" + word.replace("_", r"\_") + "}"


class Latex:
    """The `typeset.Style` of LaTeX."""

    def digits(self, text: str) -> str:
        return text

    def name(self, name: str) -> str:
        base, index = split_name(name)
        if index:
            return f"{self.name(base)}_{{{index if index.isdigit() or len(index) == 1 else _upright(index)}}}"
        if base in GREEK and base not in RESERVED:
            return f"\\{base}"
        if len(base) == 1 and base.isascii() and base.isalpha() and base not in RESERVED:
            return base
        if base.replace("_", "").isalnum() and base.isascii():
            return _upright(base)
        return rf"\text{{{''.join([_TEXT.get(c, c) for c in printable(base)])}}}"

    def word(self, word: str) -> str:
        if word in ("e", "nan", "d"):
            return "e" if word == "e" else _upright(word)
        if word == "inf":
            return r"\infty"
        if word in _COMMANDS or word in GREEK:
            return f"\\{word}"
        return r"\operatorname{" + word.replace("_", r"\_") + "}"

    def sign(self, sign: str) -> str:
        return _SIGNS[sign]

    def times(self, dot: bool) -> str:
        return r" \cdot " if dot else " "

    def fraction(self, above: Parts, below: Parts) -> Parts:
        return (r"\frac{", *above, "}{", *below, "}")

    def raised(self, base: Parts, exponent: Parts) -> Parts:
        return (*base, "^{", *exponent, "}")

    def lowered(self, base: Parts, index: Parts) -> Parts:
        return (*base, "_{", *index, "}")

    def root(self, body: Parts, degree: str) -> Parts:
        return (rf"\sqrt[{degree}]{{" if degree else r"\sqrt{", *body, "}")

    def fenced(self, left: str, body: Parts, right: str) -> Parts:
        return (rf"\left{_FENCES.get(left, left)}", *body, rf"\right{_FENCES.get(right, right)}".rstrip())

    def called(self, function: Parts, arguments: Parts) -> Parts:
        return (*function, *self.fenced("(", arguments, ")"))

    def cases(self, condition: Parts, yes: Parts, no: Parts) -> Parts:
        first = (r"\begin{cases} ", *yes, r" & \text{if } ", *condition)
        return (*first, r" \\ ", *no, r" & \text{otherwise} \end{cases}")

    def left_side(self, partial: Derivative, ordinary: bool) -> str:
        """The left side of an equation: the derivative, with d if it is ordinary, else with ∂."""
        name = self.name(partial.of)
        if not partial.total:
            return name
        d = r"\mathrm{d}" if ordinary else r"\partial"
        power = f"^{{{partial.total}}}" if partial.total > 1 else ""
        below = [f"{d} {_to_the(self.name(x), n)}" for x, n in partial.powers]
        return rf"\frac{{{d}{power} {name}}}{{{' '.join(below)}}}"


def _to_the(name: str, n: int) -> str:
    return name if n == 1 else f"{{{name}}}^{{{n}}}" if "_" in name else f"{name}^{{{n}}}"


ENVIRONMENTS = ("align", "align*", "aligned", "gather", "gather*", "equation", "equation*")
"""The environments of amsmath that equations can stand in; those of align have their equal signs in a column."""


def write(
    named: Sequence[tuple[str, Expr]], order: Sequence[str], environment: str = "", of: Sequence[str] = ()
) -> str:
    """One equation a line, within an environment if one is given; each in one of its own if that holds but one."""
    equal = " &= " if environment.startswith("align") else " = "
    lines = [f"{side}{equal}{text}" for side, text in equations(Latex(), named, order, of)]
    if not environment:
        return "".join([f"{line}\n" for line in lines])
    bodies = lines if environment.startswith("equation") else [" \\\\\n".join(lines)]
    return "".join([f"\\begin{{{environment}}}\n{body}\n\\end{{{environment}}}\n" for body in bodies])
