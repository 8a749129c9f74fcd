"""torch.autograd.grad, row by row: what it returns, refuses and in which order, as gradcli's ``grad`` does."""

import gc
import threading
import warnings
import weakref

import numpy as np
import pytest

import gradcli
from gradcli import GradError, grad, tensor


def leaf(*shape, name=None):
    return tensor(np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape), name=name)


def ones(shape):
    return tensor(np.ones(shape), requires_grad=False)


def equal(found, expected):
    np.testing.assert_array_equal(found.detach().numpy(), expected)
    return True


def refused(kind, words, *args, **options):
    with pytest.raises(kind, match=words) as caught:
        grad(*args, **options)
    assert isinstance(caught.value, GradError)
    return str(caught.value)


def test_the_example_that_started_it():
    x = tensor(np.zeros((3, 4)))
    for i in range(3):
        for j in range(4):
            x[i][j] = i + j
    y = x**2
    weight = ones(y.shape)
    (first,) = grad(y, x, weight, create_graph=True)
    assert equal(first, [[0, 2, 4, 6], [2, 4, 6, 8], [4, 6, 8, 10]])
    (second,) = grad(first, x, weight, create_graph=True)
    assert equal(second, np.full((3, 4), 2.0))
    (third,) = grad(second, x, weight)
    assert equal(third, np.zeros((3, 4)))


def test_a_vector_jacobian_product_and_not_a_derivative_of_each_element():
    x = leaf(3)
    assert equal(grad(np.cumsum(x), x, ones(3))[0], [3, 2, 1])


# The call, in the order in which its conditions are looked at.


def test_1_materialize_without_unused():
    x = leaf(2)
    words = r"Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False\."
    refused(ValueError, words, x, (), allow_unused=False, materialize_grads=True)


def test_2_unused_follows_materialize():
    x, z = leaf(2), leaf(3)
    assert equal(grad(x.sum(), z, materialize_grads=True)[0], np.zeros(3))


@pytest.mark.parametrize("inputs", [(), [], {}])
def test_3_no_inputs(inputs):
    refused(RuntimeError, r"`inputs` argument to `grad\(\)` cannot be empty\.", (), inputs)


def test_4_no_outputs():
    refused(RuntimeError, "The differentiated Tensor at index 0 appears to not have been used", (), leaf(2))


def test_5_only_inputs_is_told_and_ignored():
    x = leaf(2)
    with pytest.warns(FutureWarning, match="only_inputs argument is deprecated and is ignored now"):
        assert equal(grad((x * x).sum(), x, only_inputs=False)[0], [2, 4])


def test_6_grad_outputs_as_one_several_or_none():
    x = leaf(2)
    assert equal(grad(x * x, x, ones(2), retain_graph=True)[0], [2, 4])
    assert equal(grad((x * x, x.sum()), x, (ones(2), None))[0], [3, 5])
    assert equal(grad([x * x], [x], iter([ones(2)]))[0], [2, 4])
    refused(TypeError, "'object' object is not iterable", x.sum(), x, object())


@pytest.mark.parametrize(("given", "kind"), [("a", "str"), ({}, "dict"), (np.array(["a", "b"]), "ndarray")])
def test_7_grad_outputs_that_are_no_tensors(given, kind):
    x = leaf(2)
    said = refused(TypeError, f"gradients can be either Tensors or None, but got {kind}", x * x, x, [given])
    assert "grad_outputs[0]" in said


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_8_one_element_needs_no_grad_output(shape):
    x = tensor(np.full(shape, 3.0))
    assert equal(grad(x * x, x)[0], np.full(shape, 6.0))


@pytest.mark.parametrize("shape", [(2,), (0,), (2, 0), (1, 2)])
def test_9_more_or_fewer_do(shape):
    x = tensor(np.ones(shape), name="x")
    said = refused(RuntimeError, "grad can be implicitly created only for scalar outputs", x, x)
    assert "outputs[0], named 'x'" in said


