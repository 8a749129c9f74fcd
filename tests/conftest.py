"""What tests of several rooms share: the empty folder and the shell."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from zlib import crc32

import pytest
from command import Shell, environment
from hypothesis import HealthCheck, settings

from gradcli.cli import run

# A busy machine makes no right test wrong: neither an example nor all of them together have a time.
settings.register_profile("gradcli", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gradcli")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave tests that take minutes out, unless -m asks for them."""
    if "long" not in config.option.markexpr:
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]


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


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of a server of S3's interface on this machine, which holds objects in memory."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, empty_folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> str:
    """The URL of an empty bucket, ``s3://NAME``, which this process and those it starts find by their environment."""
    from fsspec import filesystem

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    name = f"bucket-{crc32(request.node.nodeid.encode()):08x}"
    filesystem("s3").mkdir(name)
    return f"s3://{name}"
