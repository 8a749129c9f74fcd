"""What is fuzzed: for each target, inputs made from a seed, and what must hold of every one of them.

Nothing but a result or a GradError may come of any input; whatever else comes is a finding.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

import click
import zstandard

from gradcli import functions
from gradcli.cli import COMMANDS, group
from gradcli.cli import run as call
from gradcli.errors import GradError
from gradcli.expr import text as printed
from gradcli.formats import FORMATS, Dialect, Style, open_table
from gradcli.job import Job, formulas, run
from gradcli.language import parse

EDGES = ["0", "-0.0", "1", "-1", "0.5", "nan", "inf", "-inf", "5e-324", "1e308", "-1e-300", "1e16", "3", "pi"]
LITERALS = [
    "0",
    "1",
    "2",
    "0.5",
    "1e-3",
    "1e308",
    "4.9e-324",
    "1e400",
    "9**9**9",
    "1_0",
    "0x1",
    "007",
    ".5",
    "5.",
    "pi",
    "inf",
]
NAMES = ["x", "y", "x1", "`a b`", "e", "f", "df_dx", "_", "lambda", "d" * 300, "é", "μ"]
JUNK = [
    "(",
    ")",
    ",",
    ";",
    "\n",
    "=",
    "**",
    "^",
    "..",
    "!",
    "'",
    '"',
    "`",
    "\\",
    "\0",
    "\x1b[31m",
    "\udcff",
    "⁰",
    "٣",
    "\u200b",
    "#",
    "$",
    "{",
    "[",
    "@",
    "if",
    "else",
    "and",
    "not",
    "diff(",
    "where(",
    " ",
    "-",
    "+",
]


def _expression(rng: random.Random, depth: int) -> str:
    if depth <= 0 or rng.random() < 0.2:
        return rng.choice(NAMES[:4] if rng.random() < 0.7 else LITERALS)
    inner = lambda: _expression(rng, depth - 1)
    kind = rng.randrange(8)
    if kind < 3:
        return f"{inner()} {rng.choice(['+', '-', '*', '/', '%', '**', '^'])} {inner()}"
    if kind < 6:
        row = rng.choice(_rows())
        return f"{row[0]}({', '.join(inner() for _ in range(row[1]))})"
    if kind == 6:
        return rng.choice([
            f"where({inner()} {rng.choice(['<', '<=', '==', '!='])} {inner()}, {inner()}, {inner()})",
            f"({inner()} if {inner()} > {inner()} and not {inner()} == 1 else {inner()})",
            f"diff({inner()}, {rng.choice(NAMES[:3])}{rng.choice(['', ', 2', ', 3', ', 0'])})",
        ])  # fmt: skip
    return rng.choice([f"-{inner()}", f"({inner()})", f"t = {inner()}; t*{inner()}", f"{inner()}; {inner()}"])


@cache
def _rows() -> list[tuple[str, int]]:
    """Names that can be called, and with how many arguments."""
    rows = [(name, row.arity) for name, row in functions.SPELLED.items() if not row.internal]
    return [(name, count) for name, (least, most) in rows for count in {least, most or least + 1}]


def _mutated(text: str, rng: random.Random) -> str:
    for _ in range(rng.choice([0, 0, 1, 2, 5])):
        at, end = sorted((rng.randrange(len(text) + 1), rng.randrange(len(text) + 1)))
        piece = rng.choice([rng.choice(JUNK), chr(rng.randrange(0x3000)), text[at:end], ""])
        text = text[:at] + piece + text[rng.choice([at, end, at + 1]) :]
    return text


def make_expression(rng: random.Random) -> str:
    text = _mutated(_expression(rng, rng.randrange(4)), rng)
    return text * rng.choice([2, 50]) if rng.random() < 0.02 else text


def check_expression(text: str) -> None:
    parsed = parse(text)
    for name, e in parsed.outputs:
        # What is printed is read as the same function.
        try:
            [(_, again)] = parse(printed(e)).outputs
        except GradError as error:
            raise AssertionError(f"{printed(e)}: {error}") from None
        assert again is e, (name, printed(e))
    found = formulas(Job([text], order=2))
    assert len(found.names) >= len(parsed.outputs)
    rng = random.Random(text.encode("utf-8", "surrogatepass"))
    at = [f"{_spelled(name)}={rng.choice(EDGES)}" for name in parsed.variables]
    shapes = set()
    engines = ("scalar", "vector", "native") if rng.random() < 0.1 else ("scalar", "vector")
    for engine in engines:
        result = run(Job([text], order=1, at=at, engine=engine))
        shapes.add((result.names, tuple(len(column) for column in result.whole())))
    assert len(shapes) == 1


def _spelled(name: str) -> str:
    return name if name.isidentifier() and name.isascii() else f"`{name}`"


CELLS = [
    "0",
    "-0",
    "1.5",
    "+2",
    "1e300",
    "1e400",
    "5e-324",
    "nan",
    "-inf",
    "NA",
    "",
    " 7 ",
    "1_0",
    "1,5",
    "x",
    '"1"',
    "null",
    "٣",
]
READABLE = [name for name, row in FORMATS.items() if row.reader]


class _Made:
    """A small result, for the writers."""

    def __init__(self, columns: dict[str, Any], rows: int) -> None:
        self.names, self.shape, self.order, self.matrix = tuple(columns), (rows,), 0, False
        self.expressions: dict[str, str] = {}
        self.variables: list[str] = []
        self.nonfinite: dict[str, int] = {}
        self.shapes, self.empty = None, ()
        self.members: dict[str, object] = {}
        self.read_as: str | None = None
        self.columns = list(columns.values())

    @property
    def blocks(self) -> Iterator[list[Any]]:
        yield self.whole()

    def whole(self) -> list[Any]:
        return self.columns


def _table(form: str, rng: random.Random) -> bytes:
    import numpy as np

    rows = rng.choice([1, 1, 2, 5, 40])
    if form in ("csv", "tsv", "jsonl") and rng.random() < 0.5:
        mark = "," if form == "csv" else "\t"
        cells = [[rng.choice(CELLS) for _ in "xyt"] for _ in range(rows)]
        if form == "jsonl":
            return "\n".join(f'{{"x": {a}, "y": {b}, "t": {json.dumps(c)}}}' for a, b, c in cells).encode()
        end = rng.choice(["\n", "\r\n", "\r"])
        return end.join([mark.join(row) for row in [["x", "y", "t"], *cells]]).encode()
    pieces: list[bytes] = []
    values = np.frombuffer(rng.randbytes(16 * rows), "f8").reshape(2, rows)
    FORMATS[form].write(_Made({"x": values[0], "y": values[1]}, rows), pieces.append, Style())
    return b"".join(pieces)


def _broken(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice([0, 1, 1, 2, 4])):
        at, end = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        kind = rng.randrange(5)
        if kind == 0 and at < len(data):
            data = data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]
        elif kind == 1:
            data = data[:end]
        elif kind == 2:
            data = data[:at] + data[at:end] * 2 + data[end:]
        elif kind == 3:
            data = data[:at] + rng.choice(JUNK).encode("utf-8", "surrogatepass") + data[at:]
        else:
            data = data[:at] + rng.randbytes(4) + data[at + 4 :]
    return data


def make_table(rng: random.Random) -> dict[str, Any]:
    form = rng.choice(READABLE)
    data = _broken(_table(form, rng), rng)
    packing = rng.choice(["", "", "", "gz", "zst"])
    if packing:
        data = gzip.compress(data, 1, mtime=0) if packing == "gz" else zstandard.compress(data, 1)
        data = _broken(data, rng) if rng.random() < 0.5 else data
    sizes = [rng.choice([1, 2, 7, 100]) for _ in range(50)]
    return {
        "form": form,
        "data": data.hex(),
        "sizes": sizes,
        "na": rng.choice([None, "nan"]),
        "keep": rng.random() < 0.4,
    }


class _Pieces(io.RawIOBase):
    """A stream that gives so many bytes at a time."""

    def __init__(self, data: bytes, sizes: list[int]) -> None:
        self.data, self.sizes = data, list(sizes)

    def read(self, size: int = -1) -> bytes:
        size = self.sizes.pop(0) if self.sizes else size if size >= 0 else len(self.data)
        found, self.data = self.data[:size], self.data[size:]
        return found


def check_table(given: dict[str, Any]) -> None:
    found = [_outcome(given, sizes) for sizes in ([], given["sizes"])]
    # How much comes out of a damaged packing depends on how much went in at once.
    if any("data are damaged" in str(outcome[-1:]) for outcome in found):
        return
    # The same rows, then the same words, wherever the pieces end.
    assert found[0] == found[1]


def _outcome(given: dict[str, Any], sizes: list[int]) -> tuple[Any, ...]:
    data = bytes.fromhex(given["data"])
    rows: list[Any] = []
    try:
        table = open_table(
            "-", _Pieces(data, sizes), format=given["form"], max_bytes=1 << 22,
            dialect=Dialect(
                columns=["x", "y"] if given["form"] == "npy" and b"'descr': '<f8'" in data else None,
                na=given["na"] or "error",
            ),
        )  # fmt: skip
        kept = [name for name in table.names if name not in ("x", "y")] if given["keep"] else []
        for chunk in table.chunks([name for name in ("x", "y") if name in table.names] or table.names[:1], kept):
            rows += zip(*[c.tobytes().hex(" ", 8).split() for c in chunk.columns], strict=True)
            assert all(len(k) == len(chunk.columns[0]) for k in chunk.kept)
    except GradError as error:
        assert error.exit_code == 2, error
        return (*rows, str(error))
    return tuple(rows)


VALUES = {
    "--at": ["x=1", "x=1,y=2", "x=", "x", "=", "x=1,x=2", "y=nan", "x=1e400", "x=2*pi", "x=y", "x=1;2", ",", "`a b`=1"],
    "--grid": [
        "x=0:1:3",
        "x=1:0:2",
        "x=0:1:0",
        "x=0:1:1",
        "x=log:1:9:3",
        "x=log:-1:9:3",
        "x=1,2,5",
        "3x4",
        "0x4",
        "3x",
        "x=0:1:1e9",
        "x=::",
        "x=0:inf:3",
        "y=1,nan",
        "2x2x2",
        "99999x99999",
    ],
    "--fill": ["10*i+j", "i", "k", "1/0", "x", "i+", ""],
    "--wrt": ["x", "y", "x,y", "z", "", "x,x", "`a b`"],
    "--order": ["0", "1", "2", "3", "-1", "1.5", "x", "201", "99999999999999999999", ""],
    "--digits": ["1", "3", "17", "0", "-1", "400", "x"],
    "--format": ["table", "csv", "tsv", "json", "jsonl", "markdown", "npy", "npz", "parquet", "xml", ""],
    "--engine": ["scalar", "vector", "native", "auto", "fast"],
    "--threads": ["1", "2", "0", "x"],
    "--columns": ["x", "x,y", "x,x", ",", ""],
    "--input": ["t.csv", "t.npy", "none.csv", "-", "*.csv", ".", "", "t.csv.gz", "t.xyz"],
    "--input-format": ["csv", "tsv", "json", "jsonl", "npy", "npz", "parquet", "xls"],
    "--na": ["nan", "0"],
    "--max-bytes": ["1", "10", "1e6", "0", "-5", "1.5"],
    "--output": ["o.csv", "o.json", "o.npy", "o.xyz", ".", "no/o.csv", "x**2", "o.parquet", "o.csv.gz"],
}
SWITCHES = [
    "--csv",
    "--json",
    "--jsonl",
    "--tsv",
    "--strict",
    "--allow-unused",
    "--keep",
    "-v",
    "-q",
    "--no-progress",
    "--color=always",
    "-z",
    "--help",
    "--",
]
WORDS = [*COMMANDS, "diff", "diff", "dif"]
SIMPLE = [
    "x**2",
    "x*y",
    "sin(x)",
    "log(x)",
    "f = x; g = y",
    "1/x",
    "sum(x)",
    "-x",
    "x = 1",
    "",
    "sn(x)",
    "x +* 2",
    "`a b`*x",
    "where(x>0, x, y)",
    "2",
]


@cache
def takes_points(name: str) -> bool:
    """Whether a command takes as many points as it is told."""
    command = group().get_command(click.Context(group()), name) if name in COMMANDS else None
    return command is not None and any(option.name == "max_points" for option in command.params)


def make_words(rng: random.Random) -> list[str]:
    words = [rng.choice(WORDS), rng.choice(SIMPLE)]
    if rng.random() < 0.05:
        words.append(_mutated(rng.choice(SIMPLE), rng).replace("\0", ""))
    for name in rng.sample(list(VALUES), rng.randrange(5)):
        value = rng.choice(VALUES[name])
        words += [name, _mutated(value, rng).replace("\0", "") if rng.random() < 0.2 else value]
    words += rng.sample(SWITCHES, rng.choice([0, 0, 1, 2]))
    if rng.random() < 0.1:
        rng.shuffle(words)
    # Within bounds that a machine does at once.
    return [*words[:1], "--max-points", "5000", *words[1:]] if takes_points(words[0]) else words


def check_words(words: list[str]) -> None:
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        os.chdir(folder)
        try:
            _files()
            code = _called(words, out, err)
            left = os.listdir(folder)
        finally:
            os.chdir(before)
        out.seek(0)
        err.seek(0)
        printed, told = out.read(), err.read().decode()
    assert code in (0, 1, 2, 3), code
    assert "Traceback" not in told and "internal error" not in told, told
    assert (code == 0) or told.startswith(("gradcli: error: ", "gradcli: \x1b[1;31merror:")), told
    assert code != 2 or not printed or "--input" in words, printed
    assert not [name for name in left if name.startswith(".gradcli")], left


def _files() -> None:
    import numpy as np

    with open("t.csv", "w") as file:
        file.write("x,y,a b\n1,2,3\n-0.5,nan,q\n")
    np.save("t.npy", np.arange(6.0).reshape(3, 2))
    with gzip.open("t.csv.gz", "wb") as packed:
        packed.write(b"x,y\n1,2\n")


def _called(words: list[str], out: Any, err: Any) -> int:
    """The exit code, while stdout and stderr go to files and stdin is empty."""
    sys.stdout.flush()
    sys.stderr.flush()
    held = [os.dup(fd) for fd in (0, 1, 2)]
    streams = sys.stdin, sys.stdout, sys.stderr
    nothing = os.open(os.devnull, os.O_RDONLY)
    for fd, new in enumerate((nothing, out.fileno(), err.fileno())):
        os.dup2(new, fd)
    # Closed with the descriptors they stand on.
    sys.stdin, sys.stdout, sys.stderr = (
        open(fd, "r" if fd == 0 else "w", closefd=False, errors="backslashreplace")  # noqa: SIM115
        for fd in (0, 1, 2)
    )
    try:
        return call(words)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdin, sys.stdout, sys.stderr = streams
        for fd, old in enumerate(held):
            os.dup2(old, fd)
            os.close(old)
        os.close(nothing)


class Target(NamedTuple):
    """``make`` an input, which JSON can hold, and ``check`` it; ``count`` of them are in the ordinary suite."""

    make: Callable[[random.Random], Any]
    check: Callable[[Any], None]
    count: int


TARGETS = {
    "expressions": Target(make_expression, check_expression, 8000),
    "tables": Target(make_table, check_table, 9000),
    "words": Target(make_words, check_words, 3000),
}


def fault(target: Target, given: Any) -> str | None:
    """What is wrong with what comes of an input; None where that is a result or a GradError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            target.check(given)
    except GradError:
        return None
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:2000]
    return None


def cases(target: Target, seed: int, count: int) -> Iterator[Any]:
    rng = random.Random(seed)
    for _ in range(count):
        yield target.make(rng)
