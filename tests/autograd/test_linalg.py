"""NumPy's linear algebra on tensors: values, batches, singular and degenerate matrices, refusals, dtypes, examples."""

import doctest

import mpmath as mp
import numpy as np
import pytest

import gradcli
from gradcli import GradError, grad, tensor
from gradcli.autograd import (
    linalg,
    linalg_factors,
    linalg_least_squares,
    linalg_norms,
    linalg_products,
    linalg_spectra,
    linalg_systems,
    values,
)

pytestmark = pytest.mark.quick

FILES = [linalg, linalg_factors, linalg_least_squares, linalg_norms, linalg_products, linalg_spectra, linalg_systems]
EIGENVECTORS = {"eigh", "eigh U", "eig", "svd", "svd reduced", "svd hermitian", "qr complete"}
CALLS = {
    "inv": np.linalg.inv, "det": np.linalg.det, "slogdet": np.linalg.slogdet,
    "cholesky": lambda a: np.linalg.cholesky(a @ np.swapaxes(np.conj(a), -1, -2)), "qr": np.linalg.qr,
    "qr r": lambda a: np.linalg.qr(a, mode="r"), "qr complete": lambda a: np.linalg.qr(a[..., :2], mode="complete"),
    "eigh": np.linalg.eigh, "eigh U": lambda a: np.linalg.eigh(a, "U"),
    "eigvalsh": lambda a: np.linalg.eigvalsh(a, UPLO="U"), "eig": np.linalg.eig, "eigvals": np.linalg.eigvals,
    "svd": lambda a: np.linalg.svd(a[..., :2]), "svd reduced": lambda a: np.linalg.svd(a[..., :2, :], False),
    "svd hermitian": lambda a: np.linalg.svd(a, hermitian=True),
    "svd values": lambda a: np.linalg.svd(a, compute_uv=False), "pinv": lambda a: np.linalg.pinv(a[..., :2]),
    "pinv hermitian": lambda a: np.linalg.pinv(a, hermitian=True), "pinv rcond": lambda a: np.linalg.pinv(a, 0.3),
    "norm": np.linalg.norm, "norms of rows": lambda a: np.linalg.norm(a, axis=-1),
    "norms 1": lambda a: np.linalg.norm(a, 1, axis=-1, keepdims=True), "norms 0": lambda a: np.linalg.norm(a, 0, -1),
    "norms 3.5": lambda a: np.linalg.norm(a, 3.5, axis=0, keepdims=True),
    "norms inf": lambda a: np.linalg.norm(a, np.inf, axis=0),
    "norms fro": lambda a: np.linalg.norm(a, "fro", axis=(-2, -1), keepdims=True),
    "norms nuc": lambda a: np.linalg.norm(a, "nuc", axis=(-1, 0), keepdims=True),
    "norms -2": lambda a: np.linalg.norm(a, -2, axis=(-1, -2)),
    "matrix norm 1": lambda a: np.linalg.norm(a, 1, axis=(0, -1)),
    "matrix norm -inf": lambda a: np.linalg.norm(a, -np.inf, axis=(-2, -1)),
    "cond": np.linalg.cond, "cond -2": lambda a: np.linalg.cond(a, -2), "cond fro": lambda a: np.linalg.cond(a, "fro"),
    "power 0": lambda a: np.linalg.matrix_power(a, 0), "power 7": lambda a: np.linalg.matrix_power(a, 7),
    "power -3": lambda a: np.linalg.matrix_power(a, -3), "rank": np.linalg.matrix_rank,
    "solve": lambda a: np.linalg.solve(a, np.ones((1, 3, 2))), "solve stack": lambda a: np.linalg.solve(a, a @ a),
    "tensorsolve": lambda a: np.linalg.tensorsolve(np.reshape(a[:1], (3, 1, 3)), np.ones((3, 1))) if a.ndim > 2 else a,
    "tensorinv": lambda a: np.linalg.tensorinv(np.reshape(a[-1:], (3, 1, 3)) if a.ndim > 2 else a, 1),
}  # fmt: skip

