"""Sums of products in Einstein's notation on tensors: values, and derivatives of both orders, real and complex."""

import numpy as np
import pytest
from precise import agrees, way

from gradcli import GradError, grad, tensor
from gradcli.autograd import values

pytestmark = pytest.mark.quick

TEXTS = {
    "ij->ji": [(2, 3)],
    "ij": [(2, 3)],
    "ba": [(2, 3)],
    "ij->": [(2, 3)],
    "ij->j": [(2, 3)],
    "ii": [(3, 3)],
    "ii->i": [(3, 3)],
    "iij->ji": [(2, 2, 3)],
    "iji->j": [(2, 3, 2)],
    "iijj->ij": [(2, 2, 3, 3)],
    "...ii->...i": [(2, 3, 3)],
    "i,i": [(3,), (3,)],
    "i,j": [(2,), (3,)],
    "j,i": [(2,), (3,)],
    "i,i->i": [(3,), (3,)],
    "ij,jk->ik": [(2, 3), (3, 4)],
    "ij,jk": [(2, 3), (3, 4)],
    "ij,kj->ki": [(2, 3), (4, 3)],
    "bij,bjk->bik": [(2, 2, 3), (2, 3, 2)],
    "bij,bjk->kbi": [(2, 2, 3), (2, 3, 2)],
    "ijk,lji->lki": [(2, 3, 2), (4, 3, 2)],
    "ij,ij->": [(2, 3), (2, 3)],
    "ij,k": [(2, 3), (2,)],
    "ij,k->": [(2, 3), (2,)],
    "ij,kl->jl": [(2, 3), (2, 2)],
    "...ij,...jk->...ik": [(2, 3), (2, 3, 2)],
    "i...,j...->ij...": [(2, 3), (2, 2, 3)],
    "j...k,lj...->lk...": [(2, 2), (3, 2, 2)],
    "...,...": [(2, 3), (3,)],
    "a...b,...b": [(2, 3, 2), (2,)],
    "ij,ij->ij": [(1, 3), (2, 3)],
    "ij,jk->k": [(2, 1), (3, 2)],
    "i,i->": [(1,), (3,)],
    ",ij": [(), (2, 3)],
    ",": [(), ()],
    "i,ij,j": [(2,), (2, 3), (3,)],
    "ij,jk,kl->il": [(2, 3), (3, 2), (2, 2)],
    "ijk,lji,lli->lki": [(2, 2, 3), (3, 2, 2), (3, 3, 2)],
    "i,i,i->i": [(3,), (3,), (3,)],
    "ij,jk,ki": [(2, 3), (3, 2), (2, 2)],
    "i,ij,ik,il->jkl": [(2,), (2, 2), (2, 1), (2, 3)],
}


@pytest.mark.parametrize("kind", [float, complex])
@pytest.mark.parametrize("text", TEXTS)
def test_einsum(text, kind):
    rng = np.random.default_rng(len(text))
    agrees(lambda m, *xs: m.einsum(text, *xs), [way(rng, np.zeros(shape, kind)) for shape in TEXTS[text]])


def test_real_and_complex_operands():
    rng = np.random.default_rng(2)
    pair = [way(rng, np.zeros((2, 3))), way(rng, np.zeros((3, 2), complex))]
    agrees(lambda m, *xs: m.einsum("ij,jk->ik", *xs), pair)
    single = tensor(np.float32([[1, 2], [3, 4]]))
    y = np.einsum("ij,j->i", single, single[0])
    assert y.dtype == np.float32 and grad(y.sum(), single)[0].dtype == np.float32
    assert np.einsum("i,i", tensor([True, False]), [2.0, 3.0]).item() == 2


@pytest.mark.parametrize(
    "f",
    [
        lambda m, a, b: m.einsum(a, [0, 1], b, [1, 2], [2, 0]),
        lambda m, a, b: m.einsum(a, (0, 1), b, (1, 2)),
        lambda m, a, b: m.einsum(a, [7, 1], b, [1, 3]),
        lambda m, a, b: m.einsum(a, [..., 1], b, [1, 2], [2, ...]),
        lambda m, a, b: m.einsum(b, [2, 0], a, [0, 2]),
    ],
)
def test_lists_of_axes(f):
    rng = np.random.default_rng(3)
    agrees(f, [way(rng, np.zeros((2, 3))), way(rng, np.zeros((3, 2)))])


