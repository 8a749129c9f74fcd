"""JSON is read from its text: a few bytes of memory a byte of input, whatever its shape, and a bomb is refused."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from gradcli.errors import GradError
from gradcli.formats import json_scan, open_table
from gradcli.formats.json_scan import SPAN, STEP

MEASURE = """
import resource, sys
import numpy, orjson
from gradcli.formats import json_scan, open_table
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rows = sum(len(chunk.columns[0]) for chunk in open_table(sys.argv[1], None).chunks(["x"], sys.argv[2:]))
print(rows, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit)
"""


def of_ones(rows: int) -> str:
    return '{"x": [1' + ",1" * (rows - 1) + "]}"


def of_schema(rows: int) -> str:
    return '{"schema": "gradcli/1", "columns": {"x": [[1,1]' + ",[1,1]" * (rows // 2 - 1) + "]}}"


def of_records(rows: int) -> str:
    return '[{"x":1,"t":"a"}' + ',{"x":1,"t":"a"}' * (rows - 1) + "]"


def of_turned_records(rows: int) -> str:
    """No two neighbours have their keys in one order."""
    return '[{"x":1,"t":"a"}' + ',{"t":"a","x":1},{"x":1,"t":"a"}' * ((rows - 1) // 2) + "]"


def with_a_list_that_is_not_read(rows: int) -> str:
    return '{"x": [1' + ",1" * (rows - 1) + '], "y": [[]' + ",[]" * (rows - 1) + "]}"


@pytest.mark.skipif(sys.platform == "win32", reason="resource tells the peak")
@pytest.mark.parametrize(
    ("text", "keep"),
    [(of_ones, []), (of_schema, []), (of_records, []), (of_records, ["t"]), (of_turned_records, []),
     (with_a_list_that_is_not_read, [])],
)  # fmt: skip
def test_a_byte_costs_less_than_three(text: Any, keep: list[str], tmp_path: Path) -> None:
    path, rows = tmp_path / "i.json", 2_000_000 if keep == [] and text is not of_turned_records else 400_001
    path.write_text(text(rows))
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path), *keep], capture_output=True, text=True, check=True)
    found, peak = map(int, done.stdout.split())
    assert found == rows
    # The room that a few thousand rows take while they are numbers does not grow with the file.
    assert peak < 2 * path.stat().st_size + 30e6


def read(text: str, wanted: list[str], keep: list[str]) -> tuple[list[list[float]], list[list[Any]], str]:
    columns: list[list[float]] = [[] for _ in wanted]
    kept: list[list[Any]] = [[] for _ in keep]
    try:
        for chunk in open_table("-", io.BytesIO(text.encode()), format="json").chunks(wanted, keep):
            for column, part in zip(columns, chunk.columns, strict=True):
                column += part.tolist()
            for cells, one in zip(kept, chunk.kept, strict=True):
                cells += one.cells
    except GradError as error:
        return columns, kept, error.message
    return columns, kept, ""


@pytest.mark.parametrize("rows", [1, STEP - 1, STEP, STEP + 1, 2 * STEP, 70 * STEP + 3])
def test_all_rows_in_order_in_every_form(rows: int) -> None:
    numbers = [k / 7 for k in range(rows)]
    words = [f'"{k}", \\é' if k % 900 == 5 else f"w{k}" for k in range(rows)]
    wanted = [numbers], [[word.encode() for word in words]], ""
    records = [{"x": x, "t": t} for x, t in zip(numbers, words, strict=True)]
    # Some with their keys in another order, some long, some that spell a key otherwise.
    odd = [json.dumps(r, indent=k % 11 == 4 or None, sort_keys=k % 13 == 5) for k, r in enumerate(records)]
    odd = [r.replace('"x"', '"\\u0078"') if k % 17 == 3 else r for k, r in enumerate(odd)]
    for text in (
        json.dumps({"x": numbers, "t": words}), json.dumps({"t": words, "x": numbers}, indent=1),
        json.dumps(records), "[" + ",".join(odd) + "]",
        json.dumps({"schema": "gradcli/1", "columns": {"x": [numbers], "t": [[word] for word in words]}}),
    ):  # fmt: skip
        assert read(text, ["x"], ["t"]) == wanted


@pytest.mark.parametrize("at", [0, 5, STEP - 1, STEP, 3 * STEP + 7])
@pytest.mark.parametrize(
    ("bad", "words"),
    [('"a"', "the string 'a'"), ("null", "null"), ("[1, [2]]", "a list"), ('{"y": {}}', "an object"), ("1e999", "")],
)
def test_rows_before_a_bad_value_are_given(at: int, bad: str, words: str) -> None:
    values = [str(k) for k in range(5 * STEP)]
    values[at] = bad
    records = [f'{{"x": {value}}}' for value in values]
    texts = ['{"x": [' + ",".join(values) + "]}", "[" + ",".join(records) + "]"]
    for text in texts:
        (column,), _, message = read(text, ["x"], [])
        assert message.startswith(f"stdin: 'x', value {at + 1}: {words}")
        assert column == [float(k) for k in range(at)]
    if bad[0] in "[{":
        assert read(texts[0], [], ["x"])[2].startswith(f"stdin: 'x', value {at + 1}: {words} cannot be carried through")
        _, (kept,), message = read(texts[1], [], ["x"])
        assert message == "" and kept[at] == bad.encode()


@pytest.mark.parametrize("cut", ["", "}", ",", "[", "NaN", "01", '"', "\x01"])
@pytest.mark.parametrize("at", [3, STEP + 3])
def test_a_malformed_place_is_told_by_line_and_column(cut: str, at: int) -> None:
    head = "[\n" + '{"x":1},\n' * at + '{"x":'
    line = at + 2
    message = read(f'{head}{cut}x}},\n{{"x":1}}]', ["x"], [])[2]
    place = {"": 6, "}": 6, ",": 6, "[": 7, "01": 7, '"': 6, "\x01": 6}
    if cut == "NaN":
        assert message == "stdin: NaN is no JSON"
    elif cut == '"':
        # The string goes on to the next line.
        assert message == f"stdin:{line}:10: invalid control character"
    else:
        assert message.startswith(f"stdin:{line}:{place[cut]}: expecting "), message
    assert read(head, ["x"], [])[2] == f"stdin:{line}:6: unexpected end of the text"


def test_keys_and_records_have_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_scan, "_KEYS", 1000)
    monkeypatch.setattr(json_scan, "LINE_LIMIT", 1000)
    many = "{" + ",".join(f'"{k}":[]' for k in range(1001)) + "}"
    assert "the limit is 1,000 keys" in read(many, [], ["1"])[2]
    deep = '{"y":' * 30 + "{" + ",".join(f'"{k}":1' for k in range(980)) + "}" + "}" * 30
    assert "the limit is 1,000 keys" in read(deep, [], ["1"])[2]
    # Those of objects that have ended are no longer held.
    assert read("[" + '{"x":1,"y":{"a":1,"b":2}},' * 900 + '{"x":1,"y":1}]', ["x"], [])[0] == [[1.0] * 901]
    more = "1," * 500
    assert "record 2 is too long: the limit is 1,000 bytes" in read(f'[{{"y":0}},{{"y":[{more}1]}}]', ["y"], [])[2]
    assert "the key is too long" in read('{"' + "x" * 1001 + '": [1]}', ["x"], [])[2]
    monkeypatch.undo()
    wide = [{f"column {k}": k + r for k in range(3000)} for r in range(200)]
    assert len(json.dumps(wide)) > 3 * SPAN
    assert read(json.dumps(wide), ["column 7"], ["column 9"]) == (
        [[7.0 + r for r in range(200)]], [[b"%d" % (9 + r) for r in range(200)]], "",
    )  # fmt: skip


def test_a_bomb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """A megabyte that unpacks to a gigabyte, of which no more is read than may be held."""
    path = tmp_path / "b.json.gz"
    with gzip.open(path, "wb", compresslevel=9) as file:
        file.write(b'{"x":[1')
        for _ in range(1000):
            file.write(b",1" * (1 << 19))
        file.write(b"]}")
    assert path.stat().st_size < 1_100_000
    with pytest.raises(GradError, match=r"b\.json\.gz: too large: this format is held in memory") as refused:
        open_table(str(path), None)
    assert refused.value.exit_code == 2
    with pytest.raises(GradError, match="more than the limit of 100,000 bytes"):
        open_table(str(path), None, max_bytes=100_000)
