"""Graphs of many operations: one answer however a cotangent is pulled back, depth, memory, threads, NumPy's errors."""

import gc
import random
import sys
import threading
import warnings
import weakref

import mpmath
import numpy as np
import pytest

from gradcli import GradError, Tensor, grad, tensor
from gradcli.autograd import values
from gradcli.autograd.graph import Node

quick = pytest.mark.quick

UNARY = [np.sin, np.exp, np.log, np.sqrt, np.tanh, np.arctan, np.square, np.cbrt, np.log1p, np.abs, np.negative]
PAIRS = [
    lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b, lambda a, b: a / b, lambda a, b: a**b, np.hypot,
    lambda a, b: np.where(a > b, a, 2 * b), lambda a, b: np.where(a > 0, np.sqrt(a), b), np.maximum,
    lambda a, b: np.sum(a) * b, lambda a, b: 1 / a - b, lambda a, b: 2.5 - a * 3, lambda a, b: a[..., None].sum(-1) + b,
]  # fmt: skip
POWERS = [2, 3, -1, 0.5, 2.0, 1, 0, 1.5, -2]
SHAPES = {
    "numbers": [(), (), ()], "arrays": [(4,), (4,), (4,)], "broadcast": [(2, 3), (3,), ()],
    "crossed": [(2, 1), (1, 3), ()], "ones": [(1,), (), (4,)], "empty": [(0,), (), (0,)],
}  # fmt: skip


def program(seed: int, leaves: list[Tensor]) -> Tensor:
    """A random graph on ``leaves``."""
    rng = random.Random(seed)
    pool = list(leaves)
    for _ in range(rng.randint(4, 18)):
        kind, a, b = rng.random(), rng.choice(pool[-5:]), rng.choice(pool)
        if kind < 0.35:
            pool.append(rng.choice(UNARY)(a * rng.choice([1, 0.5, -1.5])))
        elif kind < 0.5:
            pool.append(a ** rng.choice(POWERS))
        else:
            pool.append(rng.choice(PAIRS)(a, b))
    return pool[-1]


def bits(tensors) -> list[bytes]:
    """The bytes of each tensor, of one nan."""
    found = []
    for t in tensors:
        array = np.array(np.nan if t is None else t.detach().numpy())
        array[np.isnan(array)] = np.nan
        found.append(array.tobytes())
    return found


@quick
@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES.keys())
def test_one_gradient_with_its_graph_and_without(shapes, seed):
    """Without its graph a gradient is pulled back by other functions, through numbers and arrays alone."""
    rng = np.random.default_rng(seed)
    leaves = [tensor(np.round(rng.normal(size=shape), 0 if seed % 3 == 0 else 9)) for shape in shapes]
    y = program(seed, leaves)
    weight = tensor(rng.normal(size=y.shape), requires_grad=False)
    options = {"allow_unused": True, "retain_graph": True}
    if not y.requires_grad:
        return
    alone = grad(y, leaves, weight, **options)
    assert bits(alone) == bits(grad(y, leaves, weight, create_graph=True, **options))
    assert bits(alone) == bits(grad(y, leaves, weight, **options))
    assert bits(alone) == bits(grad(y, leaves, weight, allow_unused=True))


@quick
@pytest.mark.parametrize("shape", [(), (3,)], ids=["numbers", "arrays"])
def test_a_long_chain_against_mpmath(shape):
    """y = sin(y*a + b) forty times, its slopes by a and b and their slopes by a."""

    def chain(y, a, b, sin):
        for _ in range(40):
            y = sin(y * a + b)
        return y

    with mpmath.workdps(40):
        whole = lambda a, b: chain(mpmath.mpf(0.5), a, b, mpmath.sin)
        orders = [(0, 0), (1, 0), (0, 1), (2, 0), (1, 1)]
        expected = [float(mpmath.diff(whole, (0.9, 0.1), n) if any(n) else whole(0.9, 0.1)) for n in orders]
    a, b = tensor(np.full(shape, 0.9)), tensor(np.full(shape, 0.1))
    y = chain(tensor(np.full(shape, 0.5), requires_grad=False), a, b, np.sin)
    first = grad(y.sum(), (a, b), create_graph=True)
    second = [grad(g.sum(), a, retain_graph=True)[0] for g in first]
    for found, true in zip([y, *first, *second], expected, strict=True):
        np.testing.assert_allclose(found.detach().numpy(), true, rtol=1e-13)


@quick
def test_numpy_is_as_quiet_as_the_user_set_it():
    state = np.geterr()
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        for shape in ((), (3,), (40_000,)):
            x = tensor(np.zeros(shape))
            y = np.log(x) + 1 / x + np.exp(x + 1000) * 0
            (g,) = grad(y.sum(), x, create_graph=True)
            assert np.isnan(grad(g.sum(), x)[0].detach().numpy()).all()
            (g,) = grad(np.log(x).sum(), x)
            assert np.isinf(g.numpy()).all()
        with pytest.raises(FloatingPointError):
            np.log(np.zeros(3))
    assert np.geterr() == state


