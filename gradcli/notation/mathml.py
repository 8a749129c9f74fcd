"""MathML Core: presentation elements only, one <math> element for each result."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from gradcli.calculus.leibniz import Derivative
from gradcli.caret import printable
from gradcli.expr import WORDS as RESERVED
from gradcli.expr import Expr, Parts
from gradcli.notation.typeset import GREEK, equations, split_name

_APPLY = "<mo>\u2061</mo>"


def _element(tag: str, text: str) -> str:
    return f"<{tag}>{escape(printable(text))}</{tag}>"


class MathML:
    """The `typeset.Style` of MathML. Arguments of elements with a fixed number of children are wrapped in <mrow>."""

    def digits(self, text: str) -> str:
        return _element("mn", text)

    def name(self, name: str) -> str:
        base, index = split_name(name)
        if index:
            below = self.digits(index) if index.isdigit() else _element("mi", index)
            return f"<msub>{self.name(base)}{below}</msub>"
        return _element("mi", GREEK[base] if base in GREEK and base not in RESERVED else base)

    def word(self, word: str) -> str:
        return _element("mi", "∞" if word == "inf" else GREEK.get(word, word))

    def sign(self, sign: str) -> str:
        return _element("mo", "-" if sign == "neg" else sign).replace("-", "\u2212")

    def times(self, dot: bool) -> str:
        return "<mo>\u22c5</mo>" if dot else "<mo>\u2062</mo>"

    def row(self, parts: Parts) -> Parts:
        return ("<mrow>", *parts, "</mrow>")

    def fraction(self, above: Parts, below: Parts) -> Parts:
        return ("<mfrac>", *self.row(above), *self.row(below), "</mfrac>")

    def raised(self, base: Parts, exponent: Parts) -> Parts:
        return ("<msup>", *self.row(base), *self.row(exponent), "</msup>")

    def lowered(self, base: Parts, index: Parts) -> Parts:
        return ("<msub>", *self.row(base), *self.row(index), "</msub>")

    def root(self, body: Parts, degree: str) -> Parts:
        if degree:
            return ("<mroot>", *self.row(body), self.digits(degree), "</mroot>")
        return ("<msqrt>", *body, "</msqrt>")

    def fenced(self, left: str, body: Parts, right: str) -> Parts:
        return self.row((f'<mo form="prefix">{left}</mo>', *body, f'<mo form="postfix">{right}</mo>'))

    def called(self, function: Parts, arguments: Parts) -> Parts:
        return self.row((*function, _APPLY, *self.fenced("(", arguments, ")")))

    def cases(self, condition: Parts, yes: Parts, no: Parts) -> Parts:
        first = ("<mtr><mtd>", *yes, "</mtd><mtd><mtext>if\u00a0</mtext>", *condition, "</mtd></mtr>")
        second = ("<mtr><mtd>", *no, "</mtd><mtd><mtext>otherwise</mtext></mtd></mtr>")
        return self.row(('<mo form="prefix">{</mo><mtable>', *first, *second, "</mtable>"))

    def left_side(self, partial: Derivative, ordinary: bool) -> str:
        """As in LaTeX: the derivative, with d if it is ordinary, else with ∂."""
        name = self.name(partial.of)
        if not partial.total:
            return name
        d = _element("mi", "d" if ordinary else "∂")
        above = f"<msup>{d}{self.digits(str(partial.total))}</msup>" if partial.total > 1 else d
        below = []
        for x, n in partial.powers:
            variable = self.name(x)
            below.append(d + (f"<msup><mrow>{variable}</mrow>{self.digits(str(n))}</msup>" if n > 1 else variable))
        return f"<mfrac><mrow>{above}{name}</mrow><mrow>{''.join(below)}</mrow></mfrac>"


def write(named: Sequence[tuple[str, Expr]], order: Sequence[str], of: Sequence[str] = ()) -> str:
    """One <math> element a line."""
    head = '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
    rows = equations(MathML(), named, order, of)
    return "".join([f"{head}<mrow>{side}<mo>=</mo>{text}</mrow></math>\n" for side, text in rows])
