"""The native engine beyond what every engine's tests say: odd shapes, long programs, lesser processors, none at all."""

import importlib
import io
import math
import os
import signal
import subprocess
import sys
import tempfile
import time

import accuracy
import numpy as np
import processors
import pytest
from checkout import INSTALLED
from command import COMMAND, PATIENCE, environment
from engines import bits, run

from gradcli.calculus.derive import derive
from gradcli.compute import engine
from gradcli.compute.backends import native
from gradcli.compute.backends.native import cache, loops
from gradcli.compute.backends.native.functions import CALLED, ROWS
from gradcli.compute.backends.native.partition import MANY, SINGLE, layout
from gradcli.compute.execute import blocks, whole
from gradcli.compute.grid import Axis, Grid
from gradcli.compute.program import Program, build
from gradcli.errors import GradError
from gradcli.expr import Expr, apply, const, var
from gradcli.functions import TABLE
from gradcli.language import parse

SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -3.0, 1e-5, -1e-5, 0.7, 5e-324, -5e-324, 2.0**-1022, 1e-300, -1e-300, 1e300,
    -1e300, 700.0, -745.5, 40.0, 1e9, -1e9, 1e22, 2.0**53, math.pi, -math.pi / 2, math.inf, -math.inf, math.nan,
]  # fmt: skip
x, y, z = map(var, "xyz")


def program(text: str, names: list[list[str]], order: int = 1) -> Program:
    outputs = [(f"f{k}", e) for k, (_, e) in enumerate(parse(text).outputs)]
    return build([d for _, d in derive(outputs, [name for axis in names for name in axis], order)], names)


def same_kind(a: float, b: float) -> bool:
    """Both nan, or the same infinity or zero, or finite and no more than a few ulp apart."""
    if a != a or b != b:
        return a != a and b != b
    if math.isinf(a) or math.isinf(b) or a == 0 or b == 0:
        return a == b and math.copysign(1, a) == math.copysign(1, b)
    return abs(a - b) <= 8 * math.ulp(b)


@pytest.mark.parametrize("name", sorted({*ROWS} & {*TABLE}))
def test_special_values(name):
    """Every row that expressions have, at signed zeros, infinities, nan and subnormals, as the scalar engine has it."""
    count = 3 if name == "where" else TABLE[name].arity[0]
    points = [(a, b) for a in SPECIAL for b in (SPECIAL if count > 1 else [0.5])]
    args: list[Expr] = [x, y][:count]
    if name in ("and", "or", "not"):
        args = [apply("lt", a, const(1)) for a in args]
    if name == "where":
        args = [apply("lt", x, y), x, y]
    e = apply(name, *args)
    if name in ("lt", "le", "gt", "ge", "eq", "ne", "and", "or", "not"):
        e = apply("where", e, const(1), const(0))
    tape = build([e], [["x", "y"]])
    columns = [[point["xy".index(v)] for point in points] for v, _ in tape.inputs]
    (expected,), (found,) = (run(tape, columns, (len(points),), which) for which in ("scalar", "native"))
    wrong = [(p, a, b) for p, a, b in zip(points, found, expected, strict=True) if not same_kind(a, b)]
    assert not wrong


@pytest.mark.parametrize(
    "extents",
    [(1, 1, 1), (3, 1, 1), (1, 7, 1), (8, 1, 1), (1, 1, 9), (31, 1, 1), (1, 33, 1), (3, 5, 1), (5, 40, 1), (40, 3, 1),
     (2, 3, 4), (4, 33, 9), (3, 1, 35), (33, 1, 3), (1, 2, 100)],
)  # fmt: skip
def test_any_shape(extents):
    """What each number is does not depend on the shape of the block it is computed in."""
    tape = program("sin(x)*exp(y) + where(x > y, log(z + 3), x*z) + gamma(x + 4) + 7", [["x"], ["y"], ["z"]], 2)
    columns = [np.linspace(-1 - k, 2 + k, n).tolist() for k, n in enumerate(extents)]
    ins = [columns[axis] for _, axis in tape.inputs]
    expected = run(tape, ins, extents, "scalar")
    found = run(tape, ins, extents, "native")
    for a, b in zip(found, expected, strict=True):
        assert np.allclose(a, b, rtol=1e-13, atol=1e-300)
    # Points in a row of their own give the same bits.
    spread = np.meshgrid(*columns, indexing="ij")
    alone = program("sin(x)*exp(y) + where(x > y, log(z + 3), x*z) + gamma(x + 4) + 7", [["x", "y", "z"]], 2)
    points = [spread["xyz".index(name)].ravel().tolist() for name, _ in alone.inputs]
    assert bits(run(alone, points, (math.prod(extents),), "native")) == bits(found)


