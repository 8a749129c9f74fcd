"""The text of an error: its place, the line with carets, the hint; and which errors say that a package is missing."""

import pytest

from gradcli.caret import Source, Span, inert, printable
from gradcli.errors import GradError, meant, missing, optional

pytestmark = pytest.mark.quick


def pictured(text: str, start: int, end: int, name: str | None = None, hint: str | None = None) -> list[str]:
    return str(GradError("wrong", hint=hint, span=Span(start, end), source=Source(text, name))).split("\n")


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("x + y", 0, (1, 1, "x + y")), ("x + y", 5, (1, 6, "x + y")), ("ab\ncd\nef", 1, (1, 2, "ab")),
        ("ab\ncd\nef", 2, (1, 3, "ab")), ("ab\ncd\nef", 3, (2, 1, "cd")), ("ab\ncd\nef", 7, (3, 2, "ef")),
        ("\n\nx", 1, (2, 1, "")), ("", 0, (1, 1, "")),
    ],
)  # fmt: skip
def test_a_place_is_a_line_and_a_column_from_one(text: str, offset: int, place: tuple[int, int, str]) -> None:
    assert Source(text).place(offset) == place


def test_carets_stand_under_the_span() -> None:
    assert pictured("x + yz", 4, 6) == ["wrong", "  x + yz", "      ^^"]
    assert pictured("x + yz", 4, 6, "f.txt", "right") == ["f.txt:1:5: wrong", "  x + yz", "      ^^", "  right"]
    assert pictured("x\ny + z", 6, 7, "f.txt") == ["f.txt:2:5: wrong", "  y + z", "      ^"]
    # The end of the text has one, and a span that goes on in the next line stops at the end of its own.
    assert pictured("x +", 3, 3) == ["wrong", "  x +", "     ^"]
    assert pictured("x + (y\n+ z)", 4, 12) == ["wrong", "  x + (y", "      ^^"]
    # An escape is as wide as it is written.
    assert pictured("\a*\a", 2, 3) == ["wrong", r"  \x07*\x07", "       ^^^^"]


@pytest.mark.parametrize(
    ("length", "start", "shown", "column"),
    [
        (76, 75, (0, 76), 75), (77, 0, (0, 76), 0), (77, 38, (0, 76), 38), (77, 39, (1, 77), 38),
        (114, 76, (38, 114), 38), (115, 76, (38, 114), 38), (500, 499, (461, 500), 38),
    ],
)  # fmt: skip
def test_long_lines_are_cut_around_the_span(length: int, start: int, shown: tuple[int, int], column: int) -> None:
    text = "".join(chr(ord("a") + k % 23) for k in range(length))
    before, after = "..." * (shown[0] > 0), "..." * (shown[1] < length)
    line, carets = pictured(text, start, start + 1)[1:]
    assert line == f"  {before}{text[slice(*shown)]}{after}"
    assert carets == " " * (2 + len(before) + column) + "^"


def test_errors_without_a_place_are_a_message_and_a_hint() -> None:
    assert str(GradError("wrong")) == "wrong"
    assert str(GradError("wrong", hint="right")) == "wrong\n  right"
    assert str(GradError("wrong\a", hint="::right")) == "wrong\\x07\n  :\\u003aright"
    assert GradError("wrong").exit_code == 2


def test_the_innermost_place_is_kept() -> None:
    error = GradError("wrong").at(Span(1, 2), Source("abc"))
    assert error.at(Span(0, 3), Source("outer")) is error
    assert (error.span, error.source) == (Span(1, 2), Source("abc"))


def test_what_a_terminal_or_a_server_would_obey_is_escaped() -> None:
    assert printable("a\x1b[2J\u202eb") == r"a\x1b[2J\u202eb"
    assert inert(" ::error::x\n::debug::y ##[z]") == " :\\u003aerror::x\n:\\u003adebug::y ##\\u005bz]"
    assert inert("x[::2] and a::b # [c]") == "x[::2] and a::b # [c]"


def test_the_nearest_known_name_is_meant_or_ten_are_listed() -> None:
    many = [letter * 5 for letter in "abcdefghijk"]
    assert meant("alhpa", ["beta", "alpha"], "known:") == "did you mean 'alpha'?"
    assert meant("temp_C", ["temp C"], "known:", lambda name: f"`{name}`") == "did you mean `temp C`?"
    assert meant("--ordr", ["--order"], "known:") == "did you mean --order?"
    assert meant("z", [], "known:") == "known: none"
    assert meant("z", many[:10], "known:") == f"known: {', '.join(many[:10])}"
    assert meant("z", many, "known:", str.upper) == f"known: {', '.join(many[:10]).upper()} ..."


def test_a_missing_package_is_named_with_the_way_out() -> None:
    assert missing(ModuleNotFoundError("no", name="scipy.special"), "scipy")
    assert not missing(ModuleNotFoundError("no", name="scipy_special"), "scipy")
    assert not missing(ModuleNotFoundError("no", name="special.scipy"), "scipy")
    assert not missing(ModuleNotFoundError("no"), "scipy")
    assert optional("os.path", "files", "needs paths").join("a", "b")
    with pytest.raises(GradError) as refused:
        optional("gradcli_nothing.part", "extra", "needs Nothing")
    assert str(refused.value) == "needs Nothing\n  pip install 'gradcli[extra]'"


def test_a_package_that_lacks_another_is_not_missing(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lacks_another.py").write_text("import gradcli_nothing")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="gradcli_nothing"):
        optional("lacks_another", "extra", "needs it")
