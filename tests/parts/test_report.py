"""What `gradcli parts` tells of a folder: which parts are done, missing or broken."""

import json
import os
from pathlib import Path

import pytest
from command import Shell
from folders import parts, sources, state

OUT = Path("out")
WORDS = ("eval", "x*y", "--input", "in/*", "--keep", "-o", "out/", "--part-bytes", "2500")
ROWS = 350


@pytest.fixture
def made(shell: Shell) -> Shell:
    """The shell beside a finished folder of four parts."""
    sources(Path("in"), [300, 50])
    assert shell(*WORDS)[0] == 0
    assert len(parts(OUT)) == 4
    return shell


def report(shell: Shell, *words: str) -> tuple[int, dict[str, object]]:
    code, out, err = shell("parts", "out/", "--json", *words)
    assert err == ""
    return code, json.loads(out)


@pytest.mark.quick
def test_a_whole_folder(made: Shell):
    before = state(OUT)
    for words in ((), ("--verify",)):
        code, out, err = made("parts", "out", *words)
        assert (code, err) == (0, "")
        assert [line.split() for line in out.splitlines()] == [
            ["rows", "350"], ["done", "4", "of", "4", "parts"], ["missing", "0"], ["broken", "0"], ["whole"]
        ]  # fmt: skip
        code, told = report(made, *words)
        assert (code, told["whole"], told["rows"], told["done"]) == (0, True, ROWS, 4)
    assert state(OUT) == before


@pytest.mark.quick
def test_harmed_parts(made: Shell):
    """Each harm is told in words, and the run that goes on mends all of them."""
    one, two, three, four = parts(OUT)
    os.truncate(one, 10)
    two.unlink()
    three.with_name(three.name + ".json").unlink()
    data = four.read_bytes()
    four.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    code, told = report(made)
    assert (code, told["whole"], told["done"], told["missing"], told["broken"]) == (1, False, 1, 2, 1)
    code, told = report(made, "--verify")
    assert (told["done"], told["missing"], told["broken"]) == (0, 2, 2)
    _, out, _ = made("parts", "out/", "--verify")
    assert "it has 10 bytes, its record tells" in out
    assert "its file is gone" in out
    assert "it has no record" in out
    assert "its bytes are not those that were written" in out
    assert "not whole: the command that began the folder goes on with it" in out
    four.unlink()
    assert "4 made, 0 stood" in made(*WORDS)[2]
    assert report(made, "--verify")[0] == 0


def test_records_that_others_wrote(made: Shell):
    path = parts(OUT)[0]
    record = path.with_name(path.name + ".json")
    told = json.loads(record.read_bytes())
    (OUT / "manifest.json").unlink()
    for name, wrong in [("bytes", "x"), ("bytes", None), ("rows", [1]), ("key", 0), ("crc32", 5)]:
        record.write_text(json.dumps({**told, name: wrong}))
        for more in ((), ("--verify",)):
            code, found = report(made, *more)
            assert (code, found["done"]) == (1, 3)
            assert made("parts", "out/", *more)[0] == 1
    record.write_bytes(b"{")
    assert "broken: " in made("parts", "out/")[1]
    assert "its record cannot be read" in made("parts", "out/")[1]


@pytest.mark.quick
def test_a_folder_that_is_not_whole_yet(made: Shell):
    (OUT / "manifest.json").unlink()
    code, out, _ = made("parts", "out/")
    assert (code, "not whole: the manifest is missing; the command that made the parts writes it" in out) == (1, True)
    assert made(*WORDS)[0] == 0
    (OUT / "notes.txt").touch()
    code, out, _ = made("parts", "out/")
    assert (code, "'notes.txt' does not belong to a folder of parts" in out) == (1, True)
    (OUT / "notes.txt").unlink()
    os.unlink("in/00001.parquet")
    sources(Path("in"), [300, 51])
    assert report(made)[0] == 0


@pytest.mark.quick
def test_what_is_no_folder_of_parts(made: Shell):
    for path in ("in/", "nowhere/", "."):
        code, out, err = made("parts", path)
        assert (code, out) == (2, "")
        assert "parts are made by: gradcli diff EXPR --input FILES -o FOLDER/" in err
    code, _, err = made("parts", "in/00000.parquet")
    assert (code, "Not a directory" in err) == (3, True)


def test_names_that_are_no_text(shell: Shell):
    try:
        with open(b"in\xff\x1b[2J.csv", "wb") as file:
            file.write(b"id,x\n0,1\n")
    except OSError:
        pytest.skip("this file system holds names of UTF-8 alone")
    assert shell("eval", "x", "--input", "in*.csv", "--keep", "-o", "out/")[0] == 0
    assert report(shell)[0] == 0
    (OUT / "manifest.json").unlink()
    parts_ = [*OUT.glob("*.parquet")]
    parts_[0].unlink()
    code, out, _ = shell("parts", "out/")
    assert (code, "its file is gone" in out, "\x1b" in out) == (1, True, False)