def test_10_not_of_complex_outputs():
    z = tensor(1 + 2j)
    refused(RuntimeError, "implicitly created only for real scalar outputs but got complex128", z * z, z)


@pytest.mark.parametrize("shape", [(3,), (1, 4), (), (1,), (4, 3), (3, 4, 1)])
def test_11_grad_outputs_do_not_broadcast(shape):
    x = leaf(3, 4)
    words = r"Mismatch in shape: grad_output\[0\] has a shape of .* and output\[0\] has a shape of \(3, 4\)\."
    refused(RuntimeError, words, x * x, x, ones(shape))
    refused(RuntimeError, "Mismatch in shape", x.sum(), x, ones((1,)))


def test_12_complex_against_real():
    x, z = leaf(2), tensor([1j, 2.0])
    words = "both grad_output and output are required to have the same dtype. Mismatch in dtype"
    refused(RuntimeError, words, x * x, x, tensor([1j, 1j]))
    refused(RuntimeError, words, z * z, z, ones(2))


def test_13_other_real_dtypes_are_taken():
    x = leaf(2)
    for dtype in (np.float32, np.int64):
        (found,) = grad(x * x, x, tensor(np.ones(2, dtype)))
        assert found.dtype == np.float64 and equal(found, [2, 4])


def test_14_fewer_grad_outputs_and_the_deliberate_difference():
    x = leaf(2)
    refused(RuntimeError, "got 2 tensors and 1 gradients", (x * 2, x * 3), x, (ones(2),))
    refused(RuntimeError, "got 1 tensors and 2 gradients", x * 2, x, (ones(2), ones(2)))


def test_15_outputs_without_a_graph():
    x = leaf(2)
    for y in (ones(2), (x * x).detach(), tensor([1.0, 2.0], requires_grad=False) * 2):
        words = "element 1 of tensors does not require grad and does not have a grad_fn"
        refused(RuntimeError, words, (x * x, y), x, (ones(2), ones(2)))
    refused(RuntimeError, "element 0 of tensors", x > 1, x)
    constant = tensor(1.0, requires_grad=False, name="c")
    assert "outputs[0], named 'c'" in refused(RuntimeError, "element 0", constant, x)


def test_16_inputs_without_a_graph():
    x, c = leaf(2), tensor([1.0, 2.0], requires_grad=False, name="c")
    for allow in (True, False):
        said = refused(
            RuntimeError, "One of the differentiated Tensors does not require grad", (x * c).sum(), (x, c),
            allow_unused=allow,
        )  # fmt: skip
        assert "inputs[1], named 'c'" in said


def test_17_no_tensors_at_all():
    x = leaf(2)
    said = refused(RuntimeError, "all inputs have to be Tensors, but got float", x.sum(), {"a": x, "b": 1.0})
    assert "inputs['b']" in said
    refused(AssertionError, "Expected output to be a gradcli Tensor", [x.sum().detach().numpy()], x)


def test_18_to_20_unused():
    x, z = leaf(2), leaf(3, name="z")
    words = r"The differentiated Tensor at index 1 appears to not have been used in the graph\. Set allow_unused=True"
    said = refused(RuntimeError, words, x.sum(), (x, z))
    assert "inputs[1], named 'z'" in said
    g, none = grad(x.sum(), (x, z), allow_unused=True)
    assert equal(g, [1, 1]) and none is None
    for create in (False, True):
        _, zeros = grad(x.sum(), (x, z), materialize_grads=True, create_graph=create)
        assert equal(zeros, np.zeros(3)) and zeros.requires_grad is create


def test_21_to_23_second_passes():
    x = leaf(2)
    y = x * x
    grad(y, x, ones(2))
    words = r"Trying to backward through the graph a second time \(or directly access saved tensors after they have"
    refused(RuntimeError, words, y, x, ones(2))
    kept = x**2
    grad(kept, x, ones(2), retain_graph=True)
    assert equal(grad(kept, x, ones(2))[0], [2, 4])
    refused(RuntimeError, words, kept, x, ones(2))
    line = x + 2
    for _ in range(3):
        assert equal(grad(line, x, ones(2))[0], [1, 1])
    mixed = x**2 + x.sum()
    grad(mixed, x, ones(2))
    refused(RuntimeError, words, mixed, x, ones(2))


