"""A million bit patterns out through every format and back again: the same doubles, bit for bit."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.cli import run

SUFFIXES = ["csv", "tsv", "jsonl", "json", "npy", "npz", "parquet", "csv.gz", "csv.zst", "parquet.gz"]
EDGES = [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 1e16, 1e-7, 0.1, 2.0**53, 1e23]


def patterns() -> Any:
    """Any bits at all, subnormals, halves and whole numbers among them; every nan the same, without payload."""
    rng = np.random.default_rng(20)
    anything = rng.integers(0, 2**64, 900_000, dtype=np.uint64)
    subnormal = rng.integers(0, 2**52, 50_000, dtype=np.uint64) | (rng.integers(0, 2, 50_000, dtype=np.uint64) << 63)
    plain = rng.integers(-(10**6), 10**6, 49_987) / 2
    values = np.concatenate([anything.view("f8"), subnormal.view("f8"), plain, EDGES, [np.inf, -np.inf]])
    values[np.isnan(values)] = np.nan
    return values


@pytest.mark.parametrize(("suffix", "arrow"), [*[(s, True) for s in SUFFIXES], ("csv", False), ("tsv", False)])
def test_a_million_patterns(
    suffix: str, arrow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if not arrow:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.chdir(tmp_path)
    values = patterns()
    assert len(values) == 1_000_000
    # JSON has no word for what is not finite, and reading it without --na is an error.
    na = ["--na", "nan"] if suffix.startswith("json") else []
    np.save("in.npy", values)
    assert run(["eval", "y = x", "--input", "in.npy", "-o", f"out.{suffix}", "-q"]) == 0
    assert run(["eval", "z = y", "--input", f"out.{suffix}", *na, "-o", "back.npy", "-q"]) == 0
    assert capfd.readouterr() == ("", "")
    back = np.load("back.npy")
    wanted = np.where(np.isfinite(values), values, np.nan) if na else values
    assert (back["y"].view("u8") == wanted.view("u8")).all()
    assert (back["z"].view("u8") == wanted.view("u8")).all()
