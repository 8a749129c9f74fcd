"""Threads, forks and re-entry: every door from four threads at once gives the bits that it gives to one.

A forked child has the one thread that forked it: nothing it calls may wait for the others, or go on with half of what
they were doing. A handler of signals or a finalizer may call a door in the middle of another call.
"""

from __future__ import annotations

import copy
import gc
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gradcli
from gradcli.errors import GradError
from gradcli.expr import node

THREADS = 4
LARGE = 40_000
"""Elements of a tensor that is computed when it is asked for."""
FORKS = hasattr(os, "fork")
WAIT = 120.0
"""Seconds after which something hangs: many times what is needed."""

Door = Callable[[int], Any]


def bits(found: Any) -> Any:
    """What a door gave, every bit of it, in a form that can be compared."""
    if isinstance(found, dict):
        return tuple((k, bits(v)) for k, v in found.items())
    if isinstance(found, tuple | list):
        return tuple(map(bits, found))
    if isinstance(found, gradcli.Tensor):
        return found.shape, found.detach().numpy().tobytes()
    return np.asarray(found).tobytes() if isinstance(found, np.ndarray | float) else repr(found)


# Every door. ``k`` tells the calls of a thread from those of another, which differ in all their numbers.


def _points(k: int, size: int = 6) -> Any:
    return gradcli.tensor(np.linspace(0.1 + k / 8, 0.9 + k / 8, size))


def _formula(x: Any) -> Any:
    return (np.sin(x * x) + np.exp(-x) / (x + 1.5) + gradcli.erf(x) ** 3).sum()


def _grad(k: int, size: int = 6) -> Any:
    x = _points(k, size)
    (first,) = gradcli.grad(_formula(x), x, create_graph=True)
    return first, gradcli.grad(first.sum(), {"x": x}), gradcli.grad(_formula(x) * 2, [x])


def _functions(k: int) -> Any:
    """Every function of the table, on arrays and on numbers."""
    from gradcli.functions import SPELLED

    found = []
    for row in dict.fromkeys(SPELLED.values()):
        if not row.internal and not row.reduces:
            parameter = [k] if row.parameter else []
            function = getattr(gradcli, row.name)
            for size in (700, 1):
                x = [_points(k + n, size) for n in range(row.arity[0])]
                found.append(function(*parameter, *[t if size > 1 else t[0] for t in x]))
    return found


def _numpy(k: int) -> Any:
    x = _points(k, 12)
    m = np.reshape(x, (3, 4))
    return (
        m @ m.T, np.max(m, 0), np.cumsum(x), np.where(x > 0.5, x, -x), np.prod(m, 1), np.linalg.norm(m), np.sort(-x),
        gradcli.grad(np.std(m) + np.log(m).sum(), m), x[2:5], x**k, 2**x, np.sqrt(x + 1j),
    )  # fmt: skip


def _check(k: int) -> Any:
    x = np.linspace(0.1, 0.7, 3)
    return gradcli.gradcheck(lambda x: np.sin(x) * (k + 1), x, lambda x: np.diag((k + 1) * np.cos(x)))


def _copies(k: int) -> Any:
    x = _points(k)
    return pickle.loads(pickle.dumps(x)), copy.deepcopy(x), repr(x), x.tolist()


def _propagated(k: int) -> Any:
    found = gradcli.propagate("x*sin(y)", x=(1.0 + k, 0.1), y=(2.0, 0.2), coverage=95, mc=2000)
    return found.value, found.u, found.expanded.U, repr(found.simulation)


def _job(engine: str) -> Door:
    def door(k: int) -> Any:
        from gradcli.job import Job, run

        text = f"exp(x*y)*sin(x + {k}.5*y) + erf(x) - log(1 + x**2)"
        job = Job([text], order=2, grids=[f"x=0:{k + 1}:70", "y=1:2:9"], engine=engine, threads=2)
        return run(job).whole()

    return door