NO_BATCH = {"rank", "tensorsolve", "tensorinv", "power 0", "norms 3.5", "norms inf", "norms nuc", "matrix norm 1"}
"""What has no gradient, one matrix alone, or goes along the axis of the batch."""


def drawn(*shape, kind="real", seed=3):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=shape)
    return a + 1j * rng.normal(size=shape) if kind == "complex" else a


def answers(result):
    return list(result) if isinstance(result, tuple | list) else [result]


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", CALLS)
def test_values_are_numpys(name, kind):
    """With and without a gradient, also where all operations are lazy."""
    a = drawn(4, 3, 3, kind=kind)
    expected = answers(CALLS[name](a))
    for x in (tensor(a), tensor(a, requires_grad=False)):
        found = answers(CALLS[name](x))
        assert len(found) == len(expected)
        for value, array in zip(found, expected, strict=True):
            numbers = value.detach().numpy() if isinstance(value, gradcli.Tensor) else value
            # NumPy 1 gives real condition numbers in the dtype of the matrix.
            assert numbers.dtype == (np.abs(array) if name == "cond fro" else np.asarray(array)).dtype
            if name not in EIGENVECTORS or array.ndim < 3:
                np.testing.assert_allclose(numbers, array, rtol=1e-11, atol=1e-11)
            else:
                np.testing.assert_allclose(np.abs(numbers), np.abs(array), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", [n for n in CALLS if n not in NO_BATCH])
def test_a_batch_is_its_matrices(name, kind, monkeypatch):
    """Gradients and second derivatives, too, and if every operation is lazy."""
    a, way = drawn(2, 3, 3, kind=kind), drawn(2, 3, 3, kind=kind, seed=9)

    def derivatives(x, way):
        # Moduli of vectors depend on no phase.
        total = sum(np.sum(np.abs(y) ** 2 * (1 + k)) for k, y in enumerate(answers(CALLS[name](x))))
        (first,) = grad(total, x, create_graph=True)
        (second,) = grad(np.sum(np.real(np.conj(first) * way)), x, allow_unused=True)
        return [first.detach().numpy(), np.zeros(x.shape) if second is None else second.numpy()]

    together = derivatives(tensor(a), way)
    alone = [derivatives(tensor(a[k : k + 1]), way[k : k + 1]) for k in range(2)]
    for which in (0, 1):
        parts = np.concatenate([single[which] for single in alone])
        np.testing.assert_allclose(together[which], parts, rtol=1e-9, atol=1e-9 * np.abs(parts).max())
    monkeypatch.setattr(values, "SMALL", 0)
    for found, expected in zip(derivatives(tensor(a), way), together, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())


def test_batches_broadcast():
    a, b = tensor(drawn(2, 1, 3, 3)), tensor(drawn(1, 4, 3, 2))
    x = np.linalg.solve(a, b)
    assert x.shape == (2, 4, 3, 2)
    ga, gb = grad(np.sum(x * x), [a, b])
    each_a, each_b = (
        tensor(np.tile(a.detach().numpy(), (1, 4, 1, 1))),
        tensor(np.tile(b.detach().numpy(), (2, 1, 1, 1))),
    )
    y = np.linalg.solve(each_a, each_b)
    ha, hb = grad(np.sum(y * y), [each_a, each_b])
    np.testing.assert_allclose(ga.numpy(), ha.numpy().sum(1, keepdims=True))
    np.testing.assert_allclose(gb.numpy(), hb.numpy().sum(0, keepdims=True))


def test_single_precision_stays():
    a = drawn(3, 3).astype(np.float32)
    for name, f in CALLS.items():
        if name in ("rank", "eig", "eigvals", "solve", "tensorsolve"):
            continue
        x = tensor(a)
        for y in answers(f(x)):
            assert y.dtype == np.float32, name
            (g,) = grad(np.sum(np.abs(y)), x, create_graph=True, materialize_grads=True)
            assert g.dtype == np.float32 and np.isfinite(g.detach().numpy()).all(), name


# Singular and degenerate matrices.


@pytest.mark.parametrize(("n", "rank"), [(2, 1), (3, 2), (3, 1), (4, 2), (6, 4), (3, 0), (8, 7)])
@pytest.mark.parametrize("kind", ["real", "complex"])
def test_determinants_of_singular_matrices(n, rank, kind):
    """Four derivatives along a line; the determinant is a polynomial there."""
    a = drawn(n, rank, kind=kind) @ drawn(rank, n, kind=kind, seed=4)
    way = drawn(n, n, kind=kind, seed=5)
    x = tensor(a)
    y = np.real(np.linalg.det(x))
    with mp.workdps(50):
        line = [mp.re(mp.det(mp.matrix(a.tolist()) + t * mp.matrix(way.tolist()))) for t in range(n + 1)]
        powers = mp.lu_solve(mp.matrix([[mp.mpf(t) ** k for k in range(n + 1)] for t in range(n + 1)]), mp.matrix(line))
    for order in range(1, 5):
        (g,) = grad(y, x, create_graph=True)
        y = np.sum(np.real(np.conj(g) * way))
        expected = float(mp.factorial(order) * powers[order]) if order <= n else 0.0
        assert y.item() == pytest.approx(expected, rel=1e-9, abs=1e-9 * n)


def test_a_singular_matrix_in_a_batch():
    x = tensor([[[1.0, 2.0], [2.0, 4.0]], [[3.0, 1.0], [1.0, 2.0]]])
    (g,) = grad(np.linalg.det(x).sum(), x, create_graph=True)
    np.testing.assert_allclose(g.detach().numpy(), [[[4, -2], [-2, 1]], [[2, -1], [-1, 3]]], atol=1e-14)
    (second,) = grad(g[:, 0, 0].sum(), x)
    np.testing.assert_allclose(second.numpy(), [[[0, 0], [0, 1]]] * 2, atol=1e-14)


def test_equal_values():
    """Values alone have a gradient, vectors have none: nan, as in PyTorch."""
    x = tensor(2 * np.eye(3))
    for f in (np.linalg.eigvalsh, np.linalg.eigvals, lambda x: np.linalg.svd(x, compute_uv=False)):
        (g,) = grad(f(x).sum(), x)
        np.testing.assert_allclose(g.numpy(), np.eye(3), atol=1e-15)
    (g,) = grad((np.linalg.eigh(x).eigenvectors * drawn(3, 3)).sum(), x)
    assert np.isnan(g.numpy()).any()


def test_norms_of_nothing():
    zero = tensor(np.zeros((2, 2)))
    for ord in (None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
        (g,) = grad(np.linalg.norm(zero, ord), zero)
        assert g.tolist() == [[0, 0], [0, 0]], ord
    vector = tensor([0.0, 0.0, 0.0])
    for ord in (0, 0.5, 1, 1.5, 2, 3, 7.5, np.inf):
        (g,) = grad(np.linalg.norm(vector, ord), vector, create_graph=True)
        assert g.tolist() == [0, 0, 0], ord
    part = tensor([0.0, 2.0])
    for ord in (0.5, 1, 1.5, 3):
        (g,) = grad(np.linalg.norm(part, ord), part, create_graph=True)
        np.testing.assert_allclose(g.detach().numpy(), [0, 1])
        assert np.isfinite(grad(g.sum(), part, allow_unused=True, materialize_grads=True)[0].numpy()).all()
    far = tensor([3e200, 4e200])
    assert np.linalg.norm(far, 3).item() == pytest.approx(91 ** (1 / 3) * 1e200, rel=1e-14)
    np.testing.assert_allclose(grad(np.linalg.norm(far, 3), far)[0].numpy(), np.array([9, 16]) / 91 ** (2 / 3))


def test_the_branch_not_taken_is_zero():
    x = tensor([[[1.0, 2.0], [2.0, 4.000001]], [[3.0, 1.0], [1.0, 2.0]]])
    inverse = np.linalg.inv(x)
    chosen = np.where(np.array([False, True])[:, None, None], inverse, 0.0)
    (g,) = grad(np.sum(chosen), x)
    assert not g.numpy()[0].any() and g.numpy()[1].all()
    logarithm = np.where(np.array([False, True]), np.linalg.slogdet(x).logabsdet, 0.0)
    (g,) = grad(np.sum(logarithm), x)
    assert not g.numpy()[0].any()
    np.testing.assert_allclose(g.numpy()[1], [[0.4, -0.2], [-0.2, 0.6]])


def test_a_condition_of_fewer_axes_behind_a_transpose():
    a = drawn(2, 3, 3)
    x = tensor(a)
    (g,) = grad(np.sum(np.tril(np.swapaxes(x * x, -1, -2))), x)
    np.testing.assert_allclose(g.numpy(), 2 * a * np.tri(3).T)


# The triangle that LAPACK reads.


@pytest.mark.parametrize("f", [np.linalg.cholesky, np.linalg.eigvalsh, lambda a: np.linalg.pinv(a, hermitian=True)])
def test_the_other_triangle_is_not_read(f):
    a = np.array([[4.0, np.nan], [1.0, 3.0]])
    x = tensor(a)
    (g,) = grad(np.sum(f(x)), x)
    assert g.numpy()[0, 1] == 0 and np.isfinite(g.numpy()).all()
    symmetric = tensor([[4.0, 1.0], [1.0, 3.0]])
    (whole,) = grad(np.sum(f((symmetric + symmetric.T) / 2)), symmetric)
    np.testing.assert_allclose(whole.numpy(), (g.numpy() + g.numpy().T) / 2)


def test_choices_of_lapack_have_no_gradient():
    z = tensor(drawn(3, 3, kind="complex"))
    weights = drawn(3, 3, kind="complex", seed=8)
    tall = tensor(drawn(4, 2))
    for loss in (
        np.sum(np.real(np.linalg.eigh(z).eigenvectors * weights)),
        np.sum(np.real(np.linalg.eig(z).eigenvectors * weights)),
        np.sum(np.real(np.linalg.svd(z)[0] * weights)),
    ):
        with pytest.raises(RuntimeError, match="the loss depends on the phase of complex"):
            grad(loss, z)
    for q in (np.linalg.svd(tall)[0], np.linalg.qr(tall, "complete")[0]):
        with pytest.raises(RuntimeError, match="which basis LAPACK added"):
            grad(np.sum(q * drawn(4, 4)), tall)


# Refusals.


@pytest.mark.parametrize(
    "call",
    [
        lambda x: np.linalg.inv(x[:2]),
        lambda x: np.linalg.inv(x[0]),
        lambda x: np.linalg.inv(x * 0),
        lambda x: np.linalg.solve(x * 0, x),
        lambda x: np.linalg.solve(x, np.ones(4)),
        lambda x: np.linalg.solve(x, np.ones((4, 1))),
        lambda x: np.linalg.solve(x, 1.0),
        lambda x: np.linalg.cholesky(-x @ x.T),
        lambda x: np.linalg.eigh(x, "M"),
        lambda x: np.linalg.eig(x * np.nan),
        lambda x: np.linalg.svd(x * np.nan),
        lambda x: np.linalg.qr(x, "raw"),
        lambda x: np.linalg.matrix_power(x, 1.5),
        lambda x: np.linalg.matrix_power(x * 0, -1),
        lambda x: np.linalg.multi_dot([x]),
        lambda x: np.linalg.multi_dot([x, x[0], x]),
        lambda x: np.linalg.multi_dot([x, x[:2]]),
        lambda x: np.linalg.norm(x, "taxicab"),
        lambda x: np.linalg.norm(x, 3),
        lambda x: np.linalg.norm(x[0], "nuc"),
        lambda x: np.linalg.norm(x, axis=(0, 0)),
        lambda x: np.linalg.norm(x[None], 2),
        lambda x: np.linalg.norm(x, axis=5),
        lambda x: np.linalg.cond(x[:0]),
        lambda x: np.linalg.lstsq(x, np.ones(4)),
        lambda x: np.linalg.lstsq(x * np.nan, np.ones(3)),
        lambda x: np.linalg.tensorsolve(x, np.ones((2, 2))),
        lambda x: np.linalg.tensorinv(x, 0),
        lambda x: np.linalg.tensorinv(x, 2),
        lambda x: grad(np.linalg.slogdet(x * 0 + 1).logabsdet, x),
        lambda x: x[0].mT,
        lambda x: (x * 0).inverse(),
        lambda x: x.pinverse("small"),
    ],
)
def test_what_does_not_fit_is_refused_at_once(call):
    with pytest.raises((ValueError, TypeError)) as caught:
        call(tensor(drawn(3, 3)))
    assert isinstance(caught.value, GradError)


def test_singular_matrices_are_linalg_errors():
    for lazy in (3, 200):
        with pytest.raises(np.linalg.LinAlgError, match=r"np\.linalg\.inv: singular matrix") as caught:
            np.linalg.inv(tensor(np.ones((lazy, lazy))))
        assert isinstance(caught.value, GradError) and isinstance(caught.value, ValueError)
    with pytest.raises(np.linalg.LinAlgError, match="takes too much"):
        x = tensor(np.zeros((200, 200)))
        (g,) = grad(np.linalg.det(x), x, create_graph=True)
        grad(g[0, 0], x)


def test_a_logarithm_of_a_singular_determinant():
    sign, logarithm = np.linalg.slogdet(tensor([[1.0, 2.0], [2.0, 4.0]]))
    assert (sign.item(), logarithm.item()) == (0, -np.inf)
    assert np.isnan(tensor([[0.0, 1.0], [1.0, 0.0]]).logdet().item())
    z = tensor([[1j, 0], [0, -2.0]])
    assert z.logdet().item() == pytest.approx(np.log(-2j))
    np.testing.assert_allclose(grad(np.real(z.logdet()), z)[0].numpy(), [[1j, 0], [0, -0.5]], atol=1e-15)


def test_without_elements():
    x = tensor(np.zeros((0, 0)))
    assert np.linalg.det(x).item() == 1 and np.linalg.inv(x).shape == (0, 0)
    assert grad(np.linalg.det(x), x)[0].shape == (0, 0)
    batch = tensor(np.zeros((0, 3, 3)))
    for f in (np.linalg.inv, np.linalg.det, np.linalg.eigvalsh, np.linalg.cholesky):
        assert grad(np.sum(f(batch)), batch)[0].shape == (0, 3, 3)


def test_what_numpy_2_adds():
    x = tensor(drawn(2, 3, 4))
    a = x.detach().numpy()
    assert x.mT.shape == (2, 4, 3) and np.array_equal(tensor(1j * a).mH.detach().numpy(), -1j * np.swapaxes(a, -1, -2))
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":
        return
    for f in (
        lambda x: np.linalg.vector_norm(x, axis=(0, 2), keepdims=True, ord=3),
        lambda x: np.linalg.vector_norm(x, axis=1, ord=np.inf),
        np.linalg.vector_norm,
        lambda x: np.linalg.matrix_norm(x, ord="nuc", keepdims=True),
        np.linalg.matrix_norm,
        np.linalg.svdvals,
        np.linalg.matrix_transpose,
        lambda x: np.linalg.diagonal(x, offset=1),
        lambda x: np.linalg.trace(x, offset=-1),
        lambda x: np.linalg.matmul(x, x.mT),
        lambda x: np.linalg.vecdot(x, x, axis=1),
        lambda x: np.linalg.outer(x[0, 0], x[0, 1]),
    ):
        np.testing.assert_allclose(f(x).detach().numpy(), f(a), rtol=1e-13)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.__name__.rpartition(".")[2])
def test_examples_hold(file):
    names = {"np": np, "grad": grad, "tensor": tensor}
    said: list[str] = []
    tests = doctest.DocTestFinder().find(file, globs=names)
    results = [doctest.DocTestRunner(verbose=False).run(test, out=said.append) for test in tests]
    assert sum(result.attempted for result in results) > 0
    assert sum(result.failed for result in results) == 0, "".join(said)