def test_24_create_graph_without_retaining():
    x = leaf(2)
    for power in (2, 3):
        (g,) = grad(x**power, x, ones(2), create_graph=True, retain_graph=False)
        assert equal(grad(g, x, ones(2))[0], [[2, 2], [6, 12]][power - 2])
    (g,) = grad(np.exp(x), x, ones(2), create_graph=True, retain_graph=False)
    refused(RuntimeError, "Trying to backward through the graph a second time", g, x, ones(2))


def test_25_and_26_what_requires_grad():
    x = leaf(2)
    (g,) = grad((x**3).sum(), x)
    assert g.requires_grad is False
    refused(RuntimeError, "element 0 of tensors does not require grad", g.sum(), x)
    (g,) = grad((x**3).sum(), x, create_graph=True)
    assert g.requires_grad is True


def test_27_and_28_the_same_twice():
    x = leaf(2)
    first, second = grad((x * x).sum(), (x, x))
    assert equal(first, [2, 4]) and equal(second, [2, 4])
    y = x * x
    assert equal(grad((y, y), x, (ones(2), ones(2) * 10))[0], [22, 44])
    shared = np.exp(x)
    assert equal(grad((shared, shared * 2), x, (ones(2), ones(2)))[0], 3 * np.exp([1.0, 2.0]))


def test_29_and_30_outputs_that_are_leaves():
    x, other = leaf(2), leaf(2)
    assert equal(grad(x, x, ones(2) * 5)[0], [5, 5])
    s = tensor(3.0)
    assert grad(s, s)[0].item() == 1
    refused(RuntimeError, "at index 0 appears to not have been used", x, other, ones(2))
    g, none = grad(x, (x, other), ones(2), allow_unused=True)
    assert equal(g, [1, 1]) and none is None


def test_31_and_32_intermediate_inputs():
    x = leaf(2)
    h = 2 * x
    y = h * h
    found_h, found_x = grad(y, (h, x), ones(2))
    assert equal(found_h, [4, 8]) and equal(found_x, [8, 16])
    z = tensor(3.0)
    up, down = z * z, z * z * z
    refused(RuntimeError, "not have been used", up, down)
    y1, y2 = np.sin(x), np.sin(x)
    assert equal(grad((y1 * y2).sum(), y1)[0], np.sin([1.0, 2.0]))


def test_33_assignment_until_first_use():
    x = leaf(2, 3, name="x")
    x[0, 1] = 10
    row = x[1]
    row[2] = -1
    assert equal(x, [[1, 10, 3], [4, 5, -1]])
    y = x * x
    words = "one of the variables needed for gradient computation has been modified by an inplace operation.*'x'"
    for target in (x, row, x[0], x.T):
        with pytest.raises(RuntimeError, match=words.replace(".*'x'", "")) as caught:
            target[0] = 5
        assert isinstance(caught.value, GradError)
    with pytest.raises(RuntimeError, match=words):
        x[0] = 5
    assert equal(grad(y, x, ones((2, 3)))[0], [[2, 20, 6], [8, 10, -2]])
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y[0] = 1


def test_33_a_single_number_and_masks():
    s = tensor(1.0)
    s[()] = 4.0
    assert grad(s * s, s)[0].item() == 8
    x = leaf(4)
    x[x.detach().numpy() > 2] = 0
    x[[0, 1]] = [7, 8]
    assert equal(x, [7, 8, 0, 0])
    with pytest.raises(IndexError):
        x[9] = 1
    with pytest.raises(ValueError, match="cannot assign"):
        x[:] = [1.0, 2.0]


