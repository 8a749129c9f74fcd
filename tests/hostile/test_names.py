"""Names are names: whatever they look like, no tool takes them for code and no reader for markup."""

import ast
import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from command import COMMAND
from hostile_names import KEYWORDS, NAMES
from runners import RUN, SEEN, language_of, numbers, output_of, read_objects
from tools import need

from gradcli.calculus.derive import derive
from gradcli.caret import Source, Span, inert, printable
from gradcli.cli import check_report, run, stderr
from gradcli.codegen import LANGUAGES, code
from gradcli.errors import GradError
from gradcli.expr import spell_name, var
from gradcli.language import parse
from gradcli.notation import write
from gradcli.notation.typeset import GREEK
from gradcli.verify import CheckJob, Texts, run_check

TYPED = [name for name in NAMES if not re.search("[`\r\n]", name)]
"""Those that an expression may hold."""


def square(name):
    """The square of a variable as an output of nearly the same name, and its derivative."""
    return derive([(f"_{name}", var(name) * var(name))], [name], 1)


def refused(language, name):
    return (language in SEEN and not name.isprintable()) or (language == "sqlite" and name.lower() in ("true", "false"))


def written(language):
    """(name, text) of those that the language has; the others must be refused."""
    found = []
    for name in NAMES:
        try:
            found.append((name, code(language, square(name), [name])))
        except GradError as error:
            assert refused(language, name), (name, error)
        else:
            assert not refused(language, name), name
    return found


def sqlite_shell(jobs, tmp):
    """By the shell, which has commands of its own."""
    need("sqlite3")
    parts = []
    for text, (name,), _, _ in jobs:
        quoted = '"' + name.replace('"', '""') + '"'
        parts.append(
            f"DROP TABLE IF EXISTS points; CREATE TABLE points ({quoted} REAL); INSERT INTO points VALUES (3);"
        )
        parts.append(text)
    lines = output_of("sqlite3", "-batch", ":memory:", text="\n".join(parts), cwd=tmp).splitlines()
    return [[[float(cell) for cell in line.split("|")]] for line in lines]


def c_in_one(jobs, tmp):
    """As one file: the compiler takes its time for each."""
    need("cc")
    parts = ["#include <stdio.h>"]
    for k, (text, *_) in enumerate(jobs):
        parts.append(f"#define f f{k}\n{text}#undef f")
    calls = "".join([f'    f{k}(3.0, r); printf("%.17g %.17g\\n", r[0], r[1]);\n' for k in range(len(jobs))])
    parts.append(f"int main(void)\n{{\n    double r[2];\n{calls}    return 0;\n}}\n")
    (tmp / "main.c").write_text("\n".join(parts))
    output_of("cc", "-std=c99", "-Wall", "-Werror", "-pedantic-errors", "-O0", "main.c", "-o", "main", "-lm", cwd=tmp)
    return numbers(output_of("./main", cwd=tmp), jobs)


def jq_in_one(jobs, tmp):
    """As one filter of one object. -a: a line ends at a newline alone."""
    need("jq")
    (tmp / "program").write_text(",\n".join([f"(\n{text})" for text, *_ in jobs]))
    point = json.dumps({name: 3.0 for _, (name,), _, _ in jobs})
    return [[row] for row in read_objects(output_of("jq", "-ac", "-f", "program", text=point, cwd=tmp))]


OWN = {"c": c_in_one, "jq": jq_in_one, "sqlite3": sqlite_shell}
TOOLS = {**RUN, **OWN}


@pytest.mark.parametrize("tool", TOOLS)
def test_names_are_no_code(tool, tmp_path):
    language = "sqlite" if tool == "sqlite3" else language_of(tool)
    texts = written(language)
    jobs = [(text, [name], [{name: 3.0}], 2) for name, text in texts]
    found = TOOLS[tool](jobs, tmp_path)
    assert [(name, rows) for (name, _), rows in zip(texts, found, strict=True) if rows != [[9.0, 6.0]]] == []
    assert not list(tmp_path.rglob("PWNED*"))


@pytest.mark.parametrize("tool", RUN)
def test_words_of_any_language_are_no_words(tool, tmp_path):
    """Each a variable of its own, in programs of twenty."""
    language = language_of(tool)
    words = [word for word in KEYWORDS if not refused(language, word)]
    if language in ("sqlite", "duckdb"):
        words = list({word.lower(): word for word in words}.values())
    jobs = []
    for k in range(0, len(words), 20):
        some = words[k : k + 20]
        total = var(some[0])
        for word in some[1:]:
            total = total + var(word) * var(word)
        jobs.append((code(language, [("total", total)], some), some, [dict.fromkeys(some, 2.0)], 1))
    found = RUN[tool](jobs, tmp_path)
    assert found == [[[2.0 + 4 * (len(some) - 1)]] for _, some, _, _ in jobs]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_lines_hold_nothing_of_the_user(language):
    mark = LANGUAGES[language].comment
    first = code(language, square("x"), ["x"]).split("\n")[:2]
    assert all(line.startswith(f"{mark} ") and not re.search("coding[:=]", line) for line in first)
    for name, text in written(language):
        lines = text.split("\n")
        assert lines[:2] == first, name
        notes = [line for line in lines if line.startswith(mark)]
        assert all(line.isascii() and line.isprintable() and line[-1] not in "\\/" for line in notes), name
        assert all(map(str.isprintable, lines)), name
        assert language in SEEN or text.isascii(), name