def _sums(k: int) -> Any:
    from gradcli.job import Job, run
    from gradcli.job.gradient import GradJob, run_grad

    grids = [f"x=0:{k + 1}:300"]
    return (
        run(Job(["(x - mean(x))**2/sum(x)"], wrt=(), order=0, grids=grids, engine="vector", threads=2)).whole(),
        run_grad(GradJob([f"norm(x*{k + 2})"], ["x"], grids=grids)).whole(),
        run_grad(
            GradJob([f"sin(x*y) + exp(x - y)*(x/{k + 2}) + tanh(x*y)/(x - y)"], ["x", "y"], at=["x=2,y=1"])
        ).whole(),
    )


def _texts(k: int) -> Any:
    from gradcli.calculus.derive import derive
    from gradcli.calculus.simplify import simplified
    from gradcli.codegen import LANGUAGES, code
    from gradcli.expr import text
    from gradcli.job import Job, formulas
    from gradcli.language import parse
    from gradcli.notation import NOTATIONS, write
    from gradcli.notation.explain import explained

    parsed = parse(f"x{k}**3*sin(y) + y/x{k} + {k}.25*tanh(y)")
    e = parsed.outputs[0][1]
    derived = derive([("f", e)], parsed.variables, 2)
    return (
        formulas(Job([text(e)], order=2)).expressions, [text(s) for s in simplified(d for _, d in derived)],
        explained([("f", e)], parsed.variables), [code(name, derived, parsed.variables) for name in LANGUAGES],
        [write(name, derived, parsed.variables) for name in NOTATIONS],
    )  # fmt: skip


def _claims(k: int) -> Any:
    from gradcli.verify import CheckJob, Texts, run_check

    right, wrong = f"df_dx = {k + 2}*cos(x)*exp(y)", f"df_dy = {k + 2}*sin(x)*exp(y)*(1 + 1e-9*x)"
    report = run_check(CheckJob([f"{k + 2}*sin(x)*exp(y)"], Texts([right, wrong])))
    return [(v.status, v.truth, v.ulps, v.compared, repr(v.example)) for v in report.verdicts]


def _cube(x: Any) -> Any:
    return x**3 * np.sin(x)


def _called(k: int) -> Any:
    f = gradcli.function(f"{k + 2}*abs(x)*exp(y)")
    xs = np.linspace(-1, 1, 41)
    return f(0.0, 1.0), f.grad(0.5, k), f.hessian(xs, k), f.side("left").grad(0.0, 1.0), str(f.diff("x"))


def _framed(k: int) -> Any:
    return gradcli.frame(pd.DataFrame({"x": np.linspace(0, k + 1, 30)}), "sin(x)**2").to_numpy()


DOORS: dict[str, Door] = {
    "function": _called, "frame": _framed,
    "tensor": _numpy, "grad": _grad, "grad of many": lambda k: _grad(k, LARGE), "gradcheck": _check, "copies": _copies,
    "jvp": lambda k: gradcli.jvp(_cube, _points(k), np.ones(6)),
    "vjp": lambda k: gradcli.vjp(_cube, _points(k), np.ones(6)),
    "jacobian": lambda k: gradcli.jacobian(_cube, _points(k, 3)),
    "hessian": lambda k: gradcli.hessian(_formula, _points(k, 3)),
    "hvp": lambda k: gradcli.hvp(_formula, _points(k), np.ones(6)), "functions": _functions, "sums": _sums,
    "texts": _texts, "check": _claims, "propagate": _propagated,
    **{engine: _job(engine) for engine in ("scalar", "vector", "native")},
}  # fmt: skip
SLOW = {"functions", "texts", "check", "native", "grad of many"}
"""Doors that do a thousand things at a call."""