def test_34_batched():
    x = leaf(3, 4)
    y = (x * x).sum(axis=0)
    (found,) = grad(y, x, tensor(np.eye(4), requires_grad=False), is_grads_batched=True)
    assert found.shape == (4, 3, 4)
    assert equal(found, [[[2 * x[i, j].item() * (j == b) for j in range(4)] for i in range(3)] for b in range(4)])
    words = "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension"
    refused(RuntimeError, words, x.sum(axis=0), x, ones((4, 3)), is_grads_batched=True)
    refused(RuntimeError, words, x.sum(axis=0), x, ones(4), is_grads_batched=True)
    (second,) = grad(x**3, x, ones((2, 3, 4)), is_grads_batched=True, create_graph=True)
    assert equal(grad(second.sum(), x)[0], 12 * x.detach().numpy())


def test_35_double_vjp_is_a_jvp():
    x, u, v = leaf(3), tensor([1.0, -1.0, 2.0], requires_grad=False), leaf(3)
    (g,) = grad(x**2, x, v, create_graph=True)
    assert equal(grad(g, v, u)[0], 2 * x.detach().numpy() * u.detach().numpy())


@pytest.mark.parametrize("f", [lambda x: x * 0 + 1, lambda x: x**0, np.floor, np.sign, np.ceil, np.round])
def test_36_constant_but_connected(f):
    x = leaf(3)
    assert equal(grad(f(x), x, ones(3))[0], np.zeros(3))


def test_37_nan_and_inf_are_numbers():
    x = tensor([0.0, 4.0])
    (g,) = grad(np.sqrt(x), x, tensor([0.0, np.inf]))
    assert np.isnan(g.detach().numpy()[0]) and g.detach().numpy()[1] == np.inf


def test_38_empty():
    x = tensor(np.zeros((0, 3)))
    assert grad((x * x).sum(), x)[0].shape == (0, 3)


@pytest.mark.parametrize("step", [lambda y, x: y * 1.0, lambda y, x: y + x, lambda y, x: np.sin(y)])
def test_39_a_deep_graph(step):
    x = tensor(1.0)
    y = x
    for _ in range(150_000):
        y = step(y, x)
    (g,) = grad(y, x)
    assert np.isfinite(g.item()) and g.item() != 0
    del y


def test_39_a_deep_graph_of_arrays_nobody_asks_for():
    x = tensor(np.linspace(0, 1, 40_000))
    y = x
    for _ in range(5_000):
        y = y * 1.0 + 0.0
    assert equal(grad(y.sum(), x)[0], np.ones(40_000))
    deep = x
    for _ in range(150_000):
        deep = deep + x
    del deep


# What torch's own tests say of it.


def test_a_gradient_of_gradients():
    x, y = leaf(2, 2), leaf(2, 2)
    z = x**2 + y * x + y**2
    gx, gy = grad(z.sum(), (x, y), create_graph=True)
    p, q = x.detach().numpy(), y.detach().numpy()
    assert equal(gx, 2 * p + q) and equal(gy, p + 2 * q)
    (found,) = grad((2 * gx + gy).sum(), x)
    assert equal(found, np.full((2, 2), 5.0))


def test_ascent_on_an_intermediate_tensor():
    a, b = leaf(2), leaf(2)
    x = a * b
    before = -np.inf
    for _ in range(5):
        value = (x**2 + x * 3).sum()
        assert value.item() > before
        before = value.item()
        (g,) = grad(value, x)
        x = x + 0.05 * g


def test_zeros_in_the_place_of_unused_gradients():
    x, a = tensor(0.5), tensor(1.0)
    (d1,) = grad(x * a, x, create_graph=True)
    assert grad(d1, x, create_graph=True, allow_unused=True) == (None,)
    (d2,) = grad(d1, x, create_graph=True, allow_unused=True, materialize_grads=True)
    assert d2.item() == 0 and d2.requires_grad
    assert grad(d2, x, materialize_grads=True)[0].item() == 0