@pytest.mark.quick
@pytest.mark.parametrize("language", ["python", "numpy"])
def test_a_module_of_python_is_imports_and_functions(language):
    for name, text in written(language):
        kinds = {type(node) for node in ast.parse(text.encode()).body}
        assert kinds <= {ast.Import, ast.ImportFrom, ast.FunctionDef}, name


@pytest.mark.parametrize("payload", ['coding:utf_7 +AAo-import os; os.system("echo PWNED")+AAo-#', "coding: foo"])
@pytest.mark.parametrize("language", ["python", "numpy"])
def test_a_declaration_of_the_encoding_is_none(payload, language, tmp_path):
    show = [*COMMAND, "show", f"`{payload}`**2", "--as", language, "-o", "p.py"]
    for command in (show, [sys.executable, "p.py"], [sys.executable, "-c", "import p; print(p.f(3))"]):
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert (done.returncode, done.stderr, "PWNED" in done.stdout) == (0, "", False)
    assert [float(v) for v in re.findall(r"[0-9.]+", done.stdout.replace("np.float64", ""))] == [9.0, 6.0]


# Notations.


COMMANDS = {
    *GREEK, "frac", "mathrm", "text", "cdot", "textbackslash", "textasciicircum", "textasciitilde", "textless",
    "textgreater", "textquotedbl",
}  # fmt: skip


def check_latex(line):
    """Braces that close, signs that mean something escaped, and no command but gradcli's own."""
    rest = re.sub(r"\\([A-Za-z]+)", lambda found: "" if found[1] in COMMANDS else "\\BAD", line)
    rest = re.sub(r"\\[{}$&#%_]", "", rest)
    assert not re.search(r"[\\$&#%~\"<>]", rest), line
    depth = 0
    for sign in rest:
        depth += {"{": 1, "}": -1}.get(sign, 0)
        assert depth >= 0, line
    assert depth == 0, line


def notated(notation):
    """(name, what is named, lines)"""
    for name in NAMES:
        named = square(name)
        text = write(notation, named, [name])
        assert text.endswith("\n")
        lines = text.removesuffix("\n").split("\n")
        # MathML's own signs for a product and a call cannot be seen.
        assert all(line.translate({0x2061: "", 0x2062: ""}).isprintable() for line in lines), name
        yield name, named, lines


def test_latex():
    for name, named, lines in notated("latex"):
        assert len(lines) == len(named), name
        for line in lines:
            check_latex(line)


def test_mathml():
    for name, named, lines in notated("mathml"):
        assert len(lines) == len(named), name
        for line in lines:
            tags = {e.tag.partition("}")[2] for e in ElementTree.fromstring(line).iter()}
            assert tags <= {"math", "mrow", "mfrac", "msup", "msub", "mi", "mn", "mo"}, name


def test_svg():
    for name, named, lines in notated("svg"):
        drawing = ElementTree.fromstring("\n".join(lines))
        assert {e.tag.partition("}")[2] for e in drawing.iter()} <= {"svg", "title", "rect", "g", "path", "text"}, name
        assert drawing[0].text == printable(", ".join([label for label, _ in named])), name


def test_a_listing_reads_back():
    for name, named, lines in notated("graph"):
        assert len(lines) == 4, name
        if name in TYPED and name.isprintable():
            read = dict(parse("\n".join(lines)).outputs)
            assert [read[label] for label, _ in named] == [e for _, e in named], name


LABEL = re.compile(r'(?<=[\[\t]label=)(?:"(?:[^"\\]|\\.)*"|[^,\]]+)')