def together(work: Door, threads: int = THREADS) -> list[Any]:
    """What ``work(k)`` gives in each of some threads that begin at once."""
    found: list[Any] = [None] * threads
    gate = Barrier(threads)

    def run(k: int) -> None:
        gate.wait()
        try:
            found[k] = work(k)
        except BaseException as error:
            found[k] = error

    running = [Thread(target=run, args=(k,), daemon=True) for k in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join(WAIT)
        assert not thread.is_alive(), "a thread hangs"
    for one in found:
        if isinstance(one, BaseException):
            raise one
    return found


@pytest.fixture(autouse=True)
def switching() -> Iterator[None]:
    """Threads that take turns as often as can be."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def test_every_public_name_has_a_door() -> None:
    assert {n for n in gradcli.__all__ if callable(getattr(gradcli, n))} - {"Function", "GradError", "Tensor"} <= set(
        DOORS
    )


@pytest.mark.parametrize("name", DOORS)
def test_a_door_gives_four_threads_what_it_gives_to_one(name: str) -> None:
    door, calls = DOORS[name], 2 if name in SLOW else 25
    found = together(lambda k: [bits(door((k + n) % THREADS)) for n in range(calls)])
    alone = [bits(door(k)) for k in range(THREADS)]
    assert found == [[alone[(k + n) % THREADS] for n in range(calls)] for k in range(THREADS)]


def test_equal_expressions_made_at_once_are_one() -> None:
    from gradcli.expr import apply, bit, reachable, var, variables

    for turn in range(40):

        def make(k: int, turn: int = turn) -> Any:
            x = [var(f"v{turn}_{i}") for i in range(12)]
            return [apply("sin", apply("mul", a, b)) for a in x for b in x]

        first, *others = together(make)
        assert all(a is b for other in others for a, b in zip(first, other, strict=True))
        nodes = reachable(first)
        places = {e: n for n, e in enumerate(nodes)}
        assert all(places[a] < places[e] for e in nodes for a in e.args)
        assert len({bit(name) for name in map(str, (e.value for e in nodes if e.op == "var"))}) == 12
        assert all(len(variables(e)) == len(set(e.args[0].args)) for e in first)


def test_expressions_that_die_while_they_are_made_again() -> None:
    from gradcli.expr import apply, var
    from gradcli.expr.node import _table

    gc.collect()
    before = len(_table.nodes)

    def make(k: int) -> int:
        same = 0
        for n in range(4000):
            e = apply("cos", var(f"dies{n % 3}"))
            same += e is apply("cos", var(f"dies{n % 3}"))
        return same

    assert together(make) == [4000] * THREADS
    gc.collect()
    assert len(_table.nodes) == before


def test_what_others_made_before_changes_nothing() -> None:
    # Nodes are shared by all threads: which were born first is nobody's doing.
    from gradcli.calculus.derive import derive
    from gradcli.calculus.reverse import gradient
    from gradcli.codegen import code
    from gradcli.expr import text
    from gradcli.language import parse

    def made(before: list[str]) -> Any:
        held = [parse(source) for source in before]
        e = parse("sin(p*q) + exp(p - q)*(p/q) + tanh(p + q)").outputs[0][1]
        found = (
            [text(d) for d in gradient(e, ["p", "q"]).values()],
            code("c", derive([("f", e)], ["p", "q"], 1), ["p", "q"]),
        )
        assert held is not None
        return found

    parts = ["sin(p*q)", "exp(p - q)", "p/q", "tanh(p + q)"]
    assert made([]) == made(parts[::-1]) == made([parts[2], parts[0], parts[3], parts[1]])


def test_a_scalar_kernel_may_be_shared() -> None:
    from gradcli.compute.backends import scalar
    from gradcli.compute.program import build
    from gradcli.language import parse

    kernel = scalar.kernel(build([parse("sin(x)*exp(x) + x**2/(1 + x)").outputs[0][1]], [["x"]]))

    def compute(k: int) -> Any:
        found = []
        for n in range(2000):
            out = [0.0, 0.0]
            kernel([[k + n / 7, k + n / 9]], [out], (2,))
            found.append(out)
        return found

    assert together(compute) == [compute(k) for k in range(THREADS)]


def test_values_that_wait_are_shared() -> None:
    x = _points(0, LARGE)
    want = np.exp(np.sin(x.detach().numpy()))
    for _ in range(10):
        y = np.exp(np.sin(x))
        z = (y * 2).sum()

        def ask(k: int, y: Any = y, z: Any = z) -> Any:
            (g,) = gradcli.grad(z, x, retain_graph=True)
            return y.detach().numpy(), (y + k).detach().numpy(), g.detach().numpy()

        found = together(ask)
        for k, (values, more, slope) in enumerate(found):
            assert np.shares_memory(values, found[0][0])
            assert np.array_equal(values, want) and np.array_equal(more, want + k)
            assert np.array_equal(slope, found[0][2])


def test_a_graph_is_freed_once() -> None:
    # As torch has it: whoever comes too late is told so, in these words and no others.
    for _ in range(30):
        x = _points(0)
        y = _formula(x)

        def ask(k: int, y: Any = y, x: Any = x) -> Any:
            try:
                return bits(gradcli.grad(y, x))
            except RuntimeError as error:
                return str(error)

        want = bits(gradcli.grad(_formula(x), x))
        assert {f if f == want else f[:45] for f in together(ask)} <= {
            want,
            "Trying to backward through the graph a second",
        }


def test_a_thread_that_ends_leaves_what_waits() -> None:
    found = together(lambda k: np.exp(np.sin(_points(k, LARGE))))
    for k, y in enumerate(found):
        assert np.array_equal(y.detach().numpy(), np.exp(np.sin(_points(k, LARGE).detach().numpy())))


# Re-entry.


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that signal here")
def test_a_handler_of_signals_may_call_any_door() -> None:
    names = ["grad", "grad of many", "hessian", "texts", "vector", "scalar"]
    want = {name: bits(DOORS[name](1)) for name in names}
    met: list[bool] = []

    def handler(*_: object) -> None:
        name = names[len(met) % len(names)]
        met.append(bits(DOORS[name](1)) == want[name])

    before = signal.signal(signal.SIGALRM, handler)
    try:
        for name in names * 6:
            signal.setitimer(signal.ITIMER_REAL, 0.001 + 0.002 * (len(met) % 5))
            assert bits(DOORS[name](1)) == want[name]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(met) > 5 and all(met)


def test_a_finalizer_may_call_a_door() -> None:
    class Cycle:
        def __init__(self) -> None:
            self.me = self

    want, met = bits(_grad(2)), []
    before = gc.get_threshold()
    gc.set_threshold(50)
    try:
        for _ in range(60):
            weakref.finalize(Cycle(), lambda: met.append(bits(_grad(2)) == want))
            assert bits(_grad(2)) == want
        gc.collect()
    finally:
        gc.set_threshold(*before)
    assert len(met) == 60 and all(met)


def test_code_is_compiled_by_whoever_holds_the_lock_of_llvm() -> None:
    # As a signal's handler does, in the middle of a call into LLVM.
    pytest.importorskip("llvmlite")
    from gradcli.compute.backends.native.llvm import target

    def compile_inside(k: int) -> Any:
        with target()._lock:
            return bits(DOORS["native"](k + 4))

    assert together(compile_inside, 1) == [bits(DOORS["native"](4))]


# Forks, in processes of their own: Python warns of a fork among threads.


def _alone(code: str) -> str:
    """What a new process prints that runs some code of this module."""
    words = [sys.executable, "-W", "ignore", "-c", f"import test_threads\ntest_threads.{code}"]
    here = Path(__file__).parent
    ended = subprocess.run(words, cwd=here, capture_output=True, text=True, timeout=3 * WAIT, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout


def _forked(work: Callable[[], bool]) -> int:
    """The exit code of a forked child: 0 where ``work()`` holds in it, -9 where it hangs."""
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return -9


def _first_use() -> None:
    """Four threads that begin with nothing imported, each with another door."""
    sys.setswitchinterval(1e-5)
    order = list(DOORS)
    found = together(lambda k: {n: bits(DOORS[n](k)) for n in order[k * 5 :] + order[: k * 5]})
    sys.exit(found != [{n: bits(DOORS[n](k)) for n in order[k * 5 :] + order[: k * 5]} for k in range(THREADS)])


def test_the_first_use_is_by_four_threads_at_once() -> None:
    _alone("_first_use()")


def _child_of_pool(name: str) -> Any:
    return bits(DOORS[name](1))


def _forks() -> None:
    sys.setswitchinterval(1e-4)
    want = {name: bits(DOORS[name](1)) for name in DOORS}
    stop = Event()

    def busy(k: int) -> None:
        names = list(DOORS)[k::THREADS]
        while not stop.is_set():
            for name in names:
                DOORS[name](1 + k)

    running = [Thread(target=busy, args=(k,), daemon=True) for k in range(THREADS)]
    for thread in running:
        thread.start()

    def every(turn: int) -> bool:
        return gc.isenabled() and all(bits(DOORS[n](1)) == want[n] for n in list(DOORS)[turn % 3 :: 3])

    codes = [_forked(lambda turn=turn: every(turn)) for turn in range(9)]  # type: ignore[misc]
    codes += together(lambda k: _forked(lambda: every(k)), 2)
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        met = pool.map_async(_child_of_pool, list(DOORS)).get(WAIT)
    stop.set()
    print(codes, met == list(want.values()))


@pytest.mark.skipif(not FORKS, reason="no fork here")
def test_a_child_forked_while_threads_are_inside_computes() -> None:
    assert _alone("_forks()") == f"{[0] * 11} True\n"


def _fork_between_blocks() -> None:
    from gradcli.job import Job, Rows, run

    job = Job(["sin(x)*exp(y)"], grids=["x=0:1:400", "y=0:1:1000"], engine="vector", threads=3)
    want = bits(list(run(job).blocks))
    blocks = run(job).blocks
    begun = [bits(next(blocks))]
    code = _forked(lambda: (*begun, *map(bits, blocks)) == want)
    print(code, (*begun, *map(bits, blocks)) == want)
    # Rows that come from a stream are read by one process.
    read, write = os.pipe()
    Thread(target=lambda: os.write(write, b"x\n" + b"1\n" * 400_000), daemon=True).start()
    rows = run(Job(["x**2"], max_points=10**6), Rows(["-"], "csv", stdin=open(read, "rb"))).blocks  # noqa: SIM115
    next(rows)

    def refused() -> bool:
        try:
            next(rows)
        except GradError as error:
            return "another process" in error.message
        return False

    print(_forked(refused))
    os._exit(0 if sys.stdout.flush() is None else 1)


@pytest.mark.skipif(not FORKS, reason="no fork here")
def test_a_child_goes_on_with_the_blocks_of_its_parent() -> None:
    assert _alone("_fork_between_blocks()") == "0 True\n0\n"


def _fork_in_a_pause() -> None:
    entered, leave = Event(), Event()

    def pause() -> None:
        with node.collector_paused():
            entered.set()
            leave.wait()

    thread = Thread(target=pause)
    thread.start()
    entered.wait()
    print(gc.isenabled(), _forked(gc.isenabled))
    leave.set()
    thread.join()
    print(gc.isenabled())


@pytest.mark.skipif(not FORKS, reason="no fork here")
def test_a_child_looks_for_cycles_again() -> None:
    assert _alone("_fork_in_a_pause()") == "False 0\nTrue\n"


def _fork_reads_a_file(path: str) -> None:
    from gradcli.formats.npy_random import stored

    want = np.arange(200_000.0)
    np.save(path, want)
    array = stored(path)

    def right() -> bool:
        return all(np.array_equal(array.box(((lo, lo + 999),)), want[lo : lo + 999]) for lo in range(0, 199_000, 97))

    ours: list[bool] = []
    thread = Thread(target=lambda: ours.append(all(right() for _ in range(3))))
    thread.start()
    print(_forked(lambda: right() and right()))
    thread.join()
    print(ours)


@pytest.mark.skipif(not FORKS, reason="no fork here")
def test_a_child_reads_a_file_beside_its_parent(tmp_path: Path) -> None:
    assert _alone(f"_fork_reads_a_file({str(tmp_path / 'a.npy')!r})") == "0\n[True]\n"


def _tripled(x: Any) -> Any:
    assert x.requires_grad
    return (x * 3).detach()


def _spawn() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(bits(pool.apply(_tripled, (_points(1),))) == bits(_points(1) * 3))


def test_tensors_go_to_other_processes() -> None:
    assert _alone("_spawn()") == "True\n"
