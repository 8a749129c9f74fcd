"""One function called from several threads, from forked children, and in the middle of its own calls."""

from __future__ import annotations

import os
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pytest

from gradcli import function
from gradcli.callables.function import Function
from gradcli.callables.recipe import model_of

pytestmark = pytest.mark.quick

THREADS = 4
POINTS = [(0.01 * k, 1.0 + k % 7, 0.5) for k in range(100)]
ARRAYS = [np.linspace(0.001 * k, 1.0 + k, 40) for k in range(20)]
LARGE = np.linspace(-1, 3, 40_000)


@pytest.fixture(autouse=True)
def switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def fresh() -> Function:
    """A function that has computed nothing, so that threads make its first kernels together."""
    model_of.cache_clear()
    return function("a*exp(-b*x)*b*b + abs(x - a)", wrt="a,b", args="x,a,b")


def calls(f: Function, k: int) -> Any:
    """What one of several calls gives, hard points and large arrays among them."""
    point, array = POINTS[k % 100], ARRAYS[k % 20]
    if k % 10 == 9:
        return f.value_and_grad(array, *point[1:])[1].tobytes()
    if k % 10 == 7:
        return f.grad(*point).tobytes()
    if k % 50 == 5:
        return f.grad(point[1], *point[1:]).tobytes()
    return f.hessian(LARGE, 1.0, 0.5).tobytes() if k % 1_000 == 501 else f(*point)


def together(work: Callable[[int], None]) -> None:
    threads = [Thread(target=work, args=(k,)) for k in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_share_a_function() -> None:
    true = [calls(fresh(), k) for k in range(1_000)]
    f = fresh()
    wrong: list[int] = []
    barrier = Barrier(THREADS)

    def work(first: int) -> None:
        barrier.wait()
        wrong.extend(k for k in range(first * 257, first * 257 + 5_000) if calls(f, k % 1_000) != true[k % 1_000])

    together(work)
    assert wrong == []


def test_threads_make_functions() -> None:
    true = [function(f"x**{k % 5} + abs(y)*{k}").partials(0.5, 0.0, order=2) for k in range(40)]
    wrong: list[int] = []

    def work(first: int) -> None:
        for k in range(first, first + 80):
            f = function(f"x**{k % 40 % 5} + abs(y)*{k % 40}")
            if f.partials(0.5, 0.0, order=2) != true[k % 40] or f.diff("x", 2)(0.5, 0.0) != true[k % 40]["d2f_dx2"]:
                wrong.append(k)

    model_of.cache_clear()
    together(work)
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_forks_while_threads_compute() -> None:
    true = [calls(fresh(), k) for k in range(60)]
    f, done = fresh(), Event()

    def work(first: int) -> None:
        k = first
        while not done.is_set():
            calls(f, k := k + 1)

    threads = [Thread(target=work, args=(k,)) for k in range(THREADS)]
    for thread in threads:
        thread.start()
    results = []
    try:
        for _ in range(8):
            time.sleep(0.02)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 tells of threads that do not fork
                child = os.fork()
            if not child:
                # A child that hangs ends by the alarm.
                signal.alarm(120)
                right = [calls(f, k) for k in range(60)] == true and function("abs(x)*3").side("right").grad(0)[0] == 3
                os._exit(0 if right else 1)
            results.append(os.waitpid(child, 0)[1])
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert results == [0] * 8


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers that interrupt")
def test_handlers_of_signals_call_the_function_that_they_interrupt() -> None:
    f = function("abs(x - a)*y + sin(x)/x", args="x,a,y")
    x = np.linspace(0, 2, 30)

    def all_kinds() -> list[bytes]:
        return [f.grad(0, 0, 2).tobytes(), f.value_and_grad(x + 4, 1, 2)[1].tobytes(), f.grad(x, 1, 0).tobytes()]

    true = all_kinds()
    inside: list[bool] = []
    busy = False

    def handler(*_: Any) -> None:
        nonlocal busy
        if not busy:
            busy = True
            inside.append(all_kinds() == true)
            busy = False

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        end = time.monotonic() + 60
        while len(inside) < 40 and time.monotonic() < end:
            assert all_kinds() == true
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert all(inside) and inside


def test_finalizers_inside_a_call() -> None:
    """An argument whose conversion calls the function, as a finalizer may."""
    f = function("a*sqrt(x) + abs(x)")
    found = []

    class Number:
        def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
            found.append(f.grad(a=[1.0, -0.0], x=0.0).tolist())
            return np.array([4.0, 0.0])

    assert f(a=2.0, x=Number()).tolist() == [8.0, 0.0]
    assert found and found[0] == f.grad(a=[1.0, -0.0], x=0.0).tolist()
