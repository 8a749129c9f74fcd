"""Three derivatives of NumPy's linear algebra on tensors, against differences of mpmath with 50 digits."""

import mpmath as mp
import numpy as np
import pytest

from gradcli import grad, tensor

pytestmark = pytest.mark.quick

DIGITS, STEP = 50, mp.mpf(10) ** -10
"""The error of a central difference with this step is about 1e-20."""


def drawn(shape, kind, seed):
    rng = np.random.default_rng(seed)
    a = rng.normal(size=shape)
    return a + 1j * rng.normal(size=shape) if kind == "complex" else a


def matrix(a):
    return mp.matrix(np.asarray(a).tolist())


def column(v):
    return mp.matrix([[x] for x in v])


def entries(*answers):
    """The elements of matrices and numbers in C order."""
    return [x for a in answers for x in (list(a) if isinstance(a, (mp.matrix, list, tuple)) else [a])]


def scaled(v, c, w):
    """V diag(c) W."""
    return v * mp.diag(list(c[: v.cols])) * w


def lower(a):
    """The Hermitian matrix with the lower triangle of ``a``."""
    b = a.copy()
    for i in range(a.rows):
        b[i, i] = mp.re(a[i, i])
        for j in range(i):
            b[j, i] = mp.conj(a[i, j])
    return b


def gram_schmidt(a):
    """Q and R with a positive diagonal."""
    q, r = a.copy(), mp.zeros(a.cols)
    for j in range(a.cols):
        v = a[:, j]
        for i in range(j):
            r[i, j] = (q[:, i].H * a[:, j])[0]
            v -= q[:, i] * r[i, j]
        r[j, j] = mp.norm(v)
        q[:, j] = v / r[j, j]
    return q, r


def mp_svd(a):
    u, s, vh = mp.svd_c(a.apply(mp.mpc))
    return u, s, vh


def mp_eig(a):
    w, v = mp.eig(a.apply(mp.mpc))
    # Conjugate pairs have one real part but for rounding.
    order = sorted(range(len(w)), key=lambda k: (round(float(mp.re(w[k])), 6), mp.im(w[k])))
    columns = [v[:, k] / mp.norm(v[:, k]) for k in order]
    return [w[k] for k in order], mp.matrix([[c[i] for c in columns] for i in range(a.rows)])


def np_eig(a):
    w, v = np.linalg.eig(a)
    values = w.detach().numpy()
    order = np.lexsort((values.imag, np.round(values.real, 6)))
    return w[order], v[:, order]


def np_exponential(a):
    w, v = np.linalg.eig(a)
    return v * np.exp(w) @ np.linalg.inv(v)


def weighted(w, *answers):
    """The real part of the weighted sum of all elements: a loss that tells every element from the others."""
    total, k = 0.0, 0
    for a in answers:
        total = total + np.sum(np.real(np.reshape(a, -1) * w[k : k + a.size]))
        k += a.size
    return total


C = np.array([1.0, -0.5, 2.0, 0.75, 1.5])
"""Weights of eigenvectors and singular vectors, as in V diag(C) V^H: what depends on no phase."""


def np_eigh(a, **options):
    w, v = np.linalg.eigh(a, **options)
    return w, v * C[: w.size] @ v.mH


def mp_eigh(a):
    w, v = mp.eighe(lower(a))
    return entries(w, scaled(v, C, v.H))


def np_svd(a, **options):
    u, s, vh = np.linalg.svd(a, **options)
    k = s.size
    p, q = u[:, :k], vh[:k]
    answers = [s, p * C[:k] @ q, p * C[:k] @ p.mH, q.mH * C[:k] @ q]
    for more in (u[:, k:], vh[k:].mH):
        if more.size:
            answers.append(more @ more.mH)
    return answers