@pytest.mark.parametrize("names", [[["x", "y"]], [["x"], ["y"]]])
def test_same_bits_whatever_the_blocks_and_threads(names):
    # Also a result along one axis alone, and a constant one.
    tape = program("sin(x)*exp(-y**2) + log(1 + x**2*y**2) + atan2(x, y); exp(sin(x))*y; 3*x", names, 2)
    lengths = [1003] if len(names) == 1 else [37, 41]
    rng = np.random.default_rng(1)
    held = {v: rng.normal(size=n) for axis, n in zip(names, lengths, strict=True) for v in axis}
    grid = Grid([Axis(axis, [_Held(held[v]) for v in axis]) for axis in names])
    found = set()
    for target in (1, 5, 8, 30, 64, 1000, 10**6):
        for threads in (1, 3):
            work = engine.work(tape, grid, "native")
            columns = [np.concatenate(c) for c in zip(*blocks(work, target=target, threads=threads), strict=True)]
            found.add(tuple(bits(columns)))
            *_, (_, _, columns) = whole(work, target=target, threads=threads)
            found.add(tuple(bits(columns)))
    assert len(found) == 1


@pytest.mark.parametrize("names", [[["x"], ["y"], ["z"]], [["y"], ["x"], ["z"]], [["z"], ["x"], ["y"]]])
@pytest.mark.parametrize("lengths", [(3, 8, 8), (3, 3, 3), (3, 5, 5), (5, 9, 3)])
def test_what_lies_along_some_axes_alone_is_not_lost_from_block_to_block(names, lengths):
    """Functions of SciPy's and gamma, done by arrays between loops, whose arrays are used again."""
    expressions = (
        "lgamma(x*z + 1)*exp(-y) + gamma(sin(x) + 2); gamma(sin(z) + 2) + lgamma(y + gamma(x))*exp(-x);"
        "gamma(sin(x + y) + 2) + lgamma(z + 1)*lgamma(x + 1) + sin(x*z)"
    )
    tape = program(expressions, names, 1)
    rng = np.random.default_rng(3)
    grid = Grid([Axis(axis, [_Held(rng.random(n) + 0.5)]) for axis, n in zip(names, lengths, strict=True)])
    for target in (1, 4, 16, 10**6):
        found, expected = (
            [np.concatenate(c) for c in zip(*blocks(engine.work(tape, grid, which), target=target), strict=True)]
            for which in ("native", "vector")
        )
        for a, b in zip(found, expected, strict=True):
            assert np.allclose(a, b, rtol=1e-13, atol=0)


class _Held:
    def __init__(self, values):
        self.values, self.length = values, len(values)

    def array(self, lo, hi):
        return self.values[lo:hi]


def test_long_programs_give_the_bits_of_short_ones(monkeypatch):
    """Cut into stretches, with values in scratch between them and rows that are called."""
    text = "+".join(
        f"sin({k}*x + y)*exp(-x/{k + 1}) + where(x < {k} and y > 0, erf(x*{k}), tanh(y)) % 3" for k in range(40)
    )
    rng = np.random.default_rng(2)
    for names, extents in (([["x", "y"]], (77,)), ([["x"], ["y"]], (11, 35)), ([["x"], ["y"]], (40, 5))):
        tape = program(text, names, 2)
        assert tape.length > loops.LONGEST
        ins = [rng.normal(size=extents[axis] if len(extents) > 1 else 77).tolist() for _, axis in tape.inputs]
        found = []
        for longest in (10**9, 400, 7):
            # A program as a key is itself alone, so a copy is compiled anew.
            monkeypatch.setattr(loops, "LONGEST", longest)
            monkeypatch.setattr(loops, "STRETCH", longest)
            monkeypatch.setattr("gradcli.compute.backends.native.partition.LONGEST", longest)
            found.append(bits(run(tape._replace(), ins, extents, "native")))
        assert found[0] == found[1] == found[2]


def test_no_function_is_long():
    """What compiling takes grows faster than a function's length: a long program is many, also where it reads much."""
    longest = []
    for terms in (1000, 4000):
        text = "+".join(f"sin({k}*x{k % 7})*x{3 * k % 7}" for k in range(1, terms))
        tape = program(text, [[f"x{k}"] for k in range(7)], 0)
        plan = layout(tape, [SINGLE] * 6 + [MANY], native.target())
        longest.append(max(function.count("\n") for function in plan.text.split("\ndefine ")))
    assert max(longest) < 5000


def test_conditions_are_compared():
    """As in the second derivative of prod over all points, where signs of two differences are compared."""
    differ = apply("ne", apply("lt", x, const(0)), apply("lt", x, const(1)))
    tape = build([apply("where", differ, const(1), const(2))], [["x"]])
    ins = [[-1.0, 0.0, 0.5, 1.0, 2.0, float("nan")] * 4]
    assert run(tape, ins, (24,), "native") == run(tape, ins, (24,), "scalar") == [[2.0, 1.0, 1.0, 2.0, 2.0, 2.0] * 4]


