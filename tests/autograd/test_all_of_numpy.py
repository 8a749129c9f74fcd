"""Every function of NumPy on tensors: NumPy's own values and shapes, the slopes of these values, or a refusal."""

import warnings

import numpy as np
import pytest

from gradcli import GradError, Tensor, grad, tensor

pytestmark = pytest.mark.quick
V, W = np.array([0.31, 1.23, 2.12]), np.array([0.52, 0.97, 1.21])
M = np.array([[2.03, 0.31, 0.17], [0.23, 3.07, 0.42], [0.51, 0.13, 4.04]])
N = np.array([[1.97, 0.63, -0.3], [0.4, 2.9, 0.56], [0.29, 0.56, 3.86]])
S, Z = np.array(0.7), np.array([0.3 + 1j, 1.2 - 0.5j, 2.1 + 0.2j])
C, B = M + 0.3j * M[::-1], np.stack([0.93 * M, 1.1 * M.T + 0.1])
ARGUMENTS = {
    "vector": [V], "matrix": [M], "number": [S], "complex vector": [Z], "complex matrix": [C], "matrices": [B],
    "vectors": [V, W], "two matrices": [M, N], "matrix, vector": [M, V], "vector, matrix": [V, M],
    "number, vector": [S, V], "complex and real": [Z, V], "complex": [C, Z], "vector, number": [V, S],
    "stacks": [B, B[::-1].copy()], "three vectors": [V, np.sort(W), V + W], "list of vectors": [[V, W]],
    "list of matrices": [[M, N]], "list of numbers": [[S, S + 1]],
}  # fmt: skip
MODULES = {"np": np, "np.linalg": np.linalg, "np.fft": np.fft}
# np.bmat makes matrices of text; save writes files; the memory of np.empty holds anything.
OTHERS = {"bmat", "empty_like", "save", "savetxt", "savez", "savez_compressed"}
H = 1e-5


def functions():
    for module, names in MODULES.items():
        for name, f in sorted(vars(names).items()):
            public = not name.startswith("_") and name not in OTHERS
            if public and (isinstance(f, np.ufunc) or hasattr(f, "_implementation")):
                yield f"{module}.{name}", f


def mapped(f, x):
    return [mapped(f, i) for i in x] if isinstance(x, list) else f(x)


def flat(x):
    return [leaf for item in x for leaf in flat(item)] if isinstance(x, (list, tuple)) else [x]


def weight(shape, dtype, rng):
    w = rng.normal(size=shape)
    return np.asarray(w + 1j * rng.normal(size=shape) if np.dtype(dtype).kind == "c" else w)


def difference(f, arguments):
    """What differs between a function on tensors and on arrays; None if nothing does, or NumPy or gradcli refuse."""
    try:
        true = flat(f(*mapped(np.copy, arguments)))
    except Exception:
        return None
    tensors = mapped(tensor, arguments)
    try:
        found = flat(f(*tensors))
    except GradError:
        return None
    if len(found) != len(true):
        return f"{len(found)} results, not {len(true)}"
    for x, y in zip(found, true, strict=True):
        a = x.detach().numpy() if isinstance(x, Tensor) else np.asarray(x)
        y = np.asarray(y)
        if a.shape != y.shape:
            return f"shape {a.shape}, not {y.shape}"
        if a.dtype.kind in "biufc" and not np.allclose(a, y, rtol=1e-11, atol=1e-12, equal_nan=True):
            return f"{a.ravel()[:3]}, not {y.ravel()[:3]}"
        if a.dtype.kind in "fc" and not isinstance(x, Tensor):
            return "an array: its gradient is lost"
    rng = np.random.default_rng(0)
    live = {k: weight(x.shape, x.dtype, rng) for k, x in enumerate(found) if isinstance(x, Tensor) and x.requires_grad}
    if not live:
        return None
    try:
        gs = grad([found[k] for k in live], flat(tensors), list(live.values()), allow_unused=True)
    except GradError:
        return None
    points = [np.copy(a) for a in flat(arguments)]

    def loss(step, way, k):
        moved = iter([p + step * way if i == k else p for i, p in enumerate(points)])
        results = flat(f(*mapped(lambda _: next(moved), arguments)))
        return sum(np.real(np.sum(np.conj(w) * results[j])) for j, w in live.items())

    for k, (g, p) in enumerate(zip(gs, points, strict=True)):
        way = weight(p.shape, p.dtype, rng)
        true = (loss(H, way, k) - loss(-H, way, k)) / (2 * H)
        slope = 0.0 if g is None else np.real(np.sum(np.conj(g.numpy()) * way))
        if not np.isclose(slope, true, rtol=2e-6, atol=2e-6, equal_nan=True):
            return f"slope {slope} by argument {k}, not {true}"
    return None


def second_difference(f, arguments):
    """What differs between second derivatives and differences of the first, which `difference` compares with NumPy."""
    rng = np.random.default_rng(1)
    weights = {}

    def weighted(x, key):
        w = weights.setdefault(key, weight(x.shape, x.dtype, rng))
        return np.sum(np.real(np.conj(w) * x))

    def first(tensors, create):
        found = flat(f(*tensors))
        total = sum(weighted(x, k) for k, x in enumerate(found) if isinstance(x, Tensor) and x.requires_grad)
        if not isinstance(total, Tensor):
            return 0
        gs = grad(total, flat(tensors), allow_unused=True, create_graph=create)
        return sum(weighted(g, ("slope", k)) for k, g in enumerate(gs) if g is not None)

    try:
        f(*mapped(np.copy, arguments))
    except Exception:
        return None
    tensors = mapped(tensor, arguments)
    try:
        total = first(tensors, True)
        if not isinstance(total, Tensor) or not total.requires_grad:
            return None
        gs = grad(total, flat(tensors), allow_unused=True)
    except GradError:
        return None
    points = [np.copy(a) for a in flat(arguments)]
    for k, (g, p) in enumerate(zip(gs, points, strict=True)):
        way = weight(p.shape, p.dtype, rng)
        above, below = (
            first(mapped(lambda _, moved=moved: tensor(next(moved)), arguments), False).item()
            for step in (H, -H)
            for moved in [iter([q + step * way if i == k else q for i, q in enumerate(points)])]
        )
        slope = 0.0 if g is None else np.real(np.sum(np.conj(g.numpy()) * way))
        true = (above - below) / (2 * H)
        if not np.isclose(slope, true, rtol=5e-6, atol=5e-6, equal_nan=True):
            return f"slope {slope} of the slope by argument {k}, not {true}"
    return None


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("kind", ARGUMENTS)
def test_every_function_of_numpy(kind, order):
    compare = difference if order == 1 else second_difference
    wrong = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, f in functions():
            said = compare(f, ARGUMENTS[kind])
            if said is not None:
                wrong[name] = said
    assert wrong == {}
