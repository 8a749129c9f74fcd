"""Messages for syntax errors: the token that is wrong, what was expected, and what to write instead.

The advice comes from the tokens around the error; nothing is parsed again. The file is loaded for an error only.
Layer: must not know the parser's tables or the meaning of rules.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from gradcli.caret import Source, Span
from gradcli.errors import GradError
from gradcli.functions import SPELLED
from gradcli.language.foreign.words import FOREIGN_WORDS, OPERATORS
from gradcli.language.tokens import STRANGE, Context, Token, short

_OPERANDS = frozenset({"NUMBER", "NAME", "QUOTED", "LPAR"})
_SEPARATORS = frozenset({"NEWLINE", "SEMICOLON"})
_ENDS = frozenset({"NEWLINE", "SEMICOLON", "PLUS", "MINUS", "RPAR", "COMMA", "COMPARE"})
_INFIX = frozenset({"STAR", "SLASH", "PERCENT", "POWER", "COMPARE", "AND", "OR"})
_OPERAND = "a number, a name or '('"
_FIRST = {
    "IF": "write a if condition else b, or where(condition, a, b)", "ELSE": "there is no 'if' before it",
    "EQUAL": "a name is missing on its left", "RPAR": "no '(' is open",
}  # fmt: skip
"""What is wrong with a token at the beginning of a statement."""
_PAIRS = {
    "//": "for a whole quotient write floor(a/b)", "<>": "write '!='", "===": "write '=='", "!==": "write '!='",
    "=<": "write '<='", "=>": "write '>='", "==": "a comparison is written '=='", "->": "there are no arrows",
}  # fmt: skip
_ASCII = {
    "[": "there are no lists, group with ( and )", "]": "group with ( and )",
    "{": "group with ( and )", "}": "group with ( and )",
    "@": "there is no matrix product, a product is '*'", "?": "write a if condition else b", "~": "write 'not'",
    "\\": "a statement goes on inside brackets or after an operator", "`": "the other '`' of the name is missing",
    "\r": "end lines with a line feed", ":": "it has no meaning in this language",
    "$": "names are written without it", "&": "write 'and'", ".": "digits are missing, as in 0.5",
}  # fmt: skip


def prefix(source: Source, offset: int) -> str:
    """Line and column as the beginning of a message; empty for a file, since `picture` puts them there."""
    return f"{source.position(offset)}: " if source.name is None else ""


def unexpected(source: Source, tokens: list[Token], at: int, last: int, accepted: Collection[str]) -> GradError:
    """The error for the token at offset ``at``, or for the end of the text.

    ``last`` is the end of the token before it, ``accepted`` the terminals that may stand there.
    """
    before = [other for other in tokens if other.start < at]
    rest = tokens[len(before) :]
    token = rest.pop(0) if rest else Token("END", "", last)
    unclosed: list[Token] = []
    for other in before:
        if other.kind == "LPAR":
            unclosed.append(other)
        elif other.kind == "RPAR":
            unclosed.pop()
    context = Context(source, before, token, rest, "NUMBER" in accepted, unclosed)
    if token.kind == STRANGE:
        length, problem, advice = _strange(context)
    else:
        length = len(token.spelled)
        problem, advice = _ending(context) if token.kind in ("END", "NEWLINE") else _misplaced(context)
    start = token.start
    span = Span(start, start if token.kind == "NEWLINE" else start + length)
    return GradError(prefix(source, start) + problem, hint=advice or None, span=span, source=source)


def begins_line(source: Source, at: int) -> GradError:
    """The error for a line that begins with ``+``: it would otherwise be read as a sign, and the line above ignored."""
    return GradError(prefix(source, at) + _line_start(source.text[at]), span=Span(at, at + 1), source=source)


def _line_start(operator: str) -> str:
    return f"a line cannot begin with '{operator}': end the line before with it, or put the whole in brackets"


# A text or line that ends too early.


def _ending(context: Context) -> tuple[str, str]:
    problem = "unexpected end of expression" if context.token.kind == "END" else "unexpected end of line"
    if context.operand_due:
        previous = context.previous
        after = f" after '{short(previous.spelled)}'" if previous else ""
        return f"{problem}: expected {_OPERAND}{after}", ""
    return f"{problem}: {_still_open(context)}", ""


def _still_open(context: Context) -> str:
    """What the text so far needs: an 'else', a ')' or an operator."""
    start = context.unclosed[-1].start if context.unclosed else -1
    level = 0
    for token in reversed(context.before):
        if token.start <= start or (token.kind in _SEPARATORS and not context.unclosed):
            break
        level += {"IF": 1, "ELSE": -1}.get(token.kind, 0)
    if level > 0:
        return "expected 'else' and the other value: a if condition else b"
    if context.unclosed:
        return f"expected ')': the '(' at {context.source.position(start)} is never closed"
    return "expected an operator"


# A token of the language at a position where the grammar does not allow it.


def _misplaced(context: Context) -> tuple[str, str]:
    token, previous = context.token, context.previous
    problem = f"unexpected '{short(token.spelled)}'"
    joined = previous.spelled + token.spelled if previous and context.next_to() else ""
    for pair in (joined, context.source.text[token.start : token.end + 1] if token.kind == "EQUAL" else ""):
        if pair in _PAIRS:
            return f"{problem}: '{pair}' has no meaning here", _PAIRS[pair]
    if not context.operand_due:
        after, advice = _juxtaposed(context) if token.kind in _OPERANDS else _no_operator(context)
        return problem + after, advice
    if previous is None or previous.kind in _SEPARATORS:
        if previous is not None and previous.kind == "NEWLINE" and token.kind in _INFIX and len(context.before) > 1:
            return _line_start(token.spelled), ""
        return (problem, _FIRST[token.kind]) if token.kind in _FIRST else (f"{problem}, expected {_OPERAND}", "")
    if token.kind == "NOT":
        return f"{problem}: a condition cannot stand after '{previous.spelled}'", ""
    if token.kind == "EQUAL" and context.next_to():
        return f"{problem}: '{joined}' has no meaning here", ""
    if token.kind == "RPAR" and previous.kind == "LPAR":
        return f"{problem}: nothing stands between the brackets", ""
    if previous.kind == "COMMA" or (token.kind == "COMMA" and previous.kind == "LPAR"):
        return f"{problem}: an argument is missing before it", ""
    return f"{problem} after '{short(previous.spelled)}', expected {_OPERAND}", ""


def _juxtaposed(context: Context) -> tuple[str, str]:
    """The context and the advice for two operands without an operator: the language has no implicit multiplication."""
    token, previous = context.token, context.previous
    assert previous is not None
    left, right = previous.spelled, token.spelled
    if previous.kind == "NUMBER" and context.next_to():
        prefixed = re.fullmatch(r"0(?:[xX]([0-9A-Fa-f]+)|[bB]([01]+)|[oO]([0-7]+))", left + right)
        if prefixed and (context.after is None or context.after.start > token.end or context.after.spelled[0] != "."):
            digits = zip(prefixed.groups(), (16, 2, 8), strict=True)
            value = next(int(group[:200], base) for group, base in digits if group)
            return f" after '{left}'", f"numbers are decimal, write {short(str(value))}"
        if re.fullmatch(r"_[0-9_]+", right):
            return f" after '{left}'", f"digits are not grouped, write {short(left + right.replace('_', ''))}"
        if right in ("e", "E"):
            return f" after '{left}'", f"the exponent is missing, write {left}e3, or {left}*e for the constant e"
        if token.kind == "NUMBER":
            return f" after '{left}'", "a number has one decimal point"
    if previous.kind == token.kind == "NUMBER" and len(right) == 3 and (left + right).isdigit():
        return f" after '{left}'", f"digits are not grouped, write {short(left + right)}"
    if left in ("lim", "limit"):
        return "", 'a limit is taken at a point: gradcli eval "sin(x)/x" --at x=0 --kink limit'
    for word in (left, right):
        if word.lower() in OPERATORS:
            return "", f"for '{word}' write '{OPERATORS[word.lower()]}'"
        if word.lower() in ("if", "else"):
            return "", f"for '{word}' write '{word.lower()}'"
        if word in FOREIGN_WORDS:
            return "", f"'{word}' has no meaning in this language"
    if previous.kind == "NAME" and (left in SPELLED or left == "diff"):
        alone = context.after is None or context.after.kind in _ENDS or context.right() != right
        return "", f"{left} is a function, write {left}({context.right() if alone else '...'})"
    outer = context.before_left()
    if outer is not None and outer.kind in ("SLASH", "POWER"):
        return f" after '{short(left)}'", f"for a product put brackets, since '{outer.spelled}' may reach over it"
    return f" after '{short(left)}'", f"for a product write {context.left()}*{context.right()}"


def _no_operator(context: Context) -> tuple[str, str]:
    """The context and the advice for a token that cannot follow a complete operand."""
    token, previous, after = context.token, context.previous, context.after
    assert previous is not None
    if token.kind == "ELSE" or (token.kind == "RPAR" and not context.unclosed):
        return "", _FIRST[token.kind]
    if token.kind == "COMMA":
        joined = context.next_to() and after is not None and after.start == token.end and not context.unclosed
        if joined and after is not None and previous.kind == after.kind == "NUMBER":
            if len(after.spelled) == 3 and (previous.spelled + after.spelled).isdigit():
                return "", f"digits are not grouped, write {short(previous.spelled + after.spelled)}"
            return "", f"a decimal point is a '.', write {short(previous.spelled)}.{short(after.spelled)}"
        if context.unclosed:
            return "", "brackets without a function hold one expression"
        return "", "a comma separates arguments of a function; separate expressions by ';'"
    if token.kind == "EQUAL":
        if context.unclosed:
            return "", "a comparison is written '=='"
        start = max((i + 1 for i, t in enumerate(context.before) if t.kind in _SEPARATORS), default=0)
        first = context.before[start:]
        if len(first) > 1 and first[0].kind == "NAME" and first[1].kind == "LPAR":
            return "", f"there are no functions of one's own, write {first[0].spelled} = ..."
        return "", "only a name can stand on the left of '='; a comparison is written '=='"
    if token.kind == "NOT":
        return f" after '{short(previous.spelled)}', expected an operator", ""
    return f": {_still_open(context)}", ""


# A character that begins no token.


def _strange(context: Context) -> tuple[int, str, str]:
    """The number of characters to mark, and the message, for a character that begins no token."""
    from gradcli.language.lookalikes import described, foreign

    token, previous = context.token, context.previous
    if token.spelled.isascii():
        return _strange_ascii(context, f"unexpected character {described(token.spelled)}")
    named = previous is not None and previous.kind == "NAME" and context.next_to()
    word = previous.start if previous is not None and named else token.start
    length, problem, advice = foreign(context.source.text, token.start, word)
    if named and previous is not None and previous.spelled in SPELLED and "power" in advice:
        advice = "a power stands behind the brackets of a function"
    return length, problem, advice


def _strange_ascii(context: Context, problem: str) -> tuple[int, str, str]:
    text, at, c = context.source.text, context.token.start, context.token.spelled
    previous = context.previous
    rest = text[at : at + 200]
    line = rest.split("\n")[0]
    if c in "'\"":
        follows = context.next_to() and not context.operand_due
        if c == "'" and follows and previous is not None and previous.kind != "LPAR":
            return 1, problem, "for a derivative write diff(f, x)"
        closing = line.find(c, 1)
        return closing + 1 if closing > 0 else 1, problem, "there are no strings in this language"
    for two, plain in (("&&", "and"), ("||", "or"), (":=", "="), ("=:", "=")):
        if rest.startswith(two):
            return 2, f"unexpected '{two}'", f"write '{plain}'"
    if c == "|":
        bars = re.match(r"\|([^|]+)\|", line)
        if context.operand_due:
            return 1, problem, f"for an absolute value write abs({short(bars[1]) if bars else '...'})"
        return 1, problem, "for a condition write 'or', for an absolute value abs(...)"
    if c == "!":
        if context.operand_due:
            return 1, problem, "write 'not'"
        if rest.startswith("!!"):
            return 2, "unexpected '!!'", "there is no double factorial here"
        return 1, problem, f"for a factorial write gamma({context.left()} + 1)"
    if c == "." and not context.operand_due:
        if rest[1:2] in ("*", "/", "^"):
            return 2, f"unexpected '{rest[:2]}'", f"write '{rest[1]}', which works point by point anyway"
        return 1, problem, "there are no attributes in this language"
    if c == "[" and not context.operand_due:
        return 1, problem, "there is no indexing, and brackets are ( and )"
    if c == ":" and previous is not None and previous.spelled == "lambda":
        return 1, problem, "there is no lambda in this language"
    if c == "\\" and rest[1:2].isalpha():
        return 1, problem, "there are no commands of LaTeX in this language"
    if c in _ASCII:
        return 1, problem, _ASCII[c]
    return 1, problem, "" if c.isprintable() else "it is invisible, delete it"
