"""What a message says to write instead; `grammar/reject.jsonl` has the places."""

import pytest

from gradcli.errors import GradError
from gradcli.language import parse

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("sin(1, 2)", "its form is sin(x)"),
        ("sin()", "its form is sin(x)"),
        ("hypot(1)", "its form is hypot(x, y)"),
        ("max()", "its form is max(x, y, ...)"),
        ("besselj(1)", "its form is besselj(n, x)"),
        ("where(x)", "its form is where(condition, a, b)"),
        ("diff(x)", "write diff(x, x)"),
        ("diff(x*y)", "its forms are diff(expression, x), and diff(expression, x, n) for the n-th derivative"),
        ("clip(x)", "its form is clip(x, a, b)"),
    ],
)
def test_a_wrong_count_of_arguments_is_told_the_right_one(source, hint):
    with pytest.raises(GradError) as caught:
        parse(source)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("x < 1", "write where(x < 1, 1, 0)"),
        ("where(x, 1, 2)", "write where(x != 0, 1, 2)"),
        ("diff(sum(x), x)", "its gradient is what gradcli grad gives"),
        ("x +", None),
    ],
)
def test_hints(source, hint):
    with pytest.raises(GradError) as caught:
        parse(source)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("2 " + "x" * 40, f"write 2*{'x' * 40}"), ("2 " + "x" * 41, f"write 2*{'x' * 37}..."),
        ("(x\n + y) z", r"write (x + y)*z"), ("2 f(x", "write 2*f(...)"), ("2 (x", "write 2*(...)"),
        ("2 (x)(y)", "write 2*(x)"), ("f(x) (y", "write f(x)*(...)"), ("(x + (y)) 2", "write (x + (y))*2"),
        ("sin(x) (y)", "write sin(x)*(y)"), ("sin x + 1", "write sin(x)"), ("sin x, 1", "write sin(x)"),
        ("sin 2 x", "write sin(...)"), ("x if y > 0 else 1 if z > 0", "expected 'else' and the other value"),
        ("x\n(y if z > 0", "expected 'else' and the other value"), ("x if y > 0 else (z", "'(' at column 17"),
        ("0x1F", "write 31"), ("0b2", "write 0*b2"), ("1_", "write 1*_"),
        ("1_0_0*x", "write 100"), ("2e x", "write 2e3, or 2*e"),
        ("1.5.", "there are no attributes"), ("x'", "for a derivative write diff(f, x)"),
        ("('a')", "there are no strings"),
        ("x + 'a", "there are no strings"), ("|x", "write abs(...)"), ("x./y", "write '/'"),
        ("x.^2", "write '^'"), ("1,5", "write 1.5"), ("1 ,5", "a comma separates arguments"), ("x=1=2", "only a name"),
        ("(x=1)", "a comparison is written '=='"), ("f(x)=1; g(x)=2", "write f = ..."), ("2*f(x)=1", "only a name"),
        ("1 if 2 else 3 else 4", "there is no 'if' before it"), ("x !y", "for a factorial write gamma(x + 1)"),
        ("x mod y", "for 'mod' write '%'"), ("x Mod y", "for 'Mod' write '%'"), ("x Or y", "for 'Or' write 'or'"),
        ("x xor y", "for 'xor' write '!='"), ("return x", "'return' has no meaning"), ("x:y", "it has no meaning"),
        ("x\x7f", "U+007F: it is invisible"), ("x \u00be", "write '(3/4)'"), ("\u2100", "write 'a/c'"),
        ("x\u2081\u2082", "write '1', as in x1"), ("\u03b2\u03b3", "backquotes, `\u03b2\u03b3`"),
        ("\u0394x", "backquotes, `\u0394x`"), ("\u0394", "write 'delta', or `\u0394` in backquotes"),
        ("a\u0394", "backquotes, `a\u0394`"), ("a \u0394", "write 'delta'"), ("\u2028x", "it is invisible, delete it"),
        ("\u00abx\u00bb", "there are no strings"), ("x\u00b2\u207b\u00b9y", "write **2-1"),
    ],
)  # fmt: skip
def test_what_to_write_instead(source, says):
    with pytest.raises(GradError) as caught:
        parse(source)
    assert says in caught.value.message
