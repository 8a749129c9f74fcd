"""Arrays in .npy files, such as cotangents: any part in any order is read right, and what is damaged is told."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from command import Shell

from gradcli.errors import GradError
from gradcli.formats import npy_random
from gradcli.formats.npy_random import Along, stored
from gradcli.job.gradient import GradJob, run_grad

pytestmark = pytest.mark.usefixtures("empty_folder")


# Layouts.


@pytest.mark.parametrize("shape", [(1,), (7,), (3, 5), (4, 1, 3), (2, 3, 4, 2)])
@pytest.mark.parametrize("kind", ["<f8", ">f4", "u1", "f2", ">i8"])
@pytest.mark.parametrize("window", [1, 4, 10, 2**20])
def test_any_part_in_any_order(shape: tuple[int, ...], kind: str, window: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npy_random, "_WINDOW", window)
    monkeypatch.setattr(npy_random, "_PIECE", window)
    numbers = np.random.default_rng(3).integers(0, 99, shape).astype(kind)
    for array in (numbers, np.asfortranarray(numbers)):
        np.save("v.npy", array)
        held = stored("v.npy")
        assert (held.shape, held.ndim) == (shape, len(shape))
        for order in itertools.islice(itertools.permutations(range(len(shape))), 6):
            wanted = numbers.transpose(order).ravel().tolist()
            column = Along(held, order)
            n = column.length
            assert n == len(wanted)
            for lo, hi in ((0, n), (n // 3, n // 2 + 1), (n - 1, n), (0, 1), (2, 2)):
                assert column.floats(lo, hi) == wanted[lo:hi]
        if len(shape) > 1:
            for k in range(shape[0]):
                part = Along(held[k], range(len(shape) - 1))
                assert part.floats(0, part.length) == numbers[k].ravel().tolist()


def test_all_versions_of_the_header(shell: Shell) -> None:
    numbers = np.array([1.0, 10.0, 100.0])
    data = numbers.tobytes()
    for version, width in ((b"\1\0", 2), (b"\2\0", 4), (b"\3\0", 4)):
        for text in (
            b"{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }\n",
            b"{'shape': (3L,), 'fortran_order': False, 'descr': '<f8'}          \n",
        ):
            Path("v.npy").write_bytes(b"\x93NUMPY" + version + len(text).to_bytes(width, "little") + text + data)
            code, out, err = shell("grad", "x", "--wrt", "x", "--grid", "x=1,2,3", "--grad-outputs", "v.npy", "--csv")
            assert (code, err) == (0, "")
            assert out == "x,grad_x\n1.0,1.0\n2.0,10.0\n3.0,100.0\n"


# Refusals.


def headed(text: bytes, data: bytes = b"", version: bytes = b"\1\0") -> bytes:
    width = 2 if version == b"\1\0" else 4
    return b"\x93NUMPY" + version + len(text).to_bytes(width, "little") + text + data


def said(shape: str, descr: str = "'<f8'", order: str = "False") -> bytes:
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}}}\n".encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "v.npy: the file is empty"),
        (b"\x93NUMP", "v.npy: not a .npy file"),
        (b"1,2,3\n", "v.npy: not a .npy file"),
        (b"\x93NUMPY\1", "truncated in the header"),
        (b"\x93NUMPY\1\0", "truncated in the header"),
        (b"\x93NUMPY\2\0\x76", "truncated in the header"),
        (b"\x93NUMPY\1\0\x76\0{'descr'", "truncated in the header"),
        (b"\x93NUMPY\4\0\x76\0", "version 4.0 of .npy is not known"),
        (b"\x93NUMPY\2\0\xff\xff\xff\xff", "a header of 4,294,967,295 bytes is beyond the limit"),
        (headed(b"(" * 9000), "the header of the array is damaged"),
        (headed(b"-" * 9000 + b"1"), "the header of the array is damaged"),
        (headed(b"[]"), "the header of the array is damaged"),
        (headed(b"{'shape': (3,)}"), "the header of the array is damaged"),
        (headed(b"{[]: 1}"), "the header of the array is damaged"),
        (headed(b"__import__('os').abort()"), "the header of the array is damaged"),
        (headed(said("(-3,)")), "the header of the array is damaged"),
        (headed(said("(True,)")), "the header of the array is damaged"),
        (headed(said("3")), "the header of the array is damaged"),
        (headed(said("(1,)*99")), "the header of the array is damaged"),
        (headed(said("(3,)", order="0")), "the header of the array is damaged"),
        (headed(said("(3,)", "'nonsense'")), "the header of the array is damaged"),
        (headed(said("(3,)", "'<f8, ('")), "the header of the array is damaged"),
        (headed(said("(3,)", "'|O'")), "would have to be unpickled: it is never read"),
        (headed(said("(3,)", "[('a', '<f8')]"), bytes(24)), "not real numbers of at most 8 bytes"),
        (headed(said("(3,)", "'<M8[s]'"), bytes(24)), "holds datetime64[s], not real numbers"),
        (headed(said("(3,)"), bytes(20)), "cut off: it holds 86 bytes, its header says 90"),
        (headed(said("(10**18,)")), "the header of the array is damaged"),
        (headed(said("(1000000000000000000,)")), "cut off: it holds 84 bytes, its header says 8000000000000000084"),
        (headed(said("(99999999999999999999999999,)")), "cut off: it holds"),
        (headed(said("(9999999999, 9999999999)")), "cut off: it holds"),
        (headed(said("(4,)"), bytes(32)), "has a shape of [4], and 'y' has a shape of [3]"),
    ],
)  # fmt: skip
def test_damaged_files(shell: Shell, content: bytes, message: str) -> None:
    Path("v.npy").write_bytes(content)
    code, out, err = shell("grad", "y = x", "--wrt", "x", "--grid", "x=1,2,3", "--grad-outputs", "y=v.npy")
    assert (code, out) == (2, "")
    assert message in err and err.startswith("gradcli: error: ")
    assert "Warning" not in err and "Error" not in err


def test_what_is_no_regular_file(shell: Shell) -> None:
    os.mkfifo("pipe.npy")
    os.symlink("pipe.npy", "link.npy")
    Path("folder.npy").mkdir()
    os.symlink("loop.npy", "loop.npy")
    os.symlink("/dev/zero", "zero.npy")
    for name in ("pipe.npy", "link.npy", "folder.npy", "zero.npy"):
        code, out, err = shell("grad", "y = x", "--wrt", "x", "--grid", "x=1,2,3", "--grad-outputs", f"y={name}")
        assert (code, out) == (2, "") and f"{name}: not a regular file" in err
    for name in ("loop.npy", "none.npy"):
        code, out, err = shell("grad", "y = x", "--wrt", "x", "--grid", "x=1,2,3", "--grad-outputs", f"y={name}")
        assert (code, out) == (2, "") and f"--grad-outputs: {name}: " in err


@pytest.mark.parametrize("chosen", ["scalar", "vector", "native"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("left", [128, 1000])
def test_a_file_that_shrinks(chosen: str, threads: int, left: int) -> None:
    np.save("v.npy", np.ones((50, 30)))
    job = GradJob(["x*y"], ["x"], ["v.npy"], grids=["x=1:2:50", "y=1:2:30"], engine=chosen, threads=threads)
    result = run_grad(job)
    os.truncate("v.npy", left)
    with pytest.raises(GradError, match=r"v\.npy: the file became shorter while it was read") as caught:
        result.whole()
    assert caught.value.exit_code == 3


def test_a_file_replaced_is_read_to_its_end() -> None:
    np.save("v.npy", np.full(3, 2.0))
    result = run_grad(GradJob(["x**2"], ["x"], ["v.npy"], grids=["x=1,2,3"]))
    Path("v.npy").unlink()
    np.save("v.npy", np.zeros(1))
    assert list(result.whole()[1]) == [4.0, 8.0, 12.0]
