"""Operands of other languages: names with what belongs to them, LaTeX, brackets.

Layer: must not know what a function means, nor what an error says.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from gradcli.expr import WORDS
from gradcli.functions import SPELLED
from gradcli.language.foreign.lexemes import ACCENTS, INFIX, STOPS, Lexeme, Notes, Unreadable
from gradcli.language.foreign.operators import CLOSING, Operators, Tree, lifted
from gradcli.language.foreign.words import CONSTANT_WORDS, FOREIGN_WORDS, GREEK, INVERSES, MODULES, UNITS
from gradcli.language.lookalikes import call_in

_ENCLOSED = {"⌊": ("⌋", "floor"), r"\lfloor": (r"\rfloor", "floor"), "⌈": ("⌉", "ceil"), r"\lceil": (r"\rceil", "ceil"),
             r"\lvert": (r"\rvert", "abs"), "|": ("|", "abs"), r"\|": (r"\|", "abs")}  # fmt: skip
_ROOTS = {"√": "sqrt", "∛": "cbrt"}
_SIGNS = {"∫": "integral", r"\int": "integral", "∑": "series", r"\sum": "series", "∏": "series", r"\prod": "series",
          r"\lim": "limit"}  # fmt: skip
_HIDDEN = frozenset({r"\mathrm", r"\operatorname", r"\text", r"\mathit", r"\mathbf", r"\operatorname*"})
_CONDITIONAL = frozenset({"ifs", "and", "or", "not", "where", "iif", "ifelse", "if_else", "piecewise", "boole"})
_CASTS = {"double": "", "float": "", "int": "trunc", "long": "trunc"}
_LETTERS = frozenset("xyztabcknr")
_FRACTIONS = frozenset({r"\frac", r"\dfrac", r"\tfrac", r"\cfrac"})


class Reader(Operators):
    """Reads one expression; ``is_function`` tells which names are functions, here or elsewhere."""

    def __init__(self, text: str, is_function: Callable[[str], bool], notes: Notes, apart: bool = False) -> None:
        super().__init__(text, notes, apart)
        self.is_function = is_function
        self.square = any(
            a.kind == "name" and is_function(a.text) and b.text == "[" for a, b in itertools.pairwise(self.tokens)
        )

    def atom(self) -> Tree:
        self.part_bars()
        token = self.next
        self.at += 1
        if token.kind in ("number", "quoted"):
            following = self.next
            beside = token.kind == "number" and following.kind == "name"
            if beside and following.blank and following.text in UNITS:
                self.notes.remark(f"there are no units here, {following.text} is a variable")
            if beside and not following.blank and following.text in ("i", "j", "im"):
                self.notes.remark("there are no complex numbers here")
            return ("number" if token.kind == "number" else "name", token.text)
        if token.kind == "name":
            return self.named(token.text)
        if token.kind == "command":
            return self.command(token.text)
        if token.text in ("(", "[", "{"):
            items = self.arguments(CLOSING[token.text])
            if len(items) == 1 and items[0][0] == "name" and items[0][1] in _CASTS and self.operand_next():
                cast = _CASTS[items[0][1]]
                return ("call", cast, [self.postfix()], "(") if cast else self.postfix()
            if len(items) == 1 and (token.text != "[" or items[0][0] != "list"):
                return items[0]
            return ("list", items)
        if token.text in _ENCLOSED:
            closing, name = _ENCLOSED[token.text]
            self.bars += 1
            inner = self.expression()
            self.bars -= 1
            self.part_bars()
            self.expect(closing)
            return ("call", name, [inner], "(")
        if token.text in _ROOTS:
            if self.at > 1 and self.tokens[self.at - 2].kind == "raised":
                raise Unreadable
            root: Tree = ("call", _ROOTS[token.text], [self.atom()], "(")
            if self.next.kind == "raised" or self.next.text in ("^", "**"):
                raise Unreadable
            self.open_call = root
            return root
        raise Unreadable(_SIGNS.get(token.text, ""))

    def command(self, text: str) -> Tree:
        if text in _FRACTIONS:
            return ("group", ("/", self.argument(), self.argument()))
        if text in (r"\binom", r"\dbinom"):
            return ("call", "binomial", [self.argument(), self.argument()], "(")
        if text == r"\sqrt":
            if self.take("["):
                index = self.arguments("]")
                return ("call", "root", [self.argument(), *index], "(")
            return ("call", "sqrt", [self.argument()], "(")
        if text in _HIDDEN:
            self.expect("{")
            words = []
            while not self.take("}"):
                words.append(self.next.text)
                self.at += 1
                if self.next.kind == "end":
                    raise Unreadable
            return self.named("".join(words))
        if text in _ENCLOSED or text in _SIGNS:
            self.at -= 1
            self.tokens[self.at] = Lexeme("operator", text, False)
            return self.atom()
        if text == r"\{":
            items = self.arguments(r"\}")
            if len(items) == 1:
                return items[0]
        name = text[1:].removeprefix("var")
        if name in ACCENTS or (name.lower() not in GREEK and not self.is_function(name)):
            raise Unreadable
        called = not name.islower() and self.next.text == "(" and self.is_function(name)
        if name.lower() in GREEK and not called and (name.islower() or name.lower() not in SPELLED):
            joined = self.subscript(name)
            return self.variable(joined if isinstance(joined, str) else name)
        return self.named(name)

    # Names.

    def named(self, name: str) -> Tree:
        """A name with what belongs to it: attributes, a subscript, a power on a function, arguments."""
        name = self.dotted(name)
        if name == "if" and self.next.text == "(":
            self.at += 1
            return ("call", "if", self.arguments(")", True), "(")
        if (name in STOPS | INFIX and self.next.text != "(") or (
            name in FOREIGN_WORDS and self.tokens[self.at - 1].kind == "name" and self.next.text != "("
        ):
            raise Unreadable
        if self.next.text == "'" and self.peek().text == "(" and self.is_function(name):
            self.at += 2
            return ("call", "derivative", [("call", name, self.arguments(")"), "(")], "(")
        base = self.subscript(name)
        if (digits := re.fullmatch(r"(?:log|ln)(\d+)", name)) is not None and not self.is_function(name):
            base = ("number", digits[1])
        if base is not None:
            if isinstance(base, str):
                name = base
            else:
                operand = self.bare_argument()
                return ("call", "log", [operand, base], "_")
        if name.startswith("`") or not self.is_function(name):
            token = self.next
            if token.text == "[" and not token.blank:
                raise Unreadable("index")
            if token.text == "(" and not token.blank and not (len(name) == 1 and name not in "fgh"):
                self.at += 1
                arguments = self.arguments(")")
                if name[1:] in SPELLED and name[1:] in WORDS and name[0] in _LETTERS:
                    # xsin(x)
                    return ("*", ("name", name[0]), ("call", name[1:], arguments, "("))
                return ("call", name, arguments, "(")
            return self.variable(name)
        if (self.next.kind == "raised" or self.next.text in ("^", "**")) and {name, name.lower()} & WORDS:
            tree = self.power_on_name(name)
            if tree is not None:
                return tree
        if self.next.text == "." and self.peek().text == "(":
            self.at += 1
        if self.next.text == "(":
            self.at += 1
            return ("call", name, self.arguments(")", name.lower() in _CONDITIONAL), "(")
        if self.next.text == "[" and not self.next.blank:
            self.at += 1
            items = self.arguments("]")
            if name.lower() in ("log", "ln") and len(items) == 1 and self.next.text == "(":
                return ("call", "log", [self.bare_argument(), *items], "_")
            return ("call", name, items, "[")
        if self.takes_bare(name) and self.operand_next():
            tree = ("call", name, [self.run()], "(")
            self.open_call = tree
            return tree
        return self.variable(name)

    def takes_bare(self, name: str) -> bool:
        """Whether a function may have its argument without brackets."""
        row = SPELLED.get(name) or SPELLED.get(name.lower())
        return row is not None and row.arity == (1, 1) and not row.parameter and bool({name, name.lower()} & WORDS)

    def dotted(self, name: str) -> str:
        """A name with its attributes: a function of a module, or a name in backquotes."""
        parts = [name]
        while (
            self.next.text in (".", "::")
            and not self.next.blank
            and self.peek().kind == "name"
            and not self.peek().blank
        ):
            if self.next.text == ".":
                pair = f"{parts[-1]}.{self.peek().text}"
                method = self.peek(2).text == "(" and parts[0] not in MODULES and not self.is_function(pair)
                if method and not (name.isupper() and self.peek().text.isupper()):
                    break
            else:
                parts.clear()
            parts.append(self.peek().text)
            self.at += 2
        if len(parts) == 1:
            return parts[0]
        if parts[0] in MODULES:
            pair = ".".join(parts[-2:])
            return pair if self.is_function(pair) else parts[-1]
        return ".".join(parts) if self.next.text == "(" else f"`{'.'.join(parts)}`"

    def subscript(self, name: str) -> str | Tree | None:
        """A name joined with its subscript, or the base of a logarithm; None without one."""
        written = re.fullmatch(r"([^\W_]+)_(\w*)", name)
        if written is not None and self.is_function(name):
            return None
        if self.next.kind == "name" and self.next.text.startswith("_") and not self.next.blank and "_" not in name:
            name += self.next.text
            self.at += 1
            written = re.fullmatch(r"([^\W_]+)_(\w*)", name)
        if written is None:
            return None
        stem, index = written[1], written[2]
        if not index:
            if self.next.text != "{":
                raise Unreadable
            self.at += 1
            items = self.arguments("}")
            if len(items) != 1 or items[0][0] not in ("number", "name"):
                raise Unreadable
            index = items[0][1]
        if stem.lower() in ("log", "ln"):
            return ("number" if index.isdigit() else "name", index)
        return f"{stem}_{index}"

    def power_on_name(self, name: str) -> Tree | None:
        """sin^2(x), or exp^x; None if the function has no argument behind the power."""
        start = self.at
        if self.next.kind == "raised":
            exponent = lifted(self.next.text)
            self.at += 1
        else:
            self.at += 1
            sign = self.take("-", "+")
            token = self.next
            self.at += 1
            if token.text in ("(", "{"):
                items = self.arguments(CLOSING[token.text])
                if len(items) != 1:
                    raise Unreadable
                exponent = items[0]
            elif token.kind in ("number", "name"):
                exponent = (token.kind, token.text)
            else:
                raise Unreadable
            exponent = ("neg", exponent) if sign == "-" else exponent
        if not self.operand_next():
            if name.lower() == "exp":
                return ("call", "exp", [exponent], "(")
            self.at = start
            return None
        call: Tree = ("call", name, [self.bare_argument()], "(")
        if exponent == ("neg", ("number", "1")):
            if name.lower() not in INVERSES:
                raise Unreadable
            inverse = ("call", INVERSES[name.lower()], call[2], "(")
            return self.notes.choice(inverse, ("group", ("/", ("number", "1"), call)))
        if self.next.text in ("^", "**", "!") or self.next.kind == "raised":
            raise Unreadable
        return ("**", call, exponent)

    def bare_argument(self) -> Tree:
        if self.take("(", "["):
            items = self.arguments(CLOSING[self.tokens[self.at - 1].text])
            if len(items) != 1:
                raise Unreadable
            return items[0]
        return self.run()

    def run(self) -> Tree:
        """The unbroken run of factors that a function without brackets takes: 2x of sin 2x + 1."""
        a = self.power(self.postfix())
        while (
            self.operand_next()
            and self.next.kind in ("name", "command")
            and not (self.next.blank or self.function_next())
        ):
            a = ("*", a, self.power(self.postfix()))
        self.open_power = None
        return a

    def variable(self, name: str) -> Tree:
        if name in CONSTANT_WORDS:
            return ("text", CONSTANT_WORDS[name])
        if name == "E" and self.square:
            return ("name", "e")
        if name == "I" and self.square:
            self.notes.remark("there are no complex numbers here")
        if name == "tau" and self.tokens[self.at - 1].kind == "command":
            return self.notes.choice(("name", "`tau`"), ("name", "tau"))
        letters = {token.text for token in self.tokens if token.kind == "name" and len(token.text) == 1}
        if (call := call_in(name, letters)) is not None:
            return self.notes.choice(("text", call), ("name", name))
        # gamma is a function where it is called, and a variable in backquotes.
        return ("name", f"`{name}`" if name in SPELLED and name not in WORDS else name)
