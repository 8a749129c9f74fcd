"""The tables of README, docs/ and CONTRIBUTING that come from the code, and those that come from other pages."""

import json
import re
import textwrap
from collections.abc import Callable

import click
from accuracy import LIMITS
from checkout import DATA, ROOT
from layers import LINES
from reference import FIXED_POWERS

from gradcli.calculus.derive import derive
from gradcli.cli import COMMANDS, EXIT_CODES, group
from gradcli.cli.topics import topics
from gradcli.codegen import LANGUAGES
from gradcli.expr import apply, text, var
from gradcli.formats import FORMATS
from gradcli.functions import SPELLED, TABLE, Function
from gradcli.notation import NOTATIONS

DOCS = ROOT / "docs"
MADE = re.compile(r"^<!-- ([\w ]+) -->\n(.*?)^<!-- end -->$", re.DOTALL | re.MULTILINE)
_BY_HAND = {"commands", "accuracy"}
"""Marked parts that nothing here makes."""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(map(_cell, line)) + " |\n" for line in lines)


def _list(items: list[tuple[str, str]]) -> str:
    """A list that fits a terminal, the words after the first aligned."""
    width = max(len(name) for name, _ in items)
    lines = []
    for name, said in items:
        first = f"- {name.ljust(width)}  "
        lines += textwrap.wrap(said, 80, initial_indent=first, subsequent_indent=" " * len(first))
    return "".join(f"{line}\n" for line in lines)


def public() -> list[Function]:
    return [row for row in TABLE.values() if not row.internal and row.name in SPELLED]


def _slope(row: Function) -> str:
    """The derivative in each argument, as the command prints it."""
    if row.name == "where" or row.arity[1] is None or row.reduces:
        return ""
    e = apply(row.name, *map(var, row.arguments), value=1 if row.parameter else None)
    known = [name for name in row.arguments if name not in row.unknown]
    texts = [text(d) for _, d in derive([("f", e)], known, 1)[1:]]
    shown = "" if set(texts) == {"0"} else ", ".join(f"`{t}`" for t in texts)
    return shown + (f" in {', '.join(known)}; in {', '.join(row.unknown)} no closed form" if row.unknown else "")


def functions() -> str:
    rows = []
    for row in public():
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
    said: dict[str, str] = {}
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        for option in command.params:
            if isinstance(option, click.Option):
                spelled = ", ".join(f"`{word}`" for word in sorted(option.opts, key=len))
                where.setdefault(spelled, []).append(name)
                said.setdefault(spelled, (option.help or "").replace("  [", " ["))
    rows = []
    for spelled, commands in where.items():
        everywhere = len(commands) == len(COMMANDS)
        rows.append([spelled, said[spelled], "all" if everywhere else ", ".join(commands)])
    return _table(["option", "what it does", "commands"], rows)


def forms() -> str:
    rows = [[f"`{row.name}`", row.doc] for row in (*LANGUAGES.values(), *NOTATIONS.values())]
    return _table(["--as", "what it is"], [["`text`", "expressions, which `-f` reads back"], *rows])


def limits() -> str:
    rows = {"`x**p`" if name in FIXED_POWERS else f"`{name}`": why for name, (why, _) in LIMITS.items()}
    return _table(["function", "where"], [[name, why] for name, why in rows.items()])


def differences() -> str:
    """Kinks and edges at which gradcli's derivatives are not torch's."""
    rows = []
    for line in (DATA / "kinks.jsonl").read_text().splitlines():
        case = json.loads(line)
        ours, theirs = [float(v) for v in case["expect"].values()], case["torch"].split(",")
        if len(ours) != len(theirs) or not all(map(_agrees, ours, theirs)):
            at = ", ".join(f"{name} = {value}" for name, value in case["at"].items())
            shown = "not implemented" if theirs[0].startswith("ERR") else ", ".join(theirs)
            names = ", ".join(f"`{name}`" for name in case["expect"])
            rows.append([f"`{case['expr']}`", at, names, ", ".join(f"{v:.9g}" for v in ours), shown])
    return _table(["expression", "at", "derivative", "gradcli", "torch"], rows)


def _agrees(ours: float, theirs: str) -> bool:
    """Whether a number is the one shown, in as many digits as are shown."""
    try:
        shown = float(theirs)
    except ValueError:
        return False
    digits = len(re.sub(r"e.*|[^0-9]", "", theirs).lstrip("0"))
    return f"{ours:.{max(digits, 1)}g}" == f"{shown:.{max(digits, 1)}g}" or ours == shown


def rows_of(page: str, header: str) -> list[list[str]]:
    """The cells of a table of a page, found by how its header begins; the first row is the header."""
    start = (DOCS / page).read_text().partition(f"\n| {header} |")[2]
    lines = f"| {header} |{start}".partition("\n\n")[0].splitlines()
    return [re.split(r" \| ", line.strip("| ")) for line in lines if line.startswith("|") and "---" not in line]


def measured() -> str:
    """The README's part of the table of speed."""
    header, *rows = rows_of("performance.md", "work")
    works = ("Hessian", "Black", "1 to 10", "2,000")
    engines = ("work", "gradcli, native", "gradcli, NumPy", "JAX, jitted", "heyoka", "torch", "SymPy lambdify, cse")
    columns = [header.index(name) for name in engines]
    few = [row for row in rows if any(work in row[0] for work in works)]
    return _table([header[k] for k in columns], [[row[k] for k in columns] for row in few])


def exactness() -> str:
    """The README's part of the table of accuracy."""
    header, *rows = rows_of("accuracy.md", "function")
    few = ("exp", "sin", "atan", "tanh", "erf", "power", "lgamma", "besselj")
    return _table(header, [row for row in rows if row[0] in few])


TABLES: dict[str, Callable[[], str]] = {
    "pages": lambda: "".join(
        f"- [{name}]({name}.md): {(DOCS / f'{name}.md').read_text().partition(chr(10))[0].removeprefix('# ')}\n"
        for name in topics()
    ),
    "differences": differences,
    "limits": limits,
    "functions": functions,
    "format list": lambda: _list([(f"`{f.name}`", f.doc) for f in FORMATS.values()]),
    "formats": formats,
    "options": options,
    "forms": forms,
    "exit codes": lambda: _list([(f"`{code}`", meaning) for code, meaning in EXIT_CODES.items()]),
    "lines": lambda: "".join(f"{k}. {', '.join(f'`{name}`' for name in names)}\n" for k, names in enumerate(LINES, 1)),
    "measured": measured,
    "exactness": exactness,
}


def made(page: str) -> str:
    """The page with its tables made anew."""

    def table(found: re.Match[str]) -> str:
        name = found[1]
        return found[0] if name in _BY_HAND else f"<!-- {name} -->\n{TABLES[name]()}<!-- end -->"

    return MADE.sub(table, page)
