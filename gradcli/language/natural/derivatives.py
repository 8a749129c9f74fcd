"""Derivatives as people write them: d/dx(...), dy/dx, and calls of what the text defines, f(x) and f'(x).

Layer: must not know what stands beside a derivative.
"""

from __future__ import annotations

import re

from gradcli.language.natural.lexemes import refuse_defined
from gradcli.language.natural.names import names_in, spelled
from gradcli.language.natural.symbols import GREEK, PRIMES
from gradcli.language.natural.words import WORD, Words

_D = r"(?:\\mathrm\s*+\{d\}|\\partial(?![A-Za-z])|[d∂])\s*+"
_UPPER, _LOWER = (
    r"(?:\^\s*+(?:\{\s*+(?P<" + n + r">[0-9]++)\s*+\}|(?P<" + n + r"_digits>[0-9]++))|(?P<" + n + r"_sign>[²³⁴]))?+\s*+"
    for n in ("upper", "lower")
)
_TOP = r"(?P<top>[A-Za-z](?![A-Za-z0-9_]))?+\s*+"
_VARIABLE = r"(?P<variable>\\[a-z]++|[A-Za-z](?:_?[0-9]++)?+(?![A-Za-z0-9_])|[\u03b1-\u03c9])\s*+"
_PLAIN = re.compile(rf"{_D}{_UPPER}{_TOP}/\s*+{_D}{_VARIABLE}{_LOWER}")
_TWO = re.compile(rf"\\[dtc]?frac\s*+\{{\s*+{_D}{_UPPER}{_TOP}\}}\s*+\{{\s*+{_D}{_VARIABLE}(?={_D}[A-Za-z\\])")
_FRACTION = re.compile(rf"\\[dtc]?frac\s*+\{{\s*+{_D}{_UPPER}{_TOP}\}}\s*+\{{\s*+{_D}{_VARIABLE}{_LOWER}\}}")
_MIXED = re.compile(rf"{_D}{_VARIABLE}")
_DEFINES = re.compile(r"\s*+=(?!=)")
_OPENS = re.compile(r"\s*+(?:\\left\s*+)?([(\[])")
_CALL = re.compile(
    r"\s*+(?P<primes>(?:['\u2032\u2019\u2033\u2034]|\^\{?(?:\s*+\\prime)++\s*+\}?+)*+)\s*+\((?P<of>[\w\s,\\\u03b1-\u03c9]*+)\)",
    re.ASCII,
)
_SIGNS = {"²": "2", "³": "3", "⁴": "4"}
_CLOSING = {"(": ")", "[": "]"}


class Derivatives(Words):
    """Reads derivatives and calls of definitions."""

    def derivative_at(self, at: int) -> int | None:
        """Read d/dx( or dy/dx at an offset; the offset behind it, or None if none begins there."""
        plain = self.text[at] != "\\" or self.text.startswith(("\\partial", "\\mathrm"), at)
        match = _PLAIN.match(self.text, at) if plain else _FRACTION.match(self.text, at) or _TWO.match(self.text, at)
        if match is None:
            return None
        word = WORD.match(self.text, at)
        if word and (word[0] in self.names.given or "d" in self.names.given):
            return None
        name = match["variable"].lstrip("\\")
        name = spelled(name)
        if match["variable"].startswith("\\") and name not in GREEK:
            return None
        order = self._order(match, "upper")
        start, end, shown = match.start(), match.end(), " ".join(match[0].split())
        if mixed := _MIXED.match(self.text, end):
            other = spelled(mixed["variable"].lstrip("\\"))
            self.refuse(
                start,
                mixed.end(),
                "a derivative in two variables is one of another",
                f"diff(diff(..., {name}), {other})",
            )
        if self._order(match, "lower") != order:
            of, lower = match["top"] or "f", self._order(match, "lower")
            readings = [f"diff({of}, {name}, {max(order, lower)})"]
            if order == "1":
                readings.append(f"diff({of}, {name})^{lower}")
            self.refuse(start, end, f"'{shown}': the orders above and below differ", *readings)
        tail = f", {name})" if order == "1" else f", {name}, {order})"
        if top := match["top"]:
            if top not in self.names.given:
                self.refuse(start, end, f"'{shown}': {top} is not defined here", f"{top} = ...; diff({top}{tail}")
            if _DEFINES.match(self.text, end):
                refuse_defined(self.source, start, end, top, name, int(order))
            self.add("name", f"diff({top}{tail}", start, end)
            return end
        opens = _OPENS.match(self.text, end)
        if opens is None:
            self.refuse(start, end, f"'{shown}' takes its function in brackets", f"diff(...{tail}")
        self.enter("diff(", start, opens.end(), _CLOSING[opens[1]], tail, call=True)
        return opens.end()

    @staticmethod
    def _order(match: re.Match[str], which: str) -> str:
        sign = match[f"{which}_sign"]
        return match[which] or match[f"{which}_digits"] or (_SIGNS[sign] if sign else "1")

    def formula_at(self, at: int) -> int | None:
        """Read f(x) or f'(x) of a definition f(x) = ...; the offset behind it, or None if there is none."""
        word = WORD.match(self.text, at)
        of = self.names.formulas.get(word[0]) if word else None
        call = _CALL.match(self.text, word.end()) if word and of else None
        if word is None or of is None or call is None or names_in(call["of"]) != of:
            return None
        name, end = word[0], call.end()
        order = sum(PRIMES.get(c, 0) for c in call["primes"].replace("\\prime", "'"))
        if not order:
            self.add("name", name, at, end, "formula")
            return end
        if len(of) > 1:
            self.refuse(at, end, "a prime takes a function of one variable", f"diff({name}, {of[0]})")
        if _DEFINES.match(self.text, end):
            refuse_defined(self.source, at, end, name, of[0], order)
        self.add("name", f"diff({name}, {of[0]}{'' if order == 1 else f', {order}'})", at, end, "formula")
        return end
