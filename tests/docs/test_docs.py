"""README, docs/ and CONTRIBUTING tell the truth: their blocks are run, their tables come from the code.

``python tests/docs/test_docs.py --write`` writes the tables and what the commands print anew (the accuracy table alone
is pasted from ``python tests/references/accuracy.py --markdown``, which takes minutes).
"""

import doctest
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from itertools import groupby
from pathlib import Path
from typing import NamedTuple
from unittest import mock

# As a command it runs without pytest's paths.
sys.path.extend(str(Path(__file__).parents[1] / folder) for folder in ("", "compute", "house", "plot", "references"))

import click
import man_page
import pictures
import plot_pictures
import pytest
from checkout import ROOT
from doc_tables import DOCS, MADE, made, public, rows_of
from golden import stable
from layers import LINES
from tools import lack, need

from gradcli.cli import COMMANDS, EXIT_CODES, group, run
from gradcli.cli.topics import SYNONYMS, page_text, topics
from gradcli.codegen import LANGUAGES
from gradcli.formats import FORMATS
from gradcli.notation import NOTATIONS
from gradcli.verify.wording import STATUSES

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
_BLOCK = re.compile(r"^```(\S*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_FILE = re.compile(r"`([\w./-]+)`:$")
_NOT_RUN = re.compile(r"<!-- not run: \S.* -->$")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """A fenced block: what its fence says, the last line before it, its text."""

    language: str
    before: str
    text: str

    @property
    def runs(self) -> bool:
        """Whether it is a session in the shell."""
        return self.language == "console" and not _NOT_RUN.search(self.before)


def block(found: re.Match[str]) -> Block:
    return Block(found[1], found.string[: found.start()].rstrip().rpartition("\n")[2], found[2])


def blocks(page: str) -> list[Block]:
    return [block(found) for found in _BLOCK.finditer(page)]


# What the pages run.


class Session:
    """The commands of a page, run in the empty folder with the page's files. ``absent``: tools that are not there."""

    def __init__(self) -> None:
        self.code = 0
        self.absent: set[str] = set()

    def block(self, text: str) -> str:
        """A console block with what its commands print now."""
        pieces = re.split(r"^(?=\$ )", text, flags=re.MULTILINE)
        assert not pieces[0], f"a console block begins with a command: {text}"
        return "".join(self._command(piece) for piece in pieces[1:])

    def _command(self, piece: str) -> str:
        line = piece.partition("\n")[0]
        lexer = shlex.shlex(line[2:], posix=True, punctuation_chars="|>")
        lexer.whitespace_split = True
        printed, notes = "", ""
        for mark, group_of in groupby(lexer, lambda word: word if word in ("|", ">") else ""):
            words = list(group_of)
            if mark:
                into_file = mark == ">"
            elif printed and into_file:
                Path(words[0]).write_text(printed)
                printed = ""
            elif words == ["echo", "$?"]:
                printed = f"{self.code}\n"
            elif words[0] == "gradcli":
                self.code, printed, told = _in_process(words[1:], printed)
                notes += told
            elif lack(words[0]):
                self.absent.add(words[0])
                return piece
            else:
                done = subprocess.run(words, input=printed, capture_output=True, text=True, check=False)
                self.code, printed, notes = done.returncode, done.stdout, notes + done.stderr
        return f"{line}\n{printed}{notes}"


def _in_process(words: list[str], given: str) -> tuple[int, str, str]:
    """What one command of gradcli's does with what it is given on stdin: exit code, stdout, stderr."""
    with ExitStack() as stack:
        stdin, out, err = (stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8")) for _ in range(3))
        stdin.write(given)
        stdin.seek(0)
        with mock.patch("sys.stdin", stdin), redirect_stdout(out), redirect_stderr(err):
            code = run(words)
        for stream in (out, err):
            stream.seek(0)
        return code, out.read(), err.read()


@contextmanager
def folder_of(page: str) -> Iterator[None]:
    """A folder of its own with the files that the page shows, and an environment that says nothing."""
    plain = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GRADCLI") and name not in ("NO_COLOR", "FORCE_COLOR")
    } | {"COLUMNS": "80"}
    with tempfile.TemporaryDirectory() as folder, chdir(folder), mock.patch.dict(os.environ, plain, clear=True):
        for block in blocks(page):
            if (name := _FILE.search(block.before)) is not None:
                Path(name[1]).parent.mkdir(parents=True, exist_ok=True)
                Path(name[1]).write_text(block.text)
        yield


def ran(page: str, session: Session) -> str:
    """The page with what its commands print now."""
    with folder_of(page):
        return _BLOCK.sub(lambda b: f"```console\n{session.block(b[2])}```" if block(b).runs else b[0], page)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_commands_print_what_is_shown(path: Path) -> None:
    page, session = path.read_text(), Session()
    assert ran(page, session) == page
    if session.absent:
        pytest.skip(f"not here: {', '.join(sorted(session.absent))}")


@pytest.mark.parametrize("path", [p for p in PAGES if "```pycon" in p.read_text()], ids=lambda path: path.stem)
def test_sessions_in_python(path: Path) -> None:
    page = path.read_text()
    text = "\n".join(block.text for block in blocks(page) if block.language == "pycon")
    session = doctest.DocTestParser().get_doctest(text, {}, path.name, str(path), 0)
    with folder_of(page):
        result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(session)
    assert result.failed == 0 < result.attempted


def test_every_block_is_run_or_says_why_not() -> None:
    for path in PAGES:
        page = path.read_text()
        assert len(re.findall("^```", page, re.MULTILINE)) == 2 * len(blocks(page)), path.name
        for block in blocks(page):
            marked = _FILE.search(block.before) or _NOT_RUN.search(block.before)
            assert marked or block.language in ("console", "pycon"), f"{path.name}: {block.text}"
        plain = MADE.sub("", _BLOCK.sub("", page))
        assert not re.search(r"\n\n(?: {4}|\t)", plain), f"{path.name}: an indented block is not run"


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_tables_come_from_the_code(path: Path) -> None:
    page = path.read_text()
    assert made(page) == page


def test_the_accuracy_of_every_function_is_shown() -> None:
    shown = {row[0] for row in rows_of("accuracy.md", "function")}
    assert {row.name for row in public() if row.arity[1] != 1 or not row.reduces} - {"where"} <= shown


# The other way round.


def prose() -> str:
    """What people wrote: all pages but CONTRIBUTING, without the made tables."""
    return "\n".join(MADE.sub("", path.read_text()) for path in PAGES if path.stem != "CONTRIBUTING")


def _spelled_options() -> set[str]:
    cli = group()
    context = click.Context(cli)
    commands = [cli.get_command(context, name) for name in COMMANDS]
    return {max(option.opts, key=len) for command in commands if command for option in command.params
            if isinstance(option, click.Option)}  # fmt: skip


@pytest.mark.parametrize(
    ("what", "patterns"),
    [
        ("command", [rf"gradcli {name}\b" for name in COMMANDS]),
        ("option", [rf"(?<![\w-]){re.escape(name)}(?![\w-])" for name in sorted(_spelled_options())]),
        ("topic", [rf"gradcli help {name}\b|\W{name}\.md[)#]" for name in [*topics(), *SYNONYMS]]),
        ("format", [rf"`{name}`|--{name}\b|--format {name}\b|\.{name}\b" for name in FORMATS]),
        ("language", [rf"--as {name}\b|`{name}`" for name in ["text", *LANGUAGES, *NOTATIONS]]),
        ("verdict", [rf"\b{name}\b" for name in STATUSES]),
        ("exit code", [rf"\b{code}\b" for code in EXIT_CODES]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_everything_is_spoken_of(what: str, patterns: list[str]) -> None:
    said = prose()
    assert not [pattern for pattern in patterns if not re.search(pattern, said)], what


def test_every_page_is_a_topic_whose_beginning_fits_a_terminal() -> None:
    assert {path.stem for path in DOCS.glob("*.md")} == {"index", *topics()}
    for name in ["index", *topics()]:
        assert re.match(r"# .{3,57}\n\n", (DOCS / f"{name}.md").read_text()), name
        lines = page_text(name, full=False).splitlines()
        assert len(lines) <= 30, name
        assert max(map(len, lines)) <= 80, (name, max(lines, key=len))


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.quick
@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_links_lead_somewhere(path: Path) -> None:
    for link in _LINK.findall(_BLOCK.sub("", path.read_text())):
        if not link.startswith("https://"):
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.exists(), link
            assert not anchor or anchor in _anchors(target), link


@pytest.mark.quick
def test_files_that_are_named_exist() -> None:
    for path in (ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", DOCS / "design.md"):
        for name in re.findall(r"`((?:gradcli|tests|docs)/[\w./-]+)`", path.read_text()):
            assert "NAME" in name or (ROOT / name).exists(), f"{path.name}: {name}"


@pytest.mark.quick
def test_every_test_stands_in_the_map_of_rooms() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text().partition("| room | tests |")[2].partition("\n\n")[0]
    folders = {str(path.parent.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")}
    assert folders == set(re.findall(r"`(tests/\w+)`", page))
    rooms = {name for line in LINES for name in line} - {"caret", "errors", "__main__"}
    assert rooms <= set(re.findall(r"`(\w+)`", page))


def test_the_readme_is_short_and_shows_its_two_commands() -> None:
    page = (ROOT / "README.md").read_text()
    assert len(page.splitlines()) <= 250
    commands = next(found[2] for found in MADE.finditer(page) if found[1] == "commands")
    assert len(re.findall("^    python3 ", commands, re.MULTILINE)) == 2


@pytest.mark.quick
def test_the_man_page_comes_from_the_rows() -> None:
    assert man_page.PATH.read_text() == man_page.page()


@pytest.mark.quick
def test_the_picture_comes_from_its_graphs() -> None:
    assert pictures.PATH.read_text() == pictures.sheet()


def test_the_pictures_of_plots_come_from_their_commands() -> None:
    shown = plot_pictures.drawn()
    assert {path.name for path in plot_pictures.FOLDER.glob("plot-*.svg")} == set(shown)
    for name, text in shown.items():
        assert stable((plot_pictures.FOLDER / name).read_text(encoding="utf-8")) == stable(text), name


def test_man_takes_the_page_without_a_warning() -> None:
    need("groff")
    words = ["groff", "-man", "-Tutf8", "-ww", "-z", str(man_page.PATH)]
    assert subprocess.run(words, capture_output=True, text=True, check=False).stderr == ""


@pytest.mark.parametrize(
    ("shell", "path", "asks"),
    [
        ("bash", "bash-completion/completions/gradcli",
         'source "$0"; COMP_WORDS=(gradcli vers); COMP_CWORD=1; _gradcli_completion gradcli; echo "${COMPREPLY[@]}"'),
        ("zsh", "zsh/site-functions/_gradcli",
         'compdef() {}; _describe() { print ${(P)3} }; words=(gradcli vers); CURRENT=2; source $0'),
        ("fish", "fish/vendor_completions.d/gradcli.fish", 'source $argv[1]; complete -C "gradcli vers"'),
    ],
)  # fmt: skip
def test_shells_load_their_completion(shell: str, path: str, asks: str) -> None:
    need(shell)
    program = Path(sys.executable).parent / "gradcli"
    if not program.exists():
        pytest.skip("gradcli is not installed beside this Python")
    environment = os.environ | {"PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}
    words = [shell, "-c", asks, str(ROOT / "share" / path)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout[:7], done.stderr) == ("version", "")


def _write() -> None:
    man_page.PATH.write_text(man_page.page())
    pictures.PATH.write_text(pictures.sheet())
    plot_pictures.write()
    for path in PAGES:
        session = Session()
        path.write_text(made(ran(path.read_text(), session)))
        if session.absent:
            print(f"{path.name}: not run, for want of {', '.join(sorted(session.absent))}")


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("python tests/docs/test_docs.py --write")
    _write()
