"""What a run over parts refuses, what it says when parts fail, and its exit codes."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from command import Shell
from folders import content, made, names, parts, sources, whole

OUT = Path("out")


@pytest.fixture
def place(shell: Shell) -> Shell:
    """The shell beside four rows of csv and a file with one number a line."""
    Path("in").mkdir()
    Path("in/a.csv").write_text("id,x,y\n0,1,2\n1,3,4\n")
    Path("in/b.csv").write_text("id,x,y\n2,5,6\n3,7,8\n")
    return shell


def refused(shell: Shell, *words: str, code: int = 2) -> str:
    """The error of a command line, on one line, which writes nothing."""
    before = names(OUT) if OUT.exists() else []
    result = shell(*words)
    assert (result[0], result[1]) == (code, "")
    assert result[2].startswith("gradcli: error: ")
    assert "internal error" not in result[2]
    assert (names(OUT) if OUT.exists() else []) == before
    return " ".join(result[2].split())


REQUESTS = {
    "-e mean(x) --input in/a.csv": "a reduction such as sum or mean takes all rows together, and each part has only",
    "-e x-sum(x) --input in/a.csv --part 1/2": "without a folder, one process reads all rows: -o FILE",
    "-g sum(x) --wrt x --input in/a.csv": "a reduction such as sum or mean takes all rows together",
    "-g a*x --wrt a --at a=2 --input in/a.csv": "--wrt: 'a' is one number for all rows, so that its gradient is a sum",
    "-g a*x --wrt x --at a=2 --input in/a.csv --keep": "--keep goes with diff and eval",
    "-g x**2 --wrt x --input in/a.csv --grad-outputs i": "the cotangent of 'f' has an element for each row of the",
    "-g x**2 --wrt x --input in/a.csv --create-graph": "--create-graph prints expressions, which have no rows",
    "x**2": "a folder of parts is for the rows of files",
    "x**2 --at x=1": "a folder of parts is for the rows of files",
    "x**2 --grid x=0:1:5": "a folder of parts is for the rows of files",
    "x**2 --input /dev/null": "/dev/null: parts are made of files, and this is none",
    "x**2 --input in/c.csv": "in/c.csv: No such file or directory",
    "x**2 --input in/*.tsv": "--input: no file matches 'in/*.tsv'",
    "x**2 --input in/a.csv --why": "--why is for a result of one piece",
    "x**2 --input in/a.csv --format table": "parts are files that can be read again: table cannot",
    "x**2 --input in/a.csv --csv --jsonl": "one format at a time, not --csv and --jsonl",
    "x**2 --input in/a.csv --digits 4": ": parquet always has every digit",
    "x**2 --input in/a.csv --jsonl --digits 4": ": jsonl always has every digit",
    "x**2 --input in/a.csv --part 0/3": "--part: '0/3' is no share share K of N, counted from 1: --part 7/100",
    "x**2 --input in/a.csv --part 4/3": "--part: '4/3' is no share",
    "x**2 --input in/a.csv --part 1/": "--part: '1/' is no share",
    "x**2 --input in/a.csv --part 1/9999999999": "is no share",
    "x**2 --input in/a.csv --part 1.0/2": "is no share",
    "x**2 --input in/a.csv --cluster local:0": "--cluster: 'local:0' is no place to work local:4",
    "x**2 --input in/a.csv --cluster local:9999": "--cluster: 'local:9999' is no place to work",
    "x**2 --input in/a.csv --cluster here": "is no place to work",
    "x**2 --input in/a.csv --cluster local": "is no place to work",
    "x**2 --input in/a.csv --cluster http://a:1": "is no place to work",
    "x**2 --input in/a.csv --part-bytes 0": "--part-bytes: '0' is no number of bytes such as 512MB, 64MiB or 1e9",
    "x**2 --input in/a.csv --part-bytes -5": "is no number of bytes",
    "x**2 --input in/a.csv --part-bytes 5PB": "is no number of bytes",
    "x**2 --input in/a.csv --part-bytes 5XB": "is no number of bytes",
    "x**2 --input in/a.csv --part-bytes nan": "is no number of bytes",
    "x**2 --input in/a.csv --part-bytes 1e99": "is no number of bytes",
    "x**2 --input in/a.csv --retries -1": "Invalid value for '--retries'",
    "x**2 --input in/a.csv --retries x": "Invalid value for '--retries'",
    "x**2+z --input in/a.csv": "in/a.csv: there is no column 'z' (its columns are id, x, y)",
    "x**2+ --input in/a.csv": "unexpected end",
    "id --input in/a.csv --keep --wrt id,id": "--wrt: 'id' is given twice",
    "x**2 --input in/a.csv --engine fast": "engine",
    "x**2 --input in/a.csv --delimiter ,,": "--delimiter",
}  # fmt: skip


@pytest.mark.quick
@pytest.mark.parametrize("request_", REQUESTS)
def test_refused_requests(place: Shell, request_: str):
    """A request is wrong before the folder is made."""
    words = request_.split()
    command = {"-e": "eval", "-g": "grad"}.get(words[0])
    error = refused(place, *([command, *words[1:]] if command else ["diff", *words]), "-o", "out/")
    assert REQUESTS[request_] in error
    assert not OUT.exists()


@pytest.mark.quick
@pytest.mark.parametrize("option", ["--cluster local:2", "--part 1/2", "--part-bytes 5", "--retries 1"])
def test_options_of_parts_without_a_folder(place: Shell, option: str):
    name = option.split(maxsplit=1)[0]
    for output in ((), ("-o", "x.csv")):
        error = refused(place, "diff", "x", "--input", "in/a.csv", *option.split(), *output)
        assert f"{name} goes with a folder of parts name it with a slash at its end: -o FOLDER/" in error


def test_options_in_the_environment(place: Shell, monkeypatch: pytest.MonkeyPatch):
    """There they are for the runs that have parts, and the command line takes precedence."""
    for name, value in [("RETRIES", "5"), ("CLUSTER", "local:1"), ("PART_BYTES", "1MB"), ("FORMAT", "json")]:
        monkeypatch.setenv(f"GRADCLI_{name}", value)
    monkeypatch.setenv("GRADCLI_DIGITS", "5")
    assert place("diff", "x**2", "--at", "x=1")[0] == 0
    assert place("diff", "x**2", "--input", "in/*.csv", "-o", "x.parquet", "--format", "parquet")[0] == 0
    assert place("diff", "x**2", "--input", "in/*.csv", "-o", "out/", "--csv")[0] == 0
    assert [path.suffix for path in parts(OUT)] == [".csv", ".csv"]


@pytest.mark.quick
def test_folders_that_hold_something_else(place: Shell):
    """Nothing is written beside files of others, nor over sources."""
    words = ("eval", "x", "--input", "in/*.csv", "-o")
    assert "in/a.csv: this input lies in the folder of the output" in refused(place, *words, "in/")
    assert "this input lies in the folder" in refused(place, *words, "./in/../in/")
    os.symlink("in", "link")
    assert "this input lies in the folder" in refused(place, *words, "link/")
    OUT.mkdir()
    os.rename("in/a.csv", "out/part-01234567-00000.csv")
    os.symlink("../out/part-01234567-00000.csv", "in/a.csv")
    assert "in/a.csv: this input lies in the folder" in refused(place, *words, "out/")
    for name in ("notes.txt", "part-0.parquet", "part-01234567-00000.parquet.txt", "plan.json.bak", "folder"):
        path = OUT / name
        path.mkdir() if name == "folder" else path.write_text("mine")
        error = refused(place, "eval", "x", "--input", "in/b.csv", "-o", "out/")
        assert f"out/: '{name}' does not belong to a folder of parts give a folder of its own, new or empty" in error
        path.rmdir() if name == "folder" else path.unlink()
    (OUT / ".keep").touch()
    os.unlink("out/part-01234567-00000.csv")
    assert place("eval", "x", "--input", "in/b.csv", "-o", "out/")[0] == 0


def test_folders_that_cannot_be_written(place: Shell):
    words = ("eval", "x", "--input", "in/a.csv", "-o")
    Path("file").touch()
    assert "file/out/: Not a directory" in refused(place, *words, "file/out/", code=3)
    assert "/proc/out/: " in refused(place, *words, "/proc/out/", code=3)
    assert ": File name too long" in refused(place, *words, f"{'a' * 300}/", code=3)
    os.symlink("loop", "loop")
    assert "loop/: Too many levels of symbolic links" in refused(place, *words, "loop/", code=3)


def test_a_disk_without_room(place: Shell, monkeypatch: pytest.MonkeyPatch):
    """A part is never there cut short; the same command goes on once there is room."""
    for name, written in [("part", 1000), ("record", 1400)]:
        room, write = written, os.write

        def full(fd: int, data: bytes, write: object = write) -> int:
            nonlocal room
            room -= len(data)
            if room < 0:
                raise OSError(28, "No space left on device")
            return write(fd, data)  # type: ignore[operator, no-any-return]

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            code, _, err = place("eval", "x", "--input", "in/a.csv", "--keep", "-o", f"{name}/", "--retries", "0")
        assert code == 3
        assert "No space left on device" in err
        assert not any("manifest" in file or file.startswith(".") for file in names(Path(name)))
        code, _, err = place("eval", "x", "--input", "in/a.csv", "--keep", "-o", f"{name}/")
        assert (code, made(err)) == (0, (1, 0))
        whole(Path(name), 2)


@pytest.mark.quick
@pytest.mark.parametrize("more", [(), ("--cluster", "local:2")], ids=["here", "local"])
def test_parts_that_fail_by_their_data(place: Shell, more: tuple[str, ...]):
    """File and row are named, the others are made, and the command goes on when the data are mended."""
    Path("in/c.csv").write_text("id,x,y\n4,5,6\n5,oops,8\n")
    Path("in/d.csv").write_text("id,y\n6,6\n")
    words = ["diff", "x*y", "--input", "in/*.csv", "--keep", "-o", "out/", *more]
    code, _, err = place(*words)
    assert code == 2
    assert "out/: 2 of 4 parts, 4 rows: 2 made, 0 stood" in err
    assert "error: 2 of 4 parts could not be made: in/" in err
    assert "in/c.csv:3:3: 'oops' in column 'x' is not a number" in err or "in/d.csv: there is no column 'x'" in err
    assert "the other parts stand: correct the input and give the command again" in err
    assert not (OUT / "manifest.json").exists()
    assert len([name for name in names(OUT) if name.endswith(".parquet")]) == 2
    os.unlink("in/d.csv")
    code, _, err = place(*words)
    assert (code, "in/c.csv:3:3: 'oops' in column 'x' is not a number" in err) == (2, True)
    Path("in/c.csv").write_text("id,x,y\n4,5,6\n5,1,8\n")
    code, _, err = place(*words)
    assert (code, made(err)) == (0, (1, 2))
    whole(OUT, 6)


def test_rows_of_a_run_of_lines_are_those_of_the_file(shell: Shell):
    """A part names the line of the file, not that of the part."""
    rows = [f"{k},{k}" for k in range(300)]
    rows[250] = "250,bad"
    Path("in.csv").write_text("id,x\n" + "\n".join(rows) + "\n")
    code, _, err = shell("diff", "x**2", "--input", "in.csv", "-o", "out/", "--part-bytes", "256")
    assert (code, "in.csv:252:5: 'bad' in column 'x' is not a number" in err) == (2, True)
    assert len([*OUT.glob("part-*.parquet")]) > 5


@pytest.mark.quick
def test_strict(place: Shell):
    """A number that is not finite: no parts of it, exit code 1; and a finished folder tells of it, too."""
    words = ["diff", "1/(x - 3)", "--input", "in/*.csv", "--keep", "-o", "out/"]
    code, _, err = place(*words, "--strict")
    assert code == 1
    assert "1 of 2 parts could not be made: in/a.csv: " in err
    code, _, err = place(*words)
    assert (code, made(err)) == (0, (1, 1))
    note = next(line for line in err.splitlines() if "finite" in line)
    assert "f" in note
    code, _, err = place(*words, "--strict")
    assert (code, "0 made, 2 stood" in err) == (1, True)
    assert "in/a.csv: " in err
    whole(OUT, 4)
    assert place(*words)[0] == 0


def test_hard_points_refused(place: Shell):
    words = ["diff", "abs(x - 3)", "--input", "in/*.csv", "--keep", "-o", "out/"]
    code, _, err = place(*words, "--kink", "error")
    alone = place(*words[:-1], "one.csv", "--kink", "error")
    assert code == alone[0]
    assert "1 of 2 parts could not be made" in err
    assert alone[2].splitlines()[0].removeprefix("gradcli: error: ") in err


@pytest.mark.quick
def test_without_libraries(place: Shell, monkeypatch: pytest.MonkeyPatch):
    """Parquet needs pyarrow, told before anything is made; other formats are made without."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    words = ("diff", "x**2", "--input", "in/*.csv", "-o", "out/")
    assert "parquet needs the package pyarrow pip install 'gradcli[parquet]'" in refused(place, *words)
    assert place(*words, "--csv")[0] == 0
    assert place(*words, "--csv")[2].count("0 made, 2 stood") == 1


def test_a_source_that_changes_meanwhile(place: Shell, monkeypatch: pytest.MonkeyPatch):
    """No part is made of rows that stand elsewhere than planned."""
    from gradcli.parts import run as runs

    begin = runs.Ledger.begin

    def changed(ledger: runs.Ledger) -> None:
        Path("in/b.csv").write_text("id,x,y\n2,5,6\n3,7,8\n4,5,6\n")
        begin(ledger)

    words = ("eval", "x*y", "--input", "in/*.csv", "--keep", "-o", "out/")
    with monkeypatch.context() as patch:
        patch.setattr(runs.Ledger, "begin", changed)
        code, _, err = place(*words)
    assert code == 3
    assert "1 of 2 parts could not be made: in/b.csv: it has changed since the run began" in err
    assert made(place(*words)[2]) == (1, 1)
    whole(OUT, 5)


def test_another_run_in_the_folder(place: Shell, monkeypatch: pytest.MonkeyPatch):
    """Of two runs with other options in one folder the one that began first gives up; the other's parts are whole."""
    from gradcli.parts import run as runs

    words = ("eval", "x*y", "--input", "in/*.csv", "--keep", "-o", "out/")
    other = ("eval", "x/y", *words[2:])
    plan = runs.Ledger.write_plan

    def meanwhile(ledger: runs.Ledger, planned: object) -> None:
        plan(ledger, planned)  # type: ignore[arg-type]
        monkeypatch.setattr(runs.Ledger, "write_plan", plan)
        assert place(*other)[0] == 0

    monkeypatch.setattr(runs.Ledger, "write_plan", meanwhile)
    code, _, err = place(*words)
    assert (code, "out/: another run with other rows or options writes to this folder" in err) == (3, True)
    assert place(*other)[0] == 0
    reference = content(OUT)
    assert place(*words)[0] == 0
    assert place(*other)[0] == 0
    assert content(OUT) == reference


def test_numbers_beyond_limits(shell: Shell):
    """Neither a large number of columns nor of sources is a trap."""
    sources(Path("in"), [1] * 100, "csv")
    code, _, err = shell("eval", "x + y", "--input", "in/*.csv", "--keep", "-o", "out/", "--csv")
    assert (code, made(err)) == (0, (100, 0))
    assert len(parts(OUT)) == 100
    assert made(shell("eval", "x + y", "--input", "in/*.csv", "--keep", "-o", "out/", "--csv")[2]) == (0, 100)
    np.save("wide.npy", np.zeros(3, [(f"c{k}", "f8") for k in range(2000)]))
    assert shell("eval", "c7", "--input", "wide.npy", "--keep", "-o", "wide/", "--format", "npy")[0] == 0