def mp_svds(a, complements=False):
    u, s, vh = mp_svd(a)
    answers = [s, scaled(u, C, vh), scaled(u, C, u.H), scaled(vh.H, C, vh)]
    if complements and a.rows > a.cols:
        answers.append(mp.eye(a.rows) - u * u.H)
    if complements and a.cols > a.rows:
        answers.append(mp.eye(a.cols) - vh.H * vh)
    return entries(*answers)


def np_qr(a, mode="reduced"):
    q, r = np.linalg.qr(a, mode)
    k = min(a.shape)
    sign = np.sign(np.real(np.diagonal(r.detach().numpy())))
    answers = [q[:, :k] * sign, r[:k] * sign[:, None]]
    return [*answers, q[:, k:] @ q[:, k:].mH, r[k:]] if mode == "complete" and a.shape[0] > k else answers


def mp_qr(a, complete=False):
    k = min(a.rows, a.cols)
    q, r = gram_schmidt(a[:, :k])
    if a.cols > k:
        r = mp.matrix([[*r[i, :], *(q.H * a[:, k:])[i, :]] for i in range(k)])
    more = [mp.eye(a.rows) - q * q.H, mp.zeros(a.rows - k, a.cols)] if complete and a.rows > k else []
    return entries(q, r, *more)


def mp_norm(order):
    """The norm of a vector."""
    return lambda a: [mp.norm([abs(x) for x in a], order)]


def sums(a, rows):
    """The sums of the sizes along the rows or columns."""
    return [mp.fsum(abs(x) for x in (a[i, :] if rows else a[:, i])) for i in range(a.rows if rows else a.cols)]


def mp_pinv(a):
    return (a.H * a) ** -1 * a.H if a.rows >= a.cols else a.H * (a * a.H) ** -1


def mp_low_rank(b, c):
    return mp_pinv(c) * mp_pinv(b)


def mp_lstsq(a, b):
    x = mp_pinv(a) * b
    difference = b - a * x
    return entries(x, [mp.fsum(abs(d) ** 2 for d in difference[:, j]) for j in range(b.cols)], mp_svd(a)[1])


def np_lstsq(a, b):
    x, residuals, _, s = np.linalg.lstsq(a, b, rcond=None)
    return x, residuals, s


def determinant(a):
    d = mp.det(a)
    return [d / abs(d), mp.log(abs(d))]


def one(f):
    """A function of one answer, as one that returns a tuple."""
    return lambda *args: (f(*args),)


def positive(a):
    """A Hermitian positive definite matrix of any matrix."""
    return a @ a.mH + np.eye(a.shape[-1])


def mp_positive(a):
    return a * a.H + mp.eye(a.rows)


def ordered(ord):
    return one(lambda a: np.linalg.norm(a, ord))


