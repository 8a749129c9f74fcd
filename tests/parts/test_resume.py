"""The same command again makes what is missing or changed, and touches nothing else."""

import json
import os
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from command import Shell
from folders import changed, content, faults, joined, made, names, numbered, parts, sources, state, whole

SIZES = [250, 0, 3, 401]
ROWS = sum(SIZES)
WORDS = ("diff", "sin(x)*y", "--input", "in/*", "--keep", "-o", "out/", "--part-bytes", "2000")
OUT = Path("out")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place with sources and a finished folder of parts."""
    from gradcli.cli import run

    place, here = tmp_path_factory.mktemp("finished"), Path.cwd()
    try:
        os.chdir(place)
        sources(Path("in"), SIZES)
        assert run([*WORDS, "-q"]) == 0
    finally:
        os.chdir(here)
    return place


@pytest.fixture
def again(shell: Shell, finished: Path) -> Shell:
    """The shell in a copy of that place, files with their times."""
    shutil.copytree(finished, ".", dirs_exist_ok=True)
    return shell


def part(source: str, k: int = 0) -> Path:
    """The k-th part of a source."""
    told = json.loads((OUT / "plan.json").read_bytes())["parts"]
    return OUT / [entry["part"] for entry in told if entry["source"][0] == source][k]


def record(path: Path) -> Path:
    return path.with_name(path.name + ".json")


@pytest.mark.quick
def test_a_finished_folder_is_not_touched(again: Shell):
    before = state(OUT)
    for more in ((), ("--cluster", "local:2"), ("--part", "2/3"), ("--threads", "1"), ("--max-points", "1000000")):
        code, out, err = again(*WORDS, *more)
        assert (code, out) == (0, "")
        assert err.startswith("gradcli: note: out/: ")
        assert "0 made" in err
    assert state(OUT) == before
    whole(OUT, ROWS)


@pytest.mark.quick
@pytest.mark.parametrize("manifest", [True, False], ids=["whole", "without-manifest"])
@pytest.mark.parametrize("harm", ["cut", "longer", "gone", "empty", "record gone", "both gone"])
def test_a_harmed_part_is_made_again(again: Shell, harm: str, manifest: bool):
    before, path = state(OUT), part("in/00003.parquet", 1)
    if harm == "cut":
        os.truncate(path, 1000)
    elif harm == "longer":
        path.write_bytes(path.read_bytes() + b"x")
    elif harm == "empty":
        path.write_bytes(b"")
    if harm in ("gone", "both gone"):
        path.unlink()
    if harm in ("record gone", "both gone"):
        record(path).unlink()
    if not manifest:
        (OUT / "manifest.json").unlink()
    code, _, err = again(*WORDS)
    assert (code, made(err)[0]) == (0, 1)
    assert changed(before, OUT) == {path.name}
    assert content(OUT) == {name: data for name, (data, _) in before.items()}


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'{"schema":"gradcli-parts/2"}', b"\xff\x00", b"[" * 100_000])
def test_a_broken_record(again: Shell, data: bytes):
    """Its part is made again if the manifest, which repeats it, is gone too."""
    before, path = state(OUT), part("in/00003.parquet", 1)
    record(path).write_bytes(data)
    (OUT / "manifest.json").unlink()
    assert made(again(*WORDS)[2])[0] == 1
    assert content(OUT) == {name: data for name, (data, _) in before.items()}


def test_a_record_without_all_it_tells(again: Shell):
    path = record(part("in/00003.parquet", 1))
    told = json.loads(path.read_bytes())
    for name, wrong in [("rows", None), ("nonfinite", [1]), ("hard", {"a": "b"}), ("notes", None), ("key", 7)]:
        path.write_text(json.dumps({**told, name: wrong}))
        (OUT / "manifest.json").unlink()
        assert made(again(*WORDS)[2])[0] == 1
    assert json.loads(path.read_bytes()) == told


@pytest.mark.parametrize("data", [b"", b"{}", b"[", b'{"schema":"gradcli-parts/1","asked":[],"work":{},"parts":[]}'])
@pytest.mark.parametrize("name", ["plan.json", "manifest.json"])
def test_a_broken_plan_or_manifest_is_written_anew(again: Shell, name: str, data: bytes):
    before = state(OUT)
    (OUT / name).write_bytes(data)
    assert made(again(*WORDS)[2])[0] == 0
    assert content(OUT) == {name: data for name, (data, _) in before.items()}
    assert changed(before, OUT) == set()


def test_a_plan_that_others_wrote(again: Shell):
    """Neither names of files elsewhere nor other work are taken from it."""
    before, plan = content(OUT), json.loads((OUT / "plan.json").read_bytes())
    spoiled = [json.loads(json.dumps(plan)) for _ in range(6)]
    spoiled[0]["parts"][0]["part"] = "../elsewhere.parquet"
    spoiled[1]["parts"][0]["key"] = ["x"]
    spoiled[2]["parts"][0]["range"] = [0, "1", 0]
    spoiled[3]["work"]["job"]["expressions"] = [["x", None]]
    spoiled[4]["work"]["job"]["engine"] = "import os"
    spoiled[5]["parts"] = {"a": 1}
    for wrong in spoiled:
        (OUT / "plan.json").write_text(json.dumps(wrong))
        (OUT / "manifest.json").unlink()
        assert again(*WORDS)[0] == 0
        assert content(OUT) == before
    assert names(Path()) == ["in", "out"]


@pytest.mark.quick
def test_changed_sources(again: Shell):
    """A source that is touched, that grows, that is new or gone: its parts, and no others."""
    before = state(OUT)
    os.utime("in/00002.parquet", (1, 1))
    code, _, err = again(*WORDS)
    assert (code, made(err)[0]) == (0, 1)
    assert "1 part of those made" in err
    assert changed(before, OUT) <= {part("in/00002.parquet").name}
    before = state(OUT)
    pq.write_table(numbered(253, 700), "in/00003.parquet", row_group_size=100)
    assert made(again(*WORDS)[2])[0] == 7
    assert {name[:13] for name in changed(before, OUT)} == {part("in/00003.parquet").name[:13]}
    whole(OUT, 953)
    before = state(OUT)
    pq.write_table(numbered(953, 5), "in/00004.parquet")
    assert made(again(*WORDS)[2])[0] == 1
    assert changed(before, OUT) == {part("in/00004.parquet").name}
    whole(OUT, 958)
    pq.write_table(numbered(253, 100), "in/00003.parquet", row_group_size=100)
    os.unlink("in/00004.parquet")
    code, _, err = again(*WORDS)
    assert (code, made(err)[0]) == (0, 1)
    assert "7 parts removed, whose rows are not in the input any more" in err
    whole(OUT, 353)


@pytest.mark.quick
def test_changed_options(again: Shell):
    """All parts are made again by an option that changes their bytes, and none is mixed with older ones."""
    before = content(OUT)
    total = len(parts(OUT))
    for words in (
        [*WORDS, "--order", "2"], ["diff", "cos(x)*y", *WORDS[2:]], [*WORDS, "--wrt", "x"], [*WORDS, "--drop", "y"],
        [*WORDS, "--engine", "scalar"], list(WORDS),
    ):  # fmt: skip
        code, _, err = again(*words)
        assert (code, made(err)) == (0, (total, 0))
        assert f"{total} parts of those made were there, of other rows, options or versions" in err
        assert faults(OUT) == []
    assert content(OUT) == before
    assert again(*WORDS[:-1], "9999")[0] == 0
    whole(OUT, ROWS)
    assert len(parts(OUT)) < total


def test_no_record_tells_of_other_bytes(again: Shell, monkeypatch: pytest.MonkeyPatch):
    """A run that ends between a part and its record leaves a part without one."""
    with monkeypatch.context() as patch:
        patch.setattr("gradcli.parts.part.dumps", lambda told: 1 / 0)
        assert again("diff", "cos(x)*y", *WORDS[2:], "--retries", "0")[0] == 3
    assert [*OUT.glob("part-*.json")] == []
    assert len([*OUT.glob("part-*.parquet")]) == made(again(*WORDS)[2])[0]
    whole(OUT, ROWS)


@pytest.mark.quick
def test_a_limit_that_is_raised_counts(shell: Shell):
    """What stopped a run, and changes no number, is that of the command at hand."""
    sources(Path("in"), [50, 300], "csv")
    words = ["diff", "sin(x)", "--input", "in/*", "--keep", "-o", "out/"]
    code, _, err = shell(*words, "--max-points", "100")
    assert code == 2
    assert "1 of 2 parts could not be made: in/00001.csv: more than 100 points are beyond the limit" in err
    code, _, err = shell(*words)
    assert (code, made(err)) == (0, (1, 1))
    whole(OUT, 350)


def test_versions_are_part_of_a_key(again: Shell, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("gradcli.parts.plan.__version__", "0.0.1")
    assert made(again(*WORDS)[2])[1] == 0


@pytest.mark.quick
@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_shares_equal_one_run(again: Shell, order: tuple[int, ...]):
    """In any order, made here or by processes: the same plan, parts, records and manifest, byte for byte."""
    before = content(OUT)
    shutil.rmtree(OUT)
    for k in order:
        assert not (OUT / "manifest.json").exists()
        code, _, err = again(*WORDS, "--part", f"{k}/3")
        assert code == 0
        assert f"share {k}/3: " in err
    assert content(OUT) == before
    shutil.rmtree(OUT)
    assert again(*WORDS, "--cluster", "local:2")[0] == 0
    assert content(OUT) == before


def test_more_shares_than_parts(again: Shell):
    total = len(parts(OUT))
    before = content(OUT)
    (OUT / "manifest.json").unlink()
    last = f"{total + 5}/{total + 5}"
    assert f"share {last}: 0 made; {total} of {total}" in again(*WORDS, "--part", last)[2]
    assert content(OUT) == before


def test_a_share_notices_what_others_lack(again: Shell):
    """A share whose parts stand leaves a folder without manifest if those of another share do not."""
    part("in/00000.parquet", 0).unlink()
    code, _, err = again(*WORDS, "--part", "2/2")
    assert (code, "0 made" in err) == (0, True)
    assert not (OUT / "manifest.json").exists()
    assert again(*WORDS, "--part", "1/2")[0] == 0
    whole(OUT, ROWS)


def test_leftovers(again: Shell):
    """Unfinished files of processes that run no more go; no others whose names begin with a point."""
    from gradcli.storage.replacement import _prefix

    leftover = OUT / f"{_prefix()}999999999-0123456789ab.tmp"
    running = OUT / f"{_prefix()}{os.getpid()}-0123456789ab.tmp"
    for path in (leftover, running, OUT / ".nfs0001"):
        path.write_bytes(b"x")
    assert again(*WORDS)[0] == 0
    assert not leftover.exists()
    assert running.exists()
    assert (OUT / ".nfs0001").exists()


def test_what_one_process_reads(again: Shell):
    assert again(*WORDS[:5], "-o", "one.parquet")[0] == 0
    assert joined(parts(OUT)) == joined([Path("one.parquet")])
