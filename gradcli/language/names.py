"""Names in messages: functions that do not exist, words of other languages.

Layer: must not know tokens or the grammar.
"""

from __future__ import annotations

from gradcli.expr import Expr
from gradcli.functions import SPELLED
from gradcli.language.tokens import short

FOREIGN_WORDS = frozenset(
    {
        "lambda", "for", "in", "import", "from", "def", "return", "while", "class", "with", "let", "then", "print",
        "begin", "end", "do", "yield", "del", "global",
    }
)  # fmt: skip
FOREIGN_OPERATORS = {"mod": "%", "is": "==", "equals": "==", "times": "*", "xor": "!="}
FOREIGN_CALLS = {
    "airy": "airyai(x), airyaiprime(x), airybi(x) or airybiprime(x)", "fact": "factorial(n)",
    "ifelse": "where(condition, a, b)",
    "iif": "where(condition, a, b)", "piecewise": "where(condition, a, b)", "derivative": "diff(f, x)",
    "deriv": "diff(f, x)", "avg": "mean(x)", "average": "mean(x)", "total": "sum(x)", "product": "prod(x)",
     "d": "diff(f, x)", "grad": "diff(f, x)", "arg": "atan2(y, x)",
}  # fmt: skip


def all_points(e: Expr, why: str) -> str:
    """The message for a reduction over all points in a position that needs a value at each point."""
    return f"{e.op} with one argument takes all points at once, {why}"


def unknown_function(name: str, call: str, known: bool) -> str:
    """The message for a call of an unknown function, with the nearest function or a product as the suggestion.

    ``call`` is the text after the name, brackets included; ``known`` says that the name is a variable or definition.
    """
    import difflib

    message = f"unknown function '{name}'"
    if not known:
        spelled = [word for word, row in SPELLED.items() if not row.internal] + ["diff"]
        low = name.lower()
        if low in FOREIGN_CALLS:
            return f"{message}: write {FOREIGN_CALLS[low]}"
        near = [word for word in spelled if word.lower() == low]
        near = near or [word for word in spelled if len(word) > 1 and sorted(word) == sorted(low)]
        near = near or (difflib.get_close_matches(low, spelled, n=1) if len(low) > 1 else [])
        if near:
            return f"{message} (did you mean '{near[0]}'?)"
    return f"{message} (did you mean {name}*{short(call)}?)"