def test_rows_that_are_called_are_rows():
    assert set(CALLED) <= set(ROWS)


@pytest.mark.skipif("x86_64" not in importlib.import_module("platform").machine(), reason="an x86-64 processor's")
@pytest.mark.parametrize("lesser", processors.LESS)
def test_lesser_processors(lesser, monkeypatch):
    """Registers of four and of two numbers; with two, no fused multiply-add either."""
    here = processors.machine(lesser)
    assert here.lanes == min(native.target().lanes, {"four lanes": 4, "two lanes": 2}[lesser])
    assert here.fma == (here.lanes > 2)
    monkeypatch.setattr(native, "target", lambda: here)
    for name in ("sin", "cos", "tan", "exp", "expm1", "log", "tanh", "sinh", "cosh", "erf", "erfc", "power", "sigmoid"):
        bad = [f for f in accuracy.findings(name, "native", 40) if f.share > 1 and not accuracy.limited(name, f)]
        assert not bad, "\n".join(map(accuracy.describe, bad[:5]))
    tape = program("sin(x)*exp(y) + x % (y + 5) + erf(x)", [["x"], ["y"]], 2)
    ins = [np.linspace(-3, 3, n).tolist() for n in (5, 37)]
    assert np.allclose(run(tape, ins, (5, 37), "native"), run(tape, ins, (5, 37), "scalar"), rtol=1e-13, atol=1e-300)