@quick
def test_a_computation_inside_a_computation():
    """A finalizer or a signal handler may compute while a function of NumPy runs."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inner = values.quietly(lambda: values.quietly(np.log, np.zeros(2)))
    assert (inner == -np.inf).all()


@quick
def test_values_are_freed_when_nothing_needs_them():
    """By counts of references: the collector of cycles has nothing to do."""
    gc.collect()
    gc.disable()
    # Other tests hold tensors, too, among their parameters.
    nodes = lambda: sum(isinstance(o, Node) for o in gc.get_objects())
    others = nodes()
    try:
        for shape in ((), (100,), (40_000,)):
            for twice in (False, True):
                x = tensor(np.full(shape, 0.5))
                y = program(5, [x, x * 2, x + 1]) + np.sin(x) * x**2
                kept = [weakref.ref(x)] if not shape else [weakref.ref(x), weakref.ref(x.value.array)]
                (g,) = grad(y.sum(), x, create_graph=twice)
                if twice:
                    (g,) = grad((g * g).sum(), x)
                del x, y, g
                assert [ref() for ref in kept] == [None] * len(kept)
        assert nodes() == others
        assert gc.collect() == 0
    finally:
        gc.enable()


@quick
def test_what_a_graph_saved_is_freed_with_it():
    x = tensor(np.ones(100))
    y = np.exp(np.sin(x))
    saved = weakref.ref(y.node.args[0].array)
    grad(y.sum(), x)
    assert saved() is None
    with pytest.raises(RuntimeError, match="a second time"):
        grad(y.sum(), x)
    linear = x + 1
    for _ in range(2):
        assert grad(linear.sum(), x)[0].tolist() == [1] * 100


@quick
def test_the_collector_goes_on_after_an_error():
    x = tensor(2.0)
    y = np.exp(x)
    grad(y, x)
    for enabled in (True, False):
        (gc.enable if enabled else gc.disable)()
        try:
            with pytest.raises(GradError):
                grad(y, x)
            assert gc.isenabled() is enabled
        finally:
            gc.enable()


def test_a_graph_of_many_operations():
    """Built, differentiated twice and dropped without recursion."""
    x, y = tensor(0.5), tensor(0.0, requires_grad=False)
    for _ in range(170_000):
        y = np.sin(y) * 0.5 + x
    assert grad(y, x, retain_graph=True)[0].item() == pytest.approx(1 / (1 - 0.5 * np.cos(y.item())), rel=1e-12)
    del y
    y = x
    for _ in range(50_000):
        y = y * 0.99999 + x * x
    (g,) = grad(y, x, create_graph=True)
    (h,) = grad(g, x)
    assert h.item() == pytest.approx(2 * (1 - 0.99999**50_000) / 1e-5, rel=1e-9)


# Threads.


def together(work) -> list:
    """What ``work(k)`` gives in each of four threads that begin at once and take turns as often as can be."""
    found, gate, interval = [None] * 4, threading.Barrier(4), sys.getswitchinterval()

    def run(k):
        gate.wait()
        try:
            found[k] = work(k)
        except BaseException as error:
            found[k] = error

    threads = [threading.Thread(target=run, args=(k,)) for k in range(4)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for result in found:
        if isinstance(result, BaseException):
            raise result
    return found


@quick
@pytest.mark.parametrize("shape", [(), (20,), (2, 3)], ids=str)
def test_threads_with_graphs_of_their_own_on_the_same_leaves(shape):
    rng = np.random.default_rng(1)
    for seed in range(6):
        data = [np.abs(rng.normal(size=shape)) + 0.3 for _ in range(3)]

        def work(k, leaves, seed=seed):
            y = program(seed + 10 * k, leaves) + sum(leaves) ** (k + 2 + seed / 16)
            first = grad(y.sum(), leaves, create_graph=True, materialize_grads=True)
            second = grad(sum(g.sum() for g in first), leaves, materialize_grads=True)
            return bits([y, *first, *second])

        shared = [tensor(d) for d in data]
        found = together(lambda k, shared=shared: work(k, shared))
        assert found == [work(k, [tensor(d) for d in data]) for k in range(4)]


@quick
@pytest.mark.parametrize("shape", [(), (20,)], ids=str)
def test_threads_differentiate_one_graph(shape):
    for seed in range(4):
        leaves = [tensor(np.full(shape, 0.5 + k / 4)) for k in range(3)]
        y = program(seed, leaves) * (leaves[0] + 1)
        expected = bits(grad(y.sum(), leaves, retain_graph=True, materialize_grads=True))

        def work(k, y=y, leaves=leaves):
            return [bits(grad(y.sum(), leaves, retain_graph=True, materialize_grads=True)) for _ in range(5)]

        assert together(work) == [[expected] * 5] * 4


@quick
def test_threads_free_one_graph():
    """The first to come frees the graph: the others have their gradient or the one error."""
    for _ in range(20):
        x = tensor(np.full(5, 0.5))
        y = (np.exp(np.sin(x) * x) + x).sum()
        expected = bits(grad(y, x, retain_graph=True))

        def work(k, x=x, y=y):
            try:
                return bits(grad(y, x))
            except RuntimeError as error:
                return str(error)

        found = together(work)
        assert all(f == expected or "a second time" in f for f in found)


@quick
def test_a_leaf_is_assigned_to_until_a_thread_uses_it():
    x = tensor(np.ones(3))
    x[0] = 2
    together(lambda k: x * k)
    with pytest.raises(RuntimeError, match="inplace"):
        x[0] = 3
    assert x.tolist() == [2, 1, 1]