def test_graphs_as_graphviz_reads_them():
    need("dot")
    graphs = [write("dot", square(name), [name]) for name in NAMES]
    done = subprocess.run(["dot", "-Tcanon"], input="".join(graphs).encode(), capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    # Long texts are folded by a backslash at the end of a line.
    read = done.stdout.decode().replace("\\\n", "").split("digraph gradcli {")[1:]
    assert len(read) == len(NAMES)
    for name, graph in zip(NAMES, read, strict=True):
        labels = LABEL.findall(graph)
        assert LABEL.sub("", graph) == LABEL.sub("", read[NAMES.index("x")]), name
        plain = [
            (label[1:-1] if label[0] == '"' else label).replace('\\"', '"').replace("\\\\", "\\") for label in labels
        ]
        assert printable(f"_{name}") in map(unescape, plain), name


# Verdicts.


def workflow_command(line):
    """(command, properties, message) as GitHub's runner finds them in a line of a log, or None."""
    found = re.match(r"::([^ :]+)(?: (.*?))?::(.*)", line.lstrip())
    if found:
        pairs = [pair.partition("=") for pair in (found[2] or "").split(",")]
        return found[1], {key: decoded(value) for key, _, value in pairs}, decoded(found[3])
    found = re.search(r"##\[([^ \]]+)", line)
    return (found[1], {}, "") if found else None


def decoded(text):
    for escaped, plain in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escaped, plain)
    return text


def test_verdicts():
    for name in TYPED:
        check_verdicts(name)


def check_verdicts(name):
    claims = Source(f"`_{name}` = 3*`{name}`\n3*`{name}`\n", f"{name}.claims")
    report = run_check(CheckJob([Source(f"`_{name}` = `{name}`**2")], Texts([claims]), points=2))
    assert [v.status for v in report.verdicts] == ["disagrees", "disagrees"]
    lines = "".join(check_report.github(report)).split("\n")
    assert (len(lines), lines[-1]) == (3, "")
    for line, v in zip(lines, report.verdicts, strict=False):
        command, properties, message = workflow_command(line)
        assert line.isprintable()
        assert (command, list(properties)) == ("error", ["file", "line", "col", "title"])
        assert properties["file"] == printable(f"{name}.claims")
        assert properties["title"] == printable(f"gradcli check: {v.claim.name}")
        assert message.startswith(printable(f"{v.claim.name} disagrees"))
    for form in (check_report.table, check_report.json):
        shown = inert(form(report, False))
        assert [workflow_command(line) for line in shown.splitlines() if workflow_command(line)] == []
    assert json.loads(shown)["checks"][0]["name"] == report.verdicts[0].claim.name
    suite = ElementTree.fromstring(check_report.junit(report))[0]
    assert [case.tag for case in suite] == ["testcase", "testcase"]
    assert [case.get("name") for case in suite] == [printable(v.claim.name) for v in report.verdicts]
    assert suite[0].get("file") == printable(f"{name}.claims")


COMMANDS_OF_SERVERS = [
    "::error::no", "  ::stop-commands::x", "\t::add-mask::x", "##[error]no", "a ##[add-matcher]m.json",
    "##vso[task.setvariable variable=x]no", "##teamcity[x]", "###[error]no", "::::error::no", "\u3000::error::no",
]  # fmt: skip


def server_commands(text):
    """Lines that GitHub, Azure Pipelines or TeamCity would carry out; they ignore blanks of any kind before ``::``."""
    return [line for line in text.splitlines() if re.search(r"^\s*::|##\w*\[", line)]


@pytest.mark.parametrize("text", COMMANDS_OF_SERVERS)
def test_what_is_told_is_no_workflow_command(text, capsys):
    assert server_commands(text)
    for k in range(len(text) + 1):
        for end in range(k, len(text) + 1):
            place = Source(f"1 + 2\n{text}\n3", text)
            error = GradError(f"{text}\n{text}", hint=text, span=Span(6 + k, 6 + end), source=place)
            lines = str(error).split("\n")
            assert server_commands("\n".join(lines)) == []
            assert len(lines) == 4
            # The caret stands under what it marks.
            marked = lines[1][lines[2].index("^") : len(lines[2])]
            assert marked.encode().decode("unicode_escape", "ignore").startswith(text[k:end]) or not text.isascii()
    stderr.note(text)
    assert server_commands(capsys.readouterr().err) == []


@pytest.mark.parametrize("text", COMMANDS_OF_SERVERS)
@pytest.mark.parametrize("words", ["eval f=`{}`+1", "eval {}", "explain `{}`**2", "eval x -i {} --keep", "help {}"])
def test_no_command_prints_a_workflow_command(words, text, tmp_path, monkeypatch, capfdbinary):
    monkeypatch.chdir(tmp_path)
    Path(text).write_text(f'x,"{text}","y"\n1,"{text}",{text}\n')
    for more in ([], ["--at", f"`{text}`=1"], ["-i", text, "--input-format", "csv"]):
        run([word.replace("{}", text) for word in words.split()] + (more if words.startswith("eval") else []))
    out, err = capfdbinary.readouterr()
    assert server_commands((out + err).decode()) == []


def test_text_reads_back():
    for name in TYPED:
        if name.isprintable():
            assert parse(f"{spell_name(name)}*{spell_name(name)}").outputs[0][1] == var(name) * var(name)
