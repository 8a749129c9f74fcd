"""What the shells complete, asked of the real bash, zsh and fish through the scripts that gradcli prints."""

import os
import select
import shlex
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import pytest
from command import COMMAND, PATIENCE, environment, process
from tools import need

pty = pytest.importorskip("pty")
pytestmark = pytest.mark.usefixtures("empty_folder")


class Case(NamedTuple):
    """What is typed, the whole words that a shell may put in place of the last one, and that word when it is alone."""

    typed: str
    words: list[str]
    finished: str | None = None


CASES = [
    Case("gradcli vers", ["version"], "version"),
    Case("gradcli diff x -i ru", ["runs.csv"], "runs.csv"),
    Case("gradcli diff x --input=ru", ["--input=runs.csv"], "--input=runs.csv"),
    Case("gradcli diff -f mod", ["model.grad"], "model.grad"),
    Case("gradcli check x --claims mod", ["model.grad"], "model.grad"),
    Case("gradcli check mod", ["model.grad"], "model.grad"),
    Case("gradcli eval x -o ru", ["runs.csv"], "runs.csv"),
    Case("gradcli help poi", ["points"], "points"),
    Case("gradcli help langu", ["language"], "language"),
    Case("gradcli functions atan", ["atan", "atan2", "atanh"]),
    Case("gradcli diff 'a*x + y' --wrt ", ["a", "x", "y"]),
    Case("gradcli diff 'a*x + y' --wrt a,", ["a,x", "a,y"]),
    Case("gradcli diff -x*y --wrt=y,", ["--wrt=y,x"], "--wrt=y,x"),
    Case("gradcli grad --outputs x*y --wrt ", ["x", "y"]),
    Case("gradcli diff -f model.grad --wrt ", ["p", "q"]),
    Case("gradcli diff x*y --at ", ["x=", "y="]),
    Case("gradcli diff x*y --at x=1,", ["x=1,y="], "x=1,y="),
    Case("gradcli diff x*y --grid y", ["y="], "y="),
    Case("gradcli diff -i runs.csv --wrt ", ["a", "b", "temp"]),
    Case("gradcli check f -i runs.csv --claim-column df_da=te", ["df_da=temp"], "df_da=temp"),
    Case("gradcli diff x --format=markd", ["--format=markdown"], "--format=markdown"),
]


@pytest.fixture
def program(empty_folder: Path) -> dict[str, str]:
    """The environment of a shell that finds the gradcli tested, in a folder with two files."""
    (empty_folder / "runs.csv").write_text("a,b,temp\n1,2,3\n")
    (empty_folder / "model.grad").write_text("p**2*q\n")
    script = empty_folder / ".bin" / "gradcli"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    script.chmod(0o755)
    return environment(PATH=f"{script.parent}{os.pathsep}{os.environ['PATH']}", TERM="dumb", PS1="$ ")


def ran(shell: list[str], script: str, env: dict[str, str]) -> list[list[str]]:
    """The words that a script prints, for each case a line of them."""
    done = subprocess.run([*shell, script], env=env, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.stderr == ""
    return [line.split() for line in done.stdout.splitlines()]


def test_fish(program: dict[str, str]) -> None:
    need("fish")
    asked = [f"echo (complete -C {shlex.quote(case.typed)} | string replace -r '\\t.*' '')" for case in CASES]
    assert ran(["fish", "-N", "-c"], "\n".join(["gradcli completion fish | source", *asked]), program) == [
        case.words for case in CASES
    ]


def test_bash_by_its_function(program: dict[str, str]) -> None:
    """Without a line to edit, words are whole."""
    need("bash")
    asked = [
        f"COMP_WORDS=({case.typed} {repr('') if case.typed.endswith(' ') else ''}); "
        'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _gradcli_completion gradcli; echo "${COMPREPLY[@]}"'
        for case in CASES
        if "=" not in case.typed
    ]
    found = ran(["bash", "-c"], "\n".join(['eval "$(gradcli completion bash)"', *asked]), program)
    assert found == [case.words for case in CASES if "=" not in case.typed]


EDITORS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(gradcli completion bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        "PS1='$ '; autoload -U compinit; compinit -u -D; eval \"$(gradcli completion zsh)\"; "
        "bindkey '^A' beginning-of-line; bindkey '^E' end-of-line",
    ),
}


@pytest.mark.parametrize("shell", EDITORS)
def test_a_line_is_finished_by_tab(shell: str, program: dict[str, str]) -> None:
    """A shell on a terminal: what is typed, the tab, and the line as it then stands, echoed between two marks."""
    need(shell)
    words, setup = EDITORS[shell]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        words, stdin=theirs, stdout=theirs, stderr=theirs, env=program, start_new_session=True
    ) as child:
        os.close(theirs)

        def until(mark: str) -> str:
            text, end = "", time.monotonic() + PATIENCE
            while mark not in text and time.monotonic() < end:
                if select.select([ours], [], [], 1)[0]:
                    text += os.read(ours, 65536).decode()
            return text

        try:
            os.write(ours, f"{setup}; echo rea''dy\n".encode())
            until("\nready")
            for case in CASES:
                if case.finished is not None:
                    last = case.typed.split(" ")[-1]
                    os.write(ours, f"{case.typed}\t".encode())
                    until(case.finished.removeprefix(last))
                    # Typed ahead, the line would be echoed before the shell has finished the word.
                    os.write(ours, b"\x01: '<\x05>'; echo do''ne\n")
                    line = until("\ndone")
                    assert f"{case.typed.removesuffix(last)}{case.finished}" in line, case
        finally:
            child.kill()
            os.close(ours)


@pytest.mark.parametrize("typed", ["x --wrt ", "x*( --wrt ", "x -i nope.csv --select ", "x -i - --wrt "])
def test_nothing_but_names_is_offered(typed: str) -> None:
    """What cannot be read, and stdin, are no error while a key is pressed."""
    done = process(
        env=environment(
            _GRADCLI_COMPLETE="bash_complete", COMP_WORDS=f"gradcli\ndiff\n{chr(10).join(typed.split())}",
            COMP_CWORD=str(2 + len(typed.split())),
        ),
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout in ("", "plain,x\n")


def test_powershell_takes_values_of_options() -> None:
    asked = environment(
        _GRADCLI_COMPLETE="powershell_complete", COMP_WORDS="gradcli\ndiff\nx*y\n--at", COMP_CWORD="x=1,"
    )
    assert process(env=asked).stdout == "plain\tx=1,y=\t\n"