def test_requires_grad_may_be_set_on_leaves():
    x = tensor([1.0, 2.0], requires_grad=False)
    refused(RuntimeError, "does not require grad", (x * 2).sum(), x)
    x.requires_grad = True
    y = (x * x).sum()
    assert equal(grad(y, x)[0], [2, 4])
    with pytest.raises(RuntimeError, match="only change requires_grad flags of leaf"):
        y.requires_grad = False
    with pytest.raises(RuntimeError, match="floating point"):
        (x > 1).requires_grad_()
    assert x.requires_grad_(False).requires_grad is False


def test_only_the_way_to_the_inputs_is_walked():
    x, z = leaf(2), leaf(2)
    side = np.exp(z)
    grad(side, z, ones(2))
    # The side branch is freed, but no gradient that is asked for leads through it.
    assert equal(grad((x * x + side).sum(), x)[0], [2, 4])


def test_parts_as_inputs_two_steps_as_one():
    x = leaf(5)
    part = x[:3] * 2
    loss = (part**2).sum()
    (g,) = grad(loss, part, retain_graph=True)
    assert equal(grad(part, x, g, retain_graph=True)[0], grad(loss, x)[0].detach().numpy())


def test_expanded_cotangents():
    x = leaf(3, 4)
    one = np.broadcast_to(tensor(2.0, requires_grad=False), (3, 4))
    assert equal(grad(x * x, x, one)[0], 4 * x.detach().numpy())


def test_threads_do_not_share_what_they_accumulate():
    x = leaf(3)
    found = []

    def work():
        for _ in range(20):
            found.append(grad((x * x + 3.5 * x).sum(), x)[0].detach().numpy())

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 200
    for g in found:
        np.testing.assert_array_equal(g, 2 * x.detach().numpy() + 3.5)


def test_nothing_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x = tensor([0.0, -1.0, np.inf])
        grad((np.log(x) + np.sqrt(x) + 1 / x).sum(), x, create_graph=True)


# Complex numbers: the conjugate convention.


def test_complex_gradients():
    z = tensor(1 + 2j)
    one = tensor(1 + 0j)
    assert grad(z**2, z, one)[0].item() == 2 - 4j
    assert abs(grad(np.exp(z), z, one)[0].item() - np.conj(np.exp(1 + 2j))) < 1e-15
    w = tensor(3 + 4j)
    assert abs(grad(abs(w), w)[0].item() - (0.6 + 0.8j)) < 1e-15
    assert abs(grad(abs(w) ** 2, w)[0].item() - (6 + 8j)) < 1e-14
    assert grad(abs(tensor(0j)), tensor(0j), allow_unused=True) == (None,)
    zero = tensor(0j)
    assert grad(abs(zero), zero)[0].item() == 0
    x = tensor(2.0)
    assert grad(np.real(x * tensor(3 + 5j)), x)[0].item() == 3
    with pytest.raises(TypeError, match="erf is not defined for complex numbers"):
        gradcli.erf(z)
    with pytest.raises(TypeError, match="no order"):
        z > 1  # noqa: B015


# Memory.


def test_what_is_let_go_of_is_gone_at_once():
    gc.disable()
    try:
        x = leaf(50_000)
        h = np.exp(x / 1e5)
        y = (h * h).sum()
        intermediate, value = weakref.ref(h), h.value
        del h
        assert intermediate() is None
        y.item()
        grad(y, x)
        # y is held, but nothing of its graph holds the numbers in between.
        assert not [r for r in gc.get_referrers(value) if r is not locals() and type(r) is not dict]
        root = weakref.ref(y)
        del y
        assert root() is None
    finally:
        gc.enable()


def test_a_thousand_steps_in_constant_memory():
    import tracemalloc

    x = leaf(200)
    losses = []

    def step():
        nonlocal x
        batch = np.random.default_rng(0).random(200)
        loss = (np.tanh(x * batch) ** 2).sum()
        (g,) = grad(loss, x)
        losses.append(loss)
        x = tensor(x.detach().numpy() - 1e-3 * g.detach().numpy())

    gc.disable()
    try:
        for _ in range(20):
            step()
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            step()
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    # The losses are kept, each with the bare structure of its graph; the arrays of a step would be 1.6 kB each.
    assert grown < 1000 * 4_000
