"""The README tells the truth: its examples are run, its tables come from the code.

``python tests/test_readme.py`` writes the tables and the examples' output anew (the accuracy table alone is pasted from
``python tests/accuracy.py --markdown``, which takes minutes).
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from accuracy import LIMITS
from reference import FIXED_POWERS

from gradcli.cli import COMMANDS, group
from gradcli.cli.topics import EXIT_CODES
from gradcli.derive import derive
from gradcli.expr import apply, text, var
from gradcli.formats import FORMATS
from gradcli.functions import SPELLED, TABLE, Function

README = Path(__file__).parent.parent / "README.md"
_EXAMPLES = re.compile(r"```console\n(.*?)```", re.DOTALL)
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
    if row.name == "where" or row.arity[1] is None:
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
    return _table(
        ["format", "suffixes", "what it is"],
        [[f"`{f.name}`", " ".join(f"`{s}`" for s in f.suffixes), f.doc] for f in FORMATS.values()],
    )


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


def exit_codes() -> str:
    return _table(["code", "meaning"], [[code, meaning] for code, meaning in EXIT_CODES.items()])


def limits() -> str:
    rows = {"`x**p`" if name in FIXED_POWERS else f"`{name}`": why for name, (why, _) in LIMITS.items()}
    return _table(["function", "where"], [[name, why] for name, why in rows.items()])


TABLES = {"limits": limits, "functions": functions, "formats": formats, "options": options, "exit codes": exit_codes}


def ran(block: str) -> str:
    """The block with what its commands print now, errors included."""
    shown = []
    for line in block.splitlines():
        if line.startswith("$ "):
            words = shlex.split(line[2:], comments=True)
            assert words[0] == "gradcli"
            done = subprocess.run(
                [sys.executable, "-P", "-m", "gradcli", *words[1:]],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            shown.append(f"{line}\n{done.stdout}")
    return "".join(shown)


def examples() -> list[str]:
    return _EXAMPLES.findall(README.read_text())


def test_there_are_examples():
    assert len(examples()) >= 5


@pytest.mark.parametrize("block", examples(), ids=lambda block: block.splitlines()[0][2:60])
def test_example(block):
    assert ran(block) == block


@pytest.mark.parametrize("name", TABLES)
def test_table(name):
    found = re.search(_TABLE.format(name=name), README.read_text(), re.DOTALL)
    assert found and found[1] == TABLES[name]()


def test_the_accuracy_of_every_function_is_shown():
    found = re.search(_TABLE.format(name="accuracy"), README.read_text(), re.DOTALL)
    assert found
    shown = {line.split("|")[1].strip() for line in found[1].splitlines()[2:]}
    assert {row.name for row in _public()} - {"where"} <= shown


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