PATHS = [
    True,
    False,
    "greedy",
    "optimal",
    ("greedy", 1000),
    ["einsum_path", (1, 2), (0, 1)],
    ["einsum_path", (0, 1, 2)],
]


@pytest.mark.parametrize("optimize", PATHS, ids=str)
def test_every_path_gives_the_same(optimize):
    rng = np.random.default_rng(4)
    a, b, c = (way(rng, np.zeros(shape)) for shape in ((2, 3), (3, 4), (4, 2)))
    for text in ("ij,jk,kl->il", "ij,jk,ki", "ij,jk,kl->ijkl"):
        found = np.einsum(text, tensor(a), b, c, optimize=optimize)
        np.testing.assert_allclose(found.detach().numpy(), np.einsum(text, a, b, c), rtol=1e-13, atol=1e-13)


def test_many_operands_and_subscripts():
    xs = [tensor(np.full((1, 2), k + 1.0)) for k in range(60)]
    operands = [item for k, x in enumerate(xs) for item in (x, [k, 100])]
    y = np.einsum(*operands, [100])
    expected = np.prod(np.arange(1.0, 61))
    np.testing.assert_allclose(y.detach().numpy(), [expected] * 2, rtol=1e-13)
    np.testing.assert_allclose(grad(y.sum(), xs[1])[0].numpy(), [[expected / 2] * 2], rtol=1e-13)


def test_large_operands(monkeypatch):
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(50, 40, 30)), rng.normal(size=(40, 30, 50))
    expected = np.einsum("ijk,jki->i", a, b)
    for small in (0, values.SMALL):
        monkeypatch.setattr(values, "SMALL", small)
        x = tensor(a)
        y = np.einsum("ijk,jki->i", x, b)
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-11)
        np.testing.assert_allclose(grad(y.sum(), x)[0].numpy(), b.transpose(2, 0, 1), rtol=1e-14)


def test_nothing_leaks_and_no_elements():
    x = tensor([0.0, 0.0])
    y = np.einsum("i,j->ij", np.sqrt(x), np.ones(2))
    assert grad(np.where(np.zeros((2, 2), bool), y, 0.0).sum(), x)[0].tolist() == [0, 0]
    square = np.where(False, np.einsum("ii", np.sqrt(tensor(np.zeros((2, 2))) * x)), 0.0)
    assert grad(square, x)[0].tolist() == [0, 0]
    empty = tensor(np.zeros((0, 2)))
    y = np.einsum("ij,ik->jk", empty, empty)
    assert y.tolist() == [[0, 0], [0, 0]] and grad(y.sum(), empty)[0].shape == (0, 2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("ij,jk", "x"),
        ("ij", "x", "x"),
        ("ijk", "x"),
        ("i", "x"),
        ("i1", "x"),
        ("i->i->j", "x"),
        ("ij->k", "x"),
        ("ij->ii", "x"),
        ("ii", "x"),
        ("iji", np.ones((1, 2, 3)), "x"),
        ("ij,ij", "x", np.ones((3, 3))),
        ("......", "x"),
        ("...j->j", "x"),
        ("i.j", "x"),
        ("x", [0]),
        ("x", [0, -1]),
        ("x", [0, 1.5]),
        ("x", [..., ...]),
        ("x", 3),
        ("x", [0, 1], [2]),
        ("ij", "no array"),
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused(arguments):
    x = tensor(np.ones((2, 3)))
    with pytest.raises((ValueError, TypeError)) as caught:
        np.einsum(*[x if isinstance(a, str) and a == "x" else a for a in arguments])
    if any(isinstance(a, str) and a == "x" for a in arguments):
        assert isinstance(caught.value, GradError), caught.value


@pytest.mark.parametrize("optimize", ["best", ["einsum_path", (0, 5), (0, 1)], 3.5, ["einsum_path", (0, 0), (0, 1)]])
def test_paths_that_are_none(optimize):
    x = tensor(np.ones((2, 2)))
    with pytest.raises(ValueError) as caught:
        np.einsum("ij,jk,kl", x, x, x, optimize=optimize)
    assert isinstance(caught.value, GradError)