def test_many_programs_come_and_go():
    """Compiled code outlives neither its kernel nor the compiler's own target."""
    for k in range(150):
        tape = build([apply("add", x, const(k))], [["x"]])
        assert run(tape, [[1.0] * 9], (9,), "native") == [[1.0 + k] * 9]


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """The folder of kept code, with one program in it."""
    monkeypatch.setenv("GRADCLI_CACHE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert run(build([x * x], [["x"]]), [[3.0] * 8], (8,), "native") == [[9.0] * 8]
    return tmp_path / "gradcli"


def compiles(monkeypatch) -> bool:
    """Whether that program is compiled again."""
    here, done = native.target(), []
    target = here._target_machine

    class Target:
        def emit_object(self, module):
            done.append(module)
            return target.emit_object(module)

    with monkeypatch.context() as patch:
        patch.setattr(here, "_target_machine", Target())
        assert run(build([x * x], [["x"]]), [[3.0] * 8], (8,), "native") == [[9.0] * 8]
    return bool(done)


def test_code_is_kept_where_that_is_asked_for(kept, monkeypatch):
    [file] = kept.iterdir()
    assert (kept.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o700, 0o600)
    assert not compiles(monkeypatch)
    monkeypatch.delenv("GRADCLI_CACHE")
    assert compiles(monkeypatch)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners")
@pytest.mark.parametrize("doubt", ["file", "folder", "link", "linked folder", "torn", "other owner", "no object"])
def test_code_that_others_could_have_written_is_not_run(doubt, kept, monkeypatch):
    [file] = kept.iterdir()
    if doubt == "file":
        file.chmod(0o620)
    elif doubt == "folder":
        kept.chmod(0o707)
    elif doubt == "link":
        file.rename(kept.parent / "elsewhere")
        file.symlink_to(kept.parent / "elsewhere")
    elif doubt == "linked folder":
        kept.rename(kept.parent / "elsewhere")
        kept.symlink_to(kept.parent / "elsewhere")
    elif doubt == "torn":
        file.write_bytes(file.read_bytes()[:-1])
    elif doubt == "no object":
        code = b"#!/bin/sh\n"
        file.write_bytes(cache._digest(file.name, code) + code)
    else:
        owner = file.stat().st_uid
        monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    assert compiles(monkeypatch)


def test_a_file_too_large_to_be_code_is_not_read(kept, monkeypatch):
    [file] = kept.iterdir()
    with file.open("r+b") as grown:
        grown.truncate(8 << 30)
    taken = []

    class Watched(io.FileIO):
        def read(self, size=-1):
            taken.append(size)
            return super().read(size)

    with monkeypatch.context() as patch:
        patch.setattr(cache, "open", Watched, raising=False)
        assert cache.load(file.name) is None
    assert taken == []
    assert compiles(monkeypatch)
    assert file.stat().st_size < 1 << 20


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners")
def test_folders_made_on_the_way_are_their_owners(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADCLI_CACHE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c" / "deep"))
    monkeypatch.setattr(sys, "platform", "linux")
    before = os.umask(0)
    try:
        cache.save(cache.key("k"), b"\x7fELF")
    finally:
        os.umask(before)
    made = [tmp_path / "c", tmp_path / "c" / "deep", tmp_path / "c" / "deep" / "gradcli"]
    assert [folder.stat().st_mode & 0o777 for folder in made] == [0o700] * 3
    assert cache.load(cache.key("k")) == b"\x7fELF"


def test_what_killed_runs_left_goes(kept):
    old, new = (kept / f"{tempfile.gettempprefix()}{name}" for name in ("old", "new"))
    for file in (old, new):
        file.write_bytes(b"half")
    os.utime(old, (0, 0))
    cache.save(cache.key("k"), b"\x7fELF")
    assert (old.exists(), new.exists()) == (False, True)


def test_no_place_for_code_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "gradcli").write_text("a file")
    monkeypatch.setenv("GRADCLI_CACHE", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert compiles(monkeypatch)


def test_the_oldest_code_goes(kept, monkeypatch):
    monkeypatch.setattr("gradcli.compute.backends.native.cache._MAX_FILES", 3)
    for k in range(5):
        run(build([x * const(k + 2)], [["x"]]), [[3.0] * 8], (8,), "native")
    assert len(list(kept.iterdir())) == 3


WITHOUT = (
    "import sys; sys.modules['llvmlite'] = None; from gradcli.__main__ import main; sys.argv[0] = 'gradcli'; main()"
)


def without(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", WITHOUT, *arguments], capture_output=True, text=True, check=False)


def test_without_llvmlite():
    done = without("eval", "x", "--at", "x=1", "--engine", "native")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "gradcli: error: the native engine needs llvmlite, which is not installed\n  pip install 'gradcli[native]'\n"
    )


@pytest.mark.parametrize(
    ("load", "steps", "expected"),
    [(10, 1, "scalar"), (10**6, 10, "vector"), (10**9, 10, "native"), (10**9, 10**5, "vector")],
)
def test_the_engine_is_chosen_by_the_work(load, steps, expected):
    assert engine.chosen("auto", load, steps) == (expected, None)
    assert engine.chosen("vector", load, steps) == ("vector", None)


def test_why_it_is_not_native(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    name, why = engine.chosen("auto", 10**9, 10)
    assert name == "vector"
    assert "pip install 'gradcli[native]'" in why

    def broken():
        raise GradError("llvmlite does not serve this machine: no target")

    monkeypatch.undo()
    monkeypatch.setattr("gradcli.compute.backends.native.llvm.target", broken, raising=False)
    monkeypatch.setattr(sys.modules["gradcli.compute.backends.native.llvm"], "target", broken)
    assert engine.chosen("auto", 10**9, 10) == ("vector", "llvmlite does not serve this machine: no target")


def test_the_shell_says_so():
    command = [*COMMAND, "eval", "sin(x)", "--grid", "x=0:1:1000", "--engine", "native", "-v"]
    done = subprocess.run([*command, "--csv"], capture_output=True, text=True, check=True)
    assert "engine native" in done.stderr
    plain = subprocess.run([*command[:-2], "scalar", "--csv"], capture_output=True, text=True, check=True)
    found, expected = ([float(r.split(",")[1]) for r in d.stdout.splitlines()[1:]] for d in (done, plain))
    assert all(abs(a - b) <= math.ulp(b) for a, b in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("binding", "told"),
    [
        ("llvm_version_info = (15, 0, 7)", "needs llvmlite 0.45 or later, which is here with LLVM 15\n"),
        ("1/0", "llvmlite does not serve this machine: division by zero"),
        ("", "llvmlite does not serve this machine"),
    ],
)
def test_a_llvmlite_that_is_old_or_broken(binding, told, tmp_path):
    (tmp_path / "llvmlite").mkdir()
    (tmp_path / "llvmlite" / "__init__.py").write_text("")
    (tmp_path / "llvmlite" / "binding.py").write_text(binding)
    words = [*COMMAND, "eval", "x", "--at", "x=1", "--engine", "native"]
    env = environment(PYTHONPATH=os.pathsep.join([str(tmp_path), str(INSTALLED)]))
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="no signals of that kind")
def test_what_is_being_compiled_can_be_ended(tmp_path):
    (tmp_path / "long").write_text("+".join(f"gamma({k}*x + 1)" for k in range(10_000)))
    words = [*COMMAND, "eval", "-f", "long", "--grid", "x=0:1:33", "--engine", "native"]
    with subprocess.Popen([*words, "-o", "out.npy"], cwd=tmp_path, stderr=subprocess.PIPE) as process:
        time.sleep(5)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=PATIENCE)
    assert (process.returncode, told) == (-signal.SIGTERM, b"")
    assert sorted(os.listdir(tmp_path)) == ["long"]
