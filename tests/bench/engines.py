"""The engines: one function each that makes a work ready and returns what computes it.

What it returns gives, at every call, one array of all points per partial of the work, the same arrays again where the
engine can be given them. Each is used as its own documentation would have it for the fastest result. Must not know
clocks or tables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from works import Array, Work

THREADS = 2
Run = Callable[[], Sequence[Any]]


class CannotDoError(Exception):
    """The engine has no way to do this work; the message says why."""


def _gradcli(work: Work, inputs: Array, *_: Any, chosen: str) -> Run:
    from gradcli.calculus.derive import derive
    from gradcli.compute import engine
    from gradcli.compute.execute import empty, whole
    from gradcli.compute.grid import Axis, Grid, Held
    from gradcli.compute.program import build
    from gradcli.language import parse

    [(name, e)] = parse(work.text).outputs
    outputs = [d for _, d in derive([(name or "f", e)], work.variables, work.order)]
    columns = [Held(row) for row in inputs]
    if work.product:
        axes = [Axis([v], [column]) for v, column in zip(work.variables, columns, strict=True)]
    else:
        axes = [Axis(work.variables, columns)]
    program = build(outputs, [axis.names for axis in axes])
    spread = engine.work(program, Grid(axes), chosen)
    target = engine.part_points(program, chosen, work.size, THREADS)
    results = empty(spread, work.size)

    def run() -> Sequence[Array]:
        deque(whole(spread, target=target, threads=THREADS, outs=results), maxlen=0)
        return results

    return run


def _copy(work: Work, inputs: Array, *_: Any) -> Run:
    """No results: only writes as many bytes into arrays that exist, the input's or, for a product, one number's."""
    from concurrent.futures import ThreadPoolExecutor

    if work.name not in ("square", "product"):
        raise CannotDoError("")
    results = np.zeros((len(work.partials), work.size))
    pool = ThreadPoolExecutor(THREADS)

    def fill(part: int) -> None:
        here = slice(part * work.size // THREADS, (part + 1) * work.size // THREADS)
        for column in results:
            np.copyto(column[here], inputs[0, 0] if work.product else inputs[0, here])

    def run() -> Sequence[Array]:
        list(pool.map(fill, range(THREADS)))
        return list(results)

    return run


def _numpy(work: Work, inputs: Array, *_: Any) -> Run:
    from by_hand import BY_HAND

    if work.name not in BY_HAND:
        raise CannotDoError("too long to write by hand")
    return lambda: BY_HAND[work.name](*inputs)


def _jax(work: Work, inputs: Array, jax: Any, jnp: Any, jet: Any, special: Any) -> Run:
    jax.config.update("jax_enable_x64", True)
    m = SimpleNamespace(sin=jnp.sin, exp=jnp.exp, log=jnp.log, sqrt=jnp.sqrt, erf=special.erf)
    places = tuple(range(len(inputs)))

    def f(*x: Any) -> Any:
        return work.formula(m, *x)

    def point(*x: Any) -> list[Any]:
        if work.order > 2:
            value, series = jet.jet(f, x, [[1.0] + [0.0] * (work.order - 1)])
            return [value, *series]
        value, gradient = jax.value_and_grad(f, places)(*x)
        second = jax.jacfwd(jax.grad(f, places), places)(*x) if work.order > 1 else ()
        return [value, *gradient, *[second[i][j] for i, j in (p for p in work.partials if second and len(p) > 1)]]

    over: Any = point
    if work.product:
        for place in reversed(places):
            over = jax.vmap(over, [0 if k == place else None for k in places])
    else:
        over = jax.vmap(over)
    columns = [jnp.asarray(row) for row in inputs]
    compiled = jax.jit(over).lower(*columns).compile()
    return lambda: [np.asarray(r).reshape(-1) for r in jax.block_until_ready(compiled(*columns))]


def _torch(work: Work, inputs: Array, torch: Any) -> Run:
    torch.set_num_threads(THREADS)
    if work.order > 2:
        raise CannotDoError("nested backward passes grow without bound")
    rows = [torch.from_numpy(row) for row in inputs]
    if work.product:
        rows = list(torch.meshgrid(*rows, indexing="ij"))

    def run() -> Sequence[Any]:
        x = [row.detach().requires_grad_() for row in rows]
        value = work.formula(torch, *x)
        results = [value, *torch.autograd.grad(value.sum(), x, create_graph=work.order > 1)]
        if work.order > 1:
            for i, slope in enumerate(results[1:]):
                results += torch.autograd.grad(slope.sum(), x[i:], retain_graph=True, materialize_grads=True)
        return [r.detach().numpy().reshape(-1) for r in results]

    return run


def _by_steps(work: Work, value: Any, differentiate: Callable[[Any, int], Any]) -> list[Any]:
    """Every partial, each by one differentiation of an earlier one."""
    found: dict[tuple[int, ...], Any] = {(): value}
    for index in work.partials[1:]:
        found[index] = differentiate(found[index[:-1]], index[-1])
    return list(found.values())


def _sympy(work: Work, inputs: Array, sympy: Any, *_: Any) -> Run:
    x = sympy.symbols(work.variables)
    outputs = _by_steps(work, work.formula(sympy, *x), lambda e, place: sympy.diff(e, x[place]))
    modules = ["numpy"]
    if any(e.has(sympy.erf) for e in outputs):
        if find_spec("scipy") is None:
            raise CannotDoError("erf needs SciPy")
        modules.insert(0, "scipy")
    function = sympy.lambdify(x, outputs, modules, cse=True)
    columns = np.ix_(*inputs) if work.product else list(inputs)

    def run() -> Sequence[Any]:
        results: list[Any] = []
        for r in function(*columns):
            # A constant comes as a number, and equal results as one array.
            shared = np.shape(r) != work.shape or any(r is other for other in results)
            results.append(np.full(work.shape, r) if shared else r)
        return [r.reshape(-1) for r in results]

    return run


def _heyoka(work: Work, inputs: Array, heyoka: Any) -> Run:
    heyoka.set_nthreads(THREADS)
    x = heyoka.make_vars(*work.variables)
    x = x if isinstance(x, list | tuple) else [x]
    tensors = heyoka.diff_tensors([work.formula(heyoka, *x)], list(x), diff_order=work.order)
    outputs = [e for order in range(work.order + 1) for _, e in tensors.get_derivatives(order)]
    function = heyoka.cfunc(outputs, list(x))
    points = work.expanded(inputs)
    results = np.empty((len(outputs), work.size))
    return lambda: function(points, outputs=results)


def _casadi(work: Work, inputs: Array, casadi: Any) -> Run:
    x = [casadi.SX.sym(v) for v in work.variables]
    outputs = _by_steps(work, work.formula(casadi, *x), lambda e, place: casadi.jacobian(e, x[place]))
    outputs = [casadi.densify(e) for e in outputs]
    function = casadi.Function("work", x, outputs, {"cse": True}).map(work.size, "thread", THREADS)

    columns = work.expanded(inputs)
    results = [np.empty(work.size) for _ in outputs]

    def run() -> Sequence[Array]:
        buffer, trigger = function.buffer()
        for k, column in enumerate(columns):
            buffer.set_arg(k, column.data)
        for k, result in enumerate(results):
            buffer.set_res(k, result.data)
        trigger()
        return results

    return run


_GRADCLI = ("gradcli.job", "gradcli.language", "lark", "concurrent.futures.thread")
_NATIVE = ("llvmlite.binding", "gradcli.compute.backends.native")
_SYMPY = ("sympy", "sympy.codegen.ast", "sympy.tensor.tensor", "numpy.f2py")
_SCIPY = ("scipy.special",) if find_spec("scipy") else ()


class Engine(NamedTuple):
    """``modules``, also those that the engine imports only when it works, are imported before memory is first read.

    ``prepare(work, inputs, *modules)`` makes a work ready.
    """

    title: str
    modules: tuple[str, ...]
    prepare: Callable[..., Run]


ENGINES = {
    "gradcli": Engine("gradcli, native", (*_GRADCLI, *_NATIVE), partial(_gradcli, chosen="native")),
    "vector": Engine(
        "gradcli, NumPy", (*_GRADCLI, "gradcli.compute.backends.vector"), partial(_gradcli, chosen="vector")
    ),
    "copy": Engine("writing alone", ("numpy",), _copy),
    "numpy": Engine("NumPy by hand", ("numpy", *_SCIPY), _numpy),
    "jax": Engine("JAX, jitted", ("jax", "jax.numpy", "jax.experimental.jet", "jax.scipy.special"), _jax),
    "torch": Engine("torch", ("torch",), _torch),
    "sympy": Engine("SymPy lambdify, cse", (*_SYMPY, *_SCIPY), _sympy),
    "heyoka": Engine("heyoka", ("heyoka",), _heyoka),
    "casadi": Engine("CasADi", ("casadi",), _casadi),
}
