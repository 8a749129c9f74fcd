"""What tests of several rooms share: the empty folder and the shell."""

import gc
import os
from pathlib import Path

import pytest
from command import Shell, environment
from hypothesis import HealthCheck, settings

from gradcli.cli import run

# A busy machine makes no right test wrong: neither an example nor all of them together have a time.
settings.register_profile("gradcli", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gradcli")


def pytest_collection_finish() -> None:
    """Leave the tests themselves, half a million objects, out of every later pass of the garbage collector."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder as the current one, and the environment that processes get in tests."""
    kept = environment()
    for name in os.environ.keys() - kept.keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTHONPATH", kept["PYTHONPATH"])
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shell(empty_folder: Path, capfd: pytest.CaptureFixture[str]) -> Shell:
    def call(*words: str) -> tuple[int, str, str]:
        code = run(words)
        out, err = capfd.readouterr()
        return code, out, err

    return call
