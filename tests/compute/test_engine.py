"""The choice of engine, of the points in a block and of the number of threads."""

import os

import pytest

from gradcli.compute import engine
from gradcli.compute.program import build
from gradcli.errors import GradError
from gradcli.expr import var

pytestmark = pytest.mark.quick


def test_engines_are_known_by_name():
    for name in engine.ENGINES:
        engine.check(name)
    with pytest.raises(GradError, match=r"^unknown engine 'fast' \(there are auto, scalar, vector, native\)$"):
        engine.check("fast")


@pytest.mark.parametrize(
    ("load", "steps", "name"),
    [
        (engine.FEW_STEPS, 1, "scalar"), (engine.FEW_STEPS + 1, 1, "vector"),
        (engine.NATIVE_START + 7 * engine.NATIVE_STEP - 1, 7, "vector"),
        (engine.NATIVE_START + 7 * engine.NATIVE_STEP, 7, "native"),
    ],
)  # fmt: skip
def test_the_work_at_which_an_engine_pays(load, steps, name):
    pytest.importorskip("llvmlite")
    assert engine.chosen("auto", load, steps) == (name, None)
    assert engine.chosen("scalar", load, steps) == ("scalar", None)


def test_threads_are_those_asked_for_or_one_for_each_processor(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5}, raising=False)
    many = engine.MANY_STEPS
    assert [engine.threads(None, many, name) for name in ("scalar", "vector", "native")] == [1, 3, 3]
    assert engine.threads(None, many - 1, "native") == 1
    assert [engine.threads(4, 0, "native"), engine.threads(4, many, "scalar")] == [4, 1]
    monkeypatch.delattr(os, "sched_getaffinity")
    for count, threads in ((8, 8), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert engine.threads(None, many, "vector") == threads


def test_blocks_fit_the_cache_and_the_room():
    def sized(columns):
        """A program with so many outputs and as many registers."""
        tape = build([var("x")], [["x"]])
        return tape._replace(outputs=[0] * columns, registers=[*tape.registers, *[None] * columns][:columns])

    assert [engine.block_points(sized(n), "scalar") for n in (1, 2000, 10**6)] == [1024, 1024, 16]
    assert [engine.block_points(sized(n), "vector") for n in (1, 10, 10**4)] == [131072, 35000, 2**22 // 20000]
    assert [engine.block_points(sized(n), "vector", 4) for n in (1, 10)] == [131072, 2**16]
    assert [engine.part_points(sized(10), name, 10**7, 2) for name in ("vector", "native")] == [35000, 500_000]
    assert engine.part_points(sized(10), "native", 10**9, 2) == 2**20
    assert engine.part_points(sized(10), "native", 1000, 2) == 35000