SQUARE, TALL, WIDE = [(3, 3)], [(4, 3)], [(2, 4)]
CASES = {
    "inv": (one(np.linalg.inv), lambda a: entries(a**-1), SQUARE),
    "solve vector": (one(np.linalg.solve), lambda a, b: entries(a**-1 * b), [(3, 3), (3,)]),
    "solve matrix": (one(np.linalg.solve), lambda a, b: entries(a**-1 * b), [(3, 3), (3, 2)]),
    "tensorsolve": (
        one(lambda a, b: np.linalg.tensorsolve(a.reshape(2, 2, 4), b.reshape(2, 2))),
        lambda a, b: entries(a**-1 * b), [(4, 4), (4,)],
    ),
    "tensorinv": (one(lambda a: np.linalg.tensorinv(a.reshape(4, 2, 2), 1)), lambda a: entries(a**-1), [(4, 4)]),
    "det": (one(np.linalg.det), lambda a: [mp.det(a)], SQUARE),
    "det of four": (one(np.linalg.det), lambda a: [mp.det(a)], [(4, 4)]),
    "slogdet": (np.linalg.slogdet, determinant, SQUARE),
    "logdet": (one(lambda a: positive(a).logdet()), lambda a: [mp.log(mp.det(mp_positive(a)))], SQUARE),
    "cholesky": (
        one(lambda a: np.linalg.cholesky(positive(a))), lambda a: entries(mp.cholesky(mp_positive(a))), SQUARE,
    ),
    "cholesky of a triangle": (
        one(lambda a: np.linalg.cholesky(a + 5 * np.eye(3))), lambda a: entries(mp.cholesky(lower(a + 5 * mp.eye(3)))),
        SQUARE,
    ),
    "cholesky upper": (
        one(lambda a: (a + 5 * np.eye(3)).cholesky(upper=True)),
        lambda a: entries(mp.cholesky(lower(a.H + 5 * mp.eye(3))).H), SQUARE,
    ),
    "qr square": (np_qr, mp_qr, SQUARE),
    "qr tall": (np_qr, mp_qr, TALL),
    "qr wide": (np_qr, mp_qr, WIDE),
    "qr complete": (lambda a: np_qr(a, "complete"), lambda a: mp_qr(a, True), [(4, 2)]),
    "eigh": (np_eigh, mp_eigh, SQUARE),
    "eigh upper": (lambda a: np_eigh(a, UPLO="U"), lambda a: mp_eigh(a.H), SQUARE),
    "eigvalsh": (one(np.linalg.eigvalsh), lambda a: list(mp.eighe(lower(a))[0]), SQUARE),
    "eig": (
        lambda a: [f(x) for f, x in zip((np.positive, np.abs), np_eig(a), strict=True)],
        lambda a: [f(x) for f, part in zip((mp.mpc, abs), mp_eig(a), strict=True) for x in part], SQUARE,
    ),
    "eig, a function of the matrix": (
        one(np_exponential), lambda a: entries(mp.expm(a)), SQUARE,
    ),
    "eigvals": (
        one(lambda a: np.linalg.eigvals(a) ** 3 + 0j), lambda a: [mp.fsum(w**3 for w in mp_eig(a)[0])], SQUARE,
    ),
    "svd square": (np_svd, mp_svds, SQUARE),
    "svd tall": (lambda a: np_svd(a, full_matrices=False), mp_svds, TALL),
    "svd wide": (lambda a: np_svd(a, full_matrices=False), mp_svds, WIDE),
    "svd full, tall": (np_svd, lambda a: mp_svds(a, True), [(4, 2)]),
    "svd full, wide": (np_svd, lambda a: mp_svds(a, True), WIDE),
    "svd of a triangle": (lambda a: np_svd(a, hermitian=True), lambda a: mp_svds(lower(a)), SQUARE),
    "svd values": (one(lambda a: np.linalg.svd(a, compute_uv=False)), lambda a: list(mp_svd(a)[1]), TALL),
    "pinv tall": (one(np.linalg.pinv), lambda a: entries(mp_pinv(a)), TALL),
    "pinv wide": (one(np.linalg.pinv), lambda a: entries(mp_pinv(a)), WIDE),
    "pinv of rank two": (one(lambda b, c: np.linalg.pinv(b @ c)), lambda b, c: entries(mp_low_rank(b, c)),
                         [(3, 2), (2, 4)]),
    "pinv of a triangle": (
        one(lambda a: np.linalg.pinv(a, hermitian=True)), lambda a: entries(lower(a) ** -1), SQUARE,
    ),
    "lstsq": (np_lstsq, mp_lstsq, [(4, 3), (4, 2)]),
    "norm": (one(np.linalg.norm), mp_norm(2), TALL),
    "norm 1": (ordered(1), mp_norm(1), [(4,)]),
    "norm 3": (ordered(3), mp_norm(3), [(4,)]),
    "norm 2.5": (ordered(2.5), lambda a: [mp.fsum(abs(x) ** 2.5 for x in a) ** (1 / mp.mpf(2.5))], [(4,)]),
    "norm -2": (ordered(-2), lambda a: [mp.fsum(abs(x) ** -2 for x in a) ** mp.mpf(-0.5)], [(4,)]),
    "norm inf": (ordered(np.inf), mp_norm(mp.inf), [(4,)]),
    "norm -inf": (ordered(-np.inf), lambda a: [min(abs(x) for x in a)], [(4,)]),
    "matrix norm 1": (ordered(1), lambda a: [max(sums(a, False))], TALL),
    "matrix norm -1": (ordered(-1), lambda a: [min(sums(a, False))], TALL),
    "matrix norm inf": (ordered(np.inf), lambda a: [max(sums(a, True))], TALL),
    "matrix norm -inf": (ordered(-np.inf), lambda a: [min(sums(a, True))], TALL),
    "matrix norm 2": (ordered(2), lambda a: [mp_svd(a)[1][0]], TALL),
    "matrix norm -2": (ordered(-2), lambda a: [mp_svd(a)[1][2]], TALL),
    "matrix norm nuc": (ordered("nuc"), lambda a: [mp.fsum(mp_svd(a)[1])], WIDE),
    "cond": (one(np.linalg.cond), lambda a: [mp_svd(a)[1][0] / mp_svd(a)[1][2]], TALL),
    "cond 1": (one(lambda a: np.linalg.cond(a, 1)), lambda a: [max(sums(a, False)) * max(sums(a**-1, False))], SQUARE),
    "power 5": (one(lambda a: np.linalg.matrix_power(a, 5)), lambda a: entries(a**5), SQUARE),
    "power -2": (one(lambda a: np.linalg.matrix_power(a, -2)), lambda a: entries(a**-2), SQUARE),
    "multi_dot": (
        one(lambda a, b, c, d: np.linalg.multi_dot([a, b, c, d])), lambda a, b, c, d: entries(a.T * b * c * d),
        [(3,), (3, 4), (4, 2), (2, 3)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", ["real", "complex"])
@pytest.mark.parametrize("name", CASES)
def test_three_derivatives(name, kind):
    f, true, shapes = CASES[name]
    points = [drawn(shape, kind, 11 + k) for k, shape in enumerate(shapes)]
    weights = drawn(200, "complex", 5)
    if name == "eigvals":
        weights = np.ones(200)
    xs = [tensor(p) for p in points]
    y = weighted(weights, *f(*xs))
    assert [g.dtype for g in grad(y, xs, retain_graph=True)] == [x.dtype for x in xs]
    for seed in (21, 22):
        ways = [drawn(shape, kind, seed + k) for k, shape in enumerate(shapes)]
        slope = along(y, xs, ways)
        curvature = along(slope, xs, ways)
        third = along(curvature, xs, ways)
        with mp.workdps(DIGITS):
            a, b, c, d, e = [moved(true, weights, points, ways, t * STEP) for t in (-2, -1, 0, 1, 2)]
            d1, d2, d3 = (d - b) / (2 * STEP), (d - 2 * c + b) / STEP**2, (e - 2 * d + 2 * b - a) / (2 * STEP**3)
        assert y.item() == pytest.approx(float(c), rel=1e-12)
        assert slope.item() == pytest.approx(float(d1), rel=1e-10, abs=1e-12)
        assert curvature.item() == pytest.approx(float(d2), rel=1e-8, abs=1e-10)
        assert third.item() == pytest.approx(float(d3), rel=1e-7, abs=1e-8)


def along(y, xs, ways):
    """The derivative of a real y along the ways, which can be differentiated again; 0 of a constant."""
    if not y.requires_grad:
        return tensor(0.0)
    gradients = grad(y, xs, create_graph=True)
    return sum((np.sum(np.real(np.conj(g) * d)) for g, d in zip(gradients, ways, strict=True)), start=0.0)


def moved(true, weights, points, ways, step):
    """The loss at the points moved by a step along the ways, to 50 digits."""
    parts = []
    for p, d in zip(points, ways, strict=True):
        make = column if p.ndim == 1 else matrix
        parts.append(make(p) + step * make(d))
    return mp.fsum(mp.re(mp.mpmathify(w) * y) for w, y in zip(weights.tolist(), true(*parts), strict=False))
