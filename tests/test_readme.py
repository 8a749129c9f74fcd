"""The README tells the truth: its examples are run, its tables come from the code.

``python tests/test_readme.py`` writes the tables and the examples' output anew (the accuracy table alone is pasted from
``python tests/accuracy.py --markdown``, which takes minutes).
"""

import doctest
import json
import re
import shlex
import subprocess
import sys
import tempfile
from itertools import groupby
from pathlib import Path

import click
import pytest
from accuracy import LIMITS
from reference import FIXED_POWERS

from gradcli.calculus.derive import derive
from gradcli.cli import COMMANDS, group
from gradcli.cli.topics import EXIT_CODES
from gradcli.codegen import LANGUAGES
from gradcli.expr import apply, text, var
from gradcli.formats import FORMATS
from gradcli.functions import SPELLED, TABLE, Function
from gradcli.notation import NOTATIONS

README = Path(__file__).parent.parent / "README.md"
_EXAMPLES = re.compile(r"```console\n(.*?)```", re.DOTALL)
_FILES = re.compile(r"`([a-z.]+)`:\n\n```csv\n(.*?)```", re.DOTALL)
_TABLE = "<!-- {name} -->\n(.*?)<!-- end -->"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _public() -> list[Function]:
    return [row for row in TABLE.values() if not row.internal and row.name in SPELLED]


def _slope(row: Function) -> str:
    """The derivative in each argument, as the command prints it."""
    if row.name == "where" or row.arity[1] is None or row.reduces:
        return ""
    e = apply(row.name, *map(var, row.arguments), value=1 if row.parameter else None)
    texts = [text(d) for _, d in derive([("f", e)], row.arguments, 1)[1:]]
    return "" if set(texts) == {"0"} else ", ".join(f"`{t}`" for t in texts)


def functions() -> str:
    rows = []
    for row in _public():
        spelled = dict.fromkeys([*([f"x {row.infix} y"] if row.infix else [row.name]), *row.synonyms])
        needs = f" (needs `{row.needs}`)" if row.needs else ""
        rows.append([", ".join(f"`{word}`" for word in spelled), row.doc + needs, row.domain, _slope(row), row.notes])
    return _table(["function", "what it is", "domain", "slope", "at kinks and edges"], rows)


def formats() -> str:
    rows = []
    for f in FORMATS.values():
        suffixes = " ".join(f"`{s}`" for s in f.suffixes)
        read, memory = "yes" if f.reader else "no", "held" if f.held else "streamed"
        rows.append([f"`{f.name}`", suffixes, f.doc, read, memory, f"`gradcli[{f.needs}]`" if f.needs else ""])
    return _table(["format", "suffixes", "what it is", "read by --input", "in memory", "needs"], rows)


def options() -> str:
    cli = group()
    context = click.Context(cli)
    where: dict[str, list[str]] = {}
    told: dict[str, str] = {}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        for option in command.params:
            if isinstance(option, click.Option):
                spelled = ", ".join(f"`{word}`" for word in sorted(option.opts, key=len))
                where.setdefault(spelled, []).append(name)
                told.setdefault(spelled, (option.help or "").replace("  [", " ["))
    rows = []
    for spelled, commands in where.items():
        everywhere = len(commands) == len(COMMANDS)
        rows.append([spelled, told[spelled], "all" if everywhere else ", ".join(commands)])
    return _table(["option", "what it does", "commands"], rows)


def forms() -> str:
    rows = [[f"`{row.name}`", row.doc] for row in (*LANGUAGES.values(), *NOTATIONS.values())]
    return _table(["--as", "what it is"], [["`text`", "expressions, which `-f` reads back"], *rows])


def exit_codes() -> str:
    return _table(["code", "meaning"], [[code, meaning] for code, meaning in EXIT_CODES.items()])


def limits() -> str:
    rows = {"`x**p`" if name in FIXED_POWERS else f"`{name}`": why for name, (why, _) in LIMITS.items()}
    return _table(["function", "where"], [[name, why] for name, why in rows.items()])


