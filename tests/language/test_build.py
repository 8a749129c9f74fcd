"""What a build writes: the parser's tables as plain data, the same from a checkout and from its sdist."""

import ast
import importlib.util
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from checkout import ROOT
from lark import Lark

from gradcli.language import tables

BARE = [sys.executable, "-I", "-S", "-B", "-c"]  # no environment, no site-packages: the standard library alone


class Token(str):
    """A string as Lark before 1.3 has them."""

    def __repr__(self):
        return f"Token('RULE', {str.__str__(self)!r})"

    __str__ = __repr__


class Number(int):
    __repr__ = __str__ = lambda self: "Number()"


class Pairs(dict):
    __repr__ = lambda self: "Pairs()"


def disguised(value):
    """The same data with every string a Token."""
    if isinstance(value, str):
        return Token(value)
    if isinstance(value, dict):
        return {disguised(key): disguised(one) for key, one in value.items()}
    return type(value)(map(disguised, value)) if isinstance(value, (tuple, list)) else value


def kinds(value) -> set[type]:
    """The types of a value and of all in it."""
    within = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, (tuple, list)) else []
    return {type(value)}.union(*map(kinds, within))


def test_subclasses_are_written_as_what_they_are():
    value = {
        Token("a\n'"): [Token("b"), Number(3), None, True],
        "c": (tables.Rule(Token("d"), Number(2), ""), Pairs(e=-1)),
    }
    plain = tables.plain(value)
    assert plain == {"a\n'": ["b", 3, None, True], "c": (("d", 2, ""), {"e": -1})}
    assert kinds(plain) == {dict, list, tuple, str, int, bool, type(None)}
    assert ast.literal_eval(repr(plain)) == plain


@pytest.mark.parametrize("value", [object(), {"a": {1, 2}}, [b"a"], (Path("a"),), {(1, 2.5): 3}, [...], float("nan")])
def test_what_is_no_literal_of_the_tables_is_refused(value):
    with pytest.raises(TypeError, match="cannot be written"):
        tables.plain(value)


def test_a_lark_of_tokens_gives_the_same_tables(monkeypatch):
    grammar = tables.grammar_text()
    written, made = tables.source(grammar), tables.make(grammar)
    serialize = Lark.memo_serialize
    monkeypatch.setattr(Lark, "memo_serialize", lambda *args: disguised(serialize(*args)))
    assert "Token(" in repr(Lark("start: /a/", parser="lalr").memo_serialize([]))
    assert tables.source(grammar) == written
    assert tables.make(grammar) == made
    assert Token not in kinds(tables.make(grammar))


def build(source: Path, target: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [made] = folder.iterdir()
    return made


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_wheels_of_the_checkout_and_of_its_sdist_parse_without_lark(tmp_path):
    with tarfile.open(build(ROOT, "sdist", tmp_path / "sdist")) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()
    wanted = tables.plain(tables.make(tables.grammar_text()))
    written = []
    for number, source in enumerate([ROOT, unpacked]):
        installed = tmp_path / f"installed{number}"
        with zipfile.ZipFile(build(source, "wheel", tmp_path / f"wheel{number}")) as archive:
            archive.extractall(installed)
        for folder, inside in [("docs", "gradcli/_docs"), ("share", "gradcli-*.data/data/share")]:
            [copy] = installed.glob(inside)
            assert contents(copy) == contents(ROOT / folder)
        path = installed / "gradcli" / "_tables.py"
        code = "import runpy, sys; print(ascii(runpy.run_path(sys.argv[1])['TABLES']))"
        said = subprocess.run([*BARE, code, str(path)], capture_output=True, text=True, check=True).stdout
        assert ast.literal_eval(said) == wanted
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]); import gradcli.language; from gradcli.expr import text; "
            "print(gradcli.__file__, text(gradcli.language.parse('sin(x)^2 + 1').outputs[0][1]), sep='\\n')"
        )
        said = subprocess.run([*BARE, code, str(installed)], capture_output=True, text=True, check=True).stdout
        assert said.splitlines() == [str(installed / "gradcli" / "__init__.py"), "sin(x)**2 + 1"]
        written.append(path.read_bytes())
    assert written[0] == written[1] == tables.source(tables.grammar_text()).encode()


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (lambda text: text.replace("TABLES = (", "TABLES = (Token('RULE', 'a'), "), "name 'Token' is not defined"),
        (lambda text: text.replace("GRAMMAR = ", "GRAMMAR = 'another' + "), "lark"),
        (lambda text: text.replace("'+': 'PLUS'", "'+': 'PULS'"), "GradError"),
        (lambda text: text.replace("'add'", "'sub'"), "and should be"),
        (lambda text: text[:-40], "SyntaxError"),
    ],
    ids=["a name", "another grammar", "no such symbol", "another meaning", "cut off"],
)
def test_bad_tables_fail_the_build(monkeypatch, tmp_path, bad, said):
    text = bad(tables.source(tables.grammar_text()))
    monkeypatch.setattr(tables, "source", lambda grammar: text)
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    hatch_build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hatch_build)
    monkeypatch.setattr(sys, "path", [*sys.path])
    hook = hatch_build.WriteTables(str(ROOT), {}, None, None, str(tmp_path), "wheel")
    with pytest.raises(RuntimeError, match=said):
        hook.initialize("standard", {"force_include": {}})
    hook.finalize("standard", {}, "")
