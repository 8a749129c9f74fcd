"""Names of outputs and derivatives as mathematics in one line: d²f/dx², ∂f/∂y, x₁."""

from __future__ import annotations

from collections.abc import Sequence

from gradcli.calculus.leibniz import Derivative, read

_ABOVE = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def raised(text: str) -> str:
    """Digits as exponents."""
    return text.translate(_ABOVE)


def symbol(name: str) -> str:
    """The name of a variable or an output: Greek letters as such, numbers at their end as indices.

    >>> symbol("lambda"), symbol("x_1"), symbol("v_max")
    ('λ', 'x₁', 'v_max')
    """
    if len(name) == 1:
        return name
    # Imported where it is needed: typesetting brings all notations with it.
    from gradcli.notation.typeset import GREEK, split_name

    base, index = split_name(name)
    if index and not index.isdigit():
        return f"{GREEK.get(base, base)}_{index}"
    return GREEK.get(base, base) + index.translate(_BELOW)


def labels(names: Sequence[str], wrt: Sequence[str], ordinary: bool) -> list[str]:
    """The names of outputs and their derivatives as mathematics, d for ``ordinary`` derivatives and ∂ for others.

    >>> labels(["f", "df_dx", "d2f_dx2"], ["x"], True)
    ['f', 'df/dx', 'd²f/dx²']
    """
    return [_label(derivative, "d" if ordinary else "∂") for derivative in read(names, wrt)]


def _label(derivative: Derivative, d: str) -> str:
    of = symbol(derivative.of)
    if not derivative.total:
        return of
    above = raised(str(derivative.total)) if derivative.total > 1 else ""
    below = "".join([f"{d}{symbol(x)}{raised(str(n)) if n > 1 else ''}" for x, n in derivative.powers])
    return f"{d}{above}{of}/{below}"


def written(label: str) -> str:
    """A number of a tick as print has it: a true minus, and a power of ten.

    >>> written("1e6"), written("2.5")
    ('10⁶', '2.5')
    """
    digits, e, exponent = label.replace("-", "\u2212").partition("e")
    if not e:
        return digits
    power = "10" + raised(exponent.replace("\u2212", "-"))
    return power if digits == "1" else f"\u221210{power[2:]}" if digits == "\u22121" else f"{digits}\u00d7{power}"