def differences() -> str:
    """Kinks and edges at which gradcli's derivatives are not torch's."""
    rows = []
    for line in (Path(__file__).parent / "data" / "kinks.jsonl").read_text().splitlines():
        case = json.loads(line)
        ours, theirs = [float(v) for v in case["expect"].values()], case["torch"].split(",")
        if len(ours) != len(theirs) or not all(map(_agrees, ours, theirs)):
            at = ", ".join(f"{name} = {value}" for name, value in case["at"].items())
            told = "not implemented" if theirs[0].startswith("ERR") else ", ".join(theirs)
            names = ", ".join(f"`{name}`" for name in case["expect"])
            rows.append([f"`{case['expr']}`", at, names, ", ".join(f"{v:.9g}" for v in ours), told])
    return _table(["expression", "at", "derivative", "gradcli", "torch"], rows)


def _agrees(ours: float, theirs: str) -> bool:
    """Whether a number is the one shown, in as many digits as are shown."""
    try:
        shown = float(theirs)
    except ValueError:
        return False
    digits = len(re.sub(r"e.*|[^0-9]", "", theirs).lstrip("0"))
    return f"{ours:.{max(digits, 1)}g}" == f"{shown:.{max(digits, 1)}g}" or ours == shown


TABLES = {
    "differences": differences,
    "limits": limits,
    "functions": functions,
    "formats": formats,
    "options": options,
    "forms": forms,
    "exit codes": exit_codes,
}


def ran(block: str) -> str:
    """The block with what its commands print now, errors included, in a folder with the files that the README shows."""
    shown = []
    with tempfile.TemporaryDirectory() as folder:
        for name, text in _FILES.findall(README.read_text()):
            (Path(folder) / name).write_text(text)
        for line in block.splitlines():
            if line.startswith("$ "):
                printed = ""
                for is_pipe, words in groupby(shlex.split(line[2:], comments=True), lambda word: word == "|"):
                    if not is_pipe:
                        printed = _ran(list(words), printed, folder)
                shown.append(f"{line}\n{printed}")
    return "".join(shown)


def _ran(words: list[str], given: str, folder: str) -> str:
    """What one command prints, given what the one before it printed."""
    assert words[0] == "gradcli"
    command = [sys.executable, "-P", "-m", "gradcli", *words[1:]]
    done = subprocess.run(
        command, cwd=folder, input=given, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    return done.stdout


def examples() -> list[str]:
    return _EXAMPLES.findall(README.read_text())


def test_there_are_examples():
    assert len(examples()) >= 5


@pytest.mark.parametrize("block", examples(), ids=lambda block: block.splitlines()[0][2:60])
def test_example(block):
    assert ran(block) == block


def test_sessions_in_python():
    blocks = re.findall(r"```pycon\n(.*?)```", README.read_text(), re.DOTALL)
    assert len(blocks) >= 2
    session = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, "README", str(README), 0)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session)
    assert result.failed == 0 and result.attempted > 10


@pytest.mark.parametrize("name", TABLES)
def test_table(name):
    found = re.search(_TABLE.format(name=name), README.read_text(), re.DOTALL)
    assert found and found[1] == TABLES[name]()


def test_the_accuracy_of_every_function_is_shown():
    found = re.search(_TABLE.format(name="accuracy"), README.read_text(), re.DOTALL)
    assert found
    shown = {line.split("|")[1].strip() for line in found[1].splitlines()[2:]}
    assert {row.name for row in _public() if row.arity[1] != 1 or not row.reduces} - {"where"} <= shown


def _write() -> None:
    page = README.read_text()
    for name, made in TABLES.items():
        page = re.sub(
            _TABLE.format(name=name),
            lambda _, n=name, m=made: f"<!-- {n} -->\n{m()}<!-- end -->",
            page,
            flags=re.DOTALL,
        )
    README.write_text(_EXAMPLES.sub(lambda found: f"```console\n{ran(found[1])}```", page))


if __name__ == "__main__":
    _write()
